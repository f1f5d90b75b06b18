"""Reading the entries under `analyses` of a netlist file: typed, with nothing dropped in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from photosim.errors import ParameterError, did_you_mean, listing


class Options:
    """One analysis entry; every getter consumes its key, and `done` refuses what nobody asked for.

    All errors are ParameterErrors that start with the analysis they belong to.
    """

    def __init__(self, entry: Mapping[str, Any], kind: str) -> None:
        self._entry = entry
        self._asked = {"kind"}
        name = entry.get("name")
        self.where = f"analysis {name!r} ({kind})" if name else f"analysis of kind {kind!r}"

    def done(self) -> None:
        """Raise ParameterError if the entry has a key that was not asked for."""
        unknown = [key for key in self._entry if key not in self._asked]
        if unknown:
            known = sorted(self._asked)
            hint = did_you_mean(unknown[0], known)
            self.refuse(f"has no option {unknown[0]!r}. It has: {listing(known, 30)}.{hint}")

    def refuse(self, problem: str) -> None:
        """Raise ParameterError: the analysis, then the problem."""
        message = f"The {self.where} {problem}"
        raise ParameterError(message)

    def scalar(self, key: str, default: str | float | None = None) -> str | float:
        """Return a string or number; without a default it must be given."""
        value = self._get(key, default)
        if value is None:
            self.refuse(f"needs the option {key!r}.")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.refuse(f"needs text or a number for {key!r}, got {value!r}.")
        return value  # type: ignore[no-any-return]

    def text(self, key: str, default: str) -> str:
        """Return a string."""
        value = self._get(key, default)
        if not isinstance(value, str):
            self.refuse(f"needs text for {key!r}, got {value!r}.")
        return str(value)

    def names(self, key: str, *, distinct: bool = True) -> tuple[str, ...] | None:
        """Return a name or a list of names as a tuple, none twice if `distinct`; None when absent."""
        value = self._get(key, None)
        found = [value] if isinstance(value, str) else value
        if found is None:
            return None
        if (
            not isinstance(found, list | tuple)
            or not found
            or not all(isinstance(name, str) for name in found)
        ):
            self.refuse(f"needs a name or a list of names for {key!r}, got {value!r}.")
        twice = [name for k, name in enumerate(found) if name in found[:k]]
        if twice and distinct:
            self.refuse(f"names {twice[0]!r} twice for {key!r}.")
        return tuple(found)

    def numbers(self, key: str) -> tuple[float, ...] | None:
        """Return a list of numbers as a tuple; None when absent."""
        value = self._get(key, None)
        if value is None:
            return None
        found = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in found):
            self.refuse(f"needs a list of numbers for {key!r}, got {value!r}.")
        return tuple(float(number) for number in found)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """Return a mapping; empty when absent."""
        value = self._get(key, {})
        if not isinstance(value, Mapping):
            self.refuse(f"needs a mapping for {key!r}, got {value!r}.")
        return value  # type: ignore[no-any-return]

    def value(self, key: str) -> Any:
        """Return whatever stands there, None when absent."""
        return self._get(key, None)

    def _get(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        return self._entry.get(key, default)

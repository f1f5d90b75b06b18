"""The settings of a flat circuit as named values, some of them expressions over others.

Names are dotted paths: "temperature", "bank.radius", "bank.row0.ring2.phase".
An expression is evaluated in the scope it was written in: inside `bank` the
name `radius` means `bank.radius`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.conventions import ROOM_TEMPERATURE_K
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.expressions import Expr
from photosim.model.sampled import SampledData
from photosim.reals import NotReal, as_real, as_whole, shown

TEMPERATURE = "temperature"
"""The circuit setting that every part sees."""

_DOT = re.compile(r"\.(?![^<>]*>)")


def steps(name: str) -> list[str]:
    """Split a setting's name at its dots; one inside an array index, as in bank<0.1>.phase, does not split.

    >>> steps("bank<0.1>.ring.phase")
    ['bank<0.1>', 'ring', 'phase']
    """
    return _DOT.split(name)


def owner(name: str) -> tuple[str, str]:
    """Return the instance that a setting belongs to, "" for the circuit, and the setting's own name."""
    outer, _, last = name.rpartition(".")
    if not last.endswith(">"):
        return outer, last
    *path, last = steps(name)  # no setting but a member of an array
    return ".".join(path), last


def no_setting(name: str, known: Iterable[str], others: Iterable[str] = ()) -> str:
    """Return the sentence that refuses a name which none of the settings has, with the nearest one.

    known: names of the settings.  others: names that may be meant too.
    """
    known = list(known)
    inside = [own.removeprefix(f"{name}.") for own in known if own.startswith(f"{name}.")]
    if inside:
        return (
            f"{name!r} is an instance: name one of its settings, as in {f'{name}.{inside[0]}'!r}. It has: "
            f"{listing(inside, 20)}."
        )
    return f"The circuit has no setting {name!r}.{did_you_mean(name, [*known, *others])}"


def flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings by dotted name, lists as arrays; ParameterError for what no setting can be."""
    check_arguments(flat_settings, locals())
    flat: dict[str, Any] = {}

    def walk(prefix: str, table: Mapping[Any, Any]) -> None:
        for key, value in table.items():
            if not isinstance(key, str):
                message = (
                    f"Settings are given by name, but {prefix.removesuffix('.') or 'the call'!r} has the key "
                    f"{shown(key)}."
                )
                raise ParameterError(message)
            if isinstance(value, Mapping):
                if value:
                    walk(f"{prefix}{key}.", value)
            elif value is None:
                message = f"Setting {prefix + key!r} is None: leave it out of the call to keep its value."
                raise ParameterError(message)
            else:
                flat[prefix + key] = setting_value(value, prefix + key)

    walk("", settings)
    return flat


def setting_value(value: Any, name: str) -> Any:
    """Return a setting in its own form: texts, flags and tables stay, whole numbers are int, others float.

    Arrays are new ones of float64. Raises ParameterError for anything else.
    """
    if isinstance(value, str | bool | SampledData):
        return value
    if getattr(value, "dtype", None) == np.bool_ and np.ndim(value) == 0:
        return bool(value)
    try:
        return as_whole(value) if isinstance(value, int | np.integer) else as_real(value)
    except NotReal as error:
        message = f"Setting {name!r} must be a number or an array of numbers, {error}."
        raise ParameterError(message) from None


@dataclass(frozen=True)
class Scoped:
    """An expression and the dotted scope in which its names are looked up ("" is the top)."""

    expression: Expr
    scope: str

    def full(self, name: str) -> str:
        """Return the dotted name that a name in the expression stands for."""
        return f"{self.scope}.{name}" if self.scope else name


KEPT_ORDERS = 8
"""Sets of changed settings whose order of evaluation is kept."""


class Bindings:
    """Values by dotted name; evaluation is cached for the values as written.

    `own` has the values that are bound one by one, `bound` all of them: `written_out` makes it of `own`,
    where that has runs of parts in place of names.
    """

    def __init__(
        self,
        bound: Mapping[Any, Any],
        written_out: Callable[[dict[Any, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        self.own: dict[Any, Any] = {TEMPERATURE: ROOM_TEMPERATURE_K, **bound}
        self.bound: Mapping[str, Any] = self.own if written_out is None else written_out(self.own)
        self._values: dict[str, Any] = {}
        self._users: dict[str, list[str]] | None = None
        self._affected: dict[tuple[str, ...], list[str]] = {}

    def __contains__(self, name: str) -> bool:
        """Return whether a setting of that dotted name exists."""
        return name in self.bound

    def value(self, name: str) -> Any:
        """Return the value as written, expressions evaluated."""
        if name in self._values:
            return self._values[name]
        value = self.bound[name]
        if not isinstance(value, Scoped):
            return value
        self._values[name] = self._evaluate(name, self._values)
        return self._values[name]

    def evaluate(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of the overridden settings and of all that depend on them."""
        memo = {**overrides}
        for name in self.affected(overrides):
            self._follow(name, memo)
        return memo

    def evaluate_scoped(self, scoped: Scoped) -> Any:
        """Return the value of an expression in its scope, from the values as written."""
        return scoped.expression.evaluate({n: self.value(scoped.full(n)) for n in scoped.expression.names})

    def affected(self, names: Iterable[str]) -> list[str]:
        """Return the expressions that depend on any of the names, in order of evaluation."""
        roots = tuple(names)
        if roots not in self._affected:
            if len(self._affected) >= KEPT_ORDERS:
                self._affected.clear()
            self._affected[roots] = self._order(roots)
        return list(self._affected.get(roots) or self._order(roots))  # another thread may have cleared it

    def _order(self, names: Iterable[str]) -> list[str]:
        users = self._user_table()
        order: list[str] = []
        seen: set[str] = set()
        for root in names:
            stack = [iter(users.get(root, ()))]
            path: list[str] = []
            while stack:
                step = next((u for u in stack[-1] if u not in seen), None)
                if step is not None:
                    seen.add(step)
                    path.append(step)
                    stack.append(iter(users.get(step, ())))
                    continue
                stack.pop()
                if path:
                    order.append(path.pop())
        return order[::-1]

    def users(self, name: str) -> list[str]:
        """Return the settings whose expressions use a name."""
        return list(self._user_table().get(name, ()))

    def sources(self, scoped: Scoped) -> set[str]:
        """Return all names that an expression depends on, directly or not."""
        found: set[str] = set()
        open_names = [scoped.full(n) for n in scoped.expression.names]
        while open_names:
            name = open_names.pop()
            if name not in found:
                found.add(name)
                value = self.own.get(name)  # a plain number follows from nothing
                if isinstance(value, Scoped):
                    open_names += [value.full(n) for n in value.expression.names]
        return found

    def pull_back(
        self,
        slopes: Mapping[str, Any],
        names: Iterable[str],
        values: Mapping[str, Any],
        set_directly: Collection[str],
    ) -> dict[str, Any]:
        """Return derivatives by `names` from derivatives `slopes` by settings that depend on them.

        `values` are the changed settings with all that depends on them; those `set_directly` no longer
        follow their expressions, so no derivative passes through them.
        """
        wanted = list(names)
        slope = dict(slopes)
        for name in reversed(self.affected(wanted)):
            scoped = self.bound[name]
            if name in slope and name not in set_directly:
                paths = {n: scoped.full(n) for n in scoped.expression.names}
                arguments = {n: values[f] if f in values else self.value(f) for n, f in paths.items()}
                for n, derivative in scoped.expression.partials(arguments).items():
                    full = paths[n]
                    slope[full] = slope.get(full, 0.0) + slope[name] * _column(derivative)
        return {name: slope.get(name, 0.0) for name in wanted}

    def _follow(self, name: str, memo: dict[str, Any]) -> Any:
        if name not in memo:
            scoped = self.bound[name]
            paths = {n: scoped.full(n) for n in scoped.expression.names}
            arguments = {n: memo[f] if f in memo else self.value(f) for n, f in paths.items()}
            memo[name] = scoped.expression.evaluate(arguments)
        return memo[name]

    def _evaluate(self, name: str, memo: dict[str, Any]) -> Any:
        """Return a value as written, evaluating what it depends on first: a stack, as chains may be long."""
        waiting = [name]
        while waiting:
            value = self.bound[waiting[-1]]
            if isinstance(value, Scoped):
                paths = {n: value.full(n) for n in value.expression.names}
                missing = [full for full in paths.values() if full not in memo]
                if missing:
                    waiting += missing
                    continue
                value = value.expression.evaluate({n: memo[full] for n, full in paths.items()})
            memo[waiting.pop()] = value
        return memo[name]

    def _user_table(self) -> dict[str, list[str]]:
        if self._users is None:
            users: dict[str, list[str]] = {}
            for name, value in self.own.items():
                if isinstance(value, Scoped):
                    for n in value.expression.names:
                        users.setdefault(value.full(n), []).append(name)
            self._users = users  # whole at once: another thread may read it meanwhile
        return self._users


def _column(value: Any) -> Any:
    """Return a batch of shape (B,) as (B, 1), to multiply slopes of shape (B, W)."""
    array = np.asarray(value)
    return array[..., np.newaxis] if array.ndim else value

"""Parameters of a component: read from its signature and docstring, checked against its bounds."""

from __future__ import annotations

import inspect
import numbers
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.expressions import Expr
from photosim.model.quantities import Quantity
from photosim.model.sampled import SampledData

SETTINGS_HEADING = "Settings:"
_SETTING = re.compile(r"^(?P<indent>\s+)(?P<name>[A-Za-z_]\w*): (?P<text>\S.*)$")


@dataclass(frozen=True)
class Parameter:
    """One setting of a component: default, unit, inclusive bounds and meaning.

    `kind` is "real", "whole", "flag", "choice", "text" or "table" (S-parameters
    of a file). A structural parameter shapes the circuit (counts, flags,
    reflections that are on or off); it is never traced symbolically.
    """

    name: str
    default: Any
    unit: str
    low: float
    high: float
    text: str
    kind: str
    structural: bool
    choices: tuple[str, ...] = ()

    def bounds(self) -> str:
        """Return the bounds as people write them, such as "0 to 1"."""
        if self.kind == "choice":
            return listing(self.choices)
        if self.kind == "flag":
            return "true or false"
        if self.kind == "table":
            return "a file of S-parameters"
        if self.kind == "text":
            return "a text"
        low = f"{self.low:g}" if np.isfinite(self.low) else None
        high = f"{self.high:g}" if np.isfinite(self.high) else None
        if low and high:
            return f"{low} to {high}"
        if low:
            return f"{low} or more"
        return f"{high} or less" if high else "any number"

    def check(self, value: Any, where: str) -> None:
        """Raise ParameterError, starting with `where`, unless the value is of the right kind and in bounds.

        None, which layouts write for what they leave to the default, is right for every parameter.
        """
        if isinstance(value, Expr) or value is None:
            return
        if self.kind in {"choice", "flag"}:
            self._check_choice(value, where)
            return
        if self.kind == "table":
            self._check_table(value, where)
            return
        if self.kind == "text":
            if not isinstance(value, str):
                message = f"{where}: setting {self.name!r} must be a text, got {value!r}."
                raise ParameterError(message)
            return
        array = _as_numbers(value)
        if array is None:
            message = f"{where}: setting {self.name!r} must be a number in {self.unit}, got {value!r}."
            raise ParameterError(message)
        if self.kind == "whole" and not np.all(array == np.floor(array)):
            message = f"{where}: setting {self.name!r} must be a whole number, got {value!r}."
            raise ParameterError(message)
        bad = ~(np.isfinite(array) & (array >= self.low) & (array <= self.high))
        if bad.any():
            unit = "" if self.unit == "1" else f" {self.unit}"
            found = f"{np.atleast_1d(array)[np.atleast_1d(bad)][0]:g}{unit}"
            message = f"{where}: setting {self.name!r} is {found}, but must be {self.bounds()}{unit}."
            raise ParameterError(message)

    def _check_table(self, value: Any, where: str) -> None:
        if not isinstance(value, SampledData):
            message = (
                f"{where}: setting {self.name!r} must be a table of S-parameters, got {value!r}: "
                "a netlist file names a file, Python code gives photosim.files.read_table(path)."
            )
            raise ParameterError(message)

    def _check_choice(self, value: Any, where: str) -> None:
        allowed = isinstance(value, bool) if self.kind == "flag" else value in self.choices
        if not allowed:
            hint = did_you_mean(value, self.choices) if isinstance(value, str) else ""
            message = f"{where}: setting {self.name!r} must be one of {self.bounds()}, got {value!r}.{hint}"
            raise ParameterError(message)


def _as_numbers(value: Any) -> np.ndarray[Any, Any] | None:
    """Return the value as a float array, or None if it holds anything but real numbers."""
    if isinstance(value, bool | str | bytes) or value is None:
        return None
    if isinstance(value, numbers.Real):
        return np.asarray(float(value))
    array = np.asarray(value)
    return array.astype(np.float64) if array.dtype.kind in "iuf" else None


def read_parameters(function: Callable[..., Any], structural: Iterable[str]) -> dict[str, Parameter]:
    """Return the keyword-only parameters of a declared function, in order.

    Each must be annotated with a quantity, have a default and be described
    in the docstring under "Settings:"; otherwise ParameterError says which is
    missing, at declaration.
    """
    hints = get_type_hints(function, include_extras=True)
    texts = descriptions(function)
    found: dict[str, Parameter] = {}
    for name, argument in inspect.signature(function).parameters.items():
        if argument.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        where = f"Component {function.__name__!r}, parameter {name!r}"
        if argument.default is inspect.Parameter.empty:
            message = f"{where} has no default: every setting needs one."
            raise ParameterError(message)
        if name not in texts:
            message = f"{where} is not described: add a line '    {name}: ...' under {SETTINGS_HEADING!r}."
            raise ParameterError(message)
        found[name] = _parameter(
            name, hints.get(name), argument.default, texts[name], where, name in set(structural)
        )
    stray = (set(texts) | set(structural)) - set(found)
    if stray:
        message = (
            f"Component {function.__name__!r} describes {listing(sorted(stray))}, which it does not have."
        )
        raise ParameterError(message)
    return found


def _parameter(name: str, hint: Any, default: Any, text: str, where: str, structural: bool) -> Parameter:
    quantity = _quantity(hint)
    if quantity is not None:
        kind = "whole" if quantity.whole else "real"
        structural = structural or quantity.whole
        return Parameter(name, default, quantity.unit, quantity.low, quantity.high, text, kind, structural)
    if isinstance(default, bool):
        return Parameter(name, default, "-", 0, 1, text, "flag", structural=True)
    if SampledData in {hint, *get_args(hint)}:
        return Parameter(name, default, "-", 0, 1, text, "table", structural=True)
    if str in {hint, *get_args(hint)}:
        return Parameter(name, default, "-", 0, 0, text, "text", structural=True)
    choices = tuple(get_args(hint))
    if choices and all(isinstance(c, str) for c in choices):
        return Parameter(name, default, "-", 0, 0, text, "choice", structural=True, choices=choices)
    message = (
        f"{where} has no unit: annotate it with a quantity from photosim.model, "
        "as in coupling: Power = 0.5, or with Literal for a choice."
    )
    raise ParameterError(message)


def _quantity(hint: Any) -> Quantity | None:
    """Return the Quantity inside Annotated[...] or Annotated[...] | None."""
    for option in (hint, *get_args(hint)):
        for extra in getattr(option, "__metadata__", ()):
            if isinstance(extra, Quantity):
                return extra
    return None


def descriptions(declared: Callable[..., Any]) -> dict[str, str]:
    """Return the "name: text" lines under "Settings:" in a docstring; deeper lines continue the text."""
    _, _, body = inspect.cleandoc(declared.__doc__ or "").partition(SETTINGS_HEADING)
    texts: dict[str, str] = {}
    indent, current = "", None
    for line in body.splitlines():
        match = _SETTING.match(line)
        if match and (not indent or match["indent"] == indent):
            indent, current = match["indent"], match["name"]
            texts[current] = match["text"].strip()
        elif current and line.startswith(indent + " "):
            texts[current] += " " + line.strip()
        elif line.strip():
            current = None
    return texts


def check_settings(
    parameters: Mapping[str, Parameter],
    layout_settings: Iterable[str],
    settings: Mapping[str, Any],
    where: str,
) -> None:
    """Raise ParameterError for a setting that is unknown, of the wrong kind or out of bounds."""
    layout = set(layout_settings)
    for name, value in settings.items():
        if name in parameters:
            parameters[name].check(value, where)
        elif name not in layout:
            message = (
                f"{where} has no setting {name!r}. It has: {listing(parameters, 20)}."
                f"{did_you_mean(name, parameters)}"
            )
            raise ParameterError(message)

"""Parameters of a component: read from its signature and docstring, checked against its bounds."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, get_args, get_type_hints

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.expressions import Expr
from photosim.model.quantities import Quantity, other_unit
from photosim.model.sampled import FileTable
from photosim.reals import LARGEST, NotReal, as_real, as_whole, shown

SETTINGS_HEADING = "Settings:"
NO_DOCSTRINGS = sys.flags.optimize >= 2  # `python -OO` removes them: settings work, without descriptions
_SETTING = re.compile(r"^(?P<indent>\s+)(?P<name>[A-Za-z_]\w*): (?P<text>\S.*)$")


LARGEST_COUNT = 10**9
"""Whole numbers that may be larger count nothing, as a seed."""


@dataclass(frozen=True)
class Parameter:
    """One setting of a component: default, unit, inclusive bounds and meaning.

    `kind` is "real", "whole", "flag", "choice", "text" or "table" (what a
    file holds, of the class `table`). A structural parameter shapes the circuit (counts, flags,
    reflections that are on or off); it is never traced symbolically. A `scalar`
    one takes no batch, as those of sources and of parts of free space.
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
    scalar: bool = False
    table: type[FileTable] = FileTable
    usual: tuple[float, float] = (-np.inf, np.inf)

    @property
    def counts(self) -> bool:
        """Whether it is a number of things; seeds, bits of a converter and orders of a resonance are not."""
        return self.kind == "whole" and self.unit == "1" and self.high <= LARGEST_COUNT

    def bounds(self) -> str:
        """Return the bounds as people write them, such as "0 to 1"."""
        if self.kind == "choice":
            return listing(self.choices)
        if self.kind == "flag":
            return "true or false"
        if self.kind == "table":
            return f"a file of {self.table.noun}"
        if self.kind == "text":
            return "a text"
        low = f"{self.low:g}" if np.isfinite(self.low) else None
        high = f"{self.high:g}" if np.isfinite(self.high) else None
        if low and high:
            return f"{low} to {high}"
        if low:
            return f"{low} or more"
        return f"{high} or less" if high else "any number"

    def read(self, value: Any, where: str) -> Any:
        """Return a value in the form that components take: float, int, bool, text, array of float64, table.

        4.0 is the whole number 4, numpy's scalars and fractions are numbers; expressions, and None, which
        layouts write for settings that they leave to the default, stay. Raises ParameterError, starting
        with `where`, for a value of the wrong kind or out of bounds.
        """
        if value is None or isinstance(value, Expr):
            return value
        if type(value) is float and self.kind == "real" and self.low <= value <= self.high:
            if -LARGEST <= value <= LARGEST:
                return value
        elif self.kind in {"choice", "flag"}:
            return self._read_choice(value, where)
        elif self.kind in {"table", "text"}:
            return self._read_named(value, where)
        return self._read_number(value, where)

    def check(self, value: Any, where: str) -> None:
        """Raise ParameterError, starting with `where`, for a value of the wrong kind or out of bounds."""
        self.read(value, where)

    def _read_number(self, value: Any, where: str) -> Any:
        """Return a number, an array of them, or a whole number, each within bounds."""
        try:
            number = as_whole(value) if self.kind == "whole" else as_real(value)
        except NotReal as error:
            unit = "" if self.unit == "1" else f" in {self.unit}"
            noun = "whole number" if self.kind == "whole" else f"number{unit}"
            message = f"{where}: setting {self.name!r} must be a {noun}, {error}."
            raise ParameterError(message) from None
        if self.scalar and isinstance(number, np.ndarray):
            message = (
                f"{where}: setting {self.name!r} takes one value, got an array of shape {number.shape}: "
                "call once for each of its values."
            )
            raise ParameterError(message)
        if isinstance(number, int):
            bad = [] if self.low <= number <= self.high else [number]
        elif isinstance(number, np.ndarray) and self._holds(float(number.min()), float(number.max())):
            bad = []
        else:
            array = np.atleast_1d(number)
            bad = array[~(np.isfinite(array) & (array >= self.low) & (array <= self.high))].tolist()
        if bad:
            unit = "" if self.unit == "1" else f" {self.unit}"
            first = bad[0]
            found = shown(first) if abs(first) > LARGEST and isinstance(first, int) else f"{first:g}"
            message = f"{where}: setting {self.name!r} is {found}{unit}, but must be {self.bounds()}{unit}."
            message += other_unit(first, self.unit, self.low, self.high)
            raise ParameterError(message)
        return number

    def _holds(self, least: float, most: float) -> bool:
        """Return whether two numbers are finite and within bounds; false where one is not a number."""
        return self.low <= least and most <= self.high and -np.inf < least and most < np.inf

    def _read_named(self, value: Any, where: str) -> FileTable | str:
        """Return a text, or the table of a file."""
        if self.kind == "text":
            if isinstance(value, str):
                return str(value)
            message = f"{where}: setting {self.name!r} must be a text, got {shown(value)}."
            raise ParameterError(message)
        if not isinstance(value, self.table):
            message = (
                f"{where}: setting {self.name!r} must be a table of {self.table.noun}, got {shown(value)}: "
                f"a netlist file names a file, Python code gives photosim.files.{self.table.reader}(path)."
            )
            raise ParameterError(message)
        return value

    def _read_choice(self, value: Any, where: str) -> bool | str:
        if self.kind == "flag" and isinstance(value, bool | np.bool_):
            return bool(value)
        if self.kind == "choice" and isinstance(value, str) and value in self.choices:
            return str(value)
        hint = did_you_mean(value, self.choices) if isinstance(value, str) else ""
        message = f"{where}: setting {self.name!r} must be one of {self.bounds()}, got {shown(value)}.{hint}"
        raise ParameterError(message)


@lru_cache(maxsize=64)
def hints_of(declared: Any) -> Mapping[str, Any]:
    """Return what the annotations of a function or class mean, by name; kept, as declaring asks repeatedly.

    Most are the name of a quantity in the module, which is looked up; other texts are evaluated.
    """
    whole: dict[str, Any] | None = None
    scope = getattr(inspect.unwrap(declared), "__globals__", {})  # of a class, none: fields are inherited
    found: dict[str, Any] = {}
    for name, text in getattr(declared, "__annotations__", {}).items() if scope else ():
        if name == "return":
            continue
        meant = scope.get(text) if isinstance(text, str) else None
        if not (meant is Any or isinstance(getattr(meant, "__origin__", meant), type)):
            whole = whole or get_type_hints(declared, include_extras=True)
            meant = whole[name]
        found[name] = meant
    return found or get_type_hints(declared, include_extras=True)


def read_parameters(
    function: Callable[..., Any], structural: Iterable[str], *, scalar: bool = False
) -> dict[str, Parameter]:
    """Return the keyword-only parameters of a declared function, in order.

    scalar: whether none of them takes a batch.

    Each must be annotated with a quantity, have a default and be described
    in the docstring under "Settings:"; otherwise ParameterError says which is
    missing, at declaration.
    """
    hints = hints_of(function)
    texts = descriptions(function)
    found: dict[str, Parameter] = {}
    for name, argument in inspect.signature(function).parameters.items():
        if argument.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        where = f"Component {function.__name__!r}, parameter {name!r}"
        if argument.default is inspect.Parameter.empty:
            message = f"{where} has no default: every setting needs one."
            raise ParameterError(message)
        if name not in texts and not NO_DOCSTRINGS:
            message = f"{where} is not described: add a line '    {name}: ...' under {SETTINGS_HEADING!r}."
            raise ParameterError(message)
        parameter = _parameter(
            name, hints.get(name), argument.default, texts.get(name, ""), where, name in set(structural)
        )
        found[name] = replace(parameter, scalar=scalar)
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
        bounds = quantity.unit, quantity.low, quantity.high
        return Parameter(name, default, *bounds, text, kind, structural, usual=quantity.usual)
    if isinstance(default, bool):
        return Parameter(name, default, "-", 0, 1, text, "flag", structural=True)
    for option in (hint, *get_args(hint)):
        if isinstance(option, type) and issubclass(option, FileTable):
            return Parameter(name, default, "-", 0, 1, text, "table", structural=True, table=option)
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
    return dict(_described(declared.__doc__ or ""))


@lru_cache(maxsize=64)
def _described(docstring: str) -> Mapping[str, str]:
    _, _, body = inspect.cleandoc(docstring).partition(SETTINGS_HEADING)
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


def read_settings(
    parameters: Mapping[str, Parameter],
    layout_settings: Iterable[str],
    settings: Mapping[str, Any],
    where: str,
) -> dict[str, Any]:
    """Return settings in the form that components take, without those of the layout and those that are None.

    Raises ParameterError for a setting that is unknown, of the wrong kind or out of bounds.
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name in parameters:
            if value is not None:
                found[name] = parameters[name].read(value, where)
        elif name not in layout_settings:
            message = (
                f"{where} has no setting {name!r}. It has: {listing(parameters, 20)}."
                f"{did_you_mean(name, parameters)}"
            )
            raise ParameterError(message)
    return found

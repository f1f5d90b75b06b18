"""Settings that an optimiser varies, as numbers x of one size: phases in rad, lengths as the phase they make.

A coupling between 0 and 1 is varied by its angle, since it goes as sin(angle)**2; a length by the phase
2 pi n length/wl, since a step of its own size would be hundreds of turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from photosim.analysis.options import inside
from photosim.analysis.varied import read_varied
from photosim.engine.bindings import owner
from photosim.errors import ParameterError, did_you_mean
from photosim.netlist.forms import Number, Words
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

    FloatArray = NDArray[np.float64]

EDGE = 1e-3
"""Distance in rad that the angle of a coupling keeps from none and all, where its slope has no bound."""
USUAL_INDEX = 2.4
"""Effective index for a length that has none beside it."""
REACH = np.pi
"""How far in rad starts stray from the written value of an unbounded phase or length."""
_AROUND = 0.2


@dataclass(frozen=True)
class Space:
    """Varied settings: names, and for each how x becomes its value.

    angle (n,): whether x is the angle of a coupling; else the value is scales times x.  written, low, high:
    values in their own units.  units: of the values.
    """

    names: tuple[str, ...]
    angle: NDArray[np.bool_]
    scales: FloatArray
    written: FloatArray
    low: FloatArray
    high: FloatArray
    units: tuple[str, ...]
    wide: NDArray[np.bool_]

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest x, (n,) each."""
        low, high = (self._from(values, clip=True) for values in (self.low, self.high))
        return low, high

    @property
    def x0(self) -> FloatArray:
        """The settings as written."""
        low, high = self.bounds
        return np.clip(self._from(self.written, clip=True), low, high)

    def values(self, x: FloatArray) -> FloatArray:
        """Return the settings (..., n) in their own units for x."""
        with np.errstate(invalid="ignore"):
            found = np.where(self.angle, np.sin(x) ** 2, x * self.scales)
        return np.clip(found, self.low, self.high)

    def slopes(self, x: FloatArray) -> FloatArray:
        """Return d value / d x, (n,)."""
        return np.where(self.angle, np.sin(2.0 * x), self.scales)

    def settings(self, x: FloatArray) -> dict[str, Any]:
        """Return settings by dotted name: floats for x (n,), arrays (B,) for x (B, n)."""
        values = self.values(x)
        if values.ndim == 1:
            return {name: float(v) for name, v in zip(self.names, values, strict=True)}
        return {name: values[:, k].copy() for k, name in enumerate(self.names)}

    def start(self, rng: np.random.Generator) -> FloatArray:
        """Return a random start: between bounds, unbounded phases and lengths within half a turn."""
        low, high = self.bounds
        x0 = self.x0
        reach = np.where(self.wide, REACH, np.maximum(np.abs(x0), 1.0) * _AROUND)
        first = np.where(np.isfinite(low), low, x0 - reach)
        last = np.where(np.isfinite(high), high, x0 + reach)
        one = self.wide & (last - first > 2.0 * REACH)  # no use to stray by many turns
        first, last = (
            np.where(one, np.maximum(first, x0 - REACH), first),
            np.where(one, np.minimum(last, x0 + REACH), last),
        )
        return np.asarray(rng.uniform(first, last))

    def _from(self, values: FloatArray, *, clip: bool = False) -> FloatArray:
        inside = np.clip(values, 0.0, 1.0)
        angle = np.arcsin(np.sqrt(np.where(self.angle, inside, 0.0)))
        if clip:
            angle = np.clip(angle, EDGE, 0.5 * np.pi - EDGE)
        return np.where(self.angle, angle, values / self.scales)


def make_space(
    circuit: Circuit,
    vary: str | Sequence[str] | Mapping[str, Any],
    scales: Mapping[str, Any] | None,
    wl: float,
    settings: Mapping[str, Any],
) -> Space:
    """Return the varied settings of names or patterns, with bounds where `vary` maps to them.

    Raises ParameterError for what is not a setting, is fixed as well, or has bounds that are not two numbers.
    """
    if not vary:
        message = "Nothing varies: name settings or patterns, as in '*.phase'."
        raise ParameterError(message)
    found = read_varied(circuit, vary, scales=scales, word="varied")
    for one in found:
        if np.isfinite(one.sigma):
            message = f"Setting {one.name!r} has a prior, which belongs to a fit: give bounds."
            raise ParameterError(message)
    fixed = [one.name for one in found if one.name in settings]
    if fixed:
        message = f"Setting {fixed[0]!r} is varied and fixed: give it once."
        raise ParameterError(message)
    compiled = circuit.compiled
    own = np.array([one.scale for one in found])
    angle, wide = [], []
    for k, one in enumerate(found):
        instance, last = owner(one.name)
        parameter = one.declared
        bare = not any(one.name == p or _like(one.name, p) for p in (scales or {}))
        share = parameter is not None and one.unit == "1" and (parameter.low, parameter.high) == (0.0, 1.0)
        share = share and one.low >= 0.0 and one.high <= 1.0
        angle.append(bare and share and "coupling" in last)
        phased = one.unit == "um" and last in _LENGTHS
        if bare and one.unit == "rad":
            own[k] = 1.0
        if bare and phased:
            index = compiled.parameters.get(f"{instance}.neff", USUAL_INDEX)
            index = float(index) if np.ndim(index) == 0 and np.isfinite(index) else USUAL_INDEX
            own[k] = wl / (2.0 * np.pi * index) / _LENGTHS[last]
        wide.append(one.unit == "rad" or phased)
    start, low, high = (np.array([getattr(one, key) for one in found]) for key in ("start", "low", "high"))
    names, units = tuple(one.name for one in found), tuple(one.unit or "1" for one in found)
    return Space(names, np.array(angle), own, start, low, high, units, np.array(wide))


_LENGTHS = {"length": 1.0, "delta_length": 1.0, "radius": 2.0 * np.pi, "length_x": 2.0, "length_y": 2.0}
"""Settings in um that make phases, and how much length each of them is."""


def _like(name: str, pattern: str) -> bool:
    from fnmatch import fnmatchcase

    return fnmatchcase(name, pattern)


@dataclass(frozen=True)
class Bound:
    """A linear constraint: low <= sum of coefficients times settings <= high, in the settings' units."""

    coefficients: FloatArray
    low: float
    high: float

    def violations(self, values: FloatArray) -> list[tuple[float, FloatArray]]:
        """Return by how much each side is left, in units of its size, with the slope by the settings."""
        at, size = float(self.coefficients @ values), _size(self)
        found = []
        if np.isfinite(self.low):
            found.append(((self.low - at) / size, -self.coefficients / size))
        if np.isfinite(self.high):
            found.append(((at - self.high) / size, self.coefficients / size))
        return found


def _size(bound: Bound) -> float:
    ends = [abs(e) for e in (bound.low, bound.high) if np.isfinite(e)]
    return max(*ends, 1e-3) if len(ends) > 1 else max(ends[0], 1e-3)


@dataclass(frozen=True)
class Linear:
    """A linear constraint as it is written: a sum of settings by name or pattern, and its limits."""

    sum: Annotated[Mapping[str, Number], Words("a mapping of settings to factors")]
    at_least: Number | None = None
    at_most: Number | None = None

    def __post_init__(self) -> None:
        if self.at_least is None and self.at_most is None:
            message = "give at_least, at_most or both, as in {sum: {a.length: 1, b.length: -1}, at_least: 0}."
            raise ParameterError(message)
        if not any(self.sum.values()):
            message = (
                "sum: give at least one setting a factor other than 0, as in {a.length: 1, b.length: -1}."
            )
            raise ParameterError(message)


def read_constraints(space: Space, entries: Sequence[Mapping[str, Any]]) -> tuple[Bound, ...]:
    """Return linear constraints of {sum: {name or pattern: factor}, at_least, at_most}.

    Raises ParameterError for names that are not varied, and for a constraint without a limit.
    """
    found = []
    for number, entry in enumerate(entries):
        with inside("constraints", number):
            found.append(_read(space, entry, f"constraints, entry {number + 1}"))
    _check_feasible(space, found)
    return tuple(found)


def _read(space: Space, entry: Mapping[str, Any], where: str) -> Bound:
    """Return one linear constraint."""
    written = read(Linear, entry, where)
    row = np.zeros(len(space.names))
    for pattern, factor in written.sum.items():
        places = [k for k, name in enumerate(space.names) if _like(name, pattern)]
        if not places:
            hint = did_you_mean(pattern, space.names)
            message = f"{where}: {pattern!r} is not one of the varied settings.{hint}"
            raise ParameterError(message)
        row[places] += factor
    low = -np.inf if written.at_least is None else written.at_least
    high = np.inf if written.at_most is None else written.at_most
    if not low <= high:
        message = f"{where}: at_least {low:g} is above at_most {high:g}."
        raise ParameterError(message)
    return Bound(row, low, high)


def _check_feasible(space: Space, bounds: Sequence[Bound]) -> None:
    """Raise ParameterError where no values between the bounds of the settings meet the constraints."""
    from scipy.optimize import linprog

    for number, bound in enumerate(bounds, 1):
        with np.errstate(invalid="ignore"):
            ends = [bound.coefficients * e for e in (space.low, space.high)]
        least, most = (
            float(np.nansum(np.where(bound.coefficients == 0.0, 0.0, pick(*ends))))
            for pick in (np.minimum, np.maximum)
        )
        if least > bound.high or most < bound.low:
            wanted = f"at most {bound.high:g}" if least > bound.high else f"at least {bound.low:g}"
            message = (
                f"constraints, entry {number}: no values of the settings give {wanted}: between their bounds "
                f"the sum is {least:g} to {most:g}."
            )
            raise ParameterError(message)
    if len(bounds) > 1:
        sides = [(s * b.coefficients, s * e) for b in bounds for s, e in ((1.0, b.high), (-1.0, b.low))]
        sides = [(row, end) for row, end in sides if np.isfinite(end)]
        rows, tops = (np.array(values) for values in zip(*sides, strict=True))
        limits = [*map(tuple, np.column_stack([space.low, space.high]))]
        if linprog(np.zeros(len(space.names)), A_ub=rows, b_ub=tops, bounds=limits).status == 2:
            message = (
                f"constraints: no values of the settings between their bounds meet all {len(bounds)} entries "
                "at once: widen a limit or a bound."
            )
            raise ParameterError(message)

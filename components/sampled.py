"""Parts known by numbers: S-parameters measured, or simulated elsewhere, at a list of frequencies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from photosim.conventions import aliases_with_modes, port_places, standard_aliases
from photosim.errors import ParameterError
from photosim.model import Fraction, Interpolant, Remark, SampledData, numerical
from photosim.units import frequency_Hz, wavelength

_BETWEEN = 4
"""Looks for gain at this many places in every interval: a spline can rise between its points."""
_ROUNDING = 1e-9
_WEAK_POWER = 1e-2
_FAINT_POWER = 1e-4
"""Below -20 dB a phase that jumps is mostly a passage near zero, which the spline follows; below -40 dB
noise."""
_ROUNDS = 400
_MENDABLE = 1.1
"""Largest singular value that rounding and meshes explain: clipping is recommended up to here."""
_DIVERGED = 2.0
"""Beyond it a table is the output of a solve that diverged, which no clipping makes right."""


@dataclass(frozen=True)
class Conditioned:
    """A table ready to be evaluated, and what it was like.

    largest_singular_value: of the table as given, between its points too, found at wl_um. asymmetry: largest
    difference between the two directions of a path. removed: largest change that `enforce` made to a matrix,
    as a singular value. coarse: (element, wavelength in um, power) of phase steps above pi/2.
    """

    interpolant: Interpolant
    largest_singular_value: float
    wl_um: float
    asymmetry: float
    removed: float
    coarse: tuple[tuple[str, float, float], ...]


def _grid(frequency: Any) -> Any:
    """Return the frequencies with places between them added, shape (_BETWEEN (F - 1) + 1,)."""
    places = np.arange(_BETWEEN * (len(frequency) - 1) + 1) / _BETWEEN
    return np.interp(places, np.arange(len(frequency)), frequency)


def _gain(table: SampledData, s: Any) -> tuple[float, float]:
    """Return the largest singular value of the interpolated matrices and its frequency in Hz."""
    grid = _grid(table.frequency_Hz)
    norms = np.linalg.norm(Interpolant(table.frequency_Hz, s)(grid), 2, axis=(1, 2))
    return float(norms.max()), float(grid[norms.argmax()])


def _clipped(s: Any, most: float) -> Any:
    left, values, right = np.linalg.svd(s)
    return (left * np.minimum(values, most)[:, np.newaxis, :]) @ right


def _symmetric(s: Any) -> Any:
    return (s + np.swapaxes(s, 1, 2)) / 2


def _enforced(table: SampledData, enforce: str) -> Any:
    """Return S (F, P, P) with what `enforce` names removed.

    Singular values are clipped at the points, until the spline between them exceeds 1 by at most 5e-4.
    """
    reciprocal = enforce in {"reciprocal", "both"}
    wanted = _symmetric(table.s) if reciprocal else table.s
    if enforce not in {"passive", "both"}:
        return wanted
    s, most = wanted, 1.0
    largest, at = _gain(table, table.s)
    if largest > _DIVERGED:
        message = (
            f"table {table.name!r} has a largest singular value of {largest:.4g} at "
            f"{float(wavelength(at)):.5g} um: the simulation that made it diverged, and enforce: {enforce} "
            f"clips up to {_DIVERGED:g}; simulate it again."
        )
        raise ParameterError(message)
    for attempt in range(_ROUNDS):
        gain, _ = _gain(table, s)
        if gain <= 1.0 + _ROUNDING:
            return s
        most -= 1.1 * (gain - 1.0) if attempt else 0.0
        s = _clipped(wanted, most)
        s = _symmetric(s) if reciprocal else s
    message = (
        f"table {table.name!r} jumps too wildly between its points to be made passive: {gain:.4f} is left."
    )
    raise ParameterError(message)


@lru_cache(maxsize=256)
def condition(table: SampledData, enforce: str = "none") -> Conditioned:
    """Return a table with its interpolant; the same table is worked out once."""
    gain, at = _gain(table, table.s)
    asymmetry = float(np.abs(table.s - np.swapaxes(table.s, 1, 2)).max())
    s = _enforced(table, enforce)
    interpolant = Interpolant(table.frequency_Hz, s, f"table {table.name!r}")
    removed = float(np.linalg.norm(s - table.s, 2, axis=(1, 2)).max())
    steps = interpolant.steps(_FAINT_POWER)
    wl = wavelength(table.frequency_Hz)
    power = np.minimum(np.abs(s[1:]), np.abs(s[:-1])) ** 2
    coarse = tuple(
        (f"{table.ports[b]} to {table.ports[a]}", float(wl[k]), float(power[k, a, b]))
        for k, a, b in np.argwhere(steps > np.pi / 2)
    )
    return Conditioned(interpolant, gain, float(wavelength(at)), asymmetry, removed, coarse)


def _ports(*, file: SampledData | None, **_: Any) -> tuple[str, ...]:
    return () if file is None else file.ports


def _aliases(*, file: SampledData | None, **_: Any) -> dict[str, str]:
    """Names by position, o1 and up; in and out only where there is no doubt which is which."""
    if file is None:
        return {}
    places = port_places(file.ports)
    names = {f"o{k + 1}": place for k, place in enumerate(places)}
    if len(places) == 2:
        names |= standard_aliases(places, 1)
    own = {*file.ports, *places}
    return aliases_with_modes({name: place for name, place in names.items() if name not in own}, file.ports)


def _structure(*, file: SampledData | None, **_: Any) -> tuple[tuple[int, int], ...]:
    """Elements that are not zero throughout."""
    if file is None:
        return ()
    return tuple((int(a), int(b)) for a, b in np.argwhere((file.s != 0).any(axis=0)))


def _is_reciprocal(*, file: SampledData | None, enforce: str, **_: Any) -> bool:
    return file is None or enforce in {"reciprocal", "both"} or condition(file, enforce).asymmetry == 0


def _advice(gain: float) -> str:
    """Return what to do about a table of that largest singular value."""
    if gain <= _MENDABLE:
        return "enforce: passive clips it"
    if gain <= _DIVERGED:
        return f"enforce: passive clips it, but above {_MENDABLE:g} the simulation is likely wrong"
    return "the simulation that made it diverged: make it again"


def _judge(*, file: SampledData | None, enforce: str, passivity_tolerance: float) -> tuple[Remark, ...]:
    """Return what a table is like; ParameterError if it creates more power than tolerated, or is missing."""
    if file is None:
        message = "setting 'file' is missing: it names the file of S-parameters, as in file: splitter.sparam."
        raise ParameterError(message)
    found = condition(file, enforce)
    excess = found.largest_singular_value - 1.0
    passive = enforce in {"passive", "both"}
    start = f"table {file.name!r}"
    gain = (
        "creates power: its largest singular value is "
        f"{found.largest_singular_value:.4f} at {found.wl_um:.5g} um"
    )
    if not passive and np.any(excess > passivity_tolerance):
        tolerance = float(np.min(passivity_tolerance))
        message = (
            f"{start} {gain}, above the passivity_tolerance of {tolerance:g}; "
            f"{_advice(found.largest_singular_value)}."
        )
        raise ParameterError(message)
    remarks = []
    if not passive and excess > _ROUNDING:
        remarks.append(
            Remark(f"{start} {gain}, which is tolerated; enforce: passive clips it.", serious=True)
        )
    if found.coarse:
        element, wl, power = max(found.coarse, key=lambda step: step[2])
        text = (
            f"{start} is coarse: {len(found.coarse)} of its phase steps are above pi/2 when delays are "
            f"taken out, the strongest from {element} at {wl:.5g} um, {10 * np.log10(power):.0f} dB."
        )
        remarks.append(Remark(text, serious=power > _WEAK_POWER))
    if enforce in {"none", "passive"} and found.asymmetry > _ROUNDING:
        text = f"{start} differs between the two directions of a path by up to {found.asymmetry:.2g}."
        remarks.append(Remark(text))
    if enforce != "none":
        text = f"enforce: {enforce} changes {start} by at most {found.removed:.2g} in amplitude."
        remarks.append(Remark(text))
    return tuple(remarks)


def _series(wl: Any, orders: int, *, file: SampledData | None, enforce: str, **_: Any) -> Any:
    """Return the Taylor coefficients in wavelength of the spline, (orders, W, P, P), by the chain rule."""
    frequency = frequency_Hz(wl)
    spline = condition(file, enforce).interpolant
    slope = (-frequency / wl)[:, np.newaxis, np.newaxis]
    bend = (2.0 * frequency / wl**2)[:, np.newaxis, np.newaxis]
    first = spline(frequency, 1)
    terms = (spline(frequency), first * slope, (spline(frequency, 2) * slope**2 + first * bend) / 2.0)
    return np.stack(terms[:orders])


@numerical(
    source="deboor2001",
    ports_of=_ports,
    aliases_of=_aliases,
    structure_of=_structure,
    judge=_judge,
    reciprocal_when=_is_reciprocal,
    series_of=_series,
)
def sampled(
    wl: Any,
    *,
    file: SampledData | None = None,
    enforce: Literal["none", "passive", "reciprocal", "both"] = "none",
    passivity_tolerance: Fraction = 0.01,
) -> Any:
    """Part given by tabulated S-parameters: cubic interpolation in frequency.

    The complex value is interpolated after the delay of each element is taken
    out, with a not-a-knot spline that is twice differentiable. The ports are
    those of the file, and o1, o2, ... by position. Wavelengths outside the
    table are refused. Left out: everything between points that are too far
    apart to tell (a phase step above pi/2 that remains is reported), noise of
    a measurement, and what the file does not hold, such as temperature.

    Settings:
        file: file of S-parameters, found from the netlist's folder.
        enforce: what to remove from the table: gain (passive), differences
            between directions (reciprocal), both or none.
        passivity_tolerance: excess of the largest singular value over 1 that is accepted, and reported.
    """
    del passivity_tolerance  # judged before anything is evaluated
    if file is None:
        message = "sampled: setting 'file' is missing."
        raise ParameterError(message)
    return condition(file, enforce).interpolant(frequency_Hz(wl))

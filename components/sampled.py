"""Parts known by numbers: S-parameters measured, or simulated elsewhere, at a list of frequencies."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S, aliases_with_modes, port_places, standard_aliases
from photosim.errors import DataError, ParameterError
from photosim.model import (
    Delays,
    Duration,
    Fraction,
    Index,
    PathLength,
    Remark,
    SampledData,
    conditioning,
    numerical,
)
from photosim.units import frequency_Hz

_AGREES = 0.25
"""Part of the period of delays by which a given delay may miss the nearest candidate."""
_WEAK_POWER = 1e-2
"""Below -20 dB a phase that jumps is mostly a passage near zero, which the spline follows."""
_FAINT_POWER = 1e-4
"""Light in other modes below -40 dB is not worth a word."""
_MENDABLE = 1.1
"""Largest singular value that rounding and meshes explain: clipping is recommended up to here."""


def _of_mode(table: SampledData, mode: str | None) -> tuple[SampledData, float]:
    """Return the table of a mode, or as it is, and the power that the mode gives to those left out."""
    return (table, 0.0) if mode is None else _picked(table, table.file, mode)


@lru_cache(maxsize=256)
def _picked(table: SampledData, _file: str, mode: str) -> tuple[SampledData, float]:
    """Return the table of one mode; tables are equal whatever their file, whose name messages need."""
    try:
        return table.of_mode(mode)
    except DataError as error:
        raise ParameterError(str(error)) from None


def _ports(*, file: SampledData | None, mode: str | None, **_: Any) -> tuple[str, ...]:
    return () if file is None else _of_mode(file, mode)[0].ports


def _aliases(*, file: SampledData | None, mode: str | None, **_: Any) -> dict[str, str]:
    """Names by position, o1 and up; in and out only where there is no doubt which is which."""
    if file is None:
        return {}
    file, _lost = _of_mode(file, mode)
    places = port_places(file.ports)
    names = {f"o{k + 1}": place for k, place in enumerate(places)}
    if len(places) == 2:
        names |= standard_aliases(places, 1)
    own = {*file.ports, *places}
    return aliases_with_modes({name: place for name, place in names.items() if name not in own}, file.ports)


def _structure(*, file: SampledData | None, mode: str | None, **_: Any) -> tuple[tuple[int, int], ...]:
    """Elements that are not zero throughout."""
    if file is None:
        return ()
    file = _of_mode(file, mode)[0]
    return tuple((int(a), int(b)) for a, b in np.argwhere((file.s != 0).any(axis=0)))


def _is_reciprocal(*, file: SampledData | None, enforce: str, mode: str | None, **_: Any) -> bool:
    if file is None or enforce in {"reciprocal", "both"}:
        return True
    return conditioning.asymmetry_of(_of_mode(file, mode)[0]) == 0


def _near(*, delay: float | None, length: float | None, ng: float | None) -> float | None:
    """Return the delay in s that an instance says, or None; ParameterError for half a length or both."""
    if delay is not None and (length is not None or ng is not None):
        message = "the setting 'delay' excludes 'length' and 'ng', which define it too: give one of them."
        raise ParameterError(message)
    if (length is None) != (ng is None):
        given, lacks = ("length", "ng") if ng is None else ("ng", "length")
        message = f"the setting {given!r} also needs {lacks!r}: the delay is length times ng over c."
        raise ParameterError(message)
    if length is not None and ng is not None:
        return length * ng / SPEED_OF_LIGHT_UM_S
    return None if delay is None else float(delay)


def _doubts(table: SampledData, delays: Delays, near_s: float | None) -> tuple[Remark, ...]:
    """Return what the points of a table leave open about its delays; the settings decide, or a guess.

    Raises ParameterError for a delay that no guide of the table can have.
    """
    power = np.abs(table.s).min(axis=0) ** 2
    remarks = []
    if near_s is not None and delays.steady.any():
        _check_given(table, delays, near_s)
    elif near_s is not None:
        text = (
            f"the delay given to table {table.name!r} decides nothing: every path of it is weak or varies by "
            "more than 1 dB."
        )
        remarks.append(Remark(text, serious=True))
    guides = delays.open & delays.steady
    if guides.any() and near_s is None:
        at = a, b = _strongest(guides, power)
        taken, smoothest = float(delays.delay_s[at]), float(delays.smoothest_s[at])
        others = ", ".join(f"{value:.3g}" for value in delays.candidates(at))
        best = f" (its points are smoothest with {smoothest:.3g})" if smoothest != taken else ""
        text = (
            f"table {table.name!r} is undersampled from {table.ports[b]} to {table.ports[a]}: its points "
            f"allow delays of {others}, ... s{best}; the guess is {taken:.3g} s. Settings decide: delay, or "
            "length and ng."
        )
        remarks.append(Remark(text, serious=True, guess=True))
    varying = delays.open & ~delays.steady
    if varying.any():
        a, b = _strongest(varying, power)
        text = (
            f"table {table.name!r} is undersampled from {table.ports[b]} to {table.ports[a]}: the phase "
            "steps by more than pi/2 from point to point, and the magnitude varies, so the delay of "
            f"{delays.delay_s[a, b]:.3g} s is kept although {delays.period_s:.3g} s more or less would fit: "
            "sample it more finely."
        )
        remarks.append(Remark(text, serious=True))
    return tuple(remarks)


def _strongest(which: Any, power: Any) -> tuple[int, int]:
    """Return (to, from) of the strongest of some elements (P, P); of equal ones, from the first port."""
    b, a = np.unravel_index(np.where(which, power, -np.inf).T.argmax(), which.shape)
    return int(a), int(b)


def _check_given(table: SampledData, delays: Delays, near_s: float) -> None:
    """Refuse a delay that is far from all that the guides of a table may have."""
    misses = np.where(delays.steady, np.abs(delays.delay_s - near_s), np.inf)
    a, b = _strongest(delays.steady, -misses)
    if misses[a, b] > _AGREES * delays.period_s:
        around = delays.delay_s[a, b] + delays.period_s * np.array([-1, 0, 1])
        others = ", ".join(f"{value:.3g}" for value in around if value >= 0)
        message = (
            f"the delay given is {near_s:.3g} s, but from {table.ports[b]} to {table.ports[a]} table "
            f"{table.name!r} allows {others} s."
        )
        raise ParameterError(message)


def _advice(gain: float) -> str:
    """Return what to do about a table of that largest singular value."""
    if gain <= _MENDABLE:
        return "enforce: passive clips it"
    if gain <= conditioning.DIVERGED:
        return f"enforce: passive clips it, but above {_MENDABLE:g} the simulation is likely wrong"
    return "the simulation that made it diverged: make it again"


def _judge(
    *, file: SampledData | None, mode: str | None, enforce: str, passivity_tolerance: float, **path: Any
) -> tuple[Remark, ...]:
    """Return what a table is like; ParameterError if it creates more power than tolerated, or is missing."""
    if file is None:
        message = "setting 'file' is missing: it names the file of S-parameters, as in file: splitter.sparam."
        raise ParameterError(message)
    file, lost = _of_mode(file, mode)
    near_s = _near(**path)
    found = conditioning.condition(file, enforce, near_s)
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
    remarks = list(_doubts(file, found.interpolant.delays, near_s))
    if lost > _FAINT_POWER:
        text = f"{start}: mode {mode} gives up to {10 * np.log10(lost):.0f} dB to modes that are left out."
        remarks.append(Remark(text, serious=lost > _WEAK_POWER))
    if not passive and excess > conditioning.ROUNDING:
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
    if enforce in {"none", "passive"} and found.asymmetry > conditioning.ROUNDING:
        text = f"{start} differs between the two directions of a path by up to {found.asymmetry:.2g}."
        remarks.append(Remark(text))
    if enforce != "none":
        text = f"enforce: {enforce} changes {start} by at most {found.removed:.2g} in amplitude."
        remarks.append(Remark(text))
    return tuple(remarks)


def _series(wl: Any, orders: int, *, file: SampledData, mode: str | None, enforce: str, **rest: Any) -> Any:
    """Return the Taylor coefficients in wavelength of the spline, (orders, W, P, P)."""
    path = {key: rest[key] for key in ("delay", "length", "ng")}
    return conditioning.condition(_of_mode(file, mode)[0], enforce, _near(**path)).interpolant.series(
        wl, orders
    )


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
    mode: str | None = None,
    enforce: Literal["none", "passive", "reciprocal", "both"] = "none",
    passivity_tolerance: Fraction = 0.01,
    delay: Duration | None = None,
    length: PathLength | None = None,
    ng: Index | None = None,
) -> Any:
    """Component given by a file of S-parameters, with cubic interpolation over frequency.

    The complex value is interpolated after the delay of each element is taken
    out, with a not-a-knot spline that is twice differentiable. The ports are
    those of the file, and o1, o2, ... by position. Wavelengths outside the
    table are refused. Points leave a delay open by multiples of 1/(frequency
    step): of a guide, a strong path of steady magnitude, `delay`, or `length`
    and `ng`, choose; else the smallest that is not negative is a guess, which
    is reported. Left out: everything between points that are too far apart to
    tell (phase steps above pi/2 are reported), noise of a measurement, and
    what the file does not hold, such as temperature.

    Settings:
        file: file of S-parameters, found from the netlist's folder.
        mode: name of the mode, such as TE, of a file with several modes; by default each mode is a port.
        enforce: property that the table is corrected to: no gain (passive), no differences
            between directions (reciprocal), both or none.
        passivity_tolerance: excess of the largest singular value over 1 that is accepted, and reported.
        delay: group delay of the waveguides in the table, to select one of those that its points allow.
        length: length of the waveguides in the table; with `ng` it gives the delay.
        ng: group index of the waveguides in the table; with `length` it gives the delay.
    """
    del passivity_tolerance  # judged before anything is evaluated
    if file is None:
        message = "sampled: setting 'file' is missing."
        raise ParameterError(message)
    near_s = _near(delay=delay, length=length, ng=ng)
    table = _of_mode(file, mode)[0]
    return conditioning.condition(table, enforce, near_s).interpolant(frequency_Hz(wl))

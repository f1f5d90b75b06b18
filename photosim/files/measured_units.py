"""Units of measured columns: said by names, or by numbers that leave one unit only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import DataError, did_you_mean, listing
from photosim.units import LONGEST_UM, SHORTEST_UM, in_um, likely_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

DECIBELS = ("dB", "dBm")
LINEAR = {"1": 1.0, "W": 1e3, "mW": 1.0, "uW": 1e-3, "nW": 1e-6, "pW": 1e-9}
"""Units of power on a linear scale, and what one is in mW or as a ratio."""
AXIS = re.compile(r"(wave_?length|lambda|\u03bb|wl|freq(uency)?)(?![a-z])", re.IGNORECASE)
_AXIS_UNIT = re.compile(
    r"(?:^|[^A-Za-z])(nm|um|\u00b5m|\u03bcm|pm|mm|m|THz|GHz|Hz)(?:$|[^A-Za-z])", re.IGNORECASE
)
_POWER_UNIT = re.compile(
    r"(?:^|[^A-Za-z])(dBm|dB|pW|nW|uW|\u00b5W|\u03bcW|mW|W|watts?|lin(?:ear)?|ratio)(?:$|[^A-Za-z])",
    re.IGNORECASE,
)
_UNITS = {
    "dbm": "dBm",
    "db": "dB",
    "pw": "pW",
    "nw": "nW",
    "uw": "uW",
    "\u00b5w": "uW",
    "\u03bcw": "uW",
    "mw": "mW",
    "w": "W",
    "watt": "W",
    "watts": "W",
    "lin": "1",
    "linear": "1",
    "ratio": "1",
    "1": "1",
}
_AXES = {u.lower(): u for u in ("nm", "um", "pm", "mm", "m", "THz", "GHz", "Hz")} | {
    "\u00b5m": "um",
    "\u03bcm": "um",
}
_STRONGEST_dB = 60.0
_WEAKEST_dB = -250.0
_LOSS_NOISE_dB, _STRONG_LOSS_dB = 0.5, 5.0
"""A spectrum in dB that is hardly ever below 0 and somewhere far above is one of losses."""
_LOSSES_dB = 1.0
"""A ratio in dB whose every value lies above is a loss with its sign left out."""


def axis_of(table: Mapping[str, NDArray[np.float64]], source: str, wavelength: str | None) -> str:
    """Return the column of wavelengths or frequencies: the one named, or called so."""
    if wavelength is not None:
        if wavelength not in table:
            hint = did_you_mean(wavelength, table)
            message = f"{source}: there is no column {wavelength!r}; it has {listing([*table])}.{hint}"
            raise DataError(message)
        return wavelength
    named = [name for name in table if AXIS.match(name)]
    if not named:
        message = (
            f"{source}: no column has the name of a wavelength or a frequency. Its columns are "
            f"{listing([*table])}: choose one with `wavelength: NAME`."
        )
        raise DataError(message)
    return named[0]


def wavelengths_of(
    name: str, values: NDArray[np.float64], source: str, unit: str | None
) -> tuple[NDArray[np.float64], str, bool]:
    """Return wavelengths in um, the unit they were in, and whether it was guessed from the numbers."""
    match = _AXIS_UNIT.search(AXIS.sub("", name, count=1))
    said = unit if unit is not None else match[1] if match else None
    if not (values > 0.0).all():
        message = f"{source}: {name!r} must hold positive numbers, got {values.min():g}."
        raise DataError(message)
    ends = float(values.min()), float(values.max())
    fits = [u for u in likely_units(ends[0]) if u in likely_units(ends[1])]
    if said is not None:
        known = _AXES.get(said.lower()) if said not in _AXES.values() else said
        if known is None:
            message = (
                f"{source}: {name!r} has the unit {said!r}; known are "
                f"{listing([*dict.fromkeys(_AXES.values())])}."
            )
            raise DataError(message)
        wl = in_um(values, known)
        looks = f" It looks like {fits[0]}." if fits else ""
        if not (wl.min() >= SHORTEST_UM and wl.max() <= LONGEST_UM):
            message = (
                f"{source}: {name!r} has the unit {known}, but {ends[0]:g} to {ends[1]:g} {known} is "
                f"not light of {SHORTEST_UM:g} to {LONGEST_UM:g} um.{looks}"
            )
            raise DataError(message)
        if fits and known not in fits and unit is None:  # a slip of the name; `units` may insist
            message = (
                f"{source}: {name!r} has the unit {known}, but {ends[0]:g} to {ends[1]:g} {known} is "
                f"light of {wl.min():.4g} to {wl.max():.4g} um.{looks} If the unit is right, confirm it with "
                f"units: {{{name}: {known}}}."
            )
            raise DataError(message)
        return wl, known, False
    frequency = name.lower().startswith("f")
    fits = [u for u in fits if u.endswith("Hz") == frequency] or fits
    if len(fits) != 1:
        message = (
            f"{source}: {name!r} runs from {ends[0]:g} to {ends[1]:g}, which is light in {listing(fits)}: "
            "give its unit."
            if fits
            else f"{source}: {name!r} runs from {ends[0]:g} to {ends[1]:g}, which is not light in any unit."
        )
        raise DataError(message)
    return in_um(values, fits[0]), fits[0], fits[0] != "um"


def power_unit(name: str, values: NDArray[np.float64], source: str, unit: str | None) -> tuple[str, bool]:
    """Return the unit of a column of powers, and whether it was guessed; DataError where it cannot be."""
    match = _POWER_UNIT.search(name.replace("_", " "))
    said = unit if unit is not None else match[1] if match else None
    low, high = float(values.min()), float(values.max())
    negative = float(np.mean(values < 0.0))
    spread = f"{low:g} to {high:g}"
    if said is not None:
        known = _UNITS.get(said.lower())
        if known is None:
            message = (
                f"{source}: {name!r} has the unit {said!r}; known are "
                f"{listing(sorted(set(_UNITS.values())))}."
            )
            raise DataError(message)
        if known not in DECIBELS and (negative > 0.5 or low < -0.3 * high):
            message = f"{source}: {name!r} has the unit {known}, but runs from {spread}: it looks like dB."
            raise DataError(message)
        if known in DECIBELS:
            _check_decibels(name, values, source, known)
        return known, False
    if negative > 0.5 and low >= _WEAKEST_dB:
        return "dB", True
    if negative == 0.0 or low > -0.1 * high:
        if high <= 1.05:
            return "1", True
        message = (
            f"{source}: the values of {name!r} run from {spread}, which may be a power or a loss in dB: "
            f"give the unit, as in units: {{{name}: mW}}."
        )
        raise DataError(message)
    message = (
        f"{source}: the values of {name!r} run from {spread}: give the unit, as in units: {{{name}: dB}}."
    )
    raise DataError(message)


def _check_decibels(name: str, values: NDArray[np.float64], source: str, unit: str) -> None:
    low, high = float(values.min()), float(values.max())
    if not (_WEAKEST_dB <= low and high <= _STRONGEST_dB):
        message = f"{source}: {name!r} has the unit {unit}, but runs from {low:g} to {high:g}."
        raise DataError(message)
    if low >= 0.0 and high <= 1.0 and high > 0.0 and low < 0.8 * high:
        message = (
            f"{source}: {name!r} has the unit {unit}, but runs from {low:g} to {high:g}: it looks like "
            "a linear scale."
        )
        raise DataError(message)
    upright = float(np.quantile(values, 0.05)) > -_LOSS_NOISE_dB and high > _STRONG_LOSS_dB
    if unit == "dB" and (low > _LOSSES_dB or upright):
        message = (
            f"{source}: {name!r} runs from {low:g} to {high:g} dB: a transmission is negative; it looks "
            "like a loss, "
            "whose sign was left out."
        )
        raise DataError(message)

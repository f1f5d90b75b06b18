"""Conversions between the project's units, and wavelength grids."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.reals import LARGEST, NotReal, as_real, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

MAX_POINTS = 100_000_000
"""Largest grid accepted: 0.8 GB of wavelengths, far beyond any sweep and short of exhausting memory."""
SHORTEST_UM, LONGEST_UM = 0.1, 100.0
"""Vacuum wavelengths that count as light: what lies outside is a number in another unit."""
_LIKELY_UM = 0.4, 2.5
"""Where nearly all circuits work: of two units that a number may have, the one that leads here is named."""
_LENGTHS_UM = {"nm": 1e-3, "m": 1e6, "mm": 1e3, "um": 1.0, "pm": 1e-6, "cm": 1e4}
_LENGTHS_UM |= {"\u00b5m": 1.0, "\u03bcm": 1.0}  # micro sign and Greek letter
_FREQUENCIES_HZ = {"Hz": 1.0, "THz": 1e12, "GHz": 1e9, "MHz": 1e6, "kHz": 1e3}
_WITH_UNIT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\W\d]+)\s*")


def frequency_Hz(wl: ArrayLike) -> NDArray[np.float64]:
    """Return optical frequencies in Hz of vacuum wavelengths in um, same shape."""
    return SPEED_OF_LIGHT_UM_S / np.asarray(wl, dtype=np.float64)


def wavelength(frequency_Hz: ArrayLike) -> NDArray[np.float64]:
    """Return vacuum wavelengths in um of optical frequencies in Hz, same shape."""
    return SPEED_OF_LIGHT_UM_S / np.asarray(frequency_Hz, dtype=np.float64)


def power_dB(power: ArrayLike) -> NDArray[np.float64]:
    """Return a power ratio in dB, same shape; zero power gives -inf without a warning."""
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(np.asarray(power, dtype=np.float64))


def power_from_dB(power_dB: ArrayLike) -> NDArray[np.float64]:
    """Return the power ratio of a value in dB, same shape."""
    return 10.0 ** (np.asarray(power_dB, dtype=np.float64) / 10.0)


@public
def wavelengths(start: float, stop: float, count: int) -> NDArray[np.float64]:
    """Return `count` equally spaced wavelengths in um from start to stop, both included.

    Raises ParameterError when the range is upside down or empty, a bound is
    not a positive number, or count is not a whole number from 1 to 1e8.

    >>> import photosim as ps
    >>> ps.wavelengths(1.54, 1.56, 3).tolist()
    [1.54, 1.55, 1.56]
    """
    for name, value in (("start", start), ("stop", stop)):
        if not _is_number(value) or not 0.0 < value < math.inf:
            message = f"The {name} of a wavelength range must be a positive number of um, got {shown(value)}."
            raise ParameterError(message)
        _check_light(float(value), f"The {name} of a wavelength range")
    start, stop = float(start), float(stop)
    if not _is_number(count) or not 1 <= count <= MAX_POINTS or int(count) != count:
        message = (
            f"A wavelength range needs a whole number of points from 1 to {MAX_POINTS}, got {shown(count)}."
        )
        raise ParameterError(message)
    if count == 1 and start != stop:
        message = f"One point cannot span {start:g} to {stop:g} um: give equal ends or 2 points and more."
        raise ParameterError(message)
    if start > stop:
        message = (
            f"The wavelength range runs from {start:g} down to {stop:g} um: did you mean {stop:g}:{start:g}?"
        )
        raise ParameterError(message)
    if start == stop and count > 1:
        message = f"The wavelength range from {start:g} to {stop:g} um is empty but has {count} points."
        raise ParameterError(message)
    return np.linspace(start, stop, int(count))


def _is_number(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and -LARGEST <= value <= LARGEST
    return isinstance(value, Real) and getattr(getattr(value, "dtype", None), "kind", "f") != "m"


def _in_um(number: float, unit: str) -> float:
    """Return the vacuum wavelength in um of a number in a unit of length or frequency."""
    if unit in _FREQUENCIES_HZ:
        return SPEED_OF_LIGHT_UM_S / (number * _FREQUENCIES_HZ[unit])
    # Divided, so that 1550 nm is 1.55 um to the last bit.
    factor = _LENGTHS_UM[unit]
    return number * factor if factor >= 1.0 else number / round(1.0 / factor)


def in_um(values: ArrayLike, unit: str) -> NDArray[np.float64]:
    """Return vacuum wavelengths in um of numbers in a unit of length or frequency, same shape."""
    numbers = np.asarray(values, dtype=np.float64)
    if unit in _FREQUENCIES_HZ:
        return np.asarray(SPEED_OF_LIGHT_UM_S / (numbers * _FREQUENCIES_HZ[unit]))
    factor = _LENGTHS_UM[unit]
    return np.asarray(numbers * factor if factor >= 1.0 else numbers / round(1.0 / factor))


def likely_units(value: float) -> list[str]:
    """Return the units in which a number is a wavelength or frequency of light that circuits work with."""
    low, high = _LIKELY_UM
    units = ("um", "nm", "m", "Hz", "THz", "GHz", "mm", "cm", "pm")
    return [unit for unit in units if low <= _in_um(value, unit) <= high]


def _check_light(value: float, where: str) -> None:
    """Raise ParameterError for a positive number outside the wavelengths of light, with its likely unit."""
    if SHORTEST_UM <= value <= LONGEST_UM:
        return
    meant = [(unit, _in_um(value, unit)) for unit in ("nm", "m", "Hz", "THz", "GHz", "mm", "cm", "pm")]
    fits = [(unit, wl) for unit, wl in meant if SHORTEST_UM <= wl <= LONGEST_UM]
    likely = [(unit, wl) for unit, wl in fits if _LIKELY_UM[0] <= wl <= _LIKELY_UM[1]]
    hint = ""
    if fits:
        unit, wl = (likely or fits)[0]
        hint = f" It looks like {unit}: write {wl:.6g}."
    message = f"{where} must be {SHORTEST_UM:g} to {LONGEST_UM:g} um, got {value:g}.{hint}"
    raise ParameterError(message)


def _with_unit(text: str) -> tuple[float, bool]:
    """Return the wavelength in um of "1.55", "1550nm" or "193.4THz", and whether a frequency stood there.

    Raises ValueError for anything else.
    """
    match = _WITH_UNIT.fullmatch(text)
    if match is None:
        return float(text), False
    number, unit = float(match[1]), match[2]
    if unit not in _LENGTHS_UM and unit not in _FREQUENCIES_HZ:
        near = {known.lower(): known for known in (*_FREQUENCIES_HZ, "nm", "um")}.get(unit.lower())
        hint = f" Did you mean {near}?" if near else ""
        message = (
            f"{text.strip()!r} has the unit {unit!r}; wavelengths may be given in um, nm, THz or GHz.{hint}"
        )
        raise ParameterError(message)
    if not 0.0 < number < math.inf:
        message = f"A wavelength or an optical frequency must be a positive number, got {text.strip()!r}."
        raise ParameterError(message)
    return _in_um(number, unit), unit in _FREQUENCIES_HZ


def parse_wavelengths(text: str | float) -> NDArray[np.float64]:
    """Return the grid that "1.54:1.56:2001" (start:stop:points) or "1.55" stands for, in um.

    A wavelength may carry its unit, as in 1550nm, and may be a frequency, as in 193.4THz; a number without
    one is in um. A range between two frequencies has equally spaced wavelengths. Raises ParameterError naming
    the text when it has another form.
    """
    fields = str(text).split(":")
    count = None
    try:
        if len(fields) == 1:
            return as_wavelengths(_with_unit(fields[0])[0])
        (start, is_frequency), (stop, also) = _with_unit(fields[0]), _with_unit(fields[1])
        count = int(fields[2])
    except ParameterError:  # what a number is refused for; an error of this kind is a ValueError too
        raise
    except (ValueError, IndexError):
        count = None
    if count is None or len(fields) != 3:
        message = (
            f"Cannot read wavelengths from {text!r}: write start:stop:points in um, "
            "as in 1.54:1.56:2001, or one wavelength, as in 1.55, 1550nm or 193.4THz."
        )
        raise ParameterError(message)
    if is_frequency and also:  # the lower frequency is the longer wavelength
        start, stop = stop, start
    return wavelengths(start, stop, count)


def check_wavelengths(values: Sequence[float]) -> None:
    """Raise ParameterError unless all values are wavelengths in um, 0.1 to 100; none at all are allowed."""
    if len(values):
        as_wavelengths(values)


def as_wavelengths(wl: ArrayLike) -> NDArray[np.float64]:
    """Return a new 1-D float array (W,) of um; ParameterError unless 0.1 to 100 um and not empty."""
    if isinstance(wl, np.ma.MaskedArray) and np.ma.is_masked(wl):
        message = "Wavelengths must all be known, but some are masked: give wl.compressed()."
        raise ParameterError(message)
    try:
        grid = np.atleast_1d(as_real(wl))
    except NotReal as reason:
        if "empty" in str(reason):
            message = "The wavelength grid is empty: give at least one wavelength in um."
        else:
            message = f"Wavelengths must be numbers in um, {reason}."
        raise ParameterError(message) from None
    if grid.ndim != 1:
        message = f"Wavelengths must form one axis, got an array of shape {grid.shape}."
        raise ParameterError(message)
    ends = float(grid.min()), float(grid.max())
    if not (ends[0] > 0.0 and ends[1] < np.inf):  # what is not a number fails both
        bad = ~(np.isfinite(grid) & (grid > 0.0))
        message = f"Wavelengths must be positive numbers of um, got {grid[bad][0]:g}."
        raise ParameterError(message)
    for end in ends:
        _check_light(end, "Wavelengths")
    return grid

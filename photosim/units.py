"""Conversions between the project's units, and wavelength grids."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_POINTS = 100_000_000
"""Largest grid accepted: 0.8 GB of wavelengths, far beyond any sweep and short of exhausting memory."""


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


def wavelengths(start: float, stop: float, count: int) -> NDArray[np.float64]:
    """Return `count` equally spaced wavelengths in um from start to stop, both included.

    Raises ParameterError when the range is upside down or empty, a bound is
    not a positive number, or count is not a whole number from 1 to 1e8.
    """
    for name, value in (("start", start), ("stop", stop)):
        if not _is_number(value) or not 0.0 < value < math.inf:
            message = f"The {name} of a wavelength range must be a positive number of um, got {value!r}."
            raise ParameterError(message)
    if not _is_number(count) or not 1 <= count <= MAX_POINTS or int(count) != count:
        message = f"A wavelength range needs a whole number of points from 1 to {MAX_POINTS}, got {count!r}."
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
        message = f"The wavelength range from {start:g} to {stop:g} um is empty but asks for {count} points."
        raise ParameterError(message)
    return np.linspace(start, stop, int(count))


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def parse_wavelengths(text: str | float) -> NDArray[np.float64]:
    """Return the grid that "1.54:1.56:2001" (start:stop:points) or "1.55" stands for, in um.

    Raises ParameterError naming the text when it has another form.
    """
    fields = str(text).split(":")
    try:
        if len(fields) == 1:
            return as_wavelengths(float(fields[0]))
        start, stop, count = float(fields[0]), float(fields[1]), int(fields[2])
    except (ValueError, IndexError):
        count = None
    if count is None or len(fields) != 3:
        message = (
            f"Cannot read wavelengths from {text!r}: write start:stop:points in um, "
            "as in 1.54:1.56:2001, or one wavelength, as in 1.55."
        )
        raise ParameterError(message)
    return wavelengths(start, stop, count)


def as_wavelengths(wl: ArrayLike) -> NDArray[np.float64]:
    """Return wl as a 1-D float array (W,) of um; raise ParameterError unless it is positive and not empty."""
    try:
        grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    except (TypeError, ValueError):
        message = f"Wavelengths must be numbers in um, got {wl!r}."
        raise ParameterError(message) from None
    if grid.ndim != 1:
        message = f"Wavelengths must form one axis, got an array of shape {grid.shape}."
        raise ParameterError(message)
    if grid.size == 0:
        message = "The wavelength grid is empty: give at least one wavelength in um."
        raise ParameterError(message)
    if not (grid.min() > 0.0 and grid.max() < np.inf):  # what is not a number fails both
        bad = ~(np.isfinite(grid) & (grid > 0.0))
        message = f"Wavelengths must be positive numbers of um, got {grid[bad][0]:g}."
        raise ParameterError(message)
    return grid

"""Cubic splines through complex S-parameters, after the delay of each element is taken out.

A long part turns its phase quickly; without that turn the complex value is a slow curve that a cubic follows.
Amplitude and unwrapped phase would not do: at an element that passes near zero the phase jumps.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError, PhotosimWarning
from photosim.model.unwrapping import Delays, find_delays
from photosim.units import frequency_Hz, wavelength

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.interpolate import CubicSpline

SLACK = 0.01
"""Part of an end's step that may be requested beyond it: files round their frequencies to a few digits."""


@dataclass(frozen=True, eq=False)
class Interpolant:
    """S-parameters between the points of a table.

    frequency_Hz: (F,) rising; s: (F, P, P); `where` names the table in messages. Twice differentiable in
    frequency. A part with equal elements in both directions keeps them equal. `near_s` is the delay in s that
    chooses among those that the points allow.
    """

    frequency_Hz: NDArray[np.float64]
    s: NDArray[np.complex128]
    where: str = "the table"
    near_s: float | None = None

    @cached_property
    def delays(self) -> Delays:
        """Delays of the elements, and what the points leave open."""
        return find_delays(self.frequency_Hz, self.s, self.near_s)

    @property
    def delay_s(self) -> NDArray[np.float64]:
        """Delay of each element that is taken out before and put back after, in s, shape (P, P)."""
        return self.delays.delay_s

    @cached_property
    def slow(self) -> NDArray[np.complex128]:
        """Elements without their delay, shape (F, P, P)."""
        slow: NDArray[np.complex128] = self.s * np.exp(-1j * self._phase(self.frequency_Hz))
        return slow

    @cached_property
    def _spline(self) -> CubicSpline[np.complex128]:
        """The not-a-knot spline (deboor2001, chapter IV); three points give a parabola, two a line."""
        from scipy.interpolate import CubicSpline  # loads when a table is first evaluated

        return CubicSpline((self.frequency_Hz - self.frequency_Hz[0]) / self._scale, self.slow)

    @property
    def _scale(self) -> float:
        """Width of the table, which makes the spline's abscissa a number of order one."""
        return float(self.frequency_Hz[-1] - self.frequency_Hz[0]) or 1.0

    def _phase(self, frequency: NDArray[np.float64]) -> NDArray[np.float64]:
        middle = self.frequency_Hz[len(self.frequency_Hz) // 2]
        turns: NDArray[np.float64] = (frequency - middle)[:, np.newaxis, np.newaxis] * self.delay_s
        return 2 * np.pi * turns

    def steps(self, weakest: float = 0.0) -> NDArray[np.float64]:
        """Return the phase steps that remain between points, in rad, shape (F - 1, P, P).

        Steps at elements whose power is below `weakest` at either end count as zero.
        """
        turn = self.slow[1:] * np.conj(self.slow[:-1])
        strong = np.minimum(np.abs(self.s[1:]), np.abs(self.s[:-1])) ** 2 > weakest
        return np.where(strong, np.abs(np.angle(turn)), 0.0)

    def __call__(self, frequency: NDArray[np.float64], derivative: int = 0) -> NDArray[np.complex128]:
        """Return S, or its first or second derivative by frequency (per Hz), shape (W, P, P), at (W,) in Hz.

        Raises ParameterError outside the table's range.
        """
        self._inside(frequency)
        turn = np.exp(1j * self._phase(frequency))
        if len(self.frequency_Hz) == 1:
            derivatives = [np.broadcast_to(self.slow, turn.shape), np.zeros_like(turn), np.zeros_like(turn)]
        else:
            derivatives = self._derivatives(frequency, derivative)
        rate = 2j * np.pi * self.delay_s
        if derivative == 0:
            return derivatives[0] * turn  # type: ignore[no-any-return]
        if derivative == 1:
            return (derivatives[1] + rate * derivatives[0]) * turn  # type: ignore[no-any-return]
        return (derivatives[2] + 2 * rate * derivatives[1] + rate**2 * derivatives[0]) * turn  # type: ignore[no-any-return]

    def series(self, wl: NDArray[np.float64], orders: int = 3) -> NDArray[np.complex128]:
        """Return the Taylor coefficients of S in wavelength, (orders, W, P, P), at wl (W,) in um.

        The slope of a table of one point, and the curvature of one of two, is not a number.
        """
        frequency = frequency_Hz(wl)
        slope = (-frequency / wl)[:, np.newaxis, np.newaxis]
        bend = (2.0 * frequency / wl**2)[:, np.newaxis, np.newaxis]
        first = self(frequency, 1)
        terms = (self(frequency), first * slope, (self(frequency, 2) * slope**2 + first * bend) / 2.0)
        series = np.stack(terms[:orders])
        series[len(self.frequency_Hz) :] = complex(np.nan, np.nan)
        return series

    def _derivatives(self, frequency: NDArray[np.float64], derivative: int) -> list[NDArray[np.complex128]]:
        """Return the slow spline and its derivatives by frequency, up to the one requested."""
        at = (frequency - self.frequency_Hz[0]) / self._scale
        return [self._spline(at, order) / self._scale**order for order in range(derivative + 1)]

    def _inside(self, frequency: NDArray[np.float64]) -> None:
        low, high = self.frequency_Hz[0], self.frequency_Hz[-1]
        if len(self.frequency_Hz) > 1:
            slack = SLACK * (self.frequency_Hz[1] - low), SLACK * (high - self.frequency_Hz[-2])
        else:
            slack = 1e-9 * low, 1e-9 * low
        bad = (frequency < low - slack[0]) | (frequency > high + slack[1])
        if bad.any():
            found = float(wavelength(frequency[bad][0]))
            message = (
                f"{self.where} spans {float(wavelength(high)):.7g} to {float(wavelength(low)):.7g} um, "
                f"but {found:.7g} um is requested: choose wavelengths inside, or a file that reaches further."
            )
            raise ParameterError(message)


def series_of_points(
    wl: NDArray[np.float64], values: NDArray[np.complex128], points: int, path: str
) -> NDArray[np.complex128]:
    """Return the Taylor coefficients in wavelength of spectra known at points, shape (3, ..., W).

    wl: (W,) in um, in any order. values: (..., W); spectra that are not all numbers stay so. `path` names the
    spectrum in messages. Raises ParameterError for fewer than `points` wavelengths, or one with two values;
    warns of delays that the points leave open.
    """
    frequency, first, back = np.unique(frequency_Hz(wl), return_index=True, return_inverse=True)
    if len(frequency) < points:
        message = (
            f"This matrix has no formula, so its delay and dispersion need {points} wavelengths "
            f"or more, and it has {len(frequency)}."
        )
        raise ParameterError(message)
    table = values[..., first]
    twice = np.abs(table[..., back] - values).reshape(-1, len(wl)).max(axis=0) > 1e-9
    if twice.any():
        message = f"{path}: the wavelength {wl[twice][0]:.7g} um is given twice, with two values."
        raise ParameterError(message)
    rows = table.reshape(-1, len(frequency))
    found = np.full((3, len(frequency), len(rows)), complex(np.nan, np.nan))
    known = np.isfinite(rows).all(axis=1)
    if known.any():
        curve = Interpolant(frequency, rows[known].T[:, :, np.newaxis])
        found[:, :, known] = curve.series(wl[first])[..., 0]
        _warn_if_open(curve.delays, path)
    return np.moveaxis(found, 1, 2)[..., back].reshape(3, *values.shape)


def _warn_if_open(delays: Delays, path: str) -> None:
    """Warn where points leave the delay of a spectrum open, with what they allow."""
    if not delays.open.any():
        return
    k = int(np.argmax(delays.open[:, 0]))
    if delays.steady[k, 0]:
        allowed = ", ".join(f"{value:.3g}" for value in delays.candidates((k, 0)))
        choice = f"the smallest of {allowed}, ... s is a guess"
    else:
        choice = f"as its magnitude varies, {delays.delay_s[k, 0]:.3g} s is kept"
    message = (
        f"{path}: the points are too far apart to tell its mean delay, which they leave open by multiples of "
        f"{delays.period_s:.3g} s; {choice}. Take more wavelengths."
    )
    warnings.warn(message, PhotosimWarning, stacklevel=5)

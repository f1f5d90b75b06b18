"""Cubic splines through complex S-parameters, after the delay of each element is taken out.

A long part turns its phase quickly; without that turn the complex value is a slow curve that a cubic follows.
Amplitude and unwrapped phase would not do: at an element that passes near zero the phase jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.interpolate import CubicSpline

SLACK = 0.01
"""Part of an end's step that may be asked for beyond it: files round their frequencies to a few digits."""
_ROUNDS = 8


def delays(frequency_Hz: NDArray[np.float64], s: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the delay in s of each element, shape (...), of s (F, ...) at frequencies (F,).

    The slope of the phase from point to point, weighted with the power, so that weak stretches, whose phase
    says little, do not count. Rounds of the fit unwrap steps that differ in width.
    """
    if len(frequency_Hz) < 2:
        return np.zeros(s.shape[1:])
    step = (2 * np.pi * np.diff(frequency_Hz)).reshape(-1, *(1,) * (s.ndim - 1))
    turn = s[1:] * np.conj(s[:-1])
    weight = np.abs(turn)
    norm = (weight * step**2).sum(axis=0)
    found = np.angle(turn.sum(axis=0)) / step.mean()
    for _ in range(_ROUNDS):
        left = np.angle(turn * np.exp(-1j * found * step))
        found += (weight * step * left).sum(axis=0) / np.where(norm > 0, norm, 1.0)
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Interpolant:
    """S-parameters between the points of a table.

    frequency_Hz: (F,) rising; s: (F, P, P); `where` names the table in messages. Twice differentiable in
    frequency. A part with equal elements in both directions keeps them equal.
    """

    frequency_Hz: NDArray[np.float64]
    s: NDArray[np.complex128]
    where: str = "the table"

    @cached_property
    def delay_s(self) -> NDArray[np.float64]:
        """Delay of each element that is taken out before and put back after, in s, shape (P, P)."""
        return delays(self.frequency_Hz, self.s)

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

    def __call__(self, frequency_Hz: NDArray[np.float64], derivative: int = 0) -> NDArray[np.complex128]:
        """Return S, or its first or second derivative by frequency (per Hz), shape (W, P, P), at (W,) in Hz.

        Raises ParameterError outside the table's range.
        """
        self._inside(frequency_Hz)
        turn = np.exp(1j * self._phase(frequency_Hz))
        if len(self.frequency_Hz) == 1:
            derivatives = [np.broadcast_to(self.slow, turn.shape), np.zeros_like(turn), np.zeros_like(turn)]
        else:
            derivatives = self._derivatives(frequency_Hz, derivative)
        rate = 2j * np.pi * self.delay_s
        if derivative == 0:
            return derivatives[0] * turn  # type: ignore[no-any-return]
        if derivative == 1:
            return (derivatives[1] + rate * derivatives[0]) * turn  # type: ignore[no-any-return]
        return (derivatives[2] + 2 * rate * derivatives[1] + rate**2 * derivatives[0]) * turn  # type: ignore[no-any-return]

    def _derivatives(self, frequency: NDArray[np.float64], derivative: int) -> list[NDArray[np.complex128]]:
        """Return the slow spline and its derivatives by frequency, up to the one asked for."""
        at = (frequency - self.frequency_Hz[0]) / self._scale
        return [self._spline(at, order) / self._scale**order for order in range(derivative + 1)]

    def _inside(self, frequency: NDArray[np.float64]) -> None:
        from photosim.units import wavelength

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
                f"but {found:.7g} um is asked for: choose wavelengths inside, or a file that reaches further."
            )
            raise ParameterError(message)

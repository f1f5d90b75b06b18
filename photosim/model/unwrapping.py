"""Delays of tabulated elements, and where the points of a table leave them open.

From point to point a phase is known modulo a turn, so a delay is known modulo 1/(frequency step). Points
that lie close enough decide; others leave candidates, among which a known length or delay chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRONG_POWER = 1e-2
"""Phase steps of elements weaker than -20 dB are mostly passages near zero."""
STEADY_AMPLITUDE = 0.1
STEADY_RIPPLE = 10 ** (1.0 / 20.0)
"""Elements above -20 dB whose amplitude varies by less than 1 dB count as guides."""
_BACKWARDS_RAD = 0.2
"""Phase lost over a table that is not a guide's: an under-coupled resonance of less than 1 dB loses 0.12."""
_ROUNDS = 8
_PLACES = 65
_TURNS = 16
"""Candidates that are compared where the frequency steps differ."""
_ROUGH = 5e-3
"""1 - mean cos of the steps left over, above which a smoother candidate is searched: 0.1 rad rms."""
_SMOOTHER = 0.1


@dataclass(frozen=True, eq=False)
class Delays:
    """Delays of the elements (...) of a table in s, and what the points of the table leave open.

    delay_s: the delays that count. fitted_s: those of least turn, from -period/2 to period/2. open: where
    other candidates, whole periods apart, fit as well. steady: elements that behave as guides; only their
    delays are ever moved by whole periods. smoothest_s: the candidate that leaves the least change of phase,
    where the frequency steps differ enough to tell; else the delay that counts.
    """

    delay_s: NDArray[np.float64]
    fitted_s: NDArray[np.float64]
    period_s: float
    open: NDArray[np.bool_]
    steady: NDArray[np.bool_]
    smoothest_s: NDArray[np.float64]

    def candidates(self, at: tuple[int, ...], count: int = 3) -> list[float]:
        """Return the first `count` delays in s from zero up that the points allow for one element."""
        first = self.fitted_s[at] % self.period_s
        return [float(first + k * self.period_s) for k in range(count)]


def delays(frequency_Hz: NDArray[np.float64], s: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the delay of least turn in s of each element, shape (...), of s (F, ...) at frequencies (F,).

    The slope of the phase from point to point, weighted with the power, so that weak stretches, whose phase
    says little, do not count. Rounds of the fit unwrap steps that differ in width.
    """
    if len(frequency_Hz) < 2:
        return np.zeros(s.shape[1:])
    step, turn = _steps(frequency_Hz, s)
    found: NDArray[np.float64] = _refined(step, turn, np.angle(turn.sum(axis=0)) / step.mean())
    return found


def find_delays(
    frequency_Hz: NDArray[np.float64], s: NDArray[np.complex128], near_s: float | None = None
) -> Delays:
    """Return the delays of s (F, ...) at rising frequencies (F,), chosen among what the points allow.

    Steady elements take the candidate nearest to `near_s`; without it, one whose fitted delay is negative
    takes the smallest that is not. All others keep the fitted delay.
    """
    fitted = delays(frequency_Hz, s)
    nowhere = np.zeros(s.shape[1:], dtype=bool)
    if len(frequency_Hz) < 2:
        return Delays(fitted, fitted, np.inf, nowhere, nowhere, fitted)
    step, turn = _steps(frequency_Hz, s)
    period = float(2 * np.pi / step.mean())
    amplitude = np.abs(s)
    strong = np.minimum(amplitude[1:], amplitude[:-1]) ** 2 > STRONG_POWER
    lowest, highest = amplitude.min(axis=0), amplitude.max(axis=0)
    steady = (lowest > STEADY_AMPLITUDE) & (highest < STEADY_RIPPLE * lowest)
    width = 2 * np.pi * (frequency_Hz[-1] - frequency_Hz[0])
    backwards = steady & (fitted * width < -_BACKWARDS_RAD)
    is_open = (strong & (np.abs(np.angle(turn)) > np.pi / 2)).any(axis=0) | backwards
    if near_s is None:
        turns = np.where(backwards, np.ceil(-fitted / period), 0.0)
    else:
        turns = np.where(steady, np.round((near_s - fitted) / period), 0.0)
    found = np.where(turns == 0, fitted, _settled(step, turn, fitted + turns * period, period))
    smoothest = _smoothest(step, turn, found, fitted, period, steady)
    return Delays(found, fitted, period, is_open | (smoothest != found), steady, smoothest)


def clearest_delays(frequency_Hz: NDArray[np.float64], s: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Return the delays in s, of either sign, that leave by far the least change of phase, shape (...).

    That of least turn where the frequency steps do not differ enough to tell.
    """
    fitted = delays(frequency_Hz, s)
    if len(frequency_Hz) < 3:
        return fitted
    step, turn = _steps(frequency_Hz, s)
    period = float(2 * np.pi / step.mean())
    found: NDArray[np.float64] = _smoothest(step, turn, fitted, fitted, period, np.ones(fitted.shape, bool))
    return found


def _steps(
    frequency: NDArray[np.float64], s: NDArray[np.complex128]
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Return steps of the angular frequency (F - 1, 1, ...), and the turns of s over them (F - 1, ...)."""
    step = (2 * np.pi * np.diff(frequency)).reshape(-1, *(1,) * (s.ndim - 1))
    return step, s[1:] * np.conj(s[:-1])


def _refined(step: Any, turn: Any, found: Any) -> Any:
    """Return delays (...) fitted to the turns, from a start that leaves less than half a turn a step."""
    weight = np.abs(turn)
    norm = (weight * step**2).sum(axis=0)
    for _ in range(_ROUNDS):
        left = np.angle(turn * np.exp(-1j * found * step))
        found = found + (weight * step * left).sum(axis=0) / np.where(norm > 0, norm, 1.0)
    return found


def _settled(step: Any, turn: Any, start: Any, period: float) -> Any:
    """Return the delays within half a period of `start` that leave the least turn.

    Steps that differ in width move a candidate: it is not just the fitted delay and whole periods.
    """
    best, most = start, _agreement(step, turn, start)
    for part in np.linspace(-0.5, 0.5, _PLACES):
        at = start + part * period
        agreement = _agreement(step, turn, at)
        best, most = np.where(agreement > most, at, best), np.maximum(agreement, most)
    return _refined(step, turn, best)


def _agreement(step: Any, turn: Any, delay: Any) -> Any:
    """Return the mean cosine of the steps that a delay leaves, weighted by power, shape (...)."""
    weight = np.abs(turn).sum(axis=0)
    left = (turn * np.exp(-1j * delay * step)).real.sum(axis=0)
    return left / np.where(weight > 0, weight, 1.0)


def _smoothest(step: Any, turn: Any, found: Any, fitted: Any, period: float, steady: Any) -> Any:
    """Return the candidates of steady elements that are far smoother than what was found, else the latter.

    Frequency steps that differ, as those of even wavelengths, turn a delay that is wrong by whole periods
    into a change of delay over the table.
    """
    rough = 1.0 - _agreement(step, turn, found)
    doubtful = steady & (rough > _ROUGH)
    best, least = found, rough
    for turns in range(-_TURNS, _TURNS + 1) if doubtful.any() else ():
        at = _settled(step, turn, fitted + turns * period, period)
        left = 1.0 - _agreement(step, turn, at)
        best, least = np.where(left < least, at, best), np.minimum(left, least)
    moved = np.abs(best - found) > period / 2
    return np.where(doubtful & moved & (least < _SMOOTHER * rough), best, found)

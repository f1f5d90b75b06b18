"""Rational fits of responses in a band, by vector fitting, and what keeps them passive.

A fit is a recursion in time, x[t + 1] = pole x[t] + b[t], y[t] = direct b[t - delay] + sum residue x[t -
delay]: the response z**-delay (direct + sum residue/(z - pole)) at z = exp(2 pi i f/sample rate). Vector
fitting is that of gustavsen1999, with complex poles, since envelopes have no mirror image, and on the unit
circle instead of the imaginary axis, so that the recursion is the fit itself and not one more
approximation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]

FITTED = 0.1
"""Part of the sample rate, on either side of a carrier, in which a fit is to be right."""
GOOD = 1e-6
"""Error at which no more poles are added."""
POLES = (2, 4, 6, 8, 12, 16, 20)
"""Numbers of poles that are tried."""
LEADS = (0, 1, 2, 3, 5, 7)
"""Samples of a delay that are left to the poles to make: a part of a sample needs some before it."""
ROUNDS = 12
"""Relocations of the poles."""
MARGIN = 1e-9
"""How far below 1 the largest singular value of a fit is brought, where it was above."""
_PASSIVE_ROUNDS = 40


@dataclass(frozen=True)
class Fit:
    """A response as poles (K,), residues (K,) and a direct part behind a delay in samples.

    error: largest difference from the response within FITTED.
    """

    delay: int
    poles: ComplexArray
    residues: ComplexArray
    direct: complex
    error: float

    def at(self, z: ComplexArray) -> ComplexArray:
        """Return the response at z (W,)."""
        inner = self.direct + _basis(z, self.poles)[:, :-1] @ self.residues
        return np.asarray(inner * z**-self.delay)


def fit(response: ComplexArray, least_delay: int) -> Fit:
    """Return the fit of a response (W,) at the bins of an FFT, of the fewest poles and the best delay.

    At the carrier itself it is exact. Beyond half of the band the response is made to fall: left as it is, it
    would jump where the band ends, and a fit of a jump rings, and amplifies beside it.
    """
    from scipy.special import erfc

    size = response.size
    z = np.exp(2j * np.pi * np.arange(size) / size)
    frequency = np.abs(np.fft.fftfreq(size))
    weight = _weight(frequency)
    target = response * 0.5 * erfc(12.5 * (frequency - 0.3))
    inside = frequency <= FITTED
    onset = _onset(response)
    best: Fit | None = None
    for poles in POLES:
        for delay in sorted({max(least_delay, onset - lead) for lead in LEADS}):
            found = _fitted(target * z**delay, z, weight, inside, poles)
            if best is None or found.error < best.error:
                best = replace(found, delay=delay)
        if best is not None and best.error < GOOD:
            break
    assert best is not None  # noqa: S101 - there is at least one delay
    scale = response[0] / best.at(z[:1])[0] if abs(response[0]) > GOOD else 1.0
    exact = replace(best, residues=best.residues * scale, direct=best.direct * scale)
    return replace(exact, error=_error(exact, response, z))


def _weight(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what counts how much, by the distance from the carrier over the sample rate."""
    return np.where(frequency <= FITTED, 1.0, np.where(frequency <= 2 * FITTED, 0.1, 0.01))


def _error(one: Fit, response: ComplexArray, z: ComplexArray) -> float:
    inside = np.abs(np.fft.fftfreq(z.size)) <= FITTED
    return float(np.abs(one.at(z) - response)[inside].max())


def _onset(response: ComplexArray) -> int:
    """Return the whole samples after which a response begins, 0 where it begins at once."""
    taps = np.abs(np.fft.ifft(response * (np.abs(np.fft.fftfreq(response.size)) <= 0.4)))
    half = response.size // 2  # what is beyond came before: the ringing of the band's edge
    first = int(np.argmax(taps[:half] > 0.3 * taps[:half].max()))
    return first if taps[:half].max() > taps[half:].max() else 0


def _fitted(
    response: ComplexArray,
    z: ComplexArray,
    weight: NDArray[np.float64],
    inside: NDArray[np.bool_],
    count: int,
) -> Fit:
    """Return a fit with a number of poles, delay 0."""
    angles = 2 * np.pi * np.linspace(-0.4, 0.4, count)
    poles = 0.8 * np.exp(1j * angles)
    for _ in range(ROUNDS):
        basis = _basis(z, poles)
        system = np.hstack([basis, -response[:, np.newaxis] * basis[:, :-1]])
        solution = _solve(system * weight[:, np.newaxis], response * weight)
        sigma = solution[count + 1 :]
        poles = np.linalg.eigvals(np.diag(poles) - np.outer(np.ones(count), sigma))
        outside = np.abs(poles) > 1
        poles[outside] = 1 / poles[outside].conj()
        poles = np.where(np.abs(poles) > 1 - 1e-9, poles * (1 - 1e-6), poles)
    basis = _basis(z, poles)
    solution = _solve(basis * weight[:, np.newaxis], response * weight)
    error = float(np.abs(basis @ solution - response)[inside].max())
    return Fit(0, poles, solution[:-1], complex(solution[-1]), error)


def _basis(z: ComplexArray, poles: ComplexArray) -> ComplexArray:
    """Return the columns 1/(z - pole) and 1, shape (W, K + 1)."""
    return np.hstack([1 / (z[:, np.newaxis] - poles), np.ones((z.size, 1))])


def _solve(system: ComplexArray, right: ComplexArray) -> ComplexArray:
    """Return the least-squares solution, columns scaled to one length first."""
    length = np.linalg.norm(system, axis=0)
    length[length == 0] = 1.0
    return np.asarray(np.linalg.lstsq(system / length, right, rcond=None)[0] / length)


def passive(fits: Sequence[Fit], places: Sequence[tuple[int, int]], size: int) -> tuple[list[Fit], float]:
    """Return fits whose matrix has no singular value above 1, and the largest it had before.

    places: (row, column) of each fit.  size: number of frequencies looked at. Residues and direct parts move
    as little as they can, in the least squares of their response, so that each peak above 1 falls below
    (to first order; in rounds).
    """
    z = np.exp(2j * np.pi * np.arange(size) / size)
    current = list(fits)
    worst = 0.0
    for turn in range(_PASSIVE_ROUNDS):
        matrix = _assembled(current, places, z)
        left, values, right = np.linalg.svd(matrix)
        peaks = _peaks(values[:, 0])
        if turn == 0:
            worst = float(values[:, 0].max())
        if not peaks.size:
            return current, worst
        current = _pushed(
            current, places, z, (left[peaks, :, 0], values[peaks, 0], right[peaks, 0].conj()), peaks
        )
    # Rounds that do not end: scale what is left away, which is always enough.
    scale = (1 - MARGIN) / max(1.0, float(np.linalg.norm(_assembled(current, places, z), 2, (1, 2)).max()))
    return [replace(f, residues=f.residues * scale, direct=f.direct * scale) for f in current], worst


def _assembled(fits: Sequence[Fit], places: Sequence[tuple[int, int]], z: ComplexArray) -> ComplexArray:
    """Return the matrix (W, rows, columns) of fits at their places."""
    rows, columns = (1 + max(place[k] for place in places) for k in (0, 1))
    out = np.zeros((z.size, rows, columns), dtype=np.complex128)
    for one, (row, column) in zip(fits, places, strict=True):
        out[:, row, column] += one.at(z)
    return out


def _peaks(largest: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return where the largest singular value (W,), round the circle, has a maximum above 1."""
    higher = (largest >= np.roll(largest, 1)) & (largest >= np.roll(largest, -1))
    return np.flatnonzero(higher & (largest > 1 + MARGIN))


def _pushed(
    fits: Sequence[Fit],
    places: Sequence[tuple[int, int]],
    z: ComplexArray,
    peak: tuple[ComplexArray, NDArray[np.float64], ComplexArray],
    at: NDArray[np.int64],
) -> list[Fit]:
    """Return the fits after the least change that brings all peaks below 1, to first order."""
    left, values, right = peak
    rows, moves = [], []
    for one, (row, column) in zip(fits, places, strict=True):
        basis = _basis(z, one.poles) * (z**-one.delay)[:, np.newaxis]
        weight = _weight(np.abs(np.fft.fftfreq(z.size)))[:, np.newaxis]
        gram = (basis * weight).conj().T @ (basis * weight) / z.size
        gram += 1e-9 * np.trace(gram).real / len(gram) * np.eye(len(gram))
        a: ComplexArray = (left[:, row].conj() * right[:, column])[:, np.newaxis] * basis[at]
        rows.append(a)
        moves.append(np.linalg.solve(gram, a.conj().T))
    system = sum(
        (a @ m for a, m in zip(rows, moves, strict=True)), np.zeros((at.size, at.size), complex)
    ).real
    shares = np.linalg.lstsq(system, 1 - 10 * MARGIN - values, rcond=None)[0]
    changed = []
    for one, move in zip(fits, moves, strict=True):
        step = move @ shares
        changed.append(replace(one, residues=one.residues + step[:-1], direct=one.direct + complex(step[-1])))
    return changed

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
POLES = (4, 6, 8, 12, 16, 20)
"""Numbers of poles that are tried."""
LEADS = (0, 1, 2, 3, 5, 7)
"""Samples of a delay that are left to the poles to make: a part of a sample needs some before it."""
ROUNDS = 12
"""Relocations of the poles."""
MARGIN = 1e-9
"""How far below 1 the largest singular value of a fit is brought, where it was above."""
_PASSIVE_ROUNDS = 60
_ENDED = 20.0
"""Logarithm of what a pole loses at least over the bins of a fit; what is fitted loses four times that."""


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
    taps, number = np.fft.ifft(target), np.fft.fftfreq(size, 1 / size)
    best: Fit | None = None
    for poles in POLES:
        for delay in sorted({max(least_delay, onset - lead) for lead in LEADS}):
            # The slope over angle is the first moment of the impulse response; samples ahead are negative.
            ends = np.array([response[0], (-1j * (number - delay) * taps).sum()])
            found = _fitted(target * z**delay, ends, z, weight, inside, poles)
            if best is None or found.error < best.error:
                best = replace(found, delay=delay)
        if best is not None and best.error < GOOD:
            break
    assert best is not None  # noqa: S101 - there is at least one delay
    return checked(best, response)


def checked(one: Fit, response: ComplexArray) -> Fit:
    """Return a fit with the error that it has against a response (W,) at the bins of an FFT."""
    z = np.exp(2j * np.pi * np.arange(response.size) / response.size)
    inside = np.abs(np.fft.fftfreq(z.size)) <= FITTED
    return replace(one, error=float(np.abs(one.at(z) - response)[inside].max()))


def _exact(
    basis: ComplexArray,
    held: ComplexArray,
    ends: ComplexArray,
    weight: NDArray[np.float64],
    inner: ComplexArray,
) -> ComplexArray:
    """Return the best coefficients (K + 1,) of a basis (W, K + 1) with a value and a slope at the carrier.

    Without the slope, a fit of what loses nothing would amplify on one side of the carrier.
    """
    rows = basis * weight[:, np.newaxis]
    length = np.linalg.norm(rows, axis=0)
    rows, held = rows / length, held / length
    start = np.linalg.lstsq(held, ends, rcond=None)[0]
    free = np.linalg.svd(held)[2][held.shape[0] :].conj().T
    left = np.linalg.lstsq(rows @ free, inner * weight - rows @ start, rcond=None)[0]
    return np.asarray((start + free @ left) / length)


def _held(poles: ComplexArray) -> ComplexArray:
    """Return value and slope at the carrier as rows (2, K + 1) over residues and direct part."""
    away = 1 / (1 - poles)
    return np.array([np.append(away, 1.0), np.append(-1j * away**2, 0.0)])


def _gram(basis: ComplexArray, weight: NDArray[np.float64]) -> ComplexArray:
    """Return the products of the columns of a basis (W, K + 1), a little of the unit matrix added."""
    rows = basis * weight[:, np.newaxis]
    gram = rows.conj().T @ rows / weight.size
    return np.asarray(gram + 1e-9 * np.trace(gram).real / len(gram) * np.eye(len(gram)))


def _weight(frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what counts how much, by the distance from the carrier over the sample rate."""
    return np.where(frequency <= FITTED, 1.0, np.where(frequency <= 2 * FITTED, 0.1, 0.01))


def _onset(response: ComplexArray) -> int:
    """Return the whole samples after which a response begins, 0 where it begins at once."""
    taps = np.abs(np.fft.ifft(response * (np.abs(np.fft.fftfreq(response.size)) <= 0.4)))
    half = response.size // 2  # what is beyond came before: the ringing of the band's edge
    first = int(np.argmax(taps[:half] > 0.3 * taps[:half].max()))
    return first if taps[:half].max() > taps[half:].max() else 0


def _fitted(
    response: ComplexArray,
    ends: ComplexArray,
    z: ComplexArray,
    weight: NDArray[np.float64],
    inside: NDArray[np.bool_],
    count: int,
) -> Fit:
    """Return a fit with a number of poles, delay 0, and with that value and slope at the carrier."""
    angles = 2 * np.pi * np.linspace(-0.4, 0.4, count)
    poles = 0.8 * np.exp(1j * angles)
    # What is left after a quarter of the bins is none of the response, which has ended by then.
    largest = 1 - _ENDED / z.size
    for _ in range(ROUNDS):
        basis = _basis(z, poles)
        system = np.hstack([basis, -response[:, np.newaxis] * basis[:, :-1]])
        solution = _solve(system * weight[:, np.newaxis], response * weight)
        sigma = solution[count + 1 :]
        poles = np.linalg.eigvals(np.diag(poles) - np.outer(np.ones(count), sigma))
        outside = np.abs(poles) > 1
        poles[outside] = 1 / poles[outside].conj()
        poles = np.where(np.abs(poles) > 1 - 1e-9, poles * (1 - 1e-6), poles)
    poles *= np.minimum(1.0, largest / np.maximum(np.abs(poles), 1e-300))
    basis = _basis(z, poles)
    found = _exact(basis, _held(poles), ends, weight, response)
    error = float(np.abs(basis @ found - response)[inside].max())
    return Fit(0, poles, found[:-1], complex(found[-1]), error)


def _basis(z: ComplexArray, poles: ComplexArray) -> ComplexArray:
    """Return the columns 1/(z - pole) and 1, shape (W, K + 1)."""
    return np.hstack([1 / (z[:, np.newaxis] - poles), np.ones((z.size, 1))])


def _solve(system: ComplexArray, right: ComplexArray) -> ComplexArray:
    """Return the least-squares solution, columns scaled to one length first."""
    length = np.linalg.norm(system, axis=0)
    length[length == 0] = 1.0
    return np.asarray(np.linalg.lstsq(system / length, right, rcond=None)[0] / length)


def passive(fits: Sequence[Fit], places: Sequence[tuple[int, int]], size: int) -> tuple[list[Fit], float]:
    """Return fits whose matrix has no singular value above 1, and the largest that it has where that fails.

    places: (row, column) of each fit.  size: number of frequencies. Residues and direct parts move
    as little as they can, in the least squares of their response, so that each peak above 1 falls below
    (to first order; in rounds). What the fits are at the carrier itself, and their slope there, stays.
    """
    # Poles are where peaks are narrow.
    own = [np.angle(f.poles) / (2 * np.pi) % 1.0 for f in fits]
    z = np.exp(2j * np.pi * np.unique(np.concatenate([np.arange(size) / size, *own])))
    current = list(fits)
    for _ in range(_PASSIVE_ROUNDS):
        left, values, right = np.linalg.svd(_assembled(current, places, z))
        peaks = _peaks(values[:, 0])
        if not peaks.size:
            return current, 1.0
        current = _pushed(
            current, places, z, (left[peaks, :, 0], values[peaks, 0], right[peaks, 0].conj()), peaks
        )
    return current, float(np.linalg.norm(_assembled(current, places, z), 2, (1, 2)).max())


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
        gram = _gram(basis, _weight(np.abs(np.angle(z)) / (2 * np.pi)))
        a: ComplexArray = (left[:, row].conj() * right[:, column])[:, np.newaxis] * basis[at]
        rows.append(a)
        held = _held(one.poles)
        move, kept = (np.linalg.solve(gram, m.conj().T) for m in (a, held))
        # No move of what is held: the least change in the directions that are left.
        moves.append(move - kept @ np.linalg.solve(held @ kept, held @ move))
    system = sum(
        (a @ m for a, m in zip(rows, moves, strict=True)), np.zeros((at.size, at.size), complex)
    ).real
    shares = np.linalg.lstsq(system, 1 - 10 * MARGIN - values, rcond=None)[0]
    changed = []
    for one, move in zip(fits, moves, strict=True):
        step = move @ shares
        changed.append(replace(one, residues=one.residues + step[:-1], direct=one.direct + complex(step[-1])))
    return changed

"""Rational fits of responses over frequency, with poles in common, stable and real in time.

A fit is direct + sum residue/(s - pole) at s = 2 pi j f, time as exp(+j omega t). Poles are relocated as in
gustavsen1999, with the normalisation of gustavsen2006 and each response reduced first (deschrijver2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

ORDERS = (2, 3, 4, 6, 8, 11, 15, 20, 26, 34, 44)
"""Numbers of poles that are tried."""
ROUNDS = 12
"""Relocations of the poles."""
MARGIN = 1e-7
"""How far below 1 the largest singular value of a passive fit is brought, where it was above."""
_PASSIVE_ROUNDS = 25
_CLOSE = 0.999
_MOST_BOUNDS = 500
_BEYOND = 0.03
"""Weight of what lies beyond the band where a fit is changed."""
_DEEPEST = 1e-9
"""Least decay of a pole, over its distance from zero."""


@dataclass(frozen=True, eq=False)
class RationalFit:
    """Responses (R,) as poles (K,) in rad/s, residues (R, K) in rad/s and direct parts (R,).

    A complex pole is followed by its conjugate.  error: largest difference from what was fitted.
    """

    poles: ComplexArray
    residues: ComplexArray
    direct: FloatArray
    error: float

    def at(self, frequency: FloatArray) -> ComplexArray:
        """Return the responses (F, R) at frequencies (F,) in Hz."""
        s = 2j * np.pi * np.asarray(frequency)
        basis = 1.0 / (s[:, np.newaxis] - self.poles) if self.poles.size else np.zeros((s.size, 0))
        return np.asarray(basis @ self.residues.T + self.direct)


def fit(
    frequency: FloatArray, values: ComplexArray, *, tolerance: float = 1e-6,
    orders: Sequence[int] = ORDERS, beyond: float = 0.0,
) -> RationalFit:  # fmt: skip
    """Return the fit of responses (F, R) at frequencies (F,) in Hz of the fewest poles with that tolerance.

    At 0 Hz, where that is among the frequencies, it is exact. The best one found is returned where none
    reaches the tolerance: see its `error`.  beyond: weight with which responses are held down in the decades
    above the band, where nothing else says what they are.
    """
    scale = 2 * np.pi * float(frequency[-1])
    above = np.geomspace(1.2, 30.0, 80) if beyond > 0.0 else np.zeros(0)
    s = 1j * np.concatenate([frequency / frequency[-1], above])
    weight = np.concatenate([np.ones(frequency.size), np.full(above.size, beyond)])
    aimed = np.concatenate([values, np.zeros((above.size, values.shape[1]))])
    best: RationalFit | None = None
    if np.abs(values - values[:1].real).max(initial=0.0) <= tolerance:
        return RationalFit(np.zeros(0, complex), np.zeros((values.shape[1], 0), complex), values[0].real, 0.0)
    for order in orders:
        if 2 * order + 2 > 2 * frequency.size:
            break
        for start in (_resonant(order), _relaxing(order, float(np.abs(s[s != 0]).min()))):
            poles, residues, direct = _fitted(s, aimed, weight, start)
            found = RationalFit(poles * scale, residues * scale, direct, np.inf)
            error = float(np.abs(found.at(frequency) - values).max())
            if best is None or error < best.error:
                best = replace(found, error=error)
        if best is not None and best.error <= tolerance:
            break
    assert best is not None  # noqa: S101 - there is at least one order
    return best


def _resonant(order: int) -> ComplexArray:
    """Return poles close to the axis, spread over the band."""
    pairs = order // 2
    at = (np.arange(pairs) + 1.0) / max(pairs, 1)
    own = np.stack([-0.05 * at + 1j * at, -0.05 * at - 1j * at], axis=1).ravel()
    return np.concatenate([own, -np.ones(order % 2)])


def _relaxing(order: int, lowest: float) -> ComplexArray:
    """Return real poles, spread over the decades of the band."""
    return -np.geomspace(max(lowest, 1e-4), 2.0, order).astype(np.complex128)


def _basis(s: ComplexArray, poles: ComplexArray) -> ComplexArray:
    """Return columns (F, K) whose real combinations are real in time."""
    columns = 1.0 / (s[:, np.newaxis] - poles)
    pairs = np.flatnonzero(poles.imag > 0.0)
    first, second = columns[:, pairs], columns[:, pairs + 1]
    columns[:, pairs], columns[:, pairs + 1] = first + second, 1j * (first - second)
    return columns


def _sorted(poles: ComplexArray) -> ComplexArray:
    """Return stable poles: real ones first, then pairs with the positive frequency in front."""
    poles = np.where(poles.real > 0.0, -poles.real + 1j * poles.imag, poles)
    poles = np.where(
        -poles.real < _DEEPEST * np.abs(poles), -_DEEPEST * np.abs(poles) - 1e-12 + 1j * poles.imag, poles
    )
    real = poles[np.abs(poles.imag) <= 1e-9 * np.abs(poles)].real.astype(np.complex128)
    upper = poles[poles.imag > 1e-9 * np.abs(poles)]
    return np.concatenate([real, np.stack([upper, upper.conj()], axis=1).ravel()])


def _real(rows: Any) -> FloatArray:
    return np.concatenate([rows.real, rows.imag])


def _fitted(
    s: ComplexArray, values: ComplexArray, weight: FloatArray, start: ComplexArray
) -> tuple[ComplexArray, ComplexArray, FloatArray]:
    poles = start
    for _ in range(ROUNDS):
        poles = _relocated(s, values, weight, poles)
    return poles, *_residues(s, values, weight, poles)


def _relocated(
    s: ComplexArray, values: ComplexArray, weights: FloatArray, poles: ComplexArray
) -> ComplexArray:
    """Return the zeros of the function whose product with the responses has these poles."""
    count = poles.size
    own = _basis(s, poles)
    ones = np.ones((s.size, 1))
    wide = np.hstack([own, ones])
    rows, right = [], []
    weight = float(np.linalg.norm(values)) / s.size
    for k in range(values.shape[1]):
        system = _real(weights[:, np.newaxis] * np.hstack([wide, -values[:, k : k + 1] * wide]))
        r: FloatArray = np.asarray(np.linalg.qr(system, mode="r"))
        rows.append(r[count + 1 :, count + 1 :])
        right.append(np.zeros(rows[-1].shape[0]))
    # The sum over the samples of the real part is their number, so that the solution is not zero.
    rows.append(weight * wide.real.sum(axis=0, keepdims=True))
    right.append(np.array([weight * s.size]))
    system = np.concatenate(rows)
    length = np.linalg.norm(system, axis=0)
    length[length == 0.0] = 1.0
    sigma = np.linalg.lstsq(system / length, np.concatenate(right), rcond=None)[0] / length
    direct = sigma[-1] if abs(sigma[-1]) > 1e-8 else np.copysign(1e-8, sigma[-1] or 1.0)
    matrix, column = np.zeros((count, count)), np.ones(count)
    k = 0
    while k < count:
        if poles[k].imag > 0.0:
            a, b = poles[k].real, poles[k].imag
            matrix[k : k + 2, k : k + 2] = [[a, b], [-b, a]]
            column[k : k + 2] = 2.0, 0.0
            k += 2
        else:
            matrix[k, k] = poles[k].real
            k += 1
    return _sorted(np.linalg.eigvals(matrix - np.outer(column, sigma[:-1]) / direct))


def _residues(
    s: ComplexArray, values: ComplexArray, weights: FloatArray, poles: ComplexArray
) -> tuple[ComplexArray, FloatArray]:
    """Return residues (R, K) and direct parts (R,) of the least squares; exact at 0 Hz."""
    wide = np.hstack([_basis(s, poles), np.ones((s.size, 1))])
    system, right = _real(weights[:, np.newaxis] * wide), _real(weights[:, np.newaxis] * values)
    length = np.linalg.norm(system, axis=0)
    system = system / length
    if s[0] == 0.0:
        row = system[:1]
        fixed = row.T @ values[:1].real / float(row[0] @ row[0])
        free = np.linalg.svd(row)[2][1:].T
        solution = fixed + free @ np.linalg.lstsq(system @ free, right - system @ fixed, rcond=None)[0]
    else:
        solution = np.linalg.lstsq(system, right, rcond=None)[0]
    return _complex((solution / length[:, np.newaxis]).T, poles)


def _complex(real: FloatArray, poles: ComplexArray) -> tuple[ComplexArray, FloatArray]:
    """Return residues and direct parts of coefficients (R, K + 1) of the real basis."""
    residues = real[:, :-1].astype(np.complex128)
    pairs = np.flatnonzero(poles.imag > 0.0)
    first, second = residues[:, pairs].copy(), residues[:, pairs + 1].copy()
    residues[:, pairs], residues[:, pairs + 1] = first + 1j * second, first - 1j * second
    return residues, real[:, -1].copy()


def largest_gain(fitted: RationalFit, delays: FloatArray, frequency: FloatArray) -> FloatArray:
    """Return the largest singular value (F,) of the square matrix that responses are, row by row.

    delays: (R,) in s behind each response.
    """
    return np.asarray(np.linalg.norm(_assembled(fitted, delays, frequency), 2, (1, 2)))


def _assembled(fitted: RationalFit, delays: FloatArray, frequency: FloatArray) -> ComplexArray:
    size = round(delays.size**0.5)
    turn = np.exp(-2j * np.pi * frequency[:, np.newaxis] * delays)
    return np.asarray((fitted.at(frequency) * turn).reshape(-1, size, size))


def probing(fitted: RationalFit, frequency: FloatArray, delays: FloatArray) -> FloatArray:
    """Return frequencies at which a fit is checked: the band, the places of poles, and decades beyond."""
    top = float(frequency[-1])
    own = np.abs(fitted.poles.imag) / (2 * np.pi)
    width = -fitted.poles.real / (2 * np.pi)
    near = (own + width * np.array([-1.0, -0.3, 0.0, 0.3, 1.0])[:, np.newaxis]).ravel()
    reach = 4.0 * max(top, float(np.minimum(own, 3.0 * top).max(initial=0.0)))
    turns = 600 + int(32 * reach * float(delays.max(initial=0.0)))
    return np.unique(np.concatenate([
        [0.0], frequency, np.linspace(0.0, reach, min(turns, 6000)), near[near > 0.0],
        np.geomspace(reach, 1e3 * reach, 200),
    ]))  # fmt: skip


def passive(fitted: RationalFit, delays: FloatArray, frequency: FloatArray) -> tuple[RationalFit, float]:
    """Return a fit whose matrix has no singular value above 1, and the largest that is left.

    Residues and direct parts change as little as they can, in the least squares over the band and, with less
    weight, beyond, so that no singular value passes 1 to first order, in rounds; what is left after them is
    scaled away.
    """
    current, size = fitted, round(delays.size**0.5)
    for _ in range(_PASSIVE_ROUNDS):
        at = probing(current, frequency, delays)
        left, values, right = np.linalg.svd(_assembled(current, delays, at))
        if values.max() <= 1.0 + 0.1 * MARGIN:
            return current, float(values.max())
        places = _bounded(values)
        change = _least_change(current, delays, at, (places, left, values, right), (frequency, size))
        current = replace(current, residues=current.residues + change[0], direct=current.direct + change[1])
    top = float(largest_gain(current, delays, probing(current, frequency, delays)).max())
    factor = min(1.0, (1.0 - MARGIN) / top)
    return replace(current, residues=factor * current.residues, direct=factor * current.direct), factor * top


def _bounded(values: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where singular values (F, P) are held down: maxima close to 1, and above."""
    before = np.vstack([values[:1] - 1.0, values[:-1]])
    after = np.vstack([values[1:], values[-1:] - 1.0])
    top = (values >= before) & (values >= after) & (values > _CLOSE)
    steep = (values > 1.0) & (np.arange(len(values)) % 4 == 0)[:, np.newaxis]
    at, which = np.nonzero(top | steep)
    if at.size > _MOST_BOUNDS:
        order = np.sort(np.argsort(-values[at, which])[:_MOST_BOUNDS])
        at, which = at[order], which[order]
    return at, which


def _least_change(
    one: RationalFit, delays: FloatArray, at: FloatArray,
    found: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ComplexArray, FloatArray, ComplexArray],
    band: tuple[FloatArray, int],
) -> tuple[ComplexArray, FloatArray]:  # fmt: skip
    """Return the least change of residues and direct parts that holds singular values at 1 to first order."""
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import nnls

    (places, which), left, values, right = found
    frequency, size = band
    scale = 2 * np.pi * float(frequency[-1])
    poles = one.poles / scale

    def wide(f: FloatArray) -> ComplexArray:
        s = np.asarray(2j * np.pi * f / scale)
        return np.hstack([_basis(s, poles), np.ones((f.size, 1))])

    beyond = np.geomspace(float(frequency[-1]), 30.0 * float(frequency[-1]), 200)
    own = np.concatenate([_real(wide(frequency)), _BEYOND * _real(wide(beyond))])
    gram = own.T @ own
    root = cholesky(gram + 1e-11 * np.trace(gram) / len(gram) * np.eye(len(gram)), lower=True)
    basis = wide(at[places])
    turn = np.exp(-2j * np.pi * at[places][:, np.newaxis] * delays)
    rows = []
    for k in range(delays.size):
        row, column = divmod(k, size)
        factor = left[places, row, which].conj() * right[places, which, column].conj() * turn[:, k]
        rows.append(solve_triangular(root, (factor[:, np.newaxis] * basis).real.T, lower=True))
    # The least distance under bounds, as in chapter 23 of Lawson and Hanson, by non-negative least squares.
    bounds = np.vstack([*(-row for row in rows), values[places, which] - (1.0 - MARGIN)])
    aim = np.zeros(len(bounds))
    aim[-1] = 1.0
    residual = bounds @ nnls(bounds, aim)[0] - aim
    steps = (-residual[:-1] / residual[-1]).reshape(delays.size, -1)
    real = solve_triangular(root, steps.T, lower=True, trans="T").T
    residues, direct = _complex(real, poles)
    return residues * scale, direct

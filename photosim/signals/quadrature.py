"""Integrals over spectra, on panels that are halved for as long as the spectrum asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

NODES = 8
"""Places of Gauss and Legendre in a panel."""
TOLERANCE = 1e-3
"""Error of an integral, relative to it, that is aimed at."""


@dataclass(frozen=True)
class Panels:
    """A function on panels that tile a range: low, high (P,) rise; values (P, NODES, ...).

    error: what is left unresolved of each figure, relative to its integral, (K,).  finest: width of the
    narrowest panel that had to be halved, infinite where none had to.
    """

    low: FloatArray
    high: FloatArray
    values: NDArray[Any]
    error: FloatArray
    finest: float = np.inf

    @property
    def places(self) -> FloatArray:
        """Where the values are, (P NODES,)."""
        return _places(self.low, self.high).ravel()

    @property
    def weights(self) -> FloatArray:
        """What each value counts in an integral, (P NODES,)."""
        return ((self.high - self.low)[:, np.newaxis] * _rule()[1]).ravel()

    @property
    def flat(self) -> NDArray[Any]:
        """The values (P NODES, ...)."""
        return self.values.reshape(-1, *self.values.shape[2:])

    def integral(self) -> Any:
        """Return the integral of the function, of the shape of one value."""
        return np.tensordot(self.weights, self.flat, axes=(0, 0))

    def at(self, x: FloatArray) -> NDArray[Any]:
        """Return the function at x (M,), by the polynomial of each panel; 0 outside the range."""
        panel = np.clip(np.searchsorted(self.high, x), 0, len(self.high) - 1)
        local = (x - self.low[panel]) / (self.high - self.low)[panel]
        inside = (local >= 0.0) & (local <= 1.0)
        nodes, bary = _barycentric()
        apart = local[:, np.newaxis] - nodes
        apart[apart == 0.0] = 1e-14
        share = bary / apart
        share *= (inside / share.sum(axis=1))[:, np.newaxis]
        return np.asarray(np.einsum("mn,mn...->m...", share, self.values[panel]))


def resolved(
    function: Callable[[FloatArray], NDArray[Any]],
    edges: FloatArray,
    *,
    figures: Callable[[NDArray[Any]], FloatArray] = np.real,
    tolerance: float = TOLERANCE,
    floor: Any = 0.0,
    most: int = 1 << 15,
) -> Panels:
    """Return a function of x (M,), values (M, ...), on panels between `edges` (P + 1,), which rise.

    A panel is halved for as long as the integrals of its halves differ from its own by more than a tenth of
    the tolerance, in any of the figures (M, K) of the values; integrals below `floor`, (K,), are let be. At
    most `most` values are computed.
    """
    low, high = edges[:-1], edges[1:]
    rule = _rule()[1]

    def evaluate(low: FloatArray, high: FloatArray) -> tuple[NDArray[Any], FloatArray]:
        values = function(_places(low, high).ravel())
        own = figures(values).reshape(len(low), NODES, -1)
        sums = np.einsum("pnk,n,p->pk", own, rule, high - low)
        return values.reshape(len(low), NODES, *values.shape[1:]), sums

    _, parents = evaluate(low, high)
    spent = parents.shape[0] * NODES
    kept: list[tuple[FloatArray, FloatArray, NDArray[Any]]] = []
    settled, finest = np.zeros(parents.shape[1]), np.inf
    while True:
        middle = (low + high) / 2
        lows, highs = np.concatenate([low, middle]), np.concatenate([middle, high])
        values, sums = evaluate(lows, highs)
        spent += len(lows) * NODES
        halves = sums[: len(low)] + sums[len(low) :]
        error = np.abs(halves - parents)
        total = settled + np.abs(halves).sum(axis=0)
        bad = (error > 0.1 * tolerance * np.maximum(total, floor)).any(axis=1)
        finest = min(finest, float((high - low)[bad].min(initial=np.inf)))
        if spent + 4 * NODES * int(bad.sum()) > most:
            missed = np.sqrt((error[bad] ** 2).sum(axis=0))
            left = np.divide(
                missed, total, out=np.zeros_like(total), where=total > np.maximum(missed * 1e-9, floor)
            )
            bad[:] = False
        else:
            left = np.zeros(parents.shape[1])
        good, again = np.tile(~bad, 2), np.tile(bad, 2)
        kept.append((lows[good], highs[good], values[good]))
        settled += np.abs(halves[~bad]).sum(axis=0)
        if not bad.any():
            break
        low, high, parents = lows[again], highs[again], sums[again]
    low, high, values = (np.concatenate([row[k] for row in kept]) for k in range(3))
    order = np.argsort(low)
    return Panels(low[order], high[order], values[order], left, finest)


def octaves(top: float, bottom: float) -> FloatArray:
    """Return edges of panels from 0 to `top`, each twice as far as the last, the first below `bottom`."""
    count = max(1, int(np.ceil(np.log2(top / bottom))))
    return np.concatenate([[0.0], top * 0.5 ** np.arange(count, -1.0, -1.0)])


def _places(low: FloatArray, high: FloatArray) -> FloatArray:
    return np.asarray(low[:, np.newaxis] + (high - low)[:, np.newaxis] * _rule()[0])


@cache
def _rule() -> tuple[FloatArray, FloatArray]:
    """Return the places and weights of Gauss and Legendre between 0 and 1."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


@cache
def _barycentric() -> tuple[FloatArray, FloatArray]:
    """Return the places between 0 and 1, and their weights in a polynomial through them."""
    nodes, _ = _rule()
    apart = nodes[:, np.newaxis] - nodes + np.eye(NODES)
    return nodes, 1.0 / apart.prod(axis=1)

"""What a signal has between the instants of a coarser clock: a bound, so that few instants tell all of it.

A signal that is smooth from instant to instant is known at every d-th one, as what lies beyond half of their
rate is then little. Fourth differences bound it: those of what enters a low-pass, times what the low-pass
can make of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.timedomain.low_pass import AROUND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.low_pass import Mode

    FloatArray = NDArray[np.float64]

REACH = 4
"""Instants behind one that its differences look at."""
_KNOWN = 1 << 15
"""Instants of an impulse response that are summed one by one."""
_LIKELY = 1 / 400
"""Part of what is allowed that a first stretch may have for a clock to be tried."""


@dataclass(frozen=True)
class Norms:
    """Sums of the sizes of a low-pass's impulse response, of its differences, and of what is ahead of it."""

    whole: float
    first: float
    second: float
    ahead: float

    @staticmethod
    def of(modes: tuple[Mode, ...]) -> Norms:
        """Return those of the sum of some poles; without one a signal passes as it is."""
        if not modes:
            return Norms(1.0, np.inf, np.inf, 0.0)
        slowest = min(1 - abs(np.exp(pole)) for pole, _, _ in modes)
        known = int(min(40.0 / slowest, _KNOWN))
        response, left = np.zeros(known + 2 * AROUND), np.zeros(3)
        for pole, residue, share in modes:
            keep = np.exp(pole)
            # A complex pole stands for itself and its mirror image.
            weight = (2.0 if pole.imag else 1.0) * residue
            response += np.convolve(share, weight * keep ** np.arange(known)).real
            size = abs(weight) * float(np.abs(share).sum()) * abs(keep) ** (known - 2 * AROUND)
            left += size / (1 - abs(keep)) * abs(1 - keep) ** np.arange(3)
        response = response[:known]  # behind it sums are incomplete
        sums = [float(np.abs(np.diff(response, n, prepend=np.zeros(n))).sum()) for n in range(3)]
        whole, first, second = (np.array(sums) + left).tolist()
        return Norms(whole, first, second, float(np.abs(response[:AROUND]).sum()))


class Between:
    """A bound of what lies between the seen instants of a signal behind a low-pass, stretch by stretch.

    Stretches have `length` instants, half over each other, and are weighed by Hann's window. `take` gets the
    what enters in halves of a stretch, one after the other. Behind its end it is held.
    """

    def __init__(self, modes: tuple[Mode, ...], length: int) -> None:
        self.norms, self.length = Norms.of(modes), length
        self.squares: list[FloatArray] = []
        self.low, self.high, self.early = np.inf, -np.inf, 0.0

    def take(self, values: FloatArray) -> None:
        """Take what enters, (N + REACH,): the next N instants and those behind them."""
        from photosim.kernels.bands import unevenness

        if not self.squares:
            self.early = float(np.abs(values[: AROUND + REACH] - values[0]).max())
        for begin in range(0, values.size - REACH, self.length // 2):
            found = np.empty(5)
            unevenness(values[begin : begin + self.length // 2 + REACH], found)
            self.squares.append(found[:3])
            self.low, self.high = min(self.low, float(found[3])), max(self.high, float(found[4]))

    def holds(self, largest: float) -> bool:
        """Return whether all values are finite and at most so large."""
        return bool(-largest <= self.low and self.high <= largest and np.isfinite(self.squares[-1]).all())

    def energy(self, every: int) -> float:
        """Return the most energy that any stretch has beyond half the rate of every so many instants."""
        # A delayed stretch lies in three halves.
        halves = np.concatenate([np.zeros((2, 3)), self.squares, np.zeros((2, 3))])
        second, third, fourth = np.sqrt((halves[:-2] + halves[1:-1] + halves[2:]).max(axis=0))
        norms, span = self.norms, self.high - self.low
        most = norms.whole * span + max(abs(self.low), abs(self.high))
        size = np.sqrt(self.length) * most
        # By Leibniz: differences of the window times those of the signal.
        window = 0.5 * (2 * np.pi / self.length) ** np.arange(5)
        steep = min(norms.whole * third, _times(norms.first, second))
        rough = min(norms.whole * fourth, _times(norms.first, third), _times(norms.second, second))
        rough += 4 * window[1] * steep + 6 * window[2] * norms.whole * second
        rough += (8 * window[3] + window[4]) * size + 32 * (REACH * np.pi / self.length) ** 2 * most
        least = (2 * np.sin(np.pi * 0.5 / every)) ** 4
        # Ahead of the first instant a low-pass is at rest: what it would see there, and a step, are missed.
        return float((rough / least + norms.ahead * self.early * 6.0) ** 2)

    def chosen(self, often: int, power: float, limit: float) -> int:
        """Return of how many instants one is enough, at most `often`, as what was taken tells; or 1.

        power: mean square of the signal.  limit: part of the power that may lie beyond a band.
        """
        for every in range(often, 1, -1):
            if often % every == 0 and self.energy(every) <= _LIKELY * limit * 0.375 * self.length * power:
                return every
        return 1


def _times(norm: float, size: float) -> float:
    """Return a product; infinite where the norm is."""
    return norm * size if np.isfinite(norm) else np.inf


def beyond(share: float, energy: float, every: int) -> float:
    """Return the part of the power beyond a band, from that of every so many instants and what they miss.

    share: of the seen instants.  energy: part of the power that lies beyond half of their rate. What is seen
    has that mirrored in it, from every - 1 places.
    """
    mirrored = np.sqrt(every - 1.0)
    left = max(1.0 - 2 * mirrored * np.sqrt(energy), 1e-3)
    return float((np.sqrt(share) + (1.0 + mirrored) * np.sqrt(energy)) ** 2 / left)

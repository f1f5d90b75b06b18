"""A bank whose temperature strays: photocurrents at any temperature, interpolated between exact ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.bank.diodes import Diodes

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from photosim.training.devices.bank.circuit import BankCircuit
    from photosim.training.devices.bank.tiles import Tiles

TOLERANCE = 1e-5
"""Error of the interpolation between temperatures, of the largest photocurrent of any channel."""
USUAL = 3.0
"""Standard deviations of the temperature within which the step is made fine enough; few go beyond."""
FINEST = 10
"""How often the step is halved at most: from one standard deviation to a thousandth of it."""
FIRST = 8
"""Steps that are examined before a step size is given up as too coarse; then twice as many, and so on."""
ELEMENTS = 200_000
"""Weights, over all temperatures of one call of the circuit, that are computed at once."""
_NEIGHBOURS = np.array([-1, 0, 1, 2])


@dataclass(frozen=True)
class WarmTiles:
    """Photocurrents of programmed tiles at deviations k step in K, whole k, computed as they are needed.

    phases: of all tiles, (T, M, N).  shape: (down, across, M, N).  kelvin: root mean square of the drift that
    they are for.  held: k to plus and minus currents in A of full power in each channel, each of that shape.
    """

    hardware: BankCircuit
    phases: FloatArray
    shape: tuple[int, ...]
    step: float
    kelvin: float
    held: dict[int, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @classmethod
    def of(cls, hardware: BankCircuit, tiles: Tiles, kelvin: float) -> WarmTiles:
        """Return tiles ready for deviations of `kelvin` root mean square, with a step that is fine enough."""
        found = cls(hardware, tiles.phases, tiles.plus.shape, kelvin, kelvin)
        full = max(float(tiles.plus.max()), float(tiles.minus.max()))
        for _ in range(FINEST):
            finer = cls(hardware, found.phases, found.shape, found.step / 2, kelvin)
            finer.held.update({2 * k: currents for k, currents in found.held.items()})
            if found.meets(finer, int(np.ceil(USUAL * kelvin / found.step)), TOLERANCE * full):
                break
            found = finer
        return found

    def meets(self, finer: WarmTiles, reach: int, allowed: float) -> bool:
        """Return whether currents half-way between the inner 2 reach steps are right to `allowed` A.

        From the middle outwards, since the first step that fails ends it.
        """
        steps = sorted(range(-reach, reach), key=lambda k: abs(k + 0.5))
        first, last = 0, FIRST
        while first < len(steps):
            some = steps[first:last]
            self.know(k + n for k in some for n in _NEIGHBOURS.tolist())
            finer.know(2 * k + 1 for k in some)
            if any(self._error(finer, k) > allowed for k in some):
                return False
            first, last = last, 2 * last
        return True

    def _error(self, finer: WarmTiles, k: int) -> float:
        """Return the largest error of currents in A half-way between k and the next step."""
        near = [self.held[k + n] for n in _NEIGHBOURS.tolist()]
        worst = 0.0
        for side, exact in enumerate(finer.held[2 * k + 1]):
            middle = sum(w * currents[side] for w, currents in zip(_weights(0.5), near, strict=True))
            worst = max(worst, float(np.abs(middle - exact).max()))
        return worst

    def know(self, steps: Iterable[int]) -> None:
        """Compute what is not yet held at these deviations, as many in one call as memory allows."""
        missing = sorted(set(steps) - self.held.keys())
        together = max(1, ELEMENTS // self.phases.size)
        for first in range(0, len(missing), together):
            some = missing[first : first + together]
            plus, minus = self.hardware.warm_currents(self.phases, self.step * np.array(some))
            for k, *both in zip(some, plus, minus, strict=True):
                self.held[k] = both[0].reshape(self.shape), both[1].reshape(self.shape)

    def diodes(self, kelvin: FloatArray, dtype: DTypeLike) -> WarmDiodes:
        """Return the diodes as a batch finds them, at deviations (batch,) in K."""
        cell = np.floor(kelvin / self.step).astype(np.int64)
        weights = _weights(kelvin / self.step - cell)  # (4, batch)
        shares: dict[int, tuple[list[Any], list[FloatArray]]] = {}
        for first in np.unique(cell).tolist():
            samples = np.flatnonzero(cell == first)
            for n, weight in zip(_NEIGHBOURS.tolist(), weights[:, samples], strict=True):
                places, parts = shares.setdefault(first + n, ([], []))
                places.append(samples)
                parts.append(weight)
        self.know(shares)
        nodes = []
        for k, (places, parts) in shares.items():
            plus, minus = self.held[k]
            diodes = Diodes.of(self.hardware, plus, minus, dtype)
            nodes.append((diodes, np.concatenate(places), np.concatenate(parts).astype(dtype)))
        return WarmDiodes.between(nodes)


def _weights(share: float | FloatArray) -> FloatArray:
    """Return what four neighbours weigh at a share of the way between the middle two (Lagrange), (4, ...)."""
    u = np.asarray(share, dtype=np.float64)
    return np.stack(
        (
            -u * (u - 1) * (u - 2) / 6, (u + 1) * (u - 1) * (u - 2) / 2, -(u + 1) * u * (u - 2) / 2,
            (u + 1) * u * (u - 1) / 6,
        )
    )  # fmt: skip


@dataclass(frozen=True)
class WarmDiodes(Diodes):
    """Diodes that each sample of a batch finds at its own temperature: nodes, and their shares in samples."""

    nodes: tuple[tuple[Diodes, Any, RealArray], ...] = ()

    @classmethod
    def between(cls, nodes: list[tuple[Diodes, Any, RealArray]]) -> WarmDiodes:
        """Return the diodes of samples that lie between some nodes."""
        one = nodes[0][0]
        return cls(one.plus, one.minus, one.responsivity, one.limit, one.ports, tuple(nodes))

    def bright(self, light: RealArray) -> bool:
        """Return whether a diode might saturate at any of the temperatures."""
        return any(diodes.bright(light) for diodes, _, _ in self.nodes)

    def through(self, light: RealArray, matrices: Callable[[Diodes], RealArray]) -> RealArray:
        """Return light (down, across, batch, N) through matrices (..., N, M), each as warm as it is."""
        total = None
        for part, samples, weights in self._parts(light, matrices):
            if total is None:
                total = np.zeros((*light.shape[:-1], part.shape[-1]), part.dtype)
            total[..., samples, :] += weights[:, np.newaxis] * part  # no sample meets a node twice
        assert total is not None  # noqa: S101 - a batch has a sample
        return total

    def _parts(
        self, light: RealArray, matrices: Callable[[Diodes], RealArray]
    ) -> Iterator[tuple[RealArray, Any, RealArray]]:
        for diodes, samples, weights in self.nodes:
            yield light[..., samples, :] @ matrices(diodes), samples, weights

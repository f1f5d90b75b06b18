"""A bank whose temperature strays: photocurrents at any temperature, interpolated between exact ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
_NEIGHBOURS = np.array([-1, 0, 1, 2])


@dataclass(frozen=True)
class WarmTiles:
    """Photocurrents of programmed tiles at deviations k step in K, whole k, computed as they are needed.

    phases: of all tiles, (T, M, N).  shape: (down, across, M, N).  held: k to plus and minus currents in A of
    full power in each channel, each of that shape.
    """

    hardware: BankCircuit
    phases: FloatArray
    shape: tuple[int, ...]
    step: float
    held: dict[int, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @classmethod
    def of(cls, hardware: BankCircuit, tiles: Tiles, kelvin: float) -> WarmTiles:
        """Return tiles ready for deviations of `kelvin` root mean square, with a step that is fine enough."""
        found = cls(hardware, tiles.phases, tiles.plus.shape, kelvin)
        full = max(float(tiles.plus.max()), float(tiles.minus.max()))
        for _ in range(FINEST):
            finer = cls(hardware, found.phases, found.shape, found.step / 2)
            finer.held.update({2 * k: currents for k, currents in found.held.items()})
            if found.error(finer, int(np.ceil(USUAL * kelvin / found.step))) <= TOLERANCE * full:
                break
            found = finer
        return found

    def error(self, finer: WarmTiles, reach: int) -> float:
        """Return the largest error of currents in A half-way between the inner 2 reach steps."""
        worst = 0.0
        for k in range(-reach, reach):
            exact = finer.at(2 * k + 1)
            near = [self.at(k + n) for n in _NEIGHBOURS.tolist()]
            for side in (0, 1):
                middle = sum(w * currents[side] for w, currents in zip(_weights(0.5), near, strict=True))
                worst = max(worst, float(np.abs(middle - exact[side]).max()))
        return worst

    def at(self, k: int) -> tuple[FloatArray, FloatArray]:
        """Return plus and minus photocurrents (down, across, M, N) in A at the deviation k step."""
        if k not in self.held:
            plus, minus = self.hardware.currents(self.phases, k * self.step)
            self.held[k] = plus.reshape(self.shape), minus.reshape(self.shape)
        return self.held[k]

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
        nodes = []
        for k, (places, parts) in shares.items():
            plus, minus = self.at(k)
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

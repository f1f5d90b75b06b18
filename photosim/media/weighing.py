"""Powers weighed by micro-mirrors that send them to one detector, or away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.conventions import ELEMENTARY_CHARGE_C
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@public
@dataclass(frozen=True, kw_only=True)
class WeighingMirrors:
    """Micro-mirrors on the image of a square grid: one for each of the `nodes` cells nearest its axis.

    contrast: power that a mirror reflects when it is on, divided by that when it is off.  efficiency:
    fraction of the power that a mirror reflects when it is on.
    """

    side: int = 32
    nodes: int = 450
    contrast: float = 1000.0
    efficiency: float = 0.7

    def __post_init__(self) -> None:
        check_whole(self, 1, side=self.side)
        check_whole(self, 1, self.side**2, nodes=self.nodes)
        check_number(self, 1.0, above=True, contrast=self.contrast)
        check_number(self, 0.0, 1.0, efficiency=self.efficiency)

    @property
    def shape(self) -> tuple[int, int]:
        """Nodes and cells."""
        return self.nodes, self.side**2

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Numbers of the cells that have a mirror, rising."""
        x = np.arange(self.side) - self.side // 2
        distance = np.hypot(x[:, np.newaxis], x).ravel()
        return np.sort(np.argsort(distance, kind="stable")[: self.nodes])

    def powers(self, waves: NDArray[Any]) -> NDArray[np.float32]:
        """Return the power in W at every mirror, (batch, nodes), of waves (batch, cells) in sqrt(W)."""
        own = waves[:, self.cells]
        return np.asarray(own.real**2 + own.imag**2, dtype=np.float32)

    def sent(self, weights: ArrayLike) -> NDArray[np.float64]:
        """Return the reflected fraction of power at each mirror, for weights (nodes,) of zeros and ones."""
        found = np.asarray(weights)
        binary = found.dtype == bool or ((found == 0) | (found == 1)).all()
        if found.shape != (self.nodes,) or not binary:
            message = (
                f"{self.nodes} mirrors show as many zeros and ones, got {found.dtype} of shape {found.shape}."
            )
            raise ParameterError(message)
        leak = 1.0 / self.contrast
        return np.asarray(self.efficiency * (leak + (1.0 - leak) * found))


@public
@dataclass(frozen=True, kw_only=True)
class WeighingDetector:
    """One detector for the light of many mirrors, with noise and a converter.

    responsivity: in A/W.  noise_density: in A/sqrt(Hz).  bandwidth: in Hz.  full_scale: power in W at the
    upper end of the converter.  bits: of the converter, 0 for none.
    """

    pixels: int = 450
    responsivity: float = 0.6
    noise_density: float = 1e-11
    bandwidth: float = 1e6
    bits: int = 12
    full_scale: float = 0.01

    def __post_init__(self) -> None:
        check_whole(self, 1, pixels=self.pixels)
        check_whole(self, 0, 24, bits=self.bits)
        check_number(self, 0.0, above=True, responsivity=self.responsivity, full_scale=self.full_scale)
        check_number(self, 0.0, noise_density=self.noise_density, bandwidth=self.bandwidth)

    @property
    def step(self) -> float:
        """Step of the converter in W; 0 without one."""
        return self.full_scale / 2**self.bits if self.bits else 0.0

    def variance(self, mean: ArrayLike, mean_square: ArrayLike, rin: float) -> NDArray[np.float64]:
        """Return the variance in W^2 of a reading of powers with this mean (W) and mean square (W^2).

        rin: relative intensity noise of the light in 1/Hz. Quantisation counts as noise of variance
        step^2/12.
        """
        thermal = (self.noise_density / self.responsivity) ** 2
        shot = 2 * ELEMENTARY_CHARGE_C / self.responsivity * np.asarray(mean)
        return np.asarray(
            self.bandwidth * (thermal + shot + rin * np.asarray(mean_square)) + self.step**2 / 12
        )

    def read(
        self, power: NDArray[Any], rin: float, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], int]:
        """Return readings in W for powers in W of any shape, and the number of clipped readings."""
        found = np.asarray(power, dtype=np.float64)
        noise = self.variance(found, found**2, rin) - self.step**2 / 12
        found = found + np.sqrt(noise) * rng.standard_normal(found.shape)
        if not self.bits:
            return found, 0
        level = np.floor(found / self.step)
        kept = np.clip(level, 0, 2**self.bits - 1)
        return (kept + 0.5) * self.step, int(np.count_nonzero(level != kept))

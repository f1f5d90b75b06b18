"""The design of a chip: its mesh, where its heaters stand, and the nominal numbers of their drivers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from photosim.bounds import check_choice, check_number, check_whole
from photosim.components.mesh_places import PLACES, Arrangement
from photosim.training.arrays import FloatArray, IndexArray
from photosim.training.devices.mesh.decomposition import pairs_of

ARRANGEMENTS = ("clements", "reck")
"""Meshes whose outputs alone tell what they are made of."""


@dataclass(frozen=True)
class Wiring:
    """Design of a mesh of n guides with K blocks and H = 2 K + n heaters: theta, phi and end phases.

    ohm: resistance of a heater in ohm.  watt_pi: nominal power for a phase of pi in W.  volt_max: highest
    voltage of a driver in V. A heater with the voltage V has the power V^2 / ohm.
    """

    arrangement: Arrangement
    n: int
    ohm: float = 1000.0
    watt_pi: float = 0.02
    volt_max: float = 7.2

    def __post_init__(self) -> None:
        """Raise ParameterError for a mesh of another kind and numbers out of bounds."""
        check_choice(self, ARRANGEMENTS, arrangement=self.arrangement)
        check_whole(self, 2, 64, n=self.n)
        check_number(self, 0.0, above=True, ohm=self.ohm, watt_pi=self.watt_pi, volt_max=self.volt_max)

    @cached_property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Column and first guide of each block."""
        return PLACES[self.arrangement](self.n)

    @property
    def blocks(self) -> int:
        """Number K of blocks."""
        return len(self.places)

    @cached_property
    def pairs(self) -> IndexArray:
        """The two guides of each block, shape (K, 2)."""
        return pairs_of(self.arrangement, self.n)

    @cached_property
    def heaters(self) -> tuple[str, ...]:
        """Names of the heaters in order: "m0_0.theta", ..., "m0_0.phi", ..., "end0", ..."""
        blocks = [f"m{column}_{mode}" for column, mode in self.places]
        angles = [f"{block}.{angle}" for angle in ("theta", "phi") for block in blocks]
        return (*angles, *(f"end{k}" for k in range(self.n)))

    @cached_property
    def spots(self) -> FloatArray:
        """Positions of the heaters, shape (H, 2), in half blocks along the guides and in guides across.

        Each is on the upper guide of its block, with phi before theta; the ends are behind the last column.
        """
        theta = [(2.0 * column + 1.0, float(mode)) for column, mode in self.places]
        phi = [(2.0 * column, float(mode)) for column, mode in self.places]
        last = 2.0 * (1 + max(column for column, _ in self.places))
        return np.array([*theta, *phi, *((last, float(k)) for k in range(self.n))])

    @cached_property
    def distances(self) -> FloatArray:
        """Distances between heaters, shape (H, H), in the unit of `spots`."""
        return np.asarray(np.linalg.norm(self.spots[:, np.newaxis] - self.spots, axis=-1))

    @property
    def most(self) -> float:
        """Largest power of a heater, in units of `watt_pi`."""
        return self.volt_max**2 / self.ohm / self.watt_pi

    def powers(self, voltages: FloatArray) -> FloatArray:
        """Return the powers of the heaters in units of `watt_pi`, for voltages (..., H) in V."""
        return np.asarray(voltages**2 / (self.ohm * self.watt_pi))

    def voltages(self, powers: FloatArray) -> FloatArray:
        """Return the voltages in V for powers (..., H) in units of `watt_pi`."""
        return np.sqrt(np.clip(powers, 0.0, self.most) * (self.ohm * self.watt_pi))

"""A mesh with its imperfections: couplers and losses of the blocks, and the matrix for given phases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.components.mesh_places import PLACES, Arrangement, dark_guides, warm_pairs
from photosim.components.shifters import TURN, held_phase
from photosim.display import Brief
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.mesh.decomposition import MeshPhases, matrix_of_blocks, pairs_of
from photosim.training.devices.mesh.patches import Patches
from photosim.training.devices.mesh.paths import Passage, send
from photosim.training.devices.mesh.views import unsigned

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Blocks(Brief):
    """The K blocks of a mesh with their imperfections at one wavelength, arrays of shape (K,).

    split, join: cross-coupled power of the first and second coupler.  passed: amplitude transmission of both
    couplers.  outer, inner: amplitude transmission of the shifters.  turn: phase at this wavelength divided
    by the phase that was set.  outer_offset, inner_offset: phases of the shifters in rad if none is set.
    """

    split: FloatArray
    join: FloatArray
    passed: FloatArray
    outer: FloatArray
    inner: FloatArray
    turn: FloatArray
    outer_offset: FloatArray
    inner_offset: FloatArray

    def acting(self, theta: FloatArray, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the phases in rad that theta and phi have in the light, with wavelength and offsets."""
        return self.turn * theta + self.inner_offset, self.turn * phi + self.outer_offset

    def set_for(self, theta: FloatArray, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the phases to set for these phases in the light, without the offsets of the shifters."""
        return theta / self.turn, phi / self.turn

    def matrices(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return the matrices (K, 2, 2), outputs by inputs, for phases in the light (K,) in rad."""
        inner, outer = self.inner * np.exp(1j * theta), self.outer * np.exp(1j * phi)
        bar_in, cross_in = np.sqrt(1.0 - self.split), 1j * np.sqrt(self.split)
        bar_out, cross_out = np.sqrt(1.0 - self.join), 1j * np.sqrt(self.join)
        entries = [
            (bar_out * inner * bar_in + cross_out * cross_in) * outer,
            bar_out * inner * cross_in + cross_out * bar_in,
            (cross_out * inner * bar_in + bar_out * cross_in) * outer,
            cross_out * inner * cross_in + bar_out * bar_in,
        ]
        return np.asarray(self.passed[:, np.newaxis] * np.stack(entries, axis=-1)).reshape(-1, 2, 2)

    def passing(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return the transmission of attenuators, and its derivatives by theta and phi as set, (3, K)."""
        theta, phi = self.acting(theta, phi)
        straight = np.sqrt((1.0 - self.split) * (1.0 - self.join))
        by_theta = self.passed * self.outer * self.inner * straight * np.exp(1j * (theta + phi))
        passed = self.matrices(theta, phi)[:, 0, 0]
        return np.stack([passed, 1j * self.turn * by_theta, 1j * self.turn * passed])

    def drawn(self, coupling: float, offset: float, rng: np.random.Generator) -> Blocks:
        """Return blocks with random errors of couplers and phases, normal with these standard deviations."""
        split, join = (
            np.clip(power + coupling * rng.standard_normal(power.shape), 0.0, 1.0)
            for power in (self.split, self.join)
        )
        inner, outer = (
            phase + offset * rng.standard_normal(phase.shape) if offset else phase
            for phase in (self.inner_offset, self.outer_offset)
        )
        return replace(self, split=split, join=join, inner_offset=inner, outer_offset=outer)

    def ideal(self) -> Blocks:
        """Return blocks with 50:50 couplers, without losses and without phase offsets."""
        half, full, none = (np.full(self.turn.shape, value) for value in (0.5, 1.0, 0.0))
        return Blocks(half, half, full, full, full, self.turn, none, none)

    def settings(self, names: list[str]) -> dict[str, dict[str, float]]:
        """Return the couplings as settings of the blocks of these names."""
        return {
            name: {"coupling": float(split), "coupling_join": float(join)}
            for name, split, join in zip(names, self.split, self.join, strict=True)
        }


@dataclass(frozen=True)
class OneMesh(Brief):
    """One mesh of n guides with its imperfections.

    blocks: the K blocks.  end: amplitude transmission of the output shifters (n,).  end_turn: phase at this
    wavelength divided by the phase that was set.  end_offset: phase in rad if none is set.  leak: fraction of
    the phase of shifter j (column) that shifter i (row) gets by thermal crosstalk, a sparse matrix of side
    2 K + n in the order theta, phi, end; None without crosstalk.  bits: of the DACs of the phases; None for
    ideal ones.
    """

    arrangement: Arrangement
    blocks: Blocks
    end: FloatArray
    end_turn: FloatArray
    end_offset: FloatArray
    leak: Any = None
    bits: int | None = None

    @property
    def driven(self) -> bool:
        """Whether phases are kept between 0 and 2 pi, as with converters or thermal crosstalk."""
        return self.bits is not None or self.leak is not None

    @property
    def dark(self) -> int:
        """Guides before those with ports."""
        return dark_guides(self.arrangement, self.end.size)

    @cached_property
    def pairs(self) -> NDArray[np.uint64]:
        """The two guides of each block, shape (K, 2)."""
        return unsigned(pairs_of(self.arrangement, self.end.size))

    @cached_property
    def patches(self) -> Patches | None:
        """The blocks in groups of few guides; None where that does not pay."""
        return Patches.of(self.pairs, self.dark + self.end.size, self.dark)

    @cached_property
    def parts(self) -> FloatArray:
        """Parameters of each block as an array (K, 7), the input of the kernels."""
        blocks = self.blocks
        bars = [np.sqrt(1.0 - power) for power in (blocks.split, blocks.join)]
        crosses = [np.sqrt(power) for power in (blocks.split, blocks.join)]
        couplers = [bars[0], crosses[0], bars[1], crosses[1]]
        return np.stack([*couplers, blocks.passed, blocks.inner, blocks.outer], axis=-1)

    @cached_property
    def turns(self) -> FloatArray:
        """Phase at this wavelength divided by the phase that was set, (2 K + n,): theta, phi, end."""
        return np.concatenate([self.blocks.turn, self.blocks.turn, self.end_turn])

    @cached_property
    def offsets(self) -> FloatArray:
        """Phases in rad of shifters that are not set, in the same order."""
        return np.concatenate([self.blocks.inner_offset, self.blocks.outer_offset, self.end_offset])

    def held(self, phases: MeshPhases) -> MeshPhases:
        """Return the phases in rad after rounding to the steps of the DACs."""
        return phases.changed(lambda own: held_phase(own, self.bits)) if self.driven else phases

    def acting(self, phases: MeshPhases) -> FloatArray:
        """Return the phases in the light for phases held by the drivers, in rad, in the same order."""
        own = np.concatenate([phases.theta, phases.phi, phases.end])
        leaked = own if self.leak is None else self.leak @ own
        return np.asarray(self.turns * leaked + self.offsets)

    def parted(self, angles: FloatArray) -> MeshPhases:
        """Return angles in the order theta, phi, end as phases of the mesh."""
        count = self.blocks.turn.size
        return MeshPhases(self.arrangement, angles[:count], angles[count : 2 * count], angles[2 * count :])

    def send(self, phases: MeshPhases, x: Any) -> Passage:
        """Send fields x (batch, n) through the mesh with phases held; return outputs and their gradient."""
        return send(self, phases, x)

    def matrix(self, phases: MeshPhases) -> ComplexArray:
        """Return the matrix (n, n), outputs by inputs, for phases held by the drivers."""
        acting = self.parted(self.acting(phases))
        blocks = self.blocks.matrices(acting.theta, acting.phi)
        return matrix_of_blocks(self.arrangement, blocks, self.end * np.exp(1j * acting.end))

    def set_for(self, wanted: MeshPhases) -> MeshPhases:
        """Return the phases to set, at wl0, for the wanted phases at the wavelength of the mesh.

        Phase offsets and thermal crosstalk are not taken into account.
        """
        angles = np.concatenate([wanted.theta, wanted.phi, wanted.end])
        # A turn more at wl0 is not a turn at another wavelength, so it is chosen here and not by the drivers.
        return self.parted((np.mod(angles, TURN) if self.driven else angles) / self.turns)

    def drawn(self, coupling: float, offset: float, rng: np.random.Generator) -> OneMesh:
        """Return the mesh with random errors of couplers and phases, normal with these deviations."""
        blocks = self.blocks.drawn(coupling, offset, rng)
        end = self.end_offset + offset * rng.standard_normal(self.end.shape) if offset else self.end_offset
        return replace(self, blocks=blocks, end_offset=end)

    def ideal(self) -> OneMesh:
        """Return the mesh without imperfections: ideal blocks, no loss, no crosstalk, ideal drivers."""
        end, none = np.ones(self.end.shape), np.zeros(self.end.shape)
        return replace(self, blocks=self.blocks.ideal(), end=end, end_offset=none, leak=None, bits=None)

    def settings(self, phases: MeshPhases) -> dict[str, Any]:
        """Return phases held, as they act, and couplings as settings of the component."""
        own = self.parted(self.acting(phases) / self.turns).settings()
        couplings = self.blocks.settings([name for name in own if name.startswith("m")])
        return {
            name: {**(at_shifters(values) if self.driven else values), **couplings.get(name, {})}
            for name, values in own.items()
        }


def at_shifters(phases: Mapping[str, float]) -> dict[str, Any]:
    """Return phases of a block, or of an output, as settings behind the drivers, which then do nothing."""
    places = {"theta": "inner", "phi": "outer"}
    return {
        (places.get(name) or "shifter"): {"shifter": {"phase": phase}} if name in places else {"phase": phase}
        for name, phase in phases.items()
    }


def leaking(arrangement: Arrangement, n: int, crosstalk: float) -> Any:
    """Return the matrix of thermal crosstalk: the fraction of a neighbour's phase that a shifter gets.

    It is sparse with a side of 2 K + n, in the order theta, phi, end.
    """
    from scipy.sparse import coo_array

    blocks = [f"m{column}_{mode}" for column, mode in PLACES[arrangement](n)]
    names = [f"{block}.{side}" for side in ("inner", "outer") for block in blocks]
    order = {name: k for k, name in enumerate([*names, *(f"end{k}" for k in range(n))])}
    rows = np.array([(order[a], order[b]) for a, b in warm_pairs(arrangement, n)])
    size = len(order)
    row, column = (np.concatenate([rows[:, k], rows[:, 1 - k], np.arange(size)]) for k in (0, 1))
    shares = np.concatenate([np.full(2 * len(rows), crosstalk), np.ones(size)])
    return coo_array((shares, (row, column)), shape=(size, size)).tocsr()

"""One mesh as built: its blocks, their couplers and losses, and the matrix that phases make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.components.meshes import PLACES, Arrangement, dark_guides
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.decomposition import MeshPhases, matrix_of_blocks, pairs_of
from photosim.training.devices.mesh_paths import Passage, send, unsigned

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Blocks:
    """K blocks as built, arrays of shape (K,), at one wavelength.

    split, join: power that crosses the first and second coupler.  passed: amplitude that both let through.
    outer, inner: amplitude of the shifters.  turn: phase that acts per phase set.  outer_offset,
    inner_offset: phases in rad that the shifters have when none is set.
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
        """Return the phases that act where these are set."""
        return self.turn * theta + self.inner_offset, self.turn * phi + self.outer_offset

    def set_for(self, theta: FloatArray, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the phases to set for these to act, if the shifters had none of their own."""
        return theta / self.turn, phi / self.turn

    def matrices(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return the blocks' matrices (K, 2, 2), outputs by inputs, for phases that act (K,) in rad."""
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
        """Return what attenuators pass, and d/dtheta and d/dphi of it, phases set: shape (3, K)."""
        theta, phi = self.acting(theta, phi)
        straight = np.sqrt((1.0 - self.split) * (1.0 - self.join))
        by_theta = self.passed * self.outer * self.inner * straight * np.exp(1j * (theta + phi))
        passed = self.matrices(theta, phi)[:, 0, 0]
        return np.stack([passed, 1j * self.turn * by_theta, 1j * self.turn * passed])

    def drawn(self, coupling: float, offset: float, rng: np.random.Generator) -> Blocks:
        """Return blocks whose couplers and phases miss these by normal errors, drawn once."""
        split, join = (
            np.clip(power + coupling * rng.standard_normal(power.shape), 0.0, 1.0)
            for power in (self.split, self.join)
        )
        inner, outer = (
            phase + offset * rng.standard_normal(phase.shape) if offset else phase
            for phase in (self.inner_offset, self.outer_offset)
        )
        return replace(self, split=split, join=join, inner_offset=inner, outer_offset=outer)

    def settings(self, names: list[str]) -> dict[str, dict[str, float]]:
        """Return the couplings as settings of the blocks of these names."""
        return {
            name: {"coupling": float(split), "coupling_join": float(join)}
            for name, split, join in zip(names, self.split, self.join, strict=True)
        }


@dataclass(frozen=True)
class OneMesh:
    """One mesh of n guides with ports as built.

    blocks: K of them.  end: amplitude of the output shifters (n,).  end_turn: phase that acts per phase set;
    end_offset acts if none is.  leak: share of the phase set at shifter j (column) that shifter i (row)
    gets, sparse, shape (2 K + n,) * 2 in the order theta, phi, end; None where each keeps its heat.
    """

    arrangement: Arrangement
    blocks: Blocks
    end: FloatArray
    end_turn: FloatArray
    end_offset: FloatArray
    leak: Any = None

    @property
    def dark(self) -> int:
        """Guides before those with ports."""
        return dark_guides(self.arrangement, self.end.size)

    @cached_property
    def pairs(self) -> NDArray[np.uint64]:
        """The two guides of each block, shape (K, 2)."""
        return unsigned(pairs_of(self.arrangement, self.end.size))

    @cached_property
    def parts(self) -> FloatArray:
        """What each block is made of, shape (K, 7), as the kernels of batches want it."""
        blocks = self.blocks
        bars = [np.sqrt(1.0 - power) for power in (blocks.split, blocks.join)]
        crosses = [np.sqrt(power) for power in (blocks.split, blocks.join)]
        couplers = [bars[0], crosses[0], bars[1], crosses[1]]
        return np.stack([*couplers, blocks.passed, blocks.inner, blocks.outer], axis=-1)

    @cached_property
    def turns(self) -> FloatArray:
        """Phase that acts per phase set, shape (2 K + n,): theta, phi, end."""
        return np.concatenate([self.blocks.turn, self.blocks.turn, self.end_turn])

    @cached_property
    def offsets(self) -> FloatArray:
        """Phases that act where none is set, in the same order."""
        return np.concatenate([self.blocks.inner_offset, self.blocks.outer_offset, self.end_offset])

    def acting(self, phases: MeshPhases) -> FloatArray:
        """Return the phases that act, in the same order, where these are set."""
        given = np.concatenate([phases.theta, phases.phi, phases.end])
        leaked = given if self.leak is None else self.leak @ given
        return np.asarray(self.turns * leaked + self.offsets)

    def parted(self, angles: FloatArray) -> MeshPhases:
        """Return angles in the order theta, phi, end as phases of the mesh."""
        count = self.blocks.turn.size
        return MeshPhases(self.arrangement, angles[:count], angles[count : 2 * count], angles[2 * count :])

    def send(self, phases: MeshPhases, x: Any) -> Passage:
        """Send a batch of fields x (batch, n) through, phases set; its outputs can give the gradient."""
        return send(self, phases, x)

    def matrix(self, phases: MeshPhases) -> ComplexArray:
        """Return the matrix (n, n), outputs by inputs, of phases set."""
        acting = self.parted(self.acting(phases))
        blocks = self.blocks.matrices(acting.theta, acting.phi)
        return matrix_of_blocks(self.arrangement, blocks, self.end * np.exp(1j * acting.end))

    def set_for(self, wanted: MeshPhases) -> MeshPhases:
        """Return the phases to set, at wl0, so that the wanted ones act at the mesh's wavelength.

        As if shifters had no phases of their own and kept their heat.
        """
        return self.parted(np.concatenate([wanted.theta, wanted.phi, wanted.end]) / self.turns)

    def drawn(self, coupling: float, offset: float, crosstalk: float, rng: np.random.Generator) -> OneMesh:
        """Return the mesh with normal errors of couplers and phases drawn, and heat that leaks."""
        blocks = self.blocks.drawn(coupling, offset, rng)
        end = self.end_offset + offset * rng.standard_normal(self.end.shape) if offset else self.end_offset
        leak = leaking(self.arrangement, self.end.size, crosstalk) if crosstalk else self.leak
        return replace(self, blocks=blocks, end_offset=end, leak=leak)

    def settings(self, phases: MeshPhases) -> dict[str, Any]:
        """Return phases, as they act, and couplings as settings of the component."""
        own = self.parted(self.acting(phases) / self.turns).settings()
        couplings = self.blocks.settings([name for name in own if name.startswith("m")])
        return {name: {**values, **couplings.get(name, {})} for name, values in own.items()}


def leaking(arrangement: Arrangement, n: int, crosstalk: float) -> Any:
    """Return the matrix of leaking heat: shifters also get `crosstalk` of their nearest neighbours' phases.

    Those are the shifters before and after it on its guide, and above and below in its column.
    """
    from scipy.sparse import coo_array

    places = PLACES[arrangement](n)
    end, dark = 2 * (1 + max(column for column, _ in places)), dark_guides(arrangement, n)
    spots = [(2 * column + 1, mode) for column, mode in places]
    spots += [(2 * column, mode) for column, mode in places]
    spots += [(end, dark + k) for k in range(n)]
    order = {spot: k for k, spot in enumerate(spots)}
    by_guide, by_column = sorted(order, key=lambda spot: (spot[1], spot[0])), sorted(order)
    pairs = [(a, b) for a, b in pairwise(by_guide) if a[1] == b[1]]
    pairs += [(a, b) for a, b in pairwise(by_column) if a[0] == b[0]]
    rows = np.array([(order[a], order[b]) for a, b in pairs]).reshape(-1, 2)
    size = len(spots)
    row, column = (np.concatenate([rows[:, k], rows[:, 1 - k], np.arange(size)]) for k in (0, 1))
    shares = np.concatenate([np.full(2 * len(rows), crosstalk), np.ones(size)])
    return coo_array((shares, (row, column)), shape=(size, size)).tocsr()

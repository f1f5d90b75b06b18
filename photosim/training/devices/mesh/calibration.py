"""Calibration of a mesh from power readings at taps inside it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.bounds import check_number
from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.mesh.blocks import OneMesh
from photosim.training.devices.mesh.correction import STEPS, fringe
from photosim.training.devices.mesh.decomposition import MeshPhases


@dataclass(frozen=True)
class Readings:
    """Powers relative to the input: inner (K,) behind inner shifters, outputs (K, 2) behind blocks."""

    inner: FloatArray
    outputs: FloatArray


@dataclass(frozen=True)
class PowerTaps:
    """A mesh with unknown errors and power taps: phases can be set, and powers can be read.

    hidden: the true mesh.  design: the mesh without errors, with the same arrangement.  noise: relative
    standard deviation of a reading.  counters: number of readings.
    """

    hidden: OneMesh
    design: OneMesh
    noise: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    counters: Counter[str] = field(default_factory=Counter, compare=False)

    def __post_init__(self) -> None:
        check_arguments(PowerTaps.__init__, vars(self))
        check_number(self, 0.0, noise=self.noise)

    def read(self, x: Any, phases: MeshPhases) -> Readings:
        """Return the readings of the taps for normalised input fields x (n,) and these phases."""
        mesh = self.hidden
        acting = mesh.parted(mesh.acting(mesh.held(phases)))
        blocks = mesh.blocks.matrices(acting.theta, acting.phi)
        shares = np.sqrt(1.0 - mesh.blocks.split), 1j * np.sqrt(mesh.blocks.split)
        outer = mesh.blocks.outer * np.exp(1j * acting.phi)
        light = np.zeros(mesh.dark + mesh.end.size, dtype=np.complex128)
        light[mesh.dark :] = np.asarray(x) / np.linalg.norm(x)
        inner, outputs = np.empty(len(blocks)), np.empty((len(blocks), 2))
        for k, pair in enumerate(mesh.pairs.astype(int)):
            arriving = light[pair]
            arm = shares[0][k] * outer[k] * arriving[0] + shares[1][k] * arriving[1]
            inner[k] = abs(mesh.blocks.inner[k] * arm) ** 2
            light[pair] = blocks[k] @ arriving
            outputs[k] = np.abs(light[pair]) ** 2
        self.counters["readings"] += 1
        return Readings(self._seen(inner), self._seen(outputs))

    def _seen(self, power: FloatArray) -> FloatArray:
        if not self.noise:
            return power
        return np.asarray(power * (1.0 + self.noise * self.rng.standard_normal(power.shape)))


def calibrated(taps: PowerTaps) -> OneMesh:
    """Return the mesh with couplers and phase offsets that are calibrated from the readings of its taps.

    The blocks are calibrated one after the other along the light, with eight readings each. With the blocks
    known so far, the input is chosen so that one guide of the next block is lit, or both. One lit guide gives
    the first coupler, from the power in the inner arm; two lit guides give the outer phase, from a fringe of
    phi; a dark inner arm gives the second coupler; one lit guide gives the inner phase, from a fringe of
    theta. Phases of the outputs do not show in powers and stay 0. Left out: losses, which must be small or
    the same on all paths, and thermal crosstalk. Raises ParameterError for a mesh with thermal crosstalk, and
    for a diamond.
    """
    design = taps.design
    if design.dark:
        message = f"Light from the inputs cannot be sent to every block of a {design.arrangement} mesh alone."
        raise ParameterError(message)
    if taps.hidden.leak is not None:
        message = "Calibration takes one shifter after the other, so heat must not leak between them."
        raise ParameterError(message)
    count, n = design.blocks.turn.size, design.end.size
    found = {name: np.zeros(count) for name in ("split", "join", "inner_offset", "outer_offset")}
    before = np.eye(design.dark + n, dtype=np.complex128)[:, design.dark :]
    for k, pair in enumerate(design.pairs.astype(int)):
        _one_block(taps, k, before[pair], found)
        known = replace(design.blocks, **found)
        block = known.matrices(*known.acting(np.zeros(count), np.zeros(count)))[k]
        before[pair] = block @ before[pair]
    return replace(design, blocks=replace(design.blocks, **found))


def _one_block(taps: PowerTaps, k: int, ways: ComplexArray, found: dict[str, FloatArray]) -> None:
    """Find what block k is made of; ways (2, n): from the inputs to its two guides, no phases set."""
    design = taps.design
    count, n, turn = design.blocks.turn.size, design.end.size, design.blocks.turn[k]

    def read(light: Any, theta: float = 0.0, phi: float = 0.0) -> tuple[float, float]:
        """Return the shares of the block's light in its inner arm and at its upper output."""
        phases = MeshPhases(design.arrangement, np.zeros(count), np.zeros(count), np.zeros(n))
        phases.theta[k], phases.phi[k] = theta / turn, phi / turn
        seen = taps.read(np.asarray(light) @ ways.conj(), phases)
        top, low = seen.outputs[k]
        return float(seen.inner[k] / (top + low)), float(top / (top + low))

    split = 1.0 - read([1.0, 0.0])[0]
    found["split"][k] = np.clip(split, 0.0, 1.0)
    # |ts e^(i(phi + offset)) + i ks|^2 / 2 = (1 + 2 ts ks sin(phi + offset)) / 2
    both = fringe([read([1.0, 1.0], phi=step)[0] for step in STEPS])
    outer = both[2] + 0.5 * np.pi
    found["outer_offset"][k] = np.angle(np.exp(1j * outer))
    # The inner arm stays dark for ts e^(i offset) x_a + i ks x_b = 0.
    dark = [-1j * np.sqrt(split) * np.exp(-1j * outer), np.sqrt(1.0 - split)]
    join = read(dark)[1]
    found["join"][k] = np.clip(join, 0.0, 1.0)
    # |tj ts e^(i(theta + offset)) - kj ks|^2
    straight = fringe([read([1.0, 0.0], theta=step)[1] for step in STEPS])
    found["inner_offset"][k] = np.angle(np.exp(1j * (straight[2] + np.pi)))

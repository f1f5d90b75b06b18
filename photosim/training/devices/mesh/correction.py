"""Programming of imperfect meshes: block by block from known errors, or by powers read inside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.mesh.decomposition import MeshPhases

if TYPE_CHECKING:
    from photosim.training.devices.mesh.blocks import Blocks, OneMesh
    from photosim.training.devices.mesh.calibration import PowerTaps

_SMALL = 1e-12
"""Amplitude below which a phase means nothing."""


def corrected(mesh: OneMesh, wanted: MeshPhases) -> MeshPhases:
    """Return the phases to set so that a mesh with known errors does what `wanted` does in an ideal one.

    Local correction (bandyopadhyay2021): each block divides the power as the ideal block does, as far as its
    couplers allow, and the outer shifters of the next blocks and of the outputs compensate the phases that it
    adds. The correction is exact if each block can divide the power as wanted and if all paths have the same
    loss. Thermal crosstalk and phase offsets are taken into account.
    """
    phases = (_acting(mesh, wanted) - mesh.offsets) / mesh.turns
    return mesh.parted(phases if mesh.leak is None else _leaking(mesh, phases))


def _leaking(mesh: OneMesh, wanted: FloatArray) -> FloatArray:
    """Return phases from 0 to a turn that leak to these, whole turns apart.

    A phase that would lie outside is wanted a turn higher or lower, the worst one first, until none does.
    """
    from scipy.sparse.linalg import splu

    turn = 2.0 * np.pi / mesh.turns
    solve = splu(mesh.leak.tocsc()).solve
    wanted = np.mod(wanted, turn)
    for _ in range(4 * wanted.size):
        phases = solve(wanted)
        outside = np.maximum(-phases, phases - turn)
        worst = int(np.argmax(outside))
        if outside[worst] <= 0.0:
            break
        wanted[worst] += turn[worst] if phases[worst] < 0.0 else -turn[worst]
    return np.asarray(phases)


def _acting(mesh: OneMesh, wanted: MeshPhases) -> FloatArray:
    """Return the phases that should act, in the order theta, phi, end."""
    blocks = mesh.blocks
    theta = reachable(blocks, np.sin(wanted.theta / 2.0) ** 2)
    ideal = np.stack([np.sin(wanted.theta / 2.0), np.cos(wanted.theta / 2.0)])
    whole = 1j * np.exp(0.5j * wanted.theta)
    made = blocks.matrices(theta, np.zeros_like(theta))
    count, guides = theta.size, mesh.dark + mesh.end.size
    phi, carried = np.empty(count), np.zeros(guides)
    for k, (a, b) in enumerate(mesh.pairs.astype(int)):
        s, c = whole[k] * ideal[0, k], whole[k] * ideal[1, k]
        turned, top, low = _phases(made[k], np.array([[s, c], [c, -s]]))
        phi[k] = wanted.phi[k] - turned - carried[a] + carried[b]
        carried[a], carried[b] = carried[b] + top, carried[b] + low
    return np.concatenate([theta, phi, wanted.end - carried[mesh.dark :]])


def reachable(blocks: Blocks, share: FloatArray) -> FloatArray:
    """Return the inner phases (K,) for these fractions of power in the bar state, or the nearest possible."""
    straight = np.sqrt((1.0 - blocks.split) * (1.0 - blocks.join)) * blocks.inner
    twice = np.sqrt(blocks.split * blocks.join)
    total = (1.0 - blocks.split) * blocks.inner**2 + blocks.split
    product = 2.0 * straight * twice
    cosine = (straight**2 + twice**2 - share * total) / np.where(product > 0.0, product, 1.0)
    return np.asarray(np.arccos(np.clip(cosine, -1.0, 1.0)))


def _phases(made: ComplexArray, ideal: ComplexArray) -> tuple[float, float, float]:
    """Return phases (v, u1, u2) such that made = diag(e^iu1, e^iu2) ideal diag(e^iv, 1), moduli apart."""
    off = np.where((np.abs(made) > _SMALL) & (np.abs(ideal) > _SMALL), np.angle(made * ideal.conj()), np.nan)
    # A block that keeps or crosses all its light leaves one of them free.
    turned = off[1, 0] - off[1, 1] if np.isfinite(off[1]).all() else off[0, 0] - off[0, 1]
    turned = turned if np.isfinite(turned) else 0.0
    top = off[0, 1] if np.isfinite(off[0, 1]) else off[0, 0] - turned
    low = off[1, 1] if np.isfinite(off[1, 1]) else off[1, 0] - turned
    return float(turned), float(top), float(low)


STEPS = 2.0 * np.pi * np.arange(3) / 3.0
"""Phases in rad at which a fringe is read."""


def fringe(readings: Any) -> tuple[float, float, float]:
    """Return mean, swing and phase of mean + swing cos(x + phase) from readings at x = STEPS."""
    wave = np.sum(np.asarray(readings) * np.exp(1j * STEPS)) * 2.0 / 3.0
    return float(np.mean(readings)), float(abs(wave)), float(-np.angle(wave))


def self_configured(taps: PowerTaps, unitary: Any, rounds: int = 4) -> MeshPhases:
    """Return phases for which a triangular mesh with unknown errors is nearest to a unitary matrix.

    Self-configuration (miller2013): the input is the conjugate of the last row of the matrix, and the blocks
    on its path send all light to the last guide by making their upper output dark. The next row goes to the
    last guide but one, and so on. Each block needs six power readings in a round. The phases of the outputs
    do not show in powers and stay 0. Raises ParameterError for another arrangement.
    """
    mesh = taps.design
    if mesh.arrangement != "reck":
        message = f"Self-configuration is for a triangular mesh, reck, got {mesh.arrangement!r}."
        raise ParameterError(message)
    rows = np.asarray(unitary, dtype=np.complex128)
    n, count = mesh.end.size, mesh.blocks.turn.size
    theta, phi = np.full(count, np.pi), np.zeros(count)
    order = {place: k for k, place in enumerate(MeshPhases("reck", theta, phi, np.zeros(n)).places)}
    for row in range(n - 1, 0, -1):
        for m in range(row):
            k = order[2 * (n - 1 - row) + m, m]

            def dark(values: FloatArray, angle: float, k: int = k, row: int = row) -> float:
                values[k] = angle / mesh.blocks.turn[k]
                taken = MeshPhases("reck", theta, phi, np.zeros(n))
                return float(taps.read(rows[row].conj(), taken).outputs[k, 0])

            # The upper output is a fringe of either phase; of uneven couplers one minimum moves the other.
            turn = mesh.blocks.turn[k]
            theta[k] = 0.5 * np.pi
            for _ in range(rounds):
                phi[k] = (np.pi - fringe([dark(phi, step) for step in STEPS])[2]) / turn
                theta[k] = (np.pi - fringe([dark(theta, step) for step in STEPS])[2]) / turn
    return MeshPhases("reck", theta, phi, np.zeros(n))

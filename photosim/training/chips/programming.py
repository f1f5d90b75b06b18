"""Voltages that make a chip of known numbers do what a unitary matrix says."""

from __future__ import annotations

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.chips.model import Model, Numbers
from photosim.training.devices.mesh.blocks import Blocks, OneMesh
from photosim.training.devices.mesh.correction import corrected
from photosim.training.devices.mesh.decomposition import MeshPhases, decompose

_TURNS = 200


def phases_for(model: Model, numbers: Numbers, unitary: ComplexArray, *, rounds: int = 100) -> FloatArray:
    """Return phases (2 K,) that should act so that the chip is as near to a unitary (n, n) as it can be.

    Corrected block by block for couplers as they are, then all phases together by descent on the overlap with
    the wanted matrix; phases of the inputs and outputs, which no reading shows, are free. Raises
    ParameterError for a matrix that is not a unitary of this size.
    """
    wiring, n = model.wiring, model.wiring.n
    wanted = np.asarray(unitary, dtype=np.complex128)
    if wanted.shape != (n, n):
        message = f"This chip holds unitary matrices ({n}, {n}), got shape {wanted.shape}."
        raise ParameterError(message)
    mesh = known_mesh(model, numbers)
    phases = corrected(mesh, decompose(wanted, wiring.arrangement))
    if not rounds:
        return np.concatenate([phases.theta, phases.phi])
    from scipy.optimize import minimize

    k, eye = wiring.blocks, np.eye(n, dtype=np.complex128)

    def distance(row: FloatArray) -> tuple[float, FloatArray]:
        """Return minus the overlap, with phases of inputs and outputs, and its derivatives."""
        turn = np.exp(1j * row[2 * k + n :])
        passage = mesh.send(_parted(wiring.arrangement, row[: 2 * k + n], k), eye)
        made = passage.outputs.T * turn
        overlap = np.vdot(wanted, made)
        norm = np.linalg.norm(made)
        value = abs(overlap) / norm / np.sqrt(n)
        # Cotangent of the matrix: d|<w, m>| / |m|, Re and Im.
        sign = overlap / abs(overlap)
        by_made = (wanted * sign / norm - abs(overlap) / norm**3 * made) / np.sqrt(n)
        by_turn = np.imag(np.sum(made * by_made.conj(), axis=0)) * -1.0
        back = passage.gradient((by_made * turn.conj()).T)
        slope = np.concatenate([back.theta, back.phi, back.end, by_turn])
        return -float(value), -slope

    first = np.concatenate([phases.theta, phases.phi, phases.end, np.zeros(n)])
    found = minimize(distance, first, jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    return np.asarray(found.x[: 2 * k])


def powers_for(model: Model, numbers: Numbers, phases: FloatArray) -> FloatArray:
    """Return powers (H,), in units of the design's for pi, that give the blocks' heaters these phases.

    Whole turns apart: those that keep every power within what the drivers can give, the ends at rest.
    """
    inner = 2 * model.wiring.blocks
    heat = model.heat(numbers)[:, :inner]
    scale = np.pi * np.exp(-numbers.per_pi)
    turn = 2.0 * np.pi / scale
    wanted = np.mod((phases - numbers.offset) / scale, turn)
    inverse = np.linalg.inv(heat)
    most = model.wiring.most
    powers = inverse @ wanted
    for _ in range(_TURNS * inner):
        outside = np.maximum(-powers, powers - most)
        worst = int(np.argmax(outside))
        if outside[worst] <= 0.0:
            break
        change = turn[worst] if powers[worst] < 0.0 else -turn[worst]
        wanted[worst] += change
        powers = powers + inverse[:, worst] * change
    return np.concatenate([np.clip(powers, 0.0, most), np.zeros(model.wiring.n)])


def known_mesh(model: Model, numbers: Numbers) -> OneMesh:
    """Return the mesh of these numbers, whose phases are those that act."""
    k, n = model.wiring.blocks, model.wiring.n
    one, none = np.ones(k), np.zeros(k)
    blocks = Blocks(
        np.sin(numbers.split) ** 2,
        np.sin(numbers.join) ** 2,
        one,
        np.exp(numbers.loss[k:]),
        np.exp(numbers.loss[:k]),
        one,
        none,
        none,
    )
    return OneMesh(model.wiring.arrangement, blocks, np.ones(n), np.ones(n), np.zeros(n))


def _parted(arrangement: str, row: FloatArray, k: int) -> MeshPhases:
    return MeshPhases(arrangement, row[:k], row[k : 2 * k], row[2 * k :])  # type: ignore[arg-type]

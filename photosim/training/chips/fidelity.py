"""How near two matrices are when nobody sees the phases of inputs and outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.errors import ParameterError

STARTS = 8
ROUNDS = 200


def fidelity(made: Any, wanted: Any) -> float:
    """Return |tr(U^H V)|^2 / (tr U^H U tr V^H V), the largest over diagonal input and output phases of U.

    made, wanted: U and V, each of shape (n, n). The fidelity is 1 if they differ only by such phases and a
    factor. The maximum is found by alternating between input and output phases, from several starts.

    >>> import numpy as np
    >>> round(fidelity(np.eye(2), np.diag([1.0, 1j])), 12)
    1.0
    """
    u, v = np.asarray(made, dtype=np.complex128), np.asarray(wanted, dtype=np.complex128)
    if u.shape != v.shape or u.ndim != 2:
        message = f"fidelity compares two matrices of one shape, got {u.shape} and {v.shape}."
        raise ParameterError(message)
    overlap = u.conj() * v
    rng, best = np.random.default_rng(0), 0.0
    for start in range(STARTS):
        turn = np.exp(2j * np.pi * rng.random(u.shape[1])) if start else np.ones(u.shape[1])
        before = 0.0
        for _ in range(ROUNDS):
            rows = overlap @ turn
            columns = overlap.T @ np.exp(-1j * np.angle(rows))
            turn, found = np.exp(-1j * np.angle(columns)), float(np.abs(columns).sum())
            if found - before < 1e-13 * found:
                break
            before = found
        best = max(best, found)
    norm = float(np.vdot(u, u).real * np.vdot(v, v).real)
    return best**2 / norm if norm > 0.0 else 0.0

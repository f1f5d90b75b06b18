"""The independent reference of the engine: a dense solve of the same parts by numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.model import ClosedForm, Numerical


def dense_solve(circuit: ps.Circuit, wl: Any, **settings: dict[str, Any]) -> Any:
    """Return S (W, P, P) between the exposed ports by one dense LAPACK solve a wavelength.

    Waves a that arrive and b that leave obey b = S a and a = C b + e; nothing
    of the plan, the kernels or the generated code is used.
    """
    grid = np.atleast_1d(np.asarray(wl, dtype=float))
    graph = circuit.graph
    size = len(graph.partner)
    parts = np.zeros((len(grid), size, size), dtype=complex)
    for part in graph.parts:
        if isinstance(part.model, ClosedForm | Numerical):
            given = {n: graph.bindings.value(f"{part.name}.{n}") for n in part.written} | settings.get(
                part.name, {}
            )
            at = slice(part.first_port, part.first_port + len(part.ports))
            parts[:, at, at] = part.model.s(grid, **given)
    joined = np.flatnonzero(graph.partner >= 0)
    connection = np.zeros((size, size))
    connection[joined, graph.partner[joined]] = 1.0
    outer = list(graph.exposed.values())
    excited = np.zeros((size, len(outer)))
    excited[outer, np.arange(len(outer))] = 1.0
    waves = np.linalg.solve(np.eye(size) - parts @ connection, parts @ excited)
    return waves[:, outer]


@pytest.fixture(scope="session")
def dense() -> Callable[..., Any]:
    """Give tests the reference as a fixture: test files cannot import each other."""
    return dense_solve

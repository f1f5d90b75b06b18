"""An independent way to solve a circuit: all waves of all parts at once, by LAPACK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.model import ClosedForm, Numerical

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit


def dense(circuit: Circuit, wl: ArrayLike, **settings: dict[str, Any]) -> NDArray[np.complex128]:
    """Return S (W, P, P) between the exposed ports by one dense solve a wavelength, wl (W,) in um.

    Waves a that arrive and b that leave obey b = S a and a = C b + e; nothing of the plan, the kernels or
    the generated code is used. Memory grows with the square of the number of all ports.
    """
    grid = np.atleast_1d(np.asarray(wl, dtype=float))
    graph = circuit.graph
    size = len(graph.partner)
    parts = np.zeros((len(grid), size, size), dtype=np.complex128)
    for part in graph.parts:
        if isinstance(part.model, ClosedForm | Numerical):
            written = {name: graph.bindings.value(f"{part.name}.{name}") for name in part.written}
            at = slice(part.first_port, part.first_port + len(part.ports))
            parts[:, at, at] = part.model.s(grid, **{**written, **settings.get(part.name, {})})
    joined = np.flatnonzero(graph.partner >= 0)
    connection = np.zeros((size, size))
    connection[joined, graph.partner[joined]] = 1.0
    outer = list(graph.exposed.values())
    excited = np.zeros((size, len(outer)))
    excited[outer, np.arange(len(outer))] = 1.0
    waves = np.linalg.solve(np.eye(size) - parts @ connection, parts @ excited)
    return np.asarray(waves[:, outer], dtype=np.complex128)

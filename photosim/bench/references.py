"""Plain solvers of the same equations: every wavelength alone, by dense LAPACK or sparse SuperLU.

Waves a that arrive at the ports of all parts and b that leave them obey
b = S a and a = C b + e, with C the connections and e the light that enters.
Both solvers get (I - S C) b = S e and use nothing of the plan or of the
generated kernels; they keep the S-matrices of parts whose settings stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import owner
from photosim.model import ClosedForm, Numerical

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

DENSE_BYTES = 1 << 28
"""Dense matrices that are solved in one call of numpy take this much together."""


class Assembled:
    """The S-matrices of all parts of a circuit over a sweep, and how they are joined."""

    def __init__(self, circuit: Circuit, wl: NDArray[np.float64]) -> None:
        self.wl = wl
        self.circuit = circuit
        self.graph = circuit.graph
        self.size = len(self.graph.partner)
        self.outer = np.array(list(self.graph.exposed.values()))
        self._parts = [part for part in self.graph.parts if isinstance(part.model, ClosedForm | Numerical)]
        self._matrices = {part.name: self._matrix(part, {}) for part in self._parts}
        self._find_pattern()

    def _matrix(self, part: Any, changed: dict[str, Any]) -> NDArray[np.complex128]:
        compiled, point = self.circuit.at(changed)
        found: NDArray[np.complex128] = part.model.s(self.wl, **compiled.parts.settings_of(part, point))
        return found

    def _find_pattern(self) -> None:
        """Note which elements are not zero: row and column in S, and which of them meet a connection."""
        blocks = [np.nonzero(np.abs(m).max(axis=0)) for m in self._matrices.values()]
        firsts = [part.first_port for part in self._parts]
        self._own = dict(zip(self._matrices, blocks, strict=True))
        self.rows = np.concatenate([i + f for (i, _), f in zip(blocks, firsts, strict=True)])
        self.columns = np.concatenate([j + f for (_, j), f in zip(blocks, firsts, strict=True)])
        joined = self.graph.partner[self.columns]
        self.inner = np.flatnonzero(joined >= 0)
        self.after = joined[self.inner]
        entry = np.full(self.size, -1)
        entry[self.outer] = np.arange(len(self.outer))
        self.driven = np.flatnonzero(entry[self.columns] >= 0)
        self.input = entry[self.columns[self.driven]]

    def change(self, tuned: str, value: float) -> None:
        """Change one setting, "inst.setting", and evaluate its part again."""
        name, _ = owner(tuned)
        self._matrices[name] = self._matrix(self.graph.part(name), {tuned: value})

    def elements(self) -> NDArray[np.complex128]:
        """Return the elements that are not zero, (W, n)."""
        pieces = [m[:, self._own[name][0], self._own[name][1]] for name, m in self._matrices.items()]
        return np.concatenate(pieces, axis=1)


def dense(parts: Assembled) -> NDArray[np.complex128]:
    """Return S (W, P, P) between the exposed ports by numpy.linalg.solve."""
    elements, size = parts.elements(), parts.size
    out = np.empty((len(parts.wl), len(parts.outer), len(parts.outer)), dtype=np.complex128)
    step = max(1, DENSE_BYTES // (16 * size * size))
    for start in range(0, len(parts.wl), step):
        now = elements[start : start + step]
        matrix = np.zeros((len(now), size, size), dtype=np.complex128)
        matrix[:] = np.eye(size)
        matrix[:, parts.rows[parts.inner], parts.after] -= now[:, parts.inner]
        light = np.zeros((len(now), size, len(parts.outer)), dtype=np.complex128)
        light[:, parts.rows[parts.driven], parts.input] = now[:, parts.driven]
        out[start : start + step] = np.linalg.solve(matrix, light)[:, parts.outer]
    return out


def sparse(parts: Assembled) -> NDArray[np.complex128]:
    """Return S (W, P, P) between the exposed ports by one SuperLU factorisation for each wavelength."""
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    elements, size = parts.elements(), parts.size
    diagonal = np.arange(size)
    rows = np.concatenate([parts.rows[parts.inner], diagonal])
    columns = np.concatenate([parts.after, diagonal])
    order = np.lexsort((rows, columns))
    starts = np.searchsorted(columns[order], np.arange(size + 1)).astype(np.int32)
    rows = rows[order].astype(np.int32)
    out = np.empty((len(parts.wl), len(parts.outer), len(parts.outer)), dtype=np.complex128)
    for w, now in enumerate(elements):
        data = np.concatenate([-now[parts.inner], np.ones(size)])[order]
        light = np.zeros((size, len(parts.outer)), dtype=np.complex128)
        light[parts.rows[parts.driven], parts.input] = now[parts.driven]
        out[w] = splu(csc_array((data, rows, starts), shape=(size, size))).solve(light)[parts.outer]
    return out

"""The comparison of `photosim bench`: the same sweeps by photosim, by dense LAPACK and by SuperLU."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bench import circuits, references
from photosim.bench.measuring import cpu_seconds, median_seconds, one_thread
from photosim.circuit import Circuit
from photosim.errors import PhotosimWarning

if TYPE_CHECKING:
    from photosim.bench.circuits import Case

PATIENCE = 5e10
"""Dense solves that take more than this many operations are left out: SuperLU is far ahead there."""


@dataclass(frozen=True)
class Row:
    """CPU seconds of one sweep after one setting has changed; None where it was left out.

    `plan` is the time from the netlist to the first result, kernels loaded.
    `difference` is the largest one between photosim and SuperLU in any
    S-matrix element, of modulus up to 1.
    """

    case: str
    parts: int
    ports: int
    wavelengths: int
    plan: float
    photosim: float
    sparse: float
    dense: float | None
    difference: float

    @property
    def times_faster(self) -> float:
        """How many times longer the faster of the two plain solvers takes."""
        return min(self.sparse, self.dense or self.sparse) / self.photosim

    def plain(self) -> dict[str, Any]:
        """Return the row as plain JSON types, times in seconds."""
        return {**asdict(self), "times_faster": self.times_faster}


def cases(seed: int, *, quick: bool) -> list[Case]:
    """Return the circuits compared; with `quick` those that take a second together."""
    if quick:
        return [circuits.ring(1000), circuits.lattice(10, 200, seed), circuits.mesh(8, 20, seed)]
    return [
        circuits.ring(10_000),
        circuits.lattice(10, 10_000, seed),
        circuits.bus(10, 2_000),
        circuits.chain(100, 200),
        circuits.mesh(8, 1_000, seed),
        circuits.mesh(16, 100, seed),
        circuits.mesh(32, 20, seed),
        circuits.mesh(16, 20, seed, reflection_dB=-40.0),
    ]


def compare(chosen: list[Case], progress: Callable[[str, int, int], None]) -> list[Row]:
    """Measure every case on one thread and return its row; reports progress after each."""
    rows = []
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        for case in chosen:
            rows.append(compare_case(case))
            progress("circuits", len(rows), len(chosen))
    return rows


def compare_case(case: Case) -> Row:
    """Measure one case; all solvers change the same setting before every sweep and return all of S."""
    wl = case.wl
    Circuit(case.netlist)(wl[:1])  # loads the kernels of its parts
    (circuit, _), plan = cpu_seconds(lambda: _first(case))
    last = {"k": 0}

    def sweep(k: int) -> Any:
        last["k"] = k
        return circuit(wl, **{case.tuned: case.value(k)})

    photosim = median_seconds(sweep)
    parts = references.Assembled(circuit, wl)

    def plain(solver: Callable[[references.Assembled], Any]) -> Callable[[int], Any]:
        def work(k: int) -> Any:
            parts.change(case.tuned, case.value(k))
            return solver(parts)

        return work

    sparse = median_seconds(plain(references.sparse), enough=0.0)
    operations = len(wl) * float(parts.size) ** 3
    dense = median_seconds(plain(references.dense), 1, enough=0.0) if operations < PATIENCE else None
    parts.change(case.tuned, case.value(last["k"]))
    difference = np.abs(references.sparse(parts) - sweep(last["k"]).values).max()
    ports = len(circuit.ports)
    return Row(
        case.name, len(circuit.graph.parts), ports, len(wl), plan, photosim, sparse, dense, float(difference)
    )


def _first(case: Case) -> tuple[Circuit, Any]:
    circuit = Circuit(case.netlist)
    return circuit, circuit(case.wl)

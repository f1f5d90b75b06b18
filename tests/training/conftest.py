"""A small weight bank for all tests here, and a dense solver independent of plan and kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.circuit import Circuit
from photosim.model import ClosedForm, Instance, Netlist, Source, links
from photosim.training.devices import WeightBank
from photosim.training.devices.bank.circuit import BankCircuit, find_bank

FloatArray = NDArray[np.float64]
MakeBank = Callable[..., Circuit]


def small_bank(laser: dict[str, Any] | None = None, **bank: Any) -> Circuit:
    """A laser of 4 lines on a bank of 3 rows x 4 rings; keywords replace settings of the bank."""
    light = {"wl": 1.55, "power": 1e-3, "lines": 4, "spacing": 200e9, **(laser or {})}
    settings = {"rows": 3, "channels": 4, "spacing": 200e9, "coupling": 0.03, **bank}
    return Circuit(
        Netlist(
            instances={"laser": Instance("laser", light), "bank": Instance("weight_bank", settings)},
            connections=links("laser,o1:bank,o1"),
        )
    )


@pytest.fixture(scope="session")
def make_bank() -> MakeBank:
    """Build a small bank with other settings."""
    return small_bank


@pytest.fixture(scope="session")
def circuit() -> Circuit:
    """The small bank with its ordinary settings."""
    return small_bank()


@pytest.fixture(scope="session")
def hardware(circuit: Circuit) -> BankCircuit:
    """The small bank as the training layer sees it."""
    return find_bank(circuit, "bank")


@pytest.fixture(scope="session")
def bank(circuit: Circuit) -> WeightBank:
    """The small bank, calibrated, nothing programmed yet."""
    return WeightBank.from_circuit(circuit, "bank")


def dense_weights(circuit: Circuit, phases: FloatArray, others: dict[str, Any] | None = None) -> FloatArray:
    """Effective weights (M, N) in A for heater phases (M, N), from one dense linear system a wavelength.

    others: further settings of the circuit, nested.

    b = S a + source and a = C b, so b = (1 - S C)^-1 source: S holds the parts' own matrices on its
    diagonal, C joins ports. Nothing of plan, kernels or gradients is used.
    """
    rows, channels = phases.shape
    settings = {
        f"row{m}": {f"ring{n}": {"phase": phases[m, n]} for n in range(channels)} for m in range(rows)
    }
    graph = circuit.graph
    _, point = circuit.at({"bank": settings, **(others or {})})
    laser = graph.part(circuit.sources[0])
    model = laser.model
    assert isinstance(model, Source)
    wl, power = model.lines(**{k: graph.bindings.value(f"{laser.name}.{k}") for k in laser.written})
    size = len(graph.partner)
    matrix = np.zeros((wl.size, size, size), dtype=complex)
    for part in graph.parts:
        if isinstance(part.model, ClosedForm):
            given = {k: graph.bindings.value(f"{part.name}.{k}") for k in part.written}
            given |= {k: v for (name, k), v in point.changed.items() if name == part.name}
            ports = slice(part.first_port, part.first_port + len(part.ports))
            matrix[:, ports, ports] = part.model.s(wl, **given)
    joints = np.zeros((size, size))
    joined = graph.partner >= 0
    joints[np.flatnonzero(joined), graph.partner[joined]] = 1.0
    source = np.zeros(size)
    source[laser.first_port] = 1.0
    leaving = np.linalg.solve(
        np.eye(size) - matrix @ joints, np.broadcast_to(source[:, None], (wl.size, size, 1))
    )
    arriving = np.abs((joints @ leaving)[..., 0]) ** 2
    detectors = [graph.part(f"bank.row{m}.detector").first_port for m in range(rows)]
    return np.array([(arriving[:, p] - arriving[:, p + 1]) * power for p in detectors])


@pytest.fixture(scope="session")
def dense() -> Callable[..., FloatArray]:
    """The dense twin."""
    return dense_weights

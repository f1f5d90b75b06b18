"""Circuits against plain linear algebra, and their derivatives against differences."""

from __future__ import annotations

from typing import Any

import numpy as np

import photosim as ps
from photosim.bench.references import Assembled, dense
from tests.validation.rows import CIRCUITS, row

GALLERY = (
    "add_drop_ring", "all_pass_ring", "bragg_filter", "clements_4x4", "crow", "fabry_perot", "mzi_balanced",
    "mzi_lattice", "mzi_unbalanced", "polarization_diversity", "wdm_rings",
)  # fmt: skip
WL = np.linspace(1.54, 1.56, 41)


@row(
    CIRCUITS,
    "S-matrices of the gallery's circuits",
    "numpy's dense solve of the same parts",
    measure="amplitude",
    limit=1e-10,
)
def gallery_against_dense() -> float:
    return max(_off(ps.load(name)) for name in GALLERY)


def _off(circuit: ps.Circuit) -> float:
    return float(np.abs(circuit(WL).values - dense(Assembled(circuit, WL))).max())


@row(
    CIRCUITS,
    "20 random netlists of couplers, rings and mirrors",
    "numpy's dense solve of the same parts",
    measure="amplitude",
    limit=1e-9,
)
def random_netlists_against_dense() -> float:
    rng = np.random.default_rng(12)
    return max(_off(ps.Circuit(random_netlist(rng))) for _ in range(20))


def random_netlist(rng: np.random.Generator) -> dict[str, Any]:
    """Return a circuit whose ports are joined at random; those left over are exposed."""
    kinds: dict[str, tuple[dict[str, Any], int]] = {
        "coupler": ({"coupling": 0.3}, 4), "straight": ({"length": 37.0, "loss_dB_cm": 3.0}, 2),
        "ring_double": ({"radius": 8.0, "coupling": 0.2, "loss_dB_cm": 10.0}, 4),
        "reflector": ({"reflection": 0.4}, 2), "mmi1x2": ({}, 3),
    }  # fmt: skip
    names = [(f"p{k}", str(rng.choice([*kinds]))) for k in range(12)]
    instances = {name: {"component": kind, "settings": kinds[kind][0]} for name, kind in names}
    ports = [f"{name},o{k + 1}" for name, kind in names for k in range(kinds[kind][1])]
    rng.shuffle(ports)
    inner = len(ports) - 4 - len(ports) % 2
    joined = dict(zip(ports[:inner:2], ports[1:inner:2], strict=True))
    return {
        "instances": instances, "connections": joined,
        "ports": {f"x{k}": port for k, port in enumerate(ports[inner:])},
    }  # fmt: skip


@row(
    CIRCUITS,
    "a Clements mesh of 16 guides",
    "the product of its 120 blocks",
    measure="amplitude",
    limit=1e-12,
)
def mesh_against_product() -> float:
    n, rng = 16, np.random.default_rng(3)
    places = [(column, guide) for column in range(n) for guide in range(column % 2, n - 1, 2)]
    turns = dict(zip(places, rng.uniform(0, 6.28, (len(places), 2)).tolist(), strict=True))
    instances: dict[str, Any] = {}
    connections: dict[str, str] = {}
    whole = np.eye(n, dtype=complex)
    last = {guide: f"in{guide},o2" for guide in range(n)}
    instances |= {f"in{guide}": {"component": "straight", "settings": {"length": 0.0}} for guide in range(n)}
    for (column, guide), (theta, phi) in turns.items():
        name = f"b{column}_{guide}"
        instances[name] = {"component": "mzi_block", "settings": {"theta": theta, "phi": phi}}
        for k, (entry, leave) in enumerate((("in0", "out0"), ("in1", "out1"))):
            connections[last[guide + k]] = f"{name},{entry}"
            last[guide + k] = f"{name},{leave}"
        s, c, turn = np.sin(theta / 2), np.cos(theta / 2), np.exp(1j * phi)
        block = np.eye(n, dtype=complex)
        block[guide : guide + 2, guide : guide + 2] = (
            1j * np.exp(1j * theta / 2) * np.array([[turn * s, c], [turn * c, -s]])
        )
        whole = block @ whole
    ports = {f"i{k}": f"in{k},o1" for k in range(n)} | {f"o{k}": last[k] for k in range(n)}
    circuit = ps.Circuit({"instances": instances, "connections": connections, "ports": ports})
    found = circuit.transfer([1.55], [f"o{k}" for k in range(n)], [f"i{k}" for k in range(n)])[0]
    return float(np.abs(found - whole).max())


@row(
    CIRCUITS,
    "group delay of an add-drop ring between mirrors",
    "five-point differences of the phase",
    measure="of the largest",
    limit=1e-6,
)
def delay_against_differences() -> float:
    net = {
        "instances": {
            "ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}},
            "left": {"component": "reflector", "settings": {"reflection": 0.2}},
            "right": {"component": "reflector", "settings": {"reflection": 0.3}},
        },
        "connections": {"left,o2": "ring,o1", "ring,o4": "right,o1"},
        "ports": {"in": "left,o1", "drop": "ring,o2", "add": "ring,o3", "through": "right,o2"},
    }
    circuit, step, worst = ps.Circuit(net), 2e-6, 0.0
    for end in ("drop", "through"):
        at = [circuit(WL + k * step)["in", end].values for k in range(-2, 3)]
        log = [np.log(s / at[2]) for s in at]
        slope = (log[0] - 8 * log[1] + 8 * log[3] - log[4]).imag / (12 * step)
        delay = -slope * WL**2 / (2 * np.pi * ps.conventions.SPEED_OF_LIGHT_UM_S)
        found = circuit(WL)["in", end].group_delay
        worst = max(worst, float(np.abs(found - delay).max() / np.abs(delay).max()))
    return worst


@row(
    CIRCUITS,
    "gradient of a loss by three settings of a ring",
    "five-point differences of the loss",
    measure="relative",
    limit=1e-5,
)
def gradient_against_differences() -> float:
    circuit = ps.load("add_drop_ring")
    names = ["ring.radius", "ring.coupling", "ring.loss_dB_cm"]
    wl = np.linspace(1.548, 1.552, 21)

    def loss(s: Any) -> tuple[float, Any]:
        weight = np.linspace(1.0, 2.0, wl.size)[:, None, None]
        return float((weight * np.abs(s.values) ** 4).sum()), 4 * weight * np.abs(s.values) ** 2 * s.values

    _, slopes = circuit.value_and_grad(loss, wl=wl, parameters=names)
    worst = 0.0
    for name in names:
        value = float(circuit.parameters[name])
        step = 1e-6 * value
        changed: list[Any] = [{name: value + side * step} for side in (-2, -1, 1, 2)]
        ends = [loss(circuit(wl, **settings))[0] for settings in changed]
        difference = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        worst = max(worst, abs(slopes[name] / difference - 1))
    return worst

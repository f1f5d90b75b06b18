"""photosim as one more simulator of the peers' harness, and meshes whose couplers reflect.

The harness loads this file by the environment variable PEERS_PLUGIN. Its own
modules are on the path then: `circuits` describes a circuit as instances
(model, settings), connections, exposed ports, and the setting it changes
between sweeps.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

neutral: Any = importlib.import_module("circuits")

COMPONENTS = {"waveguide": "straight", "mirror": "reflector", "reflecting_coupler": "coupler"}
TWO_BY_TWO = {"in0": "o1", "in1": "o2", "out0": "o4", "out1": "o3"}
PORTS = {
    "waveguide": {"in0": "o1", "out0": "o2"},
    "phase_shifter": {"in0": "o1", "out0": "o2"},
    "mirror": {"in0": "o1", "out0": "o2"},
    "splitter": {"in0": "o1", "out0": "o3", "out1": "o2"},
    "coupler": TWO_BY_TWO,
    "reflecting_coupler": TWO_BY_TWO,
}
REFLECTION = 1e-4
"""Power that a coupler of a reflecting mesh sends back: -40 dB."""


def netlist(circuit: Any) -> Any:
    """Return a neutral circuit as a photosim netlist, every setting written out."""
    from photosim.model import Instance, Netlist

    def port(end: tuple[str, str]) -> tuple[str, str]:
        model, _ = circuit.instances[end[0]]
        return end[0], PORTS[model][end[1]]

    instances = {}
    for name, (model, settings) in circuit.instances.items():
        full = {**neutral.DEFAULTS[model], **settings}
        renamed = {key.replace("loss_db_cm", "loss_dB_cm"): value for key, value in full.items()}
        instances[name] = Instance(COMPONENTS.get(model, model), renamed)
    joins = tuple((port(a), port(b)) for a, b in circuit.connections)
    return Netlist(instances, joins, {name: port(end) for name, end in circuit.ports.items()}, name="neutral")


class Photosim:
    """What the harness asks of a simulator: load, build, run, dense."""

    part = "all"

    def load(self) -> None:
        """Import photosim with what a first circuit needs."""
        importlib.import_module("photosim.circuit")

    def build(self, circuit: Any, wl: Any) -> None:
        """Turn the neutral circuit into one of photosim, planned."""
        from photosim.circuit import Circuit

        self.wl = wl
        self.tuned = circuit.tune
        self.circuit = Circuit(netlist(circuit))
        assert self.circuit.ports == tuple(circuit.ports)
        assert self.circuit.plan.slots > 0

    def run(self, k: int) -> Any:
        """Return S (W, P, P) with the k-th value of the tuned setting."""
        instance, setting, values = self.tuned
        changed: dict[str, Any] = {instance: {setting: values[k]}}
        return self.circuit(self.wl, **changed).values

    def dense(self, result: Any) -> Any:
        """Return the result as it is: the order of ports is that of the neutral circuit."""
        return result


def reflecting_mesh(size: int) -> Any:
    """Return the harness's mesh with a weak mirror in the middle of every coupler."""
    circuit = neutral.clements(size)
    for name, (model, settings) in list(circuit.instances.items()):
        if model == "coupler":
            circuit.instances[name] = ("reflecting_coupler", {**settings, "reflection": REFLECTION})
    circuit.name = f"reflecting{size}"
    return circuit


def reflecting_coupler(coupling: float, reflection: float) -> dict[tuple[str, str], complex]:
    """Return the elements of a coupler cut by a mirror: what turns round is spread as what goes through."""
    bar, cross = np.sqrt(1 - coupling), 1j * np.sqrt(coupling)
    through, back = np.sqrt(1 - reflection), 1j * np.sqrt(reflection)
    pairs = {("in0", "out0"): bar, ("in1", "out1"): bar, ("in0", "out1"): cross, ("in1", "out0"): cross}
    elements = {pair: complex(through * value) for pair, value in pairs.items()}
    elements |= {(p, p): complex(back * bar) for p in TWO_BY_TWO}
    return elements | {("in0", "in1"): complex(back * cross), ("out0", "out1"): complex(back * cross)}


def _teach_reflecting_meshes() -> None:
    """Give the harness the family `reflecting` and the model it is made of."""
    known = neutral.entries

    def entries(model: str, wl: Any, settings: Any, *more: Any) -> Any:
        if model == "reflecting_coupler":
            return reflecting_coupler(settings["coupling"], settings["reflection"])
        return known(model, wl, settings, *more)

    neutral.entries = entries
    neutral.PORTS["reflecting_coupler"] = neutral.PORTS["coupler"]
    neutral.DEFAULTS["reflecting_coupler"] = {"coupling": 0.5, "reflection": REFLECTION}
    neutral.FAMILIES["reflecting"] = reflecting_mesh


_teach_reflecting_meshes()
ADAPTERS = {"photosim": Photosim}

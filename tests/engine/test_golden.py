"""Agreement with S-matrices that were computed outside the project and checked against three simulators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps

NAMES = (
    "ring_1",
    "lattice_3",
    "lattice_10",
    "wdm_3",
    "clements_4",
    "clements_8",
    "crow_5",
    "random_30",
    "random_100",
)
COMPONENTS = {"waveguide": "straight", "mirror": "reflector"}
PORTS = {
    "waveguide": {"in0": "o1", "out0": "o2"},
    "phase_shifter": {"in0": "o1", "out0": "o2"},
    "mirror": {"in0": "o1", "out0": "o2"},
    "splitter": {"in0": "o1", "out0": "o3", "out1": "o2"},
    "coupler": {"in0": "o1", "in1": "o2", "out0": "o4", "out1": "o3"},
}


def translated(net: dict[str, Any]) -> dict[str, Any]:
    """Return a neutral netlist in photosim's names."""
    component = {name: part["component"] for name, part in net["instances"].items()}

    def port(text: str) -> str:
        instance, name = text.split(",")
        return f"{instance},{PORTS[component[instance]][name]}"

    return {
        "instances": {
            name: {
                "component": COMPONENTS.get(part["component"], part["component"]),
                "settings": {
                    key.replace("loss_db_cm", "loss_dB_cm"): v for key, v in part["settings"].items()
                },
            }
            for name, part in net["instances"].items()
        },
        "connections": {port(a): port(b) for a, b in net["connections"]},
        "ports": {name: port(text) for name, text in net["ports"].items()},
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore::photosim.errors.PhotosimWarning")
def test_golden_matrices(name: str, root: Path) -> None:
    folder = root / "tests" / "data" / "golden"
    net = json.loads((folder / "golden_netlists.json").read_text())[name]
    golden = np.load(folder / "golden.npz")
    circuit = ps.Circuit(translated(net))
    wl = golden[f"{name}__wl_um"]
    s = circuit(wl)
    assert s.ports == tuple(golden[f"{name}__ports"])
    # 1e-11: phases near 950 rad are rounded at 1e-13, and resonances amplify that.
    np.testing.assert_allclose(s.values, golden[f"{name}__S"], rtol=0, atol=1e-11)
    # Where reflections mix the directions of travel, waves went in pairs above; here none does.
    mixes = any(part["component"] == "mirror" for part in net["instances"].values())
    assert bool(circuit.compiled.matrix_plan(circuit.ports).request.mirror) == mixes
    one_way = circuit.transfer(wl, circuit.ports, circuit.ports)
    np.testing.assert_allclose(one_way, golden[f"{name}__S"], rtol=0, atol=1e-11)
    tuned = net["tuned"]
    settings: dict[str, Any] = {tuned["instance"]: {tuned["setting"]: tuned["values"][-1]}}
    changed = circuit(wl, **settings)
    np.testing.assert_allclose(changed.values, golden[f"{name}__S_tuned"], rtol=0, atol=1e-11)
    assert np.abs(changed.values - s.values).max() > 1e-6

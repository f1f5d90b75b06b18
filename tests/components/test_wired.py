"""Every component at its defaults, wired into a circuit, by commands and calls."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.app import app
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Block, ClosedForm, Composite, Electronic, Network, Nonlinear, Numerical, registry

ONE_INPUT = [n for n in registry.names() if "." not in n]
"""Components of the library; variants have a dot in their name."""
NEEDS_FILE = {n for n in ONE_INPUT if any(p.kind == "table" for p in registry.get(n).parameters.values())}

LASERS = {"packaged_laser"}
"""Composites around a part that has no S-matrix."""


def wired(name: str, ending: str) -> dict[str, Any]:
    """Return a netlist in which every optical port of a component meets a guide or a terminator."""
    model = registry.get(name)
    net: dict[str, Any] = {"instances": {"it": name, "g": "straight"}, "connections": {}, "ports": {}}
    net["ports"] = {"left": "g,o1", "right": "g,o2"}
    buses = model.buses if isinstance(model, Block) else ()
    for port in dict.fromkeys(p.partition("@")[0] for p in model.ports_for({})):
        if port in buses:
            continue
        net["instances"][f"at_{port}"] = ending
        net["connections"][f"it,{port}"] = f"at_{port},o1"
        if ending == "straight":
            net["ports"][port] = f"at_{port},o2"
    return net


def answered(name: str, ending: str, folder: Path, commands: list[list[str]]) -> None:
    """Let commands, with "FILE" for the netlist of a component, answer, or refuse where there is no light."""
    model = registry.get(name)
    net = wired(name, ending)
    net["analyses"] = [{"kind": "spectrum", "name": "lines", "wl": "1.549:1.551:3"}]
    path = folder / "net.json"
    path.write_text(json.dumps(net))
    dark = (
        isinstance(model, Nonlinear | Block | Electronic | Network) or name in LASERS
    )  # may say it has none
    for words in commands:
        command = [str(path) if word == "FILE" else word for word in words]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)
            result = CliRunner().invoke(app, command)
        if dark and result.exit_code == 1:
            assert isinstance(result.exception, SystemExit), (command, result.exception)
            continue
        assert result.exit_code == 0, (command, result.output, result.exception)


@pytest.mark.parametrize("ending", ["straight", "terminator"])
@pytest.mark.parametrize("name", sorted(set(ONE_INPUT) - NEEDS_FILE))
def test_default_component_in_a_circuit_is_simulated_and_checked(
    name: str, ending: str, tmp_path: Path
) -> None:
    commands = [["simulate", "FILE", "--wl", "1.549:1.551:3"]]
    if ending == "straight":  # what lies at the ends of a part changes its solution, not its checks
        commands.append(["check", "FILE"])
    answered(name, ending, tmp_path, commands)


@pytest.mark.nightly
@pytest.mark.parametrize("name", sorted(set(ONE_INPUT) - NEEDS_FILE))
def test_default_component_in_a_circuit_is_drawn_and_run(name: str, tmp_path: Path) -> None:
    commands = [
        ["draw", "FILE", "--out", str(tmp_path / "net.svg")],
        ["run", "FILE", "--out", str(tmp_path / "out")],
    ]
    answered(name, "straight", tmp_path, commands)


@pytest.mark.parametrize("ending", ["straight", "terminator"])
@pytest.mark.parametrize("name", sorted(set(ONE_INPUT) - NEEDS_FILE))
def test_default_component_in_a_circuit_has_gradients(name: str, ending: str) -> None:
    model = registry.get(name)
    if name in LASERS or not isinstance(model, ClosedForm | Composite | Numerical):
        pytest.skip("not linear optics")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        circuit = ps.Circuit(wired(name, ending))
        s = circuit([1.55, 1.551])
        assert np.isfinite(s.values).all()
        names = ["g.length", "temperature"]
        try:
            _, slopes = circuit.jacobian([1.55], ["right"], ["left"], names)
        except ParameterError as error:
            assert "not a closed-form formula" in str(error)  # noqa: PT017 - some parts have no formula
            return
    assert all(np.isfinite(slope).all() for slope in slopes.values())


def test_dark_part_alone_is_dark() -> None:
    circuit = ps.Circuit(
        {
            "instances": {"g": "straight", "t": "terminator"},
            "connections": {"g,o2": "t,o1"},
            "ports": {"in": "g,o1"},
        }
    )
    assert circuit([1.55]).values.tolist() == [[[0.0]]]
    assert circuit([1.55], t={"reflection": 0.25}).power == pytest.approx(0.25)

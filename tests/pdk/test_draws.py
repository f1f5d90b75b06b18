"""A kit's statistics, corners and limits as what a yield asks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import norm
from typer.testing import CliRunner

import photosim as ps
from photosim import pdk
from photosim.cli.questions import app
from photosim.errors import ParameterError

KIT: dict[str, Any] = yaml.safe_load("""
photosim_pdk: 1
name: ours
cells:
  wire:
    component: straight
    ports: {in: o1, out: o2}
    parameters:
      length_nm: {component: length, unit: nm, default: 1.0e+7, sigma: 50, scope: mismatch}
      loss: {component: loss_dB_cm, unit: dB/cm, default: 2.0, sigma: 0.1, random_var: wall}
    limits: {insertion_loss_dB: {max: 2.1}, ripple_dB: {max: 1.0}}
  turn:
    component: phase_shifter
    parameters: {loss_dB: {unit: dB, default: 0.5, sigma: 0.05, random_var: wall}}
process:
  random_vars: {wall: {sigma: 1.0}, rest: {sigma: 1.0, scope: mismatch}}
  corners: {rough: {wall: 3.0}, smooth: {wall: -3.0}}
""")
CHAIN: dict[str, Any] = {
    "name": "chain",
    "instances": {
        "a": {"component": "straight", "settings": {"length": 1e4, "loss_dB_cm": 1.0}},
        "b": {"component": "phase_shifter", "settings": {"loss_dB": 0.5}},
        "c": {"component": "straight", "settings": {"length": 2e4, "loss_dB_cm": 1.0}},
    },
    "connections": {"a,o2": "b,o1", "b,o2": "c,o1"},
    "ports": {"in": "a,o1", "out": "c,o2"},
}


def read(tmp_path: Path, data: Any = KIT) -> pdk.Kit:
    file = tmp_path / "kit.yml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    return pdk.read(file)


def test_a_shared_draw_moves_all_cells_and_a_mismatch_each(tmp_path: Path) -> None:
    circuit = ps.Circuit(CHAIN)
    found = read(tmp_path).variation(circuit)["settings"]
    assert found["a.loss_dB_cm"] == found["c.loss_dB_cm"] == {"sigma": 0.1, "draw": "wall"}
    assert found["b.loss_dB"]["draw"] == "wall"
    assert found["a.length"]["sigma"] == pytest.approx(0.05)
    assert found["a.length"]["draw"] != found["c.length"]["draw"]
    data = ps.montecarlo(
        circuit, {"settings": found}, wl=[1.55], samples=20_000,
        specification=[{"quantity": "power_dB", "from": "in", "to": "out", "at_least": -4.0}],
    )  # fmt: skip
    # 3 cm of 1 dB/cm and 0.5 dB: 3.5 dB on average, 3 x 0.1 + 0.05 = 0.35 dB of one and the same draw.
    assert float(data["yield"]) == pytest.approx(norm.cdf(0.5 / 0.35), abs=0.012)


def test_corners_move_the_settings_by_their_standard_deviations(tmp_path: Path) -> None:
    circuit = ps.Circuit(CHAIN)
    corners: dict[str, Any] = read(tmp_path).corner_settings(circuit)
    assert corners["rough"] == pytest.approx({"a.loss_dB_cm": 1.3, "b.loss_dB": 0.65, "c.loss_dB_cm": 1.3})
    assert corners["smooth"]["b.loss_dB"] == pytest.approx(0.35)
    power = 10 * np.log10(np.abs(circuit([1.55], **corners["rough"])["in", "out"].values) ** 2)
    assert power == pytest.approx(-(3 * 1.3 + 0.65), abs=1e-9)


def test_a_cell_alone_is_judged_by_the_kit_s_limits(tmp_path: Path) -> None:
    kit = read(tmp_path)
    netlist = kit.netlist("wire")
    assert netlist["ports"] == {"in": "cell,o1", "out": "cell,o2"}
    assert netlist["instances"]["cell"]["settings"]["length"] == pytest.approx(1e4)
    assert netlist["specification"][0] == {
        "name": "insertion_loss_dB", "quantity": "power_dB", "from": "in", "to": "out", "at_least": -2.1,
    }  # fmt: skip
    netlist["specification"] = netlist["specification"][:1]
    circuit = ps.Circuit(netlist)
    data = ps.montecarlo(circuit, kit.variation(circuit), wl=[1.55], samples=20_000)
    assert float(data["yield"]) == pytest.approx(norm.cdf(1.0), abs=0.012)


def test_a_uniform_and_a_relative_spread() -> None:
    kit = pdk.Kit(
        "k",
        (
            pdk.kit.Cell(
                "wire", "straight", parameters=(
                    pdk.kit.Parameter(
                        "l", "length", "um", default=10.0, statistic=pdk.kit.Statistic(1.0, "uniform")
                    ),
                    pdk.kit.Parameter(
                        "n", "ng", "1", default=4.2, statistic=pdk.kit.Statistic(1.0, percent=True)
                    ),
                ),
            ),
        ),
    )  # fmt: skip
    found = kit.variation(ps.Circuit(CHAIN))["settings"]
    assert found["a.length"] == pytest.approx(
        {"distribution": "uniform", "low": 1e4 - 3**0.5, "high": 1e4 + 3**0.5, "draw": "wire.l"}
    )
    assert found["c.ng"]["sigma"] == pytest.approx(0.01 * float(ps.Circuit(CHAIN).parameters["c.ng"]))


def test_what_is_not_known_is_asked_for(tmp_path: Path) -> None:
    circuit = ps.Circuit(CHAIN)
    two = yaml.safe_load(yaml.safe_dump(KIT))
    two["cells"]["wire2"] = yaml.safe_load(yaml.safe_dump(two["cells"]["wire"]))
    kit = read(tmp_path, two)
    with pytest.raises(ParameterError, match=r"'a' \(straight\) may be any of the cells wire, wire2.*cells="):
        kit.variation(circuit)
    chosen = kit.variation(circuit, cells={"a": "wire", "c": "wire2"})["settings"]
    assert {"a.length", "c.length"} <= set(chosen)
    with pytest.raises(ParameterError, match="there is no instance 'aa'"):
        kit.variation(circuit, cells={"aa": "wire"})
    with pytest.raises(ParameterError, match=r"has no cell 'wire3'\. Did you mean"):
        kit.netlist("wire3")
    ring = ps.load("all_pass_ring")
    with pytest.raises(ParameterError, match="gives no setting of circuit 'all_pass_ring' a spread"):
        kit.variation(ring)


def test_the_command_takes_a_kit(tmp_path: Path) -> None:
    read(tmp_path)
    (tmp_path / "chain.yml").write_text(yaml.safe_dump(CHAIN), encoding="utf-8")
    command = [
        "yield", str(tmp_path / "chain.yml"), "--kit", str(tmp_path / "kit.yml"), "--wl", "1.55:1.55:1",
        "--spec", "power_dB:in:out:at_least=-4", "--samples", "500", "--json",
    ]  # fmt: skip
    done = CliRunner().invoke(app, command, prog_name="photosim")
    assert done.exit_code == 0, done.output
    assert 0.85 < json.loads(done.stdout)["yield"] < 0.97


def test_a_spread_that_leaves_bounds_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "chain.yml").write_text(yaml.safe_dump(CHAIN), encoding="utf-8")
    command = ["yield", str(tmp_path / "chain.yml"), "--vary", "b.loss_dB=0.5", "--wl", "1.55:1.55:1"]
    command += ["--spec", "power_dB:in:out:at_least=-4"]
    done = CliRunner().invoke(app, command, prog_name="photosim")
    assert done.exit_code == 1
    assert "analysis 'chain': The distribution of 'b.loss_dB' reaches -2.5 to 3.5" in done.output
    assert ": :" not in done.output

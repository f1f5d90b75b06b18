"""Netlists in the form that gdsfactory extracts from a layout, as YAML, .pic.yml and JSON, and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from photosim import netlist
from photosim.circuit import Circuit

# An interferometer as get_netlist() gives it: what only the layout needs stands beside what light needs.
EXTRACTED = """\
instances:
  bend_1:
    component: bend_euler
    info: {dy: 10.0, length: 16.637, radius: 10.0, radius_min: 7.061, route_info_type: strip, width: 0.5}
    settings:
      allow_min_radius_violation: false
      angle: 90
      angular_step: null
      cross_section: strip
      npoints: null
      p: 0.5
      radius: 10.0
      width: null
  coupler_1:
    component: coupler
    info: {length: 10.026, min_bend_radius: 30.486}
    settings: {cross_section: strip, dx: 10.0, dy: 4.0, gap: 0.236, length: 20.0}
  long:
    component: straight
    info: {length: 30.0, route_about: null, width: 0.5}
    settings: {cross_section: strip, length: 30.0, npoints: 2, width: null}
    array: null
  row:
    component: straight
    settings: {cross_section: strip, length: 5.0, npoints: 2, width: null}
    array: {columns: 2, rows: 1, column_pitch: 5.0, row_pitch: 0.0}
name: extracted
nets:
- {p1: "coupler_1,o4", p2: "bend_1,o1"}
- {p1: "bend_1,o2", p2: "long,o1", name: arm, settings: {}}
- {p1: "coupler_1,o3", p2: "row<0.0>,o1"}
- {p1: "row<0.0>,o2", p2: "row<1.0>,o1"}
placements:
  bend_1: {mirror: false, rotation: 90, x: 10.0, y: 11.3}
  coupler_1: {mirror: false, rotation: 0, x: 0.0, y: 0.0}
ports: {o1: "coupler_1,o1", o2: "coupler_1,o2", o3: "long,o2", o4: "row<1.0>,o2"}
warnings: {}
"""


@pytest.mark.parametrize("name", ["a.yml", "a.pic.yml", "a.json", "recursive.json"])
def test_extracted_netlists_run_as_they_are(tmp_path: Path, name: str) -> None:
    data = yaml.safe_load(EXTRACTED)
    forms = {"a.json": json.dumps(data, indent=1), "recursive.json": json.dumps({"extracted": data})}
    (tmp_path / name).write_text(forms.get(name, EXTRACTED), encoding="utf-8")
    read = netlist.read(tmp_path / name, strict=True)
    assert read.name == "extracted"
    assert netlist.check(read, strict=True) == []
    assert any("cross_section, npoints" in line for line in netlist.not_simulated(read))
    wl = np.array([1.55])
    s = Circuit(read)(wl)
    # The two arms are 16.637 + 30 and 10 um of guide behind the two sides of the coupler.
    parts = Circuit({"instances": {"c": {"component": "coupler", "settings": {"gap": 0.236, "length": 20.0}}},
                     "ports": {f"o{k}": f"c,o{k}" for k in (1, 2, 3, 4)}})(wl)  # fmt: skip
    short = np.exp(2j * np.pi * 2.34 * 10 / 1.55)
    assert s["o1", "o4"].values == pytest.approx(parts["o1", "o3"].values * short, abs=1e-12)
    # gdsfactory rounds the bend's 16.637 um to 1 nm, which is a hundredth of a radian.
    long = np.exp(2j * np.pi * 2.34 * (16.637 + 30) / 1.55) * 10 ** (-0.1 * 16.637e-4 / 20)
    assert s["o1", "o3"].values == pytest.approx(parts["o1", "o4"].values * long, abs=0.01)


def test_extracted_netlists_come_back_from_yaml(tmp_path: Path) -> None:
    first = netlist.read_text(EXTRACTED)
    (tmp_path / "b.pic.yml").write_text(netlist.to_yaml(first), encoding="utf-8")
    again = netlist.read(tmp_path / "b.pic.yml", strict=True)
    assert again == first
    wl = np.linspace(1.5, 1.6, 5)
    assert np.array_equal(Circuit(again)(wl).values, Circuit(first)(wl).values)

"""Instances as gdsfactory writes them run unchanged: layout settings are taken, null is the default."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import NetlistError
from photosim.model import registry

_MMI = {
    "width": None, "width_taper": 1.0, "length_taper": 10.0, "length_mmi": 5.5, "width_mmi": 2.5,
    "gap_mmi": 0.25, "taper": "taper", "straight": "straight", "cross_section": "strip",
}  # fmt: skip
_RING = {
    "gap": 0.2, "bend": "bend_euler", "straight": "straight", "coupler_ring": "coupler_ring",
    "cross_section": "strip", "length_extension": None,
}  # fmt: skip
LAYOUT: dict[str, dict[str, Any]] = {
    "straight": {"length": 10.0, "npoints": 2, "cross_section": "strip", "width": None},
    "bend_euler": {
        "radius": 10.0, "angle": 90, "p": 0.5, "with_arc_floorplan": True, "npoints": None, "layer": None,
        "width": None, "cross_section": "strip", "allow_min_radius_violation": False,
    },
    "coupler": {
        "gap": 0.236, "length": 20.0, "dy": 4.0, "dx": 10.0, "cross_section": "strip", "bend": "bend_s",
        "allow_min_radius_violation": False,
    },
    "mmi1x2": _MMI,
    "mmi2x2": _MMI,
    "crossing": {"length": 10.0, "width": 2.5, "cross_section": "strip"},
    "ring_single": {**_RING, "radius": 10.0, "length_x": 4.0, "length_y": 0.6},
    "ring_double": {
        **_RING, "gap_top": None, "gap_bot": None, "radius": 10.0, "length_x": 0.01, "length_y": 0.01,
        "coupler_ring_top": None,
    },
    "mzi": {
        "delta_length": 10.0, "length_y": 2.0, "length_x": 0.1, "bend": "bend_euler", "straight": "straight",
        "straight_y": None, "straight_x_top": None, "straight_x_bot": None, "splitter": "mmi1x2",
        "combiner": None, "with_splitter": True, "port_e1_splitter": "o2", "port_e0_splitter": "o3",
        "port_e1_combiner": "o2",
        "port_e0_combiner": "o3", "port1": "o1", "port2": "o2", "nbends": 2, "cross_section": "strip",
        "cross_section_x_top": None, "cross_section_x_bot": None, "mirror_bot": False,
        "add_optical_ports_arms": False, "min_length": 0.01, "auto_rename_ports": True,
    },
}  # fmt: skip


def circuit_of(name: str, settings: dict[str, Any]) -> ps.Circuit:
    ports = {port: f"x,{port}" for port in registry.get(name).ports_for(settings)}
    return ps.Circuit({"instances": {"x": {"component": name, "settings": settings}}, "ports": ports})


@pytest.mark.parametrize("name", LAYOUT)
def test_instance_of_a_layout_runs(name: str) -> None:
    s = circuit_of(name, LAYOUT[name])([1.55, 1.551])
    assert s.is_passive()
    assert np.abs(s.values).max() > 0.1


@pytest.mark.parametrize("name", ["bend_euler", "ring_double"])
def test_null_is_not_the_default(name: str) -> None:
    with pytest.raises(NetlistError, match=rf"\({name}\): setting 'radius' is null, and neither its info"):
        circuit_of(name, {"radius": None})


def test_misspelt_setting_beside_layout_settings_is_still_an_error() -> None:
    with pytest.raises(NetlistError, match="Did you mean 'radius'"):
        circuit_of("bend_euler", {**LAYOUT["bend_euler"], "radios": 5.0})

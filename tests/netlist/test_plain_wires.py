"""The quick look at connections finds what the close one finds, and leaves to it whatever is not plain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import photosim as ps
from photosim.errors import NetlistError
from photosim.netlist import wires
from photosim.netlist.plain_wires import open_if_plain
from photosim.netlist.ports import PortTable

PLAIN = ps.Netlist(
    {
        "a": ps.part("coupler", coupling=0.1),
        "b": ps.part("straight", length=10.0),
        "ring": ps.part("ring_single", radius=10.0),
    },
    ps.links("a,out0:b,in", "b,o2:ring,o1"),
    {"in": ("a", "in0"), "out": ("ring", "o2")},
    terminate=(("a", "o2"),),
)


def close(netlist: ps.Netlist) -> list[tuple[str, str]]:
    """Return the open ports that looking at each use finds."""
    look = wires._Wires(netlist, PortTable(netlist, {}), "")
    look.connect()
    look.join()
    look.expose()
    return look.open_ports()


@pytest.mark.parametrize("change", [
    {}, {"terminate": ()}, {"ports": {"in": ("a", "o1")}}, {"connections": ()},
    {"connections": ps.links("a,out0:b,in")},
])  # fmt: skip
def test_open_ports_are_those_of_the_close_look(change: dict[str, Any]) -> None:
    netlist = replace(PLAIN, **change)
    found = open_if_plain(netlist, PortTable(netlist, {}))
    assert found is not None
    assert found == close(netlist)
    assert ("a", "o3") in found  # what nothing names


@pytest.mark.parametrize(("change", "words"), [
    ({"connections": ps.links("a,out0:b,in", "b,in:ring,o1")}, "already connected"),
    ({"connections": ps.links("a,out0:b,inn")}, "has no port 'inn'"),
    ({"connections": ps.links("a,out0:c,in")}, "there is no such instance"),
    ({"connections": ps.links("b,o1:b,in")}, "connected with itself"),
    ({"ports": {"in": ("a", "o4")}}, "already connected"),
    ({"ports": {"in": ("z", "o4")}}, "there is no such instance"),
    ({"terminate": (("a", "in0"),)}, "already exposed"),
])  # fmt: skip
def test_what_is_wrong_is_left_to_the_close_look(change: dict[str, Any], words: str) -> None:
    netlist = replace(PLAIN, **change)
    assert open_if_plain(netlist, PortTable(netlist, {})) is None
    with pytest.raises(NetlistError, match=words):
        ps.Circuit(netlist)


@pytest.mark.parametrize("name", ["modulator", "link", "polarization_diversity", "speckle_projection"])
def test_metal_modes_and_buses_are_left_to_the_close_look(name: str) -> None:
    netlist = ps.load(name).netlist
    found = open_if_plain(netlist, PortTable(netlist, {}))
    assert found is None or found == close(netlist)


def test_settings_of_a_variant_are_judged_by_names_and_bounds() -> None:
    def netlist(**settings: Any) -> ps.Netlist:
        parts = {f"c{k}": ps.part("coupler", coupling=0.1) for k in range(3)}
        return ps.Netlist({**parts, "bad": ps.part("coupler", **settings)}, ports={"in": ("bad", "o1")})

    for settings, words in (
        ({"coupling": 1.5}, "'coupling' is 1.5"),
        ({"coupling": True}, "'coupling'"),
        ({"coupling": 0.1, "gap": 0.2}, "exclude each other"),
        ({"coupling": 0.1, "couplin": 0.2}, "has no setting 'couplin'"),
    ):
        with pytest.raises(NetlistError, match=words):
            ps.Circuit(netlist(**settings))
    assert not ps.netlist.check(_closed(netlist(coupling=1)))


def _closed(netlist: ps.Netlist) -> ps.Netlist:
    """Return a netlist whose open ports are open on purpose."""
    return replace(netlist, terminate=tuple(close(netlist)))

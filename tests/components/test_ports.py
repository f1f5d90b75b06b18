"""Port numbering against the tables that gdsfactory and SAX publish."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.model import registry

# SAX's port namer for (inputs, outputs): left side upwards, then right side downwards.
SAX = {
    (1, 1): {"in0": "o1", "out0": "o2"},
    (1, 2): {"in0": "o1", "out1": "o2", "out0": "o3"},
    (2, 2): {"in0": "o1", "in1": "o2", "out1": "o3", "out0": "o4"},
}
# Ports of gdsfactory's cells of the same name, left ones upwards and right ones downwards.
GDSFACTORY = {
    "straight": (("o1",), ("o2",)),
    "bend_euler": (("o1",), ("o2",)),
    "coupler": (("o1", "o2"), ("o3", "o4")),
    "mmi1x2": (("o1",), ("o2", "o3")),
    "mmi2x2": (("o1", "o2"), ("o3", "o4")),
    "crossing": (("o1", "o2"), ("o3", "o4")),
    "mzi": (("o1",), ("o2",)),
    "ring_single": (("o1",), ("o2",)),
    "ring_double": (("o1", "o2"), ("o3", "o4")),
}


@pytest.mark.parametrize("name", GDSFACTORY)
def test_ports_are_those_of_gdsfactory_and_sax(name: str) -> None:
    left, right = GDSFACTORY[name]
    model = registry.get(name)
    assert model.ports_for({}) == (*left, *right)
    aliases = model.aliases_for({})
    expected = SAX[len(left), len(right)]
    assert {a: aliases[a] for a in expected} == expected


def test_add_drop_ring_names_its_ports() -> None:
    aliases = registry.get("ring_double").aliases
    assert {a: aliases[a] for a in ("in", "drop", "add", "through")} == {
        "in": "o1", "drop": "o2", "add": "o3", "through": "o4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "bar", "cross"),
    [("coupler", ("o1", "o4"), ("o1", "o3")), ("crossing", ("o1", "o3"), ("o1", "o4"))],
)
def test_light_takes_the_path_that_sax_says(name: str, bar: tuple[str, str], cross: tuple[str, str]) -> None:
    model = registry.get(name)
    s = model.s(1.55, **({"coupling": 0.1} if name == "coupler" else {}))  # type: ignore[attr-defined]
    power = {
        path: abs(s[0, model.ports.index(path[1]), model.ports.index(path[0])]) ** 2 for path in (bar, cross)
    }
    assert power[bar] >= 0.9 - 1e-12
    assert power[cross] <= 0.1 + 1e-12


def test_two_by_two_mzi_has_four_ports() -> None:
    model = registry.get("mzi")
    for splitter in ("coupler", "mmi2x2"):
        assert model.ports_for({"splitter": splitter}) == ("o1", "o2", "o3", "o4")
        assert dict(model.aliases_for({"splitter": splitter})) == SAX[2, 2]


def test_speckle_medium_numbers_its_ports_clockwise() -> None:
    model = registry.get("speckle_medium")
    aliases = model.aliases_for({"inputs": 3, "outputs": 2})
    assert [aliases[a] for a in ("in0", "in1", "in2", "out1", "out0")] == ["o1", "o2", "o3", "o4", "o5"]
    assert np.unique(model.ports_for({"inputs": 3, "outputs": 2})).size == 5


def test_weight_bank_has_one_detector_port_a_row() -> None:
    model = registry.get("weight_bank")
    assert model.ports_for({"rows": 3}) == ("o1",)
    assert model.electrical_for({"rows": 3}) == ("e1", "e2", "e3")
    assert model.aliases_for({})["in"] == "o1"

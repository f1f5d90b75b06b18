"""Settings of every component given as junk: a sentence, or the meaning that is plain (4.0 is 4)."""

from __future__ import annotations

import datetime as dt
import fractions
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.model import registry
from photosim.model.parameters import Parameter

JUNK: list[Any] = [
    "abc",
    "2*2",
    "2+",
    [1, 2],
    10**400,
    -(10**400),
    [],
    np.array([]),
    [[1, 2], [3]],
    {1: 2},
    True,
    np.bool_(False),
    1 + 2j,
    dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    np.datetime64("2026-01-02"),
    np.timedelta64(3, "s"),
    np.ma.masked_array([1.0, 2.0], [False, True]),
    np.ma.masked,
    np.nan,
    np.inf,
    1e308,
    b"x",
    object(),
    {1, 2},
    None,
    3.5,
    -3.7,
    np.zeros(1, dtype=[("a", float)]),
    [10**400],
    np.ones((2, 3)),
    ["1"],
    fractions.Fraction(4),
    np.float32(4),
    range(3),
]


def circuit_of(component: str, **settings: Any) -> ps.Circuit:
    instances: dict[str, Any] = {"a": {"component": component, "settings": settings}, "guide": "straight"}
    nets = []
    model = registry.get(component)
    if model.kind == "network":  # a resistor from each pin to ground
        for pin in model.electrical_for({}):
            instances[f"to_{pin}"] = "resistor"
            nets += [[f"a,{pin}", f"to_{pin},e1"], [f"to_{pin},e2", "gnd"]]
    ports = {"in": "guide,o1", "out": "guide,o2"}
    return ps.Circuit({"instances": instances, "nets": nets, "ports": ports})


def every_setting() -> Iterator[tuple[str, Parameter]]:
    for name in registry.names():
        yield from ((name, parameter) for parameter in registry.get(name).parameters.values())


@pytest.mark.filterwarnings("ignore")
def test_junk_is_refused_by_every_setting_in_a_sentence() -> None:
    """Each setting meets a fifth of the junk, by turns."""
    refused = 0
    for turn, (name, parameter) in enumerate(every_setting()):
        for value in itertools.islice(JUNK, turn % 5, None, 5):
            try:
                circuit_of(name, **{parameter.name: value})
            except ps.PhotosimError:  # anything else fails the test
                refused += 1
    assert refused > 3000


WHOLE = [(name, p) for name, p in every_setting() if p.kind == "whole" and isinstance(p.default, int)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("component", "parameter"), WHOLE, ids=lambda v: v if isinstance(v, str) else v.name)
def test_a_count_may_be_written_as_any_number(component: str, parameter: Parameter) -> None:
    """As 4.0, as text of an expression, as a number of numpy: the circuit is the same."""
    whole = parameter.default
    plain = circuit_of(component, **{parameter.name: whole})
    for written in (
        float(whole),
        f"{whole}*2/2",
        np.float32(whole),
        np.array(whole),
        fractions.Fraction(whole),
    ):
        other = circuit_of(component, **{parameter.name: written})
        assert other.graph.structural == plain.graph.structural
        assert [p.ports for p in other.graph.parts] == [p.ports for p in plain.graph.parts]
    for wrong in (whole + 0.5, [whole, whole], 10**400, f"{whole} + 0.25"):
        with pytest.raises(ps.PhotosimError, match=parameter.name):
            circuit_of(component, **{parameter.name: wrong})


@pytest.mark.parametrize(
    "value", [{1: 2}, {"radius": {1: 2}}, [[1, 2], [3]], [], True, "10", 1j, None, np.ma.masked]
)
def test_junk_in_calls_is_refused_in_a_sentence(value: Any) -> None:
    circuit = ps.load("add_drop_ring")
    with pytest.raises(ps.ParameterError, match="ring"):
        circuit(1.55, ring=value if isinstance(value, dict) else {"radius": value})


@pytest.mark.filterwarnings("ignore:8 inner ports")
def test_a_call_takes_numbers_of_any_type() -> None:
    circuit = ps.load("add_drop_ring")
    plain = circuit(1.55, ring={"radius": 10.0}).values
    for radius in (10, np.float32(10), np.array(10.0), fractions.Fraction(10)):
        assert np.array_equal(circuit(1.55, ring={"radius": radius}).values, plain)
    mesh = circuit_of("clements_mesh", n=4)
    assert (
        mesh.at({"a": {"n": 6.0}})[0].graph.parts[0].ports == mesh.at({"a": {"n": 6}})[0].graph.parts[0].ports
    )


def test_a_source_takes_one_value_for_a_setting() -> None:
    """A list of wavelengths would be a laser of several lines, each with the power of one."""
    with pytest.raises(ps.ParameterError, match="setting 'wl' takes one value"):
        ps.load("link").photocurrents(laser={"wl": [1.55, 1.56]})
    with pytest.raises(ps.NetlistError, match="setting 'power' takes one value"):
        circuit_of("laser", power=[1e-3, 2e-3])


@pytest.mark.parametrize("value", ["abc", 1j, None, [], np.ma.masked])
def test_settings_of_a_circuit_are_numbers(value: Any) -> None:
    inner = {"straight": ps.part("straight", length=1.0)}
    message = "circuit setting 'x': a number or an expression is wanted, got"
    with pytest.raises(ps.NetlistError, match=message):
        ps.Circuit(ps.Netlist(inner, settings={"x": value}))

"""Ports that carry modes: what a connection joins, what the circuit shows, and laws that still hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import photosim as ps
from photosim.conventions import modes_that_meet, ports_by_mode
from photosim.errors import NetlistError, ParameterError
from photosim.files import read_table
from photosim.model import Netlist, part, registry

WL = np.linspace(1.54, 1.56, 7)
BOTH = ("polarization_rotator", "straight_multimode")
ONE = ("straight", "phase_shifter", "reflector")


def chain(*kinds: str, joins: dict[str, str] | None = None, **given: dict[str, Any]) -> ps.Circuit:
    """Parts x0, x1, ... from o2 to o1, with both ends shown; a circuit that warns of nothing."""
    instances = {
        f"x{k}": {"component": kind, "settings": given.get(f"x{k}", {})} for k, kind in enumerate(kinds)
    }
    last = f"x{len(kinds) - 1}"
    connections = joins or {f"x{k},o2": f"x{k + 1},o1" for k in range(len(kinds) - 1)}
    return ps.Circuit(
        {"instances": instances, "connections": connections, "ports": {"in": "x0,o1", "out": f"{last},o2"}}
    )


def quiet(net: dict[str, Any]) -> ps.Circuit:
    """The circuit of a netlist in which modes meet parts without them, on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ps.PhotosimWarning)
        return ps.Circuit(net)


# --- what is joined ------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*the usual values")
def test_connection_joins_the_modes_that_both_sides_have() -> None:
    circuit = chain("polarization_rotator", "straight_multimode", x1={"loss_dB_cm": 1e4, "length": 10.0})
    assert circuit.ports == ("in@TE", "in@TM", "out@TE", "out@TM")
    s = circuit(WL)
    # TE becomes TM, which the guide takes without loss; what comes in as TM passes it as TE and loses 10 dB.
    np.testing.assert_allclose(s["in@TE", "out@TM"].power, 1.0, atol=1e-14)
    np.testing.assert_allclose(s["in@TM", "out@TE"].power, 0.1, rtol=1e-12)
    np.testing.assert_allclose(s["in@TE", "out@TE"].power, 0.0, atol=1e-30)
    assert s.is_passive()
    assert s.is_reciprocal()


def test_equal_modes_meet_whatever_their_order() -> None:
    left, right = {"TE": 1, "TM": 2}, {"TM": 3, "TE": 4, "TE1": 5}
    assert modes_that_meet(left, right) == [(1, 4), (2, 3)]
    assert modes_that_meet({"": 7}, right) == [(7, 3)]
    assert modes_that_meet(left, {"": 7}) == [(1, 7)]
    assert modes_that_meet({"TE": 1}, {"TE1": 2}) == []


def test_name_without_a_mode_beside_modes_is_a_port_of_its_own() -> None:
    assert ports_by_mode(("o1", "o1@TE", "o2@TE", "@TE", "o3@")) == {"o2": {"TE": "o2@TE"}}


def test_part_of_one_mode_takes_the_first_mode_and_the_other_is_matched() -> None:
    net = {
        "instances": {"rotator": "polarization_rotator", "guide": "straight"},
        "connections": {"rotator,o2": "guide,o1"},
        "ports": {"in": "rotator,o1", "out": "guide,o2"},
    }
    with pytest.warns(ps.PhotosimWarning, match=r"mode TM of 'rotator,o2' at 'guide,o1' meets a part"):
        circuit = ps.Circuit(net)
    assert circuit.ports == ("in@TE", "in@TM", "out")
    s = circuit(WL, rotator={"efficiency": 0.3})
    np.testing.assert_allclose(s["in@TE", "out"].power, 0.7, rtol=1e-13)
    np.testing.assert_allclose(s["in@TM", "out"].power, 0.3, rtol=1e-13)
    np.testing.assert_array_equal(s["in@TE", "in@TE"].values, 0.0)


def test_modes_can_be_wired_one_by_one() -> None:
    joins = {"x0,o2@TE": "x1,o1", "x0,o2@TM": "x2,o1", "x1,o2": "x3,o1@TE", "x2,o2": "x3,o1@TM"}
    kinds = ("polarization_rotator", "phase_shifter", "phase_shifter", "polarization_rotator")
    half = {"efficiency": 0.5}
    circuit = chain(*kinds, joins=joins, x0=half, x3=half)
    for phase in (0.0, 0.4, 2.0):
        s = circuit(1.55, x1={"phase": phase})
        assert s["in@TE", "out@TE"].power[0] == pytest.approx(np.sin(phase / 2) ** 2, abs=1e-14)
        assert s["in@TE", "out@TM"].power[0] == pytest.approx(np.cos(phase / 2) ** 2, abs=1e-14)


def test_modes_of_other_names_are_joined_where_both_are_named() -> None:
    joins = {"x0,o2@TE": "x1,o1@TE0", "x0,o2@TM": "x1,o1@TE1"}
    s = chain("polarization_rotator", "mode_converter", joins=joins)(1.55)
    assert s.ports == ("in@TE", "in@TM", "out@TE0", "out@TE1")
    assert s["in@TE", "out@TE0"].values[0] == pytest.approx(-1.0, abs=1e-15)


def test_aliases_carry_modes() -> None:
    whole = chain("polarization_rotator", "straight_multimode", joins={"x0,out": "x1,in0"})
    each = chain(
        "polarization_rotator",
        "straight_multimode",
        joins={"x0,out@TE": "x1,in@TE", "x0,out0@TM": "x1,in0@TM"},
    )
    np.testing.assert_array_equal(whole(WL).values, each(WL).values)


def test_netlist_inside_a_netlist_shows_its_modes() -> None:
    inner = {
        "instances": {"rotator": "polarization_rotator", "guide": "straight_multimode"},
        "connections": {"rotator,o2": "guide,o1"},
        "ports": {"left": "rotator,o1", "right": "guide,o2"},
    }
    outer = {
        "instances": {"a": "inner", "b": "inner"},
        "connections": {"a,right": "b,left"},
        "ports": {"in": "a,left", "out@TM": "b,right@TM", "out@TE": "b,right@TE"},
    }
    nested = ps.Circuit({"top_level": outer, "inner": inner})
    assert nested.ports == ("in@TE", "in@TM", "out@TM", "out@TE")
    flat = chain(*BOTH, *BOTH)
    np.testing.assert_allclose(nested(WL, ports=flat.ports).values, flat(WL).values, atol=1e-15)


def test_port_of_one_mode_can_be_shown_under_a_mode() -> None:
    net = {"instances": {"guide": "straight"}, "ports": {"in@TE": "guide,o1", "out@TE": "guide,o2"}}
    assert ps.Circuit(net).ports == ("in@TE", "out@TE")


def test_composite_shows_the_modes_of_what_it_is_made_of() -> None:
    model = registry.get("straight_multimode")
    assert model.ports_for({"modes": "TE0+TE1"}) == ("o1@TE0", "o1@TE1", "o2@TE0", "o2@TE1")
    assert model.aliases_for({"modes": "TE0+TE1"})["out@TE1"] == "o2@TE1"
    assert model.modes("in0", {}) == ("TE", "TM")
    assert model.modes("o1@TE", {}) == ()
    s = chain("mode_converter", "straight_multimode", x1={"modes": "TE0+TE1"})(1.55)
    assert s["in@TE0", "out@TE1"].power[0] == pytest.approx(1.0, abs=1e-14)


def test_netlist_in_python_exposes_and_joins_modes() -> None:
    net = Netlist(
        {"a": part("polarization_rotator"), "b": part("polarization_rotator")},
        ((("a", "o2"), ("b", "o1")),),
        {"in": ("a", "o1"), "out": ("b", "o2")},
    )
    s = ps.Circuit(net)(1.55)
    np.testing.assert_allclose(s["in@TE", "out@TE"].values, -1.0, atol=1e-15)


@pytest.mark.filterwarnings("ignore:.*the usual values")
def test_table_with_modes_is_joined_mode_by_mode(tmp_path: Any) -> None:
    rotator = chain("polarization_rotator", x0={"efficiency": 0.2})
    rotator(WL, ports=rotator.ports).save(tmp_path / "rotator.npz")
    table = read_table(tmp_path / "rotator.npz")
    assert table.ports == rotator.ports
    net = {
        "instances": {
            "table": {"component": "sampled", "settings": {"file": table}},
            "guide": {"component": "straight_multimode", "settings": {"loss_2_dB_cm": 1e4}},
        },
        "connections": {"table,out": "guide,o1"},
        "ports": {"in": "table,o1", "out": "guide,o2"},
    }
    s = ps.Circuit(net)(WL)
    np.testing.assert_allclose(s["in@TE", "out@TE"].power, 0.8, rtol=1e-12)
    np.testing.assert_allclose(s["in@TE", "out@TM"].power, 0.02, rtol=1e-12)


# --- laws ------------------------------------------------------------------------------------------------


@st.composite
def random_chains(draw: st.DrawFn) -> dict[str, Any]:
    """Parts of one and two modes joined at random, with mirrors: loops in which light changes its mode."""
    kinds = draw(st.lists(st.sampled_from([*BOTH, *BOTH, *ONE]), min_size=2, max_size=9))
    x = draw(st.floats(0.05, 0.95))
    table: dict[str, dict[str, float]] = {
        "polarization_rotator": {"efficiency": x},
        "straight_multimode": {"length": 100 * x, "loss_dB_cm": 3.0, "loss_2_dB_cm": 20.0},
        "straight": {"length": 50 * x, "loss_dB_cm": 2.0},
        "phase_shifter": {"phase": 6 * x},
        "reflector": {"reflection": 0.5 * x},
    }
    ends = draw(st.permutations([f"x{k},{port}" for k in range(len(kinds)) for port in ("o1", "o2")]))
    return {
        "instances": {f"x{k}": {"component": kind, "settings": table[kind]} for k, kind in enumerate(kinds)},
        "connections": dict(zip(ends[2::2], ends[3::2], strict=False)),
        "ports": {"p": ends[0], "q": ends[1]},
    }


@given(net=random_chains())
@settings(max_examples=60)
def test_random_circuits_with_modes_agree_with_a_dense_solve(
    net: dict[str, Any], dense: Callable[..., Any]
) -> None:
    circuit = quiet(net)
    s = circuit(WL)
    np.testing.assert_allclose(s.values, dense(circuit, WL), atol=1e-11)
    assert s.is_passive()
    assert s.is_reciprocal()


def test_cavity_with_a_rotator_inside_sees_one_index_on_either_side() -> None:
    """Light goes through one guide as TE, through the other as TM, and comes back as it went."""
    mirror = {"component": "reflector", "settings": {"reflection": 0.7}}
    end = {"component": "reflector", "settings": {"reflection": 1.0}}
    guide = {
        "component": "straight_multimode",
        "settings": {"neff": 2.4, "ng": 2.4, "neff_2": 1.8, "ng_2": 1.8},
    }
    net = {
        "instances": {
            "te": mirror, "tm": mirror, "near": "polarization_splitter_rotator", "a": guide,
            "rotator": "polarization_rotator", "b": guide, "far": "polarization_splitter_rotator",
            "end_te": end, "end_tm": end,
        },
        "connections": {
            "te,o2": "near,from_TE", "tm,o2": "near,from_TM", "near,o1": "a,o1", "a,o2": "rotator,o1",
            "rotator,o2": "b,o1", "b,o2": "far,o1", "far,from_TE": "end_te,o1", "far,from_TM": "end_tm,o1",
        },
        "ports": {"te": "te,o1", "tm": "tm,o1"},
        "terminate": ["end_te,o2", "end_tm,o2"],
    }  # fmt: skip
    circuit = ps.Circuit(net)
    s = circuit(WL, a={"length": 60.0}, b={"length": 35.0})
    np.testing.assert_allclose(s["te", "tm"].values, 0.0, atol=1e-15)
    for mode, path in (("te", 2.4 * 60 + 1.8 * 35), ("tm", 1.8 * 60 + 2.4 * 35)):
        turn = -np.exp(4j * np.pi * path / WL)  # each of two rotations is a quarter wave
        expected = np.sqrt(0.7) - 0.3 * turn / (1 - np.sqrt(0.7) * turn)
        np.testing.assert_allclose(s[mode, mode].values, expected, atol=1e-11)


@given(efficiency=st.floats(0, 1), other=st.floats(0, 1))
@settings(max_examples=20)
def test_rotations_add_as_angles(efficiency: float, other: float) -> None:
    circuit = chain("polarization_rotator", "polarization_rotator")
    s = circuit(1.55, x0={"efficiency": efficiency}, x1={"efficiency": other})
    angle = np.arcsin(np.sqrt(efficiency)) + np.arcsin(np.sqrt(other))
    assert s["in@TE", "out@TM"].power[0] == pytest.approx(np.sin(angle) ** 2, abs=1e-7)


def test_extinction_says_the_efficiency() -> None:
    rotator = registry.get("polarization_rotator")
    ten = rotator.s(1.55, extinction_dB=10.0)  # type: ignore[attr-defined]
    np.testing.assert_allclose(ten, rotator.s(1.55, efficiency=10 / 11), atol=1e-15)  # type: ignore[attr-defined]
    with pytest.raises(ParameterError, match="'efficiency' exclude each other"):
        rotator.check({"extinction_dB": 10.0, "efficiency": 0.5})


def test_guide_of_two_modes_is_a_guide_for_each() -> None:
    given = {
        "length": 123.0,
        "neff": 2.4,
        "ng": 4.2,
        "neff_2": 1.8,
        "ng_2": 3.7,
        "loss_2_dB_cm": 5.0,
        "dneff_dT_2": 1e-4,
    }
    circuit = chain("straight_multimode", x0=given)
    s = circuit(WL, temperature=320.0)
    straight = registry.get("straight")
    for mode, own in (
        ("TE", {"neff": 2.4, "ng": 4.2}),
        ("TM", {"neff": 1.8, "ng": 3.7, "loss_dB_cm": 5.0, "dneff_dT": 1e-4}),
    ):
        alone = straight.s(WL, length=123.0, temperature=320.0, **own)  # type: ignore[attr-defined]
        np.testing.assert_allclose(s[f"in@{mode}", f"out@{mode}"].values, alone[:, 1, 0], atol=1e-12)
    np.testing.assert_array_equal(s["in@TE", "out@TM"].values, 0.0)


def test_two_half_converters_around_a_guide_are_an_interferometer() -> None:
    kinds = ("mode_converter", "straight_multimode", "mode_converter")
    guide = {"modes": "TE0+TE1", "length": 50.0, "neff": 2.7, "ng": 3.9, "neff_2": 2.4, "ng_2": 4.3}
    half = {"efficiency": 0.5}
    s = chain(*kinds, x0=half, x1=guide, x2=half)(WL)
    beat = 2 * np.pi * 50 / WL * (0.3 - (WL - 1.55) * (1.2 - 1.9) / 1.55)
    np.testing.assert_allclose(s["in@TE0", "out@TE0"].power, np.sin(beat / 2) ** 2, atol=1e-11)
    np.testing.assert_allclose(s["in@TE0", "out@TE1"].power, np.cos(beat / 2) ** 2, atol=1e-11)


def test_gradient_goes_through_modes() -> None:
    circuit = chain("polarization_rotator", "straight_multimode", x1={"loss_dB_cm": 50.0, "length": 200.0})
    at: dict[str, Any] = {"x0": {"efficiency": 0.4}}
    loss = ps.losses.power([("in@TE", "out@TE")])
    _, slopes = circuit.value_and_grad(loss, wl=1.55, parameters=["x0.efficiency", "x1.length"], **at)
    ahead, behind = (
        circuit(1.55, x0={"efficiency": 0.4 + step})["in@TE", "out@TE"].power[0] for step in (1e-4, -1e-4)
    )
    assert abs(slopes["x0.efficiency"]) == pytest.approx(abs(ahead - behind) / 2e-4, rel=1e-9)


# --- asking ------------------------------------------------------------------------------------------------


def test_inner_waves_are_asked_for_by_mode() -> None:
    circuit = chain("polarization_rotator", "straight_multimode")
    wave = circuit.transfer(1.55, ["x0,out@TM", "x1.TM,o1:in"], ["in@TE"])
    np.testing.assert_allclose(np.abs(wave[0, :, 0]), 1.0, atol=1e-15)
    with pytest.raises(
        NetlistError, match=r"Port 'o2' of instance 'x0' carries modes: name one, as in x0,o2@TE"
    ):
        circuit.transfer(1.55, ["x0,o2"], ["in@TE"])


def test_port_with_modes_is_not_one_port_of_a_result() -> None:
    circuit = chain("polarization_rotator")
    with pytest.raises(ParameterError, match=r"exposes no port 'in'\. It has: in@TE, in@TM"):
        circuit(1.55, ports=["in", "out@TE"])
    with pytest.raises(ParameterError, match=r"no port 'out'\. It has: .*out@TE, out@TM"):
        circuit(1.55)["in@TE", "out"]


def test_laser_and_detector_of_one_mode_see_the_first() -> None:
    net = {
        "instances": {
            "laser": {"component": "laser", "settings": {"power": 1e-3}},
            "rotator": {"component": "polarization_rotator", "settings": {"efficiency": 0.25}},
            "diode": {"component": "photodetector", "settings": {"responsivity": 1.0, "dark_current": 0.0}},
        },
        "connections": {"laser,o1": "rotator,o1", "rotator,o2": "diode,o1"},
        "terminate": ["rotator,o1@TM", "rotator,o2@TM"],
    }
    circuit = ps.Circuit(net, strict=True)
    assert circuit.photocurrents().values.item() == pytest.approx(0.75e-3, rel=1e-12)

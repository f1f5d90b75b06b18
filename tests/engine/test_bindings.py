"""Settings by name: what depends on what, and derivatives through composites that a call has changed."""

from __future__ import annotations

import numpy as np
import pytest

import photosim as ps
from photosim.engine.bindings import Bindings, Scoped
from photosim.expressions import parse

WL = np.linspace(1.545, 1.555, 7)


def chain() -> Bindings:
    """Return a -> b -> c and a -> c, with b and c inside the scope `part`."""
    return Bindings({
        "a": 2.0,
        "part.x": Scoped(parse("3*a"), ""),
        "part.y": Scoped(parse("x + 1"), "part"),
        "part.z": Scoped(parse("x*y"), "part"),
    })  # fmt: skip


def test_values_follow_what_they_depend_on() -> None:
    bindings = chain()
    assert bindings.value("part.z") == 6.0 * 7.0
    changed = bindings.evaluate({"a": 1.0})
    assert changed == {"a": 1.0, "part.x": 3.0, "part.y": 4.0, "part.z": 12.0}
    assert bindings.value("part.z") == 42.0


def test_a_chain_may_be_longer_than_python_recurses() -> None:
    links = {f"s{k}": Scoped(parse(f"s{k + 1} + 1"), "") for k in range(5000)}
    bindings = Bindings({**links, "s5000": 1.0})
    assert bindings.value("s0") == 5001.0
    assert bindings.evaluate({"s5000": 3.0})["s0"] == 5003.0


def test_a_changed_setting_hides_what_it_would_follow() -> None:
    assert chain().evaluate({"a": 1.0, "part.y": 10.0})["part.z"] == 30.0


def test_dependents_come_after_what_they_depend_on() -> None:
    order = chain().affected(["a"])
    assert sorted(order) == ["part.x", "part.y", "part.z"]
    assert order.index("part.x") < order.index("part.y") < order.index("part.z")
    assert chain().affected(["part.y", "a"]).count("part.z") == 1


def test_slopes_add_up_along_all_paths() -> None:
    slope = chain().pull_back({"part.z": np.ones((1, 1))}, ["a"], {}, frozenset())["a"]
    assert np.asarray(slope).item() == pytest.approx(3.0 * 7.0 + 6.0 * 3.0)  # z = 3a (3a + 1)


def test_a_composite_setting_changed_in_the_call_keeps_its_derivative() -> None:
    net = {
        "instances": {"ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}}},
        "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"},
    }
    circuit = ps.Circuit(net)
    loss = ps.losses.power([("in", "drop")])
    _, gradient = circuit.value_and_grad(loss, wl=WL, parameters=["ring.phase"], ring={"phase": 0.3})
    step = 1e-6
    ahead, behind = (loss(circuit(WL, ring={"phase": 0.3 + d}))[0] for d in (step, -step))
    assert gradient["ring.phase"] == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)
    assert abs(gradient["ring.phase"]) > 1e-3


@pytest.mark.parametrize("parameter", ["cin.coupling", "cin.loss_dB"])
def test_a_reflection_that_is_off_disturbs_no_other_derivative(parameter: str) -> None:
    net = {"instances": {"cin": {"component": "coupler", "settings": {"coupling": 0.3, "loss_dB": 0.1}}},
           "ports": {"a": "cin,o1", "b": "cin,o3", "c": "cin,o4", "d": "cin,o2"}}  # fmt: skip
    circuit = ps.Circuit(net)
    loss = ps.losses.power([("a", "b")])
    _, gradient = circuit.value_and_grad(loss, wl=WL, parameters=[parameter])
    name = parameter.rpartition(".")[2]
    start, step = circuit.parameters[parameter], 1e-6
    ahead, behind = (loss(circuit(WL, cin={name: start + d}))[0] for d in (step, -step))
    assert gradient[parameter] == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)

"""SAX models as components and circuits as SAX models, where SAX is installed."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.interop import sax as interop

RING = {
    "instances": {
        "top": {"component": "coupler", "settings": {"coupling": 0.2}},
        "loop": {"component": "straight", "settings": {"length": 30.0, "loss_dB_cm": 3.0}},
    },
    "connections": {"top,o3": "loop,o1", "loop,o2": "top,o2"},
    "ports": {"in": "top,o1", "out": "top,o4"},
}
WL = np.linspace(1.54, 1.56, 41)


@pytest.fixture(scope="module")
def sax() -> Any:
    return pytest.importorskip("sax", reason="SAX is an extra: pip install 'photosim[sax]'")


def test_without_sax_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "sax":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ParameterError, match=r"pip install 'photosim\[sax\]'\.$"):
        interop.component(lambda: None)


def test_a_model_of_sax_becomes_a_component(sax: Any) -> None:
    found = interop.component(sax.models.straight, name="sax_straight")
    assert found.ports == ("in0", "out0")
    assert found.reciprocal
    given = {"length": 33.0, "neff": 2.4}
    ours, theirs = (
        Circuit({"instances": {"a": {"component": name, "settings": given}}, "ports": {"i": i, "o": o}})
        for name, i, o in (("straight", "a,o1", "a,o2"), ("sax_straight", "a,in0", "a,out0"))
    )
    np.testing.assert_allclose(theirs(WL).values, ours(WL).values, atol=1e-11)


@pytest.mark.usefixtures("sax")
def test_direction_of_a_one_way_model_is_kept() -> None:
    def one_way(wl: Any = 1.5, loss: float = 0.5) -> Any:
        return {("in0", "out0"): loss + 0 * wl}

    found = interop.component(one_way, name="sax_one_way")
    assert not found.reciprocal
    s = Circuit({"instances": {"a": "sax_one_way"}, "ports": {"i": "a,in0", "o": "a,out0"}})(WL)
    assert np.all(s["i", "o"].values == 0.5)
    assert np.all(s["o", "i"].values == 0)


@pytest.mark.usefixtures("sax")
def test_what_is_no_model_is_one_sentence() -> None:
    def wrong() -> int:
        return 3

    with pytest.raises(ParameterError, match=r"'wrong' is not a SAX model"):
        interop.component(wrong)


def test_a_circuit_becomes_a_model_inside_a_circuit_of_sax(sax: Any) -> None:
    ring = Circuit(RING)
    model = interop.model(ring)
    assert sax.get_settings(model)["loop"]["length"] == 30.0
    whole, _ = sax.circuit(
        netlist={
            "instances": {"r": "ring", "s": "straight"},
            "connections": {"r,out": "s,in0"},
            "ports": {"in": "r,in", "out": "s,out0"},
        },
        models={"ring": model, "straight": sax.models.straight},
    )
    found = sax.sdict(whole(wl=WL, r={"loop": {"length": 31.0}}))["in", "out"]
    straight = sax.models.straight(wl=WL)["in0", "out0"]
    expected = ring(WL, loop={"length": 31.0})["in", "out"].values * np.asarray(straight)
    np.testing.assert_allclose(np.asarray(found), expected, atol=1e-12)


@pytest.mark.usefixtures("sax")
def test_the_model_runs_compiled_and_has_exact_gradients() -> None:
    import jax

    model = interop.model(Circuit(RING))

    def loss(length: Any, coupling: Any) -> Any:
        s = model(wl=WL, loop={"length": length}, top={"coupling": coupling})["in", "out"]
        return (s.real**2 + 0.3 * s.imag).sum()

    slopes = jax.jit(jax.grad(loss, argnums=(0, 1)))(30.0, 0.2)
    step = 1e-6  # the ring is sharp: at 1e-5 the difference itself is wrong by 3e-6
    by_length = float(loss(30 + step, 0.2) - loss(30 - step, 0.2)) / (2 * step)
    by_coupling = float(loss(30.0, 0.2 + step) - loss(30.0, 0.2 - step)) / (2 * step)
    assert [float(slope) for slope in slopes] == pytest.approx([by_length, by_coupling], rel=1e-6)
    assert model()["in", "out"].shape == ()
    with pytest.raises(ParameterError, match=r"takes numbers, but these settings are arrays: loop\.length"):
        model(loop={"length": np.ones(3)})


def test_settings_that_follow_others_stay_free_to_follow(sax: Any) -> None:
    ring = Circuit({
        "settings": {"radius": 10.0},
        "instances": {"r": {"component": "ring_single", "settings": {"radius": "radius", "coupling": 0.1}}},
        "ports": {"in": "r,o1", "out": "r,o2"},
    })  # fmt: skip
    model = interop.model(ring)
    settings = sax.get_settings(model)
    assert settings["radius"] == 10.0
    assert "radius" not in settings["r"]
    found = model(**{**settings, "wl": WL, "radius": 11.0})["in", "out"]
    np.testing.assert_allclose(np.asarray(found), ring(WL, radius=11.0)["in", "out"].values, atol=1e-12)


def test_settings_of_array_members_and_of_an_instance_called_wl_are_nested_whole() -> None:
    array = {"component": "straight", "array": {"columns": 2, "rows": 1}}
    circuit = Circuit({
        "instances": {"a": array, "wl": "straight"},
        "connections": {"a<0.0>,o2": "a<1.0>,o1", "a<1.0>,o2": "wl,o1"},
        "ports": {"in": "a<0.0>,o1", "out": "wl,o2"},
    })  # fmt: skip
    assert interop._nested({"a<0.1>.length": 3.0, "b.c<1.0>.phase": 2.0, "k": 1.0}) == {
        "a<0.1>": {"length": 3.0}, "b": {"c<1.0>": {"phase": 2.0}}, "k": 1.0,
    }  # fmt: skip
    assert interop._signature(circuit).parameters["wl"].default == 1.55
    names = ("a<1.0>.length", "wl.length")
    found = interop._solve(circuit, names, WL, (12.0, 4.0))
    given: dict[str, Any] = dict(zip(names, (12.0, 4.0), strict=True))
    np.testing.assert_array_equal(found, circuit(WL, **given).values)

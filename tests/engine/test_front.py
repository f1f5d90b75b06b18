"""Temperature in hierarchies, exclusive settings, names, threads, results that own their data."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.engine.bindings import Bindings, Scoped
from photosim.errors import NetlistError, ParameterError
from photosim.expressions import parse
from photosim.files import read
from photosim.model import Composite, registry

WL = np.linspace(1.549, 1.551, 7)
GUIDE = {"instances": {"g": "straight"}, "ports": {"in": "g,o1", "out": "g,o2"}}
RING = {
    "instances": {"r": {"component": "ring_single", "settings": {"gap": 0.2}}},
    "ports": {"in": "r,o1", "out": "r,o2"},
}


def sine(s: ps.SMatrix) -> tuple[float, Any]:
    """Return the sum of Im S[out, in], and its cotangent."""
    slope = np.zeros_like(s.values)
    slope[..., 1, 0] = 1j
    return float(s.values[..., 1, 0].imag.sum()), slope


def test_gradient_reaches_what_temperature_is_computed_from() -> None:
    circuit = ps.Circuit(GUIDE | {"settings": {"heat": 20.0, "temperature": "300 + 2*heat"}})
    _, slopes = circuit.value_and_grad(sine, wl=WL, parameters=["heat"])
    step = 1e-3
    sides = [sine(circuit(WL, heat=20.0 + d))[0] for d in (step, -step)]
    assert slopes["heat"] != 0.0
    assert slopes["heat"] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-6)


def nested(inner: dict[str, Any], outer: dict[str, Any]) -> Any:
    """Return the circuit of a guide and a ring in a netlist of their own, with settings inside and given."""
    sub = {
        "instances": {"g": "straight", "r": "ring_single"},
        "connections": {"g,o2": "r,o1"},
        "ports": {"in": "g,o1", "out": "r,o2"},
        "settings": inner,
    }
    top = {
        "instances": {"a": {"component": "sub", "settings": outer}},
        "ports": {"in": "a,in", "out": "a,out"},
    }
    return ps.Circuit({"top": top, "sub": sub})


def test_temperature_of_a_nested_netlist_holds_inside() -> None:
    plain = nested({}, {})
    at_330 = plain(WL, temperature=330.0)
    assert not np.allclose(at_330.values, plain(WL).values)
    assert nested({"temperature": 330.0}, {})(WL).values == pytest.approx(at_330.values, abs=1e-12)
    given = nested({"temperature": 300.0}, {"temperature": 330.0})
    assert given(WL).values == pytest.approx(at_330.values, abs=1e-12)
    called = nested({"temperature": 300.0}, {})
    assert called(WL, a={"temperature": 330.0}).values == pytest.approx(at_330.values, abs=1e-12)
    _, inside = called.value_and_grad(sine, wl=WL, parameters=["a.temperature"], a={"temperature": 330.0})
    _, whole = plain.value_and_grad(sine, wl=WL, parameters=["temperature"], temperature=330.0)
    assert inside["a.temperature"] == pytest.approx(whole["temperature"], rel=1e-9)


def three_deep(given: dict[str, Any], leaf: dict[str, Any]) -> Any:
    """Return a guide three netlists deep, with settings of the outermost instance and of the leaf."""
    inside = {"in": "x,in", "out": "x,out"}
    return ps.Circuit(
        {
            "top": {
                "settings": {"heat": 15.0},
                "instances": {"x": {"component": "outer", "settings": given}},
                "ports": inside,
            },
            "outer": {"instances": {"x": "inner"}, "ports": inside},
            "inner": {"instances": {"x": "leaf"}, "ports": inside},
            "leaf": GUIDE | {"settings": leaf},
        }
    )


def test_every_netlist_takes_a_temperature_declared_or_not(tmp_path: Path) -> None:
    """The netlist inside says nothing of a temperature: what its instance is given held for nothing."""
    at_330 = ps.Circuit(GUIDE)(WL, temperature=330.0).values
    circuit = three_deep({"temperature": "300 + 2*heat"}, {})
    assert circuit(WL)["in", "out"].values == pytest.approx(at_330[:, 1, 0], abs=1e-12)
    warmer = circuit(WL, x={"temperature": 340.0})["in", "out"].values
    assert warmer == pytest.approx(ps.Circuit(GUIDE)(WL, temperature=340.0).values[:, 1, 0], abs=1e-12)
    kept = ps.load(circuit.save(tmp_path / "kept.yml", settings={"x.temperature": 340.0}))
    assert kept(WL)["in", "out"].values == pytest.approx(warmer, abs=1e-12)
    _, slope = circuit.value_and_grad(sine, wl=WL, parameters=["heat"])
    _, whole = ps.Circuit(GUIDE).value_and_grad(sine, wl=WL, parameters=["temperature"], temperature=330.0)
    assert slope["heat"] == pytest.approx(2.0 * whole["temperature"], rel=1e-9)
    own = three_deep({"temperature": 340.0}, {"temperature": 330.0})
    assert own(WL)["in", "out"].values == pytest.approx(at_330[:, 1, 0], abs=1e-12)


@pytest.mark.parametrize("value", [-5.0, 2e4, "-5", True])
def test_temperature_of_a_netlist_has_bounds_at_every_level(value: Any) -> None:
    for make in (
        lambda: ps.Circuit(GUIDE | {"settings": {"temperature": value}}),
        lambda: three_deep({"temperature": value}, {}),
        lambda: three_deep({}, {"temperature": value}),
    ):
        with pytest.raises(NetlistError, match=r"setting 'temperature' (is|must be a number)"):
            make()


@pytest.mark.parametrize(
    "settings",
    [{"temperature": [300.0, 310.0]}, {"heat": [0.0, 10.0], "temperature": "300 + heat"}],
)
def test_temperatures_written_as_a_list_are_a_batch(settings: dict[str, Any]) -> None:
    batch = ps.Circuit(GUIDE | {"settings": settings})(WL).values
    assert batch == pytest.approx(ps.Circuit(GUIDE)(WL, temperature=[300.0, 310.0]).values, abs=1e-12)


def test_truth_is_not_a_number_of_a_circuit() -> None:
    guide = {"component": "straight", "settings": {"length": "long"}}
    circuit = ps.Circuit({**GUIDE, "instances": {"g": guide}, "settings": {"long": 10.0}})
    with pytest.raises(ParameterError, match="'long' in 'long' must be a real number, not True"):
        circuit(WL, long=True)


@pytest.mark.parametrize("name", ["g.length", "a b", "lambda", "2x"])
def test_circuit_setting_is_a_name_of_its_own(name: str) -> None:
    with pytest.raises(NetlistError, match="circuit setting"):
        ps.Circuit(GUIDE | {"settings": {name: 3.0}})


def test_excluded_setting_is_refused_in_calls_and_gradients() -> None:
    circuit = ps.Circuit(RING)
    with pytest.raises(ParameterError, match="'coupling' and 'gap' exclude each other"):
        circuit(WL, r={"coupling": 0.5})
    with pytest.raises(ParameterError, match="'coupling' and 'gap' exclude each other"):
        circuit.value_and_grad(sine, wl=WL, parameters=["r.coupling"])
    assert not np.allclose(circuit(WL, r={"gap": 0.3}).values, circuit(WL).values)


def exclusive_pairs() -> list[tuple[str, str, str]]:
    """Return every composite of the library with each pair of its settings that exclude each other."""
    models = [registry.get(n) for n in registry.names()]
    return [(m.name, a, b) for m in models if isinstance(m, Composite) for a, b in m.exclusive]


@pytest.mark.parametrize(("name", "first", "second"), exclusive_pairs())
def test_every_pair_that_excludes_each_other_is_refused(name: str, first: str, second: str) -> None:
    model = registry.get(name)
    ports = model.ports_for({})
    for written, called in ((first, second), (second, first)):
        net = {
            "instances": {"r": {"component": name, "settings": {written: 0.2}}},
            "ports": {p: f"r,{p}" for p in ports},
        }
        with pytest.raises(ParameterError, match="exclude each other"):
            ps.Circuit(net)([1.55], r={called: 0.3})


def test_users_of_a_setting_are_whole_for_every_thread() -> None:
    bound = {"x": 1.0} | {f"y{k}": Scoped(parse("2*x"), "") for k in range(3000)}
    for _ in range(20):
        bindings = Bindings(bound)
        with ThreadPoolExecutor(4) as pool:
            sizes = set(pool.map(lambda _, b=bindings: len(b.affected(["x"])), range(8)))
        assert sizes == {3000}


def test_threads_with_other_settings_give_the_same_bits() -> None:
    circuit = ps.Circuit(nested({"n": 2.4}, {}).netlist)
    radii = [5.0 + 0.1 * k for k in range(24)]
    alone = [circuit(WL, a={"r": {"radius": r}}).values for r in radii]
    fresh = ps.Circuit(circuit.netlist)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda r: fresh(WL, a={"r": {"radius": r}}).values, radii))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_result_owns_its_data_pickles_copies_and_compares() -> None:
    grid, lengths = WL.copy(), np.array([10.0, 20.0])
    circuit = ps.Circuit(GUIDE)
    result = circuit(grid, g={"length": lengths})
    twin = circuit(WL, g={"length": [10.0, 20.0]})
    delay = twin["in", "out"].group_delay
    grid += 0.1
    lengths *= 3.0
    assert np.array_equal(result["in", "out"].group_delay, delay)
    result.to_xarray().values[:] = 0.0
    for again in (result, pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):  # noqa: S301
        assert again == twin
        assert again["in", "out"] == twin["in", "out"]
        assert np.array_equal(again["in", "out"].group_delay, delay)
    assert result != circuit(WL)
    assert len({a == b for a, b in combinations([result, twin], 2)}) == 1


def test_joblib_runs_circuits_in_processes() -> None:
    joblib = pytest.importorskip("joblib")
    circuit = ps.Circuit(GUIDE)
    found = joblib.Parallel(2)(joblib.delayed(circuit)(wl=[w]) for w in WL[:2])
    assert found == [circuit(wl=[w]) for w in WL[:2]]


def test_masked_wavelengths_are_refused() -> None:
    with pytest.raises(ParameterError, match="masked"):
        ps.Circuit(GUIDE)(np.ma.masked_array([1.55, 1.56], [False, True]))


def test_a_written_setting_that_others_put_out_of_effect_is_said() -> None:
    """Two gaps of an add-drop ring leave nothing to the third, which stands for both."""
    settings = {"gap": 0.2, "gap_top": 0.25, "gap_bot": 0.3}
    ports = {p: f"r,{p}" for p in ("o1", "o2", "o3", "o4")}
    net = {"instances": {"r": {"component": "ring_double", "settings": settings}}, "ports": ports}
    message = r"Instance 'r' \(ring_double\): setting 'gap' has no effect, because other settings"
    with pytest.warns(ps.PhotosimWarning, match=message):
        circuit = ps.Circuit(net)
    with pytest.raises(NetlistError, match=message):
        ps.Circuit(net, strict=True)
    del settings["gap"]
    assert np.array_equal(ps.Circuit(net)(WL).values, circuit(WL).values)


def test_a_setting_that_a_wired_converter_drives_is_refused_in_calls_under_light() -> None:
    circuit = ps.load("modulator")
    driven = circuit.driven_at({})[1].drives[0].name
    instance, setting = driven.rsplit(".", 1)
    call: dict[str, Any] = {instance: {setting: 0.5}}
    with pytest.raises(ParameterError, match=f"Setting '{driven}' is driven by 'dac', which is wired there"):
        circuit.photocurrents(**call)
    with pytest.raises(ParameterError, match="is driven by 'dac'"):
        ps.link(circuit, **call)


def test_a_result_stays_what_was_computed(tmp_path: Path) -> None:
    """Nobody writes into a matrix or a trace, of a circuit or of a file; a copy is anybody's own."""
    computed = ps.load("mzi_balanced")(WL)
    own = computed.values.copy()
    for s in (computed, read(computed.save(tmp_path / "s.npz"))):
        trace = s[s.ports[0], s.ports[-1]]
        for array in (s.values, s.wl, trace.values, trace.wl):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0.0
        np.testing.assert_allclose(s.values, own, rtol=0.0, atol=1e-12)
    own[...] = 0.0
    assert np.abs(computed.values).max() > 0.1

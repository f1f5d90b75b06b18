"""Sweeps over circuits whose parts reflect: the numbers of elimination, the same bits in any batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.bench import circuits
from photosim.engine import two_way_plan
from photosim.engine.compiled import Compiled

WL = np.linspace(1.545, 1.555, 11)
SIZE = 6


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small circuits be swept too."""
    monkeypatch.setattr(two_way_plan, "FEWEST_EDGES", 1)
    monkeypatch.setattr(two_way_plan, "PREPARING", 1e9)
    monkeypatch.setattr(two_way_plan, "TERM", 1e-3)


def mesh(reflection_dB: float = -40.0) -> ps.Circuit:
    return ps.Circuit(circuits.mesh(SIZE, 1, reflection_dB=reflection_dB).netlist)


def sweeps(circuit: ps.Circuit) -> Any:
    """Return the sweeps of a circuit's S-matrix, None without."""
    return circuit.compiled.matrix_plan(circuit.ports).two_way


def eliminated(circuit: ps.Circuit) -> None:
    """Let a circuit that was asked before be answered by elimination."""
    plans = circuit.compiled._plans
    plans.update({key: replace(planned, two_way=None) for key, planned in plans.items()})


def no_elimination(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no circuit be eliminated: only sweeps may answer."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(Compiled, "series", refuse)
    for module in ("photosim.engine.two_way_plan.make_plan", "photosim.engine.two_way_plan.Elimination.plan"):
        monkeypatch.setattr(module, lambda *_, **__: None)


@pytest.mark.parametrize("reflection_dB", [-50.0, -40.0, -30.0, -20.0])
def test_sweeps_give_the_numbers_of_a_dense_solve(
    reflection_dB: float, dense: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    circuit = mesh(reflection_dB)
    no_elimination(monkeypatch)
    found = circuit(WL).values
    assert sweeps(circuit) is not None
    assert np.abs(found - dense(circuit, WL)).max() < 1e-12
    assert np.array_equal(found, found.transpose(0, 2, 1))


def test_gradients_are_those_of_elimination(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = mesh(-30.0)
    names = [name for name in circuit.parameters if name.endswith((".phase", ".coupling"))]
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(2, len(WL), 2 * SIZE, 2 * SIZE))
    cotangent = weights[0] + 1j * weights[1]

    def loss(s: Any) -> tuple[float, Any]:
        return float((cotangent.conj() * s.values).real.sum()), cotangent

    with monkeypatch.context() as patch:
        no_elimination(patch)
        value, slopes = circuit.value_and_grad(loss, wl=WL, parameters=names)
    eliminated(circuit)
    monkeypatch.undo()
    exact, wanted = mesh(-30.0).value_and_grad(loss, wl=WL, parameters=names)
    assert value == pytest.approx(exact, abs=1e-11)
    assert max(abs(slopes[name] - wanted[name]) for name in names) < 1e-10


def test_a_point_has_the_same_bits_alone_in_a_batch_and_on_any_number_of_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circuit = mesh()
    phases = np.linspace(0.1, 3.0, 5)
    monkeypatch.setattr("photosim.engine.two_way.SERIAL_PRODUCTS", 0)
    whole = circuit(WL, inner_0_0={"phase": phases}).values
    for number in ("1", "2"):
        monkeypatch.setenv("PHOTOSIM_THREADS", number)
        for k, phase in enumerate(phases):
            assert np.array_equal(circuit(WL, inner_0_0={"phase": phase}).values, whole[k])
    monkeypatch.setattr("photosim.engine.two_way.COEFFICIENT_BYTES", 1)
    assert np.array_equal(circuit(WL, inner_0_0={"phase": phases}).values, whole)
    assert np.array_equal(circuit(WL[4:5], inner_0_0={"phase": phases[2]}).values[0], whole[2, 4])


def test_what_settles_slowly_is_eliminated_point_by_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a batch with one weak and one strong mirror behind a mesh each has the bits it has alone."""
    netlist = circuits.mesh(SIZE, 1, reflection_dB=-40.0).netlist
    parts = {**netlist.instances, "mirror": ps.part("reflector", reflection=0.1)}
    joins = (
        *netlist.connections,
        (netlist.ports["out2"], ("mirror", "o1")),
        (netlist.ports["out3"], ("mirror", "o2")),
    )
    ports = {name: end for name, end in netlist.ports.items() if name not in {"out2", "out3"}}
    circuit = ps.Circuit(ps.Netlist(parts, joins, ports, name="mesh and mirror"))
    names = ["inner_0_0.phase", "split_2_2.coupling"]
    powers = np.array([1e-6, 0.9, 1e-4])
    settings: dict[str, Any] = {"mirror": {"reflection": powers}}
    monkeypatch.setattr(two_way_plan, "PATIENCE", 12)
    both = circuit(WL, **settings).values
    assert sweeps(circuit).most == 12
    assert "plan" in vars(circuit.compiled.matrix_plan(circuit.ports))  # it was needed for the strong mirror

    def loss(s: Any) -> tuple[float, Any]:
        return float((np.abs(s.values) ** 2).sum()), 2 * s.values

    _, slopes = circuit.value_and_grad(loss, wl=WL, parameters=names, **settings)
    for k, power in enumerate(powers):
        alone: dict[str, Any] = {"mirror": {"reflection": power}}
        assert np.array_equal(circuit(WL, **alone).values, both[k])
        _, own = circuit.value_and_grad(loss, wl=WL, parameters=names, **alone)
        assert [own[name] for name in names] == pytest.approx([slopes[name][k] for name in names], abs=1e-13)
    eliminated(circuit)
    assert np.abs(circuit(WL, **settings).values - both).max() < 1e-12


def test_waves_between_some_ports_are_swept_too(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = mesh()
    ends = ("out0", "in3", "join_2_2,o3"), ("in1", "out5")
    no_elimination(monkeypatch)
    found = circuit.transfer(WL, *ends)
    assert circuit.compiled.wave_plan(*ends).two_way is not None
    some = circuit(WL, ports=("out1", "in0")).values
    monkeypatch.undo()
    eliminated(circuit)
    assert np.abs(circuit.transfer(WL, *ends) - found).max() < 1e-12
    assert np.abs(circuit(WL, ports=("out1", "in0")).values - some).max() < 1e-12


@pytest.mark.parametrize("case", [circuits.ring(3), circuits.chain(4, 3), circuits.mesh(4, 3)])
def test_loops_and_one_way_light_are_eliminated(case: Any) -> None:
    circuit = ps.Circuit(case.netlist)
    assert sweeps(circuit) is None


def test_large_circuits_are_swept_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert sweeps(ps.Circuit(circuits.mesh(8, 1, reflection_dB=-40.0).netlist)) is None
    circuit = ps.Circuit(circuits.mesh(24, 1, reflection_dB=-40.0).netlist)
    assert sweeps(circuit) is not None
    assert "plan" not in vars(circuit.compiled.matrix_plan(circuit.ports))


def test_what_is_no_number_is_refused_by_name() -> None:
    circuit = mesh()
    with pytest.raises(ps.PhotosimError, match="inner_0_0"):
        circuit(WL, inner_0_0={"phase": 1e308, "wl0": 1e8})

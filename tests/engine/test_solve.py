"""The engine against a dense solve, and what must not depend on how it is run."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

import photosim as ps
from photosim.bench import circuits
from photosim.engine.values import RowBlock
from photosim.errors import ParameterError, PhotosimWarning
from photosim.kernels.elimination import Narrow, Wide
from photosim.testing import strategies as sts

WL = np.linspace(1.54, 1.56, 11)
PARTS = (
    "straight", "coupler", "splitter", "phase_shifter", "reflector", "isolator", "crossing", "ring_double",
    "mmi1x2", "mzi", "width_step",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::photosim.errors.PhotosimWarning")
@given(net=sts.netlists(PARTS, most=12))
@settings(max_examples=80)
def test_random_circuits_agree_with_a_dense_solve(net: dict[str, Any], dense: Callable[..., Any]) -> None:
    circuit = ps.Circuit(dict(net))
    try:
        expected, values = dense(circuit, WL), circuit(WL).values
        near = dense(circuit, WL * (1.0 + 4.0 * np.finfo(float).eps))
    except (np.linalg.LinAlgError, ps.SingularCircuit):  # a lossless loop on resonance
        assume(False)
    assume(np.abs(expected).max() < 2)  # and one so near to it that the reference is all rounding
    # A resonator of thousands of radians turns the last bits of its phase into more than 1e-11 of its wave:
    # what the reference itself makes of so small a change of wavelength.
    rounding = np.abs(near - expected).max(axis=(1, 2), keepdims=True)
    assert (np.abs(values - expected) < 1e-11 + rounding).all()


def ring(coupling: float = 0.1, loss_dB_cm: float = 2.0) -> dict[str, Any]:
    """An add-drop ring out of two couplers and two guides."""
    guide = {"component": "straight", "settings": {"length": "pi*radius", "loss_dB_cm": loss_dB_cm}}
    return {
        "settings": {"radius": 10.0},
        "instances": {
            "cin": {"component": "coupler", "settings": {"coupling": coupling}},
            "cdrop": {"component": "coupler", "settings": {"coupling": coupling}},
            "right": guide,
            "left": guide,
        },
        "connections": {
            "cin,o3": "right,o1",
            "right,o2": "cdrop,o2",
            "cdrop,o3": "left,o1",
            "left,o2": "cin,o2",
        },
        "ports": {"in": "cin,o1", "through": "cin,o4", "add": "cdrop,o1", "drop": "cdrop,o4"},
    }


def mirrored_ring() -> dict[str, Any]:
    """A ring with a reflector inside: the two directions of travel mix."""
    net = ring()
    net["instances"]["mirror"] = {"component": "reflector", "settings": {"reflection": 0.02}}
    net["connections"]["right,o2"] = "mirror,o1"
    net["connections"]["mirror,o2"] = "cdrop,o2"
    return net


@pytest.mark.parametrize("net", [ring(), mirrored_ring()], ids=["one way", "both ways"])
def test_a_wavelength_alone_gives_the_bits_it_gives_in_a_sweep(net: dict[str, Any]) -> None:
    circuit = ps.Circuit(net)
    wl = np.linspace(1.5, 1.6, 5 * Wide.LANES + 3)
    sweep = circuit(wl).values
    few = Narrow.LANES
    for k in (0, 1, few - 1, few, 2 * few + 5, 40, 70, len(wl) - 3, len(wl) - 1):
        assert np.array_equal(circuit(wl[k : k + 1]).values[0], sweep[k])
        assert np.array_equal(circuit(wl[k:]).values[0], sweep[k])


def test_threads_do_not_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = ps.Circuit(mirrored_ring())
    wl = np.linspace(1.5, 1.6, 20_000)
    monkeypatch.setattr("photosim.engine.solve.SERIAL_PRODUCTS", 0)
    results = []
    for count in ("1", "2", "3"):
        monkeypatch.setenv("PHOTOSIM_THREADS", count)
        results.append(circuit(wl).values)
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_a_sweep_of_many_chunks_evaluates_again_what_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSIM_THREADS", "1")
    case = circuits.lattice(10, 3000)
    circuit, fresh = ps.Circuit(case.netlist), ps.Circuit(case.netlist)
    before = circuit(case.wl).values
    rows: list[int] = []
    evaluate = RowBlock._evaluate

    def counted(piece: RowBlock, wl: Any, parameters: Any, view: Any) -> None:
        rows.append(len(parameters))
        evaluate(piece, wl, parameters, view)

    monkeypatch.setattr(RowBlock, "_evaluate", counted)
    changed = circuit(case.wl, long0={"length": 101.0}).values
    assert len(rows) > 1  # chunks
    assert set(rows) == {1}
    assert np.array_equal(circuit(case.wl).values, before)
    assert np.array_equal(fresh(case.wl, long0={"length": 101.0}).values, changed)


def test_a_part_that_raises_leaves_no_stale_values(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = ps.Circuit(ring())
    before = circuit(WL).values
    evaluate = RowBlock._evaluate

    def failing(piece: RowBlock, wl: Any, parameters: Any, view: Any) -> None:
        evaluate(piece, wl, parameters, view)
        raise ArithmeticError

    with monkeypatch.context() as patch:
        patch.setattr(RowBlock, "_evaluate", failing)
        with pytest.raises(ArithmeticError):
            circuit(WL + 0.01)
    assert np.array_equal(circuit(WL).values, before)


def test_calls_from_several_threads_do_not_meet() -> None:
    circuit = ps.Circuit(ring())
    wl = np.linspace(1.5, 1.6, 5000)
    radii = np.linspace(9.9, 10.1, 12).tolist()
    alone = [circuit(wl, radius=radius).values for radius in radii]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda radius: circuit(wl, radius=radius).values, radii))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize("points", [1, 3, 3000])
@pytest.mark.parametrize("batch", [1, 5])
def test_threads_do_not_change_a_bit_of_a_gradient(
    monkeypatch: pytest.MonkeyPatch, points: int, batch: int
) -> None:
    monkeypatch.setattr("photosim.engine.solve.SERIAL_PRODUCTS", 0)
    circuit = ps.Circuit(mirrored_ring())
    loss = ps.losses.power([("in", "drop")])
    found = []
    for count in ("1", "2", "3"):
        monkeypatch.setenv("PHOTOSIM_THREADS", count)
        settings: dict[str, Any] = {"radius": np.linspace(9.9, 10.1, batch) if batch > 1 else 10.02}
        wl = np.linspace(1.5, 1.6, points)
        value, slopes = circuit.value_and_grad(loss, wl=wl, parameters=["radius", "cin.coupling"], **settings)
        found.append((value, *(np.asarray(s).tobytes() for s in slopes.values())))
    assert found[0] == found[1] == found[2]


def test_thread_count_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSIM_THREADS", "many")
    with pytest.raises(
        ParameterError, match="PHOTOSIM_THREADS must be a whole number of threads, 1 or more, got 'many'"
    ):
        ps.Circuit(ring())(1.55)


def test_a_batch_equals_its_members_one_by_one() -> None:
    circuit = ps.Circuit(ring())
    radii = np.array([9.9, 10.0, 10.1])
    couplings = np.array([0.1, 0.2, 0.3])
    batch = circuit(WL, radius=radii, cin={"coupling": couplings})
    assert batch.values.shape == (3, len(WL), 4, 4)
    for k in range(3):
        one = circuit(WL, radius=radii[k], cin={"coupling": couplings[k]})
        assert np.array_equal(batch.values[k], one.values)


def test_batches_of_different_length_are_refused() -> None:
    circuit = ps.Circuit(ring())
    with pytest.raises(ParameterError, match=r"hold 2 and 3 values: all arrays must have one length"):
        circuit(WL, radius=np.array([9.0, 10.0]), cin={"coupling": np.array([0.1, 0.2, 0.3])})


@pytest.mark.parametrize("net", [ring(), mirrored_ring()], ids=["one way", "both ways"])
def test_half_the_matrix_is_planned_in_a_circuit_without_reflections(net: dict[str, Any]) -> None:
    circuit = ps.Circuit(net)
    s = circuit(WL)
    assert s.is_reciprocal(1e-13)
    assert s.is_passive()
    reflects = "mirror" in net["instances"]
    assert (len(circuit.plan.exits) == 4) != reflects


def test_one_input_costs_one_column() -> None:
    circuit = ps.Circuit(ring())
    full = circuit(WL)
    column = circuit.transfer(WL, ["through", "drop"], ["in"])
    np.testing.assert_allclose(column[:, 0, 0], full["in", "through"].values, rtol=0, atol=1e-15)
    np.testing.assert_allclose(column[:, 1, 0], full["in", "drop"].values, rtol=0, atol=1e-15)


def test_a_probe_reads_the_wave_inside_the_ring(dense: Callable[..., Any]) -> None:
    circuit = ps.Circuit(ring())
    fields = circuit.fields(WL, sources={"in": 1e-3}, probes=["cin,o3", "drop", "cdrop,o2:in"])
    # What arrives at the drop coupler is what left the input coupler, after half a turn.
    half = circuit.graph.part("right").model.s(WL, length=np.pi * 10.0, loss_dB_cm=2.0)[:, 1, 0]  # type: ignore[attr-defined]
    np.testing.assert_allclose(fields["cdrop,o2:in"], fields["cin,o3"] * half, rtol=1e-12)
    drop = dense(circuit, WL)[:, 3, 0] * np.sqrt(1e-3)
    np.testing.assert_allclose(fields["drop"], drop, rtol=0, atol=1e-12)


def test_a_lossless_loop_that_no_light_reaches_is_left_out_with_a_warning() -> None:
    net = ring(coupling=0.0, loss_dB_cm=0.0)
    guide = {
        "component": "straight",
        "settings": {"length": 1.55 / 2, "neff": 2.0, "ng": 2.0, "loss_dB_cm": 0.0},
    }
    net["instances"]["right"] = net["instances"]["left"] = guide  # two whole waves round the ring at 1.55 um
    circuit = ps.Circuit(net)
    with pytest.warns(
        PhotosimWarning, match="holds a lossless loop on resonance that no light reaches, at 1.55 um"
    ):
        s = circuit(1.55)
    assert s["in", "through"].power[0] == pytest.approx(1.0, abs=1e-15)
    assert s["in", "drop"].power[0] == 0.0


def test_a_reflection_switched_on_in_a_call_plans_again(dense: Callable[..., Any]) -> None:
    net = ring()
    circuit = ps.Circuit(net)
    net["instances"]["cin"]["settings"]["reflection"] = 1e-4
    expected = ps.Circuit(net)
    s = circuit(WL, cin={"reflection": 1e-4})
    assert np.array_equal(s.values, expected(WL).values)
    np.testing.assert_allclose(s.values, dense(expected, WL), rtol=0, atol=1e-12)
    assert s["in", "in"].power.max() > 1e-6
    assert circuit(WL)["in", "in"].power.max() == 0.0


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"radios": 3.0}, r"no setting 'radios'.*Did you mean 'radius'\?"),
        ({"cin": {"couplin": 0.1}}, r"Instance 'cin' has no setting 'couplin'.*Did you mean 'coupling'\?"),
        (
            {"cin": {"coupling": 1.69}},
            r"instance 'cin' \(coupler\): setting 'coupling' is 1.69, but must be 0 to 1",
        ),
        ({"radius": "big"}, r"'radius'.*'big'"),
        ({"radius": -1.0}, r"'length' is -3.14159 um, but must be 0 to 1e\+11 um"),
    ],
)
def test_wrong_settings_in_a_call_are_refused(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        ps.Circuit(ring())(WL, **change)


@pytest.mark.parametrize("wl", [[], 0.0, -1.55, float("nan"), "red", [[1.55]]], ids=str)
def test_wrong_wavelengths_are_refused(wl: Any) -> None:
    with pytest.raises(ParameterError, match=r"[Ww]avelength"):
        ps.Circuit(ring())(wl)


def test_an_unknown_port_is_refused_with_the_nearest_one() -> None:
    circuit = ps.Circuit(ring())
    with pytest.raises(ParameterError, match=r"exposes no port 'dorp'.*Did you mean 'drop'\?"):
        circuit(WL, ports=["in", "dorp"])
    with pytest.raises(ParameterError, match=r"has no port 'throug'.*Did you mean 'through'\?"):
        circuit(WL)["in", "throug"]


@pytest.mark.parametrize("points", [1, 3, 8])
def test_an_entry_of_a_batch_gives_the_bits_it_gives_alone(
    points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to a few wavelengths entries of a batch are computed side by side."""
    rng = np.random.default_rng(3)
    wl = np.linspace(1.549, 1.551, points)
    for reflection in (0.0, 1e-3):
        instances = {
            f"{kind}{k}": {"component": kind, "settings": settings}
            for k in range(3)
            for kind, settings in (
                ("coupler", {"coupling": 0.1, "reflection": reflection}),
                ("straight", {"length": 30.0}),
            )
        }
        joins: dict[str, str] = {}
        for k in range(3):
            joins |= {f"coupler{k},o3": f"straight{k},o1", f"straight{k},o2": f"coupler{k},o2"}
        joins |= {"coupler0,o4": "coupler1,o1", "coupler1,o4": "coupler2,o1"}
        ports = {"in": "coupler0,o1", "out": "coupler2,o4"}
        circuit = ps.Circuit({"instances": instances, "connections": joins, "ports": ports})
        coupling, length = rng.uniform(0.05, 0.9, 19), rng.uniform(20.0, 40.0, 19)
        batch: dict[str, Any] = {"coupler1": {"coupling": coupling}, "straight2": {"length": length}}
        for number in ("1", "2"):
            monkeypatch.setenv("PHOTOSIM_THREADS", number)
            monkeypatch.setattr("photosim.engine.solve.SERIAL_PRODUCTS", 0)
            both = circuit(wl, **batch).values
            for k in range(19):
                one: dict[str, Any] = {
                    "coupler1": {"coupling": coupling[k]},
                    "straight2": {"length": length[k]},
                }
                assert np.array_equal(circuit(wl, **one).values, both[k])

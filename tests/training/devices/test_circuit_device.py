"""Any circuit is a device: its readings, gradients, programming and noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.circuit import Circuit
from photosim.errors import ParameterError, PhotosimWarning
from photosim.training.devices import Device, WeightBank, mesh_chip

MESH = ps.load("clements_4x4")
WAYS: list[dict[str, Any]] = [
    {},
    {"reading": "fields"},
    {"reading": "power"},
    {"reading": "amplitude"},
    {"encoding": "powers"},
]


def detected(kind: str = "photodetector", **detector: Any) -> Circuit:
    """A Mach-Zehnder interferometer between two ports and a detector at each output, or one balanced pair."""
    diodes = {
        "d0": {"component": kind, "settings": detector},
        "d1": {"component": kind, "settings": detector},
    }
    wires = {"join,out0": "d0,o1", "join,out1": "d1,o1"}
    if kind == "balanced_photodetector":
        del diodes["d1"]
        wires["join,out1"] = "d0,o2"
    return Circuit(
        {
            "instances": {
                "split": "coupler",
                "phase": {"component": "phase_shifter", "settings": {"phase": 0.7}},
                "join": "coupler",
                **diodes,
            },
            "connections": {
                "split,out0": "phase,o1",
                "phase,o2": "join,in0",
                "split,out1": "join,in1",
                **wires,
            },
            "ports": {"in0": "split,in0", "in1": "split,in1"},
        }
    )


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_gradients_are_those_of_differences(way: dict[str, Any]) -> None:
    device = Device.from_circuit(MESH, **way)
    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal((6, 4)), rng.standard_normal((6, 4)).astype(complex)
    if way.get("reading") == "fields":
        weights = weights + 1j * rng.standard_normal((6, 4))

    def loss(own: Any, x: Any) -> float:
        return float(np.sum((weights.conj() * own.send(x).outputs).real))

    found = device.send(x).gradient(weights if device.readout.reading == "fields" else weights.real)
    step = 1e-6
    for name in ("b00.outer.phase", "b11.inner.phase", "end2.phase"):
        ends = [device.with_settings({name: MESH.parameters[name] + side * step}) for side in (1, -1)]
        slope = (loss(ends[0], x) - loss(ends[1], x)) / (2 * step)
        assert found.settings[name][0] == pytest.approx(slope, abs=1e-8)
    moved = [x + side * step * np.eye(6, 4)[[2] * 6] * (np.arange(6) == 3)[:, np.newaxis] for side in (1, -1)]
    slope = (loss(device, moved[0]) - loss(device, moved[1])) / (2 * step)
    assert found.inputs[3, 2] == pytest.approx(slope, abs=1e-8)


def test_a_matrix_is_held_by_inversion() -> None:
    target = np.random.default_rng(0).standard_normal((6, 5))
    held = Device.from_circuit(MESH).program(target)
    np.testing.assert_allclose(held.matrix(), target, atol=1e-9)
    x = np.random.default_rng(1).standard_normal((7, 5))
    np.testing.assert_allclose(held.apply(x), x @ target.T, atol=1e-8)
    tile = {name: own[1] for name, own in held.settings().items()}
    s = MESH(1.55, **tile)
    natural = [[s[f"in{i}", f"out{o}"].values[0].real for i in range(4)] for o in range(4)]
    assert held.programmed is not None
    np.testing.assert_allclose(held.programmed.gains[1] * np.array(natural)[:, :1], target[:4, 4:], atol=1e-9)
    assert held.counters["cycles"] == 7 * 4
    assert held.energy().samples == 7


def test_converters_hold_the_nearest_step() -> None:
    target = np.random.default_rng(0).standard_normal((2, 2))
    errors = []
    for bits in (6, 10):
        device = Device.from_circuit(mesh_chip("clements_mesh", 2, bits=bits), parameters="*.phase")
        held = device.program(target)
        errors.append(np.abs(held.matrix() - target).max())
    assert errors[0] > 3 * errors[1] > 0
    slopes = device.send(np.eye(2)).gradient(np.ones((2, 2)))  # straight through the converters
    assert any(abs(own[0]) > 0.1 for own in slopes.settings.values())


def test_a_weight_bank_is_a_circuit_like_any_other() -> None:
    from tests.training.conftest import small_bank

    circuit = small_bank({"lines": 2}, rows=2, channels=2)
    device = Device.from_circuit(circuit, parameters="bank.*.phase")
    assert device.readout.signed
    weights = np.array([[0.4, -0.8], [0.6, 0.3]])
    held = device.program(weights)
    np.testing.assert_allclose(held.matrix(), weights, atol=1e-8)
    bank = WeightBank.from_circuit(circuit, "bank")
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (4000, 2))
    own, other = (
        made.with_noise("physical", np.random.default_rng(1)).apply(x) - x @ made.matrix().T
        for made in (held, bank.program(weights))
    )
    reach = np.abs(held.programmed.gains[0] / (bank.program(weights).programmed.unit ** -1 * 1e-3))  # type: ignore[union-attr]
    assert np.std(own) / np.std(other) == pytest.approx(reach, rel=0.1)


def test_powers_have_no_sign_and_say_so() -> None:
    device = Device.from_circuit(detected(), encoding="powers")
    assert device.linear
    assert not device.readout.signed
    assert (device.matrix() >= 0).all()
    with pytest.warns(PhotosimWarning, match="only in part: the worst of 2 tiles misses"):
        held = device.program(np.array([[0.5, -0.2], [-0.5, 0.2]]))
    text = held.explain()
    assert "never negative" in text
    assert "positive and its negative" in text
    assert held.programmed is not None
    assert len(held.programmed.gains) == 2
    with pytest.raises(ParameterError, match="real numbers, got complex"):
        device.apply(np.ones((1, 2)) + 1j)


def test_balanced_detection_has_signs_and_its_own_noise() -> None:
    circuit = detected("balanced_photodetector", load_resistance=50.0, bandwidth=1e9)
    device = Device.from_circuit(circuit, encoding="powers", noise="physical", power=1e-4)
    assert device.readout.signed
    x = np.full((20000, 2), 0.5)
    read = device.apply(x)[:, 0]
    clean = (x @ device.matrix().T)[:, 0]
    receiver = device.readout.receivers[0]
    current = 1e-4 * float(device.readout.total(device.wiring.transfer(device.settings()))[0, 0] @ x[0])
    deviation = np.sqrt(
        receiver.current_variance(np.array(current)) + receiver.current_variance(np.array(0.0))
    )
    assert np.std(read - clean) == pytest.approx(0.5 * deviation / 1e-4, rel=0.05)


def test_square_law_readings_have_no_matrix() -> None:
    device = Device.from_circuit(detected())
    assert not device.linear
    assert "no matrix" in device.explain()
    x = np.array([[0.3, -0.8]])
    fields = device.wiring.transfer(device.settings())[0]
    responsivity = device.readout.responsivity.max()
    np.testing.assert_allclose(device.apply(x), responsivity * np.abs(x @ fields.T) ** 2, atol=1e-12)
    for call in (device.matrix, lambda: device.program(np.eye(2))):
        with pytest.raises(ParameterError, match=r"reads current of interfering fields .* not linear"):
            call()


def test_a_circuit_that_cannot_hold_a_matrix_says_so() -> None:
    device = Device.from_circuit(ps.load("add_drop_ring"), parameters=[])
    assert device.matrix().shape == device.tile
    with pytest.raises(ParameterError, match="no setting to turn"):
        device.program(np.eye(*device.tile))
    with pytest.warns(PhotosimWarning, match="holds this matrix only in part"):
        Device.from_circuit(detected(), encoding="powers").program(np.array([[1.0, 0.0], [1.0, 0.0]]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"inputs": ["in9"]}, "in9"),
        ({"outputs": ["out0", "oat"]}, "oat"),
        (
            {"parameters": ["b00.otter.phase"]},
            "The circuit has no setting 'b00.otter.phase'. Did you mean 'b00.outer.phase'",
        ),
        ({"encoding": "power"}, "No encoding is named 'power'.*Did you mean 'powers'"),
        ({"reading": "current"}, "ports lit by fields is one of quadrature, fields, power, amplitude"),
        ({"noise": "physical"}, "has no noise, because"),
        ({"power": 0.0}, "power must be above 0"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ps.PhotosimError, match=sentence):
        Device.from_circuit(MESH, **change)


def test_a_circuit_before_a_camera_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'opu' ends at a camera.* ScatteringMedium"):
        Device.from_circuit(ps.load("opu"))

"""Circuits with nonlinear parts as devices: steady states against the time domain, and exact gradients."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import photosim as ps
from photosim.errors import ParameterError
from photosim.model import OpticalPower
from photosim.timedomain import waveforms
from photosim.training import PhotonicClassifier
from photosim.training.devices import CircuitDevice, Device
from photosim.training.hardware import with_hardware
from photosim.training.layers import dense_network
from photosim.training.trained import TrainedNetwork

KINDS = {
    "ring_activation": ("phase", "tap", "coupling", "loss_dB", "current_pi"),
    "electro_optic_activation": ("bias", "tap", "v_pi"),
    "saturable_absorber": ("absorbance", "saturation_power"),
    "dynamic_soa": ("gain_dB", "linewidth_enhancement"),
}
"""Nonlinear parts, and settings that light depends on."""
WAYS: list[dict[str, Any]] = [
    {},
    {"reading": "fields"},
    {"reading": "power"},
    {"reading": "amplitude"},
    {"encoding": "powers"},
]


def crossed(kind: str, *, detectors: bool = False, **settings: Any) -> ps.Circuit:
    """Two guides that a coupler mixes, a nonlinear part in each, a phase, and another coupler."""
    written: dict[str, Any] = {
        "settings": {"common": 0.3},
        "instances": {
            "first": "coupler",
            "up": {"component": kind, "settings": settings},
            "low": {"component": kind, "settings": settings},
            "turn": {"component": "phase_shifter", "settings": {"phase": "2 * common"}},
            "second": {"component": "coupler", "settings": {"coupling": 0.3}},
        },
        "connections": {
            "first,out0": "up,o1",
            "first,out1": "low,o1",
            "up,o2": "turn,o1",
            "turn,o2": "second,in0",
            "low,o2": "second,in1",
        },
        "ports": {"in0": "first,in0", "in1": "first,in1"},
    }
    for k in range(2):
        if detectors:
            written["instances"][f"d{k}"] = "photodetector"
            written["connections"][f"second,out{k}"] = f"d{k},o1"
        else:
            written["ports"][f"out{k}"] = f"second,out{k}"
    return ps.Circuit(written)


def sloped(device: CircuitDevice, name: str, weights: Any, x: Any) -> float:
    """Return the derivative of sum Re(weights* y) by a setting, by central differences."""
    value = float(device.wiring.circuit.parameters[name])
    step = 1e-6 * (abs(value) or 1.0)
    ends = [device.with_settings({name: value + side * step}).send(x).outputs for side in (1.0, -1.0)]
    return float(np.sum((weights.conj() * (ends[0] - ends[1])).real) / (2.0 * step))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", [*WAYS, None], ids=str)
def test_gradients_are_those_of_differences(kind: str, way: dict[str, Any] | None) -> None:
    circuit = crossed(kind, detectors=way is None)
    names = ["common", *(f"up.{name}" for name in KINDS[kind])]
    device = Device.from_circuit(circuit, parameters=names, power=2e-3, **way or {})
    rng = np.random.default_rng(0)
    x, weights = rng.standard_normal((5, 2)), rng.standard_normal((5, 2)).astype(complex)
    if device.readout.reading == "fields":
        weights = weights + 1j * rng.standard_normal((5, 2))
    passage = device.send(x)
    found = passage.gradient(weights if device.readout.reading == "fields" else weights.real)
    for name in names:
        assert found.settings[name][0] == pytest.approx(sloped(device, name, weights, x), rel=2e-6, abs=1e-7)
    step = np.zeros((5, 2))
    step[3, 1] = 1e-6
    ends = device.send(x + step).outputs - device.send(x - step).outputs
    assert found.inputs[3, 1] == pytest.approx(
        np.sum((weights.conj() * ends).real) / 2e-6, rel=1e-5, abs=1e-8
    )


@pytest.mark.parametrize("kind", KINDS)
def test_steady_states_are_those_of_the_time_domain(kind: str) -> None:
    circuit = crossed(kind)
    device = Device.from_circuit(circuit, reading="power", parameters="common")
    x = np.array([[1.2, 0.5]])
    light = {f"in{k}": waveforms.constant(1e-3 * x[0, k] ** 2) for k in range(2)}
    out = ps.transient(circuit, 2e-9, sample_rate=1e11, inputs=light, wl=1.55, probes=["out0", "out1"])
    np.testing.assert_allclose(
        1e-3 * device.apply(x)[0], np.abs(out.wave.values[:, 0, -1]) ** 2, rtol=1e-6, atol=1e-15
    )


def test_lines_of_sources_deplete_together() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "one": {"component": "laser", "settings": {"wl": 1.55, "power": 1e-3}},
                "two": {"component": "laser", "settings": {"wl": 1.551, "power": 2e-3}},
                "join": "coupler",
                "act": {"component": "ring_activation", "settings": {"tap": 0.2}},
                "apart": "ring_double",
                "d0": {"component": "photodetector", "settings": {"dark_current": 0.0}},
                "d1": {"component": "photodetector", "settings": {"dark_current": 0.0}},
            },
            "connections": {
                "one,o1": "join,in0",
                "two,o1": "join,in1",
                "join,out0": "act,o1",
                "act,o2": "apart,in",
                "apart,drop": "d0,o1",
                "apart,through": "d1,o1",
            },
            "terminate": ["join,out1", "apart,add"],
        }
    )
    device = Device.from_circuit(circuit, parameters=["act.phase", "act.tap"])
    out = ps.transient(circuit, 5e-9, sample_rate=1e11, noise=False)
    currents = device.power * device.apply(np.ones((1, 2)))[0]
    np.testing.assert_allclose(currents, out.current.values[:, -1], rtol=1e-6)
    x = np.array([[0.5, -0.7], [-0.2, 0.0]])
    halves = [device.apply(np.maximum(side * x, 0.0)) for side in (1.0, -1.0)]
    np.testing.assert_allclose(device.apply(x), halves[0] - halves[1], atol=1e-12)
    weights = np.array([[1.0, -0.5], [0.3, 0.8]])
    found = device.send(x).gradient(weights)
    for name in device.parameters:
        assert found.settings[name][0] == pytest.approx(
            sloped(device, name, weights.astype(complex), x), rel=1e-6
        )
    noisy = device.with_noise("physical", np.random.default_rng(0))
    spread = np.std(noisy.apply(np.ones((2000, 2))), axis=0)
    assert 0.0 < spread.max() < 0.05 * device.apply(np.ones((1, 2))).max()


def test_tiles_have_settings_of_their_own() -> None:
    device = Device.from_circuit(
        crossed("ring_activation"), reading="power", parameters=["common", "up.phase"]
    )
    rng = np.random.default_rng(1)
    settings = {"common": rng.uniform(0, 1, 6), "up.phase": rng.uniform(-0.3, 0.3, 6)}
    x = rng.standard_normal((3, 6))
    passage = device.passage(settings, x, (2, 3))
    expected = np.zeros((3, 4))
    for tile, (row, column) in enumerate(np.ndindex(2, 3)):
        own = device.with_settings({name: float(value[tile]) for name, value in settings.items()})
        expected[:, 2 * row : 2 * row + 2] += own.apply(x[:, 2 * column : 2 * column + 2])
    np.testing.assert_allclose(passage.outputs, expected, atol=1e-12)
    weights = rng.standard_normal((3, 4))
    found = passage.gradient(weights)
    for name in settings:
        for tile in (0, 4):
            ends = []
            for side in (1.0, -1.0):
                moved = {key: value.copy() for key, value in settings.items()}
                moved[name][tile] += side * 1e-6
                ends.append(np.sum(weights * device.passage(moved, x, (2, 3)).outputs))
            assert found.settings[name][tile] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-6, abs=1e-8)


def test_a_part_of_ones_own_is_declared_with_its_steady_state() -> None:
    def limit(
        state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
    ) -> None:
        del state, before, carriers, noise, dt
        for c in range(now.shape[1]):
            out[1, c] = now[0, c] / math.sqrt(1.0 + abs(now[0, c]) ** 2 / constants[0])

    def limited(m: Any, power: Any, *, ceiling: Any) -> Any:
        return 1 / m.sqrt(1 + power / ceiling)

    @ps.nonlinear(ports=("o1", "o2"), source="saleh2019", step=limit, paths=(("o1", "o2"),), steady=limited)
    def own_limiter(*, ceiling: OpticalPower = 1e-3) -> Any:
        """Limiter of power.

        Left out: everything but the limit.

        Settings:
            ceiling: power that is never exceeded.
        """
        return (ceiling,)

    device = Device.from_circuit(crossed("own_limiter"), reading="power", parameters=["common", "up.ceiling"])
    x = np.array([[1.0, 0.4]])
    found = device.send(x).gradient(np.ones((1, 2)))
    weights = np.ones((1, 2), dtype=complex)
    assert found.settings["up.ceiling"][0] == pytest.approx(
        sloped(device, "up.ceiling", weights, x), rel=1e-5
    )
    assert own_limiter.linear is not None
    assert own_limiter.linear(np.ones(1), ceiling=1e-3)["o1", "o2"] == pytest.approx(1.0)


def test_a_network_is_trained_through_nonlinear_circuits(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)
    circuit = crossed("ring_activation", detectors=True)
    classifier = PhotonicClassifier(
    hardware=[circuit, None], hidden_layer_sizes=(8,), max_iter=30, learning_rate_init=0.02,
    random_state=0, batch_size=16, activation="linear",
    )  # fmt: skip
    assert classifier.fit(x, y).score(x, y) > 0.8
    network = TrainedNetwork.load(classifier.network_.save(tmp_path / "own.npz"))
    np.testing.assert_array_equal(network.predict(x), classifier.predict(x))
    assert str(network).splitlines()[1].endswith("gain 1 and 1 more      33")
    assert classifier.uses_[0]["forward"] == "settings trained, 8 tiles of 2 x 2"
    device = Device.from_circuit(circuit)
    assert "Nonlinear, each in the steady state that it comes to: up (ring_activation)" in device.explain()
    assert set(device.parameters) == {"up.phase", "low.phase", "turn.phase"}


LOOPED = {
    "instances": {"c": "coupler", "act": "saturable_absorber"},
    "connections": {"c,out0": "act,o1", "act,o2": "c,in0"},
    "ports": {"in": "c,in1", "out": "c,out1"},
}
RING = {
    "instances": {"ring": "nonlinear_ring"},
    "terminate": ["ring,drop", "ring,add"],
    "ports": {"in": "ring,in", "out": "ring,through"},
}
LASER = {
    "instances": {"light": "rate_equation_laser", "d": "photodetector", "c": "coupler"},
    "connections": {"light,o1": "c,in0", "c,out0": "d,o1"},
    "ports": {"in": "c,in1", "out": "c,out1"},
}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (LOOPED, r"leaves instance 'act' \(saturable_absorber\) comes back .* ps.transient finds"),
        (RING, r"'ring' \(nonlinear_ring\) is nonlinear and has no steady state in closed form"),
        (LASER, r"'light' \(rate_equation_laser\) is nonlinear and shines by itself"),
    ],
)
def test_what_has_no_steady_state_of_its_own_is_refused(written: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        Device.from_circuit(ps.Circuit(written))


def test_what_a_nonlinear_circuit_cannot_do_is_one_sentence() -> None:
    circuit = crossed("ring_activation")
    device = Device.from_circuit(circuit)
    for call in (device.matrix, lambda: device.program(np.eye(2))):
        with pytest.raises(ParameterError, match=r"instance 'up' \(ring_activation\) is nonlinear. Train"):
            call()
    network = dense_network((4, 4, 2))
    for rule, use in (("dfa", "backward"), ("backprop", "backward"), ("dfa", "both")):
        with pytest.raises(ParameterError, match=r"cannot (carry|hold)|not linear"):
            with_hardware(network, circuit, rule=rule, use=use)
    with pytest.raises(ParameterError, match="has no noise, because its ports are read"):
        with_hardware(network, circuit, rule="dfa", noise="physical")
    assert with_hardware(network, circuit, rule="dfa").records()[0]["use"] == "forward"

"""Layers that train a circuit's settings through the noise of its light and detectors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from photosim.circuit import Circuit
from photosim.errors import ParameterError
from photosim.training import PhotonicClassifier
from photosim.training.devices import CircuitDevice, Device
from photosim.training.hardware import with_hardware
from photosim.training.layers import activation, dense_network
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.rules.physics_aware import ideal_layer
from photosim.training.trained import TrainedNetwork

NOISY = {"load_resistance": 50.0, "bandwidth": 1e9}


def lit(*, bent: bool = False, bits: int | None = None, sources: bool = True) -> Circuit:
    """Two lines or ports, an interferometer and two detectors; nonlinear, with converters, if asked."""
    written: dict[str, Any] = {
        "instances": {
            "split": {"component": "coupler", "settings": {"coupling": 0.4}},
            "phase": {"component": "phase_shifter", "settings": {"phase": 0.7}},
            "join": "coupler",
            "d0": {"component": "photodetector", "settings": NOISY},
            "d1": {"component": "photodetector", "settings": NOISY},
        },
        "connections": {
            "split,out0": "phase,o1",
            "phase,o2": "join,in0",
            "split,out1": "join,in1",
            "join,out0": "d0,o1",
            "join,out1": "d1,o1",
        },
    }
    if bent:
        written["instances"]["act"] = "ring_activation"
        written["connections"] |= {"phase,o2": "act,o1", "act,o2": "join,in0"}
    if sources:
        for k, wl in enumerate((1.549, 1.551)):
            light = {"power": 2e-5, "wl": wl, "rin_dB_Hz": -120.0}
            written["instances"][f"l{k}"] = {"component": "cw_laser", "settings": light}
            written["connections"][f"l{k},o1"] = f"split,in{k}"
    else:
        written["ports"] = {"in0": "split,in0", "in1": "split,in1"}
    if bits is not None:
        for k in range(2):
            tia = {"gain": 1e3, "bandwidth": 1e9}
            written["instances"][f"tia{k}"] = {"component": "transimpedance_amplifier", "settings": tia}
            written["instances"][f"adc{k}"] = {
                "component": "adc",
                "settings": {"bits": bits, "input_range": 0.1},
            }
            written["connections"][f"d{k},e1"] = f"tia{k},e1"
            written["connections"][f"tia{k},e2"] = f"adc{k},e1"
    return Circuit(written)


CASES = {
    "powers": {},
    "powers, nonlinear": {"bent": True},
    "fields": {"sources": False},
    "fields, nonlinear": {"sources": False, "bent": True},
}


def noisy(case: str, seed: int = 0) -> CircuitDevice:
    """A device of a case with noise; parameters are the phase and a coupler."""
    own = CASES[case]
    names = ["*.phase", "split.coupling"]
    device = Device.from_circuit(lit(**own), parameters=names, power=2e-5)
    return device.with_noise("physical", np.random.default_rng(seed))


def tiled(device: CircuitDevice, tiles: int, rng: np.random.Generator) -> dict[str, Any]:
    """Settings of some tiles."""
    return {name: rng.uniform(0.2, 0.8, tiles) for name in device.parameters}


@pytest.mark.parametrize("case", CASES)
def test_readings_have_the_mean_and_variance_of_the_circuit(case: str) -> None:
    device = noisy(case)
    x = np.array([[0.9, -0.4]])
    batch = np.repeat(x, 40_000, axis=0)
    settings = {name: float(value[0]) for name, value in device.settings().items()}
    read = device.read(settings, batch).outputs
    clean = device.send(x).outputs[0]
    own = device.apply(batch)  # written apart: a matrix of readings, without a way back
    error = np.std(read, axis=0) / np.sqrt(len(read))
    assert (np.abs(read.mean(axis=0) - clean) < 4.5 * error).all()
    np.testing.assert_allclose(np.cov(read.T), np.cov(own.T), rtol=0.04, atol=0.04 * float(np.var(own)))
    assert np.std(read, axis=0).min() > 1e-3 * np.abs(clean).max()


def test_the_variance_is_that_of_light_shot_and_load() -> None:
    device = noisy("powers")
    settings = {name: float(value[0]) for name, value in device.settings().items()}
    read = device.read(settings, np.repeat([[0.9, 0.4]], 40_000, axis=0)).outputs
    receiver, power = device.readout.receivers[0], device.power
    lines = device.matrix() * [0.9, 0.4] * power  # A of each line at each detector
    light = receiver.relative_intensity_variance * (lines**2).sum(axis=1)
    dark = receiver.dark_current
    bright = receiver.current_variance(lines.sum(axis=1) * 1.0 / 0.9 - dark)
    expected = light + 0.81 * (bright + receiver.current_variance(np.array(-dark)))  # and the dark half
    np.testing.assert_allclose(np.var(read, axis=0) * power**2, expected, rtol=0.03)


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_readings_with_the_numbers_that_were_drawn(case: str) -> None:
    device, rng = noisy(case), np.random.default_rng(3)
    grid = (2, 2)
    settings = tiled(device, 4, rng)
    x, weights = rng.uniform(-1.0, 1.0, (5, 4)), rng.standard_normal((5, 4))

    def read(own: dict[str, Any], x: Any) -> Any:
        again = replace(device, rng=np.random.default_rng(7))
        return again.read(own, x, grid)

    found = read(settings, x).gradient(weights)
    step = 1e-6
    for name, values in settings.items():
        for tile in range(4):
            ends = []
            for side in (1.0, -1.0):
                moved = values + side * step * (np.arange(4) == tile)
                ends.append(np.sum(weights * read({**settings, name: moved}, x).outputs))
            slope = (ends[0] - ends[1]) / (2.0 * step)
            assert found.settings[name][tile] == pytest.approx(slope, rel=1e-5, abs=1e-7)
    for place in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[place] = step
        ends = [np.sum(weights * read(settings, x + side * move).outputs) for side in (1.0, -1.0)]
        slope = (ends[0] - ends[1]) / (2.0 * step)
        assert found.inputs[place] == pytest.approx(slope, rel=1e-5, abs=1e-7)
    np.testing.assert_allclose(read(settings, x).back(weights), found.inputs)
    quiet = replace(device, noise=None).passage(settings, x, grid).gradient(weights)
    assert not np.allclose(quiet.inputs, found.inputs, rtol=1e-4)


def test_converters_behind_detectors_are_part_of_the_layer() -> None:
    device = Device.from_circuit(lit(bits=4), parameters=["*.phase"])
    layer = CircuitLayer(device, 2, 2, activation("linear"))
    rng = np.random.default_rng(0)
    parameters = layer.initial(rng)
    own = {name: float(parameters[name][0]) for name in device.parameters}
    x = rng.uniform(0.0, 1.0, (6, 2))
    trace = layer.forward(parameters, x)
    wanted = device.with_settings(own).apply(x) * parameters["gain"]
    np.testing.assert_allclose(trace.pre, wanted, atol=1e-12)
    exact = device.with_settings(own).send(x)
    assert not np.allclose(trace.memo[0].outputs, exact.outputs, rtol=1e-3)
    slopes = layer.gradient(trace, np.ones((6, 2)), 6)["phase.phase"]
    straight = exact.gradient(np.full((6, 2), parameters["gain"][0] / 6.0)).settings["phase.phase"]
    np.testing.assert_allclose(slopes, straight, rtol=1e-9)


def test_networks_learn_through_the_noise_of_a_circuit(tmp_path: Path) -> None:
    x, y = load_iris(return_X_y=True)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (8,), "max_iter": 30, "learning_rate_init": 0.02, "random_state": 0,
        "batch_size": 16, "activation": "linear", "rule": "backprop",
    }  # fmt: skip
    circuit = lit()
    found = PhotonicClassifier(hardware=[circuit, None], noise="physical", **settings).fit(x, y)
    again = PhotonicClassifier(hardware=[circuit, None], noise="physical", **settings).fit(x, y)
    quiet = PhotonicClassifier(hardware=[circuit, None], **settings).fit(x, y)
    np.testing.assert_array_equal(found.loss_curve_, again.loss_curve_)
    assert not np.array_equal(found.loss_curve_, quiet.loss_curve_)
    assert found.score(x, y) > 0.8
    first = found.predict_proba(x)
    assert not np.array_equal(found.predict_proba(x), first)  # new noise
    saved = TrainedNetwork.load(found.network_.save(tmp_path / "own.npz"))
    assert np.mean(saved.predict(x) == found.predict(x)) > 0.9
    ideal = ideal_layer(found.network_.layers[0])
    assert isinstance(ideal, CircuitLayer)
    assert ideal.device.noise is None
    with pytest.raises(ParameterError, match="'measured' is the published model"):
        with_hardware(dense_network((4, 2)), circuit, use="forward", noise="measured")
    text = with_hardware(dense_network((4, 2)), circuit, use="forward", noise="physical")
    assert "Noise: of the circuit's light and detectors" in text.network.layers[0].device.explain()  # type: ignore[attr-defined]

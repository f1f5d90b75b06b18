"""The single chip: its layers against the engine in time, its gradient, and what its netlist decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import DataError, ParameterError
from photosim.kernels.saturation import activate_ring
from photosim.model import Nonlinear, registry
from photosim.netlist import read, to_yaml
from photosim.systems import find_system, reproduce
from photosim.systems.harness.system import Options
from photosim.systems.single_chip.chip import Chip, Faults, ReadMesh
from photosim.systems.single_chip.parting import choices, chosen, discriminants, table
from photosim.systems.single_chip.runs import Recipe, learnt
from photosim.training.data.datasets import Table
from photosim.training.layers import Network
from photosim.training.layers.mesh import MeshLayer
from photosim.training.layers.ring_activation import RingActivation
from photosim.training.passes import run
from photosim.training.rules import Backprop

DIGITS = Options("digits")


def _edited(folder: Path, instance: str, **settings: Any) -> str:
    """Return the file of the gallery's netlist with other settings of an instance, or of all of an array."""
    netlist = read("single_chip")
    named = [name for name in netlist.instances if name.partition("<")[0] == instance]
    changed = {
        name: replace(own, settings={**own.settings, **settings})
        for name, own in netlist.instances.items()
        if name in named
    }
    file = folder / f"{instance}.yml"
    written = replace(netlist, instances={**netlist.instances, **changed})
    file.write_text(to_yaml(written), encoding="utf-8")
    return str(file)


def _quiet(network: Network) -> Network:
    """Return the network without noise, and with converters without steps."""
    layers: list[Any] = []
    for layer in network.layers:
        if isinstance(layer, MeshLayer):
            smooth = replace(layer.hardware, u=replace(layer.hardware.u, bits=None))
            layer = replace(layer, hardware=smooth)  # noqa: PLW2901 - the smooth one
        layers.append(replace(layer, variance=0.0, per_unit=0.0) if isinstance(layer, ReadMesh) else layer)
    return Network(tuple(layers))


def test_light_is_divided_evenly_and_loses_what_the_modulators_take() -> None:
    light = Chip.read().light
    np.testing.assert_allclose(light**2, 20e-3 / 6 * 10**-0.4, rtol=1e-6)


def test_layers_are_what_the_engine_carries_in_time() -> None:
    """The whole netlist, laser to detectors, in the time domain until it is steady."""
    chip = Chip.read()
    network = chip.layers(Faults(), 3)
    parameters = network.initial(np.random.default_rng(4), np.float64)
    voltages = np.random.default_rng(5).uniform(-3.0, 3.0, 6)
    settings: dict[str, Any] = {f"modulator<{k}.0>.voltage": float(v) for k, v in enumerate(voltages)}
    waves = [f"modulator<{k}.0>,o2" for k in range(6)]
    fields = chip.circuit.transfer([1.55], waves, ["laser,o1"], **settings)[0, :, 0] * np.sqrt(20e-3)
    settings |= chip.settings(network, parameters)
    probes = [f"mesh3.end{k}.shifter,o2" for k in range(6)]
    out = ps.transient(chip.circuit, 2.5e-10, sample_rate=2e10, probes=probes, **settings)
    powers = np.abs(out.wave.values[:, 0, -1]) ** 2
    last: Any = network.layers[-1]
    traces = network.forward(parameters, fields[np.newaxis])
    np.testing.assert_allclose(np.abs(traces[-1].pre[0]) ** 2, powers, rtol=1e-6)
    spread = np.sqrt(last.variance + last.per_unit * last.per_watt * powers)
    assert np.all(np.abs(traces[-1].outputs[0] - last.per_watt * powers) < 6.0 * spread)


def test_the_layer_of_rings_is_the_component_at_rest() -> None:
    part = registry.get("ring_activation")
    assert isinstance(part, Nonlinear)
    given = {"tap": 0.2, "responsivity": 0.8, "current_pi": 2e-3, "coupling": 0.3, "loss_dB": 0.4,
             "phase": 0.2, "bandwidth": 1e10}  # fmt: skip
    constants = part.constants(given).ravel()
    slope = np.pi * 0.8 / 2e-3
    layer = RingActivation(1, slope, np.sqrt(0.7), 10**-0.02, tap=0.2, phase=0.2, spread=0.0)
    parameters = layer.initial(np.random.default_rng(0))
    for z in (0.01, 0.02j, 0.05 - 0.03j):
        waves, out = np.array([[z], [0.0]], dtype=complex), np.zeros((2, 1), dtype=complex)
        state = np.array([np.abs(z) ** 2])
        activate_ring(state, waves, waves, out, np.tile(constants, 2), np.zeros(1), np.zeros(0), 1e-10)
        found = layer.forward(parameters, np.array([[z]])).outputs[0, 0]
        assert found == pytest.approx(out[1, 0], abs=1e-15)
        # By hand: a ring of one coupler, its loop summed turn by turn.
        turn = 10**-0.02 * np.exp(1j * (0.2 - 0.2 * slope * np.abs(z) ** 2))
        loops = sum((np.sqrt(0.7) * turn) ** k for k in range(400))
        ring = np.sqrt(0.7) - 0.3 * turn * loops
        assert found == pytest.approx(np.sqrt(0.8) * ring * z, abs=1e-14)


def test_gradients_of_phases_taps_and_rings_are_slopes_of_the_loss() -> None:
    network = _quiet(Chip.read().layers(Faults(), 1))
    rng = np.random.default_rng(2)
    parameters = network.initial(rng, np.float64)
    x, y = 0.04 * rng.uniform(-1.0, 1.0, (20, 6)), rng.integers(0, 6, 20)
    found: Any = Backprop().updates(run(network, parameters, x, y)[0])
    for index, own in enumerate(parameters):
        for name, value in own.items():
            kept, ends = value[2], []
            for side in (1e-5, -1e-5):
                value[2] = kept + side
                ends.append(run(network, parameters, x, y)[1])
            value[2] = kept
            assert found[index][name][2] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8, rel=1e-6)


def test_receivers_are_off_by_their_shot_and_thermal_noise() -> None:
    """Against the noise that the engine's own detectors have: 4kT/R and 2qI over the Bessel filter's band."""
    network = Chip.read().layers(Faults(0.0, 0.0), 0, brightest=1.0)
    last: Any = network.layers[-1]
    ampere = last.per_watt  # responsivity 1
    density = 4 * 1.380649e-23 * 300 / 1000 + 2 * 1.602176634e-19 * 1e-10
    assert last.variance == pytest.approx(ampere**2 * density * 1.0463e9, rel=2e-3)
    parameters = network.initial(np.random.default_rng(0), np.float64)
    x = np.repeat(Chip.read().light[np.newaxis], 4000, axis=0)
    read = network.predict(parameters, x)
    shot = 2 * 1.602176634e-19 * 1.0463e9 * ampere * read.mean(axis=0)
    np.testing.assert_allclose(read.var(axis=0), last.variance + shot, rtol=0.12)


def test_choices_are_different_sets_and_halves_do_not_meet() -> None:
    whole = table(DIGITS)
    drawn = choices(whole, 20, 0)
    assert len(set(drawn)) == 20
    assert all(list(own) == sorted(set(own)) and len(own) == 6 for own in drawn)
    assert choices(whole, 20, 1) != drawn
    assert len(choices(whole, 1000, 0)) == 210  # all sets of 6 of 10
    light = np.full(6, 0.03)
    data = chosen(whole, drawn[0], 0, light)
    assert abs(len(data.train) - len(data.test)) <= 6
    assert np.abs(data.train.x).max() <= 0.03 + 1e-12
    np.testing.assert_array_equal(data.test.x[:, 5], 0.03)
    # What judges has no part in the numbers.
    assert discriminants(data) > 80.0


def test_too_few_classes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Table(np.zeros((60, 8)), np.repeat([0, 1, 2], 20))
    monkeypatch.setitem(
        __import__("photosim.training.data.datasets", fromlist=["DATASETS"]).DATASETS,
        "digits", lambda *_: few,
    )  # fmt: skip
    with pytest.raises(DataError, match="must have 6 classes of 20 samples or more and 5 features, got 3"):
        table(DIGITS)


@pytest.mark.parametrize(("instance", "settings"), [
    ("mesh2", {"loss_dB": 6.0}),
    ("laser", {"power": 2e-5}),
    ("diode", {"load_resistance": 1e-4}),
    ("unit1", {"current_pi": 1e-7}),
])  # fmt: skip
def test_a_worse_netlist_learns_worse(instance: str, settings: dict[str, Any], tmp_path: Path) -> None:
    def silent(_done: int, _total: int) -> None:
        pass

    recipe = Recipe("backprop", 0.02, 25, drawn=1)
    worse = replace(DIGITS, netlists=(("single_chip", _edited(tmp_path, instance, **settings)),))
    good, bad = (
        learnt(options, recipe, 0, tmp_path / f"{k}.json", silent)["mean"]
        for k, options in enumerate((DIGITS, worse))
    )
    assert bad < good - 5.0


def test_netlists_without_the_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="must have meshes of 6 guides, 6 ring_activation"):
        Chip.read("vowels")
    with pytest.raises(ParameterError, match=r"It has mesh mesh of 4 guides, 0 ring_activation and 0"):
        Chip.read("vowels")
    with pytest.raises(ParameterError, match=r"It has no mesh, 0 ring_activation and 0 detectors\."):
        Chip.read("opu")
    with pytest.raises(ParameterError, match="sends no light to mesh1,in3"):
        Chip.read(_unlit(tmp_path))


def _unlit(folder: Path) -> str:
    netlist = read("single_chip")
    wires = tuple(wire for wire in netlist.connections if ("mesh1", "in3") not in list(wire))
    ends = (*netlist.terminate, ("mesh1", "in3"), ("modulator<3.0>", "o2"))
    file = folder / "unlit.yml"
    file.write_text(to_yaml(replace(netlist, connections=wires, terminate=ends)), encoding="utf-8")
    return str(file)


def test_the_system_goes_on_where_it_stopped_and_shows_its_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import photosim.systems.single_chip.system as module

    small = {
        "in situ": Recipe("spsa", 0.03, 4, drawn=2),
        "digital": Recipe("digital", 0.02, 4, drawn=2),
    }
    monkeypatch.setattr(module, "recipes", lambda **_: small)
    system = find_system("single-chip")
    options = system.options(quick=True, seeds=1)
    done = reproduce(system, options, tmp_path)
    kept = (tmp_path / "runs" / "in situ-0.json").read_text(encoding="utf-8")
    assert [row[0] for row in system.tables(done.outcome)[0].rows] == ["0", "0"]
    assert done.outcome.values("latency", "total")[0] == pytest.approx(84.0, abs=0.1)
    assert system.pictures(done.outcome)[0].name == "choices"
    again = reproduce(system, options, tmp_path)
    assert (tmp_path / "runs" / "in situ-0.json").read_text(encoding="utf-8") == kept
    assert again.outcome.of("in situ") == done.outcome.of("in situ")


def test_a_training_that_was_stopped_between_two_choices_ends_alike(tmp_path: Path) -> None:
    recipe = Recipe("spsa", 0.03, 3, drawn=3)
    stops: list[int] = []

    def stop(done: int, _total: int) -> None:
        stops.append(done)
        if len(stops) == 2:
            raise KeyboardInterrupt

    file = tmp_path / "kept.json"
    with pytest.raises(KeyboardInterrupt):
        learnt(DIGITS, recipe, 0, file, stop)
    rest = learnt(DIGITS, recipe, 0, file, stop)
    assert stops == [1, 2, 3]
    whole = learnt(DIGITS, recipe, 0, tmp_path / "other.json", lambda _d, _t: None)
    np.testing.assert_array_equal(rest["judged"], whole["judged"])

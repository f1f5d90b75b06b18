"""Chips in the loop: readings and their slopes, calibration from outputs alone, drift, layers, files."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.app import app
from photosim.errors import DataError, NetlistError, ParameterError
from photosim.media.unitaries import haar
from photosim.netlist import read_text
from photosim.netlist.write import to_yaml
from photosim.training import PhotonicClassifier
from photosim.training.chips import (
    CalibratedChip,
    Calibration,
    Chip,
    ChipLayer,
    ChipOptions,
    SimulatedChip,
    Tracker,
    calibrate,
    fidelity,
    open_chip,
)
from photosim.training.chips.model import Model
from photosim.training.chips.report import hold
from photosim.training.chips.wiring import Wiring
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Digital, mesh_chip
from photosim.training.hardware import with_hardware
from photosim.training.layers import Network, dense_network
from photosim.training.losses import REGRESSION
from photosim.training.optimisers import Adam
from photosim.training.passes import run
from photosim.training.rules import Backprop
from photosim.training.rules.catalogue import RULES, draw_feedback, make_rule
from photosim.training.rules.perturbation import SPSA
from photosim.training.trainer import Schedule, Streams, fit

CLEAN = ChipOptions(bits=None, noise=0.0, dark=0.0, crosstalk_spread=0.0)


def chip_of(n: int = 4, component: str = "clements_mesh", **options: Any) -> SimulatedChip:
    return SimulatedChip(mesh_chip(component, n), ChipOptions(**options))


@pytest.fixture(scope="module")
def calibrated() -> tuple[SimulatedChip, Calibration]:
    chip = chip_of(seed=3)
    return chip, calibrate(chip)


def reached(chip: SimulatedChip, found: Calibration, count: int = 5) -> list[float]:
    rng, scores = np.random.default_rng(5), []
    for _ in range(count):
        unitary = haar(chip.wiring.n, rng)
        chip.set_voltages(found.program(unitary))
        scores.append(fidelity(chip.matrix(), unitary))
    return scores


def test_a_simulated_chip_is_the_engines_circuit() -> None:
    # No heat, no losses, no offsets: the same numbers as settings of the circuit.
    circuit = mesh_chip("clements_mesh", 4)
    chip = SimulatedChip(circuit, replace(CLEAN, crosstalk=0.0, offset=0.0, power_spread=0.0))
    powers = np.random.default_rng(0).uniform(0.0, 2.0, len(chip.wiring.heaters))
    chip.set_voltages(chip.wiring.voltages(powers))
    couplers = np.sin(np.stack([chip.hidden.split, chip.hidden.join])) ** 2
    settings: dict[str, Any] = {
        f"m{c}_{m}": {
            "theta": np.pi * powers[k],
            "phi": np.pi * powers[chip.wiring.blocks + k],
            "coupling": couplers[0, k],
            "coupling_join": couplers[1, k],
        }
        for k, (c, m) in enumerate(chip.wiring.places)
    }
    ports = [f"out{k}" for k in range(4)], [f"in{k}" for k in range(4)]
    exact = circuit.transfer([1.55], *ports, mesh=settings)[0]
    np.testing.assert_allclose(chip.matrix(), exact, atol=1e-12)
    for entrance in range(4):
        np.testing.assert_allclose(chip.read_powers(entrance), np.abs(exact[:, entrance]) ** 2, atol=1e-12)
    assert chip.counters == Counter(settings=1, readings=4)
    assert chip.seconds == pytest.approx(20e-6 + 4 * 10e-6)


@pytest.mark.parametrize("arrangement", ["clements", "reck"])
def test_slopes_of_the_model_are_those_of_differences(arrangement: Any) -> None:
    model, rng = Model(Wiring(arrangement, 4)), np.random.default_rng(0)
    start = model.start().vector()
    row = start + 0.05 * rng.standard_normal(start.size)
    powers, entrances = rng.uniform(0.0, 2.0, (3, len(model.wiring.heaters))), np.array([0, 2, 3])
    seen, slopes = model.slopes(model.start().of(row), powers, entrances)
    np.testing.assert_allclose(seen, model.readings(model.start().of(row), powers, entrances))
    for k, step in enumerate(1e-6 * np.eye(row.size)):
        ahead, behind = (model.readings(model.start().of(row + s), powers, entrances) for s in (step, -step))
        np.testing.assert_allclose(slopes[..., k], (ahead - behind) / 2e-6, atol=1e-7)


def test_outputs_alone_tell_what_a_chip_is_made_of(calibrated: Any) -> None:
    chip, found = calibrated
    assert chip.counters["readings"] == found.readings <= 50 * 4**2
    assert found.error < 1.1
    assert np.mean(reached(chip, found)) > 0.999
    true = replace(found, numbers=chip.hidden)
    assert np.sqrt(np.mean((found.couplers - true.couplers) ** 2)) < 0.003
    assert found.numbers.share[0] == pytest.approx(0.02, abs=0.004)


def test_triangles_with_losses_are_calibrated_too() -> None:
    chip = chip_of(component="reck_mesh", seed=1, loss_dB=0.1, ends_dB=0.5)
    assert np.mean(reached(chip, calibrate(chip))) > 0.998


def test_physics_that_the_model_lacks_shows_in_the_misfit(calibrated: Any) -> None:
    strange = calibrate(chip_of(seed=3, self_heating=0.05))
    assert strange.error > 1.5 * calibrated[1].error


def test_more_crosstalk_and_noise_cost_fidelity_of_what_was_calibrated_without(calibrated: Any) -> None:
    chip, found = calibrated
    warmer = chip_of(seed=3, crosstalk=0.06)
    assert np.mean(reached(warmer, found)) < np.mean(reached(chip, found)) - 0.005


def test_a_drifting_chip_is_held() -> None:
    chip = chip_of(seed=2, drift=0.05, kelvin=0.1)
    found = calibrate(chip)
    unitary = haar(4, np.random.default_rng(0))
    held = hold(chip, found, unitary, 0.5)
    assert held.start - held.fidelity.min() < 0.002
    assert held.busy < 0.01
    chip.set_voltages(found.program(unitary))
    assert fidelity(chip.matrix(), unitary) < held.fidelity.min()  # without following


def test_calibrations_are_files(calibrated: Any, tmp_path: Path) -> None:
    _, found = calibrated
    again = Calibration.load(found.save(tmp_path / "chip.npz"))
    unitary = haar(4, np.random.default_rng(1))
    np.testing.assert_array_equal(again.program(unitary), found.program(unitary))
    np.testing.assert_allclose(
        fidelity(again.matrix(again.program(unitary)), unitary), 1.0, atol=1e-3
    )  # what the model thinks
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    for name, text in (("other.npz", "lacks the array"), ("none.npz", "There is no file")):
        with pytest.raises(DataError, match=text):
            Calibration.load(tmp_path / name)
    with pytest.raises(ParameterError, match=r"holds unitary matrices \(4, 4\), got shape \(3, 3\)"):
        found.program(np.eye(3))


@pytest.mark.parametrize("known", [True, False])
def test_rules_train_a_chip_and_its_readings_are_counted(calibrated: Any, known: bool) -> None:
    chip, found = chip_of(seed=3, noise=0.001), calibrated[1]
    network = Network(
        (ChipLayer(chip, 4, 4, found if known else None, gain=4.0), *dense_network((4, 1)).layers)
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4))
    samples = Samples(x, (x[:, :1] - 0.5 * x[:, 1:2]) * 2.0)
    data = Dataset("line", samples, Samples(x[:0], samples.y[:0]), samples, 1)
    rule: Any = Backprop() if known else SPSA(step=0.05, repeats=4, rng=rng)
    rate = Adam(0.02)
    epochs = 15
    history = fit(
        network,
        rule,
        rate,
        data,
        Schedule(epochs, 16, np.float64),
        Streams.tree(0, 1)[0],
        objective=REGRESSION,
    )
    assert history.loss[-1] < 0.5 * history.loss[0]
    passes = 4 * (1 if known else 1 + 2 * 4) + 1  # batches and their moves, and the score
    assert chip.counters["readings"] == epochs * passes * 4


@pytest.mark.filterwarnings("ignore:The threshold 0.25 turns most")
@pytest.mark.parametrize("name", RULES)
def test_every_rule_of_the_catalogue_trains_a_chip(calibrated: Any, name: str) -> None:
    chip, found = chip_of(seed=3), calibrated[1]
    network = with_hardware(
        dense_network((4, 4, 3)), [None, CalibratedChip(chip, found)], rule=name, use="forward"
    ).network
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    samples = Samples(x, np.argmax(x[:, :3], axis=1))
    data = Dataset("largest", samples, Samples(x[:0], samples.y[:0]), samples, 3)
    streams = Streams.tree(0, 1)[0]
    matrices = draw_feedback(name, network, 1.0, np.random.default_rng(streams.feedback))
    rule = make_rule(name, network, [Digital(own) for own in matrices], rng)
    history = fit(network, rule, Adam(0.02), data, Schedule(3, 20, np.float64), streams)
    assert np.isfinite(history.loss).all()
    passes = {
        "finite-difference": 1 + sum(own.size for layer in history.parameters for own in layer.values()),
        "spsa": 2,
        "evolution-strategy": 20,
        "pepita-mirrored": 2,  # noise, and no light
    }
    second = name.startswith(("pepita", "two-pass"))
    batches = 3 * (1 + passes.get(name, 0) + second)
    assert chip.counters["readings"] == 3 * (batches + 1) * 4  # and a score after each epoch


def test_a_chip_is_hardware_of_estimators(calibrated: Any) -> None:
    chip, found = chip_of(seed=3), calibrated[1]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4))
    y = np.argmax(x[:, :3], axis=1)
    settings: dict[str, Any] = {"batch_size": 30, "random_state": 0, "learning_rate_init": 0.05}
    known = CalibratedChip(chip, found)
    learnt = PhotonicClassifier(
        hardware=[None, known], rule="backprop", hidden_layer_sizes=(4,), max_iter=30, **settings
    ).fit(x, y)
    assert learnt.score(x, y) > 0.8
    assert learnt.uses_[1]["kind"] == "chip"
    assert learnt.uses_[1]["forward"] == "heaters trained, 1 tile of 4 x 4"
    assert learnt.uses_[1]["backward"] == "errors through the powers that were read"
    before = chip.counters["readings"]
    learnt.predict(x)
    assert chip.counters["readings"] == before + 4
    network = dense_network((4, 6, 3))
    for hardware, rule, use, text in (
        (chip, "backprop", "auto", r"A chip of 4 guides does not hold a layer of 4 inputs and 6 outputs"),
        ([None, chip], "dfa", "backward", "A chip cannot carry feedback: its powers are never negative"),
    ):
        with pytest.raises(ParameterError, match=text):
            with_hardware(network, hardware, rule=rule, use=use)
    with pytest.raises(ParameterError, match="hardware is a chip, which has its own noise"):
        with_hardware(network, [None, chip], noise="physical")
    with pytest.raises(ParameterError, match="the chip has 3 guides, but the calibration 4"):
        CalibratedChip(chip_of(3), found)


def test_a_layers_gradient_is_that_of_the_calibrated_chip(calibrated: Any) -> None:
    _, found = calibrated
    chip = SimulatedChip(mesh_chip("clements_mesh", 4), replace(CLEAN, seed=3))
    exact = replace(found, numbers=chip.hidden)
    network = Network((ChipLayer(chip, 3, 4, exact, gain=2.0), *dense_network((4, 2)).layers))
    parameters, rng = network.initial(np.random.default_rng(0)), np.random.default_rng(1)
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    forward, _ = run(network, parameters, x, y, REGRESSION)
    slope = Backprop().updates(forward)[0]
    assert slope is not None
    for k in (0, 7, 13):
        values = []
        for step in (1e-5, -1e-5):
            moved = [{**parameters[0], "powers": parameters[0]["powers"].copy()}, parameters[1]]
            moved[0]["powers"][k] += step
            values.append(run(network, moved, x, y, REGRESSION)[1])
        # Heat between pairs beyond the near ones is the law's, of which the chip has the same.
        assert slope["powers"][k] == pytest.approx((values[0] - values[1]) / 2e-5, rel=1e-4, abs=1e-8)
    blind = Network((ChipLayer(chip, 3, 2),))
    passed, _ = run(blind, blind.initial(rng), x, y, REGRESSION)
    with pytest.raises(ParameterError, match="needs the gradient of the chip's layer: give it a calibration"):
        Backprop().updates(passed)


def test_chips_are_written_in_netlists(tmp_path: Path) -> None:
    text = to_yaml(ps.load("chip_8x8").netlist)
    assert read_text(text) == ps.load("chip_8x8").netlist
    assert open_chip("chip_8x8").wiring.n == 8
    lines = text.splitlines()
    row = next(k for k, line in enumerate(lines, start=1) if line.strip().startswith("crosstalk"))
    path = tmp_path / "chip.yml"
    path.write_text(text.replace("crosstalk:", "crostalk:"), encoding="utf-8")
    with pytest.raises(
        NetlistError, match=rf"chip\.yml:{row}:\d+: chip has no option 'crostalk'.*'crosstalk'"
    ):
        open_chip(path)
    path.write_text(text.replace("noise: 0.01", "noise: -0.01"), encoding="utf-8")
    with pytest.raises(NetlistError, match="'noise' must be"):
        open_chip(path)
    with pytest.raises(ParameterError, match="has no chip: block"):
        open_chip("clements_4x4")
    with pytest.raises(NetlistError, match="Did you mean 'chip_8x8'"):
        open_chip("chip_8x9")


def test_laboratories_come_as_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        """An installed package's chip."""

        name = "our-table"

        @staticmethod
        def load() -> Any:
            """Return what makes the chip."""
            return chip_of

    monkeypatch.setattr(
        metadata, "entry_points", lambda group: [Entry()] if group == "photosim.chips" else []
    )
    chip = open_chip("our-table", seed=7)
    assert isinstance(chip, Chip)
    with pytest.raises(ParameterError, match=r"no chip 'our-tabel' among those of installed .*'our-table'"):
        open_chip("our-tabel")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda chip: chip.set_voltages(np.zeros(3)), "takes as many voltages from 0 to 7.2 V: got shape"),
        (lambda chip: chip.set_voltages(np.full(16, 9.0)), "from 9 to 9"),
        (lambda chip: chip.read_powers(4), "The chip has inputs 0 to 3, got 4"),
        (lambda _: chip_of(component="svd_mesh"), "clements or reck mesh, but 'mesh' is an svd_mesh"),
        (lambda _: chip_of(component="butterfly_mesh"), "'mesh' is a butterfly mesh"),
        (lambda _: chip_of(coupling=-1.0), "ChipOptions: coupling must be from 0 to 0.5, got -1.0"),
        (lambda chip: calibrate(chip, 0), "readings must be a whole number, 1 or more, got 0"),
        (lambda chip: ChipLayer(chip, 5, 2), "inputs must be a whole number, from 1 to 4, got 5"),
        (
            lambda _: SimulatedChip(ps.load("add_drop_ring")),
            "A chip is the mesh of a circuit, but this one has",
        ),
    ],
)
def test_what_is_wrong_with_a_chip_is_one_sentence(make: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        make(chip_of())


def test_fidelity_is_blind_to_outer_phases_and_scale() -> None:
    rng = np.random.default_rng(0)
    unitary = haar(5, rng)
    turned = 0.3 * np.exp(1j * rng.uniform(0, 6, 5))[:, None] * unitary * np.exp(1j * rng.uniform(0, 6, 5))
    assert fidelity(turned, unitary) == pytest.approx(1.0, abs=1e-10)
    assert fidelity(haar(5, rng), unitary) < 0.9


def test_the_command_calibrates_judges_and_holds(tmp_path: Path) -> None:
    netlist = to_yaml(mesh_chip("clements_mesh", 3).netlist) + "chip: {seed: 1, drift: 0.05}\n"
    path, out = tmp_path / "three.yml", tmp_path / "out"
    path.write_text(netlist, encoding="utf-8")
    arguments = ["calibrate", str(path), "--targets", "2", "--hours", "0.1", "--out", str(out)]
    done = CliRunner().invoke(app, arguments, prog_name="photosim")
    assert done.exit_code == 0, done.output
    for word in ("450 readings", "powers at the outputs", "taps inside the mesh", "held as it drifts"):
        assert word in done.output
    found = Calibration.load(out / "calibration.npz")
    assert found.readings == 450
    assert (out / "results.json").is_file()


def test_a_tracker_checks_its_numbers(calibrated: Any) -> None:
    with pytest.raises(ParameterError, match="Tracker: readings must be a whole number, 1 or more, got 0"):
        Tracker(calibrated[0], calibrated[1], readings=0)

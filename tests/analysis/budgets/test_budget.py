"""Budgets against sums by hand, the engine's own waves, and the laws that hold for any circuit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.analysis.budgets.constants import KNOWN
from photosim.analysis.budgets.optics import optics_of
from photosim.analysis.budgets.options import compute, read_options
from photosim.cli.questions import app
from photosim.training.job import train


def value(data: Any, name: str, **at: str) -> float:
    return float(data[name].sel(bound="value", **at))


@pytest.fixture(scope="module")
def link() -> ps.Circuit:
    return ps.load("modulator")


def test_a_link_is_the_sum_of_its_parts(link: ps.Circuit) -> None:
    """Modulator.yml: a laser of 5 mW, a DAC, a modulator, an amplifier of 15 GHz, an ADC."""
    data = ps.budget(link, converter_bits=6.0)
    rate = 2 * 15e9
    assert data.attrs["rate_Hz"] == rate
    by = {str(c): float(p) for c, p in zip(data.category.values, data.power.sel(bound="value"), strict=True)}
    assert by["laser"] == pytest.approx(float(link.parameters["laser.power"]) / 0.1)
    assert by["dac"] == pytest.approx(rate * 1e-12)
    assert by["adc"] == pytest.approx(rate * 3e-12)
    assert by["tia"] == pytest.approx(rate * 1e-12)
    assert by["modulator"] == pytest.approx(rate * 0.2e-12)
    assert value(data, "total_power") == pytest.approx(sum(by.values()))
    assert value(data, "total_energy", per="bit") == pytest.approx(sum(by.values()) / rate)


def test_effective_bits_of_a_converter_are_those_of_its_steps_and_jitter(link: ps.Circuit) -> None:
    """A sine of half the rate, quantised to 8 bits: 1.5 4**8 of signal to noise, less what 100 fs leave."""
    data = ps.budget(link)
    own = link.parameters
    rate, bits, jitter = data.attrs["rate_Hz"], int(own["adc.bits"]), float(own["adc.jitter"])
    t = (np.arange(4096) + 0.5) / 4096 * 2 * np.pi * 1021
    steps = 2.0 / (2**bits - 1)
    error = np.round(np.sin(t) / steps) * steps - np.sin(t)
    slope = np.pi * rate * jitter  # of a sine of amplitude 1 at half the rate, rms error over rms signal
    noise = np.var(error) / 0.5 + slope**2
    found = (-10 * np.log10(noise) - 1.76) / 6.02
    adc = data.power.sel(bound="value")[data.category.values == "adc"]
    assert float(adc[0]) / rate / KNOWN["adc_step_energy"].value == pytest.approx(2**found, rel=0.03)


def test_static_power_counts_whole_at_low_use_and_once(link: ps.Circuit) -> None:
    full, tenth = ps.budget(link), ps.budget(link, use=0.1)
    static, total = value(full, "static_power", part="laser"), value(full, "total_power")
    moving = total - static
    assert value(tenth, "total_power") == pytest.approx(static + 0.1 * moving)
    assert value(tenth, "total_energy", per="bit") == pytest.approx(
        10 * static / 30e9 + moving / 30e9, rel=1e-12
    )


def test_without_a_pipeline_a_cycle_waits_for_the_last(link: ps.Circuit) -> None:
    piped, single = ps.budget(link), ps.budget(link, pipelined=False)
    latency, rate = value(piped, "total_latency"), piped.attrs["rate_Hz"]
    assert latency > 1.0 / rate
    assert value(single, "total_latency") == latency
    static = value(piped, "static_power", part="laser")
    moving = value(piped, "total_energy", per="cycle") - static / rate
    assert value(single, "total_energy", per="cycle") == pytest.approx(static * latency + moving)


def test_intervals_hold_every_choice_of_constants(link: ps.Circuit) -> None:
    data = ps.budget(link)
    rng = np.random.default_rng(3)
    low, high = (float(data.total_energy.sel(per="bit", bound=b)) for b in ("low", "high"))
    names = [n for n in data.constant.values if KNOWN[n].low < KNOWN[n].high]
    for end in ("low", "high"):
        pushed = {n: _pushing(data, n, end) for n in names}
        assert value(ps.budget(link, constants=pushed), "total_energy", per="bit") == pytest.approx(
            low if end == "low" else high
        )
    for _ in range(5):
        drawn = {n: float(rng.uniform(KNOWN[n].low, KNOWN[n].high)) for n in names}
        assert low <= value(ps.budget(link, constants=drawn), "total_energy", per="bit") <= high


def _pushing(data: Any, name: str, end: str) -> float:
    over = data.energy_over.sel(per="bit", constant=name).values
    rises = over[1] >= over[0]
    return KNOWN[name].high if rises == (end == "high") else KNOWN[name].low


def test_light_that_parts_absorb_is_that_of_the_engine() -> None:
    """Every wave by a sparse solution of its own, against the plan of elimination; and power is kept."""
    circuit = ps.load("mrr_weight_bank_1x4")
    optics = optics_of(circuit, {}, None, None, None)
    assert optics.flows is not None
    names = [f"bank.row0.ring{k}.{h},o1" for k in range(4) for h in ("left", "ct")]
    ports = [circuit.graph.port(*n.split(",")) for n in names]
    for n, beam in enumerate(optics.beams):
        wanted = circuit.transfer([beam.wl], names, ["comb,o1"])[0, :, 0] * np.sqrt(beam.power)
        np.testing.assert_allclose(optics.flows[0].leaving[n, ports], wanted, atol=1e-12)
    data = ps.budget(circuit, group=False)
    open_ends = 4 * 1e-3 - float(data.absorbed.sum())  # what leaves through the terminated end of the bus
    assert float(data.absorbed.min()) > -1e-15
    assert -1e-15 < open_ends < 1e-3


def test_delay_and_loss_along_the_way_are_those_of_the_spectrum() -> None:
    """A guide, a ring at resonance, a guide: group delay and loss in all are those of the S-matrix."""
    circuit = ps.Circuit({
        "instances": {
            "a": {"component": "straight", "settings": {"length": 500.0, "loss_dB_cm": 2.0}},
            "ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.1}},
            "b": {"component": "straight", "settings": {"length": 900.0, "loss_dB_cm": 2.0}},
        },
        "connections": {"a,o2": "ring,o1", "ring,drop": "b,o1"},
        "ports": {"in": "a,o1", "out": "b,o2"},
        "terminate": ["ring,add", "ring,through"],
    })  # fmt: skip
    wl = float(circuit(ps.wavelengths(1.54, 1.56, 2001))["in", "out"].metrics().resonance)
    s = circuit([wl])["in", "out"]
    data = ps.budget(circuit, wl=wl, start="in", end="out", rate=1e9)
    assert list(data.element.values) == ["a", "ring", "b"]
    assert float(data.loss_dB.sum()) == pytest.approx(-float(s.power_dB[0]), rel=1e-9)
    assert float(data.delay.sum()) == pytest.approx(float(s.group_delay[0]), rel=1e-4)
    assert float(data.loss_dB[0]) == pytest.approx(0.1)


def test_light_for_bits_falls_with_the_losses() -> None:
    circuit = ps.load("wdm_link")
    bits: dict[str, Any] = {"bits": 4.0, "rate": 10e9}
    own, more = ps.budget(circuit, **bits), ps.budget(circuit, **bits, settings={"fibre": {"loss_dB": 4.0}})
    lasers = [value(d, "power", part="laser") for d in (own, more)]
    assert lasers[1] / lasers[0] == pytest.approx(10**0.3, rel=1e-6)


def test_snr_is_that_of_the_link() -> None:
    circuit = ps.load("wdm_link")
    data, result = ps.budget(circuit), ps.link(circuit)
    for name in circuit.detectors:
        assert float(data.snr_dB.sel(detector=name)) == pytest.approx(result[name].snr_dB, abs=1e-6)


def test_heaters_take_the_phase_they_hold() -> None:
    circuit = ps.load("clements_4x4")
    data = ps.budget(circuit)
    turns = sum(
        float(circuit.parameters[n]) % (2 * np.pi) for n in circuit.parameters if n.endswith(".phase")
    )
    assert value(data, "total_power") == pytest.approx(24.8e-3 * turns / np.pi)
    ring = ps.budget(ps.load("add_drop_ring"), settings={"ring": {"phase": 1.0}})
    assert value(ring, "power", part="ring heater") == pytest.approx(24.8e-3 / np.pi)


def test_energy_of_a_training_is_its_cycles_and_multiply_adds() -> None:
    circuit = ps.load("mrr_dfa_digits")
    entry = next(dict(e) for e in circuit.netlist.analyses if e["kind"] == "train")
    done = train(circuit, {**entry, "epochs": 1, "seeds": 1, "rules": ["backprop", "dfa-device"]})
    data = ps.budget(circuit, training=done)
    samples = done.samples
    updates = -(-samples // 32)
    layers = [64 * 128, 128 * 128, 128 * 10]
    assert done.products == tuple(layers)
    digital = 50e-15 * samples * (2 * sum(layers) + sum(layers[1:])) / updates
    assert value(data, "total_energy", per="update backprop") == pytest.approx(digital)
    cycles = done.rule("dfa-device").counters["cycles"]
    assert cycles == samples * 2 * 16  # 2 layers x 8 tiles, both signs
    own = data.sel(per="update dfa-device", bound="value")
    hardware = float(own.energy.sum()) * updates
    assert hardware == pytest.approx(cycles * value(data, "total_energy", per="cycle"), rel=1e-9)
    assert float(own.digital_energy) == pytest.approx(50e-15 * samples * 2 * sum(layers) / updates)
    assert value(data, "total_energy", per="inference backprop") == pytest.approx(50e-15 * sum(layers))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"constants": {"wall_plug_efficency": 0.1}}, "wall_plug_efficiency"),
        ({"constants": {"wall_plug_efficiency": 0.0}}, "must be positive"),
        ({"constants": {"tia_energy": {"value": 1e-12, "low": 2e-12}}}, "between low and high"),
        ({"use": 1.5}, "at most 1"),
        ({"rate": -1.0}, "rate"),
        ({"start": "receiver,o1"}, "has its own light, so its budget does not take start"),
        ({"bits": 30.0}, "No light up to 1 W"),
        ({"link": {"edge": 1.0}}, "give bits too"),
        ({"bits": 4.0, "receiver": {"responsivty": 1.0}}, "responsivity"),
        ({"static": ["nothing*"]}, "no instance"),
        ({"published": [{"name": "x", "value": 1e-12, "per": "inference"}]}, "no energy per"),
        ({"published": [{"name": "x", "value": 1e-12, "without": ["heaters"]}]}, "heater"),
        ({"settings": {"laser": {"powr": 1.0}}}, "power"),
    ],
)
def test_bad_input_is_one_sentence(link: ps.Circuit, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ps.ParameterError, match=words):
        ps.budget(link, **options)


def test_a_port_that_is_not_there() -> None:
    with pytest.raises(ps.ParameterError, match="nowhere"):
        ps.budget(ps.load("mzi_balanced"), start="nowhere")


def test_a_training_that_is_not_there() -> None:
    circuit = ps.load("mrr_dfa_digits")
    with pytest.raises(ps.ParameterError, match="digits"):
        read_options({"kind": "budget", "training": "digit"}, circuit)


def test_command_and_kind(tmp_path: Path) -> None:
    out, plot = tmp_path / "b.nc", tmp_path / "b.png"
    typed = ["budget", "modulator", "--use", "0.5", "--constant", "tia_energy=1e-12:2e-12:4e-12", "--json"]
    done = CliRunner().invoke(app, [*typed, "--out", str(out), "--plot", str(plot)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["kind"] == "budget"
    assert found["constants"]["tia_energy"]["high"] == 4e-12
    assert {Path(f).name for f in found["files"]} == {"b.nc", "b.png", "b_constants.png", "b_way.png"}
    read = ps.files.datasets.read(out)
    assert read.attrs["netlist_sha256"] == found["provenance"]["netlist_sha256"]
    np.testing.assert_allclose(read.total_power.values, found["power_W"])
    circuit = ps.load("opu")
    result = compute(circuit, read_options({"kind": "budget"}, circuit))
    assert result.numbers()["rate_Hz"] == pytest.approx(1 / float(circuit.parameters["camera.exposure"]))
    assert result.tables()


@pytest.mark.parametrize(
    "nets",
    [
        {"a,o1": "mixer,o1", "b,o1": "mixer,o2"},
        {"a,o1": "mixer,o1", "b,o1": "mixer,o2", "mixer,o3": "d,o1"},
        {"a,o1": "mixer,o1", "b,o1": "mixer,o2", "mixer,o3": "d,o1", "mixer,o4": "d,o2"},
    ],
    ids=["coherent_receiver", "photodetector", "balanced_photodetector"],
)
def test_lasers_that_interfere_leave_signal_to_noise_unknown(
    tmp_path: Path, nets: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """The current depends on phases that a budget has not: no number, and the question that has them."""
    kind = request.node.callspec.id
    lone = ["mixer,o4"] if kind == "photodetector" else []
    parts = {"a": "laser", "b": "laser", "mixer": kind if kind == "coherent_receiver" else "coupler"}
    if kind != "coherent_receiver":
        parts["d"] = kind
    parts |= {"own": "laser", "alone": "photodetector"}
    file = tmp_path / "beats.yml"
    file.write_text(
        json.dumps({"instances": parts, "connections": nets | {"own,o1": "alone,o1"}, "terminate": lone})
    )
    data = ps.budget(ps.load(file))
    known = dict(zip(data.detector.values, data.snr_dB.values, strict=True))
    assert known.pop("alone") > 40.0
    assert known
    assert np.isnan(list(known.values())).all()
    assert np.isnan(data.effective_bits.values).sum() == len(known)
    for name in known:
        assert f"signal to noise of '{name}' is unknown" in data.attrs["remarks"]
    assert "Use ps.transient" in data.attrs["remarks"]
    shown = CliRunner().invoke(app, ["budget", str(file)])
    assert shown.exit_code == 0
    assert "unknown" in shown.output


def test_a_detector_without_a_low_pass_leaves_signal_to_noise_alone_unknown() -> None:
    circuit = ps.load("pam4_transmitter")
    data = ps.budget(circuit)
    assert np.isnan(data.snr_dB.values).all()
    assert "noise of 'receiver' is unknown: its bandwidth is 0" in data.attrs["remarks"]
    laser = float(circuit.parameters["laser.power"])
    assert value(data, "power", part="laser") == pytest.approx(laser / 0.1)
    arriving = 10.0 ** (-float(data.loss_dB.sum()) / 10.0) * laser
    assert float(data.absorbed.sel(part="receiver")) == pytest.approx(arriving)
    for part, energy in {"modulator": 0.2e-12, "modulator drive": 1e-12}.items():  # 64 steps of 1/64 pJ
        assert value(data, "power", part=part) == pytest.approx(energy * data.attrs["rate_Hz"])


def test_what_is_not_known_is_not_zero() -> None:
    data = ps.budget(ps.load("single_chip"))
    assert np.isnan(data.total_latency.values).all()
    assert (
        "Power that is not known and not counted: of unit*<*.*> (ring_activation)." in data.attrs["remarks"]
    )
    assert str(data.category.sel(part="unit*<*.*>").values) == "unknown"
    for name in ("single_chip", "opu"):
        with pytest.raises(ps.ParameterError, match=f"latency of '{name}' is not known, so its cycles need"):
            ps.budget(ps.load(name), pipelined=False)
    assert "of load (resistor), set (" in ps.budget(ps.load("ring_lock")).attrs["remarks"]
    grating = ps.load("bragg_filter")
    assert "Area that is not known and not counted: of grating." in ps.budget(grating).attrs["remarks"]
    assert "Area that" not in ps.budget(grating, footprint={"grating": 50.0}).attrs["remarks"]


def test_an_equaliser_is_not_an_amplifier(tmp_path: Path) -> None:
    file = tmp_path / "receiver.yml"
    file.write_text(
        "instances: {l: laser, d: photodetector, t: transimpedance_amplifier, q: feed_forward_equaliser}\n"
        "connections: {'l,o1': 'd,o1', 'd,e1': 't,e1', 't,e2': 'q,e1'}\n"
    )
    data = ps.budget(ps.load(file))
    assert [str(data.category.sel(part=p).values) for p in "tq"] == ["tia", "unknown"]
    assert value(data, "power", part="q") == 0.0
    assert "of q (feed_forward_equaliser)" in data.attrs["remarks"]
    assert "of 'd' is unknown: t, q behind it work symbol by symbol" in data.attrs["remarks"]
    assert np.isnan([float(data.snr_dB[0]), float(data.total_latency[0])]).all()


@pytest.mark.parametrize("name", ["two_pass", "vowels"])
def test_light_that_does_not_arrive_is_said(name: str) -> None:
    """The attenuators of both netlists are shut until they are set."""
    shut = ps.load(name)
    data = ps.budget(shut)
    assert "enters in0 at 1.55 um and does not reach an output with these settings" in data.attrs["remarks"]
    assert "does not reach out1 with" in ps.budget(shut, end="out1").attrs["remarks"]
    assert np.isinf(data.loss_dB.values).all()
    assert np.isnan(data.total_latency.values).all()
    shown = CliRunner().invoke(app, ["budget", name]).output
    assert [line.split() for line in shown.splitlines() if line.strip().startswith("all")][1] == [
        "all", "no", "light", "unknown",
    ]  # fmt: skip
    opened = {f"mesh.a{k}.theta": np.pi for k in range(4)}
    lit = ps.budget(shut, settings=opened)
    assert "and leaves out0:" in lit.attrs["remarks"]
    assert float(lit.loss_dB.sum()) == pytest.approx(0.14 if name == "two_pass" else 0.0, abs=1e-9)
    assert np.isfinite(lit.total_latency.values).all()


def test_light_has_the_wavelength_that_the_parts_are_made_for() -> None:
    chip = ps.load("mzi_te1310")
    data = ps.budget(chip, end="cross")
    assert "at 1.315 um" in data.attrs["remarks"]
    assert float(data.loss_dB.sum()) == pytest.approx(-float(chip(wl=1.315)["in", "cross"].power_dB[0]))

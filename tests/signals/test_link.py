"""Link analysis: powers and losses along the way, crosstalk, electronics, and what is out of range."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import signal

import photosim as ps
from photosim import runner
from photosim.analysis.chart import Bars
from photosim.analysis.result import plain
from photosim.signals import TERMS


def bessel(frequency: float, bandwidth: float) -> complex:
    """Return the response of a Bessel low-pass of order 4, by scipy's polynomials."""
    b, a = signal.bessel(4, 2 * np.pi * bandwidth, analog=True, norm="mag")
    return complex(signal.freqs(b, a, [2 * np.pi * frequency])[1][0])


def chain(**changes: dict[str, Any]) -> ps.Circuit:
    """Laser, modulator driven by a dac, guide, ring, and a receiver with amplifier and adc."""
    settings: dict[str, dict[str, Any]] = {
        "laser": {"power": 2e-3},
        "dac": {"voltage": 0.0, "bits": 8, "output_range": 4.0},
        "modulator": {"loss_dB": 3.0, "extinction_dB": 60.0, "v_pi": 4.0},
        "guide": {"length": 10_000.0, "loss_dB_cm": 2.0},
        "ring": {"radius": 10.0, "coupling": 0.1, "neff": 60 * 1.55 / (2 * np.pi * 10.0), "ng": 4.2},
        "pd": {"responsivity": 0.8},
        "tia": {"gain": 500.0},
        "adc": {"bits": 8, "offset": 0.5},
    }
    names = {"dac": "dac", "modulator": "mach_zehnder_modulator", "guide": "straight", "ring": "ring_double",
             "pd": "photodetector", "tia": "transimpedance_amplifier"}  # fmt: skip
    return ps.Circuit(
        {
            "name": "chain",
            "instances": {
                name: {"component": names.get(name, name), "settings": {**own, **changes.get(name, {})}}
                for name, own in settings.items()
            },
            "connections": {
                "laser,o1": "modulator,o1", "dac,e1": "modulator,e1", "modulator,o2": "guide,o1",
                "guide,o2": "ring,in", "ring,drop": "pd,o1", "pd,e1": "tia,e1", "tia,e2": "adc,e1",
            },
            "terminate": ["ring,add", "ring,through"],
        }
    )  # fmt: skip


def test_losses_along_the_way_are_those_of_the_parts_and_add_up() -> None:
    found = ps.link(chain())["pd"]
    assert [p.element for p in found.passages] == ["modulator", "guide", "ring"]
    # Between the 128th and 129th of 256 levels there is no zero: the nearest is 4/255/2 V away.
    half = 4.0 / 255 / 2
    losses = [p.loss_dB for p in found.passages]
    assert losses[0] == pytest.approx(3.0 - 20 * np.log10(np.cos(np.pi * half / 8)), abs=1e-4)
    assert losses[1] == pytest.approx(2.0, abs=1e-9)
    assert losses[2] == pytest.approx(0.0, abs=1e-6)  # a lossless ring on resonance, its inside not counted
    assert 10 * np.log10(2e-3 / found.power) == pytest.approx(sum(losses), abs=1e-9)
    assert found.passages[-1].power == pytest.approx(found.power, rel=1e-12)


def test_currents_are_those_of_the_circuit_at_the_driven_voltage() -> None:
    circuit = chain(dac={"voltage": 1.0, "bits": 4})
    result = ps.link(circuit)
    level = -2.0 + 4.0 / 15 * round(3.0 / (4.0 / 15))
    netlist = circuit.netlist
    wires = tuple(pair for pair in netlist.connections if ("dac", "e1") not in pair)
    parts = {name: part for name, part in netlist.instances.items() if name != "dac"}
    alone = ps.Circuit(replace(netlist, instances=parts, connections=wires))
    driven = alone.photocurrents(modulator={"voltage": level}).values.item()
    assert result["pd"].current == pytest.approx(driven, rel=1e-12)
    assert result["pd"].snr_dB == pytest.approx(20 * np.log10(driven / result["pd"].noise))


def test_settings_of_the_call_count() -> None:
    circuit = chain()
    lower = ps.link(circuit, laser={"power": 1e-3}, pd={"responsivity": 0.4})
    assert lower["pd"].current == pytest.approx(ps.link(circuit)["pd"].current / 4, rel=1e-6)


def test_narrowest_bandwidth_counts_and_the_amplifier_takes_the_loads_place() -> None:
    found = ps.link(chain(tia={"bandwidth": 3e9, "noise_density": 1e-11}))["pd"]
    assert found.bandwidth == 3e9
    assert found.variances["amplifier"] == pytest.approx(1e-22 * 1.04637 * 3e9, rel=6e-3, abs=0)
    assert found.variances["thermal"] == 0.0
    assert found.variances["quantisation"] == pytest.approx((1 / 255 / 500) ** 2 / 12, rel=1e-9, abs=0)


@pytest.mark.parametrize("term", TERMS)
def test_each_noise_can_be_switched_off(term: str) -> None:
    circuit = chain()
    full = ps.link(circuit, tone=1e9).noise.sel(detector="pd")
    without = ps.link(circuit, tone=1e9, without=[term]).noise.sel(detector="pd")
    assert float(without.sel(term=term)) == 0.0
    kept = [t for t in TERMS if t != term]
    np.testing.assert_array_equal(without.sel(term=kept), full.sel(term=kept))


def test_powers_at_points_and_lines() -> None:
    result = ps.link(chain(laser={"lines": 3, "spacing": 200e9}), points=["guide,o2", "ring.left,o1:in"])
    assert result.point_powers.shape == (3, 2)
    np.testing.assert_allclose(result.point_powers[:, 0], 2e-3 * 10**-0.5, rtol=2e-3)
    # The wanted line is the middle one, on resonance, and the ring stores it.
    assert result["pd"].line == 1
    assert result.point_powers[1, 1] > 5 * result.point_powers[1, 0]
    others = result.powers[[0, 2], 0].sum() / result.powers[1, 0]
    assert result["pd"].crosstalk_dB == pytest.approx(10 * np.log10(others))


def test_what_is_out_of_range_is_counted_and_shown() -> None:
    result = ps.link(
        chain(laser={"power": 90e-3}, dac={"voltage": 3.0}, pd={"saturation_power": 1e-3}, tia={"gain": 2e3})
    )
    asked, bright, amplified = result.remarks[:3]
    assert asked.startswith("'dac' should give 3 V, outside its range of -2 to 2 V")
    assert "'pd,o1' receives" in bright
    assert "above its saturation_power of 1 mW" in bright
    assert amplified.startswith("'tia' should give 1.6 V, outside its range of -0.5 to 0.5 V")
    # The current stays at saturation, and light that changes makes no more of it.
    assert result["pd"].current == pytest.approx(0.8e-3)
    assert result["pd"].variances["rin"] == 0.0
    table = next(table for table in result.tables() if "out of range" in table.title)
    assert len(table.rows) == len(result.remarks)
    assert result.numbers()["remarks"] == list(result.remarks)


def test_amplifier_above_saturation_and_lines_that_beat_are_remarked() -> None:
    circuit = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"power": 1e-3, "lines": 2, "spacing": 5e9}},
                "soa": {"component": "soa", "settings": {"gain_dB": 15.0, "saturation_power": 10e-3}},
                "loss": {"component": "attenuator", "settings": {"loss_dB": 10.0}},
                "pd": "photodetector",
            },
            "connections": {"laser,o1": "soa,o1", "soa,o2": "loss,o1", "loss,o2": "pd,o1"},
        }
    )
    result = ps.link(circuit)
    assert any("'laser' reach 'pd' 5e+09 Hz apart, within its bandwidth" in text for text in result.remarks)
    assert any("'soa' puts out 63.25 mW at 'soa,o2'" in text for text in result.remarks)
    assert [p.loss_dB for p in result["pd"].passages] == pytest.approx([-15.0, 10.0], abs=1e-3)


def test_detector_in_a_composite_has_a_way_through_it() -> None:
    circuit = ps.Circuit(
        {
            "instances": {"laser": "laser", "split": "splitter", "receiver": "coherent_receiver"},
            "connections": {"laser,o1": "split,o1", "split,o2": "receiver,o1", "split,o3": "receiver,o2"},
        }
    )
    found = ps.link(circuit)["receiver.in_phase"]
    assert [p.element for p in found.passages] == ["split", "receiver"]
    # Signal and oscillator in phase meet in the plus port: 1 mW/2 (1 + 1)**2/4 and 0.5 dB.
    assert found.passages[-1].power == pytest.approx(0.5e-3 * 10**-0.05, rel=1e-9)


def test_result_is_numbers_tables_and_pictures() -> None:
    result = ps.link(chain())
    assert json.loads(json.dumps(plain(result.numbers())))["detectors"]["pd"]["path"][2]["element"] == "ring"
    assert {chart.name for chart in result.charts()} == {"powers", "noise"}
    for name in ("powers", "noise"):
        assert result.plot(name).axes
    for table in result.tables():
        assert all(len(row) == len(table.columns) for row in table.rows)


@pytest.mark.parametrize(("density", "unit", "scale"), [(1e-11, "uA", 1e6), (1e-12, "nA", 1e9)])
def test_noise_is_shown_in_the_unit_that_suits_its_size(density: float, unit: str, scale: float) -> None:
    result = ps.link(chain(laser={"power": 2e-6}, tia={"gain": 5e4, "noise_density": density}))
    noise = result["pd"].noise
    assert (noise >= 1e-6) == (unit == "uA")
    table = next(table for table in result.tables() if "noise" in table.title)
    assert f"({unit} rms)" in table.title
    assert float(str(table.rows[0][-1])) == pytest.approx(scale * noise, rel=1e-3)
    bars = next(chart for chart in result.charts() if isinstance(chart, Bars))
    assert f"({unit} rms)" in bars.xlabel
    assert sum(float(np.sum(part)) for _, part in bars.parts) == pytest.approx(scale * noise)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"without": ["rinn"]}, "no noise 'rinn'"),
        ({"points": ["guide,o9"]}, "has no port 'o9'"),
        ({"tone": "high"}, "'tone' must be a number from 0, but is the text 'high'"),
        ({"wl": 1.5}, "has no option 'wl'"),
        ({"settings": {"laser": {"powr": 1.0}}}, "has no setting 'powr'"),
    ],
)
def test_wrong_entries_are_refused(entry: dict[str, Any], text: str) -> None:
    from photosim.analysis.link import read_options

    with pytest.raises(ps.PhotosimError, match=text):
        read_options({"kind": "link", **entry}, chain())


def test_wires_that_do_not_drive_are_refused() -> None:
    base = {"laser": "laser", "pd": "photodetector", "a": "dac", "b": "dac", "m": "mach_zehnder_modulator"}
    base["c"] = "adc"
    light = {"laser,o1": "m,o1", "m,o2": "pd,o1"}
    for wires, text in (
        ({"a,e1": "pd,e1"}, "'a,e1' .dac. is in V, 'pd,e1' .photodetector. is in A"),
        (
            {"m,e1": "c,e1"},
            "are both electrical inputs; connect an output .dac, amplifier, detector. to each",
        ),
        ({"a,e1": "m,e1", "b,e1": "m,e1"}, "'m,e1' is driven by both 'a,e1' and 'b,e1'"),
    ):
        with pytest.raises(ps.PhotosimError, match=text):
            ps.link(ps.Circuit({"instances": base, "connections": {**light, **wires}}))


def test_circuit_without_detector_or_at_many_points_is_refused() -> None:
    with pytest.raises(ps.ParameterError, match="has no light source: a link needs a source and a detector"):
        ps.link(ps.load("add_drop_ring"))
    with pytest.raises(ps.ParameterError, match=r"but 'ring\.coupling' is a list of values: give one value"):
        ps.link(chain(), ring={"coupling": [0.1, 0.2]})
    with pytest.raises(ps.ParameterError, match="has no detector 'pdd'"):
        ps.link(chain())["pdd"]


def test_run_files_table_and_pictures(tmp_path: Any) -> None:
    report = runner.run("modulator", out=tmp_path / "out")
    assert {path.name for path in report.files} == {"light_powers.png", "light_noise.png", "results.json"}
    (entry,) = json.loads((tmp_path / "out" / "results.json").read_text())["analyses"]
    assert entry["kind"] == "link"
    assert entry["detectors"]["pd"]["snr_dB"] == pytest.approx(44.75, abs=0.01)


def test_jitter_of_what_drives_the_light_counts() -> None:
    from photosim.signals import sample

    circuit = chain(dac={"jitter": 3e-12}, adc={"jitter": 4e-12, "bits": 24})
    off = [term for term in TERMS if term != "jitter"]
    found = ps.link(circuit, tone=1e9, depth=0.5)["pd"]
    # Detector and amplifier of 20 GHz and converter of 30 GHz flatten the sine.
    passed = abs(bessel(1e9, 20e9)) ** 2 * abs(bessel(1e9, 30e9))
    expected = (2 * np.pi * 1e9 * 5e-12 * 0.5 * found.signal * passed) ** 2 / 2
    assert found.variances["jitter"] == pytest.approx(expected, rel=1e-9, abs=0)
    still = sample(circuit, 4096, tone=1e9, depth=0.5, without=TERMS).values
    moved = sample(circuit, 4096, tone=1e9, depth=0.5, without=off).values
    # 3.5 standard deviations of a mean of 4096 squares of slopes times Gaussians are 9 %.
    assert np.mean((moved - still) ** 2) == pytest.approx(expected * 500.0**2, rel=0.09)


def test_dark_link_has_noise_and_no_signal() -> None:
    result = ps.link(chain(laser={"power": 0.0}))
    assert result["pd"].passages == ()
    assert result["pd"].snr_dB == -np.inf
    assert result["pd"].noise > 0.0
    assert plain(result.numbers())["detectors"]["pd"]["snr_dB"] is None
    assert [chart.name for chart in result.charts()] == ["noise"]
    assert ps.link(chain(), without=TERMS)["pd"].snr_dB == np.inf


@pytest.mark.parametrize("tone", [0.4e9, 0.9e9, 1.6e9])
def test_jitter_is_that_of_the_sine_behind_the_low_passes(tone: float) -> None:
    from photosim.signals import sample

    circuit = chain(tia={"bandwidth": 1e9}, adc={"jitter": 2e-12, "bits": 24}, dac={"jitter": 0.0})
    found = ps.link(circuit, tone=tone)["pd"]
    passed = abs(bessel(tone, 20e9) * bessel(tone, 1e9) * bessel(tone, 30e9))
    expected = (2 * np.pi * tone * 2e-12 * found.signal * passed) ** 2 / 2
    assert found.variances["jitter"] == pytest.approx(expected, rel=1e-6, abs=0)
    still = sample(circuit, 16384, tone=tone, without=TERMS).values
    moved = sample(circuit, 16384, tone=tone, without=[t for t in TERMS if t != "jitter"]).values
    # 16384 squares of slopes times Gaussians: 4 standard deviations are 5 %.
    assert np.mean((moved - still) ** 2) == pytest.approx(expected * 500.0**2, rel=0.05)

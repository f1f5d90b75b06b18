"""The fast path of a spectrum slicer: against the engine in time, the ring's own recursion, a finer clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import signal

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices.slicer import Scan, SpectrumSlicer

FloatArray = NDArray[np.float64]
CELL_DELAY = 811.41 * 4.157 / 299_792_458e6
SCAN = Scan(patch=3, stride=3, pixel=50e-12, guard=48)
SIDE = 9
IMAGE = np.random.default_rng(5).uniform(0.0, 1.0, (1, SIDE**2)) * (np.arange(SIDE**2) % 3 > 0)


def circuit(nodes: int = 2, interferometers: int = 1, **slicer: Any) -> ps.Circuit:
    own = {
        "nodes": nodes, "interferometers": interferometers, "coupling": 0.2, "spacing": 3e9,
        "tia_gain": 150.0, "tia_bandwidth": 1.1e9, "adc_bits": 14, "adc_input_range": 1.0, **slicer,
    }  # fmt: skip
    return ps.Circuit(
        ps.Netlist(
            {
                "laser": ps.part("laser", power=0.05, linewidth=2e4, rin_dB_Hz=-150.0),
                "modulator": ps.part("mach_zehnder_modulator", bias=4.0, extinction_dB=30.0),
                "slicer": ps.part("spectrum_slicer", **own),
            },
            (
                (("laser", "o1"), ("modulator", "o1")),
                (("modulator", "o2"), ("slicer", "o1")),
            ),
        )
    )


CIRCUIT = circuit()


def transient(scan: Scan, stream: FloatArray, instants: FloatArray, **options: Any) -> FloatArray:
    drive = {"modulator.voltage": scan.waveform(stream, 4.0)}
    duration = stream.size * scan.pixel
    out = ps.transient(CIRCUIT, duration, sample_rate=scan.rate, drive=drive, **options)
    return np.asarray(out.current.values[:, np.rint(instants * scan.rate).astype(int)])


def test_readings_are_those_of_the_engine() -> None:
    device = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE, precision="double")
    found = device.features(IMAGE)[0]
    wanted = transient(SCAN, SCAN.stream(IMAGE, SIDE)[0], device.instants)
    assert np.ptp(wanted) > wanted.mean()
    assert np.abs(found - wanted).max() < 1e-9 * wanted.mean()
    single = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE).features(IMAGE)[0]
    assert np.abs(single - wanted).max() < 1e-3 * wanted.mean()


def test_a_clock_twice_as_fine_reads_the_same() -> None:
    device = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE, precision="double")
    fine = SpectrumSlicer.from_circuit(CIRCUIT, replace(SCAN, samples=16), SIDE, precision="double")
    np.testing.assert_allclose(fine.instants, device.instants, atol=1.1 / SCAN.rate)
    fine = replace(fine, first=2 * device.first)
    found = device.features(IMAGE)
    assert np.abs(fine.features(IMAGE) - found).max() < 1e-3 * found.mean()


def test_readings_are_those_of_the_ring_s_exact_recursion() -> None:
    """Light goes round in six cells' delay; drive, square and low-passes on a clock of a 16th of a cell."""
    one = circuit(nodes=1, interferometers=0, extinction_dB=400.0, detuning=1.0e9, coupling_step=None)
    device = SpectrumSlicer.from_circuit(one, SCAN, SIDE, precision="double")
    found = device.features(IMAGE)[0, 0]
    step = CELL_DELAY / 16
    stream = SCAN.stream(IMAGE, SIDE)[0]
    time = np.arange(int(stream.size * SCAN.pixel / step)) * step
    drive = SCAN.waveform(stream, 4.0).values(np.asarray(time))
    pole = np.exp(-2 * np.pi * 30e9 * step)  # one pole, straight lines between instants
    ramp = (1 - pole) / (2 * np.pi * 30e9 * step)
    voltage = signal.lfilter([1 - ramp, ramp - pole], [1, -pole], drive)
    weak = 10 ** (-30 / 20)
    angle = np.pi * (voltage + 4.0) / 4.0
    arms = (1 + weak) * np.exp(0.5j * angle) + (1 - weak) * np.exp(-0.5j * angle)
    light = np.sqrt(0.05) * 10 ** (-4.0 / 20) * arms / 2
    loss, k, turn = 10 ** (-0.5 / 20), 0.2, 6 * 16
    # Of exp(-i omega t): a turn is in phase for light 1 GHz above the carrier.
    round_trip = (1 - k) * loss**6 * np.exp(-2j * np.pi * 1.0e9 * 6 * CELL_DELAY)
    steady = light[0] * k * loss**4 / (1 - round_trip)
    change = signal.lfilter(
        np.concatenate([np.zeros(4 * 16), [k * loss**4]]),
        np.concatenate([[1.0], np.zeros(turn - 1), [-round_trip]]), light - light[0],
    )  # fmt: skip
    current = np.abs(steady + change) ** 2 + 1e-10
    for bandwidth in (20e9, 1.1e9, 30e9):
        top, bottom = signal.bessel(4, 2 * np.pi * bandwidth, analog=True, norm="mag")
        digital = signal.cont2discrete((top, bottom), step, method="foh")
        rest = current[0]
        current = rest + signal.lfilter(np.squeeze(digital[0]), digital[1], current - rest)
    wanted = np.interp(device.instants, time, current)
    assert np.abs(found - wanted).max() < 1e-3 * wanted.mean()


def test_noise_has_the_engine_s_mean_and_variance() -> None:
    device = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE, precision="double")
    stream = SCAN.stream(IMAGE, SIDE)[0]
    times, length = 250, stream.size * SCAN.pixel
    instants = (device.instants + length * np.arange(times)[:, np.newaxis]).ravel()
    long = transient(SCAN, np.tile(stream, times), instants, noise=True, seed=1)
    wanted = long.reshape(device.nodes, times, -1)
    images = np.repeat(IMAGE, 1000, axis=0)
    found = device.features(images, np.random.default_rng(0)).swapaxes(0, 1)
    clean = device.features(IMAGE)[0]
    assert found.mean() == pytest.approx(clean.mean(), rel=0.02)
    assert wanted.mean() == pytest.approx(clean.mean(), rel=0.02)
    # Of 250 times nine readings a variance has a standard error of 3 %, reading by reading of 9 %.
    ratio = found.var(axis=1) / wanted.var(axis=1)
    np.testing.assert_allclose(ratio.mean(axis=1), 1.0, atol=0.1)
    np.testing.assert_allclose(ratio, 1.0, atol=0.4)


def test_bad_questions_are_answered_in_a_sentence() -> None:
    device = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE)
    with pytest.raises(ParameterError, match="9 x 9 pixels each, got an array"):
        device.features(np.zeros((2, 64)))
    with pytest.raises(ParameterError, match="samples must be a whole number, 8 or more"):
        Scan(samples=4)
    with pytest.raises(ParameterError, match="smaller than a patch"):
        Scan(patch=10).patches(9)
    with pytest.raises(ParameterError, match="no modulator 'ring'"):
        SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE, modulator="ring")
    with pytest.raises(ParameterError, match="single or double"):
        SpectrumSlicer.from_circuit(CIRCUIT, SCAN, SIDE, precision="half")

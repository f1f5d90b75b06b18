"""Linear circuits in time against their own S-matrix, closed forms of rings and modulators, and energy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.analysis import traces
from photosim.errors import ParameterError, PhotosimWarning

C_UM = 299_792_458.0e6
RATE = 2e12
GUIDE = {"neff": 2.44553, "ng": 4.19088}


def circuit(component: str, settings: dict[str, Any], ports: dict[str, str]) -> ps.Circuit:
    instances = {"part": {"component": component, "settings": settings}}
    return ps.Circuit({"instances": instances, "ports": {n: f"part,{p}" for n, p in ports.items()}})


def ring(loss: float = 2.5, coupling: float = 0.05) -> ps.Circuit:
    settings = {"radius": 10.0, "coupling": coupling, "loss_dB_cm": loss, **GUIDE}
    return circuit("ring_double", settings, {"in": "o1", "drop": "o2", "add": "o3", "through": "o4"})


def resonance(one: ps.Circuit) -> float:
    """Wavelength in um of the resonance nearest 1.55 um."""
    wl = np.linspace(1.545, 1.555, 200_001)
    return float(wl[np.argmax(one(wl)["in", "drop"].power)])


def band_limited(samples: int, seed: int) -> Any:
    """Random complex light within a quarter of the sample rate, dark in the last half."""
    rng = np.random.default_rng(seed)
    wave = rng.standard_normal(samples) + 1j * rng.standard_normal(samples)
    spectrum = np.fft.fft(wave)
    spectrum[np.abs(np.fft.fftfreq(samples)) > 0.25] = 0
    x = np.linspace(0, 1, samples)
    return np.fft.ifft(spectrum) * np.exp(-(((x - 0.25) / 0.04) ** 2))


def by_fft(one: ps.Circuit, wave: Any, wl: float, start: str, end: str) -> Any:
    """The twin: one transform of all, S at every bin; exp(-i omega t) has numpy's bins mirrored."""
    s = one(C_UM / (C_UM / wl - np.fft.fftfreq(wave.size, 1 / RATE)))[start, end].values
    return np.fft.ifft(s * np.fft.fft(wave))


MIRRORS = {
    "instances": {
        "a": {"component": "reflector", "settings": {"reflection": 0.6}},
        "guide": {"component": "straight", "settings": {"length": 300.0, **GUIDE}},
        "b": {"component": "reflector", "settings": {"reflection": 0.6}},
    },
    "connections": {"a,o2": "guide,o1", "guide,o2": "b,o1"},
    "ports": {"in": "a,o1", "through": "b,o2"},
}


@pytest.mark.parametrize(
    ("one", "end"),
    [
        (ring(), "drop"),
        (ring(), "through"),
        (circuit("mzi", {"delta_length": 300.0, **GUIDE}, {"in": "o1", "through": "o2"}), "through"),
        (circuit("straight", {"length": 12_345.0, **GUIDE}, {"in": "o1", "through": "o2"}), "through"),
        (ps.Circuit(MIRRORS), "through"),
        (ps.Circuit(MIRRORS), "in"),
    ],
    ids=["drop", "through", "mzi", "guide", "etalon", "etalon back"],
)
def test_linear_circuit_in_time_is_its_s_matrix(one: ps.Circuit, end: str) -> None:
    wave = band_limited(1 << 13, seed=1)
    out = ps.transient(
        one, wave.size / RATE, sample_rate=RATE, inputs={"in": {"field": wave}}, wl=1.55, probes=[end]
    )
    expected = by_fft(one, wave, 1.55, "in", end)
    np.testing.assert_allclose(out.wave.values[0, 0], expected, atol=1e-6 * np.abs(expected).max())


def test_steady_light_beside_the_carrier_sees_s_at_its_own_frequency() -> None:
    one = ring()
    beside = 3.1e11
    time = np.arange(6000) / RATE
    wave = np.exp(-2j * np.pi * beside * time)  # light of a frequency above the carrier
    out = ps.transient(
        one, 6000 / RATE, sample_rate=RATE, inputs={"in": {"field": wave}}, wl=1.55, probes=["drop"]
    )
    s = one([C_UM / (C_UM / 1.55 + beside)])["in", "drop"].values[0]
    found = (out.wave.values[0, 0] / wave)[4000:5500]
    np.testing.assert_allclose(found, s, atol=1e-6)


def test_ring_fills_and_empties_with_its_photon_lifetime() -> None:
    one = ring(coupling=0.02)
    light = waveforms.pulse(at=0.75e-9, width=0.5e-9, shape="square", rise=5e-12)
    wl = resonance(one)
    out = ps.transient(one, 1.6e-9, sample_rate=RATE, inputs={"in": light}, wl=wl, probes=["drop"])
    field = np.abs(out.wave.values[0, 0])
    time = out.time.values
    # A round multiplies the field by x = (1 - k) a, and takes ng L/c: that is the lifetime of the field.
    length = 2 * np.pi * 10.0
    x = (1 - 0.02) * 10 ** (-2.5 * length * 1e-4 / 20)
    lifetime = -GUIDE["ng"] * length / C_UM / np.log(x)
    falling = (time > 1.02e-9) & (time < 1.25e-9)
    slope = np.polyfit(time[falling], np.log(field[falling]), 1)[0]
    assert -1 / slope == pytest.approx(lifetime, rel=2e-3)
    # Step response: full (1 - exp(-t/lifetime)) from the middle of the edge on, and half a round to the drop.
    rising = (time > 0.52e-9) & (time < 0.9e-9)
    full = np.abs(one([wl])["in", "drop"].values[0])
    late = 0.5 * GUIDE["ng"] * length / C_UM
    expected = full * (1 - np.exp(-(time[rising] - 0.5e-9 - late) / lifetime))
    np.testing.assert_allclose(field[rising], expected, atol=0.02 * full)


def test_pulse_leaves_later_than_it_enters() -> None:
    one = circuit("straight", {"length": 5000.0, **GUIDE}, {"in": "o1", "through": "o2"})
    light = waveforms.pulse(at=50e-12, width=8e-12)
    out = ps.transient(one, 0.2e-9, sample_rate=RATE, inputs={"in": light}, wl=1.55, probes=["through"])
    power = np.abs(out.wave.values[0, 0]) ** 2
    left = float((power * out.time.values).sum() / power.sum())
    assert left - 50e-12 == pytest.approx(one([1.55])["in", "through"].group_delay[0], rel=1e-6)
    assert left > 50e-12 + 65e-12
    assert power[out.time.values < 70e-12].max() < 1e-12 * power.max()


def test_several_carriers_each_see_their_own_s() -> None:
    comb = ps.Circuit(
        {
            "instances": {
                "laser": {"component": "laser", "settings": {"lines": 3, "spacing": 1.0e12, "power": 2e-3}},
                "ring": {"component": "ring_double", "settings": {"coupling": 0.05, **GUIDE}},
                "drop": {"component": "photodetector", "settings": {"bandwidth": 1e11}},
                "through": {"component": "photodetector", "settings": {"bandwidth": 1e11}},
            },
            "connections": {"laser,o1": "ring,in", "ring,drop": "drop,o1", "ring,through": "through,o1"},
            "terminate": ["ring,add"],
        }
    )
    out = ps.transient(comb, 1e-11, sample_rate=5e11)
    assert out.sizes["carrier"] == 3
    expected = comb.photocurrents().sum("wavelength").values
    np.testing.assert_allclose(out.current.values[:, -1], expected, rtol=1e-9)


def test_energy_of_every_island_closes() -> None:
    lossless = ring(loss=0.0)
    wave = band_limited(1 << 13, seed=2)
    out = ps.transient(
        lossless, wave.size / RATE, sample_rate=RATE, inputs={"in": {"field": wave}}, wl=1.55, energies=True
    )
    np.testing.assert_allclose(out.energy_out, out.energy_in, rtol=1e-6)
    lossy = ring(loss=30.0)
    out = ps.transient(
        lossy, wave.size / RATE, sample_rate=RATE, inputs={"in": {"field": wave}}, wl=1.55, energies=True
    )
    through, drop = (by_fft(lossy, wave, 1.55, "in", end) for end in ("through", "drop"))
    left = (np.abs(through) ** 2 + np.abs(drop) ** 2).sum() / RATE
    assert float(out.energy_out[0]) == pytest.approx(left, rel=1e-6)
    assert float(out.energy_out[0]) < 0.99 * float(out.energy_in[0])


# --- drives --------------------------------------------------------------------------------------------


def test_modulator_eye_is_its_closed_form() -> None:
    link = ps.load("link")
    rate, low, high = 10e9, 0.25 * np.pi, 0.75 * np.pi
    drive = {"phase": waveforms.prbs(rate, low=low, high=high)}
    out = ps.transient(link, 16e-9, sample_rate=640e9, drive=drive, probes=["receiver,o1"])
    power = np.abs(out.wave.values[0, 0]) ** 2
    closed = 2e-3 * 10**-0.3 * np.cos(np.array([high, low]) / 2) ** 2
    seen = traces.eye(power, 640e9, rate)
    np.testing.assert_allclose(seen.levels, closed, rtol=1e-4)
    assert seen.height == pytest.approx(closed[1] - closed[0], rel=2e-4)
    # Edges are raised cosines half a symbol long: a quarter of the symbol on either side moves.
    assert seen.width * rate > 0.9
    assert seen.error_rate < 1e-12


def test_driven_phase_follows_its_waveform_at_every_sample() -> None:
    link = ps.load("link")
    drive = waveforms.sine(5e9, offset=1.0, amplitude=0.8)
    out = ps.transient(link, 2e-9, sample_rate=640e9, drive={"phase": drive}, probes=["receiver,o1"])
    power = np.abs(out.wave.values[0, 0]) ** 2
    # The heater acts at the end of its arm; only the combiner is behind it. Before time 0 the drive stood
    # still, and a band has no kink that is sharp: the first samples ring. The last ones do not.
    expected = 2e-3 * 10**-0.3 * np.cos(out.drive.values[0] / 2) ** 2
    np.testing.assert_allclose(power[200:], expected[200:], atol=1e-7 * power.max())
    assert "modulator.bottom" in out.attrs["drives"]


def ring_modulator() -> ps.Circuit:
    settings = {"coupling": 0.02, "loss_dB_cm": 20.0, **GUIDE}
    return circuit("ring_single", settings, {"in": "o1", "out": "o2"})


def test_slow_drive_of_a_ring_is_quasi_static() -> None:
    one = ring_modulator()
    wl = np.linspace(1.545, 1.555, 20_001)
    at = float(wl[np.argmin(one(wl)["in", "out"].power)])
    drive = {"part.phase": waveforms.sine(2e7, amplitude=0.05)}
    inputs = {"in": waveforms.constant(1e-3)}
    out = ps.transient(one, 1e-7, sample_rate=1e10, drive=drive, inputs=inputs, wl=at, probes=["out"])
    assert "quasi-static" in out.attrs["drives"]
    few = slice(200, -200, 25)
    s = one([at], part={"phase": out.drive.values[0][few]})["in", "out"].values[:, 0]
    np.testing.assert_allclose(out.wave.values[0, 0][few], np.sqrt(1e-3) * s, atol=1e-7 * np.sqrt(1e-3))


def test_fast_drive_of_a_ring_is_stepped_and_meets_the_slow_limit_and_the_side_bands() -> None:
    one = ring_modulator()
    wl = np.linspace(1.545, 1.555, 20_001)
    at = float(wl[np.argmin(one(wl)["in", "out"].power)]) + 1e-5
    depth, frequency = 1e-3, 2e10
    drive = {"part.phase": waveforms.sine(frequency, amplitude=depth)}
    inputs = {"in": waveforms.constant(1.0)}
    out = ps.transient(
        one, 0.4e-9, sample_rate=6e12, drive=drive, inputs=inputs, wl=at, probes=["out"], settle=0.3e-9
    )
    assert "step by step" in out.attrs["drives"]
    # First order in the depth: light leaves at f0 - f and f0 + f with what the ring passes on both ways.
    f0 = C_UM / at
    found = np.fft.fft(out.wave.values[0, 0]) / out.sizes["time"]
    bins = round(frequency * 0.4e-9)
    k, length = 0.02, 2 * np.pi * 10.0
    t, a = np.sqrt(1 - k), 10 ** (-20.0 * length * 1e-4 / 20)

    def turn(f: float) -> complex:
        index = GUIDE["neff"] - (C_UM / f - 1.55) * (GUIDE["ng"] - GUIDE["neff"]) / 1.55
        return complex(a * np.exp(2j * np.pi * f * index * length / C_UM))

    inside = 1j * np.sqrt(k) / (1 - t * turn(f0))
    for sign, number in ((1, bins), (-1, -bins)):
        side = turn(f0 - sign * frequency)
        # exp(i depth sin) = 1 + depth/2 (exp(+i) - exp(-i)); the phase acts once a round, at the loop's end.
        source = sign * depth / 2 * inside * side
        expected = 1j * np.sqrt(k) * source / (1 - t * side)
        assert abs(found[number]) == pytest.approx(abs(expected), rel=0.02)


def test_voltage_passes_the_bandwidth_of_its_modulator() -> None:
    one = circuit("mach_zehnder_modulator", {"bandwidth": 10e9, "bias": 2.0}, {"in": "o1", "out": "o2"})
    drive = {"part.voltage": waveforms.sine(10e9, amplitude=1.0)}
    inputs = {"in": waveforms.constant(1e-3)}
    out = ps.transient(one, 2e-9, sample_rate=640e9, drive=drive, inputs=inputs, wl=1.55)
    assert np.abs(out.drive.values[0][640:]).max() == pytest.approx(np.sqrt(0.5), rel=0.01)


def test_ring_modulator_of_one_formula_refuses_a_drive_faster_than_its_light() -> None:
    one = circuit("ring_modulator", {}, {"in": "o1", "out": "o2"})
    wl = np.linspace(1.545, 1.555, 20_001)
    at = float(wl[np.argmin(one(wl)["in", "out"].power)])
    drive = {"part.voltage": waveforms.prbs(25e9, low=0.0, high=3.0)}
    inputs = {"in": waveforms.constant(1e-3)}
    with pytest.raises(ParameterError, match=r"'part' \(ring_modulator\) is too slow for its drive"):
        ps.transient(one, 2e-9, sample_rate=800e9, drive=drive, inputs=inputs, wl=at)


def test_saturated_detector_is_reported_with_its_samples() -> None:
    link = ps.load("link")
    message = r"'receiver,o1' receives 1.002 mW in 100 % of the samples, above its saturation_power of 0.5 mW"
    with pytest.warns(PhotosimWarning, match=message):
        out = ps.transient(link, 1e-10, sample_rate=1e12, receiver={"saturation_power": 5e-4})
    np.testing.assert_allclose(out.current.values, 0.9 * 5e-4 + 1e-10)
    assert out.saturated.sel(detector="receiver") == 1.0
    assert ps.transient(link, 1e-10, sample_rate=1e12).saturated.sel(detector="receiver") == 0.0

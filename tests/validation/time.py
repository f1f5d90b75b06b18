"""Light in time against S over frequency and against closed forms of delays and modulators."""

from __future__ import annotations

from typing import Any

import numpy as np

import photosim as ps
from photosim import waveforms
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from tests.validation.parts import GUIDE, alone
from tests.validation.rows import TIME, row

RATE = 2e12


def band_limited(samples: int, seed: int) -> Any:
    """Return random complex light (samples,) within a quarter of the sample rate, dark in the last half."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.fft(rng.standard_normal(samples) + 1j * rng.standard_normal(samples))
    spectrum[np.abs(np.fft.fftfreq(samples)) > 0.25] = 0
    return np.fft.ifft(spectrum) * np.exp(-(((np.linspace(0, 1, samples) - 0.25) / 0.04) ** 2))


def _off(circuit: ps.Circuit, end: str) -> float:
    """Return the largest difference between a run in time and one transform of all, of the largest input."""
    wave = band_limited(1 << 13, seed=1)
    found = ps.transient(
        circuit, wave.size / RATE, sample_rate=RATE, inputs={"o1": {"field": wave}}, wl=1.55, probes=[end]
    )
    frequency = SPEED_OF_LIGHT_UM_S / 1.55 - np.fft.fftfreq(wave.size, 1 / RATE)
    s = circuit(SPEED_OF_LIGHT_UM_S / frequency)["o1", end].values
    exact = np.fft.ifft(s * np.fft.fft(wave))
    return float(np.abs(found.wave.values[0, 0] - exact).max() / np.abs(wave).max())


@row(
    TIME,
    "random light through an add-drop ring, both outputs",
    "S(f) times its spectrum",
    measure="of the input field",
    limit=1e-6,
)
def ring_against_frequency() -> float:
    ring = alone("ring_double", radius=10.0, coupling=0.05, loss_dB_cm=2.5, **GUIDE)
    return max(_off(ring, "o2"), _off(ring, "o4"))


@row(
    TIME,
    "random light through 12 mm of guide, and an `mzi`",
    "S(f) times its spectrum",
    measure="of the input field",
    limit=1e-6,
)
def guides_against_frequency() -> float:
    long = alone("straight", length=12_345.0, **GUIDE)
    return max(_off(long, "o2"), _off(alone("mzi", delta_length=300.0, **GUIDE), "o2"))


@row(
    TIME,
    "a pulse through 118 mm of guide at 640 GS/s",
    "its group delay, 1.65 ns",
    measure="samples",
    limit=0.1,
)
def delay_against_group_index() -> float:
    rate, samples, at = 640e9, 2000, 60
    guide = alone("straight", length=118e3, neff=4.2, ng=4.2)
    pulse = np.exp(-(((np.arange(samples) - at) / 8.0) ** 2)) + 0j
    found = ps.transient(
        guide, samples / rate, sample_rate=rate, inputs={"o1": {"field": pulse}}, wl=1.55, probes=["o2"]
    )
    power = np.abs(found.wave.values[0, 0]) ** 2
    arrived = (power * np.arange(samples)).sum() / power.sum()
    return float(abs(arrived - at - 118e3 * 4.2 / SPEED_OF_LIGHT_UM_S * rate))


@row(
    TIME, "a phase shifter driven by a sine", "exp(i phase) at every sample", measure="amplitude", limit=1e-6
)
def drive_against_closed_form() -> float:
    found = ps.transient(
        alone("phase_shifter", phase=0.0),
        1e-8,
        sample_rate=128e9,
        inputs={"o1": {"power": 1.0}},
        drive={"part.phase": waveforms.sine(3e9, amplitude=0.8)},
        wl=1.55,
        probes=["o2"],
    )
    # Before time 0 the drive stood still, and its first samples ring in a band of finite width.
    carrier = alone("phase_shifter")([1.55])["o1", "o2"].values[0]
    phase = found.drive.values[0]
    return float(np.abs(found.wave.values[0, 0] / carrier - np.exp(1j * phase))[200:].max())

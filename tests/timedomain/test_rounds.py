"""Linear loops of up to a million samples a round: against the series of their rounds and their S-matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.errors import ParameterError, PhotosimError
from photosim.timedomain import convolution
from photosim.timedomain.band import LEAD
from photosim.timedomain.rounds import Way, refuse_growing

C_UM = 299_792_458.0e6
RATE, COUPLING = 1e12, 0.3


def guide(turn: float, loss_dB: float = 0.0) -> dict[str, Any]:
    length = turn / RATE * C_UM / 4.2
    settings = {"length": length, "neff": 4.2, "ng": 4.2, "loss_dB_cm": loss_dB / (length * 1e-4)}
    return {"component": "straight", "settings": settings}


def ring(turn: float, loss_dB: float = 0.0, **more: Any) -> ps.Circuit:
    inside = ["guide", *more]
    ends = [f"{name},o{k}" for name in inside for k in (1, 2)]
    joined = zip(["bus,o3", *ends[1::2]], [*ends[::2], "bus,o2"], strict=True)
    return ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": COUPLING}},
                "guide": guide(turn, loss_dB),
                **more,
            },
            "connections": dict(joined),
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )


def bell(samples: int, at: float) -> Any:
    return np.exp(-(((np.arange(samples) - at) / 12.0) ** 2)) + 0j


def series(samples: int, turn: float) -> Any:
    """The coupler's series: t of the light at once, then -k x (t x)**n after each round."""
    t, x = math.sqrt(1 - COUPLING), np.exp(2j * np.pi * turn / RATE * C_UM / 1.55)
    out = t * bell(samples, 100)
    for n in range(1, 4):
        out = out - COUPLING * t ** (n - 1) * x**n * bell(samples, 100 + n * turn)
    return out


@pytest.mark.parametrize("turn", [700.5, 2100.0, 3000.4, 50_000.25, 1e6])
def test_linear_loop_returns_its_pulses_after_each_round(turn: float) -> None:
    samples = round(2.5 * turn) + 400
    out = ps.transient(
        ring(turn), samples / RATE, sample_rate=RATE, inputs={"in": {"field": bell(samples, 100)}}, wl=1.55,
        probes=["out"],
    )  # fmt: skip
    np.testing.assert_allclose(out.wave.values[0, 0], series(samples, turn), atol=1e-6)


@pytest.mark.parametrize("block", [4096, pytest.param(1 << 16, marks=pytest.mark.nightly)])
def test_loop_of_a_million_samples_through_a_nonlinear_part(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(convolution, "SHORTEST_BLOCK", block)
    monkeypatch.setattr(convolution, "BLOCK_SAMPLES", 2 * block)
    turn = 1e6 + 0.3
    samples = round(1.5 * turn)
    part = {"component": "dynamic_soa", "settings": {"gain_dB": 0.0, "linewidth_enhancement": 0.0}}
    out = ps.transient(
        ring(turn, part=part), samples / RATE, sample_rate=RATE,
        inputs={"in": {"field": bell(samples, 100)}}, wl=1.55, probes=["out"],
    )  # fmt: skip
    np.testing.assert_allclose(out.wave.values[0, 0], series(samples, turn), atol=2e-4)


def test_long_loop_begins_as_its_s_matrix_says() -> None:
    one = ring(1e6, 2.0)
    light = {"power": waveforms.pulse(at=1e-9, width=2e-11, low=1e-3, high=2e-3)}
    out = ps.transient(one, 2e-9, sample_rate=RATE, inputs={"in": light}, wl=1.55, probes=["out", "guide,o2"])
    s = one([1.55])["in", "out"].values[0]
    assert out.wave.values[0, 0, 0] == pytest.approx(s * math.sqrt(1e-3), abs=1e-8)
    inside = one.transfer([1.55], ["guide,o2"], ["in"])[0, 0, 0]
    assert out.wave.values[1, 0, 0] == pytest.approx(inside * math.sqrt(1e-3), abs=1e-8)


def test_two_long_loops_and_a_short_one_are_their_s_matrix() -> None:
    """Two coupled rings, one with a small ring in it: a tone leaves as S says at its own frequency."""
    instances = {
        name: {"component": "coupler", "settings": {"coupling": 0.4}} for name in ("bus", "between", "small")
    }
    parts = {
        "a": guide(20_001.0, 3.0),
        "b": guide(10_000.0, 1.0),
        "c": guide(30_000.0, 3.0),
        "d": guide(60.0, 2.0),
    }
    one = ps.Circuit(
        {
            "instances": {**instances, **parts},
            "connections": {
                "bus,o3": "a,o1", "a,o2": "between,o1", "between,o4": "b,o1", "b,o2": "bus,o2",
                "between,o3": "small,o1", "small,o4": "c,o1", "c,o2": "between,o2",
                "small,o3": "d,o1", "d,o2": "small,o2",
            },
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )  # fmt: skip
    samples, tone = 600_000, 1 / 64
    time = np.arange(samples)
    envelope = np.where(time < 3000, np.sin(np.pi * np.minimum(time, 3000) / 6000) ** 2, 1.0)
    field = envelope * np.exp(-2j * np.pi * tone * time)
    out = ps.transient(
        one, samples / RATE, sample_rate=RATE, inputs={"in": {"field": field}}, wl=1.55, probes=["out"]
    )
    found = out.wave.values[0, 0][-40_000:-2000] / field[-40_000:-2000]
    right = one([C_UM / (C_UM / 1.55 + tone * RATE)])["in", "out"].values[0]
    np.testing.assert_allclose(found, right, atol=1e-5)


def test_gain_in_a_long_loop_decays_or_is_refused() -> None:
    """A linear amplifier makes up for a part of the loss; above all of it light would grow for ever."""
    turn, samples = 20_000.0, 50_000
    light = {"in": {"field": bell(samples, 100)}}
    one = ring(turn, 6.0, soa={"component": "soa", "settings": {"gain_dB": 4.0}})
    out = ps.transient(one, samples / RATE, sample_rate=RATE, inputs=light, wl=1.55, probes=["out"])
    first = np.abs(out.wave.values[0, 0][:10_000]).max()
    later = np.abs(out.wave.values[0, 0][10_000:30_000]).max()
    loss = 10 ** (-0.1)
    assert later / first == pytest.approx(COUPLING * loss / math.sqrt(1 - COUPLING), rel=2e-3)
    above = ring(turn, 6.0, soa={"component": "soa", "settings": {"gain_dB": 9.0}})
    with pytest.raises(PhotosimError, match="grow"):
        ps.transient(above, samples / RATE, sample_rate=RATE, inputs=light, wl=1.55, probes=["out"])
    taps = np.zeros(256, dtype=complex)
    taps[LEAD] = 1.1
    with pytest.raises(ParameterError, match=r"'?soa'? may grow on its way round, by 1\.1 as an amplitude"):
        refuse_growing({(0, 0): Way(taps, 2000, 1.1)}, 1, "soa")

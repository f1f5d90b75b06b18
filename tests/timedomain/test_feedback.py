"""What a stepped loop feeds back: errors of its fits come back each round, and the run states it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError

RATE, BESIDE = 1e12, 0.09e12
WL = SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / 1.55 + BESIDE)


def ring(turn: float, coupling: float, loss_dB: float) -> ps.Circuit:
    """A ring of so many samples a round, with a phase shifter in it."""
    length = turn / RATE * SPEED_OF_LIGHT_UM_S / 4.2
    guide = {"length": length, "neff": 2.4, "ng": 4.2, "loss_dB_cm": loss_dB * 1e4 / length}
    return ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": coupling}},
                "guide": {"component": "straight", "settings": guide},
                "part": "phase_shifter",
            },
            "connections": {"bus,o3": "guide,o1", "guide,o2": "part,o1", "part,o2": "bus,o2"},
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )


def stepped(one: ps.Circuit, phase: float) -> Any:
    """A run whose drive moves by a little at its end, with light far beside its carrier."""
    drive = {"part.phase": waveforms.step(at=0.8e-9, low=phase, high=phase + 0.02, rise=1e-10)}
    light = {"in": {"power": 1.0, "carrier": WL}}
    return ps.transient(
        one, 1e-9, sample_rate=RATE, inputs=light, wl=1.55, probes=["out"], drive=drive, quasi_static=False
    )


@pytest.mark.parametrize("turn", [2.3, 7.3])
def test_error_of_a_stepped_loop_beside_its_carrier_is_within_what_is_stated(turn: float) -> None:
    """Against S at the light's own wavelength, near resonance, where an error counts most."""
    one, phases = ring(turn, 0.3, 0.5), np.linspace(0, 2 * np.pi, 361)
    left = np.abs(one([WL], part={"phase": phases})["in", "out"].values[:, 0])
    phase = 0.01 + float(phases[np.argmin(left)])
    out = stepped(one, phase)
    right = one([WL], part={"phase": phase})["in", "out"].values[0]
    right = right * np.exp(-2j * np.pi * BESIDE * out.time.values)
    wrong = float(np.abs(out.wave.values[0, 0] - right)[:600].max())
    stated = float(out.attrs["fits"].rpartition("error ")[2])
    assert 0.1 * stated < wrong < stated


def test_loop_in_which_errors_come_back_too_often_is_refused() -> None:
    with pytest.raises(
        ParameterError, match=r"comes back so often .* take a sample rate of 2e\+12 Hz or more"
    ):
        stepped(ring(2.3, 0.005, 0.01), 0.1)


@pytest.mark.parametrize(
    ("coupling", "frequency", "amplitude", "resonant"),
    [(0.9, 1e9, 0.5, True), (0.9, 1e9, 0.5, False), (0.004, 1e7, 0.5, False), (0.004, 5e6, 5e-4, True)],
)
def test_error_of_a_quasi_static_ring_is_within_what_is_stated(
    coupling: float, frequency: float, amplitude: float, resonant: bool
) -> None:
    """Light kept for one round or for hundreds, against a recursion over rounds with the phase of each."""
    neff, ng, length, loss_dB = 2.44553, 4.19088, 62.8, 1.0
    guide = {"length": length, "neff": neff, "ng": ng, "loss_dB_cm": loss_dB}
    one = ps.Circuit(
        {
            "instances": {
                "bus": {"component": "coupler", "settings": {"coupling": coupling}},
                "guide": {"component": "straight", "settings": guide},
                "part": "phase_shifter",
            },
            "connections": {"bus,o3": "guide,o1", "guide,o2": "part,o1", "part,o2": "bus,o2"},
            "ports": {"in": "bus,o1", "out": "bus,o4"},
        }
    )
    drive = {"part.phase": waveforms.sine(frequency, amplitude=amplitude)}
    wl = np.linspace(1.545, 1.556, 11_001)
    power = one(wl)["in", "out"].power
    at = float(wl[np.argmin(power) if resonant else np.argmax(power)])
    asked: dict[str, Any] = {"sample_rate": 200 * frequency, "inputs": {"in": 1.0}, "wl": at}
    out = ps.transient(one, 2 / frequency, **asked, probes=["out"], drive=drive, quasi_static=True)
    turn = ng * length / SPEED_OF_LIGHT_UM_S
    once = 2 * np.pi * (neff - (at - 1.55) * (ng - neff) / 1.55) * length / at
    kept = 10 ** (-loss_dB * length * 1e-4 / 20)
    light = np.zeros(out.time.size, complex)
    rounds = math.ceil(math.log(1e-9) / math.log(kept * math.sqrt(1 - coupling)))
    for back in range(rounds, -1, -1):
        then = np.maximum(out.time.values - back * turn, 0.0)
        phase = amplitude * np.sin(2 * np.pi * frequency * then) + once
        entering = math.sqrt(1 - coupling) * light + 1j * math.sqrt(coupling)
        light = kept * np.exp(1j * phase) * entering
    right = math.sqrt(1 - coupling) + 1j * math.sqrt(coupling) * light
    wrong = float(np.abs(out.wave.values[0, 0] - right).max())
    stated = float(out.attrs["drives"].rpartition(" ")[2])
    assert 0.1 * stated < wrong < stated


def test_a_ring_activation_in_a_loop_is_fitted_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of the BLAS wait for each other over 512 rows, and take 20 times as long on busy cores."""
    from threadpoolctl import threadpool_info, threadpool_limits

    from photosim.timedomain import feedback
    from photosim.timedomain.rational import fit

    threads: list[int] = []

    def watched(response: Any, least: int) -> Any:
        threads.extend(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return fit(response, least)

    monkeypatch.setattr(feedback, "fit", watched)
    circuit = ps.Circuit(
        {
            "instances": {
                "a": "laser",
                "c": {"component": "coupler", "settings": {"coupling": 0.3}},
                "r": "ring_activation",
                "w": {"component": "straight", "settings": {"length": 20000.0}},
                "d": "photodetector",
            },
            "connections": {"a,o1": "c,o1", "c,o3": "d,o1", "c,o4": "r,o1", "r,o2": "w,o1", "w,o2": "c,o2"},
        }
    )
    with threadpool_limits(2):
        found = ps.transient(circuit, duration=1e-9, sample_rate=1e11)
    assert threads
    assert set(threads) == {1}
    guide = ps.Circuit({"instances": {"w": {"component": "straight", "settings": {"length": 20000.0}}},
                        "ports": {"in": "w,o1", "out": "w,o2"}})([1.55])["in", "out"].values[0]  # fmt: skip
    light, back = np.sqrt(1e-3), 0j
    for _ in range(300):
        into = math.sqrt(0.7) * light + 1j * math.sqrt(0.3) * back
        turn = 10 ** (-0.2 / 20) * np.exp(-1j * math.pi * 0.1 * abs(into) ** 2 / 1e-3)
        back = guide * math.sqrt(0.9) * (math.sqrt(0.8) - turn) / (1 - math.sqrt(0.8) * turn) * into
    out = 1j * math.sqrt(0.3) * light + math.sqrt(0.7) * back
    assert found.current.values[0] == pytest.approx(np.full(100, abs(out) ** 2), rel=1e-4)

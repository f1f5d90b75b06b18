"""Small signals of control loops against closed forms, tones in time, and states at rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps

INTEGRAL = 20e3


def bias_loop(**pd: Any) -> dict[str, Any]:
    """Return a modulator that an integrator holds at a set point over 10 m of fibre; a tone in series."""
    return {
        "instances": {
            "laser": {"component": "laser", "settings": {"power": 1e-3}},
            "mod": {
                "component": "mach_zehnder_modulator",
                "settings": {"bandwidth": 0.0, "v_pi": 4.0, "loss_dB": 0.0, "extinction_dB": 30.0},
            },
            "way": {"component": "fibre", "settings": {"length_km": 0.01, "loss_dB_km": 0.0}},
            "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "dark_current": 0.0, **pd}},
            "load": {"component": "resistor", "settings": {"resistance": 1000.0}},
            "set": {"component": "voltage_source", "settings": {"voltage": 0.6}},
            "lock": {"component": "integrator", "settings": {"unity_frequency": INTEGRAL}},
            "tone": {"component": "dither_source", "settings": {"amplitude": 1e-3, "frequency": 20e3}},
        },
        "connections": {"laser,o1": "mod,o1", "mod,o2": "way,o1", "way,o2": "pd,o1"},
        "nets": [["pd,e1", "load,e1", "lock,e2"], ["set,e1", "lock,e1"], ["lock,e3", "tone,e2"],
                 ["tone,e1", "mod,e1"], ["set,e2", "load,e2", "gnd"]],
    }  # fmt: skip


def open_loop(found: Any, behind: str, before: str) -> Any:
    """Return the gain that a tone between two nets reads."""
    return -(found.voltage.sel(net=before) / found.voltage.sel(net=behind)).values


def slope(circuit: ps.Circuit) -> float:
    """Return how the modulator's photocurrent rises with its voltage at rest, in A/V, by its closed form."""
    volt = circuit.driven_at({})[1].settings["mod.voltage"]
    weak = 10 ** (-30.0 / 20)
    # |((1 + w) exp(ix) + (1 - w) exp(-ix))/2|^2 = cos^2 x + w^2 sin^2 x with x = pi v/8.
    return float(-1e-3 * (1 - weak**2) * np.sin(np.pi * volt / 4.0) * np.pi / 8.0)


def test_gain_of_a_ring_lock_is_its_closed_form() -> None:
    circuit = ps.load("ring_lock")
    grid = np.geomspace(100.0, 1e6, 9)
    found = ps.response(circuit, grid, source="tone")
    read = open_loop(found, "tone,e1", "lock,e3")
    shape = 1 / (1j * grid) / (1 + 2j * np.pi * grid * 5e-6)
    gain = shape * (read[4] / shape[4]).real
    # The photon lifetime of 22 ps is the difference, 1.4e-4 rad at 1 MHz.
    assert read == pytest.approx(gain, rel=2e-4)
    at = ps.response(circuit, [10e3], source="tone")
    assert abs(open_loop(at, "tone,e1", "lock,e3")[0]) == pytest.approx(1.0, abs=2e-3)  # as the netlist says


def test_gain_of_a_loop_has_the_delay_of_its_light() -> None:
    circuit = ps.Circuit(bias_loop(bandwidth=1e6))
    grid = np.array([1e2, 1e4, 1e5, 1e6])
    found = ps.response(circuit, grid, source="tone")
    late = 10.0 * 1.4682 / 299792458.0
    from photosim.signals.filters import low_pass

    wanted = INTEGRAL / (1j * grid + INTEGRAL / 1e6) * 1000.0 * slope(circuit) * low_pass(grid, [1e6])
    read = open_loop(found, "tone,e1", "lock,e3")
    assert read == pytest.approx(wanted * np.exp(-2j * np.pi * grid * late), rel=2e-3)
    assert np.abs(read) == pytest.approx(np.abs(wanted), rel=1e-4)


def test_response_of_a_loop_is_a_tone_in_time_and_the_slope_at_rest() -> None:
    circuit = ps.Circuit(bias_loop())
    run = ps.transient(circuit, 400e-6, sample_rate=4e6, probes=[])
    late = run.time.values > 100e-6
    time = run.time.values[late]
    basis = np.stack([np.ones_like(time), np.cos(4e4 * np.pi * time), np.sin(4e4 * np.pi * time)], axis=1)
    found = ps.response(circuit, [20e3, 0.0], source="tone")
    for net in ("pd,e1", "lock,e3", "tone,e1"):
        fit = np.linalg.lstsq(basis, run.voltage.sel(net=net).values[late], rcond=None)[0]
        sent = complex(fit[2], fit[1]) / 1e-3  # a sine has the phase 0
        assert sent == pytest.approx(complex(found.voltage.sel(net=net).values[0]), rel=5e-3)
    sides = [float(circuit.photocurrents(set={"voltage": v}).sum()) for v in (0.599, 0.601)]
    moved = ps.response(circuit, [0.0], source="set").current.values[0, 0]
    assert moved.real == pytest.approx((sides[1] - sides[0]) / 2e-3, rel=1e-4)


def test_noise_of_a_loop_is_pressed_down_by_its_gain() -> None:
    circuit = ps.Circuit(bias_loop())
    grid = np.array([1e3, 1e4, 1e5])
    found = ps.response(circuit, grid, source="tone", noise=True)
    gain = open_loop(found, "tone,e1", "lock,e3")
    current = float(circuit.photocurrents().sum())
    alone = 4 * 1.380649e-23 * 300.0 * 1000.0 + 2 * 1.602176634e-19 * current * 1000.0**2
    seen = found.voltage_noise.sel(net="pd,e1").values
    assert seen == pytest.approx(alone / np.abs(1 + gain) ** 2, rel=1e-6)
    passed = np.abs(INTEGRAL / (1j * grid + INTEGRAL / 1e6)) ** 2
    assert found.voltage_noise.sel(net="lock,e3").values == pytest.approx(seen * passed, rel=1e-6)


def test_a_netlist_setting_in_a_loop_moves_what_it_moves_itself() -> None:
    netlist = bias_loop()
    netlist["settings"] = {"turn": 0.01}
    netlist["instances"]["mod"]["settings"]["v_pi"] = "4 + turn"
    circuit = ps.Circuit(netlist)
    found = ps.response(circuit, [0.0, 1e8], source="turn")
    # At rest the loop holds the light; far above its gain the light moves as without it.
    assert abs(found.current.values[0, 0]) < 1e-3 * abs(found.current.values[1, 0])
    volt, v_pi = circuit.driven_at({})[1].settings["mod.voltage"], 4.01
    own = 1e-3 * (1 - 1e-3) * np.sin(np.pi * volt / v_pi) * np.pi * volt / (2 * v_pi**2)
    assert abs(found.current.values[1, 0]) == pytest.approx(abs(own), rel=2e-3)


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        (
            "bias_control",
            "modulator.voltage",
            r"'detect' \(lock_in\) multiplies what tones move \('dither'\)",
        ),
        ("pound_drever_hall", "actuator.voltage", r"'demodulate' \(mixer\) multiplies what tones move"),
    ],
)
def test_loops_that_act_by_tones_have_no_response_at_rest(name: str, source: str, said: str) -> None:
    with pytest.raises(ps.ParameterError, match=said + r".*no gain at rest"):
        ps.response(ps.load(name), [1e3], source=source)

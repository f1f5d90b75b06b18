"""Transmission lines inside control loops: a loop with a delay against its closed forms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELAY, LOAD = 50e-9, 50.0


def delayed(turn: float) -> ps.Circuit:
    """Return a modulator that an integrator holds at a set point, a matched line behind the detector.

    The open loop is turn/(DELAY s) exp(-s DELAY).
    """
    instances: dict[str, Any] = {
        "laser": {"component": "laser", "settings": {"power": 1e-2}},
        "mod": {
            "component": "mach_zehnder_modulator",
            "settings": {"bandwidth": 0.0, "v_pi": 4.0, "loss_dB": 0.0, "extinction_dB": 40.0},
        },
        "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "dark_current": 0.0}},
        "line": {"component": "transmission_line", "settings": {"delay": DELAY, "impedance": LOAD}},
        "load": {"component": "resistor", "settings": {"resistance": LOAD}},
        "set": {"component": "voltage_source", "settings": {"voltage": 0.2}},
    }
    connections = {"laser,o1": "mod,o1", "mod,o2": "pd,o1"}
    optics = ps.Circuit(
        {"instances": {k: instances[k] for k in ("laser", "mod", "pd")}, "connections": connections}
    )

    def current(voltage: float) -> float:
        return float(optics.photocurrents(mod={"voltage": voltage}).values.squeeze())

    low, high = 0.0, 4.0
    falling = current(0.5) > current(3.5)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (current(middle) * LOAD > 0.2) == falling else (low, middle)
    slope = (current(low + 1e-4) - current(low - 1e-4)) / 2e-4 * LOAD
    unity = turn / (2 * math.pi * DELAY) / slope
    span = {"output_low": low - 0.5, "output_high": low + 0.5}
    instances["lock"] = {"component": "integrator", "settings": {"unity_frequency": unity, **span}}
    return ps.Circuit(
        {
            "instances": instances,
            "connections": connections,
            "nets": [
                ["pd,e1", "line,e1"], ["line,e3", "load,e1", "lock,e2"], ["set,e1", "lock,e1"],
                ["lock,e3", "mod,e1"], ["set,e2", "load,e2", "line,e2", "line,e4", "gnd"],
            ],
        }
    )  # fmt: skip


def stepped(turn: float, time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return y of y' = turn (1 - y(t - 1)) after a step at 0, time in delays, by the method of steps."""
    found = np.zeros(time.size)
    for k in range(1, math.ceil(time[-1]) + 2):
        late = np.maximum(time - (k - 1), 0.0)
        found -= (-turn) ** k * late**k / math.factorial(k)
    return found


def test_step_of_a_loop_with_a_line_is_that_of_its_delay_equation() -> None:
    turn, height, at = 0.8, 1e-4, 100e-9
    step = ps.waveforms.step(at=at, low=0.2, high=0.2 + height, rise=2e-9)
    found = ps.transient(delayed(turn), 8e-7, sample_rate=1e9, drive={"set.voltage": step}, probes=[])
    seen = found.voltage.sel(net="pd,e1").values  # before the line: the light itself
    time = (found.time.values - at - 1e-9) / DELAY
    wanted = stepped(turn, np.maximum(time, 0.0))
    np.testing.assert_allclose((seen - seen[0]) / height, wanted, atol=2e-2)
    assert np.abs((seen - seen[0]) / height - wanted)[time > 3].max() < 5e-3


def test_response_of_a_loop_with_a_line_is_its_closed_form() -> None:
    turn, f = 0.8, np.array([1e5, 3e6, 1e7, 4e7])
    s = 2j * np.pi * f
    wanted = 1 / (s * DELAY / turn + np.exp(-s * DELAY))
    found = ps.response(delayed(turn), f, source="set").voltage.sel(net="pd,e1").values
    np.testing.assert_allclose(found, wanted, rtol=2e-3)


@pytest.mark.parametrize("turn", [1.5, 1.64])
def test_a_delay_makes_a_loop_oscillate_beyond_a_right_angle(turn: float) -> None:
    """At the unity-gain frequency turn/(2 pi DELAY) the line turns by `turn` rad, the integrator by pi/2."""
    circuit = delayed(turn)
    if turn < math.pi / 2:
        assert circuit.photocurrents().values.squeeze() * LOAD == pytest.approx(0.2, rel=1e-4)
        return
    with pytest.raises(ParameterError, match="oscillates at") as refused:
        circuit.photocurrents()
    at = float(str(refused.value).split("oscillates at ")[1].split(" Hz")[0])
    assert at == pytest.approx(1 / (4 * DELAY), rel=0.05)

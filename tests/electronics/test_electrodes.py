"""Electrodes that waves travel along: against a ladder of short sections, published rules, and time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.components.electrodes import electrode_response, wave
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError

LINE: dict[str, Any] = {
    "length": 3000.0, "impedance": 42.0, "rf_index": 2.6, "group_index": 2.1, "rf_loss_dB_cm": 1.0,
    "skin_loss_dB_cm": 8.0, "rf_frequency": 40e9,
}  # fmt: skip
GRID = np.array([0.0, 1e9, 10e9, 30e9, 60e9, 90e9])


def _order(numbers: dict[str, Any]) -> list[float]:
    names = ("length", "impedance", "rf_index", "rf_loss_dB_cm", "skin_loss_dB_cm", "rf_frequency")
    return [numbers[name] for name in (*names, "group_index")]


def _ladder(f: np.ndarray, source: float, termination: float, sections: int = 3000) -> np.ndarray:
    """Return what the light sees by multiplying ABCD matrices of sections, each with its own voltage."""
    omega = 2 * np.pi * f
    nepers = np.log(10.0) / 20.0 * LINE["length"] / 1e4
    skin = LINE["skin_loss_dB_cm"] * nepers * np.sqrt(f / LINE["rf_frequency"])
    # The phase of the skin effect is its loss; the index holds at 40 GHz with it.
    at = LINE["skin_loss_dB_cm"] * nepers * f / LINE["rf_frequency"]
    phase = omega * LINE["rf_index"] * LINE["length"] / SPEED_OF_LIGHT_UM_S - at + skin
    step = (LINE["rf_loss_dB_cm"] * nepers + skin + 1j * phase) / sections
    z = LINE["impedance"]
    volt, current = np.ones_like(step) * termination, np.ones_like(step)  # 1 A at the far end
    seen = np.zeros_like(step)
    slip = np.exp(-1j * omega * LINE["group_index"] * LINE["length"] / SPEED_OF_LIGHT_UM_S / sections)
    for k in range(sections):
        # The light has the rest of the way, from the middle of the section, still before it.
        middle = volt * np.cosh(step / 2) + z * current * np.sinh(step / 2)
        seen += middle * slip ** (k + 0.5) / sections
        volt, current = (
            volt * np.cosh(step) + z * current * np.sinh(step),
            volt / z * np.sinh(step) + current * np.cosh(step),
        )
    return np.asarray(seen / (volt + source * current))


def _link(source: float, **settings: Any) -> ps.Circuit:
    return ps.Circuit({
        "instances": {
            "src": "voltage_source", "r": {"component": "resistor", "settings": {"resistance": source}},
            "laser": "laser", "mod": {"component": "travelling_wave_modulator", "settings": settings},
            "pd": {"component": "photodetector", "settings": {"bandwidth": 0}},
        },
        "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
        "nets": [["src,e1", "r,e1"], ["r,e2", "mod,e1"], ["src,e2", "mod,e2", "gnd"]],
    })  # fmt: skip


def test_closed_form_is_that_of_a_ladder() -> None:
    found = electrode_response(GRID, wave(*_order(LINE)), source=35.0, termination=60.0)
    assert found == pytest.approx(_ladder(GRID, 35.0, 60.0), abs=2e-6)


def test_modulator_has_the_closed_form_response() -> None:
    circuit = _link(35.0, termination=60.0, band=100e9, **LINE)
    found = ps.response(circuit, GRID, source="src").current.values[:, 0]
    wanted = electrode_response(GRID, wave(*_order(LINE)), source=35.0, termination=60.0)
    low, high = (float(circuit.photocurrents(src={"voltage": v}).sum()) for v in (-1e-3, 1e-3))
    assert found[0] == pytest.approx((high - low) / 2e-3, rel=1e-5)
    assert found / found[0] == pytest.approx(wanted / wanted[0], abs=2e-4)


@pytest.mark.parametrize(
    ("settings", "bandwidth"),
    [
        # |sin x/x| is the root of a half at x = pi f L |n - n_g|/c = 1.39156.
        ({"skin_loss_dB_cm": 0.0, "rf_index": 3.0},
         1.391557 * SPEED_OF_LIGHT_UM_S / (np.pi * 2000.0 * 0.8)),
        ({"skin_loss_dB_cm": 0.0, "rf_index": 1.4},
         1.391557 * SPEED_OF_LIGHT_UM_S / (np.pi * 2000.0 * 0.8)),
        # Matched velocities: (1 - exp(-x))/x is the root of a half at a loss of 6.4115 dB.
        ({"skin_loss_dB_cm": 6.411468 / 0.2}, 40e9),
    ],
)  # fmt: skip
def test_bandwidth_is_that_of_published_rules(settings: dict[str, Any], bandwidth: float) -> None:
    found = ps.response(_link(50.0, **settings), [0.0, bandwidth], source="src").current.values[:, 0]
    assert abs(found[1] / found[0]) == pytest.approx(np.sqrt(0.5), abs=1e-4)


def test_time_is_the_small_signal_response() -> None:
    settings = {**LINE, "skin_loss_dB_cm": 0.0}
    circuit = _link(35.0, termination=60.0, band=60e9, **settings)
    wave_in = ps.waveforms.sine(20e9, amplitude=1e-3)
    run = ps.transient(circuit, 1e-9, sample_rate=160e9, drive={"src.voltage": wave_in}, probes=[])
    part = slice(80, 160)  # ten periods
    time, current = run.time.values[part], run.current.values[0, part]
    tones = np.stack([np.sin(4e10 * np.pi * time), np.cos(4e10 * np.pi * time), np.ones(time.size)], axis=1)
    fit = np.linalg.lstsq(tones, current, rcond=None)[0]
    found = ps.response(circuit, [20e9], source="src").current.values[0, 0]
    assert (fit[0] + 1j * fit[1]) / 1e-3 == pytest.approx(found, rel=2e-5)


def test_lossy_line_attenuates_and_delays() -> None:
    line = {"component": "lossy_line", "settings": {"length": 5000.0, "skin_loss_dB_cm": 4.0}}
    circuit = ps.Circuit({
        "instances": {"src": "voltage_source", "r": "resistor", "line": line, "load": "resistor"},
        "nets": [["src,e1", "r,e1"], ["r,e2", "line,e1"], ["line,e2", "load,e1"],
                 ["src,e2", "line,e3", "load,e2", "gnd"]],
    })  # fmt: skip
    found = ps.response(circuit, [0.0, 40e9], source="src").voltage.sel(net="line,e2").values
    assert found[0] == pytest.approx(0.5, abs=1e-6)
    turns = np.exp(-2j * np.pi * 40e9 * 2.2 * 5000.0 / SPEED_OF_LIGHT_UM_S)
    assert found[1] == pytest.approx(0.5 * 10 ** (-2.0 / 20) * turns, abs=3e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"skin_loss_dB_cm": 90.0, "rf_frequency": 1e9}, "its loss alone slows the wave"),
     ({"length": 1e5, "band": 1e12}, "wavelengths long at a band")],
)  # fmt: skip
def test_impossible_electrodes_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        ps.response(_link(50.0, **settings), [1e9], source="src")

"""Small-signal responses from an electrical source through light to a load, against formulas and time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.signals.filters import low_pass

GRID = np.array([1e3, 1e9, 1e10, 2.6e10, 5e10])
LINK: dict[str, Any] = {
    "instances": {
        "src": "voltage_source", "r": "resistor",
        "bias": {"component": "voltage_source", "settings": {"voltage": 2.0}},
        "laser": "laser", "load": "resistor",
        "mod": {"component": "lumped_modulator",
                "settings": {"capacitance": 1e-13, "series_resistance": 10.0}},
        "pd": {"component": "junction_photodiode",
               "settings": {"transit_time": 1e-15, "capacitance": 3e-14, "series_resistance": 20.0}},
    },
    "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
    "nets": [["src,e1", "r,e1"], ["r,e2", "mod,e1"], ["bias,e1", "pd,e1"], ["pd,e2", "load,e1"],
             ["src,e2", "mod,e2", "bias,e2", "load,e2", "gnd"]],
}  # fmt: skip
LOAD = "pd.series,e2"


@pytest.mark.parametrize("component", ["lumped_modulator", "travelling_wave_modulator"])
def test_modulators_with_nets_keep_their_quadrature_at_another_wavelength(component: str) -> None:
    settings = {"v_pi": 4.0, "bias": 2.0, "loss_dB": 3.0, "extinction_dB": 20.0, "wl0": 1.31}
    parts = {
        **LINK["instances"],
        "laser": {"component": "laser", "settings": {"power": 1e-3, "wl": 1.31}},
        "mod": {"component": component, "settings": settings},
        "pd": {"component": "junction_photodiode", "settings": {"responsivity": 1.0, "dark_current": 0.0}},
    }
    found = ps.Circuit(LINK | {"instances": parts}).photocurrents().sum()
    assert float(found) == pytest.approx(1e-3 * 10**-0.3 * (1 + 10**-2) / 2, rel=1e-9)


def test_lumped_modulator_and_photodiode_have_their_two_poles() -> None:
    circuit = ps.Circuit(LINK)
    found = ps.response(circuit, GRID, source="src")
    low, high = (float(circuit.photocurrents(src={"voltage": v}).sum()) for v in (-1e-3, 1e-3))
    slope = (high - low) / 2e-3
    omega = 2j * np.pi * GRID
    # The transit of a femtosecond has its phase too.
    driven = slope / (1 + omega * 60.0 * 1e-13) * low_pass(GRID, [0.45e15])
    assert found.current.values[:, 0] == pytest.approx(driven, rel=1e-6)
    # The photocurrent divides between its capacitance and the resistors.
    assert found.voltage.sel(net=LOAD).values == pytest.approx(
        50.0 * driven / (1 + omega * 70.0 * 3e-14), rel=1e-6
    )
    bandwidth = 1 / (2 * np.pi * 60.0 * 1e-13)
    at = ps.response(circuit, [0.0, bandwidth], source="src").current.values[:, 0]
    assert abs(at[1] / at[0]) == pytest.approx(np.sqrt(0.5), rel=1e-6)


def test_response_is_that_of_a_run_in_time() -> None:
    circuit = ps.Circuit(LINK)
    wave = ps.waveforms.sine(1e10, amplitude=1e-3)
    run = ps.transient(circuit, 4e-9, sample_rate=160e9, drive={"src.voltage": wave}, probes=[])
    part = slice(240, 560)
    time, volt = run.time.values[part], run.voltage.sel(net=LOAD).values[part]
    tones = np.stack([np.sin(2e10 * np.pi * time), np.cos(2e10 * np.pi * time), np.ones(time.size)], axis=1)
    fit = np.linalg.lstsq(tones, volt, rcond=None)[0]
    found = ps.response(circuit, [1e10], source="src").voltage.sel(net=LOAD).values[0]
    assert (fit[0] + 1j * fit[1]) / 1e-3 == pytest.approx(found, rel=1e-5)


def test_noise_of_resistors_and_light_at_the_load() -> None:
    instances = {**LINK["instances"], "laser": {"component": "laser", "settings": {"power": 5e-3}}}
    circuit = ps.Circuit({**LINK, "instances": instances})
    found = ps.response(circuit, [1e6], source="src", noise=True)
    current = float(circuit.photocurrents().sum())
    thermal, shot = 4 * 1.380649e-23 * 300.0 * 50.0, 2 * 1.602176634e-19 * current * 50.0**2
    assert found.voltage_noise.sel(net=LOAD).values[0] == pytest.approx(thermal + shot, rel=1e-6)


def test_shot_noise_of_a_balanced_pair_is_that_of_both_diodes() -> None:
    """It was that of the difference of their currents: none at balance."""
    laser = {"component": "laser", "settings": {"power": 1e-3}}
    net = {
        "instances": {
            "a": laser, "b": laser, "i": "current_source",
            "pd": {"component": "balanced_photodetector", "settings": {"dark_current": 0.0}},
            "load": {"component": "resistor", "settings": {"resistance": 1e3, "temperature": 300.0}},
        },
        "connections": {"a,o1": "pd,o1", "b,o1": "pd,o2"},
        "nets": [["i,e2", "load,e1", "pd,e1"], ["i,e1", "load,e2", "gnd"]],
    }  # fmt: skip
    circuit = ps.Circuit(net)
    assert float(circuit.photocurrents().sum()) == pytest.approx(0.0, abs=1e-12)
    shot, thermal = 2 * 1.602176634e-19 * 2e-3 * 1e3**2, 4 * 1.380649e-23 * 300.0 * 1e3
    found = ps.response(circuit, [1e3], source="i", noise=True).voltage_noise.values[0, 0]
    assert found == pytest.approx(shot + thermal, rel=1e-6)


def test_shunt_feedback_amplifier_is_its_second_order_formula() -> None:
    net = {
        "instances": {"i": "current_source", "tia": "shunt_feedback_amplifier",
                      "load": {"component": "resistor", "settings": {"resistance": 1e9}}},
        "nets": [["i,e2", "tia,e1"], ["tia,e2", "load,e1"], ["i,e1", "load,e2", "gnd"]],
    }  # fmt: skip
    found = ps.response(ps.Circuit(net), GRID, source="i", noise=True)
    s = 2j * np.pi * GRID
    gain = 20.0 / (1 + s / (2 * np.pi * 20e9))
    # (v1 - vout)/R + s C v1 = i with vout = -gain v1.
    into = 1 / ((1 + gain) / 1e3 + s * 20e-15)
    assert found.voltage.sel(net="i,e2").values == pytest.approx(into, rel=1e-6)
    assert found.voltage.sel(net="tia,e2").values == pytest.approx(-gain * into, rel=1e-6)
    density = found.voltage_noise.sel(net="tia,e2").values[0] / abs(gain[0] * into[0]) ** 2
    feedback = 4 * 1.380649e-23 * 300.0 / 1e3
    assert density == pytest.approx((10e-12) ** 2 + feedback, rel=0.15)


def test_heaters_warm_each_other() -> None:
    net = {
        "instances": {
            "v": {"component": "voltage_source", "settings": {"voltage": 3.0}},
            "way": {"component": "thermal_resistor", "settings": {"thermal_resistance": 3000.0}},
            "s": {"component": "thermo_optic_shifter", "settings": {"bandwidth": 0.0}},
            "n": {"component": "thermo_optic_shifter", "settings": {"bandwidth": 0.0}},
            "hot": "resistive_heater", "cold": "resistive_heater", "laser": "laser", "pd": "photodetector",
        },
        "connections": {
            "laser,o1": "s,o1", "s,o2": "n,o1", "n,o2": "pd,o1", "hot,e4": "s,e1", "cold,e4": "n,e1",
        },
        "nets": [["v,e1", "hot,e1"], ["hot,e3", "way,e1"], ["way,e2", "cold,e3"],
                 ["v,e2", "hot,e2", "cold,e1", "cold,e2", "gnd"]],
    }  # fmt: skip
    _, point = ps.Circuit(net).driven_at({})
    # 9 mW into 1000 K/W beside 3000 + 1000 K/W.
    rise = 9e-3 / (1 / 1000.0 + 1 / 4000.0)
    assert point.settings["s.power"] == pytest.approx(rise / 1000.0, rel=1e-9)
    assert point.settings["n.power"] == pytest.approx(rise / 4000.0, rel=1e-9)


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(
        ps.ParameterError, match=r"There is no source 'scr' of a response\..*Did you mean 'src'"
    ):
        ps.response(ps.Circuit(LINK), GRID, source="scr")
    dark = {"instances": {"l": "laser", "pd": "photodetector"}, "connections": {"l,o1": "pd,o1"}}
    with pytest.raises(
        ps.ParameterError, match=r"no source 'x' of a response\. Settings of optical parts are"
    ):
        ps.response(ps.Circuit(dark), GRID, source="x")
    with pytest.raises(
        ps.ParameterError, match=r"'l.power' changes 'l' \(laser\).*: a source is a setting of"
    ):
        ps.response(ps.Circuit(dark), GRID, source="l.power")


def test_sources_are_those_that_a_user_knows_by_name() -> None:
    """The middle of a controller's range, an element inside of it, stood among them."""
    from photosim.signals.small_signal import sources

    circuit = ps.load("ring_lock")
    found = sources(circuit)
    assert {"set", "set.voltage", "tone", "tone.offset", "shifter.power"} <= set(found)
    for name in found:
        instance, _, setting = name.rpartition(".")
        if instance:
            assert setting in circuit.graph.part(instance).model.parameters, name
    with pytest.raises(ParameterError, match=r"no source 'lock.middle' of a response"):
        ps.response(circuit, [1e3], source="lock.middle")

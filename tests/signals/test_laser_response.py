"""Small signals of circuits that lasers with rate equations light: closed forms, and runs in time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim import waveforms
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import PhotosimError
from photosim.model import registry

CHARGE, PLANCK = 1.602176634e-19, 6.62607015e-34
DETECTOR = {"component": "photodetector", "settings": {"bandwidth": 0, "dark_current": 0.0}}


def lit(laser: Any, **between: Any) -> ps.Circuit:
    """A laser on a detector, with one part between them or none."""
    ends = ["las,o1", *(f"{name},{port}" for name in between for port in ("o1", "o2")), "pd,o1"]
    return ps.Circuit(
        {
            "instances": {"las": laser, "pd": DETECTOR, **between},
            "connections": dict(zip(ends[::2], ends[1::2], strict=True)),
        }
    )


def toned(circuit: ps.Circuit, frequency: float, current: float, by: float, rate: float) -> complex:
    """Return the photocurrent per A of a sine on the current, from a run in time, with exp(+j omega t)."""
    periods = 8
    duration = periods / frequency
    sine = waveforms.sine(frequency, offset=current, amplitude=by)
    out = ps.transient(
        circuit, 2 * duration, sample_rate=rate, drive={"las.current": sine}, probes=[], settle=4e-9
    )
    t, found = out.time.values, out.current.values[0]
    half = t >= duration
    turn = np.exp(-2j * np.pi * frequency * t[half])
    given = current + by * np.sin(2 * np.pi * frequency * t[half])
    return complex((found[half] * turn).sum() / (given * turn).sum())


def test_directly_modulated_laser_has_the_closed_form_of_its_relaxation_oscillation() -> None:
    """Without spontaneous emission and compression: eta/q over (j w)^2 + j w (1/tau + g S) + g S/tau_p."""
    settings = {"current": 25e-3, "spontaneous": 0.0, "gain_compression": 0.0}
    f = np.array([0.0, 1e8, 2e9, 5e9, 2e10])
    found = ps.response(
        lit({"component": "rate_equation_laser", "settings": settings}), f, source="las.current"
    )
    s = registry.get("rate_equation_laser").defaults | settings
    above = s["current"] - CHARGE / s["injection_efficiency"] / s["carrier_lifetime"] * (
        s["transparency"] + 1 / (s["differential_gain"] * s["photon_lifetime"])
    )
    photons = s["injection_efficiency"] * above / CHARGE * s["photon_lifetime"]
    gs, w = s["differential_gain"] * photons, 2j * np.pi * f
    per_a = gs * s["injection_efficiency"] / CHARGE
    per_a = per_a / (w**2 + w * (1 / s["carrier_lifetime"] + gs) + gs / s["photon_lifetime"])
    watts = PLANCK * SPEED_OF_LIGHT_UM_S / s["wl"] * s["output"] / s["photon_lifetime"]
    responsivity = registry.get("photodetector").defaults["responsivity"]
    np.testing.assert_allclose(found.current.values[:, 0], per_a * watts * responsivity, rtol=1e-6)


@pytest.mark.parametrize("component", ["rate_equation_laser", "vcsel"])
def test_response_is_that_of_a_small_sine_in_time(component: str) -> None:
    current = 25e-3 if component == "rate_equation_laser" else 3e-3
    circuit = lit({"component": component, "settings": {"current": current}})
    found = ps.response(circuit, [3e9], source="las.current").current.values[0, 0]
    assert toned(circuit, 3e9, current, 1e-3 * current, 3e11) == pytest.approx(found, rel=2e-3)


def test_chirp_becomes_intensity_in_an_unbalanced_interferometer() -> None:
    """The phase of the light follows the carriers; two arms of different lengths show that on a detector."""
    mzi = {"component": "mzi", "settings": {"delta_length": 4000.0}}
    circuit = lit("rate_equation_laser", mzi=mzi)
    found = ps.response(circuit, [3e9], source="las.current", las={"wl": 1.5502}).current.values[0, 0]
    calm = {"wl": 1.5502, "linewidth_enhancement": 0.0}
    plain = ps.response(circuit, [3e9], source="las.current", las=calm).current.values[0, 0]
    assert abs(found - plain) > 0.2 * abs(plain)
    shifted = lit({"component": "rate_equation_laser", "settings": {"wl": 1.5502}}, mzi=mzi)
    assert toned(shifted, 3e9, 20e-3, 1e-6, 3e11) == pytest.approx(found, rel=5e-3)


def test_chirp_shows_at_the_lowest_frequencies_too() -> None:
    """The phase of the light drifts without end at 0 Hz, its frequency does not: the current stays."""
    mzi = {"component": "mzi", "settings": {"delta_length": 4000.0}}
    found, plain = (
        ps.response(
            lit("rate_equation_laser", mzi=mzi), [0.0, 1.0, 2e3, 1e5], source="las.current",
            las={"wl": 1.5502, "current": 14e-3, "spontaneous": 1e-2, "linewidth_enhancement": alpha},
        ).current.values[:, 0]
        for alpha in (3.0, 0.0)
    )  # fmt: skip
    assert abs(found[3] - plain[3]) > abs(plain[3])
    np.testing.assert_allclose(found[:3], found[3], rtol=1e-3)


def test_current_through_leads_comes_out_as_current_and_voltage() -> None:
    net = {
        "instances": {"i": "current_source", "las": "packaged_laser", "pd": DETECTOR, "load": "resistor"},
        "connections": {"las,o1": "pd,o1"},
        "nets": [["i,e2", "las,e1"], ["i,e1", "las,e2", "load,e2", "gnd"], ["pd,e1", "load,e1"]],
    }
    circuit = ps.Circuit(net)
    found = ps.response(circuit, [1e6, 3e10], source="i", noise=True, i={"current": 25e-3})
    alone = lit({"component": "rate_equation_laser", "settings": {"current": 25e-3}})
    own = ps.response(alone, [1e6, 3e10], source="las.current").current.values[:, 0]
    assert found.current.values[0, 0] == pytest.approx(own[0], rel=1e-3)
    assert abs(found.current.values[1, 0]) < 0.9 * abs(own[1])  # bond wire and pad
    load = float(registry.get("resistor").defaults["resistance"])
    assert found.voltage.sel(net="pd,e1").values[0] == pytest.approx(own[0] * load, rel=1e-3)
    slope = found.current.values[0, 0].real
    shot = 2 * CHARGE * slope * (25e-3 - 13e-3) * load**2  # about: the threshold is 13 mA
    thermal = 4 * 1.380649e-23 * 300 * load
    assert found.voltage_noise.sel(net="pd,e1").values[0] == pytest.approx(shot + thermal, rel=0.1)


def test_other_settings_of_a_laser_and_light_that_comes_back_to_it_are_refused() -> None:
    laser = {"component": "rate_equation_laser", "settings": {"differential_gain": "g"}}
    net: dict[str, Any] = {
        "settings": {"g": 2e4},
        "instances": {"las": laser, "pd": DETECTOR},
        "connections": {"las,o1": "pd,o1"},
    }
    with pytest.raises(
        PhotosimError, match=r"'las.differential_gain' of a rate_equation_laser has no small "
    ):
        ps.response(ps.Circuit(net), [1e9], source="g")
    back = lit("rate_equation_laser", m={"component": "reflector", "settings": {"reflection": 0.01}})
    with pytest.raises(PhotosimError, match="Light comes back to 'las', whose"):
        ps.response(back, [1e9], source="las.current")


def test_a_detector_in_the_dark_has_a_response_of_its_nets_alone() -> None:
    """A circuit without any light ended in a KeyError."""
    net = {
        "instances": {
            "i": "current_source",
            "pd": {"component": "photodetector", "settings": {"dark_current": 1e-6}},
            "load": {"component": "resistor", "settings": {"resistance": 1e6, "temperature": 300.0}},
        },
        "nets": [["i,e2", "load,e1", "pd,e1"], ["i,e1", "load,e2", "gnd"]],
        "ports": {"in": "pd,o1"},
    }
    found = ps.response(ps.Circuit(net), [1e3], source="i", noise=True)
    assert found.voltage.sel(net="i,e2").values[0] == pytest.approx(1e6)
    assert found.current.values.tolist() == [[0.0]]
    shot, thermal = 2 * CHARGE * 1e-6 * 1e6**2, 4 * 1.380649e-23 * 300.0 * 1e6
    assert found.voltage_noise.values[0, 0] == pytest.approx(shot + thermal, rel=1e-6)


def test_a_detector_in_the_dark_biases_its_nets_with_its_dark_current() -> None:
    """A diode has the slope resistance n kT/q I of the dark current that flows through it."""
    net: dict[str, Any] = {
        "instances": {
            "i": {"component": "current_source", "settings": {"current": 0.0}},
            "pd": {"component": "photodetector", "settings": {"dark_current": 1e-6}},
            "d": "diode",
        },
        "nets": [["i,e2", "d,e1", "pd,e1"], ["i,e1", "d,e2", "gnd"]],
        "ports": {"in": "pd,o1"},
    }
    dark = ps.response(ps.Circuit(net), [1.0], source="i").voltage.values[0, 0]
    net["instances"]["pd"]["settings"]["dark_current"] = 0.0
    fed = ps.response(ps.Circuit(net), [1.0], source="i", i={"current": 1e-6}).voltage.values[0, 0]
    assert dark == pytest.approx(fed, rel=1e-6)
    assert abs(fed) < 1e5  # 26 mV/uA, and not the resistance at no current

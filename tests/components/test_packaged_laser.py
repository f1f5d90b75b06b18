"""A directly modulated laser behind its leads, against closed forms of the two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps

CHARGE, PLANCK_LIGHT = 1.602176634e-19, 6.62607015e-34 * 299792458.0
BIAS, SERIES = 2.4, 25.0
LINK: dict[str, Any] = {
    "instances": {
        "src": {"component": "voltage_source", "settings": {"voltage": BIAS}},
        "r": {"component": "resistor", "settings": {"resistance": SERIES}},
        "laser": "packaged_laser",
        "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "dark_current": 0.0}},
    },
    "connections": {"laser,o1": "pd,o1"},
    "nets": [["src,e1", "r,e1"], ["r,e2", "laser,e1"], ["src,e2", "laser,e2", "gnd"]],
}


def leads(s: complex, current: float) -> complex:
    """Return the junction's current per volt of the source: wire, pad, series resistance, junction."""
    inner = 5.0 + 1.8 * 1.380649e-23 * 300.0 / CHARGE / current
    pad = s * 0.5e-12 + 1 / inner
    return 1 / (SERIES + s * 0.3e-9 + 1 / pad) / (inner * pad)


def relaxation(s: complex, current: float) -> complex:
    """Return the power out in W per ampere: the rate equations of carriers and photons, linearised."""
    life, cavity, slope, clear = 1e-9, 2e-12, 2e4, 4e7
    compression, spontaneous, out, injected = 1e-7, 1e-4, 0.3, 0.8
    # At rest (G - 1/cavity) S = -spontaneous N/life and injected I/q = N/life + G S, by Newton's method.
    n, p = clear + 1 / (slope * cavity), cavity * injected * (current - 13e-3) / CHARGE

    def rates(n: float, p: float) -> Any:
        gain = slope * (n - clear) / (1 + compression * p)
        return np.array([injected * current / CHARGE - n / life - gain * p,
                         (gain - 1 / cavity) * p + spontaneous * n / life])  # fmt: skip

    for _ in range(50):
        squeezed = 1 + compression * p
        gain, by_n = slope * (n - clear) / squeezed, slope / squeezed
        by_p = -compression * gain / squeezed
        jacobian = np.array([[-1 / life - by_n * p, -gain - by_p * p],
                             [by_n * p + spontaneous / life, gain - 1 / cavity + by_p * p]])  # fmt: skip
        n, p = np.array([n, p]) - np.linalg.solve(jacobian, rates(n, p))
    photons = np.linalg.solve(s * np.eye(2) - jacobian, [injected / CHARGE, 0.0])[1]
    return complex(photons * out / cavity * PLANCK_LIGHT / 1.55e-6)


@pytest.mark.parametrize(("frequency", "off"), [(2e9, 5e-5), (12e9, 1e-3)])
def test_tone_passes_leads_and_relaxation_resonance(frequency: float, off: float) -> None:
    wave = ps.waveforms.sine(frequency, amplitude=1e-3, offset=BIAS)
    found = ps.transient(
        ps.Circuit(LINK), 2e-9, sample_rate=1280e9, settle=1e-9, probes=[], drive={"src.voltage": wave}
    )
    late = found.time.values > 1.4999e-9
    turns = 2 * np.pi * frequency * found.time.values[late]
    basis = np.stack([np.ones_like(turns), np.cos(turns), np.sin(turns)], axis=1)

    def tone(values: Any) -> tuple[complex, float]:
        fit = np.linalg.lstsq(basis, values[late], rcond=None)[0]
        return complex(fit[2], fit[1]) / 1e-3, float(fit[0])

    driven, current = tone(found.drive.sel(setting="laser.laser.current").values)
    power, _ = tone(found.current.values[0])
    s = 2j * np.pi * frequency
    assert current == pytest.approx(38.6e-3, rel=0.01)
    assert driven == pytest.approx(leads(s, current), rel=1e-6)
    assert power == pytest.approx(leads(s, current) * relaxation(s, current), rel=off)


def test_small_signals_of_the_nets_see_the_leads() -> None:
    grid = np.array([1e8, 5e9, 20e9])
    found = ps.response(ps.Circuit(LINK), grid, source="src").voltage.sel(net="r,e2").values
    rest = ps.transient(ps.Circuit(LINK), 2e-11, sample_rate=1280e9, probes=[])
    current = float(rest.drive.values[0, 0]) if "drive" in rest else float(
        rest.branch_current.sel(branch="laser.leads.ammeter").values[0]
    )  # fmt: skip
    inner = 5.0 + 1.8 * 1.380649e-23 * 300.0 / CHARGE / current
    seen = 2j * np.pi * grid * 0.3e-9 + 1 / (2j * np.pi * grid * 0.5e-12 + 1 / inner)
    assert found == pytest.approx(seen / (SERIES + seen), rel=1e-6)


def test_a_laser_takes_its_current_from_a_net() -> None:
    net: dict[str, Any] = {
        "instances": {"bias": {"component": "current_source", "settings": {"current": 30e-3}},
                      "laser": "rate_equation_laser", "pd": "photodetector"},
        "connections": {"laser,o1": "pd,o1"},
        "nets": [["bias,e2", "laser,e1"], ["bias,e1", "gnd"]],
    }  # fmt: skip
    wired = ps.transient(ps.Circuit(net), 1e-10, sample_rate=640e9, probes=[])
    alone: dict[str, Any] = {"instances": {**net["instances"], "laser": {"component": "rate_equation_laser",
                                                         "settings": {"current": 30e-3}}},
             "connections": net["connections"]}  # fmt: skip
    del alone["instances"]["bias"]
    set_so = ps.transient(ps.Circuit(alone), 1e-10, sample_rate=640e9, probes=[])
    assert wired.current.values == pytest.approx(set_so.current.values, rel=1e-9)

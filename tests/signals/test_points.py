"""Photocurrents, link and simulation in time give one number at one point, whatever drives a setting."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.channels import channels_of
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import registry
from photosim.netlist.find import gallery
from photosim.signals import operating_point

SPANS = {"V": 3.0, "A": 1e-3, "W": 20e-3}
"""Range of a converter, from 0 up, by the unit of what it drives."""
DRIVERS = {"V": ("dac", "voltage"), "A": ("current_driver", "current"), "W": ("heater_driver", "power")}
"""Component that gives a signal in a unit, and its setting."""


def drivable() -> list[tuple[str, str, str]]:
    """All components that light passes whose electrical input drives a setting: name, port, setting."""
    models = [m for m in map(registry.get, registry.names()) if m.kind != "network" and "o2" in m.ports]
    return [(m.name, port, setting) for m in models for port, setting in m.drives.items()]


def lit_gallery() -> list[str]:
    """The gallery's circuits with lasers and detectors, by their texts: to load them all takes seconds."""
    texts = {name: path.read_text(encoding="utf-8") for name, path in sorted(gallery().items())}
    return [name for name, text in texts.items() if "laser" in text and re.search("detector|receiver", text)]


def has_link(one: ps.Circuit) -> bool:
    """Return whether a link of the circuit has photocurrents."""
    if any(one.parameters.get(f"{detector}.bandwidth") == 0.0 for detector in one.detectors):
        return False  # that of TDECQ, or one whose load is the netlist's
    blocks = any(part.model.kind == "block" for part in one.graph.parts)
    return bool(one.sources and one.detectors and not one.nonlinear and not blocks)


def interferometer(component: str, settings: dict[str, Any], dac: dict[str, Any] | None, port: str) -> Any:
    """A laser, the component in one arm of an interferometer, a detector, and a converter wired to it."""
    instances: dict[str, Any] = {
        "laser": {"component": "laser", "settings": {"power": 1e-3}},
        "split": {"component": "mmi1x2"},
        "part": {"component": component, "settings": settings},
        "arm": {"component": "straight", "settings": {"length": 13.0}},
        "join": {"component": "mmi1x2"},
        "pd": {"component": "photodetector"},
    }
    connections = {
        "laser,o1": "split,o1", "split,o2": "part,o1", "split,o3": "arm,o1",
        "part,o2": "join,o2", "arm,o2": "join,o3", "join,o1": "pd,o1",
    }  # fmt: skip
    if dac is not None:
        setting = registry.get(component).drives[port]
        driver, own = DRIVERS[registry.get(component).parameters[setting].unit]
        written = {own if key == "voltage" else key: value for key, value in dac.items()}
        instances["dac"] = {"component": driver, "settings": written}
        connections["dac,e1"] = f"part,{port}"
    return ps.Circuit({"instances": instances, "connections": connections})


def total(one: ps.Circuit, detector: str, **settings: Any) -> float:
    return float(one.photocurrents(**settings).sel(detector=detector).sum())


def settled(one: ps.Circuit, **settings: Any) -> Any:
    """Currents at the end of a simulation in time of what stands still, by detector."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(electronic parts|should give)", PhotosimWarning)
        out = ps.transient(one, 5e-10, sample_rate=4e10, **settings)
    return out.current.isel(time=-1)


@pytest.mark.parametrize(("component", "port", "setting"), drivable())
def test_every_drivable_part_follows_its_converter_in_every_question(
    component: str, port: str, setting: str
) -> None:
    span = SPANS[registry.get(component).parameters[setting].unit]
    dac = {"bits": 4, "output_range": span, "offset": span / 2, "voltage": 0.4 * span}
    wired = interferometer(component, {setting: 0.9 * span}, dac, port)
    plain = interferometer(component, {}, None, port)
    for share in (0.0, 0.4, 1.0):
        level = round(share * 15) / 15 * span  # the nearest of 16 levels
        expected = total(plain, "pd", part={setting: level})
        own = DRIVERS[registry.get(component).parameters[setting].unit][1]
        ask: dict[str, Any] = {"dac": {own: share * span}}
        assert total(wired, "pd", **ask) == pytest.approx(expected, rel=1e-12)
        assert ps.link(wired, **ask)["pd"].current == pytest.approx(expected, rel=1e-12)
        assert settled(wired, **ask).item() == pytest.approx(expected, rel=1e-9)
    s = wired.transfer([1.55], ["pd,o1"], ["laser,o1"])  # waves of a call keep the written setting
    written = plain.transfer([1.55], ["pd,o1"], ["laser,o1"], part={setting: 0.9 * span})
    np.testing.assert_array_equal(s, written)


@pytest.mark.parametrize("name", lit_gallery())
def test_questions_agree_on_every_circuit_of_the_gallery(name: str) -> None:
    one = ps.load(name)
    if not has_link(one):
        pytest.skip("a link refuses it")
    currents = one.photocurrents().sum("wavelength")
    point = operating_point(one, {})
    found = [point.mean_current(number) for number in range(len(one.detectors))]
    np.testing.assert_allclose(found, currents.values, rtol=1e-12)
    if len(one.graph.parts) < 200:  # noise and a run in time of 50 rows and 20 channels take minutes
        link = ps.link(one)
        shown = [link[detector].current for detector in one.detectors]
        np.testing.assert_allclose(shown, found, rtol=1e-12)
        np.testing.assert_allclose(settled(one).values, currents.values, rtol=1e-6, atol=1e-12)


def test_a_step_of_a_converter_settles_at_the_photocurrent_of_its_last_level() -> None:
    one = ps.load("modulator")
    samples = np.where(np.arange(4000) < 500, -1.5, 1.5)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(electronic parts|should give)", PhotosimWarning)
        out = ps.transient(one, 4e-9, sample_rate=1e12, drive={"dac.voltage": samples})
    ends = out.current.sel(detector="pd").isel(time=[0, -1]).values
    expected = [total(one, "pd", dac={"voltage": v}) for v in (-1.5, 1.5)]
    np.testing.assert_allclose(ends, expected, rtol=1e-6)


def test_a_batch_of_voltages_gives_the_currents_of_each() -> None:
    one = ps.load("modulator")
    volts = np.array([-1.5, 0.0, 1.5])
    found = one.photocurrents(dac={"voltage": volts}).values[:, 0, 0]
    # 10**(-0.4) x 5 mW x 0.9 A/W x (1 + q**2 + (1 - q**2) cos(pi (V + 2)/4))/2 at the nearest of 64 levels.
    level = np.rint((volts + 2.0) / (4 / 63)) * (4 / 63) - 2.0
    q2 = 10 ** (-2.5)
    expected = 0.9 * 5e-3 * 10**-0.4 * (1 + q2 + (1 - q2) * np.cos(np.pi * (level + 2.0) / 4.0)) / 2
    expected = expected + 1e-10  # dark current
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_converter_out_of_its_range_is_said() -> None:
    one = ps.load("modulator")
    message = "'dac' should give 3 V, outside its range of -2 to 2 V"
    with pytest.warns(PhotosimWarning, match=message):
        assert total(one, "pd", dac={"voltage": 3.0}) == total(one, "pd", dac={"voltage": 2.0})
    assert any(message in remark for remark in ps.link(one, dac={"voltage": 3.0}).remarks)


def test_a_level_that_the_driven_setting_cannot_have_is_refused_by_name() -> None:
    one = interferometer("pn_phase_shifter", {}, {"voltage": -1.0}, "e1")
    message = r"Converter 'dac' drives instance 'part' \(pn_phase_shifter\): setting 'voltage' is -0\.996"
    for ask in (one.photocurrents, lambda: ps.link(one), lambda: settled(one)):
        with pytest.raises(ParameterError, match=message):
            ask()


def test_channels_follow_the_settings_that_a_laser_follows() -> None:
    one = ps.load("wdm_link")
    assert np.mean(channels_of(one, {"wl0": 1.31})) == pytest.approx(1.31, abs=1e-3)


def test_a_modulator_wired_to_what_follows_a_signal_is_refused_in_every_question() -> None:
    one = ps.Circuit(
        {
            "instances": {
                "laser": "laser", "modulator": "mach_zehnder_modulator", "pd": "photodetector",
                "driver": "transimpedance_amplifier",
            },
            "connections": {
                "laser,o1": "modulator,o1", "modulator,o2": "pd,o1", "pd,e1": "driver,e1",
                "driver,e2": "modulator,e1",
            },
        }
    )  # fmt: skip
    message = (
        "Setting 'modulator.voltage' is wired to 'driver' .transimpedance_amplifier., which has an input"
    )
    for ask in (one.photocurrents, lambda: ps.link(one), lambda: settled(one)):
        with pytest.raises(ParameterError, match=message):
            ask()

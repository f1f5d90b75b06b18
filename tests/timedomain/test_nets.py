"""Electrical nets beside the light: drivers before it, receivers behind it, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.signals import photocurrents
from photosim.timedomain.nets import upsampled

RATE = 80e9
INSTANCES: dict[str, Any] = {
    "src": "voltage_source",
    "r": {"component": "resistor", "settings": {"resistance": 50.0}},
    "c": {"component": "capacitor", "settings": {"capacitance": 1e-13}},
    "laser": "laser",
    "mod": {"component": "mach_zehnder_modulator", "settings": {"bandwidth": 0.0}},
    "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "dark_current": 2e-6}},
    "load": "resistor",
    "cl": {"component": "capacitor", "settings": {"capacitance": 2e-13}},
}
LIT = {"laser,o1": "mod,o1", "mod,o2": "pd,o1"}
DRIVER = [["src,e1", "r,e1"], ["r,e2", "c,e1", "mod,e1"], ["src,e2", "c,e2", "gnd"]]
LIGHT: dict[str, Any] = {
    "instances": {name: INSTANCES[name] for name in ("laser", "mod", "pd")}, "connections": LIT,
}  # fmt: skip
DRIVEN: dict[str, Any] = {
    name: own for name, own in INSTANCES.items() if name not in {"load", "cl"}
}  # fmt: skip
LINK: dict[str, Any] = {
    "instances": INSTANCES, "connections": LIT,
    "nets": [*DRIVER, ["pd,e1", "load,e1", "cl,e1"], ["load,e2", "cl,e2", "gnd"]],
}  # fmt: skip


def test_rc_driver_into_a_modulator_is_the_closed_form() -> None:
    found = ps.transient(
        ps.Circuit(LINK),
        2e-9,
        sample_rate=RATE,
        drive={"src.voltage": ps.waveforms.sine(5e9)},
        probes=["mod,o2"],
    )
    time, omega, tau = found.time.values, 2 * np.pi * 5e9, 50.0 * 1e-13
    h = 1 / (1 + 1j * omega * tau)
    wanted = np.imag(h * np.exp(1j * omega * time)) - np.imag(h) * np.exp(-time / tau)
    assert np.abs(found.drive.sel(setting="mod.voltage") - wanted).max() < 1e-6
    assert np.abs(found.voltage.sel(net="r,e2") - wanted).max() < 1e-6
    # The light is that of the same modulator driven by the closed form itself.
    direct = ps.transient(
        ps.Circuit(LIGHT), 2e-9, sample_rate=RATE,
        drive={"mod.voltage": wanted}, probes=["mod,o2"],
    )  # fmt: skip
    inside = slice(40, -40)  # a list of samples is unknown beyond its ends
    assert (
        np.abs(found.wave - direct.wave).values[..., inside].max() < 1e-5 * np.abs(direct.wave).values.max()
    )


def test_charge_through_the_load_is_that_of_the_light() -> None:
    pulse = ps.waveforms.pulse(at=1.2e-9, width=8e-11, low=0.2, high=3.0)
    found = ps.transient(
        ps.Circuit(LINK), 4e-9, sample_rate=RATE, drive={"src.voltage": pulse}, probes=["mod,o2"]
    )
    power = np.abs(found.wave.values[0, 0]) ** 2
    energy = power.sum() / RATE
    charge = (found.voltage.sel(net="pd,e1").values / 50.0).sum() / RATE
    assert charge == pytest.approx(1.0 * energy + 2e-6 * found.time.size / RATE, rel=1e-9)
    assert np.ptp(power) > 0.1 * power.max()


def test_electrical_energy_is_heat_and_charge() -> None:
    net = {"instances": {k: INSTANCES[k] for k in ("src", "r", "c")},
           "nets": [["src,e1", "r,e1"], ["r,e2", "c,e1"], ["src,e2", "c,e2", "gnd"]]}  # fmt: skip
    edge = ps.waveforms.step(at=5e-10, high=2.0, rise=1e-10)
    found = ps.transient(ps.Circuit(net), 3e-9, sample_rate=20 * RATE, drive={"src.voltage": edge})
    v, out = (found.voltage.sel(net=n).values for n in ("src,e1", "r,e2"))
    work = (-found.branch_current.sel(branch="src.v").values * v).sum() / (20 * RATE)
    heat = ((v - out) ** 2 / 50.0).sum() / (20 * RATE)
    assert work == pytest.approx(heat + 0.5 * 1e-13 * out[-1] ** 2, rel=1e-5)


def test_photocurrents_follow_the_nets_at_rest() -> None:
    circuit = ps.Circuit(LINK)
    plain = ps.Circuit(LIGHT)
    for volt in (0.0, 0.7):
        by_net = photocurrents(circuit, None, {"src": {"voltage": volt}})
        assert by_net.values == pytest.approx(
            photocurrents(plain, None, {"mod": {"voltage": volt}}).values, rel=1e-12
        )
    with pytest.raises(ps.ParameterError, match=r"'mod\.voltage' is driven by the electrical nets"):
        photocurrents(circuit, None, {"mod": {"voltage": 1.0}})


def test_converters_and_circuit_settings_drive_nets() -> None:
    instances = {**DRIVEN, "dac": {"component": "dac", "settings": {"bits": 16, "voltage": "level"}}}
    nets = [["dac,e1", "r,e1"], ["r,e2", "c,e1", "mod,e1"], ["c,e2", "gnd"]]
    plain = {name: own for name, own in instances.items() if name != "src"}
    circuit = ps.Circuit({"settings": {"level": 0.5}, "instances": plain, "connections": LIT, "nets": nets})
    found = ps.transient(circuit, 2e-9, sample_rate=RATE, drive={"level": ps.waveforms.sine(1e9)}, probes=[])
    assert (
        np.abs(found.voltage.sel(net="dac,e1") - np.sin(2 * np.pi * 1e9 * found.time)).max() < 5e-2
    )  # its bandwidth
    wired = {
        "instances": instances,
        "connections": {**LIT, "dac,e1": "src,e3"},
        "nets": DRIVER,
        "settings": {"level": 0.5},
    }
    again = ps.transient(
        ps.Circuit(wired), 2e-9, sample_rate=RATE, drive={"level": ps.waveforms.sine(1e9)}, probes=[]
    )
    assert again.voltage.sel(net="src,e1").values == pytest.approx(
        found.voltage.sel(net="dac,e1").values, abs=6e-3
    )


def test_a_probe_between_two_nets_drives_a_modulator() -> None:
    instances = {**DRIVEN, "probe": "voltage_probe", "r2": "resistor"}
    nets = [
        ["src,e1", "r,e1", "probe,e1"],
        ["r,e2", "c,e1", "r2,e1", "probe,e2"],
        ["src,e2", "c,e2", "r2,e2", "gnd"],
    ]
    circuit = ps.Circuit({"instances": instances, "connections": {**LIT, "probe,e3": "mod,e1"}, "nets": nets})
    _, point = circuit.driven_at({"src": {"voltage": 1.0}})
    assert point.settings["mod.voltage"] == pytest.approx(0.5, rel=1e-12)


def test_a_batch_through_nets_is_refused() -> None:
    with pytest.raises(
        ps.ParameterError, match=r"Setting 'src\.voltage' is a list of values, but electrical nets"
    ):
        photocurrents(ps.Circuit(LINK), None, {"src": {"voltage": [0.0, 1.0]}})


def test_light_that_follows_itself_rests_where_both_agree() -> None:
    nets = [["pd,e1", "load,e1", "cl,e1", "mod,e1"], ["load,e2", "cl,e2", "gnd"]]
    instances = {k: v for k, v in INSTANCES.items() if k not in {"src", "r", "c"}}
    circuit = ps.Circuit({"instances": instances, "connections": LIT, "nets": nets})
    plain = ps.Circuit(LIGHT)
    volt = circuit.driven_at({})[1].settings["mod.voltage"]
    light = float(photocurrents(plain, None, {"mod": {"voltage": volt}}).values.squeeze())
    assert volt == pytest.approx(50.0 * light, rel=1e-9)
    assert photocurrents(circuit, None, {}).values.squeeze() == pytest.approx(light, rel=1e-9)
    found = ps.transient(circuit, 1e-9, sample_rate=RATE)
    assert found.voltage.sel(net="pd,e1").values == pytest.approx(volt, rel=1e-6)
    low, high = (
        float(photocurrents(plain, None, {"mod": {"voltage": volt + d}}).values.squeeze())
        for d in (-1e-3, 1e-3)
    )
    slope = (high - low) / 2e-3
    closed = ps.response(circuit, [0.0], source="mod.voltage").current.values[0, 0]
    assert closed == pytest.approx(slope / (1 - 50.0 * slope), rel=1e-5)


def test_what_cannot_be_driven_is_refused() -> None:
    circuit = ps.Circuit(LINK)
    with pytest.raises(ps.ParameterError, match=r"'mod\.voltage' is driven by the electrical nets"):
        ps.transient(circuit, 1e-9, sample_rate=RATE, drive={"mod.voltage": ps.waveforms.sine(1e9)})
    with pytest.raises(
        ps.ParameterError, match=r"Setting 'r\.resistance' of an electrical network cannot change"
    ):
        ps.transient(circuit, 1e-9, sample_rate=RATE, drive={"r.resistance": ps.waveforms.sine(1e9)})
    fast = ps.waveforms.prbs(40e9, rise=6e-12)
    with pytest.raises(ps.ParameterError, match=r"too low for 'mod\.voltage', which electrical nets drive"):
        ps.transient(circuit, 2e-9, sample_rate=RATE, drive={"src.voltage": fast}, c={"capacitance": 1e-16})
    junction = {**DRIVEN, "mod": "pn_phase_shifter"}
    reverse = ps.Circuit({"instances": junction, "connections": LIT, "nets": DRIVER})
    with pytest.raises(
        ps.ParameterError, match=r"The electrical nets drive instance 'mod' \(pn_phase_shifter\)"
    ):
        ps.transient(reverse, 1e-9, sample_rate=RATE, drive={"src.voltage": ps.waveforms.sine(1e9)})


def test_values_between_samples_keep_tones_and_sums() -> None:
    at = np.arange(400.0)

    def tones(time: Any) -> Any:
        return np.sin(2 * np.pi * 0.4 * time + 0.3) + 0.5 * np.sin(2 * np.pi * 0.05 * time)

    fine = upsampled(tones(at), 6)
    time = np.arange(fine.size) / 6
    assert np.abs(fine - tones(time))[600:-600].max() < 1e-6
    bump = np.exp(-(((at - 200) / 3) ** 2))
    assert upsampled(bump, 8).sum() / 8 == pytest.approx(bump.sum(), rel=1e-13)

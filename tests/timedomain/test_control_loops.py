"""Light with feedback through electronics against differential equations, loop gains and closed forms."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

HEATER = 5e-6
RING = ("laser", "bus", "guide", "shifter", "pd")


def bias_loop(**controller: Any) -> dict[str, Any]:
    """Return a Mach-Zehnder modulator that a controller holds at a set point."""
    return {
        "instances": {
            "laser": {"component": "laser", "settings": {"power": 1e-3}},
            "mod": {
                "component": "mach_zehnder_modulator",
                "settings": {"bandwidth": 0.0, "v_pi": 4.0, "loss_dB": 0.0, "extinction_dB": 30.0},
            },
            "pd": {"component": "photodetector", "settings": {"bandwidth": 0.0, "dark_current": 0.0}},
            "load": {"component": "resistor", "settings": {"resistance": 1000.0}},
            "set": {"component": "voltage_source", "settings": {"voltage": 0.6}},
            "lock": {"component": "pid_controller", "settings": controller},
        },
        "connections": {"laser,o1": "mod,o1", "mod,o2": "pd,o1"},
        "nets": [["pd,e1", "load,e1", "lock,e2"], ["set,e1", "lock,e1"], ["lock,e3", "mod,e1"],
                 ["set,e2", "load,e2", "gnd"]],
    }  # fmt: skip


def test_a_loop_without_a_source_is_refused() -> None:
    """It ended in a ValueError of numpy, or asked for the light at ports that the call had."""
    netlist = bias_loop()
    del netlist["instances"]["laser"]
    netlist |= {"connections": {"mod,o2": "pd,o1"}, "ports": {"in": "mod,o1"}}
    circuit = ps.Circuit(netlist)
    said = r"loop of 'mod.voltage' and 'pd' has no light: it needs a source"
    with pytest.raises(ParameterError, match=said):
        ps.response(circuit, [1e3], source="set")
    with pytest.raises(ParameterError, match=said):
        ps.transient(circuit, 1e-5, sample_rate=1e7, inputs={"in": 1e-3}, wl=1.55, probes=[])


def light_alone() -> ps.Circuit:
    """Return the ring of the gallery without its electronics."""
    netlist = ps.load("ring_lock").netlist
    part = {n: {"component": i.component, "settings": dict(i.settings)} for n, i in netlist.instances.items()}
    connections = {"laser,o1": "bus,o1", "bus,o4": "pd,o1", "bus,o3": "guide,o1", "guide,o2": "shifter,o1",
                   "shifter,o2": "bus,o2"}  # fmt: skip
    return ps.Circuit({"instances": {n: part[n] for n in RING}, "connections": connections})


def tone(time: Any, values: Any, frequency: float) -> complex:
    """Return the amplitude of a sine in samples, as exp(+j omega t)."""
    w = 2 * np.pi * frequency
    basis = np.stack([np.ones_like(time), time, np.cos(w * time), np.sin(w * time)], axis=1)
    found = np.linalg.lstsq(basis, values, rcond=None)[0]
    return complex(found[2], -found[3])


@pytest.mark.parametrize("rate", [1e6, 2e6])
def test_a_ring_is_locked_with_the_bandwidth_of_its_open_loop(rate: float) -> None:
    circuit, optics = ps.load("ring_lock"), light_alone()
    power = circuit.driven_at({})[1].settings["shifter.power"]

    def current(at: float) -> float:
        return float(optics.photocurrents(shifter={"power": at}).values.squeeze())

    assert current(power) * 1000.0 == pytest.approx(0.6, rel=1e-4)
    slope = (current(power + 1e-7) - current(power - 1e-7)) / 2e-7
    volt = np.sqrt(power * 1000.0)
    rest = 2 * volt / 1000.0 * slope * 1000.0 * -603.0

    def gain(f: float) -> complex:
        return complex(rest / (1j * f) / (1 + 2j * np.pi * f * HEATER))

    assert abs(gain(10e3)) == pytest.approx(1.0, abs=2e-3)  # as the netlist says
    found = ps.transient(circuit, 1.2e-3, sample_rate=rate, probes=[])
    late = found.time.values > 0.4e-3
    sent, back = (
        tone(found.time.values[late], found.voltage.sel(net=net).values[late], 10e3)
        for net in ("tone,e1", "lock,e3")
    )
    read = -back / sent
    # Near unity the size falls as f to the power -1.09, so that 2 % of it are less than 2 % of the frequency.
    assert abs(read) == pytest.approx(abs(gain(10e3)), rel=5e-3)
    assert np.angle(read / gain(10e3)) == pytest.approx(0.0, abs=5e-3)
    assert "followed at once" in found.attrs["electronics"]


def test_a_lock_captures_on_its_side_of_the_resonance() -> None:
    """Switched on, the heater sweeps up; it holds wherever the side of a resonance lies within its range."""
    circuit, optics = ps.load("ring_lock"), light_alone()
    hot = 64e-3
    for wl in (1.5494, 1.5497, 1.55, 1.5503):
        grid = np.linspace(1e-3, hot, 20001)
        light = optics.photocurrents(laser={"wl": wl}, shifter={"power": grid[::40]}).values.reshape(-1)
        point = circuit.driven_at({"laser": {"wl": wl}})[1].settings["shifter.power"]
        reached = 1000 * float(
            optics.photocurrents(laser={"wl": wl}, shifter={"power": point}).values.squeeze()
        )
        if light.min() < 0.55e-3:  # there is a side to hold
            assert reached == pytest.approx(0.6, rel=1e-3)
        else:
            assert point < 1.2e-3 or point > 0.9 * hot


def test_a_lock_that_does_not_hold_is_told() -> None:
    """An integrator too fast for its heater leaps over the resonance, to the end of its range."""
    circuit = ps.load("ring_lock")
    lost = ps.transient(
        circuit, 2e-5, sample_rate=1e6, probes=[], lock={"unity_frequency": -603.0 * 30}
    ).attrs["electronics"]  # fmt: skip
    assert "at an end of its output's range: 'lock' before time 0, 'lock' at the end" in lost
    held = ps.transient(circuit, 2e-5, sample_rate=1e6, probes=[]).attrs["electronics"]
    assert "range" not in held


def test_a_loop_follows_its_differential_equation() -> None:
    """The nonlinear equation of a modulator under an integrator and a proportional part, by LSODA."""
    from scipy.integrate import solve_ivp
    from scipy.signal import bessel

    wide = 2e6
    netlist = bias_loop(proportional=0.2, integral_frequency=20e3, rest_gain=1e6)
    netlist["instances"]["pd"]["settings"] = {"bandwidth": wide, "dark_current": 1e-6}
    found = ps.transient(
        ps.Circuit(netlist), 60e-6, sample_rate=20e6, probes=[],
        drive={"set.voltage": ps.waveforms.step(at=10e-6, low=0.6, high=0.2, rise=1e-6)},
    )  # fmt: skip
    weak = 10 ** (-30.0 / 20)

    def current(v: float) -> float:
        angle = np.pi * v / 4.0
        field = ((1 + weak) * np.exp(0.5j * angle) + (1 - weak) * np.exp(-0.5j * angle)) / 2
        return float(1e-3 * abs(field) ** 2) + 1e-6

    b, a = bessel(4, 2 * np.pi * wide, "low", analog=True, norm="mag")
    omega = 2 * np.pi * 20e3

    def rates(t: float, y: Any) -> Any:
        # y: four derivatives of the low-pass, in units of its bandwidth, and the integral.
        target = 0.6 - 0.2 * (1.0 - np.cos(np.pi * np.clip((t - 9.5e-6) / 1e-6, 0.0, 1.0)))
        seen = 1000.0 * y[0] * b[-1] / a[-1]
        error = target - seen
        volt = 0.2 * error + y[4]
        scale = 2 * np.pi * wide
        chain = [scale * y[1], scale * y[2], scale * y[3]]
        forced = current(volt) * a[-1] / scale**4 - sum(a[4 - k] / scale ** (4 - k) * y[k] for k in range(4))
        return [*chain, scale * forced, omega * error - omega / 1e6 * y[4]]

    rest = [float(x) for x in (found.voltage.sel(net="pd,e1").values[0] / 1000.0, 0, 0, 0)]
    begin = [*rest, float(found.voltage.sel(net="lock,e3").values[0]) - 0.2 * (0.6 - 1000 * rest[0])]
    wanted = solve_ivp(
        rates,
        (0.0, 60e-6),
        begin,
        method="LSODA",
        max_step=1e-7,
        t_eval=found.time.values,
        rtol=1e-9,
        atol=1e-12,
    )
    assert wanted.success
    seen = found.voltage.sel(net="pd,e1").values
    assert seen == pytest.approx(1000.0 * wanted.y[0], abs=2e-5)
    assert seen[0] == pytest.approx(0.6, abs=1e-4)
    assert 0.2 < seen[-1] < 0.3  # on its way to the new set-point


def test_loops_that_are_not_stable_say_so() -> None:
    slow = {"bandwidth": 1e5, "dark_current": 0.0}
    netlist = bias_loop(proportional=0.0, integral_frequency=1e6)
    netlist["instances"]["pd"]["settings"] = slow
    circuit = ps.Circuit(netlist)
    with pytest.raises(
        ps.ParameterError, match=r"control loop of 'mod.voltage' and 'pd' is not stable: .*oscillates"
    ):
        circuit.photocurrents()
    kick = {"set.voltage": ps.waveforms.step(at=1e-6, low=0.6, high=0.55, rise=1e-7)}
    with pytest.warns(ps.PhotosimWarning, match=r"oscillates at .* Hz, and disturbances grow"):
        found = ps.transient(circuit, 20e-6, sample_rate=20e6, probes=[], drive=kick)
    assert np.ptp(found.current.values[0][-100:]) > 1e-4


def test_a_loop_that_leaves_the_bounds_of_its_setting_is_refused() -> None:
    netlist = bias_loop(integral_frequency=-20e3)
    netlist["instances"]["mod"] = {
        "component": "electro_absorption_modulator",
        "settings": {"bandwidth": 0.0},
    }
    with pytest.raises(ps.ParameterError, match=r"drives 'mod.voltage' to -.* V, but it may be 0 to 20"):
        ps.Circuit(netlist).photocurrents()


def test_a_loop_that_loses_its_solution_does_not_converge() -> None:
    """What drives the modulator is squared by a mixer and comes back to it at once: no solution beyond 1/4 V.

    Before, a loop without a capacitor found no rest either, since the first step began out of balance.
    """
    netlist = bias_loop()
    netlist["instances"] |= {
        "lock": "voltage_controlled_voltage_source", "square": "mixer", "r": "resistor",
        "load": {"component": "resistor", "settings": {"resistance": 10.0}},
        "set": {"component": "voltage_source", "settings": {"voltage": 0.2}},
    }  # fmt: skip
    netlist["nets"] = [
        ["square,e3", "set,e2"], ["set,e1", "square,e1", "square,e2", "r,e1", "lock,e2"],
        ["pd,e1", "load,e1", "lock,e3"], ["lock,e1", "mod,e1"], ["r,e2", "load,e2", "lock,e4", "gnd"],
    ]  # fmt: skip
    circuit = ps.Circuit(netlist)
    squared = (1 - 0.4 - np.sqrt(0.2)) / 2
    volt = circuit.driven_at({})[1].settings["mod.voltage"]
    light = float(circuit.photocurrents().values.squeeze())
    assert volt == pytest.approx(squared + 0.2 + 10.0 * light, rel=1e-9)
    rise = ps.waveforms.step(at=1e-6, low=0.2, high=0.5, rise=0.5e-6)
    with pytest.raises(
        ps.ParameterError,
        match=r"control loop of 'mod.voltage' and 'pd' does not converge .* after its start",
    ):
        ps.transient(circuit, 2e-6, sample_rate=10e6, probes=[], drive={"set.voltage": rise})


def test_a_loop_that_is_too_fast_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock-ins that oscillate end so or by their light, as it comes; the sentence is forced here."""
    monkeypatch.setattr(sys.modules["photosim.electronics.transient"], "WORST", 1e-16)
    said = r"control loop of 'mod.voltage' and 'pd' is too fast for .* steps for each sample the .* is still"
    with pytest.raises(ps.ParameterError, match=said + r".*or lower the gain of the loop"):
        ps.transient(
            ps.Circuit(bias_loop(integral_frequency=20e3)), 5e-6, sample_rate=20e6, probes=[],
            drive={"set.voltage": ps.waveforms.step(at=1e-6, low=0.6, high=0.55, rise=1e-6)},
        )  # fmt: skip


def test_light_that_is_late_against_its_loop_is_refused() -> None:
    netlist = bias_loop(proportional=0.0, integral_frequency=20e3)
    netlist["instances"]["way"] = {"component": "fibre", "settings": {"length_km": 1.0, "loss_dB_km": 0.0}}
    netlist["connections"] = {"laser,o1": "mod,o1", "mod,o2": "way,o1", "way,o2": "pd,o1"}
    with pytest.raises(
        ps.ParameterError, match=r"is late by 4\.\d+e-06 s, more than 1/20 of the loop's time constant"
    ):
        ps.transient(ps.Circuit(netlist), 20e-6, sample_rate=20e6, probes=[])


def test_late_light_is_corrected_where_the_loop_is_slow() -> None:
    """A loop over 200 m of fibre: the delay of its light, as a lag of the loop's phase."""
    netlist = bias_loop(proportional=0.0, integral_frequency=1e3)
    netlist["instances"]["way"] = {"component": "fibre", "settings": {"length_km": 0.2, "loss_dB_km": 0.0}}
    netlist["connections"] = {"laser,o1": "mod,o1", "mod,o2": "way,o1", "way,o2": "pd,o1"}
    found = ps.transient(
        ps.Circuit(netlist), 400e-6, sample_rate=10e6, probes=[],
        drive={"set.voltage": ps.waveforms.step(at=50e-6, low=0.6, high=0.55, rise=5e-6)},
    )  # fmt: skip
    assert "exact light and loop agree" in found.attrs["electronics"]
    read = found.voltage.sel(net="pd,e1").values / 1000.0
    assert read == pytest.approx(found.current.values[0], abs=1e-5 * read.max())


def test_light_from_outside_and_parts_with_a_memory_are_refused_in_loops() -> None:
    netlist = bias_loop(integral_frequency=20e3)
    netlist["instances"]["tap"] = {"component": "coupler", "settings": {}}
    netlist["connections"] = {"laser,o1": "tap,o1", "tap,o4": "mod,o1", "mod,o2": "pd,o1"}
    netlist["ports"] = {"in": "tap,o2", "out": "tap,o3"}
    with pytest.raises(ps.ParameterError, match=r"Light enters at 'in', but control loops"):
        ps.transient(
            ps.Circuit(netlist), 2e-6, sample_rate=20e6, probes=[],
            inputs={"in": {"power": 1e-3, "carrier": 1.55}},
        )  # fmt: skip


def test_noise_of_a_detector_passes_its_loop() -> None:
    """With noise the current of the light and the voltage on the load stay one and the same."""
    netlist = bias_loop(proportional=0.0, integral_frequency=20e3)
    netlist["instances"]["pd"]["settings"] = {"bandwidth": 2e6, "dark_current": 0.0}
    netlist["instances"]["laser"]["settings"]["linewidth"] = 0.0
    netlist["instances"]["load"]["settings"]["temperature"] = 0.0  # its own noise is in the voltage alone
    found = ps.transient(ps.Circuit(netlist), 100e-6, sample_rate=20e6, probes=[], noise=True, seed=3)
    read = found.voltage.sel(net="pd,e1").values / 1000.0
    assert np.std(read) > 1e-8
    assert read[20:-20] == pytest.approx(found.current.values[0][20:-20], abs=1e-5 * read.max())

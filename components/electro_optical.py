"""Where light and electronics meet: photodiodes, modulators, heaters, drivers and amplifiers with pins."""

from __future__ import annotations

from math import pi
from typing import Annotated

from photosim.components.dynamic_lasers import Enhancement
from photosim.components.electrical import (
    SUBSTRATE,
    VOLT_PER_KELVIN,
    Capacitance,
    Elements,
    Gain,
    Ideality,
    Inductance,
    JunctionTemperature,
    SaturationCurrent,
)
from photosim.components.modulators import Chirp, SwitchingVoltage
from photosim.components.receivers import NoiseCurrent, StageBandwidth
from photosim.model import (
    DarkCurrent,
    Loss_dB,
    Netlist,
    Quantity,
    Ratio_dB,
    Reading,
    Resistance,
    Responsivity,
    SaturationPower,
    Temperature,
    Voltage,
    Wavelength,
    composite,
    elements,
    links,
    net,
    network,
    part,
    ref,
)

CarrierTransit = Annotated[float, Quantity("s", 1e-15, 1.0, usual=(1e-13, 1e-6))]
"""Transit time of the carriers through a junction in s; never zero."""
ThermalResistance = Annotated[float, Quantity("K/W", 1e-6, 1e9)]
"""Thermal resistance in K/W; never zero."""
ThermalTime = Annotated[float, Quantity("s", 1e-12, 1e3)]
"""Thermal time constant in s; never zero."""

_TRANSIT = 0.45
"""Half-power frequency of a uniformly lit junction, times the transit time of its carriers."""


@composite(ports=("o1",), inputs=1, electrical=("e1", "e2"), source="saleh2019")
def junction_photodiode(
    *,
    responsivity: Responsivity = 1.0,
    dark_current: DarkCurrent = 1e-10,
    transit_time: CarrierTransit = 5e-12,
    capacitance: Capacitance = 20e-15,
    series_resistance: Resistance = 10.0,
    saturation_power: SaturationPower = 20e-3,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Netlist:
    """PIN photodiode for electrical nets, cathode e1, anode e2: current, junction capacitance, resistance.

    The current of `junction` flows inside from e1 to e2 and leaves at the anode. Transit of the carriers is a
    low-pass of 0.45/transit_time in front of capacitance and resistor. Its noise is that of `photodetector`:
    shot noise, and the thermal noise that a load of load_resistance at `temperature` adds to the current.
    Left out: the exponential of forward bias, change of the capacitance with bias, what `photodetector`
    leaves out.

    Settings:
        responsivity: photocurrent per optical power.
        dark_current: current without light.
        transit_time: time that the carriers take to cross the junction.
        capacitance: capacitance of the junction.
        series_resistance: resistance between junction and anode.
        saturation_power: power above which the current stays constant.
        load_resistance: load resistor that sets the thermal noise.
        temperature: temperature of the load resistor.
    """
    return Netlist(
        instances={
            "junction": part(
                "photodetector", responsivity=responsivity, dark_current=dark_current,
                bandwidth=_TRANSIT / transit_time, saturation_power=saturation_power,
                load_resistance=load_resistance, temperature=temperature,
            ),
            "current": part("current_source"),
            "capacitor": part("capacitor", capacitance=capacitance),
            "series": part("resistor", resistance=series_resistance),
        },
        connections=links("junction,e1:current,e3"),
        nets=(net("current,e1", "capacitor,e1"), net("current,e2", "capacitor,e2", "series,e1")),
        ports={"o1": ref("junction,o1"), "e1": ref("current,e1"), "e2": ref("series,e2")},
        name="junction_photodiode",
    )  # fmt: skip


@composite(ports=("o1", "o2"), inputs=1, electrical=("e1", "e2"), source="saleh2019")
def lumped_modulator(
    *,
    v_pi: SwitchingVoltage = 3.0,
    bias: Voltage = 1.5,
    loss_dB: Loss_dB = 4.0,
    extinction_dB: Ratio_dB = 25.0,
    chirp: Chirp = 0.0,
    wl0: Wavelength = 1.55,
    series_resistance: Resistance = 10.0,
    capacitance: Capacitance = 100e-15,
) -> Netlist:
    """Mach-Zehnder modulator for electrical nets: its junction is an R and a C in series from e1 to e2.

    The voltage across the capacitance drives `modulator` at once: its bandwidth is that of what drives the
    pins, 1/(2 pi (R_driver + series_resistance) capacitance). Left out: change of the capacitance with bias,
    waves along the electrodes, what `mach_zehnder_modulator` leaves out.

    Settings:
        v_pi: voltage that changes the phase between the arms by pi.
        bias: voltage added to that across the junction; half of v_pi is quadrature at wl0.
        loss_dB: insertion loss at full transmission.
        extinction_dB: ratio of most to least light.
        chirp: phase common to both arms over the phase between them; 0 is push-pull.
        wl0: wavelength at which v_pi is given.
        series_resistance: resistance between e1 and the junction.
        capacitance: capacitance of the junction.
    """
    return Netlist(
        instances={
            "series": part("resistor", resistance=series_resistance),
            "junction": part("capacitor", capacitance=capacitance),
            "across": part("voltage_probe"),
            "modulator": part(
                "mach_zehnder_modulator", v_pi=v_pi, bias=bias, loss_dB=loss_dB,
                extinction_dB=extinction_dB, chirp=chirp, wl0=wl0, bandwidth=0.0,
            ),
        },
        connections=links("across,e3:modulator,e1"),
        nets=(net("series,e2", "junction,e1", "across,e1"), net("junction,e2", "across,e2")),
        ports={"o1": ref("modulator,o1"), "o2": ref("modulator,o2"), "e1": ref("series,e1"),
               "e2": ref("junction,e2")},
        name="lumped_modulator",
    )  # fmt: skip


@network(pins=("e1", "e2"), source="rossi1998", reads={"e3": Reading("A", ("felt", "gnd"))})
def laser_leads(
    *,
    bond_inductance: Inductance = 0.3e-9,
    pad_capacitance: Capacitance = 0.5e-12,
    series_resistance: Resistance = 5.0,
    saturation_current: SaturationCurrent = 1e-13,
    ideality: Ideality = 1.8,
    temperature: JunctionTemperature = 300.0,
) -> Elements:
    """Electrical input of a laser: bond wire, pad and junction, anode e1, cathode e2; its current at e3.

    A bond wire of bond_inductance leads to the pad, whose pad_capacitance lies beside series_resistance and
    the junction, i = saturation_current (exp(v/(ideality k T/q)) - 1). At e3 leaves i as a one-way signal in
    A: connect it with e1 of a rate_equation_laser or a vcsel. The substrate joins the cathode with gnd by
    1 Gohm. Left out: the junction's own charge, which is the laser's carriers, resistance of wire and pad,
    heat.

    Settings:
        bond_inductance: inductance of the bond wire to the pad.
        pad_capacitance: capacitance from the pad to the cathode.
        series_resistance: resistance between pad and junction.
        saturation_current: saturation current of the junction.
        ideality: ideality factor of the junction.
        temperature: temperature of the junction.
    """
    thermal = ideality * VOLT_PER_KELVIN * temperature
    return (
        elements.inductance("bond", "e1", "pad", bond_inductance),
        elements.capacitance("cpad", "pad", "e2", pad_capacitance),
        elements.resistance("rs", "pad", "anode", series_resistance, temperature=temperature),
        elements.junction("d", "anode", "inner", saturation_current, thermal),
        elements.voltage("ammeter", "inner", "e2", 0.0),
        elements.transresistance("felt", "felt", "gnd", "ammeter", 1.0),
        elements.resistance("substrate", "e2", "gnd", SUBSTRATE),
    )


@composite(ports=("o1",), electrical=("e1", "e2"), source="rossi1998")
def packaged_laser(
    *,
    wl: Wavelength = 1.55,
    bond_inductance: Inductance = 0.3e-9,
    pad_capacitance: Capacitance = 0.5e-12,
    series_resistance: Resistance = 5.0,
    saturation_current: SaturationCurrent = 1e-13,
    ideality: Ideality = 1.8,
    linewidth_enhancement: Enhancement = 3.0,
) -> Netlist:
    """Directly modulated laser for electrical nets: a `rate_equation_laser` behind its bond wire and pad.

    Anode e1, cathode e2: `laser_leads` carry the current that reaches the junction, and `laser` follows it
    from sample to sample. Its small-signal response is that of a low-pass of the leads, with a peak where
    wire and pad resonate, times the relaxation resonance of the laser. The settings of both inside are at
    hand by `leads.` and `laser.`. Left out: what laser_leads and rate_equation_laser leave out.

    Settings:
        wl: wavelength at threshold.
        bond_inductance: inductance of the bond wire to the pad.
        pad_capacitance: capacitance from the pad to the cathode.
        series_resistance: resistance between pad and junction.
        saturation_current: saturation current of the junction.
        ideality: ideality factor of the junction.
        linewidth_enhancement: Henry's factor alpha, the change of the index with the gain.
    """
    return Netlist(
        instances={
            "leads": part(
                "laser_leads", bond_inductance=bond_inductance, pad_capacitance=pad_capacitance,
                series_resistance=series_resistance, saturation_current=saturation_current,
                ideality=ideality,
            ),
            "laser": part("rate_equation_laser", wl=wl, linewidth_enhancement=linewidth_enhancement),
        },
        connections=links("leads,e3:laser,e1"),
        ports={"o1": ref("laser,o1"), "e1": ref("leads,e1"), "e2": ref("leads,e2")},
        name="packaged_laser",
    )  # fmt: skip


@network(pins=("e1", "e2"), source="sackinger2005")
def driver(
    *,
    gain: Gain = 4.0,
    bandwidth: StageBandwidth = 40e9,
    input_resistance: Resistance = 50.0,
    input_capacitance: Capacitance = 10e-15,
    output_resistance: Resistance = 50.0,
) -> Elements:
    """Driver: a voltage amplifier from e1 to e2, both against gnd, with one pole and an output resistance.

    Without load it gives gain times the voltage at e1 behind a first-order low-pass. Left out: noise of its
    own beside that of its two resistors at 300 K, limits of the output, further poles, an inductive output.

    Settings:
        gain: voltage at e2 without load over the voltage at e1.
        bandwidth: half-power frequency of the amplifier's pole.
        input_resistance: resistance from e1 to gnd.
        input_capacitance: capacitance from e1 to gnd.
        output_resistance: resistance in series with e2.
    """
    return (
        elements.resistance("rin", "e1", "gnd", input_resistance, temperature=300.0),
        elements.capacitance("cin", "e1", "gnd", input_capacitance),
        *_pole("e1", "slow", bandwidth),
        elements.voltage_gain("out", "strong", "gnd", "slow", "gnd", gain),
        elements.resistance("rout", "strong", "e2", output_resistance, temperature=300.0),
    )


def _pole(start: str, end: str, bandwidth: float) -> Elements:
    """Return elements that give a voltage behind a first-order low-pass, unloaded at its input."""
    return (
        elements.transconductance("pole_g", "gnd", end, start, "gnd", 1e-3),
        elements.resistance("pole_r", end, "gnd", 1e3),
        elements.capacitance("pole_c", end, "gnd", 1.0 / (2.0 * pi * 1e3 * bandwidth)),
    )


@network(pins=("e1", "e2"), source="sackinger2005")
def shunt_feedback_amplifier(
    *,
    feedback_resistance: Resistance = 1000.0,
    gain: Gain = 20.0,
    bandwidth: StageBandwidth = 20e9,
    input_capacitance: Capacitance = 20e-15,
    output_resistance: Resistance = 50.0,
    noise_density: NoiseCurrent = 10e-12,
) -> Elements:
    """Transimpedance amplifier for electrical nets, with shunt feedback: current into e1, voltage at e2.

    The amplifier has one pole; feedback_resistance joins its output and e1. At rest the transimpedance is
    -feedback_resistance gain/(1 + gain), and the input looks like feedback_resistance/(1 + gain); with the
    capacitance at e1 there are two poles, which ring where the bandwidth is too low. Noise is that of the
    feedback resistor at 300 K and noise_density at the input. Left out: limits of the output, slew rate,
    noise that rises with frequency.

    Settings:
        feedback_resistance: resistance from the amplifier's output to e1.
        gain: open-loop gain of the amplifier for constant voltages.
        bandwidth: half-power frequency of the amplifier without feedback.
        input_capacitance: capacitance from e1 to gnd.
        output_resistance: resistance in series with e2.
        noise_density: density of the amplifier's noise current at its input.
    """
    return (
        elements.capacitance("cin", "e1", "gnd", input_capacitance),
        elements.noise("own", "e1", "gnd", noise_density),
        *_pole("e1", "slow", bandwidth),
        elements.voltage_gain("amp", "strong", "gnd", "slow", "gnd", -gain),
        elements.resistance("rf", "strong", "e1", feedback_resistance, temperature=300.0),
        elements.resistance("rout", "strong", "e2", output_resistance, temperature=300.0),
    )


@network(
    pins=("e1", "e2", "e3"), thermal=("e3",), source="harris2014",
    reads={"e4": Reading("W", ("power", "gnd"))},
)  # fmt: skip
def resistive_heater(
    *,
    resistance: Resistance = 1000.0,
    thermal_resistance: ThermalResistance = 1000.0,
    time_constant: ThermalTime = 1.2e-6,
) -> Elements:
    """Heater for electrical nets: a resistor e1-e2 that heats the node e3; e4 drives a phase shifter.

    e3 has the temperature rise in K. thermal_resistance and time_constant connect it to the chip, and a
    `thermal_resistor` connects neighbours. e4 gives the rise over thermal_resistance as a one-way signal in
    W, the power that would maintain it: connect it with a thermo_optic_shifter whose bandwidth is 0. Left
    out: change of the resistance with temperature, heat that spreads as a wave.

    Settings:
        resistance: electrical resistance of the heater.
        thermal_resistance: temperature rise per power.
        time_constant: time constant of the temperature of the heater alone.
    """
    return (
        elements.resistance("r", "e1", "e2", resistance, temperature=300.0),
        elements.heating("heat", "e1", "e2", "e3", resistance),
        elements.resistance("rth", "e3", "gnd", thermal_resistance),
        elements.capacitance("cth", "e3", "gnd", time_constant / thermal_resistance),
        elements.voltage_gain("felt", "power", "gnd", "e3", "gnd", 1.0 / thermal_resistance),
    )


@network(pins=("e1", "e2"), thermal=("e1", "e2"), source="harris2014")
def thermal_resistor(*, thermal_resistance: ThermalResistance = 10000.0) -> Elements:
    """Thermal resistance between two thermal pins, such as those of two neighbouring heaters.

    Left out: heat capacity of the path itself.

    Settings:
        thermal_resistance: temperature difference per power.
    """
    return (elements.resistance("r", "e1", "e2", thermal_resistance),)

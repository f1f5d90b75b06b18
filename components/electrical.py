"""Electrical parts with pins, as circuit simulators have them: R, L, C, sources, lines, diodes."""

from __future__ import annotations

from typing import Annotated

from photosim.model import Element, Quantity, Reading, Resistance, Temperature, Voltage, elements, network

Capacitance = Annotated[float, Quantity("F", 0.0, 1e3, usual=(1e-18, 1.0))]
"""A capacitance in F."""
Inductance = Annotated[float, Quantity("H", 0.0, 1e3, usual=(1e-15, 10.0))]
"""An inductance in H."""
Conductance = Annotated[float, Quantity("S", -1e6, 1e6)]
"""A transconductance in S."""
SignedResistance = Annotated[float, Quantity("ohm", -1e12, 1e12)]
"""A transresistance in ohm, of either sign."""
Gain = Annotated[float, Quantity("1", -1e9, 1e9)]
"""A gain, of either sign."""
SignedCurrent = Annotated[float, Quantity("A", -1e3, 1e3, usual=(-10.0, 10.0))]
"""A current in A, of either sign."""
Delay = Annotated[float, Quantity("s", 1e-15, 1.0, usual=(1e-14, 1e-3))]
"""Delay of a line in s; never zero."""
Impedance = Annotated[float, Quantity("ohm", 1e-3, 1e6)]
"""Characteristic impedance of a line in ohm; never zero."""
CouplingFactor = Annotated[float, Quantity("1", -0.999999, 0.999999)]
"""Mutual inductance over the geometric mean of two inductances."""
SaturationCurrent = Annotated[float, Quantity("A", 1e-30, 1.0)]
"""Saturation current of a junction in A; never zero."""
Ideality = Annotated[float, Quantity("1", 0.5, 10.0)]
"""Ideality factor of a junction."""
JunctionTemperature = Annotated[float, Quantity("K", 50.0, 1e3)]
"""Temperature of a junction in K."""
Grading = Annotated[float, Quantity("1", 0.0, 1.0)]
"""Grading exponent of a junction: 1/2 abrupt, 1/3 linear."""
Potential = Annotated[float, Quantity("V", 0.1, 5.0)]
"""Built-in potential of a junction in V."""
TransitTime = Annotated[float, Quantity("s", 0.0, 1.0, usual=(1e-15, 1e-3))]
"""Transit time of the carriers of a junction in s."""

SUBSTRATE = 1e9
"""Resistance in ohm from an electrode or a laser's cathode to ground: its voltage at rest is defined."""
VOLT_PER_KELVIN = 1.380_649e-23 / 1.602_176_634e-19
"""k/q in V/K."""

Elements = tuple[Element, ...]


@network(pins=("e1", "e2"), source="nagel1975")
def resistor(*, resistance: Resistance = 50.0, temperature: Temperature = 300.0) -> Elements:
    """Resistor between e1 and e2, with the thermal noise 4 k T/R of its temperature.

    Left out: change of the resistance with temperature.

    Settings:
        resistance: resistance between e1 and e2.
        temperature: temperature that sets its thermal noise.
    """
    return (elements.resistance("r", "e1", "e2", resistance, temperature=temperature),)


@network(pins=("e1", "e2"), source="nagel1975")
def capacitor(*, capacitance: Capacitance = 1e-12) -> Elements:
    """Capacitor between e1 and e2: current = capacitance dv/dt. Left out: leakage.

    Settings:
        capacitance: capacitance between e1 and e2.
    """
    return (elements.capacitance("c", "e1", "e2", capacitance),)


@network(pins=("e1", "e2"), source="nagel1975")
def inductor(*, inductance: Inductance = 1e-9) -> Elements:
    """Inductor between e1 and e2: voltage = inductance di/dt. Left out: resistance.

    Settings:
        inductance: inductance between e1 and e2.
    """
    return (elements.inductance("l", "e1", "e2", inductance),)


@network(pins=("e1", "e2", "e3", "e4"), source="nagel1975")
def coupled_inductors(
    *, inductance1: Inductance = 1e-9, inductance2: Inductance = 1e-9, coupling: CouplingFactor = 0.5
) -> Elements:
    """Transformer: two coupled inductors, from e1 to e2 and from e3 to e4, with their dots at e1 and e3.

    Left out: resistance and capacitance of the windings, saturation of a core.

    Settings:
        inductance1: inductance from e1 to e2.
        inductance2: inductance from e3 to e4.
        coupling: mutual inductance over the geometric mean of the two.
    """
    return (
        elements.inductance("l1", "e1", "e2", inductance1),
        elements.inductance("l2", "e3", "e4", inductance2),
        elements.mutual("k", "l1", "l2", coupling),
    )


@network(pins=("e1", "e2"), source="nagel1975", drives={"e3": "voltage"})
def voltage_source(*, voltage: Voltage = 0.0) -> Elements:
    """Ideal voltage source: v(e1) - v(e2) = `voltage`, which a waveform may drive over time.

    A one-way signal that is wired to e3 drives it too. Left out: resistance, noise, a limit of the current.

    Settings:
        voltage: voltage of e1 against e2.
    """
    return (elements.voltage("v", "e1", "e2", voltage, setting="voltage"),)


@network(pins=("e1", "e2"), source="nagel1975", drives={"e3": "current"})
def current_source(*, current: SignedCurrent = 0.0) -> Elements:
    """Ideal current source: `current` flows inside it from e1 to e2; a waveform may drive it over time.

    A one-way signal that is wired to e3, such as that of a photodetector, drives it too. Left out:
    conductance, noise, a limit of the voltage.

    Settings:
        current: current that flows out of e2.
    """
    return (elements.current("i", "e1", "e2", current, setting="current"),)


@network(pins=("e1", "e2", "e3", "e4"), source="nagel1975")
def voltage_controlled_voltage_source(*, gain: Gain = 1.0) -> Elements:
    """Voltage-controlled voltage source: v(e1) - v(e2) = gain (v(e3) - v(e4)) (SPICE's E).

    The inputs e3 and e4 take no current. Left out: bandwidth, noise, limits.

    Settings:
        gain: output voltage over input voltage.
    """
    return (elements.voltage_gain("e", "e1", "e2", "e3", "e4", gain),)


@network(pins=("e1", "e2", "e3", "e4"), source="nagel1975")
def voltage_controlled_current_source(*, transconductance: Conductance = 1e-3) -> Elements:
    """Voltage-controlled current source: transconductance (v(e3) - v(e4)) flows from e1 to e2 (SPICE's G).

    The current flows inside the source, out of e2. The inputs e3 and e4 take no current. Left out: bandwidth,
    noise, limits.

    Settings:
        transconductance: output current over input voltage.
    """
    return (elements.transconductance("g", "e1", "e2", "e3", "e4", transconductance),)


@network(pins=("e1", "e2", "e3", "e4"), source="nagel1975")
def current_controlled_voltage_source(*, transresistance: SignedResistance = 1e3) -> Elements:
    """Current-controlled voltage source: v(e1) - v(e2) = transresistance i(e3 to e4) (SPICE's H).

    e3 and e4 are an ideal ammeter: one node. Left out: bandwidth, noise, limits.

    Settings:
        transresistance: output voltage over input current.
    """
    return (
        elements.voltage("in", "e3", "e4", 0.0),
        elements.transresistance("h", "e1", "e2", "in", transresistance),
    )


@network(pins=("e1", "e2", "e3", "e4"), source="nagel1975")
def current_controlled_current_source(*, gain: Gain = 1.0) -> Elements:
    """Current-controlled current source: gain i(e3 to e4) flows inside it from e1 to e2 (SPICE's F).

    e3 and e4 are an ideal ammeter: one node. Left out: bandwidth, noise, limits.

    Settings:
        gain: output current over input current.
    """
    return (elements.voltage("in", "e3", "e4", 0.0), elements.current_gain("f", "e1", "e2", "in", gain))


@network(pins=("e1", "e2", "e3", "e4"), source="branin1967")
def transmission_line(*, impedance: Impedance = 50.0, delay: Delay = 10e-12) -> Elements:
    """Lossless transmission line from the pair e1, e2 to the pair e3, e4, with an exact delay (branin1967).

    At rest both ports have one voltage and one current. Left out: loss, dispersion, the common mode: no
    current passes from e2 to e4, so that each end needs its own way to gnd.

    Settings:
        impedance: characteristic impedance.
        delay: time from one end to the other.
    """
    return (elements.line("t", "e1", "e2", "e3", "e4", impedance, delay),)


@network(pins=("e1", "e2"), source="nagel1975")
def diode(
    *,
    saturation_current: SaturationCurrent = 1e-14,
    ideality: Ideality = 1.0,
    temperature: JunctionTemperature = 300.0,
    series_resistance: Resistance = 1.0,
    capacitance: Capacitance = 0.0,
    potential: Potential = 0.8,
    grading: Grading = 0.5,
    transit_time: TransitTime = 0.0,
) -> Elements:
    """Junction diode, anode e1, cathode e2: i = saturation_current (exp(v/(n k T/q)) - 1), and a resistor.

    Its charge is transit_time times the current plus that of the depletion capacitance
    capacitance/(1 - v/potential)**grading, above half the potential along its tangent. Left out: breakdown,
    high injection, change of the saturation current with temperature.

    Settings:
        saturation_current: current at large reverse voltage.
        ideality: ideality factor n.
        temperature: temperature of the junction.
        series_resistance: resistance between e1 and the junction.
        capacitance: depletion capacitance at 0 V.
        potential: built-in potential of the depletion capacitance.
        grading: grading exponent of the depletion capacitance.
        transit_time: stored (diffusion) charge per current.
    """
    thermal = ideality * VOLT_PER_KELVIN * temperature
    return (
        elements.resistance("r", "e1", "inner", series_resistance, temperature=temperature),
        elements.junction(
            "d", "inner", "e2", saturation_current, thermal, capacitance, potential, grading, transit_time
        ),
    )


@network(pins=("e1", "e2"), source="nagel1975", reads={"e3": Reading("V", ("e1", "e2"))})
def voltage_probe() -> Elements:
    """Voltage probe: measures v(e1) - v(e2) without load and gives it at e3 as a one-way signal in V.

    It drives a modulator between two nets, or a source of another network. Left out: bandwidth, noise.
    """
    return ()


@network(pins=("e1", "e2"), source="nagel1975")
def bond_wire(
    *, inductance: Inductance = 0.5e-9, resistance: Resistance = 0.1, capacitance: Capacitance = 20e-15
) -> Elements:
    """Bond wire from e1 to e2: an inductance and a resistance in series, half of the capacitance at each end.

    About 1 nH for each mm of a 25 um wire far from its ground. Left out: coupling to neighbours, skin effect.

    Settings:
        inductance: inductance of the wire, about 1 nH per mm of its length.
        resistance: series resistance of the wire.
        capacitance: capacitance of both pads to gnd together, half at each end.
    """
    return (
        elements.capacitance("c1", "e1", "gnd", capacitance / 2),
        elements.resistance("r", "e1", "inner", resistance, temperature=300.0),
        elements.inductance("l", "inner", "e2", inductance),
        elements.capacitance("c2", "e2", "gnd", capacitance / 2),
    )

"""Ideal elements of electrical networks: what a component with electrical pins is made of.

A component returns a tuple of elements between its pins, inner nodes of its own (any other names) and GROUND.
Currents count from the first node through the element to the second, as SPICE has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from photosim.model.spice_deck import SpiceCall

GROUND = "gnd"
"""Name of the node whose voltage is 0; a netlist writes it as a member of a net."""
RANGE = "range"
"""Name of the limited element that holds the output of a controller within its range."""


@dataclass(frozen=True)
class Element:
    """One ideal element: its kind, its name inside the component, its nodes and numbers.

    branches: other elements of the component whose current it uses.  setting: the component's setting that a
    source follows over time.  ac: what a source adds in the small-signal response, as a factor of the drive.
    temperature: of a resistor, in K, for its thermal noise; 0 is noiseless.  tone: of a source, an amplitude,
    a frequency in Hz and a phase in rad of a sine on top of its value.  call: the subcircuit of a SPICE deck.
    """

    kind: str
    name: str
    nodes: tuple[str, ...]
    values: tuple[float, ...] = ()
    branches: tuple[str, ...] = ()
    setting: str = ""
    temperature: float = 0.0
    tone: tuple[float, float, float] | None = None
    call: SpiceCall | None = None


def resistance(name: str, a: str, b: str, ohm: float, *, temperature: float = 0.0) -> Element:
    """Return a resistor: v = ohm i, with the thermal noise of its temperature in K."""
    return Element("resistance", name, (a, b), (float(ohm),), temperature=float(temperature))


def capacitance(name: str, a: str, b: str, farad: float) -> Element:
    """Return a capacitor: i = farad dv/dt."""
    return Element("capacitance", name, (a, b), (float(farad),))


def inductance(name: str, a: str, b: str, henry: float) -> Element:
    """Return an inductor: v = henry di/dt."""
    return Element("inductance", name, (a, b), (float(henry),))


def mutual(name: str, first: str, second: str, coupling: float) -> Element:
    """Return the coupling of two inductors of the component: M = coupling sqrt(L1 L2)."""
    return Element("mutual", name, (), (float(coupling),), (first, second))


def voltage(
    name: str, a: str, b: str, volt: float, *, setting: str = "",
    tone: tuple[float, float, float] | None = None,
) -> Element:  # fmt: skip
    """Return a voltage source: v(a) - v(b) = volt, or the setting's value over time, and a tone on top.

    tone: amplitude in V, frequency in Hz, phase in rad of a sine that starts at time 0.
    """
    return Element("voltage", name, (a, b), (float(volt),), setting=setting, tone=tone)


def current(name: str, a: str, b: str, ampere: float, *, setting: str = "") -> Element:
    """Return a current source: ampere flows inside from a to b and leaves at b."""
    return Element("current", name, (a, b), (float(ampere),), setting=setting)


def voltage_gain(name: str, a: str, b: str, c: str, d: str, gain: float) -> Element:
    """Return a voltage source of gain times v(c) - v(d) (SPICE's E)."""
    return Element("voltage_gain", name, (a, b, c, d), (float(gain),))


def transconductance(name: str, a: str, b: str, c: str, d: str, siemens: float) -> Element:
    """Return a current source from a to b of siemens times v(c) - v(d) (SPICE's G)."""
    return Element("transconductance", name, (a, b, c, d), (float(siemens),))


def transresistance(name: str, a: str, b: str, branch: str, ohm: float) -> Element:
    """Return a voltage source of ohm times the current of a source or inductor (SPICE's H)."""
    return Element("transresistance", name, (a, b), (float(ohm),), (branch,))


def current_gain(name: str, a: str, b: str, branch: str, gain: float) -> Element:
    """Return a current source from a to b of gain times the current of a source or inductor (SPICE's F)."""
    return Element("current_gain", name, (a, b), (float(gain),), (branch,))


def line(name: str, a: str, b: str, c: str, d: str, impedance: float, delay: float) -> Element:
    """Return a lossless line from the port a, b to the port c, d, with impedance in ohm and delay in s."""
    return Element("line", name, (a, b, c, d), (float(impedance), float(delay)))


def junction(  # noqa: PLR0913 - the numbers of a junction
    name: str, a: str, b: str, saturation: float, thermal: float, capacitance: float = 0.0,
    potential: float = 0.8, grading: float = 0.5, transit: float = 0.0,
) -> Element:  # fmt: skip
    """Return a junction from anode a to cathode b: i = saturation (exp(v/thermal) - 1), and its charge.

    saturation in A, thermal n k T/q in V.  The charge is transit (in s) times the current plus that of a
    depletion capacitance in F at 0 V over (1 - v/potential)**grading; above half the potential the
    capacitance goes on along its tangent.
    """
    values = (saturation, thermal, capacitance, potential, grading, transit)
    return Element("junction", name, (a, b), tuple(float(v) for v in values))


def noise(name: str, a: str, b: str, density: float) -> Element:
    """Return a noise current between two nodes, density in A/sqrt(Hz), one-sided; nothing else."""
    return Element("noise", name, (a, b), (float(density),))


def product(
    name: str, a: str, b: str, first: tuple[str, str], second: tuple[str, str], gain: float
) -> Element:
    """Return a current from a to b inside of gain (A/V^2) times the product of two voltages between nodes."""
    return Element("product", name, (a, b, *first, *second), (float(gain),))


def limited(name: str, a: str, b: str, c: str, d: str, siemens: float, ampere: float) -> Element:
    """Return a current source from a to b of siemens times v(c) - v(d), at most ampere either way.

    It is straight up to 0.9 of that and then bends, tanh-like, so that its slope stays continuous.
    """
    return Element("limited", name, (a, b, c, d), (float(siemens), float(ampere)))


def heating(name: str, a: str, b: str, to: str, ohm: float) -> Element:
    """Return what brings the power (v(a) - v(b))**2/ohm of a resistor in W to a thermal node."""
    return Element("heating", name, (a, b, to), (float(ohm),))


def spice(name: str, pins: tuple[str, ...], call: SpiceCall) -> Element:
    """Return a subcircuit of a SPICE deck between nodes, which ngspice computes."""
    return Element("spice", name, pins, call=call)

"""Phase shifters as they are driven: by a converter, by the power of a heater, by a junction's voltage."""

from __future__ import annotations

import math
from typing import Annotated, Any

from photosim.components.guides import STRIP, STRIP_MODE, Guide, GuidedMode, guide_wave
from photosim.components.receivers import Bits
from photosim.expressions import mod, round, symbol  # noqa: A004 - it has this name in expressions
from photosim.model import (
    Bandwidth,
    Instance,
    Loss_dB,
    Netlist,
    OpticalPower,
    PathLength,
    Phase,
    Quantity,
    Value,
    Wavelength,
    Window,
    component,
    composite,
    part,
    ref,
)

SwitchingPower = Annotated[float, Quantity("W", 1e-4, 10.0)]
"""Electric power in W for a phase of pi; never zero."""
ReverseVoltage = Annotated[float, Quantity("V", 0.0, 5.0)]
"""Reverse voltage of a junction in V."""
BuiltInVoltage = Annotated[float, Quantity("V", 0.3, 1.0)]
"""Built-in voltage of a junction in V."""
Density = Annotated[float, Quantity("1/cm3", 2e17, 1e19)]
"""Density of dopants per cm**3, in which junctions are quoted."""
CoreWidth = Annotated[float, Quantity("um", 0.4, 2.0)]
"""Width of a core in um, wide enough that 5 V do not deplete a whole side."""
TURN = 2.0 * math.pi
"""Range of phases that a driver holds, in rad."""

# 2 eps/q of silicon (relative permittivity 11.7) in 1/(V cm).
_TWO_EPS_OVER_Q = 2 * 11.7 * 8.854_187_8e-14 / 1.602_176_634e-19
_DB_PER_NEPER_OF_POWER = 4.342_944_819
_LAYOUT = ("cross_section", "npoints", "layer", "add_pins", "with_bbox")


def held_phase(phase: Any, bits: int | None) -> Any:
    """Phase in rad, within a turn, that a driver holds for a requested one: the same, or the nearest step.

    Works on numbers, arrays and traced expressions. Steps are 2**bits equal ones of a turn, the last of them
    one below it. Their slope counts as 1, that of the requested phase (straight through, bengio2013).
    """
    if bits is None:
        return mod(phase, TURN)
    step = TURN / 2**bits
    return step * mod(round(phase / step), float(2**bits))


def driven(phase: Any, heat: Any, bits: Any, **shifter: Value) -> Instance:
    """Part that adds a phase: a `driven_shifter` where there are bits or heat, else a `phase_shifter`."""
    if bits is None and heat is None:
        return part("phase_shifter", phase=phase, **shifter)
    return part("driven_shifter", phase=phase, heat=heat, bits=bits, **shifter)


@composite(ports=("o1", "o2"), inputs=1, source="bengio2013")
def driven_shifter(
    *,
    phase: Phase = 0.0,
    heat: Phase = 0.0,
    bits: Bits | None = None,
    wl0: Wavelength = 1.55,
    loss_dB: Loss_dB = 0.0,
) -> Netlist:
    """Phase shifter with a driver of limited resolution: `shifter` gets the driver's phase and stray heat.

    The driver holds the requested phase as `held`, between 0 and a turn of 2 pi at wl0, as heaters can, and
    a converter the nearest of 2**bits equal steps of that range. Gradients pass the steps as if they were not
    there (straight through, bengio2013): small changes of `phase` do not change the light. `held` and `heat`
    are settings too, which other parts may follow and a call may set. Left out: response time, power,
    errors of the steps.

    Settings:
        phase: phase at wl0 requested of the driver.
        heat: phase at wl0 that the heat of neighbours adds.
        bits: number of bits of the converter; any phase from 0 to 2 pi by default.
        wl0: wavelength at which the phases are given.
        loss_dB: insertion loss.
    """
    return Netlist(
        instances={"shifter": part("phase_shifter", phase=symbol("held") + heat, loss_dB=loss_dB, wl0=wl0)},
        settings={"held": held_phase(phase, bits)},
        ports={"o1": ref("shifter,o1"), "o2": ref("shifter,o2")},
        name="driven_shifter",
    )


@component(
    ports=("o1", "o2"), inputs=1, source="harris2014", lossless_when={"loss_dB": 0.0},
    drives={"e1": "power"}, layout=(*_LAYOUT, "width"),
)  # fmt: skip
def thermo_optic_shifter(
    m: Any,
    wl: Any,
    *,
    power: OpticalPower = 0.0,
    power_pi: SwitchingPower = 24.8e-3,
    length: PathLength = 61.6,
    mode: GuidedMode = STRIP_MODE,
    loss_dB: Loss_dB = 0.23,
    bandwidth: Bandwidth = 130e3,
) -> Any:
    """Waveguide with a heater driven by electric power, which adds the phase pi power/power_pi at wl0.

    The index that the heater adds does not depend on wavelength, so the phase goes as wl0/wl. The defaults of
    power_pi, length, loss and bandwidth are those of Harris et al. 2014; the time constant is
    1/(2 pi bandwidth). Left out: heat that reaches neighbours (`photosim.analysis.heaters` has it), change of
    resistance with temperature.

    Settings:
        power: electric power of the heater.
        power_pi: electric power that adds a phase of pi at wl0.
        length: length of the waveguide.
        neff: effective index at wl0, 300 K and cold heater.
        wl0: wavelength at which neff, ng and power_pi are given.
        loss_dB: insertion loss.
        bandwidth: half-power frequency of the heater, which the time domain uses.
    """
    del bandwidth
    heater = m.pi * power / power_pi * mode.wl0 / wl
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * guide_wave(m, wl, length, mode.index(wl), 0, heater)}


@component(
    ports=("o1", "o2"), inputs=1, source="nedeljkovic2011", drives={"e1": "voltage"}, layout=_LAYOUT,
    windows=(Window("wl", 1.5, 1.6, "the carriers' effect on index and loss at 1.55 um"),),
)  # fmt: skip
def pn_phase_shifter(
    m: Any,
    wl: Any,
    *,
    voltage: ReverseVoltage = 0.0,
    length: PathLength = 100.0,
    width: CoreWidth = 0.5,
    acceptors: Density = 5e17,
    donors: Density = 5e17,
    built_in_voltage: BuiltInVoltage = 0.9,
    guide: Guide = STRIP,
    bandwidth: Bandwidth = 30e9,
) -> Any:
    """Phase shifter with a PN junction in the waveguide: the reverse voltage changes its index and its loss.

    The junction is depleted over sqrt(2 eps (built_in_voltage + voltage) (1/acceptors + 1/donors)/q), shared
    in inverse proportion to the doping; the rest of the core holds as many carriers as dopants. With
    densities N per cm**3 at 1550 nm (Nedeljkovic et al. 2011, after Soref and Bennett) electrons change the
    index by -5.40e-22 N**1.011 and absorb 8.88e-21 N**1.167 per cm, holes -1.53e-18 N**0.838 and
    5.84e-20 N**1.109;
    each counts as far as it fills the core, as if light were spread evenly over its width. Left out: the
    shape of the mode, forward bias, breakdown, doping profiles, dependence of the carriers'
    effect on wavelength.

    Settings:
        voltage: reverse voltage.
        length: length of the junction.
        width: width of the core, with half of it on either side of the junction.
        acceptors: density of acceptors, which is that of the holes outside the depletion region.
        donors: density of donors, which is that of the electrons outside the depletion region.
        built_in_voltage: built-in voltage of the junction.
        neff: effective index at wl0 and 300 K without carriers.
        loss_dB_cm: propagation loss without carriers.
        bandwidth: half-power frequency of the junction and its drive, which the time domain uses.
    """
    del bandwidth
    depleted_um = 1e4 * m.sqrt(_TWO_EPS_OVER_Q * (built_in_voltage + voltage) * (1 / acceptors + 1 / donors))
    electrons = 0.5 - depleted_um * acceptors / (acceptors + donors) / width
    holes = 0.5 - depleted_um * donors / (acceptors + donors) / width
    change = -5.40e-22 * donors**1.011 * electrons - 1.53e-18 * acceptors**0.838 * holes
    absorbed = 8.88e-21 * donors**1.167 * electrons + 5.84e-20 * acceptors**1.109 * holes
    index = guide.index(wl) + change
    loss = guide.loss_dB_cm + _DB_PER_NEPER_OF_POWER * absorbed
    return {("o1", "o2"): guide_wave(m, wl, length, index, loss)}

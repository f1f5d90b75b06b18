"""Modulators driven by a voltage or a current: the static response; the time domain adds their bandwidth."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.guides import HEATED_STRIP, HeatedGuide, guide_wave
from photosim.model import (
    Bandwidth,
    Current,
    Loss_dB,
    Phase,
    Power,
    Quantity,
    Ratio_dB,
    RingRadius,
    Voltage,
    Wavelength,
    Window,
    component,
)

SwitchingVoltage = Annotated[float, Quantity("V", 1e-3, 1e4)]
"""Voltage for a given effect in V; never zero."""
Chirp = Annotated[float, Quantity("1", -1.0, 1.0)]
"""Phase of the arms together over the phase between them."""
Henry = Annotated[float, Quantity("1", -20.0, 20.0)]
"""Change of phase over half the relative change of power."""
ReverseVoltage = Annotated[float, Quantity("V", 0.0, 20.0)]
"""Reverse voltage of a junction in V."""
IndexPerVolt = Annotated[float, Quantity("1/V", -1e-2, 1e-2)]
"""Change of an effective index per volt."""
LossPerCurrent_dB_A = Annotated[float, Quantity("dB/A", 0.0, 1e6)]
"""Loss in dB per ampere."""

_DOPED = HEATED_STRIP.changed(ng=4.2, loss_dB_cm=10.7)
_VOLTAGE = {"e1": "voltage"}


@component(ports=("o1", "o2"), inputs=1, source="saleh2019", drives=_VOLTAGE)
def mach_zehnder_modulator(
    m: Any,
    wl: Any,
    *,
    voltage: Voltage = 0.0,
    bias: Voltage = 0.0,
    v_pi: SwitchingVoltage = 4.0,
    extinction_dB: Ratio_dB = 25.0,
    chirp: Chirp = 0.0,
    wl0: Wavelength = 1.55,
    loss_dB: Loss_dB = 4.0,
    bandwidth: Bandwidth = 30e9,
) -> Any:
    """Mach-Zehnder modulator with equal arms: transmits cos(pi (voltage + bias)/(2 v_pi))**2 of its maximum.

    The arms differ in phase by pi (voltage + bias)/v_pi at wl0 and by that times wl0/wl elsewhere. One of
    them is weaker, so that the least light is extinction_dB below the most. With chirp 0 the arms turn
    against each other (push-pull); with 1 or -1 one arm turns alone. Left out: dependence of splitters on
    wavelength, the loss that comes with the phase of a junction, the length of the arms, walk-off of light
    and drive.

    Settings:
        voltage: voltage of the drive.
        bias: constant voltage added to the drive; v_pi/2 is quadrature.
        v_pi: voltage between maximum and minimum transmission at wl0.
        extinction_dB: ratio of maximum to minimum transmission.
        chirp: phase common to both arms over the phase between them; 0 is push-pull.
        wl0: wavelength at which v_pi is given.
        loss_dB: insertion loss at maximum transmission.
        bandwidth: half-power frequency of the drive, which the time domain uses.
    """
    del bandwidth
    weak = m.amplitude_dB(extinction_dB)
    angle = m.pi * (voltage + bias) / v_pi * wl0 / wl
    arms = (1 + weak) * m.cis(angle * (1 + chirp) / 2) + (1 - weak) * m.cis(-angle * (1 - chirp) / 2)
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * arms / 2}


@component(ports=("o1", "o2"), inputs=1, source="saleh2019", drives=_VOLTAGE)
def phase_modulator(
    m: Any,
    wl: Any,
    *,
    voltage: Voltage = 0.0,
    v_pi: SwitchingVoltage = 4.0,
    wl0: Wavelength = 1.55,
    loss_dB: Loss_dB = 3.0,
    bandwidth: Bandwidth = 30e9,
) -> Any:
    """Electro-optic phase modulator: adds the phase pi voltage/v_pi wl0/wl.

    A sine of amplitude V makes sidebands of Bessel functions of pi V/v_pi. Left out: the length of the guide,
    change of the loss with the voltage, walk-off of light and drive.

    Settings:
        voltage: voltage of the drive.
        v_pi: voltage that adds a phase of pi at wl0.
        wl0: wavelength at which v_pi is given.
        loss_dB: insertion loss.
        bandwidth: half-power frequency of the drive, which the time domain uses.
    """
    del bandwidth
    return {("o1", "o2"): m.amplitude_dB(loss_dB) * m.cis(m.pi * voltage / v_pi * wl0 / wl)}


@component(ports=("o1", "o2"), inputs=1, source="bogaerts2012", drives=_VOLTAGE, aliases={"through": "o2"})
def ring_modulator(
    m: Any,
    wl: Any,
    *,
    voltage: ReverseVoltage = 0.0,
    dneff_dV: IndexPerVolt = 3.6e-5,
    radius: RingRadius = 8.0,
    coupling: Power = 0.0331,
    phase: Phase = 0.0,
    guide: HeatedGuide = _DOPED,
    bandwidth: Bandwidth = 30e9,
) -> Any:
    """Ring modulator: an all-pass ring with a depletion junction, whose voltage shifts the resonances.

    The transmission is (r - x)/(1 - r x), with x the factor of a round trip. The junction adds dneff_dV per
    volt of reverse voltage to the index all around, so the resonance moves by wl dneff_dV/ng per volt. The
    defaults are of the order of a doped ring of 8 um: 10.7 dB/cm, kappa L 0.183, 3.6e-5 per volt. Left out:
    the loss that falls with the voltage, forward bias, the square root of a real junction (`pn_phase_shifter`
    has both), self-heating. The photon lifetime is in the response over wavelength.

    Settings:
        voltage: reverse voltage.
        dneff_dV: change of the effective index per volt.
        radius: radius of the ring.
        coupling: fraction of the power that crosses the coupler.
        phase: phase that a heater adds to the round trip at wl0.
        neff: effective index at wl0, 300 K, cold heater and no voltage.
        bandwidth: half-power frequency of the junction and its drive, which the time domain uses.
    """
    del bandwidth
    index = guide.index(wl) + dneff_dV * voltage
    turn = guide_wave(m, wl, 2 * m.pi * radius, index, guide.loss_dB_cm, heater=phase * guide.wl0 / wl)
    r = m.sqrt(1 - coupling)
    return {("o1", "o2"): (r - turn) / (1 - r * turn)}


@component(ports=("o1", "o2"), inputs=1, source="miller1984", drives=_VOLTAGE)
def electro_absorption_modulator(
    m: Any,
    wl: Any,
    *,
    voltage: ReverseVoltage = 0.0,
    v_on: SwitchingVoltage = 3.0,
    extinction_dB: Ratio_dB = 10.0,
    chirp: Henry = 1.0,
    loss_dB: Loss_dB = 4.0,
    bandwidth: Bandwidth = 40e9,
) -> Any:
    """Electro-absorption modulator: the absorption in dB grows with the square of the reverse voltage.

    That is the quantum-confined Stark shift of an absorption edge to lowest order: extinction_dB at v_on. The
    phase follows the absorption, -chirp/2 times the logarithm of the power (waves go as exp(-i omega t)):
    with a positive one light shifts to the blue as it rises, as in `rate_equation_laser` and `dynamic_soa`.
    Left out: dependence on wavelength, saturation of the absorption, photocurrent, the fall of the curve at
    high voltage.

    Settings:
        voltage: reverse voltage.
        v_on: voltage at which extinction_dB is given.
        extinction_dB: additional loss at v_on.
        chirp: change of phase over half the relative change of power (Henry's factor).
        loss_dB: insertion loss without voltage.
        bandwidth: half-power frequency of the drive, which the time domain uses.
    """
    del wl, bandwidth
    absorbed = extinction_dB * (voltage / v_on) * (voltage / v_on)
    nepers = absorbed * m.log(10) / 10  # of power
    return {("o1", "o2"): m.amplitude_dB(loss_dB + absorbed) * m.cis(chirp / 2 * nepers)}


@component(
    ports=("o1", "o2"), inputs=1, source="soref1987", drives={"e1": "current"},
    windows=(Window("wl", 1.5, 1.6, "the carriers' absorption at 1.55 um"),),
)  # fmt: skip
def variable_attenuator(
    m: Any,
    wl: Any,
    *,
    current: Current = 0.0,
    slope_dB_A: LossPerCurrent_dB_A = 300.0,
    loss_dB: Loss_dB = 0.5,
    bandwidth: Bandwidth = 1e6,
) -> Any:
    """Variable attenuator, a p-i-n diode across a waveguide: the loss in dB is proportional to the current.

    Left out: the phase that the carriers add, recombination that is not linear in their density, dependence
    on wavelength, heat.

    Settings:
        current: forward current of the diode.
        slope_dB_A: additional loss per current.
        loss_dB: insertion loss without current.
        bandwidth: half-power frequency of the carriers, which the time domain uses.
    """
    del wl, bandwidth
    return {("o1", "o2"): m.amplitude_dB(loss_dB + slope_dB_A * current)}

"""Parts of control loops: integrators, PID controllers, mixers, lock-ins, dithers, phase detectors."""

from __future__ import annotations

from math import inf, pi
from typing import Annotated

from photosim.components.electrical import Elements, Gain
from photosim.errors import ParameterError
from photosim.model import Element, Quantity, Voltage, elements, network

UnityFrequency = Annotated[float, Quantity("Hz", -1e12, 1e12)]
"""Frequency at which a gain is 1, in Hz; a negative one turns the sign."""
CornerFrequency = Annotated[float, Quantity("Hz", 1e-6, 1e12)]
"""Half-power frequency in Hz; never zero."""
DerivativeTime = Annotated[float, Quantity("s", -1e3, 1e3)]
"""Derivative gain in s."""
RestGain = Annotated[float, Quantity("1", 1.0, 1e12)]
"""Gain of an integrator at rest, as an operational amplifier has it."""
MixerGain = Annotated[float, Quantity("1/V", -1e9, 1e9)]
"""Output voltage over the product of two input voltages."""
Amplitude = Annotated[float, Quantity("V", -1e4, 1e4)]
"""Amplitude of a sine in V."""
ToneFrequency = Annotated[float, Quantity("Hz", 0.0, 1e12)]
"""Frequency of a sine in Hz."""
Turn = Annotated[float, Quantity("rad", -inf, inf)]
"""Phase of a sine in rad."""
Threshold = Annotated[float, Quantity("V", 1e-9, 1e4)]
"""Voltage at which a limiter limits; never zero."""
Order = Annotated[int, Quantity("1", 1, 8, whole=True)]
"""Number of equal poles."""


def _buffered(node: str, out: str, low: float, high: float) -> Elements:
    """Return the elements of an ideal output at `out` that repeats v(node) within its range."""
    middle, half = (low + high) / 2, max((high - low) / 2, 1e-12)
    centre = "centre" if middle else "gnd"
    shifted = (elements.voltage("middle", "centre", "gnd", middle),) if middle else ()
    return (
        *shifted,
        elements.limited(elements.RANGE, "gnd", "held", node, centre, 1.0, half),
        elements.resistance("held_r", "held", "gnd", 1.0),
        elements.voltage_gain("out", out, centre, "held", "gnd", 1.0),
    )


def _pole(number: int, start: str, end: str, bandwidth: float) -> Elements:
    """Return a first-order low-pass of gain 1 from v(start) to v(end), unloaded."""
    return (
        elements.transconductance(f"pole_g{number}", "gnd", end, start, "gnd", 1.0),
        elements.resistance(f"pole_r{number}", end, "gnd", 1.0),
        elements.capacitance(f"pole_c{number}", end, "gnd", 1.0 / (2.0 * pi * bandwidth)),
    )


def _poles(start: str, end: str, bandwidth: float, order: int) -> Elements:
    """Return equal poles one after the other, whose half-power frequency together is `bandwidth`."""
    each = bandwidth / (2.0 ** (1.0 / order) - 1.0) ** 0.5
    names = [start, *(f"pole{k}" for k in range(1, order)), end]
    return tuple(one for k in range(order) for one in _pole(k, names[k], names[k + 1], each))


@network(pins=("e1", "e2", "e3"), source="astrom2006")
def integrator(
    *,
    unity_frequency: UnityFrequency = 10e3,
    rest_gain: RestGain = 1e6,
    output_low: Voltage = -10.0,
    output_high: Voltage = 10.0,
) -> Elements:
    """Integrator of a control loop: v(e3) is the integral over time of 2 pi unity_frequency (v(e1) - v(e2)).

    Its gain falls as 1/f and is 1 at unity_frequency; at rest it is rest_gain, as that of an operational
    amplifier, so that there is a state at rest. The inputs take no current, the output is ideal. Within 90 %
    of its range the output is exactly linear; beyond, it bends to the end of the range, and the integral
    stops there, since what it would be beyond the output pulls it back (astrom2006, section 3.5). Left out:
    offset, noise, slew rate, poles of the amplifier.

    Settings:
        unity_frequency: frequency at which the gain is 1; a negative value inverts the output.
        rest_gain: gain for constant voltages.
        output_low: lowest output voltage.
        output_high: highest output voltage.
    """
    return pid_elements(0.0, unity_frequency, 0.0, 1.0, rest_gain, 0.0, output_low, output_high)


@network(pins=("e1", "e2", "e3"), source="astrom2006")
def pid_controller(
    *,
    proportional: Gain = 1.0,
    integral_frequency: UnityFrequency = 1e3,
    derivative_time: DerivativeTime = 0.0,
    derivative_bandwidth: CornerFrequency = 1e6,
    rest_gain: RestGain = 1e6,
    offset: Voltage = 0.0,
    output_low: Voltage = -10.0,
    output_high: Voltage = 10.0,
) -> Elements:
    """PID controller: v(e3) = offset + P e + I(e) + D(e) with the error e = v(e1) - v(e2).

    With s = 2 pi i f the gain is proportional + 2 pi integral_frequency/s + derivative_time s/(1 + s/(2 pi
    derivative_bandwidth)); at rest the integral has the gain rest_gain (astrom2006, chapter 3). e1 is the set
    point and e2 what is measured, or the other way round for the other sign. The inputs take no current, the
    output is ideal. Within 90 % of its range the output is exactly linear; beyond, it bends to the end of the
    range, and what it would be beyond pulls the integral back, so that it does not wind up. Left out: noise,
    slew rate, poles of the amplifiers.

    Settings:
        proportional: gain P of the error.
        integral_frequency: frequency at which the gain of the integral term is 1.
        derivative_time: gain of the derivative term, in output per rate of change of the error.
        derivative_bandwidth: half-power frequency of the low-pass of the derivative term.
        rest_gain: gain of the integral term for constant voltages.
        offset: output voltage when the error is zero.
        output_low: lowest output voltage.
        output_high: highest output voltage.
    """
    return pid_elements(
        proportional, integral_frequency, derivative_time, derivative_bandwidth, rest_gain, offset,
        output_low, output_high,
    )  # fmt: skip


def pid_elements(
    proportional: float, integral: float, derivative: float, bandwidth: float, rest_gain: float,
    offset: float, low: float, high: float,
) -> Elements:  # fmt: skip
    """Return the elements of a controller between e1, e2 and e3."""
    if not low < high:
        message = f"setting 'output_low' is {low:g} V, but must be below 'output_high', {high:g} V."
        raise ParameterError(message)
    found: tuple[Element, ...] = (
        elements.resistance("total_r", "total", "gnd", 1.0),
        elements.transconductance("p", "gnd", "total", "e1", "e2", proportional),
        elements.current("shift", "gnd", "total", offset, setting="offset"),
        *_buffered("total", "e3", low, high),
    )
    if integral:
        omega = 2.0 * pi * abs(integral)
        found += (
            elements.transconductance("i", "gnd", "sum", "e1", "e2", 2.0 * pi * integral),
            elements.capacitance("memory", "sum", "gnd", 1.0),
            elements.resistance("leak", "sum", "gnd", rest_gain / omega),
            elements.transconductance("use", "gnd", "total", "sum", "gnd", 1.0),
            # What the total is beyond the output pulls the integral back, ten times as fast as it integrates.
            elements.transconductance("unwind", "sum", "gnd", "total", "e3", 10.0 * omega),
        )
    if derivative:
        # The slope of a first-order low-pass is (input - output) times its rate.
        found += (
            elements.transconductance("slow_g", "gnd", "slow", "e1", "e2", 1.0),
            elements.resistance("slow_r", "slow", "gnd", 1.0),
            elements.capacitance("slow_c", "slow", "gnd", 1.0 / (2.0 * pi * bandwidth)),
            elements.transconductance("d", "gnd", "total", "e1", "e2", 2.0 * pi * bandwidth * derivative),
            elements.transconductance(
                "d_slow", "total", "gnd", "slow", "gnd", 2.0 * pi * bandwidth * derivative
            ),
        )
    return found


@network(pins=("e1", "e2"), source="astrom2006")
def dither_source(
    *, amplitude: Amplitude = 0.1, frequency: ToneFrequency = 1e5, phase: Turn = 0.0, offset: Voltage = 0.0
) -> Elements:
    """Sine oscillator: v(e1) - v(e2) = offset + amplitude sin(2 pi frequency t + phase) from time 0 on.

    In series with another voltage it adds a dither; it can also be the reference of a lock-in amplifier. At
    rest it gives `offset`.
    Left out: output resistance, noise of amplitude and phase.

    Settings:
        amplitude: amplitude of the sine.
        frequency: frequency of the sine.
        phase: phase of the sine at time 0.
        offset: constant voltage that is added to the sine.
    """
    return (
        elements.voltage(
            "v", "e1", "e2", offset, setting="offset",
            tone=(float(amplitude), float(frequency), float(phase)),
        ),
    )  # fmt: skip


@network(pins=("e1", "e2", "e3"), source="horowitz2015")
def mixer(*, gain: MixerGain = 1.0) -> Elements:
    """Mixer: multiplies two voltages of either sign, v(e3) = gain v(e1) v(e2).

    The inputs take no current, the output is ideal. Left out: bandwidth, feedthrough, limits, noise.

    Settings:
        gain: output voltage over the product of the input voltages.
    """
    return (
        elements.product("times", "gnd", "made", ("e1", "gnd"), ("e2", "gnd"), gain),
        elements.resistance("made_r", "made", "gnd", 1.0),
        elements.voltage_gain("out", "e3", "gnd", "made", "gnd", 1.0),
    )


@network(pins=("e1", "e2", "e3"), source="horowitz2015")
def lock_in(
    *,
    gain: MixerGain = 1.0,
    high_pass: CornerFrequency = 1e3,
    bandwidth: CornerFrequency = 1e4,
    order: Order = 2,
) -> Elements:
    """Lock-in amplifier: the amplitude of the signal at e1 in phase with the reference at e2, as v(e3).

    The signal passes a high-pass, is multiplied by the reference, and the product passes a low-pass. For a
    signal a sin(w t + p) far above high_pass and a reference b sin(w t) the output is gain a b cos(p)/2, plus
    the residue at 2 w that the low-pass transmits. The inputs take no current, the output is ideal. Left out:
    noise, limits, harmonics of a square reference.

    Settings:
        gain: voltage over the product of signal and reference, before the low-pass.
        high_pass: half-power frequency of the first-order high-pass of the signal.
        bandwidth: half-power frequency of the low-pass of the product.
        order: number of equal poles of that low-pass.
    """
    return (
        *_pole(90, "e1", "slow", high_pass),
        elements.product("times", "gnd", "made", ("e1", "slow"), ("e2", "gnd"), gain),
        elements.resistance("made_r", "made", "gnd", 1.0),
        *_poles("made", "mean", bandwidth, order),
        elements.voltage_gain("out", "e3", "gnd", "mean", "gnd", 1.0),
    )


@network(pins=("e1", "e2", "e3"), source="gardner2005")
def phase_detector(
    *,
    gain: MixerGain = 1.0,
    threshold: Threshold = 1e-3,
    bandwidth: CornerFrequency = 1e6,
    order: Order = 2,
) -> Elements:
    """Phase detector (exclusive-or gate): v(e3) falls linearly with the phase between v(e1) and v(e2).

    Both inputs are limited at `threshold` and multiplied, and a low-pass takes the mean. For signals far
    above it the output goes from -gain to gain as the phase between them goes from pi to 0: gain (1 - 2
    |p|/pi) V; it is 0 in quadrature with the slope -2 gain/pi per rad whatever the amplitudes (gardner2005,
    chapter 10). Inputs are unloaded, the output is ideal. Left out: dead time, noise, offset.

    Settings:
        gain: output voltage when both inputs are in phase.
        threshold: voltage at which the inputs are limited.
        bandwidth: half-power frequency of the low-pass that takes the mean.
        order: number of equal poles of that low-pass.
    """
    sides: tuple[Element, ...] = ()
    for pin in ("e1", "e2"):
        sides += (
            elements.limited(f"sign_{pin}", "gnd", f"signed_{pin}", pin, "gnd", 1.0 / threshold, 1.0),
            elements.resistance(f"sign_{pin}_r", f"signed_{pin}", "gnd", 1.0),
        )
    return (
        *sides,
        elements.product("times", "gnd", "made", ("signed_e1", "gnd"), ("signed_e2", "gnd"), gain),
        elements.resistance("made_r", "made", "gnd", 1.0),
        *_poles("made", "mean", bandwidth, order),
        elements.voltage_gain("out", "e3", "gnd", "mean", "gnd", 1.0),
    )


@network(pins=("e1", "e2"), source="horowitz2015")
def low_pass_filter(*, gain: Gain = 1.0, bandwidth: CornerFrequency = 1e6, order: Order = 1) -> Elements:
    """Low-pass filter from e1 to e2 with one or more equal poles, and half power at `bandwidth`.

    The input takes no current, the output is ideal. Left out: noise, limits.

    Settings:
        gain: output over input for constant voltages.
        bandwidth: half-power frequency of all poles together.
        order: number of poles.
    """
    return (
        *_poles("e1", "mean", bandwidth, order),
        elements.voltage_gain("out", "e2", "gnd", "mean", "gnd", gain),
    )


@network(pins=("e1", "e2"), source="horowitz2015")
def high_pass_filter(*, gain: Gain = 1.0, bandwidth: CornerFrequency = 1e3) -> Elements:
    """First-order high-pass filter from e1 to e2, with half power at `bandwidth`.

    The input takes no current, the output is ideal. Left out: noise, limits.

    Settings:
        gain: output over input at frequencies far above `bandwidth`.
        bandwidth: half-power frequency.
    """
    return (
        *_pole(0, "e1", "slow", bandwidth),
        elements.voltage_gain("out", "e2", "gnd", "e1", "slow", gain),
    )

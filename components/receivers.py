"""What stands round a photodetector: the 90-degree hybrid before it, amplifier and converters behind it."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.detectors import Mismatch
from photosim.model import (
    Bandwidth,
    Current,
    DarkCurrent,
    Duration,
    Loss_dB,
    Netlist,
    OpticalPower,
    Phase,
    Quantity,
    Resistance,
    Responsivity,
    SaturationPower,
    Stage,
    Temperature,
    Voltage,
    component,
    composite,
    electronic,
    links,
    part,
    ref,
)

NoiseCurrent = Annotated[float, Quantity("A/sqrt(Hz)", 0.0, 1e-6)]
"""Noise current density in A/sqrt(Hz), one-sided."""
Span = Annotated[float, Quantity("V", 1e-9, 1e6)]
"""Width of a range of voltages in V; never zero."""
CurrentSpan = Annotated[float, Quantity("A", 1e-12, 1e3)]
"""Width of a range of currents in A; never zero."""
PowerSpan = Annotated[float, Quantity("W", 1e-12, 1e3)]
"""Width of a range of electric powers in W; never zero."""
StageBandwidth = Annotated[float, Quantity("Hz", 1e-3, 1e18)]
"""Half-power frequency of an electronic part in Hz; never zero."""
Bits = Annotated[int, Quantity("bit", 1, 32, whole=True)]
"""Number of bits of a converter."""

_IN_PHASE = ("out0", "out1")
_QUADRATURE = ("out2", "out3")


@component(
    ports=("o1", "o2", "o3", "o4", "o5", "o6"), inputs=2, source="kikuchi2016",
    aliases={"signal": "o1", "oscillator": "o2"},
)  # fmt: skip
def hybrid_90(m: Any, wl: Any, *, phase_error: Phase = 0.0, loss_dB: Loss_dB = 0.5) -> Any:
    """90-degree hybrid: adds signal and local oscillator with the phases 0, 180, 90 and 270 degrees.

    out0 and out1 get (signal +- oscillator)/2, out2 and out3 (signal +- i exp(i phase_error) oscillator)/2:
    on two balanced pairs the one gives the real and the other the imaginary part of signal times conjugate
    oscillator, the imaginary one with its sign, turned by the error. An ideal part, which holds at all
    wavelengths and temperatures: nothing of it is fitted. Left out: dependence on wavelength,
    imbalance, reflections.

    Settings:
        phase_error: phase of the quadrature outputs minus 90 degrees.
        loss_dB: insertion loss beside the split into four.
    """
    del wl
    amplitude = m.amplitude_dB(loss_dB) / 2
    turned = m.i * m.cis(phase_error) * amplitude
    return {
        **{("o1", port): amplitude for port in ("o3", "o4", "o5", "o6")},
        ("o2", "o6"): amplitude,
        ("o2", "o5"): -amplitude,
        ("o2", "o4"): turned,
        ("o2", "o3"): -turned,
    }


@composite(
    ports=("o1", "o2"), inputs=2, electrical=("e1", "e2"), source="kikuchi2016",
    aliases={"signal": "o1", "oscillator": "o2"},
)  # fmt: skip
def coherent_receiver(
    *,
    phase_error: Phase = 0.0,
    loss_dB: Loss_dB = 0.5,
    responsivity: Responsivity = 1.0,
    mismatch: Mismatch = 0.0,
    dark_current: DarkCurrent = 1e-10,
    bandwidth: Bandwidth = 20e9,
    saturation_power: SaturationPower = 20e-3,
    load_resistance: Resistance = 50.0,
    temperature: Temperature = 300.0,
) -> Netlist:
    """Coherent receiver: a 90-degree `hybrid` and balanced detectors, `in_phase` (e1), `quadrature` (e2).

    The currents are responsivity times the real and the imaginary part of signal times conjugate oscillator,
    apart from the loss. Left out: skew between the two, polarisation, what its parts leave out.

    Settings:
        phase_error: phase of the quadrature outputs minus 90 degrees.
        loss_dB: insertion loss of the hybrid beside the split into four.
        responsivity: photocurrent per optical power of the diodes.
        mismatch: relative difference of the responsivities of each pair.
        dark_current: current of each diode without light.
        bandwidth: half-power frequency of each pair, a Bessel low-pass of order 4.
        saturation_power: power above which the current of a diode stays constant.
        load_resistance: load resistor of each pair.
        temperature: temperature of the load resistors; the hybrid has none.
    """
    pair = part(
        "balanced_photodetector", responsivity=responsivity, mismatch=mismatch, dark_current=dark_current,
        bandwidth=bandwidth, saturation_power=saturation_power, load_resistance=load_resistance,
        temperature=temperature,
    )  # fmt: skip
    return Netlist(
        instances={
            "hybrid": part("hybrid_90", phase_error=phase_error, loss_dB=loss_dB),
            "in_phase": pair,
            "quadrature": pair,
        },
        connections=links(
            *(f"hybrid,{out}:in_phase,o{k + 1}" for k, out in enumerate(_IN_PHASE)),
            *(f"hybrid,{out}:quadrature,o{k + 1}" for k, out in enumerate(_QUADRATURE)),
        ),
        ports={"o1": ref("hybrid,o1"), "o2": ref("hybrid,o2"), "e1": ref("in_phase,e1"),
               "e2": ref("quadrature,e1")},
        name="coherent_receiver",
    )  # fmt: skip


@electronic(inputs=("e1",), outputs=("e2",), source="sackinger2005", units={"e1": "A", "e2": "V"})
def transimpedance_amplifier(
    *,
    gain: Resistance = 1000.0,
    noise_density: NoiseCurrent = 15e-12,
    bandwidth: StageBandwidth = 20e9,
    output_range: Span = 1.0,
) -> Stage:
    """Transimpedance amplifier: converts the current at e1 to the voltage gain times current at e2.

    Its input is a virtual ground, so the load of the detector plays no part and the noise of its own
    feedback resistor is in noise_density. The output reaches half of output_range to either side of zero;
    what would lie beyond is counted. Left out: noise that rises with frequency, input capacitance,
    overload recovery, offset.

    Settings:
        gain: transimpedance, output voltage per input current.
        noise_density: density of the noise current at the input, feedback resistor included.
        bandwidth: half-power frequency, of a Bessel low-pass of order 4.
        output_range: width of the output range, which is centred on zero.
    """
    return Stage(
        gain=gain, noise_density=noise_density, bandwidth=bandwidth, low=-output_range / 2,
        high=output_range / 2, virtual_ground=True,
    )  # fmt: skip


@electronic(inputs=("e1",), outputs=("e2",), source="walden1999")
def adc(
    *,
    bits: Bits = 8,
    input_range: Span = 1.0,
    offset: Voltage = 0.0,
    jitter: Duration = 100e-15,
    bandwidth: StageBandwidth = 30e9,
) -> Stage:
    """Analogue-to-digital converter (ADC): v(e2) is the code nearest to v(e1), of 2**bits codes, in volts.

    Codes span input_range about offset, both ends included; a voltage beyond is clipped and counted. Its
    sampling instants have the rms error `jitter`. Left out: nonlinearity of the steps, noise of its own (see
    its data sheet's effective bits), metastability.

    Settings:
        bits: number of bits.
        input_range: highest minus lowest code, in volts.
        offset: middle of the range.
        jitter: standard deviation of the sampling instants.
        bandwidth: half-power frequency of its input, a Bessel low-pass of order 4.
    """
    half = input_range / 2
    return Stage(bandwidth=bandwidth, jitter=jitter, low=offset - half, high=offset + half, bits=int(bits))


def _converter(
    level: float, bits: int, output_range: float, offset: float, jitter: float, bandwidth: float
) -> Stage:
    """Return a stage that puts out the nearest of 2**bits levels, which span output_range about offset."""
    half = output_range / 2
    return Stage(
        bandwidth=bandwidth, jitter=jitter, low=offset - half, high=offset + half, bits=int(bits), level=level
    )


@electronic(inputs=(), outputs=("e1",), source="walden1999")
def dac(
    *,
    voltage: Voltage = 0.0,
    bits: Bits = 8,
    output_range: Span = 4.0,
    offset: Voltage = 0.0,
    jitter: Duration = 100e-15,
    bandwidth: StageBandwidth = 30e9,
) -> Stage:
    """Digital-to-analogue converter (DAC): gives at e1 the level nearest to `voltage`, of 2**bits levels.

    Levels span output_range about offset, both ends included; a voltage beyond is clipped and counted. Left
    out: glitches, sin(x)/x of its hold, noise of its own, output impedance.

    Settings:
        voltage: requested output voltage.
        bits: number of bits.
        output_range: highest minus lowest level.
        offset: middle of the range.
        jitter: standard deviation of the instants at which it changes.
        bandwidth: half-power frequency of its output.
    """
    return _converter(voltage, bits, output_range, offset, jitter, bandwidth)


@electronic(inputs=(), outputs=("e1",), source="walden1999", units={"e1": "A"})
def current_driver(
    *,
    current: Current = 0.0,
    bits: Bits = 8,
    output_range: CurrentSpan = 0.1,
    offset: Current = 0.05,
    jitter: Duration = 100e-15,
    bandwidth: StageBandwidth = 1e9,
) -> Stage:
    """DAC with a current output, for diodes: gives at e1 the level nearest to `current`, of 2**bits levels.

    Levels span output_range about offset, both ends included; a current beyond is clipped and counted. Left
    out: noise of its own, its largest voltage, what `dac` leaves out.

    Settings:
        current: requested output current.
        bits: number of bits.
        output_range: highest minus lowest level.
        offset: middle of the range.
        jitter: standard deviation of the instants at which it changes.
        bandwidth: half-power frequency of its output.
    """
    return _converter(current, bits, output_range, offset, jitter, bandwidth)


@electronic(inputs=(), outputs=("e1",), source="walden1999", units={"e1": "W"})
def heater_driver(
    *,
    power: OpticalPower = 0.0,
    bits: Bits = 12,
    output_range: PowerSpan = 0.1,
    offset: OpticalPower = 0.05,
    jitter: Duration = 0.0,
    bandwidth: StageBandwidth = 1e6,
) -> Stage:
    """DAC for a heater, which sets its electric power: gives at e1 the level nearest to `power`, of 2**bits.

    Levels span output_range about offset, both ends included; a power beyond is clipped and counted. Left
    out: the heater's resistance and the square root of a driver that sets a voltage, noise of its own.

    Settings:
        power: requested electric power.
        bits: number of bits.
        output_range: highest minus lowest level.
        offset: middle of the range.
        jitter: standard deviation of the instants at which it changes.
        bandwidth: half-power frequency of its output.
    """
    return _converter(power, bits, output_range, offset, jitter, bandwidth)

"""Microring weight banks: rows of add-drop rings on a bus of many wavelengths, and their modulators."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.components.guides import guide_index
from photosim.components.lasers import channel_wavelength
from photosim.components.modulators import IndexPerVolt, ReverseVoltage
from photosim.components.receivers import Bits, NoiseCurrent, Span
from photosim.model import (
    Bandwidth,
    Count,
    Index,
    Instance,
    Length,
    Loss_dB_cm,
    Netlist,
    PortRef,
    Power,
    Resistance,
    Responsivity,
    Temperature,
    ThermoOptic,
    Wavelength,
    composite,
    links,
    part,
    ref,
)


def channel_radius(order: Any, wl: Any, neff: Any, ng: Any, wl0: Any) -> Any:
    """Radius in um of a ring that has its resonance of that azimuthal order at wl, at 300 K."""
    return order * wl / (2 * np.pi * guide_index(wl, neff, ng, wl0))


def _electronics(**settings: Any) -> dict[str, Instance]:
    """Return the parts behind a detector, `tia` and `adc`, first to last; none without settings.

    settings: those of the parts, each with the part's name before it; None where left out. A converter reads
    voltages, so that it comes with an amplifier.
    """
    own: dict[str, dict[str, Any]] = {"tia": {}, "adc": {}}
    for key, value in settings.items():
        if value is not None:
            name, setting = key.split("_", 1)
            own[name][setting] = value
    found: dict[str, Instance] = {}
    if own["tia"] or own["adc"]:
        found["tia"] = part("transimpedance_amplifier", **own["tia"])
    if own["adc"]:
        found["adc"] = part("adc", **own["adc"])
    return found


@composite(source="filipovich2022")
def weight_bank_row(
    *,
    channels: Count = 4,
    wl0: Wavelength = 1.55,
    spacing: Bandwidth = 200e9,
    order: Count = 60,
    coupling: Power = 0.05,
    coupling_drop: Power | None = None,
    pitch: Length = 30.0,
    neff: Index = 2.44553,
    ng: Index = 4.19088,
    loss_dB_cm: Loss_dB_cm = 2.5,
    temperature: Temperature = 300.0,
    dneff_dT: ThermoOptic = 1.86e-4,
    responsivity: Responsivity = 1.0,
    bandwidth: Bandwidth = 20e9,
    tia_gain: Resistance | None = None,
    tia_noise_density: NoiseCurrent | None = None,
    tia_bandwidth: Bandwidth | None = None,
    tia_output_range: Span | None = None,
    adc_bits: Bits | None = None,
    adc_input_range: Span | None = None,
    adc_bandwidth: Bandwidth | None = None,
) -> Netlist:
    """One row of a weight bank: `ring0`, `ring1`, ... in series, `detector`, drop minus through, read-out.

    Ring n resonates with channel n when its heater (`ringn.phase`) is cold.
    Light runs along the lower bus past ring 0 first; what is dropped comes
    back along the upper bus past the rings before, to the plus input of the
    detector; the rest goes to the minus input. Every ring sees every channel.
    Behind the detector stand a `transimpedance_amplifier`, `tia`, and an `adc`: the latter where a setting of
    its is given, the amplifier where one of either is; what is not given is as in those parts. e1 is the
    output of the last one.
    Left out: heat that reaches neighbouring rings, backscattering, saturation.

    Settings:
        channels: number of wavelength channels and of rings.
        wl0: centre of the channels; also where neff and ng are given.
        spacing: frequency distance of neighbouring channels.
        order: azimuthal order of the resonance that all rings use.
        coupling: power that crosses the coupler of the lower bus of a ring.
        coupling_drop: power that crosses the coupler of the upper bus; like coupling if left out.
        pitch: length of both buses between neighbouring rings.
        neff: effective index at wl0 and 300 K; 500 x 220 nm strip.
        ng: group index at wl0.
        loss_dB_cm: propagation loss of rings and buses.
        temperature: temperature of the bank.
        dneff_dT: change of the effective index per kelvin.
        responsivity: photocurrent per optical power of the detectors.
        bandwidth: noise bandwidth of the detectors.
        tia_gain: transimpedance of the amplifiers.
        tia_noise_density: noise of the amplifiers, referred to their input.
        tia_bandwidth: noise bandwidth of the amplifiers.
        tia_output_range: width of the range of the amplifiers' outputs, about zero.
        adc_bits: number of bits of the converters.
        adc_input_range: distance of the lowest and the highest code of the converters, about zero.
        adc_bandwidth: noise bandwidth of the converters.
    """
    guide = {"neff": neff, "ng": ng, "wl0": wl0, "loss_dB_cm": loss_dB_cm, "temperature": temperature}
    instances: dict[str, Instance] = {}
    wires: list[str] = []
    for n in range(channels):
        radius = channel_radius(order, channel_wavelength(wl0, spacing, n, channels), neff, ng, wl0)
        instances[f"ring{n}"] = part(
            "ring_double",
            radius=radius,
            coupling=coupling,
            coupling_drop=coupling_drop,
            dneff_dT=dneff_dT,
            **guide,
        )
        if n > 0:
            for bus in (f"bus{n}", f"back{n}"):
                instances[bus] = part("straight", length=pitch, dneff_dT=dneff_dT, **guide)
            wires += [f"ring{n - 1},o4:bus{n},o1", f"bus{n},o2:ring{n},o1"]
            wires += [f"ring{n},o2:back{n},o1", f"back{n},o2:ring{n - 1},o3"]
    instances["detector"] = part("balanced_photodetector", responsivity=responsivity, bandwidth=bandwidth)
    electronics = _electronics(
        tia_gain=tia_gain, tia_noise_density=tia_noise_density, tia_bandwidth=tia_bandwidth,
        tia_output_range=tia_output_range, adc_bits=adc_bits, adc_input_range=adc_input_range,
        adc_bandwidth=adc_bandwidth,
    )  # fmt: skip
    instances |= electronics
    read = "detector,e1"
    for name in electronics:
        wires.append(f"{read}:{name},e1")
        read = f"{name},e2"
    last = f"ring{channels - 1}"
    wires += ["ring0,o2:detector,o1", f"{last},o4:detector,o2"]
    return Netlist(
        instances=instances,
        connections=links(*wires),
        ports={"o1": ref("ring0,o1"), "e1": ref(read)},
        terminate=(ref(f"{last},o3"),),
        name="weight_bank_row",
    )


@composite(source="filipovich2022")
def weight_bank(
    *,
    rows: Count = 4,
    channels: Count = 4,
    wl0: Wavelength = 1.55,
    spacing: Bandwidth = 200e9,
    order: Count = 60,
    coupling: Power = 0.05,
    coupling_drop: Power | None = None,
    pitch: Length = 30.0,
    neff: Index = 2.44553,
    ng: Index = 4.19088,
    loss_dB_cm: Loss_dB_cm = 2.5,
    temperature: Temperature = 300.0,
    dneff_dT: ThermoOptic = 1.86e-4,
    responsivity: Responsivity = 1.0,
    bandwidth: Bandwidth = 20e9,
    tia_gain: Resistance | None = None,
    tia_noise_density: NoiseCurrent | None = None,
    tia_bandwidth: Bandwidth | None = None,
    tia_output_range: Span | None = None,
    adc_bits: Bits | None = None,
    adc_input_range: Span | None = None,
    adc_bandwidth: Bandwidth | None = None,
) -> Netlist:
    """Weight bank: light of many wavelengths at o1 is shared by `row0`, `row1`, ...; e1, e2, ... read them.

    Couplers `tap0`, `tap1`, ... in a chain give every row 1/rows of the power
    (a lossless 1 x rows splitter). The current of row m is the responsivity
    times the sum over channels of power / rows times (T_drop - T_through), which
    the heaters `rowm.ringn.phase` set. Settings of an amplifier or a converter put one behind every detector,
    `rowm.tia` and `rowm.adc`, as in `weight_bank_row`. Left out: loss and phase of the distribution, what
    `weight_bank_row` leaves out.

    Settings:
        rows: number of rows, each with a detector.
        channels: number of wavelength channels, and of rings in a row.
        wl0: centre of the channels; also where neff and ng are given.
        spacing: frequency distance of neighbouring channels.
        order: azimuthal order of the resonance that all rings use.
        coupling: power that crosses the coupler of the lower bus of a ring.
        coupling_drop: power that crosses the coupler of the upper bus; like coupling if left out.
        pitch: length of both buses between neighbouring rings.
        neff: effective index at wl0 and 300 K; 500 x 220 nm strip.
        ng: group index at wl0.
        loss_dB_cm: propagation loss of rings and buses.
        temperature: temperature of the bank.
        dneff_dT: change of the effective index per kelvin.
        responsivity: photocurrent per optical power of the detectors.
        bandwidth: noise bandwidth of the detectors.
        tia_gain: transimpedance of the amplifiers.
        tia_noise_density: noise of the amplifiers, referred to their input.
        tia_bandwidth: noise bandwidth of the amplifiers.
        tia_output_range: width of the range of the amplifiers' outputs, about zero.
        adc_bits: number of bits of the converters.
        adc_input_range: distance of the lowest and the highest code of the converters, about zero.
        adc_bandwidth: noise bandwidth of the converters.
    """
    row = part(
        "weight_bank_row", channels=channels, wl0=wl0, spacing=spacing, order=order, coupling=coupling,
        coupling_drop=coupling_drop, pitch=pitch, neff=neff, ng=ng, loss_dB_cm=loss_dB_cm,
        temperature=temperature, dneff_dT=dneff_dT, responsivity=responsivity, bandwidth=bandwidth,
        tia_gain=tia_gain, tia_noise_density=tia_noise_density, tia_bandwidth=tia_bandwidth,
        tia_output_range=tia_output_range, adc_bits=adc_bits, adc_input_range=adc_input_range,
        adc_bandwidth=adc_bandwidth,
    )  # fmt: skip
    taps = {f"tap{m}": part("coupler", coupling=1.0 / (rows - m)) for m in range(rows - 1)}
    chain = [f"tap{m},o4:tap{m + 1},o1" for m in range(rows - 2)]
    drops = [f"tap{m},o3:row{m},o1" for m in range(rows - 1)]
    end = [f"tap{rows - 2},o4:row{rows - 1},o1"] if rows > 1 else []
    ports: dict[str, PortRef] = {"o1": ref("tap0,o1" if rows > 1 else "row0,o1")}
    ports |= {f"e{m + 1}": ref(f"row{m},e1") for m in range(rows)}
    return Netlist(
        instances={**taps, **{f"row{m}": row for m in range(rows)}},
        connections=links(*chain, *drops, *end),
        ports=ports,
        terminate=tuple(ref(f"tap{m},o2") for m in range(rows - 1)),
        name="weight_bank",
    )


@composite(source="filipovich2022")
def modulator_bus(
    *,
    channels: Count = 4,
    wl0: Wavelength = 1.55,
    spacing: Bandwidth = 200e9,
    order: Count = 60,
    coupling: Power = 0.0275,
    voltage: ReverseVoltage = 8.0,
    dneff_dV: IndexPerVolt = 1e-4,
    pitch: Length = 30.0,
    neff: Index = 2.44553,
    ng: Index = 4.19088,
    loss_dB_cm: Loss_dB_cm = 40.0,
    bus_loss_dB_cm: Loss_dB_cm = 2.5,
    temperature: Temperature = 300.0,
    dneff_dT: ThermoOptic = 1.86e-4,
) -> Netlist:
    """Ring modulators `mod0`, `mod1`, ... in series, one for each channel of a bus from o1 to o2.

    Modulator n resonates with channel n at no voltage and takes its light; `voltage`
    moves its resonance out of the channel. Every ring touches every channel. Coupling
    and loss are near critical and make a resonance wide enough for 10 GHz; they and
    dneff_dV, 0.8 V cm for half a turn, are of a heavily doped ring. Left out: what
    `ring_modulator` leaves out, heat of the drives.

    Settings:
        channels: number of wavelength channels and of modulators.
        wl0: centre of the channels; also where neff and ng are given.
        spacing: frequency distance of neighbouring channels.
        order: azimuthal order of the resonance that all rings use.
        coupling: power that crosses the coupler of each ring.
        voltage: reverse voltage of all modulators.
        dneff_dV: change of the effective index per volt.
        pitch: length of the bus between neighbouring rings.
        neff: effective index at wl0 and 300 K.
        ng: group index at wl0.
        loss_dB_cm: propagation loss of the doped rings.
        bus_loss_dB_cm: propagation loss of the bus.
        temperature: temperature of bus and rings.
        dneff_dT: change of the effective index per kelvin.
    """
    guide = {"neff": neff, "ng": ng, "wl0": wl0, "temperature": temperature, "dneff_dT": dneff_dT}
    instances: dict[str, Instance] = {}
    wires: list[str] = []
    for n in range(channels):
        radius = channel_radius(order, channel_wavelength(wl0, spacing, n, channels), neff, ng, wl0)
        instances[f"mod{n}"] = part(
            "ring_modulator", radius=radius, coupling=coupling, voltage=voltage, dneff_dV=dneff_dV,
            loss_dB_cm=loss_dB_cm, **guide,
        )  # fmt: skip
        if n > 0:
            instances[f"bus{n}"] = part("straight", length=pitch, loss_dB_cm=bus_loss_dB_cm, **guide)
            wires += [f"mod{n - 1},o2:bus{n},o1", f"bus{n},o2:mod{n},o1"]
    return Netlist(
        instances=instances,
        connections=links(*wires),
        ports={"o1": ref("mod0,o1"), "o2": ref(f"mod{channels - 1},o2")},
        name="modulator_bus",
    )

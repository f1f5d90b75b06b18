"""Microring weight banks: rows of add-drop rings on a bus of many wavelengths, and their modulators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from photosim.components.guides import STRIP, Guide, Indices
from photosim.components.lasers import channel_wavelength
from photosim.components.modulators import IndexPerVolt, ReverseVoltage
from photosim.components.receivers import Bits, NoiseCurrent, Span
from photosim.model import (
    Bandwidth,
    Count,
    Instance,
    Loss_dB_cm,
    Netlist,
    PathLength,
    PortRef,
    Power,
    Quantity,
    Resistance,
    Responsivity,
    SettingsGroup,
    Spacing,
    Wavelength,
    composite,
    links,
    part,
    ref,
)

Order = Annotated[int, Quantity("wavelengths", 1, 10_000, whole=True)]
"""Wavelengths round a ring."""


@dataclass(frozen=True)
class Channels(SettingsGroup):
    """Wavelength channels, each with its own ring.

    Settings:
        channels: number of wavelength channels, and of rings in a row.
        wl0: centre of the channels; also where neff and ng are given.
        spacing: frequency distance of neighbouring channels.
        order: azimuthal order of the resonance of all rings.
    """

    channels: Count = 4
    wl0: Wavelength = 1.55
    spacing: Spacing = 200e9
    order: Order = 60

    def radius(self, n: int, guide: Indices) -> Any:
        """Radius in um of a ring that has its resonance at channel n, at 300 K."""
        wl = channel_wavelength(self.wl0, self.spacing, n, self.channels)
        return self.order * wl / (2 * np.pi * guide.cold_index(wl))


@dataclass(frozen=True)
class Electronics(SettingsGroup):
    """Parts behind a detector, a `transimpedance_amplifier` and an `adc`; None is as in those parts.

    Settings:
        tia_gain: transimpedance of the amplifiers.
        tia_noise_density: noise of the amplifiers, referred to their input.
        tia_bandwidth: half-power frequency of the amplifiers.
        tia_output_range: width of the amplifiers' output range, which is centred on zero.
        adc_bits: number of bits of the converters.
        adc_input_range: highest minus lowest code of the converters, whose range is centred on zero.
        adc_bandwidth: half-power frequency of the converters.
    """

    tia_gain: Resistance | None = None
    tia_noise_density: NoiseCurrent | None = None
    tia_bandwidth: Bandwidth | None = None
    tia_output_range: Span | None = None
    adc_bits: Bits | None = None
    adc_input_range: Span | None = None
    adc_bandwidth: Bandwidth | None = None

    def instances(self) -> dict[str, Instance]:
        """Return `tia` and `adc`, first to last; none without settings.

        A converter reads voltages, so that it comes with an amplifier.
        """
        tia, adc = (
            {
                name.removeprefix(start): v
                for name, v in vars(self).items()
                if name.startswith(start) and v is not None
            }
            for start in ("tia_", "adc_")
        )
        found: dict[str, Instance] = {}
        if tia or adc:
            found["tia"] = part("transimpedance_amplifier", **tia)
        if adc:
            found["adc"] = part("adc", **adc)
        return found


CHANNELS, READ_OUT = Channels(), Electronics()


@dataclass(frozen=True)
class RowSettings(SettingsGroup):
    """What a row of a weight bank is made of.

    Settings:
        coupling: fraction of the power that crosses the coupler of a ring and the lower bus.
        coupling_drop: fraction that crosses the coupler of a ring and the upper bus; `coupling` by default.
        pitch: length of both buses between neighbouring rings.
        neff: effective index at wl0 and 300 K; 500 x 220 nm strip.
        loss_dB_cm: propagation loss of rings and buses.
        temperature: temperature of the bank.
        responsivity: photocurrent per optical power of the detectors.
        bandwidth: half-power frequency of the detectors.
    """

    plan: Channels = CHANNELS
    coupling: Power = 0.05
    coupling_drop: Power | None = None
    pitch: PathLength = 30.0
    guide: Guide = STRIP
    responsivity: Responsivity = 1.0
    bandwidth: Bandwidth = 20e9
    electronics: Electronics = READ_OUT


ROW = RowSettings()
_DOPED = STRIP.changed(loss_dB_cm=40.0)


@composite(source="filipovich2022")
def weight_bank_row(*, row: RowSettings = ROW) -> Netlist:
    """One row of a weight bank: rings in series, one for each wavelength, and a balanced detector.

    The detector gives the drop power minus the through power. Ring n (`ring0`, `ring1`, ...) resonates with
    channel n when its heater (`ringn.phase`) is cold. Light runs along the lower bus past ring 0 first; what
    is dropped comes back along the upper bus past the rings before, to the plus input of the detector; the
    rest goes to the minus input. Every ring sees every channel. An `adc` follows the detector if one of its
    settings is given, and a `transimpedance_amplifier`, `tia`, between them if a setting of either is given;
    their other settings have their defaults. e1 is the output of the last of these parts. Left out: heat that
    reaches neighbouring rings, backscattering, saturation.
    """
    channels, guide = row.plan.channels, row.guide.settings()
    instances: dict[str, Instance] = {}
    wires: list[str] = []
    for n in range(channels):
        instances[f"ring{n}"] = part(
            "ring_double", radius=row.plan.radius(n, row.guide), coupling=row.coupling,
            coupling_drop=row.coupling_drop, **guide,
        )  # fmt: skip
        if n > 0:
            for bus in (f"bus{n}", f"back{n}"):
                instances[bus] = part("straight", length=row.pitch, **guide)
            wires += [f"ring{n - 1},o4:bus{n},o1", f"bus{n},o2:ring{n},o1"]
            wires += [f"ring{n},o2:back{n},o1", f"back{n},o2:ring{n - 1},o3"]
    instances["detector"] = part(
        "balanced_photodetector", responsivity=row.responsivity, bandwidth=row.bandwidth
    )
    electronics = row.electronics.instances()
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
    row: RowSettings = ROW,
) -> Netlist:
    """Microring weight bank: multiplies a vector of wavelength powers by a matrix, with a detector a row.

    Light enters at o1; e1, e2, ... are the outputs of the rows. Couplers `tap0`, `tap1`, ... in a chain give
    every row (`row0`, `row1`, ...) 1/rows of the power (a lossless 1 x rows splitter). The current of row m
    is the responsivity times the sum over channels of power / rows times (T_drop - T_through), which the
    heaters `rowm.ringn.phase` set. Settings of an amplifier or a converter put one behind every detector,
    `rowm.tia` and `rowm.adc`, as in `weight_bank_row`. Left out: loss and phase of the distribution, what
    `weight_bank_row` leaves out.

    Settings:
        rows: number of rows, each with a detector.
    """
    each = part("weight_bank_row", **row.settings())
    taps = {f"tap{m}": part("coupler", coupling=1.0 / (rows - m)) for m in range(rows - 1)}
    chain = [f"tap{m},o4:tap{m + 1},o1" for m in range(rows - 2)]
    drops = [f"tap{m},o3:row{m},o1" for m in range(rows - 1)]
    end = [f"tap{rows - 2},o4:row{rows - 1},o1"] if rows > 1 else []
    ports: dict[str, PortRef] = {"o1": ref("tap0,o1" if rows > 1 else "row0,o1")}
    ports |= {f"e{m + 1}": ref(f"row{m},e1") for m in range(rows)}
    return Netlist(
        instances={**taps, **{f"row{m}": each for m in range(rows)}},
        connections=links(*chain, *drops, *end),
        ports=ports,
        terminate=tuple(ref(f"tap{m},o2") for m in range(rows - 1)),
        name="weight_bank",
    )


@composite(source="filipovich2022")
def modulator_bus(
    *,
    plan: Channels = CHANNELS,
    coupling: Power = 0.0275,
    voltage: ReverseVoltage = 8.0,
    dneff_dV: IndexPerVolt = 1e-4,
    pitch: PathLength = 30.0,
    guide: Guide = _DOPED,
    bus_loss_dB_cm: Loss_dB_cm = 2.5,
) -> Netlist:
    """Ring modulators `mod0`, `mod1`, ... in series on a bus from o1 to o2, one for each wavelength channel.

    Modulator n resonates with channel n at no voltage and takes its light; `voltage`
    moves its resonance out of the channel. Every ring touches every channel. Coupling
    and loss are near critical and make a resonance wide enough for 10 GHz; they and
    dneff_dV, 0.8 V cm for half a turn, are of a heavily doped ring. Left out: what
    `ring_modulator` leaves out, heat of the drives.

    Settings:
        channels: number of wavelength channels and of modulators.
        coupling: fraction of the power that crosses the coupler of each ring.
        voltage: reverse voltage of all modulators.
        dneff_dV: change of the effective index per volt.
        pitch: length of the bus between neighbouring rings.
        loss_dB_cm: propagation loss of the doped rings.
        bus_loss_dB_cm: propagation loss of the bus.
        temperature: temperature of bus and rings.
    """
    channels, own = plan.channels, guide.settings()
    instances: dict[str, Instance] = {}
    wires: list[str] = []
    for n in range(channels):
        instances[f"mod{n}"] = part(
            "ring_modulator", radius=plan.radius(n, guide), coupling=coupling, voltage=voltage,
            dneff_dV=dneff_dV, **own,
        )  # fmt: skip
        if n > 0:
            instances[f"bus{n}"] = part("straight", length=pitch, **{**own, "loss_dB_cm": bus_loss_dB_cm})
            wires += [f"mod{n - 1},o2:bus{n},o1", f"bus{n},o2:mod{n},o1"]
    return Netlist(
        instances=instances,
        connections=links(*wires),
        ports={"o1": ref("mod0,o1"), "o2": ref(f"mod{channels - 1},o2")},
        name="modulator_bus",
    )

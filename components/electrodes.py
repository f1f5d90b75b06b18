"""Electrodes that waves travel along: lines with loss, and the modulators that they drive."""

from __future__ import annotations

from functools import lru_cache
from math import log, pi, sqrt
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np

from photosim.components.electrical import SUBSTRATE, Elements, Impedance
from photosim.components.modulators import Chirp, SwitchingVoltage
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.electronics.blocks import Block
from photosim.electronics.vector_fit import RationalFit, fit
from photosim.errors import ParameterError
from photosim.model import (
    Loss_dB,
    Netlist,
    Quantity,
    Ratio_dB,
    Reading,
    Resistance,
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

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    ComplexArray = NDArray[np.complex128]

ElectrodeLength = Annotated[float, Quantity("um", 1.0, 1e6, usual=(10.0, 1e5))]
"""Length of an electrode in um; never zero."""
WaveIndex = Annotated[float, Quantity("1", 1.0, 20.0)]
"""Index of a wave: the speed of light over its velocity."""
RfLoss_dB_cm = Annotated[float, Quantity("dB/cm", 0.0, 1e3, usual=(0.0, 100.0))]
"""Loss of an electrical wave in dB/cm."""
RfFrequency = Annotated[float, Quantity("Hz", 1e6, 1e13, usual=(1e9, 1e12))]
"""A frequency of electrical waves in Hz."""

_NEPER_PER_DB = log(10.0) / 20.0
_UM_PER_CM = 1e4
TOLERANCE = 3e-5
"""Error of the rational responses that is aimed at, where 1 is all."""
WORST = 1e-3
"""Error above which an electrode is refused."""
MOST_TURNS = 24
"""Wavelengths of an electrode at the end of its band, there and back with the light, at most."""
_LOWEST = 3e-6
"""Lowest frequency of a fit beside 0, over the highest."""


class Wave(NamedTuple):
    """A wave along a line: its impedance, its loss and delay from end to end, and the delay of the light.

    constant, root: alpha L in Np is constant + root Re sqrt(2 pi j f).  delay, light: in s.
    """

    impedance: float
    constant: float
    root: float
    delay: float
    light: float

    def turn(self, frequency: ArrayLike) -> ComplexArray:
        """Return loss and phase gamma L (F,) from end to end, without the phase of `delay`."""
        return np.asarray(self.constant + self.root * np.sqrt(2j * pi * np.asarray(frequency, dtype=complex)))


def wave(
    length: float, impedance: float, rf_index: float, rf_loss_dB_cm: float, skin_loss_dB_cm: float,
    rf_frequency: float, group_index: float,
) -> Wave:  # fmt: skip
    """Return the wave of an electrode; ParameterError where skin effect slows it more than its index allows.

    rf_index and skin_loss_dB_cm hold at rf_frequency. A loss that grows with the root of the frequency comes
    with as much phase, gamma = root sqrt(2 pi j f), as every response that begins after its cause.
    """
    skin = skin_loss_dB_cm * _NEPER_PER_DB * length / _UM_PER_CM
    delay = rf_index * length / SPEED_OF_LIGHT_UM_S - skin / (2 * pi * rf_frequency)
    if delay <= 0.0:
        message = (
            f"An electrode with a skin_loss_dB_cm of {skin_loss_dB_cm:g} at {rf_frequency:g} Hz cannot have "
            f"an rf_index of {rf_index:g} there: its loss alone slows the wave more. Lower "
            "the loss, or raise the index."
        )
        raise ParameterError(message)
    return Wave(
        impedance,
        rf_loss_dB_cm * _NEPER_PER_DB * length / _UM_PER_CM,
        skin / sqrt(pi * rf_frequency),
        delay,
        group_index * length / SPEED_OF_LIGHT_UM_S,
    )


def _mean(x: ComplexArray) -> ComplexArray:
    """Return (1 - exp(-x))/x, the mean of exp(-x u) over u from 0 to 1."""
    small = np.abs(x) < 1e-6
    safe = np.where(small, 1.0, x)
    return np.asarray(np.where(small, 1.0 - x / 2, -np.expm1(-safe) / safe))


def electrode_response(
    frequency: ArrayLike, own: Wave, *, source: complex = 50.0, termination: complex = 50.0
) -> ComplexArray:
    """Return what the light sees of a voltage source behind an impedance, (F,), at frequencies (F,) in Hz.

    That is the mean along the electrode of the voltage beside the light, over the source's own voltage
    without load; time as exp(+j omega t), phases at the end of the light's way (alferness1982).
    """
    f = np.asarray(frequency, dtype=np.float64)
    omega = 2j * pi * f
    theta = own.turn(f) + omega * own.delay
    near, far = ((z - own.impedance) / (z + own.impedance) for z in (source, termination))
    launched = own.impedance / (source + own.impedance) / (1 - near * far * np.exp(-2 * theta))
    along = np.exp(-omega * own.light) * _mean(theta - omega * own.light)
    against = far * np.exp(-theta) * _mean(theta + omega * own.light)
    return np.asarray(launched * (along + against))


@lru_cache(maxsize=64)
def _fits(own: Wave, band: float, *, light: bool) -> tuple[tuple[RationalFit, float], ...]:
    """Return the fits of what a wave from the near end and one from the far end do, and their late starts.

    Responses are transmission, behind own.delay, and the mean that the light sees, behind what comes back.
    """
    from threadpoolctl import threadpool_limits

    phase = band * (own.delay + own.light)
    if phase > MOST_TURNS:
        message = (
            f"An electrode whose waves take {own.delay:.3g} s, and the light {own.light:.3g} s, is "
            f"{phase:.3g} wavelengths long at a band of {band:g} Hz; at most {MOST_TURNS} are followed. "
            "Lower the band, or put several electrodes in a row."
        )
        raise ParameterError(message)
    grid = np.concatenate([
        [0.0], np.geomspace(_LOWEST * band, 0.01 * band, 30),
        np.linspace(0.012 * band, band, 120 + int(16 * phase)),
    ])  # fmt: skip
    omega = 2j * pi * grid
    loss = own.turn(grid)
    through = np.exp(-loss)
    slower = own.delay - own.light
    first = min(own.delay, own.light)
    along = np.exp(-omega * (own.light - first)) * _mean(loss + omega * slower)
    against = _mean(loss + omega * (own.delay + own.light))
    found = []
    with threadpool_limits(1):  # small matrices: threads would wait for each other
        for seen, late in ((along, first), (against, 0.0)):
            values = np.stack([through, seen] if light else [through], axis=1)
            one = fit(grid, values, tolerance=TOLERANCE)
            if one.error > WORST:
                message = (
                    f"An electrode of {own.delay:.3g} s and light of {own.light:.3g} s cannot be followed up "
                    f"to a band of {band:g} Hz: its best fit is off by {one.error:.2g}. Lower the band."
                )
                raise ParameterError(message)
            found.append((one, late))
    return tuple(found)


def _line(own: Wave, band: float, pins: tuple[str, str, str], seen: str = "") -> Elements:
    """Return the elements of a line from one pin to another, and those of the voltage that the light sees."""
    near, far, common = pins
    block = Block()
    ends = [block.port(pin, common, own.impedance, text) for pin, text in ((near, "near"), (far, "far"))]
    for k, (fitted, late) in enumerate(_fits(own, band, light=bool(seen))):
        arriving, leaving = ends[k][0], ends[1 - k][1]
        text = ("f", "b")[k]
        waiting = block.summed(f"{text}_t")
        block.add(leaving, block.delayed(waiting, own.delay, f"{text}_line"), "gnd", 1.0)
        targets = [waiting]
        if seen and late > 0.0:
            ahead = block.summed(f"{text}_v")
            block.add(seen, block.delayed(ahead, late, f"{text}_light"), "gnd", 1.0)
            targets.append(ahead)
        elif seen:
            targets.append(seen)
        block.filtered(arriving, fitted, targets, text)
    return tuple(block.elements)


@network(pins=("e1", "e2", "e3"), source="wheeler1942")
def lossy_line(
    *,
    length: ElectrodeLength = 1000.0,
    impedance: Impedance = 50.0,
    rf_index: WaveIndex = 2.2,
    rf_loss_dB_cm: RfLoss_dB_cm = 0.0,
    skin_loss_dB_cm: RfLoss_dB_cm = 3.0,
    rf_frequency: RfFrequency = 40e9,
    band: RfFrequency = 150e9,
) -> Elements:
    """Transmission line with loss from e1 to e2, with the common conductor e3.

    It is a rational fit of the loss behind an exact delay.

    The loss is rf_loss_dB_cm, and skin_loss_dB_cm that grows with the root of the frequency and has the phase
    that belongs to it. Left out: change of the impedance with frequency, dielectric loss, thermal noise.

    Settings:
        length: length from e1 to e2.
        impedance: characteristic impedance.
        rf_index: index of the electrical wave at rf_frequency.
        rf_loss_dB_cm: loss at all frequencies.
        skin_loss_dB_cm: loss at rf_frequency that grows with the root of the frequency.
        rf_frequency: frequency of rf_index and skin_loss_dB_cm.
        band: frequency up to which the fit holds.
    """
    own = wave(length, impedance, rf_index, rf_loss_dB_cm, skin_loss_dB_cm, rf_frequency, 1.0)
    return _line(own._replace(light=0.0), band, ("e1", "e2", "e3"))


@network(
    pins=("e1", "e2", "e3"), source="alferness1982", reads={"e4": Reading("V", ("seen", "gnd"))},
)  # fmt: skip
def travelling_wave_electrode(
    *,
    length: ElectrodeLength = 2000.0,
    impedance: Impedance = 50.0,
    rf_index: WaveIndex = 2.2,
    group_index: WaveIndex = 2.2,
    rf_loss_dB_cm: RfLoss_dB_cm = 0.0,
    skin_loss_dB_cm: RfLoss_dB_cm = 6.0,
    rf_frequency: RfFrequency = 40e9,
    band: RfFrequency = 150e9,
) -> Elements:
    """Electrode of a travelling-wave modulator, from e1 to e2 with the common conductor e3.

    Light enters at the end e1. e4 gives the voltage that acts on the light: the mean along its way of the
    voltage next to it, of waves in both directions; it
    leaves as a one-way signal in V at the time when the light leaves. Left out: what `lossy_line` leaves out.

    Settings:
        length: length from e1 to e2.
        impedance: characteristic impedance.
        rf_index: index of the electrical wave at rf_frequency.
        group_index: group index of the light.
        rf_loss_dB_cm: loss at all frequencies.
        skin_loss_dB_cm: loss at rf_frequency that grows with the root of the frequency.
        rf_frequency: frequency of rf_index and skin_loss_dB_cm.
        band: frequency up to which the fit holds.
    """
    own = wave(length, impedance, rf_index, rf_loss_dB_cm, skin_loss_dB_cm, rf_frequency, group_index)
    seen = elements.resistance("r_seen", "seen", "gnd", 1.0)
    return (seen, *_line(own, band, ("e1", "e2", "e3"), "seen"))


@composite(ports=("o1", "o2"), inputs=1, electrical=("e1", "e2"), source="alferness1982")
def travelling_wave_modulator(
    *,
    v_pi: SwitchingVoltage = 3.0,
    bias: Voltage = 1.5,
    loss_dB: Loss_dB = 4.0,
    extinction_dB: Ratio_dB = 25.0,
    chirp: Chirp = 0.0,
    wl0: Wavelength = 1.55,
    length: ElectrodeLength = 2000.0,
    impedance: Impedance = 50.0,
    rf_index: WaveIndex = 2.2,
    group_index: WaveIndex = 2.2,
    rf_loss_dB_cm: RfLoss_dB_cm = 0.0,
    skin_loss_dB_cm: RfLoss_dB_cm = 6.0,
    rf_frequency: RfFrequency = 40e9,
    termination: Resistance = 50.0,
    band: RfFrequency = 150e9,
) -> Netlist:
    """Travelling-wave Mach-Zehnder modulator for electrical nets: signal at e1, common conductor at e2.

    The far end of the electrode has a resistor `termination` to e2; the source's impedance is that of what
    drives e1; 1 Gohm of substrate leads from e2 to ground. A slow voltage v at e1 drives the modulator as v
    itself (less rf_loss_dB_cm). Response:
    mean of exp(-(alpha + 2 pi j f (rf_index - group_index)/c) z) along the electrode where both ends match,
    and waves that are thrown back otherwise. Left out: what `travelling_wave_electrode` and
    `mach_zehnder_modulator` leave out.

    Settings:
        v_pi: slow voltage that changes the phase between the arms by pi.
        bias: voltage added to what the light sees; half of v_pi is quadrature at wl0.
        loss_dB: insertion loss at full transmission.
        extinction_dB: ratio of most to least light.
        chirp: phase common to both arms over the phase between them; 0 is push-pull.
        wl0: wavelength at which v_pi is given.
        length: length of the electrode.
        impedance: characteristic impedance of the electrode.
        rf_index: index of the electrical wave at rf_frequency.
        group_index: group index of the light.
        rf_loss_dB_cm: loss of the electrode at all frequencies.
        skin_loss_dB_cm: loss at rf_frequency that grows with the root of the frequency.
        rf_frequency: frequency of rf_index and skin_loss_dB_cm.
        termination: resistance of the resistor at the far end.
        band: frequency up to which the electrode's fit holds.
    """
    return Netlist(
        instances={
            "electrode": part(
                "travelling_wave_electrode", length=length, impedance=impedance, rf_index=rf_index,
                group_index=group_index, rf_loss_dB_cm=rf_loss_dB_cm, skin_loss_dB_cm=skin_loss_dB_cm,
                rf_frequency=rf_frequency, band=band,
            ),
            "load": part("resistor", resistance=termination),
            "substrate": part("resistor", resistance=SUBSTRATE),
            "modulator": part(
                "mach_zehnder_modulator", v_pi=v_pi, bias=bias, loss_dB=loss_dB,
                extinction_dB=extinction_dB, chirp=chirp, wl0=wl0, bandwidth=0.0,
            ),
        },
        connections=links("electrode,e4:modulator,e1"),
        nets=(
            net("electrode,e2", "load,e1"), net("electrode,e3", "load,e2", "substrate,e1"),
            net("substrate,e2", "gnd"),
        ),
        ports={"o1": ref("modulator,o1"), "o2": ref("modulator,o2"), "e1": ref("electrode,e1"),
               "e2": ref("electrode,e3")},
        name="travelling_wave_modulator",
    )  # fmt: skip

"""Silicon rings that strong light heats, detunes and fills with carriers."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np

from photosim.components.guides import AS_DRAWN, ROOM, Shape, Warmth
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.kernels.nonlinear_ring import circulate
from photosim.model import (
    Entries,
    Fraction,
    Index,
    Loss_dB_cm,
    Memory,
    Power,
    Quantity,
    RingRadius,
    Wavelength,
    Window,
    nonlinear,
)

Time = Annotated[float, Quantity("s", 1e-15, 1.0, usual=(1e-14, 1e-2))]
"""A time constant in s; never zero."""
Area = Annotated[float, Quantity("um2", 1e-4, 1e4)]
"""An effective area in um**2; never zero."""
KerrIndex = Annotated[float, Quantity("m2/W", -1e-12, 1e-12)]
"""Change of index per intensity in m**2/W."""
TwoPhoton = Annotated[float, Quantity("m/W", 0.0, 1e-6)]
"""Absorption per intensity in m/W."""
ThermalResistance = Annotated[float, Quantity("K/W", 0.0, 1e8)]
"""Rise of temperature per heating power in K/W."""
Detuning = Annotated[float, Quantity("Hz", -1e14, 1e14)]
"""A shift of a resonance in Hz."""


def _cold(wl: Any, **settings: Any) -> Entries:
    """Return what faint light finds: Lorentzian lines of two couplings and a loss, one free range apart."""
    resonance, fsr, bus, drop, loss, *_ = nonlinear_ring.function(**settings)
    frequency = SPEED_OF_LIGHT_UM_S / np.asarray(wl)
    nearest = resonance + np.round((frequency - resonance) / fsr) * fsr
    denominator = (bus + drop + loss) / 2 + 2j * np.pi * (nearest - frequency)
    crossed = -np.sqrt(bus * drop) / denominator
    return {
        ("o1", "o4"): 1 - bus / denominator, ("o3", "o2"): 1 - drop / denominator,
        ("o1", "o2"): crossed, ("o3", "o4"): crossed,
    }  # fmt: skip


@nonlinear(
    ports=("o1", "o2", "o3", "o4"), inputs=2, source="johnson2006", step=circulate, linear=_cold,
    aliases={"in": "o1", "drop": "o2", "add": "o3", "through": "o4"},
    paths=(("o1", "o4"), ("o1", "o2"), ("o3", "o2"), ("o3", "o4")),
    memory=Memory(states=("temperature_rise", "carrier_density"), carrier_states=("field_re", "field_im")),
    windows=(
        Window("wl0", 1.5, 1.6, "the carriers' effect on index and loss at 1.55 um"),
        Window("coupling", high=0.3, basis="coupled modes in time, a finesse of 10 and more"),
        Window("coupling_drop", high=0.3, basis="coupled modes in time, a finesse of 10 and more"),
    ),
)  # fmt: skip
def nonlinear_ring(
    *,
    radius: RingRadius = 10.0,
    coupling: Power = 0.02,
    coupling_drop: Power = 0.0,
    wl0: Wavelength = 1.55,
    detuning: Detuning = 0.0,
    ng: Index = 4.19088,
    loss_dB_cm: Loss_dB_cm = 2.5,
    absorbed: Fraction = 0.2,
    area: Area = 0.1,
    kerr: KerrIndex = 4.5e-18,
    two_photon: TwoPhoton = 7.9e-12,
    carrier_lifetime: Time = 1e-9,
    thermal_resistance: ThermalResistance = 1e4,
    thermal_time: Time = 1e-6,
    warmth: Warmth = ROOM,
    shape: Shape = AS_DRAWN,
) -> Any:
    """Nonlinear silicon ring: Kerr effect, two-photon absorption, free carriers, self-heating.

    All-pass or add-drop. Coupled modes in time (Johnson et al. 2006): energy |a|**2 in J for each carrier,
    da/dt = -(i shift + decay/2) a + i sqrt(c coupling/(ng L)) in, out = in + i sqrt(c coupling/(ng L)) a.
    Index and loss follow the circulating intensity (kerr, two_photon; light of other carriers counts twice),
    the density of carriers that two-photon absorption makes (index and absorption as for `pn_phase_shifter`)
    and the temperature. A drive of `detuning` makes it a ring modulator with its photon lifetime. Each
    carrier takes the resonance next to it. Left out: coupling stronger than coupled modes allow (finesse
    below about 10), dispersion, backscattering and light that enters o2 or o4, change of the heater's own
    temperature field, diffusion of the carriers.

    Settings:
        radius: radius of the ring.
        coupling: fraction of the power that crosses the coupler of the lower bus, o1 to o4.
        coupling_drop: fraction that crosses the coupler of the upper bus, o3 to o2; 0 for an all-pass ring.
        wl0: wavelength of a resonance of the ring as drawn, at 300 K and in the dark.
        detuning: frequency shift of all resonances by a drive.
        ng: group index of the guide.
        loss_dB_cm: propagation loss of weak light.
        absorbed: fraction of the propagation loss that becomes heat; the rest is scattered.
        area: effective area of the mode.
        kerr: change of the index per intensity (n2).
        two_photon: two-photon absorption per intensity.
        carrier_lifetime: lifetime of free carriers.
        thermal_resistance: rise of temperature per power that becomes heat.
        thermal_time: time constant of the ring's temperature.
        temperature: temperature of the chip; the ring's own heat adds to it.
    """
    length_m = 2 * math.pi * radius * 1e-6
    speed = SPEED_OF_LIGHT_UM_S * 1e-6
    fsr = speed / (ng * length_m)
    # An index that is linear in wavelength moves its resonances by wl0/ng times its change, exactly.
    moved = 1 + (warmth.warming() + shape.change()) / ng
    resonance = SPEED_OF_LIGHT_UM_S / (wl0 * moved) + detuning
    loss = loss_dB_cm * 100 * math.log(10) / 10 * speed / ng
    return (
        resonance, fsr, coupling * fsr, coupling_drop * fsr, loss, absorbed, ng, area * 1e-12, kerr,
        two_photon, carrier_lifetime, thermal_resistance, thermal_time, warmth.dneff_dT, speed,
    )  # fmt: skip

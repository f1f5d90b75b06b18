"""Lasers as dynamical systems: field and carriers, turn-on, relaxation oscillations, injection."""

from __future__ import annotations

from typing import Annotated, Any

from photosim.components.laser_states import modulation, settled, start
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.kernels.lasers import NOISE_PARTS, emit
from photosim.model import Current, Fraction, Memory, Quantity, Wavelength, nonlinear

Time = Annotated[float, Quantity("s", 1e-15, 1.0, usual=(1e-14, 1e-3))]
"""A time constant in s; never zero."""
Enhancement = Annotated[float, Quantity("1", -20.0, 20.0)]
"""Linewidth enhancement factor: change of index over change of gain."""
Number = Annotated[float, Quantity("1", 1.0, 1e15)]
"""A number of carriers in the whole device; never zero."""
GainSlope = Annotated[float, Quantity("1/s", 1e-6, 1e15)]
"""Rate of amplification in 1/s that one carrier more adds; never zero."""
Compression = Annotated[float, Quantity("1", 0.0, 1.0)]
"""Relative loss of gain per photon."""

_MEMORY = Memory(
    states=("carriers", "field_re", "field_im"),
    noises=3,
    parts=NOISE_PARTS,
    settled=settled,
    modulation=modulation,
)


def _constants(wl: Any, *rest: Any) -> tuple[Any, ...]:
    """Return the constants of the step, the emission as a frequency in Hz at the end."""
    return (*rest, SPEED_OF_LIGHT_UM_S / wl)


def _line(*, wl: float, **_: Any) -> float:
    return wl


@nonlinear(
    ports=("o1",), inputs=0, source="coldren2012", step=emit, paths=(("o1", "o1"),), emits=("o1",),
    memory=_MEMORY, start=start, line=_line, drives={"e1": "current"},
)  # fmt: skip
def rate_equation_laser(
    *,
    wl: Wavelength = 1.55,
    current: Current = 20e-3,
    injection_efficiency: Fraction = 0.8,
    carrier_lifetime: Time = 1e-9,
    photon_lifetime: Time = 2e-12,
    differential_gain: GainSlope = 2e4,
    transparency: Number = 4e7,
    gain_compression: Compression = 1e-7,
    linewidth_enhancement: Enhancement = 3.0,
    spontaneous: Fraction = 1e-4,
    output: Fraction = 0.3,
    pump_noise: Fraction = 0.0,
) -> Any:
    """Edge-emitting single-mode laser by rate equations of its carriers and field, for the time domain.

    N is the number of carriers, |E|**2 the number of photons, and light may be injected through o1:

    dN/dt = injection_efficiency I/q - N/carrier_lifetime - G |E|**2 and dE/dt = (1 - i alpha)/2 (G -
    1/photon_lifetime) E + sqrt(output/photon_lifetime) in + noise, with G = differential_gain (N -
    transparency)/(1 + gain_compression |E|**2) (Coldren et al. 2012, chapters 2 and 5, and Lang and
    Kobayashi 1980 for the injected light, with our exp(-i omega t)). The wave out is sqrt(output h
    nu/photon_lifetime) E - in. The threshold is q (transparency + 1/(differential_gain
    photon_lifetime))/(carrier_lifetime injection_efficiency): 13 mA. Spontaneous emission of spontaneous
    N/carrier_lifetime = R photons per s is random with noise, and its mean without. The noise is Langevin's:
    2 R |E|**2 of the photons, 2 R |E|**2 + N/carrier_lifetime + pump_noise injection_efficiency I/q of the
    carriers, -2 R |E|**2 of both (Coldren et al. 2012, section 5.5), so that relative intensity noise and
    linewidth follow; shot noise of its detection is the detector's. e1 takes the current, at ground: its
    junction and leads are in `packaged_laser`. Left out: side modes, heat, adiabatic chirp (compression
    changes the index as it changes the gain, so that the wavelength at rest does not depend on the current),
    the second mirror's output (it is in 1 - output).

    Settings:
        wl: wavelength at threshold.
        current: current through the laser.
        injection_efficiency: carriers in the active layer per electron.
        carrier_lifetime: lifetime of the carriers without stimulated emission.
        photon_lifetime: lifetime of a photon in the resonator.
        differential_gain: rate of amplification per carrier.
        transparency: number of carriers at which light is neither amplified nor absorbed.
        gain_compression: relative reduction of the gain per photon.
        linewidth_enhancement: Henry's factor alpha, the change of the index with the gain.
        spontaneous: fraction of the recombining carriers whose photon is emitted into the mode.
        output: fraction of the photons lost from the resonator that leave through o1.
        pump_noise: shot noise of the current that reaches the carriers; 0 is a quiet current source.
    """
    return _constants(
        wl, current, injection_efficiency, carrier_lifetime, photon_lifetime, differential_gain, transparency,
        gain_compression, linewidth_enhancement, spontaneous, output, pump_noise,
    )  # fmt: skip


@nonlinear(
    ports=("o1",), inputs=0, source="coldren2012", step=emit, paths=(("o1", "o1"),), emits=("o1",),
    memory=_MEMORY, start=start, line=_line, drives={"e1": "current"},
)  # fmt: skip
def vcsel(
    *,
    wl: Wavelength = 1.55,
    current: Current = 2e-3,
    injection_efficiency: Fraction = 0.8,
    carrier_lifetime: Time = 1e-9,
    photon_lifetime: Time = 2e-12,
    differential_gain: GainSlope = 2e5,
    transparency: Number = 2e6,
    gain_compression: Compression = 1e-6,
    linewidth_enhancement: Enhancement = 3.0,
    spontaneous: Fraction = 1e-3,
    output: Fraction = 0.7,
    pump_noise: Fraction = 0.0,
) -> Any:
    """Vertical-cavity surface-emitting laser (VCSEL): a `rate_equation_laser` with a small mode.

    Its light leaves through one mirror. Fewer carriers and a steeper gain per carrier: a threshold of 0.9 mA,
    and light injected from above acts strongly, since most photons leave on that side. One transverse mode
    and one polarisation. Left out: polarisation (the spin-flip model), transverse modes and how they couple,
    heat and roll-over.

    Settings:
        wl: wavelength at threshold.
        current: current through the laser.
        injection_efficiency: carriers in the active layer per electron.
        carrier_lifetime: lifetime of the carriers without stimulated emission.
        photon_lifetime: lifetime of a photon in the resonator.
        differential_gain: rate of amplification per carrier.
        transparency: number of carriers at which light is neither amplified nor absorbed.
        gain_compression: relative reduction of the gain per photon.
        linewidth_enhancement: Henry's factor alpha, the change of the index with the gain.
        spontaneous: fraction of the recombining carriers whose photon is emitted into the mode.
        output: fraction of the photons lost from the resonator that leave through o1.
        pump_noise: shot noise of the current that reaches the carriers; 0 is a quiet current source.
    """
    return _constants(
        wl, current, injection_efficiency, carrier_lifetime, photon_lifetime, differential_gain, transparency,
        gain_compression, linewidth_enhancement, spontaneous, output, pump_noise,
    )  # fmt: skip

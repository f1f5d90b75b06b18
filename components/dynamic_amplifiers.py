"""Semiconductor amplifier and saturable absorber: gain and loss that light itself changes."""

from __future__ import annotations

import math
from typing import Annotated, Any

from photosim.kernels.saturation import absorb, amplify
from photosim.model import Loss_dB, Memory, Quantity, nonlinear

Gain_dB = Annotated[float, Quantity("dB", 0.0, 60.0)]
"""A gain in dB."""
Figure_dB = Annotated[float, Quantity("dB", 3.0, 30.0)]
"""A noise figure in dB; 3 dB is the quantum limit of a strong amplifier."""
Time = Annotated[float, Quantity("s", 1e-15, 1.0, usual=(1e-14, 1e-3))]
"""A time constant in s; never zero."""
Enhancement = Annotated[float, Quantity("1", -20.0, 20.0)]
"""Linewidth enhancement factor: change of index over change of gain."""
SaturationPower = Annotated[float, Quantity("W", 1e-9, 1e3)]
"""An optical power in W; never zero."""
Absorbance = Annotated[float, Quantity("1", 0.0, 20.0)]
"""An absorption as an exponent of power: exp(-q) of the light passes."""


def _depleted(
    m: Any, power: Any, *, gain_dB: Any, saturation_power: Any, linewidth_enhancement: Any, **_: Any
) -> Any:
    """Return the factor of light that stays: the gain that it leaves, and the phase that goes with it."""
    h = m.saturated(gain_dB / NEPER_DB, power / saturation_power)
    return m.exp(h / 2) * m.cis(-linewidth_enhancement * h / 2)


def _bleached(m: Any, power: Any, *, absorbance: Any, saturation_power: Any, loss_dB: Any, **_: Any) -> Any:
    """Return the factor of light that stays: the absorption that it leaves, and the other loss."""
    return m.exp(m.saturated(-absorbance, power / saturation_power) / 2) * m.amplitude_dB(loss_dB)


_BOTH_WAYS = (("o1", "o2"), ("o2", "o1"))
NEPER_DB = 10 / math.log(10)


@nonlinear(
    ports=("o1", "o2"), inputs=1, source="agrawal1989", step=amplify, paths=_BOTH_WAYS, emits=("o1", "o2"),
    memory=Memory(states=("exponent",), carrier_noises=4), start=lambda h0, *_: (h0,),
    steady=_depleted,
)  # fmt: skip
def dynamic_soa(
    *,
    gain_dB: Gain_dB = 20.0,
    saturation_power: SaturationPower = 5e-3,
    lifetime: Time = 200e-12,
    linewidth_enhancement: Enhancement = 5.0,
    noise_figure_dB: Figure_dB = 7.0,
) -> Any:
    """Semiconductor optical amplifier with a gain that saturates over time: out = exp((1 - i alpha) h/2) in.

    dh/dt = (h0 - h)/lifetime - P (exp(h) - 1)/(saturation_power lifetime), h0 the exponent of the
    small-signal gain and P all light that enters at both ends (Agrawal and Olsson 1989, eqs. 3.7 and 3.8,
    with the same exp(-i omega t)). With noise, each end sends out n_sp h nu (exp(h) - 1) W per Hz of
    spontaneous emission, n_sp = 10**(noise_figure_dB/10)/2. Left out: transit time (put a guide beside it),
    loss inside, dependence of the gain on wavelength, the beat of carriers (four-wave mixing), the faster
    processes inside a band.

    Settings:
        gain_dB: gain for weak light.
        saturation_power: power that, times the lifetime, is the saturation energy.
        lifetime: time constant with which the gain recovers.
        linewidth_enhancement: Henry's factor alpha, the change of the index with the gain.
        noise_figure_dB: noise figure at high gain.
    """
    inversion = 10 ** (noise_figure_dB / 10) / 2
    return (gain_dB / NEPER_DB, linewidth_enhancement, saturation_power * lifetime, lifetime, inversion)


@nonlinear(
    ports=("o1", "o2"), inputs=1, source="keller1996", step=absorb, paths=_BOTH_WAYS,
    memory=Memory(states=("absorbance",)), start=lambda q0, *_: (q0,),
    steady=_bleached,
)  # fmt: skip
def saturable_absorber(
    *,
    absorbance: Absorbance = 1.0,
    saturation_power: SaturationPower = 1e-3,
    lifetime: Time = 10e-12,
    loss_dB: Loss_dB = 0.0,
) -> Any:
    """Saturable absorber: transmits exp(-q) of the power, where strong light reduces q over time.

    dq/dt = (absorbance - q)/lifetime - P (1 - exp(-q))/(saturation_power lifetime), P all light that enters
    at both ends: each photon absorbed frees one place (the slow absorber of Keller et al. 1996, integrated
    over its length). Slow light sees q + P/saturation_power (1 - exp(-q)) = absorbance. Left out: change of
    index, two time constants, two-photon absorption, reflection.

    Settings:
        absorbance: exponent q of the absorption for weak light.
        saturation_power: power that, times the lifetime, is the saturation energy.
        lifetime: time constant with which the absorption recovers.
        loss_dB: insertion loss that does not saturate.
    """
    return (absorbance, loss_dB / NEPER_DB, saturation_power * lifetime, lifetime)

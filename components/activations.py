"""Activation functions of optical networks: light that modulates itself."""

from __future__ import annotations

import math
from typing import Annotated, Any

from photosim.kernels.saturation import activate, activate_ring
from photosim.model import Fraction, Loss_dB, Memory, Phase, Quantity, Responsivity, nonlinear

SwitchingVoltage = Annotated[float, Quantity("V", 1e-3, 100.0)]
"""Voltage in V for a phase of pi; never zero."""
Voltage = Annotated[float, Quantity("V", -100.0, 100.0)]
"""A voltage in V."""
Transimpedance = Annotated[float, Quantity("V/A", 0.0, 1e9)]
"""Voltage per current in V/A."""
Bandwidth = Annotated[float, Quantity("Hz", 1.0, 1e15)]
"""A bandwidth in Hz; never zero."""
InjectedCurrent = Annotated[float, Quantity("A", 1e-9, 1e3)]
"""Current in A for a given phase; never zero."""
RingCoupling = Annotated[float, Quantity("1", 1e-9, 1.0)]
"""Power that crosses a ring's coupler; never zero, or light would stay for ever."""


def _modulated(
    m: Any, power: Any, *, tap: Any, responsivity: Any, transimpedance: Any, v_pi: Any, **rest: Any
) -> Any:
    """Return the factor of light that stays: the modulator at its bias and the voltage of what is tapped."""
    half = m.pi * (tap * responsivity * transimpedance * power + rest["bias"]) / (2 * v_pi)
    return m.i * m.sqrt(1 - tap) * m.cis(-half) * m.cos(half)


@nonlinear(
    ports=("o1", "o2"), inputs=1, source="williamson2020", step=activate, paths=(("o1", "o2"),),
    memory=Memory(states=("drive",)), steady=_modulated,
)  # fmt: skip
def electro_optic_activation(
    *,
    tap: Fraction = 0.1,
    responsivity: Responsivity = 0.8,
    transimpedance: Transimpedance = 1e3,
    v_pi: SwitchingVoltage = 10.0,
    bias: Voltage = 10.0,
    bandwidth: Bandwidth = 10e9,
) -> Any:
    """Electro-optic activation function: a detector of tapped light drives a modulator of the other light.

    out = i sqrt(1 - tap) exp(-i x/2) cos(x/2) in with x = g |in|**2 + pi bias/v_pi and g = pi tap
    transimpedance responsivity/v_pi (Williamson et al. 2020, eqs. 5 to 7); |in|**2 passes a first-order
    low-pass first. At a bias of v_pi weak light does not pass (a rectifier); half of v_pi gives an S-shaped
    curve. All carriers drive the modulator and are modulated alike. Left out: noise and saturation of the
    electronics, the delay of light and current (their difference must be small against 1/bandwidth), light
    from o2, which is absorbed.

    Settings:
        tap: fraction of the power that goes to the photodetector.
        responsivity: photocurrent per tapped power.
        transimpedance: voltage at the modulator per photocurrent.
        v_pi: voltage that changes the phase between the modulator's arms by pi.
        bias: constant voltage at the modulator.
        bandwidth: half-power bandwidth of detector and amplifier.
    """
    slope = math.pi * tap * transimpedance * responsivity / v_pi
    return (tap, slope, math.pi * bias / v_pi, bandwidth)


def _detuned(
    m: Any, power: Any, *, tap: Any, responsivity: Any, current_pi: Any, coupling: Any, **rest: Any
) -> Any:
    """Return the factor of light that stays: the ring at the phase that the tapped light leaves it."""
    phase = rest["phase"] - m.pi * tap * responsivity * power / current_pi
    stays, turn = m.sqrt(1 - coupling), m.amplitude_dB(rest["loss_dB"]) * m.cis(phase)
    return m.sqrt(1 - tap) * (stays - turn) / (1 - stays * turn)


@nonlinear(
    ports=("o1", "o2"), inputs=1, source="bandyopadhyay2024", step=activate_ring, paths=(("o1", "o2"),),
    memory=Memory(states=("drive",)), steady=_detuned,
)  # fmt: skip
def ring_activation(
    *,
    tap: Fraction = 0.1,
    responsivity: Responsivity = 1.0,
    current_pi: InjectedCurrent = 1e-3,
    coupling: RingCoupling = 0.2,
    loss_dB: Loss_dB = 0.2,
    phase: Phase = 0.0,
    bandwidth: Bandwidth = 1e9,
) -> Any:
    """Activation function with a ring: a detector of tapped light tunes a ring that filters the other light.

    out = sqrt(1 - tap) (r - x)/(1 - r x) in with r = sqrt(1 - coupling) and x the factor of a round trip, of
    phase `phase` - pi tap responsivity |in|**2/current_pi: carriers lower the index. |in|**2 passes a
    first-order low-pass first. All carriers of light drive the ring and see the same round trip. Left out:
    absorption by the injected carriers, the light's own time in the ring (that of the carriers must be much
    longer), dependence on wavelength, noise and saturation of the detector, light from o2, which is absorbed.

    Settings:
        tap: fraction of the power that goes to the photodetector.
        responsivity: photocurrent per tapped power.
        current_pi: photocurrent that reduces the phase of a round trip by pi.
        coupling: fraction of the power that crosses the coupler between bus and ring.
        loss_dB: loss of a round trip.
        phase: phase of a round trip without light; 0 is on resonance.
        bandwidth: half-power bandwidth of detector and junction.
    """
    slope = math.pi * tap * responsivity / current_pi
    return (tap, slope, phase, (1.0 - coupling) ** 0.5, 10.0 ** (-loss_dB / 20.0), bandwidth)

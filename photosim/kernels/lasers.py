"""The step in time of a class-B laser: a field, a number of carriers, light injected through its mirror."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

PLANCK_J_S = 6.626_070_15e-34
CHARGE_C = 1.602_176_634e-19

NOISE_PARTS = 4
"""Parts of a step for which its noise is given."""
FINE = 0.5
"""Longest step of Runge and Kutta over the time in which carriers or field change."""
LEAST_SHARE = 1e-7
"""Part of a step below which none is taken."""
# Constants of the step, in order.
CURRENT, EFFICIENCY, CARRIER_LIFE, PHOTON_LIFE, GAIN, TRANSPARENT = 0, 1, 2, 3, 4, 5
COMPRESSION, ALPHA, SPONTANEOUS, OUTPUT, PUMP_NOISE, FREQUENCY = 6, 7, 8, 9, 10, 11


@njit(cache=True, error_model="numpy", nogil=True)
def laser_slopes(
    carriers: float, field: complex, injected: complex, detuning: float, k: Any, quiet: bool
) -> Any:
    """Return (dN/dt, dE/dt), |E|**2 in photons; `quiet` adds spontaneous emission's mean to the field."""
    photons = field.real**2 + field.imag**2
    gain = k[GAIN] * (carriers - k[TRANSPARENT]) / (1.0 + k[COMPRESSION] * photons)
    growth = 0.5 * complex(1.0, -k[ALPHA]) * (gain - 1.0 / k[PHOTON_LIFE]) - complex(0.0, detuning)
    d_field = growth * field + injected * math.sqrt(k[OUTPUT] / k[PHOTON_LIFE])
    if quiet:
        emitted = k[SPONTANEOUS] * max(carriers, 0.0) / k[CARRIER_LIFE]
        d_field += emitted / 2 * field / max(photons, 1.0) if photons > 0 else complex(emitted / 2, 0.0)
    d_carriers = k[EFFICIENCY] * k[CURRENT] / CHARGE_C - carriers / k[CARRIER_LIFE] - gain * photons
    return d_carriers, d_field


@njit(cache=True, error_model="numpy", nogil=True)
def fastest_rate(carriers: float, field: complex, detuning: float, k: Any, quiet: bool) -> float:
    """Return the rate in 1/s at which carriers or field, whichever is faster, change of themselves."""
    photons = field.real**2 + field.imag**2
    slope = k[GAIN] / (1.0 + k[COMPRESSION] * photons)
    net = slope * (carriers - k[TRANSPARENT]) - 1.0 / k[PHOTON_LIFE]
    of_field = 0.5 * math.sqrt(1.0 + k[ALPHA] ** 2) * abs(net) + abs(detuning)
    if quiet:
        of_field += k[SPONTANEOUS] * max(carriers, 0.0) / k[CARRIER_LIFE] / (2.0 * max(photons, 1.0))
    return float(max(of_field, 1.0 / k[CARRIER_LIFE] + slope * photons))


@njit(cache=True, error_model="numpy", nogil=True)
def laser_step(
    n: float, e: complex, light: Any, d: float, forces: Any, detuning: float, k: Any, quiet: bool
) -> Any:
    """Return carriers and field after a step d of Runge and Kutta.

    light: what is injected at its beginning and end.  forces: on carriers and field.
    """
    a, b = light
    push, kick = forces
    n1, e1 = laser_slopes(n, e, a, detuning, k, quiet)
    n1, e1 = n1 + push, e1 + kick
    n2, e2 = laser_slopes(n + d / 2 * n1, e + d / 2 * e1, (a + b) / 2, detuning, k, quiet)
    n2, e2 = n2 + push, e2 + kick
    n3, e3 = laser_slopes(n + d / 2 * n2, e + d / 2 * e2, (a + b) / 2, detuning, k, quiet)
    n3, e3 = n3 + push, e3 + kick
    n4, e4 = laser_slopes(n + d * n3, e + d * e3, b, detuning, k, quiet)
    n4, e4 = n4 + push, e4 + kick
    return n + d / 6 * (n1 + 2 * n2 + 2 * n3 + n4), e + d / 6 * (e1 + 2 * e2 + 2 * e3 + e4)


@njit(cache=True, error_model="numpy", nogil=True)
def set_along(k: Any, constants: Any, share: float) -> None:
    """Set k to the constants at a share of the step: on a straight line through its middle and its end."""
    half = k.shape[0]
    for i in range(half):
        k[i] = constants[half + i] + (2.0 * share - 1.0) * (constants[i] - constants[half + i])


def emit(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Carry carriers N and field E over dt by Runge and Kutta; the wave out is sqrt(output/tau_p) E - in.

    Langevin noise of R spontaneous photons per s acts on the field as a force, and on the carriers with what
    the field takes from them: correlations 2 R |E|^2 of the photons, -2 R |E|^2 of both, and 2 R |E|^2 +
    N/tau + noise of the pump of the carriers. Forces are held over a NOISE_PARTS-th of dt: carriers balance
    the photons to a few per cent, so that noise which came at once would show at all frequencies.
    """
    k = constants[constants.shape[0] // 2 :].copy()  # of the middle of the step
    c = int(np.argmin(np.abs(carriers - k[FREQUENCY])))
    detuning = 2 * math.pi * (k[FREQUENCY] - carriers[c])
    photon = math.sqrt(PLANCK_J_S * carriers[c])  # sqrt(W) to sqrt(photons/s)
    steps = 1 + int(dt * (3.0 / k[PHOTON_LIFE] + 2.0 * abs(detuning)))
    quiet = noise.shape[0] == 0
    if not quiet:
        steps = NOISE_PARTS * (1 + (steps - 1) // NOISE_PARTS)
    d = dt / steps
    n, e = state[0], complex(state[1], state[2])
    kick, push = complex(0.0, 0.0), 0.0
    for s in range(steps):
        if not quiet and s % (steps // NOISE_PARTS) == 0:
            of = 3 * (s // (steps // NOISE_PARTS))
            emitted = k[SPONTANEOUS] * max(n, 0.0) / k[CARRIER_LIFE]
            kick = math.sqrt(emitted / (2.0 * dt)) * complex(noise[of], noise[of + 1])
            random = max(n, 0.0) / k[CARRIER_LIFE] + k[PUMP_NOISE] * k[EFFICIENCY] * k[CURRENT] / CHARGE_C
            push = math.sqrt(max(random, 0.0) / dt) * noise[of + 2]
            push -= 2.0 * (e.real * kick.real + e.imag * kick.imag)
        a = (before[0, c] + (now[0, c] - before[0, c]) * (s / steps)) / photon
        b = (before[0, c] + (now[0, c] - before[0, c]) * ((s + 1) / steps)) / photon
        done = 0.0
        while done < 1.0:
            share = min(FINE / max(d * fastest_rate(n, e, detuning, k, quiet), FINE), 1.0 - done)
            set_along(k, constants, (s + done + share / 2) / steps)
            light = a + (b - a) * done, a + (b - a) * (done + share)
            n, e = laser_step(n, e, light, d * share, (push, kick), detuning, k, quiet)
            if not share > LEAST_SHARE:  # too fast to be stepped, or not finite
                n, share = math.nan, 1.0
            done = done + share if done + share < 1.0 - LEAST_SHARE else 1.0
    state[0], state[1], state[2] = n, e.real, e.imag
    out[0, c] = photon * math.sqrt(constants[OUTPUT] / constants[PHOTON_LIFE]) * e - now[0, c]

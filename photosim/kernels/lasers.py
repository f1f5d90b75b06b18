"""The step in time of a class-B laser: a field, a number of carriers, light injected through its mirror."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

PLANCK_J_S = 6.626_070_15e-34
CHARGE_C = 1.602_176_634e-19

# Constants of the step, in order.
CURRENT, EFFICIENCY, CARRIER_LIFE, PHOTON_LIFE, GAIN, TRANSPARENT = 0, 1, 2, 3, 4, 5
COMPRESSION, ALPHA, SPONTANEOUS, OUTPUT, FREQUENCY = 6, 7, 8, 9, 10


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


def emit(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Carry carriers N and field E over dt by Runge and Kutta; the wave out is sqrt(output/tau_p) E - in."""
    k = constants
    c = int(np.argmin(np.abs(carriers - k[FREQUENCY])))
    detuning = 2 * math.pi * (k[FREQUENCY] - carriers[c])
    photon = math.sqrt(PLANCK_J_S * carriers[c])  # sqrt(W) to sqrt(photons/s)
    steps = 1 + int(dt * (3.0 / k[PHOTON_LIFE] + 2.0 * abs(detuning)))
    d = dt / steps
    n, e = state[0], complex(state[1], state[2])
    quiet = noise.shape[0] == 0
    for s in range(steps):
        a = (before[0, c] + (now[0, c] - before[0, c]) * (s / steps)) / photon
        b = (before[0, c] + (now[0, c] - before[0, c]) * ((s + 1) / steps)) / photon
        n1, e1 = laser_slopes(n, e, a, detuning, k, quiet)
        n2, e2 = laser_slopes(n + d / 2 * n1, e + d / 2 * e1, (a + b) / 2, detuning, k, quiet)
        n3, e3 = laser_slopes(n + d / 2 * n2, e + d / 2 * e2, (a + b) / 2, detuning, k, quiet)
        n4, e4 = laser_slopes(n + d * n3, e + d * e3, b, detuning, k, quiet)
        n += d / 6 * (n1 + 2 * n2 + 2 * n3 + n4)
        e += d / 6 * (e1 + 2 * e2 + 2 * e3 + e4)
    if not quiet:
        emitted = k[SPONTANEOUS] * max(n, 0.0) / k[CARRIER_LIFE]
        e += math.sqrt(emitted * dt / 2) * complex(noise[0], noise[1])
    state[0], state[1], state[2] = n, e.real, e.imag
    out[0, c] = photon * math.sqrt(k[OUTPUT] / k[PHOTON_LIFE]) * e - now[0, c]

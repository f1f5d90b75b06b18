"""Steps in time of parts whose gain or loss saturates, and of activations by tapped light."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

PLANCK_J_S = 6.626_070_15e-34


@njit(cache=True, error_model="numpy", nogil=True)
def arriving_power(waves: Any) -> float:
    """Return the power in W of all waves (ports, carriers) in sqrt(W); carriers add in power."""
    total = 0.0
    for p in range(waves.shape[0]):
        for c in range(waves.shape[1]):
            total += waves[p, c].real ** 2 + waves[p, c].imag ** 2
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def gain_slope(h: float, power: float, rest: float, energy: float, lifetime: float) -> float:
    """Return dh/dt of an exponent of gain h (of loss, where it is negative) that light of a power changes."""
    return (rest - h) / lifetime - power / energy * math.expm1(h)


@njit(cache=True, error_model="numpy", nogil=True)
def gain_after(
    h: float, first: float, last: float, rest: float, energy: float, lifetime: float, dt: float
) -> float:
    """Return h after dt by Runge and Kutta, the power going from `first` to `last` on a straight line."""
    fastest = 1.0 / lifetime + max(first, last) / energy * math.exp(max(h, rest))
    steps = 1 + int(4.0 * dt * fastest)
    d = dt / steps
    for k in range(steps):
        a = first + (last - first) * k / steps
        b = first + (last - first) * (k + 1) / steps
        k1 = gain_slope(h, a, rest, energy, lifetime)
        k2 = gain_slope(h + d / 2 * k1, (a + b) / 2, rest, energy, lifetime)
        k3 = gain_slope(h + d / 2 * k2, (a + b) / 2, rest, energy, lifetime)
        k4 = gain_slope(h + d * k3, b, rest, energy, lifetime)
        h += d / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return h


def amplify(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Amplify both ways by exp(h/2 (1 - i alpha)); constants: h0, alpha, energy, lifetime, inversion."""
    alpha, inversion = constants[1], constants[4]
    middle = constants[constants.shape[0] // 2 :]
    rest, energy, lifetime = middle[0], middle[2], middle[3]
    h = gain_after(state[0], arriving_power(before), arriving_power(now), rest, energy, lifetime, dt)
    state[0] = h
    factor = np.exp(complex(h / 2, -alpha * h / 2))
    for c in range(now.shape[1]):
        out[1, c] = factor * now[0, c]
        out[0, c] = factor * now[1, c]
        if noise.shape[0] > 0 and h > 0:
            # Spontaneous emission of one polarisation: n_sp h nu (G - 1) W per Hz leaves at either end.
            spread = math.sqrt(inversion * PLANCK_J_S * carriers[c] * math.expm1(h) / (2 * dt))
            out[1, c] += spread * complex(noise[4 * c], noise[4 * c + 1])
            out[0, c] += spread * complex(noise[4 * c + 2], noise[4 * c + 3])


def absorb(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Absorb both ways by exp(-(q + fixed)/2), light bleaching q; constants: q0, fixed, energy, lifetime."""
    fixed, middle = constants[1], constants[constants.shape[0] // 2 :]
    rest, energy, lifetime = middle[0], middle[2], middle[3]
    state[0] = -gain_after(
        -state[0], arriving_power(before), arriving_power(now), -rest, energy, lifetime, dt
    )
    factor = math.exp(-(state[0] + fixed) / 2)
    for c in range(now.shape[1]):
        out[1, c] = factor * now[0, c]
        out[0, c] = factor * now[1, c]


@njit(cache=True, error_model="numpy", nogil=True)
def low_passed(before: float, first: float, last: float, bandwidth: float, dt: float) -> float:
    """Return a first-order low-pass after dt, its power going from `first` to `last` on a straight line."""
    x = 2 * math.pi * bandwidth * dt
    keep = math.exp(-x)
    ramp = 1.0 - x / 2 + x * x / 6 - x * x * x / 24 if x < 1e-3 else (1.0 - keep) / x
    return keep * before + (ramp - keep) * first + (1.0 - ramp) * last


def activate(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Modulate light by its own tapped power; constants: tap, phase per W, bias phase, bandwidth in Hz."""
    tap, slope, bias = constants[0], constants[1], constants[2]
    bandwidth = constants[constants.shape[0] // 2 + 3]
    # Only o1 has the tap: what comes from o2 is absorbed behind the modulator.
    first, last = arriving_power(before[:1]), arriving_power(now[:1])
    state[0] = low_passed(state[0], first, last, bandwidth, dt)
    half = (slope * state[0] + bias) / 2
    factor = complex(0.0, math.sqrt(1.0 - tap)) * np.exp(complex(0.0, -half)) * math.cos(half)
    for c in range(now.shape[1]):
        out[1, c] = factor * now[0, c]


def activate_ring(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Send light through a ring that its own tapped power detunes.

    Constants: tap, phase per W, phase of a round trip, field that stays at the coupler and that a round trip
    keeps, bandwidth in Hz.
    """
    tap, slope, phase, stays, kept = constants[0], constants[1], constants[2], constants[3], constants[4]
    bandwidth = constants[constants.shape[0] // 2 + 5]
    first, last = arriving_power(before[:1]), arriving_power(now[:1])
    state[0] = low_passed(state[0], first, last, bandwidth, dt)
    turn = kept * np.exp(complex(0.0, phase - slope * state[0]))
    factor = math.sqrt(1.0 - tap) * (stays - turn) / (1.0 - stays * turn)
    for c in range(now.shape[1]):
        out[1, c] = factor * now[0, c]

"""Steps in time of parts whose gain or loss saturates, and of activations by tapped light."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

PLANCK_J_S = 6.626_070_15e-34
FORGOTTEN = 40.0
"""Times that a part needs to forget what it was before, to 4e-18."""


@njit(cache=True, error_model="numpy", nogil=True)
def arriving_power(waves: Any) -> float:
    """Return the power in W of all waves (ports, carriers) in sqrt(W); carriers add in power."""
    total = 0.0
    for p in range(waves.shape[0]):
        for c in range(waves.shape[1]):
            total += waves[p, c].real ** 2 + waves[p, c].imag ** 2
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def gain_slope(h: float, strength: float, rest: float, lifetime: float) -> float:
    """Return dh/dt of an exponent of gain (of loss, where negative) in light of a power over an energy."""
    return (rest - h) / lifetime - strength * math.expm1(h)


@njit(cache=True, error_model="numpy", nogil=True)
def shortest(rate: float, growth: float) -> float:
    """Return d with 4 d (rate + growth d) = 1: a step short against a rate that grows within it."""
    return 0.5 / (rate + math.sqrt(rate * rate + growth))


@njit(cache=True, error_model="numpy", nogil=True)
def balance(rest: float, strength: float) -> float:
    """Return h where rest - h = strength (exp(h) - 1): what it comes to in light that does not change.

    Newton's steps from above, where the curve is steepest, come down to it without passing it.
    """
    h = max(rest, 0.0)
    for _ in range(200):
        grown = math.exp(h)
        down = (rest - h - strength * (grown - 1.0)) / (1.0 + strength * grown)
        h += down
        if abs(down) <= 1e-13 * max(abs(h), 1e-3):
            break
    return h


@njit(cache=True, error_model="numpy", nogil=True)
def gain_after(
    h: float, first: float, last: float, before: float, rest: float, lifetime: float, dt: float
) -> float:
    """Return h after dt, on straight lines the light going from `first` to `last` and rest from `before`.

    The light is a power over the saturation energy, in 1/s. Runge and Kutta, in steps that follow how fast h
    moves. Where it has forgotten its past over a stretch, it is what light and rest of the moment make of it,
    and lags behind that by its own time: however short it is.
    """
    t = 0.0
    climb = (rest - before) / dt
    while t < dt:
        left = dt - t
        a, end = first + (last - first) * (t / dt), last
        own = before + climb * t
        far = left if end >= a / 2 else left * (a / 2) / (a - end)
        b = a + (end - a) * (far / left)
        if far * (1.0 / lifetime + min(a, b)) > FORGOTTEN:
            start, stop = balance(own, a * lifetime), balance(own + climb * far, b * lifetime)
            slowest = 1.0 / lifetime + min(a, b) * math.exp(min(h, start, stop))
            if far * slowest > FORGOTTEN:
                speed = 1.0 / lifetime + b * math.exp(stop)
                h = stop + (math.expm1(stop) * (b - a) / far - climb / lifetime) / (speed * speed)
                t = dt if far == left else t + far
                continue
        # How far h may rise within a step counts too, and how much brighter the light becomes in it: more of
        # either makes h move faster.
        grown, brighter = max(math.exp(h), 1.0), max(end - a, 0.0) / left
        short = shortest(1.0 / lifetime + a * grown, brighter * grown)
        grown = max(math.exp(h + max(own + max(climb, 0.0) * short - h, 0.0) * short / lifetime), 1.0)
        d = shortest(1.0 / lifetime + a * grown, brighter * grown)
        d = left / (1.0 + np.floor(left / d))
        middle, close = a + (end - a) * (d / (2 * left)), a + (end - a) * (d / left)
        k1 = gain_slope(h, a, own, lifetime)
        k2 = gain_slope(h + d / 2 * k1, middle, own + climb * (d / 2), lifetime)
        k3 = gain_slope(h + d / 2 * k2, middle, own + climb * (d / 2), lifetime)
        k4 = gain_slope(h + d * k3, close, own + climb * d, lifetime)
        h += d / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        t = t + d if d < left else dt
    return h


@njit(cache=True, error_model="numpy", nogil=True)
def start_of_step(middle: float, now: float) -> float:
    """Return what a constant was when the step began, from what it is in its middle and now."""
    return 2.0 * middle - now


@njit(cache=True, error_model="numpy", nogil=True)
def saturated_after(h: float, before: Any, now: Any, signs: float, constants: Any, dt: float) -> float:
    """Return the exponent after a step; constants: rest at 0 (times `signs`), energy at 2, lifetime at 3."""
    middle = constants[constants.shape[0] // 2 :]
    rests = signs * start_of_step(middle[0], constants[0]), signs * constants[0]
    energy = max(start_of_step(middle[2], constants[2]), 1e-12 * constants[2])
    first, last = arriving_power(before) / energy, arriving_power(now) / constants[2]
    return gain_after(h, first, last, rests[0], rests[1], middle[3], dt)


def amplify(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Amplify both ways by exp(h/2 (1 - i alpha)); constants: h0, alpha, energy, lifetime, inversion."""
    alpha, inversion = constants[1], constants[4]
    h = saturated_after(state[0], before, now, 1.0, constants, dt)
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
    fixed = constants[1]
    state[0] = -saturated_after(-state[0], before, now, -1.0, constants, dt)
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

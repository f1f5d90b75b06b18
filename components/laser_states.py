"""Where a laser with rate equations comes to rest, and how it moves about it, without steps in time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from photosim.conventions import ELEMENTARY_CHARGE_C
from photosim.kernels.lasers import (
    ALPHA,
    CARRIER_LIFE,
    COMPRESSION,
    CURRENT,
    EFFICIENCY,
    FREQUENCY,
    GAIN,
    OUTPUT,
    PHOTON_LIFE,
    PLANCK_J_S,
    SPONTANEOUS,
    TRANSPARENT,
)

_NEWTON, _AGREED = 60, 1e-12
"""Steps of Newton's method that polish a root, and the relative step with which it ends."""
_OVER = 1e-6
"""Part of the pump's photons from which on the difference of pump and recombination tells their number."""
_FAINT = 1e-9
"""Part of the laser's own field, as injected light moves it, below which light leaves no trace."""


def start(*constants: Any) -> tuple[float, float, float]:
    """Return carriers and field of the steady state without injection.

    There every photon lost is made, G S + R = S/photon_lifetime with R = spontaneous N/carrier_lifetime, and
    the current makes up for what recombines, N/carrier_lifetime + G S.
    """
    current, efficiency, carrier_life, photon_life, gain, transparent, compression, _, spontaneous = (
        constants[:9]
    )
    pump = efficiency * current / ELEMENTARY_CHARGE_C

    def photons(carriers: float) -> float:
        """Photons that the carriers hold; without compression no end where the gain exceeds the loss."""
        emitted = spontaneous * carriers / carrier_life
        left = 1 / photon_life - gain * (carriers - transparent) - compression * emitted
        root = math.sqrt(left**2 + 4 * compression / photon_life * emitted)
        if left > 0:  # the larger root of compression/photon_life S**2 + left S = emitted
            return float(2 * emitted / (left + root))
        return float((root - left) / (2 * compression / photon_life)) if compression > 0 else math.inf

    def used(carriers: float) -> float:
        """Carriers that are spent in a second."""
        return float(carriers / carrier_life * (1 - spontaneous) + photons(carriers) / photon_life)

    low, high = 0.0, transparent + 1 / (gain * photon_life)
    while used(high) < pump:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if used(middle) < pump else (low, middle)
    # Above threshold what the current leaves over; without spontaneous emission nothing else says it.
    over = (pump - low / carrier_life * (1 - spontaneous)) * photon_life
    held = over if over > _OVER * pump * photon_life else min(photons(low), pump * photon_life)
    return low, held**0.5, 0.0


def motion(k: Any, state: Any, detuning: float, injected: complex) -> tuple[Any, Any]:
    """Return d/dt (3,) of carriers N and field (Re E, Im E) at a state, and its derivatives (3, 3) by them.

    k: constants of the step.  detuning: of the laser above the carrier, in rad/s.  injected: what light adds
    to dE/dt, in sqrt(photons) a second.  Spontaneous emission adds its mean, as in a step without noise.
    """
    n, e = float(state[0]), complex(state[1], state[2])
    photons = abs(e) ** 2
    compressed = 1.0 + k[COMPRESSION] * photons
    gain = k[GAIN] * (n - k[TRANSPARENT]) / compressed
    by_n, by_photons = k[GAIN] / compressed, -gain * k[COMPRESSION] / compressed
    turn = 0.5 * complex(1.0, -k[ALPHA])
    growth = turn * (gain - 1.0 / k[PHOTON_LIFE]) - complex(0.0, detuning)
    emitted = k[SPONTANEOUS] * max(n, 0.0) / k[CARRIER_LIFE]
    held = max(photons, 1.0)
    own = emitted / 2.0 / held
    field = (growth + own) * e + injected
    if photons == 0.0:
        field = complex(emitted / 2.0) + injected
    carriers = k[EFFICIENCY] * k[CURRENT] / ELEMENTARY_CHARGE_C - n / k[CARRIER_LIFE] - gain * photons
    slopes = np.zeros((3, 3))
    spread = -(gain + photons * by_photons)
    slopes[0] = -1.0 / k[CARRIER_LIFE] - by_n * photons, 2 * e.real * spread, 2 * e.imag * spread
    per_carrier = (turn * by_n + (k[SPONTANEOUS] / k[CARRIER_LIFE] / 2.0 / held if n > 0 else 0.0)) * e
    bend = turn * by_photons - (own / held if photons > 1.0 else 0.0)
    by_re, by_im = (growth + own + bend * 2 * e.real * e, 1j * (growth + own) + bend * 2 * e.imag * e)
    slopes[1] = per_carrier.real, by_re.real, by_im.real
    slopes[2] = per_carrier.imag, by_re.imag, by_im.imag
    return np.array([carriers, field.real, field.imag]), slopes


def _photons(k: Any, detuning: float, injected: complex) -> list[float]:
    """Return all numbers of photons S > 0 that may stand still with injected light, rising.

    The carriers that S leaves have the gain G = g (pump - Ntr/tau)/(1/tau + (c/tau + g) S), so that growth
    times S times that denominator is a polynomial Q of degree 2, and |Q|^2 = |injected|^2 S denominator^2.
    """
    life, gain, compression = k[CARRIER_LIFE], k[GAIN], k[COMPRESSION]
    pump = k[EFFICIENCY] * k[CURRENT] / ELEMENTARY_CHARGE_C
    turn, lost = 0.5 * complex(1.0, -k[ALPHA]), 1.0 / k[PHOTON_LIFE]
    unit = max(pump * k[PHOTON_LIFE], 4.0 * k[PHOTON_LIFE] ** 2 * abs(injected) ** 2, 1e-300)
    below = np.array([(compression / life + gain) * unit, 1.0 / life])  # numpy's order, highest first
    amplifying = gain * (pump - k[TRANSPARENT] / life)
    growth = np.array([0.0, turn * amplifying]) - (turn * lost + 1j * detuning) * below
    made = k[SPONTANEOUS] / (2 * life) * np.array([(pump * compression + gain * k[TRANSPARENT]) * unit, pump])
    rays = np.polymul([1.0, 0.0], np.polymul(below, below)) * abs(injected) ** 2 / unit
    found: list[float] = []
    for inside, own in ((True, np.polymul([1.0, 0.0], made)), (False, made / unit)):
        q = np.polyadd(np.polymul([1.0, 0.0], growth), own)
        square = np.real(np.polymul(q, q.conj()))
        roots = np.roots(np.polysub(square, rays))
        # Two roots that rounding has parted from the real axis are still one: Newton's method decides.
        near = roots.real[(roots.real > 0) & (np.abs(roots.imag) <= 1e-3 * np.abs(roots))] * unit
        found += [float(s) for s in near if (s <= 1.0) == inside]
    return sorted(found)


def _polished(k: Any, photons: float, detuning: float, injected: complex) -> Any:
    """Return the state (3,) near a number of photons that stands still, and its derivatives; else None."""
    life, gain = k[CARRIER_LIFE], k[GAIN] / (1.0 + k[COMPRESSION] * photons)
    pump = k[EFFICIENCY] * k[CURRENT] / ELEMENTARY_CHARGE_C
    n = (pump + gain * k[TRANSPARENT] * photons) / (1.0 / life + gain * photons)
    growth = 0.5 * complex(1.0, -k[ALPHA]) * (gain * (n - k[TRANSPARENT]) - 1.0 / k[PHOTON_LIFE])
    growth += -1j * detuning + k[SPONTANEOUS] * max(n, 0.0) / life / 2.0 / max(photons, 1.0)
    e = -injected / growth if growth != 0 else complex(math.sqrt(photons))
    e *= math.sqrt(photons) / abs(e)
    state = np.array([n, e.real, e.imag])
    size = np.array([max(n, 1.0), math.sqrt(photons), math.sqrt(photons)])
    for _ in range(_NEWTON):
        slope, by = motion(k, state, detuning, injected)
        try:
            step = np.linalg.solve(by * size, slope)
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all() or np.abs(step).max() > 1e3:
            return None
        state = state - step * size
        if np.abs(step).max() <= _AGREED:
            return state, by
    return None


def settled(constants: Any, light: Any, carriers: Any) -> Any:
    """Return all states (K, 3) in which a laser rests under steady light (1, carriers), of rising photons.

    One that returns from small changes counts: all eigenvalues of its derivatives decay. None (0, 3): light
    does not lock the laser, which beats with it.  constants: of the step, (C,).
    """
    c = int(np.argmin(np.abs(carriers - constants[FREQUENCY])))
    detuning = 2 * math.pi * float(constants[FREQUENCY] - carriers[c])
    rate = math.sqrt(constants[OUTPUT] / constants[PHOTON_LIFE])
    injected = complex(light[0, c]) / math.sqrt(PLANCK_J_S * carriers[c]) * rate
    own = np.array(start(*constants))
    if abs(injected) * constants[PHOTON_LIFE] <= _FAINT * abs(complex(own[1], own[2])):
        return own[np.newaxis]
    found: list[Any] = []
    for photons in _photons(constants, detuning, injected):
        polished = _polished(constants, photons, detuning, injected)
        if polished is None or not (np.linalg.eigvals(polished[1]).real < 0).all():
            continue
        if not any(np.allclose(polished[0], other, rtol=1e-9, atol=0.0) for other in found):
            found.append(polished[0])
    return np.array(found).reshape(-1, 3)


def modulation(constants: Any, grid: Any) -> tuple[float, complex, Any, Any]:
    """Return frequency in Hz and wave in sqrt(W) of a laser's own light, and what a current adds beside it.

    At frequencies (F,) in Hz above 0, in sqrt(W) per A: above the line and below it. The motion is linear
    about rest, in the frame that turns with the light there.
    """
    k = np.asarray(constants, dtype=np.float64)
    rest = np.array(start(*k))
    slope, _ = motion(k, rest, 0.0, 0.0)
    turns = slope[2] / rest[1] if rest[1] else 0.0  # in rad/s against exp(-i omega t): less is a higher one
    _, by = motion(k, rest, turns, 0.0)
    pushed = np.array([k[EFFICIENCY] / ELEMENTARY_CHARGE_C, 0.0, 0.0])
    at = 2j * math.pi * np.asarray(grid, dtype=np.float64)
    found = np.linalg.solve(at[:, np.newaxis, np.newaxis] * np.eye(3) - by, pushed[:, np.newaxis])[..., 0]
    frequency = k[FREQUENCY] - turns / (2 * math.pi)
    wave = math.sqrt(PLANCK_J_S * k[FREQUENCY] * k[OUTPUT] / k[PHOTON_LIFE])
    above = found[:, 1].conj() + 1j * found[:, 2].conj()
    return float(frequency), wave * complex(rest[1]), wave * above, wave * (found[:, 1] + 1j * found[:, 2])

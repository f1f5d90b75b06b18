"""The step in time of a silicon ring that its own light heats, detunes and fills with carriers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

PLANCK_J_S = 6.626_070_15e-34

# Constants of the step, in order; rates in 1/s, energies in J, areas in m**2, densities per cm**3.
RESONANCE, FSR, BUS, DROP, LOSS, ABSORBED, GROUP_INDEX, AREA, KERR, TPA = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
CARRIER_LIFE, THERMAL_RESISTANCE, THERMAL_TIME, THERMO_OPTIC, SPEED = 10, 11, 12, 13, 14
SPLIT = 16.0
"""Steps in half a lifetime of the carriers, where the field is faster than they are."""
MOST_STEPS = 64.0
"""Steps of a sample up to which a field is followed in its own time, whatever the carriers do."""
STILL, CALM = 1e-9, 1e-4
"""Changes over a sample, relative: of light that stays, and of energy up to which one step is enough."""


@njit(cache=True, error_model="numpy", nogil=True)
def carrier_index(density: float) -> float:
    """Return the change of index by a density of pairs per cm**3 (nedeljkovic2011, 1550 nm)."""
    return -(5.40e-22 * density**1.011 + 1.53e-18 * density**0.838) if density > 0 else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def carrier_loss(density: float) -> float:
    """Return the absorption in 1/m by a density of pairs per cm**3 (nedeljkovic2011, 1550 nm)."""
    return 100.0 * (8.88e-21 * density**1.167 + 5.84e-20 * density**1.109) if density > 0 else 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def drift(hot: float, density: float, energy: float, total: float, frequency: float, k: Any) -> Any:
    """Return the rate of the field of one carrier, of its own energy and of all together, at `frequency`."""
    speed = k[SPEED] / k[GROUP_INDEX]
    intensity = (2 * total - energy) * k[FSR] / k[AREA]  # other carriers count twice
    change = k[THERMO_OPTIC] * hot + carrier_index(density) + k[KERR] * intensity
    order = round((frequency - k[RESONANCE]) / k[FSR])
    resonance = (k[RESONANCE] + order * k[FSR]) * (1 - change / k[GROUP_INDEX])
    decay = k[BUS] + k[DROP] + k[LOSS] + speed * (k[TPA] * intensity + carrier_loss(density))
    return complex(-decay / 2, -2 * math.pi * (resonance - frequency))


@njit(cache=True, error_model="numpy", nogil=True)
def driven(field: complex, rate: complex, first: complex, last: complex, d: float) -> Any:
    """Return a field after d: da/dt = rate a + a source that goes from `first` to `last`."""
    z = rate * d
    grown = np.exp(z)
    if abs(z) < 1e-2:
        one = 1 + z / 2 + z * z / 6 + z * z * z / 24
        two = 0.5 + z / 6 + z * z / 24 + z * z * z / 120
    else:
        one = (grown - 1) / z
        two = (grown - 1 - z) / (z * z)
    return grown * field + d * (one * first + two * (last - first))


@njit(cache=True, error_model="numpy", nogil=True)
def relax(hot: float, density: float, energies: Any, carriers: Any, k: Any, d: float) -> Any:
    """Return temperature rise and carrier density after d, with the energies of all carriers held."""
    total = energies.sum()
    speed = k[SPEED] / k[GROUP_INDEX]
    pairs, heat = 0.0, 0.0
    for c in range(energies.shape[0]):
        two_photon = speed * k[TPA] * (2 * total - energies[c]) * k[FSR] / k[AREA]
        pairs += energies[c] * two_photon / (2 * PLANCK_J_S * carriers[c])
        heat += energies[c] * (k[ABSORBED] * k[LOSS] + two_photon + speed * carrier_loss(density))
    volume = k[AREA] * speed / k[FSR] * 1e6  # cm**3
    full = pairs / volume * k[CARRIER_LIFE]
    warm = heat * k[THERMAL_RESISTANCE]
    density = full + (density - full) * math.exp(-d / k[CARRIER_LIFE])
    return warm + (hot - warm) * math.exp(-d / k[THERMAL_TIME]), density


@njit(cache=True, error_model="numpy", nogil=True)
def set_along(k: Any, constants: Any, share: float) -> None:
    """Set k to the constants at a share of the step: on a straight line through its middle and its end."""
    half = k.shape[0]
    for i in range(half):
        k[i] = constants[half + i] + (2.0 * share - 1.0) * (constants[i] - constants[half + i])


@njit(cache=True, error_model="numpy", nogil=True)
def substep(
    state: Any, energies: Any, scratch: Any, light: Any, carriers: Any, k: Any, span: Any, d: float
) -> None:
    """Carry all states over d, the part of a sample from span[0] to span[1].

    Half a step of heat and carriers, a step of the field at its middle energy, and the other half. light:
    that before and that after the sample.
    """
    before, now = light
    count = carriers.shape[0]
    bus, drop = complex(0.0, math.sqrt(k[BUS])), complex(0.0, math.sqrt(k[DROP]))
    for c in range(count):
        energies[c] = state[2 + 2 * c] ** 2 + state[3 + 2 * c] ** 2
    hot, density = relax(state[0], state[1], energies, carriers, k, d / 2)
    middle = energies.copy()
    for again in range(2):
        total = middle.sum()
        for c in range(count):
            rate = drift(hot, density, middle[c], total, carriers[c], k)
            first = bus * (before[0, c] + (now[0, c] - before[0, c]) * span[0])
            first += drop * (before[2, c] + (now[2, c] - before[2, c]) * span[0])
            last = bus * (before[0, c] + (now[0, c] - before[0, c]) * span[1])
            last += drop * (before[2, c] + (now[2, c] - before[2, c]) * span[1])
            field = driven(complex(state[2 + 2 * c], state[3 + 2 * c]), rate, first, last, d)
            if again == 0:
                scratch[c] = field
            else:
                state[2 + 2 * c], state[3 + 2 * c] = field.real, field.imag
        if again == 0:
            for c in range(count):
                after = scratch[c].real ** 2 + scratch[c].imag ** 2
                middle[c] = (energies[c] + after) / 2
    for c in range(count):
        energies[c] = state[2 + 2 * c] ** 2 + state[3 + 2 * c] ** 2
    state[0], state[1] = relax(hot, density, energies, carriers, k, d / 2)


@njit(cache=True, error_model="numpy", nogil=True)
def calm(before: Any, now: Any) -> bool:
    """Return whether light (ports, carriers) has stayed the same over a sample."""
    for p in range(now.shape[0]):
        for c in range(now.shape[1]):
            if abs(now[p, c] - before[p, c]) > STILL * abs(now[p, c]):
                return False
    return True


def circulate(
    state: Any, before: Any, now: Any, out: Any, constants: Any, carriers: Any, noise: Any, dt: float
) -> None:
    """Carry temperature, carriers and the field of each carrier over dt.

    Ports: in o1, drop o2, add o3, through o4. Where light stays and so does the energy, a step of a whole
    sample is as right as many short ones.
    """
    k = constants[constants.shape[0] // 2 :].copy()  # of the middle of the step
    count = carriers.shape[0]
    energies = np.empty(count)
    # A field that follows at once needs no steps of its own time: it is exact in each. Carriers do.
    fast = min(k[BUS] + k[DROP] + k[LOSS], max(SPLIT / k[CARRIER_LIFE], MOST_STEPS / (2.0 * dt)))
    steps = 1 + int(2.0 * dt * fast)
    held = True
    for i in range(k.shape[0]):
        held = held and k[i] == constants[i]
    if steps > 1 and held and calm(before, now):
        saved = state.copy()
        substep(state, energies, out[0], (before, now), carriers, k, (0.0, 1.0), dt)
        moved, whole = 0.0, 0.0
        for c in range(count):
            moved += abs(energies[c] - saved[2 + 2 * c] ** 2 - saved[3 + 2 * c] ** 2)
            whole += energies[c]
        if moved <= CALM * whole:
            steps = 0
        else:
            state[:] = saved
    for s in range(steps):
        set_along(k, constants, (s + 0.5) / steps)
        span = s / steps, (s + 1) / steps
        substep(state, energies, out[0], (before, now), carriers, k, span, dt / steps)
    for c in range(count):
        field = complex(state[2 + 2 * c], state[3 + 2 * c])
        out[0, c] = 0.0
        out[2, c] = 0.0
        out[3, c] = now[0, c] + complex(0.0, math.sqrt(constants[BUS])) * field
        out[1, c] = now[2, c] + complex(0.0, math.sqrt(constants[DROP])) * field

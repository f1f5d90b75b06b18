"""A laser of wide aperture, field and carriers on a grid: its step in time, and steps to where it settles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

HALO = 2
"""Cells beside the grid that repeat its other side."""
# Constants of the steps, in order; diffraction and diffusion over the square of the pitch.
LIFE, PHOTON_LIFE, SLOPE, TRANSPARENT, ALPHA, DETUNING, DIFFRACTION, DIFFUSION = 0, 1, 2, 3, 4, 5, 6, 7


@njit(cache=True, error_model="numpy", nogil=True)
def wrap(a: Any) -> None:
    """Fill the halo of a (n + 2 HALO, n + 2 HALO) from the other sides of its inner part."""
    n = a.shape[0] - 2 * HALO
    for h in range(HALO):
        for j in range(HALO, n + HALO):
            a[h, j] = a[n + h, j]
            a[n + HALO + h, j] = a[HALO + h, j]
    for i in range(n + 2 * HALO):
        for h in range(HALO):
            a[i, h] = a[i, n + h]
            a[i, n + HALO + h] = a[i, HALO + h]


@njit(cache=True, error_model="numpy", nogil=True)
def laplacian(a: Any, i: int, out: Any) -> None:
    """Fill out (n,) with the Laplacian of row i of a padded plane, fourth order in the pitch, which is 1.

    Rows are shifted as whole slices: an index that is only a loop's own lets the loop be vectorised.
    """
    n = out.size
    up2, up, down, down2 = a[i, HALO:], a[i + 1, HALO:], a[i + 3, HALO:], a[i + 4, HALO:]
    left2, left, here = a[i + HALO], a[i + HALO, 1:], a[i + HALO, 2:]
    right, right2 = a[i + HALO, 3:], a[i + HALO, 4:]
    for j in range(n):
        near = up[j] + down[j] + left[j] + right[j]
        far = up2[j] + down2[j] + left2[j] + right2[j]
        out[j] = (4.0 / 3.0) * near - (1.0 / 12.0) * far - 5.0 * here[j]


@njit(cache=True, error_model="numpy", nogil=True)
def slopes(a: Any, driven: Any, pump: Any, k: Any, out: Any) -> None:
    """Fill out (3, n, n) with d/dt of Re E, Im E and N of the padded planes a (3, n + 2 HALO, n + 2 HALO)."""
    n = out.shape[1]
    life, photon_life, slope, transparent, alpha = k[LIFE], k[PHOTON_LIFE], k[SLOPE], k[TRANSPARENT], k[ALPHA]
    detuning, diffraction, diffusion = k[DETUNING], k[DIFFRACTION], k[DIFFUSION]
    lost, spent = 1.0 / photon_life, 1.0 / life  # a division in each cell would take most of the time
    spread = np.empty((3, n))
    for i in range(n):
        for p in range(3):
            laplacian(a[p], i, spread[p])
        re, im, carriers = a[0, i + HALO, HALO:], a[1, i + HALO, HALO:], a[2, i + HALO, HALO:]
        for j in range(n):
            gain = slope * (carriers[j] - transparent)
            growth = 0.5 * (gain - lost)
            turn = -alpha * growth - detuning
            out[0, i, j] = growth * re[j] - turn * im[j] - diffraction * spread[1, j] + driven[0, i, j]
            out[1, i, j] = growth * im[j] + turn * re[j] + diffraction * spread[0, j] + driven[1, i, j]
            used = carriers[j] * spent + gain * (re[j] * re[j] + im[j] * im[j])
            out[2, i, j] = pump[i, j] - used + diffusion * spread[2, j]


@njit(cache=True, error_model="numpy", nogil=True)
def pad(state: Any, slope: Any, ahead: float, now: Any) -> None:
    """Fill the padded planes `now` with state + ahead * slope, both (3, n, n)."""
    n = state.shape[1]
    for p in range(3):
        for i in range(n):
            row = now[p, i + HALO, HALO:]
            for j in range(n):
                row[j] = state[p, i, j] + ahead * slope[p, i, j]
        wrap(now[p])


@njit(cache=True, error_model="numpy", nogil=True)
def add(total: Any, slope: Any, weight: float) -> None:
    """Add weight * slope to total, of three axes each."""
    for p in range(slope.shape[0]):
        for i in range(slope.shape[1]):
            for j in range(slope.shape[2]):
                total[p, i, j] += weight * slope[p, i, j]


@njit(cache=True, error_model="numpy", nogil=True)
def advance(state: Any, driven: Any, pump: Any, k: Any, dt: float, kicks: Any, steps: int) -> None:
    """Carry state (3, n, n), Re E, Im E and N, over `steps` steps of Runge and Kutta.

    driven: what injection adds to dE/dt, (2, n, n).  kicks: what noise adds to Re E and Im E after each
    step, (steps, 2, n, n), or (0, 2, n, n) for none.
    """
    n = state.shape[1]
    now = np.zeros((3, n + 2 * HALO, n + 2 * HALO))
    slope = np.zeros((3, n, n))
    total = np.empty((3, n, n))
    for s in range(steps):
        total[:] = 0.0
        for stage in range(4):
            ahead = 0.0 if stage == 0 else (dt if stage == 3 else dt / 2.0)
            pad(state, slope, ahead, now)
            slopes(now, driven, pump, k, slope)
            add(total, slope, dt / 6.0 if stage in (0, 3) else dt / 3.0)
        add(state, total, 1.0)
        if kicks.shape[0] > 0:
            add(state, kicks[s], 1.0)


@njit(cache=True, error_model="numpy", nogil=True)
def relax(
    right: Any, driven: Any, pump: Any, k: Any, sigma: float, damping: float, carriers: Any, field: Any
) -> None:
    """Half a step to the settled field, (B, n, n) images side by side: what acts cell by cell.

    Carriers go `damping` of the way to where the field's light of before keeps them; then with the local
    growth c the field solves (sigma - c) E = right + driven, and right becomes (sigma + c) E + driven.
    """
    images, n = field.shape[0], field.shape[1]
    before = np.empty((n, n), dtype=carriers.dtype)
    for b in range(images):
        before[:] = carriers[b]
        for i in range(n):
            up, down = (i - 1) % n, (i + 1) % n
            for j in range(n):
                near = before[up, j] + before[down, j] + before[i, (j - 1) % n] + before[i, (j + 1) % n]
                light = field[b, i, j].real ** 2 + field[b, i, j].imag ** 2
                made = pump[i, j] + k[DIFFUSION] * near + k[SLOPE] * k[TRANSPARENT] * light
                kept = made / (1.0 / k[LIFE] + k[SLOPE] * light + 4.0 * k[DIFFUSION])
                value = before[i, j] + damping * (kept - before[i, j])
                carriers[b, i, j] = value
                growth = 0.5 * (k[SLOPE] * (value - k[TRANSPARENT]) - 1.0 / k[PHOTON_LIFE])
                c = complex(growth, -k[ALPHA] * growth - k[DETUNING])
                e = (right[b, i, j] + driven[b, i, j]) / (sigma - c)
                field[b, i, j] = e
                right[b, i, j] = (sigma + c) * e + driven[b, i, j]

"""Crosstalk between wavelength channels: light of the other channels over that of the wanted one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from photosim.kernels import spectra as kernel
from photosim.units import power_dB

if TYPE_CHECKING:
    from numpy.typing import NDArray


def crosstalk_dB(
    wl: NDArray[np.float64], s: NDArray[np.complex128], channels: Sequence[float]
) -> NDArray[np.float64]:
    """Return the crosstalk in dB of elements s (..., W) at rising wl (W,) in um, shape (...).

    The wanted channel of an element is the one that it passes best. Not a number where fewer than two
    channels lie inside the sweep.
    """
    inside = np.array([c for c in channels if wl[0] <= c <= wl[-1]], dtype=np.float64)
    if len(inside) < 2 or len(wl) < 4:
        return np.full(s.shape[:-1], np.nan)
    flat = np.ascontiguousarray(s.reshape(-1, len(wl)), dtype=np.complex128)
    power = np.empty((len(flat), len(inside)))
    kernel.powers_at(wl, flat, inside, power)
    wanted = power.max(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(wanted > 0.0, (power.sum(axis=-1) - wanted) / wanted, np.nan)
    return power_dB(ratio).reshape(s.shape[:-1])

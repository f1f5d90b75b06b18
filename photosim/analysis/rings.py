"""Figures of a ring resonator from its couplings, loss and length.

`kept` is the amplitude that one round trip keeps: r a of an all-pass ring, r1 r2 a of an add-drop ring, where
r**2 = 1 - coupling and a is the amplitude left by the guide. All take numbers or arrays that broadcast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError


def kept_amplitude(*couplings: Any, loss_dB_cm: Any = 0.0, length: Any = 0.0) -> Any:
    """Amplitude that one round trip keeps, from the powers that its couplers take and the loss of its guide.

    >>> round(float(kept_amplitude(0.03, 0.03, loss_dB_cm=2.5, length=62.83)), 4)
    0.9682
    """
    passed = np.prod(np.broadcast_arrays(1.0, *(1.0 - np.asarray(k) for k in couplings)), axis=0)
    return np.sqrt(passed) * 10.0 ** (-np.asarray(loss_dB_cm) * length * 1e-4 / 20.0)


def free_spectral_range(wl: Any, ng: Any, length: Any) -> Any:
    """Distance of neighbouring resonances in um, wl**2/(ng length): bogaerts2012, eq. 10.

    >>> round(float(free_spectral_range(1.55, 4.19088, 62.832)), 5)
    0.00912
    """
    return np.asarray(wl) ** 2 / (ng * np.asarray(length))


def finesse(kept: Any) -> Any:
    """Free spectral range over full width at half maximum: pi/(2 arcsin((1 - kept)/(2 sqrt(kept)))).

    From the exact width of the peak that a drop port or the light inside the ring has. bogaerts2012, eq. 21,
    is its limit pi sqrt(kept)/(1 - kept), which at a finesse of 6 is 1 % more. Raises ParameterError where
    the resonance is too weak to fall to half its maximum (kept below 0.1716), and where nothing is lost
    (kept 1 or more).

    >>> round(float(finesse(0.9682)), 1)
    97.2
    """
    kept = np.asarray(kept, dtype=np.float64)
    lowest = 3.0 - 2.0 * np.sqrt(2.0)
    if not np.all((kept >= lowest) & (kept < 1.0)):
        message = (
            f"a finesse needs a kept amplitude of {lowest:.4f} to 1 (excluded): below, the light never falls "
            "to half its maximum; at 1, the ring never empties."
        )
        raise ParameterError(message)
    return np.pi / (2.0 * np.arcsin((1.0 - kept) / (2.0 * np.sqrt(kept))))


def loaded_q(wl: Any, ng: Any, length: Any, kept: Any) -> Any:
    """Wavelength over full width at half maximum: finesse times ng length/wl (bogaerts2012, eqs. 22 and 23).

    >>> round(float(loaded_q(1.55, 4.19088, 62.832, 0.9682)))
    16514
    """
    return finesse(kept) * ng * np.asarray(length) / wl


def photon_lifetime(ng: Any, length: Any, kept: Any) -> Any:
    """Time in s in which the light in a ring that is no longer fed falls to 1/e of its power.

    Each round trip takes ng length/c and keeps kept**2 of the power.
    """
    return -np.asarray(ng) * length / SPEED_OF_LIGHT_UM_S / (2.0 * np.log(kept))

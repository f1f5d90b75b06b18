"""Bragg gratings in a guide, layer by layer: uniform, apodised, with a phase shift in the middle."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.model import numerical
from photosim.quantities import Index, Loss_dB_cm, Phase, Quantity, Wavelength

Periods = Annotated[int, Quantity("1", 1, 100_000, whole=True)]
"""Number of periods of a grating."""
CouplingPerLength = Annotated[float, Quantity("1/um", 0.0, 1.0)]
"""Coupling coefficient of a grating per um."""
Apodization = Annotated[float, Quantity("1", 0.0, 50.0)]
"""How fast a Gaussian profile falls: exp(-apodization) at both ends."""


def _index_steps(periods: int, kappa: float, wl0: float, apodization: float) -> Any:
    """Half the difference of the two indices in each period, shape (periods,)."""
    place = (2 * np.arange(periods) + 1 - periods) / periods
    # kappa = 2 (high - low)/wl0: two reflections of (high - low)/(2 neff) in a period of wl0/(2 neff).
    return kappa * wl0 / 4 * np.exp(-apodization * place**2)


def _layers(
    wl: Any,
    *,
    periods: int,
    kappa: float,
    apodization: float,
    shift: float,
    neff: float,
    ng: float,
    wl0: float,
    loss_dB_cm: float,
) -> Any:
    """Taylor coefficients in wavelength, (3 orders, left/right/through, W)."""
    # numba loads when a grating is first computed, not with the library.
    from photosim.kernels.gratings import grating

    grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    slope = -(ng - neff) / wl0
    index = np.stack((neff + slope * (grid - wl0), np.full_like(grid, slope), np.zeros_like(grid)))
    inverse = np.stack((1 / grid, -1 / grid**2, 1 / grid**3))
    layer = wl0 / (4 * neff)
    steps = _index_steps(int(periods), kappa, wl0, apodization)
    out = np.empty((3, 3, grid.size), dtype=np.complex128)
    amplitude = 10 ** (-loss_dB_cm * layer * 1e-4 / 20)
    grating(index, 2 * np.pi * inverse, steps, layer, shift * wl0 * inverse, amplitude, out)
    return out


def _matrices(values: Any) -> Any:
    """S-matrices (..., W, 2, 2) from left, right, through on the second axis from the right."""
    left, right, through = np.moveaxis(values, -2, 0)
    return np.stack((np.stack((left, through), -1), np.stack((through, right), -1)), -2)


def _series(wl: Any, orders: int, **settings: Any) -> Any:
    return _matrices(_layers(wl, **settings))[:orders]


@numerical(
    ports=("o1", "o2"), source="erdogan1997", reciprocal=True, lossless_when={"loss_dB_cm": 0.0},
    series_of=_series,
)  # fmt: skip
def bragg_grating(
    wl: Any,
    *,
    periods: Periods = 300,
    kappa: CouplingPerLength = 0.03,
    apodization: Apodization = 0.0,
    shift: Phase = 0.0,
    neff: Index = 2.44553,
    ng: Index = 4.19088,
    wl0: Wavelength = 1.55,
    loss_dB_cm: Loss_dB_cm = 0.0,
) -> Any:
    """Bragg grating in a guide: uniform, apodised, or with a phase shift in its middle, for one mode.

    Every period wl0/(2 neff) is a layer of higher index and one of lower, and reflects at both steps as
    Fresnel says. The steps are as high as the coupling coefficient kappa of coupled-mode theory asks for: a
    uniform grating reflects tanh(kappa L)**2 at wl0 and has a stop band of kappa wl0**2/(pi ng). An apodised
    one has steps that fall as exp(-apodization z**2) from the middle (z = 0) to the ends (z = 1), at a
    constant mean index. A `shift` of pi/2 opens a pass line at wl0. Layers are joined as scattering matrices,
    which stay finite where the transfer matrix of a strong grating would overflow. Left out: radiation,
    other modes and polarisations, rough walls, curvature of the guide's dispersion.

    Settings:
        periods: number of periods.
        kappa: coupling coefficient in the middle of the grating.
        apodization: exponent of the Gaussian profile at both ends; 0 is a uniform grating.
        shift: phase that a wave gains once between the two halves, at wl0.
        neff: mean effective index at wl0.
        ng: group index at wl0.
        wl0: Bragg wavelength, at which neff, ng and shift are given.
        loss_dB_cm: propagation loss.
    """
    return _matrices(
        _layers(
            wl, periods=periods, kappa=kappa, apodization=apodization, shift=shift, neff=neff, ng=ng,
            wl0=wl0, loss_dB_cm=loss_dB_cm,
        )[0]
    )  # fmt: skip

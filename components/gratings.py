"""Gratings, period by period: Bragg gratings in a guide, and between two guides that light changes over."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.components.guides import COLD_PLACEHOLDER, STRIP_INDICES, ColdGuide
from photosim.model import Index, Loss_dB_cm, Phase, Quantity, Wavelength, grouped, numerical

Periods = Annotated[int, Quantity("1", 1, 100_000, whole=True)]
"""Number of periods of a grating."""
CouplingPerLength = Annotated[float, Quantity("1/um", 0.0, 1.0)]
"""Coupling coefficient of a grating per um."""
Apodization = Annotated[float, Quantity("1", 0.0, 50.0)]
"""How fast a Gaussian profile falls: exp(-apodization) at both ends."""


_STRIP = COLD_PLACEHOLDER.changed(**STRIP_INDICES.settings())


def _profile(periods: int, apodization: float) -> Any:
    """Strength of each period relative to the middle of the grating, shape (periods,)."""
    place = (2 * np.arange(periods) + 1 - periods) / periods
    return np.exp(-apodization * place**2)


@grouped
def _layers(
    wl: Any,
    *,
    periods: int,
    kappa: float,
    apodization: float,
    shift: float,
    guide: ColdGuide,
) -> Any:
    """Taylor coefficients in wavelength, (3 orders, left/right/through, W)."""
    # numba loads when a grating is first computed, not with the library.
    from photosim.kernels.gratings import grating

    neff, wl0 = guide.neff, guide.wl0
    grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    slope = -(guide.ng - neff) / wl0
    index = np.stack((neff + slope * (grid - wl0), np.full_like(grid, slope), np.zeros_like(grid)))
    inverse = np.stack((1 / grid, -1 / grid**2, 1 / grid**3))
    layer = wl0 / (4 * neff)
    # kappa = 2 (high - low)/wl0: two reflections of (high - low)/(2 neff) in a period of wl0/(2 neff).
    steps = kappa * wl0 / 4 * _profile(int(periods), apodization)
    out = np.empty((3, 3, grid.size), dtype=np.complex128)
    amplitude = 10 ** (-guide.loss_dB_cm * layer * 1e-4 / 20)
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
    guide: ColdGuide = _STRIP,
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
        wl0: Bragg wavelength, at which neff, ng and shift are given.
    """
    return _matrices(
        _layers(
            wl, periods=periods, kappa=kappa, apodization=apodization, shift=shift, **guide.settings(),
        )[0]
    )  # fmt: skip


def _contra(
    wl: Any,
    *,
    periods: int,
    kappa: float,
    apodization: float,
    neff: float,
    neff_2: float,
    ng: float,
    ng_2: float,
    wl0: float,
    loss_dB_cm: float,
) -> Any:
    """Taylor coefficients in wavelength of the S-matrix, (3 orders, W, 4, 4)."""
    from photosim.kernels.gratings import mirrors

    grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    period = wl0 / (neff + neff_2)
    periods = int(periods)

    def phases(index: float, group: float, length: float) -> Any:
        """Series in wavelength of 2 pi n length/wl: n is linear, so only its value at 0 goes as 1/wl."""
        slope = -(group - index) / wl0
        k = 2 * np.pi * length * (index - slope * wl0)
        return np.stack((k / grid + 2 * np.pi * length * slope, -k / grid**2, k / grid**3))

    half = phases(neff, ng, period / 4) + phases(neff_2, ng_2, period / 4)
    out = np.empty((3, 3, grid.size), dtype=np.complex128)
    amplitude = 10 ** (-loss_dB_cm * period / 2 * 1e-4 / 20)
    mirrors(half, kappa * period * _profile(periods, apodization), amplitude, out)
    # The guides differ by this phase over half of the grating's length; it only tells the two ways apart.
    apart = phases(neff, ng, periods * period / 2) - phases(neff_2, ng_2, periods * period / 2)
    turn = np.exp(1j * apart[0])
    ahead = np.stack((turn, 1j * apart[1] * turn, (1j * apart[2] - apart[1] ** 2 / 2) * turn))
    # Of modulus 1 at every real wavelength, so that one over it is its conjugate.
    return _four_ports(out[:, 0], out[:, 1], _product(out[:, 2], ahead), _product(out[:, 2], ahead.conj()))


def _product(a: Any, b: Any) -> Any:
    """Product of two series in wavelength, (3, W)."""
    return np.stack((a[0] * b[0], a[0] * b[1] + a[1] * b[0], a[0] * b[2] + a[1] * b[1] + a[2] * b[0]))


def _four_ports(left: Any, right: Any, lower: Any, upper: Any) -> Any:
    """S-matrices (..., W, 4, 4): o1 to o2 left, o3 to o4 right, o1 to o4 lower, o2 to o3 upper, and back."""
    s = np.zeros((*left.shape, 4, 4), dtype=np.complex128)
    s[..., 0, 1] = s[..., 1, 0] = left
    s[..., 2, 3] = s[..., 3, 2] = right
    s[..., 0, 3] = s[..., 3, 0] = lower
    s[..., 1, 2] = s[..., 2, 1] = upper
    return s


def _contra_series(wl: Any, orders: int, **settings: Any) -> Any:
    return _contra(wl, **settings)[:orders]


def _contra_structure(**_: Any) -> tuple[tuple[int, int], ...]:
    return tuple((int(a), int(b)) for a, b in np.argwhere(_four_ports(*np.ones((4, 1)))[0]))


@numerical(
    ports=("o1", "o2", "o3", "o4"), source="shi2013", reciprocal=True, lossless_when={"loss_dB_cm": 0.0},
    series_of=_contra_series, structure_of=_contra_structure,
)  # fmt: skip
def contra_directional_coupler(
    wl: Any,
    *,
    periods: Periods = 400,
    kappa: CouplingPerLength = 0.02,
    apodization: Apodization = 0.0,
    neff: Index = 2.38,
    neff_2: Index = 2.46,
    ng: Index = 4.2,
    ng_2: Index = 4.2,
    wl0: Wavelength = 1.55,
    loss_dB_cm: Loss_dB_cm = 0.0,
) -> Any:
    """Contra-directional coupler: a grating between two unequal guides drops one band backwards.

    Light of wl0 that enters the lower guide at o1 leaves the upper one at o2, on the same side; other light
    goes on to o4. Each period wl0/(neff + neff_2) has in its middle a mirror that couples the two guides
    backwards, i tanh(kappa period), so that a uniform grating drops tanh(kappa L)**2 at wl0, in a band of
    2 kappa wl0**2/(pi (ng + ng_2)). Periods are joined as scattering matrices, which stay finite where the
    product of transfer matrices of a strong grating would overflow. Apodised as `bragg_grating`. Left out:
    reflection within each guide (bands of their own at other wavelengths), coupling forwards between the
    guides, radiation.

    Settings:
        periods: number of periods.
        kappa: coupling coefficient between the guides in the middle of the grating.
        apodization: exponent of the Gaussian profile at both ends; 0 is a uniform grating.
        neff: effective index of the lower guide, o1 to o4, at wl0.
        neff_2: effective index of the upper guide, o2 to o3, at wl0.
        ng: group index of the lower guide at wl0.
        ng_2: group index of the upper guide at wl0.
        wl0: wavelength at the centre of the band, at which the indices are given.
        loss_dB_cm: propagation loss of both guides.
    """
    return _contra(
        wl, periods=periods, kappa=kappa, apodization=apodization, neff=neff, neff_2=neff_2, ng=ng, ng_2=ng_2,
        wl0=wl0, loss_dB_cm=loss_dB_cm,
    )[0]  # fmt: skip

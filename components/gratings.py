"""Gratings, period by period: Bragg gratings in a guide, and between two guides that light changes over."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from photosim.components.guides import STRIP, Guide, GuidedMode
from photosim.model import Index, Phase, Quantity, grouped, numerical

Periods = Annotated[int, Quantity("1", 1, 100_000, whole=True)]
"""Number of periods of a grating."""
CouplingPerLength = Annotated[float, Quantity("1/um", 0.0, 1.0)]
"""Coupling coefficient of a grating per um."""
Apodization = Annotated[float, Quantity("1", 0.0, 50.0)]
"""How fast a Gaussian profile falls: exp(-apodization) at both ends."""


_LOSSLESS = STRIP.changed(loss_dB_cm=0.0)
# Two guides of unequal widths, each with the group index of the strip.
_LOWER = _LOSSLESS.changed(neff=2.38, ng=4.2)


def _profile(periods: int, apodization: float) -> Any:
    """Strength of each period relative to the middle of the grating, shape (periods,)."""
    place = (2 * np.arange(periods) + 1 - periods) / periods
    return np.exp(-apodization * place**2)


def _inverse(grid: Any) -> Any:
    """Taylor coefficients in wavelength of 1/wl, (3, W)."""
    return np.stack((1 / grid, -1 / grid**2, 1 / grid**3))


def _index(mode: GuidedMode, grid: Any) -> Any:
    """Taylor coefficients in wavelength of the effective index, (3, W)."""
    made_neff, made_ng = mode.neff + mode.change(), mode.ng + mode.group_change()
    bend = mode.bend()
    slope = -(made_ng - made_neff) / mode.wl0 - bend * (1 - (mode.wl0 / grid) ** 2)
    return np.stack((mode.index(grid) + 0 * grid, slope, -bend * mode.wl0**2 / grid**3))


@grouped
def _layers(
    wl: Any,
    *,
    periods: int,
    kappa: float,
    apodization: float,
    shift: float,
    guide: Guide,
) -> Any:
    """Taylor coefficients in wavelength, (3 orders, left/right/through, W)."""
    # numba loads when a grating is first computed, not with the library.
    from photosim.kernels.gratings import grating

    neff, wl0 = guide.neff, guide.wl0
    grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    index, inverse = _index(guide, grid), _inverse(grid)
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
    guide: Guide = _LOSSLESS,
) -> Any:
    """Bragg grating in a waveguide: uniform, apodised, or with a phase shift in its middle, for one mode.

    Every period wl0/(2 neff) is a layer of higher index and one of lower, and reflects at both steps as
    Fresnel says. The height of the steps follows from kappa, the coupling coefficient of coupled-mode theory:
    a uniform grating reflects tanh(kappa L)**2 at wl0 and has a stop band of kappa wl0**2/(pi ng). An
    apodised one has steps that fall as exp(-apodization z**2) from the middle (z = 0) to the ends (z = 1), at
    a constant mean index. A `shift` of pi/2 opens a pass line at wl0. Layers are joined as scattering
    matrices, which stay finite where the transfer matrix of a strong grating would overflow. Left out:
    radiation, other modes and polarisations, rough walls, thermal expansion of the periods.

    Settings:
        periods: number of periods.
        kappa: coupling coefficient in the middle of the grating.
        apodization: exponent of the Gaussian profile at both ends; 0 is a uniform grating.
        shift: phase that a wave gains once between the two halves, at wl0.
        neff: mean effective index at wl0 and 300 K.
        wl0: Bragg wavelength at 300 K, at which neff, ng and shift are given.
    """
    return _matrices(
        _layers(
            wl, periods=periods, kappa=kappa, apodization=apodization, shift=shift, **guide.settings(),
        )[0]
    )  # fmt: skip


@grouped
def _contra(
    wl: Any, *, periods: int, kappa: float, apodization: float, neff_2: float, ng_2: float, guide: Guide
) -> Any:
    """Taylor coefficients in wavelength of the S-matrix, (3 orders, W, 4, 4)."""
    from photosim.kernels.gratings import mirrors

    grid = np.atleast_1d(np.asarray(wl, dtype=np.float64))
    lower, upper = guide, guide.changed(neff=neff_2, ng=ng_2)
    period = guide.wl0 / (lower.neff + upper.neff)
    periods = int(periods)

    def phases(mode: GuidedMode, length: float) -> Any:
        """Series in wavelength of 2 pi index length/wl, (3, W)."""
        return 2 * np.pi * length * _product(_index(mode, grid), _inverse(grid))

    half = phases(lower, period / 4) + phases(upper, period / 4)
    out = np.empty((3, 3, grid.size), dtype=np.complex128)
    amplitude = 10 ** (-guide.loss_dB_cm * period / 2 * 1e-4 / 20)
    mirrors(half, kappa * period * _profile(periods, apodization), amplitude, out)
    # The guides differ by this phase over half of the grating's length; it only tells the two ways apart.
    apart = phases(lower, periods * period / 2) - phases(upper, periods * period / 2)
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
    series_of=_contra_series, structure_of=_contra_structure, symmetries={("o4", "o3", "o2", "o1"): {}},
)  # fmt: skip
def contra_directional_coupler(
    wl: Any,
    *,
    periods: Periods = 400,
    kappa: CouplingPerLength = 0.02,
    apodization: Apodization = 0.0,
    neff_2: Index = 2.46,
    ng_2: Index = 4.2,
    guide: Guide = _LOWER,
) -> Any:
    """Contra-directional coupler: a grating between two unequal waveguides drops one band of wavelengths.

    Light of wl0 that enters the lower guide at o1 leaves the upper one at o2, on the same side; other light
    goes on to o4. Each period wl0/(neff + neff_2) has in its middle a mirror that couples the two guides
    backwards, i tanh(kappa period), so that a uniform grating drops tanh(kappa L)**2 at wl0, in a band of
    2 kappa wl0**2/(pi (ng + ng_2)). Periods are joined as scattering matrices, which stay finite where the
    product of transfer matrices of a strong grating would overflow. Apodised as `bragg_grating`. Left out:
    reflection within each guide (bands of their own at other wavelengths), coupling forwards between the
    guides, radiation, thermal expansion of the periods.
    Temperature, width and height change both guides alike.

    Settings:
        periods: number of periods.
        kappa: coupling coefficient between the guides in the middle of the grating.
        apodization: exponent of the Gaussian profile at both ends; 0 is a uniform grating.
        neff: effective index of the lower guide, o1 to o4, at wl0 and 300 K.
        neff_2: effective index of the upper guide, o2 to o3, at wl0 and 300 K.
        ng: group index of the lower guide at wl0.
        ng_2: group index of the upper guide at wl0.
        wl0: wavelength at the centre of the band at 300 K, at which the indices are given.
        loss_dB_cm: propagation loss of both guides.
    """
    return _contra(
        wl, periods=periods, kappa=kappa, apodization=apodization, neff_2=neff_2, ng_2=ng_2,
        **guide.settings(),
    )[0]  # fmt: skip

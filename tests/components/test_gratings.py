"""Bragg gratings against a product of transfer matrices, coupled-mode theory, and the laws of optics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import photosim as ps
from photosim.model import Numerical, registry

NEFF, NG = 2.44553, 4.19088
WL = np.linspace(1.54, 1.56, 41)


def model() -> Numerical:
    found = registry.get("bragg_grating")
    assert isinstance(found, Numerical)
    return found


def grating(wl: Any = WL, **given_settings: Any) -> Any:
    return model().s(wl, **given_settings)


def product_of_transfer_matrices(
    wl: float, periods: int, kappa: float, apodization: float, shift: float
) -> Any:
    """S-matrix at one wavelength by the textbook: field amplitudes (right, left) through every layer."""
    index = NEFF - (wl - 1.55) * (NG - NEFF) / 1.55
    layer = 1.55 / (4 * NEFF)
    total, before = np.eye(2, dtype=complex), index

    def enter(n: float) -> Any:
        ratio = np.sqrt(n / before)
        return np.array([[ratio + 1 / ratio, 1 / ratio - ratio], [1 / ratio - ratio, ratio + 1 / ratio]]) / 2

    for p in range(periods):
        if p == periods // 2:
            total = total @ enter(index)
            total, before = total @ np.diag(np.exp(np.array([-1j, 1j]) * shift * 1.55 / wl)), index
        step = kappa * 1.55 / 4 * np.exp(-apodization * ((2 * p + 1 - periods) / periods) ** 2)
        for n in (index + step, index - step):
            total, before = total @ enter(n), n
            total = total @ np.diag(np.exp(np.array([-1j, 1j]) * 2 * np.pi * n * layer / wl))
    total = total @ enter(index)
    through = 1 / total[0, 0]
    return np.array([[total[1, 0] * through, through], [through, -total[0, 1] * through]])


@given(
    periods=st.integers(1, 60), kappa=st.floats(0.0, 0.5), apodization=st.floats(0.0, 5.0),
    shift=st.floats(-4.0, 4.0),
)  # fmt: skip
@settings(max_examples=30)
def test_kernel_is_the_product_of_transfer_matrices(**shape: Any) -> None:
    twin = np.array([product_of_transfer_matrices(float(wl), **shape) for wl in WL[::8]])
    np.testing.assert_allclose(grating(WL[::8], **shape), twin, atol=1e-11)


@given(
    periods=st.integers(1, 400), kappa=st.floats(0.0, 1.0), apodization=st.floats(0.0, 10.0),
    shift=st.floats(-4.0, 4.0), loss=st.floats(0.0, 100.0),
)  # fmt: skip
@settings(max_examples=30)
def test_gratings_are_passive_and_reciprocal_and_lossless_ones_unitary(loss: float, **shape: Any) -> None:
    for loss_dB_cm in (0.0, loss):
        s = grating(loss_dB_cm=loss_dB_cm, **shape)
        assert np.array_equal(s, np.swapaxes(s, 1, 2))
        norms = np.linalg.svd(s, compute_uv=False)
        assert norms.max() <= 1 + 1e-10
        if loss_dB_cm == 0.0:
            # 400 periods of roundings, up to the finesse of a phase-shifted grating.
            np.testing.assert_allclose(norms, 1.0, atol=1e-10)


def coupled_modes(wl: Any, kappa: float, length: float) -> Any:
    """Reflected power of a uniform grating: erdogan1997, eq. 20, detuning from the guide's phase constant."""
    index = NEFF - (wl - 1.55) * (NG - NEFF) / 1.55
    detuning = 2 * np.pi * index / wl - 2 * np.pi * NEFF / 1.55
    decay = np.sqrt((kappa**2 - detuning**2).astype(complex))
    sine, cosine = np.sinh(decay * length) * kappa, np.cosh(decay * length)
    return np.abs(sine / (decay * cosine - 1j * detuning * np.sinh(decay * length))) ** 2


@pytest.mark.parametrize(("kappa", "bound"), [(0.003, 3e-3), (0.01, 1e-2), (0.03, 3e-2)])
def test_uniform_grating_is_that_of_coupled_mode_theory(kappa: float, bound: float) -> None:
    # The theory keeps one order of kappa over the phase constant of 9.9 per um: 3e-4 to 3e-3.
    periods = round(3.0 / kappa / (1.55 / 2 / NEFF))
    length = periods * 1.55 / 2 / NEFF
    wl = 1.55 + np.linspace(-3, 3, 301) * kappa * 1.55**2 / (2 * np.pi * NG)
    reflected = np.abs(grating(wl, periods=periods, kappa=kappa)[:, 0, 0]) ** 2
    assert np.abs(reflected - coupled_modes(wl, kappa, length)).max() < bound
    middle = np.abs(grating([1.55], periods=periods, kappa=kappa)[0, 0, 0])
    assert middle == pytest.approx(np.tanh(kappa * length), abs=1e-5)


def test_strong_grating_does_not_overflow() -> None:
    s = grating([1.55], periods=100_000, kappa=0.5)[0]  # its transfer matrix has elements of exp(15,800)
    assert abs(s[0, 0]) == pytest.approx(1.0, abs=1e-9)
    assert abs(s[1, 0]) < 1e-300


def test_quarter_wave_shift_opens_a_line_at_the_bragg_wavelength() -> None:
    shape = {"periods": 300, "kappa": 0.03}
    closed, opened = (
        np.abs(grating([1.55], shift=shift, **shape)[0, 1, 0]) ** 2 for shift in (0.0, np.pi / 2)
    )
    assert closed == pytest.approx(1 / np.cosh(0.03 * 300 * 1.55 / 2 / NEFF) ** 2, rel=0.02)
    assert opened > 0.99


def test_apodised_grating_has_no_side_lobes() -> None:
    wl = np.concatenate((np.linspace(1.5, 1.54, 801), np.linspace(1.56, 1.6, 801)))
    lobes = [
        10 * np.log10((np.abs(grating(wl, periods=600, kappa=0.02, apodization=a)[:, 0, 0]) ** 2).max())
        for a in (0.0, 4.0)
    ]
    assert lobes[1] < lobes[0] - 20


@pytest.mark.parametrize("shape", [{}, {"apodization": 3.0}, {"shift": 1.5, "loss_dB_cm": 20.0}])
def test_series_is_the_derivative(shape: dict[str, float]) -> None:
    step = 1e-6
    low, middle, high = (grating(WL + k * step, **shape) for k in (-1, 0, 1))
    value, slope, half_curvature = model().series(WL, 3, **shape)
    np.testing.assert_array_equal(value, middle)
    scale = np.abs(slope).max()
    np.testing.assert_allclose(slope, (high - low) / (2 * step), atol=1e-5 * scale)
    scale = np.abs(half_curvature).max()
    np.testing.assert_allclose(half_curvature, (high - 2 * middle + low) / (2 * step**2), atol=1e-3 * scale)


def test_light_is_never_early() -> None:
    net = {"instances": {"x": {"component": "bragg_grating"}}, "ports": {"in": "x,o1", "out": "x,o2"}}
    s = ps.Circuit(net)(np.linspace(1.5, 1.6, 501))
    assert s["in", "in"].group_delay.min() > 0
    # Tunnelling through the stop band is faster than the guide, but never before the light arrives.
    assert s["in", "out"].group_delay.min() > 0
    far = ps.Circuit(net)([1.3])["in", "out"].group_delay[0]
    assert far == pytest.approx(NG * 300 * 1.55 / 2 / NEFF / 299_792_458e6, rel=2e-3)

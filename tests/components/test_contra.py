"""Contra-directional coupler: against coupled-mode theory and a twin that multiplies transfer matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from photosim.model import Numerical, registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONTRA = cast("Numerical", registry.get("contra_directional_coupler"))
PERIOD = 1.55 / (2.38 + 2.46)
WL = np.linspace(1.542, 1.558, 161)


def beta(wl: Any, neff: float, ng: float = 4.2) -> Any:
    return 2 * np.pi / wl * (neff - (wl - 1.55) * (ng - neff) / 1.55)


def multiplied(
    wl: float, periods: int, kappa: float, apodization: float, loss: float
) -> NDArray[np.complex128]:
    """Waves (a right, b left) that leave per waves (a left, b right) that enter, by transfer matrices."""
    turn_a = np.exp(1j * beta(wl, 2.38) * PERIOD / 2) * 10 ** (-loss * PERIOD / 2 * 1e-4 / 20)
    turn_b = np.exp(1j * beta(wl, 2.46) * PERIOD / 2) * 10 ** (-loss * PERIOD / 2 * 1e-4 / 20)
    half = np.diag([turn_a, 1 / turn_b])  # of (a forwards, b backwards) from left to right
    total = np.eye(2, dtype=complex)
    for k in range(periods):
        place = (2 * k + 1 - periods) / periods
        angle = kappa * PERIOD * np.exp(-apodization * place**2)
        t, r = 1 / np.cosh(angle), 1j * np.tanh(angle)
        # a' = t a + r b', b = r a + t b'  solved for (a', b') by (a, b)
        mirror = np.array([[t - r * r / t, r / t], [-r / t, 1 / t]])
        total = half @ mirror @ half @ total
    left = -total[1, 0] / total[1, 1]
    return np.array([[total[0, 0] + total[0, 1] * left, total[0, 1] / total[1, 1]], [left, 1 / total[1, 1]]])


@pytest.mark.parametrize(("apodization", "loss"), [(0.0, 0.0), (3.0, 0.0), (0.0, 20.0)])
def test_kernel_is_a_product_of_transfer_matrices(apodization: float, loss: float) -> None:
    settings = {"periods": 150, "kappa": 0.03, "apodization": apodization, "loss_dB_cm": loss}
    s = CONTRA.s(WL[::20], **settings)
    for k, wl in enumerate(WL[::20]):
        twin = multiplied(wl, 150, 0.03, apodization, loss)
        found = np.array([[s[k, 3, 0], s[k, 3, 2]], [s[k, 1, 0], s[k, 1, 2]]])
        np.testing.assert_allclose(found, twin, atol=1e-11)


def test_weak_grating_is_the_closed_form_of_coupled_mode_theory() -> None:
    periods, kappa = 400, 0.01
    length = periods * PERIOD
    s = CONTRA.s(WL, periods=periods, kappa=kappa)
    delta = (beta(WL, 2.38) + beta(WL, 2.46)) / 2 - np.pi / PERIOD
    root = np.sqrt((kappa**2 - delta**2).astype(complex))
    below = root * np.cosh(root * length) - 1j * delta * np.sinh(root * length)
    # Mirrors in the middle of finite periods against a continuous coupling: 1e-3 of the band.
    np.testing.assert_allclose(np.abs(s[:, 1, 0]), np.abs(kappa * np.sinh(root * length) / below), atol=2e-3)
    np.testing.assert_allclose(np.abs(s[:, 3, 0]), np.abs(root / below), atol=2e-3)
    middle = CONTRA.s([1.55], periods=periods, kappa=kappa)[0]
    assert abs(middle[1, 0]) ** 2 == pytest.approx(np.tanh(kappa * length) ** 2, abs=1e-12)


def test_band_is_as_wide_as_it_says() -> None:
    kappa = 0.02
    edge = kappa * 1.55**2 / (np.pi * 8.4)
    strong = {"periods": 4000, "kappa": kappa}
    inside, outside = (np.abs(CONTRA.s(1.55 + f * edge * np.array([-1, 1]), **strong)[:, 1, 0]) ** 2
                       for f in (0.95, 1.3))  # fmt: skip
    assert inside.min() > 0.999
    assert outside.max() < 0.95


@pytest.mark.parametrize("apodization", [0.0, 4.0])
def test_it_is_unitary_and_reciprocal(apodization: float) -> None:
    s = CONTRA.s(WL, apodization=apodization)
    np.testing.assert_allclose(
        np.swapaxes(s, 1, 2).conj() @ s, np.broadcast_to(np.eye(4), s.shape), atol=1e-11
    )
    assert np.array_equal(s, np.swapaxes(s, 1, 2))


def test_apodised_grating_has_lower_side_lobes() -> None:
    wl = np.linspace(1.556, 1.575, 400)
    plain, smooth = (np.abs(CONTRA.s(wl, apodization=a)[:, 1, 0]) ** 2 for a in (0.0, 4.0))
    assert smooth.max() < 0.1 * plain.max()


@pytest.mark.parametrize("loss", [0.0, 30.0])
def test_series_is_the_derivative_by_wavelength(loss: float) -> None:
    step = 1e-6
    grid = WL[::16]
    settings = {"periods": 60, "ng_2": 3.9, "loss_dB_cm": loss}
    series = CONTRA.series(grid, 3, **settings)
    before, at, after = (CONTRA.s(grid + d, **settings) for d in (-step, 0.0, step))
    np.testing.assert_allclose(series[0], at, atol=1e-14)
    scale = np.abs(series[1]).max()
    np.testing.assert_allclose(series[1], (after - before) / (2 * step), atol=1e-6 * scale)
    scale = np.abs(series[2]).max()
    np.testing.assert_allclose(2 * series[2], (after - 2 * at + before) / step**2, atol=2e-4 * scale)

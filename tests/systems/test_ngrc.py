"""Reservoir computing by speckle: features against a dense sum, the read-out's equations, tasks in small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from photosim.systems import ngrc, reproduce
from photosim.systems.ngrc import Forecaster, delayed, features, nrmse, probes, ridge

SILENT: dict[str, Any] = {
    "camera.shot_noise": False, "camera.read_noise": 0.0, "camera.dark_rate": 0.0, "camera.bits": 0
}  # fmt: skip


def test_features_are_intensities_of_a_dense_sum() -> None:
    speckle = features(7, 50, seed=3, **SILENT)
    states = np.random.default_rng(0).uniform(-0.5, 2.5, (20, 7))
    matrix, amplitude = speckle.chain.medium.block(), np.sqrt(0.7 / 7 * 1e-3)
    # Grey levels of the modulator: phases modulo 2 pi, rounded down to 256 steps.
    phases = np.floor(np.mod(np.pi * states, 2 * np.pi) / (2 * np.pi) * 256) / 256 * 2 * np.pi
    power = np.abs(amplitude * np.exp(1j * phases) @ matrix.T) ** 2
    full = speckle.chain.camera.full_well / speckle.chain.camera.electrons_per_watt(0.532)
    np.testing.assert_allclose(speckle(states), np.minimum(power / full, 1.0), atol=1e-5)


def test_the_netlist_decides_the_features() -> None:
    """Its medium's seed and its modulator's bits: as the dense sum of the edited circuit has it."""
    states = np.random.default_rng(0).uniform(0.0, 1.0, (40, 7))
    one, other = (features(7, 50, seed=seed, **SILENT)(states) for seed in (1, 2))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.3
    coarse = features(7, 50, seed=1, **{**SILENT, "cells.bits": 1})
    levels = np.unique(coarse(np.array([[k / 10] * 7 for k in range(20)])).round(5), axis=0)
    assert len(levels) == 1  # all cells alike at 0 or pi: one and the same speckle
    assert np.ptp(coarse(2.0 * states), axis=0).mean() > 0.01


def test_the_camera_rounds_down_and_cuts_off() -> None:
    bright = features(7, 200, seed=1, **{**SILENT, "camera.bits": 8, "camera.full_well": 6000.0})
    values = bright(np.random.default_rng(1).uniform(0.0, 1.0, (30, 7)))
    assert len(np.unique(values.round(6))) <= 256
    # Developed speckle of mean 1 in units of the full scale: exp(-1) of the pixels are cut off.
    assert np.mean(values > 255.0 / 256.0) == pytest.approx(np.exp(-1.0), abs=0.1)


def test_ridge_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(60, 20)), rng.normal(size=(60, 3))
    expected = Ridge(alpha=0.7, fit_intercept=False).fit(x, y).coef_.T
    np.testing.assert_allclose(ridge(x, y, 0.7), expected, atol=1e-10)


def test_probes_and_delays() -> None:
    assert probes(64, 4).tolist() == [0, 16, 32, 48]
    assert probes(64, 7).tolist() == [0, 9, 18, 27, 36, 45, 54]
    series = np.arange(40.0).reshape(20, 2)
    rows = delayed(series, 3, 5)
    assert rows.shape == (10, 6)
    np.testing.assert_array_equal(rows[0], [0, 1, 10, 11, 20, 21])


def test_a_forecaster_with_polynomial_features_follows_a_polynomial_map() -> None:
    """Exact features instead of speckle: the logistic map is quadratic, so that the forecast is exact."""
    series = np.empty((400, 1))
    series[0] = 0.3
    for k in range(1, 400):
        series[k] = 3.7 * series[k - 1] * (1.0 - series[k - 1])
    machine = Forecaster(lambda states: states**2, bias=1.0, delay=1.0)
    weights = machine.learn(series[:200], 1e-12)
    found = machine.run(weights, series[198], series[199], 15)
    np.testing.assert_allclose(found, series[200:215], atol=1e-3)
    assert nrmse(series + 0.1, series) == pytest.approx(0.1 / series.max())


def test_tasks_in_small_do_better_with_more(tmp_path: Path) -> None:
    system = replace(ngrc.SYSTEM, seeds=1)
    done = reproduce(system, system.options(quick=True, seeds=1), tmp_path)
    few, many = (done.outcome.values(f"observer {n}", "correlation")[0] for n in (4, 8))
    assert 0.6 < few < many < 1.0
    assert many > 0.97
    assert done.outcome.values("lorenz", "nrmse")[0] < 0.35
    assert {picture.name for picture in done.charts()} == {"observer", "lorenz"}

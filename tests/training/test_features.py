"""Random optical features: what a medium's pixels read, what circuits project, what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices import Device
from photosim.training.estimators import PhotonicTransformer

X = load_digits().data[:300]


def test_pixels_read_the_power_of_the_medium_s_projection() -> None:
    opu = ps.load("opu").chain()
    made = PhotonicTransformer(hardware="opu", levels=2, n_components=300).fit(X)
    found = made.transform(X)
    edges = np.quantile(X, [1 / 3, 2 / 3], axis=0)
    groups = (X[:, None, :] > edges).reshape(len(X), -1)
    patterns = np.repeat(groups, 1024 // 128, axis=1)
    power = np.abs(opu.medium.project(opu.modulator.modulate(patterns.astype(float)))[:, :300]) ** 2
    expected = power / power.mean() / 6
    low = expected < 0.9  # what is brighter is at the end of the scale
    assert np.abs(found - expected)[low].max() < 0.02  # half a step of 8 bits, and the exposure's own mean
    assert found.max() <= 1.0
    assert made.counters_["frames"] == 300
    assert made.counters_["saturated"] > 0


def test_the_kernel_is_that_of_random_phases() -> None:
    """E |a.u|^2 |a.v|^2 = |u|^2 |v|^2 + |u.v|^2 for complex Gaussian a (saade2016, eq. 5)."""
    made = PhotonicTransformer(hardware="opu").fit(X)
    features = made.transform(X)
    lit = (np.median(X, axis=0) < X).astype(float)
    lit = 1 / np.sqrt(1000) + (1 - 1 / np.sqrt(1000)) * lit  # mirrors that are off leak
    inner = lit @ lit.T
    kernel = np.outer(np.diag(inner), np.diag(inner)) + inner**2
    ours = features @ features.T
    assert np.corrcoef(ours.ravel(), kernel.ravel())[0, 1] > 0.97


@pytest.mark.parametrize("hardware", ["mrr_weight_bank", "clements_4x4"])
def test_banks_and_meshes_project_by_a_random_matrix(hardware: str) -> None:
    made = PhotonicTransformer(hardware=hardware, n_components=40, random_state=1).fit(X)
    found = made.transform(X)
    sent = made.scale_.transform(X)
    matrix, *_ = np.linalg.lstsq(sent, found, rcond=None)
    # Converters of a bank have steps; a mesh has none.
    assert np.linalg.norm(found - sent @ matrix) < 0.15 * np.linalg.norm(found)
    assert matrix[sent.any(axis=0)].std() == pytest.approx(1 / 8, rel=0.1)
    again = PhotonicTransformer(hardware=hardware, n_components=40, random_state=1).fit(X).transform(X)
    np.testing.assert_array_equal(found, again)


def test_a_circuit_without_a_matrix_gives_what_it_makes_of_a_sample() -> None:
    mesh = Device.from_circuit(ps.load("clements_4x4"), reading="power")
    made = PhotonicTransformer(hardware=mesh).fit(X[:, 20:23])
    sent = made.scale_.transform(X[:, 20:23])
    expected = mesh.apply(np.pad(sent, ((0, 0), (0, 1))))
    np.testing.assert_allclose(made.transform(X[:, 20:23]), expected, atol=1e-12)
    assert made.get_feature_names_out()[0] == "photonictransformer0"
    with pytest.raises(ParameterError, match=r"takes 4 numbers and gives 4 features, but 64 numbers"):
        PhotonicTransformer(hardware=mesh).fit(X)


def test_noise_and_a_short_exposure_are_seen() -> None:
    quiet, noisy, dark = (
        PhotonicTransformer(hardware="opu", random_state=0, **own).fit(X).transform(X)
        for own in ({}, {"noise": "physical"}, {"noise": "physical", "exposure": 1e-6})
    )
    assert 0.002 < np.abs(noisy - quiet).mean() < 0.05
    assert dark.max() < 0.02  # a grey level and what noise adds to it


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"n_components": 2000}, "2000 components are requested, but 'opu' has 1024 pixels"),
        ({"levels": 17}, "1088 groups of mirrors are requested, but 'opu' has 1024 mirrors"),
        ({"levels": 0}, "'levels' must be a whole number from 1 to 256"),
        ({"exposure": -1.0}, "exposure must be 'auto', None or seconds, got -1"),
        ({"hardware": "clements_4x4", "noise": "physical"}, "no noise 'physical': a mesh"),
        ({"hardware": 3}, "hardware must be a netlist's name or path"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParameterError, match=sentence):
        PhotonicTransformer(**given).fit(X)


def test_copies_and_pickles() -> None:
    made = PhotonicTransformer(hardware="opu", levels=2, n_components=50).fit(X)
    again = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.transform(X), made.transform(X))
    assert clone(made).levels == 2

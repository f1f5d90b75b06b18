"""Data sets: what is split stays split, and is the same every time."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.errors import DataError
from photosim.training.data.datasets import load, split

RNG = np.random.default_rng(5)


def test_digits_are_split_class_by_class() -> None:
    data = load("digits")
    assert (len(data.train), len(data.validation), len(data.test)) == (1257, 180, 360)
    assert (data.features, data.classes) == (64, 10)
    shares = [np.bincount(part.y) / len(part) for part in (data.train, data.validation, data.test)]
    np.testing.assert_allclose(shares[1], shares[0], atol=0.01)
    np.testing.assert_allclose(shares[2], shares[0], atol=0.01)


def test_the_split_is_always_the_same_and_leaves_nothing_out() -> None:
    x = np.arange(300.0)[:, np.newaxis]
    first, second = (split("toy", x, np.arange(300) % 3) for _ in range(2))
    np.testing.assert_array_equal(first.test.x, second.test.x)
    width, centre = first.train.x.std(), first.train.x.mean()
    assert (centre, width) == pytest.approx((0.0, 1.0), abs=1e-12)
    everything = np.concatenate([first.train.x, first.validation.x, first.test.x])
    # Affine in 0..299, so undoing it must give every number once.
    order = np.sort(everything[:, 0])
    np.testing.assert_allclose(np.diff(order), order[1] - order[0], rtol=1e-9)
    assert len(order) == 300


def test_without_validation_the_same_samples_are_tested() -> None:
    chosen, final = load("digits"), load("digits", validation_fraction=0.0)
    assert len(final.train) == len(chosen.train) + len(chosen.validation)
    assert len(final.validation) == 0
    np.testing.assert_array_equal(final.test.y, chosen.test.y)


def test_only_training_samples_decide_the_standard() -> None:
    y = np.arange(100) % 2
    numbered = split("toy", np.arange(100.0)[:, np.newaxis], y)
    spacing = np.ptp(np.concatenate([numbered.train.x, numbered.validation.x, numbered.test.x])) / 99
    tested = np.rint((numbered.test.x[:, 0] - numbered.test.x.min()) / spacing).astype(int)
    tested += round(
        float((numbered.test.x.min() - min(numbered.train.x.min(), numbered.test.x.min())) / spacing)
    )
    x = RNG.normal(size=(100, 4))
    loud = x.copy()
    loud[tested] += 100.0
    plain, changed = split("toy", x, y), split("toy", loud, y)
    np.testing.assert_array_equal(changed.train.x, plain.train.x)
    assert np.all(changed.test.x > plain.test.x + 50.0)


def test_an_unknown_set_names_the_nearest() -> None:
    with pytest.raises(DataError, match=r"no data set 'digit'.*Did you mean 'digits'"):
        load("digit")


def test_useless_data_is_refused() -> None:
    with pytest.raises(DataError, match="never change"):
        split("flat", np.ones((30, 2)), np.arange(30) % 3)
    with pytest.raises(DataError, match="a class of 1 samples"):
        split("rare", RNG.normal(size=(30, 2)), np.r_[np.zeros(29), 1])

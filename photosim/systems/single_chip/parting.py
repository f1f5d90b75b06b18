"""Which samples are learnt from: six classes, two halves, and six numbers of each sample by discriminants."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from photosim.errors import DataError
from photosim.systems.harness.data import samples
from photosim.systems.harness.system import Options
from photosim.systems.single_chip.chip import MODES
from photosim.training.arrays import FloatArray
from photosim.training.data.datasets import DATASETS, Dataset, Samples, Table

LEAST = 20
"""Samples of a class without which halves have no room for it."""
REACH = 2.5
"""Standard deviations of a discriminant at which its modulator is fully open."""


def table(options: Options) -> Table:
    """Return all samples of a data set, whatever it keeps apart for tests.

    Raises DataError for fewer than six classes of 20 samples each, or fewer than five features.
    """
    if options.own or options.data not in DATASETS:
        data = samples(options)
        x, y = (np.concatenate([getattr(part, name) for part in (data.train, data.test)]) for name in "xy")
        whole = Table(x, y)
    else:
        whole = DATASETS[options.data](options.data_dir, False)
    found, counts = np.unique(whole.y, return_counts=True)
    if np.count_nonzero(counts >= LEAST) < MODES or whole.x.shape[1] < MODES - 1:
        message = (
            f"Data {options.data!r} must have {MODES} classes of {LEAST} samples or more and {MODES - 1} "
            f"features, got {np.count_nonzero(counts >= LEAST)} such classes of {found.size} and "
            f"{whole.x.shape[1]} features."
        )
        raise DataError(message)
    return whole


def choices(whole: Table, number: int, seed: int) -> list[tuple[int, ...]]:
    """Draw different sets of six classes, each in rising order; all there are if they are fewer."""
    from itertools import combinations

    found, counts = np.unique(whole.y, return_counts=True)
    sets = list(combinations(found[counts >= LEAST].tolist(), MODES))
    rng = np.random.default_rng([2024, seed, 1])
    return [sets[k] for k in rng.permutation(len(sets))[:number].tolist()]


def chosen(whole: Table, classes: Sequence[int], seed: int, light: FloatArray) -> Dataset:
    """Return the samples of six classes as fields (samples, modes) in sqrt(W), half to learn, half to judge.

    Five numbers are the linear discriminants of the learning half, in units of REACH of their deviations
    there, cut at 1; the sixth is always 1, against which the others interfere.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rng = np.random.default_rng([2024, seed])
    learnt: list[int] = []
    judged: list[int] = []
    for number in classes:
        rows = rng.permutation(np.flatnonzero(whole.y == number)).tolist()
        learnt += rows[::2]
        judged += rows[1::2]
    y = np.searchsorted(np.array(classes), whole.y[learnt + judged])
    x = np.asarray(whole.x, dtype=np.float64)[learnt + judged]
    half = len(learnt)
    # Eigenvectors stand pixels that never change, as the border of a picture.
    found = LinearDiscriminantAnalysis(solver="svd").fit(x[:half], y[:half]).transform(x)
    found = found[:, : MODES - 1] / (REACH * found[:half, : MODES - 1].std(axis=0))
    fields = np.concatenate([np.clip(found, -1.0, 1.0), np.ones((len(x), 1))], axis=1) * light
    parts = [Samples(fields[part], y[part]) for part in (slice(half), slice(half, None))]
    return Dataset("single-chip", parts[0], Samples(fields[:0], y[:0]), parts[1], MODES)


def discriminants(data: Dataset) -> float:
    """Return the accuracy in % of linear discriminants of the same six numbers."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    fitted = LinearDiscriminantAnalysis().fit(data.train.x[:, :-1], data.train.y)
    return 100.0 * float(fitted.score(data.test.x[:, :-1], data.test.y))

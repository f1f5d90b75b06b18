"""Which samples are learnt from: four vowels, two halves, and what discriminants make of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from photosim.errors import DataError, listing
from photosim.systems.harness.data import samples
from photosim.systems.harness.system import Options
from photosim.training.arrays import FloatArray, IndexArray
from photosim.training.data.datasets import DATASETS, Dataset, Samples, Table

VOWELS = 11
LEAST = 20
"""Samples of a vowel without which halves and folds have no room for it."""
FLAT = 2e-4
"""Variance along a direction, in units of the features' mean square, below which a class counts as flat."""
MODES = 4
"""Guides of a mesh, vowels to classify, ratios used."""


def table(options: Options) -> Table:
    """Return the whole set: 990 vowels of 15 speakers, ten log-area ratios each, digits, or your own samples.

    Raises DataError for a file without the 11 vowels, samples of fewer than 4 classes or features, and for a
    class too rare to be parted.
    """
    if options.own:
        data = samples(options)
        x, y = (np.concatenate([getattr(part, name) for part in (data.train, data.test)]) for name in "xy")
        found, counts = np.unique(y, return_counts=True)
        frequent = np.sort(found[np.argsort(-counts, kind="stable")[:VOWELS]])
        kept = np.isin(y, frequent)
        whole = Table(x[kept], np.searchsorted(frequent, y[kept]))
    else:
        whole = DATASETS[options.data](options.data_dir, False)
    found, counts = np.unique(whole.y, return_counts=True)
    count = VOWELS if options.data == "vowels" else found.size
    if not np.array_equal(found, np.arange(count)) or counts.min() < LEAST or count < MODES:
        message = (
            f"The vowels must have the classes 0 to {VOWELS - 1}, {LEAST} samples of each or more, got "
            f"classes {listing([str(k) for k in found.tolist()])}, {counts.min()} of one."
        )
        if options.own:
            message = (
                f"Data {options.data!r} must have {MODES} classes or more of {LEAST} samples each, got "
                f"{count} classes, {counts.min()} samples of one."
            )
        raise DataError(message)
    if whole.x.shape[1] < MODES:
        message = f"Data {options.data!r} must have {MODES} features or more, got {whole.x.shape[1]}."
        raise DataError(message)
    return whole


def halves(whole: Table, seed: int) -> dict[int, tuple[IndexArray, IndexArray]]:
    """Return by vowel the rows to learn from and the rows that judge, half of each vowel's."""
    rng = np.random.default_rng(np.random.SeedSequence(2017, spawn_key=(seed,)))
    vowels = range(int(whole.y.max()) + 1)
    drawn = {vowel: rng.permutation(np.flatnonzero(whole.y == vowel)) for vowel in vowels}
    return {vowel: (rows[::2], rows[1::2]) for vowel, rows in drawn.items()}


def chosen(whole: Table, vowels: Sequence[int], ratios: Sequence[int], seed: int) -> Dataset:
    """Return 360 samples of four vowels, half of each to learn and half to judge."""
    parted = halves(whole, seed)
    rows = [np.concatenate([parted[vowel][half] for vowel in vowels]) for half in (0, 1)]
    x: FloatArray = np.asarray(whole.x, dtype=np.float64)[:, list(ratios)]
    # Powers do not tell x from -x: the ratios stay as they are, away from 0, in one common unit.
    x = x / np.sqrt(np.mean(x[rows[0]] ** 2))
    number = {vowel: k for k, vowel in enumerate(vowels)}
    parts = [Samples(x[half], np.array([number[v] for v in whole.y[half].tolist()])) for half in rows]
    return Dataset("vowels", parts[0], Samples(x[:0], parts[0].y[:0]), parts[1], len(vowels))


def ranking(
    whole: Table, ratios: Sequence[int], folds: int, seed: int
) -> list[tuple[float, tuple[int, ...]]]:
    """Return all sets of four vowels, those that linear discriminants tell apart best first.

    Beside each its accuracy in % over the parts of the half that is learnt from: the other half takes no
    part in the choice.
    """
    from sklearn.model_selection import StratifiedKFold

    found = []
    for vowels in combinations(range(int(whole.y.max()) + 1), MODES):
        half = chosen(whole, vowels, ratios, seed).train
        parts = StratifiedKFold(folds, shuffle=True, random_state=seed).split(half.x, half.y)
        scores = [
            discriminants(Dataset("vowels", learnt, held, held, MODES))
            for rows, rest in parts
            for learnt, held in [(Samples(half.x[rows], half.y[rows]), Samples(half.x[rest], half.y[rest]))]
        ]
        found.append((float(np.mean(scores)), vowels))
    return sorted(found, reverse=True)


def discriminants(data: Dataset, *, quadratic: bool = False) -> float:
    """Return the accuracy in % of linear or quadratic discriminants.

    Quadratic ones need features that vary in every class, each in its own way. Where they do not, as pixels
    at a corner, each covariance is shrunk towards the identity by a thousandth.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

    x, y = data.train.x, data.train.y
    if quadratic:
        flattest = min(np.linalg.eigvalsh(np.cov(x[y == k].T))[0] for k in np.unique(y))
        with warnings.catch_warnings():
            # scikit-learn before 1.7 warns of flat classes even where they are shrunk.
            warnings.filterwarnings("ignore", "Variables are collinear")
            fitted = QuadraticDiscriminantAnalysis(reg_param=1e-3 if flattest < FLAT else 0.0).fit(x, y)
    else:
        fitted = LinearDiscriminantAnalysis().fit(x, y)
    return 100.0 * float(fitted.score(data.test.x, data.test.y))

"""Texts as sequences of characters, for networks that predict the next character."""

from __future__ import annotations

import numpy as np

from photosim.bounds import check_whole
from photosim.errors import DataError
from photosim.training.arrays import LabelArray
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.data.graphs import TextData


def windows(codes: LabelArray, context: int) -> Samples:
    """Return a text (characters,) as sequences x (samples, context) and the next characters y, same shape.

    A rest at the end is dropped. Raises DataError for a text shorter than context + 1.

    >>> pairs = windows(np.arange(7), 3)
    >>> pairs.x.tolist(), pairs.y.tolist()
    ([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], [[1, 2, 3], [4, 5, 6]])
    """
    check_whole("windows", 1, context=context)
    count = (codes.size - 1) // context
    if count < 1:
        message = f"A text of {codes.size} characters is too short for sequences of {context} and their next."
        raise DataError(message)
    x = codes[: count * context].reshape(count, context)
    y = codes[1 : count * context + 1].reshape(count, context)
    return Samples(x.astype(np.float64), y)


def sequences(data: TextData, context: int, *, held: int | None = None) -> Dataset:
    """Return the sequences of a text as a Dataset, without validation samples.

    context: characters of a sequence.  held: number of test sequences; None for all.
    """
    train, test = windows(data.train, context), windows(data.test, context)
    some = slice(held)
    return Dataset(
        data.name,
        train,
        Samples(test.x[:0], test.y[:0]),
        Samples(test.x[some], test.y[some]),
        len(data.alphabet),
    )


def manual() -> TextData:
    """Return the reference of the Python language from `pydoc`, a text that needs no file.

    It has some 600,000 characters, and differs between versions of Python. Rare characters are left out.
    """
    from pydoc_data.topics import topics

    characters = np.array(list("\n".join(topics[key] for key in sorted(topics))))
    alphabet, counts = np.unique(characters, return_counts=True)
    kept = characters[np.isin(characters, alphabet[counts >= RARE])]
    alphabet, codes = np.unique(kept, return_inverse=True)
    cut = round(0.9 * codes.size)
    return TextData("manual", "".join(alphabet), codes[:cut].astype(np.int64), codes[cut:].astype(np.int64))


RARE = 500
"""Characters of the manual that occur less often are left out."""

"""What systems share about pictures: square images, and sweeps that may be drawn as trends."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import DataError
from photosim.training.data.datasets import Dataset

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LEARNT = 50.0
"""Accuracy in % below which a network counts as untrained: what is swept shows nothing then."""
FEWEST = 3
"""Points of a sweep without which there is no trend."""


def is_trend(accuracies: ArrayLike, points: int) -> bool:
    """Return whether a sweep of `points` values says something: its network has learnt, at its best.

    accuracies: in %, of any shape.  In small (--quick) many have not.
    """
    own = np.asarray(accuracies, dtype=np.float64)
    return points >= FEWEST and own.size > 0 and float(np.nanmax(own)) >= LEARNT


def side(data: Dataset, least: int) -> int:
    """Return the pixels along a side of a data set's pictures; DataError unless they are square and large.

    least: the smallest side from which the wanted coefficients can be taken.
    """
    found = isqrt(data.features)
    if found**2 != data.features or found < least:
        message = (
            f"{data.name} has pictures of {data.features} pixels; square ones of {least} x {least} or more "
            "are needed."
        )
        raise DataError(message)
    return found

"""Square pictures, for the systems that show their Fourier transforms."""

from __future__ import annotations

from math import isqrt

from photosim.errors import DataError
from photosim.training.data.datasets import Dataset


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

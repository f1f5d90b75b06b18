"""Independent standard normals of chips, chunk by chunk: the same bits however the work is shared out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from photosim.analysis.sweeps.points import METHODS, unit_samples
from photosim.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 8192
"""Chips of one chunk, a power of two: part of what a seed means."""
_EDGE = 2.0**-54


def chunks(
    samples: int, dimensions: int, seed: int, method: str
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield (first chip, normals (N, d)) of a number of chips by a method of `unit_samples`."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    if method not in METHODS:
        message = f"Chips are drawn by {', '.join(METHODS)}, not {method!r}.{did_you_mean(method, METHODS)}"
        raise ParameterError(message)
    if method == "sobol" and dimensions > qmc.Sobol.MAXDIM:
        message = (
            f"Sobol samples have up to {qmc.Sobol.MAXDIM:,} dimensions, got {dimensions:,}: take random."
        )
        raise ParameterError(message)
    sobol = qmc.Sobol(dimensions, scramble=True, seed=seed) if method == "sobol" else None
    whole = unit_samples(dimensions, samples, seed, method) if method in ("halton", "lhs") else None
    for number, first in enumerate(range(0, samples, CHUNK)):
        count = min(CHUNK, samples - first)
        if method == "random":
            stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
            yield first, stream.standard_normal((count, dimensions))
            continue
        if sobol is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of a last chunk that is no power of two
                unit = sobol.random(count)
        else:
            unit = whole[first : first + count]  # type: ignore[index]
        yield first, ndtri(np.clip(unit, _EDGE, 1.0 - _EDGE))

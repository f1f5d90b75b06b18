"""Independent standard normals of chips, chunk by chunk: the same bits however the work is shared out."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.sweeps.points import METHODS, unit_samples
from photosim.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 8192
"""Chips of one chunk, a power of two: part of what a seed means."""
_EDGE = 2.0**-54


@dataclass(frozen=True)
class Normals:
    """Normals of chips by a method of `unit_samples`; any chunk can be had without those before it."""

    samples: int
    dimensions: int
    seed: int
    method: str

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        check_method(self.method, self.dimensions)

    def chunks(self, begin: int = 0, end: int | None = None) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Yield (first chip, normals (N, d)) of the chunks from `begin` to `end`, both at ends of chunks."""
        from scipy.special import ndtri

        end = self.samples if end is None else end
        sobol = None
        for first in range(begin, end, CHUNK):
            count = min(CHUNK, end - first)
            if self.method == "random":
                stream = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(first // CHUNK,)))
                yield first, stream.standard_normal((count, self.dimensions))
                continue
            if self.method == "sobol":
                sobol = self._sobol(first) if sobol is None else sobol
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # of a last chunk that is not a power of two
                    unit = sobol.random(count)
            else:
                unit = self._whole[first : first + count]
            yield first, ndtri(np.clip(unit, _EDGE, 1.0 - _EDGE))

    def _sobol(self, first: int) -> Any:
        from scipy.stats import qmc

        engine = qmc.Sobol(self.dimensions, scramble=True, seed=self.seed)
        return engine.fast_forward(first) if first else engine

    @cached_property
    def _whole(self) -> Any:
        return unit_samples(self.dimensions, self.samples, self.seed, self.method)


def check_method(method: str, dimensions: int) -> None:
    """Raise ParameterError for a method that does not exist, or cannot draw so many numbers."""
    from scipy.stats import qmc

    if method not in METHODS:
        message = f"Chips are drawn by {', '.join(METHODS)}, not {method!r}.{did_you_mean(method, METHODS)}"
        raise ParameterError(message)
    if method == "sobol" and dimensions > qmc.Sobol.MAXDIM:
        message = (
            f"Sobol samples have up to {qmc.Sobol.MAXDIM:,} dimensions, got {dimensions:,}: take random."
        )
        raise ParameterError(message)

"""A driven part over time, by polynomials over its setting: right to rounding, and many times as fast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import ClosedForm
from photosim.model.algebra import NUMPY
from photosim.timedomain.scattering import CHUNK, port_pairs, scattering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element
    from photosim.timedomain.drives import Drives

    ComplexArray = NDArray[np.complex128]
    FloatArray = NDArray[np.float64]

_DEGREE = 7
"""Order of the polynomials, which the kernel has."""
_INTERVALS, _MOST = 64, 1024
"""Intervals of the first try, and at most."""
_RIGHT = 2e-15
"""Error of the polynomials, relative to the largest element: some roundings."""
_BETWEEN = np.array([-0.97, -0.5, 0.1, 0.6, 0.97])
"""Places in an interval, from -1 to 1, at which polynomials are held against the part."""


@dataclass(frozen=True)
class Levels:
    """Elements (N, W, paths) of a part by the values of its one setting that changes, (T,).

    coefficients: (intervals, numbers, 8), of real and imaginary parts in turns.
    """

    values: FloatArray
    low: float
    scale: float
    coefficients: FloatArray
    shape: tuple[int, int]

    def of_paths(self, paths: Sequence[int]) -> Levels:
        """Return those of some paths alone, by their numbers."""
        (frequencies, count), intervals = self.shape, len(self.coefficients)
        if list(paths) == list(range(count)):
            return self
        own = self.coefficients.reshape(intervals, frequencies, count, 2, -1)[:, :, list(paths)]
        numbers = np.ascontiguousarray(own).reshape(intervals, 2 * frequencies * len(paths), -1)
        return replace(self, coefficients=numbers, shape=(frequencies, len(paths)))

    def at(self, begin: int, end: int) -> ComplexArray:
        """Return the elements (N, W, paths) at some samples."""
        from photosim.kernels.levels import piecewise

        out = np.empty((end - begin, *self.shape), dtype=np.complex128)
        numbers = out.view(np.float64).reshape(end - begin, -1)
        piecewise(self.values[begin:end], self.low, self.scale, self.coefficients, numbers)
        return out


def over_time(
    drives: Drives, element: Element, frequencies: FloatArray, paths: Sequence[int]
) -> Callable[[int, int], ComplexArray]:
    """Return what `scattering` gives of paths of an element, by their numbers, for any stretch of samples.

    frequencies: in Hz.
    """
    key = ("levels", element.name, element.kind, np.asarray(frequencies).tobytes())
    if key not in drives.tables:
        drives.tables[key] = _levels(drives, element, frequencies)
    levels: Levels | None = drives.tables[key]
    if levels is not None:
        return levels.of_paths(paths).at
    return lambda begin, end: scattering(drives, element, np.arange(begin, end), frequencies)[:, :, paths]


def _levels(drives: Drives, element: Element, frequencies: FloatArray) -> Levels | None:
    """Return the polynomials of an element; None where they do not pay, or are not right."""
    if element.kind != "matrix" or drives.samples < 8 * CHUNK:
        return None
    part = drives.compiled.graph.part(element.parts[0])
    settings, model = drives.settings(part), part.model
    moving = [name for name, value in settings.items() if np.ndim(value)]
    if len(moving) != 1 or not isinstance(model, ClosedForm):
        return None
    values = np.asarray(settings[moving[0]], dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    wl = SPEED_OF_LIGHT_UM_S / np.atleast_1d(frequencies)
    pairs = port_pairs(drives, part, element.edges)

    def elements(at: FloatArray) -> ComplexArray:
        found = model.entries(NUMPY, wl, {**settings, moving[0]: at[:, np.newaxis]})
        shape = (at.size, wl.size)
        rows = [np.broadcast_to(np.asarray(found[pair], dtype=np.complex128), shape) for pair in pairs]
        return np.stack(rows, axis=-1).reshape(at.size, -1)

    nodes = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    back = np.linalg.inv(np.vander(nodes))
    powers = np.vander(_BETWEEN, _DEGREE + 1)
    count = _INTERVALS
    while count <= _MOST and high > low:
        begins = low + (high - low) / count * np.arange(count)[:, np.newaxis]
        half = (high - low) / count / 2

        def places(inner: FloatArray) -> FloatArray:
            return np.clip((begins + half * (1 + inner)).ravel(), low, high)  # noqa: B023 - used at once

        found = elements(places(nodes)).reshape(count, nodes.size, -1)
        middle = found.mean(axis=1, keepdims=True)  # of small differences rounding is small
        coefficients = np.ascontiguousarray(np.einsum("kn,snc->skc", back, found - middle))
        coefficients[:, -1:] += middle
        guess = np.einsum("nk,skc->snc", powers, coefficients)
        right = elements(places(_BETWEEN)).reshape(guess.shape)
        if np.abs(guess - right).max() <= _RIGHT * np.abs(found).max():
            numbers = np.ascontiguousarray(np.moveaxis(coefficients.view(np.float64), 1, 2))
            return Levels(values, low, count / (high - low), numbers, (wl.size, len(pairs)))
        count *= 4
    return None

"""Parts of results: some wavelengths, an entry of a batch, and the extremes of a spectrum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.units import as_wavelengths, parse_wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

Series = Callable[..., "NDArray[np.complex128]"]


@dataclass(frozen=True)
class At:
    """Taylor coefficients of a result at its own wavelengths, from `series` of the whole result."""

    series: Series
    wl: NDArray[np.float64]

    def __call__(self, wl: NDArray[np.float64] | None = None) -> NDArray[np.complex128]:
        """Return the coefficients, or those at other wavelengths."""
        return self.series(self.wl if wl is None else wl)

    def values(self, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the result at other wavelengths (K,)."""
        found: NDArray[np.complex128] = self.series(wl)[0]
        return found


@dataclass(frozen=True)
class EntryOf:
    """Taylor coefficients of one entry of a batch."""

    series: Series
    entry: int

    def __call__(self, wl: NDArray[np.float64] | None = None) -> NDArray[np.complex128]:
        """Return the coefficients (3, W, ...), or those at other wavelengths."""
        found: NDArray[np.complex128] = (self.series() if wl is None else self.series(wl))[:, self.entry]
        return found

    def values(self, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the result at other wavelengths (K,)."""
        found: NDArray[np.complex128] = self(wl)[0]
        return found


@dataclass(frozen=True)
class Lone:
    """Taylor coefficients of a matrix in which one element alone is not zero."""

    series: Series
    out: int
    into: int
    ports: int

    def __call__(self, wl: NDArray[np.float64] | None = None) -> NDArray[np.complex128]:
        """Return the coefficients (3, ..., W, P, P), or those at other wavelengths."""
        own = self.series() if wl is None else self.series(wl)
        whole = np.zeros((*own.shape, self.ports, self.ports), dtype=np.complex128)
        whole[..., self.out, self.into] = own
        return whole

    def values(self, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the matrix at other wavelengths (K,), (..., K, P, P)."""
        found: NDArray[np.complex128] = self(wl)[0]
        return found


@dataclass(frozen=True)
class Selected:
    """A result at some wavelengths."""

    wl: NDArray[np.float64]
    values: NDArray[np.complex128]
    series: Series | None


def selected(
    wl: NDArray[np.float64], values: NDArray[np.complex128], axis: int, wanted: Any, series: Series | None
) -> Selected:
    """Return values, whose `axis` is that of wl (W,), at wavelengths wanted: a slice, numbers or a text."""
    if wanted is None:
        return Selected(wl, values, series)
    if isinstance(wanted, slice):
        keep = _inside(wl, wanted)
        cut = np.compress(keep, values, axis=axis)
        return Selected(wl[keep], cut, None if series is None else At(series, wl[keep]))
    grid = parse_wavelengths(wanted) if isinstance(wanted, str) else as_wavelengths(wanted)
    low, high = float(wl.min()), float(wl.max())
    reach = 1e-9 * high
    for one in grid.tolist():
        if not low - reach <= one <= high + reach:
            message = f"{one:.9g} um lies outside of the result, which goes from {low:.9g} to {high:.9g} um."
            raise ParameterError(message)
    near = np.abs(wl[:, np.newaxis] - grid).argmin(axis=0)
    if series is None or np.array_equal(wl[near], grid):
        return Selected(
            wl[near], np.take(values, near, axis=axis), None if series is None else At(series, wl[near])
        )
    exact = At(series, grid)
    return Selected(grid, exact()[0], exact)


def _inside(wl: NDArray[np.float64], ends: slice) -> NDArray[np.bool_]:
    """Return which wavelengths lie between the ends of a slice, both included; ParameterError for none."""
    if ends.step is not None:
        message = f"A slice of wavelengths has two ends in um and no step, got {shown(ends)}."
        raise ParameterError(message)
    low, high = (
        edge if given is None else float(as_wavelengths(given)[0])
        for given, edge in ((ends.start, -np.inf), (ends.stop, np.inf))
    )
    reach = 1e-9 * float(wl.max())  # a grid of equal steps misses its round numbers by rounding
    keep = (wl >= low - reach) & (wl <= high + reach)
    if not keep.any():
        message = (
            f"No wavelength of the result lies between {low:.9g} and {high:.9g} um: it goes from "
            f"{wl.min():.9g} to {wl.max():.9g} um."
        )
        raise ParameterError(message)
    return keep


def entry_of(
    values: NDArray[np.complex128],
    series: Series | None,
    settings: Mapping[str, NDArray[np.float64]],
    entry: int | None,
    own: int,
) -> tuple[tuple[NDArray[np.complex128], Series | None], Mapping[str, NDArray[np.float64]]]:
    """Return ((values, series), settings) of one entry of a batch; own: axes that are not of the batch."""
    if entry is None:
        return (values, series), settings
    count = values.shape[0] if values.ndim > own else 0
    if not -count <= entry < count:
        has = f"{count} entries, numbered from 0" if count else "no batch"
        message = f"The result has {has}: there is no entry {entry}."
        raise ParameterError(message)
    left = values[entry]
    return (left, None if series is None else EntryOf(series, entry)), {}


def extremes(wl: NDArray[np.float64], level: NDArray[np.float64]) -> list[tuple[str, str, str]]:
    """Return rows of the highest and lowest point of levels (..., W) in dB: name, level, wavelength in um."""
    rows = []
    for name, at in (("highest", int(level.argmax())), ("lowest", int(level.argmin()))):
        where = wl[np.unravel_index(at, level.shape)[-1]]
        value = level.ravel()[at]
        rows.append((name, f"{value:.3f}" if np.isfinite(value) else "dark", f"{where:.7g}"))
    return rows

"""The metrics of one element of a result, and of all of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.metrics.crosstalk import crosstalk_dB
from photosim.metrics.numbers import Reading, dataset
from photosim.metrics.reading import check_places, polish, read

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.smatrix import SMatrix, Trace

FEWEST = 4


def of_trace(trace: Trace, near: float | None, channels: Sequence[float] | None) -> xarray.Dataset:
    """Return the metrics of a trace of shape (..., W), exact where it knows its circuit."""
    check_places(near, channels, trace.wl)
    leading = trace.values.shape[:-1]
    found = _dataset(_reading(trace, near), _batch(len(leading)))
    return _with_crosstalk(found, trace.wl, trace.values, channels)


def of_matrix(s: SMatrix, near: float | None, channels: Sequence[float] | None) -> xarray.Dataset:
    """Return the metrics of every pair of ports, over dimensions (batch,) from, to."""
    check_places(near, channels, s.wl)
    readings = [[_reading(s[a, b], near) for b in s.ports] for a in s.ports]
    flat = [r for row in readings for r in row]
    shape = (*flat[0].lines.shape[:-2], len(s.ports), len(s.ports))
    lines, counts, summary = (
        np.stack([getattr(r, name) for r in flat], axis=-k)
        for name, k in (("lines", 3), ("counts", 2), ("summary", 2))
    )
    whole = Reading(lines, counts, summary, flat[0].span).reshaped(shape)
    dims = (*_batch(len(shape) - 2), "from", "to")
    found = _dataset(whole, dims, {"from": list(s.ports), "to": list(s.ports)})
    return _with_crosstalk(found, s.wl, np.moveaxis(s.values, (-3, -2, -1), (-1, -2, -3)), channels)


def _reading(trace: Trace, near: float | None) -> Reading:
    if len(trace.wl) < FEWEST:
        message = f"Metrics need {FEWEST} wavelengths or more, got {len(trace.wl)}."
        raise ParameterError(message)
    found = read(trace.wl, trace.values, near=near)
    series = trace.series
    if series is None:
        return found
    flat = found.reshaped((-1,))

    def at(wl: NDArray[np.float64]) -> Any:
        batched = trace.values.ndim > 1
        return series(wl if batched else wl[0]).reshape(3, *wl.shape)

    return polish(flat, at, trace.wl).reshaped(trace.values.shape[:-1])


def _batch(axes: int) -> tuple[str, ...]:
    return tuple(f"batch{k}" if k else "batch" for k in range(axes))


def _dataset(reading: Reading, dims: tuple[str, ...], coords: Any = None) -> xarray.Dataset:
    found = dataset(reading, dims, coords)
    found.attrs["wavelengths"] = f"{reading.span[0]:.9g} to {reading.span[1]:.9g} um"
    return found


def _with_crosstalk(
    found: xarray.Dataset, wl: Any, values: Any, channels: Sequence[float] | None
) -> xarray.Dataset:
    if channels is None:
        return found
    order = np.argsort(wl)
    ratio = crosstalk_dB(wl[order], values[..., order], channels)
    meaning = {"units": "dB", "long_name": "summed power of the other channels over that of the wanted one"}
    return found.assign(crosstalk_dB=(found["q"].dims, ratio, meaning))

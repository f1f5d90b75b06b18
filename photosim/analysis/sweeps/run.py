"""ps.sweep: S-matrix elements and metrics of a circuit over settings and wavelengths."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim import metrics as reading
from photosim.analysis.channels import channels_of
from photosim.analysis.progress import Progress, silent
from photosim.analysis.provenance import provenance
from photosim.analysis.spectrum import check_settings, check_waves
from photosim.analysis.sweeps.points import Points, fixed_settings, make_points
from photosim.analysis.sweeps.work import KINDS, LINES, Run, SweepWork, chosen_channels, runs
from photosim.arguments import public
from photosim.engine.grids import auto_ends, is_auto, missed, refined
from photosim.engine.vector import unit_of
from photosim.errors import ParameterError, PhotosimWarning
from photosim.jobs import computed
from photosim.jobs.work import Arrays
from photosim.kernels import spectra as kernel
from photosim.memory import require_memory
from photosim.metrics.reading import check_places
from photosim.units import as_wavelengths, parse_wavelengths

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit

FEWEST = 4
"""Wavelengths that metrics need."""
KEEP = (*KINDS, "none")


@public
def sweep(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    vary: Mapping[str, Any] | None = None,
    *,
    wl: ArrayLike | str,
    mode: str = "grid",
    samples: int | None = None,
    method: str = "sobol",
    seed: int = 0,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
    metrics: bool = False,
    near: float | None = None,
    channels: Sequence[float] | None = None,
    settings: Mapping[str, Any] | None = None,
    keep: str = "elements",
    progress: Progress = silent,
    client: Any = None,
    chunks: str | Path | None = None,
) -> xarray.Dataset:
    """Return S-matrix elements at all points of a sweep, and their metrics, as an xarray Dataset.

    The dimensions are the settings or `sample`, then `to`, `from` and `wavelength`.

    vary: values of each swept setting by name: a list, an array or a string "start:stop:count"; for mode
    "samples", two bounds.  wl: wavelengths (W,) in um, "1.54:1.56:2001", or "1.54:1.56:auto", which adds
    points at resonances.  mode: "grid" has one dimension for each setting; "zip" changes all settings
    together along `sample`; "samples" draws `samples` points between the bounds by scipy.stats.qmc.  method:
    sobol, halton, lhs or random, for mode "samples".  inputs, outputs: exposed ports, or inner waves as
    "instance,port"; by default all exposed ports.  metrics: whether to compute the metrics of docs/metrics.md
    for every pair, for the line nearest to `near` in um (by default the middle of the sweep) and for 8 lines
    around it.  channels: wavelengths in um for crosstalk; by default those of the circuit's lasers or weight
    banks.  settings: settings that stay. keep: "elements" (`S`, complex), "power" or "none".  client, chunks:
    workers of Dask distributed, and the folder for finished chunks (docs/cluster.md).  seed: of the points of
    mode "samples".  progress: called as progress(name, done, total) after each step.

    Raises ParameterError for an unknown setting or port, and for values outside their bounds.

    >>> import photosim as ps
    >>> ring = ps.load("add_drop_ring")
    >>> vary = {"ring.coupling": [0.01, 0.02]}
    >>> found = ps.sweep(ring, vary, wl="1.5505:1.552:301", inputs=["in"], outputs=["drop"], metrics=True)
    >>> (1e6 * found.fwhm.values.ravel()).round().tolist()  # pm
    [34.0, 64.0]
    """
    question = {"vary": vary or {}, "wl": wl, "mode": mode, "samples": samples, "method": method,
                "inputs": inputs, "outputs": outputs, "metrics": metrics, "near": near, "channels": channels,
                "settings": settings or {}, "keep": keep}  # fmt: skip
    if keep not in KEEP:
        message = f"A sweep keeps elements, power or none, not {keep!r}."
        raise ParameterError(message)
    points = make_points(circuit, vary or {}, mode, samples, seed, method)
    constant = fixed_settings(circuit, settings or {}, points.values)
    first = {name: values[0] for name, values in points.values.items()}
    check_settings(circuit, {**constant, **first}, "A sweep varies settings of")
    starts, ends = (tuple(circuit.ports if names is None else names) for names in (inputs, outputs))
    if not starts or not ends:
        message = f"The circuit {circuit.name!r} exposes no port: name waves in `inputs` and `outputs`."
        if circuit.ports:
            message = f"A sweep needs a port in `inputs` and one in `outputs`, such as {circuit.ports[0]!r}."
        raise ParameterError(message)
    check_waves(circuit, starts, ends)
    sample = runs(circuit, points.count, points.values, constant)
    grid, remarks = _wavelengths(sample, wl, ends, starts)
    if metrics and len(grid) < FEWEST:
        message = f"Metrics need {FEWEST} wavelengths or more, got {len(grid)}."
        raise ParameterError(message)
    if not metrics and (near is not None or channels is not None):
        message = f"{'channels' if near is None else 'near'} belongs to metrics: give metrics too."
        raise ParameterError(message)
    check_places(near, channels, grid)
    if metrics and channels is None:
        channels = channels_of(circuit, constant)
    _check_memory((points.count, len(ends), len(starts)), grid, keep, metrics=metrics)
    work = SweepWork(
        circuit, points.count, points.values, constant, grid, ends, starts, keep, near,
        chosen_channels(channels) if metrics else None, metrics, question, seed, made=sample,
    )  # fmt: skip
    solved = computed(work, lambda done, total: progress("sweep", done, total), client, chunks)
    found = _dataset(work, points, solved, ends, starts)
    for name in points.coords:
        if unit := unit_of(circuit.compiled, str(name)):
            found[name].attrs["units"] = unit
    found.attrs = {**provenance(circuit, question, seed), "remarks": " ".join(remarks)}
    for text in remarks:
        warnings.warn(text, PhotosimWarning, stacklevel=2)
    return found


def _wavelengths(
    runs: Sequence[Run], wl: Any, ends: Sequence[str], starts: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the grid, and remarks on what it misses."""
    if is_auto(wl):
        grids = [refined(r.compiled, r.point, auto_ends(wl), ends, starts) for r in runs]
        return np.unique(np.concatenate(grids)), ()
    grid = parse_wavelengths(wl) if isinstance(wl, str) else as_wavelengths(wl)
    remarks = [text for r in runs[:3] for text in missed(r.compiled, r.point, grid, ends, starts)]
    return grid, tuple(remarks[:1])


def _check_memory(shape: tuple[int, int, int], grid: Any, keep: str, *, metrics: bool) -> None:
    pairs = float(np.prod([float(n) for n in shape]))
    number = pairs * len(grid) * {"elements": 16.0, "power": 8.0, "none": 0.0}[keep]
    number += pairs * LINES * 8.0 * 2 * kernel.COLUMNS if metrics else 0.0
    what = f"A sweep of {shape[0]:,} points, {shape[1] * shape[2]} pairs and {len(grid):,} wavelengths"
    require_memory(number, what, "keep the power or none of it, or sweep less at a time")


def _dataset(
    work: SweepWork, points: Points, found: Arrays, ends: Sequence[str], starts: Sequence[str]
) -> xarray.Dataset:
    """Return everything over named dimensions."""
    import xarray

    dims = (*points.axes, "to", "from")
    shape = (*points.axes.values(), len(ends), len(starts))
    coords: dict[str, Any] = {
        "to": list(ends), "from": list(starts), "wavelength": ("wavelength", work.grid, {"units": "um"}),
        **points.coords,
    }  # fmt: skip
    data = xarray.Dataset(coords=coords)
    if "kept" in found:
        power = work.keep == "power"
        words = "power ratio" if power else "wave at `to` per wave at `from`, amplitudes in sqrt(W)"
        values = found["kept"].reshape(*shape, len(work.grid))
        data["power" if power else "S"] = ((*dims, "wavelength"), values, {"units": "1", "long_name": words})
    if work.metrics:
        span = (float(work.rising[0]), float(work.rising[-1]))
        whole = reading.Reading(found["lines"], found["counts"], found["summary"], span)
        data = data.merge(reading.dataset(whole.reshaped(shape), dims))
        if "crosstalk" in found:
            words = "summed power of the other channels over that of the wanted one"
            ratio = found["crosstalk"].reshape(shape)
            data["crosstalk_dB"] = (dims, ratio, {"units": "dB", "long_name": words})
    return data

"""ps.sweep: S-matrix elements and metrics of a circuit over settings and wavelengths."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim import metrics as reading
from photosim.analysis.channels import channels_of
from photosim.analysis.grids import auto_ends, is_auto, missed, refined
from photosim.analysis.progress import Progress, silent
from photosim.analysis.provenance import provenance
from photosim.analysis.spectrum import check_settings, check_waves
from photosim.analysis.sweeps.points import Points, fixed_settings, make_points
from photosim.arguments import public
from photosim.engine.batches import solve_slices
from photosim.errors import ParameterError, PhotosimWarning
from photosim.kernels import spectra as kernel
from photosim.memory import require_memory
from photosim.metrics.reading import MOST_LINES, PART
from photosim.units import as_wavelengths, parse_wavelengths

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point

LINES = 8
"""Lines of each spectrum that a sweep keeps, next to the wavelength that counts."""
FEWEST = 4
"""Wavelengths that metrics need."""
KEEP = ("elements", "power", "none")


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
) -> xarray.Dataset:
    """Return elements of the S-matrix at all points of a sweep, and their metrics, as an xarray Dataset.

    vary: values of each swept setting by name, a list, an array or a text "start:stop:count"; two bounds in
    mode "samples".  wl: wavelengths (W,) in um, "1.54:1.56:2001", or "1.54:1.56:auto", which refines the grid
    where a resonance would be missed.  mode: "grid" has one dimension a setting, "zip" changes all together
    along `sample`, "samples" draws so many points of the box by scipy.stats.qmc: `method` sobol, halton, lhs
    or random.  inputs, outputs: exposed ports, or inner waves as "instance,port"; all exposed ports by
    default.  metrics: also the numbers of docs/metrics.md for every pair, of the line next to `near` in um
    (the middle if None) and of the 8 lines around it.  channels: wavelengths in um for crosstalk; by default
    those of the circuit's lasers or weight banks.  settings: settings that stay.  keep: "elements" (`S`,
    complex), "power" or "none".

    Dimensions: the settings or `sample`, then `to`, `from`, `wavelength`. Raises ParameterError for a setting
    or port that does not exist and values out of bounds.
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
        raise ParameterError(message)
    check_waves(circuit, starts, ends)
    runs = _runs(circuit, points, constant)
    grid, remarks = _wavelengths(runs, wl, ends, starts)
    if metrics and len(grid) < FEWEST:
        message = f"Metrics need {FEWEST} wavelengths or more, got {len(grid)}."
        raise ParameterError(message)
    if metrics and channels is None:
        channels = channels_of(circuit, constant)
    shape = points.count, len(ends), len(starts)
    _check_memory(shape, grid, keep, metrics=metrics)
    result = _Result(shape, grid, keep, near, channels if metrics else None, metrics=metrics)
    done = 0
    for run in runs:
        progress("sweep", done, points.count)
        result.solve(run, ends, starts)
        done += len(run.numbers)
    progress("sweep", done, points.count)
    found = result.dataset(points, ends, starts)
    found.attrs = {**provenance(circuit, question, seed), "remarks": " ".join(remarks)}
    for text in remarks:
        warnings.warn(text, PhotosimWarning, stacklevel=2)
    return found


@dataclass(frozen=True)
class _Run:
    """Points of a sweep that share a graph: their numbers, and what to solve."""

    numbers: NDArray[np.int64]
    compiled: Compiled
    point: Point


def _runs(circuit: Circuit, points: Points, constant: Mapping[str, Any]) -> list[_Run]:
    """Return the points by graph: settings that shape the graph, or are choices, have one value in each."""
    continuous = circuit.compiled.continuous
    shaping = [n for n, v in points.values.items() if n not in continuous or not isinstance(v, np.ndarray)]
    groups: dict[tuple[Any, ...], list[int]] = {(): list(range(points.count))}
    if shaping:
        groups = {}
        for k in range(points.count):
            groups.setdefault(tuple(_plain(points.values[n][k]) for n in shaping), []).append(k)
    runs = []
    for key, members in groups.items():
        numbers = np.array(members)
        own = {n: v[numbers] for n, v in points.values.items() if n not in shaping}
        compiled, point = circuit.at({**constant, **dict(zip(shaping, key, strict=True)), **own})
        runs.append(_Run(numbers, compiled, point))
    return runs


def _plain(value: Any) -> Any:
    number = value.item() if isinstance(value, np.generic) else value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _wavelengths(
    runs: Sequence[_Run], wl: Any, ends: Sequence[str], starts: Sequence[str]
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


class _Result:
    """What a sweep keeps, filled slice by slice."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        grid: NDArray[np.float64],
        keep: str,
        near: float | None,
        channels: Sequence[float] | None,
        *,
        metrics: bool,
    ) -> None:
        self.shape, self.grid = shape, grid
        self.order = np.argsort(grid, kind="stable")
        self.rising = np.ascontiguousarray(grid[self.order])
        count, pairs = shape[0], shape[1] * shape[2]
        kind: Any = {"elements": np.complex128, "power": np.float64}.get(keep)
        self.kept = None if kind is None else np.empty((count, pairs, len(grid)), dtype=kind)
        self.power = keep == "power"
        self.near = 0.5 * float(self.rising[0] + self.rising[-1]) if near is None else float(near)
        self.channels = channels if channels is not None and len(channels) > 1 else None
        self.metrics = metrics
        if metrics:
            if np.any(np.diff(self.rising) <= 0.0):
                message = "Metrics need different wavelengths, but some repeat."
                raise ParameterError(message)
            lines = min(LINES, MOST_LINES)
            self.lines = np.full((count, pairs, lines, kernel.COLUMNS), np.nan)
            self.counts = np.zeros((count, pairs, 3), dtype=np.int64)
            self.summary = np.zeros((count, pairs, 2))
            self.crosstalk = np.full((count, pairs), np.nan)

    def solve(self, run: _Run, ends: tuple[str, ...], starts: tuple[str, ...]) -> None:
        """Solve one run and keep what is wanted of every slice."""
        contiguous = len(run.numbers) == run.numbers[-1] - run.numbers[0] + 1
        sorted_already = bool(np.array_equal(self.rising, self.grid))

        def take(first: int, last: int, values: NDArray[np.complex128]) -> None:
            where: Any = run.numbers[first:last]
            if contiguous:
                where = slice(int(where[0]), int(where[-1]) + 1)
            if self.kept is not None:
                self.kept[where] = values.real**2 + values.imag**2 if self.power else values
            if self.metrics:
                s = values if sorted_already else np.ascontiguousarray(values[..., self.order])
                self._read(where, s)

        planned = run.compiled.wave_plan(ends, starts)
        solve_slices(run.compiled, planned, run.point, self.grid, len(ends) * len(starts), take)

    def _read(self, where: Any, s: NDArray[np.complex128]) -> None:
        lines = np.full((len(s), *self.lines.shape[1:]), np.nan)
        lines[..., kernel.FLAGS] = 0.0
        counts = np.zeros((len(s), s.shape[1], 3), dtype=np.int64)
        summary = np.zeros((len(s), s.shape[1], 2))
        kernel.read_lines(self.rising[np.newaxis], s, PART, np.array([self.near]), lines, counts, summary)
        self.lines[where], self.counts[where], self.summary[where] = lines, counts, summary
        if self.channels is not None:
            self.crosstalk[where] = reading.crosstalk_dB(self.rising, s, self.channels)

    def dataset(self, points: Points, ends: Sequence[str], starts: Sequence[str]) -> xarray.Dataset:
        """Return everything over named dimensions."""
        import xarray

        dims = (*points.axes, "to", "from")
        shape = (*points.axes.values(), len(ends), len(starts))
        coords: dict[str, Any] = {
            "to": list(ends), "from": list(starts), "wavelength": ("wavelength", self.grid, {"units": "um"}),
            **points.coords,
        }  # fmt: skip
        found = xarray.Dataset(coords=coords)
        if self.kept is not None:
            words = "power ratio" if self.power else "wave at `to` per wave at `from`, amplitudes in sqrt(W)"
            values = self.kept.reshape(*shape, len(self.grid))
            name = "power" if self.power else "S"
            found[name] = ((*dims, "wavelength"), values, {"units": "1", "long_name": words})
        if self.metrics:
            span = (float(self.rising[0]), float(self.rising[-1]))
            whole = reading.Reading(self.lines, self.counts, self.summary, span)
            found = found.merge(reading.dataset(whole.reshaped(shape), dims))
            if self.channels is not None:
                words = "summed power of the other channels over that of the wanted one"
                ratio = self.crosstalk.reshape(shape)
                found["crosstalk_dB"] = (dims, ratio, {"units": "dB", "long_name": words})
        return found

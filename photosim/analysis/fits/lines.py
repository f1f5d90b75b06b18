"""Lines of the fitted spectra, with errors: resonance, width, Q and depth of every line of a ring."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError, PhotosimWarning
from photosim.metrics.reading import read_flat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem

LINES = 16
_DRAWS = 40
_FINE = 8
QUANTITIES = ("resonance", "q", "fwhm", "fsr", "extinction_dB", "insertion_loss_dB")


def has_loops(problem: Problem) -> bool:
    """Return whether light goes round in the circuit."""
    powers = problem.powers
    return bool(powers.circuit.compiled.wave_plan(powers.outputs, powers.inputs).plan.loops)


def line_table(problem: Problem, x: NDArray[np.float64], draws: NDArray[np.float64]) -> Any:
    """Return a Dataset over (column, line) of the numbers of each line and their standard errors."""
    from photosim import metrics

    n = len(problem.parameters)
    theta = np.concatenate([x[np.newaxis], x + draws[:_DRAWS]])[:, :n] * problem.scales[:n]
    theta = np.clip(theta, [p.low for p in problem.parameters], [p.high for p in problem.parameters])
    wl = problem.data.wl
    if np.any(np.diff(wl) <= 0.0):
        wl = np.unique(wl)
    if len(wl) < 20_000:  # between the points too, where a narrow line has few
        wl = np.interp(np.linspace(0.0, 1.0, _FINE * (len(wl) - 1) + 1), np.linspace(0.0, 1.0, len(wl)), wl)
    tables = []
    for row in theta:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)
            try:
                power = problem.powers.values(wl, row)
            except ParameterError:
                continue
        read = read_flat(
            wl[np.newaxis],
            np.sqrt(power)[np.newaxis].astype(np.complex128),
            0.5 * (wl[0] + wl[-1]),
            most=LINES,
        )
        tables.append(metrics.dataset(read.reshaped((len(power),)), ("column",)))
    best = tables[0]
    tables = [t for t in tables if t.sizes["line"] == best.sizes["line"]]  # others show other lines
    found = {}
    for name in QUANTITIES:
        key = f"line_{name}"
        if key not in best:
            continue
        stack = np.stack([t[key].values for t in tables])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            error = np.nanstd(stack[1:], axis=0, ddof=1) if len(stack) > 3 else np.full_like(stack[0], np.nan)
        attrs = dict(best[key].attrs)
        found[key] = (("column", "line"), stack[0], attrs)
        found[f"{key}_error"] = (
            ("column", "line"),
            error,
            {**attrs, "long_name": f"standard error of {key}"},
        )
    return found

"""ps.fit: settings of a circuit from measured spectra, with what is known about them and what is not."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.fits.alternatives import (
    Alternative,
    alternatives,
    confirmed,
    home,
    is_better,
    next_to_guess,
)
from photosim.analysis.fits.columns import divided_by, spectra_of
from photosim.analysis.fits.fringes import period
from photosim.analysis.fits.misfit import misfits
from photosim.analysis.fits.parameters import Parameter, read_parameters
from photosim.analysis.fits.problem import Powers, Problem, Spectra
from photosim.analysis.fits.refining import Found, refine
from photosim.analysis.fits.search import search
from photosim.analysis.fits.tables import Tabled, dataset_of
from photosim.analysis.fits.uncertainty import noise_of, uncertainty
from photosim.analysis.progress import Progress, silent
from photosim.analysis.provenance import provenance
from photosim.analysis.spectrum import check_settings
from photosim.analysis.sweeps.points import check_setting
from photosim.arguments import public
from photosim.bounds import check_number
from photosim.engine.bindings import flat_settings, no_setting
from photosim.errors import ParameterError, PhotosimWarning, did_you_mean
from photosim.expressions import parse
from photosim.files.measured import Measured, measured_of
from photosim.jobs import computed
from photosim.jobs.work import Arrays

if TYPE_CHECKING:
    import xarray

    from photosim.analysis.fits.starts import StartsWork
    from photosim.circuit import Circuit

ENVELOPES = ("auto", "none", "fit", "divide")
RESIDUALS = ("dB", "linear")
STARTS, DRAWS = 8, 1000
MOST_STARTS, MOST_DRAWS = 10_000, 100_000
_USUAL_DEGREE = 2
_MOST_DEGREE = 12
_BETTER = 0.8
_FIRST_GUESS_dB = 0.5
_ROUNDS = 2


@dataclass(frozen=True, eq=False)
class Made:
    """A fit that was checked: the problem, its envelope, and expressions that are wanted."""

    problem: Problem
    envelope: str
    degree: int
    derived: Mapping[str, str]


@public
def fit(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    measured: Any,
    parameters: str | Sequence[str] | Mapping[str, Any],
    *,
    columns: Mapping[str, Any] | Sequence[str] | None = None,
    source: str | None = None,
    wavelength: str | None = None,
    units: Mapping[str, str] | None = None,
    window: Sequence[float] | None = None,
    bounds: Mapping[str, Any] | None = None,
    priors: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    envelope: str = "auto",
    degree: int = _USUAL_DEGREE,
    reference: str | Path | None = None,
    floor: bool = False,
    residuals: str = "dB",
    derived: Mapping[str, str] | None = None,
    starts: int = STARTS,
    bootstrap: int = DRAWS,
    block: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
    client: Any = None,
    chunks: str | Path | None = None,
) -> xarray.Dataset:
    """Return the settings that fit measured spectra best, with errors and residuals, as a Dataset.

    measured: a file (docs/fit.md), a mapping of names to arrays (N,), or a Dataset.  parameters: names or
    patterns of the settings to fit, or a mapping of them to {start, bounds, prior}.  columns: mapping of each
    column to its output port, or to "from->to".  source: port where light enters.  wavelength: name of the
    column of wavelengths.  units: of columns.  window: (low, high) in um.  bounds: (low, high) by name.
    priors: (mean, sigma) by name.  settings: settings that stay.  envelope: "fit" fits a polynomial in dB of
    that `degree` to each column too, "divide" divides it out first, "none" has none, "auto" chooses.  degree:
    of that polynomial. reference: a column or a file whose power is divided out.  floor: whether to fit a
    noise floor of each column too.  residuals: in "dB" or "linear".  derived: expressions over settings, by
    name.  starts: number of starting points that are refined.  bootstrap: number of resamples.  block: number
    of samples of one block of the bootstrap; by default longer than a fringe.  client, chunks: workers that
    refine the starts, and the folder for finished ones (docs/cluster.md).  seed: of all random numbers; the
    same seed gives the same result.  progress: called as progress(name, done, total) after each step.

    Raises DataError for data that cannot be read, and ParameterError for a name that the circuit does not
    have.

    >>> import numpy as np
    >>> import photosim as ps
    >>> ring = ps.load("all_pass_ring")
    >>> wl = ps.wavelengths(1.549, 1.551, 301)
    >>> noise = 0.01 * np.random.default_rng(0).normal(size=wl.size)
    >>> power = ring(wl, loss_dB_cm=4.0)["in", "through"].power_dB + noise
    >>> measured = {"wavelength_um": wl, "through_dB": power}
    >>> found = ps.fit(ring, measured, ["loss_dB_cm"], columns={"through_dB": "through"}, starts=2)
    >>> bool(found.residual_rms_dB < 0.02)
    True
    """
    question = {
        "parameters": parameters,
        "columns": columns,
        "from": source,
        "window": window,
        "bounds": bounds,
        "priors": priors,
        "settings": settings,
        "envelope": envelope,
        "degree": degree,
        "reference": reference,
        "floor": floor,
        "residuals": residuals,
        "derived": derived,
        "starts": starts,
        "bootstrap": bootstrap,
        "block": block,
    }
    check_number("fit", 1, MOST_STARTS, starts=starts)
    check_number("fit", 50, MOST_DRAWS, bootstrap=bootstrap)
    data = measured_of(measured, wavelength, units)
    made = make(
        circuit,
        data,
        parameters,
        columns=columns,
        source=source,
        window=window,
        bounds=bounds,
        priors=priors,
        settings=settings,
        envelope=envelope,
        degree=degree,
        reference=reference,
        floor=floor,
        residuals=residuals,
        derived=derived,
    )
    if block is not None and not 1 <= block <= len(made.problem.data.wl) // 2:
        message = f"block must be 1 to half the wavelengths, {len(made.problem.data.wl) // 2}, got {block}."
        raise ParameterError(message)

    def solve(work: StartsWork) -> Arrays:
        return computed(work, lambda done, _total: progress("fit", done, starts + 2), client, chunks)

    problem, found, others, costs = _solved(made, starts, seed, solve, question, progress)
    errors = uncertainty(problem, found.x, bootstrap, seed, block)
    _say_windows(circuit, problem, found)
    tabled = Tabled(problem, found, errors, tuple(others), costs, made.derived, circuit)
    result = dataset_of(tabled)
    remarks = [*data.remarks, *_remarks(problem, made, result)]
    result.attrs = {**provenance(circuit, question, seed), "data": data.source, "remarks": "; ".join(remarks)}
    return result


def make(  # noqa: PLR0913 - as above
    circuit: Circuit,
    measured: Measured,
    parameters: Any,
    *,
    columns: Any,
    source: str | None,
    window: Any,
    bounds: Any,
    priors: Any,
    settings: Any,
    envelope: str,
    degree: int,
    reference: Any,
    floor: bool,
    residuals: str,
    derived: Any,
) -> Made:
    """Return a fit that is checked, before anything is computed."""
    for what, value, known in (("envelope", envelope, ENVELOPES), ("residuals", residuals, RESIDUALS)):
        if value not in known:
            message = f"{what} must be {', '.join(known)}, got {value!r}.{did_you_mean(str(value), known)}"
            raise ParameterError(message)
    if not 0 <= degree <= _MOST_DEGREE:
        message = f"degree must be 0 to {_MOST_DEGREE}, got {degree}."
        raise ParameterError(message)
    linear = residuals == "linear"
    if linear and envelope == "divide":
        message = (
            "An envelope is divided out of residuals in dB: leave out `residuals: linear`, or fit the "
            "envelope."
        )
        raise ParameterError(message)
    data = spectra_of(circuit, measured, columns, source, window)
    if reference is not None:
        data = divided_by(data, measured, reference)
    chosen = read_parameters(circuit, parameters, bounds or {}, priors or {})
    fixed = flat_settings(settings or {})
    names = tuple(p.name for p in chosen)
    for name in fixed:
        check_setting(circuit, name)
        if name in names:
            message = f"Setting {name!r} is fitted and fixed: give it once."
            raise ParameterError(message)
    check_settings(circuit, {**fixed, **{p.name: p.start for p in chosen}}, "A fit finds settings of")
    unknown = int((~np.isfinite(data.decibels)).sum())
    if unknown and not linear and unknown > 0.5 * data.decibels.size:
        message = "More than half of the powers are not positive: fit them with `residuals: linear`."
        raise ParameterError(message)
    lowest = np.nanquantile(data.decibels, 0.002, axis=1) - 1.0 if floor else None
    _check_derived(circuit, derived or {})
    powers = Powers(circuit, names, data.pairs, fixed)
    size = len(data.wl) * len(data.names)
    if size <= len(chosen):
        message = f"{len(chosen)} settings cannot be fitted to {size} numbers."
        raise ParameterError(message)
    problem = Problem(powers, data, chosen, floor=lowest, linear=linear)
    return Made(problem, envelope, degree, dict(derived or {}))


def _check_derived(circuit: Circuit, derived: Mapping[str, str]) -> None:
    for name, text in derived.items():
        try:
            expression = parse(str(text))
        except ParameterError as error:
            message = f"derived: {name!r}: {error}."
            raise ParameterError(message) from None
        for symbol in expression.names:
            if symbol not in circuit.parameters:
                message = f"derived: {name!r}: {no_setting(symbol, circuit.parameters)}"
                raise ParameterError(message)


def _solved(
    made: Made,
    starts: int,
    seed: int,
    solve: Callable[[StartsWork], Arrays],
    question: Mapping[str, Any],
    progress: Progress,
) -> tuple[Problem, Found, list[Alternative], Any]:
    """Return problem and best minimum of all data, others as good, and each start's rms."""
    problem = made.problem
    first = _FIRST_GUESS_dB if not problem.linear else 0.02
    problem = problem.changed(noise=first * np.sqrt(max(period(problem.data) / 6.0, 1.0)))
    degree = made.degree
    if made.envelope in ("fit", "divide"):
        problem = problem.changed(degree=degree, divided=made.envelope == "divide")
    steps = starts + 2
    sparse, minima, costs = search(problem, starts, seed, solve, question)
    if made.envelope == "auto":
        enveloped = problem.changed(degree=degree)
        other = search(enveloped, starts, seed, solve, question)
        if _rms(other[0], other[1][0]) < _BETTER * _rms(sparse, minima[0]):
            problem, (sparse, minima, costs) = enveloped, other
    progress("fit", starts, steps)
    rms = np.sqrt(2.0 * costs / max(int(sparse.known.sum()), 1)) * sparse.noise
    noise = noise_of(sparse, minima[0].x)
    sparse = sparse.changed(noise=noise)
    minima = sorted((refine(sparse, m.x, steps=40) for m in minima), key=lambda m: m.cost)
    chosen = home(sparse, minima[0])
    rest = alternatives(sparse, chosen, minima)
    for _ in range(_ROUNDS):
        better = min((a.found for a in rest), key=lambda one: one.cost, default=chosen)
        if not is_better(better, chosen):
            break
        # An exchange of settings led out of a local minimum: noise, and what fits as well, follow from there.
        noise = noise_of(sparse, better.x)
        sparse = sparse.changed(noise=noise)
        chosen = home(sparse, refine(sparse, better.x, steps=40))
        rest = alternatives(sparse, chosen, minima)
    nearest = next_to_guess(sparse, chosen, rest)
    if nearest is not chosen:
        chosen = nearest
        rest = alternatives(sparse, chosen, minima)
    progress("fit", starts + 1, steps)
    final = problem.changed(noise=noise)
    whole = refine(final, chosen.x, tolerance=1e-8)
    final = final.changed(noise=noise_of(final, whole.x))
    if any(p.has_prior for p in final.parameters):  # whose weight follows from the noise
        whole = refine(final, whole.x, tolerance=1e-8)
    else:  # others are held against the cost in units of this noise
        whole = replace(whole, cost=0.5 * float(np.sum(final.residuals(whole.x) ** 2)))
    others = confirmed(final, whole, rest)
    progress("fit", steps, steps)
    return final, whole, others, rms


def _rms(problem: Problem, found: Found) -> float:
    """Return the root of the mean square of residuals, priors left out, more numbers counting against it."""
    known = int(problem.known.sum())
    left = problem.residuals(found.x)[:known] * problem.noise
    return float(np.sqrt(np.sum(left**2) / max(known - problem.size, 1)))


def _say_windows(circuit: Circuit, problem: Problem, found: Found) -> None:
    """Let the circuit warn of windows that the fitted settings leave."""
    values = dict(zip(problem.powers.names, (found.x * problem.scales).tolist(), strict=False))
    compiled, point = circuit.at({**problem.powers.fixed, **values})
    compiled.windows.look(point, problem.data.wl[[0, -1]])


def _remarks(problem: Problem, made: Made, result: xarray.Dataset) -> list[str]:
    columns = result["measured_dB"].values, result["residual_dB"].values
    found = [] if problem.linear else misfits(problem.data.names, problem.data.wl, *columns)
    if made.envelope == "auto" and problem.degree is not None:
        found.append(
            f"an envelope of degree {problem.degree} was fitted to each column, as the circuit's own did "
            "not fit"
        )
    unknown = int((~np.isfinite(problem.data.decibels)).sum())
    if unknown and not problem.linear:
        found.append(f"{unknown} powers that are not positive were left out")
    for text in found:
        warnings.warn(text[0].upper() + text[1:] + ".", PhotosimWarning, stacklevel=3)
    return found


__all__ = ["Parameter", "Spectra", "fit", "make"]

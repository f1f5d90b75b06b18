"""ps.montecarlo: chips drawn from what varies, judged by a specification."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.channels import channels_of
from photosim.analysis.options import inside
from photosim.analysis.progress import Progress, silent
from photosim.analysis.provenance import provenance
from photosim.analysis.spectrum import check_settings
from photosim.analysis.yields.blame import first_order, sobol_indices
from photosim.analysis.yields.distributions import Variation
from photosim.analysis.yields.field import lines_of
from photosim.analysis.yields.judging import Judge, line_pair
from photosim.analysis.yields.normals import Normals
from photosim.analysis.yields.rare import rare_failures
from photosim.analysis.yields.specification import FEWEST, check_judged, pairs_of, read_specification
from photosim.analysis.yields.tables import Tabled, dataset
from photosim.analysis.yields.tuning import Tuning, check_heaters
from photosim.analysis.yields.variation import Draws, prepare
from photosim.analysis.yields.work import YieldWork
from photosim.arguments import public
from photosim.engine.bindings import flat_settings
from photosim.engine.grids import resolve
from photosim.errors import ParameterError, PhotosimWarning
from photosim.jobs import computed
from photosim.jobs.work import Arrays
from photosim.netlist.mappings import read
from photosim.units import check_wavelengths

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit

    FloatArray = NDArray[np.float64]

MOST_SAMPLES = 100_000_000
CORNER = 3.0
"""Standard deviations of the corners."""
_PROBED = 64
"""Chips that are asked whether any of them has a value."""
_HINTS = MappingProxyType(
    {
        "fsr": ", which needs two lines",
        "crosstalk_dB": ", which needs two `channels` or more",
        "bandwidth_1dB": ", which needs a whole line",
        "bandwidth_3dB": ", which needs a whole line",
        "fwhm": ", which needs a whole line",
        "q": ", which needs a whole line",
        "extinction_dB": ", which needs a free spectral range",
    }
)
"""What a quantity needs to have a value."""


@public
def montecarlo(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    variation: Mapping[str, Any],
    *,
    wl: ArrayLike | str,
    specification: Sequence[Mapping[str, Any]] | None = None,
    samples: int = 1000,
    seed: int = 0,
    method: str = "random",
    follow: bool | Sequence[str] = False,
    channels: Sequence[float] | None = None,
    settings: Mapping[str, Any] | None = None,
    tuning: Mapping[str, Any] | None = None,
    sobol: int = 0,
    rare: bool = False,
    progress: Progress = silent,
    client: Any = None,
    chunks: str | Path | None = None,
) -> xarray.Dataset:
    """Return the fraction of random chips that meet a specification, and the causes of failure, as a Dataset.

    circuit: the nominal chip.  variation: as docs/yield.md describes: standard deviations of width,
    thickness, gap (um) and temperature (K) by level (wafer, die, local), and distributions of settings.  wl:
    wavelengths (W,) in um, or a string.  specification: entries with quantity, from, to, a window, and
    at_least, at_most or within; by default those of the netlist.  samples: number of chips.  method:
    "random", or "sobol", "halton", "lhs" of scipy.stats.qmc.  follow: whether the sweep moves with the line
    of each chip; True for the ports of the first entry, or (from, to).  channels: wavelengths in um for
    crosstalk.  settings: settings that stay. tuning: {heaters, power_per_pi, budget}, for the yield after
    tuning.  sobol: number of chips for each row of Sobol indices; 0 for none.  rare: whether to estimate the
    probability of failure by importance sampling, for failures that `samples` chips would not show.  client,
    chunks: workers of Dask distributed, and the folder for finished chunks (docs/cluster.md).  seed: of all
    random numbers; the same seed gives the same result. progress: called as progress(name, done, total) after
    each step.

    Raises ParameterError for an unknown name, for values outside their bounds, and for an entry that cannot
    be evaluated in the sweep.

    >>> import photosim as ps
    >>> ring = ps.load("add_drop_ring")
    >>> limit = {"quantity": "resonance", "from": "in", "to": "drop", "within": [1.5508, 1.5516]}
    >>> varies = {"width": {"die": 1e-3}}  # um
    >>> chips = ps.montecarlo(ring, varies, wl="1.549:1.5535:201", specification=[limit], samples=100)
    >>> 0.0 < float(chips["yield"]) < 1.0
    True
    """
    question = {"variation": variation, "wl": wl, "specification": specification, "samples": samples,
                "method": method, "follow": follow, "channels": channels, "settings": settings or {},
                "tuning": tuning, "sobol": sobol, "rare": rare}  # fmt: skip
    arguments = (variation, specification, wl, follow, channels, settings, tuning)
    made = make(circuit, *arguments)
    if not 2 <= samples <= MOST_SAMPLES:
        message = f"A yield needs 2 to {MOST_SAMPLES:,} samples, got {samples}."
        raise ParameterError(message)
    if not 0 <= sobol <= MOST_SAMPLES:
        message = f"Sobol indices take 0 to {MOST_SAMPLES:,} samples, got {sobol}."
        raise ParameterError(message)
    raw = circuit.netlist.specification if specification is None else specification
    work = YieldWork(circuit, make, (variation, raw, *arguments[2:]), samples, seed, method, question, made)
    _check_values(made.judge, samples, seed)
    drawn = computed(work, lambda done, total: progress("yield", done, total), client, chunks)
    found = _tabled(made, drawn, (samples, seed), sobol=sobol, rare=rare)
    data = dataset(made.judge, found)
    data.attrs = provenance(circuit, question, seed)
    return data


def _check_values(judge: Judge, samples: int, seed: int) -> None:
    """Refuse an entry without a value for the nominal chip and the first drawn ones; warn of the nominal one.

    Such are the free spectral range of a sweep of one line, or the crosstalk of channels outside of it.
    """
    nominal = judge.nominal()
    if not np.isnan(nominal).any():
        return
    normals = Normals(min(samples, _PROBED), judge.draws.dimensions, seed, "random")
    drawn = judge.values(next(normals.chunks())[1])
    ends = f"{judge.wl[0]:g} to {judge.wl[-1]:g} um"
    for entry, own, others in zip(judge.entries, nominal, drawn, strict=True):
        unknown = np.isnan(own)
        if unknown and np.isnan(others).all():
            message = (
                f"No wavelength of the sweep, {ends}, can judge the specification {entry.label!r}: no chip "
                f"has a value of {entry.quantity} there{_HINTS.get(entry.quantity, '')}."
            )
            raise ParameterError(message)
        if unknown:
            text = (
                f"The nominal chip has no value of {entry.label!r} in the sweep, {ends}: chips without one "
                "count as failed."
            )
            warnings.warn(text, PhotosimWarning, stacklevel=3)


@dataclass(frozen=True)
class Made:
    """A question of yield made ready: the judge, and how a chip is tuned."""

    judge: Judge
    tuning: Tuning | None
    places: Mapping[str, tuple[float, float]]


def make(
    circuit: Circuit,
    variation: Mapping[str, Any],
    specification: Sequence[Mapping[str, Any]] | None,
    wl: Any,
    follow: Any,
    channels: Sequence[float] | None,
    settings: Mapping[str, Any] | None,
    tuning: Mapping[str, Any] | None,
) -> Made:
    """Return a question of yield made ready; ParameterError for what it cannot be."""
    raw = circuit.netlist.specification if specification is None else specification
    if not raw:
        message = (
            f"The circuit {circuit.name!r} has no specification: give entries such as "
            "{quantity: insertion_loss_dB, from: in, to: drop, at_most: 1}."
        )
        raise ParameterError(message)
    entries = read_specification(circuit, raw)
    constant = flat_settings(settings or {})
    with inside("settings"):
        check_settings(circuit, constant, "A yield draws chips of")
        circuit.at(constant)
    with inside("variation"):
        varied = read(Variation, variation, "variation")
        draws = prepare(circuit, varied, constant)
        places = _places(circuit, varied, draws)
    starts, ends = pairs_of(entries)
    with inside("wl"):
        grid = np.unique(resolve(circuit, wl, constant, ends, starts))
    lines = [entry.label for entry in entries if entry.of_line or entry.quantity == "crosstalk_dB"]
    if len(grid) < FEWEST and lines:
        message = f"{lines[0]!r} needs {FEWEST} wavelengths or more to be judged, got {len(grid)}."
        raise ParameterError(message)
    moves = follow is not False and follow is not None
    check_judged(entries, grid, moves=moves)
    with inside("channels"):
        found = tuple(channels) if channels is not None else channels_of(circuit, constant)
        check_wavelengths(found)
    judge = Judge(draws, entries, grid, 0.5 * float(grid[0] + grid[-1]), found)
    with inside("tuning"):
        heaters = None if tuning is None else read(Tuning, tuning, "tuning")
        if heaters is not None:
            check_heaters(circuit, heaters)
    if moves:
        with inside("follow"):
            judge = _following(judge, follow, () if heaters is None else heaters.heaters)
    return Made(judge, heaters, places)


def _following(judge: Judge, follow: Any, heaters: Sequence[str]) -> Judge:
    """Return a judge whose window moves with a line: of the first entry, or of (from, to)."""
    pair = line_pair(judge.entries) if follow is True else _pair(follow)
    if not all(entry.of_line for entry in judge.entries):
        message = "A window that follows a line judges entries read off lines only: leave `follow` out."
        raise ParameterError(message)
    return judge.following(pair, heaters)


def _places(circuit: Circuit, variation: Variation, draws: Draws) -> dict[str, tuple[float, float]]:
    """Return the middle of each varying part in um, where a correlation length asks for places."""
    if variation.correlation_length is None:
        return {}
    parts = [circuit.graph.parts[circuit.graph.index[n]] for n in dict.fromkeys(i.part for i in draws.items)]
    lines = lines_of(circuit, parts, variation.places)
    middles = (line.mean(axis=0).tolist() for line in lines)
    return {part.name: (x, y) for part, (x, y) in zip(parts, middles, strict=True)}


def _pair(follow: Any) -> tuple[str, str]:
    names = tuple(follow)
    if len(names) != 2:
        message = f"follow names two ports, from and to, got {list(names)}."
        raise ParameterError(message)
    return names


def _tabled(made: Made, drawn: Arrays, how: tuple[int, int], *, sobol: int, rare: bool) -> Tabled:
    """Return all that a Dataset is made of."""
    judge, (samples, seed) = made.judge, how
    gradient = judge.gradient()
    names, corners = _corners(judge)
    indices = sobol_indices(judge, sobol, seed + 1) if sobol else None
    return Tabled(
        values=drawn["values"],
        tuned=drawn.get("tuned"),
        heaters=made.tuning.heaters if made.tuning is not None else (),
        phases=drawn.get("phases"),
        power=drawn.get("power"),
        nominal=judge.nominal(),
        gradient=gradient,
        first=first_order(judge.draws, gradient),
        corners=(names, corners),
        sobol=indices,
        rare=rare_failures(judge, samples, seed) if rare else None,
        places=made.places,
    )


def _corners(judge: Judge) -> tuple[tuple[str, ...], FloatArray]:
    """Return names and values (entries, corners) of each quantity at -3 and +3 sigma, the rest nominal."""
    draws = judge.draws
    errors: list[FloatArray] = []
    normals: list[FloatArray] = []
    names: list[str] = []

    def add(name: str, error: FloatArray, normal: FloatArray) -> None:
        for sign, words in ((-CORNER, "-"), (CORNER, "+")):
            names.append(f"{name} {words}{CORNER:g} sigma")
            errors.append(sign * error)
            normals.append(sign * normal)

    none = np.zeros(len(draws.drawn))
    for quantity in dict.fromkeys(s.quantity for s in draws.sources if s.matrix is not None):
        own = np.zeros(len(draws.items))
        for source in draws.sources:
            if source.matrix is not None and source.quantity == quantity:
                own += (source.matrix**2).sum(axis=1)
        # All parts together; a gap tied to the width goes the other way.
        sign = np.array([-1.0 if quantity == "width" and i.quantity == "gap" else 1.0 for i in draws.items])
        add(quantity, sign * np.sqrt(own), none)
    for k, source in enumerate(draws.drawn):
        add(source.quantity, np.zeros(len(draws.items)), np.eye(len(none))[k])
    return tuple(names), judge.at(np.array(errors).T, np.array(normals).T)

"""Optical next-generation reservoir computing: a scattering medium computes the features (wang2025).

Present and delayed samples are phases of a modulator's cells; the intensities of the speckle behind the
medium are products of pairs of them, and a ridge regression reads them out. No part has a memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.chart import Chart, Curve, Picture
from photosim.analysis.result import Table
from photosim.circuit import Circuit
from photosim.errors import DataError
from photosim.media.readouts import intensity
from photosim.systems.harness import data
from photosim.systems.harness.circuits import projector
from photosim.systems.harness.system import Case, Options, Outcome, Published, Report, Row, System
from photosim.training.arrays import FloatArray, IndexArray
from photosim.training.data.dynamics import kuramoto_sivashinsky, lorenz63

if TYPE_CHECKING:
    from photosim.media.chain import OpticalChain

TRANSIENT = 400
LEAST_LEARNT = 100
"""Steps to learn from, at least."""
LORENZ_STEPS = 200
"""Steps of 0.025 that are forecast: 5 units of time."""
DELAYS, STRIDE = 4, 5
POINTS = 64
PUBLISHED = {4: 0.9042, 5: 0.8738, 6: 0.9318, 7: 0.9838, 8: 0.9982}
"""Correlation of the observed and reconstructed field with the true one, by the number of observed points."""


@dataclass(frozen=True)
class Recipe:
    """Sizes and penalties.

    bias, delay, penalty of the forecast: one setting for all media, the best of a few tried on media that
    are not among those shown; wang2025 search for each experiment.  spread: penalty of the observer, the
    upper end of the range that they search.
    """

    pixels: int = 2000
    learnt: int = 4000
    bias: float = 1.0
    delay: float = 1.0
    penalty: float = 1e-5
    observer_pixels: int = 2500
    observer_learnt: int = 10_000
    observer_judged: int = 2_000
    observer_bias: float = 1.5
    observer_penalty: float = 0.1
    observed: tuple[int, ...] = (4, 5, 6, 7, 8)


FULL = Recipe()
SMALL = Recipe(
    pixels=300, learnt=1500, observer_pixels=300, observer_learnt=1500, observer_judged=300, observed=(4, 8)
)


@dataclass(frozen=True)
class SpeckleFeatures:
    """Grey levels of the speckle of a state, as shares of the camera's full scale.

    The chain's modulator shifts phases; a state u is shown as pi u, modulo 2 pi, rounded down to steps of
    2 pi / 2**bits (wang2025; theirs are 2 pi/255).
    """

    chain: OpticalChain
    bits: int
    rng: np.random.Generator

    def __call__(self, states: FloatArray) -> FloatArray:
        """Return features (samples, pixels) of states (samples, cells)."""
        step = 2.0 * np.pi / 2**self.bits
        phases = np.floor(np.mod(np.pi * states, 2.0 * np.pi) / step) * step
        chain = self.chain
        full = chain.camera.full_well / chain.camera.electrons_per_watt(chain.wl)
        return np.asarray(intensity(chain, phases, self.rng).values / full, dtype=np.float64)


NETLIST = "ngrc"


@cache
def _circuit(netlist: str) -> Circuit:
    return Circuit(netlist)


def features(cells: int, pixels: int, seed: int, netlist: str = NETLIST, **settings: Any) -> SpeckleFeatures:
    """Return the features of a medium with this seed in the netlist, each pixel lit as the netlist's are."""
    circuit, own = _circuit(netlist), projector(netlist, "slm")
    written = circuit.parameters
    light = written[f"{own.medium}.transmission"] * pixels / written[f"{own.medium}.outputs"]
    chain = circuit.chain(
        **{
            f"{own.modulator}.pixels": cells,
            f"{own.medium}.inputs": cells,
            f"{own.medium}.outputs": pixels,
            f"{own.medium}.seed": seed,
            f"{own.medium}.transmission": light,
            f"{own.camera}.pixels": pixels,
            **settings,
        }
    )
    bits = int(settings.get(f"{own.modulator}.bits", written[f"{own.modulator}.bits"]))
    return SpeckleFeatures(chain, bits, np.random.default_rng(seed))


def ridge(regressors: FloatArray, targets: FloatArray, penalty: float) -> FloatArray:
    """Return weights W (regressors, targets) that minimise |X W - Y|^2 + penalty |W|^2."""
    from scipy.linalg import solve
    from scipy.linalg.blas import dsyrk

    # Half of the symmetric product is half of the work; solve reads the same half.
    gram = dsyrk(1.0, regressors, trans=1, lower=1)
    gram[np.diag_indices_from(gram)] += penalty
    return np.asarray(solve(gram, regressors.T @ targets, assume_a="pos", lower=True, overwrite_a=True))


@dataclass(frozen=True)
class Forecaster:
    """Next sample from this one and the one before: W [features of (u_t, delay u_{t-1}, bias); u_t]."""

    features: Callable[[FloatArray], FloatArray]
    bias: float
    delay: float

    def regressors(self, now: FloatArray, before: FloatArray) -> FloatArray:
        """Return regressors (samples, pixels + variables) of samples (samples, variables)."""
        bias = np.full((len(now), 1), self.bias)
        return np.hstack([self.features(np.hstack([now, self.delay * before, bias])), now])

    def learn(self, series: FloatArray, penalty: float) -> FloatArray:
        """Return the weights that forecast a series (samples, variables) best by one step."""
        return ridge(self.regressors(series[1:-1], series[:-2]), series[2:], penalty)

    def run(self, weights: FloatArray, before: FloatArray, now: FloatArray, steps: int) -> FloatArray:
        """Return the next `steps` samples, each from forecasts alone, shape (steps, variables)."""
        found = np.empty((steps, now.size))
        for index in range(steps):
            found[index] = (self.regressors(now[np.newaxis], before[np.newaxis]) @ weights)[0]
            before, now = now, found[index]
        return found


def nrmse(found: FloatArray, truth: FloatArray) -> float:
    """Return the root mean squared error over the largest true value, as wang2025 normalise it."""
    return float(np.sqrt(np.mean((found - truth) ** 2)) / truth.max())


def probes(points: int, count: int) -> IndexArray:
    """Return the numbers of `count` observed points of a ring, every round(points / count)-th."""
    return np.arange(count) * round(points / count)


def delayed(series: FloatArray, delays: int, stride: int) -> FloatArray:
    """Return each sample beside those of `stride`, 2 `stride`, ... steps before, oldest first.

    Shape (samples - (delays - 1) stride, delays variables).
    """
    length = len(series) - (delays - 1) * stride
    return np.hstack([series[k * stride : k * stride + length] for k in range(delays)])


@lru_cache(maxsize=1)
def _lorenz(steps: int) -> FloatArray:
    return lorenz63(steps)


def _forecast(options: Options, recipe: Recipe, seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return how well 200 steps are forecast, each medium from another place of the attractor or series."""
    if options.own:
        series, first, learnt = _piece(data.series(options), recipe.learnt, seed)
    else:
        first, learnt = TRANSIENT + 450 * seed, recipe.learnt
        series = _lorenz(first + learnt + LORENZ_STEPS + 2)
    settled = series[TRANSIENT:] if not options.own else series
    low, width = float(settled.min()), float(np.ptp(settled))
    own = (series[first:] - low) / width
    cells = 2 * series.shape[1] + 1
    machine = Forecaster(
        features(cells, recipe.pixels, seed, options.netlist(NETLIST)), recipe.bias, recipe.delay
    )
    weights = machine.learn(own[: learnt + 2], recipe.penalty)
    found = machine.run(weights, own[learnt], own[learnt + 1], LORENZ_STEPS)
    truth = own[learnt + 2 :][:LORENZ_STEPS]
    # A series of one's own may have no positive value: its error is in units of its range.
    error = float(np.sqrt(np.mean((found - truth) ** 2)))
    report(1, 1)
    return {
        "nrmse": error if options.own else nrmse(found * width + low, truth * width + low),
        "z": found[:, -1] * width + low,
        "true z": truth[:, -1] * width + low,
    }


def _piece(series: FloatArray, wanted: int, seed: int) -> tuple[FloatArray, int, int]:
    """Return a series, where a seed begins in it, and the steps to learn from, as many as there are.

    Seeds begin a step apart each, as far as the series allows. Raises DataError for one too short.
    """
    learnt = min(wanted, len(series) - LORENZ_STEPS - 2)
    if learnt < LEAST_LEARNT:
        message = (
            f"A series of {len(series)} samples is too short: {LEAST_LEARNT + LORENZ_STEPS + 2} or more are "
            f"needed to learn from and to forecast {LORENZ_STEPS} steps."
        )
        raise DataError(message)
    spare = len(series) - learnt - LORENZ_STEPS - 2
    return series, min(450 * seed, spare) if spare else 0, learnt


@lru_cache(maxsize=1)
def _flame(steps: int, seed: int) -> FloatArray:
    start = 0.6 * np.random.default_rng(seed).uniform(-1.0, 1.0, POINTS)
    series = kuramoto_sivashinsky(steps, start)
    return np.asarray((series - series.min()) / np.ptp(series))


def _observe(
    options: Options, recipe: Recipe, count: int, seed: int, _path: Path, report: Report
) -> Mapping[str, Any]:
    """Return how well the whole flame is known from some of its points, each medium on another flame."""
    learnt, judged = recipe.observer_learnt, recipe.observer_judged
    past = (DELAYS - 1) * STRIDE
    series = _flame(learnt + judged + past, seed)
    seen = probes(POINTS, count)
    hidden = np.setdiff1d(np.arange(POINTS), seen)
    states = delayed(series[:, seen], DELAYS, STRIDE)
    states = np.hstack([states, np.full((len(states), 1), recipe.observer_bias)])
    speckle = features(states.shape[1], recipe.observer_pixels, seed, options.netlist(NETLIST))(states)
    truth = series[past:]
    weights = ridge(speckle[:learnt], truth[:learnt, hidden], recipe.observer_penalty)
    found = truth[learnt:].copy()
    found[:, hidden] = speckle[learnt:] @ weights
    report(1, 1)
    alone = np.corrcoef(found[:, hidden].ravel(), truth[learnt:, hidden].ravel())[0, 1]
    return {"correlation": np.corrcoef(found.ravel(), truth[learnt:].ravel())[0, 1], "hidden": alone}


def _cases(options: Options) -> Sequence[Case]:
    recipe = SMALL if options.quick else FULL
    plain = {key: str(value) for key, value in recipe.__dict__.items() if key != "observed"}
    observers = [
        Case(f"observer {count}", partial(_observe, options, recipe, count), plain, uses_data=False)
        for count in recipe.observed
    ]
    return [Case("lorenz", partial(_forecast, options, recipe), plain), *observers]


def _rows(options: Options) -> Sequence[Row]:
    def published(value: float) -> Published | None:
        return None if options.quick else Published(value, "code")

    observed = (SMALL if options.quick else FULL).observed
    return [
        Row(
            f"{options.data}, error over 200 steps" if options.own else "Lorenz, error over 5 units of time",
            "lorenz",
            "nrmse",
            "",
            None if options.own else published(0.0971),
            digits=4,
        ),
        *(
            Row(
                f"flame from {n} points, correlation",
                f"observer {n}",
                "correlation",
                "",
                published(PUBLISHED[n]),
                4,
            )
            for n in observed
        ),
    ]


def _tables(outcome: Outcome) -> Sequence[Table]:
    """Return the band of the media around each figure, and whether the published one lies in it."""
    if not outcome.comparable >= {f"observer {n}" for n in PUBLISHED}:
        return ()
    wanted = [
        ("lorenz", "nrmse", 0.0971),
        *((f"observer {n}", "correlation", PUBLISHED[n]) for n in PUBLISHED),
    ]
    rows = []
    for case, key, value in wanted:
        if len(outcome.of(case)) > 1:
            low, middle, high = np.quantile(outcome.values(case, key), [0.05, 0.5, 0.95])
            inside = "yes" if low <= value <= high else "no"
            rows.append((case, f"{low:.4f}", f"{middle:.4f}", f"{high:.4f}", f"{value:.4f}", inside))
    columns = ("figure", "5 %", "median", "95 %", "published", "inside")
    return [Table("Spread over media", columns, tuple(rows))] if rows else ()


def _pictures(outcome: Outcome) -> Sequence[Picture]:
    found: list[Picture] = []
    counts = [n for n in PUBLISHED if outcome.of(f"observer {n}")]
    if counts:
        values = np.array([outcome.values(f"observer {n}", "correlation") for n in counts])
        curves = [Curve.over_seeds("ours", values.T, counts)]
        known = [n for n in counts if f"observer {n}" in outcome.comparable]
        if known:
            curves.append(Curve("published", known, [PUBLISHED[n] for n in known], points=True))
        title = "A flame known from a few of its 64 points"
        found.append(Chart("observer", title, "observed points", "correlation", curves))
    if outcome.of("lorenz"):
        middle = sorted(outcome.of("lorenz"), key=lambda own: float(own["nrmse"]))[
            len(outcome.of("lorenz")) // 2
        ]
        time = 0.025 * np.arange(1, len(middle["z"]) + 1)
        curves = [Curve("true", time, middle["true z"]), Curve("forecast", time, middle["z"])]
        found.append(Chart("lorenz", "Last variable forecast, the median medium", "time", "z", curves))
    return found


SYSTEM = System(
    name="ngrc",
    title="optical next-generation reservoir computing",
    source="wang2025",
    cases=_cases,
    rows=_rows,
    data=("lorenz",),
    reads=("series",),
    quick_data="lorenz",
    seeds=20,
    pictures=_pictures,
    tables=_tables,
    netlists=(NETLIST,),
    remarks=(
        "Each seed uses another medium and another segment of the series; the published ones are not known.",
        (
            "The settings of the forecast are the same for all media; the published ones were optimised. A "
            "modulator of 12 bits is not better with them (0.22 over 6 media; 0.17 with 8 bits)."
        ),
        "The authors choose the observer's penalty by the test error. Here it is 0.1, their largest value.",
    ),
)

"""ps.optimise: settings that meet a specification best, match a target matrix, or yield most."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.channels import channels_of
from photosim.analysis.designs.aims import Aim, worst
from photosim.analysis.designs.smoothing import SmoothYield
from photosim.analysis.designs.solve import Trail, minimax, smooth
from photosim.analysis.designs.space import Space, make_space, read_constraints
from photosim.analysis.designs.tables import Confirmed, Tabled, dataset
from photosim.analysis.designs.targets import Target, read_target
from photosim.analysis.options import inside
from photosim.analysis.progress import Progress, silent
from photosim.analysis.provenance import provenance
from photosim.analysis.result import plain
from photosim.analysis.spectrum import check_settings
from photosim.analysis.yields.distributions import Variation
from photosim.analysis.yields.judging import Judge
from photosim.analysis.yields.normals import Normals
from photosim.analysis.yields.specification import Entry, check_judged, pairs_of, read_specification
from photosim.arguments import public
from photosim.bounds import is_number
from photosim.engine.bindings import flat_settings
from photosim.engine.grids import resolve
from photosim.errors import ParameterError, PhotosimWarning, did_you_mean, listing
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    import xarray
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.losses import Loss

    FloatArray = NDArray[np.float64]

GOALS = ("minimax", "yield")
CHIPS = 100_000
"""Fresh chips that confirm a yield."""
SMOOTHED = 1024
"""Chips that a yield is smoothed over."""
WIDTHS = (1.0, 0.5, 0.25)
"""Widths of the sigmoid, in standard deviations of the chips' worst violations, one round each."""
ROUND = 25
"""Steps of an optimiser in a round."""


@public
def optimise(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    vary: str | Sequence[str] | Mapping[str, Any],
    *,
    wl: ArrayLike | str,
    specification: Sequence[Mapping[str, Any]] | None = None,
    target: Mapping[str, Any] | None = None,
    loss: Loss | None = None,
    goal: str = "minimax",
    variation: Mapping[str, Any] | None = None,
    starts: int = 1,
    constraints: Sequence[Mapping[str, Any]] = (),
    scales: Mapping[str, Any] | None = None,
    chips: int | None = None,
    seed: int = 0,
    channels: Sequence[float] | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> xarray.Dataset:
    """Return the settings that an optimiser with exact gradients finds, as a Dataset.

    `photosim.analysis.designs.run.found_settings` turns the Dataset into settings for a call.

    circuit: the design to improve.  vary: names or patterns of settings, or a mapping of them to (low, high)
    or None.  wl: wavelengths (W,) in um, or a string.  specification: entries as for `ps.montecarlo`; by
    default those of the netlist.  target: {from, to, matrix, powers}, the S-matrix to reach.  loss: one of
    `ps.losses`, or your own function.  goal: "minimax" minimises the largest violation of the specification,
    in units of its limits; "yield" maximises the fraction of random chips that meet it, from the minimax
    design on. variation: what varies from chip to chip, as for `ps.montecarlo`.  starts: number of starting
    points: the settings of the netlist, then random ones.  constraints: linear ones, {sum: {name: factor},
    at_least, at_most}.  scales: change of a setting that counts as a step of 1, by name or pattern.  chips:
    number of new chips that confirm a yield, by default 100,000.  channels: wavelengths in um for crosstalk.
    settings: settings that stay.  seed: of all random numbers; the same seed gives the same result.
    progress: called as progress(name, done, total) after each step.

    Raises ParameterError for an unknown name, for values or constraints outside of the bounds, and for a
    sweep in which no entry of the specification can be evaluated.

    >>> import photosim as ps
    >>> ring = ps.load("add_drop_ring")
    >>> loss = ps.losses.target_dB(("in", "drop"), -1.0, band=(1.55121, 1.55123))
    >>> found = ps.optimise(ring, ["ring.coupling"], wl="1.5511:1.5514:31", loss=loss)
    >>> bool(found.objective < 1.0)
    True
    """
    question = {"vary": vary, "wl": wl, "specification": specification, "target": target, "goal": goal,
                "loss": None if loss is None else getattr(loss, "__qualname__", "loss"),
                "variation": variation, "starts": starts, "constraints": list(constraints),
                "scales": scales, "chips": chips, "channels": channels,
                "settings": settings or {}}  # fmt: skip
    made = make(
        circuit,
        vary,
        wl,
        specification,
        target,
        loss,
        goal,
        variation,
        constraints,
        scales,
        channels,
        settings,
    )
    if not 1 <= starts <= 10_000:
        message = f"starts must be from 1 to 10000, got {starts}."
        raise ParameterError(message)
    check_chips(chips, goal)
    _say_moved(circuit, made.space)
    data = dataset(_found(made, starts, CHIPS if chips is None else chips, seed, progress))
    held = json.dumps(plain(flat_settings(settings or {})))
    data.attrs = provenance(circuit, question, seed) | {"goal": made.goal, "held": held}
    return data


def _say_moved(circuit: Circuit, space: Space) -> None:
    """Warn of settings whose written values lie outside of their bounds: the search begins elsewhere."""
    for name, start, low, high in zip(space.names, space.written, space.low, space.high, strict=True):
        written = circuit.parameters.get(name)
        if is_number(written) and not low <= written <= high and start in (low, high):
            message = (
                f"{name!r} is written as {written:g}, outside of its bounds {low:g} to {high:g}: the search "
                f"begins at {start:g}."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=3)


def check_chips(chips: int | None, goal: str) -> None:
    """Raise ParameterError for a number of chips that cannot confirm a yield, or confirms nothing."""
    if chips is not None and not 2 <= chips <= 100_000_000:
        message = f"chips must be from 2 to 100000000, got {chips}."
        raise ParameterError(message)
    if chips is not None and goal != "yield":
        message = "chips confirm a yield: give the goal yield and a variation too, or leave chips out."
        raise ParameterError(message)


@dataclass(frozen=True)
class Made:
    """A question of design made ready: what varies, the goal, and the variation of a chip."""

    goal: str
    space: Space
    aim: Aim | Target
    variation: Variation | None


def make(  # noqa: PLR0913 - the options of a question
    circuit: Circuit,
    vary: str | Sequence[str] | Mapping[str, Any],
    wl: Any,
    specification: Sequence[Mapping[str, Any]] | None,
    target: Mapping[str, Any] | None,
    loss: Loss | None,
    goal: str,
    variation: Mapping[str, Any] | None,
    constraints: Sequence[Mapping[str, Any]],
    scales: Mapping[str, Any] | None,
    channels: Sequence[float] | None,
    settings: Mapping[str, Any] | None,
) -> Made:
    """Return a question of design made ready; ParameterError for what it cannot be."""
    if goal not in GOALS:
        message = f"There is no goal {goal!r}. There are: {listing(GOALS)}.{did_you_mean(goal, GOALS)}"
        raise ParameterError(message)
    constant = flat_settings(settings or {})
    with inside("settings"):
        check_settings(circuit, constant, "A design is that of")
        circuit.at(constant)
    asked = [
        n for n, v in (("target", target), ("loss", loss), ("specification", specification)) if v is not None
    ]
    if len(asked) > 1:
        message = f"A design has one aim, but {' and '.join(asked)} are given: leave one out."
        raise ParameterError(message)
    if (goal == "yield") != (variation is not None) or (
        goal == "yield" and asked and asked[0] != "specification"
    ):
        message = "The goal yield needs a variation and a specification, and no other goal takes a variation."
        raise ParameterError(message)
    if target is not None or loss is not None:
        grid = np.unique(resolve(circuit, wl, constant, circuit.ports, circuit.ports))
        with inside("vary"):
            space = make_space(circuit, vary, scales, float(grid.mean()), constant)
        bounds = read_constraints(space, constraints)
        return Made(
            "target" if loss is None else "loss",
            space,
            read_target(circuit, space, grid, target, loss, constant, bounds),
            None,
        )
    raw = circuit.netlist.specification if specification is None else specification
    if not raw:
        message = (
            f"The circuit {circuit.name!r} has no specification: give entries such as {{quantity: power_dB, "
            "from: in, to: out, window: [1.549, 1.551], at_least: -0.2}, a target or a loss."
        )
        raise ParameterError(message)
    entries = read_specification(circuit, raw)
    beginnings, ends = pairs_of(entries)
    grid = np.unique(resolve(circuit, wl, constant, ends, beginnings))
    check_judged(entries, grid)
    edges = [edge for entry in entries for edge in entry.window or ()]
    grid = np.unique(np.concatenate([grid, [e for e in edges if grid[0] <= e <= grid[-1]]]))
    with inside("vary"):
        space = make_space(circuit, vary, scales, float(grid.mean()), constant)
    found = tuple(channels) if channels is not None else channels_of(circuit, constant)
    aim = Aim(circuit, space, entries, grid, 0.5 * float(grid[0] + grid[-1]), found, constant,
              read_constraints(space, constraints))  # fmt: skip
    varied = None
    if variation is not None:
        with inside("variation"):
            varied = read(Variation, variation, "variation")
        SmoothYield(aim, varied, np.zeros((1, 1)), 1.0).draws(space.x0)
    return Made(goal, space, aim, varied)


def _found(made: Made, starts: int, chips: int, seed: int, progress: Progress) -> Tabled:
    """Return what the optimisers find."""
    space, trail = made.space, Trail()
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0xDE5,)))
    begun = [space.x0, *(space.start(rng) for _ in range(starts - 1))]
    total = starts + (2 if made.goal == "yield" else 0)
    progress("optimise", 0, total)

    def report(done: int) -> None:
        progress("optimise", done, total)

    if isinstance(made.aim, Target):
        best, values = smooth(made.aim, made.aim, begun, trail, report)
        before, after = (made.aim(x)[0] for x in (space.x0, best))
        return Tabled(
            space, made.aim.wl, begun[0], best, trail, values, (before, after), None, made.aim, None
        )
    aim = made.aim
    best, values = minimax(aim, begun, trail, report)
    confirmed = None
    nominal = best
    if made.variation is not None:
        best, confirmed = _yielding(aim, made.variation, nominal, chips, seed, lambda: report(starts + 1))
        report(total)
    ends = tuple(worst(aim.values(x).tolist(), aim.entries) for x in (space.x0, best))
    return Tabled(
        space, aim.wl, begun[0], best, trail, values, (ends[0], ends[1]), aim, None, confirmed, nominal
    )


def _yielding(
    aim: Aim, variation: Variation, nominal: FloatArray, chips: int, seed: int, report: Any
) -> tuple[FloatArray, Confirmed]:
    """Return the design of most yield from the minimax one, both confirmed on the same fresh chips."""
    flat = SmoothYield(aim, variation, np.zeros((1, 1)), 1.0)
    dimensions = flat.draws(nominal).dimensions
    z = next(Normals(SMOOTHED, dimensions, seed, "sobol").chunks())[1] if dimensions < 20_000 else (
        np.random.default_rng(seed).standard_normal((SMOOTHED, dimensions))
    )  # fmt: skip
    x = nominal
    spread = float(np.std(np.clip(SmoothYield(aim, variation, z, 1.0).worst(nominal), -10.0, 10.0)))
    rounds = []
    for width in WIDTHS:
        smoothed = SmoothYield(aim, variation, z, max(width * spread, 1e-3))
        x, _ = smooth(smoothed, aim, [x], trail := Trail(), lambda _: None, ROUND)
        rounds.append(trail.values)
    report()
    passed = [_count(aim, flat, at, chips, seed + 1) for at in (nominal, x)]
    if passed[1].sum() < passed[0].sum():
        x, passed = nominal, [passed[0], passed[0]]
    return x, Confirmed(chips, passed[0], passed[1], np.concatenate([np.array(r) for r in rounds]))


def _count(aim: Aim, flat: SmoothYield, x: FloatArray, chips: int, seed: int) -> Any:
    """Return which of fresh chips about a design pass, (chips,)."""
    judge = Judge(flat.draws(x), aim.entries, aim.wl, aim.near, aim.channels)
    passed = np.empty(chips, dtype=np.bool_)
    for first, z in Normals(chips, judge.draws.dimensions, seed, "random").chunks():
        values = judge.values(z)
        own = [entry.margin(v) >= 0.0 for entry, v in zip(aim.entries, values, strict=True)]
        passed[first : first + len(z)] = np.all(own, axis=0)
    return passed


@public
def found_settings(data: xarray.Dataset) -> dict[str, Any]:
    """Return the settings in a result of `ps.optimise`, by dotted name in their own units.

    These are the settings that were found, and those that the call held constant.

    data: result of `ps.optimise`.

    >>> import photosim as ps
    >>> ring = ps.load("add_drop_ring")
    >>> loss = ps.losses.target_dB(("in", "drop"), -1.0, band=(1.55121, 1.55123))
    >>> found = ps.optimise(ring, ["ring.coupling"], wl="1.5511:1.5514:31", loss=loss)
    >>> sorted(ps.analysis.designs.run.found_settings(found))
    ['ring.coupling']
    """
    found = zip(data["setting"].values, data["value"].values, strict=True)
    return {**json.loads(data.attrs.get("held", "{}")), **{str(name): float(value) for name, value in found}}


__all__ = ["Entry", "found_settings", "make", "optimise"]

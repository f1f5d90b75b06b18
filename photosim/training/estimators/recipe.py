"""What an estimator's parameters mean: rules, losses, solvers and schedules, each by name or as an object."""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import numpy as np

from photosim.arguments import takes
from photosim.errors import DataError, ParameterError, did_you_mean, listing
from photosim.netlist.mappings import read
from photosim.reals import shown
from photosim.training.arrays import FloatArray, IndexArray, TargetArray
from photosim.training.data.checks import check_unmasked, check_weights
from photosim.training.optimisers import (
    OPTIMISER,
    SCHEDULE,
    SCHEDULES,
    SGD,
    Adam,
    Constant,
    Cosine,
    Exponential,
    Noam,
    Optimiser,
    RateSchedule,
    StepDecay,
)
from photosim.training.rules.catalogue import RULES, check_rule, needs
from photosim.training.rules.rule import Need

_SCHEDULE: Any = Annotated[Any, SCHEDULE]
_SOLVER: Any = Annotated[Any, OPTIMISER]
SOLVERS = ("adam", "sgd")
"""Names of solvers."""
LARGEST_SEED = 2**31 - 1
"""Bound of the seeds drawn of a random_state."""
MOST_REPEATS = 64
"""Mean whole weight up to which samples are repeated; beyond it they are drawn more often."""
_CALLED_OTHERWISE = {
    "hidden": "hidden_layer_sizes",
    "hidden_layers": "hidden_layer_sizes",
    "layers": "hidden_layer_sizes",
    "network": "hidden_layer_sizes",
    "widths": "hidden_layer_sizes",
    "optimiser": "solver",
    "optimizer": "solver",
    "epochs": "max_iter",
    "learning_rate": "learning_rate_init",
    "lr": "learning_rate_init",
    "seed": "random_state",
    "circuit": "hardware",
    "patience": "n_iter_no_change",
    "objective": "loss",
}
"""Names under which users of other libraries look for a parameter."""


Init = TypeVar("Init", bound=Callable[..., None])


def keywords_only(init: Init) -> Init:
    """Return an estimator's __init__ that refuses unknown keywords and values without one in a sentence."""
    known = [name for name, p in inspect.signature(init).parameters.items() if p.kind is p.KEYWORD_ONLY]

    @functools.wraps(init)  # scikit-learn reads the parameters off the wrapped signature
    def checked(self: Any, *values: Any, **given: Any) -> None:
        title = type(self).__name__
        if values:
            message = (
                f"{title} takes its parameters by name, as {known[0]}=..., got {shown(values[0])} alone."
            )
            raise ParameterError(message)
        for name in given:
            if name not in known:
                meant = _CALLED_OTHERWISE.get(name)
                hint = f" Did you mean {meant!r}?" if meant in known else did_you_mean(name, known)
                message = f"{title} has no parameter {name!r}.{hint}"
                raise ParameterError(message if hint else f"{message} There are: {listing(known, 40)}.")
        init(self, **given)

    return checked  # type: ignore[return-value]


def drawn_seed(random_state: Any) -> int:
    """Return a whole number drawn from a seed, a numpy RandomState or None; ParameterError for others."""
    from sklearn.utils import check_random_state

    try:
        return int(check_random_state(random_state).randint(LARGEST_SEED))
    except (ValueError, TypeError) as error:
        message = (
            f"random_state must be a whole number from 0 to {2**32 - 1}, a numpy RandomState or None, got "
            f"{shown(random_state)}."
        )
        raise ParameterError(message) from error


def needs_of(rule: Any) -> frozenset[Need]:
    """Return what a rule needs, by its name or as the object says it; ParameterError if it is not a rule.

    An object of one's own that has no `needs` needs nothing.
    """
    if isinstance(rule, str):
        return needs(rule)
    if isinstance(rule, type) or not callable(getattr(rule, "updates", None)):
        instead = f", an instance of the class: {rule.__name__}()" if isinstance(rule, type) else ""
        message = (
            f"rule must be a name ({listing(RULES, 4)}) or an object with a method updates(forward)"
            f"{instead}, got {shown(rule)}."
        )
        raise ParameterError(message)
    if not takes(rule.updates, 1):
        message = f"rule: updates of {type(rule).__name__} must take one argument, updates(forward)."
        raise ParameterError(message)
    return frozenset(getattr(rule, "needs", frozenset()))


def own_rule(rule: Any) -> Any:
    """Return a copy of a rule object, so that what it remembers of a training is not in the parameter."""
    return copy.deepcopy(rule)


def is_name(rule: Any) -> bool:
    """Return whether a rule is given by name; ParameterError for a name that there is not."""
    if isinstance(rule, str):
        check_rule(rule)
        return True
    return False


def solver_of(solver: Any, rate: float, momentum: float, schedule: RateSchedule) -> Optimiser:
    """Return the optimiser that `solver` means: a name, a mapping as in a netlist, or an object.

    rate, momentum, schedule: of a solver by name.  schedule counts for a mapping without one of its own.
    """
    if isinstance(solver, str):
        if solver == "sgd":
            return SGD(rate, momentum, schedule=schedule)
        if solver == "adam":
            return Adam(rate, schedule=schedule)
    elif isinstance(solver, Mapping):
        written = dict(solver)
        made: Optimiser = read(_SOLVER, written, "solver")
        if "schedule" in written or isinstance(schedule, Constant):
            return made
        return _with_schedule(made, schedule)
    elif not isinstance(solver, type) and all(
        callable(getattr(solver, name, None)) for name in ("start", "step")
    ):
        found: Optimiser = solver
        missing = [name for name in ("learning_rate", "schedule") if not hasattr(found, name)]
        if missing:
            message = f"solver: {type(solver).__name__} needs the attribute {missing[0]!r} of an Optimiser."
            raise ParameterError(message)
        return found if isinstance(schedule, Constant) else _with_schedule(found, schedule)
    message = (
        f"'solver' must be adam or sgd, a mapping such as {{'method': 'adam', 'learning_rate': 0.01}}, or an "
        f"optimiser such as SGD(0.1), got {shown(solver)}."
    )
    raise ParameterError(message + (did_you_mean(solver, SOLVERS) if isinstance(solver, str) else ""))


def _with_schedule(optimiser: Any, schedule: RateSchedule) -> Optimiser:
    changed: Any = copy.copy(optimiser)
    object.__setattr__(changed, "schedule", schedule)
    return changed  # type: ignore[no-any-return]


def schedule_of(schedule: Any, epochs: int, width: int) -> RateSchedule:
    """Return the schedule that a name, a mapping, an object or None means.

    By name, what a schedule must know is taken from the training: `steps` tenfold down after one half and
    three quarters of `epochs`, `cosine` over all of them, `noam` of `width` units.
    """
    if schedule is None or schedule == "constant":
        return Constant()
    if isinstance(schedule, str):
        match schedule:
            case "steps":
                half, most = max(2, epochs // 2 + 1), max(3, 3 * epochs // 4 + 1)
                return StepDecay((half, most) if half < most else (half,))
            case "cosine":
                return Cosine(epochs)
            case "exponential":
                return Exponential()
            case "noam":
                return Noam(width)
        known = ["constant", *SCHEDULES]
        message = f"There is no schedule {schedule!r}. There are: {listing(known)}."
        raise ParameterError(message + did_you_mean(schedule, known))
    if isinstance(schedule, Mapping):
        return read(_SCHEDULE, schedule, "schedule")  # type: ignore[no-any-return]
    if isinstance(schedule, type) or not callable(getattr(schedule, "factor", None)):
        message = (
            f"schedule must be a name ({listing(SCHEDULES)}), a mapping with `method`, or an object with a "
            f"method factor(step, epoch), got {shown(schedule)}."
        )
        raise ParameterError(message)
    return schedule  # type: ignore[no-any-return]


def weighted(where: str, sample_weight: Any, count: int) -> tuple[IndexArray, FloatArray | None]:
    """Return rows, and how often each of them is met in an epoch; None for once.

    Whole weights repeat their rows. Others keep every row with a weight above 0, scaled to a mean of 1.
    """
    if sample_weight is None:
        return np.arange(count), None
    check_unmasked(where, sample_weight=sample_weight)
    found = np.asarray(sample_weight)
    if found.ndim == 0 and found.dtype.kind in "biuf":
        found = np.full(count, found)
    try:
        check_weights(where, found, count)
    except DataError as error:  # an argument here, where it is a data file's elsewhere
        raise ParameterError(str(error)) from None
    weights = found.astype(np.float64)
    whole = bool(np.all(weights == np.rint(weights)))
    if whole and weights.sum() <= MOST_REPEATS * count:
        return np.repeat(np.arange(count), weights.astype(np.int64)), None
    rows = np.flatnonzero(weights > 0.0)
    return rows, weights[rows] / weights[rows].mean()


def by_content(x: FloatArray, y: TargetArray) -> IndexArray:
    """Return an order of samples by their content alone: nothing depends on the order they came in."""
    keys = np.empty(len(x), dtype=np.uint64)
    for row, (inputs, target) in enumerate(zip(np.ascontiguousarray(x), y, strict=True)):
        digest = hashlib.blake2b(inputs.tobytes(), digest_size=8)
        digest.update(np.asarray(target).tobytes())
        keys[row] = int.from_bytes(digest.digest(), "little")
    return np.argsort(keys, kind="stable")

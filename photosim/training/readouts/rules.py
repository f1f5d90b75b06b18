"""Rules that learn weights of two or three levels by trial: some are changed, and kept if the error falls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import public
from photosim.bounds import check_number, check_whole
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray, IndexArray

BOOLEAN, TERNARY = (0, 1), (-1, 0, 1)
"""Levels of weights: a mirror is on or off; two readings, one of which is taken off the other."""
WeightArray = NDArray[np.int8]
"""Weights (nodes,) of two or three levels."""


@public
@dataclass(frozen=True, eq=False)
class Learnt(ByValue):
    """Trained weights (nodes,), and the error kept after each evaluation of the hardware, (evaluations,)."""

    weights: WeightArray
    curve: FloatArray

    @property
    def evaluations(self) -> int:
        """Number of times that the hardware measured its error."""
        return len(self.curve)

    @property
    def error(self) -> float:
        """The final error."""
        return float(self.curve[-1])


class WeightRule(Protocol):
    """Learns weights of few levels from errors alone; it knows nothing of what they weigh."""

    @property
    def levels(self) -> tuple[int, ...]:
        """Levels of its weights, rising."""

    def learn(
        self,
        error: Callable[[WeightArray], float],
        nodes: int,
        evaluations: int,
        rng: np.random.Generator,
    ) -> Learnt:
        """Return weights after so many evaluations of `error`."""


@public
@dataclass(frozen=True)
class Greedy:
    """A rule that changes one weight at a time, and keeps the change if the error falls (bueno2018).

    The weight is the one with the largest product of a random number and its waiting time. The waiting time
    of a weight just changed is 0, and grows by 1/nodes with each trial. A weight with three levels takes one
    of the two others. The first weights are random.
    """

    levels: tuple[int, ...] = BOOLEAN
    sources: ClassVar[tuple[str, ...]] = ("bueno2018",)

    def __post_init__(self) -> None:
        if self.levels not in (BOOLEAN, TERNARY):
            message = f"Weights have the levels {BOOLEAN} or {TERNARY}, got {self.levels}."
            raise ParameterError(message)

    def flips(self, trial: int) -> int:
        """Return how many weights are changed in a trial, counted from 0."""
        del trial
        return 1

    def learn(
        self, error: Callable[[WeightArray], float], nodes: int, evaluations: int, rng: np.random.Generator
    ) -> Learnt:
        """Return weights after so many evaluations of `error`, the first of which is of the first weights."""
        check_whole(self, 1, nodes=nodes, evaluations=evaluations)
        levels = np.array(self.levels, dtype=np.int8)
        weights = rng.choice(levels, nodes)
        kept = float(error(weights))
        curve = np.empty(evaluations)
        curve[0] = kept
        waited = np.ones(nodes)
        for trial in range(evaluations - 1):
            chosen = _largest(rng.random(nodes) * waited, min(self.flips(trial), nodes))
            waited += 1.0 / nodes
            waited[chosen] = 0.0
            tried = weights.copy()
            tried[chosen] = self._others(weights[chosen], rng)
            found = float(error(tried))
            if found < kept:
                weights, kept = tried, found
            curve[trial + 1] = kept
        return Learnt(weights, curve)

    def _others(self, values: WeightArray, rng: np.random.Generator) -> WeightArray:
        """Return another level for each weight, every other one as likely."""
        count = len(self.levels)
        steps = rng.integers(1, count, len(values))
        places = np.searchsorted(self.levels, values)
        return np.asarray(np.array(self.levels, dtype=np.int8)[(places + steps) % count])


@public
@dataclass(frozen=True)
class MultiFlip(Greedy):
    """A rule that changes several weights together, and keeps the change if the error falls (skalli2025).

    Trial k changes max(1, round(first exp(-k/decay))) weights, chosen as by `Greedy`. The paper calls the
    rule annealing-inspired. The schedule is ours, because that of the paper is not published.
    """

    first: int = 20
    decay: float = 300.0
    sources: ClassVar[tuple[str, ...]] = ("skalli2025",)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole(self, 1, first=self.first)
        check_number(self, 0.0, above=True, decay=self.decay)

    def flips(self, trial: int) -> int:
        """Return how many weights are changed in a trial, counted from 0."""
        return max(1, round(self.first * float(np.exp(-trial / self.decay))))


def _largest(values: FloatArray, count: int) -> IndexArray:
    """Return the numbers of the `count` largest values."""
    if count == 1:
        return np.array([int(np.argmax(values))])
    return np.argpartition(values, -count)[-count:]


_RULES: dict[str, Greedy] = {
    "greedy-boolean": Greedy(BOOLEAN),
    "greedy-ternary": Greedy(TERNARY),
    "multi-flip-boolean": MultiFlip(BOOLEAN),
    "multi-flip-ternary": MultiFlip(TERNARY),
}


@public
def weight_rules() -> tuple[str, ...]:
    """Return the names of the rules for weights of few levels."""
    return tuple(_RULES)


@public
def find_weight_rule(name: str, **settings: Any) -> WeightRule:
    """Return the rule called `name` with other settings; ParameterError with the nearest name for none."""
    if name not in _RULES:
        hint = did_you_mean(name, _RULES)
        message = f"There is no rule {name!r} for weights of few levels. There are: {listing(_RULES)}.{hint}"
        raise ParameterError(message)
    rule = _RULES[name]
    unknown = sorted(set(settings) - {"first", "decay"} if isinstance(rule, MultiFlip) else set(settings))
    if unknown:
        has = "first and decay" if isinstance(rule, MultiFlip) else "no settings"
        message = f"The rule {name!r} has no setting {unknown[0]!r}; it has {has}."
        raise ParameterError(message)
    return replace(rule, **settings)

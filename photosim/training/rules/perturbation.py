"""Gradients from forward passes alone: phases are moved and the loss is measured (shen2017, spall1992)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from photosim.arguments import public
from photosim.bounds import is_number
from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.training.layers import Parameters
from photosim.training.passes import ForwardPass, Updates, run
from photosim.training.rules.rule import Need

Moves = Sequence[dict[str, Any]]
"""What is added to the parameters of every layer."""
MOST = 10_000
"""Parameters up to which they are moved one by one: each costs a pass of every batch."""


def check_differences(parameters: int, where: str = "") -> None:
    """Raise ParameterError, starting with `where`, for more parameters than are moved one by one."""
    if parameters > MOST:
        message = (
            f"{where}Finite differences of {parameters:,} parameters would send every batch through the "
            f"network {parameters + 1:,} times; the bound is {MOST:,} parameters. The rules 'spsa' and "
            "'evolution-strategy' move all of them at once."
        )
        raise ParameterError(message)


@dataclass(frozen=True)
class _Measuring:
    """Base of the rules that measure the loss at changed parameters, by forward passes alone.

    step: of the parameters, or the standard deviation of their random moves. Counters: evaluations, the
    samples sent forward through the network. They are all that the hardware has to give: the pass that
    other rules learn from is not.
    """

    step: float = 1e-3
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    counters: Counter[str] = field(default_factory=Counter, compare=False)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.MORE_FORWARDS})

    def __post_init__(self) -> None:
        """Raise ParameterError for a step that is not positive."""
        if not (is_number(self.step) and 0.0 < self.step < np.inf):
            message = f"step must be a positive number, got {shown(self.step)}."
            raise ParameterError(message)

    def loss(self, forward: ForwardPass, moves: Moves, factor: float) -> float:
        """Return the batch's mean loss with parameters moved by factor times `moves`."""
        moved: list[Parameters] = [
            {name: (value + factor * move.get(name, 0.0)).astype(value.dtype) for name, value in own.items()}
            for own, move in zip(forward.parameters, moves, strict=True)
        ]
        self.counters["evaluations"] += len(forward.inputs)
        # The same units are left out by dropout, or the losses would differ by chance.
        passed = run(
            forward.network, moved, forward.inputs, forward.targets, forward.objective, list(forward.traces)
        )
        return passed[1]

    def directions(self, forward: ForwardPass, *, signs: bool) -> Moves:
        """Draw a random move of all parameters, of signs or of normal numbers."""
        return [
            {
                name: self.rng.choice([-1.0, 1.0], value.shape)
                if signs
                else self.rng.standard_normal(value.shape)
                for name, value in own.items()
            }
            for own in forward.parameters
        ]

    def derivative(self, forward: ForwardPass, moves: Moves) -> float:
        """Return the loss's central difference along `moves`."""
        ahead, behind = (self.loss(forward, moves, sign * self.step) for sign in (1.0, -1.0))
        return (ahead - behind) / (2.0 * self.step)


@dataclass(frozen=True)
class _Drawing(_Measuring):
    """Base of the rules that change all parameters at once, in `repeats` directions drawn for every batch."""

    repeats: int = 1

    def __post_init__(self) -> None:
        """Raise ParameterError for a step that moves nothing, or no direction at all."""
        super().__post_init__()
        repeats: object = self.repeats
        if isinstance(repeats, bool) or not isinstance(repeats, int | np.integer) or repeats < 1:
            message = f"repeats must be a whole number from 1, got {self.repeats!r}."
            raise ParameterError(message)

    def mean(self, forward: ForwardPass, *, signs: bool) -> Updates:
        """Return the mean over random directions of the derivative times the direction."""
        total = [{name: np.zeros_like(value) for name, value in own.items()} for own in forward.parameters]
        for _ in range(self.repeats):
            moves = self.directions(forward, signs=signs)
            derivative = self.derivative(forward, moves) / self.repeats
            for own, move in zip(total, moves, strict=True):
                for name, value in own.items():
                    value += (derivative * move[name]).astype(value.dtype)  # noqa: PLW2901 - in place
        return [own or None for own in total]


@public
@dataclass(frozen=True)
class FiniteDifference(_Measuring):
    """Finite differences: dJ/dp = (J(p + step) - J(p))/step for each parameter, one by one (shen2017).

    It needs one forward pass of the batch for each parameter, and one more.

    rng: draws the random numbers.  counters: numbers of operations.
    """

    sources: ClassVar[tuple[str, ...]] = ("shen2017",)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the differences as `Rule.updates` does; ParameterError for more parameters than MOST."""
        check_differences(sum(value.size for own in forward.parameters for value in own.values()))
        still: list[dict[str, Any]] = [{} for _ in forward.parameters]
        here = self.loss(forward, still, 0.0)
        found: Updates = []
        for index, own in enumerate(forward.parameters):
            update = {name: np.zeros_like(value) for name, value in own.items()}
            for name, value in own.items():
                for place in np.ndindex(value.shape):
                    move = np.zeros(value.shape)
                    move[place] = 1.0
                    moves = [*still[:index], {name: move}, *still[index + 1 :]]
                    update[name][place] = (self.loss(forward, moves, self.step) - here) / self.step
            found.append(update or None)
        return found


@public
@dataclass(frozen=True)
class SPSA(_Drawing):
    """Gradient estimate from random changes of all parameters by +-step (spall1992).

    The estimate is the central difference of the loss times the random signs.

    repeats: number of directions to average, each with two forward passes of the batch.  rng: draws the
    random numbers.  counters: numbers of operations.
    """

    sources: ClassVar[tuple[str, ...]] = ("spall1992",)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the mean estimate over `repeats` directions, as `Rule.updates` does."""
        return self.mean(forward, signs=True)


@public
@dataclass(frozen=True)
class EvolutionStrategy(_Drawing):
    """Gradient estimate from normal changes of deviation `step` and their opposites (salimans2017).

    Each change is weighted by the difference of the two losses.

    repeats: number of pairs of opposite changes, each with two forward passes of the batch.  rng: draws the
    random numbers.  counters: numbers of operations.
    """

    sources: ClassVar[tuple[str, ...]] = ("salimans2017",)

    step: float = 0.02
    repeats: int = 10

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the mean estimate over `repeats` pairs of changes, as `Rule.updates` does."""
        return self.mean(forward, signs=False)

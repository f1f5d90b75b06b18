"""The training loop: epochs over shuffled batches, with scores and losses after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, check_whole, dtype_of
from photosim.errors import DataError, ParameterError
from photosim.jobs.fingerprint import fingerprint
from photosim.memory import require_memory
from photosim.reals import shown
from photosim.training.alignment import alignment_angles
from photosim.training.arrays import IndexArray
from photosim.training.checkpoint import State, resume, save
from photosim.training.data.checks import check_inputs, check_known, check_unmasked, check_weights
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.history import History
from photosim.training.layers import Convolution, Network, Parameters
from photosim.training.losses import CLASSIFICATION, Objective, check_finite
from photosim.training.optimisers import Optimiser
from photosim.training.passes import all_finite, learn
from photosim.training.rules.rule import Rule, updates_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@public
@dataclass(frozen=True)
class Streams:
    """The independent random generators of one run, all derived from one seed.

    For the same seed, runs of different rules have the same initial parameters, feedback matrices and order
    of samples, so that their difference comes from the rule. Only noise differs.
    """

    initial: np.random.SeedSequence
    feedback: np.random.SeedSequence
    order: np.random.SeedSequence
    noise: np.random.SeedSequence

    @classmethod
    def tree(cls, seed: int, runs: int) -> list[Streams]:
        """Return the generators of each run, a list of `runs`; more runs do not change the first ones."""
        check_whole("Streams.tree", 0, seed=seed, runs=runs)
        return [cls(*branch.spawn(4)) for branch in np.random.SeedSequence(seed).spawn(runs)]


@public
@dataclass(frozen=True)
class Schedule:
    """Number of epochs, batch size, early stopping and precision of a training run.

    epochs: passes over the training samples.  batch_size: samples of a step; None for one batch of all
    samples in their own order, as graphs need.  dtype: precision of parameters and activations, float32 or
    float64. patience: stop after this many epochs without a rise of the validation score, and return the
    parameters of the best epoch; None to train all epochs and return the last parameters.  min_delta:
    smallest rise of the validation score that counts.  samples: training samples drawn for each epoch,
    without repetition; None for all.  alignment: number of training samples from which the alignment angles
    are computed after each epoch; 0 for none.  checkpoint: file for the state of the run after every epoch; a
    run with the same inputs continues from this file, with the same numbers to the last bit.
    """

    epochs: int
    batch_size: int | None = 32
    dtype: DTypeLike = np.float32
    patience: int | None = None
    min_delta: float = 0.0
    samples: int | None = None
    alignment: int = 0
    checkpoint: Path | None = None

    def __post_init__(self) -> None:
        """Raise ParameterError for a number out of bounds or a precision that is none."""
        check_whole(self, 0, epochs=self.epochs, alignment=self.alignment)
        check_whole(self, 1, none=True, batch_size=self.batch_size, samples=self.samples)
        check_whole(self, 1, none=True, patience=self.patience)
        check_number(self, 0.0, min_delta=self.min_delta)
        found = dtype_of(self.dtype)
        if found is None or found not in (np.dtype(np.float32), np.dtype(np.float64)):
            message = f"Schedule: dtype must be float32 or float64, got {found or shown(self.dtype)}."
            raise ParameterError(message)


@public
def fit(  # noqa: PLR0913 - each is a noun of its own
    network: Network,
    rule: Rule | Any,
    optimiser: Optimiser,
    data: Dataset,
    schedule: Schedule,
    streams: Streams,
    progress: Callable[[int], None] = lambda _epoch: None,
    objective: Objective = CLASSIFICATION,
    state: State | None = None,
) -> History:
    """Train a network, and return its history: scores and losses after each epoch, and the parameters.

    rule: learning rule.  optimiser: turns the updates of the rule into steps of the parameters.  data:
    training, validation and test samples.  schedule: epochs, batch size, precision.  streams: random
    generators; the same streams give the same numbers.  progress(epoch): called after each epoch, counted
    from 1.  objective: loss and score.  state: state of a run, from `begin` or an earlier call, which goes
    on until `schedule.epochs` epochs are done in total; it is changed in place.

    Raises ParameterError for patience without validation samples; Diverged at the first loss that is not
    finite; DataError for samples that are not finite or do not fit the network, for labels that are not
    numbers of its outputs or do not occur in the training samples, and for a checkpoint of another run or of
    more epochs.
    """
    check_dataset(network, data, objective)
    check_memory(network, data, schedule)
    if schedule.patience is not None and not len(data.validation):
        message = "Early stopping (patience) needs validation samples, and the data has none."
        raise ParameterError(message)
    train, validation, test = (
        _cast(part, schedule.dtype) for part in (data.train, data.validation, data.test)
    )
    data = replace(data, train=train, validation=validation, test=test)
    run = _Run(network, rule, optimiser, data, schedule, objective)
    state = run.start(streams) if state is None else state
    key = "" if schedule.checkpoint is None else run.key(streams)
    if schedule.checkpoint is not None:
        resume(schedule.checkpoint, key, state, rule, network)
        _check_length(state, schedule)
    while state.epoch < schedule.epochs and not run.enough(state):
        run.epoch(state)
        if schedule.checkpoint is not None:
            save(schedule.checkpoint, key, state, rule, network)
        progress(state.epoch)
    return run.history(state)


@public
def begin(network: Network, optimiser: Optimiser, streams: Streams, dtype: DTypeLike = np.float32) -> State:
    """Return the state of a run before its first epoch: random parameters and the optimiser's first memory.

    network: layers whose parameters are drawn.  optimiser: the one that `fit` gets.  streams: random
    generators of the run.  dtype: precision of the parameters.
    """
    parameters = network.initial(np.random.default_rng(streams.initial), dtype)
    memory = [optimiser.start(own) for own in parameters]
    groups = {"parameters": parameters, "memory": memory, "best": _copy(parameters)}
    return State(groups, [], np.random.default_rng(streams.order))


@public
def check_dataset(network: Network, data: Dataset, objective: Objective) -> None:
    """Check training, validation and test samples; DataError names the data set and the part that is wrong.

    Inputs must be finite with as many features as the network has inputs, and targets must suit the
    objective. There must be training samples, and every class of the other parts must occur among them.
    """
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    for name, part in parts.items():
        where = f"{data.name}, {name} samples"
        check_unmasked(where, y=part.y)
        check_inputs(where, part.x, len(part), network.layers[0].inputs)
        if len(part):
            objective.check(where, part.y, network.layers[-1].outputs)
        if part.y.dtype.kind in "iu" and part.y.ndim == 1:
            check_known(where, part.y, data.train.y)
    if not len(data.train):
        message = f"{data.name}: there are no training samples."
        raise DataError(message)
    if data.train.weights is not None:
        check_weights(f"{data.name}, training samples", data.train.weights, len(data.train))


@public
def check_memory(network: Network, data: Dataset, schedule: Schedule) -> None:
    """Raise ParameterError if a training would need more memory than this machine has free.

    The estimate counts the weights four times (parameters, best parameters, update, memory of the optimiser),
    three numbers for each unit and sample of a batch, and the image patches of convolutions.

    network: layers.  data: samples of the training.  schedule: batch size and precision.
    """
    batch = min(schedule.batch_size or len(data.train), len(data.train))
    rows = max(batch, len(data.test), len(data.validation))
    units = sum(layer.outputs for layer in network.layers)
    patches = [layer.patches for layer in network.layers if isinstance(layer, Convolution)]
    weights = sum(block.weights_shape[0] * block.weights_shape[1] for block in network.blocks)
    what = f"Training {weights:,} weights in batches of {batch:,} samples, judged by {rows:,} at a time,"
    numbers = 4.0 * weights + 3.0 * rows * units + rows * sum(patches) + batch * max(patches, default=0)
    needed = np.dtype(schedule.dtype).itemsize * numbers
    require_memory(needed, what, "take a smaller network, smaller batches or fewer samples to judge by")


def _check_length(state: State, schedule: Schedule) -> None:
    if state.epoch > schedule.epochs:
        message = (
            f"{schedule.checkpoint} holds {state.epoch} epochs and {schedule.epochs} are requested: request "
            f"{state.epoch} or more, give another name, or remove it to start anew."
        )
        raise DataError(message)


@public
def score(
    network: Network,
    parameters: list[Parameters],
    samples: Samples,
    objective: Objective = CLASSIFICATION,
) -> float:
    """Return the score of a network: accuracy from 0 to 1, or R2 in regression; nan without samples.

    parameters: parameters of each layer.  samples: inputs (samples, features) and targets.  objective: loss
    and score.
    """
    if not len(samples):
        return float("nan")
    return objective.score(network.predict(parameters, samples.x), samples.y)


_TEST, _VALIDATION, _LOSS = range(3)
"""Columns of a run's metrics; the alignment angles follow."""


@dataclass(frozen=True)
class _Run:
    """What is trained, and how; what changes is a State."""

    network: Network
    rule: Rule
    optimiser: Optimiser
    data: Dataset
    schedule: Schedule
    objective: Objective

    def start(self, streams: Streams) -> State:
        """Return the state before the first epoch."""
        return begin(self.network, self.optimiser, streams, self.schedule.dtype)

    def key(self, streams: Streams) -> str:
        """Return the fingerprint of all that decides a run's numbers but the number of epochs."""
        # The rule before the first batch: its generators are in their first state.
        schedule = replace(self.schedule, epochs=0, checkpoint=None, dtype=np.dtype(self.schedule.dtype))
        feedback = [own.matrix() for own in getattr(self.rule, "feedback", ())]
        return fingerprint(
            self.network, self.rule, feedback, self.optimiser, self.data, schedule, self.objective, streams
        )

    def epoch(self, state: State) -> None:
        """Learn from every training sample once, and measure."""
        train, parameters, epoch = self.data.train, state.groups["parameters"], state.epoch + 1
        batches = self._batches(state.order)
        losses = []
        for place, batch in enumerate(batches, start=1):
            factor = self.optimiser.schedule.factor((epoch - 1) * len(batches) + place, epoch)
            with np.errstate(over="ignore", invalid="ignore"):  # refused below
                losses.append(self._step(state, batch, factor))
            last = place == len(batches)
            finite = np.isfinite(losses[-1]) and not (last and not all_finite(parameters))
            check_finite(bool(finite), epoch, factor * self.optimiser.learning_rate)
        held = [
            score(self.network, parameters, part, self.objective)
            for part in (self.data.test, self.data.validation)
        ]
        # Weighted by batch size, so that the short last batch does not count double.
        seen = sum(self.objective.count(train.y[batch]) for batch in batches)
        state.metrics.append([*held, sum(losses) / seen, *self._angles(parameters)])
        if self.schedule.patience is None or self._best(state) == state.epoch:
            state.groups["best"] = _copy(parameters)

    def enough(self, state: State) -> bool:
        """Return whether the validation score has not risen for as long as patience lasts."""
        patience = self.schedule.patience
        return patience is not None and state.epoch - self._best(state) >= patience

    def history(self, state: State) -> History:
        """Return the outcome."""
        columns = np.array(state.metrics).reshape(-1, 3 + len(self.network.hidden)).T
        best = state.epoch if self.schedule.patience is None else self._best(state)
        return History(
            accuracy=columns[_TEST],
            validation=columns[_VALIDATION],
            loss=columns[_LOSS],
            parameters=state.groups["best"],
            angles=columns[3:].T,
            best=best,
        )

    def _best(self, state: State) -> int:
        """Return the epoch, counted from 1, whose validation score rose last; 0 before the first."""
        best, top = 0, -np.inf
        for epoch, row in enumerate(state.metrics, start=1):
            if row[_VALIDATION] > top + (self.schedule.min_delta if best else 0.0):
                best, top = epoch, row[_VALIDATION]
        return best

    def _angles(self, parameters: list[Parameters]) -> list[float]:
        if not self.schedule.alignment:
            return [float("nan")] * len(self.network.hidden)
        # A graph's nodes cannot be taken apart.
        some = slice(None if self.schedule.batch_size is None else self.schedule.alignment)
        samples = Samples(self.data.train.x[some], self.data.train.y[some])
        return [*map(float, alignment_angles(self.network, self.rule, parameters, samples, self.objective))]

    def _batches(self, order: np.random.Generator) -> Sequence[IndexArray | slice]:
        """Return the rows of each batch of an epoch."""
        if (size := self.schedule.batch_size) is None:
            return [slice(None)]
        shuffled = _drawn(self.data.train, order)[: self.schedule.samples]
        return [shuffled[first : first + size] for first in range(0, shuffled.size, size)]

    def _step(self, state: State, rows: IndexArray | slice, factor: float) -> float:
        """Learn from one batch in place; return its summed loss, nan for one that cannot be learnt from."""
        parameters, memory, train = state.groups["parameters"], state.groups["memory"], self.data.train
        batch = train.x[rows], train.y[rows]
        loss, found = learn(  # dropout too
            self.network, parameters, batch, self.objective, state.order,
            lambda forward: updates_of(self.rule, replace(forward, late=True), parameters),
        )  # fmt: skip
        for own, update, kept in zip(parameters, found, memory, strict=True):
            if update is not None:
                self.optimiser.step(own, update, kept, factor)
        return loss * self.objective.count(batch[1])


def _drawn(samples: Samples, order: np.random.Generator) -> IndexArray:
    """Return the rows of an epoch in random order, each as often as its weight says.

    A weight that is not whole counts as the whole number below or above, by chance and right on average.
    """
    weights = samples.weights
    if weights is None:
        return order.permutation(len(samples))
    ends = np.cumsum(weights, dtype=np.float64)
    units = max(1, round(float(ends[-1])))
    # One position in each unit of the summed weights.
    places = (np.arange(units) + order.random(units)) * (ends[-1] / units)
    rows = np.minimum(np.searchsorted(ends, places, side="right"), len(samples) - 1)
    return order.permutation(rows)


def _copy(parameters: list[Parameters]) -> list[Parameters]:
    return [{name: value.copy() for name, value in own.items()} for own in parameters]


def _cast(samples: Samples, dtype: DTypeLike) -> Samples:
    y = samples.y if samples.y.dtype.kind in "iu" else np.ascontiguousarray(samples.y, dtype=dtype)
    # Fields of light stay complex, in the same precision.
    kind = np.result_type(dtype, np.complex64) if np.iscomplexobj(samples.x) else dtype
    return Samples(np.ascontiguousarray(samples.x, dtype=kind), y, samples.weights)

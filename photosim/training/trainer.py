"""One training run: epochs over shuffled batches, and how well it does after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.training.arrays import FloatArray, RealArray
from photosim.training.data import Dataset, Samples
from photosim.training.layers import Network, Parameters
from photosim.training.losses import softmax_cross_entropy
from photosim.training.optimisers import Optimiser
from photosim.training.rules.rule import Rule

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@dataclass(frozen=True)
class Streams:
    """The independent random streams of one run, all children of one seed sequence.

    Runs of different rules get the same initial parameters, feedback matrices and order of samples for the
    same seed, so that their difference is the rule's; only noise is drawn apart.
    """

    initial: np.random.SeedSequence
    feedback: np.random.SeedSequence
    order: np.random.SeedSequence
    noise: np.random.SeedSequence

    @classmethod
    def tree(cls, seed: int, runs: int) -> list[Streams]:
        """Return the streams of `runs` runs of one seed; more runs leave the first ones as they were."""
        return [cls(*branch.spawn(4)) for branch in np.random.SeedSequence(seed).spawn(runs)]


@dataclass(frozen=True)
class Schedule:
    """How long to train and in what pieces; `dtype` is the precision of parameters and activations."""

    epochs: int
    batch: int = 32
    dtype: DTypeLike = np.float32


@dataclass(frozen=True)
class History:
    """Metrics after each epoch, each of shape (epochs,), and the final parameters of every layer."""

    accuracy: FloatArray
    validation: FloatArray
    loss: FloatArray
    parameters: list[Parameters]


def fit(
    network: Network,
    rule: Rule,
    optimiser: Optimiser,
    data: Dataset,
    schedule: Schedule,
    streams: Streams,
    progress: Callable[[int], None] = lambda _epoch: None,
) -> History:
    """Train once and return its metrics; `progress(epoch)` is called after each epoch, counted from 1.

    The last, shorter batch of an epoch is used too. Nothing but `streams` decides the numbers drawn here.
    """
    parameters = network.initial(np.random.default_rng(streams.initial), schedule.dtype)
    memory = [optimiser.start(own) for own in parameters]
    order = np.random.default_rng(streams.order)
    train = _cast(data.train, schedule.dtype)
    held = [_cast(part, schedule.dtype) for part in (data.test, data.validation)]
    metrics = np.empty((3, schedule.epochs))
    for epoch in range(schedule.epochs):
        losses = [
            _step(network, rule, optimiser, parameters, memory, Samples(train.x[rows], train.y[rows]))
            for rows in _batches(order.permutation(len(train)), schedule.batch)
        ]
        # Weighted by batch size, so that the short last batch does not count double.
        metrics[2, epoch] = sum(losses) / len(train)
        metrics[:2, epoch] = [accuracy(network, parameters, part) for part in held]
        progress(epoch + 1)
    return History(metrics[0], metrics[1], metrics[2], parameters)


def accuracy(network: Network, parameters: list[Parameters], samples: Samples) -> float:
    """Return the share of samples whose largest logit is their label; nan if there are no samples."""
    if not len(samples):
        return float("nan")
    return float(np.mean(network.predict(parameters, samples.x).argmax(axis=1) == samples.y))


def _step(
    network: Network,
    rule: Rule,
    optimiser: Optimiser,
    parameters: list[Parameters],
    memory: list[Parameters],
    batch: Samples,
) -> float:
    """Learn from one batch in place; return its summed loss."""
    traces = network.forward(parameters, batch.x)
    loss, error = softmax_cross_entropy(traces[-1].outputs, batch.y)
    updates = rule.updates(network, parameters, traces, error)
    for own, update, remembered in zip(parameters, updates, memory, strict=True):
        if update is not None:
            optimiser.step(own, update, remembered)
    return loss * len(batch)


def _batches(order: RealArray | np.ndarray, size: int) -> list[np.ndarray]:
    return [order[start : start + size] for start in range(0, order.size, size)]


def _cast(samples: Samples, dtype: DTypeLike) -> Samples:
    return Samples(np.ascontiguousarray(samples.x, dtype=dtype), samples.y)

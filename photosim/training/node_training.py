"""Training on one graph: all nodes pass at once, the labelled ones say how wrong they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import check_whole
from photosim.display import Shown, figure, plotting
from photosim.errors import DataError
from photosim.smatrix import ByValue
from photosim.training.arrays import FloatArray, LabelArray, RealArray, TargetArray
from photosim.training.data.checks import check_inputs
from photosim.training.data.graphs import GraphData
from photosim.training.history import words
from photosim.training.layers import Dropout, Layer, Network, activation
from photosim.training.layers.graph_convolution import GraphConvolution
from photosim.training.losses import (
    Objective,
    check_classes,
    check_finite,
    share_correct,
    softmax_cross_entropy,
)
from photosim.training.optimisers import Adam
from photosim.training.passes import all_finite, run
from photosim.training.rules.rule import Rule

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from scipy.sparse import csr_array

UNLABELLED = -1
"""Class number of a node that says nothing while training."""


def labelled_cross_entropy(logits: RealArray, labels: TargetArray) -> tuple[float, RealArray]:
    """Return the mean loss of the labelled nodes, and each node's error: zero for the others."""
    known = np.flatnonzero(labels != UNLABELLED)
    error = np.zeros_like(logits)
    loss, error[known] = softmax_cross_entropy(logits[known], labels[known])
    return loss, error


def _labelled(labels: TargetArray) -> int:
    return int(np.count_nonzero(labels != UNLABELLED))


def _check_some(where: str, labels: TargetArray, outputs: int) -> None:
    check_classes(where, labels, outputs, lowest=UNLABELLED)


NODES = Objective(labelled_cross_entropy, share_correct, _labelled, _check_some)
"""Classification of the nodes of a graph of which some have no label."""


def graph_network(
    adjacency: csr_array, widths: tuple[int, ...], hidden: str = "relu", dropout: float = 0.0
) -> Network:
    """Return graph convolutions of these widths, features first, with dropout after each hidden one."""
    layers: list[Layer] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers.append(GraphConvolution(inputs, outputs, activation(hidden), adjacency))
        if dropout:
            layers.append(Dropout(outputs, dropout))
    last = GraphConvolution(widths[-2], widths[-1], activation("linear"), adjacency)
    return Network((*layers, last))


@dataclass(frozen=True, eq=False)
class NodeHistory(Shown, ByValue):
    """Shares classified correctly after each epoch, each of shape (epochs,)."""

    validation: FloatArray
    test: FloatArray
    loss: FloatArray

    def __repr__(self) -> str:
        """Say how long it trained and how well, in a line."""
        return f"NodeHistory({words(self.test, self.loss)})"

    def plot(self) -> Figure:
        """Draw the shares and the loss over the epochs; return the figure."""
        return plotting().history({"test": self.test, "validation": self.validation}, self.loss)  # type: ignore[no-any-return]

    def html_blocks(self) -> Iterator[str]:
        """Return what a notebook shows: the curves, and the last shares."""
        yield figure(self.plot())
        yield escape(repr(self))

    @property
    def chosen(self) -> float:
        """The test share after the first epoch of the best validation share."""
        return float(self.test[int(np.argmax(self.validation))])


def fit_nodes(
    network: Network,
    rule: Rule,
    data: GraphData,
    *,
    epochs: int = 250,
    optimiser: Adam | None = None,
    weight_decay: float = 0.0,
    initial: np.random.SeedSequence,
    rng: np.random.SeedSequence,
) -> NodeHistory:
    """Train on one graph, all nodes in one batch, and return how it went.

    weight_decay: of the first layer alone.  initial: seeds the first weights.  rng: seeds dropout. Raises
    ParameterError for no epochs, DataError for a graph that does not fit the network, and Diverged for a run
    that diverges.
    """
    check_whole("fit_nodes", 1, epochs=epochs)
    _check_graph(network, data)
    x, labels = features(data), np.full(data.labels.shape, UNLABELLED)
    labels[data.train] = data.labels[data.train]
    parameters = network.initial(np.random.default_rng(initial), np.float32)
    plain = optimiser or Adam(0.01)
    optimisers = [replace(plain, weight_decay=weight_decay), *[plain] * (len(parameters) - 1)]
    memory = [own.start(p) for own, p in zip(optimisers, parameters, strict=True)]
    dropping = np.random.default_rng(rng)
    kept = []
    for epoch in range(1, epochs + 1):
        factor = plain.schedule.factor(epoch, epoch)
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            forward, loss = run(network, parameters, x, labels, NODES, dropping)
            finite = np.isfinite(loss) and np.isfinite(forward.error).all()
            check_finite(bool(finite), epoch, factor * plain.learning_rate)
            for own, p, update, m in zip(optimisers, parameters, rule.updates(forward), memory, strict=True):
                if update:
                    own.step(p, update, m, factor)
        check_finite(all_finite(parameters), epoch, factor * plain.learning_rate)
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            logits = network.predict(parameters, x)
        check_finite(bool(np.isfinite(logits).all()), epoch, factor * plain.learning_rate)
        kept.append([*(share_correct(logits[n], data.labels[n]) for n in (data.validation, data.test)), loss])
    validation, test, losses = np.array(kept).T
    return NodeHistory(validation, test, losses)


def _check_graph(network: Network, data: GraphData) -> None:
    title = f"Graph {data.name!r}"
    check_inputs(title, data.features, features=network.layers[0].inputs)
    check_classes(title, data.labels[data.train], network.layers[-1].outputs)
    for layer in network.layers:
        if isinstance(layer, GraphConvolution) and layer.adjacency.shape[0] != len(data.labels):
            message = (
                f"{title} has {len(data.labels)} nodes, but the network's adjacency is of "
                f"{layer.adjacency.shape[0]}."
            )
            raise DataError(message)


def features(data: GraphData) -> Any:
    """Return the nodes' features as a sparse matrix, each row divided by its sum where that is not zero."""
    from scipy.sparse import csr_array

    sums = data.features.sum(axis=1, keepdims=True)
    return csr_array((data.features / np.where(sums > 0.0, sums, 1.0)).astype(np.float32))


def redrawn(data: GraphData, rng: np.random.Generator, shares: tuple[float, float] = (0.6, 0.2)) -> GraphData:
    """Return the graph split anew: `shares` of the nodes to learn from and choose by, the rest to judge."""
    order: LabelArray = rng.permutation(data.labels.size)
    cuts = np.round(np.cumsum(shares) * order.size).astype(int)
    train, validation, test = np.split(order, cuts)
    return replace(data, train=train, validation=validation, test=test)

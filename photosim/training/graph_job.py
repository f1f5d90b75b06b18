"""Trainings on graphs, as a netlist asks for them: graph convolutions, all nodes in one batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.training.architecture import LAYERS, label
from photosim.training.history import History
from photosim.training.layers import Dropout, Layer, Network, activation, normalised_adjacency
from photosim.training.layers.graph_convolution import GraphConvolution
from photosim.training.node_training import fit_nodes
from photosim.training.optimisers import Adam

if TYPE_CHECKING:
    from collections.abc import Callable

    from photosim.training.data.graphs import GraphData
    from photosim.training.options import TrainOptions
    from photosim.training.rules import Rule
    from photosim.training.trainer import Streams


def graph_layers(options: TrainOptions, data: GraphData) -> Network:
    """Return the network of a training on a graph: each width a graph convolution, dropout between them.

    Raises ParameterError for other layers, widths that are not the graph's, and options that a graph has no
    use for.
    """
    where = f"analysis {options.name!r}"
    widths = [entry for entry in options.network if isinstance(entry, int)]
    if [widths[0], widths[-1]] != [data.features.shape[1], data.classes] or len(widths) < 2:
        message = (
            f"{where}: the graph {data.name} has {data.features.shape[1]} features and {data.classes} "
            f"classes, but the network {label(options.network)} begins with {widths[0]} and ends with "
            f"{widths[-1]}."
        )
        raise ParameterError(message)
    if options.alignment or not isinstance(options.optimiser, Adam):
        what = "alignment" if options.alignment else f"method {type(options.optimiser).__name__.lower()!r}"
        message = f"{where}: trainings on graphs take Adam and no alignment, got {what}."
        raise ParameterError(message)
    adjacency = normalised_adjacency(data.edges, data.labels.size).astype(np.float32)
    layers: list[Layer] = []
    inputs = widths[0]
    for place, entry in enumerate(options.network[1:], start=2):
        if isinstance(entry, Mapping) and set(entry) == {"layer", "share"} and entry["layer"] == "dropout":
            layers.append(Dropout(inputs, float(entry["share"])))
        elif isinstance(entry, int):
            last = place == len(options.network)
            own = activation("linear" if last else options.activation)
            layers.append(GraphConvolution(inputs, entry, own, adjacency))
            inputs = entry
        else:
            others = ", ".join(name for name in LAYERS if name != "dropout")
            message = (
                f"{where}: layer {place} of network: graphs take widths and dropout, not {others} or objects."
            )
            raise ParameterError(message)
    return Network(tuple(layers))


def fit_graph(
    network: Network,
    rule: Rule,
    data: GraphData,
    options: TrainOptions,
    streams: Streams,
    report: Callable[[int], None],
) -> History:
    """Return how a training on a graph went: scores of the nodes that judge and that validate."""
    optimiser: Any = options.optimiser
    found = fit_nodes(
        network, rule, data, epochs=options.epochs, optimiser=replace(optimiser),
        weight_decay=optimiser.weight_decay, initial=streams.initial, rng=streams.order,
    )  # fmt: skip
    report(options.epochs)
    hidden = len(network.blocks) - 1
    angles = np.full((options.epochs, hidden), np.nan)
    return History(found.test, found.validation, found.loss, [], angles, options.epochs)

"""Networks: layers in a row, seen as blocks of one that learns and those after it that do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import public
from photosim.display import Shown, table
from photosim.errors import ParameterError, listing
from photosim.training.arrays import RealArray
from photosim.training.layers.activations import activation
from photosim.training.layers.dense import Dense
from photosim.training.layers.dropout import Dropout
from photosim.training.layers.layer import Layer, Parameters, Randomness, Trace

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@public
@dataclass(frozen=True)
class Block:
    """A trainable layer, number `first` of the network, with the layers up to `last` that have no parameters.

    weights_shape: (outputs, inputs) of the trainable layer.  outputs: number of units behind the last layer.
    """

    first: int
    last: int
    weights_shape: tuple[int, int]
    outputs: int

    @property
    def alone(self) -> bool:
        """Whether the block is the trainable layer alone."""
        return self.first == self.last


@public
@dataclass(frozen=True)
class Network(Shown):
    """Layers one after the other; the last one is trainable and gives the logits.

    layers: from input to output.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        """Raise ParameterError for layers that do not fit together, or a last one that learns nothing."""
        object.__setattr__(self, "layers", tuple(self.layers))
        for number, (one, other) in enumerate(pairwise(self.layers), start=1):
            if one.outputs != other.inputs:
                message = (
                    f"Layer {number} gives {one.outputs} features, but the next one takes {other.inputs}."
                )
                raise ParameterError(message)
        if not self.layers or self.layers[-1].weights_shape is None:
            message = "The last layer of a network must be one that learns, such as a dense one."
            raise ParameterError(message)

    def __repr__(self) -> str:
        """Return the features between the layers, in a line."""
        sizes = [self.layers[0].inputs, *(layer.outputs for layer in self.layers)]
        return f"Network({len(self.layers)} layers: {listing(sizes)} features)"

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: a row for each layer."""
        rows = [
            (number, type(layer).__name__, layer.inputs, layer.outputs, _shape(layer.weights_shape))
            for number, layer in enumerate(self.layers, start=1)
        ]
        yield table(("", "layer", "inputs", "outputs", "weights"), rows, repr(self))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The trainable layers, each with the layers without parameters that follow it."""
        shapes = [(k, layer.weights_shape) for k, layer in enumerate(self.layers)]
        learning = [(k, shape) for k, shape in shapes if shape is not None]
        ends = [*(after - 1 for after, _ in learning[1:]), len(self.layers) - 1]
        return tuple(
            Block(first, last, shape, self.layers[last].outputs)
            for (first, shape), last in zip(learning, ends, strict=True)
        )

    @property
    def hidden(self) -> tuple[Block, ...]:
        """All blocks but the last."""
        return self.blocks[:-1]

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> list[Parameters]:
        """Draw the initial parameters of every layer, first to last."""
        return [layer.initial(rng, dtype) for layer in self.layers]

    def forward(
        self,
        parameters: list[Parameters],
        x: RealArray,
        rng: np.random.Generator | list[Trace] | None = None,
    ) -> list[Trace]:
        """Return every layer's trace for x of shape (batch, features).

        rng: a generator in training; the traces of an earlier pass drop the same units again; None for
        inference.
        """
        traces: list[Trace] = []
        for index, (layer, own) in enumerate(zip(self.layers, parameters, strict=True)):
            from_here: Randomness = rng[index] if isinstance(rng, list) else rng
            traces.append(layer.forward(own, x, from_here))
            x = traces[-1].outputs
        return traces

    def predict(self, parameters: list[Parameters], x: RealArray) -> RealArray:
        """Return the logits of x, shape (batch, classes)."""
        return self.forward(parameters, x)[-1].outputs


@public
def dense_network(widths: tuple[int, ...], hidden: str = "tanh", dropout: float = 0.0) -> Network:
    """Return a network of dense layers with these widths, inputs first; the last layer is linear.

    hidden: activation of the hidden layers.  dropout: fraction of the hidden units dropped in training.

    >>> network = dense_network((64, 30, 10))
    >>> [layer.weights_shape for layer in network.layers]
    [(30, 64), (10, 30)]
    """
    if len(widths) < 2:
        message = f"dense_network: widths must be at least those of inputs and outputs, got {len(widths)}."
        raise ParameterError(message)
    layers: list[Layer] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers.append(Dense(inputs, outputs, activation(hidden)))
        if dropout:
            layers.append(Dropout(outputs, dropout))
    return Network((*layers, Dense(widths[-2], widths[-1], activation("linear"))))


def _shape(weights: tuple[int, int] | None) -> str:
    return "-" if weights is None else f"{weights[0]} x {weights[1]}"

"""The decoder-only Transformer of `photosim.training` as stages of PyTorch, number for number."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

from photosim.bounds import check_choice, check_whole
from photosim.errors import ParameterError
from photosim.interop.torch.feedback import DirectFeedback, Stages
from photosim.training.layers import Parameters
from photosim.training.layers.normalisation import EPS

PLACEMENTS = ("macro", "micro")
"""Where errors arrive: at the end of each block, or also behind each block's attention."""


class _Embedding(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, vocabulary: int, tokens: int, width: int) -> None:
        super().__init__()
        bound = width**-0.5
        self.weights = torch.nn.Parameter(torch.empty(width, vocabulary).uniform_(-bound, bound))
        self.positions = torch.nn.Parameter(torch.empty(tokens, width).uniform_(-bound, bound))

    def forward(self, codes: torch.Tensor) -> Any:
        return torch.nn.functional.embedding(codes, self.weights.T) + self.positions[: codes.shape[-1]]


class _Residual(torch.nn.Module):  # type: ignore[misc]
    """norm(x + W_out part(W x + b) + c), token by token; parameters named as the layers here name theirs."""

    def __init__(self, width: int, inner: int, hidden: int) -> None:
        super().__init__()
        self.weights, self.bias = _uniform(hidden, width)
        self.out, self.out_bias = _uniform(width, inner)
        self.scale = torch.nn.Parameter(torch.ones(width))
        self.shift = torch.nn.Parameter(torch.zeros(width))

    def part(self, rows: torch.Tensor) -> Any:
        raise NotImplementedError

    def forward(self, x: torch.Tensor) -> Any:
        functional = torch.nn.functional
        inner = self.part(functional.linear(x, self.weights, self.bias))
        whole = x + functional.linear(inner, self.out, self.out_bias)
        return functional.layer_norm(whole, (whole.shape[-1],), self.scale, self.shift, EPS)


class _Attention(_Residual):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__(width, width, 3 * width)
        self.heads = heads

    def part(self, rows: torch.Tensor) -> Any:
        apart = rows.unflatten(-1, (3, self.heads, -1)).movedim(-3, 0).transpose(-2, -3)
        mixed = torch.nn.functional.scaled_dot_product_attention(*apart, is_causal=True)
        return mixed.transpose(-2, -3).flatten(-2)


class _FeedForward(_Residual):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden, hidden)

    def part(self, rows: torch.Tensor) -> Any:
        return torch.relu(rows)


class _Readout(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.weights = torch.nn.Parameter(torch.zeros(vocabulary, width))
        self.bias = torch.nn.Parameter(torch.zeros(vocabulary))

    def forward(self, x: torch.Tensor) -> Any:
        return torch.nn.functional.linear(x, self.weights, self.bias)


def transformer(
    vocabulary: int,
    tokens: int,
    width: int,
    blocks: int,
    heads: int,
    *,
    feedback: DirectFeedback | None = None,
    placement: str = "macro",
) -> Stages:
    """Return a decoder-only Transformer: codes (batch, tokens), whole numbers, to logits (..., vocabulary).

    It computes what `photosim.training.layers.transformer.transformer` does: post-norm blocks, learnt
    positions, a feed-forward part four times as wide as a token, a read-out that begins at zero.

    feedback: what carries errors to the stages; backpropagation without it.  placement: "macro", a stage is a
    block; "micro", attention and feed-forward part are stages of their own (launayscales2020). The first
    stage holds the embedding.

    Raises:
        ParameterError: sizes that are not positive, or a width that the heads do not divide.
    """
    check_whole(
        "transformer", 1, vocabulary=vocabulary, tokens=tokens, width=width, blocks=blocks, heads=heads
    )
    check_choice("transformer", PLACEMENTS, placement=placement)
    if width % heads:
        message = f"A width of {width} cannot be divided among {heads} heads."
        raise ParameterError(message)
    parts: list[torch.nn.Module] = []
    for _ in range(blocks):
        parts += [_Attention(width, heads), _FeedForward(width, 4 * width)]
    size = 2 if placement == "macro" else 1
    rows = [parts[first : first + size] for first in range(0, len(parts), size)]
    rows[0].insert(0, _Embedding(vocabulary, tokens, width))
    stages = [torch.nn.Sequential(*row) for row in rows]
    return Stages(stages, _Readout(vocabulary, width), feedback)


def load_transformer(module: Stages, parameters: list[Parameters]) -> None:
    """Copy the parameters of a numpy Transformer of the same sizes, layer by layer, into `module`.

    Raises:
        ParameterError: another number of layers, or another shape.
    """
    layers = _layers(module)
    if len(layers) != len(parameters):
        message = f"The module has {len(layers)} layers and the parameters are those of {len(parameters)}."
        raise ParameterError(message)
    with torch.no_grad():
        for number, (layer, own) in enumerate(zip(layers, parameters, strict=True)):
            for name, value in own.items():
                place = layer.get_parameter(name.replace(" ", "_"))
                shape, given = tuple(place.shape), np.shape(value)
                if shape != given:
                    message = f"Layer {number}: {name} must have shape {shape}, got {given}."
                    raise ParameterError(message)
                place.copy_(torch.from_numpy(np.array(value)))


def transformer_parameters(module: Stages, *, gradients: bool = False) -> list[Parameters]:
    """Return the parameters of every layer, or their gradients, as `photosim.training` names them."""
    found = []
    for layer in _layers(module):
        own = {}
        for name, value in layer.named_parameters():
            tensor = value.grad if gradients else value
            if tensor is not None:
                own[name.replace("out_bias", "out bias")] = tensor.detach().cpu().numpy().copy()
        found.append(own)
    return found


def _layers(module: Stages) -> list[torch.nn.Module]:
    return [*itertools.chain.from_iterable(module.stages), module.readout]


def _uniform(outputs: int, inputs: int) -> tuple[torch.nn.Parameter, torch.nn.Parameter]:
    """Return weights and biases drawn uniformly from +-1/sqrt(inputs)."""
    bound = inputs**-0.5
    weights = torch.empty(outputs, inputs).uniform_(-bound, bound)
    return torch.nn.Parameter(weights), torch.nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))

"""Networks as plain data: widths, and mappings for layers that are not dense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Annotated, Any, Literal

from pydantic import Field

from photosim.bounds import untitled
from photosim.errors import ParameterError
from photosim.netlist.forms import Choice
from photosim.netlist.mappings import read
from photosim.training.layers import (
    Convolution,
    Dense,
    Dropout,
    Layer,
    Network,
    Pooling,
    Windows,
    activation,
)

MOST = 100_000
"""Largest number of seeds, epochs, units or samples a batch: a typing error otherwise."""
Size = Annotated[int, Field(ge=1, le=MOST)]
MOST_FEATURES = 1_000_000
"""Largest number of features that a layer may give a sample: a typing error otherwise."""
Shape = tuple[int, int, int]
"""Channels, height and width of images."""


@dataclass(frozen=True)
class ConvolutionOptions:
    """Options of a convolution: number of filters, their width and distance in pixels, zero padding."""

    channels: Size
    kernel: Size
    stride: Size = 1
    padding: Annotated[int, Field(ge=0, le=MOST)] = 0


@dataclass(frozen=True)
class PoolingOptions:
    """Options of a pooling: windows of size x size pixels at a distance of `stride`, by default the size."""

    size: Size
    stride: Size | None = None
    kind: Literal["max", "mean"] = "max"


@dataclass(frozen=True)
class DropoutOptions:
    """Options of dropout: the fraction of units that is left out at random during training."""

    share: Annotated[float, Field(ge=0, le=0.999)]


LAYERS = {"convolution": ConvolutionOptions, "pooling": PoolingOptions, "dropout": DropoutOptions}
"""Layers that are written as a mapping, by name, and the record of their options."""
_LAYER: Any = Annotated[Any, Choice("layer", LAYERS)]


def build_network(entries: Any, hidden: str, where: str) -> Network:
    """Return the network that a list describes: inputs, hidden layers and number of outputs.

    entries: first the number of inputs, or [channels, height, width] of images; then widths of dense layers,
    mappings with the key `layer`, or Layer objects; last the width of the linear output layer.
    hidden: activation of the hidden layers.  Raises ParameterError, whose message begins with `where`, for
    other entries and for layers that do not fit together.

    >>> filters = {"layer": "convolution", "channels": 4, "kernel": 3}
    >>> network = build_network([[1, 8, 8], filters, 10], "tanh", "digits")
    >>> [type(layer).__name__ for layer in network.layers], parameter_count(network)
    (['Convolution', 'Dense'], 1490)
    """
    if not isinstance(entries, list | tuple) or len(entries) < 2 or not isinstance(entries[-1], int):
        message = (
            f"{where}: network must list two widths or more, inputs first, as [64, 128, 10], mappings for "
            f"other layers between them, got {entries!r}."
        )
        raise ParameterError(message)
    images, features = _inputs(entries[0], where)
    layers: list[Layer] = []
    for place, entry in enumerate(entries[1:], start=2):
        here = f"{where}: layer {place} of network"
        layer: Layer
        if is_layer(entry):
            layer, images = entry, None
            if layer.inputs != features:
                message = f"{here}, a {type(layer).__name__}, takes {layer.inputs} features, gets {features}."
                raise ParameterError(message)
        elif isinstance(entry, Mapping):
            layer, images = _layer(entry, images, features, hidden, here)
        else:
            width = read(Size, entry, f"{where}: a width of the network")
            images = None
            layer = Dense(features, width, activation(hidden if place < len(entries) else "linear"))
        features = layer.outputs
        if features > MOST_FEATURES:
            message = f"{here} would give {features:,} features a sample; the bound is {MOST_FEATURES:,}."
            raise ParameterError(message)
        layers.append(layer)
    return Network(tuple(layers))


def is_layer(value: Any) -> bool:
    """Return whether a value is a layer object, of photosim or of the user."""
    if isinstance(value, type | Mapping | int):
        return False
    return all(hasattr(value, name) for name in ("inputs", "outputs", "forward", "gradient", "back"))


def parameter_count(network: Network) -> int:
    """Return the number of weights and biases of a network."""
    return sum(products * (summands + 1) for products, summands in (b.weights_shape for b in network.blocks))


def plain(entries: Sequence[Any]) -> list[Any]:
    """Return a network's list as plain JSON types."""
    return [
        dict(entry)
        if isinstance(entry, Mapping)
        else list(entry)
        if isinstance(entry, list | tuple)
        else entry
        for entry in entries
    ]


def label(entries: Sequence[Any], dash: str = "-") -> str:
    """Return a network's list in short: 1x8x8-6c3-p2-d0.1-10 has 6 filters of 3 x 3, windows of 2 x 2."""
    return dash.join(_short(entry) for entry in entries)


def _short(entry: Any) -> str:
    if isinstance(entry, list | tuple):
        return "x".join(str(size) for size in entry)
    if is_layer(entry):
        return type(entry).__name__
    if not isinstance(entry, Mapping):
        return str(entry)
    if entry["layer"] == "convolution":
        return f"{entry['channels']}c{entry['kernel']}"
    return f"p{entry['size']}" if entry["layer"] == "pooling" else f"d{entry['share']:g}"


def _inputs(entry: Any, where: str) -> tuple[Shape | None, int]:
    """Return the images' shape, if they are some, and the number of inputs."""
    if not isinstance(entry, list | tuple):
        return None, read(Size, entry, f"{where}: a width of the network")
    if len(entry) != 3:
        message = (
            f"{where}: network must begin with the number of inputs, or with [channels, height, width] of "
            f"images, got {entry!r}."
        )
        raise ParameterError(message)
    channels, height, width = (read(Size, size, f"{where}: a size of the images") for size in entry)
    shape = (channels, height, width)
    if prod(shape) > MOST:
        message = f"{where}: images of {prod(shape):,} pixels are too large; the bound is {MOST:,}."
        raise ParameterError(message)
    return shape, prod(shape)


def _layer(
    entry: Mapping[str, Any], images: Shape | None, features: int, hidden: str, here: str
) -> tuple[Layer, Shape | None]:
    """Return the layer of a mapping and the shape of the images that it gives, if it does."""
    options = read(_LAYER, entry, here)
    here = f"{here} ({entry['layer']})"
    if isinstance(options, DropoutOptions):
        return Dropout(features, options.share), images
    if images is None:
        message = (
            f"{here} needs images: begin the network with their [channels, height, width], as [1, 8, 8], and "
            "put it before the dense layers."
        )
        raise ParameterError(message)
    try:
        if isinstance(options, ConvolutionOptions):
            windows = Windows(*images, options.kernel, options.stride, options.padding)
            shape = (options.channels, windows.rows, windows.columns)
            return Convolution(windows, options.channels, activation(hidden)), shape
        windows = Windows(*images, options.size, options.stride or options.size)
        pooling = Pooling(windows, options.kind)
    except ParameterError as error:
        message = f"{here}: {untitled(error)}"
        raise ParameterError(message) from None
    return pooling, (images[0], windows.rows, windows.columns)

"""Layers over images: convolution and pooling. Images travel flat, channel by channel, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_whole
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.layers.activations import Activation
from photosim.training.layers.layer import Parameters, Randomness, Trace, Weightless, uniform

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


@public
@dataclass(frozen=True)
class Windows:
    """Square windows of `size` pixels, `stride` apart, over images (channels, height, width) with a zero rim.

    Pixels at the far edges that no whole window covers are not seen, as everywhere.

    padding: width of the rim in pixels.
    """

    channels: int
    height: int
    width: int
    size: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        """Raise ParameterError for windows that do not fit."""
        check_whole(self, channels=self.channels, height=self.height, width=self.width)
        check_whole(self, size=self.size, stride=self.stride, padding=self.padding)
        whole = (self.channels, self.height, self.width, self.size, self.stride)
        if min(whole) < 1 or self.padding < 0 or min(self.rows, self.columns) < 1:
            message = (
                f"Windows of {self.size} pixels, {self.stride} apart, rim {self.padding}, do not fit into "
                f"{self.channels} x {self.height} x {self.width} images."
            )
            raise ParameterError(message)

    @property
    def rows(self) -> int:
        """Windows from top to bottom."""
        return (self.height + 2 * self.padding - self.size) // self.stride + 1

    @property
    def columns(self) -> int:
        """Windows from left to right."""
        return (self.width + 2 * self.padding - self.size) // self.stride + 1

    def view(self, x: RealArray) -> RealArray:
        """Return a view of flat images, shape (batch, channels, rows, columns, size, size)."""
        images = x.reshape(-1, self.channels, self.height, self.width)
        if self.padding:
            rim = (self.padding, self.padding)
            images = np.pad(images, ((0, 0), (0, 0), rim, rim))
        view = np.lib.stride_tricks.sliding_window_view(images, (self.size, self.size), axis=(2, 3))
        return view[:, :, :: self.stride, :: self.stride]

    def add_up(self, windows: RealArray) -> RealArray:
        """Return flat images that hold the sum of windows (batch, channels, rows, columns, size, size)."""
        rim, step = self.padding, self.stride
        shape = (len(windows), self.channels, self.height + 2 * rim, self.width + 2 * rim)
        images = np.zeros(shape, dtype=windows.dtype)
        for i in range(self.size):
            for j in range(self.size):
                below, right = i + step * self.rows, j + step * self.columns
                images[:, :, i:below:step, j:right:step] += windows[..., i, j]
        inner = images[:, :, rim : rim + self.height, rim : rim + self.width]
        return inner.reshape(len(windows), -1)


@public
@dataclass(frozen=True)
class Convolution:
    """Convolution of images: outputs = f(sum of weights x window + bias), one image for each filter.

    weights: shape (filters, channels x size x size), bias (filters,). As everywhere in learning this is a
    correlation: filters are not turned round.

    windows: size, stride and padding.  activation: function of each unit.
    """

    windows: Windows
    filters: int
    activation: Activation

    @property
    def inputs(self) -> int:
        """Number of pixels of all channels."""
        return self.windows.channels * self.windows.height * self.windows.width

    @property
    def outputs(self) -> int:
        """Number of pixels of all filtered images."""
        return self.filters * self.windows.rows * self.windows.columns

    @property
    def weights_shape(self) -> tuple[int, int]:
        """Shape of the weights."""
        return self.filters, self.windows.channels * self.windows.size**2

    @property
    def patches(self) -> int:
        """Number of pixels of all windows of an image, each counted in every window that holds it."""
        return self.windows.rows * self.windows.columns * self.weights_shape[1]

    def initial(self, rng: np.random.Generator, dtype: DTypeLike = np.float64) -> Parameters:
        """Draw weights and biases uniformly from +-1/sqrt(weights a filter)."""
        return uniform(rng, self.weights_shape, dtype)

    def forward(
        self,
        parameters: Parameters,
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace of the layer for flat images x, shape (batch, inputs)."""
        view = self.windows.view(x).transpose(0, 2, 3, 1, 4, 5)
        patches = view.reshape(-1, self.weights_shape[1])  # copied once: one product then does all filters
        sums = patches @ parameters["weights"].T
        sums += parameters["bias"]
        pre = np.ascontiguousarray(sums.reshape(len(x), -1, self.filters).swapaxes(1, 2)).reshape(len(x), -1)
        return Trace(x, pre, self.activation.value(pre), patches)

    def derivative(self, trace: Trace) -> RealArray:
        """Return the activation's derivative at each pixel, shape (batch, outputs)."""
        return self.activation.derivative(trace.pre, trace.outputs)

    def gradient(self, trace: Trace, delta: RealArray, samples: int) -> Parameters:
        """Return the mean of dL/dweights and dL/dbias from each sample's dL/dpre, shape (batch, outputs)."""
        share = self._by_place(delta) / samples
        return {"weights": share.T @ trace.memo, "bias": share.sum(axis=0)}

    def back(
        self,
        parameters: Parameters,
        trace: Trace,  # noqa: ARG002 - part of the protocol
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, shape (batch, inputs)."""
        own = self.windows
        patches = self._by_place(delta) @ parameters["weights"]
        shape = (len(delta), own.rows, own.columns, own.channels, own.size, own.size)
        return own.add_up(patches.reshape(shape).transpose(0, 3, 1, 2, 4, 5))

    def _by_place(self, images: RealArray) -> RealArray:
        """Return flat filtered images with one row a window and one column a filter."""
        return images.reshape(len(images), self.filters, -1).swapaxes(1, 2).reshape(-1, self.filters)


@public
@dataclass(frozen=True)
class Pooling(Weightless):
    """Pooling of images: the largest or the mean pixel of every window, channel by channel.

    windows: size and stride.  kind: "max" or "mean".
    """

    windows: Windows
    kind: Literal["max", "mean"] = "max"

    def __post_init__(self) -> None:
        """Raise ParameterError for an unknown kind, and for a rim, whose zeros would count as pixels."""
        if self.kind not in {"max", "mean"}:
            message = f"kind must be 'max' or 'mean', got {self.kind!r}."
            raise ParameterError(message)
        if self.windows.padding:
            message = f"Pooling takes no rim, got padding {self.windows.padding}."
            raise ParameterError(message)

    @property
    def inputs(self) -> int:
        """Number of pixels of all channels."""
        return self.windows.channels * self.windows.height * self.windows.width

    @property
    def outputs(self) -> int:
        """Number of windows of all channels."""
        return self.windows.channels * self.windows.rows * self.windows.columns

    def forward(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        x: RealArray,
        rng: Randomness = None,  # noqa: ARG002 - part of the protocol
    ) -> Trace:
        """Return the trace of the layer for flat images x, shape (batch, inputs)."""
        windows = self.windows.view(x)
        flat = windows.reshape(*windows.shape[:4], -1)
        if self.kind == "mean":
            out = flat.mean(axis=-1).reshape(len(x), -1)
            return Trace(x, out, out)
        place = flat.argmax(axis=-1)
        out = np.take_along_axis(flat, place[..., np.newaxis], axis=-1).reshape(len(x), -1)
        return Trace(x, out, out, place)

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs (batch, inputs): all to the largest pixel, or equal parts."""
        own = self.windows
        share = delta.reshape(len(delta), own.channels, own.rows, own.columns, 1)
        pixels = np.arange(own.size**2)
        if trace.memo is None:
            windows = np.broadcast_to(share / pixels.size, (*share.shape[:4], pixels.size))
        else:
            windows = share * (trace.memo[..., np.newaxis] == pixels)
        return own.add_up(windows.reshape(*share.shape[:4], own.size, own.size))

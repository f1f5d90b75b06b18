"""Forward passes of a batch, the input of learning rules, and the steps that rules are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from photosim.errors import PhotosimError
from photosim.training.arrays import RealArray, TargetArray
from photosim.training.layers import Block, Dense, Network, Parameters, Trace
from photosim.training.losses import CLASSIFICATION, Objective

Updates = list[Parameters | None]
"""For every layer the direction of steepest ascent that a rule proposes, or None to leave the layer alone."""


@dataclass(frozen=True)
class ForwardPass:
    """A forward pass of a batch, with the error at the outputs: the input of a learning rule.

    traces: inputs, outputs and intermediate values of each layer.  error: derivative of each sample's own
    loss with respect to the outputs, shape (batch, outputs).  targets: targets of the batch.  late: whether
    updates of dense layers are formed when they are read, as the training loop wants: its optimiser forms
    and drops one after the other.
    """

    network: Network
    parameters: list[Parameters]
    traces: list[Trace]
    error: RealArray
    targets: TargetArray
    objective: Objective = CLASSIFICATION
    late: bool = False

    def again(self, x: RealArray) -> ForwardPass:
        """Return the forward pass of other inputs x (batch, features), with the same targets and dropout."""
        return run(self.network, self.parameters, x, self.targets, self.objective, self.traces)[0]

    @property
    def inputs(self) -> RealArray:
        """Inputs of the network, shape (batch, features)."""
        return self.traces[0].inputs

    @property
    def output_delta(self) -> RealArray:
        """Derivative of the loss before the activation of the last layer, shape (batch, outputs)."""
        return self.delta(self.network.blocks[-1], self.error)

    def derivative(self, block: Block) -> RealArray:
        """Return the derivative of the activation of a block's learning layer, shape (batch, units)."""
        return self.network.layers[block.first].derivative(self.traces[block.first])

    def delta(self, block: Block, signal: RealArray) -> RealArray:
        """Return dL/d(pre-activation) of a block's learning layer from dL/d(outputs of the block).

        The layers in between have no weights, so the result is local to the block.
        """
        for index in range(block.last, block.first, -1):
            signal = self.network.layers[index].back({}, self.traces[index], signal)
        return np.asarray(signal * self.derivative(block))

    def back(self, block: Block, delta: RealArray, weights: RealArray | None = None) -> RealArray:
        """Return dL/d(inputs) of a block (batch, inputs) from dL/d(pre-activation) of its learning layer.

        weights: matrix that is used in place of the layer's weights.
        """
        own = self.parameters[block.first]
        if weights is not None:
            own = {**own, "weights": weights}
        return self.network.layers[block.first].back(own, self.traces[block.first], delta)

    def updates(self, deltas: Sequence[RealArray | None]) -> Updates:
        """Return the mean update of each layer from dL/d(pre-activation) of each block; None without one."""
        samples = self.objective.count(self.targets)
        found: Updates = [None] * len(self.network.layers)
        for block, delta in zip(self.network.blocks, deltas, strict=True):
            if delta is not None:
                layer, trace = self.network.layers[block.first], self.traces[block.first]
                late = self.late and isinstance(layer, Dense) and type(layer).gradient is Dense.gradient
                form: Any = layer.products if late else layer.gradient  # type: ignore[attr-defined]
                found[block.first] = form(trace, delta, samples)
        return found


def run(
    network: Network,
    parameters: list[Parameters],
    x: RealArray,
    targets: TargetArray,
    objective: Objective = CLASSIFICATION,
    rng: np.random.Generator | list[Trace] | None = None,
) -> tuple[ForwardPass, float]:
    """Return the forward pass of a batch x (batch, features), and its mean loss.

    rng: generator of dropout; None for no dropout, as in `Network.forward`.
    """
    traces = network.forward(parameters, x, rng)
    loss, error = objective.loss(traces[-1].outputs, targets)
    return ForwardPass(network, parameters, traces, error, targets, objective), loss


def all_finite(parameters: list[Parameters]) -> bool:
    """Return whether all parameters are finite numbers."""
    return all(bool(np.isfinite(value).all()) for own in parameters for value in own.values())


def learn(
    network: Network,
    parameters: list[Parameters],
    batch: tuple[RealArray, TargetArray],
    objective: Objective,
    rng: np.random.Generator,
    propose: Callable[[ForwardPass], Updates],
) -> tuple[float, Updates]:
    """Return a batch's mean loss and the updates that a rule proposes; nan where a run has diverged.

    Devices are not given what is not a number, and what one says of weights beyond all bounds is not the
    reason why a run ends.
    """
    lost: tuple[float, Updates] = (float("nan"), [None] * len(parameters))
    try:
        forward, loss = run(network, parameters, *batch, objective, rng)
        if not (np.isfinite(loss) and np.isfinite(forward.error).all()):
            return lost
        return loss, propose(forward)
    except PhotosimError:
        if _overflows(parameters):
            return lost
        raise


def _overflows(parameters: list[Parameters]) -> bool:
    """Return whether a product of two parameters may be larger than any number: a run has diverged."""
    return any(
        not np.all(np.abs(value) < float(np.finfo(value.dtype).max) ** 0.5)
        for own in parameters
        for value in own.values()
    )

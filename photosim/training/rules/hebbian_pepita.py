"""PEPITA as two Hebbian steps, one for each pass (srinivasan2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Parameters
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.modulation import (
    answers,
    input_feedback,
    outputs_of,
    second_pass,
    wanted,
    warn_if_silent,
)
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class HebbianPepita:
    """Hebbian PEPITA: W_l moves along -h_l h_(l-1)^T of the first pass and h_l' h_(l-1)'^T of the second.

    h_l are a layer's outputs, with a prime in the second pass of the inputs x' = x + sign F e. In the last
    layer the two products are p h^T and T h'^T: probabilities of the first pass, labels in the second, so
    that a second pass without a change of the input leaves the delta rule. learning_rate: None to use the
    same weights in both passes; a number makes the rule local in time: the first pass's half is learnt at
    this rate before the second pass begins, as a chip would do. It must be the optimiser's own, and is exact
    for SGD without momentum. normalised: in the products, each sample's activities of a hidden layer are
    divided by their length, which keeps the two halves from growing with them. (The public code's form of it
    was not read.)

    feedback: devices that carry the errors back.
    """

    feedback: tuple[Device, ...]
    learning_rate: float | None = None
    normalised: bool = False
    sign: float = 1.0
    sources: ClassVar[tuple[str, ...]] = ("srinivasan2023",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.INPUT_FEEDBACK, Need.SECOND_FORWARD})

    def __post_init__(self) -> None:
        """Raise ParameterError for a learning rate that is not positive."""
        if self.learning_rate is not None and not 0.0 < self.learning_rate < np.inf:
            message = (
                f"learning_rate must be positive where a rule is local in time, got {self.learning_rate!r}."
            )
            raise ParameterError(message)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless there is one device of F's shape."""
        device = input_feedback("Hebbian PEPITA", self.feedback)
        warn_if_silent("Hebbian PEPITA", forward)
        first = self._half(forward, answers(forward))
        held = forward
        if self.learning_rate is not None:
            parameters = zip(forward.parameters, first, strict=True)
            held = replace(
                forward, parameters=[_moved(own, step, self.learning_rate) for own, step in parameters]
            )
        second = self._half(second_pass(held, device, self.sign), wanted(forward))
        return [one and _moved(one, other, 1.0) for one, other in zip(first, second, strict=True)]

    def _half(self, forward: ForwardPass, last: RealArray) -> Updates:
        """Return the batch mean of outputs times inputs of each layer; `last` replaces the last outputs."""
        outputs = [outputs_of(forward, block) for block in forward.network.hidden]
        if self.normalised:
            outputs = [_of_length_1(own) for own in outputs]
            traces = list(forward.traces)
            for block in forward.network.blocks[1:]:
                trace = traces[block.first]
                traces[block.first] = replace(trace, inputs=_of_length_1(trace.inputs))
            forward = replace(forward, traces=traces)
        return forward.updates([*outputs, last])


def _moved(own: Parameters, step: Parameters | None, learning_rate: float) -> Parameters:
    """Return the parameters after one step of gradient descent; layers that do not learn have none."""
    return {name: value - learning_rate * (step or {})[name] for name, value in own.items()}


def _of_length_1(x: RealArray) -> RealArray:
    """Return rows divided by their length; a row of zeros stays."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x / np.where(length > 0.0, length, 1.0), dtype=x.dtype)

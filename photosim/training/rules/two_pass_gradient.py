"""Two-pass forward propagation as its authors' public code trains: the gradient of the second pass's loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Parameters
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.backprop import sent_back
from photosim.training.rules.modulation import answers, input_feedback, second_pass
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class TwoPassGradient:
    """Gradient descent of the loss of f(x + F (T - p)), p the first pass's output and T the target.

    This is the method of the public code of ahmadnejad2024: backpropagation with inputs changed by the error.
    It is not a rule without a backward pass. The error enters F with the opposite sign of the paper's rule
    (labels minus probabilities). The gradient also flows through F and the first pass, because F e is part of
    the graph; `through_error=False` stops it there.

    feedback: devices for the products by F.
    """

    feedback: tuple[Device, ...]
    through_error: bool = True
    sources: ClassVar[tuple[str, ...]] = ("ahmadnejad2024",)
    needs: ClassVar[frozenset[Need]] = frozenset(
        {Need.INPUT_FEEDBACK, Need.SECOND_FORWARD, Need.TRANSPOSED_WEIGHTS, Need.LOCAL_DERIVATIVES}
    )

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the gradient of the second pass's mean loss for every layer."""
        device = input_feedback("The two-pass gradient", self.feedback)
        again = second_pass(forward, device, sign=-1.0)
        deltas = sent_back(again)
        updates = again.updates(deltas)
        if not self.through_error:
            return updates
        # x' = x - F p + F T: what the first pass, by its answer p, has done to the loss.
        matrix = device.matrix().astype(forward.error.dtype, copy=False)
        by_answer = -(_to_inputs(again, deltas[0]) @ matrix)
        early = forward.updates(sent_back(replace(forward, error=_by_outputs(forward, by_answer))))
        return [_sum(one, other) for one, other in zip(updates, early, strict=True)]


def _to_inputs(forward: ForwardPass, delta: RealArray) -> RealArray:
    """Return each sample's dL/dinputs of the network, (batch, inputs), from dL/dpre of its first block."""
    first = forward.network.blocks[0]
    signal = forward.back(first, delta)
    for index in range(first.first - 1, -1, -1):
        signal = forward.network.layers[index].back({}, forward.traces[index], signal)
    return signal


def _by_outputs(forward: ForwardPass, by_answer: RealArray) -> RealArray:
    """Return dL/doutputs from dL/danswer: through the softmax where the answers are probabilities."""
    if np.asarray(forward.targets).dtype.kind not in "iu":
        return by_answer
    p = answers(forward)
    return np.asarray(p * (by_answer - (p * by_answer).sum(axis=1, keepdims=True)))


def _sum(one: Parameters | None, other: Parameters | None) -> Parameters | None:
    return one and {name: value + (other or {})[name] for name, value in one.items()}

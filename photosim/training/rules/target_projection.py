"""Direct random target projection: the label instead of the error reaches the hidden layers (frenkel2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.training.devices.device import Device
from photosim.training.losses import softmax
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need, check_feedback, deliver


@public
@dataclass(frozen=True)
class TargetProjection:
    """Direct random target projection: delta_k = -(B_k y) * f'(a_k), y the one-hot label (frenkel2021).

    The label replaces the error: the error, probabilities minus y, is negative only in the entry of y, so
    that -y has the same signs there. Hidden layers can learn before the output is known. For classification
    only; the last layer gets the exact gradient.

    feedback: devices for the products by B_k.
    """

    feedback: tuple[Device, ...]
    sources: ClassVar[tuple[str, ...]] = ("frenkel2021",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.FEEDBACK, Need.CLASS_LABELS})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless each hidden layer has a device."""
        check_feedback("Direct random target projection", forward.network, self.feedback)
        # error = probabilities - labels, so this is the labels up to rounding.
        labels = np.rint(softmax(forward.traces[-1].outputs) - forward.error)
        deltas = [
            deliver(device, -labels, forward, block)
            for block, device in zip(forward.network.hidden, self.feedback, strict=True)
        ]
        return forward.updates([*deltas, forward.output_delta])

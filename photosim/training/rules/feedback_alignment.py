"""Feedback alignment: backpropagation with fixed random matrices on the way back (lillicrap2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.arguments import public
from photosim.training.devices.device import Device
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need, check_feedback, deliver


@public
@dataclass(frozen=True)
class FeedbackAlignment:
    """Feedback alignment: delta_k = (B_k delta_(k+1)) * f'(a_k), layer by layer (lillicrap2016).

    The device feedback[k] holds the fixed matrix B_k, shape (units of hidden layer k, units of layer k + 1),
    in place of the transposed weights. The last layer gets the exact gradient.
    """

    feedback: tuple[Device, ...]
    sources: ClassVar[tuple[str, ...]] = ("lillicrap2016",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.LAYERED_FEEDBACK})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless each hidden layer has a device."""
        check_feedback("Feedback alignment", forward.network, self.feedback)
        deltas = [forward.output_delta]
        for block, device in zip(forward.network.hidden[::-1], self.feedback[::-1], strict=True):
            deltas.append(deliver(device, deltas[-1], forward, block))
        return forward.updates(deltas[::-1])

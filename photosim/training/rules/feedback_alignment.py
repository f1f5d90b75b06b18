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
    """delta_k = (B_k delta_(k+1)) * f'(a_k): layer by layer, B_k in place of the transposed weights.

    feedback[k] holds B_k, shape (units of hidden layer k, units of layer k + 1). The last layer is exact.
    """

    feedback: tuple[Device, ...]
    sources: ClassVar[tuple[str, ...]] = ("lillicrap2016",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.LAYERED_FEEDBACK})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the updates of all layers; ParameterError unless each hidden layer has its device."""
        check_feedback("Feedback alignment", forward.network, self.feedback)
        deltas = [forward.output_delta]
        for block, device in zip(forward.network.hidden[::-1], self.feedback[::-1], strict=True):
            deltas.append(deliver(device, deltas[-1], forward, block))
        return forward.updates(deltas[::-1])

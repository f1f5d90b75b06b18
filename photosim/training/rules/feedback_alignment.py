"""Feedback alignment: backpropagation with fixed random matrices on the way back (lillicrap2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Network, Parameters, Trace
from photosim.training.rules.rule import Need, Updates, check_feedback


@dataclass(frozen=True)
class FeedbackAlignment:
    """delta_k = (B_k delta_(k+1)) * f'(a_k): layer by layer, B_k in place of the transposed weights.

    feedback[k] holds B_k, shape (units of hidden layer k, units of layer k + 1). The last layer is exact.
    """

    feedback: tuple[Device, ...]
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_SLOPES, Need.LAYERED_FEEDBACK})

    def updates(
        self,
        network: Network,
        parameters: list[Parameters],  # noqa: ARG002 - part of the protocol: the way back never looks at them
        traces: list[Trace],
        error: RealArray,
    ) -> Updates:
        """Return the updates of all layers; ParameterError unless each hidden layer has its device."""
        check_feedback("Feedback alignment", network, self.feedback)
        delta = error * network.layers[-1].slope(traces[-1])
        updates: Updates = [network.layers[-1].gradient(traces[-1], delta)]
        for layer, trace, device in zip(
            network.hidden[::-1], traces[-2::-1], self.feedback[::-1], strict=True
        ):
            delta = device.apply(delta, gain=layer.slope(trace)).astype(trace.pre.dtype, copy=False)
            updates.append(layer.gradient(trace, delta))
        return updates[::-1]

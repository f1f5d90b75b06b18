"""Direct random target projection: the label instead of the error reaches the hidden layers (frenkel2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Network, Parameters, Trace
from photosim.training.losses import softmax
from photosim.training.rules.frozen import output_update
from photosim.training.rules.rule import Need, Updates, check_feedback


@dataclass(frozen=True)
class TargetProjection:
    """delta_k = -(B_k y) * f'(a_k) with y the one-hot label: of the error only signs are kept.

    The error is probabilities minus y; y's entry alone is negative, and -y stands for it. Hidden layers could
    learn before the output is known. Classification only; the last layer is exact.
    """

    feedback: tuple[Device, ...]
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_SLOPES, Need.FEEDBACK})

    def updates(
        self,
        network: Network,
        parameters: list[Parameters],  # noqa: ARG002 - part of the protocol
        traces: list[Trace],
        error: RealArray,
    ) -> Updates:
        """Return the updates of all layers; ParameterError unless each hidden layer has its device."""
        check_feedback("Direct random target projection", network, self.feedback)
        # error = probabilities - labels, so this is the labels up to rounding.
        labels = np.rint(softmax(traces[-1].outputs) - error)
        updates: Updates = []
        for layer, trace, device in zip(network.hidden, traces[:-1], self.feedback, strict=True):
            delta = device.apply(-labels, gain=layer.slope(trace)).astype(trace.pre.dtype, copy=False)
            updates.append(layer.gradient(trace, delta))
        return [*updates, output_update(network, traces, error)]

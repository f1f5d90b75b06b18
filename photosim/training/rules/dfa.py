"""Direct feedback alignment: the output error reaches each hidden layer by a random matrix (nokland2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers import Network, Parameters, Trace
from photosim.training.rules.frozen import output_update
from photosim.training.rules.rule import Need, Updates, check_feedback


@dataclass(frozen=True)
class DFA:
    """delta_k = (B_k e) * f'(a_k) for hidden layer k, B_k held by `feedback[k]`; the last layer is exact.

    The device forms the product and applies the slope as its amplifiers' gain, as filipovich2022 do: an exact
    device gives the textbook rule, a physical one its own errors.
    """

    feedback: tuple[Device, ...]
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_SLOPES, Need.FEEDBACK})

    def updates(
        self,
        network: Network,
        parameters: list[Parameters],  # noqa: ARG002 - part of the protocol: DFA never looks at later weights
        traces: list[Trace],
        error: RealArray,
    ) -> Updates:
        """Return the updates of all layers; ParameterError unless each hidden layer has its device."""
        check_feedback("DFA", network, self.feedback)
        updates: Updates = []
        for layer, trace, device in zip(network.hidden, traces[:-1], self.feedback, strict=True):
            delta = device.apply(error, gain=layer.slope(trace)).astype(trace.pre.dtype, copy=False)
            updates.append(layer.gradient(trace, delta))
        return [*updates, output_update(network, traces, error)]

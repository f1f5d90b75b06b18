"""Backpropagation: the exact gradient (rumelhart1986)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.training.arrays import RealArray
from photosim.training.layers import Network, Parameters, Trace
from photosim.training.rules.rule import Need, Updates


@dataclass(frozen=True)
class Backprop:
    """Send the error back through the transposed weights, layer by layer."""

    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRANSPOSED_WEIGHTS, Need.LOCAL_SLOPES})

    def updates(
        self, network: Network, parameters: list[Parameters], traces: list[Trace], error: RealArray
    ) -> Updates:
        """Return the gradient of the mean loss for every layer."""
        updates: Updates = []
        signal = error
        for index in reversed(range(len(network.layers))):
            layer = network.layers[index]
            delta = signal * layer.slope(traces[index])
            updates.append(layer.gradient(traces[index], delta))
            if index:
                signal = layer.back(parameters[index], delta)
        return updates[::-1]

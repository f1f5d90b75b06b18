"""Hidden layers left as drawn: the floor that any rule for them must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.training.arrays import RealArray
from photosim.training.layers import Network, Parameters, Trace
from photosim.training.rules.rule import Need, Updates


@dataclass(frozen=True)
class FrozenHidden:
    """Train the last layer only, on the random features of the others."""

    needs: ClassVar[frozenset[Need]] = frozenset()

    def updates(
        self,
        network: Network,
        parameters: list[Parameters],  # noqa: ARG002 - part of the protocol
        traces: list[Trace],
        error: RealArray,
    ) -> Updates:
        """Return the last layer's exact gradient and None for every hidden layer."""
        return [*(None for _ in network.hidden), output_update(network, traces, error)]


def output_update(network: Network, traces: list[Trace], error: RealArray) -> Parameters:
    """Return the last layer's gradient, which needs no way back: every rule here shares it."""
    layer, trace = network.layers[-1], traces[-1]
    return layer.gradient(trace, error * layer.slope(trace))

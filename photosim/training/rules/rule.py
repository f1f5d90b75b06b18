"""What a learning rule is."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from photosim.training.arrays import RealArray
from photosim.training.layers import Network, Parameters, Trace

Updates = list[Parameters | None]
"""For every layer the direction of steepest ascent that a rule proposes, or None to leave the layer alone."""


class Need(Enum):
    """What a rule asks of the machine that runs it, beside the forward pass and the output error."""

    TRANSPOSED_WEIGHTS = "the transposed weights of later layers"
    LOCAL_SLOPES = "the local derivatives of the hidden layers"
    FEEDBACK = "one feedback device for each hidden layer, from the output error to the layer's units"


class Rule(Protocol):
    """A rule says what it needs and turns one batch's error into updates; it changes nothing itself."""

    @property
    def needs(self) -> frozenset[Need]:
        """What the rule cannot do without."""

    def updates(
        self, network: Network, parameters: list[Parameters], traces: list[Trace], error: RealArray
    ) -> Updates:
        """Return the updates of all layers, averaged over the batch.

        traces: one for each layer, of the batch's forward pass.
        error: each sample's derivative of its loss with respect to the logits, shape (batch, classes).
        """

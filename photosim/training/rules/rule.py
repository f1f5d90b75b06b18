"""What a learning rule is."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.layers import Network, Parameters, Trace

if TYPE_CHECKING:
    from photosim.training.devices.device import Device

Updates = list[Parameters | None]
"""For every layer the direction of steepest ascent that a rule proposes, or None to leave the layer alone."""


class Need(Enum):
    """What a rule asks of the machine that runs it, beside the forward pass and the output error."""

    TRANSPOSED_WEIGHTS = "the transposed weights of later layers"
    LOCAL_SLOPES = "the local derivatives of the hidden layers"
    SIGNS_OF_WEIGHTS = "the signs of the weights of later layers"
    FEEDBACK = "one feedback device for each hidden layer, from the output error to the layer's units"
    LAYERED_FEEDBACK = "one feedback device for each hidden layer, from the next layer's error to its units"


class Rule(Protocol):
    """A rule says what it needs and turns one batch's error into updates; it changes nothing itself.

    What it must remember from batch to batch lies in a random generator `rng`, if it has one, and in those
    and the counters of its feedback devices: checkpoints keep them (photosim.training.checkpoint).
    """

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


def check_feedback(name: str, network: Network, feedback: tuple[Device, ...]) -> None:
    """Raise ParameterError unless a rule, called `name`, has one device for each hidden layer."""
    if len(feedback) != len(network.hidden):
        message = (
            f"{name} needs one feedback device for each of the {len(network.hidden)} hidden layers, "
            f"got {len(feedback)}."
        )
        raise ParameterError(message)

"""PEPITA: the error changes the input, and what changes in the second pass teaches (dellaferrera2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from photosim.arguments import public
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.devices.device import Device
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.modulation import (
    changes,
    input_feedback,
    second_pass,
    updates_of,
    warn_if_silent,
)
from photosim.training.rules.rule import Need

PASSES = ("second", "first")


@public
@dataclass(frozen=True)
class Pepita:
    """PEPITA, two forward passes: W_l moves along -(h_l - h_l') h_(l-1)'^T (dellaferrera2022).

    The last layer moves along -(p' - T) h_(L-1)'^T. Primes mark the second pass, of x + sign F e with e = p -
    T, probabilities minus labels of the first; `feedback[0]` holds F, shape (inputs, outputs). The last layer
    learns from the second pass's own error, which tells this from the paper's two-pass rule. Dropout leaves
    out the same units in both passes. presynaptic: the pass that the factor h_(l-1) comes from: "second" as
    published, "first" as in the variant "forward" of srinivasan2023. sign: -1 in that paper, where F stands
    for transposed weights. With SGD of momentum 0.9 this is the authors' code, v <- 0.9 v + learning_rate dW,
    while that is constant.
    """

    feedback: tuple[Device, ...]
    presynaptic: Literal["second", "first"] = "second"
    sign: float = 1.0
    sources: ClassVar[tuple[str, ...]] = ("dellaferrera2022",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.INPUT_FEEDBACK, Need.SECOND_FORWARD})

    def __post_init__(self) -> None:
        """Raise ParameterError for a pass that is neither "first" nor "second"."""
        if self.presynaptic not in PASSES:
            hint = did_you_mean(str(self.presynaptic), PASSES)
            message = f"presynaptic must be one of {listing(PASSES)}, got {self.presynaptic!r}.{hint}"
            raise ParameterError(message)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless there is one device of F's shape."""
        device = input_feedback("PEPITA", self.feedback)
        warn_if_silent("PEPITA", forward)
        again = second_pass(forward, device, self.sign)
        before = again if self.presynaptic == "second" else forward
        return updates_of(before, [*changes(forward, again), again.error])

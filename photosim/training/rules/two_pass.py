"""Two-pass forward propagation, the rule of the paper (ahmadnejad2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.arguments import public
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


@public
@dataclass(frozen=True)
class TwoPass:
    """Two-pass rule: W_l moves along -(X_l - Xe_l) Xe_(l-1)^T, with inputs Xe_0 = X_0 + F e (ahmadnejad2024).

    The last layer moves along -e Xe_(L-1)^T. X_l are a layer's outputs in the first pass, Xe_l those of the
    second, e = X_L - T the first pass's error with its sign (probabilities minus labels in classification); F
    is fixed noise that `feedback[0]` holds, shape (inputs, outputs). A bias is the weight of an input that is
    1 in both passes. Nothing is sent back and no derivative is requested: layers may have any nonlinearity,
    or be hardware that nobody can derive. The update was read in accounts of the paper, not in its text.
    """

    feedback: tuple[Device, ...]
    sources: ClassVar[tuple[str, ...]] = ("ahmadnejad2024",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.INPUT_FEEDBACK, Need.SECOND_FORWARD})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless there is one device of F's shape."""
        device = input_feedback("The two-pass rule", self.feedback)
        warn_if_silent("The two-pass rule", forward)
        again = second_pass(forward, device)
        return updates_of(again, [*changes(forward, again), forward.error])

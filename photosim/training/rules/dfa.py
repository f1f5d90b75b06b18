"""Direct feedback alignment: the output error reaches each hidden layer by a random matrix (nokland2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.arguments import public
from photosim.training.devices.device import Device
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need, check_feedback, deliver


@public
@dataclass(frozen=True)
class DFA:
    """Direct feedback alignment: delta_k = (B_k e) * f'(a_k) for hidden layer k (nokland2016).

    e is the output error and B_k a fixed random matrix, shape (units, outputs), that the device `feedback[k]`
    holds. The last layer gets the exact gradient. The device forms the product and applies the derivative as
    its amplifiers' gain, as filipovich2022 do: an exact device gives the textbook rule, a physical one its
    own errors.
    """

    feedback: tuple[Device, ...]
    sources: ClassVar[tuple[str, ...]] = ("nokland2016",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.FEEDBACK})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless each hidden layer has a device."""
        check_feedback("DFA", forward.network, self.feedback)
        deltas = [
            deliver(device, forward.error, forward, block)
            for block, device in zip(forward.network.hidden, self.feedback, strict=True)
        ]
        return forward.updates([*deltas, forward.output_delta])

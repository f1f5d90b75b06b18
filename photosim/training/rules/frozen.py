"""Hidden layers left as drawn: the floor that any rule for them must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.arguments import public
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class FrozenHidden:
    """A learning rule that trains the last layer only, on random features of the other layers."""

    needs: ClassVar[frozenset[Need]] = frozenset()

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the last layer's exact gradient, and None for every hidden layer."""
        return forward.updates([*(None for _ in forward.network.hidden), forward.output_delta])

"""Backpropagation: the exact gradient (rumelhart1986)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from photosim.arguments import public
from photosim.training.arrays import RealArray
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class Backprop:
    """Backpropagation: the error goes back through the transposed weights, layer by layer (rumelhart1986)."""

    sources: ClassVar[tuple[str, ...]] = ("rumelhart1986",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.TRANSPOSED_WEIGHTS, Need.LOCAL_DERIVATIVES})

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the gradient of the batch's mean loss, as `Rule.updates` returns updates."""
        return forward.updates(sent_back(forward))


def sent_back(forward: ForwardPass) -> list[RealArray]:
    """Return each sample's dL/dpre of every block, shape (batch, units of the block), first to last."""
    blocks = forward.network.blocks
    deltas = [forward.output_delta]
    for block, after in zip(blocks[-2::-1], blocks[:0:-1], strict=True):
        deltas.append(forward.delta(block, forward.back(after, deltas[-1])))
    return deltas[::-1]

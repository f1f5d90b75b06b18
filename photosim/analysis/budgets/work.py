"""What a circuit does: operations and bits in a cycle, and the work of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from photosim.arguments import public
from photosim.bounds import check_number


@public
@dataclass(frozen=True)
class Work:
    """Work of hardware and computer in a training by one rule, over all its seeds.

    cycles: presentations of an input vector to the hardware.  seconds: the time of those cycles.  updates:
    steps of the optimiser.  inferences: samples that went forward through the layers held by hardware; 0
    where none is.  forward_products: digital multiply-adds of one sample on its way forward.
    update_products: those of one update, with its forward passes.
    """

    name: str
    cycles: float
    seconds: float
    updates: float
    inferences: float
    forward_products: float
    update_products: float

    def __post_init__(self) -> None:
        """Raise ParameterError for counts below zero."""
        check_number(self, 0.0, cycles=self.cycles, seconds=self.seconds, inferences=self.inferences)
        check_number(self, 0.0, forward_products=self.forward_products)
        check_number(self, 0.0, update_products=self.update_products)
        check_number(self, 0.0, above=True, updates=self.updates)


class Training(Protocol):
    """The result of a training, which counts the work of hardware and computer."""

    def work(self) -> tuple[Work, ...]:
        """Return the work of every rule."""

"""What to show of a circuit, and how closely."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """What to show of a circuit.

    depth: how many levels of composites are open. expand: names of instances that are open beside these,
    "outer.inner" for one inside. fold: arrays of more equal instances than this are drawn once. detail: see
    `instances.box_of`. page: width in px. carried: most wires that lead from one band to the next.
    """

    depth: int = 0
    expand: tuple[str, ...] = ()
    fold: int = 8
    detail: int = 0
    page: float = 960.0
    carried: int = 6

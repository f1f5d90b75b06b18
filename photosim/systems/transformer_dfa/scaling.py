"""From what size of a network on optical feedback is the faster one: stated constants, nothing fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from photosim.analysis.result import Table

PUBLISHED = 2.7e9
"""Parameters from which optical feedback is faster, as accounts of wang2026 have it, with offloading."""
INPUTS, OUTPUTS, OPERATIONS = 1_039_680, 2_219_520, 1500e12
"""Mirrors and pixels of the co-processor, and the operations a second that its maker states (launay2020)."""


@dataclass(frozen=True)
class Costs:
    """What a step of T tokens takes: 6 P T operations by backpropagation, 4 P T by direct feedback.

    Direct feedback saves nothing but the way of the error back through the weights, 2 P T; derivatives by the
    weights, 2 P T, and the pass forward, 2 P T, remain. Placement: micro, so that no error goes through
    weights.

    flops: operations a second that the processor reaches; a third of the 312e12 of an A100 in bfloat16.
    frame_rate: of the optics, in Hz.  frames: of a projection: two signs, times 2 phase steps or 1 for
    holography.  tiles: exposures for all outputs.  tokens: of a step.  projected: share of the tokens that
    are projected each by itself.  saved_bytes: of a parameter, moved from the computer's memory for the way
    back and not otherwise: 2 with offloading, 0 without.  bandwidth: of that memory in bytes a second, PCIe
    4.  overlap: share of the pass forward during which the optics work.
    """

    flops: float = 1.0e14
    frame_rate: float = 2000.0
    frames: int = 4
    tiles: int = 1
    tokens: float = 16_384.0
    projected: float = 1.0
    saved_bytes: float = 0.0
    bandwidth: float = 25e9
    overlap: float = 0.0

    def backprop(self, parameters: float) -> float:
        """Return the time of a step in s by backpropagation."""
        moved = self.saved_bytes * parameters / self.bandwidth
        return 6.0 * parameters * self.tokens / self.flops + moved

    def optics(self) -> float:
        """Return the time of the optics in a step, in s."""
        return self.frames * self.tiles * self.projected * self.tokens / self.frame_rate

    def feedback(self, parameters: float) -> float:
        """Return the time of a step in s by optical feedback; what is moved in both is left out of both."""
        hidden = self.overlap * 2.0 * parameters * self.tokens / self.flops
        return 4.0 * parameters * self.tokens / self.flops + max(0.0, self.optics() - hidden)

    def crossover(self) -> float:
        """Return the parameters from which optical feedback takes no longer."""
        each = 2.0 * (1.0 + self.overlap) * self.tokens / self.flops + self.saved_bytes / self.bandwidth
        return self.optics() / each


BASE = Costs()
OFFLOADED = replace(BASE, saved_bytes=2.0)


IMPLIED = OPERATIONS / (INPUTS * OUTPUTS)
"""Frames a second that the stated operations imply, if a multiply-add is one operation: 650."""


def table() -> Table:
    """Return the cross-over with and without offloading, and what each constant does to it."""
    lines = [
        ("no offloading, phase stepping", BASE),
        ("no offloading, holography (2 frames)", replace(BASE, frames=2)),
        ("offloading", OFFLOADED),
        ("offloading, steps of 1,024 tokens", replace(OFFLOADED, tokens=1024.0)),
        ("a processor three times as fast", replace(BASE, flops=3e14)),
        (f"{IMPLIED:.0f} frames a second, as 1500 TeraOPS imply", replace(BASE, frame_rate=IMPLIED)),
        (f"{IMPLIED / 2:.0f}, if a multiply-add is two", replace(BASE, frame_rate=IMPLIED / 2.0)),
        ("20,000 frames a second", replace(BASE, frame_rate=20_000.0)),
        ("optics at work during the pass forward", replace(BASE, overlap=1.0)),
        ("one projection for 64 tokens", replace(BASE, projected=1.0 / 64.0)),
        ("10 exposures for all outputs", replace(BASE, tiles=10)),
    ]
    rows = tuple(
        (label, f"{own.crossover():.1e}", f"{own.crossover() / PUBLISHED:.2g}", f"{own.optics():.3g}")
        for label, own in lines
    )
    columns = ("constants", "parameters at the cross-over", "times the published 2.7e9", "optics, s a step")
    return Table("Scaling: where optical feedback begins to win", columns, rows)

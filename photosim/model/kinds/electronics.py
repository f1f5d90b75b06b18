"""Parts of the electronics: what a signal meets between detector and computer, and back to a modulator.

Electrical ports carry signals one way, in A or V; nothing here is a network of impedances.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from photosim.model.kinds.base import Model


@dataclass(frozen=True)
class Stage:
    """What one part does to the signal that passes it, in this order.

    gain: output per input, in the units of the two.  noise_density: noise that it adds, referred to its
    input, one-sided, in input units per sqrt(Hz).  bandwidth: half-power frequency in Hz of its low-pass.
    jitter: rms error in s of the instant at which it looks.  low, high: range of the output; beyond it the
    output stays at the end of the range.  bits: number of bits of a converter, whose 2**bits codes span the
    range, both ends included; None is continuous.  level: what a part without input puts out, before its
    range.  virtual_ground: takes a current in place of a load, and of the load's noise.
    """

    gain: float = 1.0
    noise_density: float = 0.0
    bandwidth: float = inf
    jitter: float = 0.0
    low: float = -inf
    high: float = inf
    bits: int | None = None
    level: float = 0.0
    virtual_ground: bool = False

    @property
    def step(self) -> float:
        """Distance of neighbouring codes; 0 for a continuous output."""
        return 0.0 if self.bits is None else (self.high - self.low) / (2**self.bits - 1)


@dataclass(frozen=True, eq=False)
class Electronic(Model):
    """A part with electrical ports only: its function returns the Stage that a signal passes."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    """Unit of the signal at each port."""

    kind = "electronic"

    def electrical_unit(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return the unit of the signal at a port."""
        del settings
        return self.units.get(port, "V")

    def stage(self, **settings: Any) -> Stage:
        """Return what the part does at these settings; raises ParameterError for a wrong one."""
        return self.function(**self.full(settings))  # type: ignore[no-any-return]

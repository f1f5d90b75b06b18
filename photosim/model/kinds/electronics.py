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
class Equaliser:
    """What an equaliser does: the sum of its signal weighed at `taps`, each a symbol older than the last.

    The first tap weighs the newest symbol and `main` is the number of the largest one.  adaptation: "fixed";
    "least_squares", taps of sum 1 of the least error over the record; "lms", taps that follow the error of
    each symbol by `step` of it. Both hold symbols against the nearest of `levels` levels.
    """

    taps: tuple[float, ...]
    main: int
    symbol_rate: float
    adaptation: str = "fixed"
    step: float = 0.0
    levels: int = 2


@dataclass(frozen=True)
class ClockRecovery:
    """What a clock recovery does: look once a symbol, at instants that follow the signal, and hold the value.

    bandwidth: frequency in Hz at which half the power of a jitter is followed.  damping: of its loop.
    """

    symbol_rate: float
    bandwidth: float
    damping: float


@dataclass(frozen=True)
class Stage:
    """What one part does to the signal that passes it, in this order.

    gain: output per input, in the units of the two.  noise_density: noise that it adds, referred to its
    input, one-sided, in input units per sqrt(Hz).  bandwidth: half-power frequency in Hz of its low-pass.
    jitter: rms error in s of the instant at which it looks.  low, high: range of the output; beyond it the
    output stays at the end of the range.  bits: number of bits of a converter, whose 2**bits codes span the
    range, both ends included; None is continuous.  level: what a part without input puts out, before its
    range.  virtual_ground: takes a current in place of a load, and of the load's noise.  work: what it does
    symbol by symbol behind its low-pass, which the time domain alone follows.
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
    work: Equaliser | ClockRecovery | None = None

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

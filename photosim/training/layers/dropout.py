"""Dropout: units left out at random while training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_whole, is_number
from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.training.arrays import RealArray
from photosim.training.layers.layer import Parameters, Randomness, Trace, UnitWise


@public
@dataclass(frozen=True)
class Dropout(UnitWise):
    """A dropout layer: each unit is 0 with probability `share` in training, else divided by 1 - share.

    Without a generator (inference), all units pass unchanged (srivastava2014).
    """

    share: float

    def __post_init__(self) -> None:
        """Raise ParameterError for a share that is not a probability below 1."""
        check_whole(self, 1, units=self.units)
        if not (is_number(self.share) and 0.0 <= self.share < 1.0):
            message = f"share must be from 0 to below 1, got {shown(self.share)}."
            raise ParameterError(message)

    def forward(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        x: RealArray,
        rng: Randomness = None,
    ) -> Trace:
        """Return the trace for x, shape (batch, units), with random units set to 0 by `rng`."""
        if isinstance(rng, Trace):
            factors = rng.memo
        elif rng is None:
            factors = None
        else:
            kept = rng.random(x.shape, dtype=np.float32) >= self.share
            factors = (kept / (1.0 - self.share)).astype(x.dtype)
        out = x if factors is None else x * factors
        return Trace(x, out, out, factors)

    def back(
        self,
        parameters: Parameters,  # noqa: ARG002 - part of the protocol
        trace: Trace,
        delta: RealArray,
    ) -> RealArray:
        """Return each sample's dL/dinputs, (batch, units); it is 0 for units that were dropped."""
        return delta if trace.memo is None else np.asarray(delta * trace.memo)

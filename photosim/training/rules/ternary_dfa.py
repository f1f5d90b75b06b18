"""Direct feedback alignment with an error of three levels, which mirrors can show (launay2020)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number, is_number
from photosim.errors import ParameterError, PhotosimWarning
from photosim.reals import shown
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need, check_feedback, deliver

SMALL = 0.5
"""Positive errors below this are small: the class is wrong, and not thought likely."""
MOST = 0.5
"""Share of the small errors above the threshold from which the rule warns."""


@public
@dataclass(frozen=True)
class TernaryDFA:
    """Direct feedback alignment of a ternary error: delta_k = gain * (B_k t) * f'(a_k), t of -1, 0 and 1.

    t is 1 where the error exceeds `threshold`, -1 where it is below -`threshold`, and 0 elsewhere
    (launay2020). The threshold applies to each sample's own error, probabilities minus labels. If it is too
    low, most wrong classes of an untrained network become +1, and t contains little more than the right
    class; such a batch gives a PhotosimWarning. The last layer learns from the exact error.

    feedback: devices for the products by B_k.
    """

    feedback: tuple[Device, ...]
    threshold: float = 0.25
    gain: float = 1.0
    sources: ClassVar[tuple[str, ...]] = ("launay2020",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.FEEDBACK, Need.CLASS_LABELS})

    def __post_init__(self) -> None:
        if not (is_number(self.threshold) and 0.0 <= self.threshold < 1.0):
            message = (
                f"The threshold of a ternary error must be from 0 to below 1, got {shown(self.threshold)}."
            )
            raise ParameterError(message)
        check_number(self, gain=self.gain)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError unless each hidden layer has a device."""
        check_feedback("Ternary DFA", forward.network, self.feedback)
        self._warn(forward.error)
        levels = ternarise(forward.error, self.threshold)
        deltas = [
            deliver(device, levels, forward, block, self.gain)
            for block, device in zip(forward.network.hidden, self.feedback, strict=True)
        ]
        return forward.updates([*deltas, forward.output_delta])

    def _warn(self, error: RealArray) -> None:
        small = (error > 0.0) & (error < SMALL)
        count = int(np.count_nonzero(small))
        raised = int(np.count_nonzero(small & (error > self.threshold)))
        # The text is the same every time, so that Python shows it once and not for every batch.
        if raised > MOST * count:
            message = (
                f"The threshold {self.threshold:g} turns most of a batch's small errors to +1, "
                "where 0 would be nearer: a larger one, such as "
                f"{max(2 * self.threshold, 0.25):g}, may learn better."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=3)


def ternarise(error: RealArray, threshold: float) -> RealArray:
    """Return +1 where error > threshold, -1 where error < -threshold, else 0, in the error's type."""
    return np.asarray(np.sign(error) * (np.abs(error) > threshold), dtype=error.dtype)


def ternarise_at_random(error: RealArray, rng: np.random.Generator) -> RealArray:
    """Return -1, 0 or 1 for errors from -1 to 1 by chance, right on average, in the error's type."""
    return np.sign(error) * (rng.random(error.shape, dtype=np.float32) < np.abs(error))

"""The instants of a simulation in time, and waveforms sampled at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.timedomain.band import LEAD
from photosim.timedomain.waveforms import as_waveform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MOST_AHEAD = 1 << 15
"""Most samples that are computed beyond the end."""
EARLIER = 1 << 12
"""Samples computed before time 0 where light turns beside its carrier."""


@dataclass(frozen=True)
class Timeline:
    """Samples of a run: `warm` of them before time 0, `samples` that are handed back, and `ahead` behind.

    A band has no edge that is sharp in time: what happens at one sample acts LEAD samples before it, so a run
    goes on beyond its end by that much for every island that light passes one after the other.
    """

    sample_rate: float
    samples: int
    warm: int = 0
    ahead: int = 0

    @staticmethod
    def of(sample_rate: float, samples: int, warm: int, islands: int) -> Timeline:
        """Return the timeline of a circuit that light passes in so many islands, rounded up."""
        return Timeline(sample_rate, samples, warm, min(8 * LEAD * (1 + islands // 8), MOST_AHEAD))

    @property
    def total(self) -> int:
        """Number of all samples."""
        return self.warm + self.samples + self.ahead

    @property
    def kept(self) -> slice:
        """Samples that are handed back."""
        return slice(self.warm, self.warm + self.samples)

    @cached_property
    def time(self) -> FloatArray:
        """Return all instants in s, (T,)."""
        return np.asarray((np.arange(self.total) - self.warm) / self.sample_rate)

    def earlier(self, values: Mapping[str, FloatArray]) -> tuple[Timeline, dict[str, FloatArray]]:
        """Return a timeline that begins EARLIER samples before, and settings (T,) held over them."""
        held = {name: np.concatenate([np.full(EARLIER, v[0]), v]) for name, v in values.items()}
        return replace(self, warm=self.warm + EARLIER), held

    def sampled(
        self,
        value: Any,
        what: str,
        *,
        behind: float | None = None,
        shaped: Callable[[FloatArray], FloatArray] | None = None,
    ) -> FloatArray:
        """Return a waveform at all samples (T,), held at its first value before time 0.

        behind: bandwidth in Hz of a first-order low-pass behind it.  shaped: what is carried instead of the
        values, such as their square root. Raises ParameterError for content that the sample rate cannot
        carry; `what` is its subject.
        """
        wave = as_waveform(value)
        values = wave.sample(
            self.time[self.warm :], ahead=self.ahead, behind=behind, shaped=shaped, what=what
        )
        return np.concatenate([np.full(self.warm, values[0]), values])

    def held(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return given samples (samples,) at all instants: held before time 0, carried on smoothly behind."""
        return np.concatenate(
            [np.full(self.warm, values[0], values.dtype), values, onward(values, self.ahead)]
        )


def onward(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Return `count` samples after the given ones (T,), of the same value and slope at the joint.

    They are the last ones mirrored in the last; real ones stay within the range that the signal has.
    """
    if not count or values.size == 1:
        return np.full(count, values[-1], values.dtype)
    back = 2 * values[-1] - values[-2 : -2 - min(count, values.size - 1) : -1]
    if not np.iscomplexobj(values):
        back = np.clip(back, values.min(), values.max())
    return np.concatenate([back, np.full(count - back.size, back[-1])])

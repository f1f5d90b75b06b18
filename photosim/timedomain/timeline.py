"""The instants of a simulation in time, and waveforms sampled at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.timedomain.band import LEAD, roll_off
from photosim.timedomain.content import moves
from photosim.timedomain.waveforms import as_waveform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

KNOWN, ORDER = 1 << 10, 32
"""Last samples of a list that foretell what follows, and weights of the prediction."""
MOST_AHEAD = 1 << 15
"""Most samples that are computed beyond the end."""
EARLIER = 1 << 12
"""Samples computed before time 0 where light turns beside its carrier."""


@dataclass(frozen=True)
class Timeline:
    """Samples of a run: `warm` of them before time 0, `samples` that are handed back, and `ahead` behind.

    begin: number of the first sample that is handed back, for a stretch of a longer run. A band has no edge
    that is sharp in time: what happens at one sample acts LEAD samples before it, so a run goes on beyond its
    end by that much for every island that light passes one after the other.
    """

    sample_rate: float
    samples: int
    warm: int = 0
    ahead: int = 0
    begin: int = 0

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
        first = self.begin - self.warm
        found = np.arange(first, first + self.total, dtype=np.float64)
        found /= self.sample_rate
        return found

    def earlier(
        self, values: Mapping[str, FloatArray], samples: int = EARLIER
    ) -> tuple[Timeline, dict[str, FloatArray]]:
        """Return a timeline that begins some samples before, and settings (T,) held over them."""
        held = {name: np.concatenate([np.full(samples, v[0]), v]) for name, v in values.items()}
        return replace(self, warm=self.warm + samples), held

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
            self.time[self.warm :],
            ahead=self.ahead, rate=self.sample_rate, behind=behind, shaped=shaped, what=what,
        )  # fmt: skip
        return np.concatenate([np.full(self.warm, values[0]), values])

    def held(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return given samples (samples,) at all instants: held before time 0, carried on smoothly behind."""
        return np.concatenate(
            [np.full(self.warm, values[0], values.dtype), values, onward(values, self.ahead)]
        )


def onward(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Return `count` samples after the given ones (T,), as the last ones foretell them.

    They follow Burg's linear prediction, which is exact for tones and close for whatever is slow against the
    clock. Real ones stay within the range that the signal has.
    """
    if not count or values.size == 1:
        return np.full(count, values[-1], values.dtype)
    last = values[-KNOWN:]
    level = 0.0 if np.iscomplexobj(values) else last.mean()
    weights = _prediction(last - level)
    order = weights.size
    signal = np.concatenate([last[last.size - order :] - level, np.zeros(count, values.dtype)])
    for k in range(count):
        signal[order + k] = weights @ signal[k : order + k][::-1]
    found = signal[order:] + level
    return found if np.iscomplexobj(values) else np.clip(found, values.min(), values.max())


def unknown(values: NDArray[Any]) -> float:
    """Return how wrong the last samples (T,) of a list are, relative to its largest, behind a band.

    The last LEAD samples are predicted from those before, and the band's own pulse says what an error of one
    sample does to the one in front of it.
    """
    if values.size < 4 * LEAD or not moves(values):
        return 0.0
    wrong = np.abs(onward(values[:-LEAD], LEAD) - values[-LEAD:])
    return float(_ringing() @ wrong / np.abs(values).max())


def _prediction(x: NDArray[Any]) -> NDArray[Any]:
    """Return the weights (K,) of the last samples of x (T,), newest first, in the next one: Burg's."""
    ahead, back = x[1:].copy(), x[:-1].copy()
    found = np.ones(1, x.dtype)
    energy = float(np.vdot(x, x).real)
    for _ in range(min(ORDER, x.size // 3)):
        both = float(np.vdot(ahead, ahead).real + np.vdot(back, back).real)
        if both <= max(1e-24 * energy, 1e-290) or ahead.size < 2:  # the latter: nothing, but for rounding
            break
        share = -2 * np.vdot(back, ahead) / both
        found = np.append(found, 0) + share * np.append(found, 0)[::-1].conj()
        ahead, back = (ahead + share * back)[1:], (back + np.conj(share) * ahead)[:-1]
    return -found[1:] if found.size > 1 else np.ones(1, x.dtype)


@cache
def _ringing() -> FloatArray:
    """Return the sizes of the band's own pulse 1, 2, ... LEAD samples ahead, (LEAD,)."""
    size = 1 << 12
    pulse = np.fft.ifft(roll_off(np.fft.fftfreq(size), 1.0))
    return np.asarray(np.abs(pulse[1 : LEAD + 1]))

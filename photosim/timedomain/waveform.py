"""The noun of waveforms over time: a real function of time and the electronics that it passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.display import Shown, figure, plotting
from photosim.errors import ParameterError
from photosim.smatrix import ByValue
from photosim.timedomain.low_pass import low_pass

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_DRAWN = 2001
"""Points of a waveform that is drawn."""
_FINER, MOST_FINE = 8, 1 << 25
"""Instants at which a waveform is evaluated before its filters: for each sample, and at most."""
LARGEST = 1e100
"""Largest value of a waveform: its square can be computed with."""


@public
@dataclass(frozen=True, eq=False)
class Waveform(Shown, ByValue):
    """A real function of time in s, behind a low-pass of `bandwidth` in Hz and `order`.

    symbols: (rate in 1/s, levels of the symbols in turn), if there are any.  frequency: a frequency in Hz
    that the waveform contains; a sample rate too low for it is an error.  listed: whether the values are
    samples on one clock.  cycle: (count, rate in 1/s, begin in s) of a waveform that repeats every count/rate
    from `begin` on; a count of 0 means that it is constant.
    """

    values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    bandwidth: float | None = None
    order: int = 1
    symbols: tuple[float, NDArray[np.float64]] | None = None
    frequency: float = 0.0
    listed: bool = False
    cycle: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if self.bandwidth is not None:
            require_positive(bandwidth=self.bandwidth)

    def plot(self, duration: float | None = None) -> Figure:
        """Draw the waveform over a duration in s, by default 16 symbols or 4 periods; return the figure.

        Raises ParameterError without a duration if the waveform has neither symbols nor a frequency.
        """
        check_arguments(Waveform.plot, locals())
        span = self._span() if duration is None else duration
        if span is None:
            message = "The waveform has neither symbols nor a frequency: give the duration in s to draw."
            raise ParameterError(message)
        require_positive(duration=span)
        time = np.linspace(0.0, span, _DRAWN)
        if self.listed:
            message = "The values of a list belong to one clock, so they are not drawn at other times."
            raise ParameterError(message)
        from photosim.timedomain.content import moves

        values = self._at(time, 0, "the waveform")
        if self.bandwidth is not None and moves(values):
            values = low_pass(values, self.bandwidth, (_DRAWN - 1) / span, order=self.order)
        return plotting().traces(time, {"waveform": values}, unit="", ylabel="value")  # type: ignore[no-any-return]

    def _span(self) -> float | None:
        """Return the time in s that shows what the waveform is; None where nothing says it."""
        if self.symbols is not None:
            return 16.0 / self.symbols[0]
        return 4.0 / self.frequency if self.frequency > 0.0 else None

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: the beginning of the waveform, if drawable, and fields."""
        if self._span() is not None and not self.listed:
            yield figure(self.plot())
        yield from super().html_blocks()

    def sample(
        self,
        time: NDArray[np.float64],
        *,
        ahead: int = 0,
        rate: float | None = None,
        behind: float | None = None,
        shaped: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
        what: str = "the waveform",
    ) -> NDArray[np.float64]:
        """Return the values at equally spaced times (T,); before them, the waveform had its first value.

        Filters act on a finer clock, on which edges keep their place between the samples.

        time: in s, (T,).  ahead: number of times after the end of a list of samples.  rate: times per second,
        if known more exactly than from `time`.  behind: bandwidth in Hz of one more low-pass.  shaped:
        function of the values to return instead of them.  what: subject of a message.

        Raises ParameterError for values that are not finite, and for content above the pass band of the
        sample rate.
        """
        check_arguments(Waveform.sample, locals())
        from photosim.timedomain import fine_clock
        from photosim.timedomain.content import check_band, check_frequency

        if time.size < 2:
            return self._at(time, ahead, what)
        rate = float((time.size - 1) / (time[-1] - time[0])) if rate is None else rate
        check_frequency(self.frequency, rate, what)
        often = 1 if self.listed else max(1, min(_FINER, MOST_FINE // time.size))
        own = None if self.bandwidth is None else (self.bandwidth, self.order)
        passes = [one for one in (own, None if behind is None else (behind, 1)) if one is not None]
        clock = fine_clock.Clock(time, rate, often)
        blocks = fine_clock.Blocks(self.values, clock, lambda fine: self._at(fine, ahead, what))
        if shaped is None:
            found = fine_clock.sampled(blocks, passes, LARGEST)
            if found is not None:
                return found
        values = fine_clock.whole(blocks, passes)
        values = values if shaped is None else shaped(values)
        check_band(values, rate, what, finer=often)
        return np.ascontiguousarray(values[::often])

    def between(
        self, time: NDArray[np.float64], finer: int, *, ahead: int = 0, what: str = "the waveform"
    ) -> NDArray[np.float64]:
        """Return the values on a clock `finer` times as fine as times (T,), (finer (T - 1) + 1,), filtered.

        A list of samples is interpolated. The rest as for `sample`, but edges may be as sharp as they are.
        """
        from photosim.timedomain.content import check_frequency, moves
        from photosim.timedomain.nets import upsampled

        rate = float((time.size - 1) / (time[-1] - time[0]))
        check_frequency(self.frequency, rate, what)
        if self.listed:
            return upsampled(self._at(time, ahead, what), finer)
        fine = time[0] + np.arange(finer * (time.size - 1) + 1) / (rate * finer)
        values = self._at(fine, 0, what)
        if self.bandwidth is not None and moves(values):
            values = low_pass(values, self.bandwidth, rate * finer, order=self.order)
        return values

    def _at(self, time: NDArray[np.float64], ahead: int, what: str) -> NDArray[np.float64]:
        """Return the values at times (T,) before any filter; ParameterError where one is not finite."""
        from photosim.timedomain.timeline import onward

        asked = time[: time.size - ahead] if self.listed else time
        with np.errstate(all="ignore"):
            values = np.broadcast_to(np.asarray(self.values(asked), dtype=np.float64), asked.shape)
        if values.size and not (values.max() <= LARGEST and values.min() >= -LARGEST):
            wrong = int(np.argmin(np.abs(values) <= LARGEST))
            limit = f" and at most {LARGEST:g} in size" if np.isfinite(values[wrong]) else ""
            message = (
                f"The values of {what} must be finite{limit}, got {values[wrong]} at {asked[wrong]:g} s."
            )
            raise ParameterError(message)
        return np.concatenate([values, onward(values, ahead)]) if self.listed else values


def require_positive(**values: float) -> None:
    """Raise ParameterError for a value that is not positive and finite."""
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            message = f"A waveform needs a positive {name}, got {value!r}."
            raise ParameterError(message)

"""Values of waveforms over time: functions of a module, so that waveforms cross processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.timedomain.sequences import edge_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def level(time: NDArray[np.float64], *, value: float) -> NDArray[np.float64]:
    """Return `value` at times (T,)."""
    return np.full(time.shape, value)


def edge_at(
    time: NDArray[np.float64], *, at: float, low: float, high: float, rise: float
) -> NDArray[np.float64]:
    """Return a step at times (T,)."""
    return np.asarray(low + (high - low) * edge_of(time - at, rise))


def _gaussian(x: Any, width: float, _rise: float) -> Any:
    return np.exp(-4 * np.log(2) * (x / width) ** 2)


def _sech2(x: Any, width: float, _rise: float) -> Any:
    return np.cosh(np.clip(2 * np.arccosh(np.sqrt(2)) * x / width, -300, 300)) ** -2.0


def _square(x: Any, width: float, rise: float) -> Any:
    return edge_of(x + width / 2, rise) - edge_of(x - width / 2, rise)


PULSES: Mapping[str, Callable[[Any, float, float], Any]] = {
    "gaussian": _gaussian, "sech2": _sech2, "square": _square,
}  # fmt: skip
"""Shapes of pulses of height 1, by name: functions of the time from the middle, the width and the rise."""


def pulse_of(
    time: NDArray[np.float64], *, at: float, width: float, low: float, high: float, shape: str, rise: float,
    period: float | None,
) -> NDArray[np.float64]:  # fmt: skip
    """Return a pulse, or one every `period`, at times (T,)."""
    x = time - at
    if period is not None:
        x = np.where(x < -period / 2, x, (x + period / 2) % period - period / 2)
    return np.asarray(low + (high - low) * PULSES[shape](x, width, rise))


def sine_of(
    time: NDArray[np.float64], *, frequency: float, offset: float, amplitude: float, phase: float
) -> NDArray[np.float64]:
    """Return a sine at times (T,)."""
    return offset + amplitude * np.sin(2 * np.pi * frequency * time + phase)


def symbols_of(
    time: NDArray[np.float64], *, rate: float, heights: NDArray[np.float64], edge: float
) -> NDArray[np.float64]:
    """Return symbols of these heights, repeated, at times (T,); edge: length of the edges between them."""
    from photosim.kernels.clocks import sent

    out = np.empty(time.shape)
    sent(time, rate, heights, edge, out)
    return out


def symbols_on_clock(
    begin: int,
    end: int,
    often: float,
    start: float,
    *,
    rate: float,
    heights: NDArray[np.float64],
    edge: float,
) -> NDArray[np.float64]:
    """Return the same at instants n from begin to end of a clock, n/often + start."""
    from photosim.kernels.clocks import sent_steadily

    out = np.empty(end - begin)
    sent_steadily(begin, often, start, rate, heights, edge, out)
    return out


def held(time: NDArray[np.float64], *, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return given samples; ParameterError unless they are as many as the times (T,)."""
    if numbers.shape != time.shape:
        message = f"A waveform of samples has shape {numbers.shape}, but {time.size} samples are computed."
        raise ParameterError(message)
    return numbers


def joined(time: NDArray[np.float64], *, table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return straight lines between the points (n, 2) of a table, time and value, at times (T,)."""
    return np.interp(time, table[:, 0], table[:, 1])


OF_INSTANTS = frozenset((level, edge_at, pulse_of, sine_of, symbols_of, joined))
"""Functions whose value at a time does not depend on the other times."""
ON_CLOCK: Mapping[Callable[..., Any], Callable[..., NDArray[np.float64]]] = {symbols_of: symbols_on_clock}
"""Functions that give the same values on a clock, faster, without its instants."""

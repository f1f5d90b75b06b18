"""Activations to which no light comes back: stepped on a finer clock, so that filters are the analogue ones.

A step takes the power between two samples for a straight line. That is off by the square of the step, so a
part alone, whose light is known beforehand, is stepped at instants between the samples too.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.model import Nonlinear
from photosim.model.steady import NUMPY
from photosim.timedomain.low_pass import stepped_wrong
from photosim.timedomain.stepping import Clock, Stepper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from photosim.timedomain.drives import Drives
    from photosim.timedomain.stepping import Begin

    ComplexArray = NDArray[np.complex128]
    States = dict[str, NDArray[np.float64]]

RIGHT = 1e-4
"""Error of a filter, or of the light behind it, relative to the largest, that a part alone may have."""
MOST = 64
"""Most instants for each sample."""
_MARGIN = 80
"""Samples to either side that tell what is between two samples."""
_PIECE = 1 << 18
"""Instants that are carried at once."""


def filter_errors(
    drives: Drives, name: str, states: Mapping[str, NDArray[np.float64]], bandwidth: float, kept: slice
) -> tuple[float, float]:
    """Return how wrong a stepped filter is in some samples: its signal, and the light that this modulates.

    Both relative to their largest value. Several turns of phase make much of a small error of the signal.
    states: behind the filter of the part, (T,) each.
    """
    of_signal, of_light = 0.0, 0.0
    for signal in states.values():
        lacking = stepped_wrong(signal, bandwidth, drives.sample_rate)
        largest = max(float(np.abs(signal).max()), 1e-300)
        of_signal = max(of_signal, float(np.abs(lacking[kept]).max()) / largest)
        part = drives.compiled.graph.part(name)
        steady = part.model.steady if isinstance(part.model, Nonlinear) else None
        if steady is not None and of_signal:
            settings, powers = drives.settings(part), (signal, signal + lacking)
            found, right = (np.broadcast_to(steady(NUMPY, p, **settings), signal.shape)[kept] for p in powers)
            brightest = max(float(np.abs(right).max()), 1e-300)
            of_light = max(of_light, float(np.abs(found - right).max()) / brightest)
    return of_signal, of_light


def fineness(wrong: float) -> int:
    """Return how many steps a sample, a power of 2, make a filter right that is wrong by so much with one."""
    factor = 1
    while factor < MOST and wrong > RIGHT * factor**2:
        factor *= 2
    # The power of light has twice its band: less than four instants would not hold it.
    return max(factor, 4) if factor > 1 else 1


def finely(
    stepper: Stepper, incoming: ComplexArray, begin: Begin, factor: int
) -> tuple[ComplexArray, States]:
    """Return what `Stepper.run` does of a part without noise of its own, stepped `factor` times a sample."""
    part, samples = stepper.parts[0], len(incoming)
    clock = Clock(samples * factor, stepper.clock.sample_rate * factor, stepper.clock.carriers, None)
    outgoing, states, began = [], [], process_time()
    size = max(_PIECE // factor, 1)
    for first in range(0, samples, size):
        last = min(first + size, samples)
        light = _between(incoming, first, last, factor)
        constants = part.constants
        if constants.shape[1] > 1:
            rows = _between(np.ascontiguousarray(constants.T), first, last, factor)
            constants = np.clip(
                rows.T, constants.min(axis=1)[:, np.newaxis], constants.max(axis=1)[:, np.newaxis]
            )
        fine = Stepper([replace(part, constants=np.ascontiguousarray(constants))], [], clock)
        out, state, begin = fine.advance(
            begin, light, fine.constants(), np.zeros((1, 0)), record=True, known=1
        )
        outgoing.append(out[factor::factor])
        states.append(state[factor::factor])
        took = process_time() - began
        if first:
            stepper.pace.judge(took, took / last * (samples - last), "this run takes about")
    record = np.concatenate(states)
    names = [f"{part.element.name}.{name}" for name in part.state_names]
    return np.concatenate(outgoing), {name: record[:, k] for k, name in enumerate(names)}


def _between(values: NDArray[Any], first: int, last: int, factor: int) -> NDArray[Any]:
    """Return values (T, ...) at all instants from sample first - 1 to sample last - 1, the ends held."""
    from scipy import signal

    resample: Any = signal.resample_poly  # complex signals too, which its types leave out
    at = np.clip(np.arange(first - 1 - _MARGIN, last + _MARGIN), 0, len(values) - 1)
    # In two turns: the first has the sharp edge of the band, the second much room for its own.
    twice = resample(values[at], 2, 1, axis=0, window=_taps(2, 64))
    fine = resample(twice, factor // 2, 1, axis=0, window=_taps(factor // 2, 12))
    start = factor * _MARGIN
    return np.ascontiguousarray(fine[start : start + factor * (last - first) + 1])


@cache
def _taps(factor: int, around: int) -> NDArray[np.float64]:
    """Return a linear-phase filter that ends at half the coarser rate and looks at samples around."""
    from scipy import signal

    return np.asarray(signal.firwin(2 * around * factor + 1, 1 / factor, window=("kaiser", 10.0)))

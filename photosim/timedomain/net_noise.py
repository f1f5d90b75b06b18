"""Noise of resistors and junctions in electrical nets over time: white currents up to a band that is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photosim.electronics import noise_sources, stationary
from photosim.memory import require_memory
from photosim.timedomain.draws import Draws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.electronics import System
    from photosim.timedomain.timeline import Timeline

    FloatArray = NDArray[np.float64]
    Inputs = Callable[[int], FloatArray]

TOLERANCE = 1e-4
"""Error of a result with noise at which its clock is fine enough: it follows steps of noise on the way."""


def noisy(
    system: System, inputs: Inputs, line: Timeline, over: int, seed: int, rest: FloatArray | None = None
) -> tuple[System, Inputs, str]:
    """Return a circuit with a current source beside each of its noisy elements, its inputs, and what to say.

    inputs: of the circuit, on a clock so much finer than `over` instants for each sample. Each current has
    the density of its element at rest, up to half of that clock, and is 0 at the very first instant, at which
    the circuit rests. A draw belongs to its instant: a run that starts earlier has the same.  rest: unknowns
    (n,) of a control loop, which rests elsewhere than without its light.
    """
    from photosim.timedomain.nets import upsampled

    sources = noise_sources(system, stationary(system) if rest is None else rest)
    if not sources:
        return system, inputs, ""
    count, rate = (line.total - 1) * over + 1, over * line.sample_rate
    require_memory(
        64.0 * count * len(sources), f"The noise of {len(sources)} elements at {count:,} instants",
        "make it shorter, or sample it more coarsely",
    )  # fmt: skip
    first = over * (line.begin - line.warm)
    currents = []
    for name, _, density in sources:
        white = Draws(seed, name, first).white("thermal", count) * np.sqrt(density * rate / 2)
        white[0] = 0.0
        currents.append(white)
    rows, columns, values = (list(entries) for entries in system.drive)
    for k, (_, nodes, _) in enumerate(sources):
        for node, sign in zip(nodes, (-1.0, 1.0), strict=True):
            if node >= 0:
                rows.append(node)
                columns.append(len(system.inputs) + k)
                values.append(sign)
    driven = replace(
        system,
        drive=(np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), np.array(values)),
        inputs=(*system.inputs, *(f"noise of {name}" for name, _, _ in sources)),
        resting=np.concatenate([system.resting, np.zeros(len(sources))]),
    )

    def with_noise(finer: int) -> FloatArray:
        return np.column_stack([inputs(finer), *(upsampled(own, finer) for own in currents)])

    return driven, with_noise, f"noise of {len(sources)} elements up to {rate / 2:.3g} Hz"

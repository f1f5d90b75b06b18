"""How many samples receivers, and the electronics of drives, remember."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model import Detector, Electronic, Equaliser
from photosim.timedomain.low_pass import AROUND
from photosim.timedomain.receivers import chain_of, noise_length
from photosim.timedomain.result import passes

if TYPE_CHECKING:
    from photosim.timedomain.drives import Drives
    from photosim.timedomain.run import Run
    from photosim.timedomain.waveform import Waveform

FORGOTTEN = 6.0
"""Periods of its half-power frequency after which a low-pass has forgotten to 1e-15."""
MOST_MEMORY = 1 << 20
"""Samples that a receiver may remember."""
EDGE = 512
"""Samples to either side that resampling, slopes and interpolation look at."""


def receiver_memory(run: Run, part: Any) -> tuple[int, int]:
    """Return the samples before and behind a stretch that its current depends on, of one detector.

    Raises ParameterError for a receiver that remembers too long, or whose electronics follow the signal.
    """
    rate, lows = run.clock.sample_rate, [b for b in passes(run, part) if np.isfinite(b) and b > 0]
    chain = chain_of(run.drives, part)
    before = after = EDGE
    for name, stage in zip(chain.names, chain.stages, strict=True):
        if stage.work is None:
            continue
        if not isinstance(stage.work, Equaliser) or stage.work.adaptation != "fixed":
            message = (
                f"A streamed run cannot have {name!r}, which follows its own signal from the start: "
                "take a feed_forward_equaliser with fixed taps, or use ps.transient."
            )
            raise ParameterError(message)
        before += ceil(len(stage.work.taps) * rate / stage.work.symbol_rate)
    shaping = noise_length(lows, rate) if run.clock.seed is not None and lows else 0
    memory = sum(FORGOTTEN * rate / b for b in lows) + shaping
    if memory > MOST_MEMORY:
        message = (
            f"The impulse response of the receiver of {part.name!r} has {memory:,.0f} samples, but a "
            f"streamed run takes at most {MOST_MEMORY:,}: take a lower sample rate, or more bandwidth "
            f"than {min(lows):g} Hz."
        )
        raise ParameterError(message)
    return before + ceil(memory) + AROUND, after + shaping + 2 * AROUND * (len(lows) + 1)


def drive_memory(drives: Drives, waves: Mapping[str, Waveform]) -> int:
    """Return the samples after which no filter of a drive remembers; ParameterError for too many."""
    graph, rate = drives.compiled.graph, drives.sample_rate
    behind = {n for p in graph.parts if isinstance(p.model, Detector) for n in chain_of(drives, p).names}
    lows = [wave.bandwidth for wave in waves.values() if wave.bandwidth]
    taps = 0.0
    for part in graph.parts:
        if isinstance(part.model, Detector) or part.name in behind:
            continue
        settings = drives.settings(part)
        bandwidth = settings.get("bandwidth")
        lows += [float(bandwidth)] if bandwidth and not np.ndim(bandwidth) and np.isfinite(bandwidth) else []
        if isinstance(part.model, Electronic) and not any(np.ndim(v) for v in settings.values()):
            work = part.model.stage(**settings).work
            taps += rate / work.symbol_rate * len(getattr(work, "taps", ())) if work is not None else 0.0
    memory = ceil(sum(1.5 * FORGOTTEN * rate / low for low in lows) + taps) + 256
    if memory > MOST_MEMORY:
        message = (
            f"The impulse response of the drives' electronics has {memory:,} samples, but a streamed run "
            f"takes at most {MOST_MEMORY:,}: take a lower sample rate, or more bandwidth."
        )
        raise ParameterError(message)
    return memory

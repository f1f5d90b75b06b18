"""How long a run in time takes: said as soon as it is seen, where parts need many small steps a sample."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from time import process_time as now  # what else the machine does is not the run's doing

from photosim.errors import PhotosimWarning

LONG = 60.0
"""Seconds of computing ahead from which that is said."""
_SHORTEST, _TELLING = 256, 2.0
"""Samples of the first piece of a run; seconds that a piece must take to tell anything."""


class Pace:
    """How fast a group of parts, by name, is stepped; what takes long is said once.

    Parts far faster than the samples take many small steps for each, and nobody knows how many before.
    """

    def __init__(self, names: str) -> None:
        self.names, self.told = names, False

    def stretches(self, samples: int) -> Iterator[tuple[int, int]]:
        """Yield pieces (first, behind the last) of a run to compute; warn once it is seen to be long."""
        at, size = 0, _SHORTEST
        while at < samples:
            end = min(at + size, samples)
            begun = now()
            yield at, end
            took = now() - begun
            if at:  # the first piece may have compiled the steps
                self.judge(took, took / (end - at) * (samples - end), "this run takes about")
            at, size = end, 8 * size if took < _TELLING else size

    def judge(self, took: float, left: float, what: str) -> None:
        """Warn, the first time, where what took some seconds takes LONG more."""
        if took < _TELLING or left < LONG or self.told:
            return
        self.told = True
        message = (
            f"The steps of {self.names} are short against the samples: {what} {left / 60:.2g} minutes. A "
            "higher sample rate over a shorter time, or settings that are less extreme, take less."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=2)

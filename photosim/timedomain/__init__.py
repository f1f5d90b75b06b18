"""Circuits in time: complex envelopes through linear islands, nonlinear parts between them.

Waveforms drive settings and light; islands are convolved in blocks by FFT with S(f); loops through
nonlinear parts are stepped, with a rational fit of what is linear in them.
"""

from photosim.timedomain import waveforms
from photosim.timedomain.engine import transient

__all__ = ["transient", "waveforms"]

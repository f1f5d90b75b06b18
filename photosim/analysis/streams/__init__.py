"""Runs in time of any length that keep no samples: errors counted, an eye, moments of the currents."""

from photosim.analysis.streams.result import EyeHistogram, Moments, StreamResult
from photosim.analysis.streams.run import stream

__all__ = ["EyeHistogram", "Moments", "StreamResult", "stream"]

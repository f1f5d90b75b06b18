"""Runs in time of any length that keep no samples: errors counted, an eye, moments of the currents."""

from photosim.analysis.streams.checkpoint import SUFFIX
from photosim.analysis.streams.options import streamed
from photosim.analysis.streams.result import EyeHistogram, Moments, StreamResult, write
from photosim.analysis.streams.run import stream

__all__ = ["SUFFIX", "EyeHistogram", "Moments", "StreamResult", "stream", "streamed", "write"]

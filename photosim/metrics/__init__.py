"""The numbers that people read off spectra, by one definition each: `docs/metrics.md` is their page."""

from photosim.metrics.crosstalk import crosstalk_dB
from photosim.metrics.numbers import FLAGS, UNITS, Reading, dataset, numbers, said
from photosim.metrics.reading import read

__all__ = ["FLAGS", "UNITS", "Reading", "crosstalk_dB", "dataset", "numbers", "read", "said"]

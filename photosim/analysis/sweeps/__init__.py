"""Sweeps: a circuit at many settings and wavelengths, with the numbers that people read off its spectra."""

from photosim.analysis.sweeps.run import sweep

__all__ = ["sweep"]

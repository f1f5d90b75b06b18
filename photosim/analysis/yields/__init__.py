"""Yield: variation from chip to chip, the specification, how many chips meet it, and why the others fail."""

from photosim.analysis.yields.run import montecarlo

__all__ = ["montecarlo"]

"""Yield: what varies from chip to chip, what is asked of a chip, how many meet it, and who is to blame."""

from photosim.analysis.yields.run import montecarlo

__all__ = ["montecarlo"]

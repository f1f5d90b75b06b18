"""Questions asked of a circuit: each analysis returns a frozen result with numbers and tables."""

from photosim.analysis.result import Table

__all__ = ["Table"]

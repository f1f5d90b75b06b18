"""Analyses of a circuit: each one returns a frozen result with numbers and tables."""

from photosim.analysis.result import Table

__all__ = ["Table"]

"""Budgets: power, energy, area, latency, loss and noise of a circuit by part, with their sources."""

from photosim.analysis.budgets.run import budget
from photosim.analysis.budgets.work import Work

__all__ = ["Work", "budget"]

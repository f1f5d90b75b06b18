"""Runs the analyses that a netlist lists; `kinds` has one entry for each kind of analysis."""

from photosim.runner.kinds import KINDS
from photosim.runner.run import CHECKPOINTS, Report, prepare, run

__all__ = ["CHECKPOINTS", "KINDS", "Report", "prepare", "run"]

"""Inverse design: settings of a circuit that meet a specification best, match a target, or yield most."""

from photosim.analysis.designs.run import optimise

__all__ = ["optimise"]

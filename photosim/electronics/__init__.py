"""Electrical circuits of R, L, C, sources, lines and junctions, by modified nodal analysis."""

from photosim.electronics.assembly import Placed, System, assemble
from photosim.electronics.response import noise_density, response
from photosim.electronics.stationary import stationary
from photosim.electronics.topology import check_topology
from photosim.electronics.transient import Solution, transient

__all__ = [
    "Placed",
    "Solution",
    "System",
    "assemble",
    "check_topology",
    "noise_density",
    "response",
    "stationary",
    "transient",
]

"""Electrical circuits of R, L, C, sources, lines and junctions, by modified nodal analysis."""

from photosim.electronics.assembly import Placed, System, assemble
from photosim.electronics.loops import Light, Linear, linear, refuse_rest, settled
from photosim.electronics.response import noise_density, noise_sources, response
from photosim.electronics.stationary import stationary
from photosim.electronics.topology import check_topology
from photosim.electronics.transient import TOLERANCE, Solution, transient

__all__ = [
    "TOLERANCE",
    "Light",
    "Linear",
    "Placed",
    "Solution",
    "System",
    "assemble",
    "check_topology",
    "linear",
    "noise_density",
    "noise_sources",
    "refuse_rest",
    "response",
    "settled",
    "stationary",
    "transient",
]

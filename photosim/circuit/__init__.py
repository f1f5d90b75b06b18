"""The public noun: a circuit ready to compute, and how a file becomes one."""

from photosim.circuit.circuit import Circuit
from photosim.circuit.loading import load

__all__ = ["Circuit", "load"]

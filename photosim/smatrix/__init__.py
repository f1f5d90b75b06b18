"""S-matrices that know their ports and wavelengths, their elements, and what all results have in common."""

from photosim.smatrix.by_value import ByValue, Remade, remade
from photosim.smatrix.matrix import SMatrix
from photosim.smatrix.sharp import sharpened, with_extremes
from photosim.smatrix.trace import Trace

__all__ = ["ByValue", "Remade", "SMatrix", "Trace", "remade", "sharpened", "with_extremes"]

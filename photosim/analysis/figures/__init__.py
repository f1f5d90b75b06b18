"""Figures that a transceiver is judged by, read off a trace: their definitions stand in docs/figures.md."""

from photosim.analysis.figures.constellations import ConstellationFigures
from photosim.analysis.figures.edges import Jitter
from photosim.analysis.figures.tdecq import Tdecq
from photosim.analysis.figures.transceiver import Figures, figures

__all__ = ["ConstellationFigures", "Figures", "Jitter", "Tdecq", "figures"]

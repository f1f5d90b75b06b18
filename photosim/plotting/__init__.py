"""Pictures of results: spectra, learning curves, weight maps, charts given as data."""

from photosim.plotting.canvas import COLOURS, DASHES, PICTURE_SUFFIXES, STYLE, save
from photosim.plotting.charts import draw
from photosim.plotting.results import for_result
from photosim.plotting.spectra import FLOOR_dB, for_spectrum, photocurrents, plot_smatrix, spectrum
from photosim.plotting.training import alignment_angles, learning_curves, weight_error_map

__all__ = [
    "COLOURS",
    "DASHES",
    "PICTURE_SUFFIXES",
    "STYLE",
    "FLOOR_dB",
    "alignment_angles",
    "draw",
    "for_result",
    "for_spectrum",
    "learning_curves",
    "photocurrents",
    "plot_smatrix",
    "save",
    "spectrum",
    "weight_error_map",
]  # fmt: skip

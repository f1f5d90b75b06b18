"""Pictures of results: spectra, learning curves, weight maps, charts given as data."""

from photosim.plotting.canvas import COLOURS, DASHES, PICTURE_SUFFIXES, STYLE, save
from photosim.plotting.charts import draw
from photosim.plotting.results import for_result
from photosim.plotting.signals import constellation, density, eye, traces
from photosim.plotting.spectra import FLOOR_dB, for_spectrum, photocurrents, plot_smatrix, spectrum
from photosim.plotting.training import alignment_angles, learning_curves, weight_error_map

__all__ = [
    "COLOURS", "DASHES", "PICTURE_SUFFIXES", "STYLE", "FLOOR_dB", "alignment_angles", "constellation",
    "density", "draw", "eye", "for_result", "for_spectrum", "learning_curves", "photocurrents",
    "plot_smatrix", "save", "spectrum", "traces", "weight_error_map",
]  # fmt: skip

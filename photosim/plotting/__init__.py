"""Pictures of results: spectra, learning curves, weight maps, charts given as data."""

from photosim.plotting.budgets import for_budget
from photosim.plotting.canvas import COLOURS, DASHES, PICTURE_SUFFIXES, STYLE, save
from photosim.plotting.charts import draw, for_charts
from photosim.plotting.designs import for_optimise
from photosim.plotting.fits import for_fit
from photosim.plotting.maps import matrix_map
from photosim.plotting.responses import for_response, response
from photosim.plotting.shown import pictures_of
from photosim.plotting.signals import constellation, density, eye, for_transient, traces
from photosim.plotting.spectra import (
    FLOOR_dB,
    for_spectrum,
    photocurrents,
    plot_smatrix,
    plot_trace,
    shown_pairs,
    spectrum,
)
from photosim.plotting.streams import eye_histogram, for_stream
from photosim.plotting.sweeps import for_sweep
from photosim.plotting.training import (
    alignment_angles,
    for_training,
    history,
    learning_curves,
    weight_error_map,
)
from photosim.plotting.transceivers import figures
from photosim.plotting.yields import for_yield

__all__ = [
    "COLOURS", "DASHES", "PICTURE_SUFFIXES", "STYLE", "FLOOR_dB", "alignment_angles", "constellation",
    "density", "draw", "eye", "eye_histogram", "figures", "for_budget", "for_charts", "for_fit",
    "for_optimise", "for_response", "for_spectrum", "for_stream", "for_sweep", "for_training",
    "for_transient", "for_yield", "history", "learning_curves", "matrix_map", "photocurrents",
    "pictures_of", "plot_smatrix", "plot_trace", "response", "save", "shown_pairs", "spectrum", "traces",
    "weight_error_map",
]  # fmt: skip

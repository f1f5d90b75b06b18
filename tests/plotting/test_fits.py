"""The corner plot of a fit: values with errors and units, frames of one width beside long names."""

from __future__ import annotations

import numpy as np
import xarray as xr

import photosim as ps
from photosim.analysis.fits.result import FitResult
from photosim.plotting import fits


def test_a_corner_plot_names_units_and_keeps_its_frames_equal() -> None:
    names = ["ng", "a_setting_with_a_rather_long_name.length", "loss_dB_cm"]
    data = xr.Dataset(
        {
            "value": ("parameter", [4.19, 120.0, 2.5]),
            "standard_error": ("parameter", [0.01, 2.0, 0.3]),
            "unit": ("parameter", ["1", "um", "dB/cm"]),
            "correlation": (("parameter", "other"), np.eye(3)),
        },
        coords={"parameter": names},
    )
    figure = fits.correlations(FitResult("chip", data))
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert [text.splitlines()[-1] for text in texts if "\n" in text] == ["± 0.01", "± 2 um", "± 0.3 dB/cm"]
    figure.draw_without_rendering()
    widths = [axes.get_window_extent().width for axes in figure.axes if axes.axison]
    assert len(widths) == 3
    assert np.ptp(widths) < 1.0


def test_a_column_named_by_its_ports_is_named_once() -> None:
    circuit = ps.load("all_pass_ring")
    wl = np.linspace(1.549, 1.551, 101)
    power = circuit(wl)["in", "through"].power
    found = ps.fit(circuit, {"wl": wl, "in->through": power}, parameters=["loss_dB_cm"])
    figure = fits.spectra_and_residuals(FitResult("ring", found))
    assert figure.axes[0].get_title(loc="left").startswith("in \N{RIGHTWARDS ARROW} through: rms")

"""Pictures of a yield: axes with names and units, lines that a legend explains, parts too small for a bar."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import xarray as xr

import photosim as ps
from photosim.analysis.yields.result import YieldResult
from photosim.plotting import yields

SIGMAS = {"g0": 0.1, "g1": 0.3, "g2": 1e-6, "g3": 1e-6}
"""Standard deviations of the loss of four guides in a row, in dB/cm."""


def result() -> YieldResult:
    """Return the yield of the four guides: two decide, two hardly vary."""
    guide = {"component": "straight", "settings": {"length": 100.0, "loss_dB_cm": 2.0}}
    circuit = ps.Circuit(
        {
            "instances": dict.fromkeys(SIGMAS, guide),
            "connections": {f"{a},o2": f"{b},o1" for a, b in pairwise(SIGMAS)},
            "ports": {"in": "g0,o1", "out": "g3,o2"},
        }
    )
    loss = {"name": "loss", "quantity": "power_dB", "from": "in", "to": "out", "at_least": -0.081}
    variation = {"settings": {f"{name}.loss_dB_cm": {"sigma": sigma} for name, sigma in SIGMAS.items()}}
    data = ps.montecarlo(circuit, variation, specification=[loss], wl=[1.55], samples=200, seed=1)
    return YieldResult("guides", data)


def legend(figure: Any) -> list[str]:
    """Return the texts of a figure's legend."""
    (found,) = figure.legends
    return [text.get_text() for text in found.get_texts()]


def test_a_histogram_names_its_quantity_with_the_unit_and_its_lines() -> None:
    figure = yields.histograms(result())
    axes = figure.axes[0]
    assert axes.get_xlabel() == "loss (dB)"
    assert axes.get_title(loc="left").endswith("% pass")
    assert legend(figure) == ["limit", "nominal"]


def test_parts_without_a_visible_share_are_one_bar() -> None:
    figure = yields.blame(result())
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels[::-1][-4:] == ["g1.loss_dB_cm", "g0.loss_dB_cm", "2 others", "rest"]
    assert legend(figure) == ["by quantity", "by part", "beyond the first order"]


def test_a_map_names_the_places_that_matter() -> None:
    """Parts at one place add up; a place with 2 % has no name."""
    parts = ["a.left", "a.right", "b.left", "far.left"]
    data = xr.Dataset(
        {
            "variance": ("specification", [2.0]),
            "variance_by_part": (("specification", "part"), [[1.0, 0.6, 0.36, 0.04]]),
        },
        coords={
            "specification": ["centre"],
            "part": parts,
            "part_x": ("part", [0.0, 0.0, 100.0, 200.0]),
            "part_y": ("part", [0.0, 0.0, 50.0, 0.0]),
        },
    )
    axes = yields.chip_map(YieldResult("rings", data)).axes[0]
    assert [text.get_text() for text in axes.texts] == ["a, 80 %", "b, 18 %"]

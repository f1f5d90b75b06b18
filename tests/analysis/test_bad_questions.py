"""What the questions of a designer say to what they cannot answer: one sentence, never a silent guess."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import PhotosimError

WL = "1.5507:1.5517:101"
FLAT = {"wavelength_um": np.linspace(1.5, 1.6, 9), "p_dbm": np.ones(9)}
LIMIT = {"quantity": "resonance", "from": "in", "to": "drop"}


def sweep(**options: Any) -> Any:
    return ps.sweep(ps.load("add_drop_ring"), {"ring.radius": [9.0, 10.0]}, **({"wl": WL} | options))


def chips(variation: Any, *entries: Any, **options: Any) -> Any:
    return ps.montecarlo(
        ps.load("add_drop_ring"), variation, specification=entries, wl=WL, samples=64, **options
    )


def fit(data: Any, **options: Any) -> Any:
    return ps.fit(ps.load("all_pass_ring"), data, ["radius"], starts=1, bootstrap=50, **options)


def budget(**options: Any) -> Any:
    return ps.budget(ps.load("wdm_link"), **options)


CASES: list[tuple[Callable[[], Any], str]] = [
    (lambda: sweep(metrics=True, near=9.0), "near: there is no line next to 9 um in a sweep from 1.5507"),
    (lambda: sweep(metrics=True, near=np.nan), "positive numbers of um, got nan"),
    (lambda: sweep(metrics=True, channels=[1.551]), "two channels or more inside the sweep"),
    (lambda: sweep(metrics=True, channels=[1551.0, 1551.5]), "looks like nm"),
    (lambda: sweep(channels=[1.551, 1.5512]), "channels belongs to metrics: give metrics too"),
    (lambda: sweep(near=1.551), "near belongs to metrics: give metrics too"),
    (lambda: sweep(outputs=[]), "a port in `inputs` and one in `outputs`, such as 'in'"),
    (lambda: sweep(mode="samples", samples=4, seed=-1), "sweep: seed must be 0 or more, got -1"),
    (lambda: chips({"width": 1e-3}, LIMIT | {"at_most": 1550}), "It looks like nm: write 1.55"),
    (lambda: chips({"width": {"dye": 1e-3}}, LIMIT | {"at_most": 1.551}),
     "width: a standard deviation has no option 'dye'.*Did you mean 'die'"),
    (lambda: chips({"settings": {"widht": {"sigma": 1e-3}}}, LIMIT | {"at_most": 1.551}), "mean 'width'"),
    (lambda: chips({"width": 1e-3}, LIMIT | {"at_most": 1.551}, seed=-2), "seed must be 0 or more"),
    (lambda: fit({"wavelength_um": [], "through_dbm": []}), "its columns are empty"),
    (lambda: fit({"wavelength_um": [1.5, 1.6]}), "got wavelength_um alone"),
    (lambda: fit({"wavelength_um": ["a"] * 9, "p_dbm": np.ones(9)}), "'wavelength_um' is not a list"),
    (lambda: fit(FLAT, seed=-1), "fit: seed must be 0"),
    (lambda: ps.fit(ps.load("all_pass_ring"), FLAT, [], columns={"p_dbm": "through"}), "Name at least one"),
    (lambda: ps.optimise(ps.load("clements_4x4"), ["*.phase"], target={"matrix": "none.npy"}, wl=1.55),
     "target: there is no file .*none.npy"),
    (lambda: budget(footprint={"*": -3.0}), "footprint of .*: area must be 0 or more, got -3"),
    (lambda: budget(wl=1550.0), "It looks like nm: write 1.55"),
    (lambda: budget(constants={"wall_plug_efficiency": {"value": 0.1, "low": 0.2, "high": 0.3}}),
     "wall_plug_efficiency: the value 0.1 must lie between low and high, got 0.2 and 0.3"),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "said"), CASES)
def test_what_cannot_be_answered_is_said_in_a_sentence(ask: Callable[[], Any], said: str) -> None:
    with pytest.raises(PhotosimError, match=said) as caught:
        ask()
    assert "\n" not in str(caught.value)

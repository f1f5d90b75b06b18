"""Sliders and a live spectrum in notebooks: what the Python side answers, and what it drops."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.widgets import Sliders
from photosim.widgets.widget import FOLDER

RING = ps.load("add_drop_ring")
WL = "1.548:1.554:301"


def sliders(**more: Any) -> Sliders:
    return Sliders(RING, ["ring.radius", "ring.coupling"], WL, **more)


def test_moving_a_slider_gives_the_spectrum_there() -> None:
    answer = sliders().answer({"number": 1, "values": {"ring.radius": 10.02}})
    assert answer is not None
    exact = RING(np.array(answer["wl"]), ring={"radius": 10.02})
    for curve, pair in zip(answer["curves"], [("in", "drop"), ("in", "through")], strict=True):
        np.testing.assert_allclose(curve["dB"], exact[pair].power_dB, atol=1e-3)
    assert answer["number"] == 1


def test_settings_that_are_left_out_stay_where_they_were_moved() -> None:
    one = sliders()
    one.answer({"number": 1, "values": {"ring.radius": 10.02}})
    one.answer({"number": 2, "values": {"ring.coupling": 0.1}})
    assert one.values == {"ring.radius": 10.02, "ring.coupling": 0.1}


def test_stale_questions_are_dropped() -> None:
    one = sliders()
    assert one.answer({"number": 5, "values": {"ring.radius": 10.1}}) is not None
    assert one.answer({"number": 4, "values": {"ring.radius": 9.0}}) is None
    assert one.answer({"number": 5, "values": {"ring.radius": 9.0}}) is None
    assert one.values["ring.radius"] == 10.1


def test_what_the_circuit_refuses_is_a_sentence_and_settings_stay() -> None:
    one = sliders()
    before = dict(one.values)
    for number, values in enumerate(({"ring.coupling": 2.0}, {"ring.radius": "x"}, {"ring.radios": 1.0}), 1):
        answer = one.answer({"number": number, "values": values})
        assert answer is not None
        assert answer["error"].endswith((".", "?"))
        assert "curves" not in answer
    assert one.values == before


def test_sliders_have_ranges_within_bounds_and_units() -> None:
    radius, coupling = sliders(ranges={"ring.radius": (9.5, 10.5)}).plain()
    assert (radius["low"], radius["high"], radius["unit"]) == (9.5, 10.5, "um")
    assert 0.0 <= coupling["low"] < coupling["value"] < coupling["high"] <= 1.0


@pytest.mark.parametrize(
    ("names", "more", "said"),
    [
        (["ring.radios"], {}, "Did you mean 'ring.radius'"),
        (["ring.radius"], {"ranges": {"ring.radius": (2.0, 1.0)}}, r"takes \(lowest, highest\)"),
        (["ring.radius"], {"pairs": [("in", "dorp")]}, "Did you mean 'drop'"),
    ],
)
def test_wrong_arguments(names: list[str], more: dict[str, Any], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Sliders(RING, names, WL, **more)


def test_without_names_the_settings_of_the_netlist_move() -> None:
    moved = set(Sliders(RING, [], WL).knobs)
    assert "ring.radius" in moved
    assert moved <= set(RING.parameters)


def test_the_widget_answers_changes_of_its_state() -> None:
    pytest.importorskip("anywidget", reason="the extra notebook is not installed")
    widget = RING.interact("ring.radius", wl=WL)
    first = widget.spectrum
    widget.question = {"number": 3, "values": {"ring.radius": 10.05}}  # as the page does
    assert widget.spectrum["number"] == 3
    assert widget.spectrum["curves"] != first["curves"]
    assert widget.values == {"ring.radius": 10.05}
    kept = widget.spectrum
    widget.question = {"number": 2, "values": {"ring.radius": 9.0}}  # late
    assert widget.spectrum == kept
    widget.set(**{"ring.radius": 9.9})
    assert widget.spectrum["number"] == 4
    with pytest.raises(ParameterError, match=r"no slider 'ring\.r'"):
        widget.set(**{"ring.r": 9.9})


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = (FOLDER / "spectrum.js").read_text(encoding="utf-8") + (FOLDER / "spectrum.css").read_text()
    assert not re.search(r"https?://|\bimport\b.*from|@import|fetch\(", text)
    packaged = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert '"photosim.widgets" = ["*.js", "*.css"]' in packaged


def test_circuits_without_ports_say_so() -> None:
    with pytest.raises(ParameterError, match="exposes no port"):
        Sliders(ps.load("link"), [])

"""Reprs of a few lines, and what notebooks show of every noun."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import photosim as ps
from photosim.display import Brief, brief, properties, table
from photosim.errors import ParameterError
from photosim.testing.law import Example
from photosim.timedomain import waveforms
from photosim.training.devices.bank.weight_bank import WeightBank
from photosim.training.devices.mesh.mesh import Mesh


@cache
def nouns() -> dict[str, Any]:
    """Return one of every noun that a notebook may end a cell with."""
    ring, grid = ps.load("add_drop_ring"), ps.wavelengths(1.549, 1.553, 101)
    mesh = Mesh.from_circuit(ps.load("clements_4x4"))
    bank = WeightBank.from_circuit(ps.load("mrr_weight_bank_1x4"), "bank")
    x, y = load_iris(return_X_y=True)
    network = ps.training.PhotonicClassifier(hidden_layer_sizes=(5,), max_iter=2, random_state=0).fit(x, y)
    s = ring(grid)
    return {
        "circuit": ring,
        "netlist": ring.netlist,
        "plan": ring.plan,
        "matrix": s,
        "batch": ring(grid, ring={"radius": np.array([9.9, 10.1])}),
        "trace": s["in", "drop"],
        "link": ps.link(ps.load("link")),
        "mesh": mesh,
        "programmed mesh": mesh.program(np.eye(4)),
        "bank": bank,
        "programmed bank": bank.program(np.array([[0.1, -0.3], [0.2, 0.4]])),
        "network": network.network_.network,
        "trained": network.network_,
        "waveform": waveforms.prbs(1e9),
        "sine": waveforms.sine(1e9),
    }


NAMES = ("circuit", "netlist", "plan", "matrix", "batch", "trace", "link", "mesh", "programmed mesh", "bank",
         "programmed bank", "network", "trained", "waveform", "sine")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_repr_is_a_few_lines(name: str) -> None:
    text = repr(nouns()[name])
    assert len(text.splitlines()) <= 12
    assert len(text) <= 600
    assert " at 0x" not in text


def test_a_drawing_and_a_report_of_laws_print_as_one_line() -> None:
    drawing = nouns()["circuit"].draw()
    assert repr(drawing) == f"Drawing({drawing.scene.width:.0f} x {drawing.scene.height:.0f} px)"
    kept = ps.testing.check("attenuator", examples=3)
    assert repr(kept) == f"Report(attenuator: all {len(kept.verdicts)} laws kept)"
    bad = replace(kept.verdicts[1], broken_at=Example(np.array([1.55]), {}, 0))
    broken = replace(kept, verdicts=(kept.verdicts[0], bad))
    assert repr(broken) == f"Report(attenuator: 1 of 2 laws broken: {bad.law.name})"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_it_as_a_table_or_a_picture(name: str) -> None:
    html = nouns()[name]._repr_html_()
    assert "<table" in html or "<img" in html
    assert html.count("<div") == html.count("</div>")
    for kind, data in re.findall(r'src="data:image/([^;]+);base64,([^"]+)"', html):
        start = base64.b64decode(data)[:8]
        assert start.startswith(b"<svg" if kind == "svg+xml" else b"\x89PNG")
    assert "http://" not in re.sub(r'src="[^"]*"', "", html)  # nothing is fetched


def test_a_circuit_shows_drawing_ports_and_settings_with_units() -> None:
    html = nouns()["circuit"]._repr_html_()
    assert "data:image/svg+xml" in html
    assert ">ring.radius<" in html
    assert ">um<" in html


def test_a_netlist_that_cannot_be_drawn_says_why_and_keeps_its_table() -> None:
    netlist = ps.Netlist({"a": ps.part("no_such_thing", length=3.0)})
    html = netlist._repr_html_()
    assert "No drawing" in html
    assert "length: 3.0" in html


def test_a_matrix_shows_extremes_between_the_points_of_its_grid() -> None:
    html = nouns()["matrix"]._repr_html_()
    dips = [float(number) for number in re.findall(r">(-\d+\.\d+)<", html)]
    exact = ps.load("add_drop_ring")(ps.wavelengths(1.5511, 1.5513, 20001))["in", "through"].power_dB.min()
    assert min(abs(dip - exact) for dip in dips) < 2e-3


def test_results_are_plotted_by_the_names_of_their_pictures() -> None:
    link = nouns()["link"]
    assert link.plot("noise").axes
    with pytest.raises(ParameterError, match=r"has no picture 'nois'. It has: powers, noise. Did you mean"):
        link.plot("nois")


def test_brief_records_cut_what_is_long_and_name_what_is_nested() -> None:
    import dataclasses

    @dataclasses.dataclass
    class Inner:
        name: str = "x"

    @dataclasses.dataclass
    class Record(Brief):
        values: Any
        many: Any
        inner: Inner
        text: str

    one = Record(np.zeros((3, 4)), {str(k): k for k in range(40)}, Inner(), "t" * 500)
    text = repr(one)
    assert text == brief(one)
    assert "values=<3 x 4 real>" in text
    assert "many=<40 entries: 0, 1, ...>" in text
    assert "inner=Inner('x')" in text
    assert len(text) <= 240


def test_tables_escape_what_they_show_and_say_what_they_leave_out() -> None:
    html = table(("a<b", "n"), [("<i>", k) for k in range(20)], "A & B")
    assert "a&lt;b" in html
    assert "&lt;i&gt;" in html
    assert "A &amp; B" in html
    assert "and 4 more rows" in html
    assert "empty" not in properties("P", {"empty": "", "one": 1})


def test_a_trace_of_one_wavelength_says_its_level_once() -> None:
    drop = ps.load("add_drop_ring")(1.55)["in", "drop"]
    assert repr(drop) == "Trace(in to drop: 1 wavelength, 1.55 um, -28.56 dB)"


def test_a_netlist_counts_its_instances() -> None:
    ring = ps.load("add_drop_ring").netlist
    assert repr(ring).startswith("Netlist('add_drop_ring': 1 instance, 0 connections, ports in")
    assert "5 instances, 4 connections" in repr(ps.load("link").netlist)

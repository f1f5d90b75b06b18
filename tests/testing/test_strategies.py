"""Strategies draw what they promise, and what fails shrinks to something that people read."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.app import app
from photosim.errors import ParameterError
from photosim.model import registry
from photosim.testing import check
from photosim.testing import strategies as sts
from photosim.testing.dense import dense
from photosim.testing.strategies import WrittenNetlist
from photosim.timedomain.waveforms import read_waveform

FIVE: Any = 5
FEW = ("coupler", "crossing", "straight")
"""Shrinking tries the plainest circuits again and again: of few kinds, in seconds."""
FINDING = settings(max_examples=1000, database=None, derandomize=True, deadline=None)


@given(st.data())
def test_settings_are_accepted_by_their_component(data: st.DataObject) -> None:
    model = data.draw(sts.components())
    model.check(data.draw(sts.settings(model)))


@pytest.mark.parametrize(
    ("passive", "reciprocal", "unitary"),
    [
        (True, False, False),
        (True, True, False),
        (True, False, True),
        (True, True, True),
        (False, True, False),
    ],
)
@given(data=st.data())
def test_smatrices_are_what_was_asked(
    data: st.DataObject, passive: bool, reciprocal: bool, unitary: bool
) -> None:
    s = data.draw(
        sts.smatrices(st.integers(1, 5), passive=passive, reciprocal=reciprocal, unitary=unitary, count=2)
    )
    if passive:
        assert np.linalg.norm(s, 2, axis=(-2, -1)).max() <= 1 + 1e-12
    if reciprocal:
        np.testing.assert_allclose(s, np.swapaxes(s, -2, -1), atol=1e-12)
    if unitary:
        eye = np.broadcast_to(np.eye(s.shape[-1]), s.shape)
        np.testing.assert_allclose(np.swapaxes(s, -2, -1).conj() @ s, eye, atol=1e-12)


@given(sts.wavelengths(1.3, 1.4, count=4))
def test_wavelengths_rise_inside_their_band(wl: Any) -> None:
    assert wl.shape == (4,)
    assert 1.3 <= wl[0] <= wl[-1] <= 1.4
    assert (np.diff(wl) >= 0).all()


@settings(max_examples=60)
@given(st.one_of(sts.netlists(), sts.netlists(modes=True, most=4)), sts.wavelengths(count=2))
def test_netlists_are_valid_and_composed_as_densely(netlist: WrittenNetlist, wl: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ps.PhotosimWarning)
        circuit = ps.Circuit(dict(netlist))
        assert circuit.ports
        try:
            values, expected = circuit(wl).values, dense(circuit, wl)
        except (ps.SingularCircuit, np.linalg.LinAlgError):
            return  # light that never leaves a closed loop
    np.testing.assert_allclose(values, expected, atol=1e-7)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(sts.circuits(feedback=False, reflections=False, most=5))
def test_circuits_keep_the_laws(circuit: ps.Circuit) -> None:
    check(circuit, examples=2)


@settings(max_examples=15)
@given(sts.netlists(("ring_double", "mzi", "width_step"), most=3))
def test_netlists_are_drawn_of_composites_too(netlist: WrittenNetlist) -> None:
    assert ps.Circuit(dict(netlist)).ports


@pytest.mark.parametrize(
    ("name", "why"), [("laser", "is of kind 'source'"), ("sampled", "reads a file by its setting 'file'")]
)
def test_netlists_are_never_drawn_of_parts_without_a_matrix(name: str, why: str) -> None:
    with pytest.raises(ParameterError, match=f"{name!r} {why}"):
        find(sts.netlists((name,)), lambda _: True, settings=FINDING)


@given(sts.netlists(feedback=False, reflections=False))
def test_without_feedback_light_goes_forward_alone(netlist: WrittenNetlist) -> None:
    order = [
        (int(a.partition(",")[0][1:]), int(b.partition(",")[0][1:]))
        for a, b in netlist["connections"].items()
    ]
    assert all(first < second for first, second in order)


@settings(max_examples=150)
@given(sts.damaged_netlists())
def test_damaged_netlists_are_refused_with_their_sentence(damaged: sts.Damaged) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ps.PhotosimWarning)
        with pytest.raises(damaged.error) as caught:
            ps.Circuit(dict(damaged.netlist))
    assert re.search(damaged.sentence, str(caught.value))
    assert damaged.kind in sts.DAMAGES


@given(sts.waveforms(-1.0, 2.0))
def test_waveforms_are_read_and_stay_inside(written: dict[str, Any]) -> None:
    values = read_waveform(written).sample(np.arange(64) / 1e11)
    assert -1.0 - 1e-9 <= values.min() <= values.max() <= 2.0 + 1e-9


def test_what_fails_shrinks_to_a_few_parts_that_check_reads(tmp_path: Path) -> None:
    def has_a_lossy_coupler(netlist: WrittenNetlist) -> bool:
        parts = netlist["instances"].values()
        return any(p["component"] == "coupler" and p["settings"]["loss_dB"] > 1.0 for p in parts)

    smallest = find(sts.netlists(parts=FEW, most=4), has_a_lossy_coupler, settings=FINDING)
    assert len(smallest["instances"]) == 1
    assert yaml.safe_load(repr(smallest)) == dict(smallest)
    file = tmp_path / "smallest.yml"
    file.write_text(repr(smallest), encoding="utf-8")
    assert ps.load(file).ports


def test_netlists_with_modes_join_them_whole_and_one_by_one() -> None:
    def joined(netlist: WrittenNetlist, *, whole: bool) -> bool:
        return any(
            netlist["instances"][end.partition(",")[0]]["component"] in sts.MODE_PARTS
            and ("@" in end) != whole
            for pair in netlist["connections"].items()
            for end in pair
        )

    drawn = sts.netlists(parts=("straight",), modes=True)
    for of_one_kind in (lambda n: joined(n, whole=True), lambda n: joined(n, whole=False)):
        found = find(drawn, of_one_kind, settings=settings(FINDING, phases=[Phase.generate]))
        assert ps.Circuit(dict(found)).ports


@pytest.mark.nightly
def test_a_failing_circuit_is_shown_as_yaml_that_check_reads(tmp_path: Path) -> None:
    smallest = find(
        sts.circuits(parts=FEW, most=4),
        lambda c: "straight" in {p.model.name for p in c.graph.parts},
        settings=FINDING,
    )
    assert len(smallest.graph.parts) == 1
    file = tmp_path / "smallest.yml"
    file.write_text(repr(smallest), encoding="utf-8")
    done = CliRunner().invoke(app, ["check", str(file)], prog_name="photosim")
    assert done.exit_code == 0, done.stderr


def test_kinds_that_do_not_exist_are_named() -> None:
    with pytest.raises(
        ParameterError, match=r"There are no components of kind 'magic'\. The kinds are: block, "
    ):
        sts.components(kinds=("magic",))
    assert registry.known("straight")


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: sts.netlists(parts=FIVE), "parts must be"),
        (lambda: sts.netlists(parts=("couplr",)), "coupler"),
        (lambda: sts.netlists(parts=("photodetector",)), "photodetector"),
        (lambda: sts.netlists(most=0), "most must be 1 or more, got 0"),
        (lambda: sts.damaged_netlists(parts=()), "one component or more"),
        (lambda: sts.circuits(loops=True), "loops"),
        (lambda: sts.components(kinds="optical"), "no components of kind 'optical'"),
        (lambda: sts.components(kinds=("source", "lens")), "no components of kind 'lens'"),
        (lambda: sts.wavelengths(1.6, 1.5), "got 1.6, 1.5"),
        (lambda: sts.wavelengths(count=0), "and 0"),
        (lambda: sts.smatrices(0), "got 0"),
        (lambda: sts.smatrices(2, count=0), "count must be 1 or more"),
        (lambda: sts.waveforms(1.0, 0.0), "low must not be above high"),
        (lambda: sts.settings(FIVE), "component must be"),
        (lambda: sts.settings("strait"), "straight"),
    ],
)
def test_a_wrong_argument_of_a_strategy_is_a_sentence(ask: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(says)):
        ask()

"""Settings as a vector: which they are, their bounds and scales, and slopes against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize

import photosim as ps
from photosim.errors import ParameterError

RINGS = {
    "settings": {"gap": 0.2},
    "instances": {
        "one": {"component": "ring_double", "settings": {"radius": 10.0, "gap": "gap"}},
        "two": {"component": "straight", "settings": {"length": 50.0}},
        "turn": {"component": "phase_shifter", "settings": {"phase": 0.3}},
    },
    "connections": {"one,through": "two,o1", "two,o2": "turn,o1"},
    "ports": {"in": "one,o1", "drop": "one,o2", "add": "one,o3", "out": "turn,o2"},
}


@pytest.fixture(scope="module")
def circuit() -> ps.Circuit:
    return ps.Circuit(RINGS)


def test_patterns_choose_settings_and_leave_out_what_follows(circuit: ps.Circuit) -> None:
    mesh = ps.load("clements_4x4")
    assert len(mesh.vector(["*.phase"])) == 16
    assert len(mesh.vector("*.p*")) == 6 * 2 - 6 + 4 + 6  # phi and the phases of inner and end, not of outer
    assert mesh.vector(["*.theta", "*.phi", "end?.phase"]).names[:2] == ("b00.phi", "b00.theta")
    assert circuit.vector(["gap", "turn.phase"]).names == ("gap", "turn.phase")
    assert "one.gap" not in circuit.vector("*gap").names


def test_bounds_scales_and_start(circuit: ps.Circuit) -> None:
    v = circuit.vector(
        ["two.length", "turn.phase"], bounds={"turn.*": (0.0, 6.0), "two.length": (None, 80.0)}
    )
    assert v.scales.tolist() == [50.0, pytest.approx(np.pi)]
    assert v.bounds == [(0.0, 1.6), (0.0, pytest.approx(6.0 / np.pi))]
    assert v.values(v.x0) == {"two.length": 50.0, "turn.phase": pytest.approx(0.3)}
    np.testing.assert_allclose(v.vector({"turn.phase": np.pi, "two.length": 25.0}), [0.5, 1.0])
    assert circuit.vector("two.length", scales={"*": 2.0}).x0.tolist() == [25.0]
    batch = circuit(1.55, **v.settings(np.tile(v.x0, (3, 1))))
    assert batch.values.shape[0] == 3


def test_slopes_and_a_search_by_scipy(circuit: ps.Circuit) -> None:
    wl = ps.wavelengths(1.549, 1.551, 5)
    v = circuit.vector(
        ["gap", "one.radius", "turn.phase"], bounds={"gap": (0.15, 0.3), "one.radius": (9.9, 10.1)}
    )
    f = v.objective(ps.losses.power([("in", "drop")]), wl=wl)
    steps = 1e-7 * np.eye(len(v))
    slopes = [(f(v.x0 + step)[0] - f(v.x0 - step)[0]) / 2e-7 for step in steps]
    np.testing.assert_allclose(f(v.x0)[1], slopes, rtol=1e-5, atol=1e-6)
    found = minimize(f, v.x0, jac=True, bounds=v.bounds, method="L-BFGS-B")
    assert found.fun < f(v.x0)[0]
    loss = ps.losses.power([("in", "drop")])(circuit(wl, **v.settings(found.x)))[0]
    assert loss == pytest.approx(found.fun)


@pytest.mark.parametrize(
    ("names", "options", "text"),
    [
        (["*.phse"], {}, r"No setting of circuit '.*' matches '\*\.phse'.*Did you mean"),
        (["turn.phas"], {}, "The circuit has no setting 'turn.phas'. Did you mean 'turn.phase'"),
        ([], {}, "Name at least one setting, or a pattern"),
        (["gap", "one.gap"], {}, "'one.gap' follows from 'gap': name one of them"),
        (
            ["gap"],
            {"bounds": {"gp": (0, 1)}},
            "bounds: the vector has no setting like 'gp'. Did you mean 'gap'",
        ),
        (
            ["gap"],
            {"bounds": {"gap": (1, 0)}},
            r"'gap' must have \(low, high\), low below high, got \(1, 0\)",
        ),
        (["two.length"], {"bounds": {"*": (-1, 1)}}, "must lie within those of the component, 0 to"),
        (["gap"], {"scales": {"gap": 0}}, "scales: 'gap' must have a positive number, got 0"),
    ],
)
def test_wrong_vectors_are_one_sentence(circuit: ps.Circuit, names: Any, options: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        circuit.vector(names, **options)
    with pytest.raises(ParameterError, match=r"A vector of these settings is 1 finite numbers, shape \(1,\)"):
        circuit.vector("gap").values([np.nan])

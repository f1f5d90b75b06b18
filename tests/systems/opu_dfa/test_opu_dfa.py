"""The co-processor in small: rules start alike, the medium does what exact products do, and drift costs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.systems import Options
from photosim.systems.harness import graph_runs
from photosim.systems.harness.optics import Point, graph_rule, medium, rule_of
from photosim.systems.opu_dfa.runs import Recipe, train
from photosim.systems.opu_dfa.system import SYSTEM
from photosim.training.rules import TernaryDFA

DIGITS = Options("digits", None, 1, quick=True)
RECIPE = Recipe((48, 48), epochs=4, batch_size=32, learning_rate=3e-3)


def run(name: str, point: Point | None = None, recipe: Recipe = RECIPE, seed: int = 0) -> dict[str, Any]:
    return train(DIGITS, recipe, name, point or Point(), seed, None, lambda _done, _total: None)


@pytest.fixture(scope="module")
def optical() -> dict[str, Any]:
    """The medium with the netlist's camera."""
    return run("optical")


def test_rules_stand_in_their_order(optical: dict[str, Any]) -> None:
    backprop, shallow, ternary = (run(name)["accuracy"] for name in ("backprop", "shallow", "ternary"))
    assert shallow + 2.0 < ternary <= backprop + 1.0
    # 360 test images: one standard error of a difference is about 1 %.
    assert optical["accuracy"] == pytest.approx(ternary, abs=3.0)
    assert np.max(optical["angles"][-1]) < 90.0


def test_the_work_of_the_optics_is_counted(optical: dict[str, Any]) -> None:
    # At most two signs in two phase steps for each training sample and epoch; zeros are skipped.
    assert 0 < optical["frames"] <= 4 * 1437 * 4
    assert optical["frames"] % 4 == 0
    assert optical["minutes"] == pytest.approx(optical["frames"] * 500e-6 / 60.0)
    assert optical["light_J"] == pytest.approx(1e-3 * 0.99 * optical["frames"] * 500e-6, rel=1e-2)
    assert 20.0 < optical["electrons"] < 80.0  # 102 of 1024 mirrors: a tenth of twice 220


def test_a_medium_that_forgets_within_the_run_costs_accuracy(optical: dict[str, Any]) -> None:
    lost = run("optical", Point(persistence=0.3))
    assert lost["accuracy"] < optical["accuracy"] - 2.0


def test_more_pixels_have_the_light_of_the_netlists_own() -> None:
    small, large = (medium([width], 10, 1, Point())[0].chain for width in (64, 3000))
    powers = [np.mean(np.abs(chain.fields(np.eye(10))) ** 2) for chain in (small, large)]
    assert powers[1] == pytest.approx(powers[0], rel=0.1)
    references = [abs(chain.reference_at_pixel) for chain in (small, large)]
    assert references[1] == pytest.approx(references[0], rel=1e-9)


def test_exact_rules_have_the_mediums_matrix() -> None:
    optics = medium([30, 20], 10, 5, Point())
    rule = rule_of("ternary", optics, 0.15)
    assert isinstance(rule, TernaryDFA)
    for exact, own in zip(rule.feedback, optics, strict=True):
        np.testing.assert_allclose(exact.matrix(), own.matrix(), atol=1e-6)
    assert np.std(optics[0].matrix()) == pytest.approx(1.0 / np.sqrt(30), rel=0.15)


def test_recipes_of_cases_tell_them_apart() -> None:
    for data in ("mnist", "cora", "digits"):
        cases = SYSTEM.cases(Options(data, None, 1))
        assert {"backprop", "shallow", "dfa", "ternary", "optical"} <= {case.name for case in cases}
        assert all("threshold" in case.recipe or "values" in case.recipe for case in cases)


def test_graph_rules_learn_the_digits() -> None:
    recipe = replace(graph_runs.FED_BACK, epochs=60)
    options = Options("digits", None, 1)
    found = {
        name: graph_runs.compute(
            options, recipe, name, partial(graph_rule, "opu"), 0, Path(), lambda _a, _b: None
        )
        for name in ("backprop", "ternary", "optical")
    }
    for own in found.values():
        assert own["accuracy"] > 75.0
    # 200 labelled digits alone show anything: the other nodes' errors are zero and cost no frame.
    assert 0 < found["optical"]["frames"] <= 60 * 200 * 4

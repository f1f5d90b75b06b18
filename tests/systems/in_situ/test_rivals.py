"""Rules compared on the circle: what they cost, what is counted, and what a reader is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from photosim.systems.harness.system import Outcome
from photosim.systems.in_situ import rivals
from photosim.systems.in_situ import system as in_situ
from photosim.systems.in_situ.rivals import RIVALS, Rival, compared, pictures, runs_to, tables

TASK = in_situ._comparison()
PARAMETERS = 3 * (2 * 6 + 4)


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.rule)
def test_runs_are_counted_alike_for_all_rules(rival: Rival) -> None:
    told: list[tuple[int, int]] = []
    found = compared(TASK, rival, [7], 1, lambda done, total: told.append((done, total)))
    passes = {"in-situ": 3, "finite-difference": PARAMETERS + 1}.get(rival.rule, 2 * (rival.repeats or 0))
    assert found["runs"] == 200 * 3 * passes  # samples, meshes
    assert found["curves"].shape == (1, 1)
    assert told[-1] == (1, 1)


def test_all_rules_get_about_as_many_runs() -> None:
    passes = {"in-situ": 3, "finite-difference": PARAMETERS + 1}
    runs = [rival.epochs * passes.get(rival.rule, 2 * (rival.repeats or 0)) for rival in RIVALS]
    assert max(runs) < 1.1 * min(runs)


def test_starts_differ_and_repeat() -> None:
    rival = replace(RIVALS[2], repeats=1)
    one, other, again = (
        compared(TASK, rival, starts, 3, lambda _done, _total: None)["curves"]
        for starts in ([1, 2], [2], [1, 2])
    )
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(one[1:], other)
    assert np.any(one[0] != one[1])


def test_gradients_measured_in_situ_need_fewer_runs_than_differences() -> None:
    in_place, differences = (
        compared(TASK, rival, [1, 2, 3], epochs, lambda _done, _total: None)
        for rival, epochs in ((RIVALS[0], 8), (RIVALS[1], 1))
    )
    assert in_place["runs"] < 0.5 * differences["runs"]
    assert in_place["accuracy"] > differences["accuracy"]


def test_what_is_shown_of_an_outcome() -> None:
    rising, low = np.array([[50.0, 80.0, 95.0], [60.0, 84.0, 97.0]]), np.full((2, 3), 60.0)
    assert runs_to(rising, 300.0) == 300.0
    assert runs_to(rising, 300.0, 82.0) == 200.0
    assert runs_to(low, 300.0) == np.inf
    made = {
        RIVALS[0].case: {0: {"curves": rising, "runs": 300}, 1: {"curves": rising, "runs": 300}},
        RIVALS[2].case: {0: {"curves": low, "runs": 400}},
    }
    (table,) = tables(Outcome(made))
    assert table.rows[0] == ("in-situ", "4", "300", "96.0", "1.2", "300")
    assert table.rows[1] == ("spsa", "2", "400", "60.0", "0.0", "over 400")
    (alone,) = tables(Outcome({RIVALS[2].case: {0: {"curves": low[:1], "runs": 400}}}))
    assert alone.rows[0][4] == "-"
    (chart,) = pictures(Outcome(made))
    assert [curve.label for curve in chart.curves] == ["in-situ", "spsa"]
    np.testing.assert_allclose(np.asarray(chart.curves[1].x), np.array([400 / 3, 800 / 3, 400.0]))
    assert tables(Outcome({})) == []
    assert pictures(Outcome({})) == []
    assert {case.name for case in rivals.cases(TASK, quick=True)} == {own.case for own in RIVALS}

"""The laser network: its netlist decides the accuracy, and its cases run in small and go on when killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.systems.harness.catalogue import find_system
from photosim.systems.harness.system import Options, is_comparable
from photosim.systems.laser_reservoir import checks, tasks
from photosim.systems.laser_reservoir.recipe import SMALL, device, images, patterns, ridge, states
from photosim.systems.laser_reservoir.runs import ceiling, classes, noisy, study

OPTIONS = Options("digits", None, 1, quick=True)
TINY = replace(
    SMALL, learnt=600, judged=300, evaluations=200, bits=(2,), bit_evaluations=200, readings=400, steady=5,
    hours=2.0, compared=1, spectra=1, settled=0.05e-9, window=0.05e-9, study=100, study_evaluations=20,
    firsts=(1, 5), decays=(50.0,),
)  # fmt: skip


def quiet(_done: int, _total: int) -> None:
    return


def accuracy(**settings: Any) -> float:
    """Accuracy in % of ridge regression on nodes as detectors read them, with other settings."""
    own = images(OPTIONS, TINY)
    made = device(OPTIONS, own.side, 0, **settings)
    rng = np.random.default_rng(0)
    learnt, judged = (
        noisy(made, made.states(patterns(part, own.side)), rng) for part in (own.learnt, own.judged)
    )
    return ridge(learnt, own.learnt_y, own.classes).accuracy(judged, own.judged_y)


def test_the_netlist_decides_the_accuracy() -> None:
    as_written = accuracy()
    assert as_written > 88.0
    assert accuracy(**{"laser.rin_dB_Hz": -68}) < as_written - 3.0  # 40 % of a reading
    assert accuracy(**{"fibre.speckle": 12.0, "fibre.transmission": 0.01}) < as_written - 3.0
    assert accuracy(**{"fibre.transmission": 1e-6}) < as_written - 3.0  # light that reaches the laser
    assert accuracy(**{"vcsel.index": 0.5}) < as_written - 2.0  # cells coupled seven times as far


def test_cases_in_small(tmp_path: Path) -> None:
    file = tmp_path / "classes.npz"
    found = classes(OPTIONS, TINY, 0, file, quiet)
    assert found["ridge"] > found["greedy-boolean"] > 60.0
    assert found["greedy-boolean evaluations"] == 2000
    assert found["greedy-ternary readings"] == 4020
    assert found["greedy-boolean clipped"] == 0
    with np.load(file) as kept:
        np.savez(file, **{**dict(kept.items()), "greedy-boolean": 12.5})  # what is kept is not computed again
    again = classes(OPTIONS, TINY, 0, file, quiet)
    assert again["greedy-boolean"] == 12.5
    assert again["multi-flip-ternary"] == found["multi-flip-ternary"]
    steps = ceiling(OPTIONS, TINY, 0, tmp_path / "a", quiet)
    assert set(steps) == {"pixels", "grey pixels", "nodes", "grey nodes", "speckle", "laser", "noise"}
    assert steps["laser"] == found["ridge"]
    steady = tasks.consistency(OPTIONS, TINY, 0, tmp_path / "b", quiet)
    assert 90.0 < steady["least"] <= steady["mean"] < 100.0
    bits = tasks.bits(OPTIONS, TINY, 0, tmp_path / "c", quiet)
    assert bits["dac multi-flip-ternary"] < 0.05
    assert bits["xor multi-flip-ternary"] <= 25.0


def test_study_and_checks_go_on_where_they_were(tmp_path: Path) -> None:
    found = study(OPTIONS, TINY, 0, tmp_path / "study.npz", quiet)
    assert all(len(own) == 2 for own in found.values())
    kept = np.load(tmp_path / "study.npz")["done"]
    np.savez(tmp_path / "study.npz", done=np.append(9.0, kept[1:-1]))
    again = study(OPTIONS, TINY, 0, tmp_path / "study.npz", quiet)
    assert again["headers boolean"][0] == 9.0
    assert again["classes ternary"][-1] == found["classes ternary"][-1]
    held = checks.field(OPTIONS, TINY, 0, tmp_path / "field.npz", quiet)
    assert held["images"] == 1
    assert held["least"] == held["correlation"]
    shown = checks.locking(OPTIONS, TINY, 0, tmp_path / "locking.npz", quiet)
    assert 0.0 < shown["worst"] == max(shown["off"]) < 100.0
    assert np.sum(10 ** (np.array(shown["power"]) / 10)) == pytest.approx(1.0, abs=1e-3)
    assert len(shown["frequency"]) == len(shown["power"]) == 10


def test_bits_are_stripes() -> None:
    shown = tasks.shown_bits(2, 8).reshape(4, 12, 12)
    assert (shown[:, :2] == 1).all()
    np.testing.assert_array_equal(shown[2, 5, 2:10], [1, 1, 1, 1, 0, 0, 0, 0])


def test_published_figures_stand_beside_mnist_alone() -> None:
    system = find_system("laser-reservoir")
    assert is_comparable(system, system.options(data="mnist"), "classes")
    assert not is_comparable(system, system.options(quick=True), "classes")


def test_states_are_computed_once_for_all_cases_of_a_seed() -> None:
    one = states(OPTIONS, TINY, 0, quiet)
    assert states(OPTIONS, TINY, 0, quiet)[0] is one[0]
    assert states(OPTIONS, TINY, 1, quiet)[0] is not one[0]
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(one[0], states(OPTIONS, TINY, 1, quiet)[0])

"""Spectrum slicing: its netlists decide what is learnt, its costs are counted, its cases run in small."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.systems.harness.catalogue import find_system
from photosim.systems.harness.system import Options, is_comparable
from photosim.systems.spectrum_slicing.chip import lattice_couplings, matched
from photosim.systems.spectrum_slicing.recipe import (
    FULL,
    SMALL,
    Recipe,
    back_end,
    decorrelated,
    images,
    slicer,
    standardised,
    trained,
)
from photosim.systems.spectrum_slicing.runs import by_nodes, candidates, convolved, costs, search, sliced

OPTIONS = Options("digits", None, 1, quick=True)
TINY = replace(SMALL, learnt=500, judged=300, epochs=8, searched=60, held=40, swept=(1, 3), swept_images=100)


def quiet(_done: int, _total: int) -> None:
    return


def accuracy(recipe: Recipe, **settings: Any) -> float:
    """Test accuracy in % of one layer behind the slicer, with other settings of its netlist."""
    x, y, judged, judged_y, along, classes = images(OPTIONS, recipe)
    device = slicer(recipe.optics, along, **settings)
    raw = [
        device.features(one, np.random.default_rng(k)).reshape(len(one), -1)
        for k, one in enumerate((x, judged))
    ]
    a, b = standardised(*raw)
    found = trained(back_end(a.shape[1], 0, classes), (a, y, b, judged_y, classes), recipe, 0, quiet)
    return float(found["accuracy"])


def test_the_netlist_decides_the_accuracy() -> None:
    as_written = accuracy(TINY)
    assert as_written > 88.0
    assert accuracy(TINY, tia_noise_density=3e-10) < as_written - 3.0
    assert accuracy(TINY, adc_bits=3) < as_written - 3.0
    assert accuracy(TINY, loss_dB=6.0, tia_gain=1500.0) < as_written - 3.0  # of every cell, four to a filter
    assert accuracy(TINY, bandwidth=0.03e9) < as_written - 3.0  # detectors that forget no patch


def test_cases_in_small(tmp_path: Path) -> None:
    found = sliced(OPTIONS, TINY, TINY.chip, 20, 0, tmp_path / "a", quiet)
    assert found["noise"] < found["reading"]
    assert min(found["one"], found["two"]) > 80.0
    again = sliced(OPTIONS, TINY, TINY.chip, 20, 0, tmp_path / "a", quiet)
    np.testing.assert_array_equal(found["one curve"], again["one curve"])
    assert min(convolved(OPTIONS, TINY, 0, tmp_path / "b", quiet)[k] for k in ("one", "two")) > 85.0
    swept = by_nodes(OPTIONS, TINY, 0, tmp_path / "c", quiet)
    assert swept["one"][1] > swept["one"][0]


def test_a_killed_search_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "search.npz"
    whole = search(OPTIONS, TINY, 0, file, quiet)
    assert len(whole["found"]) == len(candidates(TINY))
    kept = np.load(file)["found"]
    np.savez(file, found=np.concatenate([[99.0], kept[1:-1]]))  # what is kept is not computed again
    again = search(OPTIONS, TINY, 0, file, quiet)
    assert again["found"][0] == again["best"] == 99.0
    assert again["found"][-1] == whole["found"][-1]


def test_costs_are_counted(tmp_path: Path) -> None:
    found = costs(OPTIONS, TINY, 0, tmp_path / "d", quiet)
    readings = 36 * 7
    assert found["ideal one"][:2] == [readings * 10 + 10, readings * 10]
    assert found["digital one"][0] == 7 * (3 * 3 + 1) + 7 * 36 * 10 + 10
    assert found["digital one"][1] == 7 * 36 * 9 + 7 * 36 * 10
    pixels = 36 * 9 * 67.5e-3  # ns
    assert found["ideal one"][3] == pytest.approx(pixels, rel=0.2)
    # 42 cells at half a turn of heat each, and the laser's 0.1 W at 20 %, for that long.
    light, heat = found["ideal parts"][:2]
    assert heat == pytest.approx(42 * 1.34e-3 / 0.5 * light, rel=0.5)


def test_decorrelated_readings_say_the_same() -> None:
    rng = np.random.default_rng(0)
    common = rng.normal(size=(400, 1, 6))
    raw = (common + 0.05 * rng.normal(size=(400, 3, 6))).reshape(400, -1)
    learnt, judged = decorrelated(raw, raw[:7], 3, 1e-9)
    for patch in range(6):
        own = learnt.reshape(400, 3, 6)[..., patch]
        np.testing.assert_allclose(own.T @ own / 400, np.eye(3), atol=1e-4)
    wanted = raw @ rng.normal(size=18)  # what a layer makes of the one, another makes of the other
    weights, *_ = np.linalg.lstsq(learnt, wanted, rcond=None)
    np.testing.assert_allclose(judged @ weights, wanted[:7], atol=1e-8)
    assert decorrelated(raw, raw[:7], 3, None)[0] is raw


def test_published_figures_stand_beside_mnist_alone() -> None:
    system = find_system("spectrum-slicing")
    assert {case.name for case in system.cases(system.options())} >= {
        row.case for row in system.rows(OPTIONS)
    }
    assert is_comparable(system, system.options(data="mnist"), "ideal")
    assert not is_comparable(system, system.options(quick=True), "ideal")
    assert FULL.optics.scan.patches(28) * 7 == 1183


@pytest.mark.parametrize(
    ("order", "wanted"),
    [(1, [0.5, 0.5]), (2, [0.1464, 0.5, 0.8536]), (3, [0.0347, 0.3170, 0.3170, 0.9653])],
)
def test_a_maximally_flat_lattice_turns_by_a_whole_coupler(order: int, wanted: list[float]) -> None:
    """At the middle of its pass band all couplers act together: their angles add to one that crosses."""
    found = lattice_couplings(order)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    angles = np.arcsin(np.sqrt(found))
    total = np.abs(sum(sign * angle for sign, angle in zip([1] * order + [-1], angles, strict=True)))
    assert min(abs(total), abs(total - np.pi / 2)) < 1e-6


def test_matched_rings_leave_the_bus_dark() -> None:
    a, t0 = 10 ** (-3.0 / 20), np.sqrt(1 - 0.6)
    t1 = np.sqrt(1 - matched(0.6))
    back = (t1 - t0 * a) / (1 - t1 * t0 * a)
    assert abs(t0 - a * back) < 1e-12

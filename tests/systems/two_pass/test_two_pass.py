"""The system `two-pass` in small: what its parts are, what its gate answers, what an update costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from photosim.systems import find_system, reproduce
from photosim.systems.harness.system import Options
from photosim.systems.two_pass.networks import Hardware, Recipe, build, cost, first_above, pixels, train
from photosim.systems.two_pass.optical_xor import BITS, xor_gate
from photosim.systems.two_pass.system import NAMES, PUBLISHED_WIDTHS
from photosim.training.layers import Dense, Dropout
from photosim.training.layers.branches import HeldBranches
from photosim.training.layers.held import HeldDense


def test_pictures_come_column_by_column() -> None:
    data = pixels(Options("digits", None, 1))
    assert (data.train.x.min(), data.train.x.max()) == (0.0, 1.0)
    from photosim.training.data.datasets import load

    whole = load("digits", validation_fraction=0.0).train.x.reshape(-1, 8, 8)
    first = data.train.x[3].reshape(8, 8)
    scaled = (whole[3] - whole.min()) / (whole.max() - whole.min())
    np.testing.assert_allclose(first, scaled.T, atol=1e-6)


def test_networks_are_those_published() -> None:
    dense = build(Recipe("backprop", PUBLISHED_WIDTHS, 1, 0.1), 0).initial(np.random.default_rng(0))
    assert sum(value.size for own in dense for value in own.values()) == 109_386
    columns = build(Recipe("backprop", (784, 10), 1, 0.1, branches=True), 0)
    assert sum(v.size for own in columns.initial(np.random.default_rng(0)) for v in own.values()) == 23_838
    thinned = build(Recipe("pepita", (784, 1024, 10), 1, 0.1, dropout=0.1), 0)
    assert [type(layer) for layer in thinned.layers] == [Dense, Dropout, Dense]
    assert [len(own) for own in thinned.initial(np.random.default_rng(0))] == [2, 0, 2]
    bound = np.sqrt(6 / 784)
    assert 0.99 * bound < np.abs(dense[0]["weights"]).max() <= bound


def test_meshes_take_the_place_of_products() -> None:
    recipe = Recipe("two-pass", (64, 16, 10), 1, 0.1, images=64, hardware=Hardware(8))
    network = build(recipe, 0)
    assert all(isinstance(layer, HeldDense) for layer in network.layers)
    columns = build(replace(recipe, widths=(64, 10), branches=True), 0)
    assert [type(layer) for layer in columns.layers] == [HeldBranches, HeldBranches, HeldDense]


def test_a_run_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    data = pixels(Options("digits", None, 1))
    recipe = Recipe("two-pass", (64, 16, 10), 2, 0.05, batch_size=16, images=160, hardware=Hardware(8))
    _, whole = train(recipe, data, 0, tmp_path / "whole.npz", lambda _d, _t: None)
    train(replace(recipe, epochs=1), data, 0, tmp_path / "half.npz", lambda _d, _t: None)
    _, rest = train(recipe, data, 0, tmp_path / "half.npz", lambda _d, _t: None)
    np.testing.assert_array_equal(rest.parameters[0]["weights"], whole.parameters[0]["weights"])


@pytest.mark.parametrize("rule", ["backprop", "two-pass", "pepita"])
def test_an_imperfect_mesh_learns_exclusive_or(rule: str) -> None:
    found = xor_gate(rule, 1, 400, coupling=0.05)
    assert found["right"] == 100.0
    assert found["contrast_dB"] > 10.0
    assert found["powers"].shape == (len(BITS),)
    assert found["powers"][0] == 0.0  # no light, no answer


def test_costs_follow_passes_and_tiles() -> None:
    two, one = cost("two-pass", (784, 128, 64, 10), 16, 64), cost("dfa", (784, 128, 64, 10), 16, 64)
    assert two.light == pytest.approx(2 * one.light)
    assert two.converters == pytest.approx(2 * one.converters)
    tiles = 49 * 8 + 8 * 4 + 4 * 1
    assert one.light == pytest.approx(64 * tiles * 1e-12)
    assert one.seconds == pytest.approx(64e-9 + 10e-6)
    # Each weight of a tile has a block and so two heaters, and each guide two more at its ends.
    assert one.heaters == pytest.approx(tiles * (2 * 16 * 16 + 2 * 16) * 24.8e-3 * one.seconds)
    assert first_above(np.array([90.0, 96.0, 94.0]), 95.0) == 2
    assert first_above(np.array([90.0]), 95.0) is None


def test_the_small_reproduction_fills_its_tables(tmp_path: Path) -> None:
    system = find_system("two-pass")
    options = system.options(quick=True, seeds=1)
    done = reproduce(system, options, tmp_path)
    cells = {row[0]: row for row in done.table().rows}
    assert all(row[6] == 1 for row in cells.values())
    assert float(str(cells["backpropagation"][4])) > 90.0
    assert float(str(cells["two-pass, the paper's rule"][4])) > 80.0
    costs = done.tables()[1]
    assert [row[0] for row in costs.rows] == list(NAMES.values())
    assert {picture.name for picture in done.charts()} == {"epochs", "mesh_size", "phase_error", "noise"}

"""Media that are never stored: the same numbers however they are asked for, at any size, resumed or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim.errors import DataError, ParameterError
from photosim.media import procedural, scale
from photosim.media.procedural import ProceduralMedium, gaussian_points

RNG = np.random.default_rng
SIZE = (603, 1500)
"""Neither whole tiles nor whole hashes."""


@pytest.fixture(scope="module")
def medium() -> ProceduralMedium:
    return ProceduralMedium(*SIZE, seed=5)


@pytest.fixture(scope="module")
def whole(medium: ProceduralMedium) -> Any:
    return medium.block()


def by_hand(medium: ProceduralMedium, row: int, column: int) -> complex:
    """The entry by Python's own whole numbers, as the kernel's docstring says it is made."""
    word = 2**64 - 1

    def mix(z: int) -> int:
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & word
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & word
        return z ^ (z >> 31)

    start = mix((mix(medium.seed) + column * 0x9E3779B97F4A7C15) & word)
    found = mix((start + (row // 4) * 0xD1342543DE82EF95) & word)
    return complex(medium.table[(found >> (16 * (row % 4))) & 4095])


def test_entries_are_what_the_hash_says(medium: ProceduralMedium, whole: Any) -> None:
    for row, column in ((0, 0), (1, 0), (602, 1499), (7, 1024), (256, 300)):
        assert whole[row, column] == by_hand(medium, row, column)


@pytest.mark.parametrize("tile", [(1024, 256), (100, 40), (7, 4), (4096, 1024)])
@pytest.mark.parametrize("threads", [1, 2])
def test_numbers_do_not_depend_on_tile_threads_or_batch(
    whole: Any, tile: tuple[int, int], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(procedural, "TILE", tile)
    medium = ProceduralMedium(*SIZE, seed=5, threads=threads)
    # Four unit vectors ask for columns themselves, and get them to the last bit.
    np.testing.assert_array_equal(
        medium.project(2 * np.eye(SIZE[1])[[0, 5, 700, 1499]]) / 2, whole.T[[0, 5, 700, 1499]]
    )
    x = RNG(0).integers(0, 2, (5, SIZE[1]))
    expected = x @ whole.T
    for batch in (x, x[:1], x[:2], 1j * x):
        out = medium.project(batch)
        np.testing.assert_allclose(
            out, expected[: len(out)] * (1j if np.iscomplexobj(batch) else 1), atol=2e-5
        )


def test_parts_are_parts_of_the_whole(medium: ProceduralMedium, whole: Any) -> None:
    np.testing.assert_array_equal(medium.rows([17, 5]), whole[[17, 5]])
    np.testing.assert_array_equal(medium.block(slice(3, 99), [8, 1000]), whole[3:99][:, [8, 1000]])
    np.testing.assert_allclose(
        medium.sum_columns(np.array([3, 9]), slice(8, 21)), whole[8:21, [3, 9]].sum(1), atol=1e-7
    )


def test_seed_0_begins_like_any_other() -> None:
    """The finaliser maps 0 to 0, which would make entries (0..3, 0) the first point of the table, dark."""
    first = ProceduralMedium(*SIZE, seed=0)
    corner = first.block(range(4), [0])[:, 0]
    assert len(set(corner.tolist())) == 4
    # One of 4096 points each: a thousandth of the mean power has a chance of 0.001 for each of them.
    assert (np.abs(corner) ** 2 * SIZE[0]).min() > 1e-3
    np.testing.assert_allclose(first.project(np.eye(SIZE[1])[0])[:4], corner)
    others = [ProceduralMedium(*SIZE, seed=s).block(range(64), range(64)) for s in (1, 2**63 - 1)]
    for other in others:
        assert (first.block(range(64), range(64)) == other).mean() < 10 / 4096
    for wrong in (-1, 2**63, 0.5):
        with pytest.raises(ParameterError, match="seed"):
            ProceduralMedium(4, 4, seed=wrong)  # type: ignore[arg-type]


def test_sums_begin_where_hashes_do(medium: ProceduralMedium) -> None:
    with pytest.raises(ParameterError, match="from a multiple of 4 on, which 6 is not"):
        medium.sum_columns(np.array([1]), slice(6, 12))


def test_adjoint_is_that_of_the_whole(medium: ProceduralMedium, whole: Any) -> None:
    y = RNG(1).standard_normal((3, SIZE[0])) + 1j
    np.testing.assert_allclose(medium.adjoint(y), y @ whole.conj(), atol=2e-5)
    operator = medium.as_linear_operator()
    np.testing.assert_allclose(operator.H @ y[0], whole.conj().T @ y[0], atol=2e-5)


def test_seeds_rows_and_columns_are_independent() -> None:
    one, two = ProceduralMedium(2000, 2000, seed=1), ProceduralMedium(2000, 2000, seed=2)
    a, b = one.block() * np.sqrt(2000), two.block() * np.sqrt(2000)
    # Overlaps of N entries are circular Gaussians of variance 1/N: their largest of M is about sqrt(ln M/N).
    assert abs((a.conj() * b).mean()) < 4 / 2000
    for matrix in (a, a.T, b):
        products = (matrix[:-1].conj() * matrix[1:]).sum(axis=1) / 2000
        assert np.abs(products).max() < np.sqrt(np.log(2000 / 1e-3) / 2000)
        assert np.mean(np.abs(products) ** 2) == pytest.approx(1 / 2000, rel=4 / np.sqrt(2000))


def test_table_is_a_circular_gaussian_in_4096_points() -> None:
    z = gaussian_points()
    power = np.abs(z) ** 2
    assert abs(z.mean()) < 1e-16
    assert abs((z**2).mean()) < 1e-16
    assert power.mean() == pytest.approx(1.0)
    assert power.std() == pytest.approx(0.9995, abs=1e-4)
    assert (power**3).mean() == pytest.approx(
        6.0, rel=0.02
    )  # the slices' means lack the spread of the last one
    assert (z.real**4).mean() / (z.real**2).mean() ** 2 == pytest.approx(3.0, abs=0.03)


def test_a_large_projection_is_resumed_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    medium = ProceduralMedium(1003, 2000, seed=8)
    x = RNG(3).integers(0, 2, 2000)
    monkeypatch.setattr(scale, "ENTRIES", 100 * int(x.sum()))
    place, seen = tmp_path / "y.npy", []

    def stop(done: int, outputs: int) -> None:
        seen.append((done, outputs))
        if len(seen) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scale.project_to_file(medium, x, place, progress=stop)
    assert seen == [(100, 1003), (200, 1003), (300, 1003), (400, 1003)]
    went_on: list[int] = []
    out = scale.project_to_file(medium, x, place, progress=lambda done, _: went_on.append(done))
    assert went_on == [500, 600, 700, 800, 900, 1000, 1003]
    np.testing.assert_array_equal(out, medium.project(x))
    np.testing.assert_array_equal(np.load(place), medium.project(x))
    assert json.loads((tmp_path / "y.npy.log").read_text(encoding="utf-8"))["done"] == 1003


def test_files_of_other_projections_are_not_touched(tmp_path: Path) -> None:
    medium = ProceduralMedium(40, 30, seed=1)
    place = tmp_path / "y.npy"
    scale.project_to_file(medium, np.ones(30), place)
    with pytest.raises(DataError, match="holds the projection of another medium or pattern"):
        scale.project_to_file(ProceduralMedium(40, 30, seed=2), np.ones(30), place)
    (tmp_path / "y.npy.log").write_text("?", encoding="utf-8")
    with pytest.raises(DataError, match="is not the log of a projection"):
        scale.project_to_file(medium, np.ones(30), place)
    (tmp_path / "y.npy.log").unlink()
    with pytest.raises(DataError, match="exists, but there is no log"):
        scale.project_to_file(medium, np.ones(30), place)
    with pytest.raises(ParameterError, match="One pattern of 30 zeros and ones"):
        scale.project_to_file(medium, np.full(30, 0.5), tmp_path / "z.npy")

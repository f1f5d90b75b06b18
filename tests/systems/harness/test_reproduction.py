"""Reproductions: finished seeds are kept, compared with what was published, and never computed twice."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import plotting
from photosim.analysis.chart import Chart, Curve, HeatMap, Level
from photosim.analysis.result import UNKNOWN
from photosim.errors import DataError, Diverged, ParameterError, PhotosimWarning
from photosim.netlist import gallery
from photosim.systems import (
    Case,
    Options,
    Outcome,
    Published,
    Row,
    System,
    find_system,
    reproduce,
    system_names,
)
from photosim.systems.harness.reproduction import NOT_COMPARABLE, Reproduction
from photosim.systems.harness.system import Report
from photosim.training.data.files import FILES


class Counting:
    """A case that gives 90 + seed and counts how often it ran; fails at one seed if asked."""

    def __init__(self, fail_at: int = -1) -> None:
        self.ran: list[int] = []
        self.fail_at = fail_at

    def __call__(self, seed: int, checkpoint: Path, report: Report) -> Mapping[str, Any]:
        """Return the numbers of a seed."""
        assert checkpoint.parent.is_dir()
        if seed == self.fail_at:
            raise DataError("the data is gone")
        report(1, 2)
        self.ran.append(seed)
        return {"accuracy": np.float64(90 + seed), "curve": np.array([1.0, np.nan])}


def toy(compute: Any, rate: float = 0.1, seeds: int = 3) -> System:
    rows = (
        Row("accuracy", "train", "accuracy", published=Published(90.5, "read", 0.2)),
        Row("speed", "energy", "accuracy", "TOPS", digits=1),
    )

    def pictures(outcome: Outcome) -> list[Chart | HeatMap]:
        y = outcome.values("train", "accuracy")
        return [
            Chart("curve", "a", "x", "y", [Curve("ours", range(len(y)), y, np.ones(len(y)))],
                  [Level("published", 90.5)]),
            HeatMap("map", "b", "x", "y", "%", [0, 1, 2], [0, 1], np.arange(6).reshape(2, 3), [2.0]),
        ]  # fmt: skip

    return System(
        name="toy", title="a toy", source="filipovich2022",
        cases=lambda _o: (Case("train", compute, {"rate": rate}), Case("energy", compute, repeated=False)),
        rows=lambda _o: rows, data=("mnist", "digits"), quick_data="digits", seeds=seeds, pictures=pictures,
    )  # fmt: skip


def test_figures_stand_next_to_published_ones(tmp_path: Path) -> None:
    system = toy(Counting())
    done = reproduce(system, system.options(), tmp_path / "toy")
    accuracy, speed = done.table().rows
    assert accuracy == ("accuracy", "%", "90.50 +- 0.20", "read", "91.00", "1.00", 3, "+0.50")
    assert speed == ("speed", "TOPS", "", "", "90.0", "-", 1, "")
    kept = json.loads((tmp_path / "toy" / "results.json").read_text())
    assert kept["table"][0]["ours"] == "91.00"
    assert kept["runs"]["train"]["2"] == {"accuracy": 92.0, "curve": [1.0, None]}
    assert (tmp_path / "toy" / "table.csv").read_text().splitlines()[1].startswith("accuracy,%,90.50 +- 0.20")


def test_finished_seeds_are_kept_and_unfinished_ones_go_on(tmp_path: Path) -> None:
    broken = toy(Counting(fail_at=1))
    with pytest.raises(DataError, match="the data is gone"):
        reproduce(broken, broken.options(), tmp_path)
    again = Counting()
    seen: list[int] = []
    whole = toy(again)
    reproduce(
        whole, whole.options(), tmp_path, watch=lambda state: seen.append(len(state.outcome.of("train")))
    )
    assert again.ran == [1, 2]
    assert seen == [1, 2, 3]


def test_several_seeds_at_a_time_give_the_same_numbers(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(size=(2, 3))

    def compute(seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
        report(1, 1)
        return {"accuracy": float((data @ data.T).sum()) + seed, "process": os.getpid()}

    system = toy(compute)
    runs = {jobs: reproduce(system, system.options(), tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2)}
    alone, together = (
        {(own["accuracy"], own["process"] == os.getpid()) for own in done.outcome.of("train")}
        for done in runs.values()
    )
    assert {accuracy for accuracy, _ in alone} == {accuracy for accuracy, _ in together}
    assert {here for _, here in alone} == {True}
    assert {here for _, here in together} == {False}
    assert runs[1].table().rows == runs[2].table().rows
    with pytest.raises(ParameterError, match="needs 1 job or more at a time, got 0"):
        reproduce(system, system.options(), tmp_path, jobs=0)


def test_what_a_seed_raises_in_another_process_is_raised_here(tmp_path: Path) -> None:
    broken = toy(Counting(fail_at=1))
    with pytest.raises(DataError, match="the data is gone"):
        reproduce(broken, broken.options(), tmp_path, jobs=2)


def test_seeds_of_another_recipe_are_computed_again(tmp_path: Path) -> None:
    first = toy(Counting(), rate=0.1)
    reproduce(first, first.options(seeds=1), tmp_path)
    counting = Counting()
    second = toy(counting, rate=0.2)
    with pytest.warns(PhotosimWarning, match=r"^1 of the results kept in .* computed again\.$"):
        reproduce(second, second.options(seeds=1), tmp_path)
    assert counting.ran == [0]  # the case without seeds has the same recipe as before


def test_seeds_of_another_circuit_are_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting()
    system = replace(toy(counting, seeds=1), netlists=("opu",))
    said = {"opu": "camera: {bits: 8}"}
    monkeypatch.setattr("photosim.systems.harness.reproduction._circuit", said.__getitem__)
    for _ in range(2):
        reproduce(system, system.options(), tmp_path)
    assert counting.ran == [0, 0]  # both cases, once
    said["opu"] = "camera: {bits: 6}"
    with pytest.warns(PhotosimWarning, match="2 of the results kept"):
        reproduce(system, system.options(), tmp_path)
    assert counting.ran == [0, 0, 0, 0]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "vowels", "cora"])
def test_seeds_of_other_data_are_computed_again(name: str, tmp_path: Path) -> None:
    counting = Counting()
    system = replace(toy(counting, seeds=1), data=(name,))
    for folder in ("one", "other"):
        for file in FILES[name]:
            path = tmp_path / folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(folder if file == FILES[name][-1] else "alike")
    (tmp_path / "same").symlink_to(tmp_path / "one")
    for folder in ("one", "same"):
        reproduce(system, system.options(data_dir=tmp_path / folder), tmp_path / "out")
    assert counting.ran == [0, 0]  # both cases, once: where the data lies does not matter
    with pytest.warns(PhotosimWarning, match="other data"):
        reproduce(system, system.options(data_dir=tmp_path / "other"), tmp_path / "out")
    assert counting.ran == [0, 0, 0, 0]


def test_seeds_of_another_version_are_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting()
    system = toy(counting, seeds=1)
    reproduce(system, system.options(), tmp_path)
    monkeypatch.setattr("photosim.__version__", "99")
    with pytest.warns(PhotosimWarning, match="another version"):
        reproduce(system, system.options(), tmp_path)
    assert counting.ran == [0, 0, 0, 0]


def test_checkpoints_of_another_recipe_are_not_gone_on_from(tmp_path: Path) -> None:
    class Killed(Counting):
        def __call__(self, seed: int, checkpoint: Path, report: Report) -> Mapping[str, Any]:
            found.append(checkpoint.exists())
            checkpoint.write_text("half")
            return super().__call__(seed, checkpoint, report)

    found: list[bool] = []
    for rate, warned in ((0.1, False), (0.1, False), (0.2, True)):
        system = toy(Killed(fail_at=0), rate=rate)
        with (
            pytest.raises(DataError, match="the data is gone"),
            pytest.warns(PhotosimWarning, match="1 of") if warned else nullcontext(),
        ):
            reproduce(system, system.options(), tmp_path)
    assert found == [False, True, False]


@pytest.mark.parametrize("name", system_names())
def test_the_netlists_of_a_system_are_in_the_gallery(name: str) -> None:
    assert set(find_system(name).netlists) <= set(gallery())


def test_a_damaged_file_of_a_seed_is_named(tmp_path: Path) -> None:
    system = toy(Counting())
    reproduce(system, system.options(seeds=1), tmp_path)
    (tmp_path / "runs" / "train-0.json").write_text("{")
    with pytest.raises(DataError, match=r"train-0.json is damaged .* remove it to compute it again"):
        reproduce(system, system.options(seeds=1), tmp_path)


def test_options_have_the_systems_defaults() -> None:
    system = toy(Counting())
    assert system.options() == Options("mnist", None, 3)
    assert system.options(quick=True) == Options("digits", None, 2, quick=True)
    with pytest.raises(ParameterError, match=r"does not run on data 'cora'\. It runs on: mnist, digits\."):
        system.options(data="cora")
    with pytest.raises(ParameterError, match="needs 1 seed or more, got 0"):
        system.options(seeds=0)


def test_pictures_given_as_data_are_drawn(tmp_path: Path) -> None:
    system = toy(Counting())
    done = reproduce(system, system.options(), tmp_path)
    pictures = plotting.for_charts(done)
    assert list(pictures) == ["curve", "map"]
    curve, heat = (draw() for draw in pictures.values())
    assert curve.axes[0].get_ylabel() == "y"
    assert [text.get_text() for text in curve.axes[0].get_legend().get_texts()] == ["ours", "published"]  # type: ignore[union-attr]
    assert heat.axes[1].get_ylabel() == "%"
    for name, draw in pictures.items():
        plotting.save(draw(), tmp_path / f"{name}.png")


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    system = toy(Counting())
    with pytest.raises(DataError, match=r"^Cannot write .*file.*\.$"):
        reproduce(system, system.options(), tmp_path / "file")


def varied(
    compute: Any, *, uses_data: bool = True, size: int = 1, published: Published | None = None
) -> System:
    """A system of one case, whose size --quick changes by `size`."""
    figure = published or Published(90.5, "read")

    def cases(options: Options) -> list[Case]:
        return [Case("train", compute, {"size": size if options.quick else 1}, uses_data=uses_data)]

    def pictures(outcome: Outcome) -> list[Chart]:
        levels = [Level("published", 90.5)] if "train" in outcome.comparable else []
        return [Chart("curve", "a", "x", "y", [Curve("ours", [0, 1], [1, 2])], levels)]

    return System(
        name="toy", title="a toy", source="filipovich2022", cases=cases, pictures=pictures,
        rows=lambda _o: [Row("accuracy", "train", "accuracy", published=figure)], data=("mnist", "digits"),
        quick_data="digits", seeds=2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "uses_data", "size", "data", "comparable"),
    [
        ({}, True, 1, "", True),
        ({"data": "digits"}, True, 1, "", False),
        ({"data": "digits"}, False, 1, "", True),
        ({"data": "digits"}, True, 1, "digits", True),
        ({}, True, 1, "digits", False),
        ({"quick": True}, True, 1, "", False),
        ({"quick": True, "data": "mnist"}, True, 1, "", False),
        ({"quick": True}, False, 1, "", True),
        ({"quick": True}, False, 3, "", False),
    ],
)
def test_published_figures_stand_beside_the_same_data_and_size_alone(
    tmp_path: Path, asked: dict[str, Any], uses_data: bool, size: int, data: str, comparable: bool
) -> None:
    system = varied(Counting(), uses_data=uses_data, size=size, published=Published(90.5, "read", data=data))
    done = reproduce(system, system.options(**asked), tmp_path)
    (row,) = done.table().rows
    figures = ("90.50", "read") if comparable else (NOT_COMPARABLE, "")
    assert row[2:4] == figures
    assert row[-1] == ("+0.00" if comparable else "")
    if not data:
        (chart,) = done.charts()
        assert isinstance(chart, Chart)
        assert bool(chart.levels) == comparable


def test_the_spread_of_one_seed_is_a_dash(tmp_path: Path) -> None:
    system = toy(Counting(), seeds=1)
    accuracy, speed = reproduce(system, system.options(), tmp_path).table().rows
    assert accuracy[5] == speed[5] == UNKNOWN == "-"


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("lost", "ours", "seeds"), [((1,), "91.00, 1 of 3 diverged", 2), ((0, 1, 2), "diverged", 0)]
)
def test_a_run_that_diverged_is_said_and_kept(
    tmp_path: Path, lost: tuple[int, ...], ours: str, seeds: int, jobs: int
) -> None:
    why = "Training diverged in epoch 2, at a learning rate of 9."

    def compute(seed: int, _path: Path, _report: Report) -> Mapping[str, Any]:
        if seed in lost:
            raise Diverged(why)
        return {"accuracy": 90.0 + seed, "curve": [1.0]}

    system = varied(compute)
    options = system.options(seeds=3)
    for _ in range(2):  # the second time from what is kept
        done = reproduce(system, options, tmp_path, jobs=jobs)
        (row,) = done.table().rows
        assert (row[4], row[6], row[7]) == (ours, seeds, "")
        assert done.outcome.diverged["train"] == dict.fromkeys(lost, why)
        assert len(done.charts()) == 1
    kept = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert set(kept["diverged"]["train"]) == {str(seed) for seed in lost}


@pytest.mark.parametrize("name", system_names())
def test_quick_runs_of_published_systems_stand_alone(name: str) -> None:
    system = find_system(name)
    options = system.options(quick=True)
    done = Reproduction(system, options, Outcome({case.name: {} for case in system.cases(options)}))
    # The circle and the moons of in-situ are as small as they were published.
    small = [row for row in done.table().rows if not str(row[0]).startswith("best test accuracy")]
    accuracies = [row for row in small if row[1] == "%" and row[2]]
    assert all(row[2:4] == (NOT_COMPARABLE, "") for row in accuracies)
    full = Reproduction(system, system.options(), Outcome({}))
    shown = [row for row in full.table().rows if row[2] and "branches" not in str(row[0])]
    assert shown or name == "deep-dfa"  # of which no figure is published
    assert all(row[2] != NOT_COMPARABLE for row in shown)
    if name == "mrr-dfa":  # what hardware costs is the same on any data
        speed = next(row for row in done.table().rows if "speed" in str(row[0]))
        assert speed[2:4] == ("20.0", "recalled")


@pytest.mark.parametrize(("found", "line"), [
    ([91.0, np.nan, 93.0], ("92.00", "1.41", 2, "+1.50")), ([np.nan] * 3, ("-", "", 0, "")),
])  # fmt: skip
def test_a_seed_without_a_value_is_not_in_the_mean(
    found: list[float], line: tuple[Any, ...], tmp_path: Path
) -> None:
    system = toy(lambda seed, _checkpoint, _report: {"accuracy": found[seed]})
    for _ in range(2):  # as computed, and as kept
        assert reproduce(system, system.options(), tmp_path).table().rows[0][4:] == line


@pytest.mark.parametrize("name", system_names())
def test_a_quick_run_needs_no_data_folder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSIM_DATA", raising=False)
    assert find_system(name).options(quick=True).data not in FILES


@pytest.mark.parametrize("data", ["mnist", "fashion-mnist", "cora", "vowels", "tinyshakespeare"])
def test_missing_data_leave_no_folder(data: str, tmp_path: Path) -> None:
    """Every system that takes these data, the first of its seeds."""
    for name in (name for name in system_names() if data in find_system(name).data):
        system = find_system(name)
        options = system.options(data=data, data_dir=tmp_path / "nowhere", seeds=1, quick=True)
        with pytest.raises(DataError):
            reproduce(system, options, tmp_path / "new" / "own")
        assert not list(tmp_path.iterdir()), name


def test_a_picture_of_the_user_s_own_is_never_replaced(tmp_path: Path) -> None:
    system = toy(Counting())
    mine = tmp_path / "map.png"
    mine.write_bytes(b"mine")
    with pytest.raises(DataError, match=r"map\.png was not written by photosim: move it"):
        reproduce(system, system.options(data="digits"), tmp_path)
    assert mine.read_bytes() == b"mine"
    mine.unlink()
    done = reproduce(system, system.options(data="digits"), tmp_path)
    for name, draw in plotting.for_charts(done).items():
        plotting.save(draw(), tmp_path / f"{name}.png")
    reproduce(system, system.options(data="digits"), tmp_path)  # its own pictures may be drawn anew

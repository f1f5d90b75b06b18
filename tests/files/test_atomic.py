"""Files and folders of results appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from photosim.errors import DataError
from photosim.files.atomic import all_or_none, check_writable, replacing, staging, write_text


def half_write(target: Path) -> None:
    with replacing(target) as temporary:
        temporary.write_text(str(1 // 0), encoding="utf-8")


def half_run(folder: Path) -> None:
    with staging(folder) as place:
        (place / "a.txt").write_text("half", encoding="utf-8")
        (place / "b.txt").write_text(str(1 // 0), encoding="utf-8")


def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(ZeroDivisionError):
        half_write(target)
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_written_file_replaces_the_old_one_and_is_as_readable(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    other = tmp_path / "b.txt"
    other.touch()
    write_text(target, "new")
    assert target.read_text(encoding="utf-8") == "new"
    assert target.stat().st_mode == other.stat().st_mode


def test_checking_a_target_writes_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs a folder that nobody can write, as /proc is"
)
def test_a_folder_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(DataError, match=r"Cannot write /proc/a\.txt: "):
        check_writable(Path("/proc/a.txt"))
    with pytest.raises(DataError, match="Cannot write /proc/results"), staging(Path("/proc/results")):
        pass


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permission bits do not bind root")
def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match="permission denied"):
        check_writable(tmp_path / "a.txt")


def test_a_folder_of_results_appears_whole(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "ring"
    with staging(folder) as place:
        (place / "a.txt").write_text("a", encoding="utf-8")
        assert not (folder / "a.txt").exists()
    assert [path.name for path in folder.iterdir()] == ["a.txt"]


def test_a_failed_run_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        half_run(tmp_path / "results" / "ring")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_named_by_where_it_would_stand(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    with pytest.raises(DataError) as caught, staging(folder) as place:
        write_text(place / ("x" * 300 + ".csv"), "y")
    assert str(caught.value).startswith(f"Cannot write {folder / 'xxx'}")
    assert ".photosim-" not in str(caught.value)


def test_a_failed_run_keeps_the_results_of_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    with staging(folder) as place:
        (place / "a.txt").write_text("old", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        half_run(folder)
    assert [path.name for path in folder.iterdir()] == ["a.txt"]
    assert (folder / "a.txt").read_text(encoding="utf-8") == "old"


def test_a_file_where_the_folder_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    with pytest.raises(DataError, match="it is a file"), staging(tmp_path / "results"):
        pass
    with pytest.raises(DataError, match="not a directory"), staging(tmp_path / "results" / "ring"):
        pass


def test_a_temporary_file_that_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    old, young, own = (tmp_path / name for name in (".photosim-a.csv", ".photosim-b.csv", "photosim-c.csv"))
    for path in (old, young, own):
        path.write_text("x")
    os.utime(old, (0, 0))
    os.utime(own, (0, 0))
    write_text(tmp_path / "new.csv", "y")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([young.name, own.name, "new.csv"])


@pytest.mark.parametrize("name", ["x" * 300 + ".csv", "bad\ud800.csv"])
def test_names_that_no_file_can_have_are_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"Cannot write .*(too long|characters that no file name can have)"):
        write_text(tmp_path / name, "y")
    assert list(tmp_path.iterdir()) == []


def test_a_long_name_that_the_system_takes_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("x" * 250 + ".csv"), "y")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("call", ["touch", "chmod", "replace", "mkdir", "iterdir"])
@pytest.mark.parametrize("late", [False, True])
def test_a_signal_at_any_line_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, late: bool
) -> None:
    """A signal comes between any two lines: before a call has done its work, or right after it."""
    own = getattr(Path, call)

    def stopped(path: Path, *arguments: object, **options: object) -> None:
        if late:
            own(path, *arguments, **options)
        raise KeyboardInterrupt

    def write() -> None:
        with context as place:
            if place.is_file():
                place.write_text("1")

    context = staging(tmp_path / "own") if call in {"mkdir", "iterdir"} else replacing(tmp_path / "a.csv")
    (tmp_path / "own").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(Path, call, stopped)
        with pytest.raises(KeyboardInterrupt):
            write()
    assert [path.name for path in tmp_path.rglob("*") if path.name not in {"own", "a.csv"}] == []


def test_of_several_files_all_appear_or_none(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "a.png"]
    paths[0].write_text("old")

    def write(*, whole: bool) -> None:
        with all_or_none(paths) as places:
            assert [place.suffix for place in places] == [".csv", ".png"]
            write_text(places[0], "new")
            half_write(places[1]) if not whole else write_text(places[1], "new")

    with pytest.raises(ZeroDivisionError):
        write(whole=False)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "old"}
    write(whole=True)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.csv": "new", "a.png": "new"}


def test_a_file_that_waits_for_others_is_not_taken_for_left_behind(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    with all_or_none([one, two]) as places:
        write_text(places[0], "first")
        os.utime(places[0], (0, 0))  # the second one took its time
        write_text(places[1], "second")
    assert (one.read_text(), two.read_text()) == ("first", "second")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.csv", "two.csv"]

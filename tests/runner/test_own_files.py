"""A run removes what photosim wrote and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from photosim.errors import DataError
from photosim.files.own import refuse_others
from photosim.runner import CHECKPOINTS, run
from photosim.runner.run import _mark_own

NETLIST = """
instances: {guide: {component: straight}}
ports: {in: "guide,o1", out: "guide,o2"}
analyses:
  - {kind: spectrum, name: guide, wl: "1.5:1.6:11"}
"""


@pytest.fixture
def netlist(tmp_path: Path) -> Path:
    """A small netlist with one analysis."""
    path = tmp_path / "small.yml"
    path.write_text(NETLIST, encoding="utf-8")
    return path


@pytest.mark.parametrize("resume", [False, True])
def test_a_users_files_stay(netlist: Path, tmp_path: Path, resume: bool) -> None:
    own = [tmp_path / "own" / name for name in ("checkpoints/model.npz", "notes.txt", "runs/x.json")]
    for file in own:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("mine")
    for _ in range(2):
        run(netlist, out=tmp_path / "own", resume=resume)
    assert [file.read_text() for file in own] == ["mine"] * 3
    assert not (tmp_path / "own" / CHECKPOINTS).exists()


def test_a_folder_of_the_same_name_that_photosim_did_not_make_is_refused(
    netlist: Path, tmp_path: Path
) -> None:
    file = tmp_path / "own" / CHECKPOINTS / "model.checkpoint.npz"
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(DataError, match="was not made by photosim"):
        run(netlist, out=tmp_path / "own")
    assert file.read_text() == "mine"


def test_a_users_file_among_checkpoints_stays(netlist: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own" / CHECKPOINTS
    folder.mkdir(parents=True)
    for name in ("written-by-photosim", "a-0.checkpoint.npz", ".photosim-x1_y.npz", "model.npz"):
        (folder / name).write_text("")
    run(netlist, out=tmp_path / "own")
    assert sorted(path.name for path in folder.iterdir()) == ["model.npz", "written-by-photosim"]


@pytest.mark.parametrize("name", ["results.json", "guide.csv", "guide_spectrum.png"])
@pytest.mark.parametrize("text", ["mine", "{}", '{"photosim": 3}', '["photosim"]'])
def test_a_users_file_of_a_results_name_is_not_replaced(
    netlist: Path, tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / "own" / name
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(DataError, match=f"{name} was not written by photosim: move it"):
        run(netlist, out=tmp_path / "own")
    assert file.read_text() == text
    assert [path.name for path in file.parent.iterdir()] == [name]


def test_what_photosim_wrote_is_replaced_and_files_beside_it_stay(netlist: Path, tmp_path: Path) -> None:
    out = tmp_path / "own"
    written = run(netlist, out=out).files
    (out / "other_spectrum.png").write_text("mine")
    for path in written[:-1]:
        path.write_text("old")
    again = run(netlist, out=out).files
    assert again == written
    assert all(path.read_bytes() != b"old" for path in again)
    assert (out / "other_spectrum.png").read_text() == "mine"


def test_a_run_that_was_killed_before_its_mark_does_not_lock_out_the_next(tmp_path: Path) -> None:
    """Killed between making the folder and renaming the mark, it left the mark's temporary file."""
    folder = tmp_path / "photosim-checkpoints"
    folder.mkdir()
    (folder / ".photosim-x1_y").write_text("", encoding="utf-8")
    _mark_own(folder)
    assert (folder / "written-by-photosim").is_file()


def test_a_run_that_was_killed_amid_its_renames_does_not_lock_out_the_next(
    netlist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """results.json, which says that the others are photosim's, comes first."""
    out = tmp_path / "own"
    rename, renamed = Path.replace, []

    def killed(self: Path, target: Path) -> Path:
        if Path(target).parent == out:
            renamed.append(self.name)
            if len(renamed) > 1:
                raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run(netlist, out=out)
    assert [path.name for path in out.iterdir() if path.is_file()] == ["results.json"]
    run(netlist, out=out)


def test_runs_of_several_netlists_in_one_folder_know_each_others_files(netlist: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yml"
    other.write_text(NETLIST.replace("name: guide", "name: second"), encoding="utf-8")
    for file in (netlist, other, netlist, other):  # the third finds guide.csv of the first
        run(file, out=tmp_path / "own")
    mine = tmp_path / "own" / "third.csv"
    mine.write_text("mine")
    third = tmp_path / "third.yml"
    third.write_text(NETLIST.replace("name: guide", "name: third"), encoding="utf-8")
    with pytest.raises(DataError, match=r"third\.csv was not written by photosim"):
        run(third, out=tmp_path / "own")


def test_what_a_killed_process_left_is_not_taken_for_the_users(netlist: Path, tmp_path: Path) -> None:
    left = tmp_path / "own" / ".photosim-1a2b3c4d.png"
    left.parent.mkdir()
    left.write_bytes(b"")
    refuse_others(left.parent, lambda name: name.endswith(".png"))
    run(netlist, out=left.parent)

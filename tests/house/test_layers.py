"""The layer table of the architecture page, the import contract, the tree and its tests say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
FLAT = 12
"""Most files that may stand directly in photosim/: the ground, and the public nouns and verbs."""
LONGEST = 350
"""Most lines of a file. kernels/elimination.py is one file because numba's cache watches one file."""
NOT_MIRRORED = {"house", "benchmarks", "data", "validation"}
"""Folders of tests that belong to no room: the whole tree, speed, data files, rows of validation.md."""


def relative_folders(top: Path) -> set[str]:
    """Return the folders below `top` that hold Python files, without links."""
    files = (path.relative_to(top) for path in top.rglob("*.py") if "__pycache__" not in path.parts)
    folders = {path.parent.as_posix() for path in files if path.parent != Path()}
    links = {path.name for path in top.iterdir() if path.is_symlink()}
    return {folder for folder in folders if folder.partition("/")[0] not in links}


def page_layers() -> list[set[str]]:
    """Return the modules of each row of docs/architecture.md, lowest layer first."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.partition("## Layers")[2].partition("\n## ")[0]
    lines = (line for line in section.splitlines() if line.startswith("| ") and "`" in line)
    rows = [re.split(r"(?<!\\)\|", line) for line in lines]
    return [set(re.findall(r"`(\w+)`", cells[2])) for cells in rows]


def contract_layers() -> list[set[str]]:
    """Return the modules of each layer of the import contract, lowest layer first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (c for c in project["tool"]["importlinter"]["contracts"] if c["id"] == "layers")
    assert contract["exhaustive"], "a module that no layer names would escape the contract"
    return [set(re.findall(r"\w+", layer)) for layer in reversed(contract["layers"])]


def tree_modules() -> set[str]:
    """Return the modules and packages directly inside photosim/."""
    found = {path.stem for path in (ROOT / "photosim").glob("*.py")}
    found |= {path.parent.name for path in (ROOT / "photosim").glob("*/__init__.py")}
    return found - {"__init__"}


def test_tests_mirror_the_tree() -> None:
    rooms = relative_folders(ROOT / "photosim") | {"components", "gallery"}
    tests = {name for name in relative_folders(ROOT / "tests") if name.split("/")[0] not in NOT_MIRRORED}
    assert tests - rooms == set(), "a folder of tests whose room does not exist"
    assert {name.split("/")[0] for name in rooms} - tests == set(), "a room without a folder of tests"


def test_walks_pass_files_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = text.partition("## Four paths through the code")[2].partition("\n## ")[0]
    stops = re.findall(r"^\d+\. (?:`([\w/]+\.py)`(?: or )?)+", walks, flags=re.MULTILINE)
    assert len(stops) > 40
    assert [stop for stop in stops if not (ROOT / "photosim" / stop).is_file()] == []


def test_few_files_stand_outside_the_rooms() -> None:
    assert len(list((ROOT / "photosim").glob("*.py"))) <= FLAT


def test_files_are_short() -> None:
    files = {*(ROOT / "photosim").rglob("*.py"), *(ROOT / "components").glob("*.py")}
    # A cached kernel calls only kernels of its own file: these cannot be cut.
    whole = ("elimination.py", "spectra.py", "networks.py")
    files -= {ROOT / "photosim" / "kernels" / name for name in whole}
    long = {str(path) for path in files if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST}
    assert long == set()


def test_page_and_contract_list_the_same_layers() -> None:
    assert page_layers() == contract_layers()


def test_layers_are_the_modules_of_the_tree() -> None:
    layers = contract_layers()
    assert set().union(*layers) == tree_modules()
    assert sum(len(layer) for layer in layers) == len(tree_modules()), "a module stands in one layer"

"""The layer table of the architecture page, the import contract and the tree say the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page_layers() -> list[set[str]]:
    """Return the modules of each row of docs/architecture.md, lowest layer first."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| ") and "`" in line]
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


def test_page_and_contract_list_the_same_layers() -> None:
    assert page_layers() == contract_layers()


def test_layers_are_the_modules_of_the_tree() -> None:
    layers = contract_layers()
    assert set().union(*layers) == tree_modules()
    assert sum(len(layer) for layer in layers) == len(tree_modules()), "a module stands in one layer"

"""Notebooks as they are stored: one question, a drawing, exercises, checks in the last cell, no outputs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CIRCUIT = re.compile(r"\bps\.load\(|\bps\.Circuit\(|\bmesh_chip\(")
PICTURE = re.compile(r"\bsubplots\(|\.plot\(|\bplotting\.\w+\(")


def cells(path: Path, kind: str) -> list[str]:
    """Return the sources of all cells of one kind, `markdown` or `code`."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def asserts(source: str) -> list[int]:
    """Return the lines of a cell that check something: `assert`, or an AssertionError that is raised."""
    tree = ast.parse(source)
    raised = (node for node in ast.walk(tree) if isinstance(node, ast.Raise))
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] + [
        node.lineno for node in raised if node.exc is not None and "AssertionError" in ast.unparse(node.exc)
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_stored_without_outputs(path: Path) -> None:
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_asks_one_question(path: Path) -> None:
    title = cells(path, "markdown")[0].splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")
    assert title.count("?") == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_has_three_exercises(path: Path) -> None:
    (text,) = (text for text in cells(path, "markdown") if text.startswith("## Exercises\n"))
    assert re.findall(r"^(\d+)\. ", text, flags=re.MULTILINE) == ["1", "2", "3"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_checks_of_a_notebook_stand_in_its_last_cell(path: Path) -> None:
    *physics, last = cells(path, "code")
    for source in physics:
        assert not asserts(source), source
    assert last.startswith("# Checks of this notebook") or not asserts(last)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_circuit_of_a_notebook_is_drawn_before_it_is_plotted(path: Path) -> None:
    sources = cells(path, "code")
    made = [k for k, source in enumerate(sources) if CIRCUIT.search(source)]
    if not made:
        pytest.skip("no circuit is made in it")
    drawn = [k for k, source in enumerate(sources) if ".draw(" in source]
    assert drawn
    plotted = [k for k, source in enumerate(sources) if k >= made[0] and PICTURE.search(source)]
    assert drawn[0] <= min(plotted, default=drawn[0])


def test_a_check_between_the_physics_is_found() -> None:
    assert asserts("x = 1\nassert x\n") == [2]
    assert asserts("try:\n    f()\nexcept E:\n    pass\nelse:\n    raise AssertionError('no')\n") == [6]
    assert asserts("raise ValueError('assert')\n") == []

"""The page of comparisons: every row within its limit, and the page with the rows that would be built."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The script that builds pages, loaded from its place."""
    found = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def cells(text: str) -> list[list[str]]:
    """The rows of all tables of a page, below their heads."""
    lines = re.findall(r"(?m)^\| (.*) \|$", text)
    return [line.split(" | ") for line in lines if not line.startswith("what | against")]


def test_every_comparison_is_within_its_limit_and_on_the_page(build: ModuleType) -> None:
    pytest.importorskip("skrf", reason="one of the readers is scikit-rf")
    page = build.VALIDATION.read_text(encoding="utf-8")
    new = build.validation()
    assert [row[:2] + row[3:] for row in cells(page)] == [row[:2] + row[3:] for row in cells(new)]
    assert re.findall("(?m)^#.*", page) == re.findall("(?m)^#.*", new)
    for old, now in zip(cells(page), cells(new), strict=True):
        for error in (float(old[2]), float(now[2])):
            assert error <= float(now[3]), now


def test_an_unknown_page_is_answered_with_those_that_there_are(
    build: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["validaton"]) == 1
    assert "validation" in capsys.readouterr().out

"""What an author of a component imports comes from photosim.model, by one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import photosim.model
from photosim.model import quantities


def test_every_quantity_is_exported() -> None:
    named = {name for name, value in vars(quantities).items() if hasattr(value, "__metadata__")}
    assert len(named) > 20
    assert named <= set(photosim.model.__all__)


def test_every_exported_name_exists() -> None:
    assert [name for name in photosim.model.__all__ if not hasattr(photosim.model, name)] == []


@pytest.mark.parametrize("place", ["components", "docs", "CONTRIBUTING.md", "notebooks"])
def test_library_and_pages_import_from_the_model_itself(root: Path, place: str) -> None:
    files = [root / place] if (root / place).is_file() else sorted((root / place).iterdir())
    texts = {f.name: f.read_text(encoding="utf-8") for f in files if f.suffix in {".py", ".md", ".ipynb"}}
    assert texts
    inner = re.compile(r"(?:from|import) photosim\.model\.\w+")
    assert {name: inner.findall(text) for name, text in texts.items() if inner.search(text)} == {}
    several = re.compile(r"(?m)^(?:[ \"]*)from photosim\.model import (?!registry)")
    assert [n for n, text in texts.items() if n.endswith(".py") and len(several.findall(text)) > 1] == []

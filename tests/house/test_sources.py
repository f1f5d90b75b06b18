"""Every component names a source, and every source named exists in components/sources.bib."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from photosim.model import registry

BIB = Path(__file__).parents[2] / "components" / "sources.bib"
ENTRY = re.compile(r"^@\w+\{\s*([^,\s]+)\s*,", re.MULTILINE)


def keys() -> list[str]:
    return ENTRY.findall(BIB.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", registry.names())
def test_component_cites_an_entry(name: str) -> None:
    source = registry.get(name).source
    assert source, f"{name} names no source"
    assert source in keys()


def test_keys_are_unique() -> None:
    assert len(keys()) == len(set(keys()))


def test_every_entry_says_where_to_find_it() -> None:
    entries = re.split(r"^@", BIB.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    bare = [entry.partition(",")[0] for entry in entries if not re.search(r"\b(title|url|doi)\s*=", entry)]
    assert bare == []


def test_files_of_others_are_listed_with_their_licence() -> None:
    """What is bundled for tests is named in the list beside it, and nothing else is."""
    folder = Path(__file__).parents[1] / "data"
    text = (folder / "README.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    patterns = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    listed = {path for pattern in patterns for path in folder.glob(pattern)}
    assert listed == {path for path in folder.rglob("*") if path.is_file()} - {folder / "README.md"}
    assert all(any(word in row[3] for word in ("MIT, (c)", "made for this project")) for row in rows)
    assert sum(path.stat().st_size for path in listed) < 1_500_000

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

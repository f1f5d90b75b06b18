"""Every source that the training layer quotes exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "photosim" / "training").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_quoted_sources_exist(file: Path, root: Path) -> None:
    known = re.findall(
        r"^@\w+\{(\w+),", (root / "components/sources.bib").read_text(encoding="utf-8"), re.MULTILINE
    )
    quoted = set(re.findall(r"\b[a-z]{3,}(?:19|20)\d\d\b", file.read_text(encoding="utf-8")))
    assert quoted <= set(known)

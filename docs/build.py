"""Rebuilds pages of this folder from computations: python docs/build.py validation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the comparisons stand among the tests

VALIDATION = ROOT / "docs" / "validation.md"
_HEAD = """# Validation

What photosim computes beside what was found another way. Each row is one function of `tests/validation/`,
computed when this page is built (`python docs/build.py validation`) and held to its limit by a test. Errors
are the worst of all points of a row; below 1e-12 they are rounding and may differ from machine to machine.
"""
_TABLE = "| what | against | worst error | limit | measure |\n|---|---|---|---|---|\n"


def validation() -> str:
    """Return the text of the page of comparisons."""
    from tests.validation.rows import SECTIONS, all_rows

    rows = all_rows()
    text = [_HEAD]
    for section in SECTIONS:
        text.append(f"\n## {section}\n\n{_TABLE}")
        for row in rows:
            if row.section == section:
                cells = (row.what, row.against, f"{row.worst():.1e}", f"{row.limit:.1e}", row.measure)
                text.append(f"| {' | '.join(cells)} |\n")
    return "".join(text)


PAGES: dict[str, tuple[Path, Callable[[], str]]] = {"validation": (VALIDATION, validation)}


def main(names: list[str]) -> int:
    """Build the pages named; return 0, or 1 with the names that there are."""
    unknown = [name for name in names if name not in PAGES]
    if unknown or not names:
        print(f"usage: python docs/build.py {' | '.join(PAGES)}")
        return 1
    for name in names:
        path, text = PAGES[name]
        start = time.perf_counter()
        path.write_text(text(), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The page of published systems: built from kept results, and honest about what is met."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from photosim.systems import system_names

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

from docs import kept_systems  # noqa: E402
from docs.kept_systems import Figure, Kept, keep, page  # noqa: E402


def test_the_page_is_what_the_kept_results_say() -> None:
    assert (ROOT / "docs" / "systems.md").read_text(encoding="utf-8") == page()


def test_every_system_has_kept_results_or_is_named_as_without() -> None:
    kept = [Kept.read(path) for path in kept_systems.KEPT.glob("*.json")]
    assert {own.system for own in kept} <= set(system_names())
    without = next((line for line in page().splitlines() if line.startswith("No result of a full run")), "")
    for name in set(system_names()) - {own.system for own in kept}:
        assert f"`{name}`" in without
    for own in kept:
        assert own.figures
        assert own.provenance
        assert own.remarks


@pytest.mark.parametrize(
    ("published", "ours", "spread", "seeds", "met"),
    [
        (90.0, 90.29, 0.0, 5, "yes"),
        (90.0, 90.31, 0.0, 5, "**no**, +0.31"),
        (90.0, 89.0, 1.0, 5, "yes"),  # within 0.3 + 2/sqrt(5) = 1.19
        (90.0, 88.7, 1.0, 5, "**no**, -1.30"),
        (90.0, 90.0, 0.1, 2, "too few seeds (2)"),
        (90.0, None, None, 0, "not run"),
        (None, 90.0, 0.1, 5, ""),
        (20.0, 20.1, None, 0, "yes"),
        (20.0, 21.0, None, 0, "**no**, +1.00"),
    ],
)
def test_what_counts_as_met(
    published: float | None, ours: float | None, spread: float | None, seeds: int, met: str
) -> None:
    found = Figure("a", "%", published, "read", ours, spread, seeds).met()
    assert found == met


def test_only_percent_have_a_margin() -> None:
    assert Figure("a", "", 0.1, "code", 0.18, 0.06, 20).met() == "**no**, +0.08"
    assert Figure("a", "", 0.1, "code", 0.12, 0.06, 20).met() == "yes"


def test_results_of_a_folder_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {
        "figure": "accuracy", "unit": "%", "published": "86.04 +- 0.62", "known by": "read",
        "ours": "85.10", "spread": "0.30", "difference": "-0.94", "seeds": 5,
    }  # fmt: skip
    once = {
        **row,
        "figure": "speed",
        "published": "",
        "known by": "",
        "ours": "7.5",
        "spread": "-",
        "seeds": 1,
    }
    results = {
        "photosim": "1.2", "system": "dfa-gnn", "options": {"data": "cora", "seeds": 5, "quick": False},
        "table": [row, once], "remarks": ["one"],
    }  # fmt: skip
    monkeypatch.setattr(Kept, "write", lambda self, _folder=None: self)
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results), encoding="utf-8")
    found: object = keep(tmp_path, "abc")
    assert isinstance(found, Kept)
    assert found.figures[0] == Figure("accuracy", "%", 86.04, "read", 85.1, 0.3, 5, 2)
    assert (found.figures[1].seeds, found.figures[1].digits) == (0, 1)
    assert "commit abc" in found.provenance
    results["options"] = {"data": "cora", "seeds": 5, "quick": True}
    file.write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(SystemExit, match="of a quick run"):
        keep(tmp_path, "abc")

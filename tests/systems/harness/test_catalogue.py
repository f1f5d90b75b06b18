"""Every published system: its figures belong to its cases, and its source is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from photosim.errors import ParameterError
from photosim.systems import find_system, system_names


@pytest.mark.parametrize("name", system_names())
@pytest.mark.parametrize("quick", [False, True])
def test_figures_belong_to_cases(name: str, quick: bool, root: Path) -> None:
    system = find_system(name)
    assert system.name == name
    options = system.options(quick=quick)
    cases = [case.name for case in system.cases(options)]
    assert len(set(cases)) == len(cases)
    rows = system.rows(options)
    assert {row.case for row in rows} <= set(cases)
    assert len({row.label for row in rows}) == len(rows)
    assert f"{{{system.source}," in (root / "components" / "sources.bib").read_text(encoding="utf-8")


def test_an_unknown_system_gets_the_nearest_name() -> None:
    with pytest.raises(ParameterError, match="There is no published system 'mrr-dfb'"):
        find_system("mrr-dfb")

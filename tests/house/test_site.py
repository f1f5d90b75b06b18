"""The site of the documentation: what it shows, and how docstrings become pages."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from docs.site import build_site, contents, docstrings, reference
from photosim.model import registry

ROOT = Path(__file__).parents[2]


def test_every_page_stands_in_one_chapter() -> None:
    listed = [name for _, names in contents.CHAPTERS.values() for name in names]
    listed += [name.removeprefix("docs/") for name in contents.DEVELOPMENT if name.startswith("docs/")]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "docs").glob("*.md"))


def test_every_notebook_stands_on_the_path_once() -> None:
    listed = [name for names in contents.PATH.values() for name in names]
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert contents.NEEDED.keys() <= set(listed)


def test_a_notebook_without_a_chapter_is_named(tmp_path: Path) -> None:
    (tmp_path / "lost.ipynb").write_text("{}")
    with pytest.raises(SystemExit, match="lost"):
        build_site.path_of_notebooks(tmp_path)


def test_the_index_shows_a_plot_of_a_notebook_or_else_its_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_site, "PATH", {"First": ("plotted", "drawn", "bare")})
    drawing: dict[str, Any] = {"image/svg+xml": ["<svg", "/>"]}
    plot: dict[str, Any] = {"image/png": base64.b64encode(b"png").decode()}
    shown: dict[str, list[Any]] = {"plotted": [drawing, plot], "drawn": [drawing], "bare": []}
    for name, outputs in shown.items():
        cells = [
            {"cell_type": "markdown", "source": ["# Is it so?\n", "\n", "One sentence. Another."]},
            {"cell_type": "code", "source": [], "outputs": [{"data": data} for data in outputs]},
        ]
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    page = build_site.path_of_notebooks(tmp_path)
    assert "| [![picture of plotted](plotted.png)](plotted.ipynb) | [Is it so?](plotted.ipynb)" in page
    assert "[![picture of drawn](drawn.svg)](drawn.ipynb)" in page
    assert "|  | [Is it so?](bare.ipynb)<br>One sentence. |" in page
    assert (tmp_path / "plotted.png").read_bytes() == b"png"
    assert (tmp_path / "drawn.svg").read_text() == "<svg/>"


def test_paragraphs_about_arguments_become_fields() -> None:
    arguments = "wl: wavelengths (W,) in um; see `straight`.  inputs, outputs: names.\nMore: two."
    text = f"Return it.\n\n{arguments}\n\nRaises A."
    found = docstrings.restructured(text, ("wl", "inputs", "outputs"))
    assert ":param wl: wavelengths (W,) in um; see ``straight``.\n" in found
    assert ":param inputs,outputs: names. More: two.\n" in found
    assert found.endswith("Raises A.\n")


def test_only_backticks_are_markup() -> None:
    found = docstrings.restructured("A |S|**2 of wl_, `a*b`s and C:\\x.", ())
    assert found == "A \\|S\\|\\*\\*2 of wl\\_, ``a*b``\\ s and C:\\\\x.\n"


def test_examples_and_indented_lines_stay_code() -> None:
    found = docstrings.restructured("Say it.\n\n    a = b*c\n\n>>> 1 + 1\n2", ())
    assert ".. code-block:: python\n\n    a = b*c" in found
    assert ">>> 1 + 1\n2" in found


def test_public_names_appear_once() -> None:
    pages = reference.api_pages()
    entries = [
        line
        for name, page in pages.items()
        if name == "photosim.md"
        for line in page.splitlines()
        if line.startswith(".. auto")
    ]
    assert ".. autoclass:: Circuit" in entries
    assert ".. autofunction:: montecarlo" in entries
    assert len(entries) == len(set(entries))
    assert "autoclass:: PhotonicClassifier" in pages["photosim.training.md"]


def test_a_component_has_settings_formula_spectrum_and_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "names", lambda: ("ring_double", "straight", "laser"))
    pages = reference.component_pages(tmp_path / "spectra")
    assert set(pages) == {"index.md", "rings.md", "guides.md", "lasers.md"}
    ring, guide = pages["rings.md"], pages["guides.md"]
    assert "| `radius` | 10 | um |" in ring
    assert "Source: bogaerts2012" in ring
    assert "spectra/ring_double.svg" in ring
    assert (tmp_path / "spectra" / "ring_double.svg").stat().st_size > 0
    assert "cis(" in guide  # a long formula is shown as text, with its repeated parts named
    assert "spectra/straight.svg" not in guide  # what passes it does not depend on the wavelength
    assert "spectra/straight_symbol.svg" in guide
    assert "The library has 3 components" in pages["index.md"]

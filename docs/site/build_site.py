"""The documentation as a site: assembles pages, runs the notebooks, calls Sphinx."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from docs.site.contents import CHAPTERS, DEVELOPMENT, LAST, NEEDED, PATH

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILT = ROOT / "build" / "site"
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "RELEASE.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
FILES = ("CITATION.cff", "LICENSE")
"""Files that pages link to; they become downloads."""
SHOWN = {"docs": ("*.md", "*.svg", "pictures/*"), "netlists": ("*.yml",), "notebooks": ("*.ipynb",)}
"""Folders of which the site has these files."""


def build(*, notebooks: bool = True, jobs: int = 2) -> Path:
    """Build the site below build/site/ and return its first page; warnings of Sphinx are errors.

    notebooks: whether they run; without, the site shows them without outputs.  jobs: notebooks at a time.
    """
    source, out = BUILT / "source", BUILT / "html"
    for folder in (source, out):
        shutil.rmtree(folder, ignore_errors=True)
    assemble(source)
    if notebooks:
        run_notebooks(source / "notebooks", jobs)
    (source / "notebooks" / "index.md").write_text(path_of_notebooks(source / "notebooks"), encoding="utf-8")
    from sphinx.cmd.build import main as sphinx

    if sphinx(["-W", "--keep-going", "-q", "-b", "html", str(source), str(out)]):
        message = "Sphinx warns: see the lines above."
        raise SystemExit(message)
    return out / "index.html"


def assemble(source: Path) -> None:
    """Write the pages, and copy what they show, into a folder that Sphinx reads."""
    from docs.site.reference import api_pages, component_pages

    source.mkdir(parents=True)
    for name in (*PAGES, *FILES):
        shutil.copy(ROOT / name, source)
    for folder, patterns in SHOWN.items():
        for path in (path for pattern in patterns for path in (ROOT / folder).glob(pattern)):
            target = source / folder / path.relative_to(ROOT / folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    for name in ("conf.py", "docstrings.py", "index.md"):
        shutil.copy(HERE / name, source)
    _write(source, chapters())
    with (source / "index.md").open("a", encoding="utf-8") as index:
        index.write(_contents([*(_file_of(chapter) for chapter in CHAPTERS), *LAST], hidden=True))
    shutil.copytree(HERE / "static", source / "_static")
    _write(source / "reference", api_pages())
    _write(source / "components", component_pages(source / "components" / "spectra"))
    for page in source.glob("*.md"):
        page.write_text(_links(page.read_text(encoding="utf-8")), encoding="utf-8")


def chapters() -> dict[str, str]:
    """Return a page for each chapter with its list of pages."""
    pages = {
        f"{_file_of(title)}.md": f"# {title}\n\n{says}\n{_contents([f'docs/{name}' for name in names])}"
        for title, (says, names) in CHAPTERS.items()
    }
    pages["development.md"] = f"# Development\n\nHow photosim is built and changed.\n{_contents(DEVELOPMENT)}"
    return pages


def _file_of(title: str) -> str:
    return title.lower().replace(" ", "-")


def _contents(names: Sequence[str], *, hidden: bool = False) -> str:
    """Return a table of contents in MyST."""
    options = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    return f"\n```{{toctree}}\n{options}\n" + "\n".join(names) + "\n```\n"


def _links(text: str) -> str:
    """Return a page whose links to folders lead to their pages."""
    return text.replace("](notebooks/)", "](notebooks/index.md)")


def _write(folder: Path, pages: dict[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")


def run_notebooks(folder: Path, jobs: int) -> None:
    """Run every notebook whose packages are here and keep its outputs in it; the first error stops all."""
    paths = []
    for path in sorted(folder.glob("*.ipynb")):
        missing = [name for name in NEEDED.get(path.stem, ()) if not find_spec(name)]
        if missing:
            print(f"{path.name} is shown without outputs: {' and '.join(missing)} not installed")
        else:
            paths.append(path)
    with ThreadPoolExecutor(jobs) as pool:
        for path in pool.map(_run, paths):
            print(f"ran {path.name}", flush=True)


def _run(path: Path) -> Path:
    """Run one notebook in a process of its own, as nobody else's kernel, and keep the outputs."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=600,
        resources={"metadata": {"path": str(ROOT / "notebooks")}},  # where the paths in it begin
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    try:
        # One thread each: those of OpenBLAS wait in a busy loop, which costs most where they share cores.
        threads = {f"{library}_NUM_THREADS": "1" for library in ("NUMBA", "OPENBLAS", "MKL")}
        client.execute(env={**os.environ, **threads})
    except CellExecutionError as error:
        plain = re.sub(r"\x1b\[[\d;]*m", "", str(error))
        message = f"The notebook {path.name} does not run: {plain}"
        raise SystemExit(message) from None
    nbformat.write(notebook, path)
    return path


def path_of_notebooks(folder: Path) -> str:
    """Return the index of the notebooks: chapters, and for each its question and its first picture."""
    missing = sorted(
        {path.stem for path in folder.glob("*.ipynb")} - {n for own in PATH.values() for n in own}
    )
    if missing:
        message = f"These notebooks stand in no chapter of docs/site/contents.py: {', '.join(missing)}."
        raise SystemExit(message)
    text = ["# Notebooks\n\nEach asks one question, and runs from top to bottom in seconds.\n"]
    for chapter, names in PATH.items():
        text.append(f"## {chapter}\n\n| | question |\n|---|---|")
        for name in names:
            title, says = _opening(json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8")))
            picture = _first_picture(folder, name)
            shown = f"[![picture of {name}]({picture})]({name}.ipynb)" if picture else ""
            text.append(f"| {shown} | [{title}]({name}.ipynb)<br>{says} |")
        listed = "\n".join(names)
        text.append(f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n")
    return "\n".join(text)


def _opening(notebook: dict[str, list[dict[str, object]]]) -> tuple[str, str]:
    """Return the title of a notebook and its first sentence."""
    source = notebook["cells"][0]["source"]
    lines = "".join(source if isinstance(source, list) else [str(source)])
    title, _, rest = lines.partition("\n")
    first = re.split(r"(?<=[.?!])\s", " ".join(rest.split()), maxsplit=1)[0]
    return title.lstrip("# "), first.replace("|", "\\|")


def _first_picture(folder: Path, name: str) -> str | None:
    """Write the first plot of a notebook, or else its first drawing, to a file; None without outputs."""
    import base64

    notebook = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
    shown = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", ())]
    for data in shown:
        if "image/png" in data:
            (folder / f"{name}.png").write_bytes(base64.b64decode(data["image/png"]))
            return f"{name}.png"
    for data in shown:
        if "image/svg+xml" in data:
            (folder / f"{name}.svg").write_text("".join(data["image/svg+xml"]), encoding="utf-8")
            return f"{name}.svg"
    return None

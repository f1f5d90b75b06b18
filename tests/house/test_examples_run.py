"""The examples of README, CONTRIBUTING and docs run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from tests.forked import forked

ROOT = Path(__file__).parents[2]


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of one language on a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """An empty folder with only the gallery in it, as a reader of the README sees the checkout."""
    (tmp_path / "netlists").symlink_to(ROOT / "netlists")
    shutil.copy(ROOT / "tests" / "data" / "layouts" / "ring_double.json", tmp_path / "my_chip.json")
    (tmp_path / "my_kit").mkdir()
    shutil.copy(ROOT / "photosim" / "cli" / "starters" / "kit.yml", tmp_path / "my_kit")
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    """Run a command in a folder and return what it printed; fails with its stderr."""
    environment = dict(os.environ, MPLBACKEND="Agg")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr or done.stdout}"
    return done.stdout


LOADED = """\
import matplotlib.pyplot, numba, scipy.optimize, scipy.signal, sympy, xarray
import sklearn.datasets, sklearn.model_selection
import photosim.kernels
"""
"""What most pages import."""


@pytest.fixture(scope="module")
def run_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Path], None]]:
    """Give what runs the Python of a page in a folder, in a new process, where every warning is an error."""
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    with forked(LOADED, tmp_path_factory.mktemp("pages"), ["-W", "error"], environment) as processes:

        def run_here(code: str, folder: Path) -> None:
            done = processes.run(code, folder, environment)
            assert done.returncode == 0, done.stderr or done.stdout

        yield run_here


@pytest.mark.parametrize(
    "page",
    [
        "docs/budget.md",
        "docs/circuits.md",
        "docs/notebooks.md",
        "docs/cluster.md",
        "docs/drawings.md",
        "docs/figures.md",
        "docs/first-steps.md",
        "docs/fit.md",
        "docs/laws.md",
        "docs/layouts.md",
        "docs/meshes.md",
        "docs/metrics.md",
        "docs/media.md",
        "docs/migration.md",
        "docs/timedomain.md",
        "docs/electronics.md",
        "docs/links.md",
        "docs/chips.md",
        "docs/hardware.md",
        "docs/how-to.md",
        "docs/optimise.md",
        "docs/own-training.md",
        "docs/pdk.md",
        "docs/programmable.md",
        "docs/sweeps.md",
        "docs/yield.md",
    ],
)
def test_python_of_a_page_runs_from_top_to_bottom(
    page: str, desk: Path, run_page: Callable[[str, Path], None]
) -> None:
    found = blocks(page, "python")
    assert found
    run_page("\n".join(found), desk)


def test_python_of_the_readme_runs_where_nothing_is_loaded(desk: Path) -> None:
    run([sys.executable, "-W", "error", "-c", "\n".join(blocks("README.md", "python"))], desk)


CONSOLE = [line.removeprefix("$ ") for block in blocks("README.md", "console") for line in block.splitlines()]


@pytest.mark.parametrize("line", CONSOLE)
def test_readme_console_runs(line: str, desk: Path) -> None:
    out = run(["bash", "-c", line], desk)
    assert out.strip(), "every command says what it found or wrote"
    for name in re.findall(r"--(?:out|plot) (\S+)", line):
        assert (desk / name).stat().st_size > 0


def test_netlist_page_shows_a_circuit_that_works() -> None:
    import photosim as ps

    first, *_ = blocks("docs/netlists.md", "yaml")
    circuit = ps.Circuit(ps.netlist.read_text(first, "docs/netlists.md"), strict=True)
    s = circuit(wl=ps.wavelengths(1.54, 1.56, 201))
    assert s.ports == ("in", "drop", "add", "through")
    assert s.is_passive()


def add_component_as_contributing_says(copy: Path) -> None:
    """Write the file and append the source that CONTRIBUTING shows."""
    (declaration,) = [b for b in blocks("CONTRIBUTING.md", "python") if b.startswith("# components/")]
    name = declaration.splitlines()[0].removeprefix("# ")
    (copy / name).write_text(declaration, encoding="utf-8")
    (entry,) = blocks("CONTRIBUTING.md", "bibtex")
    with (copy / "components" / "sources.bib").open("a", encoding="utf-8") as bib:
        bib.write("\n" + entry)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the checkout to which the worked example of CONTRIBUTING has been added."""
    copy = tmp_path_factory.mktemp("extended")
    for folder in ("photosim", "components", "netlists", "tests"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, symlinks=True, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", copy)
    add_component_as_contributing_says(copy)
    with kernels_as_here(copy):
        yield copy


@contextmanager
def kernels_as_here(copy: Path) -> Iterator[None]:
    """Let a copy begin with the machine code of the same kernels here, which numba keeps by their folder."""
    from numba.core.caching import _CacheLocator

    from photosim.kernels.chain import contract

    kept = getattr(contract, "_cache", None)
    if kept is None:  # without compilation
        yield
        return
    here, locator = Path(kept.cache_path), cast("Any", _CacheLocator)  # numba has no types
    file = copy / "photosim" / "kernels" / "chain.py"
    there = here.parent / locator.get_suitable_cache_subpath(str(file))
    with suppress(shutil.Error):  # what another process replaces meanwhile is compiled again
        shutil.copytree(here, there)
    yield
    shutil.rmtree(there)


def test_contributing_component_works_as_it_says(extended: Path) -> None:
    (example,) = [b for b in blocks("CONTRIBUTING.md", "python") if not b.startswith("# components/")]
    run([sys.executable, "-W", "error", "-c", example], extended)


def test_contributing_component_joins_the_tests_of_all_components(extended: Path) -> None:
    # Files that list no names have no test of a component that is not theirs.
    listing = [path for path in (extended / "tests" / "components").glob("test_*.py")
               if "registry.names()" in path.read_text(encoding="utf-8")]  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", *map(str, listing)]
    out = run([*command, "tests/house/test_sources.py", "-k", "etalon"], extended)
    passed = re.search(r"(\d+) passed", out)
    assert passed is not None
    assert int(passed[1]) > 3

"""The pytest plugin: off unless asked, one test a law, and a fixture."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import photosim.testing

PARTS = '''
from typing import Any
from photosim.model import Algebra, Entries, Power, component

@component(ports=("o1", "o2"), source="me")
def pane(m: Algebra, wl: Any, *, loss: Power = 0.5) -> Entries:
    """Pane.

    Settings:
        loss: power lost.
    """
    return {("o1", "o2"): m.sqrt(ONE - loss)}
'''
OWN = """
def test_pane(laws):
    import parts
    assert not laws(parts.pane, examples=10).broken
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder, with the plugin as an installation has it."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    if "photosim" not in installed():
        command += ["-p", "photosim.testing.plugin"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def installed() -> set[str]:
    """Return the names of the pytest plugins that are installed."""
    from importlib.metadata import entry_points

    return {entry.name for entry in entry_points(group="pytest11")}


def test_option_tries_the_laws_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(PARTS.replace("ONE", "1"), encoding="utf-8")
    done = run(tmp_path, "--photosim-laws", "parts.py", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pane::passivity PASSED" in done.stdout
    (tmp_path / "parts.py").write_text(PARTS.replace("ONE", "1.01"), encoding="utf-8")
    done = run(tmp_path, "--photosim-laws", "parts.py", "-k", "passivity")
    assert done.returncode == 1
    assert "pane breaks the law of passivity" in done.stdout
    assert "Traceback" not in done.stdout


def test_fixture_in_three_lines_and_nothing_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(PARTS.replace("ONE", "1"), encoding="utf-8")
    (tmp_path / "test_own.py").write_text(OWN, encoding="utf-8")
    done = run(tmp_path, "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_plugin_loads_nothing_unless_asked() -> None:
    code = "import sys, photosim.testing.plugin; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_misspelt_law_is_named() -> None:
    with pytest.raises(AttributeError, match=r"'chek'.*check"):
        photosim.testing.chek  # noqa: B018 - the look-up itself is tried

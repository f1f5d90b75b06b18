"""What surrounds photosim: a package of components by somebody else, and Python without docstrings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from photosim.cli.app import app

BLOCK = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
NETLIST = 'instances: {plate: glass_plate}\nports: {in: "plate,o1", out: "plate,o2"}\n'


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder` with changed variables."""
    command = [sys.executable, *arguments]
    whole = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=whole, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def template(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page, written as the page shows it."""
    folder = tmp_path_factory.mktemp("template")
    text = (root / "docs" / "own-components.md").read_text(encoding="utf-8")
    files = dict(BLOCK.findall(text))
    assert set(files) == {
        "pyproject.toml",
        "my_photonic_parts/__init__.py",
        "my_photonic_parts/sources.bib",
        "tests/test_laws.py",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template package, built to a wheel and unpacked into a folder for PYTHONPATH."""
    folder = tmp_path_factory.mktemp("installed")
    code = f"from setuptools import build_meta as b; b.build_wheel({str(folder)!r})"
    done = run("-c", code, folder=template)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder)
    wheel.unlink()
    return folder


CLI = "from photosim.cli import main; main()"


def test_installed_package_of_components_works_everywhere(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(NETLIST, encoding="utf-8")
    done = run("-c", CLI, "simulate", "own.yml", "--wl", "1.55", folder=tmp_path, PYTHONPATH=str(installed))
    assert done.returncode == 0, done.stderr
    assert "0.000 at 1.55" in done.stdout
    cited = run("-c", CLI, "cite", "own.yml", folder=tmp_path, PYTHONPATH=str(installed))
    assert "author    = {Eugene Hecht}" in cited.stdout


def test_installed_package_tests_itself(installed: Path, template: Path) -> None:
    done = run(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests", folder=template, PYTHONPATH=str(installed)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_package_that_fails_is_a_warning(installed: Path, tmp_path: Path) -> None:
    broken = tmp_path / "site"
    module = broken / "my_photonic_parts"
    module.mkdir(parents=True)
    (module / "__init__.py").write_text("import nothing_of_that_name\n", encoding="utf-8")
    (info,) = installed.glob("*.dist-info")
    (broken / info.name).mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (broken / info.name / name).write_bytes((info / name).read_bytes())
    done = run("-c", CLI, "check", "link", folder=tmp_path, PYTHONPATH=str(broken))
    assert (done.returncode, done.stderr) == (0, "")  # the library's components run no other code
    done = run("-c", CLI, "components", folder=tmp_path, PYTHONPATH=str(broken))
    assert done.returncode == 0, done.stderr
    assert "components of the installed package 'my-photonic-parts' are not loaded" in done.stderr
    assert "nothing_of_that_name" in done.stderr


def test_file_of_components_on_the_command_line(template: Path, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(NETLIST, encoding="utf-8")
    file = str(template / "my_photonic_parts" / "__init__.py")
    done = run("-c", CLI, "--components", file, "simulate", "own.yml", "--wl", "1.55", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    without = run("-c", CLI, "simulate", "own.yml", folder=tmp_path)
    assert without.returncode == 1
    assert "there is no component 'glass_plate'" in without.stderr


def test_file_of_components_must_exist(tmp_path: Path) -> None:
    done = run("-c", CLI, "--components", "parts.py", "components", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("is not a Python file of components: give a .py file that exists.")


CODE = "from pathlib import Path\nPath(__file__).with_name('ran').touch()\n"
GUIDE = {"instances": {"guide": "straight"}, "ports": {"in": "guide,o1", "out": "guide,o2"}}
TRAIN = {
    "kind": "train",
    "name": "t",
    "data": "digits",
    "network": [64, 10, 10],
    "rules": ["dfa"],
    "epochs": 1,
}
NAMING: list[dict[str, object]] = [
    {"instances": {"guide": "parts.py"}},
    {"instances": {"guide": "parts.plate"}},
    {"instances": {"guide": {"component": "sampled", "settings": {"file": "parts.py"}}}},
    {"instances": {"guide": {"component": "straight", "settings": {"length": "__import__('parts')"}}}},
    {"components": "parts.py"},
    {"components": {"plate": "parts.py"}, "instances": {"guide": "plate"}},
    {"chip": "parts.py"},
    {"analyses": [{**TRAIN, "data": "parts.py"}]},
    {"analyses": [{**TRAIN, "hardware": "parts.py"}]},
    {"analyses": [{"kind": "parts.plate", "name": "t"}]},
    {"analyses": [{"kind": "fit", "name": "t", "data": "parts.py", "parameters": ["guide.length"]}]},
]
"""Keys of a netlist that name a file of Python where a file, a component or a number can stand."""


@pytest.mark.parametrize("keys", NAMING, ids=lambda keys: str(keys)[:60])
def test_a_netlist_never_has_code_run(
    keys: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "parts.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "own.json").write_text(json.dumps({**GUIDE, **keys}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # `import parts` would find it
    for command in ("check", "simulate", "run", "cite"):
        wavelengths = ("--wl", "1.55") if command == "simulate" else ()
        done = CliRunner().invoke(app, [command, "own.json", *wavelengths], prog_name="photosim")
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert not (tmp_path / "ran").exists(), command
    assert "parts" not in sys.modules


WITHOUT_DOCSTRINGS = """
import photosim as ps
from photosim.model import registry

assert len(registry.names()) > 90
assert registry.get("straight").parameters["length"].text == ""
print(ps.load("add_drop_ring")(wl=[1.55])["in", "drop"].power[0])
"""


def test_python_without_docstrings_gives_the_same(tmp_path: Path) -> None:
    import photosim as ps

    done = run("-OO", "-W", "error", "-c", WITHOUT_DOCSTRINGS, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = ps.load("add_drop_ring")(wl=[1.55])["in", "drop"].power[0]
    assert float(done.stdout) == expected

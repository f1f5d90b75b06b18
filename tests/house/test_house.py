"""What README, CONTRIBUTING and CI promise holds for the files of the tree."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".bib", ".ipynb", ".cfg", ".txt", ""}


def tracked() -> list[Path]:
    """Return the text files of the tree that git knows, or skip where this is no checkout."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: there is no list of the project's files")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    # The corpus of broken files is broken on purpose: some of it is no text.
    paths = [ROOT / name for name in done.stdout.split("\0") if name and "/corpus/broken/" not in name]
    broken = ROOT / "tests" / "netlist" / "corpus"  # files that are damaged on purpose
    return [
        p
        for p in paths
        if p.is_file() and not p.is_symlink() and p.suffix in TEXT and not p.is_relative_to(broken)
    ]


def shell_commands(text: str) -> list[str]:
    """Return the lines of every ```sh block."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_ci_runs_the_test_command_of_the_readme_to_the_letter() -> None:
    commands = shell_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    (test_command,) = [line for line in commands if "'.[test]'" in line]
    assert test_command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_readme_commands_need_only_python_and_pip() -> None:
    commands = shell_commands((ROOT / "README.md").read_text(encoding="utf-8"))[:2]
    assert len(commands) == 2
    for command in commands:
        first, install, last = (part.split() for part in command.split(" && "))
        assert first == ["python3", "-m", "venv", "--without-pip", ".venv"]
        assert install[:5] == ["python3", "-m", "pip", "--python", ".venv"]
        assert last[0].startswith(".venv/bin/")


def test_ci_script_is_executable_and_stops_at_the_first_failure() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "set -euo pipefail" in script.read_text(encoding="utf-8")
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_only_tests_that_skip_look_beside_the_checkout() -> None:
    # Written apart, or this file would be its own finding.
    beside = re.compile(r"\bshared" + r"/(?:bench|data|reference)|\.\./" + r"shared|/ " + r"[\"']shared")
    for path in tracked():
        text = path.read_text(encoding="utf-8")
        if beside.search(text):
            inside_tests = path.is_relative_to(ROOT / "tests")
            assert inside_tests, f"{path} refers to a folder that a user does not have"
            assert "skip" in text, f"{path} would fail where that folder is absent"


def test_top_level_holds_what_every_python_project_has_and_six_folders() -> None:
    folders = {"photosim", "components", "netlists", "tests", "notebooks", "docs"}
    files = {"pyproject.toml", "setup.py", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"}
    files |= {"CITATION.cff", "CODE_OF_CONDUCT.md", "SECURITY.md", "RELEASE.md"}
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= folders | files


def test_no_test_can_fail_because_the_machine_is_busy() -> None:
    limit = re.compile(r"\btime" + r"out\s*=|perf_" + r"counter|mono" + r"tonic\(")
    tests = [p for p in tracked() if p.is_relative_to(ROOT / "tests") and p.name.startswith("test_")]
    assert [p for p in tests if limit.search(p.read_text(encoding="utf-8"))] == []


def test_no_file_names_a_home_folder() -> None:
    home = re.compile(r"/(?:root|home)" + r"/\w")
    assert [p for p in tracked() if home.search(p.read_text(encoding="utf-8"))] == []


def test_no_unfinished_marks() -> None:
    marks = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [p for p in tracked() if marks.search(p.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("path", sorted((ROOT / "netlists").glob("*.yml")), ids=lambda p: p.stem)
def test_gallery_file_opens_with_its_figures_and_stands_on_the_gallery_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#"), "the expected figures stand in a comment at the top"
    netlist = yaml.safe_load(text)  # flat, or several netlists of which the first is the circuit
    assert netlist.get("instances") or next(iter(netlist.values()))["instances"]
    assert f"(../netlists/{path.name})" in (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")


def links(path: Path) -> list[str]:
    """Return the relative targets of a Markdown file's links."""
    targets = re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
    return [t for t in targets if not re.match(r"[a-z]+:", t)]


@pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    assert [target for target in links(path) if not (path.parent / target).exists()] == []


def test_changelog_names_the_version() -> None:
    import photosim

    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[([^\]]+)\]", text, flags=re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert photosim.__version__ == headings[1]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == photosim.__version__


def test_public_files_are_well_formed() -> None:
    """The hosting site's own files cannot be tried here: at least they are what they must be in form."""
    workflows = [
        yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")
    ]
    assert workflows
    for workflow in workflows:
        jobs = workflow["jobs"]
        commands = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
        for command in commands:
            if command.startswith(".ci/"):
                assert (ROOT / command.split()[0]).stat().st_mode & 0o111
        assert ".ci/run" in commands
        assert "python -m pytest" in commands
    for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert {"name", "description", "body"} <= set(form), path
        assert all({"type", "attributes"} <= set(field) for field in form["body"]), path
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    names = {hook["id"] for repo in hooks["repos"] for hook in repo["hooks"]}
    assert {"ruff-check", "ruff-format", "mypy", "lint-imports", "nbstripout"} <= names

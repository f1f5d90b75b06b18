"""Commands that find things: components by any name, circuits of the gallery, a file to start from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from photosim import netlist
from photosim.cli.questions import app  # with the commands of questions, such as pdk
from photosim.netlist.layout_table import RULES, SYNONYMS


def call(*words: str, code: int = 0) -> str:
    """Return what a command writes, stdout or, where it fails, stderr."""
    done = CliRunner().invoke(app, list(words), prog_name="photosim")
    assert done.exit_code == code, done.stderr
    return done.stderr if code else done.stdout


def found(*words: str) -> list[str]:
    return list(json.loads(call("components", *words, "--json")))


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["y", "branch"], "splitter"),
        (["Y-Branch"], "splitter"),
        (["waveguide bend"], "bend_circular"),
        (["microring"], "ring_single"),
        (["half_ring"], "coupler_ring"),
        (["ebeam_y_1550"], "splitter"),
        (["Mach", "Zehnder", "modulator"], "mach_zehnder_modulator"),
    ],
)
def test_a_component_is_found_by_the_names_of_other_tools(words: list[str], first: str) -> None:
    assert found(*words)[0] == first


def test_every_synonym_finds_its_component() -> None:
    known = {name: rule.component for name, rule in RULES.items()} | dict(SYNONYMS)
    listed = json.loads(call("components", "--json"))
    also = {other: name for name, facts in listed.items() for other in facts["also"]}
    assert also == {
        name: component for name, component in known.items() if component in listed and component != name
    }


def test_names_come_before_sentences() -> None:
    names = found("ring")
    without = [name for name in names if "ring" not in name]
    assert without == names[-len(without) :]
    assert names[-len(without) - 1] == "scattering_medium"  # it only ends a word there
    assert not {"speckle_medium", "thermal_resistor"} & set(names)  # scattering, neighbouring
    assert without[0] == "racetrack"  # ring_single_heater elsewhere


def test_a_list_has_a_line_a_component_with_its_sentence() -> None:
    lines = [line for line in call("components", "crow", "chain").splitlines() if line.startswith(" crow")]
    assert len(lines) == 1
    assert "Coupled-resonator optical waveguide" in lines[0]
    assert "coupled rings" in lines[0]


def test_a_word_that_nothing_has_is_a_sentence_with_the_nearest_name() -> None:
    assert call("components", "micoring", code=1) == (
        "No component has 'micoring' in its name, its other names or its first sentence. "
        "Did you mean 'microring'?\n"
    )


def test_gallery_lists_every_circuit_with_a_sentence() -> None:
    listed = json.loads(call("gallery", "--json"))
    assert set(listed) == set(netlist.gallery())
    assert all(len(facts["summary"]) > 20 for facts in listed.values())
    assert listed["crow"]["summary"] == (
        "Coupled-resonator optical waveguide: five rings in a chain, "
        "coupling 0.05 between rings, 0.3 to the buses"
    )
    assert all(name in call("gallery") for name in listed)


@pytest.mark.parametrize(
    ("thing", "follow"),
    [
        ("circuit", ["check", "circuit.yml", "--strict"]),
        ("circuit", ["simulate", "circuit.yml", "--wl", "1.54:1.56:auto", "--plot", "circuit.png"]),
        ("analysis", ["run", "analysis.yml", "--out", "answers"]),
        ("kit", ["pdk", "check", "kit.yml"]),
    ],
)
def test_a_starter_file_works(
    thing: str, follow: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("new", thing).startswith(f"Wrote {thing}")
    call(*follow)


def test_a_starter_component_keeps_the_laws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "mine.py" in call("new", "component", "mine.py")
    assert "broken" not in call("test", "mine.py", "--examples", "5")


def test_a_starter_never_replaces_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("circuit.yml").write_text("mine", encoding="utf-8")
    assert call("new", "circuit", code=1) == "circuit.yml exists already: give another name.\n"
    assert Path("circuit.yml").read_text(encoding="utf-8") == "mine"
    assert "Did you mean 'circuit'?" in call("new", "circiut", code=1)
    assert "known are .yml" in call("new", "circuit", "circuit.txt", code=1)
    assert [path.name for path in tmp_path.iterdir()] == ["circuit.yml"]


def test_doctor_names_versions_cache_and_extras() -> None:
    facts = json.loads(call("doctor", "--json"))
    assert facts["libraries"]["numpy"]["found"]
    assert set(facts["extras"]) >= {"torch", "jax", "sax", "touchstone", "distributed"}
    assert "test" not in facts["extras"]
    assert "can be written" in call("doctor")


def test_version_is_an_option_too() -> None:
    assert call("--version") == call("version")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["simulate", "add_"], ["add_drop_ring"]),
        (["simulate", "mine/"], ["mine/chip.yml", "mine/more/"]),
        (["components", "grating"], ["grating_coupler"]),
        (["reproduce", "mrr"], ["mrr-dfa"]),
        (["new", "c"], ["circuit", "component"]),
        (["tra"], ["train", "transient"]),
    ],
)
def test_the_shell_completes(
    typed: list[str], offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine" / "more").mkdir(parents=True)
    (tmp_path / "mine" / "chip.yml").touch()
    (tmp_path / "mine" / "notes.txt").touch()
    words = {"COMP_WORDS": " ".join(["photosim", *typed]), "COMP_CWORD": str(len(typed))}
    done = CliRunner().invoke(
        app, [], prog_name="photosim", env={**words, "_PHOTOSIM_COMPLETE": "complete_bash"}
    )
    assert sorted(done.stdout.split()) == offered

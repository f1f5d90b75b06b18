"""What `cite` prints is what a circuit, a rule or a system rests on, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.model import registry
from photosim.systems import system_names
from photosim.training.rules.catalogue import CATALOGUE


def keys(text: str) -> set[str]:
    return set(re.findall(r"^@\w+\{([^,]+),", text, flags=re.MULTILINE))


def sources(circuit: ps.Circuit) -> set[str]:
    return {part.model.source for part in circuit.graph.parts}


def test_circuit_cites_its_parts_and_the_composites_around_them() -> None:
    circuit = ps.Circuit(
        {"instances": {"r": "ring_double"}, "ports": {p: f"r,{p}" for p in ("in", "through", "add", "drop")}}
    )
    expected = sources(circuit) | {model.source for model in circuit.graph.composites.values()}
    assert circuit.graph.composites, "this circuit is to hold a composite"
    assert keys(ps.cite(circuit)) == expected | {"photosim"}


def test_trainings_cite_their_rules() -> None:
    found = keys(ps.cite("mrr_dfa_digits"))
    assert {"nokland2016", "rumelhart1986"} <= found - sources(ps.load("mrr_dfa_digits"))
    assert "launay2020" not in found, "a rule that this netlist does not use"


@pytest.mark.parametrize("hardware", ["opu", ["opu", "clements_4x4"], [None, "mrr_weight_bank"]])
def test_trainings_cite_the_circuits_that_they_name_as_hardware(hardware: str | list[str | None]) -> None:
    training = {"kind": "train", "name": "t", "data": "digits", "network": [64, 10, 10], "rules": ["dfa"]}
    circuit = ps.Circuit(
        {
            "instances": {"guide": "straight"},
            "ports": {"in": "guide,o1", "out": "guide,o2"},
            "analyses": [{**training, "hardware": hardware}],
        }
    )
    names = [hardware] if isinstance(hardware, str) else [name for name in hardware if name is not None]
    wanted = set().union(*(sources(ps.load(name)) for name in names))
    assert wanted - sources(circuit), "the hardware is to have sources of its own"
    assert wanted <= keys(ps.cite(circuit))


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_rule_cites_an_entry_or_is_nobodys(name: str) -> None:
    found = keys(ps.cite(name)) - {"photosim"}
    assert found or name == "frozen"


@pytest.mark.parametrize("name", system_names())
def test_systems_cite_their_paper(name: str) -> None:
    assert len(keys(ps.cite(name))) == 2


def test_every_component_cites_what_it_says() -> None:
    for name in registry.names():
        if "." not in name:
            assert keys(ps.cite(name)) == {"photosim", registry.get(name).source}


def test_entries_are_whole() -> None:
    for entry in ps.cite("mrr_dfa_digits").split("\n\n"):
        assert entry.startswith("@")
        assert entry.endswith("}")
        assert entry.count("{") == entry.count("}")


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        ("ring_doubl", "Did you mean 'ring_double'"),
        ("nothing.yml", "There is no file 'nothing.yml'"),
        (3, "must be a Circuit or a text or a path, got 3"),
    ],
)
def test_what_cannot_be_cited(thing: str, sentence: str) -> None:
    with pytest.raises(ps.PhotosimError, match=re.escape(sentence)):
        ps.cite(thing)


OWN = """
from typing import Any
from photosim.model import Algebra, Entries, Power, component

@component(ports=("o1", "o2"), inputs=1, source="{source}")
def {name}(m: Algebra, wl: Any, *, loss: Power = 0.5) -> Entries:
    \"\"\"Pane.

    Settings:
        loss: power lost.
    \"\"\"
    return {{("o1", "o2"): m.sqrt(1 - loss)}}
"""


@pytest.fixture
def own_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of components that forgets what a test declares."""
    registry.names()
    monkeypatch.setattr(registry, "_models", dict(registry._models))


@pytest.mark.usefixtures("own_list")
def test_own_components_cite_the_list_beside_their_file(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(OWN.format(name="pane_of_test", source="me2026"), encoding="utf-8")
    registry.load_file(tmp_path / "parts.py")
    assert "note = {Source of the component pane_of_test}" in ps.cite("pane_of_test")
    (tmp_path / "sources.bib").write_text("@misc{me2026,\n  title = {Panes},\n}\n", encoding="utf-8")
    assert "title = {Panes}" in ps.cite("pane_of_test")


@pytest.mark.usefixtures("own_list")
def test_file_of_components_that_fails_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "parts.py"
    file.write_text("x = 1\ny = x / 0\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"parts.py, line 2: ZeroDivisionError: division by zero\.$"):
        registry.load_file(file)
    file.write_text("x = (\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"parts.py, line 1: SyntaxError"):
        registry.load_file(file)
    with pytest.raises(ParameterError, match="is not a Python file of components"):
        registry.load_file(tmp_path / "missing.py")
    (tmp_path / "double.py").write_text(OWN.format(name="straight", source="x"), encoding="utf-8")
    with pytest.raises(ParameterError, match="'straight' is declared twice"):
        registry.load_file(tmp_path / "double.py")

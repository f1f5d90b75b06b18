"""The laws on the library, on circuits, tables, devices and rules, and what a report says."""

from __future__ import annotations

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim import testing
from photosim.cli.app import app
from photosim.errors import ParameterError
from photosim.model import Algebra, Block, Composite, Electronic, Entries, Network, Power, component, registry
from photosim.testing import LawBroken, check, laws
from photosim.testing.formula_laws import as_complex, compiled, exact
from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Formula, Linear, subject_of
from photosim.training.devices import Converters, Digital, Mesh, WeightBank, mesh_chip
from photosim.training.rules import InSitu
from photosim.training.rules.catalogue import RULES


def has_laws(name: str) -> bool:
    """Return whether laws are about a component: not free space, electronics, or a table without a file."""
    model = registry.get(name)
    takes_a_file = any(p.kind == "table" for p in model.parameters.values())
    ours = model.function.__module__.startswith("photosim.components")  # other tests declare some of theirs
    return ours and not isinstance(model, Block | Electronic | Network) and not takes_a_file


LARGE = {"hexagonal_mesh", "spectrum_slicer", "weight_bank", "mesh_filter"}
"""Components of hundreds of parts, which take seconds an example."""


JUMPS = {"driven_shifter": {"continuity"}}
"""Its driver takes a phase below zero by a turn at wl0, which is not a whole turn at another wavelength."""


def examples_of(name: str) -> int:
    """Return how many examples a component gets: what is made of other components has had theirs."""
    thorough = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
    if name in LARGE:
        return 10 if thorough else 5
    if isinstance(registry.get(name), Composite):
        return 30 if thorough else 15
    return 100 if thorough else 30


NAMES = [name for name in registry.names() if has_laws(name)]


@pytest.mark.parametrize("name", NAMES)
def test_every_component_keeps_its_laws(name: str) -> None:
    report = check(name, examples=examples_of(name), raises=False)
    assert {verdict.law.name for verdict in report.broken} <= JUMPS.get(name, set()), report.table()
    assert all(verdict.tried for verdict in report.verdicts)


@pytest.mark.parametrize("name", [n for n in NAMES if isinstance(subject_of(n), Linear)])
def test_passivity_and_reciprocity_are_tried_where_they_are_claimed(name: str) -> None:
    subject = subject_of(name)
    assert isinstance(subject, Linear)
    tried = {law.name for law in laws(name)}
    assert {"finiteness", "causality"} <= tried
    assert ("passivity" in tried) != subject.active
    assert ("reciprocity" in tried) == subject.reciprocal


@pytest.mark.parametrize("name", RULES)
def test_every_rule_keeps_its_laws(name: str) -> None:
    assert not check(name, examples=30).broken


@pytest.mark.parametrize("name", ["add_drop_ring", "clements_4x4", "mzi_lattice", "bragg_filter"])
def test_circuits_of_the_gallery_keep_their_laws(name: str) -> None:
    report = check(ps.load(name), examples=20)
    assert "composition of a circuit" in {verdict.law.name for verdict in report.verdicts}


def test_devices_keep_their_laws() -> None:
    weights = np.random.default_rng(0).uniform(-0.1, 0.1, (16, 10))
    bank = WeightBank.from_circuit(ps.load("mrr_dfa_digits"), "bank", Converters(heater_bits=None))
    held = bank.program(weights)
    for device in (Digital(weights), held, held.with_noise("physical", np.random.default_rng(1))):
        assert not check(device, examples=20).broken


def test_a_table_of_a_field_solver_breaks_passivity_and_says_where(siepic: Path) -> None:
    with pytest.raises(
        LawBroken, match=r"bdc_te1550.sparam' breaks the law of passivity at wl = 1\.\d+"
    ) as caught:
        check(siepic / "bdc_te1550.sparam")
    assert caught.value.verdict.found > 1e-3
    assert not check(siepic / "gc_te1550.txt").broken


def test_the_same_seed_finds_the_same() -> None:
    first, second = (check("ring_double_ideal", examples=20, seed=7).numbers() for _ in range(2))
    assert first == second
    assert first != check("ring_double_ideal", examples=20, seed=8).numbers()


def test_a_broken_law_is_a_sentence_that_survives_a_process(siepic: Path) -> None:
    with pytest.raises(LawBroken) as caught:
        check(siepic / "bdc_te1550.sparam")
    text = str(caught.value)
    assert "A component without declared gain sends out at most as much power as enters it" in text
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert str(again) == text


def test_a_report_reads_and_shows() -> None:
    report = check("straight", examples=10)
    table = report.table()
    assert {row[4] for row in table.rows} == {"kept"}
    assert len(str(report).splitlines()) == len(table.rows) + 2
    assert report._repr_html_().count("<tr>") == len(table.rows) + 1
    assert json.loads(json.dumps(report.numbers()))["kept"] is True


def test_one_law_alone() -> None:
    assert [v.law.name for v in check("straight", examples=5, only="group delay").verdicts] == ["group delay"]


def test_every_law_says_what_it_is() -> None:
    text = (Path(__file__).parents[2] / "components" / "sources.bib").read_text(encoding="utf-8")
    for law in laws():
        assert law.statement[0].isupper()
        assert law.formula
        assert law.why
        assert law.tolerance >= 0
        assert f"{{{law.source}," in text


def plain(x: float) -> float:
    return x


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        (plain, "not on a function that is not declared as a component"),
        (3.0, "not on 3.0"),
        ("strait", r"no component, learning rule, circuit .* 'strait'\. Did you mean 'straight'"),
        ("missing.sparam", "There is no file 'missing.sparam'"),
        (None, "not on None"),
        ([1.0], r"not on \[1.0\]"),
        ("camera", "is a part of free space"),
        ("dac", "is a part of electronics"),
        ("sampled", "needs a file"),
        ("link", "has no ports|has no S-matrix"),
    ],
)
def test_what_no_law_is_about(thing: Any, sentence: str) -> None:
    with pytest.raises(ps.PhotosimError, match=sentence):
        check(thing)


def test_a_law_that_does_not_apply_and_no_examples() -> None:
    with pytest.raises(
        ParameterError, match=r"The law 'group delay' does not apply to coupler\. Laws that apply: "
    ):
        check("coupler", only="group delay")
    with pytest.raises(ParameterError, match="examples must be 1 or more, got 0"):
        check("coupler", examples=0)


def test_without_hypothesis_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "hypothesis":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ParameterError, match=re.escape("pip install 'photosim[testing]'")):
        testing.check("straight")


@pytest.fixture
def leaky(own_list: None) -> str:
    """The name of a component that amplifies without saying so."""
    del own_list

    @component(ports=("o1", "o2"), source="haus1984")
    def leaky_in_a_circuit(m: Algebra, wl: Any, *, gain: Power = 0.1) -> Entries:
        """Part with a slip.

        Settings:
            gain: what is added.
        """
        del wl
        return {("o1", "o2"): m.sqrt(1 + gain)}

    return str(leaky_in_a_circuit.name)


def test_a_circuit_that_breaks_a_law_shrinks_to_the_part_that_does(leaky: str, tmp_path: Path) -> None:
    net = {
        "instances": {"a": {"component": "coupler", "settings": {"coupling": 0.3}}, "b": "coupler",
                      "g": {"component": leaky, "settings": {"gain": 0.2}},
                      "s": {"component": "straight", "settings": {"length": 3.0}}},
        "connections": {"a,o3": "g,o1", "g,o2": "b,o2", "a,o4": "s,o1", "s,o2": "b,o1"},
        "ports": {"i": "a,o1", "j": "a,o2", "k": "b,o3", "l": "b,o4"},
    }  # fmt: skip
    with pytest.raises(LawBroken, match=f"law of passivity.*{leaky}") as caught:
        check(ps.Circuit(net), examples=10)
    text = caught.value.verdict.netlist
    assert text is not None
    assert text in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own bytes
    file = tmp_path / "smallest.yml"
    file.write_text(text, encoding="utf-8")
    assert [part.name for part in ps.load(file).graph.parts] == ["g"]
    assert CliRunner().invoke(app, ["check", str(file)], prog_name="photosim").exit_code == 0
    done = CliRunner().invoke(app, ["test", str(file), "--examples", "5"], prog_name="photosim")
    assert done.exit_code == 1
    assert f"component: {leaky}" in done.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("in_out_re,in_out_im\n0.5,0.1\n", "expected wavelength_um"),
        ("wavelength_um,in_out_re,in_out_im\n", "there are no rows"),
    ],
)
def test_tables_without_wavelengths_are_refused_in_a_sentence(
    text: str, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ps.PhotosimError, match=sentence):
        check(file)
    done = CliRunner().invoke(app, ["test", str(file)], prog_name="photosim")
    assert done.exit_code == 1
    assert sentence in done.stderr


def test_the_command_tries_netlists_tables_rules_and_names(siepic: Path, root: Path) -> None:
    for thing, code, said in (
        (str(root / "netlists" / "add_drop_ring.yml"), 0, "composition of a circuit"),
        ("add_drop_ring", 0, "gradient of a circuit"),
        (str(siepic / "gc_te1550.txt"), 0, "ports of a table"),
        (str(siepic / "bdc_te1550.sparam"), 1, "BROKEN"),
        ("dfa", 0, "exact last layer"),
        ("photodetector", 0, "sampled noise"),
    ):
        done = CliRunner().invoke(app, ["test", thing, "--examples", "5"], prog_name="photosim")
        assert done.exit_code == code, done.stderr
        assert said in done.stdout


def test_meshes_and_rules_in_situ_keep_their_laws() -> None:
    rng = np.random.default_rng(0)
    unitary = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for component_, matrix in (("clements_mesh", unitary), ("svd_mesh", rng.standard_normal((3, 3)))):
        report = check(Mesh.from_circuit(mesh_chip(component_, 3), "mesh").program(matrix), examples=20)
        assert "gradient of a device" in {verdict.law.name for verdict in report.verdicts}
    assert [verdict.law.name for verdict in check(InSitu(), examples=20).verdicts] == ["gradient in situ"]


WRONG = '''
from typing import Any
from photosim.model import Algebra, Entries, Power, component

@component(ports=("o1", "o2"), source="me")
def leaky_of_test(m: Algebra, wl: Any, *, gain: Power = 0.5) -> Entries:
    """Attenuator with a slip.

    Settings:
        gain: what is added.
    """
    return {("o1", "o2"): m.sqrt(1 + gain)}
'''


@pytest.fixture
def own_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of components that forgets what a test declares."""
    registry.names()
    monkeypatch.setattr(registry, "_models", dict(registry._models))


@pytest.mark.usefixtures("own_list")
def test_the_command_tries_a_file_and_ends_with_1_where_a_law_breaks(tmp_path: Path) -> None:
    file = tmp_path / "parts.py"
    file.write_text(WRONG, encoding="utf-8")
    done = CliRunner().invoke(app, ["test", str(file), "--examples", "20", "--json"], prog_name="photosim")
    assert done.exit_code == 1
    found = json.loads(done.stdout)["leaky_of_test"]
    broken = [law["law"] for law in found["laws"] if not law["kept"]]
    assert broken == ["passivity"]
    done = CliRunner().invoke(app, ["test", "coupler", "--examples", "20"], prog_name="photosim")
    assert done.exit_code == 0
    assert "reciprocity" in done.stdout
    (tmp_path / "none.py").write_text("x = 1\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["test", str(tmp_path / "none.py")], prog_name="photosim")
    assert done.exit_code == 1
    assert "declares no component" in done.stderr


@pytest.mark.parametrize("name", ["ring_modulator", "ring_single_ideal", "ring_double_ideal"])
def test_roundings_are_estimated_beside_the_sharpest_resonances(name: str) -> None:
    # Beside a resonance of a small ring the settings' own slopes are small, yet 1 - r turn is all rounding.
    subject = subject_of(name)
    assert isinstance(subject, Formula)
    rng = np.random.default_rng(4)
    couplings = [n for n in subject.parameters if n.startswith("coupling")]
    for _ in range(40):
        sharp = {n: 10 ** rng.uniform(-8, -4) for n in couplings}
        sharp |= {"phase": 10 ** rng.uniform(-8, -3), "loss_dB_cm": 0.0, "temperature": 300.0}
        sharp |= {"radius": 0.1, "wl0": 1.55, "neff": 1.55 / (0.2 * np.pi)}  # one wavelength around
        settings = {n: sharp.get(n, p.default) for n, p in subject.parameters.items()}
        example = Example(np.array([1.55]), settings)
        for law in ("compiled kernel", "thirty digits"):
            assert LAWS.by_name[law].keeps(LAWS.by_name[law].measure(subject, example)), (law, sharp)


def test_a_small_detuning_keeps_its_digits_in_compiled_code() -> None:
    # sympy's own 2 c (wl0 - wl) = 2 c wl0 - 2 c wl loses six digits here.
    subject = subject_of("gas_cell")
    assert isinstance(subject, Formula)
    settings = {n: p.default for n, p in subject.parameters.items()} | {"linewidth": 1e8, "wl0": 1.5}
    example = Example(1.5 * (1 + np.array([1e-11, 1e-10, 1e-9])), settings)
    with mpmath.workdps(30):
        right = as_complex(np.array([exact(subject.model, wl, settings) for wl in example.wl]))
    assert np.abs(compiled(subject.model, example) - right).max() < 1e-15


def test_a_table_that_the_engine_refuses_is_still_told_which_law_it_breaks() -> None:
    frequency = np.linspace(1.9e14, 1.96e14, 5)
    one = np.array([[0.0, 5000.0], [5000.0, 0.0]], dtype=complex)
    table = ps.model.SampledData(frequency, np.array([one] * 5), ("o1", "o2"))
    with pytest.raises(LawBroken, match="passivity"):
        check(table, examples=5)


def test_netlists_and_computed_s_matrices_are_tried_as_they_are() -> None:
    netlist = {"instances": {"a": "straight"}, "ports": {"in": "a,o1", "out": "a,o2"}}
    circuit = ps.Circuit(netlist)
    for thing in (netlist, circuit.netlist):
        assert {v.law.name for v in check(thing, examples=3).verdicts} >= {"passivity", "reciprocity"}
    table = circuit(np.linspace(1.54, 1.56, 101))
    assert not check(table, examples=3).broken
    with pytest.raises(ParameterError, match="one set of settings"):
        check(circuit(np.array([1.55]), a={"length": np.array([1.0, 2.0])}))


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        ("", "is empty"),
        ("nowhere.s2p", "There is no file 'nowhere.s2p'"),
        (np.zeros(500), "of class ndarray"),
    ],
)
def test_what_is_not_there_is_said_shortly(thing: Any, says: str) -> None:
    with pytest.raises(ParameterError, match=says) as caught:
        check(thing)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("name", ["mach_zehnder_modulator", "travelling_wave_modulator"])
def test_a_pair_of_arms_that_turns_a_thousand_times_is_no_early_part(name: str) -> None:
    """A model without the length of its arms cannot hold such a phase, so the law asks a turn of it."""
    subject = subject_of(name)
    assert isinstance(subject, Linear)
    causality = LAWS.by_name["causality"]
    for v_pi, bias in ((0.001, 1.0), (0.031, -15.0), (0.5, 15.0), (3.0, 1.5)):
        example = Example(np.full(3, 1.5), {**_defaults(subject), "v_pi": v_pi, "bias": bias})
        assert causality.keeps(causality.measure(subject, example)), (v_pi, bias)


def _defaults(subject: Linear) -> dict[str, Any]:
    return {n: parameter.default for n, parameter in subject.parameters.items()}

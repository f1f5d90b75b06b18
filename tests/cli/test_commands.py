"""Every command does its work: results on stdout, messages on stderr, exit code 0."""

from __future__ import annotations

import contextvars
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

import photosim as ps
from photosim import files
from photosim.cli.app import app
from photosim.cli.group import PANELS
from photosim.model import registry

COMMANDS = (
    "check", "simulate", "draw", "components", "gallery", "new", "doctor", "train", "run", "bench", "version",
)  # fmt: skip
RING = """\
name: ring
instances:
  ring: {component: ring_double, settings: {radius: 10.0, coupling: 0.1}}
ports: {in: "ring,in", drop: "ring,drop", add: "ring,add", through: "ring,through"}
analyses:
  - {kind: spectrum, name: lines, wl: "1.54:1.56:201", from: in, to: [drop, through], channels: [1.545, 1.55]}
"""
LINK = """\
instances:
  laser: {component: laser, settings: {wl: 1.55, power: 1.0e-3}}
  loss: {component: attenuator, settings: {loss_dB: 3.0}}
  pd: {component: photodetector, settings: {responsivity: 0.8}}
connections: {"laser,o1": "loss,o1", "loss,o2": "pd,o1"}
"""


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in that holds ring.yml and link.yml."""
    (tmp_path / "ring.yml").write_text(RING, encoding="utf-8")
    (tmp_path / "link.yml").write_text(LINK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> tuple[str, str]:
    """Run a command that must succeed; return what it wrote to stdout and stderr."""
    done = CliRunner().invoke(app, list(arguments), prog_name="photosim")
    assert done.exit_code == 0, done.stderr
    return done.stdout, done.stderr


def call_json(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(call(*arguments, "--json")[0])
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    text, _ = call(command, "--help")
    _, _, example = " ".join(text.split()).partition("Example: ")
    assert example.startswith("photosim ")
    assert f"photosim {command}" in example


def test_the_example_of_fit_runs_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from photosim.cli.questions import app as every

    group: Any = typer.main.get_command(every)
    monkeypatch.chdir(tmp_path)
    for line in group.commands["fit"].epilog.removeprefix("Example: ").split("; "):
        call(*line.removeprefix("photosim ").split())
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".png"]


def test_without_a_command_the_commands_are_listed() -> None:
    text, _ = call()
    for command in COMMANDS:
        assert command in text


def test_every_command_has_a_panel_and_an_example_for_any_folder() -> None:
    from photosim.cli.questions import app as every  # with the commands of a designer's questions

    group: Any = typer.main.get_command(every)
    assert sorted(group.list_commands(None)) == sorted(name for names in PANELS.values() for name in names)
    for name, command in group.commands.items():
        assert command.rich_help_panel in PANELS, name
        assert "netlists/" not in (command.epilog or ""), name  # a checkout's folder


def test_check_counts_what_it_read(ring: Path) -> None:
    text, messages = call("check", "ring.yml")
    assert text == "ring.yml: 1 instance, 0 connections, 4 ports, 1 analysis, 0 warnings\n"
    assert messages == ""
    assert ring.joinpath("ring.yml").exists()


def test_check_lists_settings_with_their_values(ring: Path) -> None:
    text, _ = call("check", "ring.yml", "--settings")
    assert "ring.radius" in text
    found = call_json("check", "ring.yml", "--settings")
    assert found["settings"]["ring.radius"] == 10.0
    assert (found["instances"], found["messages"]) == (1, [])
    assert sorted(path.name for path in ring.iterdir()) == ["link.yml", "ring.yml"]


def test_an_open_port_warns_and_check_shows_layout_settings(ring: Path) -> None:
    part = "{component: coupler, settings: {cross_section: strip}}"
    text = f'instances: {{a: {part}}}\nports: {{in: "a,o1", out: "a,o4"}}\n'
    (ring / "open.yml").write_text(text, encoding="utf-8")
    found = call_json("check", "open.yml")
    assert found["warnings"] == len(found["messages"]) == 2
    assert "not simulated" in found["messages"][1]
    assert "cross_section" in found["messages"][1]
    _, messages = call("simulate", "open.yml", "--wl", "1.55")
    assert messages.count("Warning: ") == 1


def test_simulate_writes_the_spectrum_it_shows(ring: Path) -> None:
    text, messages = call(
        "simulate", "ring.yml", "--wl", "1.54:1.56:2001", "--plot", "ring.png", "--out", "ring.csv"
    )  # fmt: skip
    assert messages == ""
    assert "Wrote ring.csv" in text
    assert (ring / "ring.png").read_bytes().startswith(b"\x89PNG")
    written = files.read(ring / "ring.csv")
    s = ps.load("ring.yml")(ps.wavelengths(1.54, 1.56, 2001))
    assert np.array_equal(written.values, s.values)
    best = float(np.max(s["in", "drop"].power_dB))
    assert f"{best + 0.0:.3f}".lstrip("-") in text


@pytest.mark.parametrize("suffix", [".npz", ".nc"])
def test_simulate_writes_the_format_of_the_suffix(ring: Path, suffix: str) -> None:
    call("simulate", "ring.yml", "--wl", "1.54:1.56:11", "--out", f"ring{suffix}")
    assert files.read(ring / f"ring{suffix}").ports == ("in", "drop", "add", "through")


def test_simulate_keeps_the_ports_named(ring: Path) -> None:
    found = call_json(
        "simulate",
        "ring.yml",
        "--wl",
        "1.54:1.56:11",
        "--from",
        "in",
        "--to",
        "drop,through",
        "--out",
        "s.csv",
    )
    assert list(found["pairs"]) == ["in to drop", "in to through"]
    header = (ring / "s.csv").read_text(encoding="utf-8").partition("\n")[0]
    assert header == "wavelength_um,in_drop_re,in_drop_im,in_through_re,in_through_im"


def test_simulate_reaches_waves_inside(ring: Path) -> None:
    found = call_json(
        "simulate", "ring.yml", "--wl", "1.55", "--from", "in", "--to", "ring.right,o2", "--out", "s.csv"
    )
    values = ps.load("ring.yml").transfer([1.55], ["ring.right,o2"], ["in"])
    expected = 10 * np.log10(abs(values[0, 0, 0]) ** 2)
    assert found["pairs"]["in to ring.right,o2"]["max_dB"] == pytest.approx(expected, rel=1e-12)
    assert (ring / "s.csv").read_text(encoding="utf-8").startswith('wavelength_um,"in_ring.right,o2_re"')


def test_simulate_changes_settings(ring: Path) -> None:
    found = call_json(
        "simulate", "ring.yml", "--wl", "1.55", "--set", "ring.radius=2*5.2", "--set", "temperature=310"
    )
    s = ps.load("ring.yml")(1.55, ring={"radius": 10.4}, temperature=310.0)
    assert found["pairs"]["in to drop"]["max_dB"] == float(s["in", "drop"].power_dB[0])
    assert not list(ring.glob("*.csv"))


def test_simulate_takes_the_range_of_the_netlist_or_says_which(ring: Path) -> None:
    assert call_json("simulate", "ring.yml")["wl_um"] == {"start": 1.54, "stop": 1.56, "points": 201}
    (ring / "bare.yml").write_text(RING.partition("analyses")[0], encoding="utf-8")
    _, messages = call("simulate", "bare.yml")
    assert messages == "No --wl given: taking 1.5:1.6:2001.\n"


def test_simulate_prints_photocurrents(ring: Path) -> None:
    found = call_json("simulate", "link.yml", "--wl", "1.5:1.6:5", "--plot", "i.png", "--out", "i.csv")
    # 1 mW, 3 dB of loss, 0.8 A/W, and a dark current of 0.1 nA.
    assert found["photocurrents_A"] == {"pd": pytest.approx(0.8e-3 * 10**-0.3 + 1e-10, rel=1e-12)}
    lines = (ring / "i.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "wavelength_um,pd_A"
    assert len(lines) == 6
    text, _ = call("simulate", "link.yml", "--wl", "1.55")
    assert "pd" in text
    assert "400.9" in text


def test_a_seed_reaches_what_is_random(ring: Path) -> None:
    text = (
        'instances: {m: {component: speckle_medium, settings: {seed: 1}}}\nports: {in: "m,o1", out: "m,o5"}\n'
    )
    (ring / "m.yml").write_text(text, encoding="utf-8")
    one, two, again = (
        call_json("simulate", "m.yml", "--wl", "1.55", "--seed", seed)["pairs"]["in to out"]["max_dB"]
        for seed in ("1", "2", "1")
    )
    assert one == again != two


def test_a_seed_reaches_the_spectra_of_a_run(ring: Path) -> None:
    text = (
        'instances: {m: {component: speckle_medium, settings: {seed: 1}}}\nports: {in: "m,o1", out: "m,o5"}\n'
        "analyses: [{kind: spectrum, wl: 1.55}]\n"
    )
    (ring / "m.yml").write_text(text, encoding="utf-8")
    ran = call_json("run", "m.yml", "--out", "there", "--seed", "2")["analyses"][0]["pairs"]["in to out"]
    simulated = call_json("simulate", "m.yml", "--wl", "1.55", "--seed", "2")["pairs"]["in to out"]
    own = call_json("simulate", "m.yml", "--wl", "1.55")["pairs"]["in to out"]
    assert ran == simulated != own


@pytest.mark.parametrize("name", ["wl", "ports", "loss", "settings", "pi", "self"])
def test_an_instance_may_be_called_as_an_argument_is(ring: Path, name: str) -> None:
    text = RING.partition("analyses")[0].replace("ring:", f"{name}:").replace('"ring,', f'"{name},')
    (ring / "named.yml").write_text(text, encoding="utf-8")
    arguments = ("--wl", "1.55", "--set", f"{name}.coupling=0.2")
    found = call_json("simulate", "named.yml", *arguments)["pairs"]
    (ring / "changed.yml").write_text(text.replace("coupling: 0.1", "coupling: 0.2"), encoding="utf-8")
    assert found == call_json("simulate", "changed.yml", "--wl", "1.55")["pairs"]


def test_draw_writes_svg_to_a_file_or_stdout(ring: Path) -> None:
    text, _ = call("draw", "ring.yml")
    ET.fromstring(text)  # noqa: S314 - our own output
    assert call("draw", "ring.yml", "--out", "ring.svg")[0] == "Wrote ring.svg\n"
    assert (ring / "ring.svg").read_text(encoding="utf-8") == text


def test_components_lists_every_part_with_units_and_bounds() -> None:
    text, _ = call("components")
    found = call_json("components")
    names = {name for name in registry.names() if "." not in name}
    assert set(found) == names
    assert all(name in text for name in names)
    assert found["coupler"]["parameters"]["coupling"]["bounds"] == "0 to 1"
    assert found["straight"]["parameters"]["length"]["unit"] == "um"


@pytest.mark.parametrize("name", [name for name in registry.names() if "." not in name])
def test_every_component_shows_itself(name: str) -> None:
    text, _ = call("components", name)
    model = registry.get(name)
    assert model.summary in text
    assert f"Source: {model.source}" in text
    for parameter in model.parameters.values():
        assert parameter.name in text


def test_a_component_shows_its_formula() -> None:
    text, _ = call("components", "coupler")
    assert "S(o1 to o3) = I*sqrt(coupling)" in text
    latex, _ = call("components", "coupler", "--latex")
    assert r"\sqrt{\mathrm{coupling}}" in latex
    assert "Made of" in call("components", "ring_double")[0]
    assert call_json("components", "coupler")["formula"]


def test_run_leaves_a_folder_of_results(ring: Path) -> None:
    text, messages = call("run", "ring.yml")
    folder = ring / "results" / "ring"
    assert sorted(path.name for path in folder.iterdir()) == [
        "lines.csv",
        "lines_spectrum.png",
        "results.json",
    ]
    assert "Results in results/ring: lines_spectrum.png, lines.csv, results.json" in text
    assert messages.startswith("lines: 1 of 1 in ")
    assert [path.name for path in (ring / "results").iterdir()] == ["ring"]


def test_results_say_how_they_were_made(ring: Path) -> None:
    found = call_json("run", "ring.yml", "--out", "there/deep", "--seed", "7")
    assert found == json.loads((ring / "there" / "deep" / "results.json").read_text(encoding="utf-8"))
    assert found["photosim"] == ps.__version__
    assert found["seed"] == 7
    assert found["settings"] == {"ring.radius": 10.0, "ring.coupling": 0.1}
    assert len(found["netlist"]["sha256"]) == 64
    (analysis,) = found["analyses"]
    assert analysis["channels_um"] == [1.545, 1.55]
    s = ps.load("ring.yml")(ps.wavelengths(1.54, 1.56, 201))
    assert analysis["pairs"]["in to drop"]["max_dB"] >= float(np.max(s["in", "drop"].power_dB))


def test_run_replaces_results_of_before(ring: Path) -> None:
    call("run", "ring.yml", "--out", "there")
    (ring / "there" / "notes.txt").touch()
    (ring / "there" / "lines.csv").write_text("old", encoding="utf-8")
    call("run", "ring.yml", "--out", "there")
    assert (ring / "there" / "lines.csv").read_text(encoding="utf-8").startswith("wavelength_um")
    assert (ring / "there" / "notes.txt").exists()


TRAIN = """\
instances:
  laser: {component: laser, settings: {lines: 10, spacing: 200e+9}}
  bank: {component: weight_bank, settings: {rows: 4, channels: 10, spacing: 200e+9, coupling: 0.03}}
connections: {"laser,o1": "bank,o1"}
analyses:
  - {kind: spectrum, name: bank, wl: "1.54:1.56:101", from: "laser,o1", to: "bank.row0.detector,o1"}
  - {kind: train, name: digits, data: digits, network: [64, 8, 10], device: bank,
     rules: [backprop, dfa-device], seeds: 2, epochs: 2}
"""


def test_train_runs_the_training_analyses_alone(ring: Path) -> None:
    (ring / "net.yml").write_text(TRAIN, encoding="utf-8")
    text, messages = call("train", "net.yml", "--out", "one")
    assert "digits: test accuracy in %" in text
    assert "bank: transmission" not in text
    assert messages.startswith("digits: 8 of 8 in ")
    names = {path.name for path in (ring / "one").iterdir()}
    assert names == {"results.json", "digits_learning.png", "digits_weights_feedback_to_hidden_layer_1.png"}


def test_a_seed_decides_a_training(ring: Path) -> None:
    (ring / "net.yml").write_text(TRAIN, encoding="utf-8")
    one, two, again = (
        call_json("train", "net.yml", "--out", f"seed{k}", "--seed", seed)["analyses"][0]
        for k, seed in enumerate(("1", "2", "1"))
    )
    assert one["rules"] == again["rules"] != two["rules"]
    assert (one["seed"], two["seed"]) == (1, 2)


def test_version_names_what_numbers_depend_on() -> None:
    text, _ = call("version")
    assert text.startswith(f"photosim {ps.__version__} (python 3.")
    assert call_json("version")["numpy"] == np.__version__


def test_extrapolate_stands_before_or_after_a_command_and_in_its_help(ring: Path) -> None:
    (ring / "wire.map.yml").write_text(
        "cells: {wire: {component: straight, windows: {length: [5, 50]}}}", encoding="utf-8"
    )
    (ring / "wire.yml").write_text(
        "instances: {a: {component: wire, settings: {length: 80.0}}}\nports: {in: 'a,o1', out: 'a,o2'}\n",
        encoding="utf-8",
    )

    def done(*words: str) -> Any:  # in a context of its own, since the choice holds for a process
        return contextvars.copy_context().run(CliRunner().invoke, app, list(words))

    work = ["simulate", "wire.yml", "--map", "wire.map.yml", "--wl", "1.55"]
    refused = done(*work)
    assert (refused.exit_code, "outside the window of the kit" in refused.stderr) == (1, True)
    for words in (["--extrapolate", "warn", *work], [*work, "--extrapolate=warn"]):
        assert (done(*words).exit_code, "outside the window" in done(*words).stderr) == (0, True)
    assert (
        done(*work, "--extrapolate", "ignore").exit_code,
        done(*work, "--extrapolate", "no").exit_code,
    ) == (0, 1)
    assert "--extrapolate" in done("--help").stdout

"""What bad input gets: one sentence on stderr, exit code 1, nothing on stdout, nothing written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.app import app

GOOD = """\
instances:
  ring: {component: ring_double, settings: {radius: 10.0, coupling: 0.1}}
ports: {in: "ring,in", drop: "ring,drop", add: "ring,add", through: "ring,through"}
analyses:
  - {kind: spectrum, name: lines, wl: "1.54:1.56:201"}
"""
WRONG = {
    "yaml": ("instances: {a: [", r"^wrong\.yml:\d+:\d+: "),
    "empty": ("", r"wrong\.yml"),
    "component": (
        GOOD.replace("ring_double", "ring_duble"),
        r"wrong\.yml:2:\d+: .*ring_duble.*Did you mean 'ring_double'\?",
    ),
    "setting": (GOOD.replace("radius", "radios"), r"wrong\.yml:2:\d+: .*radios.*Did you mean 'radius'\?"),
    "port": (GOOD.replace("ring,drop", "ring,dorp"), r"wrong\.yml:3:\d+: .*dorp.*Did you mean 'drop'\?"),
    "twice": (GOOD.replace("ring,add", "ring,in"), r"wrong\.yml:3:\d+: "),
    "coupling": (GOOD.replace("0.1", "1.69"), r"wrong\.yml:2:\d+: .*1\.69.*0 to 1"),
    "length": (GOOD.replace("10.0", "-10.0"), r"wrong\.yml:2:\d+: .*-10.*0\.1 to 100000"),
    "kind": (
        GOOD.replace("spectrum", "spectrun"),
        r"no analysis of kind 'spectrun'.*Did you mean 'spectrum'\?",
    ),
    "range": (GOOD.replace("1.54:1.56", "1.56:1.54"), r"runs from 1\.56 down to 1\.54"),
    "option": (GOOD.replace("wl:", "wll: 1, wl:"), r"'lines'.*no option 'wll'.*Did you mean 'wl'\?"),
    "name": (GOOD.replace("name: lines", "name: ../lines"), r"cannot be called '\.\./lines'"),
    "wl": (
        GOOD.replace('"1.54:1.56:201"', "[1.54, 1.56]"),
        r"^wrong\.yml:5:35: .*'wl' must be a text such as .*, or a number, but is a list",
    ),
    "channels": (
        GOOD.replace("name: lines", "channels: [.nan]"),
        r"^wrong\.yml:5:33: .*channels: entry 1 must be a finite positive number, but is the number nan",
    ),
    "twice from": (
        GOOD.replace("name: lines", "from: [in, in]"),
        r"^wrong\.yml:5:22: .*from: 'in' is listed twice",
    ),
    "analysis setting": (
        GOOD.replace("name: lines", "settings: {ring.radios: 3}"),
        r"^wrong\.yml:5:22: .*no setting 'radios'.*Did you mean 'radius'\?",
    ),
    "analysis value": (
        GOOD.replace("name: lines", "settings: {ring.coupling: 1.69}"),
        r"^wrong\.yml:5:22: .*1\.69.*0 to 1",
    ),
    "analysis list": (
        GOOD.replace("name: lines", "settings: {ring: {radius: [9, 10]}}"),
        r"^wrong\.yml:5:22: .*'ring\.radius' is a list of values: give one value",
    ),
    "constant": (
        "settings: {pi: 3}\n" + GOOD,
        r"^wrong\.yml:1:12: setting 'pi' is a constant of expressions: give it another name",
    ),
    "exposed name": (GOOD.replace("{in:", '{"i,n":'), r"^wrong\.yml:3:9: 'i,n' cannot name a port"),
    "from": (GOOD.replace("name: lines", "name: lines, from: inn"), r"'inn'.*Did you mean 'in'\?"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ring.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(folder: Path, *arguments: str, code: int = 1) -> str:
    """Run a command that must fail, leaving everything as it was; return its one sentence."""
    before = sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    done = CliRunner().invoke(app, list(arguments), prog_name="photosim")
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "\u256d" not in done.stderr  # the corner of a box
    assert sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
    return done.stderr.strip()


@pytest.mark.parametrize("command", ["check", "simulate", "draw", "run", "train"])
def test_a_missing_file_names_the_gallery(folder: Path, command: str) -> None:
    assert re.search(
        r"There is no file 'missing\.yml', and no netlist of that name",
        refused(folder, command, "missing.yml"),
    )


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_wrong_netlist_is_one_sentence(folder: Path, wrong: str, command: str) -> None:
    text, message = WRONG[wrong]
    (folder / "wrong.yml").write_text(text, encoding="utf-8")
    assert re.search(message, refused(folder, command, "wrong.yml"))


@pytest.mark.parametrize("command", ["simulate", "draw"])
@pytest.mark.parametrize("wrong", ["yaml", "component", "setting", "port", "twice", "coupling", "length"])
def test_every_command_refuses_a_wrong_netlist_alike(folder: Path, wrong: str, command: str) -> None:
    text, message = WRONG[wrong]
    (folder / "wrong.yml").write_text(text, encoding="utf-8")
    assert re.search(
        message, refused(folder, command, "wrong.yml", "--out", "x.svg" if command == "draw" else "x.csv")
    )


@pytest.mark.parametrize("command", ["check", "simulate", "run"])
def test_an_open_inner_port_is_an_error_when_strict(folder: Path, command: str) -> None:
    (folder / "wrong.yml").write_text(GOOD.replace(', add: "ring,add"', ""), encoding="utf-8")
    assert re.search(r"inner port 'ring,o3' is left open", refused(folder, command, "wrong.yml", "--strict"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wl", "1.56:1.54:11"], r"runs from 1\.56 down to 1\.54 um: did you mean 1\.54:1\.56\?"),
        (["--wl", "1.54:1.56:0"], r"whole number of points from 1 .*got 0"),
        (["--wl", "1.54:1.56:-3"], r"whole number of points"),
        (["--wl", "1.54:1.56"], r"Cannot read wavelengths from '1\.54:1\.56'"),
        (["--wl", "blue"], r"Cannot read wavelengths from 'blue'"),
        (["--wl", ""], r"Cannot read wavelengths from ''"),
        (["--wl", "-1.55"], r"Wavelengths must be positive numbers of um, got -1\.55\."),
        (["--wl", "nan"], r"Wavelengths must be positive numbers of um, got nan\."),
        (["--wl", "0"], r"Wavelengths must be positive numbers of um, got 0\."),
        (
            ["--wl", "-1.5:1.6:3"],
            r"The start of a wavelength range must be a positive number of um, got -1\.5",
        ),
        (["--wl", "1.5:inf:3"], r"The stop of a wavelength range must be a positive number of um, got inf"),
        (["--wl", "1.5:1.6:1000000000000"], r"from 1 to 100000000, got 1000000000000"),
        (["--from", "inn"], r"'inn'.*Did you mean 'in'\?"),
        (["--to", "drop,thru"], r"'thru' names no port"),
        (["--to", "ring.cb,o9"], r"no port 'o9'"),
        (["--set", "ring.radios=3"], r"no setting 'ring\.radios'.*Did you mean 'ring\.radius'\?"),
        (["--set", "ring.cb.structure=3"], r"no setting 'ring\.cb\.structure'"),
        (["--set", "ring.radius"], r"write instance\.parameter=value"),
        (["--set", "ring.radius="], r"write instance\.parameter=value"),
        (["--set", "ring.radius=-1"], r"must be 0\.1 to 100000"),
        (["--set", "ring.coupling=1.69"], r"coupling.*1\.69"),
        (["--set", "ring.radius=big"], r"radius.*'big'"),
        (["--out", "ring.cvs"], r"suffix '\.cvs'; known are \.csv, \.npz, \.nc.* Did you mean '\.csv'\?"),
        (["--out", "ring"], r"no suffix"),
        (["--out", "nowhere/ring.csv"], r"Cannot write nowhere/ring\.csv: the folder nowhere does not exist"),
        (["--out", "ring.yml/x.csv"], r"the folder ring\.yml is a file"),
        (["--out", "empty.csv", "--plot", "ring.gif"], r"suffix '\.gif'; known are \.png, \.svg, \.pdf"),
        (["--plot", "nowhere/ring.png"], r"the folder nowhere does not exist"),
    ],
)
def test_simulate_refuses_a_bad_value(folder: Path, arguments: list[str], message: str) -> None:
    assert re.search(message, refused(folder, "simulate", "ring.yml", "--wl", "1.54:1.56:11", *arguments))


LINK = """\
instances: {laser: laser, pd: photodetector}
connections: {"laser,o1": "pd,o1"}
"""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ring.yml", "--out", "x.s2p"], r"4 ports make a \.s4p file"),
        (["ring.yml", "--from", "in", "--to", "drop", "--out", "x.s4p"], r"whole matrices"),
        (["ring.yml", "--from", "in", "--to", "ring.cb,o3", "--out", "x.s4p"], r"whole matrices"),
        (["link.yml", "--out", "x.nc"], r"suffix '\.nc'; known are \.csv"),
    ],
)
def test_data_that_a_file_cannot_hold_leaves_no_picture_behind(
    folder: Path, arguments: list[str], message: str
) -> None:
    (folder / "link.yml").write_text(LINK, encoding="utf-8")
    sentence = refused(folder, "simulate", "--wl", "1.54:1.56:5", "--plot", "x.png", *arguments)
    assert re.search(message, sentence)


@pytest.mark.parametrize("options", [[], ["--plot", "x.png"], ["--out", "x.npz"]])
def test_a_spectrum_of_a_list_of_circuits_is_refused(folder: Path, options: list[str]) -> None:
    (folder / "many.yml").write_text(GOOD.replace("radius: 10.0", "radius: [9, 10]"), encoding="utf-8")
    sentence = refused(folder, "simulate", "many.yml", "--wl", "1.55", *options)
    assert sentence == "A spectrum shows one circuit, but 'ring.radius' is a list of values: give one value."


def test_settings_that_no_call_can_change_are_refused(folder: Path) -> None:
    text = GOOD.replace("radius: 10.0", "radius: 10*wl").replace(
        "instances:", "settings: {wl: 1}\ninstances:"
    )
    (folder / "named.yml").write_text(text, encoding="utf-8")
    assert "'wl' has the name of an argument of calls" in refused(
        folder, "simulate", "named.yml", "--set", "wl=2", "--wl", "1.55"
    )
    sentence = refused(folder, "simulate", "mrr_weight_bank", "--set", "bank.rows=2", "--wl", "1.55")
    assert sentence == "The setting 'bank.rows' shapes the circuit: change it in the netlist."


@pytest.mark.skipif(
    not Path("/proc/self").exists(), reason="needs a folder that nobody can write, as /proc is"
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "ring.yml", "--wl", "1.55", "--out", "/proc/x.csv"],
        ["simulate", "ring.yml", "--wl", "1.55", "--plot", "/proc/x.png"],
        ["draw", "ring.yml", "--out", "/proc/x.svg"],
        ["run", "ring.yml", "--out", "/proc/x"],
    ],
)
def test_a_folder_that_cannot_be_written(folder: Path, arguments: list[str]) -> None:
    assert refused(folder, *arguments).startswith("Cannot write /proc/x")


def test_a_file_where_the_results_should_go(folder: Path) -> None:
    assert (
        refused(folder, "run", "ring.yml", "--out", "ring.yml")
        == "Cannot write results to ring.yml: it is a file."
    )
    assert "not a directory" in refused(folder, "run", "ring.yml", "--out", "ring.yml/x")


def test_draw_writes_pictures_only(folder: Path) -> None:
    assert "known are .svg" in refused(folder, "draw", "ring.yml", "--out", "ring.gif")
    assert "nowhere does not exist" in refused(folder, "draw", "ring.yml", "--out", "nowhere/ring.svg")


def test_there_must_be_an_analysis_to_run(folder: Path) -> None:
    assert re.search("lists no analysis of kind train", refused(folder, "train", "ring.yml"))
    (folder / "bare.yml").write_text(GOOD.partition("analyses")[0], encoding="utf-8")
    assert re.search("lists no analyses: `photosim simulate .*bare.yml`", refused(folder, "run", "bare.yml"))
    assert re.search("lists no analyses: .* circuit.chain()", refused(folder, "run", "opu"))


def test_what_acts_in_time_is_asked_in_time(folder: Path) -> None:
    assert "`photosim transient direct_laser`" in refused(folder, "simulate", "direct_laser", "--wl", "1.55")
    laser = ps.load("direct_laser")
    with pytest.raises(ps.errors.ParameterError, match=r"parts, laser, act in time: use ps\.transient"):
        ps.link(laser)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--duration=-1e-9", "--rate", "1e12"], "'duration' must be a positive number, but is"),
        (["--duration", "1e-9", "--rate", "fast"], "'sample_rate' must be a positive number"),
        (["--duration", "1e-9", "--rate", "1e12", "--drive", "phase=sine:frequency=abc"], "must be a number"),
        (["--duration", "1e-9", "--rate", "1e12", "--drive", "phase=constant:value="], "must be a number"),
        (["--duration", "1e-9", "--rate", "1e12", "--eye"], "eye: rate: no drive or input has symbols"),
    ],
)
def test_bad_questions_in_time(folder: Path, arguments: list[str], message: str) -> None:
    assert message in refused(folder, "transient", "link", *arguments, "--out", "out.csv")


def test_two_analyses_of_one_name_are_refused(folder: Path) -> None:
    twice = GOOD + GOOD.splitlines()[-1] + "\n"
    (folder / "twice.yml").write_text(twice, encoding="utf-8")
    assert "Two analyses are called 'lines'" in refused(folder, "run", "twice.yml")


def test_an_unknown_component_is_not_shown(folder: Path) -> None:
    assert "Did you mean 'ring_double'?" in refused(folder, "components", "ring_duble")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simulat"], r"^photosim has no command 'simulat'. Did you mean 'simulate'\? `photosim --help`"),
        (["xyz"], r"^photosim has no command 'xyz'. It has new, .*test"),
        (["simulate"], r"Missing argument 'FILE'.*`photosim simulate --help`"),
        (["simulate", "ring.yml", "--wavelength", "1"], r"no option --wavelength. Did you mean '--wl'\?"),
        (["simulate", "ring.yml", "--metric"], r"no option --metric. Did you mean '--metrics'\?"),
        (["simulate", "ring.yml", "--xyz"], r"^simulate has no option --xyz. It has --wl, .*--json"),
        (["simulate", "ring.yml", "-o", "a.csv"], r"no option -o. Did you mean '--out'\?"),
        (["simulate", "ring.yml", "--set"], r"^--set needs a value. `photosim simulate --help`"),
        (["simulate", "ring.yml", "a b", "c"], r"^simulate takes FILE, and 'a b c' is too many. `photosim"),
        (
            ["transient", "ring.yml", "--eye", "a.png"],
            r"'a.png' is too many: --eye takes no value.",
        ),
        (["run", "ring.yml", "--seed", "-1"], r"--seed.*-1"),
        (["run", "ring.yml", "--seed", "x"], r"--seed.*x.*`photosim run --help`"),
        (["draw", "ring.yml", "--depth", "1.5"], r"--depth.*1\.5"),
        (["calibrate", "chip_8x8", "--hours", "-2"], r"--hours.*-2"),
    ],
)
def test_what_typer_refuses_is_exit_code_two_without_a_box(
    folder: Path, arguments: list[str], message: str
) -> None:
    assert re.search(message, refused(folder, *arguments, code=2))


def script(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from photosim.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "missing.yml"],
        ["simulate", "ring.yml", "--wl", "1.56:1.54:11"],
        ["simulate", "ring.yml", "--wl", "1.55", "--out", "nowhere/x.csv"],
        ["components", "ring_duble"],
    ],
)
def test_the_script_says_one_sentence_and_exits_with_one(folder: Path, arguments: list[str]) -> None:
    done = script(folder, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["simulat"], "photosim has no command 'simulat'."),
        (["pdk", "xyz"], "pdk has no command 'xyz'. It has check. `photosim pdk --help`"),
    ],
)
def test_the_script_exits_with_two_for_an_unknown_command(
    folder: Path, words: list[str], message: str
) -> None:
    done = script(folder, *words)
    assert done.returncode == 2
    assert done.stderr.startswith(message)


def test_a_defect_is_admitted_in_a_line(folder: Path) -> None:
    code = (
        "import photosim.cli.inspect as i\n"
        "def broken(*a, **k): raise ZeroDivisionError('boom')\n"
        "i.version = broken\n"
        "from photosim.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "version"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("photosim has a defect: ZeroDivisionError: boom")
    assert done.stderr.count("\n") == 1
    loud = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PHOTOSIM_DEBUG": "1"},
    )
    assert "Traceback" in loud.stderr


@pytest.mark.skipif(os.name == "nt", reason="pipes close differently there")
def test_a_reader_that_leaves_early_is_no_error(folder: Path) -> None:
    code = "from photosim.cli import main; main()"
    command = ["sh", "-c", f"{sys.executable} -c '{code}' components | head -1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert re.match(r"\d+ components; ", done.stdout)
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [["--help"], ["version"], ["simulate", "--help"]])
def test_help_and_version_load_nothing_heavy(folder: Path, arguments: list[str]) -> None:
    code = (
        "import sys, photosim.cli as c\n"
        "try: c.main()\n"
        "except SystemExit: pass\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    loaded = set(re.findall(r"'(\w+)'", done.stderr.splitlines()[-1]))
    assert "photosim" in loaded
    assert not loaded & {"numba", "matplotlib", "sympy", "scipy", "xarray", "sklearn", "pandas"}

"""How commands end: closed pipes, full disks, signals, names that are no names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from photosim.cli.questions import app
from photosim.errors import DataError
from photosim.files.atomic import staging

COMMAND = [sys.executable, "-m", "photosim"]


def ended(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [*COMMAND, *words], text=True, check=False, stderr=subprocess.PIPE, **options
    )


def refused(*words: str) -> str:
    """Run a command in this process, where all is loaded; it must end with 1. Return what it said."""
    done = CliRunner().invoke(app, words, prog_name="photosim")
    assert isinstance(done.exception, SystemExit), repr(done.exception)  # another one is a defect
    assert done.exit_code == 1
    return done.stderr


@pytest.mark.parametrize("words", [["--help"], ["components"], ["simulate", "--help"]])
def test_a_reader_that_has_seen_enough_is_not_an_error(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = ended(*words, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "words", [["--help"], ["components"], ["version"], ["simulate", "add_drop_ring", "--wl", "1.55"]]
)
def test_a_full_standard_output_is_one_sentence(words: list[str]) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = ended(*words, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "Cannot write to the standard output: no space left on device.\n"


@pytest.mark.skipif(os.name != "posix", reason="closes streams as a shell of POSIX does")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_not_stop_the_work(closed: str, tmp_path: Path) -> None:
    words = "simulate add_drop_ring --wl 1.55:1.551:101 --out o.csv"
    script = f'"$0" -c "from photosim.cli import main; main()" {words} {closed}'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "o.csv").stat().st_size > 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_lines_that_stderr_cannot_take_do_not_stop_the_work(tmp_path: Path) -> None:
    words = ["yield", "add_drop_ring", "--vary", "width=0.003", "--samples", "5", "--wl", "1.54:1.56:101"]
    words += ["--spec", "insertion_loss_dB:in:drop:at_most=1", "--out", "o.csv"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run([*COMMAND, *words], cwd=tmp_path, stderr=full, check=False)
    assert done.returncode == 0
    assert (tmp_path / "o.csv").stat().st_size > 0


def test_trying_laws_writes_nothing_here(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    done = ended(
        "test", "attenuator", "--examples", "1", stdout=subprocess.PIPE, cwd=here,
        env={**os.environ, "PHOTOSIM_CACHE": str(tmp_path / "cache"), "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "add_drop_ring", "--out", ""],
        ["simulate", "add_drop_ring", "--plot", " "],
        ["run", "add_drop_ring", "--out", ""],
        ["draw", "add_drop_ring", "--out", ""],
        ["reproduce", "vowels", "--quick", "--out", ""],
        ["run", "wdm_link", "--out", "x" * 300],
        ["reproduce", "ngrc", "--quick", "--out", "x" * 300],
        ["check", "x" * 300],
        ["check", "\udcff\udcfe.yml"],
        ["transient", "modulator", "--duration", "1e300", "--rate", "1e9"],
        ["transient", "modulator", "--duration", "1e300", "--rate", "1e300"],
        [
            "transient",
            "modulator",
            "--duration",
            "1e-9",
            "--rate",
            "1e11",
            "--drive",
            "drive=sine:frequency=1e9,frequency=2e9",
        ],
    ],
    ids=lambda words: " ".join(words)[:40].encode("ascii", "replace").decode(),
)
def test_a_bad_value_is_one_sentence_and_writes_nothing(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = refused(*words)
    assert "Errno" not in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


WAIT = """\
import sys, time
from pathlib import Path
from photosim.cli.group import ended_by_signals
from photosim.files.atomic import staging
with ended_by_signals(), staging(Path(sys.argv[1])) as place:
    (place / "half.csv").write_text("half")
    print("ready", flush=True)
    time.sleep(600)
"""


def stopped(folder: Path, number: int) -> int:
    """Send a signal to a process that writes results to a folder; return its exit code."""
    with subprocess.Popen(
        [sys.executable, "-c", WAIT, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        return process.wait()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_run_that_is_told_to_stop_leaves_nothing(name: str, tmp_path: Path) -> None:
    number = getattr(signal, name)
    assert stopped(tmp_path / "out", number) == 128 + number
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_second_signal_does_not_stop_the_cleaning(tmp_path: Path) -> None:
    """The end of a session sends SIGHUP and SIGTERM: the second comes while files are removed."""
    code = WAIT.replace("    time.sleep(600)", "    try: time.sleep(600)\n    finally: time.sleep(1)")
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        assert process.stderr.readline() == "Stopped.\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGHUP
        assert process.stderr.read() == ""
    assert list(tmp_path.rglob("*")) == []


TRYING = """\
import sys, time
from photosim.cli.group import ended_by_signals
from hypothesis import given, settings, strategies
@settings(database=None, deadline=None)
@given(strategies.integers())
def law(number):
    print("ready", flush=True)
    time.sleep(600)
with ended_by_signals():
    law()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_while_laws_are_tried_is_not_a_law_that_is_broken() -> None:
    """Hypothesis takes SystemExit for a failing example, tries it again, and reports an unreliable test."""
    pytest.importorskip("hypothesis")
    with subprocess.Popen(
        [sys.executable, "-c", TRYING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
        assert process.stderr.read() == "Stopped.\n"


SHORT_FILES = """\
import resource, sys
sys.dont_write_bytecode = True  # Python would leave the halves of its files that fit, and read them later
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from photosim.cli import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("name", ["x.png", "x.svg", "x.pdf"])
def test_a_picture_that_does_not_fit_leaves_the_one_that_stood_there(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine", encoding="utf-8")
    words = ["simulate", "add_drop_ring", "--wl", "1.55:1.56:11", "--plot", name]
    command = [sys.executable, "-c", SHORT_FILES, "4000", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"Cannot write {name}: file too large.\n")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"


GUIDE = """\
instances: {guide: straight}
ports: {in: "guide,o1", out: "guide,o2"}
analyses: [{kind: spectrum, name: lines, wl: "1.54:1.56:301", from: in, to: [out]}]
"""
"""A table of 301 lines, a picture and a list of results."""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
@pytest.mark.parametrize("size", [0, 10_000])
def test_a_run_whose_files_do_not_fit_leaves_nothing(size: int, tmp_path: Path) -> None:
    out, netlist = tmp_path / "out", tmp_path / "guide.yml"
    netlist.write_text(GUIDE, encoding="utf-8")
    for before in ([], ["mine.txt"]):
        for name in before:
            out.mkdir()
            (out / name).write_text("kept", encoding="utf-8")
        command = [sys.executable, "-c", SHORT_FILES, str(size), "run", str(netlist), "--out", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr.endswith(": file too large.\n")
        assert sorted(path.name for path in out.rglob("*")) == before
        assert out.exists() == bool(before)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_next_run_removes_what_a_killed_one_left_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert stopped(out, signal.SIGKILL) == -signal.SIGKILL
    (left,) = out.iterdir()
    own = out / ".photosim-mine"
    own.mkdir()
    (own / "notes.txt").write_text("kept", encoding="utf-8")
    with staging(out) as place:
        assert not left.exists()
        with staging(out):
            assert place.exists(), "a run that is at work keeps its folder"
        (place / "results.json").write_text("{}", encoding="utf-8")
    assert sorted(path.name for path in out.iterdir()) == [".photosim-mine", "results.json"]
    assert (own / "notes.txt").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["sweep", "add_drop_ring", "--vary", "ring.radius=9:11:1000000000"],
            "write at most 50,000,000 values",
        ),
        (
            ["sweep", "add_drop_ring", "--vary", "ring.radius=9:11", "--samples", "1000000000000"],
            "50,000,000",
        ),
        (
            [
                "yield",
                "add_drop_ring",
                "--vary",
                "width=0.003",
                "--spec",
                "insertion_loss_dB:in:drop:at_most=1",
                "--samples",
                "100",
                "--sobol",
                "1000000000000",
            ],
            "Sobol indices take 0 to 100,000,000 samples, got 1000000000000.",
        ),
    ],
)
def test_counts_beyond_all_bounds_are_one_sentence(
    words: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told in refused(*words, "--wl", "1.55:1.56:101")


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's own memory is Linux's")
def test_the_memory_that_a_process_may_take_is_the_bound(tmp_path: Path) -> None:
    """Under `ulimit -v` a grid that the machine would hold is refused before it starts."""
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (8 * 10**9, 8 * 10**9))\n"
        "from photosim.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "simulate", "add_drop_ring", "--wl", "1.5:1.6:30000000"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "of memory, and this machine has 8 GB" in done.stderr
    assert "defect" not in done.stderr


def test_memory_that_ends_on_the_way_is_one_sentence(tmp_path: Path) -> None:
    code = (
        "import photosim.cli.inspect as i\n"
        "def broken(*a, **k): raise MemoryError('Unable to allocate 9 GiB')\n"
        "i.version = broken\n"
        "from photosim.cli import main; main()"
    )
    command = [sys.executable, "-c", code, "version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("The memory of this machine does not suffice (Unable to allocate 9 GiB)")


def test_calibrating_refuses_a_bad_folder_before_it_reads_the_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "own" / "results.json"
    mine.parent.mkdir()
    mine.write_text("mine", encoding="utf-8")
    words = ["calibrate", "chip_8x8", "--readings", "1000000000", "--out"]  # days of readings
    for folder, told in (
        (mine.parent, "was not written by photosim"),
        (mine, "it is a file"),
        (tmp_path / ("x" * 300), "file name too long"),
        ("", "empty name"),
    ):
        said = refused(*words, str(folder))
        assert said.count("\n") == 1
        assert told in said
    assert [path.name for path in tmp_path.rglob("*")] == ["own", "results.json"]
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_an_empty_folder_of_a_killed_run_is_removed_once_it_is_old(tmp_path: Path) -> None:
    """Killed before it made its lock, or between removing the lock and the folder."""
    for name in ("old", "young"):
        (tmp_path / f".photosim-{name}").mkdir()
    os.utime(tmp_path / ".photosim-old", (0, 0))
    with staging(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".photosim-young"]


@pytest.mark.parametrize(
    "words",
    [
        ["simulate", "add_drop_ring", "--wl", "1.54:1.56:101"],
        ["simulate", "link", "--wl", "1.54:1.56:11"],
        ["transient", "link", "--duration", "2e-10", "--rate", "160e9"],
        ["sweep", "add_drop_ring", "--vary", "ring.radius=9.9:10.1:3", "--wl", "1.55:1.551:101"],
    ],
)
def test_a_picture_that_fails_takes_the_data_with_it(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that becomes full: of --out and --plot both appear or none."""
    from photosim import plotting

    def full(_figure: object, path: Path) -> None:
        message = f"Cannot write {path}: no space left on device."
        raise DataError(message)

    monkeypatch.setattr(plotting, "save", full)
    out, picture = tmp_path / "o.csv", tmp_path / "o.png"
    done = CliRunner().invoke(app, [*words, "--out", str(out), "--plot", str(picture)])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == f"Cannot write {picture}: no space left on device."
    assert not list(tmp_path.iterdir())

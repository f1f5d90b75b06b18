"""How commands end: closed pipes, full disks, signals, names that are no names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from photosim.files.atomic import staging

COMMAND = [sys.executable, "-c", "from photosim.cli import main; main()"]


def ended(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [*COMMAND, *words], text=True, check=False, stderr=subprocess.PIPE, **options
    )


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
def test_a_bad_value_is_one_sentence_and_writes_nothing(words: list[str], tmp_path: Path) -> None:
    done = ended(*words, stdout=subprocess.PIPE, cwd=tmp_path)
    assert done.returncode == 1
    assert "defect" not in done.stderr
    assert "Errno" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


WAIT = """\
import sys, time
from pathlib import Path
from photosim.cli.group import _end_on_signals
from photosim.files.atomic import staging
_end_on_signals()
with staging(Path(sys.argv[1])) as place:
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
def test_counts_beyond_all_bounds_are_one_sentence(words: list[str], told: str, tmp_path: Path) -> None:
    done = ended(*words, "--wl", "1.55:1.56:101", stdout=subprocess.PIPE, cwd=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
    assert "defect" not in done.stderr


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

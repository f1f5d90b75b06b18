# ruff: noqa: T201 - a command prints its report
"""Damage files at random and see that reading each one ends well; the nightly command.

    python tests/netlist/fuzz.py --count 10000 --seed 1

Netlists (YAML, JSON, .spi with its map) and tables of S-parameters of corpus/good are changed a few times
each, those of corpus/broken are taken as they are and changed too, and files as large as is allowed are made
up. Reading must end in a netlist or a table, or in a PhotosimError of one line that says where; within
SECONDS and MEMORY. Small netlists that are accepted are made circuits and solved at one wavelength.

Inputs are read in a child process with a watchdog, so that a hang or a crash is one finding among others.
What ended otherwise is printed and kept under --keep; the exit code is then 1. The same seed gives the same
inputs: --only N repeats one of them.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SECONDS = 5
"""Processor time that reading and checking one input may take."""
SOLVING_SECONDS = 60
"""Processor time for the circuit: its kernels may be compiled first."""
MEMORY = 200 * 2**20
"""Bytes that reading and checking one input may take beyond what the process had."""
LARGEST_CIRCUIT = 60
FOREIGN = (".s2p", ".ts", ".npz", ".nc")
"""Formats of others' readers or archives, which tell no place."""

inputs = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("inputs.py"))))
"""Files beside each other in tests cannot import each other."""


@dataclass
class Ending:
    """How an input ended; `wrong` says what should not have been."""

    kind: str
    message: str = ""
    wrong: str = ""
    seconds: float = 0.0
    memory: int = 0


def place_is_told(message: str, suffix: str) -> bool:
    """Whether a message says where in a file; of a table the line is enough."""
    if re.search(
        r"(cannot be read|is not a file|bytes; a (netlist )?file|There is no file|not a table of S-)", message
    ):
        return True  # about the file as a whole, or a table that reads well but cannot be one
    return suffix in FOREIGN or re.search(r":\d+(:\d+)?: ", message) is not None


def attempt(path: Path) -> tuple[Ending, Any]:
    """Read and check one input."""
    from photosim import files, netlist
    from photosim.errors import PhotosimError

    found: Any = None
    try:
        if path.suffix in inputs.TABLES:
            found, kind = files.read_table(path), "table"
        else:
            found, kind = netlist.read(path), "netlist"
            netlist.check(found)
        ending = Ending(kind)
    except PhotosimError as error:
        ending, found = Ending("refused", str(error)), None
        if "\n" in ending.message or not 10 < len(ending.message) < 1500:
            ending.wrong = "the message is not one line"
        elif not place_is_told(ending.message, path.suffix):
            ending.wrong = "the message tells no place"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        ending = Ending("traceback", f"{type(error).__name__}: {error}"[:500], "an error of Python's own")
    return ending, found


def solve(found: Any) -> Ending:
    """Make an accepted netlist a circuit and solve it at one wavelength."""
    from photosim import Circuit
    from photosim.errors import PhotosimError

    try:
        circuit = Circuit(found)
        if len(circuit.graph.parts) > LARGEST_CIRCUIT or not circuit.ports:
            return Ending("netlist")
        s = circuit(1.55, ports=circuit.ports[:2])
        finite = bool(abs(s.values).max(initial=0.0) < 1e300)  # NaN compares false
        return Ending("solved", wrong="" if finite else "S is not finite")
    except PhotosimError as error:
        return Ending("unsolved", str(error))
    except Exception as error:  # noqa: BLE001
        return Ending(
            "traceback", f"{type(error).__name__}: {error}"[:500], "an error of Python's own in a circuit"
        )


def _peak(*, reset: bool = False) -> int:
    """Largest resident memory in bytes since the last reset, which Linux alone allows."""
    import resource

    if not sys.platform.startswith("linux"):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])  # type: ignore[index]  # Linux always has it


def _watch(seconds: float) -> None:
    """Let the system end this process after so many seconds of work, or more of waiting; 0 ends the watch."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    faulthandler.cancel_dump_traceback_later()
    if seconds:
        faulthandler.dump_traceback_later(20 * seconds, exit=True)


def work(first: int, last: int, seed: int, folder: Path, keep: Path | None) -> None:
    """Try inputs one after the other, a line of JSON for each; the watchdog ends the process."""
    from photosim import files, netlist  # noqa: F401 - loaded before anything is measured

    warnings.simplefilter("ignore")
    faulthandler.register(signal.SIGPROF, chain=True)
    for name in ("ring.yml", "nested.json", "pair.spi", "guide.s2p", "guide.npz", "guide.nc"):
        ending, _ = attempt(
            inputs.CORPUS / "good" / name
        )  # what is imported at first use belongs to no input
        if ending.message:
            sys.exit(f"undamaged, {name} is refused: {ending.message}")
    for number in range(first, last):
        path = inputs.stage(number, seed, folder)
        _watch(SECONDS)
        before, start = _peak(reset=True), time.process_time()
        ending, found = attempt(path)
        ending.seconds, ending.memory = time.process_time() - start, _peak() - before
        if ending.kind == "netlist" and not ending.wrong and len(found.instances) <= LARGEST_CIRCUIT:
            _watch(SOLVING_SECONDS)
            solved = solve(found)
            ending.kind, ending.message, ending.wrong = solved.kind, solved.message, solved.wrong
        _watch(0)
        if ending.memory > MEMORY:
            ending.wrong = f"it took {ending.memory / 2**20:.0f} MB"
        if ending.wrong and keep is not None:
            shutil.copytree(folder, keep / str(number), dirs_exist_ok=True)
        print(json.dumps([number, path.name, asdict(ending)]), flush=True)


@dataclass
class Report:
    """Counts and extremes of a run."""

    kinds: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")

    def take(self, number: int, name: str, ending: Ending) -> None:
        """Count one ending."""
        self.kinds[ending.kind] += 1
        label = f"input {number} ({name})"
        self.slowest = max(self.slowest, (ending.seconds, label))
        self.largest = max(self.largest, (ending.memory, label))
        if ending.wrong:
            self.wrong.append(f"{label}: {ending.wrong}: {ending.message}")


def run(numbers: range, seed: int, keep: Path | None) -> Report:
    """Try a range of inputs, with a new child process after each one that did not come back."""
    report = Report()
    at = numbers.start
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "input"
        while at < numbers.stop:
            command = [sys.executable, __file__, "--work", str(at), str(numbers.stop), "--seed", str(seed)]
            command += ["--folder", str(folder), *(["--keep", str(keep)] if keep is not None else [])]
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            ) as child:
                assert child.stdout is not None
                assert child.stderr is not None
                for line in child.stdout:
                    number, name, ending = json.loads(line)
                    report.take(number, name, Ending(**ending))
                    at = number + 1
                trace = child.stderr.read().strip().splitlines()
            if at < numbers.stop:
                report.take(
                    at, "?", Ending("lost", " | ".join(trace[:6]), "it did not end, or ended the process")
                )
                if keep is not None:
                    shutil.copytree(folder, keep / str(at), dirs_exist_ok=True)
                at += 1
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000, help="inputs to try")
    parser.add_argument(
        "--first", type=int, default=0, help=f"number of the first; the large are below {len(inputs.LARGE)}"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="try this input alone")
    parser.add_argument("--keep", type=Path, help="folder for inputs that ended otherwise")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.work:
        first, last = given.work
        work(first, last, given.seed, given.folder, given.keep)
        return 0
    start = time.perf_counter()
    numbers = (
        range(given.first, given.first + given.count)
        if given.only is None
        else range(given.only, given.only + 1)
    )
    report = run(numbers, given.seed, given.keep)
    count, seconds = sum(report.kinds.values()), time.perf_counter() - start
    (slow, slowest), (large, largest) = report.slowest, report.largest
    print(f"{count} inputs, seed {given.seed}, {seconds:.0f} s: {dict(report.kinds)}")
    print(f"slowest {slow:.2f} s, {slowest}; largest {large / 2**20:.0f} MB, {largest}")
    print("\n".join(report.wrong) or "all ended well")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

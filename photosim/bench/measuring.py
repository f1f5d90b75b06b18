"""The clock of the benchmarks, one thread for everything, and what the numbers were measured on."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

NUMERICS = ("numpy", "scipy", "numba")

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "PHOTOSIM_THREADS"),
    "1",
)
"""Environment in which a new process keeps to one thread."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold photosim and the linear algebra of numpy and scipy to one thread for as long as the block runs."""
    import threadpoolctl

    before = os.environ.get("PHOTOSIM_THREADS")
    os.environ["PHOTOSIM_THREADS"] = "1"
    try:
        with threadpoolctl.threadpool_limits(1):
            yield
    finally:
        if before is None:
            del os.environ["PHOTOSIM_THREADS"]
        else:
            os.environ["PHOTOSIM_THREADS"] = before


def cpu_seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what work() returns and the CPU seconds of this process that it took."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def median_seconds(work: Callable[[int], Any], repeats: int = 3, enough: float = 0.3) -> float:
    """Return the median CPU seconds of work(1), work(2), ...: at least `repeats`, until `enough` seconds."""
    taken: list[float] = []
    while len(taken) < repeats or (sum(taken) < enough and len(taken) < 100):
        taken.append(cpu_seconds(lambda: work(len(taken) + 1))[1])
    return statistics.median(taken)


def in_turns(a: Callable[[int], Any], b: Callable[[int], Any], rounds: int = 3) -> tuple[float, float]:
    """Return the medians of the CPU seconds of a and of b, measured in turns: both meet the same machine."""
    times = [(median_seconds(a, 3, 0.2), median_seconds(b, 3, 0.2)) for _ in range(rounds)]
    return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)


@dataclass(frozen=True)
class Row:
    """One measurement: what, the number as text, the bound set for it, and whether it is kept."""

    what: str
    found: str
    bound: str
    kept: bool | None
    number: float

    def markdown(self) -> str:
        """Return the row of a Markdown table."""
        met = "" if self.kept is None else "yes" if self.kept else "**no**"
        return f"| {self.what} | {self.found} | {self.bound} | {met} |"


Measurement = Callable[..., list[Row]]
"""measure(small=...) returns its rows; `small` takes small circuits, to see that everything runs."""


def report(measurements: Mapping[str, Measurement], arguments: argparse.Namespace) -> None:
    """Run measurements on one thread and print their rows as a Markdown table, as they come.

    `arguments` holds only (names, or None for all), small, and out (a JSON file, or None).
    """
    facts = machine()
    _say(f"{described(facts)}\n\n| measured | found | bound | met |\n|---|---|---|---|")
    rows: list[Row] = []
    for name in arguments.only or measurements:
        with one_thread():
            found = measurements[name](small=arguments.small)
        rows += found
        _say("\n".join(row.markdown() for row in found))
    if arguments.out:
        text = json.dumps({"machine": facts, "rows": [asdict(row) for row in rows]}, indent=2)
        arguments.out.write_text(text, encoding="utf-8")


def options(description: str, measurements: Mapping[str, Measurement]) -> argparse.ArgumentParser:
    """Return a command line with the options that `report` reads."""
    parser = argparse.ArgumentParser(description=description)
    names = ", ".join(measurements)
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"some of {names}")
    parser.add_argument("--small", action="store_true", help="small circuits: does everything run?")
    parser.add_argument("--out", type=Path, help="file of the result as JSON")
    return parser


def machine() -> dict[str, Any]:
    """Return date, processor, cores, load and versions: what a measured number means nothing without."""
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in NUMERICS},
    }


def described(facts: dict[str, Any]) -> str:
    """Return what machine() found as one line."""
    versions = ", ".join(f"{name} {facts[name]}" for name in ("python", *NUMERICS))
    load = "" if facts["load"] is None else f", load average {facts['load']:g}"
    return f"{facts['date']}, {facts['processor']}, {facts['cores']} cores{load}; {versions}"


def seconds_text(seconds: float | None) -> str:
    """Return a time with the unit that suits it: 0.32 ms, 15 ms, 2.4 s."""
    if seconds is None:
        return ""
    if seconds >= 1.0:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
    return f"{seconds * 1e3:.2g} ms" if seconds < 0.01 else f"{seconds * 1e3:.3g} ms"


def _say(text: str) -> None:
    """Write to stdout at once: the next row may take a minute."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _processor() -> str:
    """Return the processor's name as its maker gives it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()

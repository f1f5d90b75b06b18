"""Run photosim beside other simulators, on the same circuits in one run, and write the table.

    python tests/benchmarks/run_peers.py --peers-dir DIR --out OUT [--cases a,b] [--peers x,y]
        [--python sax_klu=INTERPRETER] [--repeat 3]

DIR holds the peers' harness (bench.py, circuits.py, adapters.py). Without
--peers every case runs the simulators worth waiting for. Times are CPU seconds
of one thread for the whole external S-matrix in complex128: the median of the
sweeps that follow a change of one setting. OUT gets the harness's own records,
`table.md` and `table.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from photosim.bench.measuring import described, machine, seconds_text

ADAPTER = Path(__file__).with_name("adapter.py")


@dataclass(frozen=True)
class Goal:
    """A case, what it is called, how many times faster than the fastest peer to be, the peers to meet."""

    case: str
    name: str
    factor: float | None
    peers: tuple[str, ...]


SAX, SUPERLU = ("sax_klu", "sax_klu_jit"), ("scipy_splu",)
GOALS = (
    Goal("ring:1:10000", "ring, 10,000", 5, (*SUPERLU, *SAX, "sax_fg_jit", "skrf_reduce")),
    Goal("lattice:10:10000", "lattice of 10, 10,000", 5, (*SUPERLU, *SAX, "sax_forward", "skrf_reduce")),
    Goal("wdm:10:10000", "bus of 10 rings, 10,000", 20, (*SUPERLU, *SAX, "skrf_reduce")),
    Goal("clements:16:100", "mesh 16 x 16, 100", 30, (*SUPERLU, *SAX)),
    Goal("clements:16:1000", "mesh 16 x 16, 1000", 30, (*SUPERLU, *SAX)),
    Goal("clements:32:1", "mesh 32 x 32, 1", 30, (*SUPERLU, "sax_klu")),
    Goal("clements:32:1000", "mesh 32 x 32, 1000", 30, SUPERLU),
    Goal("clements:64:100", "mesh 64 x 64, 100", 30, SUPERLU),
    Goal("clements:64:1000", "mesh 64 x 64, 1000", None, ()),
    Goal("crow:100:1000", "CROW of 100 rings, 1000", 20, (*SUPERLU, *SAX, "skrf_reduce")),
    Goal("random:1000:100", "random 1000 parts, 100", 5, (*SUPERLU, *SAX, "skrf_reduce")),
    Goal("reflecting:16:100", "mesh 16 x 16 reflecting -40 dB, 100", 1, SUPERLU),
    Goal("reflecting:32:100", "mesh 32 x 32 reflecting -40 dB, 100", 18, SUPERLU),
)


def main() -> None:
    """Run the harness case by case and write the table."""
    arguments = parsed()
    arguments.out.mkdir(parents=True, exist_ok=True)
    facts = machine()
    known = {goal.case: goal for goal in GOALS}
    chosen = [known.get(c, Goal(c, c, None, ())) for c in arguments.cases or known]
    for goal in chosen:
        peers = ("photosim", *(arguments.peers or goal.peers))
        harness(arguments, "ref", "--cases", goal.case)
        # One lane: two would share the processor's cache and memory.
        harness(
            arguments, "run", "--cases", goal.case, "--peers", ",".join(peers), "--lanes", "1",
            "--repeat", str(arguments.repeat), "--limit", str(arguments.limit),
            "--mem", str(arguments.memory),
        )  # fmt: skip
    harness(arguments, "table")
    records = json.loads((arguments.out / "summary.json").read_text(encoding="utf-8"))
    lines = [table_line(goal, [r for r in records if r["case"] == goal.case]) for goal in chosen]
    text = "\n".join([described(facts), "", *header(), *(line.markdown() for line in lines), ""])
    (arguments.out / "table.md").write_text(text, encoding="utf-8")
    found = {"machine": facts, "others": others(arguments), "rows": [asdict(line) for line in lines]}
    (arguments.out / "table.json").write_text(json.dumps(found, indent=2), encoding="utf-8")
    print(text)


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description="photosim beside other simulators, on the same circuits")
    parser.add_argument("--peers-dir", type=Path, required=True, help="folder of the peers' harness")
    parser.add_argument("--out", type=Path, required=True, help="folder of records and table")
    parser.add_argument("--cases", type=lambda text: text.split(","), help="family:size:wavelengths, ...")
    parser.add_argument("--peers", type=lambda text: text.split(","), help="the same peers for every case")
    parser.add_argument("--python", action="append", default=[], help="name=interpreter, '*' for the rest")
    parser.add_argument("--repeat", type=int, default=1, help="processes a simulator and case")
    parser.add_argument("--limit", type=float, default=300, help="wall seconds after which a run is given up")
    parser.add_argument("--memory", type=float, default=6, help="GiB above which a run is given up")
    arguments = parser.parse_args()
    if not (arguments.peers_dir / "bench.py").is_file():
        parser.error(
            f"{arguments.peers_dir} holds no bench.py: --peers-dir is the folder of the peers' harness"
        )
    return arguments


def harness(arguments: argparse.Namespace, what: str, *options: str) -> None:
    """Run one step of the peers' harness with photosim among its simulators."""
    interpreters = {"photosim": sys.executable, **dict(pair.split("=", 1) for pair in arguments.python)}
    chosen = [text for name, path in interpreters.items() for text in ("--python", f"{name}={path}")]
    command = [sys.executable, str(arguments.peers_dir.resolve() / "bench.py"), what, "--out",
               str(arguments.out.resolve()), *options, *(chosen if what == "run" else ())]  # fmt: skip
    environment = {**os.environ, "PEERS_PLUGIN": str(ADAPTER), "PHOTOSIM_THREADS": "1"}
    subprocess.run(command, env=environment, check=True)


OTHERS = ("sax", "klujax", "jax", "scikit-rf")
ASK = """
import importlib.metadata as metadata, sys
known = {d.name: d.version for d in metadata.distributions()}
print(", ".join(f"{name} {known[name]}" for name in sys.argv[1:] if name in known))
"""


def others(arguments: argparse.Namespace) -> str:
    """Return the versions of the other simulators, as their interpreters tell them."""
    paths = {pair.split("=", 1)[1] for pair in arguments.python} or {sys.executable}
    told = [
        subprocess.run([path, "-c", ASK, *OTHERS], check=True, capture_output=True, text=True).stdout.strip()
        for path in sorted(paths)
    ]
    return ", ".join(text for text in told if text) or "no other simulator"


@dataclass(frozen=True)
class Line:
    """One case: CPU seconds of a sweep, the fastest peer that gets S right, the largest error of photosim."""

    name: str
    photosim: float | None
    peer: str | None
    peer_seconds: float | None
    factor: float | None
    error: float | None
    others: dict[str, float | str]

    def markdown(self) -> str:
        """Return the row of a Markdown table."""
        mine, best = self.photosim, self.peer_seconds
        times = f"{best / mine:.3g}" if mine and best else "-"
        goal = "finishes" if self.factor is None else f"{self.factor:g}" if self.factor > 1 else "faster"
        kept = mine is not None and (self.factor is None or (best is not None and best / mine >= self.factor))
        peer = (
            f"{seconds_text(best)} ({self.peer})"
            if self.peer
            else "none finishes"
            if self.others
            else "not measured"
        )
        cells = (
            self.name, seconds_text(mine), peer,
            times, goal, "yes" if kept else "**no**", "" if self.error is None else f"{self.error:.0e}",
        )  # fmt: skip
        return f"| {' | '.join(cells)} |"


WRONG = 1e-6
"""A peer whose S is further than this from the reference has not solved the circuit."""


def table_line(goal: Goal, records: list[dict[str, Any]]) -> Line:
    """Return what the harness found for one case."""
    own = next((r for r in records if r["peer"] == "photosim"), {})
    others: dict[str, float | str] = {}
    right: dict[str, float] = {}
    for record in records:
        seconds = record.get("steady_cpu_s")
        if record["peer"] == "photosim":
            continue
        others[record["peer"]] = seconds if seconds is not None else str(record.get("failed"))
        if seconds is not None and (record.get("error") or 0.0) < WRONG:
            right[record["peer"]] = seconds
    best = min(right, key=right.__getitem__, default=None)
    return Line(
        goal.name, own.get("steady_cpu_s"), best, right[best] if best else None, goal.factor,
        own.get("error"), others,
    )  # fmt: skip


def header() -> list[str]:
    """Return the head of the Markdown table."""
    columns = (
        "circuit, number of wavelengths", "photosim", "fastest other simulator", "times faster", "goal",
        "met", "error",
    )  # fmt: skip
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


if __name__ == "__main__":
    main()

"""Measure how photosim starts and grows: large plans, and the first result of a new process.

    python tests/benchmarks/run_start.py [--only growth,first] [--small] [--out FILE]

Each measurement is a process of its own, on one thread. A first result counts
everything from the start of the interpreter: import, reading the file,
planning, the first sweep.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from photosim import netlist as netlists
from photosim.bench import circuits
from photosim.bench.circuits import Case
from photosim.bench.measuring import ONE_THREAD, Row, cpu_seconds, options, report
from photosim.circuit import Circuit
from photosim.errors import PhotosimWarning

FEW_PARTS = 500
FIRST_S, LARGE_S, FIRST_EMPTY_S = 0.5, 3.0, 3.0
"""CPU seconds of a first result that are wanted: up to FEW_PARTS, above, and with empty caches."""

# --- growth ------------------------------------------------------------------------------------------


def growth(*, small: bool) -> list[Row]:
    """Plan large circuits, each in a process of its own, so that its memory is its own."""
    mesh, rings = (16, 300) if small else (128, 100_000)
    found = []
    for text, bound, memory, arguments in (
        (f"mesh {mesh} x {mesh}: netlist to plan", 10.0, 1000.0, ["mesh", mesh]),
        (f"bus of {rings:,} rings: netlist to one element", 12.0, 1000.0, ["bus", rings]),
    ):
        taken = in_process("grow", *map(str, arguments))
        seconds, megabytes = taken["seconds"], taken["megabytes"]
        note = f"{seconds:.3g} s CPU ({taken['instances']:,} parts; {taken['stages']})"
        found += [
            Row(text, note, f"{bound:g} s", seconds < bound, seconds),
            Row("memory of it, the whole process", f"{megabytes:.0f} MB", f"{memory:g} MB",
                megabytes < memory, megabytes),
        ]  # fmt: skip
    return found


def grow(kind: str, size: int) -> dict[str, Any]:
    """Take a large circuit from its netlist to a plan (mesh), or to one element of S (bus)."""
    case = circuits.mesh(size, 1) if kind == "mesh" else circuits.bus(size, 1)
    circuit, flatten = cpu_seconds(lambda: Circuit(case.netlist))
    _, parts = cpu_seconds(lambda: circuit.compiled.parts)
    plan: Callable[[], Any]
    if kind == "mesh":
        word, plan = "plan", lambda: circuit.plan
    else:
        word, plan = "plan and sweep", lambda: circuit.transfer(case.wl, ["through"], ["in"])
    _, planned = cpu_seconds(plan)
    return {
        "seconds": flatten + parts + planned,
        "stages": f"check and flatten {flatten:.3g} s, group {parts:.3g} s, {word} {planned:.3g} s",
        "instances": len(case.netlist.instances),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


# --- first results -----------------------------------------------------------------------------------


def first(*, small: bool) -> list[Row]:
    """Start a process that imports photosim, reads a file, plans, and sweeps once."""
    many = 10 if small else 10_000
    cases = [circuits.ring(many), circuits.lattice(10, many), circuits.bus(10, many)]
    cases += [circuits.mesh(4, 1)] if small else [
        circuits.mesh(8, 100), circuits.mesh(16, 1000), circuits.chain(100, 1000),
        circuits.mesh(64, 1), circuits.mesh(64, 100),
    ]  # fmt: skip
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            bound = FIRST_S if len(case.netlist.instances) <= FEW_PARTS else LARGE_S
            path = Path(folder) / "circuit.yml"
            path.write_text(netlists.to_yaml(case.netlist), encoding="utf-8")
            runs = [start(path, case) for _ in range(1 if small else 4)]
            best = min(runs[1:] or runs, key=lambda run: run["cpu"])
            note = f"{best['cpu']:.2f} s CPU, {best['wall']:.2f} s wall ({best['stages']})"
            rows.append(
                Row(f"first result: {case.name}", note, f"{bound} s", best["cpu"] < bound, best["cpu"])
            )
        case = circuits.ring(many)
        path.write_text(netlists.to_yaml(case.netlist), encoding="utf-8")
        cold = start(path, case, PHOTOSIM_CACHE=folder, NUMBA_CACHE_DIR="")
        note = f"{cold['cpu']:.1f} s CPU, {cold['wall']:.1f} s wall"
        kept = cold["cpu"] < FIRST_EMPTY_S
        rows.append(Row("first result, caches empty: ring", note, f"{FIRST_EMPTY_S:g} s", kept, cold["cpu"]))
    return rows


def start(path: Path, case: Case, **environment: str) -> dict[str, Any]:
    """Return the CPU and wall seconds of a new process from its start to S, as it tells them."""
    begin = time.perf_counter()
    wl = f"{case.wl[0]}:{case.wl[-1]}:{case.points}"
    found = in_process("once", str(path), wl, environment=environment)
    return {**found, "wall": time.perf_counter() - begin}


ONCE = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import photosim as ps
import numpy as np
path, wl = sys.argv[1:3]
first, last, points = wl.split(":")
load = ps.load
imported = time.process_time()
circuit = load(path)
read = time.process_time()
circuit.plan
planned = time.process_time()
values = circuit(np.linspace(float(first), float(last), int(points))).values
end = time.process_time()
marks = {"import": imported, "read": read - imported, "plan": planned - read, "sweep": end - planned}
stages = ", ".join(f"{name} {seconds:.2f}" for name, seconds in marks.items())
print(json.dumps({"cpu": end, "stages": stages}))
"""
"""A user's first script; its process clock starts with the interpreter."""


def in_process(what: str, *arguments: str, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Run ONCE, or a function of this file, in a process of its own on one thread; return what it prints."""
    wanted = {k: v for k, v in {**os.environ, **ONE_THREAD, **(environment or {})}.items() if v}
    program = ["-c", ONCE] if what == "once" else [__file__, "--inside", what]
    done = subprocess.run(
        [sys.executable, *program, *arguments], env=wanted, check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


MEASUREMENTS = {"growth": growth, "first": first}


def main() -> None:
    """Measure what was asked for and print the table."""
    parser = options("how photosim starts and grows", MEASUREMENTS)
    parser.add_argument("--inside", nargs=3, metavar=("WHAT", "KIND", "SIZE"), help="for its own processes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", PhotosimWarning)
    if arguments.inside:
        _, kind, size = arguments.inside
        print(json.dumps(grow(kind, int(size))))
        return
    report(MEASUREMENTS, arguments)


if __name__ == "__main__":
    main()

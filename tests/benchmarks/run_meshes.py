"""Time batches through meshes beside numpy, numba and other simulators, and write the table.

    python tests/benchmarks/run_meshes.py --peers-dir DIR --out OUT [--n 8 16 ...] [--b 1 64 1024]
        [--peers npcol nbfused ...] [--rounds 3]

DIR holds the peers' harness, bench_mesh.py; without --peers its own implementations are run, which need no
other package. Times are CPU milliseconds of one thread in complex64, the least over the rounds; every round
runs all of them one after the other, so that a busy machine is busy for all. `grad` is a forward pass and
the gradient of sum(w |y|^2) by every phase, which photosim makes anew from the phases each time. OUT gets
`records.json` and `table.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from photosim.bench.measuring import ONE_THREAD, cpu_seconds, described, machine

OWN = ("zgemm", "npcol", "build+gemm", "nbfused", "nbmat")
"""Implementations of the harness itself; zgemm multiplies by a matrix that is there already."""
FINISHED = "zgemm"
LEAST = 0.02
"""CPU seconds that one measurement takes at least."""
Times = dict[tuple[str, str, int, int], float]
"""CPU seconds by implementation, kind of work, guides and batch."""


def main() -> None:
    """Run every implementation round after round and write the table."""
    arguments = parsed()
    if arguments.alone:
        measure(arguments.n, arguments.b)
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    found: Times = {}
    commands = {name: harness(arguments, name) for name in arguments.peers}
    sizes = [*map(str, arguments.n)], [*map(str, arguments.b)]
    commands["photosim"] = [sys.executable, __file__, "--alone", "--n", *sizes[0], "--b", *sizes[1]]
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            for record in records(command, arguments.limit):
                for kind in ("fwd", "grad"):
                    if (seconds := record.get(f"{kind}_cpu_s")) is not None:
                        key = (name, kind, record["n"], record["b"])
                        found[key] = min(seconds, found.get(key, np.inf))
    facts = machine()
    text = "\n".join(
        [described(facts), *(line for kind in ("fwd", "grad") for line in table(kind, arguments, found))]
    )
    (arguments.out / "table.md").write_text(text + "\n", encoding="utf-8")
    rows = [{"impl": i, "kind": k, "n": n, "b": b, "cpu_s": s} for (i, k, n, b), s in found.items()]
    kept = json.dumps({"machine": facts, "rows": rows}, indent=2)
    (arguments.out / "records.json").write_text(kept, encoding="utf-8")
    print(text)


def parsed() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(description="batches through meshes beside other implementations")
    parser.add_argument("--peers-dir", type=Path, help="folder of the peers' harness")
    parser.add_argument("--out", type=Path, help="folder of records and table")
    parser.add_argument("--n", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256], help="guides")
    parser.add_argument("--b", type=int, nargs="+", default=[1, 64, 1024], help="samples")
    parser.add_argument("--peers", nargs="+", default=list(OWN), help="implementations of the harness")
    parser.add_argument("--python", action="append", default=[], help="name=interpreter for a peer")
    parser.add_argument("--rounds", type=int, default=3, help="processes an implementation")
    parser.add_argument("--limit", type=float, default=300, help="wall seconds after which one is given up")
    parser.add_argument("--alone", action="store_true", help="measure photosim alone and print records")
    arguments = parser.parse_args()
    if not arguments.alone:
        if arguments.peers_dir is None or not (arguments.peers_dir / "bench_mesh.py").is_file():
            parser.error("--peers-dir must be the folder that holds the harness, bench_mesh.py")
        if arguments.out is None:
            parser.error("--out must name a folder for records and table")
    return arguments


def harness(arguments: argparse.Namespace, name: str) -> list[str]:
    """Return the command that times one implementation of the harness."""
    interpreters = dict(pair.split("=", 1) for pair in arguments.python)
    script = str(arguments.peers_dir.resolve() / "bench_mesh.py")
    sizes = ["--n", *map(str, arguments.n), "--b", *map(str, arguments.b)]
    return [interpreters.get(name, sys.executable), script, name, *sizes]


def records(command: list[str], limit: float) -> list[dict[str, Any]]:
    """Return the JSON lines that a command prints; what it printed before the limit counts."""
    environment = {**os.environ, **ONE_THREAD}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limit,
            check=False,
        )
        printed = done.stdout
    except subprocess.TimeoutExpired as late:
        printed = late.stdout or b""
    lines = [line for line in printed.decode().splitlines() if line.startswith("{")]
    return [record for line in lines if "b" in (record := json.loads(line))]


def measure(sizes: list[int], batches: list[int]) -> None:
    """Print a record for every size and batch, as the harness does."""
    from photosim.media.unitaries import haar
    from photosim.training.devices.mesh.circuit import find_mesh, mesh_chip
    from photosim.training.devices.mesh.decomposition import decompose

    rng = np.random.default_rng(0)
    for n in sizes:
        # The blocks of the largest meshes are the same as those of the circuit, which takes long to plan.
        mesh = find_mesh(mesh_chip("clements_mesh", n), "mesh").u
        phases, w = decompose(haar(n, rng)), rng.random(n).astype(np.float32)
        for b in batches:
            x = (rng.standard_normal((b, n)) + 1j * rng.standard_normal((b, n))).astype(np.complex64)

            def forward(x: Any = x) -> Any:
                return mesh.send(phases, x)  # noqa: B023 - called before the next turn

            def both(x: Any = x) -> Any:
                passage = mesh.send(phases, x)  # noqa: B023 - as above
                return passage.gradient(2.0 * w * passage.outputs)  # noqa: B023 - as above

            seconds = {"fwd_cpu_s": timed(forward), "grad_cpu_s": timed(both)}
            print(json.dumps({"impl": "photosim", "n": n, "b": b, "path": forward().path, **seconds}))


def timed(work: Any) -> float:
    """Return the least CPU seconds of a call over some repeats, each of LEAST seconds or one call."""
    work()
    _, one = cpu_seconds(work)
    calls = max(1, round(LEAST / max(one, 1e-6)))
    return min(cpu_seconds(lambda: [work() for _ in range(calls)])[1] / calls for _ in range(5))


def table(kind: str, arguments: argparse.Namespace, found: Times) -> list[str]:
    """Return a Markdown table: CPU milliseconds, and how many times the fastest other one takes."""
    others = [name for name in arguments.peers if any(key[:2] == (name, kind) for key in found)]
    titles = ["guides", "batch", "photosim", *others, "times faster than the next"]
    lines = ["", f"{kind}, CPU ms", "", f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    for n, b in product(arguments.n, arguments.b):
        times = {name: found.get((name, kind, n, b)) for name in ("photosim", *others)}
        rivals = {name: t for name, t in times.items() if t and name not in {"photosim", FINISHED}}
        own, best = times["photosim"], min(rivals, key=rivals.__getitem__, default=None)
        ratio = f"{rivals[best] / own:.2g} ({best})" if own and best else "-"
        cells = ["-" if t is None else f"{1e3 * t:.3g}" for t in times.values()]
        lines.append(f"| {' | '.join([str(n), str(b), *cells, ratio])} |")
    return lines


if __name__ == "__main__":
    main()

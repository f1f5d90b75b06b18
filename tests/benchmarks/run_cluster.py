"""How well two workers share a yield: speed of two over that of one, on a scheduler and workers of their own.

Every worker has 60 s of work or more. Run it on a machine with two idle cores:

    python tests/benchmarks/run_cluster.py [--seconds 60] [--workers 1 2]
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import photosim as ps
from photosim.jobs.cluster import connected

QUESTION: dict[str, Any] = {
    "specification": [{"quantity": "bandwidth_3dB", "from": "in", "to": "drop", "at_most": 1e-4}],
    "wl": "1.55072:1.55172:101",
    "follow": True,
}
VARIATION = {"width": {"die": 3e-3}, "gap": {"die": 5e-3}}
LEAST = 0.8
"""Efficiency from one to two workers that is wanted."""


def start(what: str, *words: str) -> subprocess.Popen[bytes]:
    """Start a scheduler or a worker."""
    command = [sys.executable, "-m", f"distributed.cli.{what}", *words, "--no-dashboard"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(samples: int, workers: int, chunks: Path) -> float:
    """Return the wall-clock time in s of a yield on so many workers, their start left out."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    own = [start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port))]
    try:
        time.sleep(5.0)
        for _ in range(workers):
            words = ("--nthreads", "1", "--no-nanny", "--local-directory", str(chunks))
            own.append(start("dask_worker", address, *words))
        circuit = ps.load("add_drop_ring")
        with connected(address) as client:
            client.wait_for_workers(workers, timeout=60)
            how: dict[str, Any] = {**QUESTION, "client": client}
            # Each worker loads its kernels first: that is no part of the work.
            ps.montecarlo(circuit, VARIATION, **how, samples=workers * 400_000, chunks=chunks / "warm")
            begin = time.perf_counter()
            ps.montecarlo(circuit, VARIATION, **how, samples=samples, seed=1, chunks=chunks / "kept")
            return time.perf_counter() - begin
    finally:
        for process in own:
            process.kill()
            process.wait()


def main() -> None:
    """Print times and efficiency."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=60.0, help="work of each worker, at least")
    options.add_argument("--workers", type=int, nargs=2, default=[1, 2])
    chosen = options.parse_args()
    circuit = ps.load("add_drop_ring")
    ps.montecarlo(circuit, VARIATION, **QUESTION, samples=20_000)
    os.environ["PHOTOSIM_THREADS"] = "1"
    begin = time.process_time()
    ps.montecarlo(circuit, VARIATION, **QUESTION, samples=200_000)
    each = (time.process_time() - begin) / 200_000
    print(f"one core: {1e6 * each:.1f} s of CPU for 10^6 chips, {1e9 * each / 3600:.1f} core-hours for 10^9")
    times = {}
    few, many = chosen.workers
    samples = int(1.1 * many * chosen.seconds / each)
    for workers in (few, many):
        place = Path(tempfile.mkdtemp(prefix="photosim-cluster-"))
        try:
            times[workers] = run(samples, workers, place)
        finally:
            shutil.rmtree(place, ignore_errors=True)
        print(f"{workers} workers, {samples:,} chips: {times[workers]:.1f} s")
    efficiency = times[few] * few / (times[many] * many)
    print(f"efficiency from {few} to {many} workers: {efficiency:.2f} (wanted: {LEAST})")


if __name__ == "__main__":
    main()

"""Measure scattering media: matrices never stored against stored ones, a trillion entries, wave optics.

    python tests/benchmarks/run_media.py [--only products,trillion,waves] [--small] [--out FILE]
    python tests/benchmarks/run_media.py --whole FILE [--threads 2]

CPU time of one thread. The second form projects one pattern of a million pixels, half of them lit, through a
million by a million entries into FILE, by the clock; stopped, it goes on where it was.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from photosim.bench.measuring import Row, cpu_seconds, options, report, seconds_text
from photosim.media.gaussian import StoredMedium
from photosim.media.procedural import ProceduralMedium
from photosim.media.scale import project_to_file
from photosim.media.screens import ScreensMedium

MILLION = 10**6


def patterns(batch: int, inputs: int) -> Any:
    """Random zeros and ones, half of them lit."""
    return np.random.default_rng(1).integers(0, 2, (batch, inputs)).astype(np.float32)


def products(*, small: bool) -> list[Row]:
    """Compare the rates of projections of binary patterns through 10,000 x 10,000 entries."""
    size = 500 if small else 10_000
    stored, procedural = StoredMedium(size, size, seed=1), ProceduralMedium(size, size, seed=1)
    rows = []
    for batch, goal in ((1, None), (64, 0.6), (512, 1.0)):
        x = patterns(batch, size)
        taken: list[list[float]] = [[], []]
        for _ in range(6):  # in turns, the least of each: other work on the machine only adds
            for times, medium in zip(taken, (stored, procedural), strict=True):
                times.append(cpu_seconds(lambda medium=medium, x=x: medium.project(x))[1])  # type: ignore[misc]
        held, made = (size * size * batch / min(times) / 1e9 for times in taken)
        ratio = made / held
        found = f"{ratio:.2f} ({made:.1f} against {held:.1f} G complex products/s)"
        sent = f"{batch} pattern{'s' * (batch > 1)}, {size} x {size}"
        what = f"{sent}: rate of the procedural matrix over the stored one's"
        rows.append(Row(what, found, f"{goal or ''}", None if goal is None else ratio >= goal, ratio))
    return rows


def trillion(*, small: bool) -> list[Row]:
    """Measure a slice of a projection through a trillion entries, and say what the whole would take."""
    inputs = MILLION // 100 if small else MILLION
    medium, lit = ProceduralMedium(MILLION, inputs, seed=1), np.arange(inputs)
    medium.sum_columns(lit[:9], slice(0, 4))
    outputs = 1024
    seconds = min(cpu_seconds(lambda: medium.sum_columns(lit, slice(0, outputs)))[1] for _ in range(3))
    rate = inputs * outputs / seconds
    whole = MILLION * MILLION / rate
    found = f"{seconds_text(whole / 2)} ({rate / 1e9:.2f} G entries/s a core)"
    what = "one pattern, all lit, 1e6 x 1e6 entries, by a slice: on two cores"
    return [Row(what, found, "600 s", whole / 2 < 600, whole / 2)]


def waves(*, small: bool) -> list[Row]:
    """Measure one vector of a million inputs and outputs through two phase screens and a lens."""
    side = 100 if small else 1000
    medium, x = ScreensMedium(side, seed=1), patterns(1, side**2)
    medium.project(x)
    seconds = min(cpu_seconds(lambda: medium.project(x))[1] for _ in range(7))
    return [
        Row(
            f"wave optics, {side**2} pixels, a vector",
            seconds_text(seconds),
            "100 ms",
            seconds < 0.1,
            seconds,
        )
    ]


def whole(place: Path, threads: int) -> None:
    """Project one pattern through a trillion entries, and say how long it took and what its speckle is."""
    medium = ProceduralMedium(MILLION, MILLION, seed=1, threads=threads)
    start, cpu = time.perf_counter(), time.process_time()
    out = project_to_file(
        medium,
        patterns(1, MILLION)[0],
        place,
        progress=lambda done, outputs: print(
            f"{done / outputs:6.1%} after {time.perf_counter() - start:.0f} s", flush=True
        ),
    )
    power = np.abs(out) ** 2
    spent = f"{time.perf_counter() - start:.0f} s by the clock, {time.process_time() - cpu:.0f} s of CPU"
    print(f"{spent}; contrast {power.std() / power.mean():.4f}, mean power {power.mean() * 2:.4f} of 1")


MEASUREMENTS = {"products": products, "trillion": trillion, "waves": waves}

if __name__ == "__main__":
    parser = options("Measure scattering media.", MEASUREMENTS)
    parser.add_argument("--whole", type=Path, help="project through a trillion entries into this .npy file")
    parser.add_argument("--threads", type=int, default=2, help="threads of --whole")
    given = parser.parse_args()
    if given.whole:
        whole(given.whole, given.threads)
    else:
        report(MEASUREMENTS, given)

"""Compare photosim with passes written by hand for one structure: how near is a general solver to them?

    python tests/benchmarks/run_limits.py --peers-dir DIR [--small] [--out FILE]

DIR holds the peers' harness, whose floor.py treats a mesh as the sequence of
2 x 2 rotations that it is: one wave at a time, forwards only, no reflections.
Both run in turns in this process, on one thread.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import warnings
from pathlib import Path
from typing import Any

from photosim.bench.measuring import Row, cpu_seconds, median_seconds, options, report, seconds_text
from photosim.circuit import Circuit
from photosim.errors import PhotosimWarning

CASES = ((8, 1000), (16, 100), (16, 1000), (32, 1), (32, 100), (32, 1000), (64, 1), (64, 100), (64, 1000))
SMALL = ((4, 1), (4, 100))


def limits(*, small: bool) -> list[Row]:
    """Return a row a mesh: the sweep of photosim in passes by hand."""
    floor: Any = importlib.import_module("floor")
    neutral: Any = importlib.import_module("circuits")
    adapter: Any = importlib.import_module("adapter")
    rows = []
    for size, points in SMALL if small else CASES:
        mesh = neutral.clements(size)
        wl = neutral.wavelengths(points)
        circuit = Circuit(adapter.netlist(mesh))
        instance, setting, values = mesh.tune
        number = iter(range(1 << 30))

        def sweep(
            _: int, circuit: Circuit = circuit, wl: Any = wl, number: Any = number,
            instance: str = instance, setting: str = setting, start: float = values[0],
        ) -> None:  # fmt: skip
            changed: dict[str, Any] = {instance: {setting: start + 1e-3 * next(number)}}
            circuit(wl, **changed)

        cpu_seconds(lambda sweep=sweep: sweep(0))  # type: ignore[misc]
        times = [(median_seconds(sweep, 3, 0.1), floor.run_mesh(size, points)[0]) for _ in range(3)]
        mine = statistics.median(t for t, _ in times)
        hand = float(statistics.median(t for _, t in times))
        bound = 8.0 if points == 1 else 1.5
        note = f"{mine / hand:.2f} ({seconds_text(mine)} against {seconds_text(hand)})"
        what = f"mesh {size} x {size}, {points:,} wavelength{'s' if points > 1 else ''}, in passes by hand"
        rows.append(Row(what, note, f"{bound:g}", mine / hand <= bound, mine / hand))
    return rows


def main() -> None:
    """Measure and print the table."""
    parser = options("photosim against passes written by hand", {"limits": limits})
    parser.add_argument("--peers-dir", type=Path, required=True, help="folder of the peers' harness")
    arguments = parser.parse_args()
    if not (arguments.peers_dir / "floor.py").is_file():
        parser.error(
            f"{arguments.peers_dir} holds no floor.py: --peers-dir is the folder of the peers' harness"
        )
    sys.path.insert(0, str(arguments.peers_dir))
    warnings.simplefilter("ignore", PhotosimWarning)
    report({"limits": limits}, arguments)


if __name__ == "__main__":
    main()

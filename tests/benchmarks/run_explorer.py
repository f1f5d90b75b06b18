"""How long the explorer takes from a slider to the repainted spectrum, in a real browser.

usage: run_explorer.py [--moves 60]

A ring, and 64 interferometers in a mesh of 12 guides: 1001 wavelengths, every curve that is lit. A move is
the event of a slider, the question, the answer, and the frame that shows it (the second
requestAnimationFrame after the answer is drawn).  Needs Chromium and playwright.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

MOVE = """
async ([name, value]) => {
  const slider = document.querySelector(`[data-knob='${name}'] input[type=range]`);
  const drawn = new Promise((done) => document.addEventListener('spectrum', done, { once: true }));
  const start = performance.now();
  slider.valueAsNumber = value;
  slider.dispatchEvent(new Event('input'));
  await drawn;
  const answered = performance.now() - start;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [answered, performance.now() - start];
}
"""


def mesh(count: int = 64, guides: int = 12) -> str:
    """Return a netlist of `count` interferometers in the order of Clements, with phases at random."""
    draw = random.Random(1)
    instances: list[str] = []
    connections: list[str] = []
    ports: list[str] = []
    ends: list[str | None] = [None] * guides
    column = 0
    while len(instances) < count:
        for top in range(column % 2, guides - 1, 2):
            if len(instances) == count:
                break
            name = f"b{len(instances):02d}"
            phases = f"theta: {draw.uniform(0.0, 3.1):.4f}, phi: {draw.uniform(0.0, 6.2):.4f}"
            instances.append(f"  {name}: {{component: mzi_block, settings: {{{phases}}}}}")
            for guide, port in ((top, "in0"), (top + 1, "in1")):
                if ends[guide] is None:
                    ports.append(f"  in{guide}: '{name},{port}'")
                else:
                    connections.append(f"  {ends[guide]}: {name},{port}")
            ends[top], ends[top + 1] = f"{name},out0", f"{name},out1"
        column += 1
    ports += [f"  out{guide}: '{end}'" for guide, end in enumerate(ends)]
    return "\n".join(
        ["name: mesh_64", "instances:", *instances, "connections:", *connections, "ports:", *ports, ""]
    )


def measure(file: str, knob: str, moves: int) -> None:
    """Print the times of moves of one slider."""
    command = [sys.executable, "-m", "photosim", "explore", file, "--no-open"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    try:
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            start = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("#metrics tbody tr", timeout=300_000)
            opened = time.perf_counter() - start
            page.wait_for_timeout(2000)
            times = []
            for k in range(moves):
                times.append(page.evaluate(MOVE, [knob, 300 + 5 * k]))
                page.wait_for_timeout(30)  # a hand that goes on moving
            answered, painted = np.array(times[3:]).T
            curves = page.locator("#legend .chip").count()
            browser.close()
    finally:
        process.terminate()
        process.communicate()
    half, most, all_of_them = (f"{np.percentile(painted, q):.0f}" for q in (50, 90, 100))
    print(
        f"{Path(file).stem}: {curves} curves of 1001 points, opened in {opened:.1f} s; slider to drawn "
        f"{np.median(answered):.0f} ms, to repainted {half} ms (90 % below {most}, all below {all_of_them})"
    )


def main() -> None:
    """Measure both circuits."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--moves", type=int, default=60)
    moves = options.parse_args().moves
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "mesh_64.yml"
        large.write_text(mesh(), encoding="utf-8")
        measure("add_drop_ring", "ring.radius", moves)
        measure(str(large), "b00.theta", moves)


if __name__ == "__main__":
    main()

"""Rebuilds pages of this folder from computations or kept results: python docs/build.py validation."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the comparisons stand among the tests

VALIDATION = ROOT / "docs" / "validation.md"
_HEAD = """# Validation

The tables compare results of photosim with results of other methods. Each row is one function of
`tests/validation/`, which is computed when this page is built (`python docs/build.py validation`). A test
checks that its error stays below the limit. An error is the largest one of all points of a row. Errors below
1e-12 are rounding and may differ from machine to machine.

[Published systems](systems.md) has the figures of papers next to ours.
"""
_TABLE = "| what | against | worst error | limit | measure |\n|---|---|---|---|---|\n"


_SPEED = {
    "Circuits": ("circuits", "ratios", "limits"),
    "First results and large circuits": ("start",),
    "Signals": ("time", "stream"),
    "Learning and media": ("training", "media"),
    "The explorer": ("explorer",),
}
"""Sections of the page on speed, and the files of `docs/speed/` whose rows they show."""
_PEERS = "peers"
_KEPT, _KEPT_END = "<!-- kept: python docs/build.py speed -->", "<!-- end of kept -->"
"""What the page on speed has around what is written from the kept rows."""


def validation() -> str:
    """Return the text of the page of comparisons."""
    from tests.validation.rows import SECTIONS, all_rows

    rows = all_rows()
    text = [_HEAD]
    for section in SECTIONS:
        text.append(f"\n## {section}\n\n{_TABLE}")
        for row in rows:
            if row.section == section:
                cells = (row.what, row.against, f"{row.worst():.1e}", f"{row.limit:.1e}", row.measure)
                text.append(f"| {' | '.join(cells)} |\n")
    return "".join(text)


def hexagonal() -> str:
    """Return the drawing of the 72 cells of a hexagonal mesh, flattened, as SVG."""
    from photosim.components.hexagonal_places import hexagonal_places

    places = hexagonal_places(3)
    wide, high, margin = 84.0, 46.0, 60.0
    spots = {name: places.position(pair) for name, pair in places.cells.items()}
    ends = {
        name: [places.position(tuple(places.ends[name, port][0])) for port in ("o1", "o4")] for name in spots
    }
    left = min(x for pair in ends.values() for x, _ in pair)
    top = max(y for pair in ends.values() for _, y in pair)
    width = wide * -2.0 * left + 2 * margin
    height = high * 2.0 * top + 2 * margin

    def at(place: tuple[float, float]) -> tuple[float, float]:
        return margin + wide * (place[0] - left), margin + high * (top - place[1])

    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    text = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="Helvetica, Arial" font-size="11">',
        "<title>The 72 cells of hexagonal_mesh</title>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#FFFFFF"/>',
    ]
    for name, (one, other) in ends.items():
        (x0, y0), (x1, y1), (x, y) = at(one), at(other), at(spots[name])
        dx, dy = 0.12 * (x1 - x0), 0.12 * (y1 - y0)
        line = f'x1="{x0 + dx:.1f}" y1="{y0 + dy:.1f}" x2="{x1 - dx:.1f}" y2="{y1 - dy:.1f}"'
        text.append(f'<line {line} stroke="#9DB8D9" stroke-width="15" stroke-linecap="round"/>')
        text.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" fill="#1C2733">{name}</text>')
    for hexagon in places.hexagons:
        x, y = at(places.position((hexagon,)))
        label = f"({hexagon[0]}, {hexagon[1]})"
        text.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" fill="#66717F">{label}</text>')
    for port, (cell, end) in places.ports.items():
        vertex, side = places.ends[cell, end]
        (x, y), (hx, hy), (cx, cy) = (
            at(places.position(tuple(vertex))),
            at(places.position((side,))),
            at(spots[cell]),
        )
        out = (x + 0.3 * (hx - x) - 0.12 * (cx - x), y + 0.3 * (hy - y) - 0.12 * (cy - y))
        text.append(
            f'<text x="{out[0]:.1f}" y="{out[1] + 4:.1f}" text-anchor="middle" fill="#C45A12">{port}</text>'
        )
    return "\n".join([*text, "</svg>"]) + "\n"


def systems() -> str:
    """Return the text of the page of published systems."""
    from docs.kept_systems import page

    return page()


def speed() -> str:
    """Return the text of the page on speed with the rows that the benchmarks left in `docs/speed/`."""
    page = ROOT / "docs" / "speed.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(_KEPT)
    _, _, after = rest.partition(_KEPT_END)
    folder = ROOT / "docs" / "speed"
    known = {_PEERS, *(name for names in _SPEED.values() for name in names)}
    stray = [path.name for path in folder.glob("*.json") if path.stem not in known]
    if stray:
        raise SystemExit(f"docs/build.py: no section of the page on speed shows {', '.join(sorted(stray))}")
    text = [before, _KEPT, "\n\n", _beside_others(folder / f"{_PEERS}.json")]
    for section, names in _SPEED.items():
        kept = [folder / f"{name}.json" for name in names if (folder / f"{name}.json").is_file()]
        text += [f"\n## {section}\n", *map(_rows_kept, kept)] if kept else []
    return "".join([*text, "\n", _KEPT_END, after])


def _beside_others(path: Path) -> str:
    """Return the table of the kept rows of run_peers.py."""
    from photosim.bench.measuring import described
    from tests.benchmarks.run_peers import Line, header

    kept = json.loads(path.read_text(encoding="utf-8"))
    lines = [*header(), *(Line(**row).markdown() for row in kept["rows"])]
    return f"{described(kept['machine'])}, {kept['others']}:\n\n" + "".join(f"{line}\n" for line in lines)


def _rows_kept(path: Path) -> str:
    """Return the table of the kept rows of one benchmark."""
    from photosim.bench.measuring import Row, described

    kept = json.loads(path.read_text(encoding="utf-8"))
    head = f"\n{described(kept['machine'])}:\n\n| measured | found | goal | met |\n|---|---|---|---|\n"
    return head + "".join(f"{Row(**row).markdown()}\n" for row in kept["rows"])


def pictures() -> None:
    """Draw the pictures of the README (a ring's spectrum, learning curves), and all drawings of circuits."""
    import photosim as ps
    from photosim import plotting
    from photosim.runner import run

    folder = ROOT / "docs" / "pictures"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as results:
        run(ROOT / "netlists" / "mrr_dfa_digits.yml", out=results)
        shutil.copy(Path(results) / "digits_learning.png", folder / "learning_curves.png")
    s = ps.load("add_drop_ring")(wl=ps.wavelengths(1.54, 1.56, 20001))
    plotting.save(s.plot(), folder / "ring_spectrum.png")
    drawings()


def drawings() -> None:
    """Draw every circuit of the gallery, and an open ring with the powers in it."""
    import photosim as ps
    from photosim.netlist import gallery

    folder = ROOT / "docs" / "pictures"
    for name in gallery():
        ps.load(name).draw(folder / f"drawing_{name}.svg")
    ring = ps.load("add_drop_ring")
    wl = ps.wavelengths(1.54, 1.56, 20001)
    peak = float(wl[ring(wl=wl)["in", "drop"].power.argmax()])
    ring.draw(folder / "drawing_powers.svg", depth=1, power=True, wl=peak)


def explorer() -> None:
    """Photograph the explorer's page for `docs/explorer.md`, in Chromium by playwright."""
    import subprocess

    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "photosim", "explore", "lattice_filter", "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)  # noqa: S603
    try:
        address = server.stdout.readline().strip() if server.stdout is not None else ""
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(address)
            page.wait_for_selector("#metrics tbody tr", timeout=300_000)
            page.locator("[data-wire^='coupler<1.0>,o4'].hit").click(force=True)
            page.mouse.move(700, 500)
            page.wait_for_timeout(3000)
            page.screenshot(path=ROOT / "docs" / "pictures" / "explorer.png")
            browser.close()
    finally:
        server.terminate()
        server.communicate()


PAGES: dict[str, tuple[Path, Callable[[], str]]] = {
    "validation": (VALIDATION, validation),
    "systems": (ROOT / "docs" / "systems.md", systems),
    "speed": (ROOT / "docs" / "speed.md", speed),
    "hexagonal": (ROOT / "docs" / "hexagonal_mesh.svg", hexagonal),
}


def site() -> None:
    """Build the documentation as a site below build/site/; every notebook runs."""
    from docs.site.build_site import build

    print(f"The site begins at {build()}.")


FOLDERS: dict[str, Callable[[], None]] = {
    "pictures": pictures,
    "drawings": drawings,
    "explorer": explorer,
    "site": site,
}
"""What makes pictures, or more than one file."""


def main(names: list[str]) -> int:
    """Build the pages named; return 0, or 1 with the names that there are."""
    unknown = [name for name in names if name not in {*PAGES, *FOLDERS}]
    if unknown or not names:
        print(f"usage: python docs/build.py {' | '.join([*PAGES, *FOLDERS])}")
        return 1
    for name in names:
        if name in FOLDERS:
            FOLDERS[name]()
            continue
        path, text = PAGES[name]
        start = time.perf_counter()
        path.write_text(text(), encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

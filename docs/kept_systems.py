"""The page of published systems, from results that are kept: python docs/build.py systems.

`python docs/kept_systems.py FOLDER` keeps what `photosim reproduce` left in a folder of results.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
KEPT = DOCS / "systems"
MARGIN = 0.3
"""Points by which a mean may miss a published one, beside two standard errors."""
EXACT = 0.01
"""Relative difference by which a figure that no seed changes may miss a published one."""
LEAST = 3
"""Seeds without which no figure counts as met."""


@dataclass(frozen=True)
class Figure:
    """One line of a kept table: published and ours, in `unit`; None where there is none."""

    figure: str
    unit: str
    published: float | None
    known_by: str
    ours: float | None
    spread: float | None
    seeds: int
    digits: int = 2

    def met(self) -> str:
        """Return whether the published figure is met: yes, no with the difference, or why it is not said."""
        if self.published is None:
            return ""
        if self.seeds == 0 and self.ours is not None:
            close = abs(self.ours - self.published) <= EXACT * abs(self.published)
            return "yes" if close else f"**no**, {self.ours - self.published:+.{self.digits}f}"
        if self.ours is None or self.seeds < LEAST or self.spread is None:
            return f"too few seeds ({self.seeds})" if self.ours is not None else "not run"
        margin = MARGIN if self.unit == "%" else 0.0
        off = self.ours - self.published
        close = abs(off) <= margin + 2.0 * self.spread / self.seeds**0.5
        return "yes" if close else f"**no**, {off:+.{self.digits}f}"

    def cells(self) -> list[str]:
        """Return published, how it is known, ours, seeds and met, as a table shows them."""
        unit = f" {self.unit}" if self.unit else ""
        published = "" if self.published is None else f"{self.published:.{self.digits}f}{unit}"
        ours = "" if self.ours is None else f"{self.ours:.{self.digits}f}"
        ours += f" +- {self.spread:.{self.digits}f}" if self.spread is not None else ""
        seeds = str(self.seeds) if self.seeds else "none drawn"
        return [published, self.known_by, f"{ours}{unit}" if ours else "", seeds, self.met()]


@dataclass(frozen=True)
class Kept:
    """Results of a system: its figures, where they come from, and what a reader must know."""

    system: str
    title: str
    source: str
    data: str
    computed: str
    provenance: str
    figures: tuple[Figure, ...]
    remarks: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Return what a file of `docs/systems` holds."""
        found = json.loads(path.read_text(encoding="utf-8"))
        figures = tuple(Figure(**own) for own in found["figures"])
        return cls(**{**found, "figures": figures, "remarks": tuple(found["remarks"])})

    def write(self, folder: Path = KEPT) -> Path:
        """Write the results to a file of their own."""
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.system}{'-' + self.data if self.data in _OTHERS else ''}.json"
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


_OTHERS = ("cora", "fashion-mnist")
"""Data sets whose results stand beside those of a system's first one."""


def keep(folder: Path, commit: str) -> Path:
    """Keep the results of a folder that `photosim reproduce` has written; commit: of the code that ran."""
    from photosim.systems import find_system

    file = folder / "results.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    system = find_system(found["system"])
    options = found["options"]
    if options["quick"]:
        message = f"{file} is of a quick run: full runs are kept."
        raise SystemExit(message)
    day = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
    data = f" --data {options['data']}" if options["data"] else ""
    return Kept(
        system.name, system.title, system.source, options["data"], day,
        f"`photosim reproduce {system.name}{data} --seeds {options['seeds']}`, photosim {found['photosim']}, "
        f"commit {commit}",
        tuple(_figure(row, options["seeds"]) for row in found["table"]),
        tuple(found["remarks"]),
    ).write()  # fmt: skip


def _figure(row: dict[str, Any], wanted: int) -> Figure:
    """Return a line of results; what was computed once where more seeds were wanted, no seed changes."""
    seeds = 0 if int(row["seeds"]) == 1 < wanted else int(row["seeds"])
    published = str(row["published"]).split(" +- ")[0]
    ours = str(row["ours"]).split(",")[0]
    digits = len(ours.partition(".")[2])
    return Figure(
        row["figure"], row["unit"], _number(published), row["known by"], _number(ours),
        _number(str(row["spread"])), seeds, digits,
    )  # fmt: skip


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def page() -> str:
    """Return the text of the page of published systems."""
    kept = [Kept.read(path) for path in sorted(KEPT.glob("*.json"))]
    text = [
        "| system | figure | published | known by | ours | seeds | met |\n|---|---|---|---|---|---|---|\n",
    ]
    for own in kept:
        shown = [figure for figure in own.figures if figure.published is not None]
        for number, figure in enumerate(shown):
            name = f"[`{own.system}`](#{own.system})" if number == 0 else ""
            text.append(f"| {' | '.join([name, figure.figure, *figure.cells()])} |\n")
    text += _missing({own.system for own in kept})
    head = (KEPT / "page.txt").read_text(encoding="utf-8").replace("{table}", "".join(text))
    text = [head]
    for name in dict.fromkeys(own.system for own in kept):
        text.append(f"\n## {name}\n")
        text += [_section(own) for own in kept if own.system == name]
    return "".join(text)


def _missing(known: set[str]) -> list[str]:
    """Return a sentence about the systems without kept results; nothing if there are none."""
    from photosim.systems import system_names

    names = [f"`{name}`" for name in system_names() if name not in known]
    return [f"\nNo result of a full run is saved for {', '.join(names)}.\n"] if names else []


def _section(own: Kept) -> str:
    data = f", data {own.data}" if own.data else ""
    text = [
        f"\n{own.title.capitalize()} (`{own.source}`{data}). Computed {own.computed}: {own.provenance}.\n"
    ]
    rest = [figure for figure in own.figures if figure.published is None and figure.ours is not None]
    if rest:
        text.append("\n| figure without a published one | ours | seeds |\n|---|---|---|\n")
        for figure in rest:
            cells = figure.cells()
            text.append(f"| {figure.figure} | {cells[2]} | {cells[3]} |\n")
    text += [f"\n* {remark}" for remark in own.remarks]
    return "".join([*text, "\n"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python docs/kept_systems.py FOLDER COMMIT")
    sys.path.insert(0, str(DOCS.parent))
    print(keep(Path(sys.argv[1]), sys.argv[2]))

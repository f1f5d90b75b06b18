"""The command `bench`: how fast this machine runs photosim, and how much slower plain solvers are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from photosim.analysis.result import Table
from photosim.cli.progress import progress_bars
from photosim.cli.show import show_json, show_tables

if TYPE_CHECKING:
    from photosim.bench.comparing import Row


def bench(seed: int, out: Path | None, *, quick: bool, as_json: bool) -> None:
    """Compare photosim with dense numpy and SuperLU on a few circuits; show the table, write it as JSON."""
    from photosim.bench import comparing, measuring
    from photosim.files import atomic

    if out is not None:
        atomic.check_writable(out)
    facts = measuring.machine()
    with progress_bars() as progress:
        rows = comparing.compare(comparing.cases(seed, quick=quick), progress)
    result = {"machine": facts, "seed": seed, "rows": [row.plain() for row in rows]}
    if out is not None:
        with atomic.replacing(out) as temporary:
            temporary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if as_json:
        show_json(result)
        return
    show_tables([_table(rows)])
    typer.echo(measuring.described(facts))
    if out is not None:
        typer.echo(f"Written to {out}.")


def _table(rows: list[Row]) -> Table:
    from photosim.bench.measuring import seconds_text

    title = "CPU time of one sweep after one setting has changed: one thread, all of S, complex128"
    columns = (
        "circuit", "parts", "netlist to first S", "photosim", "SuperLU", "dense numpy",
        "times faster", "largest difference",
    )  # fmt: skip
    lines: list[tuple[Any, ...]] = [
        (
            row.case, row.parts, *map(seconds_text, (row.plan, row.photosim, row.sparse)),
            "left out" if row.dense is None else seconds_text(row.dense),
            f"{row.times_faster:.3g}", f"{row.difference:.0e}",
        )
        for row in rows
    ]  # fmt: skip
    return Table(title, columns, tuple(lines))

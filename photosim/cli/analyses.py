"""The commands `run` and `train`: analyses of a netlist, with progress, tables and a folder of results."""

from __future__ import annotations

from pathlib import Path

import typer

from photosim import runner
from photosim.cli.progress import progress_bars
from photosim.cli.show import show_json, show_tables


def run(
    file: str,
    out: Path | None,
    seed: int | None,
    *,
    kinds: tuple[str, ...] | None = None,
    strict: bool = False,
    as_json: bool = False,
    cell_map: Path | None = None,
    mode: str | None = None,
    resume: bool = False,
    client: str | None = None,
    chunks: Path | None = None,
) -> None:
    """Run the analyses of the kinds named (None: all) and show what came out and where it lies."""
    with progress_bars() as progress:
        report = runner.run(
            file, kinds=kinds, out=out, seed=seed, strict=strict, cell_map=cell_map, mode=mode,
            resume=resume, client=client, chunks=chunks,
            progress=progress,
        )  # fmt: skip
    if as_json:
        show_json(report.numbers)
        return
    show_tables(report.tables)
    typer.echo(f"Results in {report.folder}: {', '.join(path.name for path in report.files)}")

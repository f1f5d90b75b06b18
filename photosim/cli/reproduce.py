"""The command `reproduce`: a published system, its figures next to ours while they come in."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from photosim.analysis.result import Table
from photosim.cli.progress import bars, progress_bars
from photosim.cli.show import rich_table, show_json, show_tables

if TYPE_CHECKING:
    from photosim.analysis.progress import Progress
    from photosim.systems.harness.reproduction import Reproduction, Watch


def list_systems(*, as_json: bool) -> None:
    """Show the systems that can be reproduced."""
    from photosim.systems import find_system, system_names

    systems = [find_system(name) for name in system_names()]
    if as_json:
        show_json(
            {
                own.name: {
                    "title": own.title,
                    "data": list(own.data),
                    "own data": list(own.reads),
                    "netlists": list(own.netlists),
                }
                for own in systems
            }
        )
        return
    rows = tuple(
        (
            own.name, own.title, ", ".join(own.data) or "none", " or ".join(own.reads),
            ", ".join(own.netlists), own.source,
        )
        for own in systems
    )  # fmt: skip
    columns = ("name", "what", "data", "own data", "netlists", "source")
    show_tables([Table("Published systems: photosim reproduce NAME", columns, rows)])


@dataclass(frozen=True)
class Chosen:
    """What the user asks for, as `System.options` takes it."""

    data: str | None
    data_dir: Path | None
    seeds: int | None
    netlists: tuple[str, ...]
    quick: bool


def reproduce(
    name: str, chosen: Chosen, out: Path | None, *, jobs: int, client: str | None, as_json: bool
) -> None:
    """Reproduce a system, show the table while it fills, and write tables and pictures to a folder."""
    from photosim import plotting
    from photosim import systems as published

    system = published.find_system(name)
    options = system.options(**vars(chosen))
    folder = out if out is not None else Path("results") / (f"{name}-quick" if chosen.quick else name)
    with _showing() as (progress, watch):
        done = published.reproduce(system, options, folder, progress, watch, jobs=jobs, client=client)
    files = ["results.json", "table.csv"]
    for picture, draw in plotting.for_charts(done).items():
        files.append(f"{picture}.png")
        plotting.save(draw(), folder / files[-1])
    if as_json:
        show_json(done.numbers())
        return
    show_tables(done.tables())
    for remark in system.remarks:
        typer.echo(f"Note: {remark}")
    typer.echo(f"Results in {folder}: {', '.join(files)}")


def large(name: str, which: str, chosen: Chosen, out: Path | None, *, as_json: bool) -> None:
    """Run a system's computation of another size; memory and time are said before it begins."""
    from photosim import __version__
    from photosim import systems as published
    from photosim.errors import ParameterError
    from photosim.files.atomic import making, write_text
    from photosim.files.own import RESULTS, refuse_others

    system = published.find_system(name)
    if which not in system.large:
        having = [own for own in published.system_names() if which in published.find_system(own).large]
        message = f"--{which} is an option of {', '.join(having)}; {name!r} has no such computation."
        raise ParameterError(message)
    options = system.options(**vars(chosen))
    folder = out if out is not None else Path("results") / f"{name}-{which}{'-quick' * chosen.quick}"
    files = [RESULTS, "table.csv"]
    refuse_others(folder, lambda own: own in files)
    with making(folder), progress_bars() as progress:
        table = system.large[which](
            options,
            lambda done, total: progress(which, done, total),
            lambda line: typer.echo(line, err=True),
        )
        lines = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        numbers = {"photosim": __version__, "system": name, "computation": which, "table": lines}
        write_text(folder / RESULTS, json.dumps(numbers | {"files": files}, indent=2) + "\n")
        write_text(folder / "table.csv", table.csv())
    if as_json:
        show_json(numbers)
        return
    show_tables([table])
    typer.echo(f"Results in {folder}: {', '.join(files)}")


@contextmanager
def _showing() -> Iterator[tuple[Progress, Watch]]:
    """Give progress and watch functions: on a terminal a table above the bars, elsewhere lines."""
    if not sys.stderr.isatty():
        with progress_bars() as progress:
            yield progress, lambda _state: None
        return
    from rich.console import Console, Group
    from rich.live import Live

    group, progress = bars(Console(stderr=True))
    with Live(group, console=Console(stderr=True), refresh_per_second=4, transient=True) as live:

        def watch(state: Reproduction) -> None:
            live.update(Group(rich_table(state.table()), group))

        yield progress, watch

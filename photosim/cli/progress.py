"""Progress of long work on stderr.

Bars with rate and estimate on a terminal, elsewhere a line for every finished item.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from photosim.cli.group import say

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import Task, TaskID
    from rich.text import Text

    from photosim.analysis.progress import Progress


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """Give a function that reports progress for as long as the block runs."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console

    shown, progress = bars(Console(stderr=True))
    with shown:
        yield progress


def _lines() -> Progress:
    """Return a reporter that writes one line when an item is finished."""
    started: dict[str, float] = {}

    def progress(name: str, done: int, total: int) -> None:
        begin = started.setdefault(name, time.perf_counter())
        if done >= total:
            say(f"{name}: {total} of {total} in {time.perf_counter() - begin:.1f} s")

    return progress


def bars(console: Console) -> tuple[Bars, Progress]:
    """Return bars to show on a console, and the function that moves them."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Rate(ProgressColumn):
        """Finished steps per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.3g}/s", style="progress.data.speed")

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    shown = Bars(*columns, console=console)
    tasks: dict[str, TaskID] = {}

    def progress(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = shown.add_task(name, total=total)
        shown.update(tasks[name], completed=done, total=total)

    return shown, progress

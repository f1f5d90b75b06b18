"""Computes a published system case by case and seed by seed, keeps what is finished, and compares.

A folder of results holds `runs/<case>-<seed>.json` for every finished seed, from which an interrupted
reproduction goes on, and at the end `table.csv`, `results.json` and a PNG for every picture.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from photosim import __version__
from photosim.analysis.chart import Picture
from photosim.analysis.progress import Progress, silent
from photosim.analysis.result import UNKNOWN, Cell, Table, plain
from photosim.arguments import public
from photosim.errors import DataError, Diverged, ParameterError, PhotosimWarning
from photosim.files.atomic import making, write_text
from photosim.files.own import EARLIER, RESULTS, earlier, refuse_others
from photosim.jobs.fingerprint import fingerprint
from photosim.systems.harness.data import fingerprint_of
from photosim.systems.harness.system import Case, Options, Outcome, Report, Row, System, is_comparable
from photosim.training.checkpoint import SUFFIX

COLUMNS = ("figure", "unit", "published", "known by", "ours", "spread", "seeds", "difference")
"""Columns of the table of published figures and ours."""
NOT_COMPARABLE = "not comparable"
"""Stands for a published figure beside runs on other data or of another size."""
_DIVERGED = "diverged"
"""Key of what was said of a seed whose training diverged."""


@public
@dataclass(frozen=True)
class Reproduction:
    """A system, its options, and the `outcome` computed so far."""

    system: System
    options: Options
    outcome: Outcome

    def table(self) -> Table:
        """Return published figures beside ours: mean and sample standard deviation over the seeds."""
        scope = [f"data {self.options.data}"] if self.options.data else []
        scope += [f"{name} of {file}" for name, file in self.options.netlists]
        scope += ["in small (--quick)"] if self.options.quick else []
        title = f"{self.system.name}: {self.system.title}" + (f" ({', '.join(scope)})" if scope else "")
        return Table(title, COLUMNS, tuple(self._line(row) for row in self.system.rows(self.options)))

    def tables(self) -> tuple[Table, ...]:
        """Return the comparison, and further tables of the system."""
        return (self.table(), *self.system.tables(self.outcome))

    def charts(self) -> tuple[Picture, ...]:
        """Return the data of the system's charts."""
        return tuple(self.system.pictures(self.outcome))

    def numbers(self) -> dict[str, Any]:
        """Return everything in plain JSON types."""
        options = {
            "data": self.options.data, "seeds": self.options.seeds, "quick": self.options.quick,
            "netlists": dict(self.options.netlists),
        }  # fmt: skip
        table = self.table()
        return {
            "photosim": __version__,
            "system": self.system.name,
            "source": self.system.source,
            "options": options,
            "table": [dict(zip(table.columns, row, strict=True)) for row in table.rows],
            "runs": {case: dict(own) for case, own in self.outcome.found.items()},
            "diverged": {case: dict(own) for case, own in self.outcome.diverged.items() if own},
            "remarks": list(self.system.remarks),
        }

    def _line(self, row: Row) -> tuple[Cell, ...]:
        published = row.published
        if published is not None and not is_comparable(self.system, self.options, row.case, published.data):
            published = None
        shown = "" if row.published is None else NOT_COMPARABLE
        shown = shown if published is None else f"{published.value:.{row.digits}f}"
        if published is not None and published.spread is not None:
            shown += f" +- {published.spread:.{row.digits}f}"
        known = "" if published is None else published.how
        ours = self.outcome.known(row.case, row.key)
        lost = len(self.outcome.diverged.get(row.case, {}))
        if not len(ours):
            none = UNKNOWN if self.outcome.of(row.case) else ""
            return (row.label, row.unit, shown, known, "diverged" if lost else none, "", 0, "")
        mean = float(np.mean(ours))
        spread = f"{np.std(ours, ddof=1):.{row.digits}f}" if len(ours) > 1 else UNKNOWN
        off = "" if published is None else f"{mean - published.value:+.{row.digits}f}"
        own = f"{mean:.{row.digits}f}" + (f", {lost} of {lost + len(ours)} diverged" if lost else "")
        return (row.label, row.unit, shown, known, own, spread, len(ours), "" if lost else off)


_TABLE = "table.csv"
_FILES = (RESULTS, _TABLE)
"""Files of the folder of a reproduction, beside pictures and finished seeds."""
Watch = Callable[[Reproduction], None]
"""watch(reproduction) sees the reproduction each time a seed of a case is finished."""


@public
def reproduce(
    system: System,
    options: Options,
    folder: Path,
    progress: Progress = silent,
    watch: Watch = lambda _reproduction: None,
    *,
    jobs: int = 1,
    client: Any = None,
) -> Reproduction:
    """Compute all cases of a system for all seeds, and return the result.

    Each finished seed is kept in `folder`; a later call with the same recipe, data, circuits and version of
    photosim does not compute it again; seeds with others are computed again, with a PhotosimWarning. A seed
    whose training diverges counts as finished, and the table says so.

    system, options: what to compute.  progress, watch: called after each step, and after each seed.  jobs:
    seeds computed at a time, each in a process of its own; numbers do not depend on it.  client: a client of
    Dask distributed, or the address of a scheduler. Raises DataError for missing data or a folder that cannot
    be written, ParameterError for jobs below 1, and any error of a case; finished seeds stay.
    """
    if jobs < 1:
        message = f"A reproduction needs 1 job or more at a time, got {jobs}."
        raise ParameterError(message)
    refuse_others(folder, lambda name: name in _FILES or name.endswith(".png"))
    with making(folder / "runs"):  # where data are missing no folder is left
        return _reproduced(system, options, folder, progress, watch, jobs if client is None else client)


def _reproduced(
    system: System, options: Options, folder: Path, progress: Progress, watch: Watch, jobs: Any
) -> Reproduction:
    runs = folder / "runs"
    cases = system.cases(options)
    state = Reproduction(system, options, _nothing_yet(system, options, cases))
    count = {case.name: options.seeds if case.repeated else 1 for case in cases}
    tasks = [(case, seed) for seed in range(options.seeds) for case in cases if seed == 0 or case.repeated]
    keys = _Keys(system, options)
    waiting: list[Task] = []
    stale = 0
    for case, seed in tasks:
        key = keys.of(case, seed)
        kept = _kept(runs, key, case, seed)
        if kept is None:
            stale += _file(runs, case, seed).exists() + _unfinished_of_others(runs, key, case, seed)
            waiting.append((case, seed, key))
        else:
            _add(state.outcome, case.name, seed, kept)
    if stale:
        message = (
            f"{stale} of the results kept in {runs} are of other data, options or circuits, or of another "
            "version of photosim: computed again."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=2)
    watch(state)
    for name, seed, numbers in _computed(waiting, runs, _Lines(progress, count, waiting), jobs):
        _add(state.outcome, name, seed, numbers)
        watch(state)
    pictures = [f"{chart.name}.png" for chart in state.charts()]
    numbers = {**state.numbers(), "files": [*_FILES, *pictures]}
    older = earlier(folder, numbers["files"])
    numbers |= {EARLIER: older} if older else {}
    write_text(folder / RESULTS, json.dumps(numbers, indent=2, allow_nan=False) + "\n")
    write_text(folder / _TABLE, state.table().csv())
    return state


def _nothing_yet(system: System, options: Options, cases: Sequence[Case]) -> Outcome:
    """Return the outcome of no seeds, which knows the cases that are computed as published."""
    comparable = frozenset(case.name for case in cases if is_comparable(system, options, case.name))
    return Outcome({case.name: {} for case in cases}, comparable, {case.name: {} for case in cases})


def _add(outcome: Outcome, name: str, seed: int, numbers: Mapping[str, Any]) -> None:
    """Put a finished seed into an outcome, or among those that diverged."""
    held: Any = outcome.found if _DIVERGED not in numbers else outcome.diverged
    held[name][seed] = numbers.get(_DIVERGED, numbers)


Task = tuple[Case, int, str]
"""A case, a seed of it, and the key of its numbers."""
Done = tuple[str, int, Mapping[str, Any]]
"""The name of a case, a seed and its numbers."""


class _Lines:
    """One line of progress a case: the steps of all its seeds together."""

    def __init__(self, progress: Progress, seeds: Mapping[str, int], waiting: Sequence[Task]) -> None:
        self.progress, self.seeds = progress, seeds
        left = Counter(case.name for case, _, _ in waiting)
        self.done = {name: count - left[name] for name, count in seeds.items()}
        self.steps = dict.fromkeys(seeds, 1)

    def of(self, name: str) -> Report:
        """Return the report of the next seed of a case: how far its computation is."""

        def report(done: int, total: int) -> None:
            self.steps[name] = max(total, 1)
            # The last step is the seed's end, which `finished` reports: a line ends once.
            self._show(name, min(done, self.steps[name] - 1))

        return report

    def finished(self, name: str) -> None:
        """Count a seed of a case as finished."""
        self.done[name] += 1
        self._show(name, 0)

    def _show(self, name: str, done: int) -> None:
        steps = self.steps[name]
        self.progress(name, self.done[name] * steps + done, self.seeds[name] * steps)


def _computed(waiting: Sequence[Task], runs: Path, lines: _Lines, jobs: Any) -> Iterator[Done]:
    """Compute the seeds that wait, and give each when it is finished; jobs: processes, or a client."""
    if not isinstance(jobs, int):
        from photosim.jobs.cluster import calls

        place = runs.resolve()
        for number, numbers in calls(_elsewhere, [(*task, str(place)) for task in waiting], jobs):
            case, seed, key = waiting[number]
            _keep(runs, case, seed, key, numbers)
            (runs / _checkpoint(case, seed, key)).unlink(missing_ok=True)
            lines.finished(case.name)
            yield case.name, seed, numbers
        return
    if jobs == 1 or len(waiting) < 2:
        for task in waiting:
            done = _compute(*task, runs, lines.of(task[0].name))
            lines.finished(done[0])
            yield done
        return
    from joblib import Parallel, delayed

    tasks = (delayed(_compute)(*task, runs, _unheard) for task in waiting)
    for done in Parallel(min(jobs, len(waiting)), return_as="generator_unordered")(tasks):
        lines.finished(done[0])
        yield done


def _unheard(_done: int, _total: int) -> None:
    """Report to nobody: another process has no line."""


def _compute(case: Case, seed: int, key: str, runs: Path, report: Report) -> Done:
    """Compute a seed of a case; keep it."""
    checkpoint = runs / _checkpoint(case, seed, key)
    numbers = _numbers(case, seed, checkpoint, report)
    _keep(runs, case, seed, key, numbers)
    checkpoint.unlink(missing_ok=True)
    return case.name, seed, numbers


def _elsewhere(case: Case, seed: int, key: str, runs: str) -> Mapping[str, Any]:
    """Return the numbers of a seed on a worker; its checkpoint lies with the results where it sees them."""
    with tempfile.TemporaryDirectory(prefix="photosim-") as own:
        folder = Path(runs) if os.access(runs, os.W_OK) else Path(own)
        return _numbers(case, seed, folder / _checkpoint(case, seed, key), _unheard)


def _numbers(case: Case, seed: int, checkpoint: Path, report: Report) -> Mapping[str, Any]:
    """Return the numbers of a seed, on one thread: sums then do not depend on the machine's cores."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        try:
            found = case.compute(seed, checkpoint, report)
        except Diverged as error:
            found = {_DIVERGED: str(error)}
        numbers: Mapping[str, Any] = plain(found)
    return numbers


def _keep(runs: Path, case: Case, seed: int, key: str, numbers: Mapping[str, Any]) -> None:
    kept = {"key": key, "numbers": numbers}
    write_text(_file(runs, case, seed), json.dumps(kept, allow_nan=False) + "\n")


def _checkpoint(case: Case, seed: int, key: str) -> str:
    return f"{case.name}-{seed}.{key}{SUFFIX}"


class _Keys:
    """What tells finished seeds of a reproduction from those of others; data and circuits are read once."""

    def __init__(self, system: System, options: Options) -> None:
        circuits = [_circuit(options.netlist(name)) for name in system.netlists]
        data = (options.data, fingerprint_of(options, system.reads))
        self.shared = (system.name, *data, options.quick, *circuits)

    def of(self, case: Case, seed: int) -> str:
        """Return the key of one seed of a case: all that decides its numbers, photosim's version included."""
        recipe = json.dumps(dict(case.recipe), sort_keys=True)
        return fingerprint(*self.shared, case.name, recipe, seed)


def _unfinished_of_others(runs: Path, key: str, case: Case, seed: int) -> int:
    """Remove the checkpoints of a seed that have another key than `key`; return their number."""
    named = re.compile(rf"{re.escape(case.name)}-{seed}\.[0-9a-f]{{32}}{re.escape(SUFFIX)}")
    others = [path for path in runs.iterdir() if named.fullmatch(path.name) and key not in path.name]
    for path in others:
        path.unlink()
    return len(others)


@cache
def _circuit(name: str) -> str:
    """Return what a netlist says, without its comments."""
    from photosim.netlist import read, to_yaml

    return to_yaml(read(name))


def _kept(runs: Path, key: str, case: Case, seed: int) -> Mapping[str, Any] | None:
    """Return the numbers of a finished seed; None if there are none of this recipe."""
    file = _file(runs, case, seed)
    if not file.exists():
        return None
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        numbers: Mapping[str, Any] = kept["numbers"]
        same = bool(kept["key"] == key)
    except (ValueError, KeyError, TypeError, OSError) as error:
        message = f"{file} is damaged ({error}): remove it to compute it again."
        raise DataError(message) from error
    return numbers if same else None


def _file(runs: Path, case: Case, seed: int) -> Path:
    return runs / f"{case.name}-{seed}.json"

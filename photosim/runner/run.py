"""Runs the analyses that a netlist lists, in order, and files what they found.

A folder of results holds `results.json` (numbers, settings, seeds, versions, the netlist's hash), a PNG for
every plot and the spectra as CSV. It appears whole: a run that fails leaves the folder as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim import __version__
from photosim.analysis.progress import Progress, silent
from photosim.analysis.result import plain
from photosim.arguments import public
from photosim.errors import (
    DataError,
    Mark,
    NetlistError,
    ParameterError,
    PhotosimError,
    UnphysicalResult,
    listing,
)
from photosim.files.atomic import is_temporary, write_text
from photosim.files.own import EARLIER, RESULTS, earlier, refuse_others
from photosim.netlist.form_errors import MappingError
from photosim.runner.kinds import Kind, Result, Run, find

if TYPE_CHECKING:
    from photosim.analysis.result import Table
    from photosim.circuit import Circuit

CHECKPOINTS = "photosim-checkpoints"
"""Folder, inside that of the results, of what trainings need to go on."""
_MARKER = "written-by-photosim"
"""File that marks a folder of checkpoints as photosim's own."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Job:
    """An analysis whose options have been read, and its position in the list of the netlist."""

    position: str
    name: str
    kind: str
    how: Kind
    options: Any


@public
@dataclass(frozen=True)
class Report:
    """Result of a run: the folder, its files, the tables to print, and the content of results.json.

    numbers: content of results.json.
    """

    folder: Path
    files: tuple[Path, ...]
    tables: tuple[Table, ...]
    numbers: dict[str, Any]


@public
def run(  # noqa: PLR0913 - keyword options of a run
    file: str | Path,
    *,
    kinds: Sequence[str] | None = None,
    out: str | Path | None = None,
    seed: int | None = None,
    strict: bool = False,
    cell_map: str | Path | None = None,
    mode: str | None = None,
    resume: bool = False,
    progress: Progress = silent,
    client: Any = None,
    chunks: str | Path | None = None,
) -> Report:
    """Run the analyses of a netlist file, write their results, and return a report.

    file: netlist, or a name of the gallery.  kinds: kinds of analyses to run, by default all.  out: folder of
    the results, by default results/<name of the file> in the working folder.  seed: replaces the seed of
    every analysis and of every random part.  strict: treat open inner ports and guessed settings as errors.
    cell_map: file that maps cells of a layout to components.  mode: mode to read from S-parameter files that
    hold several. resume: continue from the checkpoints that interrupted trainings left in the folder; by
    default they start anew.  progress: called as progress(name, done, total) after each step.  client,
    chunks: workers of Dask distributed, and the folder for finished chunks, for sweeps, yields and fits
    (docs/cluster.md).

    Raises NetlistError or ParameterError for a wrong netlist or analysis, before anything is computed or
    written, and DataError for a folder that cannot be written.
    """
    from photosim import netlist as netlists
    from photosim.circuit import Circuit
    from photosim.files.atomic import staging

    path = Path(netlists.find(file))
    circuit = Circuit(netlists.read(path, strict=strict, cell_map=cell_map, mode=mode), strict=strict)
    jobs = [job for job in prepare(circuit) if kinds is None or job.kind in kinds]
    if not jobs:
        wanted = f"analysis of kind {listing(kinds)}" if kinds is not None else "analyses"
        instead = f"`photosim simulate {path}` computes its spectrum or photocurrents"
        if circuit.nonlinear:
            instead = f"`photosim transient {path}` simulates it in time"
        elif circuit.graph.buses:
            instead = "compute its buses of free space in Python with circuit.chain()"
        message = f"{path} lists no {wanted}: {instead}."
        raise ParameterError(message)
    folder = Path(out) if out is not None else Path("results") / path.stem
    tables: list[Table] = []
    entries: list[dict[str, Any]] = []
    checkpoints = folder / CHECKPOINTS
    refuse_others(folder, lambda name: _is_written(name, jobs))
    ask = Run(seed, progress, checkpoints, client, None if chunks is None else Path(chunks))
    with staging(folder, RESULTS) as place, _kept(checkpoints, resume=resume):
        for job in jobs:
            started = time.perf_counter()
            with _placed(circuit, job):
                result = job.how.compute(circuit, job.options, ask)
            files = _file(job, result, place)
            seconds = round(time.perf_counter() - started, 3)
            entries.append({**plain(result.numbers()), "seconds": seconds, "files": files})
            tables += result.tables()
        numbers = {**_provenance(path, circuit, seed), "analyses": entries}
        older = earlier(folder, {RESULTS, *(name for entry in entries for name in entry["files"])})
        numbers |= {EARLIER: older} if older else {}
        text = json.dumps(numbers, indent=2, allow_nan=False)
        (place / RESULTS).write_text(text + "\n", encoding="utf-8")
    _clear(checkpoints)
    names = [name for entry in entries for name in entry["files"]]
    return Report(folder, tuple(folder / name for name in (*names, RESULTS)), tuple(tables), numbers)


@public
def prepare(circuit: Circuit) -> list[Job]:
    """Return the analyses of a circuit's netlist with their options read.

    Raises NetlistError, with the place in the file, or ParameterError where there is none: for an unknown
    kind or option, for names that repeat or are not file names.
    """
    jobs: list[Job] = []
    for position, entry in enumerate(circuit.netlist.analyses):
        try:
            jobs.append(_job(str(position), entry, circuit, [job.name for job in jobs]))
        except PhotosimError as error:
            if isinstance(error, NetlistError) and error.mark is not None:  # of another place in the file
                raise
            mark = _mark(circuit, str(position), error)
            if mark is None:
                raise
            raise NetlistError(str(error), mark) from None
    return jobs


def _mark(circuit: Circuit, position: str, error: PhotosimError) -> Mark | None:
    """Return the place of what is wrong in an analysis: that of its option if the error names one."""
    return circuit.netlist.mark("analyses", position, *map(str, getattr(error, "path", ())))


def _job(position: str, entry: Mapping[str, Any], circuit: Circuit, taken: Sequence[str]) -> Job:
    """Return one analysis with its options read; `taken` are the names of those before it."""
    name = entry.get("name", entry.get("kind"))
    kind = find(entry.get("kind"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = f"An analysis cannot be called {name!r}: files begin so; use letters, digits, - and _."
        raise ParameterError(message)
    if name in taken:
        message = f"Two analyses are called {name!r}: give each a different name."
        raise ParameterError(message)
    return Job(position, name, entry["kind"], kind, kind.read({**entry, "name": name}, circuit))


@contextmanager
def _placed(circuit: Circuit, job: Job) -> Iterator[None]:
    """Let an error of an analysis begin with its place in the netlist and its name."""
    try:
        yield
    except MappingError as error:
        mark = _mark(circuit, job.position, error)
        if mark is None:
            raise
        raise NetlistError(str(error), mark) from error
    except (ParameterError, DataError, UnphysicalResult) as error:
        if type(error) not in {ParameterError, DataError, UnphysicalResult}:  # others hold more than a text
            raise
        name, text = f"analysis {job.name!r}", str(error)
        mark = circuit.netlist.mark("analyses", job.position)
        place = "" if mark is None else f"{mark}: "
        raise type(error)(f"{place}{text}" if name in text else f"{place}{name}: {text}") from error


@contextmanager
def _kept(checkpoints: Path, *, resume: bool) -> Iterator[None]:
    """Have a folder of checkpoints while the block runs; one without a checkpoint is removed if it fails."""
    if not resume:
        _clear(checkpoints)
    finished = False
    try:
        _mark_own(checkpoints)
        yield
        finished = True
    finally:
        if not finished and checkpoints.is_dir():
            if [path.name for path in checkpoints.iterdir()] == [_MARKER]:
                (checkpoints / _MARKER).unlink()
            with suppress(OSError):  # what a training needs to go on stays
                checkpoints.rmdir()


def _mark_own(checkpoints: Path) -> None:
    """Make the folder of checkpoints, marked as photosim's; DataError if it holds other files."""
    if checkpoints.is_file() or (
        checkpoints.is_dir()
        and any(not is_temporary(path.name) for path in checkpoints.iterdir())
        and not (checkpoints / _MARKER).is_file()
    ):
        message = f"{checkpoints} was not made by photosim: move it, or give another folder with --out."
        raise DataError(message)
    checkpoints.mkdir(exist_ok=True)
    write_text(checkpoints / _MARKER, "Checkpoints of photosim: removed when the run is done.\n")


def _clear(checkpoints: Path) -> None:
    """Remove the checkpoints that photosim wrote, and their folder if nothing else is in it."""
    if not (checkpoints / _MARKER).is_file():
        return
    from photosim.training.checkpoint import WRITTEN

    for path in checkpoints.iterdir():
        if WRITTEN.fullmatch(path.name):
            path.unlink()
    if [path.name for path in checkpoints.iterdir()] == [_MARKER]:  # else a user's own file is in it
        (checkpoints / _MARKER).unlink()
        checkpoints.rmdir()


def _is_written(name: str, jobs: Sequence[Job]) -> bool:
    """Return whether the analyses write a file of that name."""
    pictures = any(name.startswith(f"{job.name}_") and name.endswith(".png") for job in jobs)
    return pictures or name in {RESULTS, *(f"{job.name}.csv" for job in jobs)}


def _file(job: Job, result: Result, folder: Path) -> list[str]:
    """Write the pictures and data of a result into `folder`; return the file names."""
    from photosim import plotting

    names = []
    for what, draw in job.how.pictures(result).items():
        names.append(f"{job.name}_{what}.png")
        plotting.save(draw(), folder / names[-1])
    if job.how.write is not None:
        names.append(f"{job.name}.csv")
        job.how.write(folder / names[-1], result)
    return names


def _provenance(path: Path, circuit: Circuit, seed: int | None) -> dict[str, Any]:
    """Return what it takes to make the results again."""
    return {
        "photosim": __version__,
        "netlist": {
            "file": path.name,
            "name": circuit.netlist.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        "seed": seed,
        "settings": plain(_settings(circuit)),
    }


def _settings(circuit: Circuit) -> dict[str, Any]:
    """Return the settings that the netlist gives, by dotted name; all others are the version's defaults."""
    values = {**circuit.graph.structural, **circuit.parameters}
    written = [*circuit.netlist.settings]
    written += [
        f"{name}.{key}" for name, instance in circuit.netlist.instances.items() for key in instance.settings
    ]
    return {name: values[name] for name in written if name in values}

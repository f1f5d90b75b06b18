"""Runs the analyses that a netlist lists, in order, and files what they found.

A folder of results holds `results.json` (numbers, settings, seeds, versions, the netlist's hash), a PNG for
every plot and the spectra as CSV. It appears whole: a run that fails leaves the folder as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from photosim import __version__
from photosim.analysis.progress import Progress, silent
from photosim.analysis.result import plain
from photosim.errors import NetlistError, ParameterError, PhotosimError, did_you_mean, listing

if TYPE_CHECKING:
    from photosim.analysis.result import Table
    from photosim.circuit import Circuit

KINDS = ("spectrum", "link", "transient", "train")
CHECKPOINTS = "checkpoints"
"""Folder, inside that of the results, of what trainings need to go on."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Result(Protocol):
    """What every analysis returns."""

    def numbers(self) -> dict[str, Any]:
        """Return all numbers as plain JSON types."""

    def tables(self) -> Sequence[Table]:
        """Return the tables that people read."""


@dataclass(frozen=True)
class Job:
    """An analysis whose options have been read.

    compute(seed, progress, checkpoints) does the work; a long one keeps its state in the folder `checkpoints`
    and goes on from what it finds there.
    """

    name: str
    kind: str
    compute: Callable[[int | None, Progress, Path], Result]


@dataclass(frozen=True)
class Report:
    """What a run left: the folder, its files, the tables for the reader and the content of results.json."""

    folder: Path
    files: tuple[Path, ...]
    tables: tuple[Table, ...]
    numbers: dict[str, Any]


def run(
    file: str | Path,
    *,
    kinds: Sequence[str] | None = None,
    out: str | Path | None = None,
    seed: int | None = None,
    strict: bool = False,
    cell_map: str | Path | None = None,
    resume: bool = False,
    progress: Progress = silent,
) -> Report:
    """Run the analyses of a netlist file and write their results.

    kinds: the kinds of analyses to run; None runs all.  out: folder of the results, by default
    results/<name of the file> in the working folder.  seed: replaces the seed of every analysis and of every
    random part; None keeps them.  resume: go on from the checkpoints in the folder, which trainings that were
    killed or failed leave there; without it they start anew.
    Raises NetlistError or ParameterError for a wrong netlist or analysis, before anything is computed or
    written; DataError for a folder that cannot be written.
    """
    from photosim import netlist as netlists
    from photosim.circuit import Circuit
    from photosim.files.atomic import staging

    path = Path(netlists.find(file))
    circuit = Circuit(netlists.read(path, strict=strict, cell_map=cell_map), strict=strict)
    jobs = [job for job in prepare(circuit) if kinds is None or job.kind in kinds]
    if not jobs:
        wanted = f"analysis of kind {listing(kinds)}" if kinds is not None else "analyses"
        instead = f"`photosim simulate {path}` computes its spectrum or photocurrents"
        if circuit.nonlinear:
            instead = f"`photosim transient {path}` simulates it in time"
        elif circuit.graph.buses:
            instead = "its buses of free space are asked in Python, circuit.chain()"
        message = f"{path} lists no {wanted}: {instead}."
        raise ParameterError(message)
    folder = Path(out) if out is not None else Path("results") / path.stem
    tables: list[Table] = []
    entries: list[dict[str, Any]] = []
    checkpoints = folder / CHECKPOINTS
    with staging(folder) as place:
        if not resume:
            shutil.rmtree(checkpoints, ignore_errors=True)
        for job in jobs:
            started = time.perf_counter()
            result = job.compute(seed, progress, checkpoints)
            files = _file(job.name, result, place)
            seconds = round(time.perf_counter() - started, 3)
            entries.append({**plain(result.numbers()), "seconds": seconds, "files": files})
            tables += result.tables()
        numbers = {**_provenance(path, circuit, seed), "analyses": entries}
        text = json.dumps(numbers, indent=2, allow_nan=False)
        (place / "results.json").write_text(text + "\n", encoding="utf-8")
    shutil.rmtree(checkpoints, ignore_errors=True)
    names = [name for entry in entries for name in entry["files"]]
    return Report(folder, tuple(folder / name for name in (*names, "results.json")), tuple(tables), numbers)


def prepare(circuit: Circuit) -> list[Job]:
    """Return the analyses of a circuit's netlist with their options read.

    Raises NetlistError, with the place in the file, or ParameterError where there is none: for an unknown
    kind or option, for names that repeat or are no file names.
    """
    jobs: list[Job] = []
    for position, entry in enumerate(circuit.netlist.analyses):
        try:
            jobs.append(_job(entry, circuit, [job.name for job in jobs]))
        except PhotosimError as error:
            mark = circuit.netlist.mark("analyses", str(position))
            if mark is None:
                raise
            raise NetlistError(str(error), mark) from None
    return jobs


def _job(entry: Mapping[str, Any], circuit: Circuit, taken: Sequence[str]) -> Job:
    """Return one analysis with its options read; `taken` are the names of those before it."""
    kind = entry.get("kind")
    if kind not in KINDS:
        hint = did_you_mean(str(kind), KINDS)
        message = f"There is no analysis of kind {kind!r}. There are: {listing(KINDS)}.{hint}"
        raise ParameterError(message)
    name = entry.get("name", kind)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = f"An analysis cannot be called {name!r}: files begin so; use letters, digits, - and _."
        raise ParameterError(message)
    if name in taken:
        message = f"Two analyses are called {name!r}: give each a name of its own."
        raise ParameterError(message)
    return Job(name, kind, _computation(kind, {**entry, "name": name}, circuit))


def _computation(
    kind: str, entry: Mapping[str, Any], circuit: Circuit
) -> Callable[[int | None, Progress, Path], Result]:
    if kind == "spectrum":
        from photosim.analysis.spectrum import read_options

        return partial(_spectrum, circuit, read_options(entry, circuit))
    if kind == "link":
        from photosim.analysis.link import read_options as read_link

        return partial(_link, circuit, read_link(entry, circuit))
    if kind == "transient":
        from photosim.analysis.transient import read_options as read_transient

        return partial(_transient, circuit, read_transient(entry, circuit))
    from photosim.training.job import read_options as read_training

    return partial(_train, circuit, read_training(entry, circuit))


def _spectrum(
    circuit: Circuit, options: Any, seed: int | None, progress: Progress, _checkpoints: Path
) -> Result:
    """Compute a spectrum; of random parts, such as speckle, `seed` chooses the sample."""
    from photosim.analysis.spectrum import spectrum, with_seed

    progress(options.name, 0, 1)
    result = spectrum(circuit, replace(options, settings=with_seed(circuit, options.settings, seed)))
    progress(options.name, 1, 1)
    return result


def _link(circuit: Circuit, options: Any, seed: int | None, progress: Progress, _checkpoints: Path) -> Result:
    """Compute a link; of random parts `seed` chooses the sample."""
    from photosim.analysis.link import compute
    from photosim.analysis.spectrum import with_seed

    progress(options.name, 0, 1)
    result = compute(circuit, replace(options, settings=with_seed(circuit, options.settings, seed)))
    progress(options.name, 1, 1)
    return result


def _transient(
    circuit: Circuit, options: Any, seed: int | None, progress: Progress, _checkpoints: Path
) -> Result:
    from photosim.analysis.transient import transient

    progress(options.name, 0, 1)
    result = transient(circuit, options, seed)
    progress(options.name, 1, 1)
    return result


def _train(circuit: Circuit, options: Any, seed: int | None, progress: Progress, checkpoints: Path) -> Result:
    from photosim.training.job import train

    return train(circuit, options, seed=seed, progress=progress, checkpoints=checkpoints)


def _file(name: str, result: Result, folder: Path) -> list[str]:
    """Write the pictures and data of a result into `folder`; return the file names."""
    from photosim import files, plotting
    from photosim.analysis.spectrum import SpectrumResult
    from photosim.analysis.transient import TransientResult
    from photosim.timedomain import files as signals

    names = []
    for what, draw in plotting.for_result(result).items():
        names.append(f"{name}_{what}.png")
        plotting.save(draw(), folder / names[-1])
    if isinstance(result, SpectrumResult):
        names.append(f"{name}.csv")
        files.write(folder / names[-1], result.s, result.pairs)
    if isinstance(result, TransientResult):
        names.append(f"{name}.csv")
        signals.write(folder / names[-1], result.data)
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
    given = [*circuit.netlist.settings]
    given += [
        f"{name}.{key}" for name, instance in circuit.netlist.instances.items() for key in instance.settings
    ]
    return {name: values[name] for name in given if name in values}

"""What the commands of a designer's questions share: the circuit, the netlist's own analysis, files, JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer

from photosim import __version__
from photosim.analysis.result import plain
from photosim.cli.settings import read_settings
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError, listing
from photosim.files import check_target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Common:
    """Options that every question has; names and values are as typed."""

    file: str
    analysis: str | None
    plot: Path | None
    out: Path | None
    settings: tuple[str, ...]
    seed: int | None
    strict: bool
    cell_map: Path | None = None
    mode: str | None = None

    def check_targets(self, suffixes: Sequence[str]) -> None:
        """Raise DataError for a picture or a file that could not be written, before anything is computed."""
        from photosim.plotting import PICTURE_SUFFIXES

        if self.plot is not None:
            check_target(self.plot, PICTURE_SUFFIXES)
        if self.out is not None:
            check_target(self.out, tuple(suffixes))

    def circuit(self) -> Circuit:
        """Return the circuit of the file."""
        from photosim import netlist as netlists
        from photosim.circuit import Circuit

        netlist = netlists.read(
            netlists.find(self.file), strict=self.strict, cell_map=self.cell_map, mode=self.mode
        )
        return Circuit(netlist, strict=self.strict)

    def entry(self, circuit: Circuit, kind: str) -> dict[str, Any]:
        """Return the netlist's own analysis of that kind, named or the first; an empty one if it has none."""
        own = [entry for entry in circuit.netlist.analyses if entry.get("kind") == kind]
        if self.analysis is not None:
            named = [entry for entry in own if entry.get("name", kind) == self.analysis]
            if not named:
                known = [entry.get("name", kind) for entry in own]
                message = f"{self.file} lists no {kind} called {self.analysis!r}; it has {listing(known)}."
                raise ParameterError(message)
            own = named
        return dict(own[0]) if own else {"kind": kind, "name": circuit.name}

    def set_in(self, circuit: Circuit) -> dict[str, Any]:
        """Return the settings of --set by dotted name."""
        return read_settings(self.settings, circuit)


def usual_wl(circuit: Circuit, file: str) -> str:
    """Return the wavelengths of the netlist's first spectrum; ParameterError where there is none."""
    for entry in circuit.netlist.analyses:
        if entry.get("kind") == "spectrum" and "wl" in entry:
            return str(entry["wl"])
    message = f"{file} lists no wavelengths: give them with --wl START:STOP:POINTS, or START:STOP:auto."
    raise ParameterError(message)


def assignments(texts: Sequence[str], option: str, example: str) -> dict[str, str]:
    """Return NAME=VALUE texts as a mapping; ParameterError for another form or a name given twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name or not value:
            message = f"Cannot read {option} {text!r}: write NAME=VALUES, as in {example}."
            raise ParameterError(message)
        if name in found:
            message = f"{option} gives {name!r} twice: give it once."
            raise ParameterError(message)
        found[name] = value
    return found


def port_names(texts: Sequence[str] | None, circuit: Circuit) -> list[str] | None:
    """Return the names of a repeatable option; a text is instance,port or several names and commas."""
    names: list[str] = []
    for text in texts or ():
        inner = text.partition(":")[0].rpartition(",")[0].strip() in circuit.graph.index
        names += [text] if inner else [name.strip() for name in text.split(",") if name.strip()]
    return names if texts else None


def show(
    common: Common,
    result: Any,
    pictures: Mapping[str, Callable[[], Figure]],
    write: Callable[[Path, Any], object],
    *,
    as_json: bool,
    more: Mapping[Path, Callable[[Path], object]] = MappingProxyType({}),
) -> None:
    """Write picture and data, all of them or none, and show tables or one JSON object.

    Several pictures go to files called after the one that is asked for: rings_metrics.png beside rings.png.
    more: what else to write, by the function that takes the place.
    """
    from photosim import plotting
    from photosim.files.atomic import all_or_none

    drawn: dict[Path, Figure] = {}
    if common.plot is not None:
        for number, (name, draw) in enumerate(pictures.items()):
            path = common.plot
            drawn[path.with_stem(f"{path.stem}_{name}") if number else path] = draw()
    writers: dict[Path, Callable[[Path], object]] = {}
    if common.out is not None:
        writers[common.out] = lambda path: write(path, result)
    writers |= {path: partial(plotting.save, figure) for path, figure in drawn.items()} | dict(more)
    with all_or_none(writers) as places:
        for place, writer in zip(places, writers.values(), strict=True):
            writer(place)
    written = [str(path) for path in writers]
    if as_json:
        show_json({"photosim": __version__, **plain(result.numbers()), "files": written})
        return
    show_tables(result.tables())
    for name in written:
        typer.echo(f"Wrote {name}")

"""What the commands of a designer's questions share: the circuit, the netlist's own analysis, files, JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer

from photosim import __version__
from photosim.analysis.result import plain
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from photosim.circuit import Circuit
    from photosim.cli.common import Common


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
    more: Mapping[Path, Callable[[Path], object]] = MappingProxyType({}),
) -> None:
    """Write picture and data, all of them or none, and show tables or one JSON object.

    Several pictures go to files with names made from the given one: rings_metrics.png beside rings.png.
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
    if common.json:
        show_json({"photosim": __version__, **plain(result.numbers()), "files": written})
        return
    show_tables(result.tables())
    for name in written:
        typer.echo(f"Wrote {name}")

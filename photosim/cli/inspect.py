"""Commands that look at a netlist and compute nothing: check, cite; and version."""

from __future__ import annotations

import platform
import warnings
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import photosim
from photosim.cli.group import say
from photosim.cli.show import show_json, show_tables
from photosim.errors import PhotosimWarning

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.model import Netlist

# What the numbers of a result depend on; read from the installed metadata, nothing is imported.
_NUMERICS = ("numpy", "scipy", "numba", "scikit-learn")


def check(
    file: str,
    *,
    strict: bool,
    settings: bool,
    as_json: bool,
    cell_map: Path | None = None,
    mode: str | None = None,
) -> None:
    """Read and check a netlist, warn on stderr, and say on stdout what it holds."""
    from photosim import netlist as netlists
    from photosim import runner

    path = netlists.find(file)
    netlist = netlists.read(path, strict=strict, cell_map=cell_map, mode=mode)
    found = [*netlists.check(netlist, strict=strict)]
    found += [f"accepted but not simulated: {line}" for line in netlists.not_simulated(netlist)]
    large = netlists.check_size(netlist)
    if large:  # said before the circuit is made: whoever does not want to wait can stop here
        say(f"Warning: {large}")
    circuit, more = _made(netlist, strict=strict)
    found += [text for text in more if text not in found]
    for warning in found:
        if warning != large:
            say(f"Warning: {warning}")
    notes = netlists.notes(netlist)
    for note in notes:
        say(f"Note: {note}")
    counts = {
        "instances": len(netlist.instances),
        "connections": len(netlist.connections),
        "ports": len(netlist.ports),
        "analyses": len(runner.prepare(circuit)),
        "warnings": len(found),
    }
    if as_json:
        table = _settings(circuit) if settings else {}
        show_json(
            {"file": str(path), "name": netlist.name, **counts, "messages": found, "notes": notes, **table}
        )
        return
    typer.echo(f"{path}: {', '.join(_counted(number, what) for what, number in counts.items())}")
    if settings:
        _show_settings(circuit)


def _made(netlist: Netlist, *, strict: bool) -> tuple[Circuit, list[str]]:
    """Return the circuit of a netlist, and what making it warns of."""
    from photosim.circuit import Circuit

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PhotosimWarning)
        circuit = Circuit(netlist, strict=strict)
    return circuit, [str(w.message) for w in caught if issubclass(w.category, PhotosimWarning)]


def _counted(number: int, what: str) -> str:
    """Return a count with its noun, such as "1 analysis"."""
    one = {"analyses": "analysis"}.get(what, what.removesuffix("s"))
    return f"{number} {one if number == 1 else what}"


def _settings(circuit: Circuit) -> dict[str, Any]:
    """Return every setting that a simulation takes, by dotted name, as JSON holds it."""
    from photosim.analysis.result import plain

    return {"settings": {name: plain(value) for name, value in circuit.parameters.items()}}


def _show_settings(circuit: Circuit) -> None:
    from photosim.analysis.result import Table

    rows = tuple((name, str(value)) for name, value in circuit.parameters.items())
    show_tables([Table("settings", ("name", "value"), rows)])


def cite(thing: str) -> None:
    """Print the BibTeX of what a netlist, component, rule or published system rests on."""
    from photosim.runner.citation import cite as entries

    typer.echo(entries(thing))


def version(*, as_json: bool) -> None:
    """Show versions without loading what they are of."""
    versions = {"photosim": photosim.__version__, "python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in _NUMERICS}
    if as_json:
        show_json(versions)
    else:
        rest = ", ".join(f"{name} {number}" for name, number in versions.items() if name != "photosim")
        typer.echo(f"photosim {versions['photosim']} ({rest})")

"""The command `transient`: a circuit in time, as table, picture and data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from photosim import __version__
from photosim.analysis.result import plain
from photosim.cli.settings import read_settings
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError, listing
from photosim.files import check_target

if TYPE_CHECKING:
    from photosim.analysis.transient import TransientOptions, TransientResult
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Request:
    """Options of `transient`; names and values are as typed."""

    file: str
    analysis: str | None
    duration: str | None
    rate: str | None
    drives: tuple[str, ...]
    noise: bool
    plot: Path | None
    out: Path | None
    settings: tuple[str, ...]
    seed: int | None
    strict: bool
    cell_map: Path | None = None
    mode: str | None = None


def transient(request: Request, *, as_json: bool) -> None:
    """Compute, write the requested files, and show the figures; everything is checked before computing."""
    from photosim.analysis.transient import transient as compute
    from photosim.plotting import PICTURE_SUFFIXES
    from photosim.timedomain.files import SUFFIXES

    if request.plot is not None:
        check_target(request.plot, PICTURE_SUFFIXES)
    if request.out is not None:
        check_target(request.out, SUFFIXES)
    circuit = _circuit(request)
    options = _options(request, circuit)
    result = compute(circuit, options, request.seed)
    written = _write(request, result)
    if as_json:
        files = [str(path) for path in written]
        show_json({"photosim": __version__, **plain(result.numbers()), "files": files})
        return
    show_tables(result.tables())
    for path in written:
        typer.echo(f"Wrote {path}")


def _circuit(request: Request) -> Circuit:
    from photosim import netlist as netlists
    from photosim.circuit import Circuit

    netlist = netlists.read(
        netlists.find(request.file), strict=request.strict, cell_map=request.cell_map, mode=request.mode
    )
    return Circuit(netlist, strict=request.strict)


def _options(request: Request, circuit: Circuit) -> TransientOptions:
    """Return the options of the netlist's own analysis in time, with what the command line says in front."""
    from photosim.analysis.transient import located, read_options

    own = [entry for entry in circuit.netlist.analyses if entry.get("kind") == "transient"]
    if request.analysis is not None:
        named = [entry for entry in own if entry.get("name", "transient") == request.analysis]
        if not named:
            known = [entry.get("name", "transient") for entry in own]
            message = (
                f"{request.file} lists no transient called {request.analysis!r}; it has {listing(known)}."
            )
            raise ParameterError(message)
        own = named
    entry: dict[str, Any] = (
        located(own[0], circuit.netlist.folder) if own else {"kind": "transient", "name": circuit.name}
    )
    typed = {"duration": request.duration, "sample_rate": request.rate}
    entry |= {key: value for key, value in typed.items() if value is not None}
    if "duration" not in entry or "sample_rate" not in entry:
        message = (
            f"{request.file} lists no analysis of kind transient: say how long with --duration SECONDS and "
            "how fine with --rate HZ."
        )
        raise ParameterError(message)
    entry["drive"] = {**entry.get("drive", {}), **dict(_drive(text) for text in request.drives)}
    options = read_options(entry, circuit)
    settings = {**options.settings, **read_settings(request.settings, circuit)}
    return replace(options, settings=settings, noise=options.noise or request.noise)


def _drive(text: str) -> tuple[str, Any]:
    """Return setting and waveform of `phase=prbs:rate=1e10,low=0,high=3.14` or `phase=1.5`."""
    name, equals, wave = text.partition("=")
    if not equals or not name.strip() or not wave.strip():
        message = f"Cannot read the drive {text!r}: write SETTING=WAVE:OPTION=VALUE (phase=prbs:rate=1e10)."
        raise ParameterError(message)
    kind, _, rest = wave.partition(":")
    try:
        return name.strip(), float(kind)
    except ValueError:
        pass
    options: dict[str, Any] = {"wave": kind.strip()}
    for option in rest.split(",") if rest else ():
        key, equals, value = option.partition("=")
        if not equals:
            message = f"Cannot read {option!r} in the drive {text!r}: write OPTION=VALUE."
            raise ParameterError(message)
        if key.strip() in options:
            message = f"The drive {text!r} gives the option {key.strip()!r} twice: give it once."
            raise ParameterError(message)
        options[key.strip()] = _value(value.strip())
    return name.strip(), options


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _write(request: Request, result: TransientResult) -> list[Path]:
    """Write picture and data: of the eye where there is one, else of the currents, else of the powers."""
    from photosim import plotting
    from photosim.files.atomic import all_or_none
    from photosim.timedomain import files

    pictures: Sequence[Any] = list(plotting.for_transient(result).values())
    if request.plot is not None and not pictures:
        message = "There is nothing to draw: the circuit has no detector and exposes no port."
        raise ParameterError(message)
    figure = pictures[-1 if result.eyes else 0]() if request.plot is not None else None
    written = [path for path in (request.out, request.plot) if path is not None]
    with all_or_none(written) as places:
        if request.out is not None:
            files.write(places[0], result.data)
        if request.plot is not None and figure is not None:
            plotting.save(figure, places[-1])
    return written

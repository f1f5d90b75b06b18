"""The command `response`: small signals from a source to voltages and photocurrents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from photosim import __version__
from photosim.analysis.result import plain
from photosim.cli.app import app
from photosim.cli.common import CLUSTER, Common, asks
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError, listing

if TYPE_CHECKING:
    from photosim.analysis.response import ResponseOptions
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Request:
    """Options of `response`; names and values are as typed."""

    common: Common
    source: str | None
    frequency: str | None
    noise: bool


@app.command(
    epilog="Example: photosim response pam4_transmitter --source modulator.voltage "
    "--frequency 100MHz:100GHz:201 --plot response.png"
)
@asks(*CLUSTER, "seed")
def response(
    common: Common,
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--source", metavar="NAME", help="Electrical source, or a setting such as modulator.voltage."
        ),
    ] = None,
    frequency: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--frequency",
            metavar="START:STOP:POINTS",
            help="Frequencies in Hz: 100MHz:100GHz:201 is a logarithmic range, 0:10GHz:201:linear is linear.",
        ),
    ] = None,
    noise: Annotated[bool, typer.Option("--noise", help="Also compute the noise of every net.")] = False,
) -> None:
    """Compute the small-signal response of a source: voltages, photocurrents, bandwidths and noise."""
    find_response(Request(common, source, frequency, noise))


def find_response(request: Request) -> None:
    """Compute, write the requested files, and show the table; everything is checked before computing."""
    from photosim import plotting
    from photosim.analysis.response import compute
    from photosim.files import responses
    from photosim.files.atomic import all_or_none

    common = request.common
    common.check_targets(responses.SUFFIXES)
    circuit = common.circuit()
    result = compute(circuit, _options(request, circuit))
    figure = plotting.response(result) if common.plot is not None else None
    written = [path for path in (common.out, common.plot) if path is not None]
    with all_or_none(written) as places:
        if common.out is not None:
            responses.write(places[0], result.data)
        if figure is not None:
            plotting.save(figure, places[-1])
    if common.json:
        files = [str(path) for path in written]
        show_json({"photosim": __version__, **plain(result.numbers()), "files": files})
        return
    show_tables(result.tables())
    for path in written:
        typer.echo(f"Wrote {path}")


def _options(request: Request, circuit: Circuit) -> ResponseOptions:
    """Return the options of the netlist's own response, with what the command line says in front."""
    from photosim.analysis.response import read_options
    from photosim.signals.small_signal import sources

    entry: dict[str, Any] = request.common.entry(circuit, "response")
    typed = {"source": request.source, "frequency": request.frequency}
    entry |= {key: value for key, value in typed.items() if value is not None}
    if "source" not in entry:
        known = sources(circuit)
        message = f"{request.common.file} lists no analysis of kind response: name a source with --source. "
        message += f"There are: {listing(known)}." if known else "The circuit has none."
        raise ParameterError(message)
    entry.setdefault("frequency", "10MHz:100GHz:201")
    settings = request.common.settings(circuit)
    entry["settings"] = {**entry.get("settings", {}), **settings}
    options = read_options(entry, circuit)
    return replace(options, noise=options.noise or request.noise)

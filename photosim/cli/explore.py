"""The command `explore`: a circuit in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from photosim.cli.options import File, Map, Mode


def explore(
    file: File,
    port: Annotated[
        int,
        typer.Option("--port", help="Port of this machine, up to 65535; 0 takes a free one."),
    ] = 0,
    browser: Annotated[
        bool,
        typer.Option("--open/--no-open", help="Open the page in the browser, or only print its address."),
    ] = True,
    cells: Map = None,
    mode: Mode = None,
) -> None:
    """Serve a page on this machine with sliders, spectrum, drawing and the netlist in an editor."""
    from photosim.explorer import explore as serve

    serve(file, port=port, browser=browser, cell_map=cells, mode=mode, say=_address)


def _address(text: str) -> None:
    """Print the address at once, though the output is a pipe."""
    typer.echo(text)
    typer.get_text_stream("stdout").flush()

"""The command `draw`: the schematic of a netlist, with the power in its guides where asked."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Optional

import typer

from photosim.cli.group import file_or_folder, say
from photosim.cli.options import File, Map, Mode

_SENT_W = 1e-3
Target = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--out",
        parser=file_or_folder,
        metavar="FILE",
        help="Picture file: .svg, .pdf or .png. Without it, the picture goes to stdout as SVG.",
    ),
]
Depth = Annotated[
    int,
    typer.Option("--depth", metavar="N", help="Levels of composites and sub-netlists whose inside is drawn."),
]
Expand = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--expand",
        metavar="NAME",
        help="Draw the inside of this instance, as in bank or bank.row0; repeatable.",
    ),
]
Fold = Annotated[
    int, typer.Option("--fold", metavar="N", help="Draw arrays of more than N equal instances once.")
]
Power = Annotated[bool, typer.Option("--power", help="Colour guides by the power that they carry.")]
Wavelength = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--wl", metavar="UM", help="Wavelength for --power (default: that of the sources)."),
]
Start = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--from", metavar="PORT", help="Send 1 mW into this port for --power; repeatable."),
]


def draw(
    file: File,
    out: Target = None,
    depth: Depth = 0,
    expand: Expand = None,
    fold: Fold = 8,
    power: Power = False,
    wl: Wavelength = None,
    start: Start = None,
    cells: Map = None,
    mode: Mode = None,
) -> None:
    """Draw the schematic of a circuit as SVG, PDF or PNG."""
    from photosim import drawing
    from photosim import netlist as netlists
    from photosim.circuit import Circuit
    from photosim.errors import ParameterError, PhotosimWarning
    from photosim.files import check_target

    if out is not None:
        check_target(out, drawing.SUFFIXES)
    if not power and (start or wl is not None):
        message = "--wl and --from belong to a drawing with powers: give --power too."
        raise ParameterError(message)
    netlist = netlists.read(netlists.find(file), cell_map=cells, mode=mode)
    for warning in netlists.check(netlist):
        say(f"Warning: {warning}")
    opened = tuple(expand or ())
    if power:
        with warnings.catch_warnings():  # they were said
            warnings.simplefilter("ignore", PhotosimWarning)
            circuit = Circuit(netlist)
        inputs = dict.fromkeys(start or (), _SENT_W)
        picture = circuit.draw(out, depth=depth, expand=opened, fold=fold, power=True, wl=wl, inputs=inputs)
    else:
        picture = drawing.draw(netlist, out, depth=depth, expand=opened, fold=fold)
    typer.echo(picture.text if out is None else f"Wrote {out}\n", nl=False)

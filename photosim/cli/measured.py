"""The command `fit`, and its options."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from photosim.cli.app import app
from photosim.cli.options import Data, File, Json, Map, Mode, Named, Plot, Seed, Strict, Values


@app.command(
    epilog="Example: photosim fit mzi_te1310 measured.csv --column port1_dbm=bar --column port2_dbm=cross "
    "--plot fit.png"
)
def fit(
    file: File,
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="Measured spectra: columns of text, or a file of S-parameters."),
    ],
    parameter: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--parameter", metavar="NAME", help="Setting to fit, or a pattern; repeatable, or a,b."),
    ] = None,
    column: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--column", metavar="COLUMN=PORT", help="Output port of a column, or FROM->TO; repeatable."
        ),
    ] = None,
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from", metavar="PORT", help="Port that light enters."),
    ] = None,
    unit: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--unit", metavar="COLUMN=UNIT", help="Unit of a column: nm, THz, dB, dBm, mW, ...; repeatable."
        ),
    ] = None,
    bound: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--bound", metavar="NAME=LOW:HIGH", help="Bounds of a fitted setting; repeatable."),
    ] = None,
    prior: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--prior", metavar="NAME=MEAN:SIGMA", help="What is known of a setting before; repeatable."
        ),
    ] = None,
    window: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--window", metavar="LOW:HIGH", help="Wavelengths in um that count."),
    ] = None,
    envelope: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--envelope", metavar="HOW", help="Envelope of each column: auto, fit, divide or none."),
    ] = None,
    degree: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--degree", metavar="N", help="Degree of the envelope, a polynomial in dB."),
    ] = None,
    reference: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--reference", metavar="NAME", help="Column or file whose power is divided out."),
    ] = None,
    floor: Annotated[bool, typer.Option("--floor", help="Fit a noise floor of each column too.")] = False,
    starts: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--starts", metavar="N", help="First guesses that are refined."),
    ] = None,
    wavelength: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--wavelength", metavar="COLUMN", help="Column of wavelengths or frequencies."),
    ] = None,
    analysis: Named = None,
    plot: Plot = None,
    out: Data = None,
    values: Values = None,
    seed: Seed = None,
    strict: Strict = False,
    cells: Map = None,
    mode: Mode = None,
    json: Json = False,
) -> None:
    """Fit settings of a circuit to measured spectra, with their errors and what the data cannot tell."""
    from photosim.cli import fits
    from photosim.cli.asking import Common

    common = Common(file, analysis, plot, out, tuple(values or ()), seed, strict, cells, mode)
    lists = [tuple(texts or ()) for texts in (parameter, column, unit, bound, prior)]
    request = fits.Request(
        common, data, lists[0], lists[1], source, lists[2], lists[3], lists[4], window, envelope, degree,
        reference, floor, starts, wavelength,
    )  # fmt: skip
    fits.find_fit(request, as_json=json)

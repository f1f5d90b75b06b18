"""The commands of a designer's questions: sweep."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from photosim.cli.app import app
from photosim.cli.options import (
    Data,
    End,
    File,
    Json,
    Map,
    Mode,
    Named,
    Plot,
    Range,
    Seed,
    Start,
    Strict,
    Values,
)

__all__ = ["app"]


@app.command(
    epilog="Example: photosim sweep add_drop_ring --vary ring.radius=9.9:10.1:5 --wl 1.54:1.56:auto "
    "--metrics --plot rings.png --out rings.nc"
)
def sweep(
    file: File,
    vary: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--vary",
            metavar="NAME=VALUES",
            help="Setting to sweep, as in ring.radius=9.9:10.1:5 (start:stop:count) or =9,10; repeatable.",
        ),
    ] = None,
    together: Annotated[
        bool, typer.Option("--zip", help="Change all settings together, not in all combinations.")
    ] = False,
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--samples", metavar="N", help="Draw N samples between low:high of each setting."),
    ] = None,
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--method", metavar="NAME", help="How samples are drawn: sobol, halton, lhs or random."),
    ] = None,
    wl: Range = None,
    start: Start = None,
    end: End = None,
    metrics: Annotated[
        bool,
        typer.Option("--metrics", help="Resonance, width, Q, extinction and more of every pair of ports."),
    ] = False,
    near: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--near", metavar="UM", help="Wavelength next to which the line that counts lies."),
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
    """Compute a circuit at many settings and wavelengths, and the numbers read off its spectra."""
    from photosim.cli import sweeps
    from photosim.cli.asking import Common

    common = Common(file, analysis, plot, out, tuple(values or ()), seed, strict, cells, mode)
    starts, ends = (tuple(names) if names else None for names in (start, end))
    request = sweeps.Request(
        common, tuple(vary or ()), together, samples, method, wl, starts, ends, metrics, near
    )
    sweeps.sweep(request, as_json=json)

"""The commands `pdk ...`: design kits held against the component library."""

from __future__ import annotations

from typing import Annotated

import typer

from photosim.cli.group import say
from photosim.cli.options import Json

app = typer.Typer(name="pdk", help="Compare design kits with the component library.", no_args_is_help=True)


@app.callback()
def pdk() -> None:
    """Compare design kits with the component library."""


@app.command(epilog="Example: photosim new kit my_kit.yml; photosim pdk check my_kit.yml")
def check(
    place: Annotated[
        str, typer.Argument(metavar="FOLDER-OR-FILE", help="Kit: pdk-schema 0.3 JSON, or YAML (docs/pdk.md).")
    ],
    notes: Annotated[
        bool, typer.Option("--notes", help="Also show remarks that are not mismatches.")
    ] = False,
    json: Json = False,
) -> None:
    """List every mismatch between a kit and the components; exit with 1 if there is one."""
    from photosim import pdk as kits
    from photosim.cli.show import show_json

    kit = kits.read(place)
    findings = kits.check(kit)
    wrong = [finding for finding in findings if finding.serious]
    remarks = [finding for finding in findings if not finding.serious]
    if json:
        show_json(
            {
                "kit": kit.name,
                "cells": len(kit.cells),
                "mismatches": [str(finding) for finding in wrong],
                "notes": [str(finding) for finding in remarks],
                "corners": {name: dict(knobs) for name, knobs in kit.corners.items()},
                "statistics": kit.statistics(),
                "limits": {cell.name: cell.limits for cell in kit.cells if cell.limits},
            }
        )
    else:
        for finding in wrong:
            typer.echo(str(finding))
        for finding in remarks:
            if notes or finding.mark is None:
                say(f"Note: {finding}")
        hidden = sum(finding.mark is not None for finding in remarks)
        rest = f", {hidden} notes (--notes shows them)" if hidden and not notes else ""
        what = "1 mismatch" if len(wrong) == 1 else f"{len(wrong)} mismatches"
        typer.echo(f"{kit.name}: {len(kit.cells)} cells, {what}{rest}")
    if wrong:
        raise typer.Exit(1)

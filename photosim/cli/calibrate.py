"""The command `calibrate`: what a chip is made of, from powers at its outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from photosim import __version__
from photosim.cli.options import CalibrationFolder, Json, Seed

_CALIBRATION = "calibration.npz"
Readings = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--readings", min=1, help="Approximate number of readings (default: 50 N^2 for N guides)."),
]


def calibrate(
    chip: Annotated[
        str,
        typer.Argument(
            metavar="CHIP", help="A netlist with a chip: block, or a chip that an installed package offers."
        ),
    ],
    readings: Readings = None,
    targets: Annotated[
        int,
        typer.Option(
            "--targets",
            min=0,
            help="Number of random unitaries that a simulated chip is programmed to as a test.",
        ),
    ] = 20,
    hours: Annotated[
        float,
        typer.Option(
            "--hours", min=0.0, help="Hours for which one unitary is held while a simulated chip drifts."
        ),
    ] = 0.0,
    out: CalibrationFolder = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Calibrate a chip: find couplers, phases, powers for pi and crosstalk from its output powers."""
    from json import dumps

    from photosim.cli.show import show_json, show_tables
    from photosim.files.atomic import staging
    from photosim.files.own import EARLIER, RESULTS, earlier, refuse_others
    from photosim.training.chips import open_chip
    from photosim.training.chips.report import report

    opened = open_chip(chip)
    folder = out if out is not None else Path("results") / f"{Path(chip).stem}-calibration"
    refuse_others(folder, {_CALIBRATION, RESULTS}.__contains__)
    with staging(folder, RESULTS) as place:  # before the readings: a chip may take hours
        found = report(
            opened, Path(chip).stem, readings=readings, targets=targets, hours=hours, seed=seed or 0
        )
        found.found.save(place / _CALIBRATION)
        numbers = {"photosim": __version__, **found.numbers(), "files": [_CALIBRATION, RESULTS]}
        older = earlier(folder, (_CALIBRATION, RESULTS))
        numbers |= {EARLIER: older} if older else {}
        (place / RESULTS).write_text(dumps(numbers, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    if json:
        show_json(numbers)
        return
    show_tables(found.tables())
    typer.echo(f"Results in {folder}: {_CALIBRATION}, {RESULTS}")

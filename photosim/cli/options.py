"""Options that several commands share; typer reads these annotations at run time, hence Optional."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from photosim.cli import completion
from photosim.cli.group import file_or_folder

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A netlist, or the name of one in the packaged gallery.",
        autocompletion=completion.circuits,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Treat warnings, such as an open inner port, as errors.")
]
Seed = Annotated[Optional[int], typer.Option("--seed", min=0, help="Seed of the random numbers.")]  # noqa: UP045
Folder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--out",
        parser=file_or_folder,
        metavar="DIR",
        help="Folder of the results; results/<name of the netlist> if not given.",
    ),
]

CalibrationFolder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--out",
        parser=file_or_folder,
        metavar="DIR",
        help="Folder of the results; results/<name of the chip>-calibration if not given.",
    ),
]

Resume = Annotated[
    bool, typer.Option("--resume", help="Continue from the checkpoints of a run that was stopped or killed.")
]
Map = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--map",
        parser=file_or_folder,
        metavar="MAP",
        help="Map from the cells of a .spi netlist to components (docs/formats.md).",
    ),
]
Mode = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--mode",
        metavar="MODE",
        help="Mode to read, such as TE, from S-parameter files that hold several modes.",
    ),
]
Values = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--set", metavar="NAME=VALUE", help="Change a setting, as in ring.radius=10; repeatable."),
]
Parts = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option(
        "--components",
        parser=file_or_folder,
        metavar="FILE",
        help="A Python file of your own components, which is executed; repeatable.",
    ),
]
Windows = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--extrapolate",
        metavar="warn|error|ignore",
        help="Warn, stop or go on where a value lies outside of the validity window of a model or a "
        "kit. Every command takes this option.",
    ),
]
Tested = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A component, a netlist, a table, or a Python file of your own components, which is executed.",
    ),
]
Cited = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A netlist, or the name of a component, rule or system."),
]
Start = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--from", metavar="PORT", help="Port that light enters; repeatable, or a,b."),
]
End = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--to", metavar="PORT", help="Port that light leaves; repeatable, or a,b."),
]
Plot = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--plot",
        parser=file_or_folder,
        metavar="FILE",
        help="Picture of the result: .png, .svg or .pdf.",
    ),
]
Range = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--wl",
        metavar="START:STOP:POINTS",
        help="Wavelengths in um; START:STOP:auto refines them where a resonance would be missed.",
    ),
]
Data = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--out", parser=file_or_folder, metavar="FILE", help="Data: .csv or .nc (NetCDF)."),
]
SpectrumData = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--out",
        parser=file_or_folder,
        metavar="FILE",
        help="Data: .csv, .npz, .nc (NetCDF), .sparam, .dat, .ts or .s2p, .s4p, ...",
    ),
]
SignalPlot = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--plot",
        parser=file_or_folder,
        metavar="FILE",
        help="Picture of the eye or the signals: .png, .svg or .pdf.",
    ),
]
SignalData = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--out", parser=file_or_folder, metavar="FILE", help="All signals: .csv or .nc (NetCDF)."),
]
Named = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--analysis",
        metavar="NAME",
        help="Name of the netlist's own analysis to run (default: the first one).",
    ),
]
Scheduler = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Compute on the workers of a Dask scheduler, such as tcp://10.0.0.1:8786 (docs/cluster.md).",
    ),
]
Chunks = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--chunks",
        parser=file_or_folder,
        metavar="DIR",
        help="Folder of finished chunks, from which a later run continues; results/chunks with --scheduler.",
    ),
]
Metrics = Annotated[
    bool,
    typer.Option("--metrics", help="Show resonance, width, Q, extinction and more for every pair of ports."),
]
DataSet = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--data",
        metavar="NAME",
        help="Name of a data set, or a file of your own.",
    ),
]
DataFolder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--data-dir",
        parser=file_or_folder,
        metavar="DIR",
        help="Folder of data files (default: the folder that PHOTOSIM_DATA names).",
    ),
]
SeedCount = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--seeds", min=1, help="Number of seeds; seeds that are finished are not computed again."),
]
Replaced = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--netlist",
        metavar="FILE",
        help="Netlist in place of the system's first one, or NAME=FILE in place of NAME; repeatable.",
    ),
]
SystemFolder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--out",
        parser=file_or_folder,
        metavar="DIR",
        help="Folder of the results; results/<system> if not given.",
    ),
]
Seconds = Annotated[
    str | None, typer.Option("--duration", metavar="SECONDS", help="Duration of the simulation in s.")
]
SampleRate = Annotated[str | None, typer.Option("--rate", metavar="HZ", help="Samples per second.")]
Judged = Annotated[
    bool,
    typer.Option(
        "--figures", help="Show modulation amplitude, eye closure, jitter, error rate, TDECQ and more."
    ),
]
Eyed = Annotated[
    bool, typer.Option("--eye", help="Show the eye diagram of the first signal, as a table and a picture.")
]
Streamed = Annotated[
    bool, typer.Option("--stream", help="Count errors in a run of any length; no samples are kept.")
]
SampleCount = Annotated[
    str | None,
    typer.Option("--samples", metavar="N", help="Number of samples, as in 1e9, in place of --duration."),
]
CheckpointFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        help="With --stream: save the state to this file, and continue from it.",
    ),
]

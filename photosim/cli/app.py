"""The commands: each reads its options, asks the library, and shows what came back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from photosim.cli import completion
from photosim.cli.calibrate import calibrate
from photosim.cli.common import CLUSTER, Common, asks
from photosim.cli.draw import draw
from photosim.cli.group import Commands, file_or_folder
from photosim.cli.options import (
    CheckpointFile,
    Chunks,
    Cited,
    DataFolder,
    DataSet,
    End,
    Eyed,
    File,
    Folder,
    Json,
    Judged,
    Map,
    Metrics,
    Mode,
    Parts,
    Range,
    Replaced,
    Resume,
    SampleCount,
    SampleRate,
    Scheduler,
    Seconds,
    Seed,
    SeedCount,
    SignalData,
    SignalPlot,
    SpectrumData,
    Start,
    Streamed,
    Strict,
    SystemFolder,
    Tested,
    Windows,
)

app = typer.Typer(
    name="photosim",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: photosim simulate add_drop_ring --wl 1.54:1.56:2001 --plot ring.png",
)


app.command(epilog="Example: photosim calibrate chip_8x8 --hours 1")(calibrate)
app.command(epilog="Example: photosim draw mzi_lattice --wl 1.55 --power --out lattice.png")(draw)


@app.callback(invoke_without_command=True)
def photosim(
    context: typer.Context,
    parts: Parts = None,
    windows: Windows = None,  # noqa: ARG001 - taken out and heeded before (group.py)
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Simulate photonic circuits, and train neural networks through them."""
    if version:
        from photosim.cli import inspect

        inspect.version(as_json=False)
        raise typer.Exit
    if parts:
        from photosim.cli import library

        library.add_files(parts)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(epilog="Example: photosim check add_drop_ring --strict")
def check(
    file: File,
    strict: Strict = False,
    settings: Annotated[bool, typer.Option("--settings", help="List every setting with its value.")] = False,
    cells: Map = None,
    mode: Mode = None,
    json: Json = False,
) -> None:
    """Check a netlist and its analyses without simulating anything."""
    from photosim.cli import inspect

    inspect.check(file, strict=strict, settings=settings, as_json=json, cell_map=cells, mode=mode)


@app.command(
    epilog="Example: photosim simulate add_drop_ring --wl 1.54:1.56:2001 --from in --to drop "
    "--set ring.radius=10 --plot ring.png --out ring.csv"
)
@asks("analysis", *CLUSTER, out=SpectrumData)
def simulate(
    common: Common,
    wl: Range = None,
    start: Start = None,
    end: End = None,
    metrics: Metrics = False,
) -> None:
    """Compute the spectrum of a circuit, and the photocurrents if it has sources and detectors."""
    from photosim.cli import spectra

    starts, ends = (tuple(names) if names else None for names in (start, end))
    spectra.simulate(spectra.Request(common, wl, starts, ends, metrics=metrics))


@app.command(
    epilog="Example: photosim transient link --duration 20e-9 --rate 640e9 "
    "--drive phase=prbs:rate=10e9,low=0,high=3.14 --plot link.png"
)
@asks(*CLUSTER, plot=SignalPlot, out=SignalData)
def transient(
    common: Common,
    duration: Seconds = None,
    rate: SampleRate = None,
    drive: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--drive",
            metavar="NAME=WAVE",
            help="Drive a setting: phase=sine:frequency=1e9; repeatable.",
        ),
    ] = None,
    noise: Annotated[bool, typer.Option("--noise", help="Include laser and receiver noise.")] = False,
    figures: Judged = False,
    eye: Eyed = False,
    stream: Streamed = False,
    samples: SampleCount = None,
    checkpoint: CheckpointFile = None,
) -> None:
    """Simulate a circuit in time: photocurrents, waves, and the eye diagram and figures of a signal."""
    from photosim.cli import transient as command

    how = command.Streaming(stream, samples, checkpoint)
    drives = tuple(drive or ())
    command.transient(command.Request(common, duration, rate, drives, noise, figures, eye, how))


@app.command(
    epilog="Example: photosim components ring_double; photosim components ring; photosim components y branch"
)
def components(
    words: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="NAME",
            help="Name of a component to show, or words to search for.",
            autocompletion=completion.components,
        ),
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Show the formula as LaTeX.")] = False,
    json: Json = False,
) -> None:
    """List the components, search them by words, or show one with its settings and formula."""
    from photosim.cli import library

    library.components(tuple(words or ()), latex=latex, as_json=json)


@app.command(epilog="Example: photosim gallery")
def gallery(json: Json = False) -> None:
    """List the circuits that come with photosim."""
    from photosim.cli import shelf

    shelf.list_gallery(as_json=json)


@app.command(epilog="Example: photosim new circuit my_circuit.yml")
def new(
    thing: Annotated[
        str,
        typer.Argument(
            metavar="circuit|component|analysis|kit", help="Kind of file.", autocompletion=completion.starters
        ),
    ],
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(
            parser=file_or_folder,
            metavar="FILE",
            help="File to write (default: circuit.yml, component.py, analysis.yml or kit.yml).",
        ),
    ] = None,
) -> None:
    """Write a commented starter file: a circuit, a component of your own, analyses, or a design kit."""
    from photosim.cli import begin

    begin.new(thing, file)


@app.command(epilog="Example: photosim doctor")
def doctor(json: Json = False) -> None:
    """Show versions, threads, memory, cache and optional packages of this machine."""
    from photosim.cli import doctor as examination

    examination.doctor(as_json=json)


@app.command(epilog="Example: photosim train mrr_dfa_digits --seed 1 --out digits")
def train(
    file: File,
    out: Folder = None,
    seed: Seed = None,
    strict: Strict = False,
    resume: Resume = False,
    json: Json = False,
) -> None:
    """Train the networks that a netlist lists, its analyses of kind train."""
    from photosim.cli import analyses

    analyses.run(file, out, seed, kinds=("train",), strict=strict, as_json=json, resume=resume)


@app.command(epilog="Example: photosim run mrr_dfa_digits --out digits")
def run(
    file: File,
    out: Folder = None,
    seed: Seed = None,
    strict: Strict = False,
    cells: Map = None,
    mode: Mode = None,
    resume: Resume = False,
    scheduler: Scheduler = None,
    chunks: Chunks = None,
    json: Json = False,
) -> None:
    """Run all analyses that a netlist lists, in order, and write their results to a folder."""
    from photosim.cli import analyses

    analyses.run(
        file, out, seed, strict=strict, as_json=json, cell_map=cells, mode=mode, resume=resume,
        client=scheduler, chunks=chunks,
    )  # fmt: skip


@app.command(epilog="Example: photosim reproduce mrr-dfa --quick; photosim reproduce lists the systems")
def reproduce(
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(
            metavar="SYSTEM",
            help="Name of a published system; without a name, all are listed.",
            autocompletion=completion.systems,
        ),
    ] = None,
    data: DataSet = None,
    data_dir: DataFolder = None,
    seeds: SeedCount = None,
    netlist: Replaced = None,
    quick: Annotated[bool, typer.Option("--quick", help="Run a short version on less data.")] = False,
    out: SystemFolder = None,
    jobs: Annotated[
        int, typer.Option("--jobs", min=1, help="Number of seeds computed at the same time, one per core.")
    ] = 1,
    scheduler: Scheduler = None,
    billion: Annotated[
        bool,
        typer.Option(
            "--billion",
            help="In transformer-dfa, train one network of more than 10^9 parameters on a GPU instead; "
            "with --quick a small one on the CPU.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Compute a published system, and show the published figures next to ours."""
    from photosim.cli import reproduce as published

    if name is None:
        published.list_systems(as_json=json)
    else:
        chosen = published.Chosen(data, data_dir, seeds, tuple(netlist or ()), quick=quick)
        if billion:
            published.large(name, "billion", chosen, out, as_json=json)
        else:
            published.reproduce(name, chosen, out, jobs=jobs, client=scheduler, as_json=json)


@app.command("test", epilog="Example: photosim test ring_double --examples 1000")
def try_laws(
    thing: Tested,
    examples: Annotated[
        int, typer.Option("--examples", min=1, help="Number of random examples for each law.")
    ] = 100,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Test a component or circuit by the laws of physics: reciprocity, passivity, causality and more."""
    from photosim.cli import library

    library.try_laws(thing, examples, seed or 0, as_json=json)


@app.command(epilog="Example: photosim cite mrr_dfa_digits > sources.bib")
def cite(
    thing: Cited,
) -> None:
    """Print the BibTeX of every model that a netlist uses."""
    from photosim.cli import inspect

    inspect.cite(thing)


@app.command(epilog="Example: photosim bench --quick")
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Time small circuits only.")] = False,
    seed: Seed = 0,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--out",
            parser=file_or_folder,
            metavar="FILE",
            help="Write the times and the machine as JSON.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Time photosim, dense numpy and SuperLU on the same circuits, on this machine."""
    from photosim.cli import bench as benchmark

    benchmark.bench(seed or 0, out, quick=quick, as_json=json)


@app.command(epilog="Example: photosim version --json")
def version(json: Json = False) -> None:
    """Show the versions of photosim and of the libraries on which its numbers depend."""
    from photosim.cli import inspect

    inspect.version(as_json=json)

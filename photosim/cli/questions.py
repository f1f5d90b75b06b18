"""The commands of a designer's questions: sweep, yield, fit, budget, optimise; response, and kits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from photosim.cli import kits, responses
from photosim.cli.app import app
from photosim.cli.common import CLUSTER, Common, asks
from photosim.cli.explore import explore
from photosim.cli.group import file_or_folder
from photosim.cli.options import End, Metrics, Range, Start

__all__ = ["app", "responses"]

app.add_typer(kits.app, name="pdk")
app.command(epilog="Example: photosim explore add_drop_ring")(explore)


@app.command(
    epilog="Example: photosim sweep add_drop_ring --vary ring.radius=9.9:10.1:5 --wl 1.54:1.56:auto "
    "--metrics --plot rings.png --out rings.nc"
)
@asks()
def sweep(
    common: Common,
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
        typer.Option("--method", metavar="NAME", help="Sampling method: sobol, halton, lhs or random."),
    ] = None,
    wl: Range = None,
    start: Start = None,
    end: End = None,
    metrics: Metrics = False,
    near: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--near", metavar="UM", help="Wavelength near the line to measure."),
    ] = None,
) -> None:
    """Compute a circuit at many settings and wavelengths, with the metrics of its spectra."""
    from photosim.cli import sweeps

    starts, ends = (tuple(names) if names else None for names in (start, end))
    request = sweeps.Request(
        common, tuple(vary or ()), together, samples, method, wl, starts, ends, metrics, near
    )
    sweeps.sweep(request)


@app.command(
    "yield",
    epilog="Example: photosim yield add_drop_ring --vary width=0.003 --vary gap=0.005 --wl 1.5507:1.5517:101 "
    "--follow --spec insertion_loss_dB:in:drop:at_most=1 --samples 100000 --plot yield.png",
)
@asks()
def yield_(
    common: Common,
    vary: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--vary",
            metavar="NAME=SIGMA",
            help="Standard deviation of width, thickness, gap (um) or temperature (K), as in width=0.003 or "
            "width=wafer:0.002,local:0.001, or of a setting; repeatable.",
        ),
    ] = None,
    spec: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--spec",
            metavar="QUANTITY:FROM:TO:LIMIT=VALUE",
            help="A specification of the chip, as in insertion_loss_dB:in:drop:at_most=1 or "
            "power_dB:in:drop:window=1.549,1.551:at_least=-3; repeatable.",
        ),
    ] = None,
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--samples", metavar="N", help="Number of random chips."),
    ] = None,
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--method", metavar="NAME", help="Sampling method: random, sobol, halton or lhs."),
    ] = None,
    wl: Range = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Move the wavelength window with the line of each chip.")
    ] = False,
    indices: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--sobol", metavar="N", help="Also compute Sobol indices, from N chips for each."),
    ] = None,
    rare: Annotated[
        bool, typer.Option("--rare", help="Estimate rare failures by importance sampling.")
    ] = False,
    kit: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--kit", metavar="PATH", help="Design kit whose statistics vary its cells' settings."),
    ] = None,
) -> None:
    """Estimate the yield of a circuit under process variations, and which variations cause failures."""
    from photosim.cli import yields

    request = yields.Request(
        common, tuple(vary or ()), tuple(spec or ()), samples, method, wl, follow, indices, rare, kit
    )
    yields.find_yield(request)


@app.command(
    epilog="Example: photosim simulate all_pass_ring --wl 1.549:1.551:301 --set loss_dB_cm=4 "
    "--out measured.csv; photosim fit all_pass_ring measured.csv --parameter loss_dB_cm --plot fit.png"
)
@asks()
def fit(
    common: Common,
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="Measured spectra: columns of text, or a file of S-parameters."),
    ],
    parameter: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--parameter",
            metavar="NAME",
            help="Setting to fit, or a pattern such as '*.length'; repeatable, or a,b.",
        ),
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
        typer.Option(
            "--bound",
            metavar="NAME=LOW:HIGH",
            help="Bounds of a fitted setting, as in ring.radius=9.9:10.1; repeatable.",
        ),
    ] = None,
    prior: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--prior",
            metavar="NAME=MEAN:SIGMA",
            help="Gaussian prior of a fitted setting; repeatable.",
        ),
    ] = None,
    window: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--window", metavar="LOW:HIGH", help="Window of wavelengths in um to fit."),
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
        typer.Option(
            "--reference", metavar="NAME", help="Column or file by whose power all columns are divided."
        ),
    ] = None,
    floor: Annotated[bool, typer.Option("--floor", help="Fit a noise floor of each column too.")] = False,
    starts: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--starts", metavar="N", help="Number of starting points."),
    ] = None,
    wavelength: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--wavelength", metavar="COLUMN", help="Column of wavelengths or frequencies."),
    ] = None,
) -> None:
    """Fit settings of a circuit to measured spectra, with standard errors and undetermined combinations."""
    from photosim.cli import fits

    lists = [tuple(texts or ()) for texts in (parameter, column, unit, bound, prior)]
    request = fits.Request(
        common, data, lists[0], lists[1], source, lists[2], lists[3], lists[4], window, envelope, degree,
        reference, floor, starts, wavelength,
    )  # fmt: skip
    fits.find_fit(request)


@app.command(
    epilog="Example: photosim budget mrr_weight_bank_50x20 --use 0.1 --plot budget.png --out budget.csv"
)
@asks(*CLUSTER)
def budget(
    common: Common,
    rate: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--rate", metavar="HZ", help="Cycles per second (default: the rate of the receivers)."),
    ] = None,
    bits: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--bits", metavar="N", help="Effective number of bits for which the laser power is chosen."
        ),
    ] = None,
    use: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--use", metavar="FRACTION", help="Fraction of the cycles that compute, up to 1."),
    ] = None,
    training: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--training", metavar="NAME", help="Analysis of kind train, to show the energy of one update."
        ),
    ] = None,
    constant: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--constant",
            metavar="NAME=VALUE",
            help="Value of a constant, as in wall_plug_efficiency=0.2, or with its interval, =0.1:0.2:0.3; "
            "repeatable.",
        ),
    ] = None,
    wl: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--wl", metavar="UM", help="Wavelength of the light, for a circuit without a laser."),
    ] = None,
    start: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--from", metavar="PORT", help="Port where light enters, for a circuit without a laser."
        ),
    ] = None,
    end: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--to", metavar="PORT", help="Port where light leaves, for a circuit without a detector."
        ),
    ] = None,
) -> None:
    """Show power, energy, area, latency, loss and noise of every part of a circuit, with intervals."""
    from photosim.cli import budgets

    request = budgets.Request(common, rate, bits, use, training, tuple(constant or ()), wl, start, end)
    budgets.find_budget(request)


@app.command(
    epilog="Example: photosim optimise lattice_filter --starts 4 --plot design.png --save found.yml; "
    "photosim optimise clements_4x4 --vary '*.phase' --matrix fourier --wl 1.55"
)
@asks(*CLUSTER)
def optimise(
    common: Common,
    vary: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--vary",
            metavar="NAME[=LOW:HIGH]",
            help="Setting or pattern to vary, as in '*.phase' or ring.radius=9:11; repeatable.",
        ),
    ] = None,
    spec: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--spec",
            metavar="QUANTITY:FROM:TO:LIMIT=VALUE",
            help="A specification, as in power_dB:in:drop:window=1.549,1.551:at_least=-0.2; repeatable.",
        ),
    ] = None,
    goal: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--goal", metavar="NAME", help="Goal of the search: minimax (default) or yield."),
    ] = None,
    variation: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--variation",
            metavar="NAME=SIGMA",
            help="Variation of chips, for the goal yield, as in gap=0.005 or width=die:0.003,local:0.0005.",
        ),
    ] = None,
    starts: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--starts",
            metavar="N",
            help="Number of starting points: the settings of the netlist, then random ones.",
        ),
    ] = None,
    chips: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--chips", metavar="N", help="Number of new random chips that confirm the yield found."),
    ] = None,
    matrix: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--matrix", metavar="FILE", help="Target S-matrix: a .npy or .csv file, fourier or identity."
        ),
    ] = None,
    wl: Range = None,
    save: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--save", parser=file_or_folder, metavar="FILE", help="File (.yml) for the netlist of the design."
        ),
    ] = None,
) -> None:
    """Search for settings that meet a specification, match a matrix, or give the highest yield."""
    from photosim.cli import designs

    varied, asked, sigmas = (tuple(texts or ()) for texts in (vary, spec, variation))
    request = designs.Request(common, varied, asked, sigmas, goal, starts, chips, matrix, wl, save)
    designs.find_design(request)

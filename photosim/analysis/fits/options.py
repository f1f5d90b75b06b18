"""The kind of analysis `fit`: its options in a netlist, and its result for people and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from photosim.analysis.fits.result import FitResult
from photosim.analysis.fits.run import DRAWS, MOST_DRAWS, MOST_STARTS, STARTS, fit, make
from photosim.analysis.options import beside, option, read_entry
from photosim.analysis.progress import Progress, silent
from photosim.errors import ParameterError
from photosim.files.measured import Measured, measured_of
from photosim.netlist.forms import Count, NameList, Number

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class FitOptions:
    """What a fit analysis computes; see `ps.fit`.

    data: file of measured spectra, in the netlist's folder.  columns: output port, or from->to, by column.
    """

    name: str
    parameters: Mapping[str, Any] | NameList
    data: str | None = None
    columns: Mapping[str, Any] | NameList | None = None
    source: Annotated[str | None, Field(alias="from")] = None
    wavelength: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    window: tuple[Number, Number] | list[Number] | None = None
    bounds: Mapping[str, Any] = field(default_factory=dict)
    priors: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    envelope: Literal["auto", "none", "fit", "divide"] = "auto"
    degree: Annotated[Count, Field(le=12)] = 2
    reference: str | None = None
    floor: bool = False
    residuals: Literal["dB", "linear"] = "dB"
    derived: Mapping[str, Any] = field(default_factory=dict)
    starts: Annotated[Count, Field(ge=1, le=MOST_STARTS)] = STARTS
    bootstrap: Annotated[Count, Field(ge=50, le=MOST_DRAWS)] = DRAWS
    block: Annotated[Count | None, Field(ge=1)] = None
    seed: Count = 0


def located(entry: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return an entry of a netlist in `folder` with the places of the files that it names.

    Raises ParameterError for a file outside that folder, as for tables of S-parameters.
    """
    found = dict(entry)
    for key in ("data", "reference"):
        value = entry.get(key)
        if isinstance(value, str) and (key == "data" or Path(value).suffix):
            found[key] = beside(value, folder, entry, "fit", key)
    return found


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> FitOptions:
    """Return the options of an entry `{kind: fit, name, data, columns, parameters, bounds, priors, ...}`.

    Raises ParameterError for an unknown key, setting or port, DataError for data that cannot be read.
    """
    options = read_entry(FitOptions, entry, "fit")
    with option(options.name):
        if options.data is None:
            message = "data: name the file of measured spectra, or run `photosim fit FILE DATA`."
            raise ParameterError(message)
        _made(circuit, options)
    return options


def _made(circuit: Circuit, options: FitOptions) -> Measured:
    data = measured_of(str(options.data), options.wavelength, options.units)
    make(
        circuit,
        data,
        _names(options),
        columns=options.columns,
        source=options.source,
        window=options.window,
        bounds=options.bounds,
        priors=options.priors,
        settings=options.settings,
        envelope=options.envelope,
        degree=options.degree,
        reference=options.reference,
        floor=options.floor,
        residuals=options.residuals,
        derived={k: str(v) for k, v in options.derived.items()},
    )
    return data


def _names(options: FitOptions) -> Any:
    return options.parameters if isinstance(options.parameters, Mapping) else list(options.parameters)


def compute(
    circuit: Circuit,
    options: FitOptions,
    seed: int | None = None,
    progress: Progress = silent,
    client: Any = None,
    chunks: Any = None,
) -> FitResult:
    """Return the fit of the options; `seed` replaces theirs, client and chunks are as of the function."""

    def named(_name: str, done: int, total: int) -> None:
        progress(options.name, done, total)

    data = fit(
        circuit,
        str(options.data),
        _names(options),
        columns=options.columns,
        source=options.source,
        wavelength=options.wavelength,
        units=options.units,
        window=options.window,
        bounds=options.bounds,
        priors=options.priors,
        settings=options.settings,
        envelope=options.envelope,
        degree=options.degree,
        reference=options.reference,
        floor=options.floor,
        residuals=options.residuals,
        derived={k: str(v) for k, v in options.derived.items()},
        starts=options.starts,
        bootstrap=options.bootstrap,
        block=options.block,
        seed=options.seed if seed is None else seed,
        progress=named,
        client=client,
        chunks=chunks,
    )
    return FitResult(options.name, data)

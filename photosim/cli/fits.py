"""The command `fit`: settings of a circuit from measured spectra."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photosim.cli.asking import assignments, show
from photosim.cli.common import Common
from photosim.cli.progress import progress_bars
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Request:
    """Options of `fit`; names and values are as typed."""

    common: Common
    data: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]
    source: str | None
    units: tuple[str, ...]
    bounds: tuple[str, ...]
    priors: tuple[str, ...]
    window: str | None
    envelope: str | None
    degree: int | None
    reference: str | None
    floor: bool
    starts: int | None
    wavelength: str | None


def find_fit(request: Request) -> None:
    """Compute, write the requested files, and show the numbers; everything is checked before computing."""
    from photosim import plotting
    from photosim.analysis.fits.options import compute, read_options
    from photosim.analysis.fits.result import SUFFIXES, write

    common = request.common
    common.check_targets(SUFFIXES)
    circuit = common.circuit()
    options = read_options(_entry(request, circuit), circuit)
    with progress_bars() as progress:
        result = compute(circuit, options, common.seed, progress, **common.cluster())
    show(common, result, plotting.for_fit(result), write)


def _entry(request: Request, circuit: Circuit) -> dict[str, Any]:
    """Return the netlist's own fit with what the command line says in front."""
    from photosim.analysis.fits.options import located

    entry = request.common.entry(circuit, "fit")
    if request.reference is None:
        entry = {**located({k: v for k, v in entry.items() if k != "data"}, circuit.netlist.folder)}
    names = [name.strip() for text in request.parameters for name in text.split(",") if name.strip()]
    typed: dict[str, Any] = {
        "data": request.data,
        "parameters": names or None,
        "from": request.source,
        "envelope": request.envelope,
        "degree": request.degree,
        "reference": request.reference,
        "floor": True if request.floor else None,
        "starts": request.starts,
        "wavelength": request.wavelength,
        "columns": _pairs(request.columns, "--column", "port1_dbm=through"),
        "units": _pairs(request.units, "--unit", "power=mW"),
        "window": None if request.window is None else _ends(request.window, "--window"),
    }
    entry |= {key: value for key, value in typed.items() if value is not None}
    for key, texts, example in (
        ("bounds", request.bounds, "ng=4.1:4.3"),
        ("priors", request.priors, "ng=4.2:0.02"),
    ):
        if texts:
            table = assignments(texts, f"--{key.removesuffix('s')}", example)
            read = {name: _ends(text, f"--{key.removesuffix('s')} {name}") for name, text in table.items()}
            entry[key] = {**entry.get(key, {}), **read}
    if "parameters" not in entry:
        message = f"{request.common.file} lists no fit: give --parameter, as in --parameter ring.coupling."
        raise ParameterError(message)
    settings = request.common.settings(circuit)
    if settings:
        entry["settings"] = {**entry.get("settings", {}), **settings}
    return entry


def _pairs(texts: tuple[str, ...], option: str, example: str) -> dict[str, str] | None:
    return dict(assignments(texts, option, example)) if texts else None


def _ends(text: str, what: str) -> list[float]:
    try:
        first, last = (float(word) for word in text.replace(",", ":").split(":"))
    except ValueError:
        message = f"Cannot read {what} {text!r}: write two numbers, as in 1.54:1.56."
        raise ParameterError(message) from None
    return [first, last]

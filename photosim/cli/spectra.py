"""The command `simulate`: spectrum and photocurrents of a circuit, as table, picture and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from photosim import __version__
from photosim.analysis.result import Table
from photosim.analysis.spectrum import (
    SpectrumOptions,
    SpectrumResult,
    check_settings,
    check_waves,
    spectrum,
    with_seed,
)
from photosim.cli.asking import port_names
from photosim.cli.common import Common
from photosim.cli.group import say
from photosim.cli.show import show_json, show_tables
from photosim.engine.grids import resolve
from photosim.errors import ParameterError
from photosim.files import check_target
from photosim.signals.interference import InterferenceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

_DEFAULT_WL = "1.5:1.6:2001"


@dataclass(frozen=True)
class Request:
    """Options of `simulate`; names and values are as typed."""

    common: Common
    wl: str | None
    starts: tuple[str, ...] | None
    ends: tuple[str, ...] | None
    metrics: bool = False


@dataclass(frozen=True)
class Currents:
    """Photocurrents in A.

    total: of the sources' own lines, shape (detectors,).  tuned: with all sources tuned along wl (W,) in
    um, shape (W, detectors).
    """

    detectors: tuple[str, ...]
    total: NDArray[np.float64]
    wl: NDArray[np.float64]
    tuned: NDArray[np.float64]

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Return the tuned current of every detector, shape (W,)."""
        return {name: self.tuned[:, k] for k, name in enumerate(self.detectors)}


def simulate(request: Request) -> None:
    """Compute, write the requested files, and show the results; everything is checked before computing."""
    common = request.common
    common.check_targets(None)
    circuit = common.circuit()
    settings = with_seed(circuit, common.settings(circuit), common.seed)
    names = (port_names(texts, circuit) for texts in (request.starts, request.ends))
    starts, ends = (None if own is None else tuple(own) for own in names)
    check_waves(circuit, starts, ends)
    check_settings(circuit, settings)
    wl = resolve(
        circuit, request.wl if request.wl is not None else _usual_wl(circuit), settings, ends, starts
    )

    result, currents = None, None
    if circuit.ports or starts or ends:
        asked = SpectrumOptions(circuit.name, wl, starts, ends, metrics=request.metrics, settings=settings)
        result = spectrum(circuit, asked)
    if circuit.sources and circuit.detectors:
        drawn = result is None and (common.plot is not None or common.out is not None)
        currents = _photocurrents(circuit, wl, settings, needed=drawn)
    if result is None and currents is None:
        message = f"{common.file} exposes no port and lights no detector: there is nothing to simulate."
        if circuit.nonlinear:
            message += f" `photosim transient {common.file}` simulates its nonlinear parts in time."
        if circuit.graph.buses:
            message += " Compute its buses of free space in Python: circuit.chain()."
        raise ParameterError(message)
    written = _write(request, circuit, result, currents)
    _show(result, currents, written, as_json=common.json)


def _usual_wl(circuit: Circuit) -> str:
    """Return the range of the netlist's first spectrum analysis, else the C band and its surroundings."""
    for entry in circuit.netlist.analyses:
        if entry.get("kind") == "spectrum" and "wl" in entry:
            return str(entry["wl"])
    say(f"No --wl given: taking {_DEFAULT_WL}.")
    return _DEFAULT_WL


def _photocurrents(
    circuit: Circuit, wl: NDArray[np.float64], settings: dict[str, Any], *, needed: bool
) -> Currents:
    """Return the currents; those over wavelengths are empty where sources interfere and none is `needed`."""
    own = circuit.photocurrents(**settings).sum("wavelength").values
    try:
        tuned = circuit.photocurrents(wl, **settings).values
    except InterferenceError as error:
        # Sources that are tuned together may interfere where those at their own wavelengths do not.
        if needed:
            raise
        say(f"No currents over the wavelengths: {error}")
        return Currents(circuit.detectors, own, wl[:0], own[:0].reshape(0, len(own)))
    return Currents(circuit.detectors, own, wl, tuned)


def _write(
    request: Request, circuit: Circuit, result: SpectrumResult | None, currents: Currents | None
) -> list[Path]:
    """Write picture and data: of the spectrum, or of the photocurrents where the circuit exposes no port."""
    from photosim import files, plotting
    from photosim.files.atomic import all_or_none
    from photosim.files.csv import write_columns

    plot, out = request.common.plot, request.common.out
    figure = None
    if plot is not None and result is not None:
        figure = plotting.for_spectrum(result)
    elif plot is not None and currents is not None:
        title = f"{circuit.name}: sources tuned together"
        figure = plotting.photocurrents(currents.wl, currents.curves(), title=title)
    if out is not None and result is None:
        check_target(out, (".csv",))
    written = [path for path in (out, plot) if path is not None]
    with all_or_none(written) as places:
        if out is not None and result is not None:
            named = request.starts is not None or request.ends is not None
            files.write(places[0], result.s, result.pairs if named else None)
        elif out is not None and currents is not None:
            header = ["wavelength_um", *(f"{name}_A" for name in currents.detectors)]
            write_columns(places[0], header, [currents.wl, *currents.curves().values()])
        if plot is not None and figure is not None:
            plotting.save(figure, places[-1])
    return written


def _show(
    result: SpectrumResult | None, currents: Currents | None, written: list[Path], *, as_json: bool
) -> None:
    totals = dict(zip(currents.detectors, map(float, currents.total), strict=True)) if currents else {}
    if as_json:
        numbers = result.numbers() if result is not None else {}
        files = [str(path) for path in written]
        show_json({"photosim": __version__, **numbers, "photocurrents_A": totals, "files": files})
        return
    if result is not None:
        show_tables(result.tables())
    if totals:
        rows = tuple((name, f"{1e6 * value:.6g}") for name, value in totals.items())
        show_tables([Table("photocurrents of the circuit's own light", ("detector", "current (uA)"), rows)])
    for path in written:
        typer.echo(f"Wrote {path}")

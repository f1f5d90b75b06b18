"""Spectra for the page: transmission from one port or source to all others and to the probes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.channels import channels_of
from photosim.analysis.spectrum import DARK_dB, default_inputs
from photosim.engine.grids import auto_ends, is_auto, missed, resolve
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Detector
from photosim.units import parse_wavelengths, power_dB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.explorer.asks import View

POINTS = 1001
"""Wavelengths of a spectrum unless the page says otherwise."""
KEPT = 8
"""Circuits of which the names of waves are kept."""
MOST_POINTS = 20_001
MOST_CURVES = 64
"""Ports that a spectrum shows; probes come on top."""
_HALF_RANGE = 0.01
QUANTITIES = ("power", "phase")
KINDS_WITH_WL = ("spectrum", "sweep", "yield", "optimise", "fit")


@dataclass(frozen=True)
class Curve:
    """One line of the plot: the wave that it is of, and the complex transmission (W,)."""

    wave: str
    kind: str
    values: NDArray[np.complex128]

    @property
    def dark(self) -> bool:
        """Whether so little light arrives that it is rounding."""
        return bool(np.max(power_dB(np.abs(self.values) ** 2), initial=-np.inf) <= DARK_dB)


@lru_cache(maxsize=KEPT)
def starts_of(circuit: Circuit) -> tuple[str, ...]:
    """Return the waves that a spectrum can start from: exposed ports, those of inputs first, then sources."""
    first = default_inputs(circuit.ports)
    lit = set(circuit.sources)
    sources = [f"{part.name},{part.ports[0]}" for part in circuit.graph.parts if part.name in lit]
    return (*first, *(port for port in circuit.ports if port not in first), *sources)


@lru_cache(maxsize=KEPT)
def ends_of(circuit: Circuit) -> tuple[str, ...]:
    """Return the waves that a spectrum shows: exposed ports, and the ports of detectors."""
    detectors = [
        f"{part.name},{port}"
        for part in circuit.graph.parts
        if isinstance(part.model, Detector)
        for port in part.ports
    ]
    return (*circuit.ports, *detectors)[:MOST_CURVES]


@lru_cache(maxsize=KEPT)
def usual_range(circuit: Circuit) -> str:
    """Return the wavelengths that a page begins with: of an analysis, of the lasers, or about 1.55 um."""
    for entry in circuit.netlist.analyses:
        wl = entry.get("wl")
        if entry.get("kind") in KINDS_WITH_WL and isinstance(wl, str) and wl.count(":") == 2:
            grid = np.array(auto_ends(wl)) if is_auto(wl) else parse_wavelengths(wl)
            return f"{grid[0]:.7g}:{grid[-1]:.7g}:{POINTS}"
    lines = channels_of(circuit)
    if not lines:
        known = [v for name, v in circuit.parameters.items() if name.rpartition(".")[2] == "wl0"]
        lines = tuple(float(v) for v in known[:1] if np.ndim(v) == 0) or (1.55,)
    half = max(_HALF_RANGE, 0.25 * (lines[-1] - lines[0]))
    return f"{lines[0] - half:.6g}:{lines[-1] + half:.6g}:{POINTS}"


def grid_of(circuit: Circuit, view: View) -> NDArray[np.float64]:
    """Return the wavelengths (W,) of a view in um; ParameterError for what is not a range or too long."""
    text = view.wl if view.wl is not None else usual_range(circuit)
    if not is_auto(text):
        grid = parse_wavelengths(text)
    else:
        start = start_of(circuit, view)
        grid = np.asarray(resolve(circuit, text, dict(view.settings), ends_of(circuit), (start,)))
    if len(grid) > MOST_POINTS:
        message = f"A spectrum of the page has at most {MOST_POINTS} wavelengths, got {len(grid)}."
        raise ParameterError(message)
    return grid


def start_of(circuit: Circuit, view: View) -> str:
    """Return the wave that a view starts from; ParameterError where there is none of that name."""
    known = starts_of(circuit)
    if view.start is None and known:
        return known[0]
    if view.start is None or view.start not in known:
        asked = "no port and no source" if view.start is None else f"no port or source {view.start!r}"
        message = f"The circuit has {asked} that light could start from."
        if circuit.graph.buses:
            message += " Compute its buses of free space in Python: circuit.chain()."
        elif known:
            message += f" There are: {listing(known)}.{did_you_mean(str(view.start), known)}"
        raise ParameterError(message)
    return view.start


def curves_of(
    circuit: Circuit, view: View, grid: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.float64], list[Curve]]:
    """Return the wavelengths (W,) of a view in um and its curves; converters drive their parts."""
    start = start_of(circuit, view)
    grid = grid_of(circuit, view) if grid is None else grid
    ends = tuple(dict.fromkeys((*ends_of(circuit), *view.probes)))
    compiled, point = circuit.driven_at(view.settings)
    if point.leading:
        message = "The explorer shows one circuit, but a setting of the netlist is a list: give one value."
        raise ParameterError(message)
    if not ends:
        return grid, []
    values = compiled.waves(ends, (start,), point, grid)
    curves = [Curve(end, _kind(end, circuit, view), values[:, k, 0]) for k, end in enumerate(ends)]
    return grid, curves


def _kind(end: str, circuit: Circuit, view: View) -> str:
    if end in view.probes:
        return "probe"
    return "port" if end in circuit.ports else "detector"


def undersampled(circuit: Circuit, view: View, grid: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a remark where the spectrum changes between two wavelengths unseen by the curves."""
    compiled, point = circuit.driven_at(view.settings)
    ends = ends_of(circuit)[:8]
    return missed(compiled, point, grid, ends, (start_of(circuit, view),)) if ends else ()


def spectrum(circuit: Circuit, view: View) -> dict[str, Any]:
    """Return a spectrum as plain JSON types, arrays as `packed`."""
    if view.quantity not in QUANTITIES:
        message = f"The page shows {listing(QUANTITIES)}, not {view.quantity!r}."
        raise ParameterError(message + did_you_mean(view.quantity, QUANTITIES))
    grid, curves = curves_of(circuit, view)
    return {
        "wl": packed(grid),
        "start": start_of(circuit, view),
        "quantity": view.quantity,
        "curves": [
            {"wave": one.wave, "kind": one.kind, "dark": one.dark, "values": packed(_shown(one, view))}
            for one in curves
        ],
    }


def _shown(one: Curve, view: View) -> NDArray[np.float64]:
    if view.quantity == "phase":
        return np.unwrap(np.angle(one.values))
    return np.asarray(one.values.real**2 + one.values.imag**2)


def packed(values: NDArray[np.float64]) -> str:
    """Return numbers as base64 of little-endian doubles: the very bits, and much faster than text."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f8").tobytes()).decode()

"""Spectra for the page: transmission from one port or source to all others and to the probes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.channels import channels_of
from photosim.analysis.spectrum import DARK_dB, default_inputs
from photosim.engine.grids import auto_ends, is_auto, missed, refined
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Detector
from photosim.smatrix import with_extremes
from photosim.units import parse_wavelengths, power_dB, wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point
    from photosim.explorer.asks import View

POINTS = 1001
"""Even wavelengths of a spectrum unless the page says otherwise; a range with "auto" adds more to them."""
MOST_REFINED = 6000
"""Wavelengths of a range with "auto": a spectrum that needs more is shown at the even ones, with a remark."""
_FIRST_POINTS = 126
"""Points from which a range is refined: every eighth of the even ones, so that halves fall on those."""
_NEAREST_UM = 1e-9
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
def usual_ends(circuit: Circuit) -> str:
    """Return start:stop in um, where a page begins: of an analysis, of the lasers, or about 1.55 um."""
    for entry in circuit.netlist.analyses:
        wl = entry.get("wl")
        if entry.get("kind") in KINDS_WITH_WL and isinstance(wl, str) and wl.count(":") == 2:
            grid = np.array(auto_ends(wl)) if is_auto(wl) else parse_wavelengths(wl)
            return f"{grid[0]:.7g}:{grid[-1]:.7g}"
    lines = channels_of(circuit)
    if not lines:
        known = [v for name, v in circuit.parameters.items() if name.rpartition(".")[2] == "wl0"]
        lines = tuple(float(v) for v in known[:1] if np.ndim(v) == 0) or (1.55,)
    half = max(_HALF_RANGE, 0.25 * (lines[-1] - lines[0]))
    return f"{lines[0] - half:.6g}:{lines[-1] + half:.6g}"


def usual_range(circuit: Circuit) -> str:
    """Return the wavelengths that a page begins with, refined where a resonance would be missed."""
    return f"{usual_ends(circuit)}:auto"


def grid_of(circuit: Circuit, view: View) -> NDArray[np.float64]:
    """Return the wavelengths (W,) of a view in um; ParameterError for what is not a range or too long."""
    text = _range(circuit, view)
    grid = _refined(circuit, view, auto_ends(text)) if is_auto(text) else parse_wavelengths(text)
    if len(grid) > MOST_POINTS:
        message = f"A spectrum of the page has at most {MOST_POINTS} wavelengths, got {len(grid)}."
        raise ParameterError(message)
    return grid


def _range(circuit: Circuit, view: View) -> str:
    return view.wl if view.wl is not None else usual_range(circuit)


def _refined(circuit: Circuit, view: View, ends: tuple[float, float]) -> NDArray[np.float64]:
    """Return even wavelengths (W,) in um, and more where curves change fast and at their peaks and dips.

    The even ones alone where a spectrum needs more than MOST_REFINED.
    """
    even = wavelengths(*ends, POINTS)
    starts, waves = (start_of(circuit, view),), _waves(circuit, view)
    if not waves or not ends[0] < ends[1]:
        return even
    compiled, point = _driven(circuit, view)
    try:
        more = refined(compiled, point, ends, waves, starts, first=_FIRST_POINTS, most=MOST_REFINED - POINTS)
    except ParameterError:
        return even

    def levels(wl: NDArray[np.float64]) -> NDArray[np.float64]:
        found = compiled.waves(waves, starts, point, wl)[:, :, 0]
        return power_dB(found.real**2 + found.imag**2).T

    grid = _joined(even, more)
    found, _ = with_extremes(grid, levels(grid), levels)
    return _joined(grid, found)


def _joined(kept: NDArray[np.float64], more: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return wavelengths with more of them, those left out that are next to one that there is."""
    after = np.clip(np.searchsorted(kept, more), 1, len(kept) - 1)
    apart = np.minimum(np.abs(more - kept[after - 1]), np.abs(more - kept[after]))
    return np.sort(np.concatenate([kept, more[apart > _NEAREST_UM]]))


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
    ends = _waves(circuit, view)
    compiled, point = _driven(circuit, view)
    if not ends:
        return grid, []
    values = compiled.waves(ends, (start,), point, grid)
    curves = [Curve(end, _kind(end, circuit, view), values[:, k, 0]) for k, end in enumerate(ends)]
    return grid, curves


def _waves(circuit: Circuit, view: View) -> tuple[str, ...]:
    """Return the waves of a view: those of a spectrum, and its probes."""
    return tuple(dict.fromkeys((*ends_of(circuit), *view.probes)))


def _driven(circuit: Circuit, view: View) -> tuple[Compiled, Point]:
    """Return the circuit at the settings of a view; ParameterError where one is a list."""
    compiled, point = circuit.driven_at(view.settings)
    if point.leading:
        message = "The explorer shows one circuit, but a setting of the netlist is a list: give one value."
        raise ParameterError(message)
    return compiled, point


def _kind(end: str, circuit: Circuit, view: View) -> str:
    if end in view.probes:
        return "probe"
    return "port" if end in circuit.ports else "detector"


def undersampled(circuit: Circuit, view: View, grid: NDArray[np.float64]) -> tuple[str, ...]:
    """Return a remark where the spectrum changes between two wavelengths unseen by the curves."""
    compiled, point = circuit.driven_at(view.settings)
    ends = ends_of(circuit)[:8]
    found = missed(compiled, point, grid, ends, (start_of(circuit, view),)) if ends else ()
    if found and is_auto(_range(circuit, view)):
        message = (
            f"The spectrum needs more than {MOST_REFINED:,} wavelengths; the page shows {POINTS} even ones, "
            f"which miss narrow lines: zoom in."
        )
        return (message,)
    return found


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

"""The Dataset of a design: settings, entries before and after, spectra, the yield if it was the goal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.yields.tables import wilson
from photosim.units import power_dB

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.analysis.designs.aims import Aim
    from photosim.analysis.designs.solve import Trail
    from photosim.analysis.designs.space import Space
    from photosim.analysis.designs.targets import Target

    FloatArray = NDArray[np.float64]


DRAWN = 401
"""Wavelengths of spectra, at least, beside those that a design is judged at."""


@dataclass(frozen=True)
class Confirmed:
    """Which fresh chips of the minimax design and of the one found pass, (chips,); smoothed yields."""

    chips: int
    nominal: NDArray[np.bool_]
    found: NDArray[np.bool_]
    smoothed: FloatArray


@dataclass(frozen=True)
class Tabled:
    """All that a design's Dataset is made of; objective: before and after."""

    space: Space
    wl: FloatArray
    start: FloatArray
    best: FloatArray
    trail: Trail
    by_start: FloatArray
    objective: tuple[float, float]
    aim: Aim | None
    target: Target | None
    confirmed: Confirmed | None
    nominal: FloatArray | None = None


def dataset(of: Tabled) -> xarray.Dataset:
    """Return the Dataset of a design."""
    import xarray

    space = of.space
    between = np.linspace(of.wl[0], of.wl[-1], DRAWN) if len(of.wl) > 1 else of.wl
    shown = np.unique(np.concatenate([of.wl, between]))
    variables: dict[str, Any] = {
        "value": (("setting",), space.values(of.best), {"long_name": "settings found"}),
        "before": (("setting",), space.values(of.start), {"long_name": "settings as written"}),
        "low": (("setting",), space.low, {}),
        "high": (("setting",), space.high, {}),
        "objective_before": ((), of.objective[0], {"units": "1"}),
        "objective": ((), of.objective[1], {"units": "1", "long_name": "worst violation, or the loss"}),
        "objective_by_start": (("start",), of.by_start, {"units": "1"}),
        "history": (("evaluation",), np.minimum.accumulate(of.trail.values), {"units": "1"}),
    }
    coords: dict[str, Any] = {
        "setting": list(space.names),
        "units": ("setting", list(space.units)),
        "wavelength": ("wavelength", shown, {"units": "um"}),
    }
    designs = {"power_before_dB": of.start, "power_dB": of.best}
    if of.confirmed is not None and of.nominal is not None:
        designs["power_nominal_dB"] = of.nominal
        variables["nominal"] = (("setting",), space.values(of.nominal), {"long_name": "minimax design"})
        variables |= _yields(of.confirmed)
    found: dict[str, FloatArray] = {}
    starts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    if of.aim is not None:
        starts, ends = of.aim.pairs
        drawn = replace(of.aim, wl=shown)
        found |= {name: _levels(drawn.spectra(x)) for name, x in designs.items()}
        entries = of.aim.entries
        variables["spec_before"] = (("specification",), of.aim.values(of.start), {})
        variables["spec_after"] = (("specification",), of.aim.values(of.best), {})
        margins = [
            float(e.margin(np.array([v]))[0])
            for e, v in zip(entries, variables["spec_after"][1], strict=True)
        ]
        variables["margin"] = (
            ("specification",),
            np.array(margins),
            {"long_name": "distance inside the limit"},
        )
        coords |= {
            "specification": [e.label for e in entries],
            "limit": ("specification", [e.words for e in entries]),
            "limit_units": ("specification", [e.unit for e in entries]),
            "limit_low": ("specification", [e.limits[0] for e in entries]),
            "limit_high": ("specification", [e.limits[1] for e in entries]),
            "window_low": ("specification", [(e.window or (np.nan, np.nan))[0] for e in entries]),
            "window_high": ("specification", [(e.window or (np.nan, np.nan))[1] for e in entries]),
            "quantity": ("specification", [e.quantity for e in entries]),
            "spec_from": ("specification", [e.start for e in entries]),
            "spec_to": ("specification", [e.end for e in entries]),
        }
    elif of.target is not None:
        starts, ends = of.target.starts, of.target.ends
        goal = replace(of.target, wl=shown)
        found |= {name: _levels(goal.spectra(x)) for name, x in designs.items()}
    for name, values in found.items():
        variables[name] = (("wavelength", "to", "from"), values, {"units": "dB"})
    coords |= {"to": list(ends), "from": list(starts)}
    return xarray.Dataset(variables, coords=coords)


def _levels(waves: NDArray[np.complex128]) -> FloatArray:
    return power_dB(np.abs(waves) ** 2)


def _yields(of: Confirmed) -> dict[str, Any]:
    found: dict[str, Any] = {"chips": ((), of.chips, {})}
    for name, passed in (("nominal_yield", of.nominal), ("yield", of.found)):
        low, high = wilson(int(passed.sum()), of.chips)
        found[name] = (
            (),
            float(passed.mean()),
            {"units": "1", "long_name": "share of fresh chips that pass"},
        )
        found[f"{name}_low"], found[f"{name}_high"] = ((), low, {"units": "1"}), ((), high, {"units": "1"})
    # Of the same chips: the interval of the difference is that of pairs.
    change = of.found.astype(np.float64) - of.nominal
    half = 1.959963984540054 * float(change.std(ddof=1)) / np.sqrt(of.chips)
    mean = float(change.mean())
    found["yield_gain"] = (
        (),
        mean,
        {"units": "1", "long_name": "yield found less that of the minimax design"},
    )
    found["yield_gain_low"] = ((), mean - half, {"units": "1"})
    found["yield_gain_high"] = ((), mean + half, {"units": "1"})
    found["smoothed_yield"] = (
        ("step",),
        -of.smoothed,
        {"units": "1", "long_name": "smoothed, on common chips"},
    )
    return found

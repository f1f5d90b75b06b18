"""Metrics for people and JSON: named numbers, and cells of tables in handy units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.result import UNKNOWN, Table, plain
from photosim.metrics import UNITS, said

if TYPE_CHECKING:
    import xarray

_SCALES = {"um": (1e3, "nm"), "s": (1e12, "ps"), "1": (1.0, ""), "dB": (1.0, "dB")}


def heading(name: str) -> str:
    """Return the head of a column of a metric, with the unit that its cells have."""
    if name == "resonance":
        return "resonance (um)"
    unit = _SCALES[UNITS[name][0]][1] if name in UNITS else ""
    return f"{name} ({unit})" if unit and not name.endswith(f"_{unit}") else name


def cell(name: str, value: float | None) -> str:
    """Return a metric for a table: resonances in um, other widths in nm, delays in ps."""
    if value is None or not np.isfinite(value):
        return UNKNOWN
    scale = 1.0 if name == "resonance" or name not in UNITS else _SCALES[UNITS[name][0]][0]
    return f"{value * scale:.8g}" if name == "resonance" else f"{value * scale:.5g}"


def as_numbers(data: xarray.Dataset) -> dict[str, Any]:
    """Return the metrics of one element as plain JSON types; `lines_found` has those of every line."""
    names = [name for name in (*UNITS, "crosstalk_dB") if name in data]
    every = [
        {name: plain(data[f"line_{name}"].values[k]) for name in UNITS}
        | {"flags": said(int(data["line_flags"].values[k]))}
        for k in range(data.sizes["line"])
    ]
    return {
        **{name: plain(data[name].item()) for name in names},
        "flags": said(int(data["flags"])),
        "direction": {1: "peak", -1: "dip", 0: "none"}[int(data["direction"])],
        "lines": int(data["lines"]),
        "lines_found": every,
    }


def metrics_table(title: str, found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a row of metrics for each pair of ports."""
    names = [name for name in (*UNITS, "crosstalk_dB") if any(name in numbers for numbers in found.values())]
    rows = tuple(
        (pair, *(cell(name, numbers.get(name)) for name in names), numbers["lines"], numbers["flags"])
        for pair, numbers in found.items()
    )
    return Table(title, ("from to", *(heading(name) for name in names), "lines", "flags"), rows)

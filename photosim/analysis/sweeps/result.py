"""A sweep for people and files: numbers, tables, and the pairs of ports that light takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.numbers import cell, heading
from photosim.analysis.result import Table, plain
from photosim.analysis.spectrum import DARK_dB
from photosim.display import Tabled
from photosim.metrics import UNITS, said
from photosim.smatrix import ByValue
from photosim.units import power_dB

if TYPE_CHECKING:
    import xarray

MOST_VALUES = 200
"""Points up to which the numbers hold every value."""
MOST_ROWS = 40
OUTER = ("to", "from", "wavelength", "line")


@dataclass(frozen=True, eq=False)
class SweepResult(Tabled, ByValue):
    """A computed sweep: its name and the Dataset of `ps.sweep`."""

    name: str
    data: xarray.Dataset

    @property
    def axes(self) -> tuple[str, ...]:
        """Dimensions of the settings, in order."""
        first = next(iter(self.data.data_vars.values()))
        return tuple(str(d) for d in first.dims if d not in OUTER)

    @property
    def settings(self) -> tuple[str, ...]:
        """Names of the swept settings."""
        return tuple(str(c) for c in self.data.coords if c not in (*OUTER, "sample"))

    def pairs(self) -> list[tuple[str, str]]:
        """Return the (from, to) that any point of the sweep lights; all where all is dark."""
        every = [(str(a), str(b)) for a in self.data["from"].values for b in self.data["to"].values]
        lit = [pair for pair in every if float(self.power_dB(*pair).max()) > DARK_dB]
        return lit or every

    def power_dB(self, start: str, end: str) -> Any:
        """Return the transmission of a pair in dB, (points, W)."""
        element = self.data["S"].sel({"from": start, "to": end}).values
        return power_dB(np.abs(element.reshape(-1, element.shape[-1])) ** 2)

    def values(self, number: str, start: str, end: str) -> Any:
        """Return a number of a pair at every point, (points,)."""
        return self.data[number].sel({"from": start, "to": end}).values.ravel()

    def shown(self) -> list[str]:
        """Return the names of the numbers that there are: metrics, or extremes of the transmission."""
        names = [*UNITS, "crosstalk_dB"] if "fwhm" in self.data else []
        return [name for name in names if name in self.data]

    def settings_table(self) -> dict[str, list[Any]]:
        """Return every swept setting at every point, (points,)."""
        sizes = [self.data.sizes[axis] for axis in self.axes]
        numbers = np.indices(sizes).reshape(len(sizes), -1) if sizes else np.zeros((0, 1), dtype=int)
        found = {}
        for name in self.settings:
            values = self.data[name].values
            axis = self.axes.index(str(self.data[name].dims[0]))
            found[name] = [plain(values[k]) for k in numbers[axis]]
        return found

    def numbers(self) -> dict[str, Any]:
        """Everything but the spectra as plain JSON types; of long sweeps statistics instead of values."""
        wl = self.data["wavelength"].values
        points = int(np.prod([self.data.sizes[a] for a in self.axes], dtype=np.int64))
        every = points <= MOST_VALUES
        found: dict[str, Any] = {
            "kind": "sweep",
            "name": self.name,
            "points": points,
            "dimensions": {axis: int(self.data.sizes[axis]) for axis in self.axes},
            "wl_um": {"start": float(wl.min()), "stop": float(wl.max()), "points": int(wl.size)},
            "settings": self.settings_table()
            if every
            else {n: _statistics(self.data[n].values) for n in self.settings},
            "units": {name: self.data[name].attrs["units"] for name in self.shown()},
            "pairs": {f"{a} to {b}": self._pair(a, b, every=every) for a, b in self.pairs()},
            "remarks": [text for text in [self.data.attrs.get("remarks", "")] if text],
            "provenance": {k: v for k, v in self.data.attrs.items() if k != "remarks"},
        }
        return found

    def _pair(self, start: str, end: str, *, every: bool) -> dict[str, Any]:
        if not self.shown():
            level = self.power_dB(start, end)
            found = {"max_dB": level.max(axis=-1), "min_dB": level.min(axis=-1)}
        else:
            found = {name: self.values(name, start, end) for name in self.shown()}
        numbers: dict[str, Any] = {
            name: plain(values) if every else _statistics(values) for name, values in found.items()
        }
        if self.shown():
            flags = self.values("flags", start, end)
            numbers["flags"] = [said(f) for f in flags] if every else _flags(flags)
        return numbers

    def tables(self) -> tuple[Table, ...]:
        """A row for each of the first points and pairs; then what the grid misses."""
        settings = self.settings_table()
        names = self.shown() or ["max_dB", "min_dB"]
        rows: list[tuple[Any, ...]] = []
        pairs = self.pairs()
        points = int(np.prod([self.data.sizes[a] for a in self.axes], dtype=np.int64))
        kept = {pair: self._pair(*pair, every=True) for pair in pairs} if points <= MOST_VALUES else {}
        if not kept:
            kept = {pair: {n: v[:MOST_ROWS] for n, v in self._first(*pair).items()} for pair in pairs}
        for k in range(points):
            for pair in pairs:
                if len(rows) < MOST_ROWS:
                    numbers = (cell(name, kept[pair][name][k]) for name in names)
                    words = [kept[pair]["flags"][k]] if "flags" in kept[pair] else []
                    rows.append((*(f"{_short(v[k])}" for v in settings.values()), *pair, *numbers, *words))
        left = points * len(pairs) - len(rows)
        title = f"{self.name}: {points:,} points" + (f", the first {len(rows)} rows" if left else "")
        heads = (*settings, "from", "to", *(heading(n) for n in names), *(["flags"] if self.shown() else []))
        tables = [Table(title, heads, tuple(rows))]
        if text := self.data.attrs.get("remarks", ""):
            tables.append(
                Table(f"{self.name}: the grid is too coarse", ("what it does not show",), ((text,),))
            )
        return tuple(tables)

    def _first(self, start: str, end: str) -> dict[str, Any]:
        if not self.shown():
            level = self.power_dB(start, end)[:MOST_ROWS]
            return {"max_dB": level.max(axis=-1), "min_dB": level.min(axis=-1)}
        found = {name: self.values(name, start, end)[:MOST_ROWS] for name in self.shown()}
        return {**found, "flags": [said(f) for f in self.values("flags", start, end)[:MOST_ROWS]]}


def _statistics(values: Any) -> dict[str, Any]:
    """Return mean, spread and ends of the values that are numbers, and how many are not."""
    if np.asarray(values).dtype.kind not in "fiu":
        return {"values": sorted({str(v) for v in values})}
    known = values[np.isfinite(values)]
    if not known.size:
        return {"count": 0, "unknown": int(values.size)}
    return {
        "count": int(known.size),
        "unknown": int(values.size - known.size),
        "mean": float(known.mean()),
        "std": float(known.std(ddof=1)) if known.size > 1 else None,
        "min": float(known.min()),
        "max": float(known.max()),
    }


def _flags(flags: Any) -> dict[str, int]:
    found, counts = np.unique(flags, return_counts=True)
    return {said(f) or "none": int(n) for f, n in zip(found, counts, strict=True)}


def _short(value: Any) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)

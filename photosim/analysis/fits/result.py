"""A fit for people and files: numbers, tables, and a CSV file of spectra and residuals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.result import UNKNOWN, Table, plain
from photosim.display import Tabled
from photosim.files import check_target, datasets
from photosim.files.atomic import replacing
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    import xarray

SUFFIXES = (".csv", ".nc")
_STRONG = 0.9
_LINES = 16
_CELLS = (
    ("resonance", "um", 1.0),
    ("q", "", 1.0),
    ("fwhm", "pm", 1e6),
    ("fsr", "nm", 1e3),
    ("extinction_dB", "", 1.0),
)


@dataclass(frozen=True, eq=False)
class FitResult(Tabled, ByValue):
    """A fit: its name and the Dataset of `ps.fit`."""

    name: str
    data: xarray.Dataset

    def numbers(self) -> dict[str, Any]:
        """Everything but the spectra as plain JSON types."""
        d = self.data
        names = [str(n) for n in d["parameter"].values]
        found: dict[str, Any] = {
            "kind": "fit",
            "name": self.name,
            "residual_rms_dB": float(d["residual_rms_dB"]),
            "points": int(np.isfinite(d["residual_dB"].values).sum()),
            "columns": {
                str(c): {
                    "pair": str(d["pair"].values[k]),
                    "residual_rms_dB": float(d["residual_rms_dB_by"].values[k]),
                }
                for k, c in enumerate(d["column"].values)
            },
            "parameters": {name: self._parameter(k) for k, name in enumerate(names)},
            "correlations": {
                a: {b: plain(d["correlation"].values[i, j]) for j, b in enumerate(names) if j != i}
                for i, a in enumerate(names)
            },
            "combinations": self._combinations(),
            "alternatives": self._alternatives(names),
            "block_samples": int(d["block"]),
            "starts_rms": plain(d["start_rms"].values),
            "provenance": dict(d.attrs),
        }
        if "line" in d.dims:
            found["lines"] = self._lines()
        return found

    def _parameter(self, k: int) -> dict[str, Any]:
        one = self.data.isel(parameter=k)
        return {
            "value": plain(one["value"].item()),
            "standard_error": plain(one["standard_error"].item()),
            "standard_error_independent": plain(one["standard_error_independent"].item()),
            "interval_95": [plain(one["low"].item()), plain(one["high"].item())],
            "unit": str(one["unit"].item()),
            "identified": bool(one["identified"].item()),
        }

    def _combinations(self) -> list[dict[str, Any]]:
        d = self.data
        if "combination" not in d.coords:
            return []
        return [
            {
                "name": str(d["combination"].values[k]),
                "kind": str(d["combination_kind"].values[k]),
                "parameters": str(d["combination_settings"].values[k]).split(),
                "value": plain(d["combination_value"].values[k]),
                "standard_error": plain(d["combination_error"].values[k]),
                "interval_95": [
                    plain(d["combination_low"].values[k]),
                    plain(d["combination_high"].values[k]),
                ],
                "unit": str(d["combination_unit"].values[k]),
            }
            for k in range(d.sizes["combination"])
        ]

    def _alternatives(self, names: list[str]) -> list[dict[str, Any]]:
        d = self.data
        if "alternative" not in d.dims:
            return []
        return [
            {
                "kind": str(d["alternative_kind"].values[k]),
                "of": str(d["alternative_of"].values[k]).split(),
                "residual_rms_dB": plain(d["alternative_rms_dB"].values[k]),
                "values": {n: plain(v) for n, v in zip(names, d["alternative_value"].values[k], strict=True)},
            }
            for k in range(d.sizes["alternative"])
        ]

    def _lines(self) -> dict[str, list[dict[str, Any]]]:
        d = self.data
        found: dict[str, list[dict[str, Any]]] = {}
        for c, column in enumerate(d["column"].values):
            rows = np.flatnonzero(np.isfinite(d["line_resonance"].values[c]))
            found[str(column)] = [
                {
                    name.removeprefix("line_"): plain(d[name].values[c, row])
                    for name in map(str, d.data_vars)
                    if name.startswith("line_")
                }
                for row in rows
            ]
        return found

    def tables(self) -> tuple[Table, ...]:
        """The settings; combinations; alternatives; strong correlations; lines of rings."""
        d = self.data
        rows = []
        for k, name in enumerate(d["parameter"].values):
            one = self._parameter(k)
            error = one["standard_error"]
            word = "yes" if one["identified"] else "not by itself"
            rows.append(
                (
                    str(name),
                    _number(one["value"], error),
                    _error(error),
                    _error(one["standard_error_independent"]),
                    one["unit"],
                    word,
                )
            )
        title = f"{self.name}: rms of the residuals {float(d['residual_rms_dB']):.4f} dB"
        heads = ("setting", "value", "standard error", "if independent", "unit", "told by the data")
        tables = [Table(title, heads, tuple(rows))]
        listed = self._combinations()
        if listed:
            cells = tuple(
                (
                    c["name"],
                    c["kind"],
                    _number(c["value"], c["standard_error"]),
                    _error(c["standard_error"]),
                    _interval(c),
                    c["unit"],
                )
                for c in listed
            )
            heads = ("combination", "kind", "value", "standard error", "95 %", "unit")
            tables.append(Table(f"{self.name}: what the data tell together", heads, cells))
        tables += self._more()
        return tuple(tables)

    def _more(self) -> list[Table]:
        d = self.data
        names = [str(n) for n in d["parameter"].values]
        tables = []
        others = self._alternatives(names)
        if others:
            cells = tuple(
                (
                    a["kind"],
                    ", ".join(f"{n} {a['values'][n]:.8g}" for n in a["of"]),
                    f"{a['residual_rms_dB']:.4f}",
                )
                for a in others
            )
            tables.append(Table(f"{self.name}: fits as well", ("kind", "settings", "rms (dB)"), cells))
        matrix = d["correlation"].values
        strong = [(i, j) for i in range(len(names)) for j in range(i) if abs(matrix[i, j]) > _STRONG]
        if strong:
            strong.sort(key=lambda p: -abs(matrix[p]))
            rows = tuple((f"{names[j]}, {names[i]}", f"{matrix[i, j]:.4f}") for i, j in strong[:12])
            tables.append(
                Table(f"{self.name}: correlations above {_STRONG:g}", ("settings", "correlation"), rows)
            )
        if "line" in d.dims:
            lines = self._lines()
            heads = ("column", *(f"{n} ({u})" if u else n for n, u, _ in _CELLS))
            line_rows = tuple(
                (column, *(_with_error(line, name, scale) for name, _, scale in _CELLS))
                for column, found in lines.items()
                for line in found[:_LINES]
            )
            if line_rows:
                tables.append(Table(f"{self.name}: lines of the fitted spectra", heads, line_rows))
        return tables


def write(path: str | Path, result: FitResult) -> Path:
    """Write everything to a .nc file, or the spectra and residuals to a .csv file, whole or not at all."""
    from photosim.files import csv

    target = check_target(path, SUFFIXES)
    d = result.data
    if target.suffix.lower() == ".nc":
        datasets.write(target, d)
        return target
    header, columns = ["wavelength_um"], [d["wavelength"].values]
    for c, column in enumerate(d["column"].values):
        for name in ("measured_dB", "fitted_dB", "residual_dB"):
            header.append(f"{column}:{name}")
            columns.append(d[name].values[c])
    with replacing(target) as temporary:
        csv.write_columns(temporary, header, columns)
    return target


def _number(value: float | None, error: float | None) -> str:
    if value is None:
        return UNKNOWN
    if error is None or not error > 0.0:
        return f"{value:.7g}"
    digits = max(int(np.ceil(np.log10(max(abs(value), error) / error))) + 2, 3)
    return f"{value:.{min(digits, 12)}g}"


def _error(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2g}"


def _interval(one: dict[str, Any]) -> str:
    low, high = one["interval_95"]
    if low is None:
        return UNKNOWN
    return f"{_number(low, one['standard_error'])} to {_number(high, one['standard_error'])}"


def _with_error(line: dict[str, Any], name: str, scale: float) -> str:
    value, error = line.get(name), line.get(f"{name}_error")
    if value is None:
        return UNKNOWN
    shown = f"{value * scale:.8g}" if name == "resonance" else f"{value * scale:.5g}"
    return shown if error is None else f"{shown} +- {error * scale:.2g}"

"""A design for people and files: numbers, tables, and a CSV file of its settings."""

from __future__ import annotations

import csv
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


@dataclass(frozen=True, eq=False)
class DesignResult(Tabled, ByValue):
    """A design: its name and the Dataset of `ps.optimise`."""

    name: str
    data: xarray.Dataset

    def numbers(self) -> dict[str, Any]:
        """Settings, entries and yields as plain JSON types."""
        d = self.data
        found: dict[str, Any] = {
            "kind": "optimise",
            "name": self.name,
            "goal": str(d.attrs["goal"]),
            "objective_before": float(d["objective_before"]),
            "objective": float(d["objective"]),
            "objective_by_start": plain(d["objective_by_start"].values),
            "evaluations": int(d.sizes["evaluation"]),
            "settings": {
                str(n): {"value": float(v), "before": float(b), "unit": str(u)}
                for n, v, b, u in zip(
                    d["setting"].values, d["value"].values, d["before"].values, d["units"].values, strict=True
                )
            },
            "provenance": dict(d.attrs),
        }
        if "specification" in d.coords:
            found["met"] = bool((d["margin"].values >= 0.0).all())
            found["specification"] = [
                {"name": str(one["specification"].item()), "limit": str(one["limit"].item()),
                 "before": plain(float(one["spec_before"])), "after": plain(float(one["spec_after"])),
                 "margin": plain(float(one["margin"]))}
                for one in (d.isel(specification=k) for k in range(d.sizes["specification"]))
            ]  # fmt: skip
        if "yield" in d:
            for name in ("nominal_yield", "yield", "yield_gain"):
                found[name] = float(d[name])
                found[f"{name}_95"] = [float(d[f"{name}_low"]), float(d[f"{name}_high"])]
            found["chips"] = int(d["chips"])
        return found

    def tables(self) -> tuple[Table, ...]:
        """The figure of merit before and after, the yield if it was the goal, and the settings."""
        d = self.data
        found = []
        if "specification" in d.coords:
            rows = [
                (str(one["specification"].item()), str(one["limit"].item()),
                 _number(float(one["spec_before"])), _number(float(one["spec_after"])),
                 "yes" if float(one["margin"]) >= 0.0 else "no")
                for one in (d.isel(specification=k) for k in range(d.sizes["specification"]))
            ]  # fmt: skip
            heads = ("specification", "limit", "before", "after", "met")
            found.append(Table(f"{self.name}: specification", heads, tuple(rows)))
        else:
            row = (f"{float(d['objective_before']):.6g}", f"{float(d['objective']):.6g}")
            found.append(Table(f"{self.name}: loss", ("before", "after"), (row,)))
        if "yield" in d:
            shown = [
                (words, _percent(d, name), f"{_percent(d, name + '_low')} to {_percent(d, name + '_high')}")
                for words, name in (("minimax design", "nominal_yield"), ("design found", "yield"),
                                    ("gain", "yield_gain"))
            ]  # fmt: skip
            title = f"{self.name}: yield of {int(d['chips']):,} fresh chips"
            found.append(Table(title, ("", "yield", "95 %"), tuple(shown)))
        cells = [
            (str(n), f"{b:.7g}", f"{v:.7g}", str(u))
            for n, v, b, u in zip(
                d["setting"].values, d["value"].values, d["before"].values, d["units"].values, strict=True
            )
        ]
        found.append(Table(f"{self.name}: settings", ("setting", "before", "found", "unit"), tuple(cells)))
        return tuple(found)


def _percent(data: Any, name: str) -> str:
    return f"{100 * float(data[name]):.2f} %"


def _number(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else UNKNOWN


def write(path: str | Path, result: DesignResult) -> Path:
    """Write everything to a .nc file, or a row a setting to a .csv file, whole or not at all."""
    target = check_target(path, SUFFIXES)
    d = result.data
    if target.suffix.lower() == ".nc":
        datasets.write(target, d)
        return target
    names = ["value", "before", "low", "high", *(["nominal"] if "nominal" in d else [])]
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["setting", "unit", *names])
        columns = [
            d["setting"].values.tolist(),
            d["units"].values.tolist(),
            *(d[n].values.tolist() for n in names),
        ]
        writer.writerows(zip(*columns, strict=True))
    return target

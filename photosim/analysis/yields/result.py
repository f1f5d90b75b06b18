"""A yield for people and files: numbers, tables, and a CSV file of the chips."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.result import UNKNOWN, Table, plain
from photosim.display import Tabled
from photosim.errors import DataError
from photosim.files import check_target, datasets
from photosim.files.atomic import replacing
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    import xarray

SUFFIXES = (".csv", ".nc")
MOST_ROWS = 2_000_000
_BLAMED = 12


@dataclass(frozen=True, eq=False)
class YieldResult(Tabled, ByValue):
    """A computed yield: its name and the Dataset of `ps.montecarlo`."""

    name: str
    data: xarray.Dataset

    def numbers(self) -> dict[str, Any]:
        """Everything but the chips as plain JSON types."""
        d = self.data
        found: dict[str, Any] = {
            "kind": "yield",
            "name": self.name,
            "samples": int(d.sizes["chip"]),
            "yield": float(d["yield"]),
            "yield_95": [float(d["yield_low"]), float(d["yield_high"])],
            "specification": [self._entry(k) for k in range(d.sizes["specification"])],
            "worst_chips": plain(d["worst_chip"].values),
            "provenance": dict(d.attrs),
        }
        if "tuned_yield" in d:
            power = d["tuning_power"].values
            found["tuned"] = {
                "yield": float(d["tuned_yield"]),
                "yield_95": [float(d["tuned_yield_low"]), float(d["tuned_yield_high"])],
                "power_W": {"mean": float(power.mean()), "median": float(np.median(power)),
                            "p95": float(np.quantile(power, 0.95)), "max": float(power.max())},
            }  # fmt: skip
        if "failure" in d:
            found["failure"] = {
                "probability": float(d["failure"]),
                "standard_error": float(d["failure_error"]),
                "interval_95": [float(d["failure_low"]), float(d["failure_high"])],
                "samples": int(d["failure_samples"]),
            }
        return found

    def _entry(self, k: int) -> dict[str, Any]:
        one = self.data.isel(specification=k)

        def shares(name: str, over: str) -> dict[str, Any]:
            return {str(n): plain(v) for n, v in zip(one[over].values, one[name].values, strict=True)}

        found = {
            "name": str(one["specification"].item()),
            "limit": str(one["limit"].item()),
            "unit": str(one["units"].item()),
            "yield": plain(one["yield_by"].item()),
            "yield_95": [plain(one["yield_by_low"].item()), plain(one["yield_by_high"].item())],
            **{name: plain(one[name].item()) for name in ("nominal", "mean", "std", "variance")},
            "variance_first_order": plain(one["variance_first_order"].item()),
            "variance_rest": plain(one["variance_rest"].item()),
            "variance_by_level": shares("variance_by_level", "level"),
            "variance_by_quantity": shares("variance_by_quantity", "quantity"),
            "variance_by_part": shares("variance_by_part", "part"),
            "corners": shares("corner_value", "corner"),
        }
        if "sobol_first" in one:
            found["sobol_first"] = shares("sobol_first", "group")
            found["sobol_total"] = shares("sobol_total", "group")
        return found

    def tables(self) -> tuple[Table, ...]:
        """Tables of the yield, of each entry, of the causes of the spread, of corners, and of tuning."""
        d = self.data
        rows: list[tuple[Any, ...]] = []
        for k in range(d.sizes["specification"]):
            one = d.isel(specification=k)
            rows.append(
                (one["specification"].item(), one["limit"].item(), _percent(one["yield_by"].item()),
                 *(_number(one[name].item()) for name in ("nominal", "mean", "std")))
            )  # fmt: skip
        rows.append(("all", "", _percent(float(d["yield"])), "", "", ""))
        ends = f"{_percent(float(d['yield_low']))} to {_percent(float(d['yield_high']))}"
        title = f"{self.name}: yield {_percent(float(d['yield']))} of {d.sizes['chip']:,} chips, 95 % {ends}"
        tables = [Table(title, ("specification", "limit", "yield", "nominal", "mean", "std"), tuple(rows))]
        tables.append(self._blame())
        tables.append(self._corners())
        if "tuned_yield" in d:
            tables.append(self._tuned())
        if "failure" in d:
            ends = f"{float(d['failure_low']):.3g} to {float(d['failure_high']):.3g}"
            found = (f"{float(d['failure']):.4g}", ends, f"{int(d['failure_samples']):,}")
            heads = ("estimate", "95 %", "chips")
            tables.append(Table(f"{self.name}: probability of failure", heads, (found,)))
        return tuple(tables)

    def _blame(self) -> Table:
        d = self.data
        heads = ("share of the variance", *(str(n) for n in d["specification"].values))
        whole = d["variance"].values
        rows: list[tuple[Any, ...]] = []
        for over, name in (("level", "variance_by_level"), ("quantity", "variance_by_quantity"),
                           ("part", "variance_by_part")):  # fmt: skip
            shares = _shares(d[name].values, whole)
            order = np.argsort(-np.abs(np.nan_to_num(shares)).max(axis=0), kind="stable")
            rows += [
                (f"{over} {d[over].values[k]}", *(_percent(v) for v in shares[:, k]))
                for k in order[: _BLAMED if over == "part" else None]
            ]
            left = len(order) - _BLAMED
            if over == "part" and left > 0:
                rows.append(
                    (f"{left} other parts", *(_percent(v) for v in shares[:, order[_BLAMED:]].sum(axis=1)))
                )
        for name, words in (
            ("variance_first_order", "first order"),
            ("variance_rest", "rest: curvature, interactions"),
        ):
            rows.append((words, *(_percent(v) for v in _shares(d[name].values[:, np.newaxis], whole)[:, 0])))
        return Table(f"{self.name}: causes of the spread", heads, tuple(rows))

    def _corners(self) -> Table:
        d = self.data
        heads = (
            "corner",
            *(f"{n} ({u})" for n, u in zip(d["specification"].values, d["units"].values, strict=True)),
        )
        rows = [
            (str(c), *(_number(v) for v in d["corner_value"].values[:, k]))
            for k, c in enumerate(d["corner"].values)
        ]
        return Table(f"{self.name}: corners", heads, tuple(rows))

    def _tuned(self) -> Table:
        d = self.data
        power = 1e3 * d["tuning_power"].values
        row = (_percent(float(d["tuned_yield"])), f"{power.mean():.4g}", f"{np.median(power):.4g}",
               f"{np.quantile(power, 0.95):.4g}", f"{power.max():.4g}")  # fmt: skip
        heads = ("yield", "mean power (mW)", "median", "95 %", "max")
        return Table(f"{self.name}: after tuning", heads, (row,))


def write(path: str | Path, result: YieldResult) -> Path:
    """Write everything to a .nc file, or a row a chip to a .csv file, whole or not at all."""
    target = check_target(path, SUFFIXES)
    if target.suffix.lower() == ".nc":
        datasets.write(target, result.data)
        return target
    d = result.data
    if d.sizes["chip"] > MOST_ROWS:
        message = f"A .csv file of this yield would have {d.sizes['chip']:,} rows: write .nc instead."
        raise DataError(message)
    header = ["chip", "passed", *(str(n) for n in d["specification"].values)]
    columns: list[Any] = [
        range(d.sizes["chip"]),
        d["passed"].values.astype(int).tolist(),
        *d["value"].values.tolist(),
    ]
    if "tuned_value" in d:
        header += ["tuned_passed", *(f"tuned {n}" for n in d["specification"].values), "tuning_power_W"]
        columns += [d["tuned_passed"].values.astype(int).tolist(), *d["tuned_value"].values.tolist()]
        columns.append(d["tuning_power"].values.tolist())
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))
    return target


def _shares(values: Any, whole: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole[:, np.newaxis] > 0.0, values / whole[:, np.newaxis], np.nan)


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %" if np.isfinite(value) else UNKNOWN


def _number(value: float) -> str:
    return f"{value:.7g}" if np.isfinite(value) else UNKNOWN

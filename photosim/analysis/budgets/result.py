"""A budget for people and files: numbers, tables, and a CSV file of its rows."""

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
_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))


@dataclass(frozen=True, eq=False)
class BudgetResult(Tabled, ByValue):
    """A budget: its name and the Dataset of `ps.budget`."""

    name: str
    data: xarray.Dataset

    def numbers(self) -> dict[str, Any]:
        """Everything as plain JSON types; an interval is [value, low, high]."""
        d = self.data
        per = [str(name) for name in d["per"].values]
        found: dict[str, Any] = {
            "kind": "budget",
            "name": self.name,
            "rate_Hz": float(d.attrs["rate_Hz"]),
            "use": float(d.attrs["use"]),
            "power_W": _ends(d["total_power"]),
            "energy_J": {name: _ends(d["total_energy"].sel(per=name)) for name in per},
            "area_um2": _ends(d["total_area"]),
            "latency_s": _ends(d["total_latency"]),
            "parts": [self._part(k, per) for k in range(d.sizes["part"])],
            "way": [
                {"element": str(e["element"].item()), "loss_dB": plain(float(e["loss_dB"])),
                 "delay_s": float(e["delay"]), "power_W": float(e["power_behind"])}
                for e in (d.isel(element=k) for k in range(d.sizes["element"]))
            ],
            "detectors": {
                str(n): {"snr_dB": plain(float(s)), "bits": plain(float(b))}
                for n, s, b in zip(
                    d["detector"].values, d["snr_dB"].values, d["effective_bits"].values, strict=True
                )
            },
            "stages": {str(n): _ends(v) for n, v in zip(d["stage"].values, d["latency"], strict=True)},
            "constants": {
                str(c["constant"].item()): {
                    "value": float(c["constant_value"][0]), "low": float(c["constant_value"][1]),
                    "high": float(c["constant_value"][2]), "unit": str(c["constant_units"].item()),
                    "source": str(c["source"].item()),
                }
                for c in (d.isel(constant=k) for k in range(d.sizes["constant"]))
            },
            "remarks": [text for text in str(d.attrs["remarks"]).split("\n") if text],
            "provenance": dict(d.attrs),
        }  # fmt: skip
        if "published" in d:
            found["published"] = [
                {"name": str(p["published"].item()), "per": str(p["published_per"].item()),
                 "published_J": float(p["published_energy"]), "ours_J": _ends(p["our_energy"]),
                 "source": str(p["published_source"].item())}
                for p in (d.isel(published=k) for k in range(d.sizes["published"]))
            ]  # fmt: skip
        return found

    def _part(self, k: int, per: list[str]) -> dict[str, Any]:
        one = self.data.isel(part=k)
        return {
            "part": str(one["part"].item()),
            "component": str(one["component"].item()),
            "category": str(one["category"].item()),
            "count": int(one["count"]),
            "power_W": _ends(one["power"]),
            "static_power_W": _ends(one["static_power"]),
            "energy_J": {name: _ends(one["energy"].sel(per=name)) for name in per},
            "area_um2": _ends(one["area"]),
            "absorbed_W": plain(float(one["absorbed"])),
        }

    def tables(self) -> tuple[Table, ...]:
        """Power and energy by part, published numbers, the way of the light, detectors, latency, sources."""
        d = self.data
        found = [self._parts()]
        if any(" " in str(n) for n in d["per"].values):
            found.append(self._training())
        if "published" in d:
            found.append(self._published())
        if d.sizes["element"]:
            found.append(self._way())
        if d.sizes["detector"]:
            found.append(self._detectors())
        if float(d["total_latency"][0]) > 0.0:
            found.append(self._latency())
        found.append(self._constants())
        remarks = [text for text in str(d.attrs["remarks"]).split("\n") if text]
        if remarks:
            rows = tuple((str(k + 1), text) for k, text in enumerate(remarks))
            found.append(Table(f"{self.name}: remarks", ("", "what"), rows))
        return tuple(found)

    def _parts(self) -> Table:
        d = self.data
        per = [str(n) for n in d["per"].values]
        names = [n for n in per if n != "cycle" and " " not in n] or ["cycle"]
        heads = (
            "part",
            "count",
            "power",
            *(f"a {n}" if n[0] not in "aeiou" else f"an {n}" for n in names),
            "area (um^2)",
        )
        rows: list[tuple[Any, ...]] = []
        order = np.argsort(-d["power"].values[:, 0], kind="stable")
        idle = d["power"].values[:, 0] <= 0.0
        for k in order[~idle[order]]:
            one = d.isel(part=int(k))
            cells = (_shown(one["energy"].sel(per=n).values, "J", ends=False) for n in names)
            power = _shown(one["power"].values, "W", ends=False)
            row = (one["part"].item(), f"{int(one['count']):,}", power, *cells)
            rows.append((*row, f"{float(one['area'][0]):,.0f}"))
        if idle.any():
            count, area = int(d["count"].values[idle].sum()), float(d["area"].values[idle, 0].sum())
            rows.append(("parts without power", f"{count:,}", "0", *("0" for _ in names), f"{area:,.0f}"))
        cells = (_shown(d["total_energy"].sel(per=n).values, "J") for n in names)
        rows.append(
            ("all", "", _shown(d["total_power"].values, "W"), *cells, f"{float(d['total_area'][0]):,.0f}")
        )
        rate, use = float(d.attrs["rate_Hz"]), float(d.attrs["use"])
        used = "" if use == 1.0 else f", {100 * use:g} % of the cycles of use"
        return Table(f"{self.name}: {rate:.4g} cycles a second{used}", heads, tuple(rows))

    def _training(self) -> Table:
        d = self.data
        heads = (
            "rule",
            "an update: hardware",
            "computer",
            "all",
            "an inference: hardware",
            "computer",
            "all",
        )
        rows = []
        for name in (str(n).removeprefix("update ") for n in d["per"].values if str(n).startswith("update ")):
            cells: list[str] = []
            for what in ("update", "inference"):
                one = d.sel(per=f"{what} {name}")
                computer, total = one["digital_energy"].values, one["total_energy"].values
                cells += [_shown(one["energy"].sum("part").values, "J", ends=False),
                          _shown(computer, "J", ends=False), _shown(total, "J")]  # fmt: skip
            rows.append((name, *cells))
        return Table(f"{self.name}: energy of a training", heads, tuple(rows))

    def _published(self) -> Table:
        rows = []
        for p in (self.data.isel(published=k) for k in range(self.data.sizes["published"])):
            theirs = _shown(p["published_energy"].values[np.newaxis], "J", ends=False)
            cells = (_shown(p["our_energy"].values, "J"), p["published_per"].item())
            rows.append((p["published"].item(), theirs, *cells, p["published_source"].item()))
        return Table(f"{self.name}: published", ("what", "published", "ours", "of", "source"), tuple(rows))

    def _way(self) -> Table:
        d = self.data
        losses, delays = d["loss_dB"].values, d["delay"].values
        names = [*(str(n) for n in d["element"].values), "all"]
        rows = [
            (
                name,
                f"{loss:.2f}" if np.isfinite(loss) else "no light",
                "unknown" if np.isnan(delay) else f"{round(1e12 * delay, 3) + 0.0:.3f}",
            )
            for name, loss, delay in zip(names, [*losses, losses.sum()], [*delays, delays.sum()], strict=True)
        ]
        return Table(
            f"{self.name}: the way of the light", ("element", "loss (dB)", "delay (ps)"), tuple(rows)
        )

    def _detectors(self) -> Table:
        d = self.data
        rows = [
            (
                str(n),
                *(
                    "unknown" if np.isnan(x) else f"{x:.2f}" if np.isfinite(x) else "none"
                    for x in (snr, bits)
                ),
            )
            for n, snr, bits in zip(
                d["detector"].values, d["snr_dB"].values, d["effective_bits"].values, strict=True
            )
        ]
        shown = rows if len(rows) <= 12 else [*rows[:6], (f"... {len(rows) - 12} more", "", ""), *rows[-6:]]
        return Table(f"{self.name}: signal to noise", ("detector", "SNR (dB)", "bits"), tuple(shown))

    def _latency(self) -> Table:
        d = self.data
        rows = [
            (str(n), _shown(v, "s"))
            for n, v in zip(d["stage"].values, d["latency"].values, strict=True)
            if v[0] > 0.0
        ]
        rows.append(("all", _shown(d["total_latency"].values, "s")))
        return Table(f"{self.name}: latency", ("stage", "delay"), tuple(rows))

    def _constants(self) -> Table:
        d = self.data
        ends = [f"{v[1]:.4g} to {v[2]:.4g}" if v[1] < v[2] else UNKNOWN for v in d["constant_value"].values]
        middles = [f"{v[0]:.4g}" for v in d["constant_value"].values]
        columns = (d["constant"].values, middles, ends, d["constant_units"].values, d["source"].values)
        rows = tuple(tuple(str(cell) for cell in row) for row in zip(*columns, strict=True))
        return Table(f"{self.name}: constants", ("constant", "value", "interval", "unit", "source"), rows)


def _ends(values: Any) -> list[Any]:
    return [plain(float(v)) for v in values]


def _shown(values: Any, unit: str, *, ends: bool = True) -> str:
    """Return a value with a prefix, and its interval where there is one."""
    value = float(values[0])
    largest = max(abs(float(v)) for v in values) if ends else abs(value)
    if not largest > 0.0:
        return "0"
    factor, prefix = next(((f, p) for f, p in _PREFIXES if abs(value) >= f), _PREFIXES[-1])
    text = f"{value / factor:.3g} {prefix}{unit}"
    if ends and len(values) == 3 and float(values[1]) < float(values[2]):
        text += f" ({float(values[1]) / factor:.3g} to {float(values[2]) / factor:.3g})"
    return text


def write(path: str | Path, result: BudgetResult) -> Path:
    """Write everything to a .nc file, or a row a part to a .csv file, whole or not at all."""
    target = check_target(path, SUFFIXES)
    d = result.data
    if target.suffix.lower() == ".nc":
        datasets.write(target, d)
        return target
    per = [str(name) for name in d["per"].values]
    header = ["part", "component", "category", "count", "power_W", "power_low_W", "power_high_W"]
    header += ["static_power_W", "area_um2", "absorbed_W"]
    for name in per:
        header += [f"energy_{name}_J", f"energy_{name}_low_J", f"energy_{name}_high_J"]
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        for k in range(d.sizes["part"]):
            one = d.isel(part=k)
            row = [one[name].item() for name in ("part", "component", "category", "count")]
            row += [*one["power"].values.tolist(), float(one["static_power"][0]), float(one["area"][0])]
            row.append(float(one["absorbed"]))
            for name in per:
                row += one["energy"].sel(per=name).values.tolist()
            writer.writerow(row)
    return target

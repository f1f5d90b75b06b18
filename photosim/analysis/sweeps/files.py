"""Sweeps as files: everything as NetCDF, or a CSV table of the metrics, else of the spectra."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from photosim.errors import DataError
from photosim.files import check_target, datasets
from photosim.files.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photosim.analysis.sweeps.result import SweepResult

SUFFIXES = (".csv", ".nc")
MOST_ROWS = 2_000_000


def write(path: str | Path, result: SweepResult) -> Path:
    """Write a sweep to a .nc file, or its table to a .csv file, whole or not at all.

    Columns are the swept settings, then with metrics `<number>:<from>-><to>` at each point, and without
    them `wavelength_um` and `<from>-><to>_re`, `_im` at each point and wavelength.
    """
    target = check_target(path, SUFFIXES)
    if target.suffix.lower() == ".nc":
        datasets.write(target, result.data)
        return target
    header, rows, count = _metrics(result) if result.shown() else _spectra(result)
    if count > MOST_ROWS:
        message = f"A .csv file of this sweep would have {count:,} rows: write .nc instead."
        raise DataError(message)
    with replacing(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return target


def _metrics(result: SweepResult) -> tuple[list[str], Iterator[list[Any]], int]:
    settings = result.settings_table()
    header = [*settings]
    columns: list[Any] = [*settings.values()]
    for start, end in result.pairs():
        for name in (*result.shown(), "flags", "lines"):
            header.append(f"{name}:{start}->{end}")
            columns.append(result.values(name, start, end).tolist())
    count = len(columns[-1])
    return header, ([_text(column[k]) for column in columns] for k in range(count)), count


def _spectra(result: SweepResult) -> tuple[list[str], Iterator[list[Any]], int]:
    settings, wl = result.settings_table(), result.data["wavelength"].values
    pairs = result.pairs()
    header = [*settings, "wavelength_um", *(f"{a}->{b}_{part}" for a, b in pairs for part in ("re", "im"))]
    elements = [result.data["S"].sel({"from": a, "to": b}).values.reshape(-1, len(wl)) for a, b in pairs]

    def rows() -> Iterator[list[Any]]:
        for k in range(len(elements[0])):
            fixed = [_text(values[k]) for values in settings.values()]
            for w, at in enumerate(wl.tolist()):
                numbers = [x for e in elements for x in (e[k, w].real, e[k, w].imag)]
                yield [*fixed, repr(at), *(repr(float(x)) for x in numbers)]

    return header, rows(), len(elements[0]) * len(wl)


def _text(value: Any) -> Any:
    return repr(value) if isinstance(value, float) else "" if value is None else value

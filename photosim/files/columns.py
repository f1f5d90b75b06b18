"""S-parameters in columns (.txt), as the grating couplers of SiEPIC have them.

Each row holds a frequency in Hz, then magnitude and phase in rad of S11, S12, .. S1P, S21, .. (to, from),
with the project's sign. Rows may come in any order.
"""

from __future__ import annotations

from math import isqrt
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from photosim.files.tables import damaged, numbers, read_lines
from photosim.model.sampled import SampledData

if TYPE_CHECKING:
    from pathlib import Path

_LOWEST_HZ = 1e9


def read(path: Path) -> SampledData:
    """Return the table of a file, its ports o1, o2, ...; DataError with file and line when it is damaged."""
    rows: list[list[float]] = []
    lines: dict[float, int] = {}
    first = 0
    for number, line in enumerate(read_lines(path), 1):
        text = line.strip()
        if not text or text[0] in "#%!":
            continue
        row = numbers(path, number, text)
        first = first or number
        if rows and len(row) != len(rows[0]):
            raise damaged(path, number, f"this row has {len(row)} columns, the first has {len(rows[0])}")
        if row[0] < _LOWEST_HZ:
            raise damaged(path, number, f"a row starts with a frequency in Hz, but here with {row[0]:g}")
        if row[0] in lines:
            raise damaged(path, number, f"the frequency {row[0]:g} Hz stands in line {lines[row[0]]} already")
        lines[row[0]] = number
        rows.append(row)
    if not rows:
        raise damaged(path, 1, "the file holds no rows")
    ports = isqrt((len(rows[0]) - 1) // 2)
    if ports < 1 or len(rows[0]) != 1 + 2 * ports**2:
        what = "a table of P ports has 1 + 2 P^2 columns (3, 9, 19, 33, ...)"
        raise damaged(path, first, f"{what}, but here are {len(rows[0])}")
    table = np.array(sorted(rows, key=itemgetter(0)))
    s = (table[:, 1::2] * np.exp(1j * table[:, 2::2])).reshape(-1, ports, ports)
    return SampledData(table[:, 0], s, tuple(f"o{k + 1}" for k in range(ports)), file=path.name)

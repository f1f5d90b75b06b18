"""S-parameters as Lumerical writes them (.sparam, .dat).

Block after block, one for each element: a header such as
`('port 2','TE',1,'port 1',1,'transmission')` (to port, mode label, to mode, from port, from mode), the size
`(51,3)`, then rows of frequency in Hz, magnitude and phase in rad. Quotes are single or double; lines such as
`["port 1","LEFT"]` may list the ports first. The phase rises with frequency, as it does here: nothing is
conjugated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import listing
from photosim.files.tables import damaged, numbers, read_lines
from photosim.model.sampled import SampledData, port_names, rising

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_TEXT = r"""\s*(?:'([^']*)'|"([^"]*)")\s*"""
_COUNT = r"\s*(\d{1,12})\s*"
_HEADER = re.compile(rf"\({_TEXT},{_TEXT},{_COUNT},{_TEXT},{_COUNT},{_TEXT}\)")
_SIZE = re.compile(rf"\({_COUNT},{_COUNT}\)")
_PORT = re.compile(rf"\[{_TEXT},{_TEXT}\]")
_COLUMNS = 3
_MAX_ROWS = 10_000_000


@dataclass(frozen=True)
class _Block:
    """One element: (port, mode number) that light goes to and comes from, and its rows (F, 3)."""

    to: tuple[str, int]
    source: tuple[str, int]
    label: str
    line: int
    rows: NDArray[np.float64]


def read(path: Path) -> SampledData:
    """Return the table of a file; DataError with file and line when it is missing or damaged.

    A port that carries several modes becomes one port for each, as in o1@TE; elements between different
    modes that the file leaves out are zero, any other must be there.
    """
    lines = read_lines(path)
    declared: list[str] = []
    blocks: list[_Block] = []
    at = 0
    while at < len(lines):
        text = lines[at].strip()
        if not text or text.startswith("#"):
            at += 1
            continue
        port = _PORT.fullmatch(text)
        if port is not None:
            declared.append(_either(port, 1))
            at += 1
            continue
        blocks.append(_block(path, lines, at))
        at += 2 + len(blocks[-1].rows)
    if not blocks:
        raise damaged(path, max(1, len(lines)), "the file ends without a block of S-parameters")
    return _table(path, declared, blocks)


def _either(match: re.Match[str], group: int) -> str:
    """Return a quoted text, whichever quotes it had."""
    found = match[group] if match[group] is not None else match[group + 1]
    return str(found)


def _block(path: Path, lines: list[str], at: int) -> _Block:
    """Return the block whose header is line `at`, from 0."""
    header = _HEADER.fullmatch(lines[at].strip())
    if header is None:
        wanted = "('port 1','TE',1,'port 2',1,'transmission')"
        raise damaged(
            path, at + 1, f"a block starts with a line such as {wanted}, but here is {lines[at][:60]!r}"
        )
    if _either(header, 9) != "transmission":
        raise damaged(
            path, at + 1, f"a block of {_either(header, 9)[:40]!r} is not known, only of 'transmission'"
        )
    size = _SIZE.fullmatch(lines[at + 1].strip()) if at + 1 < len(lines) else None
    if size is None:
        raise damaged(path, at + 2, "the size of the block is missing here, such as (51,3)")
    count = int(size[1])
    if int(size[2]) != _COLUMNS or not 1 <= count <= _MAX_ROWS:
        raise damaged(
            path, at + 2, f"a block has rows of {_COLUMNS} numbers, at most {_MAX_ROWS}, not {size[0]}"
        )
    if at + 2 + count > len(lines):
        raise damaged(
            path, len(lines), f"the file ends here, within the block of {count} rows from line {at + 1}"
        )
    rows = []
    for number in range(at + 3, at + 3 + count):
        row = numbers(path, number, lines[number - 1])
        if len(row) != _COLUMNS:
            raise damaged(
                path, number, f"a row holds frequency, magnitude and phase, here are {len(row)} numbers"
            )
        rows.append(row)
    to, source = (_either(header, 1), int(header[5])), (_either(header, 6), int(header[8]))
    return _Block(to, source, _either(header, 3), at + 1, np.array(rows))


def _table(path: Path, declared: list[str], blocks: list[_Block]) -> SampledData:
    """Put the blocks together."""
    found = dict.fromkeys([*declared, *(p for b in blocks for p, _ in (b.to, b.source))])
    waves = {wave for block in blocks for wave in (block.to, block.source)}
    order = sorted(waves, key=lambda wave: (list(found).index(wave[0]), wave[1]))
    place = {wave: k for k, wave in enumerate(order)}
    frequency = blocks[0].rows[:, 0]
    s = np.zeros((len(frequency), len(order), len(order)), dtype=np.complex128)
    seen: dict[tuple[int, int], int] = {}
    for block in blocks:
        at = place[block.to], place[block.source]
        if at in seen:
            raise damaged(path, block.line, f"this element was given before, on line {seen[at]}")
        seen[at] = block.line
        if not np.array_equal(block.rows[:, 0], frequency):
            raise damaged(path, block.line, "the frequencies of this block are not those of the first")
        s[:, at[0], at[1]] = block.rows[:, 1] * np.exp(1j * block.rows[:, 2])
    _complete(path, order, seen, blocks[-1].line)
    _monotonic(path, blocks[0])
    ports, modes = _names(order, blocks)
    return SampledData(*rising(frequency, s), ports, modes, path.name)


def _complete(path: Path, order: list[tuple[str, int]], seen: dict[tuple[int, int], int], line: int) -> None:
    """Refuse a file that lacks an element between waves of one mode: it may have been cut."""
    missing = [
        f"from {source[0]!r} to {to[0]!r}"
        for a, to in enumerate(order)
        for b, source in enumerate(order)
        if (a, b) not in seen and to[1] == source[1]
    ]
    if missing:
        raise damaged(path, line, f"this is the last block, but there is none {listing(missing, 3)}")


def _monotonic(path: Path, block: _Block) -> None:
    steps = np.diff(block.rows[:, 0])
    wrong = np.flatnonzero(steps * np.sign(steps[0] if steps.size else 1) <= 0)
    if wrong.size:
        raise damaged(
            path, block.line + 3 + int(wrong[0]), "the frequencies neither rise nor fall throughout"
        )


def _names(order: list[tuple[str, int]], blocks: list[_Block]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ports and the labels of their modes."""
    labels = {block.to: block.label for block in blocks if block.to[1] == block.source[1]}
    ports = list(dict.fromkeys(port for port, _ in order))
    named = dict(zip(ports, port_names(ports), strict=True))
    one_mode = len(ports) == len(order)
    modes = tuple(labels.get(wave, "") or str(wave[1]) for wave in order)
    if one_mode:
        return tuple(named[port] for port, _ in order), tuple(labels.get(wave, "") for wave in order)
    return tuple(f"{named[port]}@{mode}" for (port, _), mode in zip(order, modes, strict=True)), modes


def write(path: Path, table: SampledData) -> None:
    """Write every element; a .dat file has double quotes and lists its ports first."""
    mark = '"' if path.suffix.lower() == ".dat" else "'"
    base = [port.partition("@")[0] for port in table.ports]
    labels = list(dict.fromkeys(table.modes))
    numbered = {label: k + 1 for k, label in enumerate(labels)}
    number = [1 if len(set(base)) == len(base) else numbered[label] for label in table.modes]
    size = len(table.ports)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        if mark == '"':
            stream.writelines(f'["{_port(port)}",""]\n' for port in dict.fromkeys(base))
        for a in range(size):
            for b in range(size):
                to, source = (f"{mark}{_port(base[k])}{mark}" for k in (a, b))
                label = f"{mark}{table.modes[a] or 'TE'}{mark}"
                kind = f"{mark}transmission{mark}"
                stream.write(f"({to},{label},{number[a]},{source},{number[b]},{kind})\n")
                stream.write(f"({len(table.frequency_Hz)},{_COLUMNS})\n")
                values = table.s[:, a, b]
                rows = np.column_stack([table.frequency_Hz, np.abs(values), np.unwrap(np.angle(values))])
                np.savetxt(stream, rows, fmt="%.17g", delimiter="\t")


def _port(name: str) -> str:
    """Return what Lumerical calls a port: o1 is "port 1"."""
    number = name.removeprefix("o")
    return f"port {number}" if number.isdigit() and number != name else name

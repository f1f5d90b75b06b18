"""S-parameters as Lumerical writes them (.sparam, .dat).

Block after block, one for each element: a header such as
`('port 2','TE',1,'port 1',1,'transmission')` (to port, mode label, to mode, from port, from mode), the size
`(51,3)`, then rows of frequency in Hz, magnitude and phase in rad. Quotes are single or double; lines such as
`["port 1","LEFT"]` may list the ports first. Labels of modes may lack their quotes, a reflection may be
called 'ReturnLoss', rows may come in any order; numbered ports are sorted by their numbers. A .dat file may
also be bare columns. The phase rises with frequency, as it does here: nothing is
conjugated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import listing
from photosim.files import columns
from photosim.files.tables import check_names, damaged, numbers, read_lines
from photosim.model.sampled import SampledData, port_names

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_COUNT = r"\s*(\d{1,12})\s*"
_LABEL = r"""\s*(?:'([^']*)'|"([^"]*)"|([^'",()\s](?:[^'",()]*[^'",()\s])?))\s*"""
_HEADER = re.compile(rf"\({_LABEL},{_LABEL},{_COUNT},{_LABEL},{_COUNT},{_LABEL}\)")
_SIZE = re.compile(rf"\({_COUNT},{_COUNT}\)")
_PORT = re.compile(rf"\[{_LABEL},{_LABEL}\]")
_NUMBER = re.compile(r"\D*(\d{1,12})")
_KINDS = ("transmission", "returnloss", "return loss", "reflection")
"""What a block may be called: all of them are elements of S."""
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
    if path.suffix.lower() == ".dat" and _is_columns(lines):
        return columns.read(path)
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


def _is_columns(lines: list[str]) -> bool:
    """Whether the first line with content is all numbers."""
    first = next((text for line in lines if (text := line.strip()) and text[0] not in "#!%"), "")
    try:
        return bool([float(word) for word in first.replace(",", " ").split()])
    except ValueError:
        return False


def _either(match: re.Match[str], group: int) -> str:
    """Return a text, whichever quotes it had, or none."""
    return next(str(found) for found in match.group(group, group + 1, group + 2) if found is not None)


def _block(path: Path, lines: list[str], at: int) -> _Block:
    """Return the block whose header is line `at`, from 0."""
    header = _HEADER.fullmatch(lines[at].strip())
    if header is None:
        wanted = "('port 1','TE',1,'port 2',1,'transmission')"
        raise damaged(
            path, at + 1, f"a block starts with a line such as {wanted}, but here is {lines[at][:60]!r}"
        )
    found = _either(header, 12)[:40]
    if found.strip().lower() not in _KINDS:
        raise damaged(
            path, at + 1, f"a block of {found!r} is not known, only of 'transmission' and 'ReturnLoss'"
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
    to, source = (_either(header, 1), int(header[7])), (_either(header, 8), int(header[11]))
    return _Block(to, source, _either(header, 4), at + 1, _sorted(path, at + 3, np.array(rows)))


def _sorted(path: Path, line: int, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rows (F, 3), the first on `line`, by rising frequency; DataError for a frequency given twice."""
    order = np.argsort(rows[:, 0], kind="stable")
    equal = np.flatnonzero(np.diff(rows[order, 0]) == 0)
    if equal.size:
        again = int(order[equal[0] + 1])
        raise damaged(path, line + again, f"the frequency {rows[again, 0]:.10g} Hz was given before")
    return rows[order]


def _in_order(ports: list[str]) -> list[str]:
    """Return ports by number where each has one of its own, else as they come."""
    found = [_NUMBER.fullmatch(port.strip()) for port in ports]
    numbers = [int(match[1]) for match in found if match]
    if len(set(numbers)) < len(ports):
        return ports
    return [port for _, port in sorted(zip(numbers, ports, strict=True))]


def _table(path: Path, declared: list[str], blocks: list[_Block]) -> SampledData:
    """Put the blocks together."""
    found = dict.fromkeys([*declared, *(p for b in blocks for p, _ in (b.to, b.source))])
    waves = {wave for block in blocks for wave in (block.to, block.source)}
    position = {port: k for k, port in enumerate(_in_order(list(found)))}
    order = sorted(waves, key=lambda wave: (position[wave[0]], wave[1]))
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
    ports, modes = _names(order, blocks)
    return SampledData(frequency, s, ports, modes, path.name)


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


def _numbered(table: SampledData) -> tuple[list[int], list[str]]:
    """Return number and label of the mode of every port; the name of a port with modes says its label."""
    own = [port.partition("@")[2] for port in table.ports]
    labels = [name or mode or "TE" for name, mode in zip(own, table.modes, strict=True)]
    single = len({port.partition("@")[0] for port in table.ports}) == len(table.ports)
    numbered = {label: k + 1 for k, label in enumerate(dict.fromkeys(labels))}
    return [1 if single else numbered[label] for label in labels], labels


def check(path: Path, table: SampledData) -> None:
    """Raise DataError for port names that `read` would not bring back, such as those with quotes."""
    number, labels = _numbered(table)
    order = [(_port(port.partition("@")[0]), n) for port, n in zip(table.ports, number, strict=True)]
    nothing = np.empty((0, _COLUMNS))
    blocks = [_Block(wave, wave, label, 0, nothing) for wave, label in zip(order, labels, strict=True)]
    back = _names(order, blocks)[0]
    quoted = [port if not set(port) & {"'", '"', "\n", "\r"} else "" for port in back]
    check_names(path, table.ports, quoted)


def write(path: Path, table: SampledData) -> None:
    """Write every element; a .dat file has double quotes and lists its ports first."""
    mark = '"' if path.suffix.lower() == ".dat" else "'"
    base = [port.partition("@")[0] for port in table.ports]
    size = len(table.ports)
    number, modes = _numbered(table)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        if mark == '"':
            stream.writelines(f'["{_port(port)}",""]\n' for port in dict.fromkeys(base))
        for a in range(size):
            for b in range(size):
                to, source = (f"{mark}{_port(base[k])}{mark}" for k in (a, b))
                label = f"{mark}{modes[a]}{mark}"
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

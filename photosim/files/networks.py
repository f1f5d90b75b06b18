"""Touchstone files of electrical networks: phases, reference impedances and 0 Hz as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import DataError
from photosim.files import touchstone
from photosim.files.tables import MAX_BYTES, damaged, read_lines
from photosim.model.electrical_table import ElectricalTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SUFFIX = re.compile(r"\.(s\d+p|ts)", re.IGNORECASE)
_MODE = re.compile(r"([SDC])(\d+)(?:,(\d+))?", re.IGNORECASE)


def read_network(path: str | Path) -> ElectricalTable:
    """Return the S-parameters of a network in a Touchstone file (.s1p, .s2p, .s4p, ..., .ts).

    Time goes as exp(+j omega t), as in the file. Modes in the order of [Mixed-Mode Order] become ports again.
    Raises DataError for a file that is missing or damaged, that scikit-rf is missing for, or that holds other
    parameters.
    """
    source = Path(path)
    if not _SUFFIX.fullmatch(source.suffix):
        message = (
            f"Cannot read {source} as a network: a Touchstone file ends in .s1p, .s2p, .s4p, ... or .ts."
        )
        raise DataError(message)
    if not source.is_file():
        message = f"There is no file {source}."
        raise DataError(message)
    if source.stat().st_size > MAX_BYTES:
        message = f"{source} has {source.stat().st_size} bytes; the most for S-parameters is {MAX_BYTES}."
        raise DataError(message)
    lines = read_lines(source)
    order = next((k for k, text in enumerate(lines) if _key(text) == "mixed-mode order"), None)
    plain = [text for k, text in enumerate(lines) if k != order]
    given = _references(source, lines)
    found, frequency = touchstone.parsed(source, plain)
    s: NDArray[np.complex128] = np.asarray(found.s, dtype=np.complex128)
    ohm = _for_ports(source, *given, s.shape[1])
    if order is not None:
        modes = _modes(source, order + 1, lines[order], s.shape[1])
        s = modes.T @ s @ modes
    return ElectricalTable(frequency, s, ohm, file=source.name, ordered=order is not None)


def _key(text: str) -> str:
    """Return the keyword of a line such as "[Reference] 50", in small letters."""
    text = text.partition("!")[0].strip()
    return text[1:].partition("]")[0].strip().lower() if text[:1] == "[" else ""


def _references(path: Path, lines: list[str]) -> tuple[list[float], int]:
    """Return the reference impedances in ohm of [Reference], else of the options, else 50; and their line."""
    words: list[str] = []
    number = 1
    for k, text in enumerate(lines):
        plain = text.partition("!")[0].strip()
        if _key(text) == "reference":
            words, number = plain.partition("]")[2].split(), k + 1
            for more in lines[k + 1 :]:
                if more.strip()[:1] in {"[", "#"}:
                    break
                words += more.partition("!")[0].split()
            break
        if plain[:1] == "#" and not words:
            words, number = plain.lower().partition(" r ")[2].split(), k + 1
    try:
        values = [float(word) for word in words] or [50.0]
    except ValueError:
        reason = f"the reference impedance {' '.join(words)[:40]!r} is not a number of ohm"
        raise damaged(path, number, reason) from None
    return values, number


def _for_ports(path: Path, values: list[float], number: int, ports: int) -> NDArray[np.float64]:
    """Return an impedance for each port."""
    if len(values) not in {1, ports}:
        raise damaged(path, number, f"it has {len(values)} reference impedances for {ports} ports")
    return np.broadcast_to(np.array(values), ports).copy()


def _modes(path: Path, number: int, text: str, ports: int) -> NDArray[np.float64]:
    """Return the matrix whose rows are the modes of [Mixed-Mode Order] over the ports."""
    found: list[Any] = _MODE.findall(text.partition("]")[2].partition("!")[0])
    matrix = np.zeros((ports, ports))
    for row, (kind, plus, minus) in enumerate(found[:ports]):
        single = kind.upper() == "S"
        places = [int(word) - 1 for word in (plus, minus) if word]
        if len(places) != (1 if single else 2) or not all(0 <= place < ports for place in places):
            raise damaged(path, number, f"the mode {kind}{plus},{minus} does not fit to {ports} ports")
        for place, sign in zip(places, (1.0, 1.0 if kind.upper() == "C" else -1.0), strict=False):
            matrix[row, place] = sign if single else sign / np.sqrt(2.0)
    if len(found) != ports or not np.allclose(matrix @ matrix.T, np.eye(ports)):
        raise damaged(path, number, f"its mixed-mode order does not name {ports} separate modes")
    return matrix

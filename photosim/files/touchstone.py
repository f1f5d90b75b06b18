"""S-parameters as Touchstone files (.s2p, .s4p, ... and .ts), versions 1 and 2, through scikit-rf.

Touchstone counts time as exp(+j omega t): its phases fall with frequency. Numbers are conjugated when they
come in and when they go out. Reference impedances mean nothing for light: 50 ohm is written, and any is read.
"""

from __future__ import annotations

import io
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import DataError, listing
from photosim.files.tables import check_names, damaged, read_lines
from photosim.model.sampled import MAX_PORTS, SampledData, port_names

if TYPE_CHECKING:
    from pathlib import Path

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eEdD][-+]?\d+)?")
_DIGITS = 12
"""Digits of a number that needs a closer check."""
_UNIT = re.compile(r"[a-z]*hz", re.IGNORECASE)
_FORMATS = ("ma", "db", "ri")
_UNITS = ("Hz", "kHz", "MHz", "GHz", "THz")
"""Units of frequency; the last is read here, as the format and scikit-rf stop before it."""


def _scikit_rf(path: Path) -> tuple[Any, Any]:
    """Return scikit-rf's classes of a network and of a Touchstone file."""
    try:
        from skrf import Network
        from skrf.io.touchstone import Touchstone  # `skrf.io` is Python's own module io in old versions
    except ImportError:
        message = f"{path} is a Touchstone file, which needs scikit-rf: pip install 'photosim[touchstone]'."
        raise DataError(message) from None
    return Network, Touchstone


def read(path: Path) -> SampledData:
    """Return the table of a file; DataError when scikit-rf or the file is missing, or the file is damaged."""
    network, frequency = parsed(path, read_lines(path))
    ports = port_names(network.port_names or [f"port {k + 1}" for k in range(network.rank or 0)])
    light = frequency != 0.0  # analysers sweep from 0 Hz, where there is no light
    if not light.any():
        message = f"{path} holds no frequency but 0 Hz, which is not light."
        raise DataError(message)
    return SampledData(frequency[light], np.conj(network.s[light]), ports, file=path.name)


def parsed(path: Path, lines: list[str]) -> tuple[Any, Any]:
    """Return what scikit-rf makes of the lines of a file, and its frequencies (F,) in Hz.

    Raises DataError when scikit-rf is missing, or for damage and parameters other than S.
    """
    _, touchstone = _scikit_rf(path)
    _check_words(path, lines)
    network = _parsed(touchstone, path, [_options(line) for line in lines])
    if str(network.parameter).lower() != "s":
        message = f"{path} holds {str(network.parameter).upper()} parameters; S-parameters alone are read."
        raise DataError(message)
    if network.frequency_nb not in {None, len(network.f)}:
        found = f"announces {network.frequency_nb} frequencies but holds {len(network.f)}"
        message = f"{path} {found}: it may have been cut."
        raise DataError(message)
    return network, network.f * (1e3 if any(_unit(line) == "thz" for line in lines) else 1.0)


def _unit(line: str) -> str:
    """Return the unit of frequency that a line of options gives, in small letters; else an empty text."""
    text = line.partition("!")[0].strip()
    found = [word for word in text[1:].split() if _UNIT.fullmatch(word)] if text[:1] == "#" else []
    return found[0].lower() if found else ""


def _options(line: str) -> str:
    """Return a line of options as scikit-rf reads it: in the usual order, GHz for THz; others as they are."""
    text = line.partition("!")[0].strip()
    if text[:1] != "#":
        return line
    words, _, reference = text[1:].lower().partition(" r ")
    given = {"unit": "ghz", "parameter": "s", "format": "ma"}
    for word in words.split():
        name = "unit" if _UNIT.fullmatch(word) else "format" if word in _FORMATS else "parameter"
        given[name] = word
    unit = "ghz" if given["unit"] == "thz" else given["unit"]
    return f"# {unit} {given['parameter']} {given['format']} r {reference.strip() or '50'}"


def _parsed(touchstone: Any, path: Path, lines: list[str]) -> Any:
    """Return what scikit-rf makes of a text; DataError for damage."""
    text = io.StringIO("\n".join(lines) + "\n")  # decoded here: comments may be Latin-1
    text.name = str(path)  # its suffix tells the number of ports
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about impedances and other matters of radio
            network = touchstone(text)
    # A parser of another project meets damage with whatever its next step raises.
    except Exception as error:  # noqa: BLE001
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        message = f"{path} cannot be read as a Touchstone file: {reason}."
        raise DataError(message) from None
    return network


def _check_words(path: Path, lines: list[str]) -> None:
    """Refuse a word that is not a number in a line of data, with its place, which scikit-rf does not tell."""
    _check_ports(path, 0, path.suffix[2:-1])
    data = False
    for number, line in enumerate(lines, 1):
        text = line.partition("!")[0].strip()
        if text.lower().startswith("[number of ports]"):
            _check_ports(path, number, text.partition("]")[2].strip())
        if not text or text[0] in "#[":
            data = data or text[:1] == "#"
            unit = _unit(text)
            if unit and unit not in map(str.lower, _UNITS):
                raise damaged(
                    path, number, f"{unit!r} is not a unit of frequency; they are {listing(_UNITS)}"
                )
            continue
        wrong = next((word for word in text.split() if not _NUMBER.fullmatch(word)), None)
        if wrong is not None:
            raise damaged(path, number, f"{wrong[:40]!r} is not a number")
    if not data:
        raise damaged(path, 1, "a Touchstone file has a line such as '# Hz S RI R 50', but this one has none")


def _check_ports(path: Path, line: int, text: str) -> None:
    """Refuse a number of ports that would exhaust the memory before any number is read."""
    if re.fullmatch("[0-9]+", text) and (len(text) > _DIGITS or not 1 <= int(text) <= MAX_PORTS):
        raise damaged(path, max(1, line), f"it announces {text[:20]} ports; the bound is {MAX_PORTS}")


def check(path: Path, table: SampledData) -> None:
    """Raise DataError where scikit-rf is missing, or the file would not bring the ports back.

    The suffix of `path` may mean another number of ports; names with spaces, commas or line breaks change.
    """
    network, touchstone = _scikit_rf(path)
    own = f".s{len(table.ports)}p"
    if path.suffix.lower() not in {".ts", own}:
        message = f"Cannot write {path}: {len(table.ports)} ports make a {own} file."
        raise DataError(message)
    first = SampledData(table.frequency_Hz[:1], table.s[:1], table.ports, table.modes)
    lines = _text(network, path, first).splitlines()
    try:
        _check_words(path, lines)
        back = _parsed(touchstone, path, lines).port_names or ()
    except DataError:
        back = ()
    check_names(path, table.ports, port_names(back))


def write(path: Path, table: SampledData) -> None:
    """Write version 1 (.sNp, where N is the number of ports) or version 2 (.ts)."""
    path.write_text(_text(_scikit_rf(path)[0], path, table), encoding="utf-8")


def _text(network: Any, path: Path, table: SampledData) -> str:
    spectrum = network(f=table.frequency_Hz, s=np.conj(table.s), z0=50, f_unit="hz", name="table")
    text = spectrum.write_touchstone(return_string=True, skrf_comment=False, form="ri")
    if path.suffix.lower() == ".ts":
        text = _second_version(text, len(table.ports), len(table.frequency_Hz))
    names = "".join(f"! Port[{k + 1}] = {name}\n" for k, name in enumerate(table.ports))
    return f"{names}{text}"


def _second_version(text: str, ports: int, points: int) -> str:
    """Return a text of version 1 as one of version 2, which scikit-rf writes from 2.1 on only."""
    before, options, data = text.partition(next(line for line in text.splitlines() if line[:1] == "#"))
    keywords = [
        "[Version] 2.0",
        options,
        f"[Number of Ports] {ports}",
        *(["[Two-Port Data Order] 21_12"] if ports == 2 else []),
        f"[Number of Frequencies] {points}",
        "[Network Data]",
    ]
    return before + "\n".join(keywords) + data.rstrip("\n") + "\n[End]\n"

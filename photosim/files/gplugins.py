"""S-parameters as gdsfactory's field-solver plug-ins keep them: .npz with keys, .csv with columns.

An archive holds `wavelengths` in um and one complex array for each element, `o2@0,o1@0` (port@mode that light
goes to, then that it comes from); a text the columns `wavelengths,s11m,s11a,s12m,...`, magnitude and phase in
rad. The solvers behind differ in their sign of time, so the files do: the one with a positive delay of the
strongest path is right.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import DataError, ParameterError, PhotosimWarning, listing
from photosim.files.tables import damaged
from photosim.model.sampled import SampledData, port_names
from photosim.model.unwrapping import clearest_delays, find_delays
from photosim.units import as_wavelengths, frequency_Hz

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WAVELENGTHS = "wavelengths"
_KEY = re.compile(r"([^@,]+)@(\w+),([^@,]+)@(\w+)")
_COLUMN = re.compile(r"s(\d{2,6})([ma])", re.IGNORECASE)
_STILL_RAD = 0.2
"""Phase over the whole table from which on a delay has a sign."""

Wave = tuple[str, str]
"""Port and mode."""


def is_archive(names: Sequence[str]) -> bool:
    """Whether the arrays of an .npz file have the names of this form."""
    return WAVELENGTHS in names and any(_KEY.fullmatch(name) for name in names)


def is_text(header: Sequence[str]) -> bool:
    """Whether the columns of a .csv file have the names of this form."""
    return WAVELENGTHS in header and any(_COLUMN.fullmatch(name) for name in header)


def table_of_archive(path: Path, arrays: Mapping[str, NDArray[np.complex128]]) -> SampledData:
    """Return the table of an archive; DataError where arrays do not fit together."""
    elements: dict[tuple[Wave, Wave], NDArray[np.complex128]] = {}
    for name, values in arrays.items():
        match = _KEY.fullmatch(name)
        if match is not None:
            elements[(match[1], match[2]), (match[3], match[4])] = values
    return _table(path, np.real(arrays[WAVELENGTHS]), elements)


def table_of_text(path: Path, header: Sequence[str], rows: NDArray[np.float64]) -> SampledData:
    """Return the table of columns (W, C) with their names; DataError where one is missing or ambiguous."""
    columns = {name.lower(): rows[:, k] for k, name in enumerate(header)}
    digits = dict.fromkeys(match[1] for name in header if (match := _COLUMN.fullmatch(name)))
    size = round(np.sqrt(len(digits)))
    elements: dict[tuple[Wave, Wave], NDArray[np.complex128]] = {}
    for text in digits:
        to, source = _pair(path, text, size)
        if not {f"s{text}m", f"s{text}a"} <= set(columns):
            raise damaged(path, 1, f"s{text} needs two columns, s{text}m and s{text}a")
        values = columns[f"s{text}m"] * np.exp(1j * columns[f"s{text}a"])
        elements[(f"o{to}", ""), (f"o{source}", "")] = values
    return _table(path, columns[WAVELENGTHS], elements)


def _pair(path: Path, digits: str, size: int) -> tuple[int, int]:
    """Return the two port numbers, 1 to `size`, that are written without a space between them."""
    cuts = [(digits[:k], digits[k:]) for k in range(1, len(digits)) if digits[k] != "0"]
    found = [(int(a), int(b)) for a, b in cuts if 1 <= int(a) <= size and 1 <= int(b) <= size]
    if len(found) != 1:
        raise damaged(path, 1, f"the column s{digits}m does not tell which two of {size} ports it joins")
    return found[0]


def _table(
    path: Path, wl: NDArray[np.float64], elements: Mapping[tuple[Wave, Wave], NDArray[np.complex128]]
) -> SampledData:
    """Put elements together, by rising frequency and with the project's sign of time."""
    try:
        frequency = frequency_Hz(as_wavelengths(wl))
    except ParameterError as error:
        message = f"Cannot read {path}: {error}"
        raise DataError(message) from None
    waves = list(dict.fromkeys(wave for pair in elements for wave in pair))
    waves.sort(key=lambda wave: (_number(wave[0]), _number(wave[1])))
    missing = [
        f"from {source[0]!r} to {to[0]!r}"
        for to in waves
        for source in waves
        if (to, source) not in elements and to[1] == source[1]
    ]
    if missing:
        message = f"Cannot read {path}: it holds no element {listing(missing, 3)}."
        raise DataError(message)
    s = np.zeros((frequency.size, len(waves), len(waves)), dtype=np.complex128)
    place = {wave: k for k, wave in enumerate(waves)}
    for (to, source), values in elements.items():
        if np.shape(values) != frequency.shape:
            found = f"{np.shape(values)} values for {frequency.size} wavelengths"
            message = f"Cannot read {path}: the element from {source[0]!r} to {to[0]!r} has {found}."
            raise DataError(message)
        s[:, place[to], place[source]] = values
    order = np.argsort(frequency, kind="stable")
    ports, modes = _names(waves)
    frequency, s = frequency[order], s[order]
    return SampledData(frequency, _with_positive_delay(path, frequency, s), ports, modes, path.name)


def _number(text: str) -> tuple[int, str]:
    """Return a key that sorts o2 before o10."""
    digits = re.findall(r"\d+", text)
    return (int(digits[-1]) if digits else 0, text)


def _names(waves: list[Wave]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ports and the labels of their modes, which ports of one mode do not carry."""
    ports = list(dict.fromkeys(port for port, _ in waves))
    named = dict(zip(ports, port_names(ports), strict=True))
    modes = tuple(mode for _, mode in waves)
    if len(ports) == len(waves):
        return tuple(named[port] for port, _ in waves), modes
    return tuple(f"{named[port]}@{mode}" for port, mode in waves), modes


def _with_positive_delay(
    path: Path, frequency: NDArray[np.float64], s: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return S, conjugated where the strongest path has a positive delay then; warn where none tells."""
    if len(frequency) < 2 or not np.any(s):
        return s
    clearest = clearest_delays(frequency, s)
    power = (np.abs(s) ** 2).mean(axis=0)
    steady = find_delays(frequency, s).steady
    weight = np.where(steady, power, 0.0) if steady.any() else power
    at = np.unravel_index(weight.argmax(), weight.shape)
    turned = 2 * np.pi * clearest[at] * (frequency[-1] - frequency[0])
    signed = s.conj() if turned < 0 else s
    delays = find_delays(frequency, signed)
    told = not delays.open[at] or abs(clearest[at]) != abs(delays.fitted_s[at])
    if not told or abs(turned) < _STILL_RAD:
        message = (
            f"{path}: its sign of time is not certain, as no strong path has a clear delay at these "
            f"wavelengths; {clearest[at]:.3g} s is made positive."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=6)
    return signed

"""S-parameters as numbers at frequencies: what files of measured or simulated parts hold.

`SampledData` is the noun that readers return and the component `sampled` takes; it knows no file format.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import DataError, did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

MAX_PORTS = 1000
MAX_NUMBERS = 50_000_000
"""Complex numbers in one table: 0.8 GB."""
MAX_AMPLITUDE = 1e9
"""Amplitude that a table may hold: what is beyond is damage, and overflows when it is squared."""
MAX_FREQUENCY_HZ = 1e18

_NUMBERED = re.compile(r"(?:port|p|o|opt)?[\s_]*(\d{1,12})", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\s,:<>.]+")


class FileTable:
    """What a setting that names a file holds; equal to another that holds the same, wherever it lies.

    noun: what it tabulates, in messages. reader: the function of photosim.files that reads it. includes:
    whether the file may name others, below a folder that its reader is given.
    """

    noun: ClassVar[str] = ""
    reader: ClassVar[str] = ""
    includes: ClassVar[bool] = False
    file: str
    digest: Any

    @property
    def name(self) -> str:
        """What messages call the table."""
        return self.file or "without a file"

    def _refuse(self, why: str) -> None:
        message = f"{self.file or 'the table'} is not a table of {self.noun}: {why}."
        raise DataError(message)

    def __eq__(self, other: object) -> bool:
        """Compare what the tables hold, not where they lie."""
        return isinstance(other, type(self)) and self.digest == other.digest

    def __hash__(self) -> int:
        """Hash of what the table holds."""
        return hash(self.digest)


@dataclass(frozen=True, eq=False)
class SampledData(FileTable):
    """Tabulated S-parameters with the time dependence exp(-i omega t).

    frequency_Hz: (F,), rising. s: (F, P, P) complex, [to, from]. ports: (P,) names; where a port carries
    several modes each has its own, as in o1@TE and o1@TM. modes: (P,) labels of the modes, empty where the
    file gives none. file: name for messages and netlists, which does not count when tables are compared.
    Raises DataError when shapes or numbers do not fit.
    """

    noun: ClassVar[str] = "S-parameters"
    reader: ClassVar[str] = "read_table"

    frequency_Hz: NDArray[np.float64]
    s: NDArray[np.complex128]
    ports: tuple[str, ...]
    modes: tuple[str, ...] = ()
    file: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what is not a table of S-parameters."""
        frequency = np.array(self.frequency_Hz, dtype=np.float64)
        s = np.array(self.s, dtype=np.complex128)
        size = len(self.ports)
        if frequency.ndim != 1 or s.shape != (frequency.size, size, size):
            self._refuse(f"S has shape {s.shape} for {frequency.size} frequencies and {size} ports")
        if not 1 <= size <= MAX_PORTS or not 1 <= s.size <= MAX_NUMBERS:
            bounds = f"the bounds are {MAX_PORTS} and {MAX_NUMBERS}"
            self._refuse(f"it has {size} ports and {s.size} numbers; {bounds}")
        if not (np.isfinite(frequency).all() and np.isfinite(s).all()):
            self._refuse("it holds a number that is not finite")
        largest = float(np.max(np.maximum(np.abs(s.real), np.abs(s.imag))))
        if largest > MAX_AMPLITUDE:
            self._refuse(f"it holds an amplitude of {largest:.3g}; the bound is {MAX_AMPLITUDE:g}")
        if frequency[-1] > MAX_FREQUENCY_HZ:
            self._refuse(f"it has a frequency of {frequency[-1]:.3g} Hz; the bound is {MAX_FREQUENCY_HZ:g}")
        if frequency[0] <= 0 or np.any(np.diff(frequency) <= 0):
            self._refuse("its frequencies do not rise from one row to the next")
        if len(set(self.ports)) < size:
            self._refuse(f"two of its ports have one name: {listing(self.ports)}")
        frequency.setflags(write=False)
        s.setflags(write=False)
        object.__setattr__(self, "frequency_Hz", frequency)
        object.__setattr__(self, "s", s)
        object.__setattr__(self, "modes", tuple(self.modes) or ("",) * size)
        if len(self.modes) != size:
            self._refuse(f"it has {len(self.modes)} mode labels for {size} ports")

    @property
    def wl_range(self) -> tuple[float, float]:
        """Shortest and longest wavelength in um."""
        short, long = SPEED_OF_LIGHT_UM_S / self.frequency_Hz[[-1, 0]]
        return float(short), float(long)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the modes that the ports carry, each once, in order; empty where the file gives none."""
        own = [port.partition("@")[2] for port in self.ports]
        found = own if any(own) else [mode for mode in self.modes if mode]
        return tuple(dict.fromkeys(found))

    @property
    def has_modes(self) -> bool:
        """Whether ports carry several modes, each as a port of its own such as o1@TE."""
        return any("@" in port for port in self.ports)

    def of_mode(self, mode: str) -> tuple[SampledData, float]:
        """Return the table of one mode alone, its ports without a label, and the power that is left out.

        That is the largest power ratio from the mode into others. Capitals do not matter. A table of one mode
        is itself, unless both labels begin with TE or TM and differ. Raises DataError for a mode that the
        table does not have.
        """
        labels = {label.lower(): label for label in self.labels}
        wanted = mode.strip().lower()
        if not self.has_modes:
            kinds = {label[:2] for label in labels} & {"te", "tm"}
            if wanted[:2] in {"te", "tm"} and kinds and wanted[:2] not in kinds:
                self._lacks(mode)
            return self, 0.0
        if wanted not in labels:
            self._lacks(mode)
        own = [port.partition("@")[2] == labels[wanted] for port in self.ports]
        kept, others = np.flatnonzero(own), np.flatnonzero(~np.array(own))
        s = self.s[:, kept][:, :, kept]
        lost = float(np.max(np.abs(self.s[:, others][:, :, kept]), initial=0.0)) ** 2
        ports = tuple(self.ports[k].partition("@")[0] for k in kept)
        label = labels[wanted]
        return SampledData(self.frequency_Hz, s, ports, (label,) * len(ports), self.file), lost

    def _lacks(self, mode: str) -> None:
        found = f"it has {listing(self.labels)}" if self.labels else "its file names none"
        message = (
            f"{self.file or 'the table'} has no mode {mode!r}: {found}.{did_you_mean(mode, self.labels)}"
        )
        raise DataError(message)

    @cached_property
    def digest(self) -> str:
        """Hash of everything but the file's name."""
        found = hashlib.sha256(repr((self.ports, self.modes)).encode())
        found.update(self.frequency_Hz.tobytes())
        found.update(self.s.tobytes())
        return found.hexdigest()

    def __repr__(self) -> str:
        """Say what the table is, in one line that differs for different tables."""
        low, high = self.wl_range
        return (
            f"SampledData({self.name!r}: ports {listing(self.ports)}, {len(self.frequency_Hz)} points, "
            f"{low:.6g} to {high:.6g} um, {self.digest[:12]})"
        )


def rising(frequency_Hz: ArrayLike, s: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """Return frequencies (F,) and S (F, P, P) with the frequencies rising, if they fall as given."""
    frequency, values = np.asarray(frequency_Hz, dtype=np.float64), np.asarray(s, dtype=np.complex128)
    falls = frequency.size > 1 and frequency[0] > frequency[-1]
    return (frequency[::-1], values[::-1]) if falls else (frequency, values)


def port_names(written: Sequence[str]) -> tuple[str, ...]:
    """Return names that netlists can use: "port 1" is o1; commas and spaces become underscores."""
    numbers = [_NUMBERED.fullmatch(name.strip()) for name in written]
    if all(numbers):
        return tuple(f"o{int(match[1])}" for match in numbers if match)
    return tuple(_FORBIDDEN.sub("_", name.strip()) or f"o{k + 1}" for k, name in enumerate(written))

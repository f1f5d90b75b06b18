"""S-parameters of electrical parts as numbers at frequencies: what Touchstone files of networks hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from photosim.model.sampled import FileTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_PORTS = 16
MAX_POINTS = 100_001


@dataclass(frozen=True, eq=False)
class ElectricalTable(FileTable):
    """Tabulated S-parameters of a network with the time dependence exp(+j omega t).

    frequency_Hz: (F,), rising, from 0 Hz or more. s: (F, P, P) complex, [to, from], of power waves. ohm: (P,)
    reference impedance of each port. file: name for messages and netlists. ordered: whether the file named
    its modes by [Mixed-Mode Order], which have become ports. Raises DataError when shapes or numbers do not
    fit.
    """

    noun: ClassVar[str] = "S-parameters of a network"
    reader: ClassVar[str] = "read_network"

    frequency_Hz: NDArray[np.float64]
    s: NDArray[np.complex128]
    ohm: NDArray[np.float64]
    file: str = ""
    ordered: bool = False

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what is not a table of a network."""
        frequency, s = np.array(self.frequency_Hz, dtype=np.float64), np.array(self.s, dtype=np.complex128)
        ohm = np.array(self.ohm, dtype=np.float64)
        if frequency.ndim != 1 or s.shape != (frequency.size, ohm.size, ohm.size):
            self._refuse(f"S has shape {s.shape} for {frequency.size} frequencies and {ohm.size} ports")
        if not 1 <= ohm.size <= MAX_PORTS or not 2 <= frequency.size <= MAX_POINTS:
            self._refuse(
                f"it has {ohm.size} ports and {frequency.size} frequencies; the bounds are 1 to {MAX_PORTS} "
                f"and 2 to {MAX_POINTS}"
            )
        if not (np.isfinite(frequency).all() and np.isfinite(s).all() and np.isfinite(ohm).all()):
            self._refuse("it holds a number that is not finite")
        if frequency[0] < 0.0 or np.any(np.diff(frequency) <= 0.0):
            self._refuse("its frequencies do not rise from one row to the next")
        if np.any(ohm <= 0.0):
            self._refuse(f"it has a reference impedance of {ohm.min():g} ohm; it must be above 0")
        for name, values in (("frequency_Hz", frequency), ("s", s), ("ohm", ohm)):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    @cached_property
    def digest(self) -> str:
        """Hash of everything but the file's name."""
        content = self.frequency_Hz.tobytes() + self.s.tobytes() + self.ohm.tobytes()
        return hashlib.sha256(content).hexdigest()

    def __repr__(self) -> str:
        """Say what the table is, in one line that differs for different ones."""
        return (
            f"ElectricalTable({self.name!r}: {self.ohm.size} ports, {self.frequency_Hz[0]:g} to "
            f"{self.frequency_Hz[-1]:g} Hz, {self.digest[:12]})"
        )

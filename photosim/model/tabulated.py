"""What files tabulate beside one S-matrix: an effective index by wavelength, S-matrices by a quantity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from photosim.errors import ParameterError, listing
from photosim.model.sampled import FileTable, SampledData

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.interpolate import CubicSpline

FEWEST = 4
"""Points of a cubic without a knot at its ends."""
MAX_POINTS = 1_000_000
_INDEX = (0.5, 10.0)
_WL_UM = (0.1, 100.0)
_COARSE = np.pi / 2
_SLACK = 1e-9
_WEAK_POWER = 1e-2


@dataclass(frozen=True, eq=False)
class IndexTable(FileTable):
    """Effective index by wavelength: wl (W,) in um, rising, and neff (W,), four points or more.

    Between the points a cubic spline, twice differentiable. Raises DataError when the numbers do not fit.
    """

    noun: ClassVar[str] = "effective indices over wavelength"
    reader: ClassVar[str] = "read_index"

    wl: NDArray[np.float64]
    neff: NDArray[np.float64]
    file: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what is not a table of indices."""
        wl, neff = np.array(self.wl, dtype=np.float64), np.array(self.neff, dtype=np.float64)
        if wl.ndim != 1 or wl.shape != neff.shape:
            self._refuse(f"neff has shape {neff.shape} for wavelengths of shape {wl.shape}")
        if not FEWEST <= wl.size <= MAX_POINTS:
            self._refuse(f"it has {wl.size} points; the bounds are {FEWEST} and {MAX_POINTS}")
        if not (np.isfinite(wl).all() and np.isfinite(neff).all()):
            self._refuse("it holds a number that is not finite")
        if np.any(np.diff(wl) <= 0):
            self._refuse("its wavelengths do not rise from one row to the next")
        for name, values, (low, high) in (("wavelength", wl, _WL_UM), ("index", neff, _INDEX)):
            if values.min() < low or values.max() > high:
                bad = values[(values < low) | (values > high)][0]
                self._refuse(f"it has a {name} of {bad:g}; the bounds are {low:g} and {high:g}")
        for name, values in (("wl", wl), ("neff", neff)):
            values.setflags(write=False)
            object.__setattr__(self, name, values)

    @cached_property
    def digest(self) -> str:
        """Hash of everything but the file's name."""
        return hashlib.sha256(self.wl.tobytes() + self.neff.tobytes()).hexdigest()

    @cached_property
    def _spline(self) -> CubicSpline[np.float64]:
        """The not-a-knot spline (deboor2001, chapter IV)."""
        from scipy.interpolate import CubicSpline  # loads when a table is first evaluated

        return CubicSpline(self.wl, self.neff)

    def series(self, wl: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the Taylor coefficients in wavelength of the index, (3, W), at wl (W,) in um.

        Raises ParameterError outside of the table.
        """
        low, high = self.wl[[0, -1]]
        bad = (wl < low * (1 - _SLACK)) | (wl > high * (1 + _SLACK))
        if bad.any():
            message = (
                f"table {self.name!r} has indices from {low:.7g} to {high:.7g} um, but {wl[bad][0]:.7g} um "
                "is requested: choose wavelengths inside, or a file that reaches further."
            )
            raise ParameterError(message)
        spline = self._spline
        return np.stack((spline(wl), spline(wl, 1), spline(wl, 2) / 2.0))


@dataclass(frozen=True, eq=False)
class SampledFamily(FileTable):
    """S-matrices of one part at several values of a quantity, such as the gap of a coupler.

    quantity: its name. values (G,), rising. frequency_Hz (F,), rising. s (G, F, P, P) complex, [to, from].
    ports: (P,). Raises DataError when shapes or numbers do not fit.
    """

    noun: ClassVar[str] = "S-parameters over a quantity"
    reader: ClassVar[str] = "read_family"

    quantity: str
    values: NDArray[np.float64]
    frequency_Hz: NDArray[np.float64]
    s: NDArray[np.complex128]
    ports: tuple[str, ...]
    file: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays and refuse what is not a family of tables."""
        values, s = np.array(self.values, dtype=np.float64), np.array(self.s, dtype=np.complex128)
        if values.ndim != 1 or values.size < 2 or s.ndim != 4 or len(s) != values.size:
            self._refuse(
                f"S has shape {s.shape} for {values.size} values of {self.quantity!r}; two are the least"
            )
        if not np.isfinite(values).all() or np.any(np.diff(values) <= 0):
            self._refuse(f"its values of {self.quantity!r} do not rise from one table to the next")
        for one in s:
            SampledData(self.frequency_Hz, one, self.ports, file=self.file)
        values.setflags(write=False)
        s.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "s", s)
        object.__setattr__(self, "frequency_Hz", np.array(self.frequency_Hz, dtype=np.float64))

    @cached_property
    def digest(self) -> str:
        """Hash of everything but the file's name."""
        found = hashlib.sha256(repr((self.quantity, self.ports)).encode())
        for array in (self.values, self.frequency_Hz, self.s):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    @cached_property
    def _turns(self) -> tuple[NDArray[np.float64], float]:
        """Phase per unit of the quantity of each element (P, P), and the largest step left by a strong one.

        A straight in the tables that grows with the quantity turns the phase in proportion; without that
        turn the complex value is a slow curve.
        """
        step = np.diff(self.values)[:, np.newaxis, np.newaxis]
        turn = (self.s[1:] * self.s[:-1].conj()).sum(axis=1)
        weight = np.abs(turn)
        norm = (weight * step**2).sum(axis=0)
        rate = (weight * step * np.angle(turn)).sum(axis=0) / np.where(norm > 0, norm, 1.0)
        left = np.abs(np.angle(turn * np.exp(-1j * rate * step)))
        strong = weight > _WEAK_POWER * len(self.frequency_Hz)
        return rate, float(np.where(strong, np.maximum(left, np.abs(np.angle(turn))), 0.0).max(initial=0.0))

    @property
    def coarse(self) -> bool:
        """Whether a phase steps by more than pi/2 from one table to the next, too far to tell its turns."""
        return self._turns[1] > _COARSE

    @cached_property
    def _spline(self) -> CubicSpline[np.complex128]:
        from scipy.interpolate import CubicSpline

        return CubicSpline(self.values, self.s * self._phasor(-self.values)[:, np.newaxis])

    def _phasor(self, at: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the turns of the elements at values (G,), shape (G, P, P)."""
        turned: NDArray[np.complex128] = np.exp(1j * self._turns[0] * at[:, np.newaxis, np.newaxis])
        return turned

    def at(self, value: float) -> SampledData:
        """Return the table at a value of the quantity; ParameterError outside of the tables."""
        low, high = self.values[[0, -1]]
        slack = _SLACK * (high - low)
        if not low - slack <= value <= high + slack:
            message = (
                f"table {self.name!r} has {self.quantity} from {low:g} to {high:g}, but {value:g} is "
                "requested: choose a value inside, or a file that reaches further."
            )
            raise ParameterError(message)
        return _at(self, float(value))

    def _at(self, value: float) -> SampledData:
        s = self._spline(value) * self._phasor(np.array([value]))[0]
        return SampledData(self.frequency_Hz, s, self.ports, file=f"{self.name} at {self.quantity} {value:g}")

    def __repr__(self) -> str:
        """Say what the family is, in one line that differs for different ones."""
        return (
            f"SampledFamily({self.name!r}: {self.quantity} {self.values[0]:g} to {self.values[-1]:g}, "
            f"ports {listing(self.ports)}, {self.digest[:12]})"
        )


@lru_cache(maxsize=256)
def _at(family: SampledFamily, value: float) -> SampledData:
    """Return the table of a family at a value; each is worked out once."""
    return family._at(value)  # noqa: SLF001 - of this module

"""S-matrices that know their ports and wavelengths."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.units import power_dB

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Trace:
    """One element of an S-matrix over wavelength: values (..., W) complex at wl (W,) in um."""

    wl: NDArray[np.float64]
    values: NDArray[np.complex128]
    source: str
    target: str

    @property
    def power(self) -> NDArray[np.float64]:
        """Transmitted power ratio |S|^2, shape (..., W)."""
        return self.values.real**2 + self.values.imag**2

    @property
    def power_dB(self) -> NDArray[np.float64]:
        """Transmitted power ratio in dB, shape (..., W)."""
        return power_dB(self.power)

    @property
    def phase(self) -> NDArray[np.float64]:
        """Phase in rad, unwrapped along wavelength, shape (..., W)."""
        return np.unwrap(np.angle(self.values), axis=-1)

    @property
    def group_delay(self) -> NDArray[np.float64]:
        """Group delay d arg S / d omega in s, shape (..., W), from differences over the wavelength grid.

        Raises ParameterError for fewer than two wavelengths.
        """
        if len(self.wl) < 2:
            message = "A group delay needs at least two wavelengths: ask for a grid around the one you want."
            raise ParameterError(message)
        omega = 2.0 * np.pi * SPEED_OF_LIGHT_UM_S / self.wl
        return np.gradient(self.phase, omega, axis=-1)


@dataclass(frozen=True)
class SMatrix:
    """The S-matrix of a circuit between its ports.

    `values` has shape (..., W, P, P), indexed [to, from]; `s["in", "drop"]`
    reads from-to. `wl` is the caller's grid in um.
    """

    wl: NDArray[np.float64]
    ports: tuple[str, ...]
    values: NDArray[np.complex128]
    name: str = field(default="circuit", compare=False)

    def __getitem__(self, pair: Any) -> Trace:
        """Return the trace from one port to another."""
        if not (isinstance(pair, tuple) and len(pair) == 2):
            message = f's[{pair!r}] does not name two ports: write s["from", "to"].'
            raise ParameterError(message)
        source, target = (self._number(p) for p in pair)
        return Trace(self.wl, self.values[..., target, source], *pair)

    def _number(self, port: str) -> int:
        if port not in self.ports:
            message = f"The result has no port {port!r}. It has: {listing(self.ports, 20)}."
            raise ParameterError(message + did_you_mean(port, self.ports))
        return self.ports.index(port)

    @property
    def power(self) -> NDArray[np.float64]:
        """All power ratios |S|^2, shape (..., W, P, P), [to, from]."""
        return self.values.real**2 + self.values.imag**2

    @property
    def power_dB(self) -> NDArray[np.float64]:
        """All power ratios in dB, shape (..., W, P, P), [to, from]."""
        return power_dB(self.power)

    @property
    def phase(self) -> NDArray[np.float64]:
        """All phases in rad, unwrapped along wavelength, shape (..., W, P, P)."""
        return np.unwrap(np.angle(self.values), axis=-3)

    def largest_singular_value(self) -> NDArray[np.float64]:
        """Largest amplitude gain over all inputs at each wavelength, shape (..., W); at most 1 if passive."""
        return np.asarray(np.linalg.norm(self.values, ord=2, axis=(-2, -1)))

    def is_passive(self, tolerance: float = 1e-9) -> bool:
        """Return whether no superposition of inputs leaves with more power than it brought."""
        return bool(np.all(self.largest_singular_value() <= 1.0 + tolerance))

    def is_reciprocal(self, tolerance: float = 1e-12) -> bool:
        """Return whether every path is equal in both directions."""
        return bool(np.all(np.abs(self.values - np.swapaxes(self.values, -1, -2)) <= tolerance))

    def to_xarray(self) -> xarray.DataArray:
        """Return a DataArray with dimensions (batch,) wavelength, to, from."""
        import xarray

        leading = [f"batch{k}" if k else "batch" for k in range(self.values.ndim - 3)]
        coordinates: dict[str, Any] = {
            "wavelength": self.wl,
            "to": list(self.ports),
            "from": list(self.ports),
        }
        array = xarray.DataArray(self.values, dims=(*leading, "wavelength", "to", "from"), coords=coordinates)
        array.coords["wavelength"].attrs["units"] = "um"
        return array

    def save(self, path: str | Path) -> Path:
        """Write the matrix to a file whose suffix says the form: .npz, .csv or .nc; return its path."""
        from photosim.files import write

        write(path, self)
        return Path(path)

    def plot(self, pairs: list[tuple[str, str]] | None = None) -> Any:
        """Plot power in dB over wavelength; return the matplotlib figure."""
        # The rim sits above this layer; it is reached only when somebody asks for a picture.
        from importlib import import_module

        return import_module("photosim.plotting").plot_smatrix(self, pairs)

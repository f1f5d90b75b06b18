"""One element of an S-matrix over wavelength."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.display import Shown, figure, listed, table
from photosim.smatrix.by_value import ByValue, keep
from photosim.smatrix.selecting import Lone, entry_of, extremes, selected
from photosim.smatrix.sharp import sharpened
from photosim.units import frequency_Hz, power_dB

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from photosim.smatrix.matrix import SMatrix


@dataclass(frozen=True, eq=False)
class Trace(Shown, ByValue):
    """One element of an S-matrix over wavelength: values (..., W) complex at wl (W,) in um.

    `series` gives the exact Taylor coefficients in wavelength (value, slope,
    half the curvature), each (..., W), where the result came from a circuit, or at other wavelengths. Arrays
    are read-only: change a copy. `batch` has the settings of a batch by dotted name, (B,) each, and `units`
    their units.
    """

    wl: NDArray[np.float64]
    values: NDArray[np.complex128]
    source: str
    target: str
    series: Callable[..., NDArray[np.complex128]] | None = field(default=None, compare=False, repr=False)
    batch: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, compare=False, repr=False)
    units: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        keep(self)

    def __repr__(self) -> str:
        """Say which element it is, over which wavelengths, and how strong it gets."""
        batch = f", batch {self.values.shape[:-1]}" if self.values.ndim > 1 else ""
        low, high = (float(f(self.power_dB)) for f in (np.min, np.max))
        level = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
        return f"Trace({self.source} to {self.target}: {listed(self.wl)}{batch}, {level} dB)"

    def __abs__(self) -> NDArray[np.float64]:
        """Return |S|, shape (..., W)."""
        return np.abs(self.values)

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Optical frequencies in Hz of the wavelengths, shape (W,)."""
        return frequency_Hz(self.wl)

    @property
    def resonance(self) -> Any:
        """Wavelength in um of the line that counts: a float, or an array (...) of a batch; see `metrics`."""
        return self._number("resonance")

    @property
    def fwhm(self) -> Any:
        """Full width at half maximum of that line in um: a float, or an array (...) of a batch."""
        return self._number("fwhm")

    @property
    def fsr(self) -> Any:
        """Free spectral range at that line in um: a float, or an array (...) of a batch."""
        return self._number("fsr")

    @property
    def q(self) -> Any:
        """Loaded quality factor of that line: a float, or an array (...) of a batch."""
        return self._number("q")

    def _number(self, name: str) -> Any:
        found = self.metrics()[name].values
        return float(found) if found.ndim == 0 else found

    def sel(self, *, wl: Any = None, batch: int | None = None) -> Trace:
        """Return a part of the trace.

        wl: a slice in um, which keeps the points of the grid between its ends; or one wavelength or several
        in um or as a text such as "1550nm", where a result of a circuit has its exact value, and another one
        that of the nearest point. batch: number of an entry, counted from 0. Raises ParameterError for a
        wavelength outside of the sweep and an entry that there is not.

        >>> import photosim as ps
        >>> drop = ps.load("add_drop_ring")(ps.wavelengths(1.54, 1.56, 201))["in", "drop"]
        >>> drop.sel(wl=1.55).power.shape, drop.sel(wl=slice(1.549, 1.551)).power.shape
        ((1,), (21,))
        """
        check_arguments(Trace.sel, locals())
        found = selected(self.wl, self.values, -1, wl, self.series)
        entry, given = entry_of(found.values, found.series, self.batch, batch, 1)
        return Trace(
            found.wl, entry[0], self.source, self.target, series=entry[1], batch=given, units=self.units
        )

    def as_matrix(self) -> SMatrix:
        """Return the trace as a matrix of its two ports, in which nothing but it passes light."""
        from photosim.smatrix.matrix import SMatrix

        ports = tuple(dict.fromkeys((self.source, self.target)))
        out, into = ports.index(self.target), ports.index(self.source)
        values = np.zeros((*self.values.shape, len(ports), len(ports)), dtype=np.complex128)
        values[..., out, into] = self.values
        lone = None if self.series is None else Lone(self.series, out, into, len(ports))
        return SMatrix(self.wl, ports, values, find_series=lone, batch=self.batch, units=self.units)

    def plot(self) -> Figure:
        """Draw the power in dB over wavelength, a batch coloured by its setting; return the figure."""
        from photosim.display import plotting

        return plotting().plot_trace(self)  # type: ignore[no-any-return]

    def html_blocks(self) -> Iterator[str]:
        """Return what a notebook shows: the spectrum, and its highest and lowest points."""
        yield figure(self.plot())
        wl, (level,) = sharpened(self.as_matrix(), [(self.source, self.target)])
        yield table(("", "power (dB)", "wavelength (um)"), extremes(wl, level))

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
        """Phase in rad, unwrapped along rising wavelength, shape (..., W)."""
        return unwrapped(self.wl, self.values, -1)

    @property
    def group_delay(self) -> NDArray[np.float64]:
        """Group delay d arg S / d omega in s, shape (..., W).

        Exact for a result of a circuit; not a number where S is zero. A matrix
        read from a file has no formula: its delay is that of a spline through
        its points, whatever their order. Fewer than two wavelengths, or one
        given twice with two values, raise ParameterError. Points too far apart
        leave a delay open by multiples of 1/(frequency step): a warning says
        what they allow, and a strong element of steady magnitude takes the
        smallest delay that is not negative.
        """
        slope, _ = _logarithmic(self._series(2))
        return -(self.wl**2) * slope.imag / (2.0 * np.pi * SPEED_OF_LIGHT_UM_S)

    @property
    def dispersion(self) -> NDArray[np.float64]:
        """Change of the group delay with wavelength in s/um, shape (..., W); exact as the group delay is."""
        slope, curvature = _logarithmic(self._series(3))
        change = 2.0 * self.wl * slope.imag + self.wl**2 * curvature.imag
        return -change / (2.0 * np.pi * SPEED_OF_LIGHT_UM_S)

    def metrics(
        self, *, near: float | None = None, channels: Sequence[float] | None = None
    ) -> xarray.Dataset:
        """Return resonance, free spectral range, width, Q, extinction, ... as an xarray Dataset.

        Numbers of the line next to `near` in um (the middle of the sweep if None), and, called `line_...`, of
        every line. docs/metrics.md defines them: wavelengths and widths are in um, `*_dB` in dB, the group
        delay in s. Lines that overlap or are asymmetric have no width; `flags` say so. `channels` are
        wavelengths in um between which `crosstalk_dB` is given. Exact for a result of a circuit, and by a
        rational function through four neighbouring points for one read from a file.

        Raises ParameterError for fewer than 4 wavelengths or one given twice.
        """
        check_arguments(Trace.metrics, locals())
        from photosim.metrics.trace import of_trace

        return of_trace(self, near, channels)

    def _series(self, points: int) -> NDArray[np.complex128]:
        """Return the Taylor coefficients in wavelength, (3, ..., W), of the circuit or through the points."""
        if self.series is not None:
            return self.series()
        from photosim.model.interpolation import series_of_points  # spectra of circuits never need it

        return series_of_points(self.wl, self.values, points, f"{self.source} to {self.target}")


def unwrapped(wl: NDArray[np.float64], values: NDArray[np.complex128], axis: int) -> NDArray[np.float64]:
    """Return phases in rad in the shape of the values, unwrapped from the shortest wavelength up."""
    order = np.argsort(wl, kind="stable")
    phase = np.unwrap(np.angle(np.take(values, order, axis=axis)), axis=axis)
    return np.asarray(np.take(phase, np.argsort(order), axis=axis))


def _logarithmic(series: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return the first and second derivative of log S from the Taylor coefficients of S."""
    value, first, half = series
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = first / value
        return slope, 2.0 * half / value - slope**2

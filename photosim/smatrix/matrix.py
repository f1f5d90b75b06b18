"""S-matrices that know their ports and wavelengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.display import Shown, figure, listed, table
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import shown
from photosim.smatrix.by_value import ByValue, keep
from photosim.smatrix.selecting import entry_of, extremes, selected
from photosim.smatrix.sharp import sharpened
from photosim.smatrix.trace import Trace, unwrapped
from photosim.units import frequency_Hz, power_dB

if TYPE_CHECKING:
    import xarray
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@public
@dataclass(frozen=True, eq=False)
class SMatrix(Shown, ByValue):
    """The S-matrix of a circuit between its ports, over wavelength.

    `values` has shape (..., W, P, P), indexed [to, from]; `s["in", "drop"]` is the element from `in` to
    `drop`. `wl` has the wavelengths in um. `find_series` computes the Taylor coefficients in wavelength for
    group delay and dispersion. `batch` has the settings that differ from entry to entry by dotted name, (B,)
    each, and `units` their units. Arrays are read-only: change `s.values.copy()`.

    >>> import photosim as ps
    >>> s = ps.load("add_drop_ring")(ps.wavelengths(1.54, 1.56, 2001))
    >>> s.ports
    ('in', 'drop', 'add', 'through')
    >>> round(float(s["in", "drop"].power_dB.max()), 2), round(1e6 * s["in", "drop"].fwhm)  # dB, pm
    (-0.5, 94)
    """

    wl: NDArray[np.float64]
    ports: tuple[str, ...]
    values: NDArray[np.complex128]
    name: str = field(default="circuit", compare=False)
    find_series: Callable[..., NDArray[np.complex128]] | None = field(default=None, compare=False, repr=False)
    batch: Mapping[str, NDArray[np.float64]] = field(default_factory=dict, compare=False, repr=False)
    units: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        keep(self)

    def __repr__(self) -> str:
        """Say between which ports and over which wavelengths the matrix is, in one line."""
        batch = f", batch {self.values.shape[:-3]}" if self.values.ndim > 3 else ""
        return f"SMatrix({self.name!r}: ports {listing(self.ports)}; {listed(self.wl)}{batch})"

    def __abs__(self) -> NDArray[np.float64]:
        """Return all |S|, shape (..., W, P, P), [to, from]."""
        return np.abs(self.values)

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Optical frequencies in Hz of the wavelengths, shape (W,)."""
        return frequency_Hz(self.wl)

    def _ipython_key_completions_(self) -> list[tuple[str, str]]:
        """Return the pairs of ports, for completion between brackets."""
        return [(a, b) for a in self.ports for b in self.ports]

    def __getitem__(self, pair: Any) -> Trace:
        """Return the trace from one port to another."""
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(p, str) for p in pair)):
            message = f's[{shown(pair)}] does not name two ports: write s["from", "to"].'
            raise ParameterError(message)
        source, target = (self._number(p) for p in pair)
        series = None if self.find_series is None else _Element(self, target, source)
        own = self.values[..., target, source].copy()
        return Trace(self.wl.copy(), own, *pair, series=series, batch=self.batch, units=self.units)

    def sel(self, *, wl: Any = None, batch: int | None = None) -> SMatrix:
        """Return the S-matrix at some wavelengths, or of one entry of a batch; see `Trace.sel`."""
        check_arguments(SMatrix.sel, locals())
        found = selected(self.wl, self.values, -3, wl, self.find_series)
        (values, series), given = entry_of(found.values, found.series, self.batch, batch, 3)
        return SMatrix(found.wl, self.ports, values, self.name, series, given, self.units)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Remarks on features that the wavelength grid does not show, such as a resonance between two points.

        For this, the circuit is computed half-way between the points. A matrix from a file cannot be.
        """
        missed = getattr(self.find_series, "missed", None)
        return () if missed is None else tuple(missed())

    @cached_property
    def _series(self) -> NDArray[np.complex128]:
        """Taylor coefficients in wavelength of all elements, computed at their first use."""
        if self.find_series is None:
            message = "This matrix was not computed from a circuit, so it has no exact derivatives."
            raise ParameterError(message)
        return self.find_series()

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
        """All phases in rad, unwrapped along rising wavelength, shape (..., W, P, P)."""
        return unwrapped(self.wl, self.values, -3)

    def metrics(
        self, *, near: float | None = None, channels: Sequence[float] | None = None
    ) -> xarray.Dataset:
        """Return the metrics of all pairs of ports over dimensions (batch,) from, to; see `Trace.metrics`."""
        check_arguments(SMatrix.metrics, locals())
        from photosim.metrics.trace import of_matrix

        return of_matrix(self, near, channels)

    def largest_singular_value(self) -> NDArray[np.float64]:
        """Largest amplitude gain over all inputs at each wavelength, shape (..., W); at most 1 if passive."""
        return np.asarray(np.linalg.norm(self.values, ord=2, axis=(-2, -1)))

    def is_passive(self, tolerance: float = 1e-9) -> bool:
        """Return whether no superposition of inputs leaves with more power than it had."""
        check_arguments(SMatrix.is_passive, locals())
        return bool(np.all(self.largest_singular_value() <= 1.0 + tolerance))

    def is_reciprocal(self, tolerance: float = 1e-12) -> bool:
        """Return whether the S-matrix is symmetric: every path is equal in both directions."""
        check_arguments(SMatrix.is_reciprocal, locals())
        return bool(np.all(np.abs(self.values - np.swapaxes(self.values, -1, -2)) <= tolerance))

    def to_xarray(self) -> xarray.DataArray:
        """Return a DataArray with dimensions (batch,) wavelength, to, from."""
        import xarray

        leading = [f"batch{k}" if k else "batch" for k in range(self.values.ndim - 3)]
        coordinates: dict[str, Any] = {
            "wavelength": self.wl.copy(),
            "to": list(self.ports),
            "from": list(self.ports),
        }
        array = xarray.DataArray(
            self.values.copy(), dims=(*leading, "wavelength", "to", "from"), coords=coordinates
        )
        array.coords["wavelength"].attrs["units"] = "um"
        return array

    def save(self, path: str | Path) -> Path:
        """Write the matrix to a file in the format of its suffix, see `photosim.files`; return its path."""
        check_arguments(SMatrix.save, locals())
        from photosim.files import write

        write(path, self)
        return Path(path)

    def to_touchstone(self, path: str | Path) -> Path:
        """Write a Touchstone file and return its path; a name without suffix gets that of its ports, as .s2p.

        Raises DataError for the suffix of another format or of another number of ports.
        """
        check_arguments(SMatrix.to_touchstone, locals())
        from photosim.files import check_target

        own = f".s{len(self.ports)}p"
        target = Path(path)
        return self.save(check_target(target if target.suffix else target.with_suffix(own), (own, ".ts")))

    def plot(self, pairs: list[tuple[str, str]] | None = None) -> Figure:
        """Draw the power in dB of (from, to) pairs over wavelength, and return the matplotlib figure.

        By default the pairs are those from the inputs to all ports where light arrives. Many pairs are a
        colour map, a single wavelength is a matrix, and a batch is coloured by its setting.
        """
        check_arguments(SMatrix.plot, locals())
        from photosim.display import plotting

        return plotting().plot_smatrix(self, pairs)  # type: ignore[no-any-return]

    def html_blocks(self) -> Iterator[str]:
        """Yield the HTML that a notebook displays: the spectrum, and extremes of the drawn pairs of ports."""
        from photosim.display import plotting

        yield figure(self.plot())
        pairs = plotting().shown_pairs(self)
        wl, levels = sharpened(self, pairs)
        ends = [extremes(wl, level) for level in levels]
        rows = [(*pair, *high[1:], *low[1:]) for pair, (high, low) in zip(pairs, ends, strict=True)]
        heads = ("from", "to", "highest (dB)", "at (um)", "lowest (dB)", "at (um)")
        yield table(heads, rows, f"{self.name}: {listed(self.wl)}")
        yield " ".join(escape(text) for text in self.remarks)


@dataclass(frozen=True)
class _Element:
    """The Taylor coefficients of one element of a matrix, computed at their first use."""

    matrix: SMatrix
    target: int
    source: int

    def __call__(self, wl: NDArray[np.float64] | None = None) -> NDArray[np.complex128]:
        if wl is not None and self.matrix.find_series is not None:
            return self.matrix.find_series(wl)[..., self.target, self.source]
        return self.matrix._series[..., self.target, self.source]  # noqa: SLF001 - of this file

"""S-matrices that know their ports and wavelengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import shown
from photosim.units import power_dB

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray


class ByValue:
    """Results that are equal where all that they hold is equal, arrays element by element, NaN to NaN."""

    def __eq__(self, other: object) -> bool:
        """Return whether the other result is of the same class and holds the same."""
        if type(other) is not type(self):
            return NotImplemented
        names = [f.name for f in fields(self) if f.compare]  # type: ignore[arg-type]
        return all(_same(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]


def _keep(result: Any) -> None:
    """Make the arrays of a frozen result read-only, without a copy: it stays what was computed or read."""
    for name in ("wl", "values"):
        held = np.asarray(getattr(result, name)).view()
        held.flags.writeable = False
        object.__setattr__(result, name, held)


def _same(a: Any, b: Any) -> bool:
    """Return whether two values of a result are equal."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        floats = all(np.asarray(x).dtype.kind in "fc" for x in (a, b))
        return np.array_equal(a, b, equal_nan=floats)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "identical") and type(a) is type(b):  # xarray's
        return bool(a.identical(b))
    if isinstance(a, partial) and isinstance(b, partial):
        return _same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords))
    if is_dataclass(a) and type(a) is type(b) and not isinstance(a, ByValue):
        return all(_same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.compare)
    if isinstance(a, float) and isinstance(b, float):
        return a == b or bool(np.isnan(a) and np.isnan(b))
    return bool(a == b)


Maker = TypeVar("Maker", bound="Callable[..., Any]")


class Remade:
    """A function of an S-matrix, such as a loss, that crosses processes as the call that made it."""

    def __init__(self, maker: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self._call = maker, _own(arguments), _own(named)
        self._made = vars(maker)["__wrapped__"](*arguments, **named)  # checks its arguments

    def __call__(self, s: SMatrix) -> Any:
        """Return what the function makes of an S-matrix."""
        return self._made(s)

    def __reduce__(self) -> tuple[Any, ...]:
        """Cross processes as the call that made it."""
        maker, arguments, named = self._call
        return partial(maker, **named), arguments

    def __eq__(self, other: object) -> bool:
        """Return whether the other one was made by an equal call."""
        return isinstance(other, Remade) and _same(self._call, other._call)

    def __hash__(self) -> int:
        """Return a hash of what made it."""
        return hash(self._call[0])

    def __repr__(self) -> str:
        """Return the call that made it."""
        maker, arguments, named = self._call
        given = [*map(shown, arguments), *(f"{name}={shown(value)}" for name, value in named.items())]
        return f"{maker.__name__}({', '.join(given)})"


def _own(value: Any) -> Any:
    """Return a value that its giver's later changes do not reach: arrays, and lists and dicts of them."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, dict):
        return {name: _own(entry) for name, entry in value.items()}
    return type(value)(map(_own, value)) if type(value) in {list, tuple} else value


def remade(maker: Maker) -> Maker:
    """Return a maker of functions of an S-matrix that cross processes."""

    @wraps(maker)
    def made(*arguments: Any, **named: Any) -> Any:
        return Remade(made, arguments, named)

    return made  # type: ignore[return-value]


@dataclass(frozen=True, eq=False)
class Trace(ByValue):
    """One element of an S-matrix over wavelength: values (..., W) complex at wl (W,) in um.

    `series` gives the exact Taylor coefficients in wavelength (value, slope,
    half the curvature), each (..., W), where the result came from a circuit, or at other wavelengths. Arrays
    are read-only: change a copy.
    """

    wl: NDArray[np.float64]
    values: NDArray[np.complex128]
    source: str
    target: str
    series: Callable[..., NDArray[np.complex128]] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        _keep(self)

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
        return _unwrapped(self.wl, self.values, -1)

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


@public
@dataclass(frozen=True, eq=False)
class SMatrix(ByValue):
    """The S-matrix of a circuit between its ports.

    `values` has shape (..., W, P, P), indexed [to, from]; `s["in", "drop"]`
    reads from-to. `wl` is the caller's grid in um. `find_series` computes the Taylor coefficients in
    wavelength when a group delay is asked for. Arrays are read-only: change `s.values.copy()`.
    """

    wl: NDArray[np.float64]
    ports: tuple[str, ...]
    values: NDArray[np.complex128]
    name: str = field(default="circuit", compare=False)
    find_series: Callable[..., NDArray[np.complex128]] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        _keep(self)

    def __getitem__(self, pair: Any) -> Trace:
        """Return the trace from one port to another."""
        if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(p, str) for p in pair)):
            message = f's[{shown(pair)}] does not name two ports: write s["from", "to"].'
            raise ParameterError(message)
        source, target = (self._number(p) for p in pair)
        series = None if self.find_series is None else _Element(self, target, source)
        return Trace(self.wl.copy(), self.values[..., target, source].copy(), *pair, series=series)

    @cached_property
    def _series(self) -> NDArray[np.complex128]:
        """Taylor coefficients in wavelength of all elements, computed when first asked for."""
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
        return _unwrapped(self.wl, self.values, -3)

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
        """Return whether no superposition of inputs leaves with more power than it brought."""
        check_arguments(SMatrix.is_passive, locals())
        return bool(np.all(self.largest_singular_value() <= 1.0 + tolerance))

    def is_reciprocal(self, tolerance: float = 1e-12) -> bool:
        """Return whether every path is equal in both directions."""
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
        """Write the matrix to a file whose suffix says the form, see `photosim.files`; return its path."""
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

    def plot(self, pairs: list[tuple[str, str]] | None = None) -> Any:
        """Plot power in dB over wavelength; return the matplotlib figure."""
        check_arguments(SMatrix.plot, locals())
        from photosim.plotting import plot_smatrix

        return plot_smatrix(self, pairs)


def _unwrapped(wl: NDArray[np.float64], values: NDArray[np.complex128], axis: int) -> NDArray[np.float64]:
    """Return phases in rad in the shape of the values, unwrapped from the shortest wavelength up."""
    order = np.argsort(wl, kind="stable")
    phase = np.unwrap(np.angle(np.take(values, order, axis=axis)), axis=axis)
    return np.asarray(np.take(phase, np.argsort(order), axis=axis))


@dataclass(frozen=True)
class _Element:
    """The Taylor coefficients of one element of a matrix, computed when asked for."""

    matrix: SMatrix
    target: int
    source: int

    def __call__(self, wl: NDArray[np.float64] | None = None) -> NDArray[np.complex128]:
        if wl is not None and self.matrix.find_series is not None:
            return self.matrix.find_series(wl)[..., self.target, self.source]
        return self.matrix._series[..., self.target, self.source]  # noqa: SLF001 - of this file


def _logarithmic(series: NDArray[np.complex128]) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Return the first and second derivative of log S from the Taylor coefficients of S."""
    value, first, half = series
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = first / value
        return slope, 2.0 * half / value - slope**2

"""Residuals of a fit and their exact Jacobian: a circuit's powers, an envelope, a noise floor."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.fits.parameters import Parameter
from photosim.errors import ParameterError, PhotosimWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

DECIBEL = 10.0 / np.log(10.0)
_DARK = 1e-30
_FAR = 1e4


@dataclass(frozen=True, eq=False)
class Spectra:
    """Measured powers as a fit takes them.

    wl: wavelengths in um, rising, (W,).  names: of the columns.  pairs: (from, to) of each.  power: (C, W),
    in mW or as a ratio; nan where it is not known.  decibels: the same in dB; nan where a linear power is not
    positive.
    """

    wl: NDArray[np.float64]
    names: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    power: NDArray[np.float64]
    decibels: NDArray[np.float64]

    def at(self, where: Any) -> Spectra:
        """Return the spectra at some wavelengths only."""
        return replace(self, wl=self.wl[where], power=self.power[:, where], decibels=self.decibels[:, where])


class Powers:
    """Powers of a circuit between ports, and their derivatives by the fitted settings."""

    def __init__(
        self,
        circuit: Circuit,
        names: tuple[str, ...],
        pairs: tuple[tuple[str, str], ...],
        fixed: Mapping[str, Any],
    ) -> None:
        from photosim.circuit import Circuit

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)  # the user's own circuit has said it
            self.circuit = Circuit(circuit.netlist, windows="ignore")
        self.names, self.pairs, self.fixed = names, pairs, dict(fixed)
        self.outputs = tuple(dict.fromkeys(end for _, end in pairs))
        self.inputs = tuple(dict.fromkeys(start for start, _ in pairs))
        self.places = [(self.outputs.index(end), self.inputs.index(start)) for start, end in pairs]

    def values(self, wl: NDArray[np.float64], theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return |S|**2, (..., C, W), of settings (..., n)."""
        settings = {name: theta[..., k] for k, name in enumerate(self.names)}
        compiled, point = self.circuit.at({**self.fixed, **settings})
        s = compiled.waves(self.outputs, self.inputs, point, wl)
        return np.stack([np.abs(s[..., o, i]) ** 2 for o, i in self.places], axis=-2)

    def slopes(
        self, wl: NDArray[np.float64], theta: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return |S|**2, (C, W), and its derivatives (C, W, n) by the settings (n,)."""
        settings = dict(zip(self.names, theta.tolist(), strict=True))
        compiled, point = self.circuit.at({**self.fixed, **settings})
        target = compiled.target(self.names, point, len(wl))
        s = compiled.waves(self.outputs, self.inputs, point, wl)
        plan = compiled.wave_plan(self.outputs, self.inputs, keep=True)
        slopes = np.empty((len(self.pairs), len(wl), len(self.names)))
        for c, (o, i) in enumerate(self.places):
            cotangent = np.zeros_like(s)
            cotangent[:, o, i] = 2.0 * s[:, o, i]
            found = compiled.pull_back(plan, target, point, wl, cotangent)
            for k, name in enumerate(self.names):
                slopes[c, :, k] = found[name]
        return np.stack([np.abs(s[:, o, i]) ** 2 for o, i in self.places]), slopes


@dataclass(frozen=True, eq=False)
class Problem:
    """A least-squares problem over settings, envelope and floor, each in units of its own scale.

    powers: the circuit.  data: what was measured.  parameters: the fitted settings.  degree: of the envelope
    of each column, a polynomial in dB over wavelength; None for none.  divided: the best envelope is divided
    out at each step, instead of being fitted.  floor: first guess of each column's noise floor in dB, (C,),
    or None.  linear: residuals of powers over the strongest one, instead of dB.  smooth: width of a running
    mean of powers over wavelengths (samples), 0 for none.  noise: standard deviation of a residual that
    counts for one, against the priors.
    """

    powers: Powers
    data: Spectra
    parameters: tuple[Parameter, ...]
    degree: int | None = None
    divided: bool = False
    floor: NDArray[np.float64] | None = None
    linear: bool = False
    smooth: float = 0.0
    noise: float = 1.0

    def __post_init__(self) -> None:
        """Prepare what every step needs."""
        wl, span = self.data.wl, self.data.wl[-1] - self.data.wl[0]
        terms = 0 if self.degree is None else self.degree + 1
        basis = np.polynomial.legendre.legvander(2.0 * (wl - wl[0]) / span - 1.0, max(terms - 1, 0))[
            :, :terms
        ]
        power = self._smoothed(np.nan_to_num(self.data.power))
        with np.errstate(divide="ignore", invalid="ignore"):
            decibels = 10.0 * np.log10(np.maximum(power, 0.0)) if self.smooth else self.data.decibels
        known = np.isfinite(decibels) if not self.linear else np.isfinite(self.data.power)
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "goal", np.where(known, power if self.linear else decibels, 0.0))
        object.__setattr__(self, "known", known)
        object.__setattr__(self, "strongest", np.nanmax(np.abs(self.data.power), axis=1)[:, np.newaxis])
        scales = [scale_of(p) for p in self.parameters] + [1.0] * (self.size - len(self.parameters))
        object.__setattr__(self, "scales", np.array(scales))

    basis: Any = None
    goal: Any = None
    known: Any = None
    strongest: Any = None
    scales: Any = None

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.data.names)

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of what is fitted beside settings, in order."""
        names: list[str] = []
        if not self.divided:
            for column in self.data.names:
                names += [f"envelope.{column}.{k}" for k in range(self.basis_terms)]
        if self.floor is not None:
            names += [f"floor.{column}" for column in self.data.names]
        return tuple(names)

    @property
    def basis_terms(self) -> int:
        """Number of terms of each envelope."""
        return 0 if self.degree is None else self.degree + 1

    @property
    def size(self) -> int:
        """Number of fitted numbers."""
        return len(self.parameters) + len(self.extra)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all that is fitted."""
        return (*(p.name for p in self.parameters), *self.extra)

    @property
    def units(self) -> tuple[str, ...]:
        """Units of all that is fitted."""
        return (*(p.unit for p in self.parameters), *("dB",) * len(self.extra))

    def bounds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lowest and highest x."""
        rest = len(self.extra)
        low = np.array([*(p.low for p in self.parameters), *[-np.inf] * rest]) / self.scales
        high = np.array([*(p.high for p in self.parameters), *[np.inf] * rest]) / self.scales
        return low, high

    def whole(self, settings: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return x of settings (n,) with an envelope of the best level and a floor as guessed."""
        x = np.concatenate([settings, np.zeros(len(self.extra))])
        n = len(self.parameters)
        if self.floor is not None:
            x[self.size - self.columns :] = self.floor
        if self.basis_terms and not self.divided:
            left = self.goal_dB() - self._total_dB(x)
            for c in range(self.columns):
                rows = self.known[c] if not self.linear else np.isfinite(left[c])
                fitted, *_ = np.linalg.lstsq(self.basis[rows], left[c, rows], rcond=None)
                first = n + c * self.basis_terms
                x[first : first + self.basis_terms] = fitted
        return np.asarray(x / self.scales)

    def goal_dB(self) -> NDArray[np.float64]:
        """Return what was measured in dB, (C, W)."""
        if not self.linear:
            return np.asarray(self.goal)
        return self.data.decibels

    def _total_dB(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        total, *_ = self._totals(
            theta, self._smoothed(self.powers.values(self.data.wl, self._settings(theta)))
        )
        return np.asarray(10.0 * np.log10(total))

    def _settings(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        n = len(self.parameters)
        return np.clip(theta[:n], [p.low for p in self.parameters], [p.high for p in self.parameters])

    def _smoothed(self, values: NDArray[np.float64], axis: int = 1) -> NDArray[np.float64]:
        if not self.smooth:
            return values
        from scipy.ndimage import gaussian_filter1d

        return np.asarray(gaussian_filter1d(values, self.smooth, axis=axis, mode="nearest", truncate=3.0))

    def _totals(self, theta: NDArray[np.float64], power: NDArray[np.float64]) -> tuple[Any, Any, Any]:
        """Return the whole power, the envelope's factor and the floor, (C, W), (C, W), (C, 1)."""
        n, terms = len(self.parameters), self.basis_terms
        factor: Any = np.ones_like(power)
        if terms and not self.divided:
            coefficients = theta[n : n + self.columns * terms].reshape(self.columns, terms)
            factor = 10.0 ** (coefficients @ self.basis.T / 10.0)
        lowest: Any = np.zeros((self.columns, 1))
        if self.floor is not None:
            lowest = 10.0 ** (theta[self.size - self.columns :, np.newaxis] / 10.0)
        return power * factor + lowest + _DARK, factor, lowest

    def curves_dB(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the fitted powers in dB, (C, W), the best envelope in where it is divided out."""
        found = self._total_dB(x * self.scales)
        if self.divided:
            found = found + self._projected(self.goal_dB() - found)
        return found

    def residuals(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return all residuals, those of the priors last, each over its standard deviation."""
        theta = x * self.scales
        try:
            power = self._smoothed(self.powers.values(self.data.wl, self._settings(theta)))
        except ParameterError:  # an expression of the netlist leaves the bounds of a part
            return np.full(self.known.sum() + self.priors().shape[0], _FAR)
        total, *_ = self._totals(theta, power)
        left = self._left(total)
        return np.concatenate([left[self.known] / self.noise, self.prior_residuals(theta)])

    def cost_of(self, theta: NDArray[np.float64], power: NDArray[np.float64]) -> float:
        """Return half the sum of squares for the circuit's powers (C, W), without priors."""
        total, *_ = self._totals(theta, self._smoothed(power))
        return 0.5 * float(np.sum(self._left(total)[self.known] ** 2)) / self.noise**2

    def _left(self, total: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.linear:
            return np.asarray((total - self.goal) / self.strongest)
        left = np.where(self.known, 10.0 * np.log10(total) - self.goal, 0.0)
        return left - self._projected(left) if self.divided else left

    def _projected(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the polynomial part of values (C, W, ...) over known wavelengths."""
        found = np.zeros_like(values)
        for c in range(self.columns):
            rows = self.known[c]
            fitted, *_ = np.linalg.lstsq(self.basis[rows], values[c, rows], rcond=None)
            found[c] = self.basis @ fitted
        return found

    def jacobian(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the derivatives of all residuals by x, (N, n)."""
        theta = x * self.scales
        power, slopes = self.powers.slopes(self.data.wl, self._settings(theta))
        power, slopes = self._smoothed(power), self._smoothed(slopes)
        total, factor, lowest = self._totals(theta, power)
        n, terms = len(self.parameters), self.basis_terms
        columns = np.zeros((*total.shape, self.size))
        columns[..., :n] = slopes * factor[..., np.newaxis]
        for c in range(self.columns):
            if terms and not self.divided:
                first = n + c * terms
                columns[c, :, first : first + terms] = (factor[c] * power[c] / DECIBEL)[
                    :, np.newaxis
                ] * self.basis
            if self.floor is not None:
                columns[c, :, self.size - self.columns + c] = lowest[c] / DECIBEL
        if self.linear:
            columns /= self.strongest[..., np.newaxis]
        else:
            columns *= DECIBEL / total[..., np.newaxis]
            if self.divided:
                columns = columns - self._projected(columns)
        rows = columns[self.known] / self.noise
        return np.asarray(np.concatenate([rows, self.priors()]) * self.scales)

    def shift(self, whole: Problem, theta: NDArray[np.float64], window: slice) -> None:
        """Take the envelope that `whole` has at theta, in a window, off what was measured."""
        if whole.basis_terms and not whole.divided:
            n, terms = len(whole.parameters), whole.basis_terms
            coefficients = theta[n : n + whole.columns * terms].reshape(whole.columns, terms)
            envelope = (coefficients @ whole.basis.T)[:, window]
        elif whole.divided:
            envelope = (whole.curves_dB(theta / whole.scales) - whole._total_dB(theta))[:, window]
        else:
            return
        changed = self.goal / 10.0 ** (envelope / 10.0) if self.linear else self.goal - envelope
        object.__setattr__(self, "goal", changed)

    def priors(self) -> NDArray[np.float64]:
        """Return the derivatives of the priors' residuals by settings in their units, (P, size)."""
        found = np.zeros((sum(p.has_prior for p in self.parameters), self.size))
        row = 0
        for k, p in enumerate(self.parameters):
            if p.has_prior:
                found[row, k] = 1.0 / p.sigma
                row += 1
        return found

    def prior_residuals(self, theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the residuals of the priors, (P,)."""
        found = [(theta[k] - p.mean) / p.sigma for k, p in enumerate(self.parameters) if p.has_prior]
        return np.array(found, dtype=np.float64)

    def changed(self, **changes: Any) -> Problem:
        """Return the problem with other options."""
        fresh: dict[str, Any] = dict.fromkeys(("basis", "goal", "known", "strongest", "scales"))
        return replace(self, **fresh, **changes)


def scale_of(parameter: Parameter) -> float:
    """Return what a step of 1 is worth: a tenth of how far off the setting may be."""
    return float(max(0.1 * min(parameter.spread, 1e6), 1e-12))

"""Ready-made losses of an S-matrix: each returns loss(s) -> (value, cotangent) for value_and_grad.

Where a loss takes `mask`, `weights` or `band`, only the wavelengths that all of them leave count: mask has
True for those that count, weights are 0 or more, and band is (shortest, longest) in um, ends included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from photosim.arguments import public
from photosim.bounds import is_number
from photosim.errors import ParameterError
from photosim.reals import NotReal, as_real, holds_masked, shown
from photosim.smatrix import remade

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.smatrix import SMatrix

Loss: TypeAlias = "Callable[[SMatrix], tuple[float, NDArray[np.complex128]]]"
"""The cotangent is dL/dRe S + i dL/dIm S, in the shape of s.values."""


@remade
@public
def power(
    pairs: Sequence[tuple[str, str]], *, mask: Any = None, weights: Any = None, band: Any = None
) -> Loss:
    """Return a loss: the power ratio, averaged over wavelengths and summed over (from, to) pairs.

    mask: True for wavelengths that count, (W,).  weights: one weight for each wavelength, (W,).  band:
    (shortest, longest) wavelength in um that counts.
    """
    counted = _Counted("power", mask, weights, band)
    if not len(pairs):
        message = "power: give at least one (from, to) pair of ports."
        raise ParameterError(message)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        share = counted.shares(s)
        value = 0.0
        for source, target in pairs:
            trace = s[source, target]
            value += _mean(trace.power, share)
            cotangent[..., s.ports.index(target), s.ports.index(source)] += (
                2.0 * share * trace.values / _batch(trace.power)
            )
        return value, cotangent

    return loss


@remade
@public
def target_spectrum(
    pair: tuple[str, str], wanted: ArrayLike, *, mask: Any = None, weights: Any = None, band: Any = None
) -> Loss:
    """Return a loss: the mean squared difference between a power spectrum and the wanted one.

    pair: (from, to) names of ports.  wanted: power ratio, one number or (W,); ParameterError if it is not
    finite.  mask, weights, band: as for `power`.
    """
    counted = _Counted("target_spectrum", mask, weights, band)
    goal = _goal(wanted, counted)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        trace = s[pair]
        share = counted.shares(s)
        error = trace.power - _fitting(goal, s)
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        place = (..., s.ports.index(pair[1]), s.ports.index(pair[0]))
        cotangent[place] = 4.0 * share * error * trace.values / _batch(error)
        return _mean(error**2, share), cotangent

    return loss


@remade
@public
def target_dB(
    pair: tuple[str, str],
    wanted: ArrayLike,
    *,
    mask: Any = None,
    weights: Any = None,
    band: Any = None,
    floor: float = -60.0,
) -> Loss:
    """Return a loss: the mean squared difference in dB between a power spectrum and the wanted one.

    pair: (from, to) names of ports.  wanted: in dB, one number or (W,).  floor: lower powers, also wanted
    ones, count as this level in dB; there the loss has no slope.  mask, weights, band: as for `power`.
    """
    counted = _Counted("target_dB", mask, weights, band)
    if not np.isfinite(floor):
        message = f"target_dB: floor must be a finite number in dB, got {shown(floor)}."
        raise ParameterError(message)
    goal = np.maximum(_goal(wanted, counted), floor)
    lowest = 10.0 ** (floor / 10.0)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        trace = s[pair]
        share, seen = counted.shares(s), trace.power > lowest
        shown_power = np.where(seen, trace.power, lowest)
        error = 10.0 * np.log10(shown_power) - _fitting(goal, s)
        slope = np.where(seen, 40.0 / np.log(10.0) * error / shown_power, 0.0)
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        place = (..., s.ports.index(pair[1]), s.ports.index(pair[0]))
        cotangent[place] = share * slope * trace.values / _batch(error)
        return _mean(error**2, share), cotangent

    return loss


@remade
@public
def target_matrix(
    outputs: Sequence[str],
    inputs: Sequence[str],
    wanted: Any,
    *,
    mask: Any = None,
    weights: Any = None,
    band: Any = None,
) -> Loss:
    """Return a loss: the mean squared distance between complex S-matrix elements and a wanted matrix.

    outputs, inputs: names of ports.  wanted: complex, (outputs, inputs) or (W, outputs, inputs).  mask,
    weights, band: as for `power`.
    """
    counted = _Counted("target_matrix", mask, weights, band)
    if holds_masked(wanted):
        message = (
            f"target_matrix: wanted must be numbers, got {shown(wanted)}; leave wavelengths out by mask=."
        )
        raise ParameterError(message)
    found = _array(wanted)
    goal = found.astype(np.complex128) if found.dtype.kind in "biufc" else np.empty(0)
    shape = (len(outputs), len(inputs))
    if goal.ndim not in (2, 3) or goal.shape[-2:] != shape:
        form = f"{shape} or (W, {shape[0]}, {shape[1]})"
        message = f"target_matrix: wanted must be of shape {form}, got {goal.shape}."
        raise ParameterError(message)
    rows = np.asarray(np.isfinite(goal).all(axis=(-2, -1)))
    counted.check_finite(rows, "wanted must be finite numbers")
    goal = np.where(rows[..., np.newaxis, np.newaxis], goal, 0.0)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        to = [_number(s, name) for name in outputs]
        source = [_number(s, name) for name in inputs]
        place = (..., np.array(to)[:, np.newaxis], np.array(source))
        share = counted.shares(s)
        if goal.ndim == 3 and len(goal) != len(s.wl):
            message = f"The target matrix has {len(goal)} wavelengths, but the sweep has {len(s.wl)}."
            raise ParameterError(message)
        error = s.values[place] - goal
        batch = error.size / (len(s.wl) * goal.shape[-1] * goal.shape[-2])
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        weight = share[:, np.newaxis, np.newaxis] / (batch * goal.shape[-1] * goal.shape[-2])
        cotangent[place] = 2.0 * weight * error
        return float(np.sum(weight * np.abs(error) ** 2)), cotangent

    return loss


@remade
@public
def flatness(pair: tuple[str, str], *, mask: Any = None, weights: Any = None, band: Any = None) -> Loss:
    """Return a loss: the variance over wavelength of a pair's power; mask, weights, band as for `power`."""
    counted = _Counted("flatness", mask, weights, band)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        trace = s[pair]
        share = counted.shares(s)
        error = trace.power - np.sum(share * trace.power, axis=-1, keepdims=True)
        cotangent = np.zeros(s.values.shape, dtype=np.complex128)
        # The mean's own slope drops out: the errors add up to nothing.
        cotangent[..., s.ports.index(pair[1]), s.ports.index(pair[0])] = (
            4.0 * share * error * trace.values / _batch(error)
        )
        return _mean(error**2, share), cotangent

    return loss


@remade
@public
def total(*losses: Loss | tuple[float, Loss]) -> Loss:
    """Return the sum of losses; each argument is a loss, or (factor, loss)."""
    terms: list[tuple[float, Loss]] = []
    term: Any
    for term in losses:
        factor, own = term if isinstance(term, tuple) else (1.0, term)
        if not is_number(factor) or not np.isfinite(factor) or not callable(own):
            message = f"total: terms are losses or (factor, loss), factors finite, got {shown(term)}."
            raise ParameterError(message)
        terms.append((float(factor), own))
    if not terms:
        message = "total: give at least one loss."
        raise ParameterError(message)

    def loss(s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
        value, cotangent = 0.0, np.zeros(s.values.shape, dtype=np.complex128)
        for factor, own in terms:
            part, slope = value_and_cotangent(own, s)
            value, cotangent = value + factor * part, cotangent + factor * slope
        return value, cotangent

    return loss


def _number(s: SMatrix, port: str) -> int:
    """Return the number of a port; ParameterError with the nearest name if there is none."""
    if port not in s.ports:
        s[port, port]
    return s.ports.index(port)


def _array(values: Any) -> NDArray[Any]:
    """Return values as an array; one of two axes, which no argument here may have, where they make none."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        return np.empty((1, 1), dtype=object)


class _Counted:
    """Which wavelengths count in a loss, and how much."""

    def __init__(self, where: str, mask: Any, weights: Any, band: Any) -> None:
        self.where = where
        self.weights: NDArray[np.float64] | None = None
        if mask is not None:
            found = _array(mask)
            if found.ndim != 1 or found.dtype.kind != "b" or holds_masked(mask):
                message = f"{where}: mask must be True or False for each wavelength, got {shown(mask)}."
                raise ParameterError(message)
            self.weights = found.astype(np.float64)
        if weights is not None:
            own = _array(weights)
            if (
                own.ndim != 1
                or holds_masked(weights)
                or own.dtype.kind not in "biuf"
                or not np.isfinite(own).all()
                or (own < 0.0).any()
            ):
                message = f"{where}: weights must be finite numbers from 0 on, (W,), got {shown(weights)}."
                raise ParameterError(message)
            if self.weights is not None and own.shape != self.weights.shape:
                message = f"{where}: mask has {self.weights.size} wavelengths and weights {own.size}."
                raise ParameterError(message)
            self.weights = own * (1.0 if self.weights is None else self.weights)
        if self.weights is not None and not self.weights.any():
            message = f"{where}: mask and weights exclude every wavelength."
            raise ParameterError(message)
        if band is not None and not _is_band(band):
            message = f"{where}: band must be (shortest, longest) wavelength in um, got {shown(band)}."
            raise ParameterError(message)
        self.band = band

    def check_finite(self, finite: NDArray[np.bool_], what: str) -> None:
        """Raise ParameterError for a goal that is not finite where a mask or weights let it count."""
        counts = np.ones(finite.shape, bool)
        if self.weights is not None and self.weights.shape == finite.shape:
            counts = self.weights > 0.0
        if (counts & ~finite).any():
            where = f", but entry {int(np.flatnonzero(counts & ~finite)[0])} is not" if finite.ndim else ""
            message = f"{self.where}: {what}{where}; leave wavelengths out by mask=."
            raise ParameterError(message)

    def shares(self, s: SMatrix) -> NDArray[np.float64]:
        """Return the weight of each wavelength, shape (W,), 1 in all."""
        found = np.ones(len(s.wl))
        if self.weights is not None:
            if self.weights.size != found.size:
                own = self.weights.size
                message = f"{self.where}: mask or weights have {own} wavelengths, but the sweep {found.size}."
                raise ParameterError(message)
            found = self.weights.copy()
        if self.band is not None:
            found = found * ((s.wl >= self.band[0]) & (s.wl <= self.band[1]))
        if not found.any():
            message = f"{self.where}: no wavelength of the sweep lies in the band with a weight above 0."
            raise ParameterError(message)
        return np.asarray(found / found.sum())


def _is_band(band: Any) -> bool:
    pair = isinstance(band, tuple | list) and len(band) == 2 and all(map(is_number, band))
    return bool(pair and band[0] <= band[1])


def _goal(wanted: Any, counted: _Counted) -> NDArray[np.float64]:
    """Return a wanted spectrum, 0 where it does not count; ParameterError unless it is finite elsewhere."""
    goal = np.asarray(wanted, dtype=np.float64)
    finite = np.isfinite(goal)
    counted.check_finite(finite, "wanted must be finite")
    return np.where(finite, goal, 0.0)


def _fitting(goal: NDArray[np.float64], s: SMatrix) -> NDArray[np.float64]:
    if goal.ndim and goal.shape != (len(s.wl),):
        message = f"The target spectrum has shape {goal.shape}, but the sweep has {len(s.wl)} wavelengths."
        raise ParameterError(message)
    return goal


def _batch(values: NDArray[np.float64]) -> float:
    """Return how many spectra an array (..., W) has."""
    return float(values.size / values.shape[-1])


def _mean(values: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    return float(np.sum(share * values) / _batch(values))


@public
def value_and_cotangent(loss: Loss, s: SMatrix) -> tuple[float, NDArray[np.complex128]]:
    """Return a loss's value and cotangent; ParameterError for anything but a number and a matching array."""
    answer: Any = loss(s)
    rule = "A loss returns (value, cotangent), a number and an array"
    if not (isinstance(answer, tuple) and len(answer) == 2):
        message = f"{rule}, got {shown(answer)}."
        raise ParameterError(message)
    try:
        value = float(as_real(answer[0]))
    except (NotReal, TypeError) as reason:
        message = f"{rule}, but its value is not one: {reason}."
        raise ParameterError(message) from None
    return value, read_cotangent(answer[1], s.values.shape, "The loss")


@public
def read_cotangent(found: Any, shape: tuple[int, ...], where: str) -> NDArray[np.complex128]:
    """Return a cotangent `found` as complex numbers; ParameterError, led by `where`, for another shape."""
    try:
        array = np.asarray(found)
    except (TypeError, ValueError, RuntimeError):
        array = np.empty(0, dtype=object)
    if array.dtype.kind not in "iufc" or array.shape != shape or np.ma.is_masked(found):
        message = f"{where}: a cotangent must be numbers of shape {shape}, got shape {array.shape}."
        raise ParameterError(message)
    return array.astype(np.complex128)

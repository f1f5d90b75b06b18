"""What a design is judged by: how far each entry of a specification is violated, with exact slopes.

Violations are in units of each limit: 0 on it, negative inside. Power in a window has one for each
wavelength, with exact derivatives; numbers read off lines have theirs by differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.yields.specification import Entry, judge, pairs_of
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.designs.space import Bound, Space
    from photosim.circuit import Circuit

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

DARK = 1e-12
"""Power below which a transmission counts as this."""
ENDS = 4
"""Highest and lowest wavelengths of a window that the ripple is held at."""
LOST = 10.0
"""Violation of a number that a spectrum does not have, such as the width of a line that is not there."""
STEP = 1e-4
"""Step in rad of differences."""
_DB = 10.0 / np.log(10.0)


def scale_of(entry: Entry) -> float:
    """Return the size of an entry's limit: half the width of an interval, else its value, or 1."""
    low, high = entry.limits
    if np.isfinite(low) and np.isfinite(high):
        return 0.5 * (high - low)
    value = abs(low if np.isfinite(low) else high)
    return value if value > 0.0 else 1.0


@dataclass(frozen=True)
class Aim:
    """A specification at wavelengths wl (W,) in um, as violations of varied settings.

    constant: settings that stay.  near: where the line that counts lies.  bounds: linear constraints.
    """

    circuit: Circuit
    space: Space
    entries: tuple[Entry, ...]
    wl: FloatArray
    near: float
    channels: tuple[float, ...]
    constant: Mapping[str, Any]
    bounds: tuple[Bound, ...] = ()

    def __post_init__(self) -> None:
        """Raise ParameterError for a window without a wavelength of the sweep."""
        for entry in self.entries:
            if exact(entry) and not len(self.inside(entry)):
                window = list(entry.window or ())
                message = f"No wavelength of the sweep lies in the window {window} um of {entry.label!r}."
                raise ParameterError(message)

    @property
    def pairs(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Waves that entries start and end at."""
        return pairs_of(self.entries)

    def inside(self, entry: Entry) -> NDArray[np.int64]:
        """Return the wavelengths, by number, at which an entry is judged."""
        low, high = entry.window or (-np.inf, np.inf)
        return np.flatnonzero((self.wl >= low) & (self.wl <= high))

    def spectra(self, x: FloatArray) -> ComplexArray:
        """Return waves (..., W, ends, starts) for x (n,) or (B, n)."""
        starts, ends = self.pairs
        return self.circuit.transfer(self.wl, ends, starts, **{**self.constant, **self.space.settings(x)})

    def values(self, x: FloatArray) -> FloatArray:
        """Return the value (entries,) of every entry, as a yield judges it."""
        return self._judged(self.spectra(x)[np.newaxis])[:, 0]

    def violations(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return violations (m,) and their slopes (m, n) by x."""
        rows: list[FloatArray] = []
        slopes: list[FloatArray] = []
        if any(exact(entry) for entry in self.entries):
            starts, ends = self.pairs
            settings = {**self.constant, **self.space.settings(x)}
            waves, by_name = self.circuit.jacobian(self.wl, ends, starts, self.space.names, **settings)
            gains = self.space.slopes(x)
            stacked = np.stack(
                [by_name[n] * g for n, g in zip(self.space.names, gains, strict=True)], axis=-1
            )
            for entry in filter(exact, self.entries):
                pair = ends.index(entry.end), starts.index(entry.start)
                v, slope = _window(
                    entry, self.inside(entry), waves[:, pair[0], pair[1]], stacked[:, pair[0], pair[1]]
                )
                rows.append(v)
                slopes.append(slope)
        if not all(exact(entry) for entry in self.entries):
            v, slope = self._by_differences(x)
            rows.append(v)
            slopes.append(slope)
        return np.concatenate(rows), np.concatenate(slopes)

    def constraints(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return violations (k,) of the linear constraints and their slopes (k, n) by x."""
        values, gains = self.space.values(x), self.space.slopes(x)
        found = [one for bound in self.bounds for one in bound.violations(values)]
        if not found:
            return np.zeros(0), np.zeros((0, len(x)))
        return np.array([v for v, _ in found]), np.array([s * gains for _, s in found])

    def _by_differences(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return violations and slopes of numbers read off lines, by central differences in one batch."""
        n = len(x)
        points = np.vstack([x, *(x + STEP * np.eye(n)), *(x - STEP * np.eye(n))])
        values = self._judged(self.spectra(points))
        rows, slopes = [], []
        for k, entry in enumerate(self.entries):
            if exact(entry):
                continue
            at, change = values[k, 0], (values[k, 1 : n + 1] - values[k, n + 1 :]) / (2.0 * STEP)
            change = np.where(np.isfinite(change), change, 0.0)
            low, high = entry.limits
            for sign, limit in ((-1.0, low), (1.0, high)):
                if np.isfinite(limit):
                    v = sign * (at - limit) / scale_of(entry)
                    rows.append(v if np.isfinite(v) else LOST)
                    slopes.append(sign * change / scale_of(entry))
        return np.array(rows), np.array(slopes)

    def _judged(self, waves: ComplexArray) -> FloatArray:
        starts, ends = self.pairs
        places = {(a, b): o * len(starts) + i for o, b in enumerate(ends) for i, a in enumerate(starts)}
        flat = np.ascontiguousarray(np.moveaxis(waves.reshape(*waves.shape[:2], -1), 1, 2))
        return judge(self.entries, places, self.wl[np.newaxis], flat, np.array([self.near]), self.channels)


def exact(entry: Entry) -> bool:
    """Return whether the slopes of an entry are exact: of power and ripple in a window."""
    return entry.quantity == "power_dB" or (entry.quantity == "ripple_dB" and entry.window is not None)


def _window(
    entry: Entry, inside: NDArray[np.int64], waves: ComplexArray, slopes: NDArray[np.complex128]
) -> tuple[FloatArray, FloatArray]:
    """Return violations and slopes of an entry over its window, of waves (W,) and their slopes (W, n)."""
    own = waves[inside]
    power = np.maximum(np.abs(own) ** 2, DARK)
    level = _DB * np.log(power)
    slope = _DB * 2.0 * np.real(np.conj(own)[:, np.newaxis] * slopes[inside]) / power[:, np.newaxis]
    low, high = entry.limits
    scale = scale_of(entry)
    if entry.quantity == "power_dB":
        if np.isfinite(low):
            return (low - level) / scale, -slope / scale
        return (level - high) / scale, slope / scale
    order = np.argsort(level)
    tops, bottoms = order[::-1][:ENDS], order[:ENDS]
    ripple = (level[tops][:, np.newaxis] - level[bottoms]).ravel()
    change = (slope[tops][:, np.newaxis] - slope[bottoms]).reshape(len(ripple), -1)
    rows, changes = [], []
    if np.isfinite(high):
        rows.append((ripple - high) / scale)
        changes.append(change / scale)
    if np.isfinite(low):
        rows.append((low - ripple[:1]) / scale)
        changes.append(-change[:1] / scale)
    return np.concatenate(rows), np.concatenate(changes)


def worst(values: Sequence[float], entries: Sequence[Entry]) -> float:
    """Return the largest violation of values (entries,), in units of the limits."""
    found = [
        LOST if not np.isfinite(v) else -float(e.margin(np.array([v]))[0]) / scale_of(e)
        for v, e in zip(values, entries, strict=True)
    ]
    return max(found)

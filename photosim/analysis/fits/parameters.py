"""Fitted settings: how far off they may be, and where other starts are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.varied import read_varied

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.varied import Varied
    from photosim.circuit import Circuit

_INDEX, _LENGTH, _WAVELENGTH = 0.03, 0.03, 0.01
_LOG_RANGES = {"dB/cm": 3.0, "band": 1.6}
_RANGES = {"rad": np.pi, "dB": 5.0, "s/m2": 1e-3, "1/um": 4.0, "K": 20.0}
_LOGIT = 1.5


@dataclass(frozen=True)
class Parameter:
    """One fitted setting.

    start: first guess.  low, high: bounds.  mean, sigma: normal prior; nan where there is none.  unit: ""
    where it is not known.  kind: how other starts are drawn: "log", "logit" or "plain".  reach: half the
    range of other starts, in the unit, or as a factor or of the logit.
    """

    name: str
    start: float
    low: float
    high: float
    mean: float
    sigma: float
    unit: str
    kind: str
    reach: float

    @property
    def has_prior(self) -> bool:
        """Whether there is a prior."""
        return bool(np.isfinite(self.sigma))

    @property
    def spread(self) -> float:
        """How far off the setting may be before the data are seen, in its unit."""
        low, high = self.range()
        return 0.5 * (high - low)

    def range(self) -> tuple[float, float]:
        """Return the lowest and highest start: those of the bounds where they are narrower than the reach."""
        centre = self.mean if self.has_prior else self.start
        if self.has_prior:
            low, high = centre - 2.5 * self.sigma, centre + 2.5 * self.sigma
        elif self.kind == "log":
            low, high = centre / self.reach, centre * self.reach
        elif self.kind == "logit":
            inside = min(max(centre, 1e-4), 1.0 - 1e-4)
            turn = np.log(inside / (1.0 - inside))
            low, high = (float(1.0 / (1.0 + np.exp(-t))) for t in (turn - self.reach, turn + self.reach))
        else:
            low, high = centre - self.reach, centre + self.reach
        low, high = max(low, self.low), min(high, self.high)
        return (low, high) if low < high else (self.low, self.high)

    def draw(self, unit: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return starts of numbers between 0 and 1, same shape."""
        low, high = self.range()
        if self.kind == "log" and low > 0.0:
            return np.asarray(low * (high / low) ** unit)
        if self.kind == "logit":
            ends = [np.log(max(v, 1e-9) / max(1.0 - v, 1e-9)) for v in (low, high)]
            return np.asarray(1.0 / (1.0 + np.exp(-(ends[0] + (ends[1] - ends[0]) * unit))))
        return np.asarray(low + (high - low) * unit)


def read_parameters(
    circuit: Circuit,
    names: str | Sequence[Any] | Mapping[str, Any],
    bounds: Mapping[str, Any],
    priors: Mapping[str, Any],
) -> tuple[Parameter, ...]:
    """Return the fitted settings of names, patterns or a mapping, as `read_varied` reads them."""
    return tuple(_parameter(one) for one in read_varied(circuit, names, bounds, priors))


def _parameter(one: Varied) -> Parameter:
    kind, reach = _kind(one.declared, one.unit, one.start, one.name)
    if one.bounded and np.isfinite([one.low, one.high]).all():  # bounds of the user's own say where to start
        kind = kind if kind == "logit" and 0.0 < one.low < one.high < 1.0 else "plain"
        reach = one.high - one.low
    return Parameter(one.name, one.start, one.low, one.high, one.mean, one.sigma, one.unit, kind, reach)


def _kind(declared: Any, unit: str, value: float, name: str) -> tuple[str, float]:
    """Return how other starts are drawn, and how far."""
    if unit == "1" and declared is not None and (declared.low, declared.high) == (0.0, 1.0):
        return "logit", _LOGIT
    if unit == "1" and declared is not None and declared.low > 0.0 and abs(value) > 0.0:
        return "plain", _INDEX * abs(value)
    if unit == "dB/cm":
        return "log" if value > 0.0 else "plain", _LOG_RANGES[unit] if value > 0.0 else 5.0
    if unit in _RANGES:
        return "plain", _RANGES[unit]
    if unit == "um" and declared is not None and declared.low > 0.0 and value > 0.0:
        if declared.high == 100.0:  # a wavelength
            return "plain", _WAVELENGTH * value
        if "fwhm" in name or declared.high == 10.0:
            return "log", _LOG_RANGES["band"]
    if value != 0.0:
        return "plain", (_LENGTH if unit == "um" else 0.1) * abs(value)
    return "plain", 1.0

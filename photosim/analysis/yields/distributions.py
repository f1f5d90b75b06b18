"""What may vary: process quantities on three levels, and settings by distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from photosim.errors import ParameterError
from photosim.netlist.forms import RECORD, NotNegative, Number, Positive, Words, Written
from photosim.netlist.mappings import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

LEVELS = ("wafer", "die", "local")
QUANTITIES = {"width": "um", "thickness": "um", "gap": "um", "temperature": "K"}
"""Process quantities and their units."""


@dataclass(frozen=True)
class Sigma:
    """Standard deviations of a quantity: wafer and die are common to a chip, local is a field over it."""

    wafer: NotNegative = 0.0
    die: NotNegative = 0.0
    local: NotNegative = 0.0


@dataclass(frozen=True)
class Distribution:
    """Distribution of a setting about its written value, or about `mean`.

    normal (`sigma`), lognormal (`sigma` of the logarithm), truncated (a normal between `low` and `high`),
    uniform (between them). Settings with one `draw` share it.
    """

    distribution: Literal["normal", "lognormal", "truncated", "uniform"] = "normal"
    sigma: Positive | None = None
    mean: Number | None = None
    low: Number | None = None
    high: Number | None = None
    draw: str | None = None

    def __post_init__(self) -> None:
        bounded = self.distribution in ("truncated", "uniform")
        unused = {"uniform": ("sigma", "mean"), "truncated": ()}.get(self.distribution, ("low", "high"))
        for name in unused:
            if getattr(self, name) is not None:
                other = "low and high alone" if bounded else "sigma and mean; one with ends is truncated"
                message = f"A {self.distribution} distribution has no {name}: it has {other}."
                raise ParameterError(message)
        if bounded and (self.low is None or self.high is None or not self.low < self.high):
            message = f"A {self.distribution} distribution needs low and high, low below high."
            raise ParameterError(message)
        if self.distribution != "uniform" and self.sigma is None:
            message = f"A {self.distribution} distribution needs sigma."
            raise ParameterError(message)

    def at(self, z: FloatArray, written: float) -> FloatArray:
        """Return the values that standard normals z stand for, same shape."""
        from scipy.special import ndtr, ndtri

        middle = written if self.mean is None else self.mean
        sigma, low, high = self.sigma or 0.0, self.low or 0.0, self.high or 0.0
        if self.distribution == "normal":
            return np.asarray(middle + sigma * z)
        if self.distribution == "lognormal":
            return np.asarray(middle * np.exp(sigma * z))
        if self.distribution == "uniform":
            return np.asarray(low + (high - low) * ndtr(z))
        ends = ndtr((low - middle) / sigma), ndtr((high - middle) / sigma)
        return np.asarray(np.clip(middle + sigma * ndtri(ends[0] + (ends[1] - ends[0]) * ndtr(z)), low, high))


_SMALLEST_UM, _LARGEST_UM = 1e-7, 0.3
"""Standard deviations of widths and gaps that a process can have; 5 is nm, 5e-9 is m."""


def read_sigma(value: Any) -> Sigma:
    """Return standard deviations by level, or one that stands alone: of the die."""
    if isinstance(value, Mapping):
        return read(Sigma, value, "a standard deviation")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < np.inf:
        message = (
            f"a standard deviation is a number from 0 on, or one for wafer, die and local, got {value!r}."
        )
        raise ParameterError(message)
    return Sigma(die=float(value))


Levels = Annotated[
    Sigma, Written(Annotated[Any, Words("a standard deviation, or one for each of wafer, die and local")],
                   read_sigma),
]  # fmt: skip


@dataclass(frozen=True)
class Variation:
    """What varies: standard deviations in um and K, and distributions of settings by dotted name.

    correlation_length: l in um of the local field's correlation exp(-(d/l)**2); without it the local errors
    of parts are independent.  places: where instances lie, [x, y] in um or corners of their line; else the
    netlist's placements.
    """

    width: Levels = field(default_factory=Sigma)
    thickness: Levels = field(default_factory=Sigma)
    gap: Levels = field(default_factory=Sigma)
    temperature: Levels = field(default_factory=Sigma)
    correlation_length: Positive | None = None
    places: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Annotated[Distribution, RECORD]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for quantity in ("width", "thickness", "gap"):
            for size in vars(self.sigma(quantity)).values():
                if size and not _SMALLEST_UM <= size <= _LARGEST_UM:
                    looks = f"nm: write {size / 1e3:g}" if size > 1.0 else f"m: write {size * 1e6:g}"
                    hint = f"; it looks like {looks}" if size > 1.0 or size < _SMALLEST_UM else ""
                    span = f"0 or {_SMALLEST_UM:g} to {_LARGEST_UM:g} um"
                    message = f"the standard deviation of {quantity} must be {span}, got {size:g}{hint}."
                    raise ParameterError(message)

        local = any(self.sigma(quantity).local for quantity in QUANTITIES)
        for name, stated in (("correlation_length", self.correlation_length), ("places", self.places)):
            if stated and not local:
                message = (
                    f"{name} belongs to the level local, but no quantity varies there: write for example "
                    "{width: {local: 0.001}}."
                )
                raise ParameterError(message)
        if self.places and self.correlation_length is None:
            message = "places belong to a correlated field: give its correlation_length in um too."
            raise ParameterError(message)

    def sigma(self, quantity: str) -> Sigma:
        """Return the standard deviations of a quantity."""
        return getattr(self, quantity)  # type: ignore[no-any-return]

"""Fitted settings: where they start, their bounds, priors and units, and how far off they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import is_number
from photosim.engine.bindings import Scoped, owner
from photosim.engine.vector import settings_vector
from photosim.errors import ParameterError, did_you_mean
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

KEYS = ("start", "bounds", "prior")
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
    """Return the fitted settings: names and patterns, or a mapping of them to {start, bounds, prior}.

    Raises ParameterError for settings that do not exist or have no derivative, and bounds and priors that
    cannot be.
    """
    own: dict[str, Mapping[str, Any]] = {}
    if isinstance(names, Mapping):
        for name, entry in names.items():
            own[name] = _entry(name, entry)
        names = [*names]
    limits = {**{n: e["bounds"] for n, e in own.items() if "bounds" in e}, **bounds}
    given = {**{n: e["prior"] for n, e in own.items() if "prior" in e}, **priors}
    starts = {n: e["start"] for n, e in own.items() if "start" in e}
    vector = settings_vector(circuit, names if isinstance(names, str) else [*names])
    for what, table in (("bounds", limits), ("priors", given)):
        for pattern in table:
            if not any(fnmatchcase(name, pattern) for name in vector.names):
                hint = did_you_mean(pattern, vector.names)
                message = f"{what}: {pattern!r} is not one of the fitted settings.{hint}"
                raise ParameterError(message)
    written = vector.x0 * vector.scales
    ends = zip(vector.names, written.tolist(), vector.low.tolist(), vector.high.tolist(), strict=True)
    return tuple(
        _parameter(circuit, name, value, (low, high), *(_matching(name, t) for t in (limits, given, starts)))
        for name, value, low, high in ends
    )


def _parameter(
    circuit: Circuit, name: str, value: float, ends: tuple[float, float], limits: Any, prior: Any, asked: Any
) -> Parameter:
    declared = [*_declared(circuit, name)]
    low = max([ends[0], *(p.low for p, plain in declared if plain)])
    high = min([ends[1], *(p.high for p, plain in declared if plain)])
    if limits is not None:
        low, high = _bounds(name, limits, low, high)
    mean, sigma = (np.nan, np.nan) if prior is None else _prior(name, prior, value)
    if asked is not None and not (is_number(asked) and low <= asked <= high):
        message = (
            f"start of {name!r} must be a number within its bounds, {low:g} to {high:g}, got {shown(asked)}."
        )
        raise ParameterError(message)
    if np.isfinite(sigma) and not low <= mean <= high:
        message = f"The prior of {name!r} has its mean {mean:g} outside of its bounds, {low:g} to {high:g}."
        raise ParameterError(message)
    start = min(max(value if asked is None else float(asked), low), high)
    unit = declared[0][0].unit if declared else _unit_of(name)
    kind, reach = _kind(declared[0][0] if declared else None, unit, start, name)
    if limits is not None and np.isfinite([low, high]).all():  # bounds of the user's own say where to start
        kind, reach = (kind if kind == "logit" and 0.0 < low < high < 1.0 else "plain"), high - low
    return Parameter(name, start, low, high, mean, sigma, unit, kind, reach)


def _entry(name: str, entry: Any) -> Mapping[str, Any]:
    if entry is None:
        return {}
    if is_number(entry):
        return {"start": entry}
    if not isinstance(entry, Mapping):
        message = f"parameters: {name!r} takes start, bounds and prior, got {shown(entry)}."
        raise ParameterError(message)
    for key in entry:
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS)
            message = f"parameters: {name!r} has no key {key!r}; it takes {', '.join(KEYS)}.{hint}"
            raise ParameterError(message)
    return entry


def _matching(name: str, table: Mapping[str, Any]) -> Any:
    return next((v for pattern, v in table.items() if fnmatchcase(name, pattern)), None)


def _bounds(name: str, pair: Any, low: float, high: float) -> tuple[float, float]:
    ends: list[Any] = list(pair) if isinstance(pair, tuple | list) and len(pair) == 2 else [np.nan, np.nan]
    first, last = (given if end is None else end for end, given in zip(ends, (low, high), strict=True))
    if not (is_number(first) and is_number(last) and first < last):
        message = f"bounds of {name!r} must be [low, high], low below high, got {shown(pair)}."
        raise ParameterError(message)
    if first < low or last > high:
        message = (
            f"bounds of {name!r} must lie within those of the component, {low:g} to {high:g}, got "
            f"{first:g} to {last:g}."
        )
        raise ParameterError(message)
    return float(first), float(last)


def _prior(name: str, prior: Any, value: float) -> tuple[float, float]:
    mean: Any
    sigma: Any
    if isinstance(prior, Mapping):
        unknown = [key for key in prior if key not in ("mean", "sigma")]
        if unknown:
            message = f"The prior of {name!r} takes mean and sigma, not {unknown[0]!r}."
            raise ParameterError(message)
        mean, sigma = prior.get("mean", value), prior.get("sigma")
    elif isinstance(prior, list | tuple) and len(prior) == 2:
        mean, sigma = prior
    else:
        mean, sigma = value, prior
    if not (is_number(mean) and is_number(sigma) and 0.0 < sigma < np.inf and np.isfinite(mean)):
        message = f"The prior of {name!r} must be {{mean, sigma}}, sigma positive, got {shown(prior)}."
        raise ParameterError(message)
    return float(mean), float(sigma)


def _declared(circuit: Circuit, name: str) -> Iterator[tuple[Any, bool]]:
    """Yield the declarations of a setting: its own, or those of parts that it is, or enters as a sum.

    Whether it is that very setting comes with each; plain ones come first.
    """
    graph = circuit.compiled.graph
    sums = []
    for inner, bound in ((name, None), *graph.bindings.bound.items()):
        if bound is not None and not (isinstance(bound, Scoped) and name in graph.bindings.sources(bound)):
            continue
        instance, setting = owner(inner)
        number = graph.index.get(instance)
        model = graph.composites.get(instance) if number is None else graph.parts[number].model
        declared = None if model is None else model.parameters.get(setting)
        if declared is None:
            continue
        text = "" if bound is None else str(bound.expression)
        if bound is None or text == name.rpartition(".")[2]:
            yield declared, True
        elif not any(sign in text for sign in "*()^"):
            sums.append(declared)
    for declared in sums:
        yield declared, False


def _unit_of(name: str) -> str:
    """Return the unit that a name ends in, or none."""
    for ending, unit in (("_dB_cm", "dB/cm"), ("_dB", "dB"), ("_um", "um"), ("phase", "rad")):
        if name.endswith(ending):
            return unit
    return ""


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

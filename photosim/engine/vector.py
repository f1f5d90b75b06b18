"""Settings of a circuit as a vector of numbers: for scipy, optimisers and fits of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import is_number
from photosim.engine.bindings import Scoped, owner
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.reals import shown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.losses import Loss

WILD = "*?"
"""Characters that make a name a pattern."""
_HALF_TURN = np.pi


@dataclass(frozen=True, eq=False)
class SettingsVector:
    """Some settings of a circuit as a vector x, each in units of its own scale.

    names: dotted names, (n,).  x0: the settings as written, in units of `scales`, (n,).  scales: what 1 in x
    is worth of each setting, (n,).  low, high: bounds of the settings in their own units, infinite where
    there are none, (n,).
    """

    circuit: Circuit
    names: tuple[str, ...]
    x0: NDArray[np.float64]
    scales: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of settings."""
        return len(self.names)

    def __repr__(self) -> str:
        """Say which settings these are."""
        return f"SettingsVector({len(self.names)} settings: {listing(self.names, 6)})"

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Bounds of each entry of x, as `scipy.optimize.minimize(..., bounds=...)` takes them."""
        pairs = zip(self.low / self.scales, self.high / self.scales, strict=True)
        return [(float(low), float(high)) for low, high in pairs]

    def values(self, x: ArrayLike) -> dict[str, Any]:
        """Return the settings by dotted name, in their own units, for x (n,), or (B, n) as a batch."""
        found = self._read(x) * self.scales
        inside = np.clip(found, self.low, self.high)  # rounding alone may leave the bounds of x
        close = np.abs(inside - found) <= 1e-9 * self.scales
        found = np.where(close, inside, found)
        return {
            name: float(found[k]) if found.ndim == 1 else found[:, k] for k, name in enumerate(self.names)
        }

    settings = values

    def vector(self, values: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return x, shape (n,), of numbers by dotted name, all of them, in the settings' own units."""
        missing = [name for name in self.names if name not in values]
        if missing:
            message = f"The vector has the setting {missing[0]!r}, which the values lack."
            raise ParameterError(message)
        return np.array([float(values[name]) for name in self.names]) / self.scales

    def gradient(self, slopes: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return dL/dx, (n,) or (B, n), of derivatives by the settings, as `value_and_grad` gives them."""
        columns = [np.asarray(slopes[name], dtype=np.float64) for name in self.names]
        return np.stack(columns, axis=-1) * self.scales

    def objective(
        self, loss: Loss, *, wl: ArrayLike, ports: Sequence[str] | None = None, **settings: Any
    ) -> Callable[[ArrayLike], tuple[float, NDArray[np.float64]]]:
        """Return f(x) -> (loss, dL/dx) of the circuit's S-matrix, for `minimize(f, v.x0, jac=True)`.

        wl, ports, settings: as of `Circuit.value_and_grad`.
        """
        return partial(self._value_and_slope, loss, {"wl": wl, "ports": ports}, settings)

    def _value_and_slope(
        self, loss: Loss, question: Mapping[str, Any], settings: Mapping[str, Any], x: ArrayLike
    ) -> tuple[float, NDArray[np.float64]]:
        chosen = {**settings, **self.values(x)}
        value, slopes = self.circuit.value_and_grad(loss, parameters=self.names, **question, **chosen)
        return value, self.gradient(slopes)

    def _read(self, x: ArrayLike) -> NDArray[np.float64]:
        try:
            found = np.asarray(x, dtype=np.float64)
        except (TypeError, ValueError):
            found = np.empty(0)
        if found.ndim not in (1, 2) or found.shape[-1] != len(self.names) or not np.isfinite(found).all():
            message = (
                f"A vector of these settings is {len(self)} finite numbers, shape ({len(self)},), "
                f"got {shown(x)}."
            )
            raise ParameterError(message)
        return found


def settings_vector(
    circuit: Circuit,
    names: str | Sequence[str],
    bounds: Mapping[str, Any] | None = None,
    scales: Mapping[str, Any] | None = None,
) -> SettingsVector:
    """Return settings as a vector; see `Circuit.vector`."""
    if not isinstance(names, str | list | tuple):
        message = f"A vector takes names of settings and patterns such as '*.phase', got {shown(names)}."
        raise ParameterError(message)
    compiled = circuit.compiled
    chosen = chosen_settings(compiled, (names,) if isinstance(names, str) else names)
    if not chosen:
        message = "Name at least one setting, or a pattern such as '*.phase': got none."
        raise ParameterError(message)
    values = np.array([float(compiled.parameters[name]) for name in chosen])
    allowed = np.array([limits(compiled, name) for name in chosen]).reshape(-1, 2)
    for pattern, pair in (bounds or {}).items():
        low, high = _pair(pattern, pair)
        for k in _places(chosen, pattern, "bounds"):
            if -np.inf < low < allowed[k, 0] or np.inf > high > allowed[k, 1]:
                message = (
                    f"bounds of {chosen[k]!r} must lie within those of the component, {allowed[k, 0]:g} to "
                    f"{allowed[k, 1]:g}, got {low:g} to {high:g}."
                )
                raise ParameterError(message)
            allowed[k] = max(low, allowed[k, 0]), min(high, allowed[k, 1])
    widths = np.array([_scale(compiled, name, value) for name, value in zip(chosen, values, strict=True)])
    for pattern, scale in (scales or {}).items():
        if not (is_number(scale) and 0.0 < scale < np.inf):
            message = f"scales: {pattern!r} must have a positive number, got {shown(scale)}."
            raise ParameterError(message)
        widths[_places(chosen, pattern, "scales")] = float(scale)
    inside = np.clip(values, allowed[:, 0], allowed[:, 1])
    return SettingsVector(circuit, chosen, inside / widths, widths, allowed[:, 0], allowed[:, 1])


def chosen_settings(compiled: Compiled, patterns: Sequence[Any]) -> tuple[str, ...]:
    """Return the settings that names and patterns stand for, in the order of the circuit.

    Patterns leave out settings that follow from another one of them. Raises ParameterError, naming it, for a
    name or pattern without a setting, and a name that follows from another.
    """
    named: set[str] = set()
    matched: set[str] = set()
    for pattern in patterns:
        if not isinstance(pattern, str):
            message = f"Names of settings are texts, or patterns such as '*.phase', got {shown(pattern)}."
            raise ParameterError(message)
        if not any(sign in pattern for sign in WILD):
            named.add(_single(compiled, compiled.differentiable(pattern)))
            continue
        found = like(compiled, compiled.continuous, pattern)
        if not found:
            message = (
                f"No setting of circuit {compiled.netlist.name!r} matches {pattern!r}: settings are dotted "
                "names, with * for any part of one."
            )
            raise ParameterError(message + did_you_mean(pattern, compiled.continuous))
        matched |= found
    every = named | matched
    follow = every - set(leading(compiled, every))
    clash = sorted(follow & named)
    if clash:
        other = min(_follows(compiled, clash[0]) & every)
        message = f"Setting {clash[0]!r} follows from {other!r}: name one of them."
        raise ParameterError(message)
    order = {name: k for k, name in enumerate(compiled.parameters)}
    return tuple(sorted(every - follow, key=lambda name: order.get(name, len(order))))


def like(compiled: Compiled, names: Iterable[str], pattern: str) -> set[str]:
    """Return those of the names that match a pattern and are settings of one number."""
    return {name for name in names if fnmatchcase(name, pattern) and _is_single(compiled, name)}


def leading(compiled: Compiled, names: Iterable[str]) -> list[str]:
    """Return the names that follow from none of the others."""
    every = set(names)
    return [name for name in every if not _follows(compiled, name) & every]


def _follows(compiled: Compiled, name: str) -> set[str]:
    """Return the settings that one is computed from, as written."""
    bound = compiled.graph.bindings.bound.get(name)
    return compiled.graph.bindings.sources(bound) if isinstance(bound, Scoped) else set()


def _is_single(compiled: Compiled, name: str) -> bool:
    return is_number(compiled.parameters.get(name))


def _single(compiled: Compiled, name: str) -> str:
    if not _is_single(compiled, name):
        message = f"Setting {name!r} is not a single number: it cannot be part of a vector."
        raise ParameterError(message)
    return name


def limits(compiled: Compiled, name: str) -> tuple[float, float]:
    """Return the lowest and highest value of a setting, infinite where nothing bounds it."""
    parameter = _parameter(compiled, name)
    return (-np.inf, np.inf) if parameter is None else (parameter.low, parameter.high)


def unit_of(compiled: Compiled, name: str) -> str:
    """Return the unit of a setting: as declared, else as its name ends; empty where none is known."""
    parameter = _parameter(compiled, name)
    if parameter is not None:
        return "" if parameter.unit == "1" else str(parameter.unit)
    endings = (("_dB_cm", "dB/cm"), ("_dB", "dB"), ("_um", "um"), ("phase", "rad"), ("temperature", "K"))
    return next((unit for ending, unit in endings if name.endswith(ending)), "")


def _scale(compiled: Compiled, name: str, value: float) -> float:
    """Return what a step of 1 should be: half a turn of a phase, else the setting's own size, or 1."""
    parameter = _parameter(compiled, name)
    if parameter is not None and parameter.unit == "rad":
        return _HALF_TURN
    return abs(value) if value else 1.0


def _parameter(compiled: Compiled, name: str) -> Any:
    """Return the declaration of a setting; None for one of the netlist."""
    instance, setting = owner(name)
    number = compiled.graph.index.get(instance)
    model = compiled.graph.composites.get(instance) if number is None else compiled.graph.parts[number].model
    return None if model is None else model.parameters.get(setting)


def _places(names: tuple[str, ...], pattern: str, what: str) -> list[int]:
    found = [k for k, name in enumerate(names) if fnmatchcase(name, pattern)]
    if not found:
        message = f"{what}: the vector has no setting like {pattern!r}.{did_you_mean(pattern, names)}"
        raise ParameterError(message)
    return found


def _pair(pattern: str, pair: Any) -> tuple[float, float]:
    """Return bounds as two numbers, None for none."""
    right = isinstance(pair, tuple | list) and len(pair) == 2
    low, high = pair if right else (np.nan, np.nan)
    low, high = (-np.inf if low is None else low), (np.inf if high is None else high)
    if not (is_number(low) and is_number(high) and low < high):
        message = f"bounds: {pattern!r} must have (low, high), low below high, got {shown(pair)}."
        raise ParameterError(message)
    return float(low), float(high)

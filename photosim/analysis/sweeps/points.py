"""The points of a sweep: a grid of all combinations, settings that change together, or samples of a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.engine.bindings import flat_settings, no_setting
from photosim.errors import ParameterError, did_you_mean
from photosim.reals import NotReal, as_real, shown

if TYPE_CHECKING:
    from photosim.circuit import Circuit

Mode = Literal["grid", "zip", "samples"]
MODES = ("grid", "zip", "samples")
METHODS = ("sobol", "halton", "lhs", "random")
MOST_POINTS = 50_000_000
SAMPLE = "sample"
"""Dimension of sweeps whose settings change together."""


@dataclass(frozen=True)
class Points:
    """The points of a sweep.

    values: of every setting at every point, shape (B,), by dotted name.  axes: the dimensions in order, each
    with its length; B is their product.  coords: (dimension, values) of every setting.
    """

    values: Mapping[str, Any]
    axes: Mapping[str, int]
    coords: Mapping[str, tuple[str, Any]]

    @property
    def count(self) -> int:
        """Number of points."""
        return int(np.prod([*self.axes.values()], dtype=np.int64))


def make_points(
    circuit: Circuit, settings: Mapping[str, Any], mode: str, samples: int | None, seed: int, method: str
) -> Points:
    """Return the points of a sweep over settings by name, nested or dotted.

    Raises ParameterError for a setting that the circuit does not have, and values that a mode cannot take.
    """
    if mode not in MODES:
        message = f"A sweep has the mode grid, zip or samples, not {mode!r}.{did_you_mean(mode, MODES)}"
        raise ParameterError(message)
    flat = {name: _values(circuit, name, value, mode) for name, value in _flat(settings).items()}
    if not flat:
        return Points({}, {}, {})
    if (samples is not None) != (mode == "samples"):
        message = (
            "A sweep of samples needs their number: samples=1024."
            if samples is None
            else f"samples={samples} belongs to mode='samples', but the mode is {mode!r}."
        )
        raise ParameterError(message)
    if method != "sobol" and mode != "samples":
        message = f"method={method!r} belongs to mode='samples', but the mode is {mode!r}."
        raise ParameterError(f"{message}{did_you_mean(method, MODES)}")
    if mode == "grid":
        return _grid(flat)
    if mode == "zip":
        return _zip(flat)
    return _samples(flat, samples or 0, seed, method)


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested settings by dotted name, values untouched."""
    found: dict[str, Any] = {}
    pairs: list[tuple[Any, Any]] = list(settings.items())
    for name, value in pairs:
        if not isinstance(name, str):
            message = f"Settings are given by name, but a sweep has the key {shown(name)}."
            raise ParameterError(message)
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": v for inner, v in _flat(value).items()}
        else:
            found[name] = value
    return found


def check_setting(circuit: Circuit, name: str, others: Sequence[str] = ()) -> None:
    """Raise ParameterError, with the nearest name, for a setting that the circuit does not have.

    others: names that may be meant too.
    """
    known = {**circuit.parameters, **circuit.graph.structural}
    if name not in known:
        message = f"{no_setting(name, known, others)} `photosim check FILE --settings` lists all of them."
        raise ParameterError(message)


def _values(circuit: Circuit, name: str, value: Any, mode: str) -> Any:
    """Return the values of a setting as a list of choices or an array (n,)."""
    check_setting(circuit, name)
    if isinstance(value, str):
        value = _range(name, value, mode)
    if isinstance(value, list | tuple) and value and all(isinstance(v, str | bool) for v in value):
        if mode == "samples":
            message = f"Samples of {name!r} are drawn between two numbers, got {shown(value)}."
            raise ParameterError(message)
        return list(value)
    try:
        found = np.atleast_1d(as_real(value))
    except NotReal as reason:
        message = f"The values of {name!r} in a sweep must be numbers or choices, {reason}."
        raise ParameterError(message) from None
    if found.ndim != 1 or not found.size:
        message = f"The values of {name!r} in a sweep must be a list, got an array of shape {found.shape}."
        raise ParameterError(message)
    if mode == "samples" and (found.size != 2 or not found[0] < found[1]):
        message = f"Samples of {name!r} are drawn between two numbers, as in [9.9, 10.1], got {shown(value)}."
        raise ParameterError(message)
    return found


def _range(name: str, text: str, mode: str) -> Any:
    """Return the numbers that "9.9:10.1:21", "9.9:10.1" (of samples) or "9.9, 10, 10.1" stand for."""
    fields = text.split(":")
    wanted = "low:high" if mode == "samples" else "start:stop:count or values and commas"
    try:
        if len(fields) == 1 and mode != "samples":
            return [float(v) for v in text.split(",")]
        if len(fields) == 2 and mode == "samples":
            return [float(v) for v in fields]
        if len(fields) == 3 and mode != "samples" and int(fields[2]) > MOST_POINTS:
            wanted = f"at most {MOST_POINTS:,} values"
        elif len(fields) == 3 and mode != "samples" and int(fields[2]) >= 1:
            return np.linspace(float(fields[0]), float(fields[1]), int(fields[2]))
    except ValueError:
        if len(fields) == 1 and mode != "samples":
            return [v.strip() for v in text.split(",")]
    message = f"Cannot read the values {text!r} of {name!r}: write {wanted}."
    raise ParameterError(message)


def _grid(flat: Mapping[str, Any]) -> Points:
    axes = {name: len(values) for name, values in flat.items()}
    count = int(np.prod([float(n) for n in axes.values()]))
    if count > MOST_POINTS:
        message = f"A sweep has at most {MOST_POINTS:,} points, but this grid has {count:,}."
        raise ParameterError(message)
    numbers = np.meshgrid(*(np.arange(n) for n in axes.values()), indexing="ij")
    values = {name: _take(flat[name], number.ravel()) for name, number in zip(axes, numbers, strict=True)}
    return Points(values, axes, {name: (name, flat[name]) for name in axes})


def _take(values: Any, numbers: Any) -> Any:
    return values[numbers] if isinstance(values, np.ndarray) else [values[k] for k in numbers.tolist()]


def _zip(flat: Mapping[str, Any]) -> Points:
    sizes = {name: len(values) for name, values in flat.items()}
    if len(set(sizes.values())) > 1:
        (a, n), (b, m) = next((x, y) for x in sizes.items() for y in sizes.items() if x[1] != y[1])
        message = f"Settings {a!r} and {b!r} hold {n} and {m} values: mode='zip' needs as many of each."
        raise ParameterError(message)
    return Points(flat, {SAMPLE: next(iter(sizes.values()))}, {n: (SAMPLE, v) for n, v in flat.items()})


def _samples(flat: Mapping[str, Any], samples: int, seed: int, method: str) -> Points:
    if not 1 <= samples <= MOST_POINTS:
        message = f"A sweep has 1 to {MOST_POINTS:,} samples, got {samples}."
        raise ParameterError(message)
    unit = unit_samples(len(flat), samples, seed, method)
    values = {name: low + (high - low) * unit[:, k] for k, (name, (low, high)) in enumerate(flat.items())}
    return Points(values, {SAMPLE: samples}, {name: (SAMPLE, v) for name, v in values.items()})


def unit_samples(dimensions: int, samples: int, seed: int, method: str) -> Any:
    """Return samples (N, d) of the unit cube by a method of scipy.stats.qmc, or plain random ones."""
    from scipy.stats import qmc

    if method not in METHODS:
        message = f"Samples are drawn by {', '.join(METHODS)}, not {method!r}.{did_you_mean(method, METHODS)}"
        raise ParameterError(message)
    if method == "random":
        return np.random.default_rng(seed).random((samples, dimensions))
    if method == "sobol":
        if dimensions > qmc.Sobol.MAXDIM:
            message = (
                f"Sobol samples have up to {qmc.Sobol.MAXDIM:,} settings, got {dimensions:,}: take random."
            )
            raise ParameterError(message)
        engine = qmc.Sobol(dimensions, scramble=True, seed=seed)
        whole = engine.random_base2((samples - 1).bit_length())  # balanced only where a power of two
        return whole[:samples]
    kind = qmc.Halton if method == "halton" else qmc.LatinHypercube
    return kind(dimensions, seed=seed).random(samples)


def fixed_settings(circuit: Circuit, settings: Mapping[str, Any], swept: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that stay, by dotted name; ParameterError for one that is swept, or a list."""
    flat = flat_settings(settings)
    for name, value in flat.items():
        check_setting(circuit, name)
        if name in swept:
            message = f"Setting {name!r} is swept and fixed: give it once."
            raise ParameterError(message)
        if np.ndim(value):
            message = f"Setting {name!r} is a list: sweep it, or give one value."
            raise ParameterError(message)
    return flat

"""Settings that are fitted or designed: names, bounds, starts and priors, read in one way.

A fit and a design take the same forms: a name, a pattern, a list of them, or a mapping of them to nothing, a
start, [low, high], or {start, bounds, prior}.
"""

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
    from photosim.circuit import Circuit

KEYS = ("start", "bounds", "prior")


@dataclass(frozen=True)
class Varied:
    """One setting that is fitted or designed.

    start: first guess.  low, high: bounds; bounded: whether they are the user's own.  mean, sigma: normal
    prior; nan where there is none.  unit: "" where it is not known.  scale: what a step of 1 in it is worth.
    declared: the parameter that it is, or enters; None where there is none.
    """

    name: str
    start: float
    low: float
    high: float
    bounded: bool
    mean: float
    sigma: float
    unit: str
    scale: float
    declared: Any


def read_varied(
    circuit: Circuit,
    names: str | Sequence[Any] | Mapping[str, Any],
    bounds: Mapping[str, Any] | None = None,
    priors: Mapping[str, Any] | None = None,
    *,
    scales: Mapping[str, Any] | None = None,
    word: str = "fitted",
) -> tuple[Varied, ...]:
    """Return settings by name or pattern, with what is said of each there, in `bounds` and in `priors`.

    A name goes before a pattern, and the first pattern before the others.  word: what the settings are, for
    messages.  Raises ParameterError for settings that do not exist or have no derivative, and for bounds,
    starts and priors that cannot be.
    """
    own: dict[str, Mapping[str, Any]] = {}
    if isinstance(names, Mapping):
        own = {name: _entry(name, entry) for name, entry in names.items()}
        names = [*names]
    tables = [
        {**{n: e[key] for n, e in own.items() if key in e}, **(more or {})}
        for key, more in (("bounds", bounds), ("prior", priors), ("start", None))
    ]
    asked: Any = names  # a file may have anything there
    if not isinstance(asked, str | Sequence):
        message = f"The {word} settings are names, patterns or a mapping of them, got {shown(names)}."
        raise ParameterError(message)
    vector = settings_vector(circuit, names if isinstance(names, str) else [*names], None, scales)
    for what, table in zip(("bounds", "priors"), tables, strict=False):
        for pattern in table:
            if not any(fnmatchcase(name, pattern) for name in vector.names):
                hint = did_you_mean(pattern, vector.names)
                message = f"{what}: {pattern!r} is not one of the {word} settings.{hint}"
                raise ParameterError(message)
    written = vector.x0 * vector.scales
    columns = (written, vector.low, vector.high, vector.scales)
    rows = zip(vector.names, *(column.tolist() for column in columns), strict=True)
    return tuple(_varied(circuit, *row, *(_matching(row[0], table) for table in tables)) for row in rows)


def _varied(  # noqa: PLR0913 - one setting, by its columns
    circuit: Circuit, name: str, value: float, low: float, high: float, scale: float,
    limits: Any, prior: Any, asked: Any,
) -> Varied:  # fmt: skip
    declared = [*_declared(circuit, name)]
    low = max([low, *(p.low for p, plain in declared if plain)])
    high = min([high, *(p.high for p, plain in declared if plain)])
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
    first = declared[0][0] if declared else None
    unit = first.unit if first is not None else _unit_of(name)
    return Varied(name, start, low, high, limits is not None, mean, sigma, unit, scale, first)


def _entry(name: str, entry: Any) -> Mapping[str, Any]:
    if entry is None:
        return {}
    if is_number(entry):
        return {"start": entry}
    if isinstance(entry, list | tuple):
        return {"bounds": entry}
    if not isinstance(entry, Mapping):
        message = f"{name!r} takes a start, [low, high] or {{start, bounds, prior}}, got {shown(entry)}."
        raise ParameterError(message)
    for key in entry:
        if key not in KEYS:
            hint = did_you_mean(str(key), KEYS)
            message = f"{name!r} has no key {key!r}; it takes {', '.join(KEYS)}.{hint}"
            raise ParameterError(message)
    return entry


def _matching(name: str, table: Mapping[str, Any]) -> Any:
    if name in table:
        return table[name]
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

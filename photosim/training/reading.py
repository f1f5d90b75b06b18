"""Options of training as mappings of plain data: read strictly, with one sentence for what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType
from typing import Any, TypeVar

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.optimisers import SGD, Adam, Noam, Optimiser, RateSchedule, StepDecay

OPTIMISERS: Mapping[str, type[SGD | Adam]] = MappingProxyType({"sgd": SGD, "adam": Adam})
SCHEDULES: Mapping[str, type[StepDecay | Noam]] = MappingProxyType({"steps": StepDecay, "noam": Noam})
MOST = 100_000
"""Largest number of seeds, epochs, units or samples a batch: a typing error otherwise."""

Made = TypeVar("Made")


def check_names(kind: type, values: Mapping[str, Any], where: str) -> None:
    """Refuse unknown keys of `values` and missing ones without a default, by the fields of a record."""
    known = {item.name: item for item in fields(kind)}
    for key in values:
        if key not in known:
            message = (
                f"{where} has no option {key!r}. It has: {listing(known, 20)}.{did_you_mean(str(key), known)}"
            )
            raise ParameterError(message)
    for key, item in known.items():
        if key not in values and item.default is MISSING and item.default_factory is MISSING:
            message = f"{where} needs the option {key!r}."
            raise ParameterError(message)


def number(value: Any, where: str, *, low: float, high: float) -> float:
    """Return a number within bounds; ParameterError, starting with `where`, for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        message = f"{where} must be a number from {low:g} to {high:g}, got {value!r}."
        raise ParameterError(message)
    return float(value)


def whole(value: Any, least: int, where: str, most: int = MOST) -> int:
    """Return a whole number within bounds; ParameterError, starting with `where`, for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        message = f"{where} must be a whole number from {least} to {most}, got {value!r}."
        raise ParameterError(message)
    return value


def record(kind: type[Made], value: Any, where: str, **read: Any) -> Made:
    """Return the frozen record `kind` made of a mapping of numbers (null where a field may be None).

    read: fields that were read already.  Raises ParameterError for anything else, and for what the record
    itself refuses.
    """
    if not isinstance(value, Mapping):
        message = f"{where} must be a mapping, got {value!r}."
        raise ParameterError(message)
    check_names(kind, {**value, **read}, where)
    may_be_none = {item.name for item in fields(kind) if "None" in str(item.type)}  # type: ignore[arg-type]
    for key, inner in value.items():
        if inner is not None or key not in may_be_none:
            number(inner, f"{where}: {key}", low=-1e12, high=1e12)
    try:
        return kind(**value, **read)
    except ParameterError as error:
        message = f"{where}: {error}"
        raise ParameterError(message) from None


def named(value: Any, key: str, known: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """Return the name that a mapping has at `key` and the rest of it; ParameterError lists what is known."""
    example = " or ".join(known)
    if not isinstance(value, Mapping) or key not in value:
        message = f"{where} must be a mapping with {key}: {example}, got {value!r}."
        raise ParameterError(message)
    name = value[key]
    if name not in list(known):  # a list, for which any value at all can be looked for
        hint = did_you_mean(str(name), known)
        message = f"{where} must be a mapping with {key}: {example}, got {name!r}.{hint}"
        raise ParameterError(message)
    return str(name), {inner: own for inner, own in value.items() if inner != key}


def read_optimiser(value: Any, where: str) -> Optimiser:
    """Read {method: adam, learning_rate: 0.003, schedule: {...}, ...}."""
    name, rest = named(value, "method", OPTIMISERS, where)
    read = (
        {"schedule": read_schedule(rest.pop("schedule"), f"{where}: schedule")} if "schedule" in rest else {}
    )
    return record(OPTIMISERS[name], rest, where, **read)


def read_schedule(value: Any, where: str) -> RateSchedule:
    """Read {method: steps, epochs: [20, 30], ratio: 0.1} or {method: noam, width: 128, warmup: 400}."""
    name, rest = named(value, "method", SCHEDULES, where)
    read = {}
    if name == "steps" and "epochs" in rest:
        epochs = rest.pop("epochs")
        if not isinstance(epochs, list | tuple) or not epochs or sorted(set(epochs)) != list(epochs):
            message = f"{where}: epochs must list different epochs in order, as [20, 30], got {epochs!r}."
            raise ParameterError(message)
        read["epochs"] = tuple(whole(epoch, 1, f"{where}: an epoch") for epoch in epochs)
    return record(SCHEDULES[name], rest, where, **read)

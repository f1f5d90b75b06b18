"""The options of an analysis of kind `train`: read strictly, once, before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeVar

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.data import DATASETS
from photosim.training.devices.receiver import Converters
from photosim.training.devices.weight_bank import Measured
from photosim.training.layers import activation
from photosim.training.optimisers import SGD, Adam, Optimiser
from photosim.training.rules.catalogue import RULES as CATALOGUE
from photosim.training.rules.perturbation import check_differences

RULES = {
    **CATALOGUE,
    "dfa-device": "direct feedback alignment by the device, without noise",
    "dfa-device-noise": "direct feedback alignment by the device, with the physical noise of its circuit",
    "dfa-device-measured": "direct feedback alignment by the device, with the published noise model",
}
"""Rules by name and what they are: those of the catalogue by exact products, and those of the device."""
PRECISIONS = ("single", "double")
OPTIMISERS: Mapping[str, type[SGD | Adam]] = MappingProxyType({"sgd": SGD, "adam": Adam})
MOST = 100_000
"""Largest number of seeds, epochs, units or samples a batch: a typing error otherwise."""

_LEAST = {"seeds": 1, "epochs": 1, "batch": 1, "seed": 0, "alignment": 0, "repeats": 1}
_BOUNDS = {"validation": (0.0, 0.5), "feedback": (1e-9, 1e9), "threshold": (0.0, 0.999), "step": (1e-12, 1e3)}

Made = TypeVar("Made")


@dataclass(frozen=True)
class TrainOptions:
    """What to train, on what, how long; the names are those of the netlist file.

    network: widths, inputs first.  device: name of the weight bank's instance; needed by rules that use one.
    feedback: the feedback matrices' entries are uniform between -feedback and +feedback.
    threshold: errors up to this are 0 for the rule `ternary-dfa`.
    step, repeats: by how much rules that measure the loss move parameters, and in how many random directions
    a batch; None for the rule's own.
    alignment: number of training samples over which the angle between each rule's updates and the gradient is
    taken after every epoch; 0 for none.
    precision: of parameters and activations, "single" or "double".
    gated: whether the amplifiers behind the device's rows take the slopes of the hidden units as their gain,
    before the readings are converted; else they are multiplied with afterwards.
    validation: share of all samples held out from training to choose hyperparameters; 0 to use them.
    """

    name: str
    data: str
    network: tuple[int, ...]
    rules: tuple[str, ...]
    activation: str = "tanh"
    seeds: int = 5
    epochs: int = 30
    batch: int = 32
    validation: float = 0.1
    seed: int = 0
    feedback: float = 1.0
    threshold: float = 0.25
    step: float | None = None
    repeats: int | None = None
    alignment: int = 0
    precision: str = "single"
    optimiser: Optimiser = field(default_factory=Adam)
    device: str | None = None
    converters: Converters = field(default_factory=Converters)
    gated: bool = True
    measured: Measured = field(default_factory=Measured)

    @property
    def device_rules(self) -> tuple[str, ...]:
        """The rules that need the device."""
        return tuple(rule for rule in self.rules if rule.startswith("dfa-device"))


def parse(entry: Mapping[str, Any]) -> TrainOptions:
    """Return the options of one entry of `analyses`; ParameterError names what is wrong."""
    values = {key: value for key, value in entry.items() if key != "kind"}
    where = f"analysis {values.get('name', 'train')!r}"
    _check_names(TrainOptions, values, where)
    values["network"] = _widths(values["network"], where)
    values["rules"] = _rules(values["rules"], where)
    for key, least in _LEAST.items():
        if key in values and (key != "repeats" or values[key] is not None):
            values[key] = _whole(values[key], least, f"{where}: {key}", 2**63 - 1 if key == "seed" else MOST)
    for key, (low, high) in _BOUNDS.items():
        if key in values and (key != "step" or values[key] is not None):
            values[key] = _number(values[key], f"{where}: {key}", low=low, high=high)
    if not isinstance(values.get("gated", True), bool):
        message = f"{where}: gated must be true or false, got {values['gated']!r}."
        raise ParameterError(message)
    for key, kind in (("converters", Converters), ("measured", Measured)):
        if key in values:
            values[key] = _nested(kind, values[key], f"{where}: {key}")
    if "optimiser" in values:
        values["optimiser"] = _optimiser(values["optimiser"], f"{where}: optimiser")
    options = TrainOptions(**values)
    _check_meaning(options, where)
    return options


def _check_meaning(options: TrainOptions, where: str) -> None:
    try:
        activation(options.activation)
    except ParameterError as error:
        message = f"{where}: {error}"
        raise ParameterError(message) from None
    if options.precision not in list(PRECISIONS):
        message = f"{where}: precision must be single or double, got {options.precision!r}."
        raise ParameterError(message)
    if options.data not in list(DATASETS):
        message = f"{where}: there is no data set {options.data!r}. There are: {listing(DATASETS)}."
        raise ParameterError(message + did_you_mean(str(options.data), DATASETS))
    if "finite-difference" in options.rules:
        parameters = sum((one + 1) * other for one, other in pairwise(options.network))
        check_differences(parameters, f"{where}: ")
    if options.device_rules and not isinstance(options.device, str):
        message = (
            f"{where}: rule {options.device_rules[0]!r} needs `device`, the name of a weight bank's instance."
        )
        raise ParameterError(message)


def _check_names(kind: type, values: Mapping[str, Any], where: str) -> None:
    """Refuse unknown keys of `values` and missing ones without a default."""
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


def _widths(value: Any, where: str) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or len(value) < 2:
        message = (
            f"{where}: network must list two widths or more, inputs first, as [64, 128, 10], got {value!r}."
        )
        raise ParameterError(message)
    return tuple(_whole(width, 1, f"{where}: a width of the network") for width in value)


def _rules(value: Any, where: str) -> tuple[str, ...]:
    rules = tuple(value) if isinstance(value, list | tuple) else (value,)
    for rule in rules:
        if rule not in list(RULES):
            hint = did_you_mean(str(rule), RULES)
            message = f"{where}: there is no rule {rule!r}. There are: {listing(RULES)}.{hint}"
            raise ParameterError(message)
    if not rules or len(set(rules)) != len(rules):
        message = f"{where}: rules must be different names, at least one, got {listing(rules)}."
        raise ParameterError(message)
    return rules


def _optimiser(value: Any, where: str) -> Optimiser:
    """Read {method: adam, rate: 0.003, ...}."""
    if not isinstance(value, Mapping) or value.get("method") not in list(OPTIMISERS):
        message = f"{where} must be a mapping with method: {' or '.join(OPTIMISERS)}, got {value!r}."
        raise ParameterError(message)
    rest = {key: inner for key, inner in value.items() if key != "method"}
    return _nested(OPTIMISERS[value["method"]], rest, where)


def _nested(kind: type[Made], value: Any, where: str) -> Made:
    """Return the frozen record `kind` made of a mapping of numbers (null where a field may be None).

    Raises ParameterError for anything else, and for what the record itself refuses.
    """
    if not isinstance(value, Mapping):
        message = f"{where} must be a mapping, got {value!r}."
        raise ParameterError(message)
    _check_names(kind, value, where)
    may_be_none = {item.name for item in fields(kind) if "None" in str(item.type)}  # type: ignore[arg-type]
    for key, inner in value.items():
        if inner is not None or key not in may_be_none:
            _number(inner, f"{where}: {key}", low=-1e12, high=1e12)
    try:
        return kind(**value)
    except ParameterError as error:
        message = f"{where}: {error}"
        raise ParameterError(message) from None


def _number(value: Any, where: str, *, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        message = f"{where} must be a number from {low:g} to {high:g}, got {value!r}."
        raise ParameterError(message)
    return float(value)


def _whole(value: Any, least: int, where: str, most: int = MOST) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        message = f"{where} must be a whole number from {least} to {most}, got {value!r}."
        raise ParameterError(message)
    return value

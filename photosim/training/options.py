"""The options of an analysis of kind `train`: read strictly, once, before any work is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.architecture import build_network, parameter_count
from photosim.training.data.datasets import DATASETS
from photosim.training.devices.bank.weight_bank import Measured
from photosim.training.devices.receiver import Converters
from photosim.training.layers import activation
from photosim.training.optimisers import Adam, Optimiser
from photosim.training.reading import MOST, check_names, number, read_optimiser, record, whole
from photosim.training.rules.catalogue import RULES as CATALOGUE
from photosim.training.rules.catalogue import check_network
from photosim.training.rules.perturbation import check_differences

RULES = {
    **CATALOGUE,
    "dfa-device": "direct feedback alignment by the device, without noise",
    "dfa-device-noise": "direct feedback alignment by the device, with the physical noise of its circuit",
    "dfa-device-measured": "direct feedback alignment by the device, with the published noise model",
}
"""Rules by name and what they are: those of the catalogue by exact products, and those of the device."""
PRECISIONS = ("single", "double")

_LEAST = {"seeds": 1, "epochs": 1, "batch_size": 1, "seed": 0, "alignment": 0, "repeats": 1}
_BOUNDS = {
    "validation_fraction": (0.0, 0.5),
    "feedback": (1e-9, 1e9),
    "threshold": (0.0, 0.999),
    "step": (1e-12, 1e3),
}


@dataclass(frozen=True)
class TrainOptions:
    """What to train, on what, how long; the names are those of the netlist file.

    network: inputs, hidden layers, classes, as photosim.training.architecture.build_network takes them; plain
    numbers are widths of dense layers.  activation: of all hidden layers that learn.
    device: name of the weight bank's instance; needed by rules that use one.
    feedback: the feedback matrices' entries are uniform between -feedback and +feedback.
    threshold: `ternary-dfa` rounds output errors with absolute value up to this to zero.
    step, repeats: by how much rules that measure the loss move parameters, and in how many random directions
    a batch; None for the rule's own.
    alignment: number of training samples over which the angle between each rule's updates and the gradient is
    taken after every epoch; 0 for none.
    precision: of parameters and activations, "single" or "double".
    gated: apply the activation's derivative in the row amplifiers, before the ADC; otherwise multiply
    digitally, after it.
    validation_fraction: fraction of all samples that validate instead of training; 0 to train on all.
    """

    name: str
    data: str
    network: tuple[Any, ...]
    rules: tuple[str, ...]
    activation: str = "tanh"
    seeds: int = 5
    epochs: int = 30
    batch_size: int = 32
    validation_fraction: float = 0.1
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


def catalogued(rule: str) -> str:
    """Return the rule's name in the catalogue: those of the device are all `dfa`."""
    return rule if rule in CATALOGUE else "dfa"


def parse(entry: Mapping[str, Any]) -> TrainOptions:
    """Return the options of one entry of `analyses`; ParameterError names what is wrong."""
    values = {key: value for key, value in entry.items() if key != "kind"}
    where = f"analysis {values.get('name', 'train')!r}"
    check_names(TrainOptions, values, where)
    values["rules"] = _rules(values["rules"], where)
    for key, least in _LEAST.items():
        if key in values and (key != "repeats" or values[key] is not None):
            values[key] = whole(values[key], least, f"{where}: {key}", 2**63 - 1 if key == "seed" else MOST)
    for key, (low, high) in _BOUNDS.items():
        if key in values and (key != "step" or values[key] is not None):
            values[key] = number(values[key], f"{where}: {key}", low=low, high=high)
    if not isinstance(values.get("gated", True), bool):
        message = f"{where}: gated must be true or false, got {values['gated']!r}."
        raise ParameterError(message)
    for key, kind in (("converters", Converters), ("measured", Measured)):
        if key in values:
            values[key] = record(kind, values[key], f"{where}: {key}")
    if "optimiser" in values:
        values["optimiser"] = read_optimiser(values["optimiser"], f"{where}: optimiser")
    options = TrainOptions(**values)
    _check_meaning(options, where)
    _check_network(options, where)
    return replace(options, network=tuple(options.network))


def _check_network(options: TrainOptions, where: str) -> None:
    network = build_network(options.network, options.activation, where)
    if "finite-difference" in options.rules:
        check_differences(parameter_count(network), f"{where}: ")
    for rule in options.rules:
        check_network(catalogued(rule), network, f"{where}: ")


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
    if options.device_rules and not isinstance(options.device, str):
        message = (
            f"{where}: rule {options.device_rules[0]!r} needs `device`, the name of a weight bank's instance."
        )
        raise ParameterError(message)


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

"""The options of an analysis of kind `train`: read strictly, once, before any work is done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from photosim.analysis.options import read_entry, title
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.netlist.form_errors import MappingError
from photosim.netlist.forms import LIST, RECORD, NameList, Written, one_of
from photosim.training.architecture import MOST, Size, build_network, parameter_count
from photosim.training.data.datasets import DATASETS, Dataset, load
from photosim.training.data.graphs import GraphData, is_graph, read_graph
from photosim.training.data.own import SUFFIXES, read_data
from photosim.training.devices.bank.weight_bank import Measured
from photosim.training.devices.receiver import Converters
from photosim.training.layers import activation
from photosim.training.optimisers import OPTIMISER, Adam, Optimiser
from photosim.training.rules.catalogue import RULES as CATALOGUE
from photosim.training.rules.catalogue import check_network, needs
from photosim.training.rules.perturbation import check_differences
from photosim.training.rules.rule import Need

RULES = {
    **CATALOGUE,
    "dfa-device": "direct feedback alignment by the device, without noise",
    "dfa-device-noise": "direct feedback alignment by the device, with the physical noise of its circuit",
    "dfa-device-measured": "direct feedback alignment by the device, with the published noise model",
}
"""Rules by name and what they are: those of the catalogue by exact products, and those of the device."""


def is_file(name: str) -> bool:
    """Return whether data are one's own: a .npz or .csv file, or a folder written with a slash."""
    return name.endswith(SUFFIXES) or "/" in name or "\\" in name


def _data(name: str) -> str:
    if name not in DATASETS and not is_file(name):
        message = (
            f"There is no data set {name!r}. There are: {listing(DATASETS)}; one's own file ends in .npz or "
            f".csv, a folder has a slash, as ./{name}.{did_you_mean(name, DATASETS)}"
        )
        raise ParameterError(message)
    return name


def _activation(name: str) -> str:
    activation(name)
    return name


@dataclass(frozen=True)
class TrainOptions:
    """What to train, on what, how long; the names are those of the netlist file.

    data: a name, or a file or folder as photosim.training.data.own.read_data takes it, below the netlist's;
    an .npz file with the arrays of a graph, as photosim.training.data.graphs.read_graph has them.
    target: column of a .csv file; its last one if left out.
    network: inputs, hidden layers, outputs, as photosim.training.architecture.build_network takes them; plain
    numbers are widths of dense layers.  activation: of all hidden layers that learn.
    hardware: as `with_hardware` takes it, names and paths of netlists; the netlist's own circuit where only
    device, use or noise are given.  device: the instance meant: a weight bank, a mesh, a camera.  use: what
    hardware does for rules of the catalogue.  noise: of that hardware.
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
    data: Annotated[str, Written(str, _data)]
    network: Annotated[tuple[Any, ...], LIST]
    rules: Annotated[NameList, one_of("rule", RULES)]
    activation: Annotated[str, Written(str, _activation)] = "tanh"
    target: str | None = None
    seeds: Size = 5
    epochs: Size = 30
    batch_size: Size = 32
    validation_fraction: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    feedback: Annotated[float, Field(ge=1e-9, le=1e9)] = 1.0
    threshold: Annotated[float, Field(ge=0, le=0.999)] = 0.25
    step: Annotated[float, Field(ge=1e-12, le=1e3)] | None = None
    repeats: Size | None = None
    alignment: Annotated[int, Field(ge=0, le=MOST)] = 0
    precision: Literal["single", "double"] = "single"
    optimiser: Annotated[Optimiser, OPTIMISER] = field(default_factory=Adam)
    hardware: Any = None
    device: str | None = None
    use: Literal["auto", "forward", "backward", "both"] | None = None
    noise: Literal["physical", "measured"] | None = None
    converters: Annotated[Converters, RECORD] = field(default_factory=Converters)
    gated: bool = True
    measured: Annotated[Measured, RECORD] = field(default_factory=Measured)

    @property
    def device_rules(self) -> tuple[str, ...]:
        """The rules that need the device."""
        return tuple(rule for rule in self.rules if rule.startswith("dfa-device"))

    def use_of(self, rule: str) -> str | None:
        """Return what hardware does for a rule: feedback for those of the device; None for exact products."""
        if rule in self.device_rules:
            return self.use or "backward"
        asked = self.use is not None or self.hardware is not None or self.noise is not None
        return (self.use or "auto") if asked else None

    def noise_of(self, rule: str) -> str | None:
        """Return the noise of a rule's hardware."""
        named = {"dfa-device-noise": "physical", "dfa-device-measured": "measured"}
        return named.get(rule, self.noise)


def load_data(
    options: TrainOptions, folder: Path | None, data_dir: str | os.PathLike[str] | None
) -> Dataset | GraphData:
    """Return the data of an analysis: a set by name, or the user's own, found below the netlist's folder.

    An .npz file with the arrays of `photosim.training.data.graphs.read_graph` is a graph.

    Raises DataError for data that are missing or wrong, ParameterError for rules made for class labels where
    the targets are numbers.
    """
    if not is_file(options.data):
        return load(options.data, validation_fraction=options.validation_fraction, data_dir=data_dir)
    place = Path(options.data).expanduser()
    place = place if place.is_absolute() or folder is None else folder / place
    if is_graph(place):
        return read_graph(place)
    data = read_data(place, target=options.target, validation_fraction=options.validation_fraction)
    for rule in options.rules:
        if data.regression and Need.CLASS_LABELS in needs(catalogued(rule)):
            message = f"{title(options.name)}: rule {rule!r} is for class labels, but {place} has numbers."
            raise ParameterError(message)
    return data


def catalogued(rule: str) -> str:
    """Return the rule's name in the catalogue: those of the device are all `dfa`."""
    return rule if rule in CATALOGUE else "dfa"


def parse(entry: Mapping[str, Any]) -> TrainOptions:
    """Return the options of one entry of `analyses`; ParameterError names what is wrong."""
    options = read_entry(TrainOptions, entry, "train")
    if options.device_rules and options.device is None and options.hardware is None:
        message = (
            f"{title(options.name)}: rule {options.device_rules[0]!r} needs `device`, the name of a weight "
            "bank's, mesh's or camera's instance, or `hardware`, a netlist."
        )
        raise MappingError(message, ("rules",))
    try:
        _check_network(options, title(options.name))
    except ParameterError as error:
        raise MappingError(str(error), ("network",)) from None
    return options


def _check_network(options: TrainOptions, where: str) -> None:
    network = build_network(options.network, options.activation, where)
    if "finite-difference" in options.rules:
        check_differences(parameter_count(network), f"{where}: ")
    for rule in options.rules:
        check_network(catalogued(rule), network, f"{where}: ")

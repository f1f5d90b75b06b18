"""Analyses of kind `train`: every rule with every seed, from the same initial parameters and data."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.progress import Progress, silent
from photosim.errors import Diverged, ParameterError, PhotosimWarning
from photosim.training.architecture import build_network, label, plain
from photosim.training.arrays import FloatArray
from photosim.training.checkpoint import SUFFIX
from photosim.training.data.datasets import Dataset
from photosim.training.data.graphs import GraphData
from photosim.training.devices import Device, Digital, ScatteringMedium
from photosim.training.devices.bank.errors import effective_bits
from photosim.training.devices.bank.weight_bank import WeightBank
from photosim.training.graph_job import fit_graph, graph_layers
from photosim.training.hardware.found import Settings, check_instance, has_camera, is_mesh, read_hardware
from photosim.training.hardware.use import Uses, used
from photosim.training.history import History
from photosim.training.layers import Network
from photosim.training.losses import CLASSIFICATION, REGRESSION
from photosim.training.optimisers import OPTIMISERS, SCHEDULES, Constant
from photosim.training.options import TrainOptions, catalogued, load_data, parse
from photosim.training.result import RuleResult, TrainingResult, WeightMap
from photosim.training.rules import Rule, make_rule
from photosim.training.rules.catalogue import check_network, draw_feedback, needs
from photosim.training.trainer import Schedule, Streams, fit

if TYPE_CHECKING:
    from photosim.circuit import Circuit


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> TrainOptions:
    """Return the options of an entry of `analyses`, checked against the circuit.

    Raises ParameterError for an unknown or wrong option, and for a device that is not a weight bank, mesh or
    camera of the circuit.
    """
    from photosim.training.devices.bank.circuit import find_bank

    options = parse(entry)
    other = options.device == circuit.name or is_mesh(circuit, options.device) or has_camera(circuit)
    asked = any(options.use_of(rule) for rule in options.rules)
    if asked and options.device is not None and options.hardware is None and not other:
        check_instance(circuit, options.device)
        find_bank(circuit, options.device).check_converters(options.converters)
    return options


def train(
    circuit: Circuit,
    options: TrainOptions | Mapping[str, Any],
    *,
    seed: int | None = None,
    progress: Progress = silent,
    data_dir: str | os.PathLike[str] | None = None,
    checkpoints: Path | None = None,
) -> TrainingResult:
    """Train a network by each rule with each seed, and return accuracies, losses and work of the hardware.

    circuit: the circuit with the device, through which feedback or products go as the options say.  options:
    a TrainOptions, or a mapping as in a netlist.  seed: replaces the seed of the options.  progress(name,
    done, total): called with the number of finished epochs of all rules and seeds.  data_dir: folder of data
    files; by default that of the environment variable PHOTOSIM_DATA.  checkpoints: folder for the state of
    every run; a run continues from its file there. A run that diverges gives a warning and counts as
    diverged.

    Raises ParameterError for wrong options, DataError for missing or wrong data and for checkpoints of other
    runs, and Diverged if all runs diverge.
    """
    if not isinstance(options, TrainOptions):
        options = read_options(options, circuit)
    with _one_thread():
        chosen = options.seed if seed is None else seed
        return _Job(circuit, options, chosen, progress, data_dir, checkpoints).result()


@dataclass(frozen=True)
class _Job:
    """What all runs of an analysis share."""

    circuit: Circuit
    options: TrainOptions
    seed: int
    progress: Progress
    data_dir: str | os.PathLike[str] | None = None
    checkpoints: Path | None = None

    def result(self) -> TrainingResult:
        options = self.options
        self.progress(options.name, 0, self._total)
        data = load_data(options, self.circuit.netlist.folder, self.data_dir)
        network = self._network(data) if isinstance(data, Dataset) else graph_layers(options, data)
        streams = Streams.tree(self.seed, options.seeds)
        maps: tuple[WeightMap, ...] = ()
        outcomes = []
        for position, name in enumerate(options.rules):
            uses = self._uses(name, network, streams)
            matrices = self._feedback(catalogued(name), network, streams)
            devices = self._devices(name, uses, matrices)
            networks = [own.network for own in uses] or [network] * options.seeds
            rules = [self._rule(name, *own) for own in zip(networks, devices, streams, strict=True)]
            runs, lost = {}, {}
            for run, rule in enumerate(rules):
                place = (name, run, position)
                try:
                    runs[run] = self._fit(data, networks[run], rule, streams[run], place)
                except Diverged as error:
                    lost[run] = self._lost(place, error)
            maps = maps or _weight_maps(matrices[0], devices[0])
            records = uses[0].records() if uses else ()
            outcomes.append(_outcome(name, list(runs.values()), devices, networks, rules, records, lost))
        if not any(outcome.final.size for outcome in outcomes):
            raise Diverged(f"analysis {options.name!r}: {next(iter(outcomes[0].diverged.values()))}")
        return TrainingResult(
            name=options.name,
            data=options.data,
            network=options.network,
            epochs=options.epochs,
            seed=self.seed,
            seeds=options.seeds,
            rules=tuple(outcomes),
            weights=maps,
            settings=_settings(options),
            regression=isinstance(data, Dataset) and data.regression,
            samples=len(data.train),
            products=_products(network),
        )

    def _fit(
        self,
        data: Dataset | GraphData,
        network: Network,
        rule: Rule,
        streams: Streams,
        place: tuple[str, int, int],
    ) -> History:
        """Train once; place: the rule's name, the run, and where the rule stands among the rules."""
        name, run, position = place
        options, report = self.options, self._counter(position * self.options.seeds + run)
        if isinstance(data, GraphData):
            return fit_graph(network, rule, data, options, streams, report)
        objective = REGRESSION if data.regression else CLASSIFICATION
        schedule = self._schedule(name, run)
        return fit(network, rule, options.optimiser, data, schedule, streams, report, objective)

    def _lost(self, place: tuple[str, int, int], error: Diverged) -> str:
        """Warn of a run that diverged, and count it as done; return what is said of it."""
        name, run, position = place
        self._counter(position * self.options.seeds + run)(self.options.epochs)
        message = f"analysis {self.options.name!r}, {name}, seed {run}: {error}"
        warnings.warn(message, PhotosimWarning, stacklevel=5)
        return str(error)

    @property
    def _total(self) -> int:
        return len(self.options.rules) * self.options.seeds * self.options.epochs

    def _schedule(self, rule: str, run: int) -> Schedule:
        options = self.options
        file = None
        if self.checkpoints is not None:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            file = self.checkpoints / f"{options.name}-{rule}-{run}{SUFFIX}"
        dtype = np.float32 if options.precision == "single" else np.float64
        return Schedule(
            options.epochs, options.batch_size, dtype, alignment=options.alignment, checkpoint=file
        )

    def _counter(self, run: int) -> Callable[[int], None]:
        """Return a function that reports finished epochs of one run as part of all."""
        return lambda epoch: self.progress(self.options.name, run * self.options.epochs + epoch, self._total)

    def _network(self, data: Dataset) -> Network:
        where = f"analysis {self.options.name!r}"
        network = build_network(self.options.network, self.options.activation, where)
        inputs, outputs = network.layers[0].inputs, network.layers[-1].outputs
        if (inputs, outputs) != (data.features, data.classes):
            kind = "targets" if data.regression else "classes"
            message = (
                f"{where}: {data.name} has {data.features} inputs and {data.classes} {kind}, "
                f"but the network {label(self.options.network)} begins with {inputs} and ends with "
                f"{outputs}."
            )
            raise ParameterError(message)
        return network

    def _feedback(self, rule: str, network: Network, streams: list[Streams]) -> list[tuple[FloatArray, ...]]:
        """Draw a rule's feedback matrices, one for each seed and hidden layer: rules of a kind share them."""
        size = self.options.feedback
        return [draw_feedback(rule, network, size, np.random.default_rng(own.feedback)) for own in streams]

    def _rule(self, name: str, network: Network, devices: Sequence[Device], streams: Streams) -> Rule:
        rng, options = np.random.default_rng(streams.feedback), self.options
        known, threshold = catalogued(name), options.threshold
        return make_rule(known, network, devices, rng, threshold, options.step, options.repeats)

    @cached_property
    def _hardware(self) -> Any:
        """The hardware that the options mean, found once: one, or one for each layer that learns."""
        options = self.options
        settings = Settings(options.device, None, options.converters, options.gated, options.measured)
        if isinstance(options.hardware, list | tuple):
            return [None if one is None else read_hardware(one, settings) for one in options.hardware]
        return read_hardware(options.hardware, settings, self.circuit)

    def _uses(self, name: str, network: Network, streams: list[Streams]) -> list[Uses]:
        """Return the network through hardware for each seed; none for rules by exact products."""
        options, use = self.options, self.options.use_of(name)
        if use is None:
            return []
        settings = Settings(
            options.device, options.noise_of(name), options.converters, options.gated, options.measured
        )
        known = catalogued(name)
        found = [
            used(network, self._hardware, needs(known), repr(known), use, settings, own.noise)
            for own in streams
        ]
        check_network(known, found[0].network, f"analysis {options.name!r}: ")
        return found

    def _devices(
        self, name: str, uses: list[Uses], matrices: list[tuple[FloatArray, ...]]
    ) -> list[tuple[Device, ...]]:
        """Return a rule's feedback devices, one tuple for each seed; empty ones if it has no feedback."""
        if not uses:
            return [tuple(Digital(matrix) for matrix in own) for own in matrices]
        uses[0].hold(matrices)
        ternary = catalogued(name) == "ternary-dfa"
        return [own.feedback(drawn, ternary=ternary) for own, drawn in zip(uses, matrices, strict=True)]


def _products(network: Network) -> tuple[int, ...]:
    """Return the multiply-adds of a sample in each layer that learns: outputs times summands of each."""
    learning = ((layer.outputs, layer.weights_shape) for layer in network.layers)
    return tuple(outputs * shape[1] for outputs, shape in learning if shape is not None)


def _outcome(
    name: str,
    runs: list[History],
    devices: Sequence[Sequence[Device]],
    networks: Sequence[Network],
    rules: list[Rule],
    uses: tuple[dict[str, Any], ...],
    diverged: Mapping[int, str],
) -> RuleResult:
    counted: list[Counter[str]] = [rule.counters for rule in rules if hasattr(rule, "counters")]
    held = [device for own in devices for device in own if not isinstance(device, Digital)]
    layers = [layer for own in networks for layer in own.layers if hasattr(layer, "energy")] if uses else []
    banks = [device for device in held if isinstance(device, WeightBank)]
    return RuleResult(
        rule=name,
        accuracy=_rows([run.accuracy for run in runs]),
        validation=_rows([run.validation for run in runs]),
        loss=_rows([run.loss for run in runs]),
        angles=np.array([run.angles for run in runs]) if runs else np.empty((0, 0, 0)),
        counters={**_counters(held, layers), **sum(counted, Counter[str]())},
        effective_bits=_bits(banks),
        uses=uses,
        diverged=diverged,
    )


def _rows(values: Sequence[FloatArray]) -> FloatArray:
    """Return values of all seeds as rows; one epoch without seeds where there is none."""
    return np.array(values) if values else np.empty((0, 1))


def _counters(devices: Sequence[Any], layers: Sequence[Any]) -> dict[str, float]:
    """Sum up what the devices of one rule and those of its layers did; empty without any."""
    if not devices and not layers:
        return {}
    shared = {
        id(device.counters): device for device in devices
    }.values()  # devices of a medium count together
    work = sum((own.counters for own in (*shared, *layers)), Counter[str]())
    spent = [own.energy() for own in (*shared, *layers)]
    banks = [device for device in devices if isinstance(device, WeightBank)]
    usual = ("samples", "cycles", "readings", "gains set", "clipped readings") if banks else ("samples",)
    return {
        **{name: work[name] for name in usual},
        **{name: count for name, count in sorted(work.items()) if count and name not in usual},
        **({"clipped heaters": sum(bank.clipped_settings for bank in banks)} if banks else {}),
        "time in s": sum(energy.seconds for energy in spent),
        "laser light in J": sum(energy.light for energy in spent),
    }


def _bits(banks: list[WeightBank]) -> float | None:
    """Return the effective bits of the first bank's products; None without banks or without any error."""
    if not banks:
        return None
    bits = effective_bits(banks[0], np.random.default_rng(0))
    return bits if np.isfinite(bits) else None


def _weight_maps(matrices: Sequence[FloatArray], devices: Sequence[Device]) -> tuple[WeightMap, ...]:
    """Return what devices made of feedback matrices; none for exact ones, and for disorder that held none."""
    maps = []
    for layer, (target, device) in enumerate(zip(matrices, devices, strict=True)):
        name = f"feedback to hidden layer {layer + 1}"
        if isinstance(device, WeightBank):
            tiles = device.programmed
            maps.append(WeightMap(name, tiles.target, tiles.solved, tiles.held))
        elif not isinstance(device, Digital | ScatteringMedium):
            held = np.asarray(device.matrix(), dtype=np.float64)
            maps.append(WeightMap(name, target, held, held))
    return tuple(maps)


def _settings(options: TrainOptions) -> dict[str, Any]:
    """Return the options as plain JSON types."""
    found = asdict(options)
    found["network"] = plain(options.network)
    found["optimiser"] = {"method": _name(OPTIMISERS, options.optimiser), **found["optimiser"]}
    if isinstance(options.optimiser.schedule, Constant):
        del found["optimiser"]["schedule"]
    else:
        name = _name(SCHEDULES, options.optimiser.schedule)
        found["optimiser"]["schedule"] = {"method": name, **found["optimiser"]["schedule"]}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


def _name(known: Mapping[str, type], record: object) -> str:
    """Return the name of a record's kind in the options."""
    return next(name for name, kind in known.items() if type(record) is kind)


def _one_thread() -> Any:
    """Hold BLAS to one thread: matrices this small lose more by sharing than they gain."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)

"""An analysis of kind `train`: every rule on every seed, from the same starts, on the same data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.progress import Progress, silent
from photosim.errors import ParameterError
from photosim.training.architecture import build_network, label, plain
from photosim.training.arrays import FloatArray
from photosim.training.checkpoint import SUFFIX
from photosim.training.data.datasets import Dataset, load
from photosim.training.devices import Device, Digital
from photosim.training.devices.bank.errors import effective_bits
from photosim.training.devices.bank.weight_bank import WeightBank
from photosim.training.layers import Network
from photosim.training.optimisers import OPTIMISERS, SCHEDULES, Constant
from photosim.training.options import TrainOptions, catalogued, parse
from photosim.training.result import RuleResult, TrainingResult, WeightMap
from photosim.training.rules import Rule, make_rule
from photosim.training.rules.catalogue import draw_feedback
from photosim.training.trainer import History, Schedule, Streams, fit

if TYPE_CHECKING:
    from photosim.circuit import Circuit


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> TrainOptions:
    """Return the options of an entry of `analyses`, checked against the circuit.

    Raises ParameterError for an unknown or wrong option, and for a device that is not a weight bank of the
    circuit.
    """
    from photosim.training.devices.bank.circuit import find_bank

    options = parse(entry)
    if options.device_rules and options.device is not None:
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
    """Train a network by every rule on every seed, feedback through the circuit's device where asked.

    seed: replaces the options' own.  progress(name, done, total) counts finished epochs over all rules and
    seeds.  data_dir: folder of data files, else that of PHOTOSIM_DATA.  checkpoints: folder in which every
    run keeps its state, and goes on from what it finds. Raises ParameterError for wrong options, DataError
    for the data or for checkpoints of other runs.
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
        data = load(options.data, validation_fraction=options.validation_fraction, data_dir=self.data_dir)
        network = self._network(data)
        streams = Streams.tree(self.seed, options.seeds)
        banks = self._program(self._feedback("dfa", network, streams)) if options.device_rules else []
        outcomes = []
        for position, name in enumerate(options.rules):
            devices = self._devices(name, network, banks, streams)
            rules = [
                self._rule(name, network, own, stream) for own, stream in zip(devices, streams, strict=True)
            ]
            runs = [
                fit(
                    network,
                    rule,
                    options.optimiser,
                    data,
                    self._schedule(name, run),
                    stream,
                    self._counter(position * options.seeds + run),
                )
                for run, (rule, stream) in enumerate(zip(rules, streams, strict=True))
            ]
            outcomes.append(_outcome(name, runs, devices, rules))
        return TrainingResult(
            name=options.name,
            data=options.data,
            network=options.network,
            epochs=options.epochs,
            seed=self.seed,
            seeds=options.seeds,
            rules=tuple(outcomes),
            weights=tuple(_weight_map(k, bank) for k, bank in enumerate(banks[0])) if banks else (),
            settings=_settings(options),
        )

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
            message = (
                f"{where}: {data.name} has {data.features} inputs and {data.classes} "
                f"classes, but the network {label(self.options.network)} begins with {inputs} and ends with "
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

    def _program(self, matrices: list[tuple[FloatArray, ...]]) -> list[list[WeightBank]]:
        """Return one programmed bank for each seed and hidden layer; all are solved in one go."""
        bank = WeightBank.from_circuit(self.circuit, str(self.options.device), self.options.converters)
        bank = replace(bank, gated=self.options.gated)
        flat = iter(bank.program_all([matrix for own in matrices for matrix in own]))
        return [[next(flat) for _ in own] for own in matrices]

    def _devices(
        self,
        name: str,
        network: Network,
        banks: list[list[WeightBank]],
        streams: list[Streams],
    ) -> Sequence[Sequence[Device]]:
        """Return a rule's feedback devices, one list for each seed; empty ones if it has no feedback."""
        if name not in self.options.device_rules:
            matrices = self._feedback(name, network, streams)
            return [[Digital(matrix) for matrix in own] for own in matrices]
        noise: Any = {"dfa-device-noise": "physical", "dfa-device-measured": "measured"}.get(name)
        noisy = []
        for own, stream in zip(banks, streams, strict=True):
            # A sequence of its own for every layer; made anew, so that each rule gets the same ones.
            root = np.random.SeedSequence(stream.noise.entropy, spawn_key=stream.noise.spawn_key)
            noisy.append(
                [
                    bank.with_noise(noise, np.random.default_rng(child), self.options.measured)
                    for bank, child in zip(own, root.spawn(len(own)), strict=True)
                ]
            )
        return noisy


def _outcome(
    name: str, runs: list[History], devices: Sequence[Sequence[Device]], rules: list[Rule]
) -> RuleResult:
    counted: list[Counter[str]] = [rule.counters for rule in rules if hasattr(rule, "counters")]
    banks = [device for own in devices for device in own if isinstance(device, WeightBank)]
    return RuleResult(
        rule=name,
        accuracy=np.array([run.accuracy for run in runs]),
        validation=np.array([run.validation for run in runs]),
        loss=np.array([run.loss for run in runs]),
        angles=np.array([run.angles for run in runs]),
        counters=_counters(banks) or sum(counted, Counter()),
        effective_bits=_bits(banks),
    )


def _counters(banks: list[WeightBank]) -> dict[str, float]:
    """Sum up what the banks of one rule did; empty without banks."""
    if not banks:
        return {}
    work = sum((bank.counters for bank in banks), Counter())
    spent = [bank.energy() for bank in banks]
    return {
        "samples": work["samples"],
        "cycles": work["cycles"],
        "readings": work["readings"],
        "gains set": work["gains set"],
        "clipped readings": work["clipped readings"],
        **({"saturated readings": work["saturated readings"]} if work["saturated readings"] else {}),
        "clipped heaters": sum(bank.clipped_settings for bank in banks),
        "time in s": sum(energy.seconds for energy in spent),
        "laser light in J": sum(energy.light for energy in spent),
    }


def _bits(banks: list[WeightBank]) -> float | None:
    """Return the effective bits of the first bank's products; None without banks or without any error."""
    if not banks:
        return None
    bits = effective_bits(banks[0], np.random.default_rng(0))
    return bits if np.isfinite(bits) else None


def _weight_map(layer: int, bank: WeightBank) -> WeightMap:
    tiles = bank.programmed
    return WeightMap(f"feedback to hidden layer {layer + 1}", tiles.target, tiles.solved, tiles.held)


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

"""What the system `two-pass` is made of: its networks, through numbers or meshes, and one training run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from photosim.systems.harness.circuits import mesh
from photosim.systems.harness.data import samples as loaded
from photosim.systems.harness.pictures import side as side_of
from photosim.systems.harness.system import Options
from photosim.training.arrays import FloatArray
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Digital, MeshErrors, Readout, TiledMesh
from photosim.training.history import History
from photosim.training.layers import Dense, Dropout, Layer, Network, Parameters, activation
from photosim.training.layers.branches import Branches, HeldBranches
from photosim.training.layers.held import HeldDense
from photosim.training.optimisers import SGD, Adam, Constant, Optimiser, StepDecay
from photosim.training.rules import Rule, make_rule
from photosim.training.rules.catalogue import draw_feedback
from photosim.training.trainer import Schedule, Streams, fit, score

CODES_F = 0.01
"""Standard deviation of F in the public code, which draws it normal (ahmadnejad2024)."""


@dataclass(frozen=True)
class Hardware:
    """Meshes of `guides` guides: deviations of couplers (power) and phases (rad), bits, noise of readings.

    bits: of what is sent and read; None for no converters at all, those of the netlist's phases included.
    """

    guides: int = 16
    coupling: float = 0.01
    phase: float = 0.01
    bits: int | None = 8
    noise: float = 0.005

    def device(self, netlist: str, seed: int) -> TiledMesh:
        """Return the device of one chip, nothing programmed yet."""
        errors, readout = MeshErrors(self.coupling, self.phase), Readout(self.noise, self.bits, self.bits)
        return _design(netlist, self.guides, self.bits is None).with_errors(errors, readout, seed)


NETLIST = "two_pass"


@lru_cache(maxsize=8)
def _design(netlist: str, guides: int, exact: bool) -> TiledMesh:
    settings: dict[str, Any] = {"bits": None} if exact else {}
    return TiledMesh.from_circuit(mesh(netlist, guides, **settings))


@dataclass(frozen=True)
class Recipe:
    """How one network is trained.

    widths: of dense layers; the first of them are branches, column by column, if `branches`.  learning_rate,
    momentum: of SGD; Adam if momentum is None.  decay: epochs at whose beginning the learning rate falls to
    a tenth.
    dropout: share of the hidden units of dense layers left out while training.
    images: how many training samples are used; None for all.  hardware: None for exact products.
    """

    rule: str
    widths: tuple[int, ...]
    epochs: int
    learning_rate: float
    momentum: float | None = 0.9
    batch_size: int = 64
    decay: tuple[int, ...] = ()
    dropout: float = 0.0
    images: int | None = None
    branches: bool = False
    hardware: Hardware | None = None

    def plain(self) -> Mapping[str, Any]:
        """Return the recipe in plain JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class HeNetwork(Network):
    """A network that starts uniform between +-sqrt(6 / summands), as PEPITA's code does, with biases of 0."""

    def initial(self, rng: np.random.Generator, dtype: Any = np.float64) -> list[Parameters]:
        """Draw the weights of every layer, first to last."""
        found: list[Parameters] = []
        for layer in self.layers:
            if layer.weights_shape is None:
                found.append({})
                continue
            rows, summands = layer.weights_shape
            bound = np.sqrt(6.0 / summands)
            weights = rng.uniform(-bound, bound, (rows, summands)).astype(dtype)
            found.append({"weights": weights, "bias": np.zeros(rows, dtype)})
        return found


@lru_cache(maxsize=2)
def pixels(options: Options) -> Dataset:
    """Return a data set of square pictures with pixels from 0 to 1, columns one after the other.

    Columns, since a branch sees one; a dense network does not mind the order of its inputs.
    """
    data = loaded(options)
    low, high = float(data.train.x.min()), float(data.train.x.max())
    side = side_of(data, 1)

    def part(samples: Samples) -> Samples:
        x = (samples.x.astype(np.float32) - low) / (high - low)
        columns = x.reshape(len(x), side, side).transpose(0, 2, 1).reshape(len(x), side * side)
        return Samples(np.ascontiguousarray(columns, dtype=np.float32), samples.y)

    return replace(data, train=part(data.train), validation=part(data.validation), test=part(data.test))


def build(recipe: Recipe, seed: int, netlist: str = NETLIST) -> Network:
    """Return the recipe's network; its meshes are the chip of a seed."""
    device = None if recipe.hardware is None else recipe.hardware.device(netlist, seed)
    relu, linear = activation("relu"), activation("linear")
    widths = recipe.widths
    layers: list[Layer] = []
    if recipe.branches:
        side = round(np.sqrt(widths[0]))
        layers = [_branches(side, units, device) for units in (side, 1)]
        widths = (side, widths[-1])
    for number, (inputs, outputs) in enumerate(pairwise(widths), start=2):
        own = linear if number == len(widths) else relu
        held = None if device is None else HeldDense(inputs, outputs, own, device)
        layers.append(held or Dense(inputs, outputs, own))
        if recipe.dropout and number < len(widths):
            layers.append(Dropout(outputs, recipe.dropout))
    return HeNetwork(tuple(layers))


def _branches(side: int, units: int, device: TiledMesh | None) -> Layer:
    relu = activation("relu")
    if device is None:
        return Branches(side, side, units, relu)
    return HeldBranches(side, side, units, relu, device)


def rule_of(name: str, network: Network, rng: np.random.Generator) -> Rule:
    """Return a rule with its feedback drawn; the public code's is drawn as that code does."""
    if name == "two-pass-gradient":
        shape = (network.layers[0].inputs, network.layers[-1].outputs)
        return make_rule(name, network, (Digital(CODES_F * rng.standard_normal(shape)),))
    matrices = draw_feedback(name, network, 1.0, rng)
    return make_rule(name, network, tuple(Digital(matrix) for matrix in matrices), rng)


def train(
    recipe: Recipe,
    data: Dataset,
    seed: int,
    checkpoint: Path,
    report: Callable[[int, int], None],
    netlist: str = NETLIST,
) -> tuple[Network, History]:
    """Train the recipe's network once and return it with what came of it."""
    streams = Streams.tree(seed, 1)[0]
    network = build(recipe, seed, netlist)
    rule = rule_of(recipe.rule, network, np.random.default_rng(streams.feedback))
    slower = StepDecay(recipe.decay) if recipe.decay else Constant()
    optimiser: Optimiser = Adam(recipe.learning_rate, schedule=slower)
    if recipe.momentum is not None:
        optimiser = SGD(recipe.learning_rate, momentum=recipe.momentum, schedule=slower)
    some = slice(recipe.images)
    train_part = Samples(data.train.x[some], data.train.y[some])
    schedule = Schedule(recipe.epochs, recipe.batch_size, checkpoint=checkpoint)
    history = fit(
        network,
        rule,
        optimiser,
        replace(data, train=train_part),
        schedule,
        streams,
        lambda epoch: report(epoch, recipe.epochs),
    )
    return network, history


def held_accuracy(
    recipe: Recipe,
    parameters: list[Parameters],
    hardware: Hardware,
    samples: Samples,
    seed: int,
    netlist: str = NETLIST,
) -> float:
    """Return the accuracy in % of weights learnt elsewhere and programmed onto meshes."""
    network = build(replace(recipe, hardware=hardware), seed, netlist)
    return 100.0 * score(network, parameters, samples)


@dataclass(frozen=True)
class Cost:
    """What one update takes on meshes: optical passes a sample, seconds, and joules by what takes them."""

    passes: int
    seconds: float
    light: float
    converters: float
    heaters: float


PASSES = {"backprop": 2, "dfa": 1, "pepita": 2, "two-pass": 2, "two-pass-gradient": 4}
"""Passes through the meshes for a sample and update: forward, and backward where light carries an error."""
RATE = 1e9
"""Vectors a second."""
SETTLING_S = 10e-6
"""Time in s that heaters take to settle after an update, at the slow end of silicon's 2 to 10 us."""
P_PI = 24.8e-3
"""Power in W of a heater for a phase of pi (Harris et al. 2014); over a turn the mean phase is pi."""
SENT_J, READ_J = 1.2e-12, 4e-12
"""Energy in J of a number sent (DAC 1 pJ, modulator 0.2 pJ) and of a reading (TIA 1 pJ, ADC 3 pJ)."""
LASER_W = 1e-3
"""Light in W into each tile."""


def cost(rule: str, widths: tuple[int, ...], guides: int, batch: int) -> Cost:
    """Return what an update of a dense network takes, all tiles at once, layers one after the other.

    A model: constants of published templates, not of one chip. Electronics of the update are left out.
    """
    passes = PASSES[rule]
    tiles = [(-(-b // guides), -(-a // guides)) for a, b in pairwise(widths)]
    count = sum(rows * columns for rows, columns in tiles)
    vectors = passes * batch
    seconds = vectors / RATE + SETTLING_S
    sent = sum(widths[:-1]) * SENT_J
    read = count * guides * READ_J
    heaters = count * (2 * (guides * (guides - 1) + guides) + 2 * guides)
    return Cost(
        passes=passes,
        seconds=seconds,
        light=vectors * count * LASER_W / RATE,
        converters=vectors * (sent + read),
        heaters=heaters * P_PI * seconds,
    )


def first_above(curve: FloatArray, level: float) -> int | None:
    """Return the epoch, counted from 1, after which a curve in % is first at a level or above."""
    reached = np.flatnonzero(np.asarray(curve) >= level)
    return int(reached[0]) + 1 if reached.size else None

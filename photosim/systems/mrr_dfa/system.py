"""Direct feedback alignment on a microring weight bank (filipovich2022)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.systems.harness.data import samples as loaded
from photosim.systems.harness.data import sizes
from photosim.systems.harness.system import Case, Options, Report, System
from photosim.systems.mrr_dfa.figures import (
    CENTRED,
    MEAN,
    NOISES,
    PHYSICS,
    REMARKS,
    SWEEP,
    pictures,
    rows,
    tables,
)
from photosim.systems.mrr_dfa.hardware import MATRICES, ROW, bank_of, costs, imperfections
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Converters, Measured, WeightBank, effective_bits
from photosim.training.devices.bank.circuit import find_bank
from photosim.training.layers import dense_network
from photosim.training.optimisers import SGD
from photosim.training.rules import DFA
from photosim.training.rules.catalogue import draw_feedback
from photosim.training.trainer import Schedule, Streams, fit

BANK = "mrr_weight_bank_50x20"
"""The netlist of the size that the authors analyse."""


@dataclass(frozen=True)
class Recipe:
    """What is trained, as the authors' code has it, and on which bank.

    The feedback's entries are uniform between -1 and 1, over the square root of the hidden width.
    """

    netlist: str = BANK
    widths: tuple[int, ...] = (784, 800, 800, 10)
    epochs: int = 50
    batch_size: int = 64
    learning_rate: float = 0.01
    momentum: float = 0.9


QUICK = Recipe("mrr_dfa_digits", (64, 32, 32, 10), epochs=15)


def _recipe(options: Options) -> Recipe:
    """Return what is trained on which bank: the one that takes the place of BANK, where there is one."""
    recipe = QUICK if options.quick else Recipe()
    netlist = options.netlist(BANK) if options.netlist(BANK) != BANK else options.netlist(recipe.netlist)
    inputs, classes = sizes(options)
    return replace(recipe, netlist=netlist, widths=(inputs, *recipe.widths[1:-1], classes))


@lru_cache(maxsize=1)
def _data(options: Options, seed: int) -> Dataset:
    """Return the data as the authors split it: the test images drawn apart into two halves."""
    data = loaded(options)
    order = np.random.default_rng(np.random.SeedSequence(2022, spawn_key=(seed,))).permutation(len(data.test))
    halves = np.array_split(order, 2)
    chosen, judged = (Samples(data.test.x[rows], data.test.y[rows]) for rows in halves)
    return replace(data, validation=chosen, test=judged)


@lru_cache(maxsize=2)
def _calibrated(netlist: str) -> WeightBank:
    """Return a bank of the gallery, its rings scanned, ideal converters of its heaters."""
    return WeightBank.from_circuit(Circuit(netlist), bank_of(netlist), Converters(heater_bits=None))


@lru_cache(maxsize=2)
def _programmed(recipe: Recipe, seed: int) -> tuple[WeightBank, ...]:
    """Return one bank for each hidden layer, holding a seed's feedback matrices."""
    network = dense_network(recipe.widths, "relu")
    rng = np.random.default_rng(Streams.tree(seed, 1)[0].feedback)
    matrices = draw_feedback("dfa", network, 1.0 / np.sqrt(recipe.widths[1]), rng)
    return tuple(_calibrated(recipe.netlist).program_all(matrices))


def _train(
    options: Options, recipe: Recipe, noise: Measured | None, seed: int, checkpoint: Path, report: Report
) -> Mapping[str, Any]:
    """Train once with the published noise, or with that of the circuit; return what came of it."""
    streams = Streams.tree(seed, 1)[0]
    kind = "physical" if noise is None else "measured"
    sources = streams.noise.spawn(len(recipe.widths) - 2)
    devices = tuple(
        bank.with_noise(kind, np.random.default_rng(child), noise)  # type: ignore[arg-type]
        for bank, child in zip(_programmed(recipe, seed), sources, strict=True)
    )
    history = fit(
        dense_network(recipe.widths, "relu"),
        DFA(devices),
        SGD(recipe.learning_rate, recipe.momentum),
        _data(options, seed),
        # Patience as long as the run: the best validated epoch is kept, and none is left out.
        Schedule(recipe.epochs, recipe.batch_size, patience=recipe.epochs, checkpoint=checkpoint),
        streams,
        lambda epoch: report(epoch, recipe.epochs),
    )
    return {
        "accuracy": 100.0 * history.accuracy[history.best - 1],
        "best epoch": history.best,
        "curve": 100.0 * history.accuracy,
        "cycles": sum(device.counters["cycles"] for device in devices),
        "seconds": sum(device.energy().seconds for device in devices),
    }


def deviation(bits: float, inputs: int = 10, taps: int = 4) -> float:
    """Return the noise that the authors' code would add for products of so many effective bits.

    sigma = 2 / 2**bits belongs to products of `taps` summands normalised to [-1, 1]; with independent errors
    of the summands, `inputs` of which make the network's error: sigma * taps / sqrt(taps) * sqrt(inputs).
    """
    return float(2.0 * 2.0**-bits * taps / np.sqrt(taps) * np.sqrt(inputs))


def _cases(options: Options) -> Sequence[Case]:
    recipe = _recipe(options)
    short = recipe if options.quick else replace(recipe, epochs=recipe.epochs // 10)
    plans: list[tuple[str, Recipe, Measured | None]] = [
        (name, recipe, noise) for name, noise in NOISES.items()
    ]
    plans.append((PHYSICS, recipe, None))
    cases = [_case(options, *plan, repeated=True) for plan in plans]
    plans = [(f"{bits:g} bits", short, Measured(MEAN, deviation(bits))) for bits in SWEEP]
    plans.append((CENTRED, short, replace(NOISES["on-chip"], mean=0.0)))
    cases += [_case(options, *plan, repeated=False) for plan in plans]
    large, row = options.netlist(BANK), options.netlist(ROW)
    bank = {"netlist": recipe.netlist, "widths": list(recipe.widths)}
    matrices = 12 if options.quick else MATRICES
    return [
        *cases,
        _of_hardware("weights", lambda: _weights(recipe), bank),
        _of_hardware("hardware", lambda: _hardware(large), {"netlist": large}),
        _of_hardware(
            "errors", lambda: imperfections(row, matrices=matrices), {"netlist": row, "matrices": matrices}
        ),
    ]


def _of_hardware(name: str, found: Callable[[], Mapping[str, Any]], recipe: Mapping[str, Any]) -> Case:
    """Return a case that no seed and no data set changes."""
    return Case(name, lambda _seed, _file, _report: found(), recipe, repeated=False, uses_data=False)


def _case(options: Options, name: str, recipe: Recipe, noise: Measured | None, *, repeated: bool) -> Case:
    def compute(seed: int, checkpoint: Path, report: Report) -> Mapping[str, Any]:
        return _train(options, recipe, noise, seed, checkpoint, report)

    plain = {**asdict(recipe), "noise": "physical" if noise is None else asdict(noise)}
    return Case(name, compute, plain, repeated)


def _weights(recipe: Recipe) -> Mapping[str, Any]:
    """Return what a block of a feedback matrix becomes in the bank, and what its products lose.

    Heaters of 12 bits over half a turn: in units of the largest weight, shape (M, N).
    """
    network = dense_network(recipe.widths, "relu")
    matrix = draw_feedback("dfa", network, 1.0, np.random.default_rng(Streams.tree(0, 1)[0].feedback))[0]
    ideal = _calibrated(recipe.netlist)
    rows = ideal.hardware.rows
    bank = replace(ideal, converters=Converters()).program(matrix[:rows])
    tiles = bank.programmed
    noisy = bank.with_noise("physical", np.random.default_rng(0))
    down, across = -(-matrix.shape[0] // rows), -(-matrix.shape[1] // ideal.hardware.channels)
    return {
        "error": tiles.held - tiles.target,
        "programming rms": float(np.sqrt(np.mean((tiles.solved - tiles.target) ** 2))),
        "held rms": float(np.sqrt(np.mean((tiles.held - tiles.target) ** 2))),
        "clipped heaters": tiles.clipped_settings,
        "bits": effective_bits(bank, np.random.default_rng(0)),
        "bits with noise": effective_bits(noisy, np.random.default_rng(0)),
        "tiles": down * across,
        "cycles a product": 2 * down * across,
        "columns in use": matrix.shape[1] / (across * ideal.hardware.channels),
    }


def _hardware(netlist: str) -> Mapping[str, Any]:
    return costs(find_bank(Circuit(netlist), bank_of(netlist)))


SYSTEM = System(
    name="mrr-dfa",
    title="direct feedback alignment on a microring weight bank",
    source="filipovich2022",
    cases=_cases,
    rows=rows,
    data=("mnist", "fashion-mnist", "digits"),
    reads=("samples",),
    quick_data="digits",
    pictures=pictures,
    tables=tables,
    netlists=(BANK, ROW, QUICK.netlist),
    remarks=REMARKS,
)

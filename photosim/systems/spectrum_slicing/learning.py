"""Filters learnt together with a back end: couplings and detunings, by gradients through the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.systems.harness.circuits import instance_of
from photosim.systems.harness.system import Options, Report
from photosim.systems.spectrum_slicing.recipe import (
    Recipe,
    back_end,
    decorrelated,
    images,
    modulator_of,
    readings,
    slicer,
    standardised,
    trained,
)
from photosim.training.devices.slicer.gradient import TrainableFilters
from photosim.training.losses import softmax

LOWEST, HIGHEST = 0.05, 0.9
"""Couplings that filters may learn."""


@dataclass(frozen=True)
class Learning:
    """How filters are learnt: training images, steps and images a step, and steps of Adam.

    coupling, detuning: sizes of a first step, of a coupling and in Hz.  rate: the back end's.
    """

    images: int = 1_000
    held: int = 500
    steps: int = 40
    batch: int = 32
    coupling: float = 0.01
    detuning: float = 0.1e9
    rate: float = 0.02


FULL_LEARNING = Learning()
SMALL_LEARNING = Learning(images=400, held=300, steps=8, batch=16)


def learnt_filters(
    options: Options, recipe: Recipe, learning: Learning, _seed: int, _path: Path, report: Report
) -> Mapping[str, Any]:
    """Return accuracies in % on held-out training images before and after, and the filters that were learnt.

    Back ends of one layer are trained anew on the readings of both, with noise; the filters learn without.
    """
    x, y, _, _, along, classes = images(options, recipe)
    count = learning.images + learning.held
    device = slicer(recipe.optics, along)
    circuit = Circuit(recipe.optics.netlist_of(coupling_step=1e-9))
    nodes, optics = range(device.nodes), recipe.optics
    own = instance_of(optics.netlist, ("spectrum_slicer",), "slicer")
    held = {f"{own}.node{n}.coupling": optics.coupling for n in nodes} | {
        f"{own}.node{n}.detuning": optics.detuning + (n - (device.nodes - 1) / 2) * optics.spacing
        for n in nodes
    }
    filters = TrainableFilters(circuit, device, list(held), modulator_of(optics.netlist))
    filters.hold(held)
    sizes = np.array([learning.coupling if name.endswith("coupling") else learning.detuning for name in held])
    rng = np.random.default_rng(0)
    some = filters.averages(x[:64]).reshape(64, -1)
    mean, width = some.mean(axis=0), np.maximum(some.std(axis=0), some.std(axis=0).max() / 100.0)
    weights = np.zeros((some.shape[1], classes))
    moments = [np.zeros(len(held)), np.zeros(len(held)), np.zeros_like(weights), np.zeros_like(weights)]
    values, losses = np.array(list(held.values())), []
    for step in range(1, learning.steps + 1):
        chosen = rng.choice(learning.images, learning.batch, replace=False)
        filters.hold(dict(zip(held, values.tolist(), strict=True)))
        found = filters.averages(x[chosen])
        z = (found.reshape(len(chosen), -1) - mean) / width
        shares = softmax(z @ weights)
        losses.append(float(-np.log(shares[np.arange(len(chosen)), y[chosen]] + 1e-12).mean()))
        error = (shares - np.eye(classes)[y[chosen]]) / len(chosen)
        by_average = ((error @ weights.T) / width).reshape(found.shape)
        slopes = filters.gradient(x[chosen], by_average)
        slope = np.array([slopes[name] for name in held])
        values = values - sizes * _adam(slope, moments[0], moments[1], step)
        weights = weights - learning.rate * _adam(z.T @ error, moments[2], moments[3], step)
        couplings = slice(0, device.nodes)
        values[couplings] = np.clip(values[couplings], LOWEST, HIGHEST)
        report(step, learning.steps)
    after = dict(zip(held, values.tolist(), strict=True))
    scores = [
        _judged(recipe, (x[:count], y[:count], classes), along, learning, settings)
        for settings in (held, after)
    ]
    return {
        "before": scores[0], "after": scores[1], "losses": losses,
        "couplings": values[: device.nodes], "detunings": values[device.nodes :] / 1e9,
    }  # fmt: skip


def _judged(
    recipe: Recipe, parts: tuple[Any, Any, int], along: int, learning: Learning, settings: Mapping[str, Any]
) -> float:
    from photosim.training.devices.slicer import SpectrumSlicer

    x, y, classes = parts
    optics = recipe.optics
    circuit = Circuit(optics.netlist_of())
    device = SpectrumSlicer.from_circuit(
        circuit, recipe.optics.scan, along, modulator=modulator_of(recipe.optics.netlist), **settings
    )
    one, other = np.random.default_rng(0).spawn(2)
    raw = readings(device, device.averages(x, one, workers=2), other)
    some = standardised(raw[: learning.images], raw[learning.images :])
    a, b = decorrelated(*some, optics.nodes, optics.mixed)
    data = (a, y[: learning.images], b, y[learning.images :], classes)
    own = trained(back_end(a.shape[1], 0, classes), data, recipe, 0, lambda _done, _total: None)
    return float(own["accuracy"])


def _adam(slope: Any, mean: Any, square: Any, step: int) -> Any:
    """Return Adam's step of size 1; the moments are changed in place (kingma2015)."""
    mean += 0.1 * (slope - mean)
    square += 0.001 * (slope**2 - square)
    return mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-12)


def plain(learning: Learning) -> dict[str, Any]:
    """Return the numbers of a learning in plain JSON types."""
    return asdict(replace(learning))

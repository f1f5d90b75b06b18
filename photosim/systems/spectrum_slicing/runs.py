"""The cases: slicers and digital networks by seed, the search for filters, accuracy against nodes, costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.systems.harness.system import Options, Report
from photosim.systems.spectrum_slicing.recipe import (
    Optics,
    Recipe,
    back_end,
    decorrelated,
    digital,
    images,
    light,
    readings,
    slicer,
    standardised,
    trained,
)

CONVERSIONS_J = {"pixel by a DAC": 1e-12, "pixel by the modulator": 0.2e-12, "reading by a TIA": 1e-12,
                 "reading by an ADC": 3e-12}  # fmt: skip
"""Energies of one conversion each, of a published worked example at 10 GHz and 6 bits."""
DIGITAL_J = 50e-15
"""Energy of a digital multiply-add there."""
WALL_PLUG = 0.2
"""Light of a laser over its electric power, ours."""
DIGITAL_RATE = 1e12
"""Multiply-adds a second of the digital processor that latencies are counted with, ours."""


def sliced(
    options: Options, recipe: Recipe, optics: Optics, hidden: int, seed: int, _path: Path, report: Report
) -> Mapping[str, Any]:
    """Return the accuracies in % of back ends of one layer and two behind a slicer, and their curves."""
    _, y, _, judged_y, along, classes = images(options, recipe)
    found = light(optics, options, recipe, report)
    device = slicer(optics, along)
    noise = np.random.default_rng(seed).spawn(2)
    raw = [readings(device, part, rng) for part, rng in zip(found, noise, strict=True)]
    x, judged = decorrelated(*standardised(*raw), optics.nodes, optics.mixed)
    parts = (x, y, judged, judged_y, classes)
    one = trained(back_end(x.shape[1], 0, classes), parts, recipe, seed, report)
    two = trained(back_end(x.shape[1], hidden, classes), parts, recipe, seed, report)
    clean = device.receivers.responsivity[:, np.newaxis] * found[0][0][:200].astype(np.float64)
    noisy = device.read(found[0][:, :200], np.random.default_rng(seed))
    error = noisy - clean - device.receivers.dark[:, np.newaxis]
    return {
        "one": one["accuracy"], "two": two["accuracy"], "one curve": one["curve"], "two curve": two["curve"],
        "reading": 1e6 * float(clean.mean()), "noise": 1e6 * float(error.std()),
    }  # fmt: skip


def convolved(options: Options, recipe: Recipe, seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return the accuracies in % of the digital network with back ends of one layer and two."""
    x, y, judged, judged_y, along, classes = images(options, recipe)
    mean, width = float(x.mean()), float(x.std())
    parts = ((x - mean) / width, y, (judged - mean) / width, judged_y, classes)
    own = replace(recipe, rate=recipe.digital_rate)
    one = trained(digital(recipe, along, 0, classes), parts, own, seed, report)
    two = trained(digital(recipe, along, recipe.hidden[2], classes), parts, own, seed, report)
    return {
        "one": one["accuracy"], "two": two["accuracy"], "one curve": one["curve"], "two curve": two["curve"],
    }  # fmt: skip


def candidates(recipe: Recipe) -> list[Optics]:
    """Return filters to search among: the first ones of the recipe, then what loss and cells allow."""
    base = recipe.optics
    return [
        base,
        replace(base, coupling=0.3),
        replace(base, coupling=0.5),
        replace(base, spacing=2.1e9, detuning=0.0),
        replace(base, spacing=0.7e9),
        replace(base, interferometers=3),
        replace(base, pixel=33.75e-12),
        replace(base, pixel=67.5e-12),
        replace(base, pixel=67.5e-12, spacing=2.1e9, detuning=0.0),
        replace(base, patch=4),
        replace(base, pooling=2.0),
        replace(base, mixed=None),
    ]


def search(options: Options, recipe: Recipe, _seed: int, path: Path, report: Report) -> Mapping[str, Any]:
    """Return the accuracies in % of filters on held-out training images, with a back end of one layer.

    Finished ones are kept in the file `path`, so that a search that was killed goes on.
    """
    x, y, _, _, along, classes = images(options, recipe)
    count = recipe.searched + recipe.held
    learnt, tried = slice(0, recipe.searched), slice(recipe.searched, count)
    chosen = candidates(recipe)
    done: list[float] = []
    if path.exists():
        with np.load(path) as kept:
            done = kept["found"].tolist()
    for number, optics in enumerate(chosen):
        if number < len(done):
            continue
        device = slicer(optics, along)
        one, other = np.random.default_rng(0).spawn(2)
        raw = readings(device, device.averages(x[:count], one, workers=2), other)
        a, b = decorrelated(*standardised(raw[learnt], raw[tried]), optics.nodes, optics.mixed)
        parts = (a, y[learnt], b, y[tried], classes)
        own = trained(back_end(a.shape[1], 0, classes), parts, recipe, 0, lambda _done, _total: None)
        done.append(own["accuracy"])
        np.savez(path, found=np.array(done))
        report(number + 1, len(chosen))
    order = np.argsort(done)
    return {
        "found": done, "best": float(np.max(done)), "median": float(done[order[len(done) // 2]]),
        "best one": int(order[-1]), "median one": int(order[len(done) // 2]),
    }  # fmt: skip


def by_nodes(options: Options, recipe: Recipe, seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return the accuracies in % of both back ends where some nodes of a bank of the most are read."""
    most = max(recipe.swept)
    own = recipe.optics
    optics = replace(own, nodes=most, spacing=own.spacing * (own.nodes - 1) / (most - 1))
    smaller = replace(recipe, learnt=recipe.swept_images, judged=recipe.swept_images)
    _, y, _, judged_y, along, classes = images(options, smaller)
    found = light(optics, options, smaller, report)
    device = slicer(optics, along)
    noise = np.random.default_rng(seed).spawn(2)
    raw = [device.read(part, rng) for part, rng in zip(found, noise, strict=True)]
    one: list[float] = []
    two: list[float] = []
    for count in recipe.swept:
        nodes = np.round((np.arange(count) + 0.5) * most / count - 0.5).astype(int)
        some = standardised(*(part[:, nodes].reshape(len(part), -1) for part in raw))
        x, judged = decorrelated(*some, count, optics.mixed)
        parts = (x, y, judged, judged_y, classes)
        for hidden, into in ((0, one), (recipe.hidden[0], two)):
            into.append(
                trained(back_end(x.shape[1], hidden, classes), parts, recipe, seed, report)["accuracy"]
            )
    return {"one": one, "two": two}


def costs(options: Options, recipe: Recipe, _seed: int, _path: Path, _report: Report) -> Mapping[str, Any]:
    """Return parameters, operations, energy and latency of an image, of slicers and digital networks."""
    _, _, _, _, along, classes = images(options, recipe)
    found: dict[str, Any] = {}
    for name, optics, hidden in (
        ("ideal", recipe.optics, recipe.hidden[0]),
        ("chip", recipe.chip, recipe.hidden[1]),
    ):
        device = slicer(optics, along)
        scan, patches = optics.scan, optics.scan.patches(along)
        features, pixels = patches * optics.nodes, scan.order(along).size
        time = pixels * scan.pixel + float(device.first) / scan.rate
        light_J = device.light.power / WALL_PLUG * time
        heat_J = heat_of(optics) * time
        turned = pixels * (CONVERSIONS_J["pixel by a DAC"] + CONVERSIONS_J["pixel by the modulator"])
        turned += features * (CONVERSIONS_J["reading by a TIA"] + CONVERSIONS_J["reading by an ADC"])
        for layers, units in (("one", 0), ("two", hidden)):
            parameters, operations = _sizes(back_end(features, units, classes))
            found[f"{name} {layers}"] = [
                parameters, operations, 1e9 * (light_J + heat_J + turned + operations * DIGITAL_J),
                1e9 * (time + operations / DIGITAL_RATE),
            ]  # fmt: skip
        found[f"{name} parts"] = [1e9 * light_J, 1e9 * heat_J, 1e9 * turned, features]
    for layers, units in (("one", 0), ("two", recipe.hidden[2])):
        network = digital(recipe, along, units, classes)
        parameters, operations = _sizes(network)
        found[f"digital {layers}"] = [
            parameters, operations, 1e9 * operations * DIGITAL_J, 1e9 * operations / DIGITAL_RATE,
        ]  # fmt: skip
    return found


def heat_of(optics: Optics) -> float:
    """Return the electric power in W of all heaters of a slicer's cells."""
    compiled, point = Circuit(optics.netlist_of()).at({})
    heated = [part for part in compiled.graph.parts if part.model.name == "thermo_optic_shifter"]
    return float(sum(compiled.parts.settings_of(part, point)["power"] for part in heated))


def _sizes(layers: Any) -> tuple[int, int]:
    """Return the parameters and the multiply-adds of an image of some layers."""
    parameters = operations = 0
    for layer in layers:
        rows, columns = layer.weights_shape
        parameters += rows * columns + rows
        operations += rows * columns * (layer.outputs // rows)
    return parameters, operations

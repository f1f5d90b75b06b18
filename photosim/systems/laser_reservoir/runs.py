"""The cases on images: readouts by rule, what the chain takes away, sweeps, the study of the rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from photosim.systems.harness.system import Options, Report
from photosim.systems.laser_reservoir.recipe import (
    Recipe,
    Ridge,
    device,
    images,
    patterns,
    ridge,
    states,
)
from photosim.training.arrays import FloatArray, LabelArray, RealArray
from photosim.training.devices.reservoir import LaserReservoir
from photosim.training.readouts import StateReadout, find_weight_rule, learn_readouts, weight_rules
from photosim.training.readouts.learning import one_against_all
from photosim.training.readouts.rules import WeightRule

POINTS = 60
"""Points of a curve over evaluations, at even steps of their logarithm."""
STUDY_SEED = 1000
"""Seed of the fibre of study and sweeps' settings, which no other case has."""


def rule_of(name: str, recipe: Recipe) -> WeightRule:
    """Return a rule with the recipe's settings."""
    return find_weight_rule(name, **(recipe.multi_flip if name.startswith("multi") else {}))


def readout(made: LaserReservoir, powers: RealArray, rng: np.random.Generator) -> StateReadout:
    """Return the device's mirrors and detector before nodes with these powers."""
    return StateReadout(powers, made.mirrors, made.detector, made.rin, rng)


def kept_at(evaluations: int) -> FloatArray:
    """Return numbers of evaluations at which curves are shown."""
    return np.unique(np.round(np.geomspace(1, evaluations, POINTS)).astype(int)).astype(np.float64)


def classes(options: Options, recipe: Recipe, seed: int, path: Path, report: Report) -> Mapping[str, Any]:
    """Return test accuracies in % by rule, mean errors over evaluations, evaluations and readings.

    Finished rules are kept in the file `path`.
    """
    own = images(options, recipe)
    made = device(options, own.side, seed)
    learnt, judged = states(options, recipe, seed, lambda _done, _total: None)
    targets = one_against_all(own.learnt_y, own.classes)
    found: dict[str, Any] = _kept(path)
    for number, name in enumerate(weight_rules()):
        if name in found:
            continue
        streams = np.random.default_rng([seed, number]).spawn(3)
        asked = readout(made, learnt, streams[0])
        done = learn_readouts(rule_of(name, recipe), asked, targets, recipe.evaluations, streams[1])
        named = done.classes(readout(made, judged, streams[2]))
        at = kept_at(recipe.evaluations).astype(int) - 1
        found[name] = 100.0 * np.mean(named == own.judged_y)
        found[f"{name} error"] = done.curves.mean(axis=0)[at]
        found[f"{name} evaluations"] = asked.counters["evaluations"]
        found[f"{name} readings"] = asked.counters["readings"]
        found[f"{name} clipped"] = asked.counters["clipped"]
        np.savez(path.with_suffix(".npz"), **found)
        path.with_suffix(".npz").replace(path)
        report(number + 1, len(weight_rules()))
    fitted = ridge(learnt, own.learnt_y, own.classes)
    found["ridge"] = fitted.accuracy(judged, own.judged_y)
    found["rounded"] = rounded(fitted, learnt, judged, own.learnt_y, own.judged_y)
    return found


def _kept(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    with np.load(path) as kept:
        return {name: kept[name].tolist() for name in kept.files}


def rounded(
    fitted: Ridge, learnt: RealArray, judged: RealArray, learnt_y: LabelArray, judged_y: LabelArray
) -> float:
    """Return the accuracy in % of ridge weights rounded to -1, 0 and 1, without noise.

    One threshold for all, over the weights' deviation, the best of a few on the images learnt from; outputs
    are normalised as the rules' are.
    """
    raw = fitted.weights / fitted.deviation[:, np.newaxis]
    best = (-1.0, 0.0)
    for threshold in np.linspace(0.1, 1.0, 10):
        weights = np.sign(raw) * (np.abs(raw) > threshold * raw.std(axis=0))
        outputs = learnt @ weights
        mean, width = outputs.mean(axis=0), np.maximum(outputs.std(axis=0), 1e-300)
        score = float(np.mean(np.argmax((outputs - mean) / width, axis=1) == learnt_y))
        if score > best[0]:
            test = (judged @ weights - mean) / width
            best = (score, float(100.0 * np.mean(np.argmax(test, axis=1) == judged_y)))
    return best[1]


def noisy(made: LaserReservoir, powers: RealArray, rng: np.random.Generator) -> RealArray:
    """Return node powers as a detector of each reads them once, without a converter."""
    share = made.mirrors.efficiency
    sent = powers * np.float32(share)
    variance = made.detector.variance(sent, sent**2, made.rin) - made.detector.step**2 / 12
    noise = rng.standard_normal(powers.shape, dtype=np.float32) * np.sqrt(variance).astype(np.float32)
    return np.asarray(powers + noise * np.float32(1.0 / share))


def ceiling(options: Options, recipe: Recipe, seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return test accuracies in % of ridge regression behind more and more of the chain."""
    own = images(options, recipe)
    made = device(options, own.side, seed)
    rng = np.random.default_rng([seed, 77])
    found: dict[str, float] = {}

    def judge(name: str, learnt: RealArray, judged: RealArray) -> None:
        found[name] = ridge(learnt, own.learnt_y, own.classes).accuracy(judged, own.judged_y)
        report(len(found), 7)

    bright = [(part > 0.5).astype(np.float32) for part in (own.learnt, own.judged)]
    judge("pixels", bright[0], bright[1])
    judge("grey pixels", own.learnt, own.judged)
    drawn = rng.standard_normal((2, own.side**2, made.nodes), dtype=np.float32)
    judge("nodes", *(_power(part, drawn) for part in bright))
    judge("grey nodes", *(_power(part, drawn) for part in (own.learnt, own.judged)))
    judge("speckle", *(made.speckle(patterns(part, own.side)) for part in (own.learnt, own.judged)))
    learnt, judged = states(options, recipe, seed, lambda _done, _total: None)
    judge("laser", learnt, judged)
    judge("noise", noisy(made, learnt, rng), noisy(made, judged, rng))
    return found


def _power(part: RealArray, drawn: RealArray) -> RealArray:
    """Return |T u|^2 of independent nodes, (images, nodes)."""
    return np.asarray((part @ drawn[0]) ** 2 + (part @ drawn[1]) ** 2)


SWEEPS: Mapping[str, tuple[float, ...]] = {
    "speckle": (2.0, 2.5, 3.0, 4.0, 6.0, 8.0),
    "reach": (0.2, 0.5, 1.0, 2.0, 5.0),
    "rin": (-140.0, -120.0, -100.0, -90.0, -80.0, -70.0),
}
"""Sizes of grains in um, times the diffraction, and intensity noise in dB/Hz that are tried."""


def swept(options: Options, recipe: Recipe, seed: int, _path: Path, report: Report) -> Mapping[str, Any]:
    """Return accuracies in % of ridge regression over grain size, coupling of the laser's cells and noise.

    On training images alone: some learn, a quarter as many of the others judge.
    """
    own = images(options, recipe)
    count = recipe.swept
    some = np.r_[:count, len(own.learnt) - count // 4 : len(own.learnt)]
    shown, y = patterns(own.learnt[some], own.side), own.learnt_y[some]
    found: dict[str, list[float]] = {name: [] for name in SWEEPS}
    still = device(options, own.side, seed).states(shown)
    for name, values in SWEEPS.items():
        for number, value in enumerate(values):
            made = device(options, own.side, seed, **_swept_setting(name, value))
            if name == "rin":
                powers = noisy(made, still, np.random.default_rng([seed, number]))
            else:
                powers = made.states(shown)
            fitted = ridge(powers[:count], y[:count], own.classes)
            found[name].append(fitted.accuracy(powers[count:], y[count:]))
        report(len([one for one in found.values() if one]), len(SWEEPS))
    return found


def _swept_setting(name: str, value: float) -> dict[str, float]:
    match name:
        case "speckle":
            return {"fibre.speckle": value}
        case "reach":
            return {"vcsel.index": 3.5 / float(np.sqrt(value))}
        case _:
            return {"laser.rin_dB_Hz": value}


def study(options: Options, recipe: Recipe, _seed: int, path: Path, report: Report) -> Mapping[str, Any]:
    """Return mean errors of `MultiFlip` over its two settings, on two tasks and both kinds of weights.

    The tasks are the 8 headers of 3 bits and 3 of the classes, on training images of a fibre of its own.
    Finished settings are kept in the file `path`.
    """
    from photosim.systems.laser_reservoir.tasks import shown_bits

    own = images(options, recipe)
    made = device(options, own.side, STUDY_SEED)
    pictures = made.states(patterns(own.learnt[: recipe.study], own.side))
    labels = one_against_all(own.learnt_y[: recipe.study], own.classes)[:, [0, 4, 9]]
    headers = np.repeat(made.states(shown_bits(3, own.side)), 100, axis=0)
    values = np.repeat(np.eye(8), 100, axis=0)
    tasks = {"headers": (headers, values), "classes": (pictures, labels)}
    kept = _kept(path)
    done: list[float] = list(kept.get("done", []))
    jobs = [
        (task, kind, first, decay)
        for task in tasks
        for kind in ("boolean", "ternary")
        for decay in recipe.decays
        for first in recipe.firsts
    ]
    for number, (task, kind, first, decay) in enumerate(jobs):
        if number < len(done):
            continue
        rng, noise = np.random.default_rng([STUDY_SEED, number]).spawn(2)
        rule = find_weight_rule(f"multi-flip-{kind}", first=first, decay=decay)
        asked = readout(made, tasks[task][0], noise)
        found = learn_readouts(rule, asked, tasks[task][1], recipe.study_evaluations, rng)
        done.append(float(found.curves[:, -1].mean()))
        np.savez(path.with_suffix(".npz"), done=np.array(done))
        path.with_suffix(".npz").replace(path)
        report(number + 1, len(jobs))
    shape = (2, 2, len(recipe.decays), len(recipe.firsts))
    table = np.array(done).reshape(shape)
    return {
        f"{task} {kind}": table[i, j].ravel()
        for i, task in enumerate(tasks)
        for j, kind in enumerate(("boolean", "ternary"))
    }

"""Cases that hold the fast map against the field in time, and show that the laser is locked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from photosim.systems.harness.system import Options, Report
from photosim.systems.laser_reservoir.recipe import Recipe, device, images, patterns, ridge, states
from photosim.systems.laser_reservoir.tasks import alike
from photosim.training.arrays import RealArray

SPONTANEOUS = 1.5
"""Inversion factor of spontaneous emission: 1 for full inversion, more as levels are less than empty."""
SPACING = 5e-12
"""Time in s between the states of a spectrum: 200 GHz."""


def field(options: Options, recipe: Recipe, _seed: int, path: Path, report: Report) -> Mapping[str, Any]:
    """Return how well the map's states correlate with those of the field in time, and accuracies of both.

    Images of the part that judges; a ridge regression that learnt of the map's states names both kinds.
    Finished images are kept in the file `path`.
    """
    own = images(options, recipe)
    made = device(options, own.side, 0)
    count = min(recipe.compared, len(own.judged))
    done = np.empty((0, made.nodes))
    if path.exists():
        with np.load(path) as kept:
            done = kept["done"]
    for number in range(len(done), count):
        shown = patterns(own.judged[number : number + 1], own.side)
        done = np.concatenate([done, made.field_states(shown, recipe.settled)])
        np.savez(path.with_suffix(".npz"), done=done)
        path.with_suffix(".npz").replace(path)
        report(number + 1, count)
    learnt, judged = states(options, recipe, 0, lambda _done, _total: None)
    fast = judged[:count]
    correlation = alike(fast, done)
    fitted = ridge(learnt, own.learnt_y, own.classes)
    labels = own.judged_y[:count]
    return {
        "correlation": float(correlation.mean()), "least": float(correlation.min()), "images": count,
        "map": fitted.accuracy(fast, labels), "field": fitted.accuracy(done, labels),
    }  # fmt: skip


def dimmest(shown: RealArray, count: int) -> RealArray:
    """Return the patterns with the fewest and the most mirrors on, and the first ones, `count` in all."""
    lit = shown.sum(axis=1)
    chosen = [int(np.argmin(lit)), int(np.argmax(lit)), *range(count)]
    return shown[chosen[:count]]


def locking(options: Options, recipe: Recipe, _seed: int, path: Path, report: Report) -> Mapping[str, Any]:
    """Return the part of the power off the injected line in %, image by image, and a spectrum in dB.

    Without spontaneous emission the dimmest and the brightest of the images learnt from are among them; with
    it, the dimmest alone; and the dimmest with a hundredth of the light, which leaves the laser free.
    """
    own = images(options, recipe)
    made = device(options, own.side, 0)
    shown = dimmest(patterns(own.learnt[:2000], own.side), recipe.spectra)
    how: dict[str, Any] = {
        "settle": recipe.settled, "samples": round(recipe.window / SPACING), "spacing": SPACING,
    }  # fmt: skip
    off: list[float] = []
    if path.exists():
        with np.load(path) as kept:
            off = kept["off"].tolist()
    for number in range(len(off), len(shown)):
        off.append(100.0 * made.spectrum(shown[number], **how).off_line())
        np.savez(path.with_suffix(".npz"), off=np.array(off))
        path.with_suffix(".npz").replace(path)
        report(number + 1, len(shown) + 2)
    noisy = made.spectrum(shown[0], rng=np.random.default_rng(0), spontaneous=SPONTANEOUS, **how)
    report(len(shown) + 1, len(shown) + 2)
    dim = device(options, own.side, 0, **{"fibre.transmission": 0.0015})
    free = dim.spectrum(shown[0], rng=np.random.default_rng(0), spontaneous=SPONTANEOUS, **how)
    report(len(shown) + 2, len(shown) + 2)
    frequency, power = noisy.power()
    seen = np.mean(np.abs(noisy.fields) ** 2, axis=0)[np.newaxis]
    return {
        "averaged": float(alike(made.states(shown[:1]), seen)[0]),
        "off": off, "worst": max(off), "noisy": 100.0 * noisy.off_line(), "free": 100.0 * free.off_line(),
        "frequency": frequency / 1e9, "power": _dB(power), "free power": _dB(free.power()[1]),
    }  # fmt: skip


def _dB(power: RealArray) -> RealArray:
    """Return powers in dB below their sum, none below -100."""
    return np.asarray(10.0 * np.log10(np.maximum(power / power.sum(), 1e-10)))

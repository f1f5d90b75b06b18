"""What is simulated and learnt from: the netlist's device, Boolean images, and ridge regression."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.netlist import read
from photosim.systems.harness.circuits import instance_of
from photosim.systems.harness.data import samples as loaded
from photosim.systems.harness.pictures import side
from photosim.systems.harness.system import Options, Report
from photosim.training.arrays import FloatArray, LabelArray, RealArray
from photosim.training.devices.reservoir import LaserReservoir
from photosim.training.readouts.learning import one_against_all

NETLIST = "laser_reservoir"
BORDER = 2
"""Mirrors round an image that are always on: they keep the laser locked whatever the image."""
PENALTIES = (1e-1, 1.0, 1e1, 1e2, 1e3)
"""Of ridge regression on standardised nodes; the one that is best on held-out training images is taken."""
HELD = 6
"""One in so many training images is held out to choose the penalty."""


@dataclass(frozen=True)
class Recipe:
    """Images, evaluations of the hardware, and how many weights are flipped.

    learnt, judged: images, the first ones of their part; None for all.  evaluations: for each readout.
    first, decay: of `MultiFlip`, from the study on training images of another fibre.  swept: images to learn
    from in sweeps; a quarter as many judge.  compared: images of the field in time.  settled: s of it.
    """

    learnt: int | None = 20_000
    judged: int | None = None
    evaluations: int = 5_000
    first: int = 2
    decay: float = 100.0
    bits: tuple[int, ...] = (2, 3, 6)
    bit_evaluations: int = 2_000
    readings: int = 40_000
    swept: int = 3_000
    compared: int = 200
    settled: float = 3e-9
    spectra: int = 6
    window: float = 2e-9
    study: int = 4_000
    study_evaluations: int = 2_000
    firsts: tuple[int, ...] = (1, 2, 5, 10, 20, 50, 100)
    decays: tuple[float, ...] = (100.0, 300.0, 1000.0)
    hours: float = 10.0
    steady: int = 100

    def plain(self) -> dict[str, Any]:
        """Return the recipe in plain JSON types."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}

    @property
    def multi_flip(self) -> dict[str, Any]:
        """Settings of `MultiFlip`."""
        return {"first": self.first, "decay": self.decay}


FULL = Recipe()
SMALL = Recipe(
    learnt=None, evaluations=600, bits=(2, 3), bit_evaluations=300, readings=4_000, swept=400, compared=2,
    spectra=2, window=0.4e-9, study=300, study_evaluations=150,
    firsts=(1, 5, 20), decays=(50.0, 200.0), steady=20,
)  # fmt: skip


@dataclass(frozen=True)
class Images:
    """Pixels (images, pixels) from 0 to 1 and classes, to learn from and to judge by."""

    learnt: RealArray
    learnt_y: LabelArray
    judged: RealArray
    judged_y: LabelArray
    side: int
    classes: int


@lru_cache(maxsize=2)
def _loaded(options: Options) -> Images:
    data = loaded(options)
    low = min(float(data.train.x.min()), float(data.test.x.min()))
    width = max(float(data.train.x.max()), float(data.test.x.max())) - low
    pixels = [((part.x - low) / width).astype(np.float32) for part in (data.train, data.test)]
    labels = [np.asarray(part.y, dtype=np.int64) for part in (data.train, data.test)]
    return Images(pixels[0], labels[0], pixels[1], labels[1], side(data, 4), data.classes)


def images(options: Options, recipe: Recipe) -> Images:
    """Return the images that the options name; DataError unless they are square."""
    own = _loaded(replace(options, netlists=()))
    return Images(
        own.learnt[: recipe.learnt], own.learnt_y[: recipe.learnt], own.judged[: recipe.judged],
        own.judged_y[: recipe.judged], own.side, own.classes,
    )  # fmt: skip


def patterns(pixels: RealArray, along: int) -> RealArray:
    """Return what the mirrors show, (images, (along + 2 BORDER)^2): bright pixels on, round them all on."""
    whole = along + 2 * BORDER
    found = np.ones((len(pixels), whole, whole), dtype=np.float32)
    found[:, BORDER:-BORDER, BORDER:-BORDER] = (pixels > 0.5).reshape(-1, along, along)
    return found.reshape(len(pixels), -1)


_PARTS = {
    "laser": "laser", "images": "dmd", "fibre": "speckle_fiber", "vcsel": "large_area_vcsel",
    "weights": "weighing_mirrors", "detector": "weighing_detector",
}  # fmt: skip
"""Components of the chain by the names of their instances in the gallery's netlist."""


@cache
def _circuit(netlist: str) -> tuple[Circuit, dict[str, str]]:
    """Return a circuit, and its instances by the gallery's names of them."""
    return Circuit(read(netlist)), {
        name: instance_of(netlist, (component,), name) for name, component in _PARTS.items()
    }


def device(options: Options, along: int, seed: int, **settings: Any) -> LaserReservoir:
    """Return the netlist's device for images of `along` pixels a side, with the fibre of a seed.

    settings: of the instances, by the gallery's names of them. Each of many mirrors passes less light than
    the netlist says where the fibre's modes could not take it: nine tenths of what they can at most.
    """
    circuit, names = _circuit(options.netlist(NETLIST))
    mirrors = (along + 2 * BORDER) ** 2
    held = {"images.pixels": mirrors, "fibre.inputs": mirrors, "fibre.seed": 1 + seed, **settings}
    written = {
        name: held.get(f"fibre.{name}", circuit.parameters[f"{names['fibre']}.{name}"])
        for name in ("speckle", "side", "pitch", "transmission")
    }
    modes = 0.95 * np.pi / 4 * (written["side"] * written["pitch"] / written["speckle"]) ** 2
    most = 0.9 / (1.0 + np.sqrt(mirrors / modes)) ** 2
    held["fibre.transmission"] = min(float(written["transmission"]), float(most))
    own = {f"{names[key.partition('.')[0]]}.{key.partition('.')[2]}": value for key, value in held.items()}
    return LaserReservoir.from_circuit(circuit, **own)


_STATES: dict[Any, tuple[RealArray, RealArray]] = {}


def states(options: Options, recipe: Recipe, seed: int, report: Report) -> tuple[RealArray, RealArray]:
    """Return the powers of the nodes for all images to learn from and to judge by; the last ones are kept."""
    key = (options, recipe.learnt, recipe.judged, seed)
    if key not in _STATES:
        own = images(options, recipe)
        made = device(options, own.side, seed)
        _STATES.clear()
        _STATES[key] = (
            made.states(patterns(own.learnt, own.side), report),
            made.states(patterns(own.judged, own.side), report),
        )
    return _STATES[key]


@dataclass(frozen=True)
class Ridge:
    """Weights (nodes, classes) of standardised nodes, and the nodes' mean and deviation."""

    weights: FloatArray
    mean: FloatArray
    deviation: FloatArray
    offset: FloatArray

    def outputs(self, nodes: RealArray) -> FloatArray:
        """Return outputs (samples, classes) for nodes (samples, nodes)."""
        return np.asarray(((nodes - self.mean) / self.deviation) @ self.weights + self.offset)

    def accuracy(self, nodes: RealArray, labels: LabelArray) -> float:
        """Return the accuracy in %."""
        return float(100.0 * np.mean(np.argmax(self.outputs(nodes), axis=1) == labels))


def ridge(nodes: RealArray, labels: LabelArray, classes: int) -> Ridge:
    """Return the ridge regression of one-against-all targets on nodes (samples, nodes).

    Its penalty is the one of PENALTIES that names most held-out training samples right.
    """
    mean, width = nodes.mean(axis=0, dtype=np.float64), nodes.std(axis=0, dtype=np.float64)
    width = np.maximum(width, 1e-3 * max(float(width.max()), 1e-300))
    z = ((nodes - mean) / width).astype(np.float32)
    targets = one_against_all(labels, classes).astype(np.float32)
    offset = targets.mean(axis=0)
    held = np.arange(len(z)) % HELD == 0
    some, rest = _moments(z[~held], targets[~held] - offset), _moments(z[held], targets[held] - offset)
    scores = [
        np.mean(np.argmax(z[held] @ _solved(some, penalty) + offset, axis=1) == labels[held])
        for penalty in PENALTIES
    ]
    chosen = PENALTIES[int(np.argmax(scores))]
    both = (some[0] + rest[0], some[1] + rest[1])
    return Ridge(_solved(both, chosen), mean, width, offset.astype(np.float64))


def _moments(z: RealArray, targets: RealArray) -> tuple[FloatArray, FloatArray]:
    return (z.T @ z).astype(np.float64), (z.T @ targets).astype(np.float64)


def _solved(moments: tuple[FloatArray, FloatArray], penalty: float) -> FloatArray:
    gram, cross = moments
    return np.asarray(np.linalg.solve(gram + penalty * np.eye(len(gram)), cross))


def settings_of(recipe: Recipe, *names: str) -> dict[str, Any]:
    """Return what decides the numbers of a case beside the netlist, in plain JSON types.

    names: fields of the recipe that this case uses, beside the numbers of images.
    """
    own = recipe.plain()
    chosen = {name: own[name] for name in ("learnt", "judged", *names)}
    return {**chosen, "border": BORDER, "penalties": list(PENALTIES)}

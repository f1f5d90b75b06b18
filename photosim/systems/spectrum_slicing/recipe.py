"""What is simulated and how it is learnt from: circuits with their settings, images, back ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import Netlist
from photosim.netlist import read
from photosim.systems.harness.circuits import instance_of
from photosim.systems.harness.data import samples as loaded
from photosim.systems.harness.pictures import side
from photosim.systems.harness.system import Options, Report
from photosim.training.arrays import RealArray
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices.slicer import Scan, SpectrumSlicer
from photosim.training.layers import Convolution, Dense, Layer, Network, Windows, activation
from photosim.training.optimisers import Adam, StepDecay
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit


@dataclass(frozen=True)
class Optics:
    """Filters and clock of a slicer.

    netlist: of the gallery.  nodes, interferometers: filters, and how many of them, the last, are not
    rings.  coupling: of the rings' two cells.  spacing: of neighbouring maxima in Hz.  detuning: the middle
    of all maxima, in Hz from the carrier.  patch, stride: in pixels.  pixel: duration in s.  pooling:
    bandwidth of the amplifiers in patches a second.  mixed: floor of the eigenvalues where the readings of a
    patch are decorrelated, over the largest; None where they are not.
    """

    netlist: str = "spectrum_slicing"
    nodes: int = 7
    interferometers: int = 0
    coupling: float = 0.1
    spacing: float = 7.4e9 / 6
    detuning: float = 3.7e9
    patch: int = 3
    stride: int = 2
    pixel: float = 22.5e-12
    pooling: float = 0.5
    mixed: float | None = 1e-3

    @property
    def scan(self) -> Scan:
        """Order and clock of the pixels."""
        return Scan(self.patch, self.stride, self.pixel)

    def netlist_of(self, **changed: Any) -> Netlist:
        """Return the gallery's netlist with these filters; changed: more settings of `slicer`."""
        found = read(self.netlist)
        name = instance_of(self.netlist, ("spectrum_slicer",), "slicer")
        slicer = found.instances[name]
        own = {
            "nodes": self.nodes, "interferometers": self.interferometers, "coupling": self.coupling,
            "spacing": self.spacing, "detuning": self.detuning,
            "tia_bandwidth": self.pooling / (self.patch**2 * self.pixel),
        }  # fmt: skip
        instance = replace(slicer, settings={**slicer.settings, **own, **changed})
        return replace(found, instances={**found.instances, name: instance})


@dataclass(frozen=True)
class Recipe:
    """Images, filters and back ends.

    learnt, judged: images, the first ones of their part; None for all.  optics, chip: filters of the ideal
    case and of the one with the data sheet's losses.  hidden: units of the hidden layer of the back end of
    optics, chip and digital network.  epochs, batch_size, rate: of all trainings, the rate a tenth from
    three quarters of the epochs on; the digital network has a rate of its own.  filters, window,
    window_stride: of its convolution.
    """

    optics: Optics = Optics()
    chip: Optics = Optics("spectrum_slicing_chip", nodes=3, coupling=0.2, spacing=3.7e9, mixed=None)
    learnt: int | None = None
    judged: int | None = None
    hidden: tuple[int, int, int] = (111, 80, 117)
    epochs: int = 12
    batch_size: int = 64
    rate: float = 2e-3
    filters: int = 7
    window: int = 7
    window_stride: int = 2
    digital_rate: float = 3e-3
    searched: int = 1_000
    held: int = 500
    swept: tuple[int, ...] = (1, 2, 3, 5, 7, 10, 13, 16)
    swept_images: int = 2_000

    def with_netlists(self, options: Options) -> Recipe:
        """Return the recipe with the netlists that the options name in place of its own."""
        optics, chip = (
            replace(own, netlist=options.netlist(own.netlist)) for own in (self.optics, self.chip)
        )
        return replace(self, optics=optics, chip=chip)

    def plain(self) -> dict[str, Any]:
        """Return the recipe in plain JSON types."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


FULL = Recipe()
SMALL = Recipe(
    optics=Optics(stride=1, spacing=2.1e9, detuning=0.0, pixel=67.5e-12),
    chip=replace(FULL.chip, stride=1, spacing=4.9e9, detuning=0.0, pixel=67.5e-12),
    epochs=12, searched=400, held=300, swept=(1, 3, 7), swept_images=500, window=3, window_stride=1,
)  # fmt: skip

FULL_SCALE = 0.45
"""Voltage that the brightest light makes behind the amplifiers, whose range ends at 0.5 V."""
Images = tuple[RealArray, Any, RealArray, Any, int, int]
"""Pixels from 0 to 1 and classes to learn from, and to judge by; pixels along a side; classes."""


@lru_cache(maxsize=2)
def _loaded(options: Options) -> tuple[Dataset, float, float]:
    data = loaded(options)
    low = float(min(data.train.x.min(), data.test.x.min()))
    return data, low, float(max(data.train.x.max(), data.test.x.max())) - low


def images(options: Options, recipe: Recipe) -> Images:
    """Return the images that the options name; DataError unless they are square."""
    data, low, width = _loaded(replace(options, netlists=()))
    along = side(data, recipe.optics.patch)
    learnt, judged = data.train.x[: recipe.learnt], data.test.x[: recipe.judged]
    return (
        ((learnt - low) / width).astype(np.float32), data.train.y[: recipe.learnt],
        ((judged - low) / width).astype(np.float32), data.test.y[: recipe.judged], along, data.classes,
    )  # fmt: skip


@cache
def slicer(optics: Optics, along: int, **changed: Any) -> SpectrumSlicer:
    """Return the device of some filters for images of `along` x `along` pixels.

    Amplifiers are set so that the brightest light that a filter can pass drives them to FULL_SCALE.
    """
    written = Circuit(optics.netlist_of(**changed))
    gain = FULL_SCALE / brightest(written, optics.netlist)
    circuit = Circuit(optics.netlist_of(**{"tia_gain": gain, **changed}))
    return SpectrumSlicer.from_circuit(circuit, optics.scan, along, modulator=modulator_of(optics.netlist))


def modulator_of(netlist: str) -> str:
    """Return the name of the modulator that pixels drive."""
    return instance_of(netlist, ("mach_zehnder_modulator",), "modulator")


def brightest(circuit: Circuit, netlist: str) -> float:
    """Return the largest current in A that any light behind the open modulator makes."""
    laser, modulator = instance_of(netlist, ("laser",), "laser"), modulator_of(netlist)
    wl = circuit.parameters[f"{laser}.wl"]
    beside = np.linspace(-22.5e9, 22.5e9, 301)
    grid = np.sort(SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / wl + beside))
    ends = [f"{name},o1" for name in circuit.detectors]
    opened = {f"{modulator}.voltage": circuit.parameters[f"{modulator}.v_pi"]}
    found = circuit.transfer(grid, ends, [f"{laser},o1"], **opened)
    return float(circuit.parameters[f"{laser}.power"] * (np.abs(found) ** 2).max())


_KEPT: dict[Any, tuple[RealArray, RealArray]] = {}


def light(optics: Optics, options: Options, recipe: Recipe, report: Report) -> tuple[RealArray, RealArray]:
    """Return what reaches the receivers for images to learn from and to judge by, with the laser's noise.

    It is computed once for all seeds, which draw the noise of the receivers.
    """
    key = (optics, options.data, options.data_dir, recipe.learnt, recipe.judged)
    if key not in _KEPT:
        learnt, _, judged, _, along, _ = images(options, recipe)
        device = slicer(optics, along)
        one, other = np.random.default_rng(0).spawn(2)
        _KEPT[key] = (
            device.averages(learnt, one, workers=2, report=report),
            device.averages(judged, other, workers=2, report=report),
        )
    return _KEPT[key]


def readings(device: SpectrumSlicer, found: RealArray, rng: np.random.Generator) -> RealArray:
    """Return what receivers read, image by image, (B, nodes x patches)."""
    return device.read(found, rng).reshape(found.shape[1], -1)


def decorrelated(
    learnt: RealArray, judged: RealArray, nodes: int, floor: float | None
) -> tuple[RealArray, RealArray]:
    """Return standardised features (B, nodes x patches) with the readings of each patch decorrelated.

    A linear map of the nodes of a patch, which the first layer behind it takes up: it adds no parameter and
    no operation, but lets gradient descent find what is small. Neighbouring filters read nearly alike.
    floor: added to the eigenvalues of each patch's correlations, over the largest of all; None changes
    nothing.
    """
    if floor is None:
        return learnt, judged
    parted = learnt.reshape(len(learnt), nodes, -1)
    correlation = np.einsum("bnp,bmp->pnm", parted, parted, optimize=True).astype(np.float64) / len(learnt)
    values, vectors = np.linalg.eigh(correlation)
    scale = 1.0 / np.sqrt(np.maximum(values, 0.0) + floor * max(float(values.max()), 1e-30))
    maps = (vectors * scale[:, np.newaxis, :]).astype(learnt.dtype)

    def mapped(features: RealArray) -> RealArray:
        own = features.reshape(len(features), nodes, -1).transpose(2, 0, 1)
        return np.ascontiguousarray((own @ maps).transpose(1, 2, 0).reshape(len(features), -1))

    return mapped(learnt), mapped(judged)


def standardised(learnt: RealArray, judged: RealArray) -> tuple[RealArray, RealArray]:
    """Return features less their mean over their deviation, of what is learnt from.

    Features that hardly change are not blown up: no deviation counts as less than a hundredth of the largest.
    """
    mean, width = learnt.mean(axis=0), learnt.std(axis=0)
    width = np.maximum(width, max(float(width.max()), 1e-30) / 100.0)
    return (
        ((learnt - mean) / width).astype(np.float32), ((judged - mean) / width).astype(np.float32)
    )  # fmt: skip


def trained(
    layers: tuple[Layer, ...],
    parts: tuple[Any, Any, Any, Any, int],
    recipe: Recipe,
    seed: int,
    report: Report,
) -> Mapping[str, Any]:
    """Return accuracies in % after each epoch; parts: x and y to learn from, to judge by, and classes."""
    x, y, judged, judged_y, classes = parts
    data = Dataset("readings", Samples(x, y), Samples(x[:0], y[:0]), Samples(judged, judged_y), classes)
    slow = StepDecay((max(2, 1 + 3 * recipe.epochs // 4),), 0.1)
    history = fit(
        Network(layers), Backprop(), Adam(recipe.rate, schedule=slow), data,
        Schedule(recipe.epochs, recipe.batch_size), Streams.tree(seed, 1)[0],
        lambda epoch: report(epoch, recipe.epochs),
    )  # fmt: skip
    return {"accuracy": 100.0 * float(history.accuracy[-1]), "curve": 100.0 * history.accuracy}


def back_end(inputs: int, hidden: int, classes: int) -> tuple[Layer, ...]:
    """Return a back end of one layer, or of two where there are hidden units."""
    if not hidden:
        return (Dense(inputs, classes, activation("linear")),)
    return (Dense(inputs, hidden, activation("relu")), Dense(hidden, classes, activation("linear")))


def digital(recipe: Recipe, along: int, hidden: int, classes: int) -> tuple[Layer, ...]:
    """Return the digital network: as many filters as there are nodes, and the same back ends."""
    windows = Windows(1, along, along, recipe.window, recipe.window_stride)
    first = Convolution(windows, recipe.filters, activation("relu"))
    return (first, *back_end(first.outputs, hidden, classes))

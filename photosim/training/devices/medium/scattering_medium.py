"""A scattering medium as a device: one random matrix, held by disorder, times an error of few levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast, get_args

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.bounds import check_choice, check_number, check_whole
from photosim.display import Brief, Shown
from photosim.errors import ParameterError
from photosim.media.gaussian import StoredMedium
from photosim.media.modulators import Dmd
from photosim.media.readouts import Readout, anchored, intensity, off_axis, phase_stepping, signed
from photosim.signals.normals import normal_numbers
from photosim.training.arrays import FloatArray, RealArray
from photosim.training.devices.device import Energy
from photosim.training.devices.medium.drift import Drift, Drifting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.media.chain import OpticalChain

Method = Literal["phase-stepping", "off-axis", "anchor", "intensity"]
"""How fields, or for the last one powers, are read: photosim.media.readouts."""
Noise = Literal["physical", "measured"]


@public
@dataclass(frozen=True, kw_only=True)
class Projection(Brief):
    """How camera frames become products.

    method: how a frame is read.  steps: number of frames of a phase-stepped reading; 2 give the real part,
    which is sufficient.  planes: number of binary patterns for each sign: 1 for errors of -1, 0 and 1, p for
    numbers rounded to 2**p - 1 levels of each sign (lightonml uses 6).  frame: time of a frame in s, exposure
    and pause; that of the co-processor is 500 us.  noise: None for none; "physical" for that of the camera;
    "measured" for normal errors of `deviation` times the rms product of the batch. (The code of wang2025 adds
    1.7 % of the mean to each frame of a camera behind a medium, and a product is the difference of two
    frames.) deviation: of that noise.  drift: slow change of the medium.
    """

    method: Method = "phase-stepping"
    steps: int = 2
    planes: int = 1
    frame: float = 500e-6
    noise: Noise | None = None
    deviation: float = 0.024
    drift: Drift = field(default_factory=Drift)

    def __post_init__(self) -> None:
        """Raise ParameterError for a method that does not exist, or no picture at all."""
        check_choice(self, get_args(Method), method=self.method)
        check_choice(self, (None, *get_args(Noise)), noise=self.noise)
        check_whole(self, 2, steps=self.steps)
        check_whole(self, 1, planes=self.planes)
        check_number(self, 0.0, deviation=self.deviation)
        check_number(self, 0.0, above=True, frame=self.frame)


@public
@dataclass(frozen=True)
class ScatteringMedium(Shown):
    """A device whose matrix is that of a scattering medium, at some pixels of a camera.

    Each entry of x switches an equal group of mirrors. One pattern shows the ones, another the minus ones,
    and the difference of their readings is B x. B is the real part of the fields of single entries relative
    to the reference (or to the anchor). The seed of the medium determines it, and its entries have the
    standard deviation `size`. Frames, their time and the laser's energy are counted; samples of zeros need
    none. Devices on one medium share their exposures.

    With method "intensity" a product is not linear; matrix() then gives the readings of single entries. Left
    out: correlation between frames of the camera, settling of the mirrors beyond the frame time.

    chain: modulator, medium and camera.  how: method of reading.  unit: product of a reading of 1.  power: of
    the laser in W.  rng: draws the random numbers.  counters: numbers of operations.  shared: exposures in
    common with other devices.
    """

    chain: OpticalChain
    how: Projection
    pixels: slice
    size: float
    unit: float
    power: float
    rng: np.random.Generator = field(compare=False)
    counters: Counter[str] = field(compare=False)
    shared: _Shared = field(compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ParameterError for sizes or powers that are not positive."""
        check_number(self, 0.0, above=True, size=self.size, unit=self.unit)
        check_number(self, 0.0, power=self.power)

    @classmethod
    def from_circuit(
        cls,
        circuit: Circuit,
        inputs: int,
        widths: Sequence[int],
        how: Projection | None = None,
        *,
        size: float = 1.0,
        rng: np.random.Generator | None = None,
        **settings: Any,
    ) -> tuple[ScatteringMedium, ...]:
        """Return one device for each of `widths` outputs, side by side on the camera of a circuit.

        inputs: number of inputs.  widths: numbers of outputs.  how: method of reading.  size: standard
        deviation of the entries of the matrices.  rng: draws the random numbers.  settings: of the circuit,
        as in a call.

        Raises ParameterError if the modulator is not a DMD or has fewer mirrors than inputs, and if the
        camera has fewer pixels than outputs.
        """
        check_arguments(cls.from_circuit.__func__, locals())  # type: ignore[attr-defined]
        check_whole("ScatteringMedium", 1, inputs=inputs)
        for width in widths:
            check_whole("ScatteringMedium", 1, widths=width)
        check_number("ScatteringMedium", 0.0, above=True, size=size)
        how = how or Projection()
        # `camera` names one in circuit.chain: settings of an instance called so travel by their dotted names.
        dotted = {f"camera.{key}": value for key, value in settings.pop("camera", {}).items()}
        whole = circuit.chain(**settings, **dotted)
        power = abs(whole.beam) ** 2 + abs(whole.reference) ** 2
        chain = _grouped(whole, inputs, sum(widths))
        rng = rng or np.random.default_rng(0)
        shared, counters = _Shared(chain, how), Counter[str]()
        unit = float(np.std(shared.response(chain))) / size
        ends = np.cumsum([0, *widths]).tolist()
        return tuple(
            cls(chain, how, slice(first, end), size, unit, power, rng, counters, shared)
            for first, end in pairwise(ends)
        )

    @property
    def memory(self) -> dict[str, NDArray[Any]]:
        """Arrays by name that the next reading depends on, besides the generator; checkpoints keep them."""
        return self.shared.memory

    def program(self, weights: FloatArray) -> NoReturn:
        """Raise ParameterError, because a scattering medium cannot be programmed."""
        message = (
            f"A scattering medium cannot be programmed with a matrix of shape {np.shape(weights)}: it holds "
            "the one that its seed gave it, matrix()."
        )
        raise ParameterError(message)

    def matrix(self) -> FloatArray:
        """Return the present effective matrix, (outputs, inputs); without drift it is constant."""
        now = self.shared.response(self.shared.drifting.at(self._elapsed()))
        return np.asarray(now[self.pixels] / self.unit, dtype=np.float64)

    def apply(self, x: RealArray, gain: RealArray | None = None) -> FloatArray:
        """Return gain * (x @ matrix.T), shape (batch, outputs), with the errors of the reading.

        Raises ParameterError, if patterns have one plane, for entries other than -1, 0 and 1 times the
        largest of their sample.
        """
        product = self.shared.product(self, x)[:, self.pixels] / self.unit
        return np.asarray(product if gain is None else gain * product)

    def energy(self) -> Energy:
        """Return the frames and samples so far, their time, and the laser's energy in it."""
        frames = self.counters["frames"]
        return Energy(frames, self.counters["samples"], self._elapsed(), self.power * self._elapsed())

    def _elapsed(self) -> float:
        return self.counters["frames"] * self.how.frame


class _Shared:
    """What devices on one camera have in common: the medium as it is now, and the last exposure."""

    def __init__(self, chain: OpticalChain, how: Projection) -> None:
        self.how = how
        self.drifting = Drifting(chain, how.drift)
        # Taken once for each state of the medium: a run that goes on from a checkpoint needs the same one.
        self.memory = {"anchor": np.full(self.drifting.outputs, np.nan), "anchor taken at": np.array(-1)}
        self.known: tuple[OpticalChain, RealArray] | None = None
        self.last: tuple[RealArray, RealArray, set[tuple[int, int]]] | None = None

    def response(self, chain: OpticalChain) -> RealArray:
        """Return what single entries give through a chain, shape (all outputs, inputs), in sqrt(W) or W."""
        if self.known is None or self.known[0] is not chain:
            self.known = (chain, _response(chain, self.how.method))
        return self.known[1]

    def product(self, device: ScatteringMedium, x: RealArray) -> RealArray:
        """Return products (batch, all outputs) of x; one exposure serves every device that asks with it.

        Inputs are the same if their numbers are: an array may be written anew between two calls.
        """
        own = (device.pixels.start, device.pixels.stop)
        if self.last is None or own in self.last[2] or not np.array_equal(self.last[0], x):
            self.last = (np.array(x), self._expose(device, x), set())
        self.last[2].add(own)
        return self.last[1]

    def _expose(self, device: ScatteringMedium, x: RealArray) -> RealArray:
        inputs = device.chain.modulator.pixels
        if x.ndim != 2 or x.shape[1] != inputs:
            message = f"The mirrors show {inputs} entries: x must be (batch, {inputs}), got {x.shape}."
            raise ParameterError(message)
        if not np.isfinite(x).all():
            message = f"The mirrors show finite numbers: x has {x[~np.isfinite(x)][0]:g} among its entries."
            raise ParameterError(message)
        how, largest = self.how, np.abs(x).max(axis=1, initial=0.0)
        lit = np.flatnonzero(largest)
        levels = x[lit] / largest[lit, np.newaxis] * (2**how.planes - 1)
        shown = np.rint(levels)
        if how.planes == 1 and not np.allclose(shown, levels, atol=1e-6):
            message = "One picture of each sign shows errors of -1, 0 and 1: ternarise them, or set planes=6."
            raise ParameterError(message)
        found = np.zeros((len(x), self.drifting.outputs), dtype=np.float32)
        chain = self.drifting.at(device.counters["frames"] * how.frame)
        device.counters["samples"] += len(x)
        if lit.size:
            found[lit] = self._planes(device, chain, shown) * (largest[lit, np.newaxis] / (2**how.planes - 1))
        return found

    def _planes(self, device: ScatteringMedium, chain: OpticalChain, shown: RealArray) -> RealArray:
        """Return products of whole numbers, a pair of pictures for each binary digit."""
        how = self.how
        if how.noise == "physical":
            total = np.zeros((len(shown), self.drifting.outputs), dtype=np.float32)
            for bit in range(how.planes):
                digit = np.sign(shown) * (np.abs(shown).astype(np.int64) >> bit & 1)
                total += 2**bit * self._read(device, chain, digit)
            return total
        device.counters["frames"] += len(shown) * frames(how)
        if how.method == "intensity":
            plus, minus = (chain.fields(part) for part in (shown > 0, shown < 0))
            product = np.abs(plus) ** 2 - np.abs(minus) ** 2
        else:
            product = shown.astype(np.float32) @ self.response(chain).T
        if how.noise == "measured":
            deviation = np.float32(how.deviation * np.sqrt(np.mean(product**2)))
            product = product + deviation * normal_numbers(device.rng, product.shape, np.float32)
        return np.asarray(product)

    def _read(self, device: ScatteringMedium, chain: OpticalChain, digit: RealArray) -> RealArray:
        found = signed(lambda patterns, rng: self._readout(chain, patterns, rng), digit, device.rng)
        device.counters["frames"] += found.frames
        device.counters["saturated"] += found.saturated
        device.counters["dark"] += found.dark
        return np.real(found.values)

    def _readout(self, chain: OpticalChain, patterns: Any, rng: np.random.Generator) -> Readout:
        match self.how.method:
            case "phase-stepping":
                return phase_stepping(chain, patterns, rng, steps=self.how.steps)
            case "off-axis":
                return off_axis(chain, patterns, rng)
            case "anchor":
                if self.memory["anchor taken at"] != self.drifting.step:
                    self.memory["anchor"][...] = np.nan
                    self.memory["anchor taken at"][...] = self.drifting.step
                return anchored(chain, self.memory["anchor"])(patterns, rng)
            case _:
                return intensity(chain, patterns, rng)


def _response(chain: OpticalChain, method: Method) -> RealArray:
    mirrors = cast("Dmd", chain.modulator)  # from_circuit has checked
    step = (1.0 - mirrors.leak) * np.sqrt(mirrors.efficiency / mirrors.pixels)
    fields = chain.medium.block() * (chain.beam * step)
    if method == "intensity":
        return np.asarray(np.abs(fields) ** 2, dtype=np.float32)
    phases = np.angle(fields.sum(axis=1, keepdims=True) if method == "anchor" else chain.reference)
    return np.asarray((fields * np.exp(-1j * phases)).real, dtype=np.float32)


def frames(how: Projection) -> int:
    """Return the frames of one sample: two signs, each binary digit, and what the read-out takes."""
    each = {"phase-stepping": how.steps, "off-axis": 1, "anchor": 2, "intensity": 1}[how.method]
    return 2 * how.planes * each


def _grouped(chain: OpticalChain, inputs: int, outputs: int) -> OpticalChain:
    """Return a chain in which each of `inputs` mirrors stands for an equal group, and the camera is cut.

    Exact: the mirrors of a group move together, so that their columns add.
    """
    mirrors = chain.modulator
    if not isinstance(mirrors, Dmd):
        message = (
            "A scattering medium as a device shows errors on a DMD, and the circuit's modulator is not one."
        )
        raise ParameterError(message)
    if not 0 < inputs <= mirrors.pixels or not 0 < outputs <= chain.camera.pixels:
        message = (
            f"The circuit has {mirrors.pixels} mirrors and {chain.camera.pixels} pixels: "
            f"too few for {inputs} inputs and {outputs} outputs."
        )
        raise ParameterError(message)
    groups = np.array_split(np.arange(mirrors.pixels), inputs)
    columns = [chain.medium.block(slice(0, outputs), group).sum(axis=1) for group in groups]
    matrix = np.stack(columns, axis=1) * np.sqrt(inputs / mirrors.pixels)
    return replace(
        chain,
        modulator=replace(mirrors, pixels=inputs),
        medium=StoredMedium(outputs, inputs, entries=matrix),
        camera=replace(chain.camera, pixels=outputs),
        reference=chain.reference * np.sqrt(outputs / chain.camera.pixels),
    )

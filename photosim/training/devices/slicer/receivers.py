"""Receivers of a spectrum slicer: from the power on a detector to one reading a patch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.converters import convert, out_of_range
from photosim.errors import PhotosimWarning
from photosim.model import Detector, Electronic, Stage
from photosim.signals.electronics import Chain, chain_behind
from photosim.signals.filters import ORDER, noise_bandwidth
from photosim.signals.noise import shot_density, thermal_density
from photosim.timedomain.beats import FINER, coarser
from photosim.timedomain.low_pass import low_pass
from photosim.training.arrays import FloatArray

if TYPE_CHECKING:
    from photosim.circuit import Circuit

KEPT = {"single": 1e-7, "double": 1e-13}
"""Part of the largest weight below which what lies far from a reading no longer counts."""


@dataclass(frozen=True)
class Receivers:
    """What stands at the end of every filter: a detector, its amplifier and converter, one for each node.

    names: of the detectors.  responsivity: A/W, (nodes,).  dark: current without light in A, (nodes,).
    passes: half-power frequencies in Hz of all low-passes of a node, the same for all.  chain: amplifiers and
    converters of a node.  thermal: noise in A^2/Hz of the load, where no amplifier stands for it.
    """

    names: tuple[str, ...]
    responsivity: FloatArray
    dark: FloatArray
    passes: tuple[float, ...]
    chain: Chain
    thermal: float

    @classmethod
    def of(cls, circuit: Circuit, **settings: Any) -> Receivers:
        """Return the receivers of a circuit with these settings, the first one's electronics for all."""
        compiled, point = circuit.at(settings)
        graph = compiled.graph
        own = [graph.part(name) for name in circuit.detectors]
        values = [compiled.parts.settings_of(part, point) for part in own]
        first = own[0]
        assert isinstance(first.model, Detector)  # noqa: S101 - detectors are of that kind

        def stage_of(name: str) -> Any:
            part = graph.part(name)
            assert isinstance(part.model, Electronic)  # noqa: S101 - chains are made of those
            return part.model.stage(**compiled.parts.settings_of(part, point))

        chain = chain_behind(graph, (first.name, first.model.electrical[0]), stage_of)
        bandwidths = [float(values[0].get("bandwidth") or np.inf), *(s.bandwidth for s in chain.stages)]
        thermal = 0.0
        if values[0].get("load_resistance") and not chain.virtual_ground:
            thermal = float(thermal_density(values[0]["temperature"], values[0]["load_resistance"]))
        return cls(
            tuple(circuit.detectors),
            np.array([float(one["responsivity"]) for one in values]),
            np.array([float(one.get("dark_current") or 0.0) for one in values]),
            tuple(b for b in bandwidths if np.isfinite(b) and b > 0.0),
            chain,
            thermal,
        )

    def response(self, rate: float) -> FloatArray:
        """Return what a current of one sample leaves behind all low-passes, around the middle of (N,)."""
        size = 2 * int(3.0 * rate / min(self.passes, default=rate)) + 1024
        values = np.zeros(size)
        values[size // 2] = 1.0
        for bandwidth in self.passes:
            values = low_pass(values, bandwidth, rate, order=ORDER)
        return values

    def weights(self, rate: float, precision: str) -> Weights:
        """Return the weights of power around a reading, for simulated samples at a rate in Hz.

        In single precision they are of power on the finer clock of detectors, which is not clipped at zero
        where edges ring below it: 1e-5 of the mean reading.
        """
        behind = self.response(rate)
        size = behind.size
        middle, rows = size // 2, []
        for phase in range(FINER if precision == "single" else 0):
            fine = np.zeros(FINER * size)
            fine[FINER * middle + phase] = 1.0
            rows.append(np.convolve(coarser(fine), behind)[middle : middle + size])
        power = np.array(rows or [behind])
        slopes = np.gradient(power, 1.0 / rate, axis=1)
        noise = np.zeros(power.shape)
        noise[0] = behind**2 / np.sum(behind**2)
        far = np.abs(power).max(axis=0) > KEPT[precision] * np.abs(power).max()
        first, last = int(np.flatnonzero(far)[0]), int(np.flatnonzero(far)[-1]) + 1
        every = np.stack([power, slopes, noise], axis=-1)[:, first:last]
        return Weights(first - middle, every, float(np.sum(behind * (np.arange(size) - middle))))

    def noise_variance(self, current: Any) -> Any:
        """Return the variance in A^2 of a reading's noise for a mean current in A, dark current included."""
        shot = shot_density(current, 1.0, 1.0)
        band = noise_bandwidth(self.passes)
        return (shot + self.thermal) * band + self.chain.amplifier_variance()

    def correlation(self, rate: float, spacing: int, count: int) -> FloatArray:
        """Return L (count, count), L L^T the correlation of the noise of readings `spacing` samples apart."""
        behind = self.response(rate)
        found = np.correlate(behind, behind, mode="full")[behind.size - 1 :: spacing][:count]
        row = np.zeros(count)
        row[: found.size] = found / found[0]
        lag = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
        return np.asarray(np.linalg.cholesky(row[lag] + 1e-9 * np.eye(count)))

    def read(self, current: FloatArray, slope: FloatArray, rng: np.random.Generator | None) -> FloatArray:
        """Return currents as read behind all converters, referred to the detector; with rng, their jitter."""
        gains = self.chain.gains()[1:]
        for name, stage, gain in zip(self.chain.names, self.chain.stages, gains, strict=True):
            _warn_of_level(name, stage, current * gain)
            if rng is not None and stage.jitter > 0.0:
                current = current + slope * stage.jitter * rng.standard_normal(current.shape)
            if rng is not None:
                current = convert(current * gain, stage)[0] / gain
        return current


def _warn_of_level(name: str, stage: Stage, level: FloatArray) -> None:
    """Warn of a stage that is to put out more than it can."""
    beyond = np.maximum(level - stage.high, stage.low - level)
    if beyond.size and beyond.max() > 0.0:
        worst = float(level.ravel()[int(beyond.argmax())])
        text = out_of_range(name, worst, stage.low, stage.high)
        warnings.warn(text, PhotosimWarning, stacklevel=4)


@dataclass(frozen=True)
class Weights:
    """Weights of the power at samples before and after a reading.

    start: number of the first one's sample after a pulse, negative before it.  values: (1 or FINER instants
    of a sample, n, 3), of the reading, of its slope in 1/s, and of the mean that its shot noise belongs to.
    delay: mean delay of the low-passes in samples.
    """

    start: int
    values: FloatArray
    delay: float

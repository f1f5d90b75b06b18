"""A batch through tiles of a circuit as its detectors read it, with noise, amplifiers and converters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.arrays import FloatArray
from photosim.training.devices.circuit.passage import CircuitGradient
from photosim.training.devices.circuit.steady import SteadyPassage
from photosim.training.devices.device import check_real

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.training.devices.circuit.device import CircuitDevice

    Numbers = NDArray[Any]


@dataclass(frozen=True)
class ReadPassage:
    """A batch through tiles, and the gradient of what was read, with the random numbers that were drawn.

    The gradient is that of the noisy readings with the random numbers held: the light fluctuates as it did,
    and shot noise grows with the light. So it is unbiased for the mean loss over the noise. Amplifiers' ends
    of range and converters count as if they had no steps (straight through, bengio2013).

    outputs: readings (batch, R o), noise included.  passage: of the light that was sent; its inputs are x
    over scale.  scale: (batch, 1), the largest |x| where powers are scaled to the full light, else 1.
    ahead: readings over scale (batch, R o) ahead of the converters.
    """

    outputs: FloatArray
    passage: SteadyPassage
    scale: FloatArray
    ahead: FloatArray

    @classmethod
    def of(
        cls, device: CircuitDevice, settings: Mapping[str, Any], x: Numbers, grid: tuple[int, int]
    ) -> ReadPassage:
        """Read x (batch, C i) behind R x C tiles whose settings are (R C,) each by dotted name."""
        scale = np.ones((len(x), 1))
        if device.readout.encoding == "powers":
            check_real("Powers encode", x)
            if not device.wiring.stages:  # what is linear is read at full light, as `apply` does
                scale = np.abs(x).max(axis=1, keepdims=True, initial=0.0)
        lit = np.where(scale > 0.0, scale, 1.0)
        sway = _sway(device, len(x), grid)
        shares = x / lit
        passage = SteadyPassage.of(
            device.wiring, device.readout, settings, shares, grid, power=device.power, sway=sway
        )
        ahead, read, by_total = _readings(device, passage)
        outputs = scale * passage.joined(read)
        return cls(outputs, replace(passage, by_total=by_total), lit, passage.joined(ahead))

    @property
    def matrix(self) -> Numbers | None:
        """The matrix (R o, C i) that the tiles make without noise; None where readings are not linear."""
        return self.passage.matrix

    def gradient(self, cotangent: FloatArray) -> CircuitGradient:
        """Return the gradient of a loss with this cotangent dL/dy (batch, R o)."""
        found = self.passage.gradient(cotangent * self.scale)
        return CircuitGradient(found.settings, self._of_inputs(cotangent, found.inputs))

    def back(self, cotangent: FloatArray) -> Numbers:
        """Return the cotangent of the inputs alone (batch, C i)."""
        return self._of_inputs(cotangent, self.passage.back(cotangent * self.scale))

    def _of_inputs(self, cotangent: FloatArray, scaled: Numbers) -> Numbers:
        own = self.passage
        if own.readout.encoding == "fields" or own.wiring.stages:
            return scaled
        # y = s n(x / s), s the largest |x|: by s the slope is n - n'(x / s) x / s, 0 without noise.
        found = scaled / self.scale
        more = np.sum(cotangent * self.ahead, axis=1) - np.sum(found * own.x, axis=1)
        rows, largest = np.arange(len(own.x)), np.argmax(np.abs(own.x), axis=1)
        found[rows, largest] += np.sign(own.x[rows, largest]) * more
        return found


def _sway(device: CircuitDevice, batch: int, grid: tuple[int, int]) -> FloatArray | None:
    """Return factors of the light that is sent: of powers (T, carriers, 2 batch), of fields (T, batch, 1)."""
    if device.noise is None:
        return None
    spread = np.sqrt(device.readout.receivers[0].relative_intensity_variance)
    tiles, normal = grid[0] * grid[1], device.rng.standard_normal
    if device.readout.encoding == "powers":  # one fluctuation an input and cycle: all detectors see it
        return np.asarray(1.0 + spread * normal((tiles, device.tile[1], 2 * batch)))
    return np.asarray(1.0 + 0.5 * spread * normal((tiles, batch, 1)))  # fields are one light


def _readings(device: CircuitDevice, passage: SteadyPassage) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what is ahead of the converters and what is read, (T, B, o) in units of the device's power.

    And the slope of both by the sum of all diodes' currents, by which shot noise grows.
    """
    ahead = np.array(device.power * passage.detected())
    total = device.power * passage.total()
    read, by_total = np.empty_like(ahead), np.zeros_like(ahead)
    for k, (receiver, ports) in enumerate(zip(device.readout.receivers, device.readout.ports, strict=True)):
        if device.noise is not None:
            # The receiver counts the dark current of two diodes.
            variance = receiver.current_variance(total[..., k] + (ports - 2) * receiver.dark_current)
            drawn, spread = device.rng.standard_normal(variance.shape), np.sqrt(variance)
            ahead[..., k] += spread * drawn
            by_variance = 0.5 * drawn / np.where(spread > 0.0, spread, np.inf)
            by_total[..., k] = by_variance * receiver.shot_slope
        seen, clipped = receiver.read(ahead[..., k].copy(), 1.0)
        read[..., k] = seen
        device.counters["clipped readings"] += clipped
    return ahead / device.power, read / device.power, by_total

"""Readings of a circuit's detectors: currents, their noise, amplifiers and converters behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.circuit.steady import SteadyPassage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.training.devices.circuit.device import CircuitDevice


def read_tiles(device: CircuitDevice, x: FloatArray) -> FloatArray:
    """Return what detectors read of x (batch, inputs) as powers, (batch, outputs), in the matrix's units.

    Each sample is scaled by its largest |x|; positive and negative parts go one after the other.
    """
    readout, held = device.readout, device.programmed
    fields = None if held is not None else device.wiring.transfer(device.settings())
    natural = readout.matrix(fields) if fields is not None else held.natural  # type: ignore[union-attr]
    total = readout.total(fields) if fields is not None else held.total  # type: ignore[union-attr]
    gains = np.ones(1) if held is None else held.gains
    rows, columns = (1, 1) if held is None else held.grid
    halves = len(gains) // (rows * columns)
    scale = np.abs(x).max(axis=1, keepdims=True, initial=0.0)
    shares = x / np.where(scale > 0.0, scale, 1.0)
    parts = np.concatenate([np.maximum(shares, 0.0), np.maximum(-shares, 0.0)])
    light = np.zeros((len(parts), columns * natural.shape[2]))
    light[:, : x.shape[1]] = parts
    summed = np.zeros((halves, rows, len(parts), natural.shape[1]))
    for tile, gain in enumerate(gains):
        half, row, column = np.unravel_index(tile, (halves, rows, columns))
        own = light[:, column * natural.shape[2] : (column + 1) * natural.shape[2]]
        summed[half, row] += gain * _read(device, own, natural[tile], total[tile])
    signed = summed[0] if halves == 1 else summed[0] - summed[1]
    readings = signed.transpose(1, 0, 2).reshape(len(parts), -1)
    shape = device.tile[0] if held is None else held.target.shape[0]
    return np.asarray((readings[: len(x)] - readings[len(x) :])[:, :shape] * scale)


def _read(device: CircuitDevice, light: FloatArray, natural: NDArray[Any], total: NDArray[Any]) -> FloatArray:
    """Return the readings (batch, o) of one tile, light (batch, i) from 0 to 1, per unit of light."""
    power, rng = device.power, device.rng
    sent = light
    if device.noise is not None:
        variance = device.readout.receivers[0].relative_intensity_variance
        # One fluctuation an input and cycle: all detectors see the same light.
        sent = light * (1.0 + np.sqrt(variance) * rng.standard_normal(light.shape))
    return _converted(device, power * (sent @ natural.T), power * (light @ total.T)) / power


def read_square(device: CircuitDevice, waves: ComplexArray) -> FloatArray:
    """Return the readings (batch, outputs) of fields (batch, waves) that interfere at detectors."""
    power = device.power
    own, whole = device.readout, np.abs(device.readout.responsivity[:, :, 0])
    currents = power * own.read(waves)
    total = power * (np.abs(waves) ** 2 @ whole.T)
    if device.noise is not None:
        variance = own.receivers[0].relative_intensity_variance
        currents = currents * (1.0 + np.sqrt(variance) * device.rng.standard_normal((len(waves), 1)))
    return _converted(device, currents, total) / power


def read_steady(device: CircuitDevice, x: NDArray[Any]) -> NDArray[Any]:
    """Return the readings (batch, outputs) of numbers sent through nonlinear parts in their steady state."""
    own = device.readout
    held = {name: float(value[0]) for name, value in device.settings().items()}
    if device.noise is not None:
        # Amplitudes fluctuate half as much as powers; fields are one light.
        fields = own.encoding == "fields"
        spread = np.sqrt(own.receivers[0].relative_intensity_variance) * (0.5 if fields else 1.0)
        x = x * (1.0 + spread * device.rng.standard_normal((len(x), 1 if fields else x.shape[1])))
    passage = device.passage(held, x)
    if not own.receivers:
        return passage.outputs
    assert isinstance(passage, SteadyPassage)  # noqa: S101 - so that types are known
    currents, total = (device.power * part[0] for part in (passage.detected(), passage.total()))
    read = _converted(device, currents, total) / device.power
    return read[: len(x)] - read[len(x) :] if own.encoding == "powers" else read


def _converted(device: CircuitDevice, currents: FloatArray, total: FloatArray) -> FloatArray:
    """Return currents (batch, o) in A as read: with noise, behind amplifiers and converters."""
    found = np.array(currents)
    for k, (receiver, ports) in enumerate(zip(device.readout.receivers, device.readout.ports, strict=True)):
        if device.noise is not None:
            # The receiver counts the dark current of two diodes.
            seen = total[:, k] + (ports - 2) * receiver.dark_current
            found[:, k] += np.sqrt(receiver.current_variance(seen)) * device.rng.standard_normal(len(found))
        read, clipped = receiver.read(found[:, k].copy(), 1.0)
        found[:, k] = read
        device.counters["clipped readings"] += clipped
    return found

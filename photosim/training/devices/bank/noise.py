"""Noise of a weight bank: the published model, and the deviation that the noise of its circuit comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.signals.normals import normal_numbers
from photosim.training.arrays import FloatArray, RealArray

if TYPE_CHECKING:
    from photosim.training.devices.bank.weight_bank import WeightBank


def published(bank: WeightBank, x: RealArray) -> RealArray:
    """Return products (batch, outputs) of x (batch, inputs) with the published noise."""
    tiles = bank.programmed
    size = float(np.abs(x).max()) * float(np.abs(tiles.target).max())
    error = normal_numbers(bank.rng, (len(x), tiles.held.shape[0]), x.dtype)
    error *= size * bank.measured.deviation
    error += size * bank.measured.mean
    error += x @ tiles.held.T.astype(x.dtype, copy=False)
    return error


def deviation(bank: WeightBank, x: RealArray) -> FloatArray:
    """Return the standard deviation of each product of x (batch, inputs), (batch, outputs), gains of 1.

    Of the noise alone: drift of the temperature and steps of converters are left out.
    """
    tiles, receiver = bank.programmed, bank.hardware.receiver
    outputs = tiles.target.shape[0]
    if bank.noise is None:
        return np.zeros((len(x), outputs))
    if bank.noise == "measured":
        size = float(np.abs(x).max()) * float(np.abs(tiles.target).max())
        return np.full((len(x), outputs), size * bank.measured.deviation)
    scale = np.abs(x).max(axis=1, keepdims=True)
    shares = x / np.where(scale > 0.0, scale, 1.0)
    down, across, rows, channels = tiles.plus.shape
    diodes = tiles.diodes(bank.hardware, np.float64)
    found = np.zeros((len(x), down * rows))
    for part in (np.maximum(shares, 0.0), np.maximum(-shares, 0.0)):
        wide = np.zeros((len(x), across * channels))
        wide[:, : x.shape[1]] = part
        sent = wide.reshape(-1, channels)
        sent = bank.converters.inputs(sent) if bank.modulators is None else bank.modulators.light(sent)
        light = np.broadcast_to(
            sent.reshape(len(x), across, channels).swapaxes(0, 1), (down, across, len(x), channels)
        )
        variance = receiver.current_variance(diodes.total(light)).astype(np.float64)
        flicker = light**2 @ (diodes.plus - diodes.minus) ** 2
        variance += receiver.relative_intensity_variance * flicker
        found += variance.sum(axis=1).transpose(1, 0, 2).reshape(len(x), down * rows)
    swing = 1.0 if bank.modulators is None else bank.modulators.swing
    return np.asarray(np.sqrt(found[:, :outputs]) * scale / (tiles.unit * swing))

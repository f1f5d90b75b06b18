"""The diodes of a weight bank's rows: their currents for the light of all channels, up to saturation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import PhotosimWarning
from photosim.signals.saturation import detected_share, too_bright
from photosim.training.arrays import FloatArray, RealArray

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from photosim.training.devices.bank.circuit import BankCircuit
    from photosim.training.devices.bank.program import Calibration


@dataclass(frozen=True)
class Diodes:
    """All diodes of a bank's tiles.

    plus, minus: photocurrents in A of full power in each channel, shape (down, across, N, M).
    responsivity: in A/W, of the plus and the minus diodes, shape (2, N, M).
    limit: power in W up to which a diode's current follows its light.  ports: of each row, plus then minus.
    """

    plus: RealArray
    minus: RealArray
    responsivity: FloatArray
    limit: float
    ports: tuple[str, ...]

    @classmethod
    def of(cls, hardware: BankCircuit, plus: FloatArray, minus: FloatArray, dtype: DTypeLike) -> Diodes:
        """Return the diodes of a bank with these currents in A, (down, across, M, N), of full power."""
        plus, minus = (np.asarray(side.swapaxes(-1, -2).astype(dtype, copy=False)) for side in (plus, minus))
        per_watt = np.abs(hardware.responsivity).transpose(1, 2, 0)
        return cls(plus, minus, per_watt, hardware.receiver.saturation, hardware.diodes)

    @cached_property
    def apart(self) -> RealArray:
        """Plus less minus currents in A of full power, (down, across, N, M)."""
        return np.asarray(self.plus - self.minus)

    @cached_property
    def together(self) -> RealArray:
        """Plus and minus currents in A of full power, (down, across, N, M)."""
        return np.asarray(self.plus + self.minus)

    def difference(self, light: RealArray) -> RealArray:
        """Return plus minus minus current in A, (down, across, batch, M).

        light: power of each channel relative to its full one, (down, across, batch, N).
        """
        if not self.bright(light):
            return self.through(light, lambda diodes: diodes.apart)
        plus, minus = self._saturated(light)
        return np.asarray(plus - minus)

    def total(self, light: RealArray) -> RealArray:
        """Return plus and minus current together in A, (down, across, batch, M)."""
        if not self.bright(light):
            return self.through(light, lambda diodes: diodes.together)
        plus, minus = self._saturated(light)
        return np.asarray(plus + minus)

    def through(self, light: RealArray, matrices: Callable[[Diodes], RealArray]) -> RealArray:
        """Return light (down, across, batch, N) through matrices (down, across, N, M) of the diodes."""
        return np.asarray(light @ matrices(self))

    def bright(self, light: RealArray) -> bool:
        """Return whether a diode would saturate if all channels were as bright as the brightest one."""
        return self.brightest * float(light.max(initial=0.0)) > self.limit

    @cached_property
    def brightest(self) -> float:
        """The power in W at the diode that sees most light, all channels at full power."""
        return max(float(full.sum(axis=-2).max()) for full in self.full())

    def power(self, light: RealArray) -> RealArray:
        """Return the power in W at the plus and the minus diodes, shape (2, down, across, batch, M)."""
        sides = (lambda diodes: diodes.full()[0]), (lambda diodes: diodes.full()[1])
        return np.stack([self.through(light, side) for side in sides])

    def report(self, power: RealArray) -> str:
        """Return the sentence about the row and side where the power, as `power` gives it, is largest."""
        side, *_, row = np.unravel_index(int(power.argmax()), power.shape)
        port = self.ports[2 * int(row) + int(side)]
        return too_bright(port, power[side, ..., row], self.limit, "readings")

    def full(self) -> list[RealArray]:
        """Return the power in W at the plus and the minus diodes of full power in each channel."""
        least = np.finfo(self.plus.dtype).tiny
        return [
            np.asarray(side / np.maximum(per_watt, least), dtype=side.dtype)
            for side, per_watt in zip((self.plus, self.minus), self.responsivity, strict=True)
        ]

    def _saturated(self, light: RealArray) -> list[RealArray]:
        shares = detected_share(self.power(light), self.limit)
        sides = (lambda diodes: diodes.plus), (lambda diodes: diodes.minus)
        return [share * self.through(light, side) for share, side in zip(shares, sides, strict=True)]


def check_brightness(hardware: BankCircuit, calibration: Calibration) -> None:
    """Warn where a single channel at full power, its ring on resonance or far from it, saturates a diode."""
    ends = np.stack([calibration.high, -calibration.low], axis=1)
    power = ends / np.maximum(np.abs(hardware.responsivity), np.finfo(np.float64).tiny)
    row, side, _ = np.unravel_index(int(power.argmax()), power.shape)
    text = too_bright(hardware.diodes[2 * int(row) + int(side)], power.max(), hardware.receiver.saturation)
    if text:
        warnings.warn(text, PhotosimWarning, stacklevel=3)

"""Slow drift of the chip temperature: a stationary random process that can be evaluated at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photosim.arguments import check_arguments, public
from photosim.bounds import check_number
from photosim.training.arrays import FloatArray

WAVES = 64
"""Number of oscillations whose sum is one realisation of the drift."""


@public
@dataclass(frozen=True)
class TemperatureDrift:
    """A random temperature drift with rms value `kelvin`, whose correlation falls to 1/e within `seconds`."""

    kelvin: float
    seconds: float = 1e-3

    def __post_init__(self) -> None:
        """Raise ParameterError for what is not positive."""
        check_number(self, 0.0, above=True, kelvin=self.kelvin, seconds=self.seconds)


@dataclass(frozen=True)
class DriftRealisation:
    """One realisation of a temperature drift: a sum of oscillations, each of shape (waves,)."""

    size: float
    omega_rad_s: FloatArray
    phase: FloatArray

    def __post_init__(self) -> None:
        """Raise ParameterError for a size or oscillations that are not numbers."""
        check_arguments(DriftRealisation.__init__, vars(self))
        check_number(self, size=self.size)

    @classmethod
    def drawn(cls, drift: TemperatureDrift, rng: np.random.Generator) -> DriftRealisation:
        """Draw a realisation whose correlation falls as exp(-t / seconds): frequencies of a Lorentzian.

        It is a function of time and nothing else, so a run that goes on needs no memory of it.
        """
        omega = rng.standard_cauchy(WAVES) / drift.seconds
        return cls(drift.kelvin * np.sqrt(2.0 / WAVES), omega, rng.uniform(0.0, 2.0 * np.pi, WAVES))

    def kelvin(self, seconds: FloatArray) -> FloatArray:
        """Return the deviation from the mean temperature in K at times (T,) in s."""
        waves = np.cos(seconds[:, np.newaxis] * self.omega_rad_s + self.phase)
        return np.asarray(self.size * waves.sum(axis=1))

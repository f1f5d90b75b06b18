"""TemperatureDrift of a chip's temperature: a random walk about its mean that any instant can be asked of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray

WAVES = 64
"""Oscillations that make up one course of the temperature."""


@dataclass(frozen=True)
class TemperatureDrift:
    """A temperature that strays by `kelvin` (root mean square) and forgets where it was within `seconds`."""

    kelvin: float
    seconds: float = 1e-3

    def __post_init__(self) -> None:
        """Raise ParameterError for what is not positive."""
        if not (self.kelvin > 0.0 and self.seconds > 0.0):
            message = f"A drift needs kelvin and seconds above 0, got {self.kelvin!r} and {self.seconds!r}."
            raise ParameterError(message)


@dataclass(frozen=True)
class Course:
    """One course of a drifting temperature: a sum of oscillations, each of shape (waves,)."""

    size: float
    omega_rad_s: FloatArray
    phase: FloatArray

    @classmethod
    def drawn(cls, drift: TemperatureDrift, rng: np.random.Generator) -> Course:
        """Draw a course whose correlation falls as exp(-t / seconds): frequencies of a Lorentzian.

        It is a function of time and nothing else, so a run that goes on needs no memory of it.
        """
        omega = rng.standard_cauchy(WAVES) / drift.seconds
        return cls(drift.kelvin * np.sqrt(2.0 / WAVES), omega, rng.uniform(0.0, 2.0 * np.pi, WAVES))

    def kelvin(self, seconds: FloatArray) -> FloatArray:
        """Return the deviation from the mean temperature in K at times (T,) in s."""
        waves = np.cos(seconds[:, np.newaxis] * self.omega_rad_s + self.phase)
        return np.asarray(self.size * waves.sum(axis=1))

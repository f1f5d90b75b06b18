"""Where light begins and ends: sources and detectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.model.algebra import NUMPY
from photosim.model.kinds.base import Model, column
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Detector(Model):
    """A photodetector: its optical ports absorb all light; its function says what current each watt gives."""

    multiplication_of: Callable[..., tuple[float, float]] | None = None

    kind = "detector"

    def electrical_unit(self, port: str, settings: Mapping[str, Any]) -> str:
        """Return the unit of the signal at an electrical port: a detector gives a current."""
        del port, settings
        return "A"

    def multiplication(self, **settings: Any) -> tuple[float, float]:
        """Return how many electrons each photoelectron becomes on average, and the excess noise factor."""
        if self.multiplication_of is None:
            return 1.0, 1.0
        return self.multiplication_of(**self.full(settings))

    def dark(self, wl: ArrayLike, **settings: Any) -> Any:
        """Return the dark current in A that flows out of it, multiplied and signed as its ports are.

        That of the two ports of a balanced pair cancels. Settings of shape (B,) give shape (B,).
        """
        signs = sum(np.sign(np.mean(value)) for value in self.responsivity(wl, **settings).values())
        multiplication, _ = self.multiplication(**settings)
        return signs * np.asarray(settings.get("dark_current", 0.0)) * multiplication

    def responsivity(self, wl: ArrayLike, **settings: Any) -> dict[str, Any]:
        """Return the signed responsivity in A/W of each optical port, each broadcastable to (..., W)."""
        values = {k: column(v) for k, v in self.full(settings).items()}
        return dict(self.function(NUMPY, as_wavelengths(wl), **values))


@dataclass(frozen=True, eq=False)
class Source(Model):
    """A light source: matched to what comes back; its function gives wavelengths and powers of its lines."""

    kind = "source"
    scalar_settings = True

    def lines(self, **settings: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return (wavelengths in um, powers in W) of the lines, each of shape (lines,)."""
        wl, power = self.function(**self.full(settings))
        return np.atleast_1d(wl), np.atleast_1d(power)

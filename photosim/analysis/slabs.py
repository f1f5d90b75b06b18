"""Two equal slab guides side by side, the cross-section of a 2-D coupler: their modes in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from photosim.errors import ParameterError

FloatArray = NDArray[np.floating]
_Slope = Callable[[float, float], float]


@dataclass(frozen=True)
class TwoSlabs:
    """Cross-section of two guides that reach endlessly out of the plane; lengths and wavelength in um.

    The field is E_z, out of the plane and parallel to all walls. The defaults are those of the public field
    simulation of ahmadnejad2024: silicon and oxide as in bulk, guides of 13 cells of 0.25 um / 6, four apart.
    """

    width: float = 13 * 0.25 / 6
    gap: float = 4 * 0.25 / 6
    core: float = 3.5
    cladding: float = 1.5
    wl: float = 1.5

    def __post_init__(self) -> None:
        """Raise ParameterError for guides that guide nothing."""
        if not (self.width > 0.0 and self.gap > 0.0 and self.wl > 0.0):
            message = (
                "Width, gap and wavelength must be positive, "
                f"got {self.width!r}, {self.gap!r} and {self.wl!r} um."
            )
            raise ParameterError(message)
        if not 0.0 < self.cladding < self.core:
            message = (
                "The cladding's index must be positive and below the core's, "
                f"got {self.cladding!r} and {self.core!r}."
            )
            raise ParameterError(message)

    def one(self) -> float:
        """Return the effective index of the fundamental mode of one guide alone."""
        return self._mode(lambda decay, bend: decay / bend)

    def supermodes(self) -> tuple[float, float]:
        """Return the effective indices of the lowest even and odd mode of both guides together."""
        half = self.gap / 2
        even = self._mode(lambda decay, bend: decay / bend * np.tanh(decay * half))
        odd = self._mode(lambda decay, bend: decay / bend / np.tanh(decay * half))
        return even, odd

    def beat_length(self) -> float:
        """Return the length in um over which all light of one guide crosses to the other."""
        even, odd = self.supermodes()
        return self.wl / (2.0 * (even - odd))

    def profile(self, y: FloatArray, guide: int) -> FloatArray:
        """Return the fundamental mode of one guide alone at y, of norm 1; guide 0 lies at negative y."""
        bend, decay = self._constants(self.one())
        centre = (2 * guide - 1) * (self.gap + self.width) / 2
        away = np.abs(y - centre)
        edge = self.width / 2
        tail = np.cos(bend * edge) * np.exp(-decay * np.maximum(away - edge, 0.0))
        shape = np.where(away < edge, np.cos(bend * away), tail)
        return np.asarray(shape / np.linalg.norm(shape))

    def permittivity(self, y: FloatArray) -> FloatArray:
        """Return the mean permittivity of cells centred at y, evenly spaced; walls may cut through cells."""
        cell = y[1] - y[0]
        share = np.zeros_like(y)
        for side in (-1.0, 1.0):
            centre = side * (self.gap + self.width) / 2
            low, high = centre - self.width / 2, centre + self.width / 2
            share += np.clip(np.minimum(y + cell / 2, high) - np.maximum(y - cell / 2, low), 0.0, None) / cell
        return np.asarray(self.cladding**2 + share * (self.core**2 - self.cladding**2))

    def _constants(self, index: float) -> tuple[float, float]:
        """Return how fast a mode's field bends within a guide and decays outside, in 1/um."""
        k0 = 2.0 * np.pi / self.wl
        return k0 * np.sqrt(self.core**2 - index**2), k0 * np.sqrt(index**2 - self.cladding**2)

    def _mode(self, inner: _Slope) -> float:
        """Return the effective index of the mode without a node within a guide.

        The field is a cosine there whose slopes meet the decay outside at one wall, and at the other what
        `inner(decay, bend)` says, its logarithmic slope divided by bend.
        """
        from scipy.optimize import brentq

        def excess(index: float) -> float:
            bend, decay = self._constants(index)
            return float(bend * self.width - np.arctan(decay / bend) - np.arctan(inner(decay, bend)))

        # Falls all the way: from the full phase of the core to minus half a turn.
        tiny = 1e-12 * (self.core - self.cladding)
        return float(brentq(excess, self.cladding + tiny, self.core - tiny, xtol=1e-15, rtol=1e-14))

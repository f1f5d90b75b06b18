"""The exact Taylor coefficients of a result, computed when requested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point


@dataclass(frozen=True)
class Series:
    """The exact Taylor coefficients of a result, or at other wavelengths (K,) or (B, K); can be pickled."""

    compiled: Compiled
    ports: tuple[str, ...]
    point: Point
    wl: NDArray[np.float64]

    def __call__(self, wl: NDArray[np.float64] | None = None) -> NDArray[np.complex128]:
        """Return the coefficients."""
        return self.compiled.series(self.ports, self.point, self.wl if wl is None else wl)

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

    def values(self, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Return the S-matrix at other wavelengths (K,), (..., K, P, P)."""
        plan, count = self.compiled.matrix_plan(self.ports), len(self.ports)
        return self.compiled.solve(plan, self.point, wl, (count, count))

    def missed(self) -> tuple[str, ...]:
        """Return a remark where the result changes between points of the grid unseen by these."""
        from photosim.engine.grids import missed

        return missed(self.compiled, self.point, self.wl, self.ports, self.ports)

"""The starts of a fit as work that is cut into chunks: each is refined by itself, from smooth to sharp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.fits.refining import refine
from photosim.analysis.provenance import OfCircuit, content_of
from photosim.errors import ParameterError
from photosim.jobs.work import SECONDS, Arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.fits.problem import Problem
    from photosim.circuit import Circuit

SMOOTH = (0.35, 0.12)
"""Widths of the running mean over the period of the fringes, stage by stage, before none."""
_NARROWER, _NARROWEST = 1.0 / 3.0, 2.0
"""Lines far narrower than their distance need more stages: each so much narrower, down to samples."""


@dataclass(frozen=True, eq=False)
class StartsWork(OfCircuit):
    """Starts of a fit.

    settings: of each start, (starts, n).  width: period of the fringes in samples.  question, seed: for the
    reader.
    """

    problem: Problem
    settings: NDArray[np.float64]
    width: float
    question: Mapping[str, Any]
    seed: int
    kind: str = "fit"
    seconds: float = SECONDS
    unit: int = 1
    axis: int = 0

    @property
    def count(self) -> int:
        """Number of starts."""
        return len(self.settings)

    @property
    def circuit(self) -> Circuit:  # type: ignore[override] # that of its problem
        """The circuit that is fitted."""
        return self.problem.powers.circuit

    def content(self) -> tuple[Any, ...]:
        """Return circuit, data, fitted settings and starts."""
        p, powers = self.problem, self.problem.powers
        how = (p.degree, p.divided, p.floor, p.linear, p.smooth, p.noise)
        asked = (powers.names, powers.pairs, powers.fixed, p.data, p.parameters, *how)
        return (*content_of(self.circuit), *asked, self.settings, self.width)

    def empty(self, count: int) -> Arrays:
        """Return the minimum (starts, n) in scaled units, and its cost; not a number where there is none."""
        return {"x": np.empty((count, self.problem.size)), "cost": np.empty(count)}

    def fill(self, first: int, last: int, out: Arrays) -> None:
        """Refine the starts first to last."""
        for k in range(first, last):
            out["x"][k - first], out["cost"][k - first] = self._refined(self.settings[k])

    def stages(self) -> list[float]:
        """Return the widths of the running means in samples, falling."""
        found = [share * self.width / 2.355 for share in SMOOTH]
        while found[-1] * _NARROWER > _NARROWEST:
            found.append(found[-1] * _NARROWER)
        return found

    def _refined(self, settings: NDArray[np.float64]) -> tuple[Any, float]:
        try:
            x = self.problem.whole(settings)
            for sigma in self.stages():
                smooth = self.problem.changed(smooth=sigma, linear=False)
                x = refine(smooth, x, steps=10, tolerance=1e-3).x
            found = refine(self.problem, x, steps=15, robust=True, tolerance=1e-3)
        except (ParameterError, np.linalg.LinAlgError):
            return np.nan, np.nan
        return found.x, found.cost

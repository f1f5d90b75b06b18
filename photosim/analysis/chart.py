"""Pictures as data: what analyses and published systems want drawn, said without drawing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from photosim.display import Brief

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Curve(Brief):
    """One line of a chart: y over x, both of shape (points,).

    spread: half-width of a band about the line, shape (points,), such as a standard deviation over seeds.
    points: draw single points instead of a line.
    """

    label: str
    x: ArrayLike
    y: ArrayLike
    spread: ArrayLike | None = None
    points: bool = False

    @classmethod
    def over_seeds(cls, label: str, values: ArrayLike, x: ArrayLike | None = None) -> Curve:
        """Return the mean of values (seeds, points) with the sample standard deviation, from two seeds on.

        x: shape (points,); 1, 2, 3, ..., as epochs are counted, if left out.
        """
        found = np.asarray(values, dtype=np.float64)
        along = np.arange(1, found.shape[1] + 1) if x is None else x
        return cls(label, along, found.mean(axis=0), found.std(axis=0, ddof=1) if len(found) > 1 else None)


@dataclass(frozen=True)
class Level:
    """A value to compare with, such as a published one: a thin horizontal line, named in the legend."""

    label: str
    value: float


@dataclass(frozen=True)
class Chart(Brief):
    """Curves over a common axis. `name` ends the file name; axes carry their units in the label.

    names: what stands at 0, 1, 2, ... along x, where that axis has names instead of numbers.
    """

    name: str
    title: str
    xlabel: str
    ylabel: str
    curves: Sequence[Curve]
    levels: Sequence[Level] = ()
    xscale: Scale = "linear"
    yscale: Scale = "linear"
    names: Sequence[str] = ()


@dataclass(frozen=True)
class HeatMap(Brief):
    """Values of shape (len(y), len(x)) over two axes, with a scale named `label`.

    contours: values at which lines are drawn and numbered.
    """

    name: str
    title: str
    xlabel: str
    ylabel: str
    label: str
    x: ArrayLike
    y: ArrayLike
    values: ArrayLike
    contours: Sequence[float] = ()


@dataclass(frozen=True)
class Bars(Brief):
    """Named bars, each put together from parts: the label of a part, and its length in every bar, (bars,)."""

    name: str
    title: str
    xlabel: str
    names: Sequence[str]
    parts: Sequence[tuple[str, ArrayLike]]


Picture = Chart | HeatMap | Bars
"""What can be drawn from data alone (photosim.plotting.charts)."""

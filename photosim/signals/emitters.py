"""Parts that emit noise light of their own, such as amplifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.model import ClosedForm

if TYPE_CHECKING:
    from photosim.engine.graph import Graph, Part

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Emitter:
    """A port at which a part emits noise light.

    density: W/Hz over the wavelength in um.  limit: power in W out of the port up to which gain and emission
    are those of small signals.
    """

    part: str
    port: str
    density: Callable[[FloatArray], FloatArray]
    limit: float


def emits(part: Part) -> bool:
    """Return whether a linear part sends out noise light of its own."""
    return isinstance(part.model, ClosedForm) and part.model.emission_of is not None


def emitters(graph: Graph, values: Mapping[str, Mapping[str, Any]]) -> tuple[Emitter, ...]:
    """Return all ports at which parts emit noise light, under the settings of parts by name."""
    found = []
    for part in graph.parts:
        if isinstance(part.model, ClosedForm) and emits(part):
            settings = values[part.name]
            limit = float(settings.get("saturation_power", np.inf))
            found += [
                Emitter(part.name, f"{part.name},{port}", _density(part.model, port, settings), limit)
                for port in part.model.emission(np.array([1.55]), **settings)
            ]
    return tuple(found)


def _density(model: ClosedForm, port: str, settings: Mapping[str, Any]) -> Callable[[FloatArray], FloatArray]:
    return lambda wl: np.broadcast_to(model.emission(wl, **settings)[port], np.shape(wl))

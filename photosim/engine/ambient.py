"""Parts that do not follow the circuit's temperature, and the warning that names them."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import ROOM_TEMPERATURE_K
from photosim.engine.bindings import TEMPERATURE, owner
from photosim.errors import PhotosimWarning, listing
from photosim.model import ClosedForm, Model, Nonlinear, Numerical

if TYPE_CHECKING:
    from photosim.engine.graph import Graph
    from photosim.model import Composite

MOST_NAMED = 12
"""Parts that a warning names; of more it says the number."""


def is_lit(model: Model, ports: tuple[str, ...]) -> bool:
    """Return whether light passes a part: its temperature is one that light feels, not that of a load."""
    return isinstance(model, ClosedForm | Numerical | Nonlinear) and len(ports) > 1


def without_temperature(
    cold: Iterable[tuple[str, str, Model]], composites: Mapping[str, Composite], warm: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return what stays as it is, as a user would call it, by the name of the temperature around it.

    cold: parts that light passes and that have no temperature, each with the name of the one around it.
    warm: names of composites that hold parts with one, which move.
    """
    found: dict[str, dict[str, None]] = {}
    for around, name, model in cold:
        if not any(speaks_for(scope, composites, warm) for scope in scopes(name)):
            found.setdefault(around, {})[shown_as(name, model, composites, warm)] = None
    return {around: tuple(names) for around, names in found.items()}


def speaks_for(scope: str, composites: Mapping[str, Composite], warm: Collection[str]) -> bool:
    """Return whether it is for a composite to say what of it does not depend on its temperature.

    A ring does, whose guides are warm; a receiver whose loads alone have a temperature does not. warm: names
    of composites that hold parts which light passes and that have a temperature.
    """
    return scope in composites and scope in warm and TEMPERATURE in composites[scope].parameters


def shown_as(name: str, model: Model, composites: Mapping[str, Composite], warm: Collection[str]) -> str:
    """Return what a user would call a part without temperature: the outermost composite that has none at all.

    warm: names of composites that hold parts with a temperature, which move.
    """
    found = f"{name} ({model.name})"
    for scope in scopes(name):
        if scope in warm or (scope in composites and TEMPERATURE in composites[scope].parameters):
            break
        if scope in composites:
            found = f"{scope} ({composites[scope].name})"
    return found


def scopes(name: str) -> Iterator[str]:
    """Yield the names of all that a part lies in, from the inside."""
    while name := owner(name)[0]:
        yield name


class Ambient:
    """What of a graph does not follow the circuit's temperature; one warning says so."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        text = self._text({})
        self.remarks = (text,) if text else ()  # the circuit shows them when it is made
        self._silent = bool(text) or not graph.without_temperature

    def check(self, settings: Mapping[str, Any]) -> None:
        """Warn, once, where a call has moved the temperature; `settings` are all that it has changed."""
        if self._silent or self._graph.without_temperature.keys().isdisjoint(settings):
            return
        text = self._text(settings)
        if text:
            self._silent = True
            warnings.warn(text, PhotosimWarning, stacklevel=6)

    def _text(self, settings: Mapping[str, Any]) -> str:
        """Name what stays at 300 K while the temperature around it is another one, if anything does."""
        named: dict[str, None] = {}
        for temperature, parts in self._graph.without_temperature.items():
            value = (
                settings[temperature] if temperature in settings else self._graph.bindings.value(temperature)
            )
            if np.any(np.asarray(value) != ROOM_TEMPERATURE_K):
                named |= dict.fromkeys(parts)
        if not named:
            return ""
        have = "has no temperature and stays" if len(named) == 1 else "have no temperature and stay"
        shown = listing(list(named), MOST_NAMED)
        return f"The circuit's temperature is set, but {shown} {have} as at {ROOM_TEMPERATURE_K:g} K."

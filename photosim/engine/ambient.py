"""Parts that do not follow the circuit's temperature, and the warning that names them."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import ROOM_TEMPERATURE_K
from photosim.engine.bindings import TEMPERATURE, owner
from photosim.errors import PhotosimWarning, listing
from photosim.model import ClosedForm, Model, Nonlinear, Numerical

if TYPE_CHECKING:
    from photosim.engine.graph import Graph, Part
    from photosim.model import Composite

MOST_NAMED = 12
"""Parts that a warning names; of more it says the number."""


def is_lit(model: Model, ports: tuple[str, ...]) -> bool:
    """Return whether light passes a part: its temperature is one that light feels, not that of a load."""
    return isinstance(model, ClosedForm | Numerical | Nonlinear) and len(ports) > 1


class Unheated(Mapping[str, tuple[str, ...]]):
    """What stays as it is, as a user would call it, by the name of the temperature around it.

    cold: parts that light passes and that have no temperature, by the name of the one around them.
    warm: names of composites that hold parts with one, which move.
    """

    def __init__(
        self, cold: Mapping[str, Sequence[Part]], composites: Mapping[str, Composite], warm: Collection[str]
    ) -> None:
        self._cold = cold
        self._composites = composites
        self._warm = warm

    def __getitem__(self, around: str) -> tuple[str, ...]:
        """Return the names of what stays; they are made only here, as a large circuit has many."""
        found = {
            shown_as(part.name, part.model, self._composites, self._warm): None
            for part in self._cold[around]
            if not any(speaks_for(scope, self._composites, self._warm) for scope in scopes(part.name))
        }
        return tuple(found)

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the temperatures."""
        return iter(self._cold)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._cold)


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
        for temperature in self._graph.without_temperature:
            value = (
                settings[temperature] if temperature in settings else self._graph.bindings.value(temperature)
            )
            if np.any(np.asarray(value) != ROOM_TEMPERATURE_K):
                named |= dict.fromkeys(self._graph.without_temperature[temperature])
        if not named:
            return ""
        have = "has no temperature and stays" if len(named) == 1 else "have no temperature and stay"
        shown = listing(list(named), MOST_NAMED)
        return f"The circuit's temperature is set, but {shown} {have} as at {ROOM_TEMPERATURE_K:g} K."

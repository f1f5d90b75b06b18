"""Settings that exclude each other, in calls and derivatives: none is accepted without an effect."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from photosim.engine.bindings import owner
from photosim.errors import ParameterError, PhotosimWarning

if TYPE_CHECKING:
    from photosim.engine.graph import Graph
    from photosim.model import Composite

_OTHERS = "other settings of the instance override it"


class Exclusions:
    """Which settings of the composites of a graph act, and which another setting has put out of effect."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def check(self, names: Iterable[str]) -> None:
        """Look at settings, by dotted name, that a call sets or asks a derivative by.

        Raises ParameterError where one is excluded by a setting that the netlist or the same call gives;
        a PhotosimWarning names a setting that nothing in the circuit follows.
        """
        called = set(names)
        for name in called:
            instance, setting = owner(name)
            model = self._graph.composites.get(instance)
            if model is None or setting not in model.parameters:
                continue
            where = f"Instance {instance!r} ({model.name})"
            for other in _excluded_by(model, setting):
                full = f"{instance}.{other}"
                if full in called or self._is_written(instance, other, model):
                    message = (
                        f"{where}: settings {setting!r} and {other!r} exclude each other, and {other!r} is "
                        f"given: set {other!r}, or leave it out of the netlist."
                    )
                    raise ParameterError(message)
            if not self._acts(name):
                text = f"{where}: setting {setting!r} has no effect, because {_OTHERS}."
                warnings.warn(text, PhotosimWarning, stacklevel=5)

    def unused(self) -> list[str]:
        """Return a sentence for each setting that the netlist writes and that others put out of effect."""
        found: list[str] = []
        composites = self._graph.composites
        for instance, names in self._graph.written.items():
            if owner(instance)[0] in composites:
                continue  # inside a component of the library, which hands on all that it has
            parameters = composites[instance].parameters
            found += [
                f"Instance {instance!r} ({composites[instance].name}): setting {name!r} has no effect, "
                f"because {_OTHERS}."
                for name in names
                if name in parameters and not self._acts(f"{instance}.{name}")
            ]
        return found

    def _is_written(self, instance: str, setting: str, model: Composite) -> bool:
        """Return whether the netlist, or what structural settings made of it, gives a setting."""
        parameter = model.parameters[setting]
        if parameter.default is not None:
            return setting in self._graph.written.get(instance, ())
        name = f"{instance}.{setting}"
        return self._graph.structural.get(name, self._graph.bindings.bound.get(name)) is not None

    def _acts(self, name: str) -> bool:
        """Return whether anything in the graph follows a setting of a composite."""
        return name in self._graph.structural or bool(self._graph.bindings.users(name))


def _excluded_by(model: Composite, setting: str) -> list[str]:
    """Return the settings that exclude a setting of a composite."""
    return [b if a == setting else a for a, b in model.exclusive if setting in {a, b}]


def why_fixed(graph: Graph, name: str) -> str:
    """Return why a setting cannot change without another graph, as the rest of a sentence that names it.

    One that no netlist gives, such as `backscatter`, and a reflection that is off have nothing to start from.
    """
    instance, setting = owner(name)
    number = graph.index.get(instance)
    model = graph.composites.get(instance) if number is None else graph.parts[number].model
    declared = None if model is None else model.parameters.get(setting)
    if declared is not None and declared.kind == "real":
        value = graph.structural.get(name)
        if value is None:
            return "has no value to start from: write one in the netlist"
        if not isinstance(value, bool) and value == declared.default == 0.0:
            return "is off: write a value other than 0 in the netlist"
    return "shapes the circuit or is a choice"

"""A knob for every setting: its value, unit, meaning, bounds, and the range that its slider covers."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import TEMPERATURE, Scoped, owner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photosim.circuit import Circuit
    from photosim.model import Model
    from photosim.model.parameters import Parameter

STEPS = 1000
"""Steps of a slider over its range."""
_FROM_ZERO = {"um": 10.0, "V": 5.0, "dB": 10.0, "dB/cm": 10.0, "rad": 2 * math.pi, "W": 1e-3, "A": 1e-3}
"""Range of a slider whose setting is 0, by its unit."""
_NARROW = re.compile(r"(neff|ng|wl|wavelength|index)_?\d*")
"""Settings that nobody doubles: their sliders cover a twentieth."""


@dataclass(frozen=True)
class Knob:
    """A setting as the page shows it.

    kind: "number", "whole", "flag", "choice", or "fixed" for a text, a table or a list, which the netlist
    alone changes.  low, high: ends of the slider.  least, most: bounds of the setting, None without one.
    written: whether the netlist gives it.  follows: the expression that it comes from, else empty.
    """

    name: str
    owner: str
    label: str
    component: str
    kind: str
    value: Any
    unit: str
    text: str
    low: float = 0.0
    high: float = 0.0
    least: float | None = None
    most: float | None = None
    written: bool = False
    follows: str = ""
    choices: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the knob as plain JSON types."""
        return asdict(self)


def knobs_of(circuit: Circuit) -> list[Knob]:
    """Return a knob for every setting that a call of the circuit takes and that has a value."""
    models: dict[str, Model] = {**circuit.graph.composites, **{p.name: p.model for p in circuit.graph.parts}}
    values = {**circuit.parameters, **circuit.graph.structural}
    return [
        _knob(name, value, circuit, models)
        for name, value in values.items()
        if value is not None and name not in {"wl", "ports", "inputs", "outputs"}
    ]


def _knob(name: str, value: Any, circuit: Circuit, models: Mapping[str, Model]) -> Knob:
    inside, label = owner(name)
    model = models.get(inside)
    parameter = model.parameters.get(label) if model is not None else None
    bound = circuit.graph.bindings.bound.get(name)
    netlist = circuit.netlist
    instance = netlist.instances.get(inside)
    component = instance.component if instance is not None else model.name if model is not None else ""
    written = name in netlist.settings or (instance is not None and label in instance.settings)
    told = parameter if parameter is not None else _followed(name, circuit, models)
    unit, text = _words(name, told)
    kind, choices = _kind(value, parameter)
    low, high = _range(label, value, unit, told) if kind in {"number", "whole"} else (0.0, 0.0)
    least, most = (_bound(parameter.low), _bound(parameter.high)) if parameter is not None else (None, None)
    return Knob(
        name, inside, label, component, kind, _shown(value, kind), unit, text, low, high, least, most,
        written or name == TEMPERATURE, str(bound.expression) if isinstance(bound, Scoped) else "", choices,
    )  # fmt: skip


def _followed(name: str, circuit: Circuit, models: Mapping[str, Model]) -> Parameter | None:
    """Return the parameter that a setting of the netlist stands for: the one that has its very value."""
    for user in circuit.graph.bindings.users(name):
        bound = circuit.graph.bindings.bound[user]
        inside, label = owner(user)
        alone = isinstance(bound, Scoped) and str(bound.expression) == name
        if alone and inside in models and label in models[inside].parameters:
            return models[inside].parameters[label]
    return None


def _words(name: str, parameter: Parameter | None) -> tuple[str, str]:
    """Return unit and meaning of a setting; those of the netlist's own have none."""
    if name == TEMPERATURE:
        return "K", "temperature of the circuit"
    if parameter is not None:
        return ("" if parameter.unit == "1" else parameter.unit), parameter.text
    return "", ""


def _kind(value: Any, parameter: Parameter | None) -> tuple[str, tuple[str, ...]]:
    if isinstance(value, bool):
        return "flag", ()
    if parameter is not None and parameter.kind == "choice" and isinstance(value, str):
        return "choice", parameter.choices
    if isinstance(value, int | float | np.number) and math.isfinite(value):
        whole = parameter is not None and parameter.kind == "whole"
        return ("whole" if whole else "number"), ()
    return "fixed", ()


def _shown(value: Any, kind: str) -> Any:
    """Return a value as JSON has it; lists and tables in words."""
    if kind == "fixed":
        return f"{np.size(value)} values" if isinstance(value, np.ndarray) else str(value)
    return value.item() if isinstance(value, np.generic) else value


def _range(label: str, value: float, unit: str, parameter: Parameter | None) -> tuple[float, float]:
    """Return the ends of a slider: about its value, inside the bounds."""
    value = float(value)
    least, most = (parameter.low, parameter.high) if parameter is not None else (-math.inf, math.inf)
    if parameter is not None and parameter.kind == "whole":
        low, high = value - 10.0, value + 10.0
    elif least >= 0.0 and most <= 1.0:
        low, high = least, most
    elif unit == "rad":
        low, high = min(-math.pi, value - math.pi), max(math.pi, value + math.pi)
    elif unit == "K":
        low, high = value - 50.0, value + 50.0
    elif _NARROW.fullmatch(label):
        low, high = 0.95 * value, 1.05 * value
    elif value == 0.0:
        high = _FROM_ZERO.get(unit, 1.0)
        low = 0.0 if least >= 0.0 else -high
    else:
        low, high = sorted((0.5 * value, 1.5 * value))
    low, high = max(low, least), min(high, most)
    return (low, high) if low < high else (value - 1.0, value + 1.0)


def _bound(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None

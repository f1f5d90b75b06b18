"""Parts that are alike: one model, the same settings written, and plain numbers for all of them.

What follows from the names of the settings alone is worked out for the first of them. Names of their settings
are made only where somebody asks for one by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from photosim.engine.bindings import TEMPERATURE
from photosim.errors import ParameterError
from photosim.model import ClosedForm, registry
from photosim.model.windows import WAVELENGTH
from photosim.reals import LARGEST

if TYPE_CHECKING:
    from photosim.engine.graph import Part
    from photosim.model import Model
    from photosim.model.windows import Window

MANY = 1000
"""Instances of a netlist from which photosim looks for those that are alike."""


class Kind(NamedTuple):
    """What parts that are alike share: `bounds` of the numbers written, whether light passes unheated."""

    model: ClosedForm
    written: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    cold: bool

    def numbers(self, settings: Mapping[str, Any]) -> tuple[float, ...] | None:
        """Return the values of settings, or None where one of them needs a closer look."""
        values = tuple(settings.values())
        for value, (low, high) in zip(values, self.bounds, strict=True):
            if type(value) is not float or not low <= value <= high:
                return None
        return values


def kind_of(component: str, names: tuple[str, ...]) -> Kind | None:
    """Return what instances of a component with these settings share, or None where values decide it."""
    model = registry.get(component) if registry.known(component) else None
    if not isinstance(model, ClosedForm) or model.electrical:
        return None
    try:
        chosen = model.select(dict.fromkeys(names, 1.0))
    except ParameterError:
        return None
    found = [chosen.parameters.get(name) for name in names if name not in model.layout_settings]
    own = [p for p in found if p is not None and p.kind == "real" and not p.structural]
    if len(own) < len(names):
        return None
    bounds = tuple((max(p.low, -LARGEST), min(p.high, LARGEST)) for p in own)
    cold = len(model.ports) > 1 and TEMPERATURE not in chosen.parameters
    return Kind(chosen, names, bounds, cold)


def kinds_inside(
    parts: Iterable[Part], windows_of: Callable[[Model, tuple[str, ...]], Iterable[Window]]
) -> set[int]:
    """Return the names of settings, by identity, of parts alike whose numbers all lie inside their windows.

    They are looked at as columns. Windows of wavelength are another matter.
    """
    equal: dict[int, list[Part]] = {}
    for part in parts:
        if part.numbers is not None:
            equal.setdefault(id(part.written), []).append(part)
    found = set()
    for key, like in equal.items():
        model, written = like[0].model, like[0].written
        numbers = np.array([part.numbers for part in like], dtype=np.float64).reshape(len(like), -1)
        ends = zip(numbers.min(axis=0).tolist(), numbers.max(axis=0).tolist(), strict=True)
        columns = dict(zip(written, ends, strict=True))
        if all(_holds(window, columns) for window in windows_of(model, written) if window.of != WAVELENGTH):
            found.add(key)
    return found


def _holds(window: Window, columns: Mapping[str, tuple[float, float]]) -> bool:
    """Return whether a window holds all values of a setting, of which `columns` has the ends, none tiny."""
    if window.of not in columns or window.about or window.scale:
        return False
    low, high = columns[window.of]
    tiny = window.least and low < window.least and high > -window.least
    return window.low <= low and high <= window.high and not tiny


@dataclass(eq=False)
class Run:
    """Parts first to last, the last one excluded, that stand in a row and whose settings are plain numbers.

    It holds the place of these settings among those of other parts.
    """

    first: int
    last: int


class Expanded(Mapping[str, Any]):
    """Values by dotted name, of which those of runs are written out where somebody asks for one of them."""

    def __init__(
        self,
        own: Mapping[Any, Any],
        parts: Sequence[Part],
        items: Callable[[Part], Iterable[tuple[str, Any]]],
    ) -> None:
        self._own = own
        self._parts = parts
        self._items = items

    @cached_property
    def whole(self) -> dict[str, Any]:
        """All of them."""
        out: dict[str, Any] = {}
        for name, value in self._own.items():
            if isinstance(name, Run):
                for part in self._parts[name.first : name.last]:
                    out.update(self._items(part))
            else:
                out[name] = value
        return out

    def __getitem__(self, name: str) -> Any:
        """Return the value of a name."""
        found = self._own.get(name, self)
        return self.whole[name] if found is self else found

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self.whole)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.whole)

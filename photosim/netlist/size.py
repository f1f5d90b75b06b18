"""How much a circuit takes to make, counted from its netlist without writing it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from photosim.arguments import public
from photosim.errors import PhotosimError
from photosim.expressions import Expr
from photosim.memory import require_memory, size
from photosim.model import Netlist, registry
from photosim.model.kinds.composite import Composite
from photosim.model.kinds.numerical import Numerical
from photosim.netlist.values import evaluate, resolve

BYTES_OF_PART, SECONDS_OF_PART = 7.5e3, 3e-4
"""What a part of a weight bank takes on one core of a cloud machine: banks of 20 x 20, 50 x 50 and 120 x 120
took 2.5e-4, 2.6e-4 and 3.0e-4 s, and 4.7, 5.9 and 7.3 kB, for each part."""
BYTES_OF_ELEMENT, SECONDS_OF_ELEMENT = 450.0, 1e-5
"""What an S-matrix element of a part takes in the same place: media of 1000 x 1000 and 2000 x 2000 channels
took 430 and 420 bytes, and 1.0e-5 s, for each."""
_COUNTED = 10_000
"""Components whose counts multiply to a square below this are not counted: they are done at once."""
_WHOLE = 50_000
"""Up to this product of its counts a component is written out to be counted; beyond, smaller ones tell."""
_SMALL = 16, 32, 64
"""Counts that stand for a larger one: parts and elements grow with it as a polynomial of second degree."""
_FEW = 16
"""S-matrix elements that the figures of a part include."""
_MANY = 1000
"""Instances in an array from which each is counted."""
_SAID = 30.0
"""Seconds from which a reader is told what the circuit takes."""


@dataclass(frozen=True)
class _Size:
    """Parts of a circuit, and S-matrix elements of those parts that have many."""

    parts: int = 0
    elements: int = 0

    def plus(self, other: _Size, number: int) -> _Size:
        return _Size(self.parts + number * other.parts, self.elements + number * other.elements)


_ONE = _Size(1)


@public
def check_size(netlist: Netlist) -> str:
    """Return a sentence about a circuit that takes long to make, else ""; netlist and settings are checked.

    Raises ParameterError if it needs more memory than there is.
    """
    found = _Count().netlist(netlist, {})
    number = found.parts * BYTES_OF_PART + found.elements * BYTES_OF_ELEMENT
    seconds = found.parts * SECONDS_OF_PART + found.elements * SECONDS_OF_ELEMENT
    if seconds < _SAID:
        return ""
    counts = [f"{found.parts:,} parts"] if found.parts > 1 or not found.elements else []
    counts += [f"{found.elements:,} S-matrix elements of large parts"] if found.elements else []
    what = f"Circuit {netlist.name!r} has {' and '.join(counts)}, which"
    require_memory(number, what, "make its arrays, meshes or media smaller")
    return f"{what} take about {size(number)} and {seconds:.0f} s to make, before anything is computed."


class _Count:
    """Counts parts and elements; what was counted once is remembered by its settings."""

    def __init__(self) -> None:
        self.known: dict[Any, _Size] = {}

    def netlist(self, netlist: Netlist, settings: Mapping[str, Any], *, exact: bool = False) -> _Size:
        """Return the size of a netlist with the settings that an instance of it gives.

        exact: count small components too, as those inside of a large one are many.
        """
        own = {name: value for name, value in settings.items() if name in netlist.settings}
        values: dict[str, Any] | None = None
        total = _Size()
        instances = netlist.instances.values()
        names = Counter(instance.component for instance in instances)
        plain = {name for name in names if self._is_one(netlist, name)}
        total = total.plus(_ONE, sum(names[name] for name in plain))
        large = [instance for instance in instances if instance.component not in plain]
        kinds = {(id(i.settings), i.component): i for i in large}
        for key, number in Counter((id(i.settings), i.component) for i in large).items():
            instance = kinds[key]
            inner = netlist.components.get(instance.component)
            model = None if inner is not None else registry.get(instance.component)
            if values is None:
                values = resolve(netlist.settings, own)
            known = {k: evaluate(v, values, k) for k, v in instance.settings.items()}
            whole = exact or number >= _MANY
            if inner is not None:
                total = total.plus(self.netlist(inner, known, exact=whole), number)
            else:
                total = total.plus(self._component(model, known, exact=whole), number)
        return total

    @staticmethod
    def _is_one(netlist: Netlist, component: str) -> bool:
        """Return whether an instance of a component is one part, whatever its settings are."""
        if component in netlist.components:
            return False
        return not isinstance(registry.get(component), Composite | Numerical)

    def _component(self, model: Any, settings: Mapping[str, Any], *, exact: bool) -> _Size:
        shaping = {k: v for k, v in settings.items() if k in model.parameters and not isinstance(v, Expr)}
        shaping = {k: v for k, v in shaping.items() if model.parameters[k].structural or k in model.switches}
        full = model.full(shaping)
        counts = {
            name: full[name]
            for name, p in model.parameters.items()
            if p.counts and isinstance(full[name], int) and full[name] > 1
        }
        product = 1
        for value in counts.values():
            product *= value
        if not (exact or product * product >= _COUNTED):
            return _ONE
        key = exact, model.name, tuple(sorted((k, repr(v)) for k, v in shaping.items()))
        if key not in self.known:
            self.known[key] = self._counted(model, shaping, counts if product > _WHOLE else {})
        return self.known[key]

    def _counted(self, model: Any, shaping: dict[str, Any], counts: Mapping[str, int]) -> _Size:
        """Return the size of a component, from smaller ones in the `counts` that are large."""

        def one(settings: dict[str, Any]) -> _Size:
            if isinstance(model, Composite):
                return self.netlist(model.build(settings), {}, exact=True)
            elements = len(model.structure(settings))
            return _Size(1, elements if elements > _FEW else 0)

        large = {name: value for name, value in counts.items() if value > _SMALL[-1]}
        try:
            return _grown(one, shaping, large)
        except PhotosimError:  # a component whose counts depend on each other
            return one(shaping)


def _grown(
    one: Callable[[dict[str, Any]], _Size], settings: dict[str, Any], large: Mapping[str, int]
) -> _Size:
    """Return one(settings), from the values at the small counts instead of the large ones."""
    if not large:
        return one(settings)
    (name, value), *others = large.items()
    found = [_grown(one, {**settings, name: count}, dict(others)) for count in _SMALL]
    return _Size(_at(value, [f.parts for f in found]), _at(value, [f.elements for f in found]))


def _at(value: int, found: list[int]) -> int:
    """Return the polynomial of second degree through the values at the small counts, elsewhere."""
    total = Fraction(0)
    for k, here in enumerate(_SMALL):
        weight = Fraction(found[k])
        for j, there in enumerate(_SMALL):
            if j != k:
                weight *= Fraction(value - there, here - there)
        total += weight
    return max(1, round(total)) if any(found) else 0

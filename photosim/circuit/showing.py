"""How a circuit shows itself: a line, a drawing, what notebooks show and complete, and sliders."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from photosim.arguments import check_arguments
from photosim.display import Shown, drawing, properties, table
from photosim.engine.vector import unit_of
from photosim.errors import listing

if TYPE_CHECKING:
    from photosim.circuit.circuit import Circuit

MOST_SETTINGS = 12
"""Settings that a notebook lists."""
_MOST_NAMES = 8


class Signature:
    """The signature of a call, with the names of a circuit's own instances and settings, for completion."""

    def __get__(self, circuit: Any, _owner: Any) -> inspect.Signature:
        """Return the signature of a circuit; the class keeps its own."""
        if circuit is None:
            raise AttributeError
        call = inspect.signature(type(circuit).__call__)
        _, wl, ports, settings = call.parameters.values()
        known = dict.fromkeys(name.partition(".")[0] for name in circuit.parameters)
        own = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None)
            for name in known
            if name.isidentifier() and name not in call.parameters
        ]
        return call.replace(parameters=[wl, ports, *own, settings])


class ShownCircuit(Shown):
    """What a circuit shows of itself, beside the questions that it answers."""

    __signature__ = Signature()

    def __repr__(self) -> str:
        """Say what the circuit is, in one line."""
        circuit = cast("Circuit", self)
        parts, ports = len(circuit.graph.parts), listing(circuit.ports)
        return f"Circuit({circuit.name!r}: {parts} part{'s' * (parts != 1)}, ports {ports})"

    def html_blocks(self) -> Iterator[str]:
        """Return what a notebook shows: the drawing, what there is, and settings with their units."""
        return blocks(cast("Circuit", self))

    def draw(
        self,
        path: str | Path | None = None,
        *,
        depth: int = 0,
        expand: str | Sequence[str] = (),
        fold: int = 8,
        power: bool = False,
        wl: float | None = None,
        inputs: Mapping[str, float] | None = None,
        **settings: Any,
    ) -> Any:
        """Return the schematic, which notebooks show; write it to `path` (.svg, .pdf or .png) too.

        depth: levels of composites that are open; expand: names of instances that are open beside these.
        fold: arrays of more equal instances are drawn once. power: colour guides by the power in them, of the
        sources or of `inputs` (W by port; 1 mW into the first where there are neither) at wl in um, with
        these settings. Raises ParameterError for a name or port that is not there.
        """
        check_arguments(ShownCircuit.draw, locals(), "Circuit.draw")
        from photosim.drawing.picture import draw_circuit, style_of

        circuit, style = cast("Circuit", self), style_of(depth, expand, fold)
        return draw_circuit(circuit, path, style, (wl, inputs), settings, power=power)

    def interact(
        self,
        *names: str,
        wl: Any = None,
        pairs: Sequence[tuple[str, str]] | None = None,
        ranges: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return a notebook's widget: sliders over settings, named or by pattern, and the spectrum live.

        Arguments as for `photosim.widgets.Sliders`. Raises ParameterError without the extra `notebook`.
        """
        asked = {"pairs": pairs, "ranges": ranges}
        check_arguments(ShownCircuit.interact, asked, "Circuit.interact")
        # Widgets lie above circuits, and are found by name as pictures are: no circuit depends on them.
        return import_module("photosim.widgets").interact(self, names, wl=wl, **asked)


def blocks(circuit: Circuit) -> Iterator[str]:
    """Yield the drawing of a circuit, what it has, and its first settings with their units."""
    yield drawing(circuit.netlist)
    yield properties(
        f"Circuit {circuit.name!r}",
        {
            "parts": f"{len(circuit.graph.parts):,}",
            "ports": listing(circuit.ports, _MOST_NAMES),
            "sources": listing(circuit.sources, _MOST_NAMES) if circuit.sources else "",
            "detectors": listing(circuit.detectors, _MOST_NAMES) if circuit.detectors else "",
            "remarks": " ".join(circuit.remarks),
        },
    )
    rows = [(name, _value(value), unit_of(circuit.compiled, name)) for name, value in _own(circuit).items()]
    left = len(circuit.parameters) - min(len(rows), MOST_SETTINGS)
    title = f"settings, and {left:,} more in circuit.parameters" if left else "settings"
    yield table(("setting", "value", "unit"), rows[:MOST_SETTINGS], title) if rows else ""


def _own(circuit: Circuit) -> dict[str, Any]:
    """Return the settings that the netlist writes down, those of the circuit first; else all of them."""
    every, netlist = circuit.parameters, circuit.netlist
    written = [
        *netlist.settings,
        *(f"{name}.{key}" for name, one in netlist.instances.items() for key in one.settings),
    ]
    return {name: every[name] for name in written if name in every} or every


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{len(value)} values" if np.ndim(value) else str(value)

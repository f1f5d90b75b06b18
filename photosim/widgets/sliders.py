"""Sliders over settings, and the spectrum at where they stand: what a widget asks and is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.spectrum import port_pairs
from photosim.bounds import is_number
from photosim.engine.vector import chosen_settings
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing
from photosim.explorer.curves import POINTS, usual_ends
from photosim.explorer.knobs import Knob, knobs_of
from photosim.reals import shown
from photosim.smatrix import sharpened

if TYPE_CHECKING:
    from photosim.circuit import Circuit

MOST_SLIDERS = 24
FIRST_SLIDERS = 6
"""Settings that get a slider where none are named: the first ones that the netlist writes down."""
MOST_PAIRS = 8
DARKEST_dB = -120.0
STEPS = 500


class Sliders:
    """Settings of a circuit that move, and its spectrum between pairs of ports.

    names: settings or patterns; the first six that the netlist writes down if empty.  wl: wavelengths in um
    or as a text, "1.54:1.56:1001"; those of the netlist's analysis if None.  pairs: (from, to), at most 8.
    ranges: (lowest, highest) of a slider by name; a half to twice the value, within bounds, unless given.
    Raises ParameterError for a setting or port that there is not, and a range that is none.
    """

    def __init__(
        self,
        circuit: Circuit,
        names: Sequence[str],
        wl: Any = None,
        pairs: Sequence[tuple[str, str]] | None = None,
        ranges: Mapping[str, Any] | None = None,
    ) -> None:
        if not circuit.ports:
            message = f"Circuit {circuit.name!r} exposes no port, so it has no spectrum to move."
            raise ParameterError(message)
        self.circuit = circuit
        self.knobs = _chosen(circuit, names)
        self.ranges = {knob.name: (knob.low, knob.high) for knob in self.knobs.values()}
        for name, ends in (ranges or {}).items():
            self.ranges[name] = self._range(name, ends)
        self.wl = f"{usual_ends(circuit)}:{POINTS}" if wl is None else wl
        first = circuit(self.wl)
        self.pairs = list(port_pairs(first) if pairs is None else pairs)[:MOST_PAIRS]
        for pair in self.pairs:
            first[pair]  # a port that there is not raises here
        self.ports = [p for p in circuit.ports if any(p in pair for pair in self.pairs)]
        self.values: dict[str, float] = {knob.name: float(knob.value) for knob in self.knobs.values()}
        self._newest = -1

    def plain(self) -> list[dict[str, Any]]:
        """Return the sliders as plain JSON types."""
        return [
            {
                "name": knob.name,
                "value": self.values[knob.name],
                "low": self.ranges[knob.name][0],
                "high": self.ranges[knob.name][1],
                "step": 1.0
                if knob.kind == "whole"
                else (self.ranges[knob.name][1] - self.ranges[knob.name][0]) / STEPS,
                "unit": knob.unit,
                "text": knob.text,
            }
            for knob in self.knobs.values()
        ]

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the spectrum for {number, values}, or None for a question older than one answered already.

        values: settings by name; those that are left out stay where they are. What the circuit refuses comes
        back as an error in a sentence, and the settings stay.
        """
        number = int(question.get("number", self._newest + 1))
        if number <= self._newest:
            return None
        self._newest = number
        values = dict(self.values)
        try:
            for name, value in question.get("values", {}).items():
                values[self._known(name)] = self._number(name, value)
            spectrum = self.spectrum(values)
        except PhotosimError as error:
            return {"number": number, "error": str(error)}
        self.values = values
        return {"number": number, **spectrum}

    def spectrum(self, values: Mapping[str, float]) -> dict[str, Any]:
        """Return wavelengths in um and the power of each pair in dB, as lists, at values of the settings."""
        settings: dict[str, Any] = {
            name: round(value) if self.knobs[name].kind == "whole" else value
            for name, value in values.items()
        }
        wl, levels = sharpened(self.circuit(self.wl, ports=self.ports, **settings), self.pairs)
        curves = [
            {"name": f"{a} \N{RIGHTWARDS ARROW} {b}", "dB": np.maximum(level, DARKEST_dB).round(4).tolist()}
            for (a, b), level in zip(self.pairs, levels, strict=True)
        ]
        return {"wl": wl.tolist(), "curves": curves, "error": ""}

    def _known(self, name: str) -> str:
        if name not in self.knobs:
            message = f"There is no slider {name!r}. There are: {listing(self.knobs)}."
            raise ParameterError(message + did_you_mean(name, self.knobs))
        return name

    def _number(self, name: str, value: Any) -> float:
        if not is_number(value) or not np.isfinite(value):
            message = f"{name} must be a number, got {shown(value)}."
            raise ParameterError(message)
        return float(value)

    def _range(self, name: str, ends: Any) -> tuple[float, float]:
        self._known(name)
        good = isinstance(ends, list | tuple) and len(ends) == len("ab") and all(is_number(e) for e in ends)
        if not good or not float(ends[0]) < float(ends[1]):
            message = f"ranges: {name!r} takes (lowest, highest), got {shown(ends)}."
            raise ParameterError(message)
        return float(ends[0]), float(ends[1])


def _chosen(circuit: Circuit, names: Sequence[str]) -> dict[str, Knob]:
    """Return the knobs of names and patterns, in the order of the circuit; ParameterError for no number."""
    known = {knob.name: knob for knob in knobs_of(circuit) if knob.kind in {"number", "whole"}}
    if names:
        whole = [name for name in names if name in known and known[name].kind == "whole"]
        moved = [*whole, *chosen_settings(circuit.compiled, [n for n in names if n not in whole])]
    else:
        moved = [k.name for k in known.values() if k.written and not k.follows][:FIRST_SLIDERS]
    if not moved or len(moved) > MOST_SLIDERS:
        message = (
            f"Sliders move 1 to {MOST_SLIDERS} settings, got {len(moved)}: name them, as in 'ring.radius'."
        )
        raise ParameterError(message)
    fixed = [name for name in moved if name not in known]
    if fixed:
        message = (
            f"Setting {fixed[0]!r} is not a number that a slider can move.{did_you_mean(fixed[0], known)}"
        )
        raise ParameterError(message)
    return {name: known[name] for name in moved}

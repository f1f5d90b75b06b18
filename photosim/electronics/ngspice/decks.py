"""The equations of a circuit as a deck of ngspice: all elements of an island, with the user's subcircuits.

ngspice solves the whole net in which a subcircuit stands, so that two simulators never have to agree on their
steps. Node k of the equations is `n<k>`; ground is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photosim.conventions import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from photosim.errors import ParameterError
from photosim.model.spice_deck import SpiceCall

if TYPE_CHECKING:
    from photosim.electronics.assembly import Placed, System

ROOM = 300.15
"""Temperature in K at which SPICE's models are given."""
_KELVIN = 273.15


def calls(system: System) -> list[tuple[Placed, SpiceCall]]:
    """Return the subcircuits of a circuit with what they call."""
    return [(one, one.element.call) for one in system.placed if isinstance(one.element.call, SpiceCall)]


def _number(value: float) -> str:
    return f"{value:.17g}"


@dataclass
class Deck:
    """A deck in the making: `lines`, and ngspice's words for the nodes and elements of a circuit."""

    system: System

    def __post_init__(self) -> None:
        self.lines: list[str] = []
        self.column = {name: k for k, name in enumerate(self.system.inputs)}
        self.index = {one.name: k for k, one in enumerate(self.system.placed)}
        self.sensed: set[str] = set()
        for one in self.system.placed:
            if one.element.kind in {"transresistance", "current_gain"}:
                read = f"{one.part}.{one.element.branches[0]}"
                if self.system.placed[self.index[read]].element.kind != "voltage":
                    self.sensed.add(read)

    def node(self, name: str) -> str:
        """Return ngspice's word for a node."""
        number = self.system.nodes.get(name, -1)
        return "0" if number < 0 else f"n{number}"

    def source(self, name: str) -> str:
        """Return ngspice's word for a source by its name in the circuit, or for one of noise."""
        if name not in self.index:
            return f"inoise{self.column[name]}"
        place = self.index[name]
        return f"{'v' if self.system.placed[place].element.kind == 'voltage' else 'i'}{place}"

    def text(self, level: Callable[[int], str], options: str) -> list[str]:
        """Return the lines of the deck; level: the text of the value of each input."""
        found = calls(self.system)
        warm = {call.temperature for _, call in found}
        if len(warm) > 1:
            message = (
                f"SPICE subcircuits in one net work at one temperature, but {found[0][0].part!r} and others "
                f"have {min(warm):g} K and {max(warm):g} K."
            )
            raise ParameterError(message)
        self.lines = [
            f".options {options} temp={_number(min(warm) - _KELVIN)} tnom={_number(ROOM - _KELVIN)}",
            ".options nopage noacct",
        ]
        decks = {call.deck.digest: call.deck for _, call in found}
        if len(decks) > 1:
            message = (
                "SPICE subcircuits in connected nets come from several decks "
                f"({', '.join(sorted(repr(d.name) for d in decks.values()))}): put them into one file, "
                "or .include them."
            )
            raise ParameterError(message)
        for deck in decks.values():
            self.lines += list(deck.lines)
        for place, one in enumerate(self.system.placed):
            writer = getattr(self, f"_{one.element.kind}", None)
            if writer is not None:
                writer(place, one, [self.node(name) for name in one.nodes], level)
        self._noises(level)
        return self.lines

    def _noises(self, level: Callable[[int], str]) -> None:
        """Add the currents of noise over time, which stand beside elements and are none themselves."""
        rows, columns, signs = self.system.drive
        for name, k in self.column.items():
            if name not in self.index:
                ends = {s: f"n{r}" for r, c, s in zip(rows, columns, signs, strict=True) if c == k}
                self._add(f"{self.source(name)} {ends.get(-1.0, '0')} {ends.get(1.0, '0')} {level(k)}")

    def saved(self) -> list[str]:
        """Return ngspice's names of all unknowns, in the order of the equations."""
        found = [f"v(n{k})" for k in range(len(self.system.nodes))]
        for name in self.system.branches:
            own, _, end = name.partition(":")
            place = self.index[own if own in self.index else name]
            kind = self.system.placed[place].element.kind
            if kind == "line":
                found.append(f"t{place}#i{end}")
            elif name in self.sensed:
                found.append(f"vs{place}#branch")
            else:
                letter = {"voltage": "v", "inductance": "l", "voltage_gain": "e", "transresistance": "h"}[
                    kind
                ]
                found.append(f"{letter}{place}#branch")
        return found

    # --- elements ------------------------------------------------------------------------------------

    def _add(self, text: str) -> None:
        self.lines.append(text)

    def _resistance(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        # A conductance by a controlled source is exact and without noise, which photosim adds itself.
        a, b = ends
        if a != b:
            self._add(f"g{place} {a} {b} {a} {b} {_number(1.0 / one.element.values[0])}")

    def _capacitance(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        self._add(f"c{place} {ends[0]} {ends[1]} {_number(one.element.values[0])}")

    def _sense(self, place: int, one: Placed, ends: list[str]) -> list[str]:
        """Return the nodes of a branch, with an ammeter in it where its current is used."""
        if one.name not in self.sensed:
            return ends
        self._add(f"vs{place} {ends[0]} s{place} dc 0")
        return [f"s{place}", *ends[1:]]

    def _inductance(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        a, b = self._sense(place, one, ends)
        self._add(f"l{place} {a} {b} {_number(one.element.values[0])}")

    def _mutual(self, place: int, one: Placed, _ends: list[str], _: object) -> None:
        first, second = (self.index[f"{one.part}.{name}"] for name in one.element.branches)
        self._add(f"k{place} l{first} l{second} {_number(one.element.values[0])}")

    def _voltage(self, place: int, one: Placed, ends: list[str], level: Callable[[int], str]) -> None:
        self._add(f"v{place} {ends[0]} {ends[1]} {level(self.column[one.name])}")

    def _current(self, place: int, one: Placed, ends: list[str], level: Callable[[int], str]) -> None:
        self._add(f"i{place} {ends[0]} {ends[1]} {level(self.column[one.name])}")

    def _voltage_gain(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        a, b, c, d = self._sense(place, one, ends)
        self._add(f"e{place} {a} {b} {c} {d} {_number(one.element.values[0])}")

    def _transconductance(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        self._add(f"g{place} {' '.join(ends)} {_number(one.element.values[0])}")

    def _read(self, one: Placed) -> str:
        name = f"{one.part}.{one.element.branches[0]}"
        return f"{'vs' if name in self.sensed else 'v'}{self.index[name]}"

    def _transresistance(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        a, b = self._sense(place, one, ends)
        self._add(f"h{place} {a} {b} {self._read(one)} {_number(one.element.values[0])}")

    def _current_gain(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        self._add(f"f{place} {ends[0]} {ends[1]} {self._read(one)} {_number(one.element.values[0])}")

    def _line(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        impedance, delay = one.element.values
        self._add(f"t{place} {' '.join(ends)} z0={_number(impedance)} td={_number(delay)}")

    def _junction(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        saturation, thermal, capacitance, potential, grading, transit = one.element.values
        emission = thermal / (BOLTZMANN_J_K / ELEMENTARY_CHARGE_C * ROOM)
        self._add(
            f".model mj{place} d(is={_number(saturation)} n={_number(emission)} cjo={_number(capacitance)} "
            f"vj={_number(potential)} m={_number(grading)} tt={_number(transit)} fc=0.5)"
        )
        self._add(f"d{place} {ends[0]} {ends[1]} mj{place} temp={_number(ROOM - _KELVIN)}")

    def _product(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        a, b, c, d, e, f = ends
        self._add(f"b{place} {a} {b} i={_number(one.element.values[0])}*v({c},{d})*v({e},{f})")

    def _heating(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        a, b, to = ends
        self._add(f"b{place} 0 {to} i=v({a},{b})*v({a},{b})/{_number(one.element.values[0])}")

    def _limited(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        a, b, c, d = ends
        siemens, ampere = one.element.values
        y = f"({_number(siemens / ampere)}*v({c},{d}))"
        bent = f"sgn({y})*(0.9+0.1*tanh((abs({y})-0.9)/0.1))"
        self._add(f"b{place} {a} {b} i={_number(ampere)}*(abs({y})<=0.9 ? {y} : {bent})")

    def _spice(self, place: int, one: Placed, ends: list[str], _: object) -> None:
        call = one.element.call
        assert isinstance(call, SpiceCall)  # noqa: S101 - what the kind means
        pairs = " ".join(f"{name}={value}" for name, value in call.parameters)
        self._add(f"x{place} {' '.join(ends)} {call.subcircuit.name.lower()} {pairs}".rstrip())

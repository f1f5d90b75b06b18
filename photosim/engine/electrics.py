"""The electrical side of a circuit: its nets, the elements between them, and where signals enter and leave.

One-way electrical ports that stand in nets are ideal buffers: an input in V reads the net without loading it,
one in A is an ammeter to gnd, an output in A is a current source from gnd, one in V a voltage source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics import Placed, assemble, check_topology, stationary
from photosim.electronics.islands import islands, touched
from photosim.engine.converters import drivers
from photosim.engine.following import Equations, Read, Signal, value_of
from photosim.errors import NetlistError, ParameterError
from photosim.model import GROUND_MEMBER, Detector, Electronic, Network, PortRef
from photosim.model import elements as ideal
from photosim.model.elements import GROUND, Element

if TYPE_CHECKING:
    from photosim.engine.graph import Graph, Part

SettingsOf = Callable[["Part"], Mapping[str, Any]]


class Electrics:
    """Nets and networks of a flat circuit."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.networks = [part for part in graph.parts if isinstance(part.model, Network)]
        self.node: dict[PortRef, str] = {}
        self.nets: dict[str, tuple[PortRef, ...]] = {}
        self.unused: frozenset[str] = frozenset()
        for net in graph.nets:
            grounded = GROUND_MEMBER in net
            name = GROUND if grounded else ",".join(net[0])
            self.nets[name] = (*self.nets.get(name, ()), *(end for end in net if end != GROUND_MEMBER))
            self.node |= {end: name for end in net if end != GROUND_MEMBER}
        for part in self.networks:
            assert isinstance(part.model, Network)  # noqa: S101 - chosen by kind
            for pin in part.model.pins:
                self.node.setdefault((part.name, pin), f"{part.name},{pin}")
        self.wired = {
            entry: output for entry, output in drivers(graph).items()
            if any(isinstance(graph.part(end[0]).model, Network) for end in (entry, output))
        }  # fmt: skip

    @cached_property
    def present(self) -> bool:
        """Whether the circuit has electrical nets or networks at all."""
        return bool(self.networks or self.graph.nets)

    def check(self) -> None:
        """Raise NetlistError for nets without a solution: floating ones, loops of voltages and the like."""
        if not self.present:
            return
        for members in self.nets.values():
            self._refuse_voltage_into_current(members)
        placed, _ = self.placed(self.graph.settings_of)
        self._note_unused(placed)
        placed, _ = self.placed(self.graph.settings_of)
        check_topology(placed, repr)

    def _note_unused(self, placed: list[Placed]) -> None:
        """Note the islands without ground that have an open pin: nobody uses them, no current flows."""
        sets = islands(placed)
        grounded = {sets[n] for one in placed if GROUND in one.nodes for n in one.nodes if n in sets}
        joined = set().union(*self.nets.values())
        own = {
            (part.name, pin)
            for part in self.networks
            for pin in part.model.electrical
            if self._is_pin((part.name, pin))
        }
        loose = {self.node[end] for end in (own - joined) | self.graph.open_pins if end in self.node}
        dead = {sets[node] for node in loose if node in sets} - grounded
        self.unused = frozenset(node for node in sets if sets[node] in dead)
        exposed = self.graph.open_pins.union(self.graph.electrical.values())
        outer = {sets[self.node[end]] for end in exposed if self.node.get(end) in sets}
        self._refuse_undefined(frozenset(node for node in sets if sets[node] in dead - outer))

    def _refuse_undefined(self, floating: frozenset[str]) -> None:
        """Refuse a setting that follows a voltage between a net with a path to gnd and one without."""
        for read in self._all_reads:
            loose = [node for node in read.nodes if node in floating]
            if loose and len(loose) < len(read.nodes):
                message = (
                    f"The net of {loose[0]!r}, whose voltage drives {read.name!r}, has no path to gnd, since "
                    "a pin there is open: put a resistor, or gnd, into it."
                )
                raise NetlistError(message)

    def _refuse_voltage_into_current(self, members: tuple[PortRef, ...]) -> None:
        """Refuse a net in which a one-way voltage meets a one-way input that takes a current."""
        units = {end: self._unit(end) for end in members if not self._is_pin(end)}
        for end, unit in units.items():
            for other, taken in units.items():
                if unit == "V" and not self._is_input(end) and taken == "A" and self._is_input(other):
                    raise NetlistError(
                        f"The voltage of {_name(end)} drives {_name(other)}, which takes a current: put a "
                        "resistor between them, or use a current_driver as the source."
                    )

    # --- elements ----------------------------------------------------------------------------------

    def placed(self, settings_of: SettingsOf) -> tuple[list[Placed], dict[str, Signal]]:
        """Return all elements with their nodes, and what each source among them follows, by its name."""
        found: list[Placed] = []
        signals: dict[str, Signal] = {}
        for part in self.networks:
            for one in self._elements(part, settings_of(part)):
                found.append(one)
                if one.element.kind in {"voltage", "current"}:
                    signals[one.name] = self._follows(part, one.element)
        for members in self.nets.values():
            for end in members:
                if not self._is_pin(end):
                    self._buffer(end, found, signals)
        used = [one for one in found if not any(node in self.unused for node in one.nodes)]
        return used, signals

    def _elements(self, part: Part, settings: Mapping[str, Any]) -> list[Placed]:
        model = part.model
        assert isinstance(model, Network)  # noqa: S101 - chosen by kind
        for key, value in settings.items():
            if np.ndim(value):
                message = (
                    f"Setting '{part.name}.{key}' is a list of values, but electrical nets take one at a "
                    "time: call once for each of them."
                )
                raise ParameterError(message)
        found = []
        try:
            elements = model.elements(**settings)
        except ParameterError as error:
            raise ParameterError(f"Instance {part.name!r} ({model.name}): {error}") from None
        for element in elements:
            nodes = tuple(self._inside(part, name) for name in element.nodes)
            output = self._driver_of(part, element) if element.kind in {"voltage", "current"} else None
            driving = self.graph.part(output[0]) if output else None
            if output and driving and isinstance(driving.model, Network):
                # A source that another network's signal drives is controlled by its voltage.
                a, b = element.nodes
                make = ideal.voltage_gain if element.kind == "voltage" else ideal.transconductance
                controlled = make(element.name, a, b, "plus", "minus", 1.0)
                found.append(Placed(part.name, controlled, (*nodes, *self._across(output))))
            else:
                found.append(Placed(part.name, element, nodes))
        return found

    def _across(self, output: PortRef) -> tuple[str, str]:
        """Return the nodes between which a network reads a signal that leaves it."""
        part = self.graph.part(output[0])
        assert isinstance(part.model, Network)  # noqa: S101 - the callers chose by kind
        plus, minus = part.model.reads[output[1]].nodes
        return self._inside(part, plus), self._inside(part, minus)

    def _inside(self, part: Part, name: str) -> str:
        """Return the node of the circuit that a pin, or an inner node, of a part is."""
        return GROUND if name == GROUND else self.node.get((part.name, name), f"{part.name}.{name}")

    def _driver_of(self, part: Part, element: Element) -> PortRef | None:
        """Return the output that is wired to the input which a source of a part follows."""
        for port, setting in part.model.drives.items():
            if setting == element.setting:
                return self.wired.get((part.name, port))
        return None

    def _follows(self, part: Part, element: Element) -> Signal:
        output = self._driver_of(part, element)
        if output is None:
            return Signal("setting", part.name, element.setting or element.name, element.tone)
        model = self.graph.part(output[0]).model
        if isinstance(model, Detector):
            return Signal("detector", output[0])
        # What a converter gives is a setting of the source: `converter_drives` has put it there.
        return Signal("setting", part.name, element.setting)

    def _buffer(self, end: PortRef, found: list[Placed], signals: dict[str, Signal]) -> None:
        """Add the ideal source or ammeter that a one-way port in a net is."""
        node, unit, name = self.node[end], self._unit(end), end[1]
        model = self.graph.part(end[0]).model
        if self._is_input(end):
            if isinstance(model, Electronic):
                message = (
                    f"{_name(end)} ({model.name}) is a stage of one-way signals, which does not read a net: "
                    "take shunt_feedback_amplifier or driver, which have pins, or connect it with a detector "
                    "by one wire."
                )
                raise NetlistError(message)
            if unit == "A":
                found.append(Placed(end[0], ideal.voltage(name, node, GROUND, 0.0), (node, GROUND)))
                signals[f"{end[0]}.{name}"] = Signal("setting", end[0], name)
            return
        if isinstance(model, Electronic) and model.inputs:
            message = (
                f"{_name(end)} ({model.name}) is a stage of one-way signals, whose output cannot feed a "
                "net: use a component with pins, such as shunt_feedback_amplifier or driver."
            )
            raise NetlistError(message)
        if unit == "A":
            found.append(Placed(end[0], ideal.current(name, GROUND, node, 0.0), (GROUND, node)))
        else:
            found.append(Placed(end[0], ideal.voltage(name, node, GROUND, 0.0), (node, GROUND)))
        signals[f"{end[0]}.{name}"] = Signal("detector" if isinstance(model, Detector) else "stage", end[0])

    def _is_pin(self, end: PortRef) -> bool:
        return bool(self.graph.part(end[0]).model.domain_of(end[1], {}))

    def _is_input(self, end: PortRef) -> bool:
        model = self.graph.part(end[0]).model
        return end[1] in model.drives or (isinstance(model, Electronic) and end[1] in model.inputs)

    def _unit(self, end: PortRef) -> str:
        return self.graph.part(end[0]).model.electrical_unit(end[1], {})

    # --- what leaves ----------------------------------------------------------------------------------

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """The settings of optical parts that follow the electronics."""
        return tuple(read for read in self._all_reads if not self.unused.intersection(read.nodes))

    @cached_property
    def _all_reads(self) -> tuple[Read, ...]:
        """The same, with those in networks that nothing uses."""
        found = []
        for end, node in self.node.items():
            part = self.graph.part(end[0])
            setting = part.model.drives.get(end[1])
            if setting is None or isinstance(part.model, Network):
                continue
            if self._unit(end) == "A":
                found.append(Read(end[0], setting, branch=f"{end[0]}.{end[1]}"))
            else:
                found.append(Read(end[0], setting, (node, GROUND)))
        for entry, output in self.wired.items():
            driving = self.graph.part(output[0])
            part = self.graph.part(entry[0])
            if isinstance(driving.model, Network) and not isinstance(part.model, Network):
                found.append(Read(entry[0], part.model.drives[entry[1]], self._across(output)))
        return tuple(found)

    def equations(self, settings_of: SettingsOf, *, lit: bool | None = None) -> Equations:
        """Return the equations at settings: of all nets, or of those that detectors feed (`lit`) or not."""
        placed, signals = self.placed(settings_of)
        if lit is not None:
            sets = islands(placed)
            bright = {sets[node] for one in placed for node in one.nodes
                      if node in sets and signals.get(one.name, _NONE).kind == "detector"}  # fmt: skip
            by_name = {one.name: one for one in placed}
            placed = [one for one in placed if any(sets[n] in bright for n in touched(one, by_name)) == lit]
        return self.finished(placed, signals, settings_of)

    def finished(
        self, placed: list[Placed], signals: Mapping[str, Signal], settings_of: SettingsOf
    ) -> Equations:
        """Return the equations of placed elements, with the levels of converters among their inputs."""
        system = assemble(placed)
        levels = system.resting.copy()
        for k, name in enumerate(system.inputs):
            if signals[name].kind == "stage":
                stage_part = self.graph.part(signals[name].part)
                assert isinstance(stage_part.model, Electronic)  # noqa: S101 - of that kind
                settings = {key: _first(v) for key, v in settings_of(stage_part).items()}
                stage = stage_part.model.stage(**settings)
                levels[k] = float(np.clip(stage.level, stage.low, stage.high))
        return Equations(replace(system, resting=levels), tuple(signals[name] for name in system.inputs))

    def follows_light(self, settings_of: SettingsOf) -> tuple[Read, str] | None:
        """Return a setting of an optical part that follows a detector, and the detector; None without."""
        placed, signals = self.placed(settings_of)
        sets = islands(placed)
        detectors = {
            sets[node]: signals[one.name].part for one in placed for node in one.nodes
            if node in sets and one.name in signals and signals[one.name].kind == "detector"
        }  # fmt: skip
        for read in self.reads:
            nodes = [*read.nodes, *(n for one in placed if one.name == read.branch for n in one.nodes)]
            for node in nodes:
                if node in sets and sets[node] in detectors:
                    return read, detectors[sets[node]]
        return None

    def refuse_driven(self, called: Iterable[str]) -> None:
        """Raise ParameterError for a setting given in a call that nets drive."""
        for read in self.reads:
            if read.name in called:
                message = (
                    f"Setting {read.name!r} is driven by the electrical nets of its instance: change the "
                    "source that drives them, or take the instance out of the nets."
                )
                raise ParameterError(message)

    def at_rest(self, settings_of: SettingsOf) -> dict[str, float]:
        """Return the settings of optical parts that nets drive at rest, by dotted name.

        None of them may follow the light on a detector. Raises ParameterError for a value out of bounds.
        """
        equations = self.equations(settings_of, lit=False)
        x = np.append(stationary(equations.system), 0.0)
        values = {}
        for read in self.reads:
            value = float(value_of(equations, read, x))
            self.check_value(read, value)
            values[read.name] = value
        return values

    def check_value(self, read: Read, values: Any) -> None:
        """Raise ParameterError where what a net gives to a setting lies out of its bounds."""
        model = self.graph.part(read.part).model
        where = f"The electrical nets drive instance {read.part!r} ({model.name})"
        model.parameters[read.setting].check(values, where)


_NONE = Signal("", "")


def _first(value: Any) -> Any:
    return float(np.asarray(value).flat[0]) if np.ndim(value) else value


def _name(end: PortRef) -> str:
    return f"'{end[0]},{end[1]}'"

"""Netlists and circuits drawn at random, valid by construction or damaged in one place, shown as YAML."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from photosim.arguments import public
from photosim.circuit import Circuit
from photosim.conventions import port_places, ports_by_mode
from photosim.errors import NetlistError, ParameterError, PhotosimError, PhotosimWarning
from photosim.model import ClosedForm, Composite, Model, Numerical, registry
from photosim.testing.draws import hypothesis, settings_of
from photosim.testing.subjects import free_settings

hypothesis()

from hypothesis import strategies as st  # noqa: E402 - after the sentence for those who lack it

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

PARTS = (
    "straight",
    "coupler",
    "splitter",
    "crossing",
    "phase_shifter",
    "attenuator",
    "reflector",
    "circulator",
)
"""Components that netlists are made of by default."""
MODE_PARTS = ("polarization_rotator", "polarization_splitter_rotator", "mode_converter")
"""Components whose ports carry modes, which netlists with modes have too."""


class WrittenNetlist(dict[str, Any]):
    """A netlist as a dict, shown as the YAML that `photosim check` reads."""

    def __repr__(self) -> str:
        """Return the YAML."""
        return "\n" + self.yaml()

    def yaml(self) -> str:
        """Return the netlist as YAML."""
        import yaml

        return str(yaml.safe_dump(dict(self), sort_keys=False))


class WrittenCircuit(Circuit):
    """A circuit that is shown as the netlist it was drawn as."""

    written: WrittenNetlist

    def __repr__(self) -> str:
        """Return the YAML."""
        return repr(self.written)


class Damaged(NamedTuple):
    """A netlist with one mistake.

    kind: what is wrong, as "unknown component".  error: the class that reading it must raise.  sentence: a
    regular expression that the error's sentence must match.
    """

    netlist: WrittenNetlist
    kind: str
    error: type[PhotosimError]
    sentence: str


@public
def settings(component: str | Model) -> st.SearchStrategy[dict[str, Any]]:
    """Return settings of a component inside its bounds and its window; edges and the default are likely.

    Settings that are None by default stay so.
    """
    model = registry.get(component) if isinstance(component, str) else component
    drawn = {name: p for name, p in model.parameters.items() if p.default is not None}
    return settings_of(model, drawn)


class _End(NamedTuple):
    """A port that can be connected: the number of its part, "part,port", its modes, and its side."""

    part: int
    name: str
    modes: tuple[str, ...]
    left: bool


@public
def netlists(
    parts: Sequence[str] = PARTS,
    *,
    most: int = 8,
    feedback: bool = True,
    reflections: bool = True,
    modes: bool = False,
) -> st.SearchStrategy[WrittenNetlist]:
    """Return netlists that are valid by construction: parts, settings, connections, and ports for the rest.

    parts: components to choose from: those that have an S-matrix and need no file.  most: parts at most.
    feedback: whether loops may be; else light goes from a part's right to the left of later ones.
    reflections: whether parts may send light back.  modes: whether parts of several modes are among them,
    joined port by port or mode by mode. Every netlist has a port.

    Raises ParameterError for components that do not exist or cannot be drawn, and for fewer than 1 part.
    """
    names = checked_parts(parts)
    if most < 1:
        message = f"netlists: most must be 1 or more, got {most}."
        raise ParameterError(message)
    return _netlists(names, most=most, feedback=feedback, reflections=reflections, modes=modes)


def checked_parts(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the names of components that netlists are drawn from; ParameterError where one cannot be."""
    names = (parts,) if isinstance(parts, str) else tuple(parts)
    if not names:
        message = "Name one component or more that netlists are drawn from."
        raise ParameterError(message)
    for name in names:
        _check_drawn(name, registry.get(name))
    return names


@st.composite
def _netlists(
    draw: DrawFn, parts: Sequence[str], *, most: int, feedback: bool, reflections: bool, modes: bool
) -> WrittenNetlist:
    """Draw one of `netlists`."""
    names = (*parts, *(MODE_PARTS if modes else ()))
    instances: dict[str, Any] = {}
    ends: list[_End] = []
    for k in range(draw(st.integers(1, most))):
        name = draw(st.sampled_from(names))
        model = registry.get(name)
        own = draw(
            settings(model) if isinstance(model, ClosedForm) else settings_of(model, free_settings(model))
        )
        if not reflections:
            own = {n: 0.0 if "reflection" in n else value for n, value in own.items()}
        instances[f"p{k}"] = {"component": name, "settings": own}
        ends += _ends(k, model, own, whole=draw(st.booleans()) if modes else False)
    joined = draw(_looped(ends) if feedback else _forward(ends))
    used = {end for pair in joined for end in pair}
    open_ends = [end.name for end in ends if end not in used]
    return WrittenNetlist(
        instances=instances,
        connections={a.name: b.name for a, b in joined},
        ports={f"port{k}": end for k, end in enumerate(open_ends)},
    )


def _check_drawn(name: str, model: Model) -> None:
    """Raise ParameterError where a component cannot stand in a netlist that is drawn at random."""
    reads = [p.name for p in model.parameters.values() if p.kind == "table"]
    if isinstance(model, ClosedForm | Composite | Numerical) and not reads:
        return
    why = f"reads a file by its setting {reads[0]!r}" if reads else f"is of kind {model.kind!r}"
    message = f"Netlists are drawn of parts that have an S-matrix and need no file; {name!r} {why}."
    raise ParameterError(message)


def _ends(part: int, model: Model, own: dict[str, Any], *, whole: bool) -> list[_End]:
    """Return the optical ports of a part, its modes apart unless they are `whole`."""
    ports, aliases = model.ports_for(own), model.aliases_for(own)
    places, by_mode = port_places(ports), ports_by_mode(ports)
    inputs = sum(1 for alias in aliases if re.fullmatch(r"in\d+", alias)) or len(places) // 2
    found = []
    for number, place in enumerate(places):
        modes = by_mode.get(place, {})
        names = tuple(modes.values()) if modes and not whole else (place,)
        carried = tuple(modes) if whole else ()
        found += [_End(part, f"p{part},{name}", carried, number < inputs) for name in names]
    return found


def _fit(a: _End, b: _End) -> bool:
    """Return whether two ports can be joined without a mode that is left out."""
    return a.modes == b.modes


@st.composite
def _looped(draw: DrawFn, ends: list[_End]) -> list[tuple[_End, _End]]:
    """Draw pairs of any ports, at least one of which stays open."""
    order = draw(st.permutations(ends))
    most = draw(st.integers(0, (len(ends) - 1) // 2))
    pairs: list[tuple[_End, _End]] = []
    free = list(order)
    while len(pairs) < most and free:
        first = free.pop(0)
        second = next((end for end in free if _fit(first, end)), None)
        if second is not None:
            free.remove(second)
            pairs.append((first, second))
    return pairs


@st.composite
def _forward(draw: DrawFn, ends: list[_End]) -> list[tuple[_End, _End]]:
    """Draw pairs from the right of a part to the left of a later one."""
    free, pairs = [end for end in ends if end.left], []
    for end in (end for end in ends if not end.left):
        later = [place for place in free if place.part > end.part and _fit(end, place)]
        joins: bool = draw(st.booleans())
        if later and joins:
            target = draw(st.sampled_from(later))
            free.remove(target)
            pairs.append((end, target))
    return pairs


@public
def circuits(**options: Any) -> st.SearchStrategy[Circuit]:
    """Return circuits of `netlists(**options)`; a circuit that fails a test is shown as YAML."""
    return netlists(**options).map(_circuit)


def _circuit(netlist: WrittenNetlist) -> Circuit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        circuit = WrittenCircuit(dict(netlist))
    circuit.written = netlist
    return circuit


DAMAGES = (
    "unknown component", "unknown setting", "unknown instance", "unknown port", "port used twice",
    "text for a number", "value out of bounds", "port joined with itself", "unknown key", "no component",
    "broken expression",
)  # fmt: skip
"""Kinds of mistakes that netlists are damaged by."""


@public
def damaged_netlists(parts: Sequence[str] = PARTS) -> st.SearchStrategy[Damaged]:
    """Return netlists with one mistake of DAMAGES, the error it must raise, and what it must say."""
    return _damaged(checked_parts(parts))


@st.composite
def _damaged(draw: DrawFn, parts: tuple[str, ...]) -> Damaged:
    """Draw one of `damaged_netlists`."""
    whole = draw(netlists(parts))
    kind = draw(st.sampled_from(DAMAGES))
    name = draw(st.sampled_from(sorted(whole["instances"])))
    netlist = WrittenNetlist({key: dict(value) for key, value in whole.items()})
    part = dict(whole["instances"][name])
    netlist["instances"][name] = part
    own = part["settings"]
    setting = draw(st.sampled_from(sorted(own))) if own else None
    if kind in ("text for a number", "value out of bounds", "broken expression") and setting is None:
        kind = "unknown setting"
    return Damaged(netlist, kind, NetlistError, _damage(netlist, kind, name, setting))


def _damage(netlist: WrittenNetlist, kind: str, name: str, setting: str | None) -> str:
    """Damage a netlist in its part `name`, and return what the sentence about it must match."""
    part = netlist["instances"][name]
    if kind == "unknown component":
        part["component"] += "x"
        return rf"'{name}'.* no component '{part['component']}'"
    if kind == "unknown setting":
        part["settings"] = {**part["settings"], "colour": 1.0}
        return rf"'{name}'.* has no setting 'colour'"
    if kind in ("text for a number", "value out of bounds", "broken expression"):
        wrong, said = {
            "text for a number": ("wide", "wide"),
            "value out of bounds": (-1e300, "must be"),
            "broken expression": ("0.5 +", "is not an arithmetic expression"),
        }[kind]
        part["settings"] = {**part["settings"], setting: wrong}
        return rf"'{name}'.*{setting}.*{said}"
    if kind == "unknown instance":
        netlist["ports"]["extra"] = "nobody,o1"
        return r"'nobody'.* no such instance"
    if kind == "unknown port":
        netlist["ports"]["extra"] = f"{name},o99"
        return rf"'{name}'.* has no port 'o99'"
    if kind == "port used twice":
        first = next(iter(netlist["ports"].values()))
        netlist["ports"]["extra"] = first
        return rf"'{re.escape(first)}'.* already exposed"
    if kind == "port joined with itself":
        first = netlist["ports"].pop(next(iter(netlist["ports"])))
        netlist["connections"][first] = first
        return rf"'{re.escape(first)}' is connected with itself"
    if kind == "unknown key":
        netlist["instancs"] = {}
        return r"no key 'instancs'.* Did you mean 'instances'"
    del part["component"]
    return rf"'{name}' needs the key 'component'"

"""Circuits without a solution: floating nodes, loops of voltage sources, cuts of current sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from photosim.errors import NetlistError, listing
from photosim.model.elements import GROUND
from photosim.model.joins import Joins

if TYPE_CHECKING:
    from photosim.electronics.assembly import Placed

_VOLTAGES = frozenset({"voltage", "voltage_gain", "transresistance"})
_CURRENTS = frozenset({"current", "transconductance", "current_gain", "heating", "product", "limited"})
_AT_REST = frozenset({*_VOLTAGES, "resistance", "inductance", "junction"})


def pairs(one: Placed) -> list[tuple[str, str]]:
    """Return the pairs of nodes between which an element carries a current."""
    nodes = one.nodes
    if one.element.kind == "spice":
        return []
    if one.element.kind == "line":
        return [(nodes[0], nodes[1]), (nodes[2], nodes[3])]
    return [(nodes[0], nodes[1])] if len(nodes) > 1 else []


def check_topology(placed: Sequence[Placed], shown: Callable[[str], str]) -> None:
    """Raise NetlistError for nodes without a path to ground, loops of voltages and cuts of currents.

    shown: words for a node. At rest a capacitor is not a path; an inductor is, and either port of a line.
    """
    nodes = dict.fromkeys(node for one in placed for node in one.nodes)
    _refuse_loops(placed)
    _refuse_floating(placed, nodes, shown)


def _refuse_loops(placed: Sequence[Placed]) -> None:
    """Refuse a loop of voltage sources and inductors, which is a short circuit at rest."""
    sets, kept = Joins(), list[tuple[str, str, str]]()
    for one in placed:
        if one.element.kind not in _VOLTAGES and one.element.kind != "inductance":
            continue
        a, b = one.nodes[0], one.nodes[1]
        if sets.join(a, b):
            kept.append((a, b, one.name))
            continue
        _refuse_loop(placed, [*_path(kept, a, b), one.name], shorted=a == b)
    _refuse_lines(placed, sets, kept)


def _refuse_loop(placed: Sequence[Placed], around: Sequence[str], *, shorted: bool) -> None:
    """Refuse a loop of the elements with these names, which is one element alone where it is shorted."""
    if shorted:
        message = (
            f"Both ends of {around[0]} are in one net, so that nothing limits its current: put a resistor "
            "between them."
        )
    elif all(_kind(placed, name) == "inductance" for name in around):
        message = (
            f"The inductors {listing(around)} form a loop, whose direct current is not determined: put a "
            "resistor into it."
        )
    else:
        what = "voltage sources and inductors" if _any_inductor(placed, around) else "ideal voltage sources"
        message = (
            f"{listing(around)} form a loop of {what}, whose current nothing limits: put a resistor into it."
        )
    raise NetlistError(message)


def _refuse_lines(placed: Sequence[Placed], sets: Joins, kept: list[tuple[str, str, str]]) -> None:
    """Refuse a line that adds nothing to the voltages that are given, so that nothing limits its current.

    At rest the voltages between the wires of both its ports are one, and so are those along both its wires.
    """
    todo = [one for one in placed if one.element.kind == "line"]
    while todo:
        later = []
        for one in todo:
            a, b, c, d = one.nodes
            both = [((a, b), (c, d)), ((a, c), (b, d))]
            given = [[sets.root(start) == sets.root(end) for start, end in equal] for equal in both]
            whole = next((equal for equal, known in zip(both, given, strict=True) if all(known)), None)
            if whole is not None:
                _refuse_line(one, [name for start, end in whole for name in _path(kept, start, end)])
            half = next((k for k, known in enumerate(given) if any(known)), None)
            if half is None:
                later.append(one)
                continue
            start, end = both[half][given[half].index(False)]
            sets.join(start, end)
            kept.append((start, end, one.name))
        if len(later) == len(todo):
            return
        todo = later


def _refuse_line(one: Placed, around: Sequence[str]) -> None:
    """Refuse a line that closes a loop of the elements with these names."""
    a, b, c, d = one.nodes
    if around:
        loop = f"{listing(around)} and line {one.name!r}"
        message = f"At rest {loop} form a loop, whose current nothing limits: put a resistor into it."
    elif (a, b) == (c, d):
        message = (
            f"Both ends of line {one.name!r} are in the same nets, so that its direct current is not "
            "determined: put a resistor between them."
        )
    else:
        message = (
            f"Line {one.name!r} is shorted at both ends, so that its direct current is not determined: put a "
            "resistor at one of them."
        )
    raise NetlistError(message)


def _any_inductor(placed: Sequence[Placed], names: Iterable[str]) -> bool:
    return any(_kind(placed, name) == "inductance" for name in names)


def _kind(placed: Sequence[Placed], name: str) -> str:
    return next(one.element.kind for one in placed if one.name == name)


def _path(edges: Sequence[tuple[str, str, str]], start: str, end: str) -> list[str]:
    """Return the names of the edges from one node of a tree to another."""
    ahead: dict[str, list[tuple[str, str]]] = {}
    for a, b, name in edges:
        ahead.setdefault(a, []).append((b, name))
        ahead.setdefault(b, []).append((a, name))
    todo: list[tuple[str, list[str]]] = [(start, [])]
    seen = {start}
    while todo:
        node, names = todo.pop()
        if node == end:
            return names
        for other, name in ahead.get(node, []):
            if other not in seen:
                seen.add(other)
                todo.append((other, [*names, name]))
    return []


def _refuse_floating(
    placed: Sequence[Placed], nodes: Mapping[str, None], shown: Callable[[str], str]
) -> None:
    sets = Joins()
    for one in placed:
        if one.element.kind in _AT_REST:
            sets.join(one.nodes[0], one.nodes[1])
        elif one.element.kind == "line":  # a current that enters a port leaves it by its other wire
            sets.join(one.nodes[0], one.nodes[1])
            sets.join(one.nodes[2], one.nodes[3])
        elif one.element.call is not None:
            at = dict(zip(one.element.call.subcircuit.pins, one.nodes, strict=True)) | {"0": GROUND}
            for joined in one.element.call.subcircuit.joined:
                for pin in joined[1:]:
                    sets.join(at[joined[0]], at[pin])
    loose = [node for node in nodes if sets.root(node) != sets.root(GROUND)]
    if not loose:
        return
    group = [node for node in loose if sets.root(node) == sets.root(loose[0])]
    where = listing([shown(node) for node in group], 4)
    fed = [
        one.name
        for one in placed
        if one.element.kind in _CURRENTS and any((a in group) != (b in group) for a, b in pairs(one))
    ]
    held = [
        one.name
        for one in placed
        if one.element.kind == "capacitance" and any((a in group) != (b in group) for a, b in pairs(one))
    ]
    single = len(group) == 1
    subject, where_to = (
        (f"The net of {where} has", "it") if single else (f"The nets of {where} have", "one of them")
    )
    if fed:
        message = (
            f"{subject} no path for the current of {listing(fed)}: only current sources"
            f"{' and capacitors' if held else ''} lead there; put a resistor to another net or to gnd."
        )
    else:
        only = ""
        if held:
            some = f"capacitor {held[0]} leads" if len(held) == 1 else f"capacitors {listing(held)} lead"
            only = f": only the {some} there"
        message = f"{subject} no path to gnd at rest{only}; put a resistor, or gnd, into {where_to}."
    raise NetlistError(message)

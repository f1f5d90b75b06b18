"""What the cells of a foundry's netlist are: a map from each cell to a component or a file of S-parameters.

    cells:
      ebeam_y_1550: {file: ybranch_te1550.sparam}
      ebeam_wg_integral_1550:
        component: straight
        ports: [o1, o2]
        settings: {length: wg_length, neff: 2.44553, ng: 4.19088}
        ignore: [wg_width, radius]

Files are found from the map's folder. `ports` are the component's, in the order of the cell's pins. Texts in
`settings` are expressions over the values that the netlist gives to the cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photosim.errors import Mark, NetlistError, ParameterError, did_you_mean, listing
from photosim.expressions import parse
from photosim.model import registry
from photosim.netlist.compose import MAX_BYTES, Tree, compose
from photosim.netlist.schema import describe
from photosim.netlist.tables import read_named
from photosim.netlist.text import read_utf8
from photosim.netlist.values import numeric_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_KEYS = ("component", "file", "ports", "settings", "ignore")
_LAYOUT = re.compile(r"library|points|lay_\w+|sch_\w+")
_LENGTH = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)([fpnum]?)m?")
_IN_UM = {"f": 1e-9, "p": 1e-6, "n": 1e-3, "u": 1.0, "m": 1e3}


@dataclass(frozen=True)
class Cell:
    """What a cell is; `settings` are as the map has them, `ports` empty where it has none."""

    component: str
    ports: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    mark: Mark | None = None


def number(text: str) -> float | str:
    """Value of a netlist: a number with a suffix is a length and becomes um, 67.730u and 500n; else as it is.

    >>> number("67.730u"), number("500n"), number("5.0"), number("strip")
    (67.73, 0.5, 5.0, 'strip')
    """
    match = _LENGTH.fullmatch(text)
    if match is None or (not match[2] and text[-1:] == "m"):
        return text
    return float(match[1]) * _IN_UM.get(match[2], 1.0)


def read_map(place: Path) -> dict[str, Cell]:
    """Cells of a map file, by name.

    Raises:
        NetlistError: the file, or a file of S-parameters that it names, is missing or damaged.
    """
    text = read_utf8(place, str(place), MAX_BYTES)
    tree = compose(text, str(place), place.parent)
    top = tree.data
    if not isinstance(top, dict) or set(top) != {"cells"} or not isinstance(top["cells"], dict):
        raise NetlistError(
            "a map holds 'cells', a mapping of cell names, and nothing else", Mark(str(place), 1, 1)
        )
    return {name: _cell(tree, name, value) for name, value in top["cells"].items()}


def _cell(tree: Tree, name: str, value: Any) -> Cell:
    mark = tree.mark(tree.data["cells"], name)
    if isinstance(value, str):
        value = {"component": value}
    if not isinstance(value, dict):
        raise NetlistError(
            f"cell {name!r} must be a mapping or a component's name, but is {describe(value)}", mark
        )
    for key in value:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS)
            raise NetlistError(
                f"cell {name!r} has no key {key!r}. It may have: {listing(_KEYS)}.{hint}",
                tree.mark(value, key),
            )
    settings = value.get("settings") or {}
    if not isinstance(settings, dict):
        raise NetlistError(f"'settings' of cell {name!r} must be a mapping", tree.mark(value, "settings"))
    component = value.get("component", "sampled" if "file" in value else None)
    if not isinstance(component, str) or not registry.known(component):
        hint = did_you_mean(str(component), registry.names()) if component else " Give 'component' or 'file'."
        raise NetlistError(f"cell {name!r}: there is no component {component!r}.{hint}", mark)
    if "file" in value:
        settings = {**settings, "file": _table(tree, name, value)}
    ports, ignore = (_texts(tree, name, value, key) for key in ("ports", "ignore"))
    return Cell(component, ports, settings, ignore, mark)


def _table(tree: Tree, name: str, value: dict[str, Any]) -> Any:
    mark = tree.mark(value, "file", value=True)
    if not isinstance(value["file"], str):
        raise NetlistError(f"'file' of cell {name!r} must be a file's name", mark)
    try:
        return read_named(value["file"], tree.folder)
    except NetlistError as error:
        raise NetlistError(f"cell {name!r}: {error.message}", mark) from None


def _texts(tree: Tree, name: str, value: dict[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key) or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise NetlistError(f"{key!r} of cell {name!r} must be a list of names", tree.mark(value, key))
    return tuple(found)


def settings_of(
    cell: Cell, values: Mapping[str, str], where: str, mark: Mark
) -> tuple[dict[str, Any], list[str]]:
    """Settings of a part, and the names of values that neither the map nor the layout explains.

    Raises:
        NetlistError: an expression of the map uses a value that the netlist does not give as a number.
    """
    known = {key: number(text) for key, text in values.items()}
    numeric = numeric_parameters(cell.component)
    used = set(cell.ignore)
    found: dict[str, Any] = {}
    for key, value in cell.settings.items():
        if not isinstance(value, str) or key not in numeric:
            found[key] = value
            continue
        expression = _parsed(value, cell, key)
        used |= expression.names
        for name in sorted(expression.names):
            if not isinstance(known.get(name), float):
                given = f"is {values[name][:40]!r}, no number" if name in values else "is not given"
                raise NetlistError(f"{where}: setting {key!r} needs the value {name!r}, which {given}", mark)
        try:
            found[key] = expression.evaluate({name: known[name] for name in expression.names})
        except ParameterError as error:
            raise NetlistError(f"{where}: setting {key!r}: {error}", mark) from None
    return found, [key for key in values if key not in used and not _LAYOUT.fullmatch(key)]


def _parsed(text: str, cell: Cell, key: str) -> Any:
    try:
        return parse(text)
    except ParameterError as error:
        raise NetlistError(f"setting {key!r}: {error}", cell.mark) from None

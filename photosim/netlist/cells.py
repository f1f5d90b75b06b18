"""What the cells of a foundry's netlist are: a map from each cell to a component or a file of S-parameters.

    cells:
      ebeam_y_1550: {file: ybranch_te1550.sparam}
      ebeam_wg_integral_1550:
        component: straight
        ports: [o1, o2]
        settings: {length: wg_length, neff: 2.44553, ng: 4.19088}
        ignore: [wg_width, radius]

Files are found from the map's folder. `ports` are the component's, in the order of the cell's pins, or `none`
for a pin that is not simulated; formats that name their ports have a mapping of the cell's port to the
component's. Ports under `terminate` are open on purpose, as are those of single parts,
'part,port', in a list `terminate` beside `cells`. Texts in `settings` are expressions over the values that
the netlist gives to the cell, `info_length` among them for what a layout has in `info`; `units` says in which
unit such a value is written, and `layout: true` that a cell carries no light. `cross_sections` beside `cells`
has what a cross-section means for every guide of its name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from photosim.errors import Mark, NetlistError, ParameterError, did_you_mean
from photosim.expressions import parse
from photosim.model import ref, registry
from photosim.model.windows import WAVELENGTH, Window
from photosim.netlist.compose import MAX_BYTES, Tree, compose
from photosim.netlist.form_errors import MappingError, describe
from photosim.netlist.forms import LIST, Form, Words, one_of
from photosim.netlist.mappings import read
from photosim.netlist.schema import Values
from photosim.netlist.tables import read_named
from photosim.netlist.text import read_utf8
from photosim.netlist.values import numeric_parameters
from photosim.reals import NotReal, as_real

if TYPE_CHECKING:
    from pathlib import Path

    from photosim.model import PortRef

NO_PORT = "none"
"""Stands in a map's `ports` for a pin that is not simulated, as null does."""
_LAYOUT = re.compile(r"library|points|lay_\w+|sch_\w+")
_LENGTH = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)([fpnum]?)m?")
_IN_UM = {"f": 1e-9, "p": 1e-6, "n": 1e-3, "u": 1.0, "m": 1e3}


@dataclass(frozen=True)
class Cell:
    """What a cell is; `settings` are as the map has them, `ports` empty where it has none."""

    component: str
    ports: tuple[str, ...] | Mapping[str, str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()
    mark: Mark | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    layout: bool = False
    windows: tuple[Window, ...] = ()

    def port_names(self) -> dict[str, str | None]:
        """Return the component's port for each of the cell's; a list is in the order o1, o2, and so on."""
        pairs = self.ports.items() if isinstance(self.ports, Mapping) else (
            (f"o{k}", port) for k, port in enumerate(self.ports, 1)
        )  # fmt: skip
        return {pin: None if port == NO_PORT else port for pin, port in pairs}


@dataclass(frozen=True)
class CellMap:
    """A map file: cells by name, ports that are terminated, cross-sections by name."""

    cells: Mapping[str, Cell] = field(default_factory=dict)
    terminate: tuple[PortRef, ...] = ()
    cross_sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


UNITS: Mapping[str, float] = MappingProxyType(
    {"m": 1e6, "cm": 1e4, "mm": 1e3, "um": 1.0, "nm": 1e-3, "dB/m": 1e-2, "dB/cm": 1.0, "dB/mm": 10.0,
     "rad": 1.0, "deg": math.pi / 180, "W": 1.0, "mW": 1e-3, "Hz": 1.0, "GHz": 1e9, "THz": 1e12, "s": 1.0,
     "ps": 1e-12, "1": 1.0, "%": 1e-2}
)  # fmt: skip
"""Units in which a map may say that a netlist writes a value, and what one is in the unit used here."""


def scaled(values: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    """Return values of a netlist in the units used here."""
    found = dict(values)
    for key, unit in cell.units.items():
        for name in (key, f"info_{key}"):
            try:
                found[name] = as_real(found[name]) * UNITS[unit]
            except (NotReal, KeyError):
                continue
    return found


def _nothing_is_empty(value: Any) -> Any:
    return () if value is None else value


def _with_no_ports(value: Any) -> Any:
    return [NO_PORT if item is None else item for item in value] if isinstance(value, list) else value


Texts = Annotated[tuple[str, ...], LIST, BeforeValidator(_nothing_is_empty), Words("a list of names")]


def _names_of_ports(value: Any) -> Any:
    return {k: NO_PORT if v is None else v for k, v in value.items()} if isinstance(value, dict) else value


PortNames = Annotated[dict[str, str], BeforeValidator(_names_of_ports)]


Span = Annotated[tuple[float, float], LIST, Words("a list of two numbers")]
"""First and last value of a window."""


class CellForm(Form):
    """One entry of ``cells``; a text alone is its component."""

    component: str | None = None
    file: str | None = None
    mode: str | None = None
    ports: Annotated[Texts, BeforeValidator(_with_no_ports)] | PortNames = ()
    settings: Values = Field(default_factory=dict)
    ignore: Texts = ()
    terminate: Texts = ()
    units: dict[str, Annotated[str, one_of("unit", UNITS)]] = Field(default_factory=dict)
    layout: bool = False
    windows: dict[str, Span] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"component": value} if isinstance(value, str) else value


def number(text: str) -> float | str:
    """Value of a netlist: a number with a suffix is a length and becomes um, 67.730u and 500n; else as it is.

    >>> number("67.730u"), number("500n"), number("5.0"), number("strip")
    (67.73, 0.5, 5.0, 'strip')
    """
    match = _LENGTH.fullmatch(text)
    if match is None or (not match[2] and text[-1:] == "m"):
        return text
    return float(match[1]) * _IN_UM.get(match[2], 1.0)


def read_map(place: Path) -> CellMap:
    """Read a map file.

    Raises:
        NetlistError: the file, or a file of S-parameters that it names, is missing or damaged.
    """
    text = read_utf8(place, str(place), MAX_BYTES)
    tree = compose(text, str(place), place.parent)
    top = tree.data
    if not isinstance(top, dict) or not set(top) <= {"cells", "terminate", "cross_sections"} or not (
        {"cells", "cross_sections"} & set(top)
    ):  # fmt: skip
        raise NetlistError(
            "a map holds 'cells', a mapping of cell names, and may hold 'cross_sections' and 'terminate'",
            Mark(str(place), 1, 1),
        )
    cells, terminated = top.get("cells") or {}, top.get("terminate") or []
    sections = top.get("cross_sections") or {}
    if not isinstance(cells, dict) or not isinstance(terminated, list):
        raise NetlistError(
            "'cells' of a map is a mapping of cell names, 'terminate' a list of ports", Mark(str(place), 1, 1)
        )
    if not isinstance(sections, dict) or not all(isinstance(value, dict) for value in sections.values()):
        raise NetlistError(
            "'cross_sections' of a map is a mapping of names, each with a mapping of settings",
            tree.mark(top, "cross_sections"),
        )
    return CellMap(
        {name: _cell(tree, name, value) for name, value in cells.items()},
        _ports_of(tree, terminated),
        sections,
    )


def _ports_of(tree: Tree, texts: list[Any]) -> tuple[PortRef, ...]:
    found = []
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            message = f"'terminate' lists ports, as in ['part,o2'], but holds {describe(text)}"
            raise NetlistError(message, tree.mark(texts, position))
        try:
            found.append(ref(text))
        except NetlistError as error:
            raise NetlistError(error.message, tree.mark(texts, position)) from None
    return tuple(found)


def _cell(tree: Tree, name: str, value: Any) -> Cell:
    mark = tree.mark(tree.data["cells"], name)
    try:
        form = read(CellForm, value, f"cell {name!r}", noun="key")
    except MappingError as error:
        raise NetlistError(str(error), tree.follow(("cells", name, *error.path))) from None
    if form.layout:
        return Cell("", mark=mark, layout=True)
    component = form.component or ("sampled" if form.file is not None else None)
    if component is None or not registry.known(component):
        hint = did_you_mean(str(component), registry.names()) if component else " Give 'component' or 'file'."
        raise NetlistError(f"cell {name!r}: there is no component {component!r}.{hint}", mark)
    settings = form.settings
    if form.file is not None:
        settings = {**settings, "file": _table(tree, name, form.file)}
    if form.mode is not None and component != "sampled":
        raise NetlistError(f"cell {name!r}: 'mode' chooses among those of a 'file', and there is none", mark)
    if form.mode is not None:
        settings = {**settings, "mode": form.mode}
    return Cell(component, form.ports, settings, form.ignore, form.terminate, mark, form.units,
                windows=_windows(name, form, component, mark))  # fmt: skip


def _windows(name: str, form: CellForm, component: str, mark: Mark | None) -> tuple[Window, ...]:
    """Windows of a cell, outside of which it is refused."""
    model = registry.get(component)
    for of, (low, high) in form.windows.items():
        if of != WAVELENGTH and of not in model.parameters:
            known = [WAVELENGTH, *model.parameters]
            raise NetlistError(
                f"cell {name!r}: there is no window about {of!r}.{did_you_mean(of, known)}", mark
            )
        if not low < high:
            raise NetlistError(f"cell {name!r}: its window of {of!r} ends before it begins", mark)
        if form.windows and model.kind == "composite":
            raise NetlistError(
                f"cell {name!r}: {component!r} is made of parts, and only a part by itself has windows", mark
            )
    basis = f"stated for the cell {name!r}"
    return tuple(Window(of, low, high, basis, refuse=True) for of, (low, high) in form.windows.items())


def _table(tree: Tree, name: str, file: str) -> Any:
    try:
        return read_named(file, tree.folder)
    except NetlistError as error:
        mark = tree.mark(tree.data["cells"][name], "file", value=True)
        raise NetlistError(f"cell {name!r}: {error.message}", mark) from None


def settings_of(
    cell: Cell, values: Mapping[str, str], where: str, mark: Mark
) -> tuple[dict[str, Any], list[str]]:
    """Settings of a part, and the names of values that neither the map nor the layout explains.

    Raises:
        NetlistError: an expression of the map uses a value that the netlist does not give as a number.
    """
    known: dict[str, Any] = scaled({key: number(text) for key, text in values.items()}, cell)
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
                problem = f"is {values[name][:40]!r}, not a number" if name in values else "is not given"
                raise NetlistError(
                    f"{where}: setting {key!r} needs the value {name!r}, which {problem}", mark
                )
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

"""From instances as layout tools write them to parts: other names, null settings, cells without light.

A layout writes what it draws. Three things in it are not what a circuit needs: cells under other names than
the components here, settings that are null although the drawing has a value, which stands beside in `info`,
and cells that carry no light. Each change becomes a remark that `check` shows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from photosim.errors import NetlistError, ParameterError, listing
from photosim.expressions import parse
from photosim.model import Netlist, registry
from photosim.netlist.cells import Cell, CellMap, scaled
from photosim.netlist.layout_table import LAYOUT_SETTINGS, Rule, draws_only, plain_name, refused, rule_of
from photosim.netlist.values import number_of, parameters_of

if TYPE_CHECKING:
    from photosim.model import Model
    from photosim.model.parameters import Parameter
    from photosim.model.windows import Window
    from photosim.netlist.schema import InstanceForm

_METAL = re.compile(r"(.*_)?e\d+|.*_(sig|gnd)|(top|bot|left|right|pad|gnd|sig)_?\w*|pad\d*")
"""Names of ports of metal, where a cell has ports that its component does not have."""
_METAL_SECTION = re.compile(r"(heater|metal|m\d|npp|gsg|superconductor).*")
"""Names of cross-sections that are wires and heaters."""


@dataclass(frozen=True)
class Placed:
    """One instance as a part: its component, settings as written, and the ports that have other names."""

    component: str
    settings: Mapping[str, Any]
    ports: Mapping[str, str | None] = field(default_factory=dict)
    widths: Mapping[str, float] = field(default_factory=dict)
    drawn: bool = False
    """Whether a layout tool wrote the instance."""
    windows: tuple[Window, ...] = ()


class Layout:
    """What the instances of one netlist are.

    cells: a user's map. inner: the netlists of the same file. drawn: whether a layout tool wrote the netlist.
    """

    def __init__(self, cells: CellMap, inner: Mapping[str, Netlist], *, drawn: bool) -> None:
        self.cells, self.inner, self.drawn = cells, inner, drawn
        self.placed: dict[str, Placed] = {}
        self.left_out: dict[str, str] = {}
        """Instances that carry no light, and their cell."""
        self.notes: dict[str, list[str]] = {}
        """What was changed, and the instances of which it is true."""
        self.metal: set[str] = set()
        """Instances of which a connection names a port of metal."""
        self.layout: list[str] = []
        self.unused: dict[str, list[str]] = {}
        self.sections: dict[str, str] = {}
        """Cross-section of each instance that names one."""

    @property
    def remarks(self) -> list[str]:
        """What was changed, a sentence each."""
        return [text.format(_instances(names)) for text, names in self.notes.items()]

    def note(self, text: str, name: str) -> None:
        """Remember a sentence, with {} in the place of the instances that it is about."""
        self.notes.setdefault(text, []).append(name)

    def place(self, name: str, form: InstanceForm) -> Placed | None:
        """Return an instance as a part; None for one that carries no light.

        Raises NetlistError for a setting that is null where nothing says its value.
        """
        section = form.settings.get("cross_section")
        if isinstance(section, str):
            self.sections[name] = section
        found = self._place(name, form)
        if found is None:
            self.left_out[name] = form.component
        else:
            self.placed[name] = found
        return found

    def _place(self, name: str, form: InstanceForm) -> Placed | None:
        component = form.component
        if self.drawn and component not in self.inner:
            component = plain_name(component)
        drawn = self.drawn or isinstance(form.info, Mapping) or form.kcl is not None
        if component != form.component:
            form = form.model_copy(update={"component": component})
        cell = self.cells.cells.get(component)
        if cell is not None:
            return self._mapped(name, form, cell) if not cell.layout else None
        if drawn and self._is_metal(form):
            return None
        rule = rule_of(component)
        why = refused(name, component, written_out=component in self.inner) if drawn else ""
        if why and (component in self.inner or isinstance(form.info, Mapping)):
            raise NetlistError(why)
        if component in self.inner and not (drawn and self._is_leaf(component, rule)):
            return Placed(component, self._for_netlist(name, form), drawn=drawn)
        if registry.known(component) and not (drawn and draws_only(component)):
            return self._as(name, form, rule or Rule(component), drawn)
        if drawn and draws_only(component):
            return None
        if rule is None or (drawn and rule.synonym):
            return Placed(component, dict(form.settings), drawn=drawn)
        return self._as(name, form, rule, drawn)

    def _is_metal(self, form: InstanceForm) -> bool:
        """Whether a straight or bend of a layout is a wire of metal, or a heater above a guide."""
        section = form.settings.get("cross_section")
        return isinstance(section, str) and _METAL_SECTION.fullmatch(section) is not None

    def _is_leaf(self, component: str, rule: Rule | None) -> bool:
        """Whether a cell of which the file has a netlist is one part: what that draws is not a circuit."""
        return (rule is not None and rule.instead) or (not self.inner[component].instances)

    def _for_netlist(self, name: str, form: InstanceForm) -> dict[str, Any]:
        """Settings of an instance of a netlist of the file; those of a layout are built into it."""
        known = self.inner[form.component].settings
        for key in known:
            if key in form.settings and form.settings[key] is None:
                message = f"instance {name!r} (netlist {form.component!r}): setting {key!r} is null: "
                raise NetlistError(message + "write its value, or leave it out to take that of the netlist")
        return {key: value for key, value in form.settings.items() if value is not None}

    def _values(self, form: InstanceForm, cell: Cell | None = None) -> dict[str, Any]:
        """Values that the expressions of a map may use: settings, lists by member, and info."""
        found: dict[str, Any] = {}
        info = form.info if isinstance(form.info, Mapping) else {}
        for table, prefix in ((info, "info_"), (info, ""), (form.settings, "")):
            for key, value in table.items():
                if isinstance(value, list | tuple):
                    found |= {f"{prefix}{key}_{k}": v for k, v in enumerate(value, 1)}
                elif value is not None or prefix + key not in found:
                    found[f"{prefix}{key}"] = value
        return found if cell is None else scaled(found, cell)

    def _mapped(self, name: str, form: InstanceForm, cell: Cell) -> Placed:
        """Return an instance of a cell that the user's map names."""
        model = registry.get(cell.component)
        parameters = parameters_of(model)
        values = self._values(form, cell)
        where = f"instance {name!r} ({form.component})"
        found, used = dict[str, Any](), set(cell.ignore)
        for key, source in cell.settings.items():
            numeric = isinstance(source, str) and key in parameters and parameters[key].unit != "-"
            if not numeric:
                found[key] = source
                continue
            names = _names(source)
            missing = [n for n in sorted(names) if values.get(n) is None]
            if missing:
                message = f"{where}: setting {key!r} needs the value {missing[0]!r}, which is not given"
                raise NetlistError(message)
            found[key] = _worked_out(source, values, f"{where}: setting {key!r}")
            used |= names
        for key, value in form.settings.items():
            if key in parameters and key not in found and key not in used:
                found[key] = self._given(name, form, key, parameters[key], Rule(cell.component))
                if found[key] is value and key in cell.units:
                    found[key] = values[key]
        self._from_section(form, parameters, found)
        known = {*used, *found, *model.layout_settings, *LAYOUT_SETTINGS}
        rest = [k for k, v in form.settings.items() if k not in known and v is not None]
        if rest:
            self.unused.setdefault(form.component, rest)
        self._list(name, form, [k for k in form.settings if k in known and k not in found and k not in used])
        widths = self._widths(form, Rule(""))
        return Placed(cell.component, found, cell.port_names(), widths, drawn=True, windows=cell.windows)

    def _as(self, name: str, form: InstanceForm, rule: Rule, drawn: bool) -> Placed:
        """Return an instance as the component of a rule, or of its own name."""
        model = registry.get(rule.component)
        parameters = parameters_of(model)
        found, gone = self._ruled(form, rule, model) if drawn else ({}, set())
        layout: list[str] = []
        for key, value in form.settings.items():
            if key in found or key in gone:
                continue
            if key in parameters:
                found[key] = self._given(name, form, key, parameters[key], rule)
            elif drawn and key in LAYOUT_SETTINGS and key not in model.layout_settings:
                layout.append(key)
            else:
                found[key] = value
        if drawn:
            self._from_section(form, parameters, found)
        for key in [k for k, v in found.items() if v is None and k in parameters]:
            del found[key]  # null is the default itself
        self._list(name, form, layout)
        if rule.component != form.component:
            self.note(f"{{}}: {form.component!r} is the component {rule.component!r}.", name)
        return Placed(rule.component, found, rule.ports, self._widths(form, rule), drawn=drawn)

    def _ruled(self, form: InstanceForm, rule: Rule, model: Model) -> tuple[dict[str, Any], set[str]]:
        """Return what a rule makes of the values of a layout, and the settings that it stands for."""
        values = self._values(form)
        for settings in rule.choices():
            if any(values.get(n) is None for source in settings.values() for n in _names(source)):
                continue
            found = {}
            for key, source in settings.items():
                plain = values.get(source)
                found[key] = plain if plain is not None else _worked_out(source, values, key)
            gone = {n for source in settings.values() for n in _names(source)} - set(found)
            for when, variant in getattr(model, "variants", {}).items():
                if when in found:  # takes the place of the shape by which the others are given
                    gone |= set(model.parameters) - set(variant.parameters)
            if "length" in found:
                gone.add("radius")  # of the bends that the length includes
            return found, gone
        return {}, set()

    def _given(self, name: str, form: InstanceForm, key: str, parameter: Parameter, rule: Rule) -> Any:
        """Return a setting that is a parameter; where it is null, what the drawing has."""
        value = form.settings[key]
        if value is not None or parameter.default is None:
            return value
        where = f"instance {name!r} ({form.component})"
        unit = "" if parameter.unit in {"1", "-"} else f" {parameter.unit}"
        info = form.info if isinstance(form.info, Mapping) else {}
        section = self._section(form)
        for table, place in ((info, "info"), (section, "its cross-section")):
            if number_of(table.get(key)) is not None:
                what = f"{key!r} is null; {table[key]:g}{unit} is taken from {place}"
                self.note(f"{{}} ({form.component}): {what}.", name)
                return table[key]
        own = {k: v for k, v in self._values(form).items() if v is not None}
        values = {k: v for k, v in section.items() if number_of(v) is not None} | own
        source = rule.nulls.get(key)
        if source is not None and all(number_of(values.get(n)) is not None for n in _names(source)):
            found = _worked_out(source, values, where)
            what = f"{key!r} is null, which means {source}: {found:g}{unit} is taken"
            self.note(f"{{}} ({form.component}): {what}.", name)
            return found
        raise NetlistError(
            f"{where}: setting {key!r} is null, and neither its info nor its cross-section has a value: "
            f"write the drawn value, remove the setting for the default {parameter.default}{unit}, or give "
            "it in a map under 'settings' or 'cross_sections'"
        )

    def _section(self, form: InstanceForm) -> Mapping[str, Any]:
        """Return what is known of an instance's cross-section: by the map, or beside its name."""
        named = form.settings.get("cross_section")
        if isinstance(named, Mapping):
            own = named.get("settings") if isinstance(named.get("settings"), Mapping) else named
            return {**self.cells.cross_sections.get(str(named.get("cross_section")), {}), **(own or {})}
        return self.cells.cross_sections.get(named, {}) if isinstance(named, str) else {}

    def _from_section(
        self, form: InstanceForm, parameters: Mapping[str, Parameter], found: dict[str, Any]
    ) -> None:
        """Put in the settings that the map gives to a cross-section."""
        named = form.settings.get("cross_section")
        for key, value in self.cells.cross_sections.get(named if isinstance(named, str) else "", {}).items():
            if key in parameters and found.get(key) is None and key not in {"width", "radius"}:
                found[key] = value

    def _widths(self, form: InstanceForm, rule: Rule) -> dict[str, float]:
        """Return the width in um of the guide at each port, '' for all others, as far as it is known."""
        if rule.widths:
            found = {port: form.settings.get(key) for port, key in rule.widths.items()}
        else:
            info = form.info if isinstance(form.info, Mapping) else {}
            found = {"": next((t["width"] for t in (info, form.settings, self._section(form))
                               if number_of(t.get("width")) is not None), None)}  # fmt: skip
        numbers = {port: number_of(width) for port, width in found.items()}
        return {port: width for port, width in numbers.items() if width is not None}

    def _list(self, name: str, form: InstanceForm, layout: list[str]) -> None:
        if layout:
            self.layout.append(f"instance {name!r} ({form.component}): {listing(layout)}")

    def port(self, name: str, port: str) -> str | None:
        """Return the component's port for one of an instance; None for metal, and for cells without light."""
        if name in self.left_out:
            return None
        placed = self.placed.get(name)
        if placed is None:
            return port
        if port in placed.ports:
            return placed.ports[port]
        inner = self.inner.get(placed.component)
        if inner is not None:
            return None if port in inner.hidden else port
        if not placed.drawn or _METAL.fullmatch(port) is None or not registry.known(placed.component):
            return port
        model = registry.get(placed.component)
        self.metal.add(name)
        own = (*model.ports_for({}), *model.electrical, *model.aliases_for({}))
        return port if port in own or model.kind not in {"closed-form", "composite"} else None

    def width(self, name: str, port: str) -> float | None:
        """Return the width in um of the guide at a port, if it is known."""
        placed = self.placed.get(name)
        return None if placed is None else placed.widths.get(port, placed.widths.get(""))

    def is_stranger(self, name: str) -> bool:
        """Whether nothing here knows the cell of a drawn instance."""
        placed = self.placed.get(name)
        return (
            placed is not None
            and placed.drawn
            and placed.component not in self.inner
            and not registry.known(placed.component)
        )


def _instances(names: list[str]) -> str:
    """Return instances as a sentence names them."""
    first = f"instance {names[0]!r}"
    return first if len(names) == 1 else f"{len(names)} instances, such as {first.removeprefix('instance ')},"


def _names(source: Any) -> set[str]:
    """Return the names that an expression uses."""
    if not isinstance(source, str):
        return set()
    try:
        return set(parse(source).names)
    except ParameterError as error:
        raise NetlistError(f"the expression {source[:80]!r} of a map: {error}") from None


def _worked_out(source: str, values: Mapping[str, Any], where: str) -> Any:
    """Return the number that an expression over values has."""
    expression = parse(source)
    numbers = {}
    for name in expression.names:
        if number_of(values.get(name)) is None:
            message = f"{where}: the value {name!r} is {str(values.get(name))[:40]!r}, not a number"
            raise NetlistError(message)
        numbers[name] = float(values[name])
    try:
        return expression.evaluate(numbers)
    except ParameterError as error:
        raise NetlistError(f"{where}: {error}") from None

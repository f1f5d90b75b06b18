"""Whether a netlist describes a circuit: components, settings, ports and connections against the library."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any, get_args

from photosim.arguments import public
from photosim.errors import Mark, NetlistError, ParameterError, did_you_mean, listing
from photosim.expressions import Expr
from photosim.model import ClosedForm, Instance, Model, Netlist, registry
from photosim.model.parameters import Parameter
from photosim.model.quantities import Temperature
from photosim.netlist.arrays import base_name
from photosim.netlist.layout_table import about_unknown, without_parts
from photosim.netlist.nouns import check_nouns
from photosim.netlist.ports import PortTable
from photosim.netlist.values import AMBIENT, as_written, evaluate, parameters_of, require_number, resolve
from photosim.netlist.wires import check_wires
from photosim.reals import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

_KELVIN = get_args(Temperature)[1]
_TEMPERATURE = Parameter(AMBIENT, None, _KELVIN.unit, _KELVIN.low, _KELVIN.high, "", "real", structural=False)
MAX_FLAT = 2_000_000
"""Instances that a circuit may have when its sub-netlists are written out."""
MAX_LEVELS = 64
"""Levels of sub-netlists."""


@public
def check(netlist: Netlist, *, strict: bool = False) -> list[str]:
    """Return the warnings about a netlist, such as inner ports left open, which count as matched.

    Inner netlists of composite components are not checked, unless their ports depend on settings: this
    happens when a circuit is made.

    Raises:
        NetlistError: an unknown component, setting, instance or port, a port used twice, a value out of
            bounds, sub-netlists that contain themselves; with `strict`, an open port, or a setting that
            a model has to guess.
    """
    checker = _Checker(strict)
    checker.size(netlist, (netlist.name,))
    checker.visit(netlist, {}, "")
    if not netlist.instances:
        raise NetlistError(without_parts(netlist.name))
    return checker.warnings


@public
def not_simulated(netlist: Netlist) -> list[str]:
    """Return the settings that do not change a simulation but matter for a layout: one sentence an instance.

    netlist: as it was read.
    """
    lines: list[str] = list(netlist.layout)
    seen: set[str] = set()
    for name, instance in netlist.instances.items():
        base = base_name(name)
        if base in seen or instance.component in netlist.components or not registry.known(instance.component):
            continue
        seen.add(base)
        layout = [s for s in instance.settings if s in registry.get(instance.component).layout_settings]
        if layout:
            lines.append(f"instance {base!r} ({instance.component}): {listing(layout)}")
    for sub_name, sub in netlist.components.items():
        lines += [f"in netlist {sub_name!r}, {line}" for line in not_simulated(sub)]
    return lines


@public
def notes(netlist: Netlist) -> list[str]:
    """Return remarks about the parts of a netlist that are not warnings, such as the asymmetry of a table.

    Raises:
        NetlistError: as :func:`check`.
    """
    checker = _Checker(strict=False)
    checker.size(netlist, (netlist.name,))
    checker.visit(netlist, {}, "")
    return checker.notes


class _Checker:
    """What has been checked already: sub-netlists and settings are shared, and checked once."""

    def __init__(self, strict: bool) -> None:
        self.strict = strict
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.told: set[str] = set()
        self.wired: set[int] = set()
        self.visited: set[tuple[int, tuple[Any, ...]]] = set()
        self.sizes: dict[int, int] = {}
        self.tables: dict[str, tuple[Model, dict[str, Parameter], bool]] = {}
        self.bounds: dict[tuple[str, ...], list[tuple[float, float]] | None] = {}

    def size(self, netlist: Netlist, chain: tuple[str, ...]) -> int:
        """Instances of a netlist written out; refuses circles and hierarchies without end."""
        if len(chain) > MAX_LEVELS or len(set(chain[1:])) < len(chain) - 1:
            raise NetlistError(f"sub-netlists contain themselves or are too deep: {listing(chain, 8)}")
        if id(netlist) not in self.sizes:
            check_nouns(netlist)
            inner = {name: self.size(sub, (*chain, name)) for name, sub in netlist.components.items()}
            total = sum(inner.get(instance.component, 1) for instance in netlist.instances.values())
            if total > MAX_FLAT:
                message = (
                    f"netlist {netlist.name!r} written out has {total} instances; the bound is {MAX_FLAT}"
                )
                raise NetlistError(message, next(iter(netlist.instances.values())).mark)
            self.sizes[id(netlist)] = total
        return self.sizes[id(netlist)]

    def visit(self, netlist: Netlist, settings: Mapping[str, Any], inside: str) -> None:
        """Check one netlist with the settings that an instance of it gives; its wires only once."""
        key = (id(netlist), tuple(sorted((k, _key(v)) for k, v in settings.items())))
        if key in self.visited:
            return
        self.visited.add(key)
        self._settings(netlist, inside)
        self.notes += [f"{text.removesuffix('.')}{inside}." for text in netlist.remarks]
        values = _resolved(netlist, settings)
        self._temperature(netlist, values.get(AMBIENT), inside)
        seen: set[tuple[int, str]] = set()
        for name, instance in netlist.instances.items():
            if instance.component not in netlist.components and self._plainly_fits(instance):
                continue
            # Members of an array share their settings: one of them speaks for all.
            shared = (id(instance.settings), instance.component)
            if shared not in seen:
                seen.add(shared)
                self._instance(netlist, name, instance, values, inside)
        if id(netlist) not in self.wired:
            self.wired.add(id(netlist))
            self.warnings += check_wires(netlist, PortTable(netlist, values), inside, strict=self.strict)

    def _settings(self, netlist: Netlist, inside: str) -> None:
        """Refuse circuit settings that are not numbers, and names that an expression cannot use."""
        for name, value in netlist.settings.items():
            if name.isidentifier() and not keyword.iskeyword(name):
                require_number(value, f"circuit setting {name!r}{inside}", netlist.mark("settings", name))
                continue
            why = f"{name!r} is not a name: use letters, digits and underscores"
            if "." in name:
                why += "; settings of an instance are written in its own `settings`"
            raise NetlistError(f"circuit setting{inside}: {why}.", netlist.mark("settings", name))

    def _temperature(self, netlist: Netlist, value: Any, inside: str) -> None:
        """Refuse a temperature of the whole netlist that no part of it can have."""
        if value is None:
            return
        try:
            _TEMPERATURE.check(value, f"circuit setting{inside}")
        except ParameterError as error:
            raise NetlistError(str(error), netlist.mark("settings", AMBIENT)) from None

    def _instance(
        self, netlist: Netlist, name: str, instance: Instance, values: Mapping[str, Any], inside: str
    ) -> None:
        sub = netlist.components.get(instance.component)
        mark = instance.mark or netlist.mark("instances", base_name(name))
        where = f"instance {name!r} ({instance.component}){inside}"
        if sub is not None:
            self._sub_netlist(netlist, name, instance, values, sub)
            return
        model = self._model(netlist, name, instance.component, mark, inside)
        if self._plainly_fits(instance):
            return
        settings = self._worked_out(netlist, name, instance, values, where)
        try:
            model.check(settings, where)
        except ParameterError as error:
            culprit = _culprit(model, settings, where)
            source = as_written(instance.settings[culprit]) if culprit else ""
            path = ("instances", base_name(name), "settings", culprit or "")
            message = f"{str(error).removesuffix('.')}{source}." if source else str(error)
            raise NetlistError(message, netlist.mark(*path) or mark) from None
        for remark in model.remarks(settings):
            if remark.text in self.told:
                continue  # of another instance of the same table
            self.told.add(remark.text)
            text = f"{where}: {remark.text}"
            if remark.guess and self.strict:
                raise NetlistError(text, mark)
            (self.warnings if remark.serious else self.notes).append(f"{mark}: {text}" if mark else text)

    def _plainly_fits(self, instance: Instance) -> bool:
        """Whether each setting is seen to be right by itself; its component has been looked up before."""
        key = instance.component, *instance.settings
        if key not in self.bounds:
            if instance.component not in self.tables:
                return False
            self.bounds[key] = self._bounds(instance)
        bounds = self.bounds[key]
        if bounds is None:
            return False
        for value, (low, high) in zip(instance.settings.values(), bounds, strict=True):
            kind = type(value)
            if not ((kind is float or kind is int) and low <= value <= high):
                return False
        return True

    def _bounds(self, instance: Instance) -> list[tuple[float, float]] | None:
        """Return the bounds of plain numbers as the settings of an instance, or None where more decides."""
        model, parameters, alone = self.tables[instance.component]
        if not alone:
            return None
        own = [parameters.get(name) for name in instance.settings]
        found = [
            (max(p.low, -LARGEST), min(p.high, LARGEST)) for p in own if p is not None and p.kind == "real"
        ]
        if len(found) < len(own):
            return None
        if isinstance(model, ClosedForm):
            try:
                model.select(dict.fromkeys(instance.settings, 1.0))
            except ParameterError:
                return None
        return found

    def _worked_out(
        self, netlist: Netlist, name: str, instance: Instance, values: Mapping[str, Any], where: str
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in instance.settings.items():
            if isinstance(value, Expr):
                try:
                    found[key] = evaluate(value, values, f"{where}, setting {key!r}")
                except NetlistError as error:
                    mark = netlist.mark("instances", base_name(name), "settings", key)
                    raise NetlistError(error.message, mark or instance.mark) from None
            else:
                found[key] = value
        return found

    def _sub_netlist(
        self, netlist: Netlist, name: str, instance: Instance, values: Mapping[str, Any], sub: Netlist
    ) -> None:
        where = f"instance {name!r} (netlist {instance.component!r})"
        others = [key for key in instance.settings if key not in {*sub.settings, AMBIENT}]
        if others and not sub.settings:
            mark = netlist.mark("instances", base_name(name)) or instance.mark
            text = f"{where}: {listing(others)} is built into the netlist and changes nothing."
            self.notes.append(f"{mark}: {text}" if mark else text)
        elif others:
            key = others[0]
            hint = did_you_mean(key, sub.settings)
            raise NetlistError(
                f"{where} has no setting {key!r}. It has: {listing(sub.settings)}.{hint}",
                netlist.mark("instances", base_name(name), "settings", key) or instance.mark,
            )
        settings = self._worked_out(netlist, name, instance, values, where)
        taken = {key: value for key, value in settings.items() if key not in others}
        self.visit(sub, taken, f" in netlist {instance.component!r}")

    def _model(self, netlist: Netlist, name: str, component: str, mark: Mark | None, inside: str) -> Model:
        """The model of a component, noted with its parameters and whether settings can be judged alone."""
        if component not in self.tables:
            if not registry.known(component):
                known = [*netlist.components, *registry.names()]
                raise NetlistError(
                    f"instance {name!r}{inside}: there is no component {component!r}."
                    f"{did_you_mean(component, known)} `photosim components` lists all of them; "
                    f"{about_unknown(component)}.",
                    mark,
                )
            model = registry.get(component)
            # Composites also refuse pairs of settings, each of which is right by itself, and so do variants.
            alone = isinstance(model, ClosedForm) or type(model).check is Model.check
            self.tables[component] = (model, parameters_of(model), alone)
        return self.tables[component][0]


def _resolved(netlist: Netlist, settings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return resolve(netlist.settings, settings)
    except NetlistError as error:
        raise NetlistError(error.message, netlist.mark("settings")) from None


def _culprit(model: Model, settings: Mapping[str, Any], where: str) -> str | None:
    """The one setting that is wrong by itself, if there is one."""
    for key, value in settings.items():
        try:
            model.check({key: value}, where)
        except ParameterError:
            return key
    return None


def _key(value: Any) -> Any:
    """Something hashable that is equal for equal values."""
    return value.tobytes() if hasattr(value, "tobytes") else repr(value)

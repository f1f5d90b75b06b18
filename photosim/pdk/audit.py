"""A kit held against the library: names of ports and parameters, units, defaults, windows, statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.metrics import UNITS
from photosim.model import registry
from photosim.netlist.layout_table import LAYOUT_SETTINGS, rule_of
from photosim.netlist.values import number_of, parameters_of
from photosim.pdk.units import comparable, factor

if TYPE_CHECKING:
    from photosim.errors import Mark
    from photosim.model import Model
    from photosim.model.parameters import Parameter as OurParameter
    from photosim.pdk.kit import Cell, Kit, Parameter, Port, Window

_CLOSE = 1e-9
_KINDS = {"float": "real", "int": "whole", "bool": "flag", "enum": "choice", "string": "text"}
_USUAL_UM = (0.2, 20.0)
"""Wavelengths in um that light on chips has."""
_LIMITED = (*UNITS, "power_dB", "crosstalk_dB")
"""Numbers of spectra that a limit may be about."""


@dataclass(frozen=True)
class Finding:
    """One mismatch between a kit and the library, or, if it is not serious, a note."""

    text: str
    mark: Mark | None = None
    serious: bool = True

    def __str__(self) -> str:
        """Return the sentence with its place."""
        return f"{self.mark}: {self.text}" if self.mark else self.text


def audit(kit: Kit) -> list[Finding]:
    """Return everything in which a kit and the library differ, a sentence each, in the order of the kit."""
    found: list[Finding] = []
    for cell in kit.cells:
        found += _cell(cell, kit)
    found += _claims(kit)
    found += _process(kit)
    found += [Finding(text, None, serious=False) for text in kit.not_read]
    return found


def _cell(cell: Cell, kit: Kit) -> Iterator[Finding]:
    rule = rule_of(cell.component)
    name = rule.component if rule is not None and not registry.known(cell.component) else cell.component
    if not registry.known(name):
        yield Finding(
            f"cell {cell.name!r}: there is no component {name!r}.{did_you_mean(name, registry.names())} "
            "A component of your own, or a file of S-parameters, can stand for it.",
            cell.mark,
        )
        return
    model = registry.get(name)
    yield from _ports(cell, model)
    for parameter in cell.parameters:
        yield from _parameter(cell, parameter, model, kit)
    targets = Counter(p.target for p in cell.parameters if p.target in parameters_of(model))
    for target, count in targets.items():
        if count > 1:
            twice = [repr(p.name) for p in cell.parameters if p.target == target]
            where = f"cell {cell.name!r} ({model.name})"
            text = f"{where}: {count} parameters, {listing(twice)}, are the component's {target!r}."
            yield Finding(text, cell.mark)
    for window in cell.windows:
        yield from _window(cell, window, model)
    yield from _limits(cell)


def _ports(cell: Cell, model: Model) -> Iterator[Finding]:
    """Compare the ports; those of a component whose ports are a setting are not known."""
    if cell.ports is None:
        return
    try:
        optical, electrical = model.ports_for({}), model.electrical_for({})
        aliases = model.aliases_for({})
    except ParameterError:
        optical = electrical = ()
        aliases = {}
    where = f"cell {cell.name!r} ({model.name})"
    if not optical and not electrical:
        yield Finding(
            f"{where}: its ports depend on settings and are not compared.", cell.mark, serious=False
        )
        return
    named = {port: port for port in (*optical, *electrical)} | dict(aliases)
    seen: Counter[str] = Counter()
    for port in cell.ports:
        own = named.get(port.target)
        if own is not None:
            seen[own] += 1
        finding = _port(where, port, named, (*optical, *electrical), electrical)
        if finding is not None:
            yield finding
    for own, count in seen.items():
        if count > 1:
            yield Finding(f"{where}: {count} ports of the cell are the component's port {own!r}.", cell.mark)
    lost = [port for port in optical if port not in seen]
    if lost:
        yield Finding(f"{where}: the kit has no port for {listing(lost)} of the component.", cell.mark)


def _port(
    where: str, port: Port, named: Mapping[str, str], known: tuple[str, ...], electrical: tuple[str, ...]
) -> Finding | None:
    """Compare one port with the component's of its name; None where they agree."""
    own = named.get(port.target)
    if own is None and port.domain == "electrical" and not electrical:
        text = f"{where}: the electrical port {port.name!r} is not simulated."
        return Finding(text, port.mark, serious=False)
    if own is None:
        hint = did_you_mean(port.target, known)
        text = f"{where}: the component has no port {port.target!r}. It has: {listing(known)}.{hint}"
        return Finding(text, port.mark)
    domain = "electrical" if own in electrical else "optical"
    if domain != port.domain:
        text = f"{where}: port {port.name!r} is {port.domain} in the kit and {domain} in the component."
        return Finding(text, port.mark)
    meant = named.get(port.name, own)
    if meant != own and port.name.isalpha():  # numbers are each kit's own
        text = f"{where}: the kit has its port {port.name!r} at {own!r}, the component at {meant!r}."
        return Finding(text, port.mark)
    return None


def _parameter(cell: Cell, parameter: Parameter, model: Model, kit: Kit) -> Iterator[Finding]:
    where = f"cell {cell.name!r} ({model.name}), parameter {parameter.name!r}"
    known = parameters_of(model)
    own = known.get(parameter.target)
    if own is None:
        if parameter.target in {*model.layout_settings, *LAYOUT_SETTINGS}:
            yield Finding(f"{where}: layout only, not simulated.", parameter.mark, serious=False)
        else:
            yield _unknown(where, parameter, known)
        yield from _statistic(where, parameter, None, kit)
        return
    wanted = _KINDS.get(parameter.kind)
    if wanted is not None and own.kind not in {wanted, "real" if wanted == "whole" else wanted}:
        text = f"{where}: the kit has a {parameter.kind}, the component a {own.kind} value, {own.bounds()}."
        yield Finding(text, parameter.mark)
        return
    if own.kind == "choice":
        wrong = [c for c in (*parameter.choices, parameter.default) if c is not None and c not in own.choices]
        if wrong:
            yield Finding(f"{where}: {wrong[0]!r} is not one of {listing(own.choices)}.", parameter.mark)
    if own.kind not in {"real", "whole"}:
        return
    scale = factor(parameter.unit, own.unit)
    if scale is None:
        yield Finding(
            f"{where}: the kit's unit is {parameter.unit or 'none'!r}, the component's {own.unit!r}"
            f"{'' if comparable(parameter.unit, own.unit) else ', which measure different things'}.",
            parameter.mark,
        )
        return
    if abs(scale - 1) > _CLOSE and parameter.name == parameter.target:
        yield Finding(
            f"{where}: the kit counts in {parameter.unit}, the component in {own.unit}: the same number "
            f"means {1 / scale:g} times as much here.",
            parameter.mark,
        )
    yield from _numbers(where, parameter, own, scale)
    yield from _statistic(where, parameter, own, kit)


def _unknown(where: str, parameter: Parameter, known: dict[str, OurParameter]) -> Finding:
    """Say what a parameter that the component does not have may be."""
    name = parameter.target
    base, _, unit = name.rpartition("_")
    if base in known and factor(unit, known[base].unit) is not None:
        text = f"the component calls it {base!r}, in {known[base].unit}"
        return Finding(f"{where}: the component has no {name!r}; {text}.", parameter.mark)
    return Finding(
        f"{where}: the component has no {name!r}. It has: {listing(known, 12)}.{did_you_mean(name, known)}",
        parameter.mark,
    )


def _numbers(where: str, parameter: Parameter, own: OurParameter, scale: float) -> Iterator[Finding]:
    """Compare default and bounds."""
    unit = "" if own.unit in {"1", "-"} else f" {own.unit}"
    default = number_of(parameter.default)
    ends = [None if end is None else end * scale for end in (parameter.low, parameter.high)]
    if parameter.default is not None and default is None:
        yield Finding(f"{where}: the default {parameter.default!r} is not a number.", parameter.mark)
    if ends[0] is not None and ends[1] is not None and ends[0] > ends[1]:
        yield Finding(
            f"{where}: its min {parameter.low:g} is above its max {parameter.high:g}.", parameter.mark
        )
    elif default is not None and not _between(default * scale, *ends):
        yield Finding(
            f"{where}: the default {default:g} {parameter.unit} lies outside of the kit's own range, "
            f"{_range(parameter.low, parameter.high)} {parameter.unit}.",
            parameter.mark,
        )
    for end, word in zip(ends, ("min", "max"), strict=True):
        if end is not None and not own.low <= end <= own.high:
            yield Finding(
                f"{where}: its {word} of {end:g}{unit} is beyond what the component takes, "
                f"{own.bounds()}{unit}.",
                parameter.mark,
            )
    if default is None:
        return
    here = default * scale
    if not own.low <= here <= own.high:
        text = (
            f"{where}: the default {here:g}{unit} is beyond what the component takes, {own.bounds()}{unit}."
        )
        yield Finding(text, parameter.mark)
    ours = number_of(own.default)
    if ours is not None and abs(here - ours) > _CLOSE * max(abs(ours), abs(here)):
        yield Finding(
            f"{where}: the default is {here:g}{unit} in the kit and {ours:g}{unit} in the component.",
            parameter.mark,
        )


def _between(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _range(low: float | None, high: float | None) -> str:
    return f"{'-' if low is None else f'{low:g}'} to {'-' if high is None else f'{high:g}'}"


def _statistic(where: str, parameter: Parameter, own: OurParameter | None, kit: Kit) -> Iterator[Finding]:
    spread = parameter.statistic
    if spread is None:
        return
    if spread.random_var is not None and spread.random_var not in kit.random_vars:
        hint = did_you_mean(spread.random_var, kit.random_vars)
        yield Finding(f"{where}: its random_var {spread.random_var!r} is not declared.{hint}", parameter.mark)
    default = number_of(parameter.default)
    if spread.nominal is not None and default is not None and spread.nominal != default:
        text = f"{where}: its spread is about {spread.nominal:g}, its default {default:g}."
        yield Finding(text, parameter.mark)
    if default is not None and own is not None:
        sigma = abs(default) * spread.sigma / 100 if spread.percent else spread.sigma
        scale = factor(parameter.unit, own.unit) or 1.0
        if not own.low <= (default - 3 * sigma) * scale or not (default + 3 * sigma) * scale <= own.high:
            yield Finding(
                f"{where}: three standard deviations of {sigma:g} {parameter.unit} leave what the component "
                f"takes, {own.bounds()}.",
                parameter.mark,
            )


def _window(cell: Cell, window: Window, model: Model) -> Iterator[Finding]:
    where = f"cell {cell.name!r} ({model.name}), window of {window.of!r}"
    if window.low >= window.high:
        yield Finding(
            f"{where}: its first value {window.low:g} is not below its last, {window.high:g}.", window.mark
        )
        return
    names = {target.name: target.target for target in cell.parameters}
    of = names.get(window.of, window.of)
    known = parameters_of(model)
    if of != "wl" and of not in known:
        hint = did_you_mean(of, ["wl", *known])
        yield Finding(f"{where}: it is about neither the wavelength nor a parameter.{hint}", window.mark)
        return
    unit = "um" if of == "wl" else known[of].unit
    scale = factor(window.unit, unit)
    if scale is None:
        text = f"{where}: its unit is {window.unit or 'none'!r}, which is not a unit such as {unit!r}."
        yield Finding(text, window.mark)
        return
    low, high = window.low * scale, window.high * scale
    if of == "wl" and not _USUAL_UM[0] <= low <= high <= _USUAL_UM[1]:
        guess = " It looks like nm." if _USUAL_UM[0] <= low / 1000 <= _USUAL_UM[1] else ""
        text = (
            f"{where}: {window.low:g} to {window.high:g} {window.unit} is not a window of wavelengths.{guess}"
        )
        yield Finding(text, window.mark)
        return
    for own in model.windows:
        if own.of != of:
            continue
        first, last = own.span(model.defaults)
        if low < first - _CLOSE or high > last + _CLOSE:
            yield Finding(
                f"{where}: the kit claims {low:g} to {high:g} {unit}, but the component's model holds for "
                f"{own.words((first, last))} {unit} ({own.basis}).",
                window.mark,
            )


def _limits(cell: Cell) -> Iterator[Finding]:
    """Find limits of what is not read off spectra, and those that nothing can meet."""
    for name, bounds in cell.limits.items():
        where = f"cell {cell.name!r}, limit of {name!r}"
        if name not in _LIMITED:
            known = f"a limit is about one of {listing(_LIMITED)}.{did_you_mean(name, _LIMITED)}"
            yield Finding(f"{where}: no such number is read off a spectrum; {known}", cell.mark)
        elif not bounds:
            yield Finding(f"{where}: it has neither min nor max.", cell.mark)
        elif len(bounds) == 2 and bounds["min"] > bounds["max"]:
            text = f"{where}: its min {bounds['min']:g} is above its max {bounds['max']:g}."
            yield Finding(text, cell.mark)


def _claims(kit: Kit) -> Iterator[Finding]:
    """Find cells that are described twice."""
    counts = Counter(cell.claim for cell in kit.cells if cell.claim is not None)
    for claim, count in counts.items():
        if count > 1:
            where = next(c.mark for c in reversed(kit.cells) if c.claim == claim)
            text = f"{count} cards claim to be the {claim[1]} model of {claim[0]!r}: one can be canonical."
            yield Finding(text, where)


def _process(kit: Kit) -> Iterator[Finding]:
    """Compare the corners with the draws."""
    for corner, knobs in kit.corners.items():
        for knob in knobs:
            if knob not in kit.random_vars:
                hint = did_you_mean(knob, kit.random_vars)
                text = f"corner {corner!r} moves {knob!r}, which is not one of the kit's random_vars.{hint}"
                yield Finding(text, kit.marks.get(corner))
    spreads = [p.statistic for cell in kit.cells for p in cell.parameters if p.statistic]
    for name, shared in kit.random_vars.items():
        own = {spread.sigma for spread in spreads if spread.random_var == name}
        if not own:
            yield Finding(f"random_var {name!r} moves no parameter of any cell.", None, serious=False)
        elif shared.sigma not in (0.0, 1.0) and own != {shared.sigma}:
            text = f"random_var {name!r}: its sigma of {shared.sigma:g} is not used: parameters state theirs."
            yield Finding(text, None, serious=False)

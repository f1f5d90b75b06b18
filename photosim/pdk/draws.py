"""What a kit says of spread and limits, put in the words of a yield: for a circuit, or for one cell alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import registry
from photosim.netlist.layout_table import rule_of
from photosim.netlist.values import number_of, parameters_of
from photosim.pdk.units import factor

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.model import Model
    from photosim.pdk.kit import Cell, Kit, Parameter, Statistic

_LOSS = "insertion_loss_dB"
"""A limit of a whole cell: power_dB at every wavelength, of cells without lines too."""


@dataclass(frozen=True)
class Spread:
    """One setting of a circuit that a kit gives a spread: its value, standard deviation, and its draw."""

    setting: str
    value: float
    sigma: float
    draw: str
    statistic: Statistic

    @property
    def distribution(self) -> dict[str, Any]:
        """The spread as an entry of `variation: settings:`, about the value that the circuit has."""
        if self.statistic.distribution == "uniform":
            reach = 3**0.5 * self.sigma
            ends = {"low": self.value - reach, "high": self.value + reach}
            return {"distribution": "uniform", **ends, "draw": self.draw}
        return {"sigma": self.sigma, "draw": self.draw}


def spreads(kit: Kit, circuit: Circuit, cells: Mapping[str, str] | None = None) -> tuple[Spread, ...]:
    """Return the settings of a circuit that a kit gives a spread.

    cells: the cell of an instance, by instance, where two cells of the kit are one component. Raises
    ParameterError where that is not known, for an unknown instance or cell, and where nothing varies.
    """
    by_name = {cell.name: cell for cell in kit.cells}
    models = _instances(circuit)
    said = cells or {}
    for names, known, what in ((said, models, "instance"), (said.values(), by_name, "cell")):
        for name in names:
            if name not in known:
                message = f"Kit {kit.name!r}: there is no {what} {name!r}.{did_you_mean(name, known)}"
                raise ParameterError(message)
    found: list[Spread] = []
    for instance, model in models.items():
        cell = _cell_of(kit, instance, model, said.get(instance))
        if cell is not None:
            found += _of_instance(kit, circuit, instance, model, by_name[cell])
    if not found:
        message = f"Kit {kit.name!r} gives no setting of circuit {circuit.name!r} a spread."
        raise ParameterError(message)
    return tuple(found)


def variation(kit: Kit, circuit: Circuit, cells: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what varies, as `ps.montecarlo` takes it: {"settings": {name: distribution}}."""
    return {"settings": {one.setting: one.distribution for one in spreads(kit, circuit, cells)}}


def corners(
    kit: Kit, circuit: Circuit, cells: Mapping[str, str] | None = None
) -> dict[str, dict[str, float]]:
    """Return the settings of each corner of a kit, by corner, as a call of the circuit takes them."""
    moved = [(one, one.statistic.random_var or "") for one in spreads(kit, circuit, cells)]
    return {
        corner: {one.setting: one.value + one.sigma * knobs[name] for one, name in moved if name in knobs}
        for corner, knobs in kit.corners.items()
    }


def cell_netlist(kit: Kit, name: str) -> dict[str, Any]:
    """Return a netlist of one cell alone, its limits as a specification and its spread as a yield.

    Raises ParameterError for a cell that the kit or the library does not have.
    """
    cell = next((one for one in kit.cells if one.name == name), None)
    if cell is None:
        known = [one.name for one in kit.cells]
        message = f"Kit {kit.name!r} has no cell {name!r}.{did_you_mean(name, known)}"
        raise ParameterError(message if did_you_mean(name, known) else f"{message} It has: {listing(known)}.")
    model = _model(cell)
    settings = {p.target: value for p in cell.parameters if (value := _default(p, model)) is not None}
    ports = model.ports_for(settings)
    names = {port.target: port.name for port in cell.ports or () if port.domain == "optical"}
    exposed = {names.get(port, port): f"cell,{port}" for port in ports}
    netlist: dict[str, Any] = {
        "name": name,
        "instances": {"cell": {"component": model.name, "settings": settings}},
        "ports": exposed,
    }
    if cell.limits:
        netlist["specification"] = [_limit(cell, metric, [*exposed]) for metric in cell.limits]
    return netlist


def _instances(circuit: Circuit) -> dict[str, Model]:
    """Return the components of a circuit by instance, without what composites are made of."""
    composites = circuit.graph.composites
    whole = {part.name: part.model for part in circuit.graph.parts} | dict(composites)
    inside = tuple(f"{name}." for name in composites)
    return {name: model for name, model in whole.items() if not name.startswith(inside)}


def _component(cell: Cell) -> str:
    rule = rule_of(cell.component)
    return rule.component if rule is not None and not registry.known(cell.component) else cell.component


def _model(cell: Cell) -> Model:
    name = _component(cell)
    if not registry.known(name):
        message = f"Cell {cell.name!r}: there is no component {name!r}.{did_you_mean(name, registry.names())}"
        raise ParameterError(message)
    return registry.get(name)


def _cell_of(kit: Kit, instance: str, model: Model, said: str | None) -> str | None:
    """Return the cell of an instance; None where the kit has none or gives it no spread."""
    if said is not None:
        return said
    found = [
        cell.name for cell in kit.cells
        if _component(cell) == model.name and any(p.statistic for p in cell.parameters)
    ]  # fmt: skip
    if len(found) > 1:
        message = (
            f"Instance {instance!r} ({model.name}) may be any of the cells {listing(found)} of kit "
            f"{kit.name!r}: say which, as cells={{{instance!r}: {found[0]!r}}}."
        )
        raise ParameterError(message)
    return found[0] if found else None


def _of_instance(kit: Kit, circuit: Circuit, instance: str, model: Model, cell: Cell) -> Iterator[Spread]:
    for parameter in cell.parameters:
        spread = parameter.statistic
        setting = f"{instance}.{parameter.target}"
        own = parameters_of(model).get(parameter.target)
        written = circuit.parameters.get(setting)
        if spread is None or own is None or isinstance(written, bool) or not spread.sigma:
            continue
        if not isinstance(written, int | float):
            continue  # a table, or a setting that is not given
        scale = abs(written) / 100 if spread.percent else factor(parameter.unit, own.unit)
        if scale is None:
            message = (
                f"Kit {kit.name!r}, cell {cell.name!r}: {parameter.name!r} is in "
                f"{parameter.unit or 'no unit'}, the component's {parameter.target!r} in {own.unit}."
            )
            raise ParameterError(message)
        shared = kit.random_vars.get(spread.random_var or "")
        scope = spread.scope if shared is None else shared.scope
        name = spread.random_var or f"{cell.name}.{parameter.name}"
        draw = f"{instance}:{name}" if scope == "mismatch" else name
        yield Spread(setting, float(written), spread.sigma * scale, draw, spread)


def _default(parameter: Parameter, model: Model) -> Any:
    """Return the kit's default in the component's unit; None where there is none."""
    own = parameters_of(model).get(parameter.target)
    if own is None or parameter.default is None:
        return None
    number = number_of(parameter.default)
    if number is None or isinstance(parameter.default, bool):
        return parameter.default
    value = number * (factor(parameter.unit, own.unit) or 1.0)
    return int(value) if own.kind == "whole" else value


def _limit(cell: Cell, metric: str, ports: list[str]) -> dict[str, Any]:
    """Return a limit as an entry of a specification, from the cell's first port to the last on its right."""
    bounds = cell.limits[metric]
    entry: dict[str, Any] = {"name": metric, "quantity": metric, "from": ports[0], "to": ports[-1]}
    low, high = bounds.get("min"), bounds.get("max")
    if metric == _LOSS:
        entry["quantity"] = "power_dB"
        low, high = (None if high is None else -high), (None if low is None else -low)
    if low is not None and high is not None:
        return entry | {"within": [low, high]}
    return entry | ({"at_least": low} if low is not None else {"at_most": high})

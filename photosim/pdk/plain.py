"""Kits as plain YAML of our own.

photosim_pdk: 1
name: my_kit
cells:
  my_straight:
    component: straight
    ports: {in: o1, out: o2}
    parameters:
      length_nm: {component: length, unit: nm, default: 10000, min: 100, max: 1e7, sigma: 5}
    windows: {wl: {min: 1500, max: 1600, unit: nm}}
    limits: {insertion_loss_dB: {max: 0.3}}
process:
  random_vars: {width: {sigma: 1.0}}
  corners: {narrow: {width: -3}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from photosim.errors import NetlistError
from photosim.netlist.form_errors import MappingError
from photosim.netlist.forms import Form
from photosim.netlist.mappings import read
from photosim.pdk.kit import Cell, Kit, Parameter, Port, Statistic, Window

if TYPE_CHECKING:
    from photosim.netlist.compose import Tree

KEY, VERSION = "photosim_pdk", 1


def _as_names(value: Any) -> Any:
    return {name: name for name in value} if isinstance(value, list) and all(
        isinstance(name, str) for name in value
    ) else value  # fmt: skip


class SpreadForm(Form):
    """A draw of the process that several values share."""

    sigma: float = Field(ge=0)
    distribution: Literal["normal", "uniform"] = "normal"
    scope: Literal["process", "mismatch"] = "process"


class ParameterForm(Form):
    """A parameter of a cell."""

    component: str | None = None
    unit: str = ""
    kind: Literal["float", "int", "string", "bool", "enum"] = "float"
    default: Any = None
    min: float | None = None
    max: float | None = None
    choices: list[str] = Field(default_factory=list)
    sigma: float | None = Field(default=None, ge=0)
    scope: Literal["process", "mismatch"] = "process"
    random_var: str | None = None


class WindowForm(Form):
    """First and last value at which a cell holds."""

    min: float
    max: float
    unit: str = ""


class LimitForm(Form):
    """Bounds of a metric."""

    min: float | None = None
    max: float | None = None


class CellForm(Form):
    """A cell of a kit."""

    component: str | None = None
    ports: Annotated[dict[str, str], BeforeValidator(_as_names)] | None = None
    electrical: list[str] = Field(default_factory=list)
    parameters: dict[str, ParameterForm] = Field(default_factory=dict)
    windows: dict[str, WindowForm] = Field(default_factory=dict)
    limits: dict[str, LimitForm] = Field(default_factory=dict)
    binding: str | None = None


class ProcessForm(Form):
    """Corners, in standard deviations, and draws that several values share."""

    random_vars: dict[str, SpreadForm] = Field(default_factory=dict)
    corners: dict[str, dict[str, float]] = Field(default_factory=dict)


class KitForm(Form):
    """A kit."""

    photosim_pdk: int
    name: str | None = None
    cells: dict[str, CellForm]
    process: ProcessForm | None = None


def read_plain(tree: Tree, name: str) -> Kit:
    """Return the kit of a plain YAML file.

    Raises NetlistError for a file of another version or form, with its line.
    """
    data = tree.data
    if data[KEY] != VERSION:
        raise NetlistError(
            f"the kit is of version {data[KEY]!r}; version {VERSION} is read",
            tree.mark(data, KEY, value=True),
        )
    try:
        form: KitForm = read(KitForm, data, "the kit", noun="key")
    except MappingError as error:
        raise NetlistError(str(error), tree.follow(error.path)) from None
    for cell, body in form.cells.items():
        if body.binding is not None and not body.binding.replace(".", "").replace(":", "").isidentifier():
            raise NetlistError(
                f"cell {cell!r}: 'binding' is {body.binding[:60]!r}, but must be the name of a function, as "
                "package.module:name; nothing in a kit is run",
                tree.follow(("cells", cell, "binding")),
            )
    process = form.process or ProcessForm()
    return Kit(
        form.name or name,
        tuple(_cell(tree, cell, body) for cell, body in form.cells.items()),
        process.corners,
        {k: Statistic(v.sigma, v.distribution, False, v.scope) for k, v in process.random_vars.items()},
        {corner: tree.follow(("process", "corners", corner)) for corner in process.corners},
    )


def _cell(tree: Tree, name: str, form: CellForm) -> Cell:
    def mark(*path: str) -> Any:
        return tree.follow(("cells", name, *path))

    parameters = tuple(
        Parameter(
            key, p.component or key, p.unit, p.kind, p.default, p.min, p.max, tuple(p.choices),
            None if p.sigma is None else Statistic(p.sigma, "normal", False, p.scope, p.random_var),
            mark("parameters", key),
        )
        for key, p in form.parameters.items()
    )  # fmt: skip
    optical = () if form.ports is None else tuple(
        Port(pin, port, "optical", mark("ports", pin)) for pin, port in form.ports.items()
    )  # fmt: skip
    metal = tuple(Port(pin, pin, "electrical", mark("electrical")) for pin in form.electrical)
    limits = {
        key: {k: v for k, v in (("min", bound.min), ("max", bound.max)) if v is not None}
        for key, bound in form.limits.items()
    }
    return Cell(
        name,
        form.component or name,
        None if form.ports is None else (*optical, *metal),
        parameters,
        tuple(Window(key, w.min, w.max, w.unit, mark("windows", key)) for key, w in form.windows.items()),
        limits,
        None,
        mark(),
    )

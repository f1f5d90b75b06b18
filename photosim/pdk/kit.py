"""What a kit says of its cells: ports, parameters, windows, statistics, corners and limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.errors import Mark


@dataclass(frozen=True)
class Statistic:
    """Spread of a value: one standard deviation, in the unit of the value or in percent of it.

    scope: "process", one draw a chip, or "mismatch", one draw an instance. random_var: name of a draw that
    several values share.
    """

    sigma: float
    distribution: str = "normal"
    percent: bool = False
    scope: str = "process"
    random_var: str | None = None
    nominal: float | None = None


@dataclass(frozen=True)
class Parameter:
    """A parameter of a cell; `target` is the component's name for it."""

    name: str
    target: str
    unit: str = ""
    kind: str = "float"
    default: Any = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    statistic: Statistic | None = None
    mark: Mark | None = None


@dataclass(frozen=True)
class Port:
    """A port of a cell; `target` is the component's name for it."""

    name: str
    target: str
    domain: str = "optical"
    mark: Mark | None = None


@dataclass(frozen=True)
class Window:
    """Values of one quantity, first and last, at which a cell's model holds, in the kit's unit."""

    of: str
    low: float
    high: float
    unit: str
    mark: Mark | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of a kit; `ports` is None where the kit leaves them to the layout."""

    name: str
    component: str
    ports: tuple[Port, ...] | None = None
    parameters: tuple[Parameter, ...] = ()
    windows: tuple[Window, ...] = ()
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    claim: tuple[str, str] | None = None
    """Factory and representation of a card that claims to be the default one."""
    mark: Mark | None = None


@dataclass(frozen=True)
class Kit:
    """A process design kit as it was written; :func:`photosim.pdk.check` holds it against the library."""

    name: str
    cells: tuple[Cell, ...] = ()
    corners: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    random_vars: Mapping[str, Statistic] = field(default_factory=dict)
    marks: Mapping[str, Mark | None] = field(default_factory=dict)
    not_read: tuple[str, ...] = ()
    """Files of the folder that are not of a kit, with the reason."""

    def statistics(self) -> dict[str, dict[str, Any]]:
        """Return the spread of each parameter, by cell and parameter: what draws for a yield need."""
        return {
            f"{cell.name}.{parameter.name}": {
                "component": cell.component,
                "setting": parameter.target,
                "unit": parameter.unit,
                "mean": parameter.default,
                **{key: value for key, value in vars(parameter.statistic).items() if value is not None},
            }
            for cell in self.cells
            for parameter in cell.parameters
            if parameter.statistic is not None
        }

    def variation(self, circuit: Circuit, cells: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return what varies in a circuit of this kit's cells, as `ps.montecarlo` takes it.

        Spread is about the values that the circuit has. A random_var, and the spread of one parameter of one
        cell, is one draw for all instances, those of scope "mismatch" one for each. cells: the cell of an
        instance, where two cells are one component. Raises ParameterError where that is not known, and where
        nothing varies.
        """
        from photosim.pdk.draws import variation

        return variation(self, circuit, cells)

    def corner_settings(
        self, circuit: Circuit, cells: Mapping[str, str] | None = None
    ) -> dict[str, dict[str, float]]:
        """Return the settings of a circuit in each corner, by corner: circuit(wl, **settings[corner]).

        Raises ParameterError as `variation`.
        """
        from photosim.pdk.draws import corners

        return corners(self, circuit, cells)

    def netlist(self, cell: str) -> dict[str, Any]:
        """Return a netlist of one cell alone, its limits as the `specification:`.

        A limit of insertion_loss_dB holds at every wavelength requested. Raises ParameterError for an unknown
        cell.
        """
        from photosim.pdk.draws import cell_netlist

        return cell_netlist(self, cell)

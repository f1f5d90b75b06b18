"""Light that follows driven settings at once: photocurrents as functions of the settings, with exact slopes.

The driven parts are cut out of the circuit. What is left is linear and does not change: between the waves
that enter driven parts, those that leave them, sources and detectors there is one small matrix a line of
light. A driven part is a table over its setting. So currents and slopes cost one small inversion a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.guards import reached
from photosim.engine.plan import Planned
from photosim.engine.plan_search import make_plan
from photosim.engine.waves import leaving, wave_request
from photosim.errors import ParameterError, listing
from photosim.model import ClosedForm, Detector, Nonlinear, Numerical, Source
from photosim.model.algebra import NUMPY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    ComplexArray = NDArray[np.complex128]

TABLE_ERROR = 1e-9
"""Error of a table's S-matrix elements between its points at which it is fine enough."""
_LEAST, _LARGEST = 64, 1 << 15
_STEP_HZ = 1e3
"""Distance of two frequencies between which delays are read."""
_WIDTHS = {"V": 1.0, "A": 1e-2, "W": 1e-2, "rad": 6.3, "K": 10.0}
"""Half of the first range of a table, by the setting's unit."""


@dataclass(frozen=True)
class Beam:
    """A line of light: where it enters, its frequency in Hz and amplitude in sqrt(W).

    group: number of the carrier on which it beats with others.  offset: its distance in Hz from that carrier.
    source: name of the part it comes from.  moves: whether its amplitude follows a drive.
    """

    wave: int
    frequency: float
    amplitude: complex
    group: int
    offset: float
    source: str
    moves: bool = False


@dataclass
class Table:
    """The range over which a driven part is tabulated, and the error between points; both may grow."""

    part: Part
    setting: str
    low: float
    high: float
    points: int = _LEAST
    error: float = 0.0

    @property
    def name(self) -> str:
        """The setting by dotted name."""
        return f"{self.part.name}.{self.setting}"


@dataclass
class QuasiStatic:
    """Photocurrents of a circuit whose driven settings are those of `tables`, in this order.

    followed: how many of them follow the electronics, the first ones; the others have values of their own.
    """

    compiled: Compiled
    base: Point
    tables: list[Table]
    followed: int
    beams: list[Beam]
    detectors: list[Part]
    settings_of: Callable[[Part], Mapping[str, Any]]
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Cut the driven parts out, and refuse light that no table can stand for."""
        graph = self.compiled.graph
        self.edges = dict(self.compiled.edges)
        self.own: list[dict[tuple[int, int], int]] = []
        for table in self.tables:
            ports = set(range(table.part.first_port, table.part.first_port + len(table.part.ports)))
            self.own.append({pair: v for pair, v in self.edges.items() if pair[0] in ports})
        whole: dict[int, list[int]] = {}
        for a, b in self.edges:
            whole.setdefault(a, []).append(b)
        lit = reached(whole, {beam.wave for beam in self.beams}) | {beam.wave for beam in self.beams}
        self._refuse_nonlinear(lit)
        for own in self.own:
            for pair in own:
                del self.edges[pair]
        self.arriving = sorted({a for own in self.own for a, _ in own if a in lit})
        self.leaving = sorted({b for own in self.own for a, b in own if a in lit})
        self.ports = [
            part.first_port + k for part in self.detectors for k in range(len(part.ports))
        ]  # fmt: skip
        del graph

    def _refuse_nonlinear(self, lit: set[int]) -> None:
        for part in self.compiled.graph.parts:
            if isinstance(part.model, Nonlinear):
                message = (
                    f"Instance {part.name!r} ({part.model.name}) is in the same circuit as the control loop "
                    f"of {listing([repr(t.name) for t in self.tables[: self.followed]])}, and control loops "
                    "cannot include nonlinear parts: take a linear part, or break the loop."
                )
                raise ParameterError(message)
        del lit

    # --- the network ----------------------------------------------------------------------------------

    def network(self, shift: float = 0.0) -> tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray]:
        """Return inner, source, outer, direct of each line, all lines `shift` Hz higher."""
        key = ("network", shift)
        if key not in self._kept:
            entering = [*self.leaving, *dict.fromkeys(beam.wave for beam in self.beams)]
            asked = [*self.arriving, *self.ports]
            request = wave_request(self.edges, asked, entering)
            planned = Planned(request, lambda: make_plan(request.edges, request.wanted))
            frequency = np.array([beam.frequency + shift for beam in self.beams])
            wl, place = np.unique(SPEED_OF_LIGHT_UM_S / frequency, return_inverse=True)
            s = self.compiled.solve(planned, self.base, wl, (len(asked), len(entering)))[place.reshape(-1)]
            waves, out = len(self.arriving), len(self.leaving)
            amplitude = np.array([beam.amplitude for beam in self.beams])[:, np.newaxis]
            column = np.array([entering.index(beam.wave, out) for beam in self.beams])
            from_source = s[np.arange(len(self.beams)), :, column] * amplitude
            self._kept[key] = tuple(
                np.ascontiguousarray(part, dtype=np.complex128)
                for part in (
                    s[:, :waves, :out],
                    from_source[:, :waves],
                    s[:, waves:, :out],
                    from_source[:, waves:],
                )
            )
        found: tuple[ComplexArray, ComplexArray, ComplexArray, ComplexArray] = self._kept[key]
        return found

    def elements(self, number: int, values: FloatArray, shift: float = 0.0) -> ComplexArray:
        """Return the S-matrix elements of a driven part at values of its setting, (N, lines, elements)."""
        table, own = self.tables[number], self.own[number]
        part, model = table.part, table.part.model
        wl, place = np.unique(
            [SPEED_OF_LIGHT_UM_S / (beam.frequency + shift) for beam in self.beams], return_inverse=True
        )
        settings = dict(self.settings_of(part))
        behind = {leaving(self.compiled.graph, part.first_port + k): k for k in range(len(part.ports))}
        pairs = [(a - part.first_port, behind[b]) for a, b in own if a in self.arriving]
        if isinstance(model, ClosedForm):
            settings[table.setting] = values[:, np.newaxis]
            made = model.entries(NUMPY, wl, settings)
            rows = [made[part.ports[a], part.ports[b]] for a, b in pairs]
            s = np.stack([np.broadcast_to(row, (values.size, wl.size)) for row in rows], axis=-1)
        elif isinstance(model, Numerical):
            rows = [model.s(wl, **{**settings, table.setting: float(v)}) for v in values]
            s = np.array([[row[:, b, a] for a, b in pairs] for row in rows]).transpose(0, 2, 1)
        else:
            message = f"Setting {table.name!r} belongs to a {model.name}, which a control loop cannot drive."
            raise ParameterError(message)
        return np.asarray(s[:, place.reshape(-1)], dtype=np.complex128)

    # --- the kernel's arrays ---------------------------------------------------------------------------

    def light(
        self, reads: IntArray, targets: IntArray, own: FloatArray, amplitudes: FloatArray
    ) -> tuple[Any, ...]:
        """Return the arrays of `kernels.networks.nonlinear`.

        reads, targets: as there.  own (K + 1, q): values of the settings that follow nothing.
        amplitudes (K + 1, A): those of the beams that move, over their first.
        """
        tables, entries, grids = self._tables()
        moving = [k for k, beam in enumerate(self.beams) if beam.moves]
        numbers = np.array(
            [(beam.group, moving.index(k) if beam.moves else -1) for k, beam in enumerate(self.beams)]
        )
        offsets = np.array([2 * np.pi * beam.offset for beam in self.beams])
        return (
            reads, targets, grids, entries, tables, *self.network(),
            numbers.astype(np.int64).reshape(-1, 2), offsets, self._receivers(), own, amplitudes,
        )  # fmt: skip

    def _receivers(self) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        if "receivers" not in self._kept:
            groups = 1 + max((beam.group for beam in self.beams), default=0)
            carriers = [
                next(b.frequency - b.offset for b in self.beams if b.group == g) for g in range(groups)
            ]
            wl = SPEED_OF_LIGHT_UM_S / np.array(carriers)
            owners, rows, limits, dark = [], [], [], []
            for number, part in enumerate(self.detectors):
                assert isinstance(part.model, Detector)  # noqa: S101 - chosen by kind
                settings = self.settings_of(part)
                per = part.model.responsivity(wl, **settings)
                limit = settings.get("saturation_power")
                for port in part.ports:
                    owners.append(number)
                    rows.append(np.broadcast_to(np.asarray(per.get(port, 0.0), dtype=np.float64), wl.shape))
                    limits.append(np.inf if limit is None else float(limit))
                dark.append(float(part.model.dark(wl, **settings)))
            self._kept["receivers"] = (
                np.array(owners, dtype=np.int64), np.ascontiguousarray(np.array(rows).T),
                np.array(limits), np.array(dark),
            )  # fmt: skip
        found: tuple[IntArray, FloatArray, FloatArray, FloatArray] = self._kept["receivers"]
        return found

    def _tables(self) -> tuple[ComplexArray, IntArray, FloatArray]:
        """Return tables (lines, rows, 2), entries (E, 4) and grids (settings, 3)."""
        key = ("tables", *((t.low, t.high) for t in self.tables))
        if key not in self._kept:
            for old in [k for k in self._kept if k[0] == "tables"]:
                del self._kept[old]
            rows: list[ComplexArray] = []
            entries: list[tuple[int, int, int, int]] = []
            grids = []
            first = 0
            for number, table in enumerate(self.tables):
                found = self._tabulated(number)
                step = (table.high - table.low) / (found.shape[1] - 1)
                grids.append((table.low, step, found.shape[1] - 1))
                pairs = [pair for pair in self.own[number] if pair[0] in self.arriving]
                for k, (a, b) in enumerate(pairs):
                    entries.append((number, self.leaving.index(b), self.arriving.index(a), first))
                    rows.append(found[..., k, :])
                    first += found.shape[1]
            whole = (
                np.ascontiguousarray(np.concatenate(rows, axis=1))
                if rows
                else np.zeros((len(self.beams), 0, 2))
            )
            self._kept[key] = (
                whole.astype(np.complex128),
                np.array(entries, dtype=np.int64).reshape(-1, 4),
                np.array(grids, dtype=np.float64).reshape(-1, 3),
            )
        found_all: tuple[ComplexArray, IntArray, FloatArray] = self._kept[key]
        return found_all

    def _tabulated(self, number: int) -> ComplexArray:
        """Return values and slopes times step of a part, (lines, points, elements, 2), fine enough."""
        from scipy.interpolate import CubicSpline

        table = self.tables[number]
        while True:
            grid = np.linspace(table.low, table.high, table.points + 1)
            values = self.elements(number, grid)
            spline = CubicSpline(grid, values)
            middle = (grid[:-1] + grid[1:]) / 2
            table.error = float(np.abs(spline(middle) - self.elements(number, middle)).max(initial=0.0))
            if table.error <= TABLE_ERROR or 2 * table.points > _LARGEST:
                break
            table.points *= 2
        step = (table.high - table.low) / table.points
        return np.moveaxis(np.stack([values, spline(grid, 1) * step], axis=-1), 0, 1)

    # --- delays -----------------------------------------------------------------------------------------

    def fields(self, values: FloatArray, shift: float = 0.0) -> ComplexArray:
        """Return the light (N, lines, ports) on detectors at values (N, settings), lines shifted by Hz."""
        inner, source, outer, direct = self.network(shift)
        shape = (len(values), len(self.beams), len(self.leaving), len(self.arriving))
        gates = np.zeros(shape, dtype=np.complex128)
        for number, own in enumerate(self.own):
            pairs = [pair for pair in own if pair[0] in self.arriving]
            s = self.elements(number, np.ascontiguousarray(values[:, number]), shift)
            for k, (a, b) in enumerate(pairs):
                gates[:, :, self.leaving.index(b), self.arriving.index(a)] = s[..., k]
        eye = np.eye(len(self.arriving))
        found = np.linalg.solve(eye - inner @ gates, source[..., np.newaxis])
        return np.asarray((outer @ gates @ found)[..., 0] + direct)

    def lifetime(self, values: FloatArray) -> float:
        """Return how late light is in s at values (N, settings): the slope of fields over the largest field.

        In a resonator it is of the order of the photon lifetime, along a path its delay.
        """
        above, below = (self.fields(values, shift) for shift in (_STEP_HZ, -_STEP_HZ))
        largest = np.abs(above).max(axis=(0, 2), keepdims=True)
        slope = np.abs(above - below) / (4 * np.pi * _STEP_HZ)
        return float((slope / np.where(largest > 0.0, largest, np.inf)).max(initial=0.0))


def table_of(part: Part, setting: str, at: float) -> Table:
    """Return the first range of a setting's table, about a value."""
    parameter = part.model.parameters[setting]
    width = _WIDTHS.get(parameter.unit, 1.0)
    return Table(part, setting, max(parameter.low, at - width), min(parameter.high, at + width))


def beams_of(
    compiled: Compiled, settings_of: Callable[[Part], Mapping[str, Any]], carriers: Sequence[float] = ()
) -> list[Beam]:
    """Return the lines of all sources; those near one of the carriers in Hz beat there, others alone."""
    found: list[Beam] = []
    groups: list[float] = list(carriers)
    for part in compiled.graph.parts:
        if not isinstance(part.model, Source):
            continue
        settings = dict(settings_of(part))
        moves = [key for key, value in settings.items() if np.ndim(value)]
        first = {k: float(np.asarray(v).flat[0]) if np.ndim(v) else v for k, v in settings.items()}
        if moves:
            first["power"] = 1.0
        wl, power = part.model.lines(**first)
        for frequency, own in zip((SPEED_OF_LIGHT_UM_S / wl).tolist(), power.tolist(), strict=True):
            if carriers:
                group = int(np.argmin([abs(frequency - c) for c in carriers]))
            else:
                groups.append(frequency)
                group = len(groups) - 1
            wave = leaving(compiled.graph, part.first_port)
            found.append(
                Beam(wave, frequency, np.sqrt(own), group, frequency - groups[group], part.name, bool(moves))
            )
    return found

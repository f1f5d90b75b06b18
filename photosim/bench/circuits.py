"""Circuits of the benchmarks: netlists of plain parts, and the one setting that changes between sweeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.model import Connection, Instance, Netlist, PortRef, links, part, ref
from photosim.units import wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

HALF_TURN = float(np.pi * 10.0)
"""Length of half a ring of 10 um radius, in um."""


@dataclass(frozen=True)
class Case:
    """A circuit to sweep: `tuned` is the dotted setting that changes, `start` its value as written."""

    netlist: Netlist
    points: int
    tuned: str
    start: float

    @property
    def name(self) -> str:
        """Name of circuit and sweep, as tables show it."""
        return f"{self.netlist.name}, {self.points:,} wavelength{'s' if self.points > 1 else ''}"

    @property
    def wl(self) -> NDArray[np.float64]:
        """Wavelengths (W,) in um."""
        return np.array([1.55]) if self.points == 1 else wavelengths(1.53, 1.57, self.points)

    def value(self, k: int) -> float:
        """Return the value of the tuned setting in sweep k; no two sweeps share one."""
        return self.start * (1.0 + 1e-3 * k)


def ring(points: int) -> Case:
    """Add-drop ring of two couplers and two half turns."""
    parts, joins, (start, through, add, drop) = _ring("", 0.1, 0.08, HALF_TURN)
    ports = {"in": start, "through": through, "add": add, "drop": drop}
    return Case(Netlist(parts, joins, ports, name="ring"), points, "right.length", HALF_TURN)


def bus(rings: int, points: int) -> Case:
    """Rings of slightly different radius along one guide, each with its own drop port."""
    parts: dict[str, Instance] = {}
    joins: list[Connection] = []
    ports: dict[str, PortRef] = {}
    end: PortRef = ("", "")
    for k in range(rings):
        inner, joined, (start, through, add, drop) = _ring(f"{k}", 0.1, 0.1, HALF_TURN * (1 + 0.003 * k))
        parts |= inner
        joins += joined
        if k == 0:
            ports["in"] = start
        else:
            parts[f"bus{k}"] = part("straight", length=20.0)
            joins += [(end, (f"bus{k}", "o1")), ((f"bus{k}", "o2"), start)]
        end = through
        ports |= {f"add{k}": add, f"drop{k}": drop}
    netlist = Netlist(parts, tuple(joins), {**ports, "through": end}, name=f"bus of {rings:,} rings")
    return Case(netlist, points, "right0.length", HALF_TURN)


def _ring(
    tag: str, into: float, out: float, half: float
) -> tuple[dict[str, Instance], tuple[Connection, ...], tuple[PortRef, PortRef, PortRef, PortRef]]:
    """Return parts and connections of one ring, and its ends: in, through, add, drop."""
    parts = {
        f"first{tag}": part("coupler", coupling=into),
        f"second{tag}": part("coupler", coupling=out),
        f"right{tag}": part("straight", length=half),
        f"left{tag}": part("straight", length=half),
    }
    joins = links(
        f"first{tag},o3:right{tag},o1",
        f"right{tag},o2:second{tag},o2",
        f"second{tag},o3:left{tag},o1",
        f"left{tag},o2:first{tag},o2",
    )
    ends = (f"first{tag},o1", f"first{tag},o4", f"second{tag},o1", f"second{tag},o4")
    start, through, add, drop = (ref(text) for text in ends)
    return parts, joins, (start, through, add, drop)


def lattice(stages: int, points: int, seed: int = 0) -> Case:
    """Lattice filter: couplers of random strength with arms of 100 and 50 um between them."""
    random = np.random.default_rng(seed)
    parts = {f"c{k}": part("coupler", coupling=random.uniform(0.2, 0.8)) for k in range(stages + 1)}
    joins: list[Connection] = []
    for k in range(stages):
        parts |= {f"long{k}": part("straight", length=100.0), f"short{k}": part("straight", length=50.0)}
        joins += links(f"c{k},o4:long{k},o1", f"c{k},o3:short{k},o1")
        joins += links(f"long{k},o2:c{k + 1},o2", f"short{k},o2:c{k + 1},o1")
    last = f"c{stages}"
    ports = {"in": ("c0", "o1"), "dark": ("c0", "o2"), "cross": (last, "o3"), "bar": (last, "o4")}
    netlist = Netlist(parts, tuple(joins), ports, name=f"lattice of {stages} stages")
    return Case(netlist, points, "long0.length", 100.0)


def chain(rings: int, points: int) -> Case:
    """Coupled-resonator waveguide: rings in a row, the outer couplers stronger than the inner ones."""
    strength = [0.3, *[0.05] * (rings - 1), 0.3]
    parts = {f"c{k}": part("coupler", coupling=strength[k]) for k in range(rings + 1)}
    joins: list[Connection] = []
    for k in range(rings):
        parts |= {
            f"up{k}": part("straight", length=HALF_TURN),
            f"down{k}": part("straight", length=HALF_TURN),
        }
        joins += links(f"c{k},o3:up{k},o1", f"up{k},o2:c{k + 1},o1")
        joins += links(f"c{k + 1},o4:down{k},o1", f"down{k},o2:c{k},o2")
    last = f"c{rings}"
    ports = {"in": ("c0", "o1"), "through": ("c0", "o4"), "add": (last, "o2"), "drop": (last, "o3")}
    netlist = Netlist(parts, tuple(joins), ports, name=f"chain of {rings} rings")
    return Case(netlist, points, "up0.length", HALF_TURN)


def mesh(size: int, points: int, seed: int = 0, reflection_dB: float | None = None) -> Case:
    """Rectangular mesh of `size` modes, as Clements et al. (2016) arrange it.

    Every crossing is a phase shifter, a 50:50 coupler, a shifter, a coupler.
    With `reflection_dB` every coupler sends that much power back, so light
    runs both ways everywhere.
    """
    random = np.random.default_rng(seed)
    first = random.uniform(0.1, np.pi)
    back = None if reflection_dB is None else 10.0 ** (reflection_dB / 10.0)
    parts: dict[str, Instance] = {}
    joins: list[Connection] = []
    ports: dict[str, PortRef] = {}
    rail: list[PortRef | None] = [None] * size

    def feed(row: int, target: PortRef) -> None:
        before = rail[row]
        if before is None:
            ports[f"in{row}"] = target
        else:
            joins.append((before, target))

    for column in range(size):
        for row in range(column % 2, size - 1, 2):
            tag = f"_{column}_{row}"
            parts[f"outer{tag}"] = part("phase_shifter", phase=random.uniform(0, 2 * np.pi))
            parts[f"split{tag}"] = part("coupler", coupling=0.5, reflection=back)
            inner = first if (column, row) == (0, 0) else random.uniform(0.1, np.pi)
            parts[f"inner{tag}"] = part("phase_shifter", phase=inner)
            parts[f"join{tag}"] = part("coupler", coupling=0.5, reflection=back)
            feed(row, (f"outer{tag}", "o1"))
            feed(row + 1, (f"split{tag}", "o2"))
            joins += links(
                f"outer{tag},o2:split{tag},o1",
                f"split{tag},o4:inner{tag},o1",
                f"inner{tag},o2:join{tag},o1",
                f"split{tag},o3:join{tag},o2",
            )
            rail[row], rail[row + 1] = (f"join{tag}", "o4"), (f"join{tag}", "o3")
    for row in range(size):
        parts[f"end{row}"] = part("phase_shifter", phase=random.uniform(0, 2 * np.pi))
        feed(row, (f"end{row}", "o1"))
        ports[f"out{row}"] = (f"end{row}", "o2")
    reflecting = "" if reflection_dB is None else f" reflecting {reflection_dB:g} dB"
    netlist = Netlist(parts, tuple(joins), ports, name=f"mesh {size} x {size}{reflecting}")
    return Case(netlist, points, "inner_0_0.phase", first)

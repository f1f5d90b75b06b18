"""Circuits in a hexagonal mesh: which cells cross, keep or divide light, and what their heaters hold.

A router knows which ends of cells meet. It lays rings and interferometers into hexagons, leads light from
ports to them through cells that nobody uses, and lets an optimiser find the phases that tune them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import check_arguments
from photosim.circuit import Circuit
from photosim.components.hexagonal_places import End, Hexagon, HexagonalPlaces, hexagonal_places
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import Netlist, part

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FloatArray = NDArray[np.float64]

BAR, CROSS = 0.0, 1.0
_BAR = {"o1": "o4", "o4": "o1", "o2": "o3", "o3": "o2"}
_CROSS = {"o1": "o3", "o3": "o1", "o2": "o4", "o4": "o2"}


@dataclass(frozen=True)
class Route:
    """A circuit in a mesh.

    couplings: of the cells that it uses, by name; all others keep light where it is.  phases: of tuned cells,
    in rad.  tuned: cells whose phases an optimiser may set.  inputs, outputs: ports of the mesh, by what they
    are.  access: cells passed from the input port to the circuit and from there to each output.
    """

    size: int
    couplings: Mapping[str, float]
    tuned: tuple[str, ...]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    access: Mapping[str, int]
    phases: Mapping[str, float] = field(default_factory=dict)

    def settings(self) -> dict[str, dict[str, float]]:
        """Return the settings of the mesh's cells, for a call of a circuit: `circuit(wl, mesh=...)`."""
        found = {name: {"coupling": value} for name, value in self.couplings.items()}
        for name, value in self.phases.items():
            found.setdefault(name, {})["phase"] = value
        return found

    def circuit(self, **cell: Any) -> Circuit:
        """Return the mesh with this circuit; cell: settings of all cells."""
        mesh = part("hexagonal_mesh", size=self.size, **cell)
        ports = {name: ("mesh", port) for name, port in {**self.inputs, **self.outputs}.items()}
        return Circuit(Netlist({"mesh": mesh}, ports=ports, terminate=_rest(self.size, ports), name="mesh"))

    def power(self, offset: ArrayLike, output: str, **cell: Any) -> FloatArray:
        """Return the power (W,) that passes to an output at frequencies in Hz from that of 1.55 um."""
        circuit = self.circuit(**cell)
        wl = _wavelengths(offset)
        order = np.argsort(wl)
        found = np.abs(circuit.transfer(wl[order], [output], ["in"], mesh=self.settings())[:, 0, 0]) ** 2
        return np.asarray(found[np.argsort(order)])

    def tune(self, goals: Sequence[tuple[float, str, float]], *, rounds: int = 60, **cell: Any) -> Route:
        """Return the route with phases that meet goals best: (Hz from 1.55 um, output, sign of its power).

        The sum of power times sign in dB is made small: +1 stands for dark, -1 for bright. Gradients are the
        engine's; the phases begin at pi/2.
        """
        from scipy.optimize import minimize

        circuit = self.circuit(**cell)
        wl = _wavelengths([offset for offset, _, _ in goals])
        grid, place = np.unique(wl, return_inverse=True)
        outputs = list(self.outputs)
        names = [f"mesh.{cell_name}.phase" for cell_name in self.tuned]
        held = {"mesh": self.settings()}
        columns = np.array([outputs.index(output) for _, output, _ in goals])
        signs = np.array([sign for _, _, sign in goals])

        def loss(phases: FloatArray) -> tuple[float, FloatArray]:
            values, pull = circuit.pullback(grid, outputs, ["in"], names, **_merged(held, self.tuned, phases))
            chosen = values[place, columns, 0]
            power = np.abs(chosen) ** 2 + 1e-6
            cotangent = np.zeros(values.shape, dtype=np.complex128)
            slope = signs * 20.0 / np.log(10.0) * chosen / power
            np.add.at(cotangent[:, :, 0], (place, columns), slope)
            gradient = pull(cotangent)
            return (
                float(signs @ (10.0 * np.log10(power))),
                np.array([float(np.sum(gradient[name])) for name in names]),
            )

        best: Any = None
        for start in _starts(len(self.tuned)):
            found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": rounds})
            if best is None or found.fun < best.fun:
                best = found
        phases = {name: float(value % (2 * np.pi)) for name, value in zip(self.tuned, best.x, strict=True)}
        return replace(self, phases=phases)


class Router:
    """Lays circuits into a `hexagonal_mesh` of hexagons, `size` along each side."""

    def __init__(self, size: int = 3) -> None:
        check_arguments(Router.__init__, locals())
        self.places: HexagonalPlaces = hexagonal_places(size)
        self.size = size
        self.across: dict[End, End] = {}
        for a, b in self.places.joins:
            self.across |= {a: b, b: a}
        self.exposed = {end: port for port, end in self.places.ports.items()}

    def rings(self, hexagons: Sequence[Hexagon], couplings: Sequence[float], *, drop: bool = True) -> Route:
        """Return a chain of coupled rings, one in each hexagon, between two buses, or at one.

        hexagons: neighbours one after the other.  couplings: from the bus to the first ring, from ring to
        ring, and with `drop` from the last one to the second bus. Outputs are `through` and `drop`.
        """
        wanted = len(hexagons) + (1 if drop else 0)
        if len(couplings) != wanted:
            message = f"{len(hexagons)} rings take {wanted} couplings here, got {len(couplings)}."
            raise ParameterError(message)
        used = {name: BAR for hexagon in hexagons for name in self.places.around(hexagon)}
        shared = [
            next(iter(set(self.places.around(a)) & set(self.places.around(b))), "")
            for a, b in pairwise(hexagons)
        ]
        if "" in shared:
            message = (
                f"The hexagons of coupled rings must be neighbours one after the other, got {list(hexagons)}."
            )
            raise ParameterError(message)
        used |= dict(zip(shared, couplings[1 : 1 + len(shared)], strict=True))
        free = [name for name in self.places.around(hexagons[0]) if name not in shared]
        last = [name for name in self.places.around(hexagons[-1]) if name not in shared]
        pairs = [(a, b) for a in free for b in (last if drop else [""]) if a != b]
        if drop and len(hexagons) == 1:  # the second bus opposite, as in a ring with two buses
            place = {name: k for k, name in enumerate(self.places.around(hexagons[0]))}
            pairs.sort(key=lambda pair: abs((place[pair[0]] - place[pair[1]]) % 6 - 3))
        for first, end in pairs:
            tuned = [
                next(n for n in self.places.around(h) if n not in {first, end, *shared}) for h in hexagons
            ]
            held = used | {first: couplings[0]} | ({end: couplings[-1]} if drop else {})
            found = self._with_access(held, first, end, hexagons[0], hexagons[-1], tuple(tuned))
            if found is not None:
                return found
        message = (
            f"No way leads through this mesh to rings in {list(hexagons)}: take others, or a larger mesh."
        )
        raise ParameterError(message)

    def lattice(self, hexagons: Sequence[Hexagon], couplings: Sequence[float]) -> Route:
        """Return a lattice of interferometers, one round each hexagon: ways of two and of four of its cells.

        hexagons: each two steps from the one before, so that one cell lies between them.  couplings: of the
        cell before the first one, of those between, and of the one behind the last. Outputs are `bar` and
        `cross`.
        """
        if len(couplings) != len(hexagons) + 1:
            message = (
                f"{len(hexagons)} interferometers take {len(hexagons) + 1} couplings, got {len(couplings)}."
            )
            raise ParameterError(message)
        between = []
        for a, b in pairwise(hexagons):
            shared = set(_neighbours(a)) & set(_neighbours(b))
            if len(shared) != 2 or a in _neighbours(b):
                message = f"The hexagons {a} and {b} of a lattice need one cell between them."
                raise ParameterError(message)
            between.append(tuple(sorted(shared)))
        for turn in (2, 4):
            for last_turn in (2, 4):
                found = self._lattice(hexagons, couplings, between, turn, last_turn)
                if found is not None:
                    return found
        message = f"No way leads through this mesh to a lattice round {list(hexagons)}: take others."
        raise ParameterError(message)

    def _lattice(
        self, hexagons: Sequence[Hexagon], couplings: Sequence[float],
        between: Sequence[tuple[Hexagon, ...]], turn: int, last_turn: int,
    ) -> Route | None:  # fmt: skip
        corners = [self._corners(h) for h in hexagons]
        inner = [frozenset((h, *pair)) for h, pair in zip(hexagons, between, strict=False)]
        exits = [c.index(v) for c, v in zip(corners, inner, strict=False)]
        entries = [
            c.index(frozenset((h, *pair)))
            for h, c, pair in zip(hexagons[1:], corners[1:], between, strict=True)
        ]
        entries = [(exits[0] + turn) % 6 if exits else 0, *entries]
        exits = [*exits, (entries[-1] + last_turn) % 6]
        used: dict[str, float] = {}
        tuned = []
        names = {frozenset(pair): name for name, pair in self.places.cells.items()}
        for c, entry, leave in zip(corners, entries, exits, strict=True):
            steps = (leave - entry) % 6
            if steps not in {2, 4}:
                return None
            sides = [names[c[k % 6] & c[(k + 1) % 6]] for k in range(entry, entry + 6)]
            short, long = (sides[:2], sides[2:]) if steps == 2 else (sides[4:], sides[:4])
            ends = {*short, long[0], long[-1]}
            used |= {name: CROSS if name in ends else BAR for name in sides}
            tuned.append(long[1])
        first = names.get(frozenset(corners[0][entries[0]] - {hexagons[0]}))
        last = names.get(frozenset(corners[-1][exits[-1]] - {hexagons[-1]}))
        middle = [names[frozenset(pair)] for pair in between]
        couplers = [first, *middle, last]
        if None in couplers or len({*couplers} | set(used)) < len(couplers) + len(used):
            return None
        used |= {str(name): k for name, k in zip(couplers, couplings, strict=True)}
        starts = [e for e in self._ends(str(first)) if self.places.ends[e][0] != corners[0][entries[0]]]
        finals = [e for e in self._ends(str(last)) if self.places.ends[e][0] != corners[-1][exits[-1]]]
        for start in starts:
            found = self._access(used, {"in": start}, {"bar": finals[0], "cross": finals[1]}, tuple(tuned))
            if found is not None:
                return found
        return None

    def _with_access(
        self, used: Mapping[str, float], first: str, end: str, start_in: Hexagon, end_in: Hexagon,
        tuned: tuple[str, ...],
    ) -> Route | None:  # fmt: skip
        outer = [e for e in self._ends(first) if self.places.ends[e][1] != start_in]
        for entry, through in (outer, outer[::-1]):
            outputs = {"through": through}
            if end:
                outputs["drop"] = self._dropped(used, entry, end, end_in)
            found = self._access(used, {"in": entry}, outputs, tuned)
            if found is not None:
                return found
        return None

    def _dropped(self, used: Mapping[str, float], entry: End, end: str, end_in: Hexagon) -> End:
        """Return the end at which light that came in at `entry` leaves the last ring."""
        here = (entry[0], _CROSS[entry[1]])
        for _ in range(6 * len(used)):
            inside = self.across[here]
            if inside[0] == end:
                return inside[0], _CROSS[inside[1]]
            coupled = BAR < used[inside[0]] < CROSS
            here = (inside[0], (_CROSS if coupled else _BAR)[inside[1]])
        message = f"Light does not come round to {end!r} in hexagon {end_in}."
        raise ParameterError(message)

    def _access(
        self, used: Mapping[str, float], inputs: Mapping[str, End], outputs: Mapping[str, End],
        tuned: tuple[str, ...],
    ) -> Route | None:  # fmt: skip
        """Lead the rim to the ends of a circuit through cells that nobody uses yet; None where it cannot."""
        held = dict(used)
        ports: dict[str, str] = {}
        counts: dict[str, int] = {}
        for name, end in {**inputs, **outputs}.items():
            found = self._way(end, held, set(ports.values()))
            if found is None:
                return None
            ports[name], states = found
            counts[name] = len(states)
            held |= states
        return Route(
            self.size, held, tuned, {n: ports[n] for n in inputs}, {n: ports[n] for n in outputs}, counts
        )

    def _way(
        self, end: End, held: Mapping[str, float], taken: set[str]
    ) -> tuple[str, dict[str, float]] | None:
        """Return a port and the cells between it and an end, as few as there can be; ways lead both ways."""
        if end in self.exposed:
            return None if self.exposed[end] in taken else (self.exposed[end], {})
        waiting: deque[tuple[End, dict[str, float]]] = deque([(self.across[end], {})])
        seen = {self.across[end]}
        while waiting:
            (cell, port), states = waiting.popleft()
            if cell in held or cell in states:
                continue
            for state, leads in ((BAR, _BAR), (CROSS, _CROSS)):
                out = (cell, leads[port])
                own = {**states, cell: state}
                if out in self.exposed:
                    if self.exposed[out] not in taken:
                        return self.exposed[out], own
                    continue
                if self.across[out] not in seen:
                    seen.add(self.across[out])
                    waiting.append((self.across[out], own))
        return None

    def _ends(self, cell: str) -> list[End]:
        return [(cell, f"o{k}") for k in range(1, 5)]

    def _corners(self, hexagon: Hexagon) -> list[frozenset[Hexagon]]:
        """Return the six vertices of a hexagon in turn."""
        ring = _neighbours(hexagon)
        return [frozenset((hexagon, ring[k], ring[(k + 1) % 6])) for k in range(6)]


def _neighbours(hexagon: Hexagon) -> list[Hexagon]:
    q, r = hexagon
    return [(q + 1, r), (q, r + 1), (q - 1, r + 1), (q - 1, r), (q, r - 1), (q + 1, r - 1)]


def _rest(size: int, used: Mapping[str, tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    exposed = {port for _, port in used.values()}
    return tuple(("mesh", port) for port in hexagonal_places(size).ports if port not in exposed)


def _wavelengths(offset: ArrayLike) -> FloatArray:
    return np.asarray(
        SPEED_OF_LIGHT_UM_S / (SPEED_OF_LIGHT_UM_S / 1.55 + np.asarray(offset, dtype=np.float64))
    )


def _merged(held: Mapping[str, Any], tuned: Sequence[str], phases: FloatArray) -> dict[str, Any]:
    cells = {name: dict(own) for name, own in held["mesh"].items()}
    for name, value in zip(tuned, phases, strict=True):
        cells.setdefault(name, {})["phase"] = float(value)
    return {"mesh": cells}


def _starts(count: int) -> list[FloatArray]:
    """Return phases to begin an optimisation at: alike in all cells, as circuits of equal parts want them."""
    return [np.full(count, value) for value in np.arange(0.25, 2.0, 0.5) * np.pi]

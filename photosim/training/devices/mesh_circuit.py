"""A mesh seen through its circuit: its blocks, their couplers and losses, and the matrix that phases make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from photosim.bindings import steps
from photosim.components.meshes import PLACES, Arrangement, dark_guides
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.decomposition import MeshPhases, PairPhases, matrix_of_blocks, pairs_of
from photosim.training.devices.mesh_paths import PairPassage, Passage, send, unsigned
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

_BLOCK = re.compile(r"m(\d+)_(\d+)\.split\.coupling")


@dataclass(frozen=True)
class Blocks:
    """K blocks as built, arrays of shape (K,), at one wavelength.

    split, join: power that crosses the first and second coupler.  passed: amplitude that both let through.
    outer, inner: amplitude of the shifters.  turn: phase that acts per phase set.  outer_offset,
    inner_offset: phases in rad that the shifters have when none is set.
    """

    split: FloatArray
    join: FloatArray
    passed: FloatArray
    outer: FloatArray
    inner: FloatArray
    turn: FloatArray
    outer_offset: FloatArray
    inner_offset: FloatArray

    def acting(self, theta: FloatArray, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the phases that act where these are set."""
        return self.turn * theta + self.inner_offset, self.turn * phi + self.outer_offset

    def set_for(self, theta: FloatArray, phi: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the phases to set for these to act, if the shifters had none of their own."""
        return theta / self.turn, phi / self.turn

    def matrices(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return the blocks' matrices (K, 2, 2), outputs by inputs, for phases that act (K,) in rad."""
        inner, outer = self.inner * np.exp(1j * theta), self.outer * np.exp(1j * phi)
        bar_in, cross_in = np.sqrt(1.0 - self.split), 1j * np.sqrt(self.split)
        bar_out, cross_out = np.sqrt(1.0 - self.join), 1j * np.sqrt(self.join)
        entries = [
            (bar_out * inner * bar_in + cross_out * cross_in) * outer,
            bar_out * inner * cross_in + cross_out * bar_in,
            (cross_out * inner * bar_in + bar_out * cross_in) * outer,
            cross_out * inner * cross_in + bar_out * bar_in,
        ]
        return np.asarray(self.passed[:, np.newaxis] * np.stack(entries, axis=-1)).reshape(-1, 2, 2)

    def passing(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return what attenuators pass, and d/dtheta and d/dphi of it, phases set: shape (3, K)."""
        theta, phi = self.acting(theta, phi)
        straight = np.sqrt((1.0 - self.split) * (1.0 - self.join))
        by_theta = self.passed * self.outer * self.inner * straight * np.exp(1j * (theta + phi))
        passed = self.matrices(theta, phi)[:, 0, 0]
        return np.stack([passed, 1j * self.turn * by_theta, 1j * self.turn * passed])

    def drawn(self, coupling: float, offset: float, rng: np.random.Generator) -> Blocks:
        """Return blocks whose couplers and phases miss these by normal errors, drawn once."""
        split, join = (
            np.clip(power + coupling * rng.standard_normal(power.shape), 0.0, 1.0)
            for power in (self.split, self.join)
        )
        inner, outer = (
            phase + offset * rng.standard_normal(phase.shape) if offset else phase
            for phase in (self.inner_offset, self.outer_offset)
        )
        return replace(self, split=split, join=join, inner_offset=inner, outer_offset=outer)

    def settings(self, names: list[str]) -> dict[str, dict[str, float]]:
        """Return the couplings as settings of the blocks of these names."""
        return {
            name: {"coupling": float(split), "coupling_join": float(join)}
            for name, split, join in zip(names, self.split, self.join, strict=True)
        }


@dataclass(frozen=True)
class OneMesh:
    """One mesh of n guides with ports as built.

    blocks: K of them.  end: amplitude of the output shifters (n,).  end_turn: phase that acts per phase set;
    end_offset acts if none is.  leak: share of the phase set at shifter j (column) that shifter i (row)
    gets, sparse, shape (2 K + n,) * 2 in the order theta, phi, end; None where each keeps its heat.
    """

    arrangement: Arrangement
    blocks: Blocks
    end: FloatArray
    end_turn: FloatArray
    end_offset: FloatArray
    leak: Any = None

    @property
    def dark(self) -> int:
        """Guides before those with ports."""
        return dark_guides(self.arrangement, self.end.size)

    @cached_property
    def pairs(self) -> NDArray[np.uint64]:
        """The two guides of each block, shape (K, 2)."""
        return unsigned(pairs_of(self.arrangement, self.end.size))

    @cached_property
    def parts(self) -> FloatArray:
        """What each block is made of, shape (K, 7), as the kernels of batches want it."""
        blocks = self.blocks
        bars = [np.sqrt(1.0 - power) for power in (blocks.split, blocks.join)]
        crosses = [np.sqrt(power) for power in (blocks.split, blocks.join)]
        couplers = [bars[0], crosses[0], bars[1], crosses[1]]
        return np.stack([*couplers, blocks.passed, blocks.inner, blocks.outer], axis=-1)

    @cached_property
    def turns(self) -> FloatArray:
        """Phase that acts per phase set, shape (2 K + n,): theta, phi, end."""
        return np.concatenate([self.blocks.turn, self.blocks.turn, self.end_turn])

    @cached_property
    def offsets(self) -> FloatArray:
        """Phases that act where none is set, in the same order."""
        return np.concatenate([self.blocks.inner_offset, self.blocks.outer_offset, self.end_offset])

    def acting(self, phases: MeshPhases) -> FloatArray:
        """Return the phases that act, in the same order, where these are set."""
        given = np.concatenate([phases.theta, phases.phi, phases.end])
        leaked = given if self.leak is None else self.leak @ given
        return np.asarray(self.turns * leaked + self.offsets)

    def parted(self, angles: FloatArray) -> MeshPhases:
        """Return angles in the order theta, phi, end as phases of the mesh."""
        count = self.blocks.turn.size
        return MeshPhases(self.arrangement, angles[:count], angles[count : 2 * count], angles[2 * count :])

    def send(self, phases: MeshPhases, x: Any) -> Passage:
        """Send a batch of fields x (batch, n) through, phases set; its outputs can give the gradient."""
        return send(self, phases, x)

    def matrix(self, phases: MeshPhases) -> ComplexArray:
        """Return the matrix (n, n), outputs by inputs, of phases set."""
        acting = self.parted(self.acting(phases))
        blocks = self.blocks.matrices(acting.theta, acting.phi)
        return matrix_of_blocks(self.arrangement, blocks, self.end * np.exp(1j * acting.end))

    def set_for(self, wanted: MeshPhases) -> MeshPhases:
        """Return the phases to set, at wl0, so that the wanted ones act at the mesh's wavelength.

        As if shifters had no phases of their own and kept their heat.
        """
        return self.parted(np.concatenate([wanted.theta, wanted.phi, wanted.end]) / self.turns)

    def drawn(self, coupling: float, offset: float, crosstalk: float, rng: np.random.Generator) -> OneMesh:
        """Return the mesh with normal errors of couplers and phases drawn, and heat that leaks."""
        blocks = self.blocks.drawn(coupling, offset, rng)
        end = self.end_offset + offset * rng.standard_normal(self.end.shape) if offset else self.end_offset
        leak = leaking(self.arrangement, self.end.size, crosstalk) if crosstalk else self.leak
        return replace(self, blocks=blocks, end_offset=end, leak=leak)

    def settings(self, phases: MeshPhases) -> dict[str, Any]:
        """Return phases, as they act, and couplings as settings of the component."""
        own = self.parted(self.acting(phases) / self.turns).settings()
        couplings = self.blocks.settings([name for name in own if name.startswith("m")])
        return {name: {**values, **couplings.get(name, {})} for name, values in own.items()}


def leaking(arrangement: Arrangement, n: int, crosstalk: float) -> Any:
    """Return the matrix of leaking heat: shifters also get `crosstalk` of their nearest neighbours' phases.

    Those are the shifters before and after it on its guide, and above and below in its column.
    """
    from scipy.sparse import coo_array

    places = PLACES[arrangement](n)
    end, dark = 2 * (1 + max(column for column, _ in places)), dark_guides(arrangement, n)
    spots = [(2 * column + 1, mode) for column, mode in places]
    spots += [(2 * column, mode) for column, mode in places]
    spots += [(end, dark + k) for k in range(n)]
    order = {spot: k for k, spot in enumerate(spots)}
    by_guide, by_column = sorted(order, key=lambda spot: (spot[1], spot[0])), sorted(order)
    pairs = [(a, b) for a, b in pairwise(by_guide) if a[1] == b[1]]
    pairs += [(a, b) for a, b in pairwise(by_column) if a[0] == b[0]]
    rows = np.array([(order[a], order[b]) for a, b in pairs]).reshape(-1, 2)
    size = len(spots)
    row, column = (np.concatenate([rows[:, k], rows[:, 1 - k], np.arange(size)]) for k in (0, 1))
    shares = np.concatenate([np.full(2 * len(rows), crosstalk), np.ones(size)])
    return coo_array((shares, (row, column)), shape=(size, size)).tocsr()


@dataclass(frozen=True)
class MeshCircuit:
    """A mesh of n guides in a circuit, at wavelength wl in um: one mesh `u`, or a pair v, attenuators, u."""

    circuit: Circuit
    name: str
    wl: float
    u: OneMesh
    v: OneMesh | None = None
    middle: Blocks | None = None

    @property
    def guides(self) -> int:
        """Number of guides."""
        return self.u.end.size

    def matrix(self, phases: MeshPhases | PairPhases) -> ComplexArray:
        """Return the circuit's matrix (n, n), outputs by inputs, of phases set, without a pair's scale."""
        if isinstance(phases, MeshPhases):
            return self.u.matrix(phases)
        if self.v is None or self.middle is None:
            raise AssertionError  # find_mesh makes both or neither, and the phases are made for it
        passed = self.middle.passing(phases.theta, phases.phi)[0]
        return np.asarray((self.u.matrix(phases.u) * passed) @ self.v.matrix(phases.v))

    def send(self, phases: MeshPhases | PairPhases, x: Any) -> Passage | PairPassage:
        """Send a batch of fields x (batch, n) through, phases set; its outputs can give the gradient."""
        if isinstance(phases, MeshPhases):
            return self.u.send(phases, x)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        first = self.v.send(phases.v, x)
        passed, *slopes = self.middle.passing(phases.theta, phases.phi)
        second = self.u.send(phases.u, first.outputs * passed.astype(first.outputs.dtype))
        return PairPassage(first, passed, np.array(slopes), second)

    def set_for(self, wanted: MeshPhases | PairPhases) -> MeshPhases | PairPhases:
        """Return the phases to set, at wl0, so that the wanted ones act at wl."""
        if isinstance(wanted, MeshPhases):
            return self.u.set_for(wanted)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        theta, phi = self.middle.set_for(wanted.theta, wanted.phi)
        return replace(wanted, v=self.v.set_for(wanted.v), u=self.u.set_for(wanted.u), theta=theta, phi=phi)

    def corrected(self, wanted: MeshPhases | PairPhases) -> MeshPhases | PairPhases:
        """Return the phases to set so that, block by block, errors of the hardware are made up for."""
        from photosim.training.devices.mesh_correction import corrected, reachable

        if isinstance(wanted, MeshPhases):
            return corrected(self.u, wanted)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        middle = self.middle
        theta = reachable(middle, np.sin(wanted.theta / 2.0) ** 2)
        ideal = 1j * np.exp(1j * (wanted.theta / 2.0 + wanted.phi)) * np.sin(wanted.theta / 2.0)
        made = middle.matrices(theta, np.zeros_like(theta))[:, 0, 0]
        phi = np.angle(ideal * made.conj())
        theta, phi = (theta - middle.inner_offset) / middle.turn, (phi - middle.outer_offset) / middle.turn
        return replace(
            wanted, v=corrected(self.v, wanted.v), u=corrected(self.u, wanted.u), theta=theta, phi=phi
        )

    def drawn(
        self, coupling: float, rng: np.random.Generator, *, offset: float = 0.0, crosstalk: float = 0.0
    ) -> MeshCircuit:
        """Return the mesh with every coupler's power and shifter's phase off by normal errors, drawn once.

        coupling, offset: their deviations, of power and in rad.  crosstalk: share of a shifter's phase that
        its nearest neighbours get, within each mesh of a pair; attenuators are taken to lie apart.
        """
        u = self.u.drawn(coupling, offset, crosstalk, rng)
        v = self.v and self.v.drawn(coupling, offset, crosstalk, rng)
        return replace(self, u=u, v=v, middle=self.middle and self.middle.drawn(coupling, offset, rng))

    def settings(self, phases: MeshPhases | PairPhases) -> dict[str, Any]:
        """Return phases, as they act, and couplings as a call of the circuit takes them."""
        if isinstance(phases, MeshPhases):
            own = self.u.settings(phases)
        else:
            if self.v is None or self.middle is None:
                raise AssertionError  # as above
            names = [f"a{k}" for k in range(self.guides)]
            theta, phi = (
                angles / self.middle.turn for angles in self.middle.acting(phases.theta, phases.phi)
            )
            own = {"v": self.v.settings(phases.v), "u": self.u.settings(phases.u)}
            own |= self.middle.settings(names)
            for name, inner, outer in zip(names, theta, phi, strict=True):
                own[name] |= {"theta": float(inner), "phi": float(outer)}
        for level in reversed(steps(self.name)):
            own = {level: own}
        return own


def find_mesh(circuit: Circuit, name: str, wl: float | None = None) -> MeshCircuit:
    """Return the mesh that is instance `name` of a circuit, at wl in um or at the wavelength of its phases.

    A `clements_mesh`, `reck_mesh` or `svd_mesh`, known by the names of its blocks, which must be `mzi_block`.
    ParameterError says that it is none, or that its couplers reflect, which a passage from column to column
    does not see.
    """
    held = circuit.parameters
    own = {key[len(name) + 1 :]: value for key, value in held.items() if key.startswith(f"{name}.")}
    pair = any(key.startswith("v.m") for key in own)
    ends = sum(bool(re.fullmatch(r"(u\.)?end\d+\.phase", key)) for key in own)
    first = next((key for key in own if re.fullmatch(r"(u\.)?m0_\d+\.outer\.wl0", key)), None)
    if ends < 2 or first is None:
        outer = sorted(
            {match[1] for key in held if (match := re.fullmatch(r"(.+)\.m0_\d+\.split\.coupling", key))}
        )
        message = f"{name!r} is no mesh of this circuit. Meshes: {listing(outer) if outer else 'none'}."
        raise ParameterError(message + did_you_mean(name, outer))
    if any(value != 0.0 for key, value in own.items() if key.endswith(".reflection")):
        message = f"Couplers of mesh {name!r} reflect: light does not pass each block once. Ask the circuit."
        raise ParameterError(message)
    wl = float(as_wavelengths([own[first] if wl is None else wl])[0])
    if not pair:
        return MeshCircuit(circuit, name, wl, _one_mesh(own, "", ends, wl))
    middle = _blocks(own, [f"a{k}" for k in range(ends)], wl)
    return MeshCircuit(
        circuit, name, wl, _one_mesh(own, "u.", ends, wl), _one_mesh(own, "v.", ends, wl), middle
    )


def _one_mesh(own: Mapping[str, Any], prefix: str, n: int, wl: float) -> OneMesh:
    found = {
        (int(match[1]), int(match[2]))
        for key in own
        if key.startswith(prefix) and (match := _BLOCK.fullmatch(key[len(prefix) :]))
    }
    fitting: list[Arrangement] = [a for a in get_args(Arrangement) if set(PLACES[a](n)) == found]
    if not fitting:
        message = f"{len(found)} blocks on {n} guides stand as in no mesh: there are {listing(PLACES)}."
        raise ParameterError(message)
    names = [f"{prefix}m{column}_{mode}" for column, mode in PLACES[fitting[0]](n)]
    loss = _values(own, [f"{prefix}end{k}" for k in range(n)], "loss_dB")
    turn = _values(own, [f"{prefix}end{k}" for k in range(n)], "wl0") / wl
    return OneMesh(fitting[0], _blocks(own, names, wl), _amplitude(loss), turn, np.zeros(n))


def _blocks(own: Mapping[str, Any], names: list[str], wl: float) -> Blocks:
    def of(setting: str) -> FloatArray:
        return _values(own, names, setting)

    passed = _amplitude(of("split.loss_dB") + of("join.loss_dB"))
    outer, inner = _amplitude(of("outer.loss_dB")), _amplitude(of("inner.loss_dB"))
    zero = np.zeros(len(names))
    return Blocks(
        of("split.coupling"), of("join.coupling"), passed, outer, inner, of("outer.wl0") / wl, zero, zero
    )


def _values(own: Mapping[str, Any], names: list[str], setting: str) -> FloatArray:
    missing = [name for name in names if f"{name}.{setting}" not in own]
    if missing:
        message = f"{listing(missing)} of a mesh must be mzi_block, but {setting!r} is missing."
        raise ParameterError(message)
    return np.array([own[f"{name}.{setting}"] for name in names], dtype=np.float64)


def _amplitude(loss_dB: FloatArray) -> FloatArray:
    return np.asarray(10.0 ** (-loss_dB / 20.0))


def mesh_chip(component: str, n: int, **settings: Any) -> Circuit:
    """Return a circuit of one mesh, `mesh`, its inputs in0, in1, ... and outputs out0, out1, ... exposed.

    component: `clements_mesh`, `reck_mesh`, `svd_mesh` or another composite with such ports.
    settings: those of the component beside n.
    """
    from photosim.circuit import Circuit
    from photosim.model import Netlist, part

    ports = {f"{side}{k}": ("mesh", f"{side}{k}") for side in ("in", "out") for k in range(n)}
    return Circuit(Netlist({"mesh": part(component, n=n, **settings)}, ports=ports, name=component))

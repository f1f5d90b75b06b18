"""A mesh seen through its circuit: its blocks, their couplers and losses, and the matrix that phases make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bindings import steps
from photosim.components.meshes import PLACES, Arrangement
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.decomposition import MeshPhases, PairPhases, matrix_of_blocks, modes_of
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
    outer, inner: complex amplitude of the shifters without phase.  turn: phase that acts per phase set.
    """

    split: FloatArray
    join: FloatArray
    passed: FloatArray
    outer: FloatArray
    inner: FloatArray
    turn: FloatArray

    def matrices(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return the blocks' matrices (K, 2, 2), outputs by inputs, for phases set (K,) in rad."""
        inner = self.inner * np.exp(1j * self.turn * theta)
        outer = self.outer * np.exp(1j * self.turn * phi)
        bar_in, cross_in = np.sqrt(1.0 - self.split), 1j * np.sqrt(self.split)
        bar_out, cross_out = np.sqrt(1.0 - self.join), 1j * np.sqrt(self.join)
        entries = [
            (bar_out * inner * bar_in + cross_out * cross_in) * outer,
            bar_out * inner * cross_in + cross_out * bar_in,
            (cross_out * inner * bar_in + bar_out * cross_in) * outer,
            cross_out * inner * cross_in + bar_out * bar_in,
        ]
        return np.asarray(self.passed[:, np.newaxis] * np.stack(entries, axis=-1)).reshape(-1, 2, 2)

    def slopes(self, theta: FloatArray, phi: FloatArray) -> ComplexArray:
        """Return d/dtheta and d/dphi, shape (2, K), of what the blocks pass from in0 to out0, phases set."""
        inner = self.inner * np.exp(1j * self.turn * theta)
        outer = self.outer * np.exp(1j * self.turn * phi)
        by_theta = self.passed * outer * inner * np.sqrt((1.0 - self.split) * (1.0 - self.join))
        return np.asarray(1j * self.turn * np.stack([by_theta, self.matrices(theta, phi)[:, 0, 0]]))

    def drawn(self, deviation: float, rng: np.random.Generator) -> Blocks:
        """Return blocks whose couplings miss these by a normal error, drawn once for each coupler."""
        split, join = (
            np.clip(power + deviation * rng.standard_normal(power.shape), 0.0, 1.0)
            for power in (self.split, self.join)
        )
        return replace(self, split=split, join=join)

    def settings(self, names: list[str]) -> dict[str, dict[str, float]]:
        """Return the couplings as settings of the blocks of these names."""
        return {
            name: {"coupling": float(split), "coupling_join": float(join)}
            for name, split, join in zip(names, self.split, self.join, strict=True)
        }


@dataclass(frozen=True)
class OneMesh:
    """One mesh of n guides as built: its blocks, and amplitude and phase per phase set of its ends, (n,)."""

    arrangement: Arrangement
    blocks: Blocks
    end: FloatArray
    end_turn: FloatArray

    @cached_property
    def pairs(self) -> NDArray[np.uint64]:
        """The two guides of each block, shape (K, 2)."""
        first = modes_of(self.arrangement, self.end.size)
        return unsigned(np.stack([first, first + 1], axis=-1))

    @cached_property
    def parts(self) -> FloatArray:
        """What each block is made of, shape (K, 7), as the kernels of batches want it."""
        blocks = self.blocks
        bars = [np.sqrt(1.0 - power) for power in (blocks.split, blocks.join)]
        crosses = [np.sqrt(power) for power in (blocks.split, blocks.join)]
        couplers = [bars[0], crosses[0], bars[1], crosses[1]]
        return np.stack([*couplers, blocks.passed, blocks.inner, blocks.outer], axis=-1)

    def send(self, phases: MeshPhases, x: Any) -> Passage:
        """Send a batch of fields x (batch, n) through, phases set; its outputs can give the gradient."""
        return send(self, phases, x)

    def matrix(self, phases: MeshPhases) -> ComplexArray:
        """Return the matrix (n, n), outputs by inputs, of phases set."""
        ends = self.end * np.exp(1j * self.end_turn * phases.end)
        return matrix_of_blocks(self.arrangement, self.blocks.matrices(phases.theta, phases.phi), ends)

    def set_for(self, wanted: MeshPhases) -> MeshPhases:
        """Return the phases to set, at wl0, so that the wanted ones act at the mesh's wavelength."""
        turn = self.blocks.turn
        return replace(
            wanted, theta=wanted.theta / turn, phi=wanted.phi / turn, end=wanted.end / self.end_turn
        )


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
        passed = self.middle.matrices(phases.theta, phases.phi)[:, 0, 0]
        return np.asarray((self.u.matrix(phases.u) * passed) @ self.v.matrix(phases.v))

    def send(self, phases: MeshPhases | PairPhases, x: Any) -> Passage | PairPassage:
        """Send a batch of fields x (batch, n) through, phases set; its outputs can give the gradient."""
        if isinstance(phases, MeshPhases):
            return self.u.send(phases, x)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        first = self.v.send(phases.v, x)
        passed = self.middle.matrices(phases.theta, phases.phi)[:, 0, 0]
        slopes = self.middle.slopes(phases.theta, phases.phi)
        return PairPassage(
            first, passed, slopes, self.u.send(phases.u, first.outputs * passed.astype(first.outputs.dtype))
        )

    def set_for(self, wanted: MeshPhases | PairPhases) -> MeshPhases | PairPhases:
        """Return the phases to set, at wl0, so that the wanted ones act at wl."""
        if isinstance(wanted, MeshPhases):
            return self.u.set_for(wanted)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        turn = self.middle.turn
        return replace(
            wanted,
            v=self.v.set_for(wanted.v),
            u=self.u.set_for(wanted.u),
            theta=wanted.theta / turn,
            phi=wanted.phi / turn,
        )

    def drawn(self, deviation: float, rng: np.random.Generator) -> MeshCircuit:
        """Return the mesh with every coupler's power off by a normal error of this deviation."""
        u = replace(self.u, blocks=self.u.blocks.drawn(deviation, rng))
        v = self.v and replace(self.v, blocks=self.v.blocks.drawn(deviation, rng))
        return replace(self, u=u, v=v, middle=self.middle and self.middle.drawn(deviation, rng))

    def settings(self, phases: MeshPhases | PairPhases) -> dict[str, Any]:
        """Return phases and couplings as a call of the circuit takes them."""
        own: dict[str, Any] = phases.settings()
        if isinstance(phases, MeshPhases):
            own = _joined(own, self.u)
        elif self.v is not None and self.middle is not None:
            couplings = self.middle.settings([f"a{k}" for k in range(self.guides)])
            own |= {name: {**own[name], **values} for name, values in couplings.items()}
            own |= {"v": _joined(own["v"], self.v), "u": _joined(own["u"], self.u)}
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
    first = "u.m0_0.outer.wl0" if pair else "m0_0.outer.wl0"
    if ends < 2 or first not in own:
        outer = sorted({key.rpartition(".m0_0.split.")[0] for key in held if ".m0_0.split." in key})
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
    fitting: list[Arrangement] = [a for a in ("clements", "reck") if set(PLACES[a](n)) == found]
    if not fitting:
        message = f"{len(found)} blocks on {n} guides stand as in no mesh: there are {listing(PLACES)}."
        raise ParameterError(message)
    names = [f"{prefix}m{column}_{mode}" for column, mode in PLACES[fitting[0]](n)]
    loss = _values(own, [f"{prefix}end{k}" for k in range(n)], "loss_dB")
    turn = _values(own, [f"{prefix}end{k}" for k in range(n)], "wl0") / wl
    return OneMesh(fitting[0], _blocks(own, names, wl), _amplitude(loss), turn)


def _blocks(own: Mapping[str, Any], names: list[str], wl: float) -> Blocks:
    def of(setting: str) -> FloatArray:
        return _values(own, names, setting)

    passed = _amplitude(of("split.loss_dB") + of("join.loss_dB"))
    outer, inner = _amplitude(of("outer.loss_dB")), _amplitude(of("inner.loss_dB"))
    return Blocks(of("split.coupling"), of("join.coupling"), passed, outer, inner, of("outer.wl0") / wl)


def _values(own: Mapping[str, Any], names: list[str], setting: str) -> FloatArray:
    missing = [name for name in names if f"{name}.{setting}" not in own]
    if missing:
        message = f"{listing(missing)} of a mesh must be mzi_block, but {setting!r} is missing."
        raise ParameterError(message)
    return np.array([own[f"{name}.{setting}"] for name in names], dtype=np.float64)


def _amplitude(loss_dB: FloatArray) -> FloatArray:
    return np.asarray(10.0 ** (-loss_dB / 20.0))


def _joined(own: Mapping[str, Any], mesh: OneMesh) -> dict[str, Any]:
    """Return settings of a mesh's phases with those of its couplings."""
    names = [f"m{column}_{mode}" for column, mode in PLACES[mesh.arrangement](mesh.end.size)]
    couplings = mesh.blocks.settings(names)
    return {name: {**values, **couplings.get(name, {})} for name, values in own.items()}


def mesh_chip(component: str, n: int, **settings: Any) -> Circuit:
    """Return a circuit of one mesh, `mesh`, its inputs in0, in1, ... and outputs out0, out1, ... exposed.

    component: `clements_mesh`, `reck_mesh`, `svd_mesh` or another composite with such ports.
    settings: those of the component beside n.
    """
    from photosim.circuit import Circuit
    from photosim.model import Netlist, part

    ports = {f"{side}{k}": ("mesh", f"{side}{k}") for side in ("in", "out") for k in range(n)}
    return Circuit(Netlist({"mesh": part(component, n=n, **settings)}, ports=ports, name=component))

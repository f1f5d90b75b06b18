"""Meshes in a circuit: one mesh, or a pair with attenuators between, and the matrix for given phases."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from photosim.arguments import public
from photosim.components.mesh_places import PLACES, Arrangement
from photosim.components.shifters import TURN, held_phase
from photosim.display import Brief
from photosim.engine.bindings import steps
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.circuit.wiring import wire
from photosim.training.devices.mesh.blocks import Blocks, OneMesh, at_shifters, leaking
from photosim.training.devices.mesh.decomposition import MeshPhases, PairPhases
from photosim.training.devices.mesh.paths import PairPassage, Passage
from photosim.training.devices.mesh.structure import Names, NotAMeshError, find_by_structure
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from photosim.circuit import Circuit

_BLOCK = re.compile(r"m(\d+)_(\d+)\.split\.coupling")


@dataclass(frozen=True)
class MeshCircuit(Brief):
    """A mesh of n guides in a circuit, at wavelength wl in um: one mesh `u`, or a pair v, attenuators, u.

    `held` rounds phases to the steps of the circuit's converters; the other methods take phases that are
    held. names: of the settings, if the mesh was found by its connections.
    """

    circuit: Circuit
    name: str
    wl: float
    u: OneMesh
    v: OneMesh | None = None
    middle: Blocks | None = None
    names: Names | None = None

    @property
    def guides(self) -> int:
        """Number of guides."""
        return self.u.end.size

    def held(self, phases: MeshPhases | PairPhases) -> MeshPhases | PairPhases:
        """Return the phases in rad after rounding to the steps of the DACs."""
        if isinstance(phases, MeshPhases):
            return self.u.held(phases)
        if self.v is None:
            raise AssertionError  # as below
        theta, phi = phases.theta, phases.phi
        if self.u.bits is not None:  # attenuators keep their heat, and without converters any phase
            theta, phi = held_phase(theta, self.u.bits), held_phase(phi, self.u.bits)
        return replace(phases, v=self.v.held(phases.v), u=self.u.held(phases.u), theta=theta, phi=phi)

    def matrix(self, phases: MeshPhases | PairPhases) -> ComplexArray:
        """Return the matrix (n, n) of the circuit, outputs by inputs, for phases held; without a scale."""
        if isinstance(phases, MeshPhases):
            return self.u.matrix(phases)
        if self.v is None or self.middle is None:
            raise AssertionError  # find_mesh makes both or neither, and the phases are made for it
        passed = self.middle.passing(phases.theta, phases.phi)[0]
        return np.asarray((self.u.matrix(phases.u) * passed) @ self.v.matrix(phases.v))

    def send(self, phases: MeshPhases | PairPhases, x: Any) -> Passage | PairPassage:
        """Send fields x (batch, n) through with phases held; return outputs and their gradient."""
        if isinstance(phases, MeshPhases):
            return self.u.send(phases, x)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        first = self.v.send(phases.v, x)
        passed, *slopes = self.middle.passing(phases.theta, phases.phi)
        second = self.u.send(phases.u, first.outputs * passed.astype(first.outputs.dtype))
        return PairPassage(first, passed, np.array(slopes), second)

    def set_for(self, wanted: MeshPhases | PairPhases) -> MeshPhases | PairPhases:
        """Return the phases to set, at wl0, for the wanted phases at wl."""
        if isinstance(wanted, MeshPhases):
            return self.u.set_for(wanted)
        if self.v is None or self.middle is None:
            raise AssertionError  # as above
        theta, phi = wanted.theta, wanted.phi
        if self.u.bits is not None:
            theta, phi = np.mod(theta, TURN), np.mod(phi, TURN)
        theta, phi = self.middle.set_for(theta, phi)
        return replace(wanted, v=self.v.set_for(wanted.v), u=self.u.set_for(wanted.u), theta=theta, phi=phi)

    def corrected(self, wanted: MeshPhases | PairPhases) -> MeshPhases | PairPhases:
        """Return the phases to set so that errors of the hardware are corrected, block by block."""
        from photosim.training.devices.mesh.correction import corrected, reachable

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

    def drawn(self, coupling: float, rng: np.random.Generator, *, offset: float = 0.0) -> MeshCircuit:
        """Return the mesh with random normal errors of the couplers and phases.

        coupling: standard deviation of the cross-coupled power.  offset: standard deviation in rad.
        """
        u = self.u.drawn(coupling, offset, rng)
        v = self.v and self.v.drawn(coupling, offset, rng)
        return replace(self, u=u, v=v, middle=self.middle and self.middle.drawn(coupling, offset, rng))

    def ideal(self) -> MeshCircuit:
        """Return the mesh without imperfections: 50:50 couplers, no loss, offsets or crosstalk, ideal DACs.

        The wavelength of the phases stays as it is.
        """
        middle = self.middle and self.middle.ideal()
        return replace(self, u=self.u.ideal(), v=self.v and self.v.ideal(), middle=middle)

    def settings(self, phases: MeshPhases | PairPhases) -> dict[str, Any]:
        """Return phases held, as they act, and couplings as a call of the circuit takes them."""
        if self.names is not None and isinstance(phases, MeshPhases):
            acting = self.u.parted(self.u.acting(phases) / self.u.turns)
            return dict(self.names.settings(acting, self.u.blocks))
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
                set_there = {"theta": float(inner), "phi": float(outer)}
                own[name] |= at_shifters(set_there) if self.u.bits is not None else set_there
        for level in reversed(steps(self.name)):
            own = {level: own}
        return own


MESHES = (*(f"{arrangement}_mesh" for arrangement in get_args(Arrangement)), "svd_mesh")
"""Components that are meshes."""


def find_mesh(
    circuit: Circuit,
    name: str | None = None,
    wl: float | None = None,
    *,
    inputs: Sequence[str] | None = None,
    outputs: Sequence[str] | None = None,
) -> MeshCircuit:
    """Return the mesh that is instance `name` of a circuit, at wl in um or at the wavelength of its phases.

    Without a name the circuit's only mesh component, if no other part lies before a port, or else, by
    structure, the couplers and phase shifters between its ports, whatever they are called; inputs and
    outputs: those ports in the order of the guides, found unless given.
    ParameterError says that it is none, that its couplers reflect, which a passage from column to column does
    not see, or that blocks have converters or heat which the mesh does not give all of them alike.
    """
    if name is not None:
        return _named_mesh(circuit, name, wl)
    components = _mesh_components(circuit)
    if len(components) == 1 and inputs is None and outputs is None and ends_at(circuit, components[0]):
        return _named_mesh(circuit, components[0], wl)
    try:
        wiring = wire(circuit, inputs, outputs, (), wl)
        found = find_by_structure(circuit, wiring.inputs, wiring.outputs, float(wiring.wl[0]))
    except NotAMeshError as reason:
        others = f" Its mesh components are {listing(components)}: name one." if components else ""
        message = f"Circuit {circuit.name!r} is not a mesh: {reason}.{others}"
        raise ParameterError(message) from None
    return MeshCircuit(circuit, circuit.name, float(wiring.wl[0]), found.mesh, names=found.names)


def _mesh_components(circuit: Circuit) -> list[str]:
    """Return the instances that are mesh components and lie in no other one."""
    found = [name for name, model in circuit.graph.composites.items() if model.name in MESHES]
    return [name for name in found if not any(name.startswith(f"{other}.") for other in found)]


def ends_at(circuit: Circuit, name: str) -> bool:
    """Return whether all ports of a circuit are those of one instance: no other part lies before one."""
    owners = circuit.graph.owners
    return all(owners[port].name.startswith(f"{name}.") for port in circuit.graph.exposed.values())


def _named_mesh(circuit: Circuit, name: str, wl: float | None) -> MeshCircuit:
    """Return the mesh that is a component, known by the names of its blocks, which must be `mzi_block`."""
    held = circuit.parameters
    own = {key[len(name) + 1 :]: value for key, value in held.items() if key.startswith(f"{name}.")}
    pair = any(key.startswith("v.m") for key in own)
    ends = sum(bool(re.fullmatch(r"(u\.)?end\d+\.phase", key)) for key in own)
    first = next((key for key in own if re.fullmatch(r"(u\.)?m0_\d+\.outer\.wl0", key)), None)
    if ends < 2 or first is None:
        outer = sorted(
            {match[1] for key in held if (match := re.fullmatch(r"(.+)\.m0_\d+\.split\.coupling", key))}
        )
        message = f"{name!r} is not a mesh of this circuit. Meshes: {listing(outer) if outer else 'none'}."
        hint = "" if outer else " Without a name, parts between the ports are examined for a mesh."
        raise ParameterError(message + did_you_mean(name, outer) + hint)
    if any(value != 0.0 for key, value in own.items() if key.endswith(".reflection")):
        message = (
            f"Couplers of mesh {name!r} reflect: light does not pass each block once. Use the circuit itself."
        )
        raise ParameterError(message)
    wl = float(as_wavelengths([own[first] if wl is None else wl])[0])
    bits = _bits(circuit, name)
    if not pair:
        return MeshCircuit(circuit, name, wl, _one_mesh(own, "", ends, wl, bits))
    middle = _blocks(own, [f"a{k}" for k in range(ends)], wl)
    u, v = (_one_mesh(own, side, ends, wl, bits) for side in ("u.", "v."))
    return MeshCircuit(circuit, name, wl, u, v, middle)


def _bits(circuit: Circuit, name: str) -> int | None:
    """Return the bits of a mesh's converters; ParameterError where not all of them have the same."""
    own = re.compile(rf"{re.escape(name)}\.((u|v)\.)?(m\d+_\d+|a\d+|end\d+)\.bits")
    found = {value for key, value in circuit.graph.structural.items() if own.fullmatch(key)}
    if len(found) > 1:
        message = f"The converters of mesh {name!r} have different bits: {listing(sorted(map(str, found)))}."
        raise ParameterError(message)
    return found.pop() if found else None


def _one_mesh(own: Mapping[str, Any], prefix: str, n: int, wl: float, bits: int | None) -> OneMesh:
    found = {
        (int(match[1]), int(match[2]))
        for key in own
        if key.startswith(prefix) and (match := _BLOCK.fullmatch(key[len(prefix) :]))
    }
    fitting: list[Arrangement] = [a for a in get_args(Arrangement) if set(PLACES[a](n)) == found]
    if not fitting:
        message = (
            f"{len(found)} blocks on {n} guides are not in the order of a mesh: there are {listing(PLACES)}."
        )
        raise ParameterError(message)
    names = [f"{prefix}m{column}_{mode}" for column, mode in PLACES[fitting[0]](n)]
    loss = _values(own, [f"{prefix}end{k}" for k in range(n)], "loss_dB")
    turn = _values(own, [f"{prefix}end{k}" for k in range(n)], "wl0") / wl
    crosstalk = own.get(f"{prefix}crosstalk")
    if crosstalk is None and any(
        f"{name}.{heat}" in own for name in names for heat in ("heat_theta", "heat_phi")
    ):
        message = "Blocks of a mesh must not have heat_theta or heat_phi: use the mesh's setting crosstalk."
        raise ParameterError(message)
    leak = None if crosstalk is None else leaking(fitting[0], n, crosstalk)
    return OneMesh(fitting[0], _blocks(own, names, wl), _amplitude(loss), turn, np.zeros(n), leak, bits)


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


@public
def mesh_chip(component: str, n: int, **settings: Any) -> Circuit:
    """Return a circuit with one mesh, `mesh`, and its ports: inputs in0, in1, ..., outputs out0, out1, ...

    component: `clements_mesh`, `reck_mesh`, `svd_mesh` or another composite with such ports.  n: number of
    guides.  settings: those of the component beside n.
    """
    from photosim.circuit import Circuit
    from photosim.model import Netlist, part

    ports = {f"{side}{k}": ("mesh", f"{side}{k}") for side in ("in", "out") for k in range(n)}
    return Circuit(Netlist({"mesh": part(component, n=n, **settings)}, ports=ports, name=component))

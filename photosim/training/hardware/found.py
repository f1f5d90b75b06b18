"""Values of `hardware`: netlists, circuits and devices, and the layers and feedback they can serve."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.engine.bindings import steps
from photosim.errors import ParameterError, PhotosimError, did_you_mean, listing
from photosim.reals import shown
from photosim.training.arrays import FloatArray
from photosim.training.devices import (
    CircuitDevice,
    Device,
    Digital,
    Mesh,
    Projection,
    ScatteringMedium,
    TiledMesh,
    WeightBank,
)
from photosim.training.devices.bank.circuit import only_bank
from photosim.training.devices.mesh.circuit import MESHES, find_mesh
from photosim.training.devices.mesh.engine_mesh import EngineMesh
from photosim.training.layers import Dense, Layer
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.layers.held import HeldDense, Way

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.training.devices.bank.weight_bank import Measured
    from photosim.training.devices.receiver import Converters

Kind = Literal["bank", "mesh", "medium", "circuit", "device", "chip"]
_MEMBERS = ("apply", "matrix", "program")
FINE = 6
"""Pictures a sign of an error that a medium is shown, as lightonml sends them."""


@dataclass(frozen=True)
class Settings:
    """What goes with hardware: an instance's name, noise, and options of weight banks."""

    device: str | None = None
    noise: Any = None
    converters: Converters | None = None
    gated: bool = True
    measured: Measured | None = None


@dataclass(frozen=True)
class Found:
    """One hardware: what it is called, its kind, and the device of which all others are made.

    device: nothing programmed; a medium's is made of its circuit when it is known how many entries it sends.
    """

    name: str
    kind: Kind
    device: Any
    settings: Settings
    circuit: Circuit | None = None
    made: dict[bytes, Device] = field(default_factory=dict, compare=False, repr=False)

    @property
    def holds(self) -> bool:
        """Whether weights can be programmed into it, or settings trained in their place."""
        if self.kind == "circuit":
            return bool(self.device.parameters) and self.device.readout.reading != "fields"
        return self.kind != "medium"

    @property
    def carries(self) -> bool:
        """Whether it can carry feedback: it holds random matrices, or disorder is one."""
        if self.kind == "chip":
            return False
        return self.kind != "circuit" or (self.device.linear and self.holds)

    @property
    def tile(self) -> tuple[int, int] | None:
        """Outputs and inputs of what it holds at a time; None where that is not known."""
        if self.kind == "chip":
            return self.device.wiring.n, self.device.wiring.n
        match self.device:
            case WeightBank():
                return self.device.hardware.rows, self.device.hardware.channels
            case TiledMesh():
                return self.device.hardware.guides, self.device.hardware.guides
            case CircuitDevice():
                return self.device.tile
        return None

    def layer(self, dense: Dense, way: Way, rng: np.random.Generator) -> Layer:
        """Return a dense layer that this hardware holds one way or both."""
        if self.kind == "chip":
            from photosim.training.chips.held import ChipDense

            return ChipDense.of(self.device, dense.inputs, dense.outputs, dense.activation)
        if self.kind == "circuit" and way != "backward":
            own = _noisy(self.device, self.settings, rng)
            return CircuitLayer(own, dense.inputs, dense.outputs, dense.activation)
        hardware = _noisy(self.device, self.settings, rng)
        return HeldDense(dense.inputs, dense.outputs, dense.activation, hardware, way)

    def hold(self, matrices: Sequence[FloatArray]) -> None:
        """Program feedback matrices, all in one go where the device can; `feedback` finds them again."""
        if self.kind == "medium":
            return
        new = [matrix for matrix in matrices if matrix.tobytes() not in self.made]
        if isinstance(self.device, WeightBank):
            programmed: Sequence[Device] = self.device.program_all(new) if new else []
        else:
            programmed = [self.device.program(matrix) for matrix in new]
        for matrix, device in zip(new, programmed, strict=True):
            self.made[matrix.tobytes()] = device

    def feedback(self, matrix: FloatArray, rng: np.random.Generator) -> Device:
        """Return a device that holds a feedback matrix, with noise of its own and nothing counted."""
        self.hold([matrix])
        noisy: Device = _noisy(self.made[matrix.tobytes()], self.settings, rng)
        return noisy


def read_hardware(value: Any, settings: Settings, own: Circuit | None = None) -> Found:
    """Return the hardware that a value means: a netlist's name or path, a Circuit, or a device.

    own: the circuit of a netlist whose analysis names hardware, its own where value is None. Raises
    ParameterError for anything else, and for a circuit in which no device is found.
    """
    from photosim.circuit import Circuit
    from photosim.training.chips.held import is_chip

    if isinstance(value, Found):
        return replace(value, settings=settings)
    if value is None and own is not None:
        return of_circuit(own, settings)
    if isinstance(value, str | os.PathLike):
        return of_circuit(_loaded(value), settings)
    if isinstance(value, Circuit):
        return of_circuit(value, settings)
    if is_chip(value):
        if settings.device is not None or settings.noise is not None:
            message = (
                "hardware is a chip, which has its own noise and no instances: leave out device and noise."
            )
            raise ParameterError(message)
        return Found(type(value).__name__, "chip", value, settings)
    if isinstance(value, type) or not all(callable(getattr(value, name, None)) for name in _MEMBERS):
        message = (
            "hardware must be a netlist's name or path, a Circuit, a chip, a device with program, matrix "
            f"and apply, or a list with one of these or None for each layer that learns, got {shown(value)}."
        )
        raise ParameterError(message)
    return of_device(value, settings)


def of_device(device: Any, settings: Settings) -> Found:
    """Return a device as hardware; a mesh stands for tiles of it."""
    if settings.device is not None:
        message = f"device={settings.device!r} names an instance of a circuit, but hardware is a device."
        raise ParameterError(message)
    name = type(device).__name__
    match device:
        case EngineMesh():
            own = replace(device.hardware.device, readout=replace(_quadrature(device)))
            return Found(device.hardware.name, "circuit", own, settings)
        case Mesh():
            tiles = TiledMesh.of(device.hardware, device.errors)
            return Found(device.hardware.name, "mesh", tiles, settings)
        case TiledMesh() | WeightBank():
            kind: Kind = "mesh" if isinstance(device, TiledMesh) else "bank"
            return Found(device.hardware.name, kind, device, settings)
        case ScatteringMedium():
            return Found(name, "medium", device, settings)
        case CircuitDevice():
            return Found(device.wiring.circuit.name, "circuit", device, settings)
    return Found(name, "device", device, settings)


def has_camera(circuit: Circuit) -> bool:
    """Return whether a circuit ends at a camera, so that it is a scattering medium as a device."""
    return any(part.model.name == "camera" for part in circuit.graph.parts)


def is_mesh(circuit: Circuit, name: str | None) -> bool:
    """Return whether an instance of a circuit is a mesh component."""
    model = circuit.graph.composites.get(name or "")
    return model is not None and model.name in MESHES


def of_circuit(circuit: Circuit, settings: Settings) -> Found:
    """Return a circuit as hardware: a weight bank, a mesh or a medium where it is one, else as it is."""
    own = settings.device if settings.device != circuit.name else None
    if has_camera(circuit) and (own is None or own in circuit.graph.index):
        return Found(circuit.name, "medium", None, settings, circuit)
    if is_mesh(circuit, own):
        return Found(circuit.name, "mesh", TiledMesh.from_circuit(circuit, own), settings, circuit)
    if own is not None:
        check_instance(circuit, own)
        return _bank(circuit, own, settings)
    if circuit.detectors and circuit.sources:
        try:
            return _bank(circuit, only_bank(circuit), settings)
        except ParameterError as error:
            reason: str = str(error)
    else:
        reason = ""
        try:
            if not (circuit.detectors or circuit.nonlinear):  # a mesh is all that there is
                return Found(circuit.name, "mesh", TiledMesh.of(find_mesh(circuit)), settings, circuit)
        except ParameterError:
            pass  # any other circuit trains its own settings
    try:
        return Found(circuit.name, "circuit", Device.from_circuit(circuit), settings, circuit)
    except PhotosimError as error:
        message = f"Circuit {circuit.name!r} is not hardware of a layer: {error} {reason}".strip()
        raise ParameterError(message) from None


def check_instance(circuit: Circuit, name: str) -> None:
    """Raise ParameterError, naming what there is, where an instance is not there or not a device."""
    graph = circuit.graph
    banks = {steps(detector)[0] for detector in circuit.detectors}
    meshes = {own for own in graph.composites if is_mesh(circuit, own)}
    cameras = {part.name for part in graph.parts if part.model.name == "camera"}
    known = sorted(banks | meshes | cameras)
    if name not in known:
        message = (
            f"device={name!r} is not a weight bank, mesh or camera of circuit {circuit.name!r}, which has "
            f"{listing(known) if known else 'none'}: leave device out to use the circuit as it is."
        )
        raise ParameterError(message + did_you_mean(name, known))


def _bank(circuit: Circuit, name: str, settings: Settings) -> Found:
    bank = WeightBank.from_circuit(circuit, name, settings.converters)
    return Found(circuit.name, "bank", replace(bank, gated=settings.gated), settings, circuit)


def _quadrature(mesh: EngineMesh) -> Any:
    return replace(mesh.hardware.device.readout, reading="quadrature")


def _loaded(value: str | os.PathLike[str]) -> Circuit:
    from photosim.circuit import load

    try:
        return load(Path(value))
    except ParameterError:
        raise
    except PhotosimError as error:
        message = f"hardware={os.fspath(value)!r} is not a netlist that can be read: {error}"
        raise ParameterError(message) from None


def _noisy(device: Any, settings: Settings, rng: np.random.Generator) -> Any:
    """Return a device with the noise requested, and counters of its own."""
    noise = settings.noise
    if isinstance(device, WeightBank):
        return device.with_noise(noise if noise is not None else device.noise, rng, settings.measured)
    if isinstance(device, CircuitDevice):
        if noise == "measured":
            message = "noise='measured' is the published model of weight banks and media: use 'physical'."
            raise ParameterError(message)
        return device.with_noise(noise if noise is not None else device.noise, rng)
    if noise is not None:
        message = (
            f"{type(device).__name__} has no noise {noise!r}: a mesh between ports has no "
            "detectors. Give a device, such as TiledMesh with MeshErrors and Readout(noise=...), or leave "
            "noise out."
        )
        raise ParameterError(message)
    if isinstance(device, TiledMesh):
        return replace(device, counters=Counter())
    return device


def media(
    found: Found, matrices: Sequence[FloatArray], rng: np.random.Generator, *, levels: int
) -> tuple[Device, ...]:
    """Return devices of one medium in place of random matrices, entries as large as theirs.

    levels: pictures of each sign that errors are shown in. Raises ParameterError where the circuit has too
    few mirrors or pixels.
    """
    if found.circuit is None:
        device = found.device
        if len(matrices) != 1 or device.matrix().shape != matrices[0].shape:
            shapes = listing([f"{m.shape[0]} x {m.shape[1]}" for m in matrices])
            message = (
                f"This ScatteringMedium holds a matrix of {device.matrix().shape}, but feedback is {shapes}: "
                "give its circuit, or its netlist's name."
            )
            raise ParameterError(message)
        return (device,)
    how = Projection(planes=levels, noise=found.settings.noise)
    first, devices = 0, []
    # One camera for all: matrices of as many inputs share exposures, others lie on pixels of their own.
    inputs = {matrix.shape[1] for matrix in matrices}
    size = float(np.std(np.concatenate([matrix.ravel() for matrix in matrices])))
    if len(inputs) == 1:
        widths = [len(matrix) for matrix in matrices]
        return ScatteringMedium.from_circuit(found.circuit, inputs.pop(), widths, how, size=size, rng=rng)
    for matrix in matrices:
        own = [*([first] if first else []), len(matrix)]
        made = ScatteringMedium.from_circuit(
            found.circuit, matrix.shape[1], own, how, size=float(np.std(matrix)), rng=rng
        )
        devices.append(made[-1])
        first += len(matrix)
    return tuple(devices)


def exact(matrices: Sequence[FloatArray]) -> tuple[Device, ...]:
    """Return exact devices."""
    return tuple(Digital(matrix) for matrix in matrices)

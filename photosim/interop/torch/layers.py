"""Layers of the training room as modules of PyTorch: the hardware forward, a gradient of choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import torch

from photosim.bounds import check_choice, check_whole
from photosim.errors import ParameterError
from photosim.interop.torch.operations import INPUTS, PARAMETERS, Array, Operation, Spec, check_tensor, run
from photosim.training.devices.mesh.blocks import Blocks, OneMesh
from photosim.training.layers import Dense, Layer, Network, Parameters
from photosim.training.layers.activations import activation
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.layers.held import HeldDense
from photosim.training.layers.layer import Trace
from photosim.training.layers.mesh import MeshLayer, arrays_of, padded

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.training.devices.device import Device
    from photosim.training.devices.mesh.circuit import MeshCircuit

Gradient = Literal["exact", "ideal", "feedback"]
GRADIENTS = {
    "exact": "of the hardware as it is",
    "ideal": "of the hardware without its imperfections, at the settings it has (wright2022)",
    "feedback": "as exact, but errors go back through a fixed random matrix (lillicrap2016)",
}
"""What a module's way back may be."""


_KEEP, _STILL = torch.tensor(0), torch.tensor(-1)
"""Seeds of passes that draw nothing, in training and in evaluation."""


class LayerModule(torch.nn.Module):  # type: ignore[misc] # PyTorch has no place in the checks
    """A layer as `nn.Module`: x (..., inputs) to (..., outputs), its arrays as parameters.

    layer: any layer of `photosim.training.layers`; phases of meshes, weights that a bank or another device
    holds, convolutions, plain dense ones.  parameters: to start from; else drawn from `seed`, as is what
    feedback goes through.  gradient: a name of GRADIENTS.  dtype: of the parameters, torch.float32 or
    float64. Each pass draws the seed of its noise from PyTorch's generator, so that a pass computed
    again, as a checkpoint does, is the same. In evaluation mode nothing is dropped out.
    """

    def __init__(
        self,
        layer: Layer,
        parameters: Parameters | None = None,
        *,
        gradient: Gradient = "exact",
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if not hasattr(layer, "forward") or not hasattr(layer, "weights_shape"):
            message = f"LayerModule takes a layer of photosim.training.layers, got {type(layer).__name__}."
            raise ParameterError(message)
        check_choice("LayerModule", get_args(Gradient), gradient=gradient)
        check_choice("LayerModule", (torch.float32, torch.float64), dtype=dtype)
        check_whole("LayerModule", 0, seed=seed)
        rng = np.random.default_rng(seed)
        kind = np.float32 if dtype == torch.float32 else np.float64
        start = layer.initial(rng, kind) if parameters is None else parameters
        self.layer, self.gradient = layer, gradient
        self.names = tuple(start)
        for name, value in start.items():
            tensor = torch.from_numpy(np.array(value, dtype=kind))
            self.register_parameter(_attribute(name), torch.nn.Parameter(tensor))
        fed = _feedback(layer, rng) if gradient == "feedback" else None
        way = _ideal(layer) if gradient == "ideal" else layer
        self.operation = _LayerOperation(layer, self.names, way, fed)

    def forward(self, x: torch.Tensor) -> Any:
        """Return (..., outputs) of x (..., inputs)."""
        work, own = self.operation, [getattr(self, _attribute(name)) for name in self.names]
        title = f"A module of {type(self.layer).__name__}"
        check_tensor(title, x, self.layer.inputs, own[0] if own else None)
        if work.noisy or (self.training and work.draws):
            seed = torch.randint(2**62, ())
            marked = seed if self.training else -1 - seed  # the sign says whether units are dropped out
        else:
            marked = _KEEP if self.training else _STILL
        if x.ndim == 2:
            return run(work, x, own, marked)
        y = run(work, x.reshape(-1, x.shape[-1]), own, marked)
        return y.reshape(*x.shape[:-1], y.shape[-1])

    def parameters_held(self) -> Parameters:
        """Return the arrays by the layer's own names, as `photosim.training` takes them."""
        return {name: getattr(self, _attribute(name)).detach().numpy().copy() for name in self.names}

    def extra_repr(self) -> str:
        """Say what the module is made of, in its line of a printed network."""
        layer = self.layer
        return f"{type(layer).__name__}, {layer.inputs} -> {layer.outputs}, gradient={self.gradient!r}"


def mesh(
    circuit: Circuit,
    name: str = "mesh",
    *,
    inputs: int | None = None,
    outputs: int | None = None,
    detection: Any = "fields",
    gain: float = 1.0,
    **options: Any,
) -> LayerModule:
    """Return the mesh `name` of a circuit as a module whose phases are learnt.

    inputs, outputs, detection, gain: as for `photosim.training.layers.mesh.MeshLayer`.  options: of
    LayerModule.
    """
    layer = MeshLayer.of(circuit, name, inputs=inputs, outputs=outputs, detection=detection, gain=gain)
    return LayerModule(layer, **options)


def programmed(device: Device, inputs: int, outputs: int, **options: Any) -> LayerModule:
    """Return a device programmed with weights (outputs, inputs) that are learnt; electronics add biases.

    device: a weight bank, mesh or any other that `program` accepts.  options: of LayerModule.
    """
    return LayerModule(HeldDense(inputs, outputs, activation("linear"), device), **options)


def sequential(
    network: Network, parameters: list[Parameters] | None = None, **options: Any
) -> torch.nn.Sequential:
    """Return a network as modules in a row; state dicts name layers by number.

    parameters: of every layer, as training returns them.  options: of LayerModule.
    """
    given: Sequence[Parameters | None] = [None] * len(network.layers) if parameters is None else parameters
    modules = [
        LayerModule(layer, own, **{"seed": number, **options})
        for number, (layer, own) in enumerate(zip(network.layers, given, strict=True))
    ]
    return torch.nn.Sequential(*modules)


def parameters_of(modules: torch.nn.Sequential) -> list[Parameters]:
    """Return the parameters of every layer of `sequential`'s modules, as `photosim.training` takes them."""
    wrong = [module for module in modules if not isinstance(module, LayerModule)]
    if wrong:
        kind = type(wrong[0]).__name__
        message = f"{kind} is not a layer of photosim: parameters_of takes what sequential made."
        raise ParameterError(message)
    return [module.parameters_held() for module in modules]


class Projection(torch.nn.Module):  # type: ignore[misc]
    """A device with a fixed matrix, such as a scattering medium: x (..., inputs) to (..., outputs).

    gradient: "exact" sends errors back through the matrix that the device has, "feedback" through a random
    one drawn from `seed`. Levels that mirrors show have no slope; the gradient passes straight through them.
    """

    def __init__(
        self, device: Device, *, gradient: Literal["exact", "feedback"] = "exact", seed: int = 0
    ) -> None:
        super().__init__()
        if not hasattr(device, "matrix") or not hasattr(device, "apply"):
            message = f"Projection takes a device that holds a matrix, got {type(device).__name__}."
            raise ParameterError(message)
        check_choice("Projection", ("exact", "feedback"), gradient=gradient)
        check_whole("Projection", 0, seed=seed)
        self.operation = _ProjectionOperation(device, gradient, seed)

    def forward(self, x: torch.Tensor) -> Any:
        """Return (..., outputs) of x (..., inputs)."""
        work = self.operation
        check_tensor("Projection", x, work.matrix.shape[1])
        seed = torch.randint(2**62, ())
        y = run(work, x.reshape(-1, x.shape[-1]), [], seed)
        return y.reshape(*x.shape[:-1], y.shape[-1])


class _ProjectionOperation(Operation):
    def __init__(self, device: Device, gradient: str, seed: int) -> None:
        self.device, self.matrix = device, device.matrix()
        rng = np.random.default_rng(seed)
        self.back = _matrix(rng, self.matrix.shape) if gradient == "feedback" else self.matrix
        super().__init__()

    def spec(self, x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> Spec:
        """Return shape and type of the outputs."""
        del parameters
        return (x.shape[0], self.matrix.shape[0]), x.dtype

    def forward(self, x: Array, parameters: list[Array], seed: int) -> tuple[Array, Any]:
        """Return the products, with noise drawn from the seed."""
        del parameters
        return _seeded(self.device, seed).apply(x), True

    def backward(
        self, cotangent: Array, x: Array, parameters: list[Array], memo: Any, wanted: int
    ) -> tuple[Array | None, list[Array] | None]:
        """Return the cotangent of x."""
        del x, parameters, memo, wanted
        return cotangent @ self.back, None


class _LayerOperation(Operation):
    """A layer's forward pass; its way back is that of `way`, and through `fed` (outputs, inputs) if given."""

    def __init__(self, layer: Layer, names: tuple[str, ...], way: Layer, fed: Array | None) -> None:
        self.layer, self.names, self.way, self.fed = layer, names, way, fed
        self.noisy = isinstance(layer, HeldDense | CircuitLayer)
        self.draws = not isinstance(layer, MeshLayer)
        super().__init__()

    def spec(self, x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> Spec:
        """Return shape and type of the outputs."""
        single = (parameters[0] if parameters else x).dtype in {torch.float32, torch.complex64}
        real, complex_ = (torch.float32, torch.complex64) if single else (torch.float64, torch.complex128)
        fields = isinstance(self.layer, MeshLayer) and self.layer.detection == "fields"
        passed = not parameters and x.is_complex()
        return (x.shape[0], self.layer.outputs), complex_ if fields or passed else real

    def forward(self, x: Array, parameters: list[Array], seed: int) -> tuple[Array, Any]:
        """Return the layer's outputs, and the trace and seed of the layer whose gradient is taken."""
        own = dict(zip(self.names, parameters, strict=True))
        training = seed >= 0
        number = seed if training else -1 - seed
        rng = _generator(number) if training and self.draws else None
        trace = self._trace(own, x, rng, number)
        return trace.outputs, (trace if self.way is self.layer else self.way.forward(own, x, rng), number)

    def _trace(self, own: Parameters, x: Array, rng: np.random.Generator | None, seed: int) -> Trace:
        layer = self.layer
        if isinstance(layer, CircuitLayer):
            layer = replace(layer, device=replace(layer.device, rng=_generator(seed)))
        if not isinstance(layer, HeldDense) or layer.way == "backward":
            return layer.forward(own, x, rng)
        if np.iscomplexobj(x):
            message = "A device that holds weights takes real numbers, got complex ones."
            raise ParameterError(message)
        product = _seeded(layer.device(own["weights"]), seed).apply(x).astype(x.dtype, copy=False)
        pre = product + own["bias"]
        return Trace(x, pre, layer.activation.value(pre))

    def backward(
        self, cotangent: Array, x: Array, parameters: list[Array], memo: Any, wanted: int
    ) -> tuple[Array | None, list[Array] | None]:
        """Return the cotangents of x and of the layer's arrays."""
        del x
        trace, seed = memo
        way, own = self.way, dict(zip(self.names, parameters, strict=True))
        plain = isinstance(way, MeshLayer) and way.detection == "fields"
        delta = cotangent if plain else cotangent * way.derivative(trace)
        if isinstance(way, MeshLayer) and self.fed is None:
            return _through_mesh(way, self.names, trace, delta, wanted)
        by_x = None
        if wanted & INPUTS:
            fed = self.fed
            by_x = self._back(own, trace, delta, seed) if fed is None else delta @ fed.astype(delta.dtype)
        if not wanted & PARAMETERS:
            return by_x, None
        found = way.gradient(trace, delta, 1)
        return by_x, [found[name] for name in self.names]

    def _back(self, own: Parameters, trace: Trace, delta: Array, seed: int) -> Array:
        """Return the cotangent of x: through the matrix that hardware holds, without a draw of its noise.

        Hardware that light goes through on the way back alone is read, with noise of the pass's seed.
        """
        way = self.way
        if not isinstance(way, HeldDense):
            return way.back(own, trace, delta)
        if way.way == "backward":
            return _seeded(way.reversed_device(own["weights"]), seed).apply(delta)
        return np.asarray(delta @ way.device(own["weights"]).matrix())


def _through_mesh(
    layer: MeshLayer, names: tuple[str, ...], trace: Trace, delta: Array, wanted: int
) -> tuple[Array | None, list[Array] | None]:
    """Return the cotangents of inputs and phases of a mesh, both from one passage."""
    delta = delta if layer.gain == 1.0 else layer.gain * delta
    cotangent = padded(delta, layer.hardware.guides, trace.pre.dtype)
    if not wanted & PARAMETERS:
        return trace.memo.back(cotangent)[:, : layer.inputs], None
    found = trace.memo.gradient(cotangent, inputs=bool(wanted & INPUTS))
    by = arrays_of(found)
    return found.inputs[:, : layer.inputs] if wanted & INPUTS else None, [by[name] for name in names]


def _attribute(name: str) -> str:
    return name.replace(".", "_")


def _generator(seed: int) -> np.random.Generator:
    """Return a counter-based generator of its own for a seed."""
    return np.random.Generator(np.random.Philox(key=seed))


def _seeded(device: Device, seed: int) -> Device:
    """Return the device with its noise drawn from a seed, where it draws any."""
    drawing = cast("Any", device)
    return replace(drawing, rng=_generator(seed)) if hasattr(drawing, "rng") else device


def _matrix(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.standard_normal(shape) / np.sqrt(shape[0]))


def _feedback(layer: Layer, rng: np.random.Generator) -> Array:
    if layer.weights_shape is None:
        message = f"{type(layer).__name__} has no weights whose way back feedback could replace."
        raise ParameterError(message)
    return _matrix(rng, (layer.outputs, layer.inputs))


def _ideal(layer: Layer) -> Layer:
    """Return the layer whose hardware has no imperfections."""
    if isinstance(layer, MeshLayer):
        return replace(layer, hardware=_ideal_mesh(layer.hardware))
    if isinstance(layer, HeldDense):
        return Dense(layer.inputs, layer.outputs, layer.activation)
    message = f"{type(layer).__name__} has no imperfect hardware: its gradient is 'exact'."
    raise ParameterError(message)


def _ideal_mesh(hardware: MeshCircuit) -> MeshCircuit:
    """Return the mesh at the same wavelength with even couplers, no loss, heat that stays and free phases."""

    def blocks(own: Blocks) -> Blocks:
        half, one, zero = (np.full_like(own.split, value) for value in (0.5, 1.0, 0.0))
        return replace(
            own, split=half, join=half, passed=one, outer=one, inner=one, outer_offset=zero, inner_offset=zero
        )

    def one_mesh(own: OneMesh) -> OneMesh:
        end = np.ones_like(own.end)
        zero = np.zeros_like(end)
        return replace(own, blocks=blocks(own.blocks), end=end, end_offset=zero, leak=None, bits=None)

    v, middle = hardware.v, hardware.middle
    return replace(hardware, u=one_mesh(hardware.u), v=v and one_mesh(v), middle=middle and blocks(middle))

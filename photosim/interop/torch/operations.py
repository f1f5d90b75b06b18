"""The two operators of PyTorch through which circuits and layers run: forward, and back from a cotangent.

PyTorch sees one opaque operator, so that autograd, `torch.compile` and checkpoints treat it as their own. The
work itself is an `Operation`, found by its number; a loss's gradient by complex numbers is dL/dRe + i dL/dIm
in PyTorch as here.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from photosim.errors import ParameterError

Array: TypeAlias = NDArray[Any]
Spec: TypeAlias = tuple[tuple[Any, ...], torch.dtype]
"""Shape and type."""
INPUTS, PARAMETERS = 1, 2
"""Flags of the derivatives that are wanted."""
_KEPT = 4
"""Passes of one operation that are remembered for their way back; what was forgotten is computed again."""
_NUMBERS = itertools.count(1)
_OPERATIONS: WeakValueDictionary[int, Operation] = WeakValueDictionary()


class Operation(ABC):
    """Numbers in, numbers out, and the derivative; known to the operators by `number`."""

    number: int

    def __init__(self) -> None:
        self._register()

    @abstractmethod
    def spec(self, x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> Spec:
        """Return shape and type of the outputs."""

    @abstractmethod
    def forward(self, x: Array, parameters: list[Array], seed: int) -> tuple[Array, Any]:
        """Return the outputs of x (batch, inputs), and what the way back needs; of a seed the same."""

    @abstractmethod
    def backward(
        self, cotangent: Array, x: Array, parameters: list[Array], memo: Any, wanted: int
    ) -> tuple[Array | None, list[Array] | None]:
        """Return the cotangents of x and of the parameters, None for what is not wanted."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what belongs to this process."""
        return {key: value for key, value in vars(self).items() if key not in {"number", "kept"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come back under a number of its own."""
        vars(self).update(state)
        self._register()

    def __deepcopy__(self, _memo: dict[int, Any]) -> Operation:
        """Return a copy that shares the hardware, which never changes."""
        copy = object.__new__(type(self))
        copy.__setstate__(self.__getstate__())
        return copy

    def _register(self) -> None:
        self.number = next(_NUMBERS)
        self.kept: OrderedDict[int, tuple[Array, Any]] = OrderedDict()
        _OPERATIONS[self.number] = self

    def keep(self, place: int, outputs: Array, memo: Any) -> None:
        """Remember a pass by where its outputs lie; the memory stays theirs as long as it is remembered."""
        if outputs.size:
            self.kept[place] = (outputs, memo)
            while len(self.kept) > _KEPT:
                self.kept.popitem(last=False)

    def found(self, place: int) -> Any:
        """Return what was remembered of a pass, once, or None: its memory is free for the next one."""
        return self.kept.pop(place, (None, None))[1]


_FORWARD = "(Tensor x, Tensor[] parameters, Tensor seed, int number) -> Tensor"
_BACK = (
    "(Tensor cotangent, Tensor x, Tensor outputs, Tensor[] parameters, Tensor seed, int number, int wanted)"
    " -> Tensor[]"
)


def _forward(
    x: torch.Tensor, parameters: Sequence[torch.Tensor], seed: torch.Tensor, number: int
) -> torch.Tensor:
    """Return what operation `number` makes of x (batch, inputs)."""
    operation = _OPERATIONS[number]
    given = _array(x)
    kind = _NUMPY[operation.spec(x, parameters)[1]]
    values, memo = operation.forward(given, [_array(p) for p in parameters], int(seed))
    values = np.ascontiguousarray(values, dtype=kind)
    if np.may_share_memory(values, given):
        values = values.copy()
    outputs = torch.from_numpy(values)
    operation.keep(outputs.data_ptr(), values, memo)
    return outputs


def _back(
    cotangent: torch.Tensor,
    x: torch.Tensor,
    outputs: torch.Tensor,
    parameters: Sequence[torch.Tensor],
    seed: torch.Tensor,
    number: int,
    wanted: int,
) -> list[torch.Tensor]:
    """Return the cotangents of x and of each parameter; zeros for what is not wanted."""
    found = _slopes(cotangent, x, outputs, parameters, seed, number, wanted)
    return [
        tensor.new_zeros(tensor.shape) if slope is None else slope
        for tensor, slope in zip([x, *parameters], found, strict=True)
    ]


def _slopes(
    cotangent: torch.Tensor,
    x: torch.Tensor,
    outputs: torch.Tensor,
    parameters: Sequence[torch.Tensor],
    seed: torch.Tensor,
    number: int,
    wanted: int,
) -> list[torch.Tensor | None]:
    """Return the cotangents of x and of each parameter; None for what is not wanted."""
    operation = _OPERATIONS[number]
    given, own = _array(x), [_array(p) for p in parameters]
    memo = operation.found(outputs.data_ptr())
    if memo is None:
        memo = operation.forward(given, own, int(seed))[1]
    by_x, by_parameters = operation.backward(_array(cotangent), given, own, memo, wanted)
    slopes: list[Array | None] = [None] * len(own) if by_parameters is None else [*by_parameters]
    found = [by_x, *slopes]
    return [
        None if value is None else _like(tensor, value)
        for tensor, value in zip([x, *parameters], found, strict=True)
    ]


forward = torch.library.custom_op("photosim::forward", _forward, mutates_args=(), schema=_FORWARD)
back = torch.library.custom_op("photosim::back", _back, mutates_args=(), schema=_BACK)


@forward.register_fake  # type: ignore[untyped-decorator]
def _(
    x: torch.Tensor,
    parameters: Sequence[torch.Tensor],
    seed: torch.Tensor,  # noqa: ARG001 - part of the operator
    number: int,
) -> torch.Tensor:
    shape, dtype = _OPERATIONS[number].spec(x, parameters)
    return x.new_empty(shape, dtype=dtype)


@back.register_fake  # type: ignore[untyped-decorator]
def _(
    cotangent: torch.Tensor,  # noqa: ARG001 - as the next ones, part of the operator
    x: torch.Tensor,
    outputs: torch.Tensor,  # noqa: ARG001
    parameters: Sequence[torch.Tensor],
    seed: torch.Tensor,  # noqa: ARG001
    number: int,  # noqa: ARG001
    wanted: int,  # noqa: ARG001
) -> list[torch.Tensor]:
    return [x.new_empty(x.shape), *(p.new_empty(p.shape) for p in parameters)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    x, parameters, seed, number = inputs
    ctx.save_for_backward(x, output, seed, *parameters)
    ctx.number, ctx.wants_parameters = number, any(p.requires_grad for p in parameters)


def _forward_back(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
    x, output, seed, *parameters = ctx.saved_tensors
    wanted = INPUTS * bool(ctx.needs_input_grad[0]) + PARAMETERS * ctx.wants_parameters
    by_x, *own = torch.ops.photosim.back(cotangent, x, output, parameters, seed, ctx.number, wanted)
    slopes = own if wanted & PARAMETERS else [None] * len(own)
    return by_x if wanted & INPUTS else None, slopes, None, None


def _twice(*_: Any) -> None:
    message = "Circuits and devices give first derivatives only: a gradient of a gradient is not computed."
    raise ParameterError(message)


forward.register_autograd(_forward_back, setup_context=_keep)
back.register_autograd(_twice, setup_context=lambda ctx, inputs, output: None)  # noqa: ARG005

_NUMPY: dict[torch.dtype, Any] = {
    torch.float32: np.float32,
    torch.float64: np.float64,
    torch.complex64: np.complex64,
    torch.complex128: np.complex128,
}


class _Eager(torch.autograd.Function):  # type: ignore[misc]
    """The same without the operators' overhead, half a millisecond a pass, where nothing is traced."""

    @staticmethod
    def forward(ctx: Any, number: int, seed: torch.Tensor, x: torch.Tensor, *parameters: torch.Tensor) -> Any:
        output = _forward(x, parameters, seed, number)
        ctx.save_for_backward(x, output, seed, *parameters)
        ctx.number = number
        return output

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> Any:
        x, output, seed, *parameters = ctx.saved_tensors
        wanted = INPUTS * ctx.needs_input_grad[2] + PARAMETERS * any(ctx.needs_input_grad[3:])
        if torch.is_grad_enabled():  # a graph of the gradient is requested: it raises when it is used
            by_x, *own = _EagerBack.apply(ctx.number, wanted, seed, output, cotangent, x, *parameters)
        else:
            by_x, *own = _slopes(cotangent, x, output, parameters, seed, ctx.number, wanted)
        slopes = own if wanted & PARAMETERS else [None] * len(own)
        return None, None, by_x if wanted & INPUTS else None, *slopes


class _EagerBack(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(_ctx: Any, number: int, wanted: int, *tensors: torch.Tensor) -> Any:
        seed, output, cotangent, x, *parameters = tensors
        return tuple(_slopes(cotangent, x, output, parameters, seed, number, wanted))

    @staticmethod
    def backward(_ctx: Any, *_cotangents: torch.Tensor) -> Any:
        _twice()


def run(operation: Operation, x: torch.Tensor, parameters: Sequence[torch.Tensor], seed: torch.Tensor) -> Any:
    """Return the outputs of x (batch, inputs) as a tensor that autograd can follow."""
    if torch.compiler.is_compiling():
        return torch.ops.photosim.forward(x, list(parameters), seed, operation.number)
    return _Eager.apply(operation.number, seed, x, *parameters)


def check_tensor(title: str, x: Any, features: int, own: torch.Tensor | None = None) -> None:
    """Raise ParameterError, naming the module, unless x is a tensor (..., features) of numbers on the CPU.

    own: one of the module's tensors, which must not have been moved either.
    """
    if not isinstance(x, torch.Tensor):
        message = f"{title} takes a tensor, got {type(x).__name__}: torch.as_tensor makes one of an array."
        raise ParameterError(message)
    for what, tensor in (("its input", x), ("its parameters", own)):
        if tensor is not None and tensor.device.type != "cpu":
            message = f"{title} runs on the CPU, but {what} lies on {tensor.device}: move it with .cpu()."
            raise ParameterError(message)
    if x.dtype not in _NUMPY:
        kinds = "float32, float64, complex64 or complex128"
        message = f"{title} takes numbers of {kinds}, got {str(x.dtype).removeprefix('torch.')}."
        raise ParameterError(message)
    if x.ndim < 1 or x.shape[-1] != features:
        message = f"{title} has {features} inputs: x must be (..., {features}), got {tuple(x.shape)}."
        raise ParameterError(message)


def _array(tensor: torch.Tensor) -> Array:
    return np.asarray(tensor.numpy(force=True))


def _like(tensor: torch.Tensor, value: Array) -> torch.Tensor:
    """Return a value in a tensor's type and shape: its real part where the tensor is real."""
    if np.iscomplexobj(value) and not tensor.is_complex():
        value = value.real
    found = np.ascontiguousarray(value, dtype=_NUMPY[tensor.dtype]).reshape(tuple(tensor.shape))
    return torch.from_numpy(found)

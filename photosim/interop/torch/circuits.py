"""A circuit as a module of PyTorch: fields at its inputs, and fields, powers or currents at its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from photosim.interop.passing import CircuitPass, Output
from photosim.interop.torch.operations import INPUTS, PARAMETERS, Array, Operation, Spec, check_tensor, run

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from photosim.circuit import Circuit


class CircuitModule(torch.nn.Module):  # type: ignore[misc]
    """A circuit as `nn.Module`: x (..., inputs), fields in sqrt(W), to (..., outputs).

    inputs: ports of the circuit, or waves "inst,port".  outputs: the same, or detectors for "current".
    parameters: settings that are learnt, by dotted name, with `*` for any part of one.  wl: wavelengths (W,)
    in um; an array puts an axis W before the last one of the outputs, and x may have it too.  output: complex
    fields in sqrt(W), powers in W, or mean photocurrents in A with the detectors' responsivities,
    saturation left out. Other keywords are settings of the circuit, as in a call.

    `values` (P,) holds what is learnt, in the netlist's units, in the order of `names`, where gradients are
    exact. A value beyond a setting's bounds acts as the bound; its gradient is kept where it points back.
    Inputs of single precision give outputs of single precision, computed in double.
    Raises ParameterError for names that do not exist, and for tensors on another device than the CPU.
    """

    def __init__(
        self,
        circuit: Circuit,
        inputs: Sequence[str],
        outputs: Sequence[str],
        parameters: Sequence[str] = (),
        *,
        wl: ArrayLike,
        output: Output = "field",
        **settings: Any,
    ) -> None:
        super().__init__()
        self.passing = CircuitPass(circuit, inputs, outputs, parameters, (wl, output, settings))
        self.operation = _CircuitOperation(self.passing)
        self.names = self.passing.names
        self.values = torch.nn.Parameter(torch.from_numpy(self.passing.start.copy()))

    def forward(self, x: torch.Tensor) -> Any:
        """Return (..., outputs) of x (..., inputs), or (..., W, outputs) where wl is an array."""
        work = self.passing
        check_tensor("CircuitModule", x, len(work.inputs), self.values)
        flat, found = work.shapes(x.shape)
        seed = torch.zeros((), dtype=torch.int64)
        return run(self.operation, x.reshape(flat), [self.values], seed).reshape(found)

    def settings(self) -> dict[str, float]:
        """Return what is learnt by dotted name, within its bounds, as a call of the circuit takes it."""
        return self.passing.named(self.values.detach().numpy())

    def extra_repr(self) -> str:
        """Say what the module is made of, in its line of a printed network."""
        work = self.passing
        return (
            f"{work.circuit.name!r}, inputs={len(work.inputs)}, outputs={len(work.outputs)}, "
            f"learnt={len(self.names)}, wavelengths={len(work.wl)}, output={work.output!r}"
        )


class _CircuitOperation(Operation):
    """A pass as the operators call it: x (batch, 1 or W, inputs), parameters [values (P,)]."""

    def __init__(self, passing: CircuitPass) -> None:
        self.passing = passing
        super().__init__()

    def spec(self, x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> Spec:
        """Return shape and type of the outputs."""
        del parameters
        single, work = x.dtype in {torch.float32, torch.complex64}, self.passing
        real, complex_ = (torch.float32, torch.complex64) if single else (torch.float64, torch.complex128)
        shape = (x.shape[0], len(work.wl), len(work.outputs))
        return shape, complex_ if work.output == "field" else real

    def forward(self, x: Array, parameters: list[Array], seed: int) -> tuple[Array, Any]:
        """Return fields, powers or currents, and what the way back needs."""
        del seed  # nothing is drawn
        return self.passing.forward(x, parameters[0])

    def backward(
        self, cotangent: Array, x: Array, parameters: list[Array], memo: Any, wanted: int
    ) -> tuple[Array | None, list[Array] | None]:
        """Return the cotangents of the fields sent and of the settings."""
        work = self.passing
        by_x = work.back_to_inputs(cotangent, x, memo) if wanted & INPUTS else None
        if not wanted & PARAMETERS:
            return by_x, None
        return by_x, [work.back_to_values(cotangent, x, parameters[0], memo)]

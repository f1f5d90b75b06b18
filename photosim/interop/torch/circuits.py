"""A circuit as a module of PyTorch: fields at its inputs, and fields, powers or currents at its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch

from photosim.arguments import check_arguments, read_names
from photosim.bounds import check_choice
from photosim.engine.bindings import flat_settings
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.interop.torch.operations import INPUTS, PARAMETERS, Array, Operation, Spec, check_tensor, run
from photosim.model import Detector
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from photosim.circuit import Circuit

Output = Literal["field", "power", "current"]


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
        check_arguments(CircuitModule.__init__, {"circuit": circuit})
        check_choice("CircuitModule", get_args(Output), output=output)
        patterns = read_names("parameters", parameters)
        limits: tuple[Any, ...] = ((), (), ())
        if patterns:
            learnt = circuit.vector(patterns)
            limits = (learnt.names, learnt.low, learnt.high)
        self.operation = _CircuitOperation(
            circuit,
            read_names("inputs", inputs),
            read_names("outputs", outputs),
            limits,
            (as_wavelengths(wl), output, settings),
        )
        self.several = np.ndim(wl) > 0
        self.names = self.operation.names
        self.values = torch.nn.Parameter(torch.from_numpy(self.operation.start.copy()))

    def forward(self, x: torch.Tensor) -> Any:
        """Return (..., outputs) of x (..., inputs), or (..., W, outputs) where wl is an array."""
        work = self.operation
        check_tensor("CircuitModule", x, len(work.inputs), self.values)
        leading, waves = x.shape[:-1], len(work.wl)
        own = self.several and waves > 1 and x.ndim > 2 and x.shape[-2] == waves
        rows = x.shape[:-2] if own else leading
        flat = x.reshape(-1, waves if own else 1, x.shape[-1])
        seed = torch.zeros((), dtype=torch.int64)
        y = run(work, flat, [self.values], seed)
        return y.reshape(*rows, *((waves,) if self.several else ()), y.shape[-1])

    def settings(self) -> dict[str, float]:
        """Return what is learnt by dotted name, within its bounds, as a call of the circuit takes it."""
        return self.operation.named(self.values.detach().numpy())

    def extra_repr(self) -> str:
        """Say what the module is made of, in its line of a printed network."""
        work = self.operation
        return (
            f"{work.circuit.name!r}, inputs={len(work.inputs)}, outputs={len(work.outputs)}, "
            f"learnt={len(self.names)}, wavelengths={len(work.wl)}, output={work.output!r}"
        )


class _CircuitOperation(Operation):
    """Fields x (batch, 1 or W, inputs) to (batch, W, outputs) at parameters [values (P,)]."""

    def __init__(
        self,
        circuit: Circuit,
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        limits: tuple[Any, ...],
        question: tuple[Array, Output, dict[str, Any]],
    ) -> None:
        self.circuit, self.inputs, self.outputs = circuit, inputs, outputs
        self.names, self.low, self.high = limits
        self.wl, self.output, settings = question
        given = {**circuit.parameters, **flat_settings(settings)}
        self.start = np.array([float(given[name]) for name in self.names])
        self.settings = {name: given[name] for name in flat_settings(settings) if name not in self.names}
        self.waves, self.per_watt, self.dark = self._detectors()
        circuit.transfer(self.wl[:1], self.waves, self.inputs, **self.settings)  # wrong names raise here
        super().__init__()

    def _detectors(self) -> tuple[tuple[str, ...], Array, Array]:
        """Return the waves to ask for, currents per power (W, outputs, waves), and dark currents in A."""
        if self.output != "current":
            return self.outputs, np.zeros(0), np.zeros(0)
        circuit, rows, dark = self.circuit, [], []
        waves: list[str] = []
        compiled, point = circuit.at(self.settings)
        wrong = [name for name in self.outputs if name not in circuit.detectors]
        if wrong:
            message = f"{wrong[0]!r} is not a detector of circuit {circuit.name!r}, which 'current' asks for."
            known = listing(circuit.detectors) if circuit.detectors else "none"
            raise ParameterError(f"{message} Detectors: {known}." + did_you_mean(wrong[0], circuit.detectors))
        for name in self.outputs:
            part = compiled.graph.part(name)
            assert isinstance(part.model, Detector)  # noqa: S101 - so that types are known
            settings = compiled.parts.settings_of(part, point)
            rows.append(part.model.responsivity(self.wl, **settings))
            dark.append(float(np.max(part.model.dark(self.wl, **settings))))
            waves.extend(f"{name},{port}" for port in part.ports)
        per_watt = np.zeros((len(self.wl), len(rows), len(waves)))
        for k, wave in enumerate(waves):
            name, port = wave.rsplit(",", 1)
            row = self.outputs.index(name)
            per_watt[:, row, k] = rows[row].get(port, 0.0)
        learnt = [own for own in self.names if own.rsplit(".", 1)[0] in self.outputs]
        if learnt:
            message = f"{learnt[0]!r} is a setting of a detector: a current has no derivative by it here."
            raise ParameterError(message)
        return tuple(waves), per_watt, np.array(dark)

    def spec(self, x: torch.Tensor, parameters: Sequence[torch.Tensor]) -> Spec:
        """Return shape and type of the outputs."""
        del parameters
        single = x.dtype in {torch.float32, torch.complex64}
        real, complex_ = (torch.float32, torch.complex64) if single else (torch.float64, torch.complex128)
        shape = (x.shape[0], len(self.wl), len(self.outputs))
        return shape, complex_ if self.output == "field" else real

    def named(self, values: Array) -> dict[str, float]:
        """Return values by name, within their bounds."""
        held = np.clip(values, self.low, self.high)
        return dict(zip(self.names, map(float, held), strict=True))

    def forward(self, x: Array, parameters: list[Array], seed: int) -> tuple[Array, Any]:
        """Return fields, powers or currents, and the fields with what derives them."""
        del seed  # nothing is drawn
        settings = {**self.settings, **self.named(parameters[0])}
        transfer, pull = self.circuit.pullback(self.wl, self.waves, self.inputs, self.names, **settings)
        fields = np.einsum("bwi,woi->bwo", np.broadcast_to(x, (len(x), len(self.wl), x.shape[2])), transfer)
        return self._read(fields), (fields, transfer, pull)

    def _read(self, fields: Array) -> Array:
        if self.output == "field":
            return fields
        powers = fields.real**2 + fields.imag**2
        if self.output == "power":
            return np.asarray(powers)
        return np.asarray(np.einsum("bwk,wok->bwo", powers, self.per_watt) + self.dark)

    def backward(
        self, cotangent: Array, x: Array, parameters: list[Array], memo: Any, wanted: int
    ) -> tuple[Array | None, list[Array] | None]:
        """Return the cotangents of the fields sent and of the settings."""
        fields, transfer, pull = memo
        if self.output != "field":
            if self.output == "current":
                cotangent = np.einsum("bwo,wok->bwk", cotangent, self.per_watt)
            cotangent = 2.0 * cotangent * fields
        by_x = None
        if wanted & INPUTS:
            by_x = np.einsum("bwo,woi->bwi", cotangent, transfer.conj())
            if x.shape[1] == 1:
                by_x = by_x.sum(axis=1, keepdims=True)
        if not wanted & PARAMETERS or not self.names:
            return by_x, None
        sent = np.broadcast_to(x, (len(x), len(self.wl), x.shape[2])).conj()
        slopes = pull(np.einsum("bwo,bwi->woi", cotangent, sent))
        found = np.array([float(np.sum(slopes[name])) for name in self.names])
        values = parameters[0]
        # A step goes against the gradient: what would lead further out of bounds is nothing.
        out = ((values < self.low) & (found > 0.0)) | ((values > self.high) & (found < 0.0))
        return by_x, [np.where(out, 0.0, found)]

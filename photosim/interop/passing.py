"""What the bridges to PyTorch and JAX share: fields through a circuit and the exact way back, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from photosim.arguments import check_arguments, read_names
from photosim.bounds import check_choice
from photosim.engine.bindings import flat_settings
from photosim.engine.grids import resolve
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Detector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from photosim.circuit import Circuit

Array: TypeAlias = NDArray[Any]
Output = Literal["field", "power", "current"]


class Passed(NamedTuple):
    """What the way back needs of one pass."""

    fields: Array
    transfer: Array
    pull: Callable[[Array], dict[str, Array]]


class CircuitPass:
    """Fields x (batch, 1 or W, inputs) in sqrt(W) to outputs (batch, W, outputs) at values (P,) of settings.

    names, low, high, start: of the P settings that are learnt, their bounds, and the values to start from.
    wl: in um, (W,); several: whether it was given as an array. Raises ParameterError for unknown names.
    """

    def __init__(
        self,
        circuit: Circuit,
        inputs: Sequence[str],
        outputs: Sequence[str],
        parameters: Sequence[str],
        question: tuple[ArrayLike | str, Output, dict[str, Any]],
    ) -> None:
        wl, output, settings = question
        check_arguments(CircuitPass.__init__, {"circuit": circuit})
        check_choice("output", get_args(Output), output=output)
        patterns = read_names("parameters", parameters)
        self.circuit, self.output = circuit, output
        self.inputs, self.outputs = read_names("inputs", inputs), read_names("outputs", outputs)
        for what, names in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not names or len(set(names)) < len(names):
                wrong = "are empty" if not names else f"name {max(names, key=names.count)!r} twice"
                raise ParameterError(f"{what} {wrong}: name each port that light goes through once.")
        ends = [f"{name},o1" for name in self.outputs] if output == "current" else self.outputs
        self.wl = resolve(circuit, wl, settings, ends, self.inputs)
        self.several = np.ndim(wl) > 0 or self.wl.size > 1
        self.names: tuple[str, ...] = ()
        self.low, self.high = np.zeros(0), np.zeros(0)
        if patterns:
            learnt = circuit.vector(patterns)
            self.names, self.low, self.high = learnt.names, learnt.low, learnt.high
        given = {**circuit.parameters, **flat_settings(settings)}
        self.start = np.array([float(given[name]) for name in self.names])
        self.settings = {name: given[name] for name in flat_settings(settings) if name not in self.names}
        self.waves, self.per_watt, self.dark = self._detectors()
        circuit.transfer(self.wl[:1], self.waves, self.inputs, **self.settings)  # wrong names raise here

    def _detectors(self) -> tuple[tuple[str, ...], Array, Array]:
        """Return the waves to ask for, currents per power (W, outputs, waves), and dark currents in A."""
        if self.output != "current":
            return self.outputs, np.zeros(0), np.zeros(0)
        circuit, rows, dark = self.circuit, [], []
        waves: list[str] = []
        compiled, point = circuit.at(self.settings)
        wrong = [name for name in self.outputs if name not in circuit.detectors]
        if wrong:
            message = f"{wrong[0]!r} is not a detector of circuit {circuit.name!r}, which 'current' needs."
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

    def named(self, values: Array) -> dict[str, float]:
        """Return values by name, within their bounds."""
        held = np.clip(values, self.low, self.high)
        return dict(zip(self.names, map(float, held), strict=True))

    def shapes(self, x: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the shapes of fields x for a pass, (batch, 1 or W, inputs), and of what comes of it.

        x: (..., inputs), or (..., W, inputs) where each wavelength has fields of its own. Outputs are
        (..., outputs), with an axis W before the last one where wl is an array.
        """
        waves = len(self.wl)
        own = self.several and waves > 1 and len(x) > 2 and x[-2] == waves
        rows = x[:-2] if own else x[:-1]
        spectrum = (waves,) if self.several else ()
        return (-1, waves if own else 1, x[-1]), (*rows, *spectrum, len(self.outputs))

    def forward(self, x: Array, values: Array) -> tuple[Array, Passed]:
        """Return fields, powers or currents, and what the way back needs."""
        settings = {**self.settings, **self.named(values)}
        transfer, pull = self.circuit.pullback(self.wl, self.waves, self.inputs, self.names, **settings)
        fields = np.einsum("bwi,woi->bwo", self._every(x), transfer)
        return self._read(fields), Passed(fields, transfer, pull)

    def back_to_inputs(self, cotangent: Array, x: Array, passed: Passed) -> Array:
        """Return the cotangent of x from that of the outputs, dL/dRe + i dL/dIm, in the shape of x."""
        found = np.einsum("bwo,woi->bwi", self._of_fields(cotangent, passed), passed.transfer.conj())
        return np.asarray(found.sum(axis=1, keepdims=True) if x.shape[1] == 1 else found)

    def back_to_values(self, cotangent: Array, x: Array, values: Array, passed: Passed) -> Array:
        """Return the derivative by the values (P,)."""
        if not self.names:
            return np.zeros(0)
        slopes = passed.pull(
            np.einsum("bwo,bwi->woi", self._of_fields(cotangent, passed), self._every(x).conj())
        )
        found = np.array([float(np.sum(slopes[name])) for name in self.names])
        # A step goes against the gradient: what would lead further out of bounds is nothing.
        out = ((values < self.low) & (found > 0.0)) | ((values > self.high) & (found < 0.0))
        return np.where(out, 0.0, found)

    def _every(self, x: Array) -> Array:
        return np.broadcast_to(x, (len(x), len(self.wl), x.shape[2]))

    def _of_fields(self, cotangent: Array, passed: Passed) -> Array:
        if self.output == "field":
            return cotangent
        if self.output == "current":
            cotangent = np.einsum("bwo,wok->bwk", cotangent, self.per_watt)
        return np.asarray(2.0 * cotangent * passed.fields)

    def _read(self, fields: Array) -> Array:
        if self.output == "field":
            return fields
        powers = fields.real**2 + fields.imag**2
        if self.output == "power":
            return np.asarray(powers)
        return np.asarray(np.einsum("bwk,wok->bwo", powers, self.per_watt) + self.dark)

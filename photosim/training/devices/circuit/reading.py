"""From fields at the outputs to numbers: coherent or square-law reading, or detectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Detector, Source
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.bank.receivers import Lit, electronics
from photosim.training.devices.receiver import Receiver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.training.devices.circuit.wiring import Wiring

Encoding = Literal["fields", "powers"]
Reading = Literal["quadrature", "fields", "power", "amplitude", "current"]
ENCODINGS: Mapping[str, str] = {
    "fields": "an amplitude of light: its sign is a phase of 0 or pi, and all inputs interfere",
    "powers": "a power of light: inputs do not interfere, positive and negative parts take turns",
}
"""What may encode a number at an input."""
READINGS: Mapping[str, str] = {
    "quadrature": "the part of the field in phase with the light sent, with its sign",
    "fields": "the complex field",
    "power": "the power, never negative",
    "amplitude": "the root of the power, never negative",
    "current": "the detectors' current, signed where detectors are balanced",
}
"""What may be read at an output."""


@dataclass(frozen=True)
class Readout:
    """How a wiring is lit and read.

    responsivity: of each output (rows) at each wave, for the light of each input, shape (outputs, waves,
    inputs) in A/W; 1 where ports are read.  receivers: of each detector; none where ports are read.
    ports: number of diodes behind each receiver.
    """

    encoding: Encoding
    reading: Reading
    responsivity: FloatArray
    receivers: tuple[Receiver, ...] = ()
    ports: tuple[int, ...] = ()

    @property
    def linear(self) -> bool:
        """Whether what is read is a matrix times what is sent."""
        return self.encoding == "powers" or self.reading in {"quadrature", "fields"}

    @property
    def signed(self) -> bool:
        """Whether entries of the matrix can have either sign."""
        if self.encoding == "fields":
            return self.reading in {"quadrature", "fields"}
        return bool((self.responsivity < 0.0).any() and (self.responsivity > 0.0).any())

    def matrix(self, fields: ComplexArray) -> NDArray[Any]:
        """Return the matrices (T, outputs, inputs) of fields (T, waves, inputs) of a linear read-out."""
        if self.encoding == "powers":
            return self._summed(self.responsivity, np.abs(fields) ** 2)
        return np.asarray(fields if self.reading == "fields" else fields.real)

    def total(self, fields: ComplexArray) -> FloatArray:
        """Return what all diodes together give, without signs, as `matrix` does."""
        return self._summed(np.abs(self.responsivity), np.abs(fields) ** 2)

    def _summed(self, responsivity: FloatArray, powers: FloatArray) -> FloatArray:
        return np.asarray(np.einsum("opi,tpi->toi", responsivity, powers))

    def field_cotangent(self, fields: ComplexArray, cotangent: NDArray[Any]) -> ComplexArray:
        """Return dL/dRe + i dL/dIm of fields (T, waves, inputs) from that of their matrices."""
        if self.encoding == "powers":
            return np.asarray(2.0 * fields * np.einsum("opi,toi->tpi", self.responsivity, cotangent))
        return np.asarray(cotangent, dtype=np.complex128)

    def read(self, waves: ComplexArray) -> NDArray[Any]:
        """Return the readings (batch, outputs) of fields (batch, waves) that interfere, not a linear one."""
        power = np.einsum("op,bp->bo", self.responsivity[:, :, 0], np.abs(waves) ** 2)
        return np.asarray(np.sqrt(power) if self.reading == "amplitude" else power)

    def wave_cotangent(
        self, waves: ComplexArray, readings: FloatArray, cotangent: FloatArray
    ) -> ComplexArray:
        """Return the cotangent of such fields from that of their readings (batch, outputs)."""
        share = cotangent
        if self.reading == "amplitude":  # a dark output is at a minimum: slope 0 is a subgradient
            share = cotangent * 0.5 / np.where(readings > 0.0, readings, np.inf)
        return np.asarray(2.0 * waves * np.einsum("op,bo->bp", self.responsivity[:, :, 0], share))


def readout(wiring: Wiring, encoding: str | None, reading: str | None) -> Readout:
    """Return how a wiring is lit and read, by default fields and their quadrature at ports, else powers.

    Sources shine with powers, and detectors give currents. Raises ParameterError, naming what would do, for
    an encoding or reading that does not go with them.
    """
    lit = wiring.powers is not None
    encoding = ("powers" if lit else "fields") if encoding is None else encoding
    if encoding not in ENCODINGS:
        message = f"No encoding is named {encoding!r}; there are {listing(ENCODINGS)}."
        raise ParameterError(message + did_you_mean(str(encoding), ENCODINGS))
    if lit and encoding == "fields":
        message = "Inputs that are light sources are modulated in power: use encoding='powers', or ports."
        raise ParameterError(message)
    usual = "current" if wiring.detectors else "power" if encoding == "powers" else "quadrature"
    reading = usual if reading is None else reading
    fitting = _fitting(encoding, detected=bool(wiring.detectors))
    if reading not in fitting:
        what = "detectors" if wiring.detectors else f"ports lit by {encoding}"
        message = f"What is read at {what} is one of {listing(fitting)}, got {reading!r}."
        raise ParameterError(message + did_you_mean(str(reading), fitting))
    if not wiring.detectors:
        one = np.eye(len(wiring.outputs))[:, :, np.newaxis] * np.ones(len(wiring.inputs))
        return Readout(encoding, reading, one)  # type: ignore[arg-type]  # both were checked above
    values, receivers, ports = _detectors(wiring)
    return Readout(encoding, "current", values, receivers, ports)  # type: ignore[arg-type]


def _fitting(encoding: str, *, detected: bool) -> tuple[str, ...]:
    if detected:
        return ("current",)
    return ("power",) if encoding == "powers" else ("quadrature", "fields", "power", "amplitude")


def _detectors(wiring: Wiring) -> tuple[FloatArray, tuple[Receiver, ...], tuple[int, ...]]:
    """Return responsivities (detectors, waves, inputs), the receivers, and the diodes of each."""
    circuit, lit = wiring.circuit, Lit.of(wiring.circuit)
    wl = wiring.wl[list(wiring.at)]
    light: dict[str, Any] = {"rin_dB_Hz": -np.inf}
    for source in circuit.sources:
        if isinstance(circuit.graph.part(source).model, Source):
            own = lit.settings_of(source).get("rin_dB_Hz", -np.inf)
            light["rin_dB_Hz"] = max(light["rin_dB_Hz"], float(own))
    values = np.zeros((len(wiring.detectors), len(wiring.waves), len(wl)))
    receivers, ports, first = [], [], 0
    for row, name in enumerate(wiring.detectors):
        part = circuit.graph.part(name)
        assert isinstance(part.model, Detector)  # noqa: S101 - so that types are known
        settings = lit.settings_of(name)
        per_watt = part.model.responsivity(wl, **settings)
        for k, port in enumerate(part.ports):
            values[row, first + k] = per_watt.get(port, 0.0)
        defaults = {"dark_current": 0.0, "load_resistance": 1e12, "temperature": 300.0, "bandwidth": 1e9}
        receivers.append(Receiver.of({**defaults, **settings}, light, electronics(lit, name)))
        ports.append(len(part.ports))
        first += len(part.ports)
    if wiring.powers is not None:  # an input of 1 is its own line at full power
        values *= wiring.powers / wiring.powers.max()
    return values, tuple(receivers), tuple(ports)

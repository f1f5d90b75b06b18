"""A weight bank in its circuit: photocurrents of the diodes, and their derivatives by the heater phases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.display import Brief
from photosim.engine.bindings import owner, steps
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Detector, Source
from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.bank.modulators import Modulators
from photosim.training.devices.bank.receivers import Lit, find_receiver
from photosim.training.devices.receiver import Converters, Receiver

if TYPE_CHECKING:
    from photosim.circuit import Circuit

PROBE_SEED = 7
"""Any seed serves: it draws the heater phases and row weights of the independence check."""


@dataclass(frozen=True)
class BankCircuit(Brief):
    """A bank of M rows and N rings a row in a circuit, lit by N laser lines.

    wl, power: wavelength in um and power of each line, shape (N,).  light: the source's port.
    diodes: the two optical ports of each row's detector, plus then minus, row by row (2 M names).
    responsivity: signed, in A/W, shape (M, 2, N).  rings: dotted names of the heater phases, M tuples of N.
    receiver: noise of light and detectors, and the amplifiers and converters wired behind them.
    drives: settings that converters wired to the circuit's inputs drive, by dotted name.
    """

    circuit: Circuit
    name: str
    wl: FloatArray
    power: FloatArray
    light: str
    diodes: tuple[str, ...]
    responsivity: FloatArray
    rings: tuple[tuple[str, ...], ...]
    receiver: Receiver
    drives: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Number of rows M."""
        return len(self.rings)

    @property
    def channels(self) -> int:
        """Number of channels N, as many as rings a row."""
        return len(self.rings[0])

    def cold(self) -> FloatArray:
        """Return the heater phases of the netlist, shape (M, N), in rad."""
        held = self.circuit.parameters
        values = [[float(held[ring]) for ring in row] for row in self.rings]
        return np.array(values)

    def currents(self, phases: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the photocurrents in A of the plus and the minus diodes for heater phases (B, M, N) in rad.

        Each has shape (B, M, N): what channel n at full power adds in row m; both are positive.
        """
        diodes = np.abs(self._currents(self._waves(phases)))
        return diodes[:, :, 0], diodes[:, :, 1]

    def warm_currents(self, phases: FloatArray, kelvin: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return those photocurrents, each (K, B, M, N), of a bank warmer by each of kelvin (K,) in K."""
        name = f"{self.name}.temperature"
        warmer = np.repeat(float(self.circuit.parameters[name]) + kelvin, len(phases))
        each = np.tile(phases, (kelvin.size, 1, 1))
        diodes = np.abs(self._currents(self._waves(each, {name: warmer})))
        diodes = diodes.reshape(kelvin.size, -1, *diodes.shape[1:])
        return diodes[:, :, :, 0], diodes[:, :, :, 1]

    def weights(self, phases: FloatArray) -> FloatArray:
        """Return plus minus minus current in A for phases (B, M, N) in rad, same shape."""
        plus, minus = self.currents(phases)
        return plus - minus

    def own_weights(self, channel: int, phases: FloatArray) -> FloatArray:
        """Return the weights in A of one channel, (M, K), for phases (M, K) in rad of its own rings.

        All other rings are as in the netlist, and only the light of that channel is computed.
        """
        rings = {row[channel]: own for row, own in zip(self.rings, phases, strict=True)}
        wl = self.wl[channel : channel + 1]
        waves = self.circuit.transfer(wl, list(self.diodes), [self.light], **{**self.drives, **rings})
        power = (np.abs(waves[:, 0, :, 0]) ** 2).reshape(-1, self.rows, 2)
        currents = np.abs(power * self.responsivity[:, :, channel] * self.power[channel])
        return np.asarray((currents[..., 0] - currents[..., 1]).T)

    def weights_and_slopes(self, phases: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return weights (B, M, N) in A and slopes (B, M, N, N) in A/rad for phases (B, M, N).

        slopes[b, m, w, n] is the derivative of the weight of channel w in row m by the phase of ring n of
        that row. One pullback gives them all, since no row's heater acts on another row (`check_rows` makes
        sure).
        """
        return self._pull(phases, np.ones(self.rows))

    def check_rows(self) -> None:
        """Raise ParameterError unless each row's weights depend on that row's heaters alone.

        With random factors on the rows' cotangents every slope must come back times its own row's factor;
        light that leaked from one row into another would carry the other row's.
        """
        rng = np.random.default_rng(PROBE_SEED)
        phases = self.cold()[np.newaxis] + rng.uniform(0.0, 2.0 * np.pi, (1, self.rows, self.channels))
        factors = rng.normal(size=self.rows)
        _, plain = self._pull(phases, np.ones(self.rows))
        _, scaled = self._pull(phases, factors)
        mixed = np.abs(scaled - factors[:, np.newaxis, np.newaxis] * plain).max()
        if mixed > 1e-9 * np.abs(plain).max():
            message = (
                f"The rows of {self.name!r} are not independent: heaters of one row change another's weights."
            )
            raise ParameterError(message)

    def check_converters(self, converters: Converters) -> None:
        """Raise ParameterError if the readings are converted by the circuit and by `converters` as well."""
        if self.receiver.converts and converters.adc_bits is not None:
            chain = self.receiver.chain
            name = next(n for n, s in zip(chain.names, chain.stages, strict=True) if s.bits is not None)
            message = (
                f"Converter {name!r} of the circuit reads the rows of {self.name!r}: leave out adc_bits and "
                "adc_range of the converters, or the part."
            )
            raise ParameterError(message)

    def check_modulators(self, modulators: Modulators) -> None:
        """Raise ParameterError unless light passes all modulators in a row and no other way.

        Random drives must give at the detectors the product of what each modulator passes alone.
        """
        rng = np.random.default_rng(PROBE_SEED)
        codes = rng.integers(0, modulators.voltage.size, len(modulators.names))
        voltages = {
            f"{n}.voltage": modulators.voltage[c] for n, c in zip(modulators.names, codes, strict=True)
        }
        outs = list(self.diodes[:2])
        opened, driven = (
            np.sum(np.abs(self.circuit.transfer(self.wl, outs, [self.light], **own)[..., 0]) ** 2, axis=-1)
            for own in (self.drives, {**self.drives, **voltages})
        )
        alone = np.exp(modulators.shares[np.arange(codes.size), codes].sum(axis=0))
        if np.abs(driven / opened - alone).max() > 1e-6:
            message = (
                f"Between the laser and {self.name!r} light must pass the modulators "
                f"{modulators.names[0]!r} to {modulators.names[-1]!r} in a row, and nothing may reflect it."
            )
            raise ParameterError(message)

    def _pull(self, phases: FloatArray, factors: FloatArray) -> tuple[FloatArray, FloatArray]:
        names = [ring for row in self.rings for ring in row]
        waves, pull = self.circuit.pullback(
            self.wl, list(self.diodes), [self.light], names, **self._settings(phases)
        )
        signed = self._currents(waves)
        # d(r |a|^2) = r (2 Re a dRe a + 2 Im a dIm a): the cotangent of a is 2 r a.
        share = 2.0 * self.responsivity * self.power * factors[:, np.newaxis, np.newaxis]
        cotangent = np.moveaxis(share, -1, 0).reshape(self.wl.size, -1)[..., np.newaxis] * waves
        slopes = pull(cotangent)
        shape = (phases.shape[0], self.wl.size)
        table = np.array([[np.broadcast_to(slopes[ring], shape) for ring in row] for row in self.rings])
        return signed.sum(axis=2), np.moveaxis(table, (0, 1, 2, 3), (1, 3, 0, 2))

    def _waves(self, phases: FloatArray, others: Mapping[str, Any] = MappingProxyType({})) -> ComplexArray:
        """Return the waves at all diodes per wave of the source, (B, W, 2 M, 1), for phases (B, M, N)."""
        settings = {**self._settings(phases), **others}
        return self.circuit.transfer(self.wl, list(self.diodes), [self.light], **settings)

    def _currents(self, waves: Any) -> FloatArray:
        """Return signed currents (B, M, 2, N) in A from waves (B, W, 2 M, 1) per wave of the source."""
        power = np.abs(waves[..., 0]) ** 2
        power = power.reshape(-1, self.wl.size, self.rows, 2)
        return np.asarray(np.moveaxis(power, 1, -1) * self.responsivity * self.power)

    def _settings(self, phases: FloatArray) -> dict[str, Any]:
        """Return heater phases (B, M, N), and what converters drive, as settings of a circuit call."""
        rings = {ring: phases[:, m, n] for m, row in enumerate(self.rings) for n, ring in enumerate(row)}
        return {**self.drives, **rings}


def only_bank(circuit: Circuit) -> str:
    """Return the name of the instance that holds all detectors; ParameterError if there are several."""
    outer = sorted({steps(name)[0] for name in circuit.detectors})
    if len(outer) != 1:
        message = f"Detectors lie in {listing(outer)}: name the weight bank's instance as `device`."
        raise ParameterError(message)
    return outer[0]


def find_bank(circuit: Circuit, name: str) -> BankCircuit:
    """Return the bank that is instance `name` of a circuit.

    Its rows are the balanced detectors below `name` (`bank.row3.detector`) with the rings beside them
    (`bank.row3.ring5.phase`) and the electronic parts that each detector's current passes, wherever they
    are. ParameterError says what is missing: the instance, rows, rings, a laser with as many lines as a row
    has rings, receivers that are alike.
    """
    found = [detector for detector in circuit.detectors if detector.startswith(f"{name}.")]
    if not found:
        outer = sorted({steps(detector)[0] for detector in circuit.detectors})
        message = (
            f"{name!r} is not a weight bank of this circuit: no detector lies in it. "
            f"Detectors lie in: {listing(outer)}.{did_you_mean(name, outer)}"
        )
        raise ParameterError(message)
    detectors = sorted(found, key=_natural)
    rings = _rings(circuit.compiled.parameters, [owner(detector)[0] for detector in detectors])
    counts = {len(row) for row in rings}
    if len(counts) != 1 or 0 in counts:
        message = (
            f"Every row of {name!r} needs the same number of rings with a phase, found {sorted(counts)}."
        )
        raise ParameterError(message)
    lit = Lit.of(circuit)
    laser = _laser(circuit, lit, name, counts.pop())
    wl, power = _source_model(circuit, laser).lines(**lit.settings_of(laser))
    responsivity = np.array([_responsivity(circuit, lit, detector, wl) for detector in detectors])
    return BankCircuit(
        circuit,
        name,
        wl,
        power,
        f"{laser},{circuit.graph.part(laser).ports[0]}",
        tuple(f"{detector},{port}" for detector in detectors for port in circuit.graph.part(detector).ports),
        responsivity,
        rings,
        find_receiver(lit, detectors, laser),
        lit.drives,
    )


def _rings(parameters: Mapping[str, Any], rows: list[str]) -> tuple[tuple[str, ...], ...]:
    """Return the names of the phases of each row's own parts."""
    found: dict[str, list[str]] = {row: [] for row in rows}
    for key in parameters:
        part, _, setting = key.rpartition(".")
        row = part.rpartition(".")[0]
        if setting == "phase" and row in found:
            found[row].append(key)
    return tuple(tuple(sorted(found[row], key=_natural)) for row in rows)


def _laser(circuit: Circuit, lit: Lit, name: str, channels: int) -> str:
    if len(circuit.sources) != 1:
        message = f"Bank {name!r} needs exactly one laser in its circuit, found {listing(circuit.sources)}."
        raise ParameterError(message)
    laser = circuit.sources[0]
    lines = _source_model(circuit, laser).lines(**lit.settings_of(laser))[0].size
    if lines != channels:
        message = (
            f"Laser {laser!r} has {lines} lines, but a row of {name!r} has {channels} rings: give it as many."
        )
        raise ParameterError(message)
    return laser


def _source_model(circuit: Circuit, laser: str) -> Source:
    model = circuit.graph.part(laser).model
    if not isinstance(model, Source):
        message = f"Instance {laser!r} is not a light source."
        raise ParameterError(message)
    return model


def _responsivity(circuit: Circuit, lit: Lit, detector: str, wl: FloatArray) -> FloatArray:
    """Return the signed responsivity of a detector's plus and minus port in A/W, shape (2, W)."""
    model = circuit.graph.part(detector).model
    if not isinstance(model, Detector) or len(model.ports) != 2:
        message = f"Instance {detector!r} is not a balanced pair of photodetectors; every bank row needs one."
        raise ParameterError(message)
    ports = model.responsivity(wl, **lit.settings_of(detector))
    return np.array([np.broadcast_to(ports[port], wl.shape) for port in model.ports], dtype=np.float64)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort row10 after row9."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]

"""One batch through a circuit with nonlinear parts in their steady state, and the exact gradient back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.training.arrays import ComplexArray, FloatArray
from photosim.training.devices.circuit.passage import CircuitGradient
from photosim.training.devices.circuit.reading import Readout
from photosim.training.devices.circuit.stages import Segments, Stage
from photosim.training.devices.circuit.wiring import Wiring

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[Any]


@dataclass(frozen=True)
class _Passed:
    """What one stage did: waves that arrived and left (T, C, B, ports), its factor and slopes (T, B)."""

    arrived: ComplexArray
    left: ComplexArray
    factor: ComplexArray
    by_power: Any
    slopes: Mapping[str, Any]


@dataclass(frozen=True)
class SteadyPassage:
    """A batch x (batch, C i) sent through R x C tiles of a nonlinear circuit; outputs (batch, R o).

    Numbers that are fields interfere: they are one carrier.  Numbers that are powers are a carrier each;
    positive and negative parts go one after the other and are subtracted.  power: in W, of an input of 1.
    waves: at the outputs of each tile, (T, C, B, waves), in units of the root of `power`.  shares: of each
    carrier's power, (T, C, B), 1 for fields.  watts: in W of each carrier at a share of 1.
    sway: factors of the light that is sent, (T, C, B) of powers or (T, batch, 1) of fields; 1 unless given.
    by_total: slope of readings by the sum of all diodes' currents, (T, B, outputs); 0 unless given.
    """

    wiring: Wiring
    readout: Readout
    grid: tuple[int, int]
    x: Numbers
    segments: Segments
    sent: ComplexArray
    shares: FloatArray
    watts: FloatArray
    stages: tuple[_Passed, ...]
    waves: ComplexArray
    outputs: Numbers
    sway: FloatArray | None = None
    by_total: FloatArray | None = None

    @classmethod
    def of(
        cls,
        wiring: Wiring,
        readout: Readout,
        settings: Mapping[str, Any],
        x: Numbers,
        grid: tuple[int, int] = (1, 1),
        *,
        power: float,
        sway: FloatArray | None = None,
    ) -> SteadyPassage:
        """Send x (batch, C i) through tiles whose settings are (R C,) each by dotted name."""
        swayed = 1.0 if sway is None else sway
        held = wiring.segments(dict(settings))
        count = grid[0] * grid[1]
        parts = x.reshape(len(x), grid[1], -1).transpose(1, 0, 2)  # (C, B, i)
        tiles = np.broadcast_to(parts, (grid[0], *parts.shape)).reshape(count, len(x), -1)
        if readout.encoding == "powers":
            both = np.concatenate([np.maximum(tiles, 0.0), np.maximum(-tiles, 0.0)], axis=1)
            shares = swayed * both.transpose(0, 2, 1)
            sent = np.eye(shares.shape[1], dtype=np.complex128)[np.newaxis, :, np.newaxis, :]
            relative = np.ones(shares.shape[1])
            if wiring.powers is not None:
                relative = wiring.powers / wiring.powers.max()
        else:
            shares, relative = np.ones((1, 1, 1)), np.ones(1)
            sent = (swayed * tiles).astype(np.complex128)[:, np.newaxis]
        own = cls(wiring, readout, grid, x, held, sent, shares, power * relative, (), sent, x, sway)
        return own._through()

    def _through(self) -> SteadyPassage:
        lit = self.sent.shape[-1]
        known: list[ComplexArray] = [self.sent]
        passed = []
        row, column = 0, lit
        held = self.segments
        for stage, model, settings in zip(self.wiring.stages, held.models, held.settings, strict=True):
            arrived = self._carried(slice(row, row + len(stage.arrivals)), known)
            power = np.einsum("tcb,tcbp->tb", self._weights(arrived), np.abs(arrived) ** 2)
            factor, by_power, slopes = model.factor(power, settings)
            factor = np.broadcast_to(np.asarray(factor, dtype=np.complex128), power.shape)
            left = np.zeros((*arrived.shape[:-1], len(stage.departures)), dtype=np.complex128)
            for a, b in stage.paths:
                left[..., b] += factor[:, np.newaxis] * arrived[..., a]
            passed.append(_Passed(arrived, left, factor, by_power, slopes))
            known.append(left)
            row, column = row + len(stage.arrivals), column + len(stage.departures)
        waves = self._carried(slice(row, None), known)
        made = replace(self, stages=tuple(passed), waves=waves)
        return replace(made, outputs=self._summed(made.readings()))

    @property
    def matrix(self) -> Numbers | None:
        """The matrix (R o, C i) that the tiles make without noise; None where readings are not linear."""
        if self.wiring.stages or not self.readout.linear:
            return None
        at, (rows, columns) = list(self.wiring.at), self.grid
        held = self.segments.waves
        held = np.broadcast_to(held, (rows * columns, *held.shape[1:]))
        tiles = self.readout.matrix(np.moveaxis(held[:, at, :, np.arange(len(at))], 0, -1))
        whole = tiles.reshape(rows, columns, *tiles.shape[1:]).transpose(0, 2, 1, 3)
        return np.asarray(whole.reshape(rows * tiles.shape[1], -1))

    def joined(self, detected: Numbers) -> Numbers:
        """Return what detectors of each tile see (T, B, outputs) as readings of the layer, (batch, R o)."""
        return self._summed(self._signed(detected))

    def _signed(self, detected: Numbers) -> Numbers:
        """Return readings of positive parts less those of negative ones, (T, batch, outputs)."""
        if self.readout.encoding == "fields":
            return detected
        half = detected.shape[1] // 2
        return np.asarray(detected[:, :half] - detected[:, half:])

    def _summed(self, readings: Numbers) -> Numbers:
        """Return readings (T, batch, outputs) added over each row of tiles, (batch, R o)."""
        summed = readings.reshape(*self.grid, *readings.shape[1:]).sum(axis=1)
        return np.asarray(summed.transpose(1, 0, 2).reshape(len(self.x), -1))

    def _weights(self, waves: ComplexArray) -> FloatArray:
        """Return what |wave|^2 of each carrier is worth in W, (T, C, B)."""
        return np.asarray(
            np.broadcast_to(self.watts[np.newaxis, :, np.newaxis] * self.shares, waves.shape[:3])
        )

    def _matrices(self, rows: slice) -> ComplexArray:
        """Return the linear circuit to some waves for each carrier, (T or 1, C, rows, inputs and more)."""
        at = list(self.wiring.at) if self.readout.encoding == "powers" else [0]
        return self.segments.waves[:, at, rows]

    def _carried(self, rows: slice, known: list[ComplexArray]) -> ComplexArray:
        """Return waves (T, C, B, rows) that known ones (.., C, B or 1, n) give."""
        matrices, first = self._matrices(rows), 0
        batch = max(self.shares.shape[2], self.sent.shape[2])
        shape = (self.grid[0] * self.grid[1], self.watts.size, batch, matrices.shape[-2])
        found = np.zeros(shape, dtype=np.complex128)
        for waves in known:
            part = matrices[..., first : first + waves.shape[-1]]
            found += waves @ np.swapaxes(part, -1, -2)
            first += waves.shape[-1]
        return found

    def detected(self) -> FloatArray:
        """Return what detectors of each tile see, positive parts and then negative ones, (T, B, outputs)."""
        return self._seen(self.readout.responsivity)

    def total(self) -> FloatArray:
        """Return the same of all diodes without signs."""
        return self._seen(np.abs(self.readout.responsivity))

    def readings(self) -> Numbers:
        """Return what is read of each tile, (T, batch, outputs)."""
        reading = self.readout.reading
        if reading in {"quadrature", "fields"}:
            waves = self.waves[:, 0]
            return np.asarray(waves.real if reading == "quadrature" else waves)
        found = self.detected()
        return np.asarray(np.sqrt(found)) if reading == "amplitude" else self._signed(found)

    def _seen(self, responsivity: FloatArray) -> FloatArray:
        return np.asarray(
            np.einsum(
                "opc,tcbp->tbo",
                self._of_carriers(responsivity),
                self._all_shares() * np.abs(self.waves) ** 2,
            )
        )

    def _of_carriers(self, responsivity: FloatArray) -> FloatArray:
        return responsivity if self.readout.encoding == "powers" else responsivity[:, :, :1]

    def _all_shares(self) -> FloatArray:
        """Return the shares of waves (T, C, B, 1)."""
        return np.asarray(np.broadcast_to(self.shares, self.waves.shape[:3])[..., np.newaxis])

    # --- back ------------------------------------------------------------------------------------------

    def gradient(self, cotangent: Numbers) -> CircuitGradient:
        """Return the gradient of a loss with this cotangent dL/dy (batch, R o); complex where y is.

        Converters of settings count as if they had no steps (straight through, bengio2013).
        """
        of_matrices, slopes, inputs = self._back(cotangent)
        return CircuitGradient(self.segments.pull(of_matrices, slopes), inputs)

    def back(self, cotangent: Numbers) -> Numbers:
        """Return the cotangent of the inputs alone (batch, C i)."""
        return self._back(cotangent)[2]

    def _back(self, cotangent: Numbers) -> tuple[ComplexArray, dict[str, Any], Numbers]:
        """Return the cotangents of the linear circuit, of stages' settings (T, 1), and of the inputs."""
        of_waves, of_shares = self._of_readings(cotangent)
        whole = self.segments.waves
        of_matrices = np.zeros((len(of_waves), *whole.shape[1:]), dtype=np.complex128)
        known = [self.sent, *(own.left for own in self.stages)]
        firsts = np.cumsum([0, *(waves.shape[-1] for waves in known)])
        of_known = [np.zeros((*of_waves.shape[:3], waves.shape[-1]), dtype=np.complex128) for waves in known]
        ends = np.cumsum([0, *(len(stage.arrivals) for stage in self.wiring.stages)])
        self._spread(of_waves, slice(int(ends[-1]), None), known, firsts, of_known, of_matrices)
        slopes: dict[str, Any] = {}
        for k in range(len(self.stages) - 1, -1, -1):
            stage, own = self.wiring.stages[k], self.stages[k]
            of_arrived = self._of_stage(stage, own, of_known[k + 1], of_shares, slopes)
            rows = slice(int(ends[k]), int(ends[k + 1]))
            self._spread(of_arrived, rows, known[: k + 1], firsts, of_known[: k + 1], of_matrices)
        return of_matrices, slopes, self._of_inputs(of_known[0], of_shares)

    def _of_readings(self, cotangent: Numbers) -> tuple[ComplexArray, FloatArray]:
        """Return the cotangents of the waves read (T, C, B, waves), and of the carriers' shares (T, C, B)."""
        rows, columns = self.grid
        batch = len(self.x)
        own = cotangent.reshape(batch, rows, -1).transpose(1, 0, 2)
        own = np.broadcast_to(own[:, np.newaxis], (rows, columns, *own.shape[1:])).reshape(
            rows * columns, batch, -1
        )
        of_shares = np.zeros(self.waves.shape[:3])
        if self.readout.reading in {"quadrature", "fields"}:
            return np.asarray(own[:, np.newaxis], dtype=np.complex128), of_shares
        if self.readout.encoding == "powers":
            own = np.concatenate([own, -own], axis=1)
        elif self.readout.reading == "amplitude":  # a dark output is at a minimum: slope 0 is a subgradient
            read = self.readings()
            own = own * 0.5 / np.where(read > 0.0, read, np.inf)
        responsivity = self._of_carriers(self.readout.responsivity)
        by = np.einsum("opc,tbo->tcbp", responsivity, own)
        if self.by_total is not None:
            by += np.einsum("opc,tbo->tcbp", np.abs(responsivity), own * self.by_total)
        of_shares += np.sum(by * np.abs(self.waves) ** 2, axis=-1)
        return 2.0 * by * self._all_shares() * self.waves, of_shares

    def _of_stage(
        self,
        stage: Stage,
        own: _Passed,
        of_left: ComplexArray,
        of_shares: FloatArray,
        slopes: dict[str, Any],
    ) -> ComplexArray:
        """Return the cotangent of what arrived at a stage; add that of shares and slopes by its settings."""
        of_arrived = np.zeros(own.arrived.shape, dtype=np.complex128)
        of_factor = np.zeros(own.factor.shape, dtype=np.complex128)
        for a, b in stage.paths:
            of_arrived[..., a] += own.factor.conj()[:, np.newaxis] * of_left[..., b]
            of_factor += np.sum(own.arrived[..., a].conj() * of_left[..., b], axis=1)
        for name, slope in own.slopes.items():
            slopes[f"{stage.part}.{name}"] = np.real(of_factor.conj() * slope).sum(axis=1, keepdims=True)
        felt = np.real(of_factor.conj() * own.by_power)[:, np.newaxis]
        of_arrived += 2.0 * (self._weights(own.arrived) * felt)[..., np.newaxis] * own.arrived
        of_shares += felt * np.sum(np.abs(own.arrived) ** 2, axis=-1) * self.watts[:, np.newaxis]
        return of_arrived

    def _spread(
        self,
        of_waves: ComplexArray,
        rows: slice,
        known: list[ComplexArray],
        firsts: Any,
        of_known: list[ComplexArray],
        of_matrices: ComplexArray,
    ) -> None:
        """Add what waves (T, C, B, rows) send back to the waves that gave them, and to the linear circuit."""
        matrices = self._matrices(rows)
        at = list(self.wiring.at) if self.readout.encoding == "powers" else [0]
        for k, waves in enumerate(known):
            columns = slice(int(firsts[k]), int(firsts[k + 1]))
            of_known[k] += of_waves @ matrices[..., columns].conj()
            shaped = np.broadcast_to(waves, (*of_waves.shape[:3], waves.shape[-1]))
            found = np.einsum("tcbr,tcbn->tcrn", of_waves, shaped.conj())
            for carrier, place in enumerate(at):
                of_matrices[:, place, rows, columns] += found[:, carrier]

    def _of_inputs(self, of_sent: ComplexArray, of_shares: FloatArray) -> Numbers:
        """Return the cotangent of x (batch, C i), tiles of one column added up."""
        rows, columns = self.grid
        swayed = 1.0 if self.sway is None else self.sway
        if self.readout.encoding == "powers":
            batch = len(self.x)
            half = (swayed * of_shares).transpose(0, 2, 1)  # (T, 2 B, i)
            tiles = np.broadcast_to(
                self.x.reshape(batch, columns, -1).transpose(1, 0, 2), (rows, columns, batch, half.shape[-1])
            ).reshape(rows * columns, batch, -1)
            own: Numbers = np.where(tiles >= 0.0, half[:, :batch], -half[:, batch:])
        else:
            own = swayed * of_sent[:, 0]
        summed = own.reshape(rows, columns, *own.shape[1:]).sum(axis=0)
        found = summed.transpose(1, 0, 2).reshape(len(self.x), -1)
        return found if np.iscomplexobj(self.x) else np.asarray(found.real)

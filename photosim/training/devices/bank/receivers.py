"""What reads the rows of a weight bank: balanced detectors and the parts that their currents pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model import Electronic, Stage
from photosim.signals.electronics import Chain, chain_behind
from photosim.training.arrays import RealArray
from photosim.training.devices.receiver import Converters, Receiver

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point


@dataclass(frozen=True)
class Lit:
    """A circuit under its own light, at the settings of its netlist and of the converters wired to them."""

    compiled: Compiled
    point: Point

    @classmethod
    def of(cls, circuit: Circuit) -> Lit:
        """Return a circuit as its netlist has it."""
        return cls(*circuit.driven_at({}))

    @property
    def drives(self) -> dict[str, Any]:
        """What converters drive, by dotted name: settings for every call of the circuit."""
        return {drive.name: drive.value for drive in self.point.drives}

    def settings_of(self, instance: str) -> dict[str, Any]:
        """Return every setting of a part."""
        return self.compiled.parts.settings_of(self.compiled.graph.part(instance), self.point)


def read_tiles(
    receiver: Receiver, converters: Converters, current: RealArray, gates: RealArray | None, unit: float
) -> tuple[RealArray, int]:
    """Return what is read of currents (down, across, batch, M), (batch, down M), and the clipped number.

    Tiles side by side are added. gates: gain of each output in front of the receiver's parts, (batch,
    outputs); None for 1.  unit: current in A that reads as 1. `current` is overwritten.
    """
    if converters.adc_bits is None:
        return receiver.read_rows(current, gates, unit)
    down, _, batch, rows = current.shape
    if gates is not None:
        padded = np.zeros((batch, down * rows), current.dtype)
        padded[:, : gates.shape[1]] = gates
        current *= padded.reshape(batch, down, 1, rows).transpose(1, 2, 0, 3)
    read, beyond = receiver.read(current, unit)
    shares, clipped = converters.readings(read)
    return shares.sum(axis=1).transpose(1, 0, 2).reshape(batch, down * rows), beyond + clipped


def find_receiver(lit: Lit, detectors: list[str], laser: str) -> Receiver:
    """Return what all detectors and the parts behind them are; ParameterError unless they are alike."""
    light = lit.settings_of(laser)
    first, *others = [
        Receiver.of(lit.settings_of(detector), light, electronics(lit, detector)) for detector in detectors
    ]
    for detector, other in zip(detectors[1:], others, strict=True):
        if replace(other, chain=replace(other.chain, names=first.chain.names)) != first:
            message = (
                f"All rows of a bank need the same receiver, but that of {detector!r} differs from that of "
                f"{detectors[0]!r}: give detectors, amplifiers and converters the same settings."
            )
            raise ParameterError(message)
    return first


def electronics(lit: Lit, detector: str) -> Chain:
    """Return the stages behind a detector; ParameterError if the first takes no current."""
    graph = lit.compiled.graph
    output = graph.part(detector).model.electrical[0]
    chain = chain_behind(graph, (detector, output), lambda name: _stage(lit, name))
    if chain.stages and not chain.virtual_ground:
        message = (
            f"{chain.names[0]!r} has no virtual ground, and {detector!r} gives a current: put a "
            "transimpedance_amplifier between them, or give its Stage virtual_ground=True."
        )
        raise ParameterError(message)
    return chain


def _stage(lit: Lit, name: str) -> Stage:
    model = lit.compiled.graph.part(name).model
    assert isinstance(model, Electronic)  # noqa: S101 - so that types are known: chains have no other parts
    return model.stage(**lit.settings_of(name))

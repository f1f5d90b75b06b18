"""What reads the rows of a weight bank: balanced detectors and the parts that their currents pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from photosim.errors import ParameterError
from photosim.model import Electronic, Stage
from photosim.signals.electronics import Chain, chain_behind
from photosim.training.devices.receiver import Receiver

if TYPE_CHECKING:
    from photosim.circuit import Circuit


def find_receiver(circuit: Circuit, detectors: list[str], laser: str) -> Receiver:
    """Return what all detectors and the parts behind them are; ParameterError unless they are alike."""
    light = settings_of(circuit, laser)
    first, *others = [
        Receiver.of(settings_of(circuit, detector), light, _electronics(circuit, detector))
        for detector in detectors
    ]
    for detector, other in zip(detectors[1:], others, strict=True):
        if replace(other, chain=replace(other.chain, names=first.chain.names)) != first:
            message = (
                f"All rows of a bank need the same receiver, but that of {detector!r} differs from that of "
                f"{detectors[0]!r}: give detectors, amplifiers and converters the same settings."
            )
            raise ParameterError(message)
    return first


def _electronics(circuit: Circuit, detector: str) -> Chain:
    """Return the stages behind a detector; ParameterError if a current meets one that wants a voltage."""
    output = circuit.graph.part(detector).model.electrical[0]
    chain = chain_behind(circuit.graph, (detector, output), lambda name: _stage(circuit, name))
    if chain.stages and not chain.virtual_ground:
        message = (
            f"{chain.names[0]!r} reads voltages, and {detector!r} gives a current: put a "
            "transimpedance_amplifier between them."
        )
        raise ParameterError(message)
    return chain


def _stage(circuit: Circuit, name: str) -> Stage:
    model = circuit.graph.part(name).model
    assert isinstance(model, Electronic)  # noqa: S101 - so that types are known: chains have no other parts
    return model.stage(**settings_of(circuit, name))


def settings_of(circuit: Circuit, instance: str) -> dict[str, Any]:
    """Return all settings of a flat instance, given or default; the circuit's temperature reaches it too."""
    values = circuit.compiled.parameters  # not copied: a large bank asks once a row
    return {key: values[f"{instance}.{key}"] for key in circuit.graph.part(instance).model.parameters}

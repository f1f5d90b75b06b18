"""Physics-aware training: forward through the hardware, backward through a model of it (wright2022)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.layers import Dense, Layer, Network, Parameters, Trace
from photosim.training.layers.circuit import CircuitLayer
from photosim.training.layers.held import HeldDense
from photosim.training.layers.mesh import MeshLayer
from photosim.training.layers.oscillators import Oscillators
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.backprop import Backprop
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class PhysicsAware:
    """Physics-aware training: output errors go back through a model of each layer (wright2022).

    The model of a layer gets the inputs of the layer itself, if they were read as numbers. Light that goes on
    unread (complex fields) is not known to the computer, and the model's own fields replace it. Electronic
    activations count with the values that they had. So imperfections of the hardware enter through loss,
    error and readings; only the derivatives are those of the model.

    models: one layer for each of the network, with its parameters, such as that of a calibrated chip; by
    default those of `ideal_layer`.
    """

    models: tuple[Layer, ...] | None = None
    sources: ClassVar[tuple[str, ...]] = ("wright2022",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.MODEL})

    @classmethod
    def of(cls, network: Network) -> PhysicsAware:
        """Return the rule with the ideal model of each layer of a network."""
        return cls(tuple(ideal_layer(layer) for layer in network.layers))

    def updates(self, forward: ForwardPass) -> Updates:
        """Return the gradient of the models at the hardware's readings, for every layer that learns.

        Raises ParameterError unless there is a model of the shape of each layer.
        """
        layers = forward.network.layers
        models = self.models or PhysicsAware.of(forward.network).models or ()
        shapes = [(layer.inputs, layer.outputs) for layer in layers]
        if [(model.inputs, model.outputs) for model in models] != shapes:
            message = (
                f"PhysicsAware has {len(models)} models, which do not fit the network's {len(layers)} "
                "layers: give one for each, with as many inputs and outputs."
            )
            raise ParameterError(message)
        traces: list[Trace] = []
        for layer, model, own, trace in zip(layers, models, forward.parameters, forward.traces, strict=True):
            unread = traces and np.iscomplexobj(trace.inputs)
            traces.append(_seen(layer, model, own, trace, traces[-1].outputs if unread else trace.inputs))
        return Backprop().updates(replace(forward, network=Network(models), traces=traces))


@public
def ideal_layer(layer: Layer) -> Layer:
    """Return the layer without the imperfections of its hardware, with the same parameters.

    A mesh has halving couplers, no loss, phase errors, thermal crosstalk or converters. A circuit has no
    loss, reflections, thermal crosstalk and noise, but its own couplings. A dense layer in hardware has exact
    products. Oscillators have neither gap nor noise. Other layers are computed anyway, and are returned as
    they are.
    """
    match layer:
        case HeldDense():
            return Dense(layer.inputs, layer.outputs, layer.activation)
        case MeshLayer():
            return replace(layer, hardware=layer.hardware.ideal())
        case CircuitLayer():
            wiring = layer.device.wiring.ideal()
            device = replace(layer.device, wiring=wiring, noise=None, counters=Counter())
            return replace(layer, device=device, counters=Counter())
        case Oscillators():
            return layer.ideal()
    return layer


def _seen(layer: Layer, model: Layer, own: Parameters, trace: Trace, x: RealArray) -> Trace:
    """Return a model's trace of x (batch, inputs), with the electronic values of the layer's own trace."""
    if (model is layer or isinstance(layer, HeldDense)) and x is trace.inputs:
        return trace
    found = model.forward(own, x, trace)
    if isinstance(layer, CircuitLayer) and isinstance(model, CircuitLayer):
        passage, gain = found.memo
        read = replace(passage, outputs=trace.memo[0].outputs)
        return Trace(x, trace.pre, trace.outputs, (read, gain))
    return found

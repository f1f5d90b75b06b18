"""What a learning rule is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from photosim.errors import ParameterError
from photosim.reals import shown
from photosim.training.arrays import RealArray
from photosim.training.layers import Block, Network, Parameters
from photosim.training.layers.products import Products
from photosim.training.passes import ForwardPass, Updates

if TYPE_CHECKING:
    from photosim.training.devices.device import Device


class Need(Enum):
    """What a rule needs of hardware, network and data, beside the forward pass and the output error."""

    TRANSPOSED_WEIGHTS = "the transposed weights of later layers"
    LOCAL_DERIVATIVES = "the local derivatives of the hidden layers"
    SIGNS_OF_WEIGHTS = "the signs of the weights of later layers"
    FEEDBACK = "one feedback device for each hidden layer, from the output error to the layer's units"
    LAYERED_FEEDBACK = "one feedback device for each hidden layer, from the next layer's error to its units"
    INPUT_FEEDBACK = "one feedback device, from the output error to the network's inputs"
    LIGHT_BACKWARDS = "light sent backwards through the hardware, and power taps inside it"
    MORE_FORWARDS = "forward passes of the same batch with moved parameters"
    MODEL = "a model of the hardware in the computer, through which errors go back"
    SECOND_FORWARD = "a second forward pass of the same batch from other inputs"
    DENSE_LAYERS = "layers in which each output sees every input once: dense ones and dropout"
    CLASS_LABELS = "class labels: output errors that are probabilities minus labels"


class Rule(Protocol):
    """A rule says what it needs and turns one batch's pass into updates; it changes nothing itself.

    What it must remember from batch to batch lies in a random generator `rng` or arrays by name, `memory`, if
    it has them, and in those and the counters of its feedback devices: checkpoints keep them
    (photosim.training.checkpoint).
    """

    needs: ClassVar[frozenset[Need]]
    """What the rule cannot do without; catalogue, options and estimators read it here."""

    def updates(self, forward: ForwardPass) -> Updates:
        """Return a dictionary of arrays for each layer, in the shapes of its parameters, or None.

        forward: the network's pass of one batch, with its error. An update is a mean over the batch and
        stands where a gradient stands: an optimiser subtracts it. None is for a layer that does not change.
        """


def updates_of(rule: Rule, forward: ForwardPass, parameters: Sequence[Parameters]) -> Updates:
    """Return a rule's updates; ParameterError unless there is one a layer, in the shapes of parameters.

    An entry is None, or empty, for a layer that does not change.
    """
    found: Any = rule.updates(forward)
    rule_is = f"updates(forward) of {type(rule).__name__} must return a list, one entry for each of the"
    if not isinstance(found, list | tuple) or len(found) != len(parameters):
        got = f"{len(found)} entries" if isinstance(found, list | tuple) else shown(found)
        message = f"{rule_is} {len(parameters)} layers, got {got}."
        raise ParameterError(message)
    for k, (own, update) in enumerate(zip(parameters, found, strict=True), start=1):
        if update is None or (isinstance(update, Mapping) and not update):
            continue
        wanted = {name: np.shape(value) for name, value in own.items()}
        shapes: Any = None
        if isinstance(update, Products) and update.open:
            shapes = update.shapes()
        elif isinstance(update, Mapping):
            shapes = {name: np.shape(value) for name, value in update.items()}
        if shapes != wanted:
            shapes = shown(update) if shapes is None else shapes
            message = (
                f"{rule_is} layers, but that of layer {k} is {shapes}: give None, or an array for each "
                f"parameter of the layer, {wanted}."
            )
            raise ParameterError(message)
    return list(found)


def check_feedback(name: str, network: Network, feedback: tuple[Device, ...]) -> None:
    """Raise ParameterError unless a rule, called `name`, has one device for each hidden layer that learns."""
    if len(feedback) != len(network.hidden):
        message = (
            f"{name} needs one feedback device for each of the {len(network.hidden)} hidden layers, "
            f"got {len(feedback)}."
        )
        raise ParameterError(message)


def deliver(
    device: Device, signal: RealArray, forward: ForwardPass, block: Block, gain: float = 1.0
) -> RealArray:
    """Return gain * (B signal) * f'(a) of a hidden block, B held by a device with the block's outputs.

    Where nothing follows the layer that learns, the device's amplifiers apply the derivative, as
    filipovich2022 do; else the product passes pooling and dropout on its way back first. A derivative that
    is complex, of detectors behind fields, has no amplifier and is applied by the computer.
    """
    derivative = forward.derivative(block) if block.alone else None
    if derivative is not None and np.iscomplexobj(derivative):
        product = device.apply(signal).astype(forward.error.dtype, copy=False)
        return np.asarray(gain * product * derivative)
    if gain != 1.0:
        derivative = gain * (
            derivative if derivative is not None else np.ones((len(signal), block.outputs), signal.dtype)
        )
    product = device.apply(signal, gain=derivative).astype(forward.error.dtype, copy=False)
    return product if block.alone else forward.delta(block, product)

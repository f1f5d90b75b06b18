"""What the rules of two forward passes share: the second one, and a warning once the first says nothing."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import ParameterError, PhotosimWarning
from photosim.training.arrays import RealArray
from photosim.training.layers import Block
from photosim.training.passes import ForwardPass, Updates

if TYPE_CHECKING:
    from photosim.training.devices.device import Device

OF_INPUTS = 0.05
"""Feedback to inputs, in units of He's bound sqrt(6 / inputs), as dellaferrera2022's code has it."""
ALIKE = 1e-6
"""Answers to a batch that differ by less between its samples say nothing about them."""


def input_feedback(name: str, feedback: tuple[Device, ...]) -> Device:
    """Return the one device that a rule, called `name`, has; ParameterError for another number of them."""
    if len(feedback) != 1:
        message = (
            f"{name} needs one feedback device, from the output error to the network's inputs, "
            f"got {len(feedback)}."
        )
        raise ParameterError(message)
    return feedback[0]


def second_pass(forward: ForwardPass, device: Device, sign: float = 1.0) -> ForwardPass:
    """Return the pass of inputs x + sign F e, F held by the device: the same hardware once more."""
    x, change = forward.inputs, sign * device.apply(forward.error)
    if change.shape != x.shape:
        message = (
            f"The feedback device leads to {change.shape[1]} inputs, but the network has {x.shape[1]}: "
            "its matrix must be (inputs, outputs)."
        )
        raise ParameterError(message)
    return forward.again(np.asarray(x + change, dtype=x.dtype))


def outputs_of(forward: ForwardPass, block: Block) -> RealArray:
    """Return a block's outputs (batch, units), after dropout if there is one, and before pooling."""
    traces = forward.traces
    whole, own = traces[block.last].outputs, traces[block.first].outputs
    return whole if whole.shape == own.shape else own


def changes(forward: ForwardPass, again: ForwardPass) -> list[RealArray]:
    """Return each hidden block's outputs of the first pass minus those of the second, (batch, units) each."""
    return [outputs_of(forward, block) - outputs_of(again, block) for block in forward.network.hidden]


def updates_of(forward: ForwardPass, posts: Sequence[RealArray]) -> Updates:
    """Return the updates of all layers from the changes of their outputs, (batch, units) for each block.

    An output should decrease by its change. Where units are read by a detector the layer's own matrix acts on
    fields: a detected quantity becomes a direction of the field by the detector's law, 2 z for a power |z|^2.
    That is not the derivative of an activation.
    """
    blocks = zip(forward.network.blocks, posts, strict=True)
    return forward.updates(
        [
            post * forward.derivative(block) if np.iscomplexobj(forward.traces[block.first].pre) else post
            for block, post in blocks
        ]
    )


def wanted(forward: ForwardPass) -> RealArray:
    """Return the targets, (batch, outputs): one-hot labels, or in regression the target values."""
    targets, error = np.asarray(forward.targets), forward.error
    if targets.dtype.kind in "iu":
        return np.asarray(np.eye(error.shape[1], dtype=error.dtype)[targets])
    return targets.astype(error.dtype, copy=False)


def answers(forward: ForwardPass) -> RealArray:
    """Return the network's answers, (batch, outputs): probabilities, or in regression the outputs."""
    return np.asarray(forward.error + wanted(forward))


def warn_if_silent(name: str, forward: ForwardPass) -> None:
    """Give a PhotosimWarning if all samples of a batch get the same answer though other ones are wanted.

    That is where too high a learning rate leaves these rules: units that never fire, or fire alike for every
    sample, no longer change with the error, and nothing brings them back. The text is the same every time,
    so that Python shows it once and not for every batch.
    """
    found = answers(forward)
    alike = not np.isfinite(found).all() or bool(np.ptp(found, axis=0).max() < ALIKE)
    if alike and bool(np.ptp(wanted(forward), axis=0).max() > ALIKE):
        message = (
            f"{name} gives every sample of a batch the same answer, which is not better than chance and does "
            "not improve. Start anew with a smaller learning rate (0.01 instead of 0.1) or smaller feedback."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=3)

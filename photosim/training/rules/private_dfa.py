"""Direct feedback alignment whose updates hide any one sample behind normal noise (after ohana2021)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number
from photosim.errors import ParameterError, listing
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.devices.digital import Digital
from photosim.training.layers import ACTIVATIONS, Dense, Dropout, Network
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need, check_feedback
from photosim.training.rules.ternary_dfa import ternarise

if TYPE_CHECKING:
    from photosim.training.privacy import Accountant


@public
@dataclass(frozen=True)
class PrivateDFA:
    """Private direct feedback alignment: bounded inputs and feedback, and noise on each layer's mean update.

    Each layer learns from its inputs, scaled down to a norm of `activation` where it is larger, and from
    what is sent to it: hidden layers from p = g B t, t the error rounded to -1, 0 and 1, g = reach / (|B|
    sqrt(classes)), the last layer from its exact error; both are scaled down to a norm of `reach` where they
    are longer, noise of the device included. So one sample's share in an update is bounded whatever the data:
    `sensitivity` says by how much exchanging one moves all updates of a batch.

    noise_multiplier: standard deviation of the normal noise added to every number of the mean updates, in
    units of that sensitivity, so that `accountant` does not depend on the batch: the last, shorter batch of
    an epoch gets more.  With 0 there is none, and nothing is private.

    The light's own noise is not counted: samples whose error rounds to zero get none, and it reaches an
    update multiplied by inputs that may be zero. What is released are the updates, and with them the
    parameters; scores, losses and alignment angles, the means that standardise data, and a stop by
    validation samples are computed from the data and not covered.  Left out: rounding of the noise to
    floating-point numbers.

    threshold: size of an error below which it is rounded to 0.  rng: draws the random numbers.
    """

    feedback: tuple[Device, ...]
    threshold: float = 0.25
    activation: float = 1.0
    reach: float = 1.0
    noise_multiplier: float = 0.0
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    sources: ClassVar[tuple[str, ...]] = ("ohana2021",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.FEEDBACK, Need.CLASS_LABELS})

    def __post_init__(self) -> None:
        """Raise ParameterError for a number out of bounds, and for devices that mix a batch's samples."""
        check_number(self, 0.0, above=True, activation=self.activation, reach=self.reach)
        check_number(self, 0.0, noise_multiplier=self.noise_multiplier)
        check_number(self, 0.0, 1.0, threshold=self.threshold)
        for device in self.feedback:
            _check_apart(device)

    def gain(self, device: Device) -> float:
        """Return g, the gain of a device that bounds its products."""
        matrix = device.matrix()
        return float(self.reach / (np.linalg.norm(matrix, 2) * np.sqrt(matrix.shape[1])))

    def sensitivity(self, network: Network, batch: int) -> float:
        """Return the largest Euclidean change of all layers' updates when one sample is exchanged.

        For a layer with a bias (an input that is always 1) it is 2 reach sqrt(activation^2 + 1) / batch. Each
        dropout behind it multiplies what is sent back by 1/(1 - share). Slopes of activations are at most 1.

        Raises ParameterError for layers without a known bound.
        """
        if batch < 1:
            message = f"A batch has 1 sample or more, got {batch!r}."
            raise ParameterError(message)
        _check_layers(network)
        squares = 0.0
        for block in network.blocks:
            behind = network.layers[block.first + 1 : block.last + 1]
            kept = float(np.prod([1.0 - layer.share for layer in behind if isinstance(layer, Dropout)]))
            squares += (self.activation**2 + 1.0) / kept**2
        return 2.0 * self.reach / batch * float(np.sqrt(squares))

    def accountant(self) -> Accountant:
        """Return the privacy accountant, with one release for each epoch; ParameterError without noise."""
        from photosim.training.privacy import Accountant

        return Accountant(1.0, self.noise_multiplier)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates with noise, as `Rule.updates`; ParameterError for layers that are not dense."""
        check_feedback("Private DFA", forward.network, self.feedback)
        samples = forward.objective.count(forward.targets)
        if samples != len(forward.error):
            message = (
                f"Private DFA needs a target for every sample: {samples} of {len(forward.error)} have one."
            )
            raise ParameterError(message)
        deviation = self.noise_multiplier * self.sensitivity(forward.network, samples)
        levels = ternarise(forward.error, self.threshold)
        signals = [self.gain(device) * device.apply(levels) for device in self.feedback]
        found: Updates = [None] * len(forward.network.layers)
        for block, signal in zip(forward.network.blocks, [*signals, forward.error], strict=True):
            layer, trace = forward.network.layers[block.first], forward.traces[block.first]
            delta = forward.delta(block, shrunk(signal, self.reach).astype(forward.error.dtype))
            bounded = replace(trace, inputs=shrunk(trace.inputs, self.activation))
            found[block.first] = {
                name: mean + (deviation * self.rng.standard_normal(mean.shape)).astype(mean.dtype)
                for name, mean in layer.gradient(bounded, delta, samples).items()
            }
        return found


def shrunk(rows: RealArray, largest: float) -> RealArray:
    """Return rows (samples, ...) scaled down to a norm of `largest` where they are longer."""
    # Less a few roundings, so that what comes out is never longer.
    below = largest * (1.0 - 8.0 * float(np.finfo(rows.dtype).eps))
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * np.minimum(1.0, below / np.maximum(norms, below)), dtype=rows.dtype)


def _check_apart(device: Device) -> None:
    """Raise ParameterError for a device in which one sample may change the products of others."""
    from photosim.training.devices.medium.scattering_medium import ScatteringMedium

    if isinstance(device, ScatteringMedium):
        apart = device.how.noise != "measured" and not device.how.drift.active
    else:
        apart = type(device) is Digital
    if not apart:
        message = (
            "Private DFA needs devices that treat every sample by itself: Digital, or a ScatteringMedium "
            f'without drift whose noise is None or "physical"; got {_described(device)}.'
        )
        raise ParameterError(message)


def _described(device: Device) -> str:
    how = getattr(device, "how", None)
    name = type(device).__name__
    return name if how is None else f"a {name} of noise {how.noise!r} and {how.drift!r}"


def _check_layers(network: Network) -> None:
    """Raise ParameterError unless all layers are dense ones of known slope, or dropout."""
    for number, layer in enumerate(network.layers, start=1):
        known = type(layer) is Dropout or (type(layer) is Dense and layer.activation in ACTIVATIONS.values())
        if not known:
            message = (
                "Private DFA bounds what dense layers and dropout do, with the activations "
                f"{listing(ACTIVATIONS)}; layer {number} of the network is a {type(layer).__name__}."
            )
            raise ParameterError(message)

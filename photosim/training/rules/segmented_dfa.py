"""Direct feedback to chosen layers, exact gradients inside the segments between them (launayscales2020)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.training.arrays import RealArray
from photosim.training.devices.device import Device
from photosim.training.layers.sequence import SequenceLayer
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need
from photosim.training.rules.ternary_dfa import ternarise, ternarise_at_random


@public
@dataclass(frozen=True)
class SegmentedDFA:
    """Direct feedback alignment for Transformers: devices send each token's error to the layers `ends`.

    Layers between two ends learn from what the later end is sent, by exact derivatives; those after the last
    end from the error itself. `ends` at every block of a Transformer is the macro placement of
    launayscales2020, at every layer the micro one; without any the gradient is exact. The first segment holds
    the embedding.

    feedback: a device for each end, or one for all ends of one width, whose product is formed once: where
    layers add to what goes through them, the gradient is much the same at all ends.  ends: numbers of layers,
    from 0, rising.  tokens: positions of a sequence; each one's error is a row for the devices.  threshold:
    errors are rounded to -1, 0 and 1 beyond it; None to send them as they are.  at_random: errors are rounded
    to -1, 0 and 1 by chance instead, right on average: an error of -0.3 is -1 three times in ten. With many
    classes most errors lie below any threshold, and what is left of them no longer cancels over the tokens.
    still: numbers of layers that do not learn.

    rng: draws the random numbers.
    """

    feedback: tuple[Device, ...] = ()
    ends: tuple[int, ...] = ()
    tokens: int = 1
    threshold: float | None = None
    at_random: bool = False
    still: tuple[int, ...] = ()
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0), compare=False)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.LOCAL_DERIVATIVES, Need.FEEDBACK, Need.CLASS_LABELS})

    def __post_init__(self) -> None:
        """Raise ParameterError for ends out of order, or another number of devices than of ends."""
        fitting = len(self.feedback) in {len(self.ends), min(len(self.ends), 1)}
        if list(self.ends) != sorted(set(self.ends)) or not fitting:
            message = (
                f"Segmented DFA needs rising ends and a device for each, or one for all, got "
                f"{list(self.ends)} and {len(self.feedback)} devices."
            )
            raise ParameterError(message)
        if self.threshold is not None and not 0.0 <= self.threshold < 1.0:
            message = f"The threshold of a ternary error must be from 0 to below 1, got {self.threshold!r}."
            raise ParameterError(message)
        if self.at_random and self.threshold is not None:
            message = "Errors are rounded at random or by a threshold, not both: leave one of them out."
            raise ParameterError(message)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; ParameterError for ends that the network does not have."""
        count = len(forward.network.layers)
        if self.ends and not 0 <= self.ends[0] <= self.ends[-1] < count - 1:
            message = f"Segments end at layers 0 to {count - 2}, before the last one, got {list(self.ends)}."
            raise ParameterError(message)
        found: Updates = [None] * count
        firsts = (0, *(end + 1 for end in self.ends))
        for first, last, signal in zip(
            firsts, (*self.ends, count - 1), (*self._signals(forward.error), forward.error), strict=True
        ):
            self._segment(forward, first, last, signal, found)
        return found

    def _signals(self, error: RealArray) -> list[RealArray]:
        """Return the devices' products with the tokens' errors, (batch, outputs of the end) for each end."""
        if not self.feedback:
            return []
        rows = error.reshape(len(error) * self.tokens, -1)
        sent = rows
        if self.at_random:
            sent = ternarise_at_random(rows, self.rng)
        elif self.threshold is not None:
            sent = ternarise(rows, self.threshold)
        found = [
            device.apply(sent).astype(error.dtype, copy=False).reshape(len(error), -1)
            for device in self.feedback
        ]
        return found if len(found) == len(self.ends) else found * len(self.ends)

    def _segment(
        self, forward: ForwardPass, first: int, last: int, signal: RealArray, found: Updates
    ) -> None:
        """Send a signal back from the outputs of one layer to the inputs of another, and keep updates."""
        samples = forward.objective.count(forward.targets)
        for index in range(last, first - 1, -1):
            layer, trace = forward.network.layers[index], forward.traces[index]
            delta = signal if isinstance(layer, SequenceLayer) else signal * layer.derivative(trace)
            if isinstance(layer, SequenceLayer):
                update, signal = layer.both(trace, delta, samples)
            else:
                update = layer.gradient(trace, delta, samples)
                if index > first:
                    signal = layer.back(forward.parameters[index], trace, delta)
            if layer.weights_shape is not None and index not in self.still:
                found[index] = update

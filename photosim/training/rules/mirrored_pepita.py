"""PEPITA whose feedback learns the weights from noise: weight mirroring (akrout2019, srinivasan2023)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError
from photosim.training.arrays import FloatArray
from photosim.training.devices.digital import Digital
from photosim.training.layers import Network, Parameters
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.modulation import OF_INPUTS, changes, second_pass, updates_of, warn_if_silent
from photosim.training.rules.rule import Need


@public
@dataclass(frozen=True)
class MirroredPepita:
    """PEPITA with learnt feedback: x' = x - F e, F along B_1 B_2 ... B_L, each B near its layer's transpose.

    Each batch sends white noise of deviation 1 into every layer alone, without its activation, and adds
    learning_rate (noise)(response)^T to that layer's B, averaged over `samples` noises, once B has decayed
    by `decay`. So B settles at W^T learning_rate / decay. The product is brought to the size of a drawn F, a
    root mean square of scale 0.05 sqrt(2 / inputs), lest growing weights make the second pass another
    picture. The sign is that of srinivasan2023: with a mirrored F, minus makes the change of the first hidden
    layer W_1 W_1^T times the error that backpropagation would bring. Dense layers only.

    memory: the B of every layer, (inputs, outputs), changed in place; checkpoints keep it.  rng: draws the
    noise.
    """

    memory: Parameters
    rng: np.random.Generator
    learning_rate: float = 0.01
    decay: float = 1e-2
    samples: int = 16
    scale: float = 1.0
    sources: ClassVar[tuple[str, ...]] = ("srinivasan2023", "akrout2019")
    needs: ClassVar[frozenset[Need]] = frozenset({Need.SECOND_FORWARD, Need.DENSE_LAYERS})

    def __post_init__(self) -> None:
        """Raise ParameterError for numbers that mirror nothing."""
        if not (0.0 < self.learning_rate < np.inf and 0.0 < self.decay < 1.0 and self.samples >= 1):
            message = (
                "Weight mirroring needs a positive learning rate, a decay between 0 and 1 and 1 sample or "
                f"more, got {self.learning_rate!r}, {self.decay!r} and {self.samples!r}."
            )
            raise ParameterError(message)

    @classmethod
    def drawn(cls, network: Network, rng: np.random.Generator) -> MirroredPepita:
        """Return the rule with matrices drawn as weights are, uniform between +-1/sqrt(inputs).

        Raises ParameterError for a network with layers other than dense ones and dropout.
        """
        if not mirrors(network):
            message = "Weight mirroring is made for dense layers: each output must see every input once."
            raise ParameterError(message)
        memory: Parameters = {}
        for index, block in enumerate(network.blocks):
            layer = network.layers[block.first]
            bound = 1.0 / np.sqrt(layer.inputs)
            memory[str(index)] = rng.uniform(-bound, bound, (layer.inputs, layer.outputs))
        return cls(memory, rng)

    def mirror(self, network: Network, parameters: list[Parameters], batches: int = 1) -> None:
        """Let the matrices B learn from noise alone, as the authors do for two epochs before training."""
        for _ in range(batches):
            for index, block in enumerate(network.blocks):
                layer, own = network.layers[block.first], parameters[block.first]
                noise = self.rng.standard_normal((self.samples, layer.inputs))
                # Less the answer to nothing, which is the bias: B mirrors weights alone.
                response = layer.forward(own, noise).pre - layer.forward(own, np.zeros((1, layer.inputs))).pre
                if np.iscomplexobj(response):
                    message = (
                        f"Layer {block.first + 1}, a {type(layer).__name__}, answers noise with complex "
                        "fields, which weight mirroring does not learn: use 'pepita'."
                    )
                    raise ParameterError(message)
                held = self.memory[str(index)]
                held *= 1.0 - self.decay
                held += self.learning_rate / self.samples * (noise.T @ response)

    def matrix(self) -> FloatArray:
        """Return F, shape (inputs, outputs)."""
        product = reduce(np.matmul, [self.memory[str(index)] for index in range(len(self.memory))])
        size = self.scale * OF_INPUTS * np.sqrt(2.0 / len(product))
        return np.asarray(product * (size / np.sqrt(np.mean(product**2))), dtype=np.float64)

    def updates(self, forward: ForwardPass) -> Updates:
        """Update the matrices B once, and return the updates as `Rule.updates` does."""
        warn_if_silent("Mirrored PEPITA", forward)
        self.mirror(forward.network, forward.parameters)
        again = second_pass(forward, Digital(self.matrix()), sign=-1.0)
        return updates_of(again, [*changes(forward, again), again.error])


def mirrors(network: Network) -> bool:
    """Return whether a network's layers are dense ones and dropout, whose weights noise can mirror."""
    return all(
        block.weights_shape == (block.outputs, network.layers[block.first].inputs) for block in network.blocks
    )

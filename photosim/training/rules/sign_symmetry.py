"""Sign symmetry: the way back shares the weights' signs, not their sizes (liao2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from photosim.arguments import public
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import RealArray
from photosim.training.layers import Block, Network
from photosim.training.passes import ForwardPass, Updates
from photosim.training.rules.rule import Need

Variant = Literal["uniform", "fixed", "redrawn"]
VARIANTS = ("uniform", "fixed", "redrawn")
"""liao2016 call them uSF, frSF and brSF."""


@public
@dataclass(frozen=True)
class SignSymmetry:
    """Sign symmetry: delta_k = (V_(k+1)^T delta_(k+1)) * f'(a_k) with V = M * sign(W) (liao2016).

    sizes: M of every layer but the first, each in the shape of its weights (outputs, inputs).  variant:
    "uniform" for equal entries of M, "fixed" for random M drawn once, "redrawn" for M drawn again for every
    batch, uniformly between 0 and twice the mean size. The authors draw M between 0 and 1 and normalise every
    batch; without this normalisation our sizes depend on the widths of the layers, see `drawn`.
    """

    sizes: tuple[RealArray, ...]
    variant: Variant
    rng: np.random.Generator
    sources: ClassVar[tuple[str, ...]] = ("liao2016",)
    needs: ClassVar[frozenset[Need]] = frozenset({Need.SIGNS_OF_WEIGHTS, Need.LOCAL_DERIVATIVES})

    @classmethod
    def drawn(cls, network: Network, variant: Variant, rng: np.random.Generator) -> SignSymmetry:
        """Return the rule with sizes of mean 0.5 / sqrt(inputs), that of the weights' initial values.

        Raises ParameterError for an unknown variant.
        """
        if variant not in VARIANTS:
            message = (
                f"There is no variant {variant!r} of sign symmetry: there are {listing(VARIANTS)}."
                f"{did_you_mean(variant, VARIANTS)}"
            )
            raise ParameterError(message)
        sizes = []
        for block in network.blocks[1:]:
            shape = block.weights_shape
            mean = 0.5 / np.sqrt(shape[1])
            sizes.append(rng.uniform(0.0, 2.0 * mean, shape) if variant == "fixed" else np.full(shape, mean))
        return cls(tuple(sizes), variant, rng)

    def updates(self, forward: ForwardPass) -> Updates:
        """Return updates as `Rule.updates` does; the last layer's are the exact gradient."""
        blocks = forward.network.blocks
        deltas = [forward.output_delta]
        for block, after, size in zip(blocks[-2::-1], blocks[:0:-1], self.sizes[::-1], strict=True):
            weights = _weights(forward, after)
            drawn = 2.0 * size * self.rng.random(size.shape) if self.variant == "redrawn" else size
            signed = (drawn * np.sign(weights)).astype(weights.dtype, copy=False)
            held = "weights" in forward.parameters[after.first]
            back = forward.back(after, deltas[-1], signed) if held else deltas[-1] @ signed
            deltas.append(forward.delta(block, back))
        return forward.updates(deltas[::-1])


def _weights(forward: ForwardPass, block: Block) -> RealArray:
    """Return a layer's weights, or the real matrix that its hardware made in this pass.

    Raises ParameterError for a layer that has neither.
    """
    own, layer = forward.parameters[block.first], forward.network.layers[block.first]
    made: Any = getattr(layer, "made", None)
    found = own.get("weights") if made is None else made(forward.traces[block.first])
    if found is None:
        message = (
            f"Layer {block.first + 1}, a {type(layer).__name__}, has no real weights whose signs errors "
            "could go back by: use 'backprop', or a rule with random feedback, such as 'dfa'."
        )
        raise ParameterError(message)
    return np.asarray(found)

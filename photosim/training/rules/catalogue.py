"""Rules by name: what feedback each wants, and how it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import FloatArray
from photosim.training.devices.device import Device
from photosim.training.layers import Network
from photosim.training.rules.backprop import Backprop
from photosim.training.rules.dfa import DFA
from photosim.training.rules.feedback_alignment import FeedbackAlignment
from photosim.training.rules.frozen import FrozenHidden
from photosim.training.rules.rule import Rule
from photosim.training.rules.sign_symmetry import SignSymmetry, Variant
from photosim.training.rules.target_projection import TargetProjection
from photosim.training.rules.ternary_dfa import TernaryDFA

RULES = {
    "backprop": "the exact gradient",
    "frozen": "only the last layer learns",
    "dfa": "direct feedback alignment",
    "ternary-dfa": "direct feedback alignment, errors rounded to -1, 0 and 1",
    "target-projection": "direct random target projection",
    "feedback-alignment": "random matrices, layer by layer, in place of the transposed weights",
    "sign-symmetry-uniform": "the weights' signs on the way back, all of one size",
    "sign-symmetry-fixed": "the weights' signs on the way back, sizes drawn once",
    "sign-symmetry-redrawn": "the weights' signs on the way back, sizes drawn for every batch",
}
"""Rules by name and what they are; any of them can be made by `make_rule`."""
DIRECT = frozenset({"dfa", "ternary-dfa", "target-projection"})
"""Rules whose feedback devices lead from the output to each hidden layer."""
LAYERED = frozenset({"feedback-alignment"})
"""Rules whose feedback devices lead from each layer to the hidden one before it."""
CLASSES_ONLY = frozenset({"ternary-dfa", "target-projection"})
"""Rules made for errors that are probabilities minus labels."""
WITH_FEEDBACK = DIRECT | LAYERED
"""Rules whose feedback a device can hold."""
_SIGNS = "sign-symmetry-"


def check_rule(name: str) -> None:
    """Raise ParameterError with the nearest name unless there is a rule `name`."""
    if name not in RULES:
        message = f"There is no rule {name!r}. There are: {listing(RULES)}.{did_you_mean(str(name), RULES)}"
        raise ParameterError(message)


def draw_feedback(
    name: str, network: Network, size: float, rng: np.random.Generator
) -> tuple[FloatArray, ...]:
    """Draw a rule's feedback matrices, (units, inputs) for each hidden layer; empty if it has none.

    Direct ones are uniform between -size and size, as filipovich2022 draw them; layered ones between
    +-size / sqrt(inputs), as the weights that they stand for, so that errors keep their scale on the way.
    """
    if name in DIRECT:
        outputs = network.layers[-1].outputs
        return tuple(rng.uniform(-size, size, (block.outputs, outputs)) for block in network.hidden)
    if name in LAYERED:
        after = [network.layers[block.first] for block in network.blocks[1:]]
        return tuple(
            rng.uniform(-size, size, (layer.inputs, layer.outputs)) / np.sqrt(layer.inputs) for layer in after
        )
    return ()


def make_rule(
    name: str,
    network: Network,
    feedback: Sequence[Device] = (),
    rng: np.random.Generator | None = None,
    threshold: float = 0.25,
) -> Rule:
    """Return the rule `name` for a network.

    feedback: devices that hold what draw_feedback draws.  rng: draws the sizes of sign symmetry; a generator
    of seed 0 if left out.  threshold: that of `ternary-dfa`.  Raises ParameterError for an unknown name.
    """
    check_rule(name)
    devices = tuple(feedback)
    match name:
        case "backprop":
            return Backprop()
        case "frozen":
            return FrozenHidden()
        case "dfa":
            return DFA(devices)
        case "ternary-dfa":
            return TernaryDFA(devices, threshold)
        case "target-projection":
            return TargetProjection(devices)
        case "feedback-alignment":
            return FeedbackAlignment(devices)
        case _:
            variant = cast("Variant", name.removeprefix(_SIGNS))
            return SignSymmetry.drawn(network, variant, rng or np.random.default_rng(0))

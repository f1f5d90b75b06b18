"""Rules by name: what feedback each wants, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from photosim.errors import ParameterError, did_you_mean, listing
from photosim.training.arrays import FloatArray
from photosim.training.devices.device import Device
from photosim.training.layers import Network
from photosim.training.rules.backprop import Backprop
from photosim.training.rules.dfa import DFA
from photosim.training.rules.feedback_alignment import FeedbackAlignment
from photosim.training.rules.frozen import FrozenHidden
from photosim.training.rules.hebbian_pepita import HebbianPepita
from photosim.training.rules.mirrored_pepita import MirroredPepita, mirrors
from photosim.training.rules.modulation import OF_INPUTS
from photosim.training.rules.pepita import Pepita
from photosim.training.rules.perturbation import SPSA, EvolutionStrategy, FiniteDifference
from photosim.training.rules.rule import Rule
from photosim.training.rules.sign_symmetry import SignSymmetry, Variant
from photosim.training.rules.target_projection import TargetProjection
from photosim.training.rules.ternary_dfa import TernaryDFA
from photosim.training.rules.two_pass import TwoPass
from photosim.training.rules.two_pass_gradient import TwoPassGradient

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
    "two-pass": "two forward passes, the second of inputs changed by the error, no way back",
    "two-pass-gradient": "the gradient of the second pass's loss, as the public code of two-pass has it",
    "pepita": "two forward passes, the last layer learns from the second",
    "pepita-forward": "the same with the activities of the first pass as factors",
    "pepita-hebbian": "two forward passes, a Hebbian step for each",
    "pepita-normalised": "the same with activities divided by their length",
    "pepita-mirrored": "two forward passes, the way to the inputs learnt from noise",
    "finite-difference": "parameters moved one by one, the loss measured",
    "spsa": "all parameters moved at once by a step of either sign, the loss measured",
    "evolution-strategy": "all parameters moved at once by normal numbers, the loss measured",
}
"""Rules by name and what they are; any of them can be made by `make_rule`."""
DIRECT = frozenset({"dfa", "ternary-dfa", "target-projection"})
"""Rules whose feedback devices lead from the output to each hidden layer."""
LAYERED = frozenset({"feedback-alignment"})
"""Rules whose feedback devices lead from each layer to the hidden one before it."""
TO_INPUTS = frozenset(
    {"two-pass", "two-pass-gradient", "pepita", "pepita-forward", "pepita-hebbian", "pepita-normalised"}
)
"""Rules whose one feedback device leads from the output to the inputs."""
DENSE_ONLY = frozenset({"pepita-mirrored"})
"""Rules that learn no convolutions."""
MEASURING = frozenset({"finite-difference", "spsa", "evolution-strategy"})
"""Rules that measure the loss of moved parameters and count the samples which that takes."""
CLASSES_ONLY = frozenset({"ternary-dfa", "target-projection"})
"""Rules made for errors that are probabilities minus labels."""
WITH_FEEDBACK = DIRECT | LAYERED | TO_INPUTS
"""Rules whose feedback a device can hold."""
_SIGNS = "sign-symmetry-"


def check_rule(name: str) -> None:
    """Raise ParameterError with the nearest name unless there is a rule `name`."""
    if name not in RULES:
        message = f"There is no rule {name!r}. There are: {listing(RULES)}.{did_you_mean(str(name), RULES)}"
        raise ParameterError(message)


def check_network(name: str, network: Network, where: str = "") -> None:
    """Raise ParameterError, starting with `where`, for a network with layers that a rule is not made for."""
    if name in DENSE_ONLY and not mirrors(network):
        message = (
            f"{where}The rule {name!r} is made for dense layers and dropout, where each output sees every "
            "input once; all other rules learn convolutions too."
        )
        raise ParameterError(message)


def draw_feedback(
    name: str, network: Network, size: float, rng: np.random.Generator
) -> tuple[FloatArray, ...]:
    """Draw a rule's feedback matrices, (units, inputs) for each hidden layer, or one of (inputs, outputs).

    There are none where the rule has no feedback. Direct ones are uniform between -size and size, as
    filipovich2022 draw them; layered ones between +-size / sqrt(inputs), as the weights that they stand for,
    so that errors keep their scale on the way; those to the inputs between +-size 0.05 sqrt(6 / inputs), as
    the code of dellaferrera2022 draws them.
    """
    if name in DIRECT:
        outputs = network.layers[-1].outputs
        return tuple(rng.uniform(-size, size, (block.outputs, outputs)) for block in network.hidden)
    if name in LAYERED:
        after = [network.layers[block.first] for block in network.blocks[1:]]
        return tuple(
            rng.uniform(-size, size, (layer.inputs, layer.outputs)) / np.sqrt(layer.inputs) for layer in after
        )
    if name in TO_INPUTS:
        inputs, bound = network.layers[0].inputs, OF_INPUTS * size * np.sqrt(6.0 / network.layers[0].inputs)
        return (rng.uniform(-bound, bound, (inputs, network.layers[-1].outputs)),)
    return ()


def make_rule(
    name: str,
    network: Network,
    feedback: Sequence[Device] = (),
    rng: np.random.Generator | None = None,
    threshold: float = 0.25,
    step: float | None = None,
    repeats: int | None = None,
) -> Rule:
    """Return the rule `name` for a network.

    feedback: devices that hold what draw_feedback draws.  rng: draws the sizes of sign symmetry, the
    noise of mirroring and moves of parameters; a generator of seed 0 if left out.  threshold: that of
    `ternary-dfa`.  step: by which rules that measure the loss move parameters.  repeats: random directions
    that they average over; both the rule's own if left out.  Raises ParameterError for an unknown name.
    """
    check_rule(name)
    devices = tuple(feedback)
    plain: dict[str, Callable[[], Rule]] = {
        "backprop": Backprop,
        "frozen": FrozenHidden,
        "dfa": lambda: DFA(devices),
        "ternary-dfa": lambda: TernaryDFA(devices, threshold),
        "target-projection": lambda: TargetProjection(devices),
        "feedback-alignment": lambda: FeedbackAlignment(devices),
        "two-pass": lambda: TwoPass(devices),
        "two-pass-gradient": lambda: TwoPassGradient(devices),
        "pepita": lambda: Pepita(devices),
        "pepita-forward": lambda: Pepita(devices, presynaptic="first"),
        "pepita-hebbian": lambda: HebbianPepita(devices),
        "pepita-normalised": lambda: HebbianPepita(devices, normalised=True),
    }
    if name in plain:
        return plain[name]()
    rng = rng or np.random.default_rng(0)
    if name in MEASURING:
        return _measuring(name, rng, step, repeats)
    if name == "pepita-mirrored":
        return MirroredPepita.drawn(network, rng)
    return SignSymmetry.drawn(network, cast("Variant", name.removeprefix(_SIGNS)), rng)


def _measuring(name: str, rng: np.random.Generator, step: float | None, repeats: int | None) -> Rule:
    given: dict[str, Any] = {} if step is None else {"step": step}
    if name == "finite-difference":
        return FiniteDifference(rng=rng, **given)
    given |= {} if repeats is None else {"repeats": repeats}
    return SPSA(rng=rng, **given) if name == "spsa" else EvolutionStrategy(rng=rng, **given)

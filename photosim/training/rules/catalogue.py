"""Rules by name: the class of each, what feedback it needs, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from photosim.arguments import public
from photosim.bounds import check_number
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
from photosim.training.rules.physics_aware import PhysicsAware
from photosim.training.rules.rule import Need, Rule
from photosim.training.rules.sign_symmetry import SignSymmetry
from photosim.training.rules.target_projection import TargetProjection
from photosim.training.rules.ternary_dfa import TernaryDFA
from photosim.training.rules.two_pass import TwoPass
from photosim.training.rules.two_pass_gradient import TwoPassGradient


@dataclass(frozen=True)
class Ingredients:
    """Arguments of `make_rule`, from which an entry of the catalogue makes its rule."""

    network: Network
    feedback: tuple[Device, ...]
    rng: np.random.Generator
    threshold: float
    step: float | None
    repeats: int | None

    @property
    def moves(self) -> dict[str, Any]:
        """`step` and `repeats` as keywords, without those left out."""
        return self.step_only | ({} if self.repeats is None else {"repeats": self.repeats})

    @property
    def step_only(self) -> dict[str, Any]:
        """`step` as a keyword, or nothing."""
        return {} if self.step is None else {"step": self.step}


@dataclass(frozen=True)
class Entry:
    """A rule of the catalogue: its class, which says what it `needs`, one line of text, and its making."""

    kind: type[Rule]
    text: str
    make: Callable[[Ingredients], Rule]


CATALOGUE: Mapping[str, Entry] = MappingProxyType(
    {
        "backprop": Entry(Backprop, "backpropagation, the exact gradient", lambda _: Backprop()),
        "physics-aware": Entry(
            PhysicsAware,
            "forward through the hardware, the gradient of its ideal model",
            lambda i: PhysicsAware.of(i.network),
        ),
        "frozen": Entry(FrozenHidden, "only the last layer learns", lambda _: FrozenHidden()),
        "dfa": Entry(DFA, "direct feedback alignment", lambda i: DFA(i.feedback)),
        "ternary-dfa": Entry(
            TernaryDFA,
            "direct feedback alignment, errors rounded to -1, 0 and 1",
            lambda i: TernaryDFA(i.feedback, i.threshold),
        ),
        "target-projection": Entry(
            TargetProjection, "direct random target projection", lambda i: TargetProjection(i.feedback)
        ),
        "feedback-alignment": Entry(
            FeedbackAlignment,
            "feedback alignment: random matrices in place of the transposed weights",
            lambda i: FeedbackAlignment(i.feedback),
        ),
        "sign-symmetry-uniform": Entry(
            SignSymmetry,
            "errors go back through the signs of the weights, of equal sizes",
            lambda i: SignSymmetry.drawn(i.network, "uniform", i.rng),
        ),
        "sign-symmetry-fixed": Entry(
            SignSymmetry,
            "errors go back through the signs of the weights, with random sizes",
            lambda i: SignSymmetry.drawn(i.network, "fixed", i.rng),
        ),
        "sign-symmetry-redrawn": Entry(
            SignSymmetry,
            "errors go back through the signs of the weights, with new random sizes for every batch",
            lambda i: SignSymmetry.drawn(i.network, "redrawn", i.rng),
        ),
        "two-pass": Entry(
            TwoPass,
            "two forward passes, the second of inputs changed by the error, no backward pass",
            lambda i: TwoPass(i.feedback),
        ),
        "two-pass-gradient": Entry(
            TwoPassGradient,
            "the gradient of the loss of the second pass, as in the public code of two-pass",
            lambda i: TwoPassGradient(i.feedback),
        ),
        "pepita": Entry(
            Pepita,
            "PEPITA: two forward passes, the last layer learns from the second",
            lambda i: Pepita(i.feedback),
        ),
        "pepita-forward": Entry(
            Pepita,
            "PEPITA with the activities of the first pass as factors",
            lambda i: Pepita(i.feedback, presynaptic="first"),
        ),
        "pepita-hebbian": Entry(
            HebbianPepita,
            "Hebbian PEPITA: two forward passes, a Hebbian step for each",
            lambda i: HebbianPepita(i.feedback),
        ),
        "pepita-normalised": Entry(
            HebbianPepita,
            "Hebbian PEPITA with activities divided by their norm",
            lambda i: HebbianPepita(i.feedback, normalised=True),
        ),
        "pepita-mirrored": Entry(
            MirroredPepita,
            "PEPITA whose feedback matrix is learnt from noise",
            lambda i: MirroredPepita.drawn(i.network, i.rng),
        ),
        "finite-difference": Entry(
            FiniteDifference,
            "finite differences of the measured loss, one parameter after the other",
            lambda i: FiniteDifference(rng=i.rng, **i.step_only),
        ),
        "spsa": Entry(
            SPSA,
            "simultaneous perturbation: the measured loss for random signs of a step of all parameters",
            lambda i: SPSA(rng=i.rng, **i.moves),
        ),
        "evolution-strategy": Entry(
            EvolutionStrategy,
            "evolution strategy: the measured loss for normal random changes of all parameters",
            lambda i: EvolutionStrategy(rng=i.rng, **i.moves),
        ),
    }
)
RULES = {name: entry.text for name, entry in CATALOGUE.items()}
"""Rules by name and what they are; any of them can be made by `make_rule`."""
HELD_BY_DEVICES = frozenset({Need.FEEDBACK, Need.LAYERED_FEEDBACK, Need.INPUT_FEEDBACK})
"""Needs that devices serve: each stands for feedback matrices, drawn by `draw_feedback`."""


def needs(name: str) -> frozenset[Need]:
    """Return what the rule `name` needs; ParameterError with the nearest name if there is none."""
    check_rule(name)
    return CATALOGUE[name].kind.needs


def rules_that_need(*alternatives: Need) -> list[str]:
    """Return the names of the rules that need one of these or more, in the order of the catalogue."""
    return [name for name in CATALOGUE if needs(name).intersection(alternatives)]


def check_rule(name: Any) -> None:
    """Raise ParameterError with the nearest name unless there is a rule `name`."""
    if not isinstance(name, str) or name not in RULES:
        message = f"There is no rule {name!r}. There are: {listing(RULES)}.{did_you_mean(str(name), RULES)}"
        raise ParameterError(message)


def check_network(name: str, network: Network, where: str = "") -> None:
    """Raise ParameterError, starting with `where`, for a network with layers that a rule is not made for."""
    if Need.DENSE_LAYERS in needs(name) and not mirrors(network):
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
    needed = needs(name)
    check_number("draw_feedback", 0.0, size=size)
    if Need.FEEDBACK in needed:
        outputs = network.layers[-1].outputs
        return tuple(rng.uniform(-size, size, (block.outputs, outputs)) for block in network.hidden)
    if Need.LAYERED_FEEDBACK in needed:
        after = [network.layers[block.first] for block in network.blocks[1:]]
        return tuple(
            rng.uniform(-size, size, (layer.inputs, layer.outputs)) / np.sqrt(layer.inputs) for layer in after
        )
    if Need.INPUT_FEEDBACK in needed:
        inputs, bound = network.layers[0].inputs, OF_INPUTS * size * np.sqrt(6.0 / network.layers[0].inputs)
        return (rng.uniform(-bound, bound, (inputs, network.layers[-1].outputs)),)
    return ()


@public
def make_rule(
    name: str,
    network: Network,
    feedback: Sequence[Device] = (),
    rng: np.random.Generator | None = None,
    threshold: float = 0.25,
    step: float | None = None,
    repeats: int | None = None,
) -> Rule:
    """Return the learning rule `name` for a network.

    feedback: devices with the feedback matrices of draw_feedback.  rng: draws the sizes of sign symmetry, the
    noise of mirroring and the changes of parameters; by default a generator of seed 0.  threshold: of
    `ternary-dfa`.  step: change of a parameter, for rules that measure the loss.  repeats: number of random
    directions for these rules; by default, both are the rule's own.

    Raises ParameterError for an unknown name.
    """
    check_rule(name)
    rng = rng or np.random.default_rng(0)
    return CATALOGUE[name].make(Ingredients(network, tuple(feedback), rng, threshold, step, repeats))

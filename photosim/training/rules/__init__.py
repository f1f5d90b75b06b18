"""Learning rules, one file each."""

from photosim.training.rules.backprop import Backprop
from photosim.training.rules.catalogue import RULES, make_rule
from photosim.training.rules.dfa import DFA
from photosim.training.rules.feedback_alignment import FeedbackAlignment
from photosim.training.rules.frozen import FrozenHidden
from photosim.training.rules.hebbian_pepita import HebbianPepita
from photosim.training.rules.in_situ import InSitu, InSituErrors
from photosim.training.rules.mirrored_pepita import MirroredPepita
from photosim.training.rules.pepita import Pepita
from photosim.training.rules.perturbation import SPSA, EvolutionStrategy, FiniteDifference
from photosim.training.rules.physics_aware import PhysicsAware
from photosim.training.rules.private_dfa import PrivateDFA
from photosim.training.rules.rule import Need, Rule
from photosim.training.rules.segmented_dfa import SegmentedDFA
from photosim.training.rules.sign_symmetry import SignSymmetry
from photosim.training.rules.target_projection import TargetProjection
from photosim.training.rules.ternary_dfa import TernaryDFA
from photosim.training.rules.two_pass import TwoPass
from photosim.training.rules.two_pass_gradient import TwoPassGradient

__all__ = [
    "DFA",
    "RULES",
    "SPSA",
    "Backprop",
    "EvolutionStrategy",
    "FeedbackAlignment",
    "FiniteDifference",
    "FrozenHidden",
    "HebbianPepita",
    "InSitu",
    "InSituErrors",
    "MirroredPepita",
    "Need",
    "Pepita",
    "PhysicsAware",
    "PrivateDFA",
    "Rule",
    "SegmentedDFA",
    "SignSymmetry",
    "TargetProjection",
    "TernaryDFA",
    "TwoPass",
    "TwoPassGradient",
    "make_rule",
]

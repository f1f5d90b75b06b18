"""Learning rules, one file each."""

from photosim.training.rules.backprop import Backprop
from photosim.training.rules.catalogue import RULES, make_rule
from photosim.training.rules.dfa import DFA
from photosim.training.rules.feedback_alignment import FeedbackAlignment
from photosim.training.rules.frozen import FrozenHidden
from photosim.training.rules.rule import Need, Rule
from photosim.training.rules.sign_symmetry import SignSymmetry
from photosim.training.rules.target_projection import TargetProjection
from photosim.training.rules.ternary_dfa import TernaryDFA

__all__ = [
    "DFA",
    "RULES",
    "Backprop",
    "FeedbackAlignment",
    "FrozenHidden",
    "Need",
    "Rule",
    "SignSymmetry",
    "TargetProjection",
    "TernaryDFA",
    "make_rule",
]

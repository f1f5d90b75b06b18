"""Learning rules, one file each."""

from photosim.training.rules.backprop import Backprop
from photosim.training.rules.dfa import DFA
from photosim.training.rules.frozen import FrozenHidden
from photosim.training.rules.rule import Need, Rule, Updates

__all__ = ["DFA", "Backprop", "FrozenHidden", "Need", "Rule", "Updates"]

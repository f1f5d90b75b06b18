"""Readouts whose weights have few levels: rules that flip them, and the hardware that they ask."""

from photosim.training.readouts.learning import Readouts, learn_readouts
from photosim.training.readouts.measured import DeviceReadout, StateReadout
from photosim.training.readouts.rules import (
    BOOLEAN,
    TERNARY,
    Greedy,
    Learnt,
    MultiFlip,
    find_weight_rule,
    weight_rules,
)

__all__ = [
    "BOOLEAN", "TERNARY", "DeviceReadout", "Greedy", "Learnt", "MultiFlip", "Readouts", "StateReadout",
    "find_weight_rule", "learn_readouts", "weight_rules",
]  # fmt: skip

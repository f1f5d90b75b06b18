"""How far a rule's updates point away from the gradient."""

from __future__ import annotations

import numpy as np

from photosim.training.arrays import FloatArray
from photosim.training.checkpoint import restore_rule, rule_state
from photosim.training.data.datasets import Samples
from photosim.training.layers import Network, Parameters
from photosim.training.losses import CLASSIFICATION, Objective
from photosim.training.passes import run
from photosim.training.rules.backprop import Backprop
from photosim.training.rules.rule import Rule


def alignment_angles(
    network: Network,
    rule: Rule,
    parameters: list[Parameters],
    samples: Samples,
    objective: Objective = CLASSIFICATION,
) -> FloatArray:
    """Return each learning hidden layer's angle in degrees between the rule's update and the gradient.

    Both are taken over all `samples` at once, weights and biases as one vector; below 90 degrees a small
    step lowers the loss (nokland2016). nan where either is missing or zero. The rule is left as it was: its
    generators and its devices' counters are put back.
    """
    kept = rule_state(rule, network)
    forward, _ = run(network, parameters, samples.x, samples.y, objective)
    updates = rule.updates(forward)
    exact = Backprop().updates(forward)
    restore_rule(rule, kept, network)
    learning = [block.first for block in network.hidden]
    return np.array([_angle(updates[index], exact[index]) for index in learning])


def _angle(one: Parameters | None, other: Parameters | None) -> float:
    if one is None or other is None:
        return float("nan")
    a, b = (np.concatenate([own[name].ravel() for name in sorted(own)], dtype=float) for own in (one, other))
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(a @ b / size, -1.0, 1.0)))) if size > 0.0 else float("nan")

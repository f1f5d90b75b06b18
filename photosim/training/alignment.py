"""Alignment angles: the angles between the updates of a learning rule and the gradient."""

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
    """Return the angle in degrees between update and gradient, for each hidden layer that learns: (layers,).

    Update and gradient are those of one batch of all `samples`, with weights and biases as one vector. Below
    90 degrees, a small step reduces the loss (nokland2016). An angle is nan if the update or the gradient is
    missing or zero. The generators of the rule and the counters of its devices have their old state
    afterwards.
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

"""Exclusive or on one 4 x 4 mesh: bits as fields of light, the answer as power (ahmadnejad2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from photosim.systems.harness.circuits import mesh
from photosim.training.arrays import FloatArray
from photosim.training.devices import Digital
from photosim.training.layers import Network
from photosim.training.layers.mesh import MeshLayer
from photosim.training.losses import REGRESSION
from photosim.training.optimisers import SGD
from photosim.training.passes import run
from photosim.training.rules import make_rule

BITS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
BRIGHT = 0.5
"""Power of a true answer: light of one bit, half of it at the output that is examined."""
TARGETS = BRIGHT * np.array([[0.0], [1.0], [1.0], [0.0]])
SIZE = 4
XOR_NETLIST = "eo_activation"
"""One mesh of four guides: the layer of another system."""


def xor_gate(
    rule: str, seed: int, steps: int, coupling: float, rate: float = 1.0, netlist: str = XOR_NETLIST
) -> Mapping[str, Any]:
    """Train the phases of an imperfect mesh to answer; return the truth table as powers, and its worth.

    Two guides carry a bit each, amplitude 0 or 1, the other two are dark; the answer is the power at
    the first output. F draws all four fields of the second pass. coupling: deviation of the couplers' power,
    the same in both passes.
    """
    rng = np.random.default_rng(seed)
    layer = MeshLayer.of(mesh(netlist, SIZE), outputs=1, detection="power")
    network = Network((replace(layer, hardware=layer.hardware.drawn(coupling, rng)),))
    parameters = network.initial(rng)
    learning = make_rule(rule, network, (Digital(0.3 * rng.standard_normal((SIZE, 1))),))
    optimiser = SGD(rate, momentum=0.0)
    memory = [optimiser.start(own) for own in parameters]
    x = np.concatenate([BITS, np.zeros((4, SIZE - 2))], axis=1)
    losses = []
    for _ in range(steps):
        forward, loss = run(network, parameters, x, TARGETS, REGRESSION)
        losses.append(loss)
        for own, update, kept in zip(parameters, learning.updates(forward), memory, strict=True):
            if update is not None:
                optimiser.step(own, update, kept)
    powers = network.predict(parameters, x)[:, 0]
    return {"powers": powers, "loss": losses[-1], **worth(np.asarray(powers, dtype=np.float64))}


def worth(powers: FloatArray) -> dict[str, float]:
    """Return the share of right answers in %, decided at half the bright power, and the contrast in dB.

    The contrast is the weakest true answer over the brightest false one, which is held to 80 dB.
    """
    true = TARGETS[:, 0] > 0.0
    right = (powers > BRIGHT / 2) == true
    false = max(float(powers[~true].max()), 1e-8 * BRIGHT)
    bright = max(float(powers[true].min()), 1e-8 * BRIGHT)
    return {"right": 100.0 * float(right.mean()), "contrast_dB": 10.0 * float(np.log10(bright / false))}

"""Optics of the co-processor: its media and the feedback rules that use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.training.devices import Device, Digital, Drift, Projection, ScatteringMedium
from photosim.training.layers import Network
from photosim.training.rules import DFA, Backprop, FrozenHidden, Rule, TernaryDFA


@dataclass(frozen=True)
class Point:
    """One setting of the optics: what differs from the netlist and from a medium at rest.

    light: factor on the laser's power.  bits: of the camera; None as in the netlist.
    """

    light: float = 1.0
    bits: int | None = None
    persistence: float = inf
    wander: float = 0.0
    threshold: float = 0.15


@cache
def _circuit() -> Circuit:
    return Circuit("opu")


def medium(widths: Sequence[int], inputs: int, seed: int, point: Point) -> tuple[ScatteringMedium, ...]:
    """Return one device for each hidden layer, made from the netlist with as many pixels as needed.

    Each pixel has the light of the netlist's own. The entries of a layer's matrix deviate by 1/sqrt(width),
    as launayscales2020 scale them.
    """
    written = _circuit().parameters
    pixels = max(sum(widths), written["camera.pixels"])
    more = pixels / written["camera.pixels"]
    camera: dict[str, Any] = {"pixels": pixels}
    if point.bits is not None:
        camera["bits"] = int(point.bits)
    how = Projection(
        noise="physical",
        drift=Drift(persistence=point.persistence, wander=point.wander, interval=0.25, seed=seed),
    )
    return ScatteringMedium.from_circuit(
        _circuit(), inputs, widths, how,
        size=1.0 / np.sqrt(max(widths)), rng=np.random.default_rng(seed),
        laser={"power": point.light * written["laser.power"]},
        medium={"outputs": pixels, "seed": seed, "transmission": more * written["medium.transmission"]},
        grey_filter={"loss_dB": written["grey_filter.loss_dB"] - 10.0 * np.log10(more)},
        camera=camera,
    )  # fmt: skip


def rule_of(name: str, optics: Sequence[ScatteringMedium], threshold: float) -> Rule:
    """Return a rule; those of exact products have the medium's own matrices."""
    exact: tuple[Device, ...] = tuple(Digital(own.matrix().astype(np.float32)) for own in optics)
    match name:
        case "backprop":
            return Backprop()
        case "shallow":
            return FrozenHidden()
        case "dfa":
            return DFA(exact)
        case "ternary":
            return TernaryDFA(exact, threshold)
        case _:
            return TernaryDFA(tuple(optics), threshold)


def graph_rule(name: str, hidden: Sequence[int], classes: int, seed: int) -> Rule:
    """Return a rule for a graph network, its feedback by the medium of a seed."""
    return rule_of(name, medium(hidden, classes, seed, Point()), Point().threshold)


def work(network: Network, own: ScatteringMedium) -> dict[str, float]:
    """Return what the optics had to do."""
    done, chain = own.energy(), own.chain
    readings = own.counters["frames"] * sum(block.outputs for block in network.hidden)
    alone = np.abs(chain.fields(np.eye(chain.modulator.pixels))) ** 2
    mean = float(np.mean(alone)) * chain.camera.electrons_per_watt(chain.wl)
    return {
        "frames": float(own.counters["frames"]),
        "minutes": done.seconds / 60.0,
        "light_J": done.light,
        "saturated": 100.0 * own.counters["saturated"] / max(readings, 1),
        "electrons": mean,
    }

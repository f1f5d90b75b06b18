"""The scattering co-processor as feedback of learning rules: its media, and the rules that use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any

import numpy as np

from photosim.circuit import Circuit
from photosim.systems.harness.circuits import projector
from photosim.training.devices import Device, Digital, Drift, Projection, ScatteringMedium
from photosim.training.layers import Network
from photosim.training.rules import DFA, Backprop, FrozenHidden, Rule, SegmentedDFA, TernaryDFA


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


NETLIST = "opu"


@cache
def _circuit(netlist: str) -> Circuit:
    return Circuit(netlist)


def medium(
    widths: Sequence[int], inputs: int, seed: int, point: Point, netlist: str = NETLIST
) -> tuple[ScatteringMedium, ...]:
    """Return one device for each hidden layer, made from the netlist with as many pixels as needed.

    Each pixel has the light of the netlist's own. The entries of a layer's matrix deviate by 1/sqrt(width),
    as launayscales2020 scale them.
    """
    circuit, own = _circuit(netlist), projector(netlist, "dmd")
    written = circuit.parameters
    pixels = max(sum(widths), written[f"{own.camera}.pixels"])
    more = pixels / written[f"{own.camera}.pixels"]
    settings: dict[str, Any] = {
        f"{own.laser}.power": point.light * written[f"{own.laser}.power"],
        f"{own.medium}.outputs": pixels,
        f"{own.medium}.seed": seed,
        f"{own.medium}.transmission": more * written[f"{own.medium}.transmission"],
        f"{own.camera}.pixels": pixels,
    }
    if own.filter is not None:
        loss_dB = written[f"{own.filter}.loss_dB"] - 10.0 * np.log10(more)
        settings[f"{own.filter}.loss_dB"] = loss_dB
    if point.bits is not None:
        settings[f"{own.camera}.bits"] = int(point.bits)
    how = Projection(
        noise="physical",
        drift=Drift(persistence=point.persistence, wander=point.wander, interval=0.25, seed=seed),
    )
    return ScatteringMedium.from_circuit(
        circuit, inputs, widths, how,
        size=1.0 / np.sqrt(max(widths)), rng=np.random.default_rng(seed), **settings,
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


def segmented(
    name: str, optics: ScatteringMedium, ends: tuple[int, ...], seed: int, tokens: int = 1
) -> SegmentedDFA:
    """Return a rule of which one product reaches all `ends`: "dfa", "ternary" or "optical".

    Those of exact products have the medium's own matrix. Errors of three levels are rounded at random.
    seed: of the rounding.
    """
    device = optics if name == "optical" else Digital(optics.matrix().astype(np.float32))
    rng = np.random.default_rng(seed)
    return SegmentedDFA((device,), ends, tokens, at_random=name != "dfa", rng=rng)


def graph_rule(netlist: str, name: str, hidden: Sequence[int], classes: int, seed: int) -> Rule:
    """Return a rule for a graph network, its feedback by the medium of a seed."""
    return rule_of(name, medium(hidden, classes, seed, Point(), netlist), Point().threshold)


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

"""Measure training: beside a loop written by hand in numpy, through a weight bank, through a medium.

    python tests/benchmarks/run_training.py [--small] [--out FILE] [--peers-dir DIR --data-dir DIR]

784-800-800-10 units, batches of 64, SGD with momentum, single precision, one
thread: samples per CPU second, all contenders in turns, the best of several
rounds. Times of ours are those of `fit`, with its metrics and shuffling. DIR
holds the peers' harness (bench_train.py), run once with its own data. Hardware
is compared with PyTorch where that is installed, and so are modules of PyTorch with
the hardware that they run.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from photosim.bench.measuring import ONE_THREAD, Row, cpu_seconds, options, report
from photosim.circuit import Circuit, load
from photosim.training.data.datasets import Dataset, Samples
from photosim.training.devices import Device, Digital, Projection, ScatteringMedium, WeightBank
from photosim.training.hardware import with_hardware
from photosim.training.layers import Network, dense_network
from photosim.training.optimisers import SGD
from photosim.training.rules import DFA, Backprop, Rule, TernaryDFA
from photosim.training.rules.catalogue import draw_feedback
from photosim.training.trainer import Schedule, Streams, fit

BATCH, RATE, MOMENTUM = 64, 0.01, 0.9


@dataclass(frozen=True)
class Setting:
    """What all contenders train on: noise, since values do not matter to the clock."""

    data: Dataset
    widths: tuple[int, ...]
    feedback: tuple[np.ndarray, ...]
    netlist: str
    rounds: int

    @classmethod
    def drawn(cls, *, small: bool) -> Setting:
        """Return the full setting, or a small one to see that everything runs."""
        rng = np.random.default_rng(0)
        samples, widths = (256, (64, 32, 32, 10)) if small else (6400, (784, 800, 800, 10))
        part = Samples(
            rng.standard_normal((samples, widths[0])).astype(np.float32), rng.integers(0, 10, samples)
        )
        none = Samples(part.x[:0], part.y[:0])
        feedback = draw_feedback("dfa", dense_network(widths, "relu"), 1.0, rng)
        netlist = "mrr_dfa_digits" if small else "mrr_weight_bank_50x20"
        return cls(Dataset("noise", part, none, none, 10), widths, feedback, netlist, 2 if small else 7)


def by_hand(setting: Setting, *, direct: bool) -> None:
    """Train one epoch in plain numpy: the loop that anyone would write."""
    rng = np.random.default_rng(0)
    pairs = list(zip(setting.widths[:-1], setting.widths[1:], strict=True))
    weights = [rng.uniform(-1, 1, pair).astype(np.float32) / np.float32(np.sqrt(pair[0])) for pair in pairs]
    biases = [np.zeros(pair[1], np.float32) for pair in pairs]
    speed = [np.zeros_like(w) for w in weights]
    drift = [np.zeros_like(b) for b in biases]
    feedback = [matrix.T.astype(np.float32) for matrix in setting.feedback]
    x, y = setting.data.train.x, setting.data.train.y
    rate, keep, hot = np.float32(RATE), np.float32(MOMENTUM), np.eye(10, dtype=np.float32)
    order = rng.permutation(len(x))
    for first in range(0, len(x), BATCH):
        rows = order[first : first + BATCH]
        h0 = x[rows]
        h1 = np.maximum(h0 @ weights[0] + biases[0], 0)
        h2 = np.maximum(h1 @ weights[1] + biases[1], 0)
        z = h2 @ weights[2] + biases[2]
        z = np.exp(z - z.max(1, keepdims=True))
        e = z / z.sum(1, keepdims=True) - hot[y[rows]]
        back = (e @ feedback[1]) if direct else e @ weights[2].T
        d2 = back * (h2 > 0)
        d1 = ((e @ feedback[0]) if direct else d2 @ weights[1].T) * (h1 > 0)
        for k, (h, d) in enumerate(((h0, d1), (h1, d2), (h2, e))):
            speed[k] *= keep
            speed[k] -= rate * (h.T @ d / BATCH)
            weights[k] += speed[k]
            drift[k] *= keep
            drift[k] -= rate * d.mean(0)
            biases[k] += drift[k]


def by_photosim(setting: Setting, rule: Rule, network: Network | None = None) -> None:
    """Train one epoch with the trainer."""
    network = network or dense_network(setting.widths, "relu")
    fit(network, rule, SGD(RATE, MOMENTUM), setting.data, Schedule(1, BATCH), Streams.tree(0, 1)[0])


def rates(setting: Setting, contenders: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return samples per CPU second of each contender, in turns, the best of the rounds."""
    best = dict.fromkeys(contenders, np.inf)
    for _ in range(setting.rounds):
        for name, work in contenders.items():
            best[name] = min(best[name], cpu_seconds(work)[1])
    return {name: len(setting.data.train) / seconds for name, seconds in best.items()}


def through_digits_and_light(*, small: bool) -> list[Row]:
    """Compare the trainer with the loop by hand, and feedback through a bank with exact feedback."""
    setting = Setting.drawn(small=small)
    exact: Sequence[Device] = [Digital(matrix) for matrix in setting.feedback]
    banks = WeightBank.from_circuit(load(setting.netlist), "bank").program_all(setting.feedback)

    def noisy(kind: Any) -> DFA:
        return DFA(tuple(bank.with_noise(kind, np.random.default_rng(k)) for k, bank in enumerate(banks)))

    found = rates(
        setting,
        {
            "backprop by hand": partial(by_hand, setting, direct=False),
            "backprop": partial(by_photosim, setting, Backprop()),
            "DFA by hand": partial(by_hand, setting, direct=True),
            "DFA": partial(by_photosim, setting, DFA(tuple(exact))),
            "measured noise": partial(by_photosim, setting, noisy("measured")),
            "full physics": partial(by_photosim, setting, noisy("physical")),
        },
    )

    def row(what: str, name: str, base: str, least: float) -> Row:
        ratio = found[name] / found[base]
        text = f"{ratio:.2f} ({found[name]:,.0f} to {found[base]:,.0f} samples/s)"
        return Row(what, text, f"at least {least:g}", ratio >= least, ratio)

    return [
        row("backprop, to the loop by hand", "backprop", "backprop by hand", 0.95),
        row("DFA, to the loop by hand", "DFA", "DFA by hand", 0.95),
        row("DFA through a bank, published noise, to exact DFA", "measured noise", "DFA", 0.7),
        row("DFA through a bank, physics of light and receivers, to exact DFA", "full physics", "DFA", 0.25),
    ]


def through_a_medium(*, small: bool) -> list[Row]:
    """Compare feedback through a scattering medium with exact feedback; labels are random, errors large."""
    setting = Setting.drawn(small=small)
    hidden, circuit = setting.widths[1:-1], load("opu")
    pixels = max(sum(hidden), circuit.parameters["camera.pixels"])

    def medium(**how: Any) -> TernaryDFA:
        layers = ScatteringMedium.from_circuit(
            circuit, 10, hidden, Projection(**how), size=hidden[0] ** -0.5,
            medium={"outputs": pixels}, camera={"pixels": pixels},
        )  # fmt: skip
        return TernaryDFA(layers, 0.15)

    exact: Sequence[Device] = [Digital(matrix) for matrix in setting.feedback]
    found = rates(
        setting,
        {
            "DFA": partial(by_photosim, setting, DFA(tuple(exact))),
            "measured noise": partial(by_photosim, setting, medium(noise="measured")),
            "phase stepping": partial(by_photosim, setting, medium(noise="physical")),
            "off-axis": partial(by_photosim, setting, medium(noise="physical", method="off-axis")),
        },
    )

    def row(what: str, name: str, least: float | None) -> Row:
        ratio = found[name] / found["DFA"]
        text = f"{ratio:.2f} ({found[name]:,.0f} to {found['DFA']:,.0f} samples/s)"
        goal = "" if least is None else f"at least {least:g}"
        return Row(what, text, goal, None if least is None else ratio >= least, ratio)

    return [
        row("DFA through a medium, measured noise, to exact DFA", "measured noise", 0.7),
        row("DFA through a medium, its camera by phase stepping, to exact DFA", "phase stepping", 0.25),
        row("DFA through a medium, its camera off axis, to exact DFA", "off-axis", None),
    ]


def by_pytorch(setting: Setting) -> None:
    """Train one epoch in PyTorch: the loop that its tutorials have."""
    import torch

    torch.set_num_threads(1)
    layers: list[Any] = []
    for inputs, outputs in pairwise(setting.widths):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    x, y = torch.tensor(setting.data.train.x), torch.tensor(setting.data.train.y)
    order = torch.randperm(len(x))
    for first in range(0, len(x), BATCH):
        rows = order[first : first + BATCH]
        loss = torch.nn.functional.cross_entropy(network(x[rows]), y[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


def detected(*, bent: bool) -> Circuit:
    """Return a mesh of four guides with a detector at each output, behind ring activations if bent."""
    parts: dict[str, Any] = {"mesh": {"component": "clements_mesh", "settings": {"n": 4}}}
    wires = {}
    for k in range(4):
        parts[f"d{k}"] = "photodetector"
        wires[f"act{k},o2" if bent else f"mesh,out{k}"] = f"d{k},o1"
        if bent:
            parts[f"act{k}"] = "ring_activation"
            wires[f"mesh,out{k}"] = f"act{k},o1"
    ports = {f"in{k}": f"mesh,in{k}" for k in range(4)}
    return Circuit({"instances": parts, "connections": wires, "ports": ports})


def through_any_hardware(*, small: bool) -> list[Row]:
    """Compare layers and feedback held by a bank, a mesh and a medium with PyTorch, where it is installed.

    64-32-10 units; weights are programmed anew after every batch of 64. The settings of a circuit with
    nonlinear parts, and of one with noisy detectors, are trained by gradient.
    """
    full = Setting.drawn(small=True)
    samples = 128 if small else 1280
    rng = np.random.default_rng(0)
    part = Samples(rng.standard_normal((samples, 64)).astype(np.float32), rng.integers(0, 10, samples))
    none = Samples(part.x[:0], part.y[:0])
    widths, rounds = (64, 32, 10), 1 if small else 5
    setting = Setting(Dataset("noise", part, none, none, 10), widths, (), full.netlist, rounds)
    matrices = draw_feedback("dfa", dense_network(widths, "relu"), 1.0, rng)
    bank = WeightBank.from_circuit(load("mrr_weight_bank"), "bank")

    def held(hardware: Any, rule: str, use: str, **options: Any) -> Callable[[], Any]:
        uses = with_hardware(dense_network(widths, "relu"), hardware, rule=rule, use=use, **options)
        made: Rule = Backprop() if rule == "backprop" else DFA(uses.feedback(matrices))
        return partial(by_photosim, setting, made, uses.network)

    contenders: dict[str, Callable[[], Any]] = {}
    if find_spec("torch") is not None:
        contenders["PyTorch, backprop"] = partial(by_pytorch, setting)
    contenders |= {
        "computer, backprop": partial(by_photosim, setting, Backprop()),
        "mrr_weight_bank forward": held(bank, "backprop", "forward"),
        "mrr_weight_bank backward": held(bank, "dfa", "backward"),
        "mrr_weight_bank both": held(bank, "dfa", "both"),
        "clements_4x4 forward": held("clements_4x4", "backprop", "forward"),
        "clements_4x4 backward": held("clements_4x4", "dfa", "backward"),
        "clements_4x4 both": held("clements_4x4", "backprop", "both"),
        "opu backward": held("opu", "dfa", "backward"),
        "nonlinear circuit forward": held(detected(bent=True), "backprop", "forward"),
        "noisy circuit forward": held(detected(bent=False), "backprop", "forward", noise="physical"),
    }
    for work in contenders.values():
        work()
    found = rates(setting, contenders)
    base = next(iter(contenders))
    return [
        Row(
            f"{name}, to {base}",
            f"{rate / found[base]:.4f} ({rate:,.0f} to {found[base]:,.0f} samples/s)",
            "",
            None,
            rate / found[base],
        )
        for name, rate in found.items()
        if name != base
    ]


def peers(folder: Path, data_dir: Path | None) -> list[Row]:
    """Run the peers' harness for its own samples per CPU second of backprop and DFA in plain numpy."""
    command = [sys.executable, str(folder / "bench_train.py"), "--epochs", "1", "--algs", "bp", "dfa"]
    command += ["--data-dir", str(data_dir)] if data_dir else []
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **ONE_THREAD}
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [
        Row(
            f"{line['alg']} in the peers' harness",
            f"{line['sps_cpu']:,.0f} samples/s",
            "",
            None,
            line["sps_cpu"],
        )
        for line in lines
    ]


def main() -> None:
    """Read the command line and print the table."""
    measurements: dict[str, Any] = {
        "training": through_digits_and_light,
        "medium": through_a_medium,
        "hardware": through_any_hardware,
        "modules": importlib.import_module("torch_modules").through_modules,
    }
    parser = options(__doc__ or "", measurements)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--peers-dir", type=Path, help="folder of the peers' bench_train.py")
    parser.add_argument("--data-dir", type=Path, help="folder of MNIST for the peers")
    arguments = parser.parse_args()
    if arguments.peers_dir:
        measurements["peers"] = lambda **_: peers(arguments.peers_dir, arguments.data_dir)
    report(measurements, arguments)


if __name__ == "__main__":
    main()

"""Train Fashion-MNIST through a bank, a mesh and a medium, beside the same recipe in PyTorch.

    python tests/benchmarks/run_hardware.py --data-dir DIR [--images N] [--tests N] [--seeds N] [--out FILE]

Images of 28 x 28 are averaged over 4 x 4 pixels, then 49-32-10 units, tanh, Adam with a learning rate of
0.005, batches of 50, three epochs. DIR holds fashion-mnist/ in its original files; N of the first images are
used. Each hardware goes through the estimator, a `train` analysis and Python; where it is exact the accuracy
is that of PyTorch within the spread of seeds, and a worse netlist is seen. PyTorch is compared if installed.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import photosim as ps
from photosim.training.data.datasets import Dataset, Samples, load
from photosim.training.devices import WeightBank, mesh_chip
from photosim.training.hardware.found import Settings
from photosim.training.hardware.use import used
from photosim.training.job import train
from photosim.training.layers import dense_network
from photosim.training.optimisers import Adam
from photosim.training.rules.catalogue import draw_feedback, make_rule, needs
from photosim.training.trainer import Schedule, Streams, fit

WIDTHS, RATE, BATCH, EPOCHS = (49, 32, 10), 0.005, 50, 3
WORSE_BANK = {"adc_bits": 3}
DIM = 1e-8
"""Power of a laser that leaves a pixel less than one electron, in W."""
WORSE_MESH = {"coupling": 0.15, "loss_dB": 1.0}


def some_of(folder: Path, images: int, tests: int, small: Path) -> None:
    """Write a folder of data with the first images alone."""
    (small / "fashion-mnist").mkdir(parents=True)
    for part, count in (("train", images), ("t10k", tests)):
        for kind, head, each in (("images-idx3", 16, 784), ("labels-idx1", 8, 1)):
            name = f"fashion-mnist/{part}-{kind}-ubyte.gz"
            raw = gzip.decompress((folder / name).read_bytes())
            short = raw[:4] + count.to_bytes(4, "big") + raw[8 : head + each * count]
            (small / name).write_bytes(gzip.compress(short, 1))


def averaged(data: Dataset) -> Dataset:
    """Return images of 7 x 7 pixels, means of 4 x 4."""

    def part(samples: Samples) -> Samples:
        x = samples.x.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
        return Samples(np.ascontiguousarray(x), samples.y)

    return Dataset(data.name, part(data.train), part(data.validation), part(data.test), data.classes)


def in_python(data: Dataset, hardware: Any, rule: str, use: str, seed: int, **settings: Any) -> float:
    """Return the test accuracy of one run by the parts."""
    streams = Streams.tree(seed, 1)[0]
    network = dense_network(WIDTHS)
    matrices = draw_feedback(rule, network, 1.0, np.random.default_rng(streams.feedback))
    if hardware is None:
        made = make_rule(rule, network, [_exact(matrix) for matrix in matrices])
    else:
        uses = used(network, hardware, needs(rule), repr(rule), use, Settings(**settings), streams.noise)
        network = uses.network
        made = make_rule(rule, network, uses.feedback(matrices))
    schedule = Schedule(EPOCHS, BATCH)
    return float(fit(network, made, Adam(RATE), data, schedule, streams).accuracy[-1])


def _exact(matrix: Any) -> Any:
    from photosim.training.devices import Digital

    return Digital(matrix)


def in_an_estimator(data: Dataset, hardware: Any, rule: str, use: str, seed: int) -> float:
    """Return the test accuracy of an estimator."""
    estimator = ps.training.PhotonicClassifier(
        hardware=hardware, rule=rule, use=use, hidden_layer_sizes=WIDTHS[1:-1], batch_size=BATCH,
        learning_rate_init=RATE, max_iter=EPOCHS, random_state=seed,
    )  # fmt: skip
    fitted = estimator.fit(data.train.x, data.train.y)
    return float(fitted.score(data.test.x, data.test.y))


def in_a_netlist(folder: Path, netlist: str, rule: str, use: str, seed: int) -> float:
    """Return the test accuracy of a `train` analysis of a netlist of the gallery."""
    entry = {
        "kind": "train", "name": "fashion", "data": "fashion-mnist", "activation": "tanh", "use": use,
        "network": [[1, 28, 28], {"layer": "pooling", "size": 4, "kind": "mean"}, *WIDTHS[1:]],
        "rules": [rule], "seeds": 1, "seed": seed, "epochs": EPOCHS, "batch_size": BATCH,
        "optimiser": {"method": "adam", "learning_rate": RATE}, "validation_fraction": 0.0,
    }  # fmt: skip
    return train(ps.load(netlist), entry, data_dir=folder).rules[0].mean


def in_pytorch(data: Dataset, seed: int, *, direct: bool) -> float:
    """Return the test accuracy of the same recipe written in PyTorch; direct: direct feedback alignment."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    first, second = torch.nn.Linear(*WIDTHS[:2]), torch.nn.Linear(*WIDTHS[1:])
    feedback = 2.0 * torch.rand(WIDTHS[1], WIDTHS[2]) - 1.0
    parameters = [*first.parameters(), *second.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=RATE)
    x, y = torch.tensor(data.train.x, dtype=torch.float32), torch.tensor(data.train.y)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x))
        for begin in range(0, len(x), BATCH):
            rows = order[begin : begin + BATCH]
            hidden = torch.tanh(first(x[rows]))
            outputs = second(hidden.detach() if direct else hidden)
            loss = torch.nn.functional.cross_entropy(outputs, y[rows])
            optimiser.zero_grad()
            loss.backward()
            if direct:
                with torch.no_grad():
                    error = torch.softmax(outputs, dim=1)
                    error[torch.arange(len(rows)), y[rows]] -= 1.0
                hidden.backward(error @ feedback.T / len(rows))
            optimiser.step()
    with torch.no_grad():
        tested = second(torch.tanh(first(torch.tensor(data.test.x, dtype=torch.float32)))).argmax(dim=1)
    return float((tested == torch.tensor(data.test.y)).double().mean())


def cases(data: Dataset, folder: Path) -> dict[str, Callable[[int], float]]:
    """Return what is trained, by name: each takes a seed and returns a test accuracy."""
    found: dict[str, Callable[[int], float]] = {}
    if find_spec("torch") is not None:
        found["PyTorch, backprop"] = lambda seed: in_pytorch(data, seed, direct=False)
        found["PyTorch, dfa"] = lambda seed: in_pytorch(data, seed, direct=True)
    found["computer, backprop"] = lambda seed: in_python(data, None, "backprop", "auto", seed)
    found["computer, dfa"] = lambda seed: in_python(data, None, "dfa", "auto", seed)
    bank = WeightBank.from_circuit(ps.load("mrr_weight_bank"), "bank")
    ways = [
        ("mrr_weight_bank", bank, "backprop", "forward"),
        ("mrr_weight_bank", bank, "dfa", "backward"),
        ("mrr_weight_bank", bank, "dfa", "both"),
        ("clements_4x4", "clements_4x4", "backprop", "forward"),
        ("clements_4x4", "clements_4x4", "dfa", "backward"),
        ("clements_4x4", "clements_4x4", "backprop", "both"),
        ("opu", "opu", "dfa", "backward"),
    ]
    for name, device, rule, use in ways:
        label = f"{name}, {rule}, {use}"
        found[f"{label}, Python"] = partial(in_python, data, device, rule, use)
        found[f"{label}, estimator"] = partial(in_an_estimator, data, device, rule, use)
        found[f"{label}, netlist"] = partial(in_a_netlist, folder, name, rule, use)
    worse = ps.Circuit(_plain(ps.load("mrr_weight_bank").netlist, bank=WORSE_BANK))
    found["bank of 3 bits, backprop, forward"] = partial(in_python, data, worse, "backprop", "forward")
    for bits in (6, 10, 12):
        own = ps.Circuit(_plain(ps.load("mrr_weight_bank").netlist, bank={"adc_bits": bits}))
        found[f"bank of {bits} bits, dfa, backward"] = partial(in_python, data, own, "dfa", "backward")
    for name, options in (("noisy", {"noise": "physical"}), ("gated by the computer", {"gated": False})):
        label, plain = f"bank, {name}, dfa, backward", ps.load("mrr_weight_bank")
        found[label] = partial(in_python, data, plain, "dfa", "backward", **options)
    chip = mesh_chip("clements_mesh", 4, **WORSE_MESH)
    found["unequal couplers, backprop, forward"] = partial(in_python, data, chip, "backprop", "forward")
    dim = ps.Circuit(_plain(ps.load("opu").netlist, laser={"power": DIM}))
    found["dim medium, dfa, backward"] = partial(in_python, data, dim, "dfa", "backward", noise="physical")
    return found


def _plain(netlist: Any, **changed: dict[str, Any]) -> dict[str, Any]:
    """Return a netlist as a mapping, with other settings of instances by name."""
    return {
        "instances": {
            name: {"component": own.component, "settings": {**own.settings, **changed.get(name, {})}}
            for name, own in netlist.instances.items()
        },
        "connections": {",".join(a): ",".join(b) for a, b in netlist.connections},
        "terminate": [",".join(port) for port in netlist.terminate],
    }


def main() -> None:
    """Read the command line, train, and print a row as soon as it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--tests", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--out", type=Path, help="a JSON file; a run goes on with what it holds")
    arguments = parser.parse_args()
    known = arguments.out is not None and arguments.out.exists()
    rows: dict[str, list[float]] = json.loads(arguments.out.read_text(encoding="utf-8")) if known else {}
    with tempfile.TemporaryDirectory() as small:
        folder = Path(small)
        some_of(arguments.data_dir, arguments.images, arguments.tests, folder)
        data = averaged(load("fashion-mnist", validation_fraction=0.0, data_dir=folder))
        for name, work in cases(data, folder).items():
            if arguments.only not in name:
                continue
            begun, first = time.process_time(), len(rows.setdefault(name, []))
            for seed in range(first, arguments.seeds):
                rows[name].append(work(seed))
                if arguments.out:
                    arguments.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            spent = (time.process_time() - begun) / max(arguments.seeds - first, 1)
            spread = 100 * np.std(rows[name], ddof=1) if len(rows[name]) > 1 else 0
            print(
                f"{name:48s} {100 * np.mean(rows[name]):6.2f} +- {spread:4.2f} %  {spent:6.1f} s", flush=True
            )


if __name__ == "__main__":
    main()

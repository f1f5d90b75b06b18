"""Results are values: they cross processes, are copied, and are equal where all that they hold is equal."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import photosim as ps
from photosim.analysis import traces
from photosim.analysis.progress import silent
from photosim.runner.kinds import Run
from photosim.runner.run import prepare
from photosim.testing import check
from photosim.training.architecture import build_network
from photosim.training.data.datasets import split
from photosim.training.devices import Digital
from photosim.training.optimisers import Adam
from photosim.training.rules import Backprop
from photosim.training.trainer import Schedule, Streams, fit

TRAIN = """
instances:
  laser: {component: laser, settings: {lines: 10, spacing: 2.0e+11}}
  bank: {component: weight_bank, settings: {rows: 4, channels: 10, wl0: 1.55, spacing: 2.0e+11, order: 50}}
connections: {"laser,o1": "bank,o1"}
analyses:
  - {kind: train, name: tiny, data: digits, network: [64, 8, 10], rules: [backprop], seeds: 1, epochs: 1}
  - {kind: spectrum, name: lines, wl: "1.54:1.56:21", from: ["laser,o1"], to: ["bank.row0.detector,o1"]}
"""


def analysed(circuit: ps.Circuit, tmp_path: Path, kind: str) -> Any:
    """Return the result of the first analysis of a kind that a circuit's netlist lists."""
    (job, *_) = [job for job in prepare(circuit) if job.kind == kind]
    return job.how.compute(circuit, job.options, Run(seed=0, progress=silent, checkpoints=tmp_path))


def symbols() -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    sent = rng.integers(0, 2, 400)
    return np.repeat(sent, 8) + 0.05 * rng.standard_normal(3200), sent


def eye(_folder: Path) -> Any:
    signal, sent = symbols()
    return traces.eye(signal, 8e10, 1e10, sent=sent)


def errors(_folder: Path) -> Any:
    signal, sent = symbols()
    return traces.errors(signal, 8e10, 1e10, sent)


def trained(folder: Path, kind: str) -> Any:
    file = folder / "bank.yml"
    file.write_text(TRAIN, encoding="utf-8")
    return analysed(ps.load(file), folder, kind)


def history(_folder: Path) -> Any:
    x, y = load_iris(return_X_y=True)
    network = build_network([4, 5, 3], "tanh", "the test")
    return fit(network, Backprop(), Adam(0.01), split("iris", x, y), Schedule(2), Streams.tree(0, 1)[0])


HALF = ps.losses.power([("in", "through")], band=(1.5, 1.6))

RESULTS: dict[str, Callable[[Path], Any]] = {
    "S-matrix": lambda _: ps.load("add_drop_ring")(wl=[1.55, 1.551]),
    "trace": lambda _: ps.load("add_drop_ring")(wl=[1.55, 1.551])["in", "drop"],
    "photocurrents": lambda _: ps.load("link").photocurrents(),
    "link": lambda _: ps.link(ps.load("wdm_link")),
    "link analysis": lambda folder: analysed(ps.load("modulator"), folder, "link"),
    "transient": lambda _: ps.transient(
        ps.load("link"), duration=1e-9, sample_rate=160e9, noise=True, seed=3
    ),
    "transient analysis": lambda folder: analysed(ps.load("direct_laser"), folder, "transient"),
    "spectrum analysis": lambda folder: trained(folder, "spectrum"),
    "training": lambda folder: trained(folder, "train"),
    "history": history,
    "eye": eye,
    "errors": errors,
    "laws": lambda _: check("coupler", examples=5),
    "device": lambda _: Digital(np.eye(3)),
    "data": lambda _: ps.training.data.datasets.Dataset.from_arrays(*load_iris(return_X_y=True)),
    "network": lambda _: ps.training.PhotonicClassifier(max_iter=1).fit(*load_iris(return_X_y=True)).network_,
    "waveform": lambda _: ps.waveforms.prbs(10e9, low=0.0, high=1.0),
    "loss": lambda _: ps.losses.target_dB(("in", "drop"), [-3.0, -20.0], mask=[True, False]),
    "sum of losses": lambda _: ps.losses.total((2.0, ps.losses.flatness(("in", "drop"))), HALF),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_pickle_copy_and_compare(name: str, tmp_path: Path) -> None:
    first = RESULTS[name](tmp_path)
    for other in (pickle.loads(pickle.dumps(first)), copy.copy(first), copy.deepcopy(first)):  # noqa: S301
        same = first.identical(other) if hasattr(first, "identical") else first == other
        assert same is True or bool(same)


@pytest.mark.parametrize("name", ["S-matrix", "trace", "link", "eye", "spectrum analysis", "history"])
def test_results_that_hold_another_number_differ(name: str, tmp_path: Path) -> None:
    first: Any = RESULTS[name](tmp_path)
    assert is_dataclass(first)
    assert not isinstance(first, type)
    arrays = [f.name for f in fields(first) if isinstance(getattr(first, f.name), np.ndarray) and f.compare]
    if arrays:
        changed = replace(first, **{arrays[0]: getattr(first, arrays[0]) + 1e-9})
        assert changed != first
    stranger: Any = "another thing"
    assert first != stranger


def test_losses_and_objectives_say_the_same_in_another_process() -> None:
    circuit = ps.load("add_drop_ring")
    vector = circuit.vector(["*.radius"])
    wanted = np.array([-3.0, -20.0])
    loss = ps.losses.total((0.5, ps.losses.target_dB(("in", "drop"), wanted)), HALF)
    objective = vector.objective(loss, wl=[1.55, 1.551])
    value, slope = objective(vector.x0)
    wanted[:] = 0.0  # the caller's own array
    again = pickle.loads(pickle.dumps(objective))  # noqa: S301 - our own
    assert again(vector.x0)[0] == value
    np.testing.assert_array_equal(again(vector.x0)[1], slope)
    assert repr(ps.losses.power([("in", "drop")])) == "power([('in', 'drop')])"

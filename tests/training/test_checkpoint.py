"""Checkpoints, early stopping and alignment: a killed run ends as if it had lived."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from scipy.sparse import csr_array

import photosim as ps
from photosim.errors import DataError, ParameterError
from photosim.jobs.fingerprint import fingerprint
from photosim.training.alignment import alignment_angles
from photosim.training.checkpoint import rule_state
from photosim.training.data.datasets import Dataset, Samples, split
from photosim.training.devices import Digital, Projection, ScatteringMedium, WeightBank
from photosim.training.devices.medium.drift import Drift
from photosim.training.devices.medium.scattering_medium import Method
from photosim.training.history import History
from photosim.training.layers import Network, dense_network
from photosim.training.layers.activations import Activation
from photosim.training.layers.graph_convolution import GraphConvolution
from photosim.training.losses import REGRESSION
from photosim.training.optimisers import SGD, Adam
from photosim.training.rules import DFA, Backprop, FrozenHidden, Rule, TernaryDFA, make_rule
from photosim.training.trainer import Schedule, Streams, fit

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).with_name("killed_run.py")
NETWORK = dense_network((2, 12, 2))
STREAMS = Streams.tree(0, 1)[0]


def rings() -> Dataset:
    """Two noisy circles, one inside the other."""
    rng = np.random.default_rng(0)
    label = np.arange(200) % 2
    angle, radius = rng.uniform(0.0, 2.0 * np.pi, 200), 1.0 + label + 0.15 * rng.normal(size=200)
    return split("rings", np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), label)


DATA = rings()


def run(rule: Rule, **schedule: Any) -> History:
    return fit(NETWORK, rule, Adam(0.02), DATA, Schedule(**{"epochs": 6, **schedule}), STREAMS)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script of the killed run, as a module."""
    spec = importlib.util.spec_from_file_location("killed_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_killed_run_ends_as_if_it_had_lived(script: ModuleType, tmp_path: Path) -> None:
    path, out = tmp_path / "run.npz", tmp_path / "out.npz"
    rng = np.random.default_rng(0)
    begun = []
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, SCRIPT, path, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            begun.append(int(process.stdout.readline()))
            process.stdin.write("\n")
            process.stdin.flush()
            time.sleep(float(rng.uniform(0.0, 0.03)))  # anywhere: within a batch, within a write
            process.kill()
        assert not out.exists()
    assert sorted(set(begun)) == begun  # each process went on where the one before had been
    subprocess.run(
        [sys.executable, SCRIPT, path, out], check=True, capture_output=True, input="\n" * 12, text=True
    )
    whole = script.train(None, lambda _epoch: None)
    with np.load(out) as found:
        np.testing.assert_array_equal(found["loss"], whole.loss)
        np.testing.assert_array_equal(found["angles"], whole.angles)
        for index, own in enumerate(whole.parameters):
            np.testing.assert_array_equal(found[f"weights{index}"], own["weights"])


@pytest.mark.parametrize("noise", ["physical", "measured"])
def test_devices_go_on_where_they_were(noise: Any, bank: WeightBank, tmp_path: Path) -> None:
    programmed = bank.program(np.random.default_rng(2).uniform(-1, 1, (12, 2)))

    def rule() -> DFA:
        return DFA((programmed.with_noise(noise, np.random.default_rng(3)),))

    path, whole, half, rest = tmp_path / "run.npz", rule(), rule(), rule()
    wanted = run(whole, epochs=4)
    run(half, epochs=2, checkpoint=path)
    found = run(rest, epochs=4, checkpoint=path)
    np.testing.assert_array_equal(found.parameters[0]["weights"], wanted.parameters[0]["weights"])
    np.testing.assert_array_equal(found.validation, wanted.validation)
    assert rest.feedback[0].counters == whole.feedback[0].counters
    assert rule_state(rest) == rule_state(whole)


def test_a_finished_run_is_read_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    first = run(Backprop(), checkpoint=path)
    stamp = path.stat().st_mtime_ns
    again = run(Backprop(), checkpoint=path)
    assert path.stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(again.parameters[1]["weights"], first.parameters[1]["weights"])
    np.testing.assert_array_equal(again.loss, first.loss)
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.npz"]


def test_the_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run(Backprop(), checkpoint=path)
    for rule, schedule in (
        (FrozenHidden(), {}),
        (Backprop(), {"batch_size": 16}),
        (Backprop(), {"dtype": np.float64}),
    ):
        with pytest.raises(DataError, match=r"run\.npz is the checkpoint of another run"):
            run(rule, checkpoint=path, **schedule)
    other = replace(DATA, train=Samples(DATA.train.x + 1e-3, DATA.train.y))
    with pytest.raises(DataError, match="another run"):
        fit(NETWORK, Backprop(), Adam(0.02), other, Schedule(6, checkpoint=path), STREAMS)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run(Backprop(), checkpoint=path, epochs=1)
    content = path.read_bytes()
    for damaged in (b"", b"no archive", content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"run\.npz is damaged"):
            run(Backprop(), checkpoint=path)
    np.savez(path, about=np.array("[1]"))
    with pytest.raises(DataError, match=r"run\.npz is not a checkpoint"):
        run(Backprop(), checkpoint=path)
    with pytest.raises(DataError, match=r"the folder .* does not exist"):
        run(Backprop(), checkpoint=tmp_path / "none" / "run.npz")


@pytest.mark.parametrize("key", ["groups", "metrics", "order", "rule", "names", "key"])
@pytest.mark.parametrize("wrong", ["missing", "of another kind"])
def test_a_checkpoint_without_one_of_its_keys_is_refused(tmp_path: Path, key: str, wrong: str) -> None:
    path = tmp_path / "run.npz"
    run(Backprop(), checkpoint=path, epochs=1)
    with np.load(path) as saved:
        arrays = {name: saved[name] for name in saved.files}
    about = json.loads(str(arrays["about"]))
    about[key] = 3
    if wrong == "missing":
        del about[key]
    np.savez(path, **{**arrays, "about": np.array(json.dumps(about))})
    with pytest.raises(
        DataError, match=r"run\.npz is (damaged|not a checkpoint|the checkpoint of another run)"
    ):
        run(Backprop(), checkpoint=path)


def test_fingerprints_tell_contents_apart() -> None:
    same = [fingerprint(Digital(np.eye(2)), Adam(0.1), {"a": 1}) for _ in range(2)]
    assert same[0] == same[1]
    others = [
        fingerprint(Digital(2 * np.eye(2)), Adam(0.1), {"a": 1}),
        fingerprint(Digital(np.eye(2)), SGD(0.1), {"a": 1}),
        fingerprint(Digital(np.eye(2)), Adam(0.2), {"a": 1}),
        fingerprint(Digital(np.eye(2)), Adam(0.1), {"a": 1.0}),
        fingerprint(Digital(np.eye(2).astype(np.float32)), Adam(0.1), {"a": 1}),
    ]
    assert len({same[0], *others}) == 6
    assert fingerprint(Digital(np.eye(2), Counter(samples=3)), Adam(0.1), {"a": 1}) == same[0]


def test_fingerprints_tell_functions_graphs_and_objects_apart() -> None:
    def scaled(factor: float) -> Any:
        return lambda x: factor * x

    class Own:
        def __init__(self, size: float) -> None:
            self.size = size

    edges = [csr_array(np.array(own)) for own in ([[0.0, 1.0], [1.0, 0.0]], [[0.0, 1.0], [1.0, 0.5]])]
    different = [
        lambda x: 0.5 * x,
        lambda x: 0.25 * x,
        lambda x, y=1: 0.5 * x + 0.0 * y,
        scaled(2.0),
        scaled(3.0),
        partial(np.add, 1.0),
        partial(np.add, 2.0),
        *edges,
        Own(1.0),
        Own(2.0),
        {1.0, 2.0},
        {1.0, 3.0},
        np.ma.masked_array([1.0, 2.0], [False, True]),
        np.ma.masked_array([1.0, 2.0], [False, False]),
    ]
    keys = [fingerprint(value) for value in different]
    assert len(set(keys)) == len(keys)
    assert [fingerprint(value) for value in different] == keys
    assert fingerprint(scaled(2.0)) == keys[3]
    assert fingerprint(edges[0].tocsc()) != fingerprint(edges[1].tocsc())
    with pytest.raises(DataError, match="genexpr> cannot be part of a checkpoint's key"):
        fingerprint(value for value in different)


def test_checkpoints_tell_activations_graphs_and_versions_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(slope: float, edge: float) -> Network:
        act = Activation("own", lambda pre: slope * pre, lambda pre, _value: slope * np.ones_like(pre))
        graph = csr_array(np.eye(4) + edge * np.eye(4, k=1))
        return Network((GraphConvolution(2, 3, act, graph), GraphConvolution(3, 2, act, graph)))

    samples = Samples(np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1]))
    data = Dataset("nodes", samples, Samples(samples.x[:0], samples.y[:0]), samples, 2)

    def learn(slope: float, edge: float) -> History:
        schedule = Schedule(2, None, checkpoint=tmp_path / "run.npz")
        return fit(network(slope, edge), Backprop(), Adam(0.01), data, schedule, STREAMS)

    first = learn(0.5, 0.1)
    np.testing.assert_array_equal(learn(0.5, 0.1).loss, first.loss)
    for slope, edge in ((0.4, 0.1), (0.5, 0.2)):
        with pytest.raises(DataError, match="another run"):
            learn(slope, edge)
    monkeypatch.setattr("photosim.__version__", "99")
    with pytest.raises(DataError, match="version of photosim"):
        learn(0.5, 0.1)


def test_fewer_epochs_than_kept_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    run(Backprop(), epochs=4, checkpoint=path)
    with pytest.raises(DataError, match=r"run\.npz holds 4 epochs and 2 are requested"):
        run(Backprop(), epochs=2, checkpoint=path)
    assert run(Backprop(), epochs=5, checkpoint=path).loss.size == 5


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("wander", [0.0, 5.0])
def test_media_go_on_where_they_were(method: Method, wander: float, tmp_path: Path) -> None:
    circuit = ps.load("opu")

    def rule() -> TernaryDFA:
        drift = Drift(persistence=0.05 if wander else np.inf, wander=wander, interval=0.02)
        how = Projection(method=method, noise="physical", drift=drift)
        return TernaryDFA(
            ScatteringMedium.from_circuit(circuit, 2, [12], how, rng=np.random.default_rng(1)), 0.5
        )

    path, whole = tmp_path / "run.npz", rule()
    wanted = run(whole, epochs=4, alignment=20)
    run(rule(), epochs=2, alignment=20, checkpoint=path)
    found = run(rule(), epochs=4, alignment=20, checkpoint=path)
    np.testing.assert_array_equal(found.loss, wanted.loss)
    np.testing.assert_array_equal(found.angles, wanted.angles)
    np.testing.assert_array_equal(found.parameters[0]["weights"], wanted.parameters[0]["weights"])


def test_early_stopping_keeps_the_best_epoch() -> None:
    whole = run(Backprop(), epochs=60)
    stopped = run(Backprop(), epochs=60, patience=4)
    count = stopped.validation.size
    assert count < 60
    np.testing.assert_array_equal(stopped.validation, whole.validation[:count])
    assert stopped.best == int(np.argmax(whole.validation[:count])) + 1 == count - 4
    best = run(Backprop(), epochs=stopped.best)
    np.testing.assert_array_equal(stopped.parameters[0]["weights"], best.parameters[0]["weights"])
    assert whole.best == 60


def test_a_small_rise_does_not_count() -> None:
    assert run(Backprop(), epochs=60, patience=4, min_delta=2.0).validation.size == 5


def test_early_stopping_is_resumed_too(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    wanted = run(Backprop(), epochs=60, patience=4)
    run(Backprop(), epochs=wanted.best + 2, patience=4, checkpoint=path)
    found = run(Backprop(), epochs=60, patience=4, checkpoint=path)
    np.testing.assert_array_equal(found.parameters[0]["weights"], wanted.parameters[0]["weights"])
    assert found.best == wanted.best


def test_early_stopping_needs_samples_to_watch() -> None:
    empty = replace(DATA, validation=Samples(DATA.train.x[:0], DATA.train.y[:0]))
    with pytest.raises(ParameterError, match="needs validation samples"):
        fit(NETWORK, Backprop(), Adam(), empty, Schedule(3, patience=2), STREAMS)


def test_angles_are_those_between_vectors() -> None:
    network = dense_network((2, 5, 4, 2))
    parameters = network.initial(np.random.default_rng(3))
    assert alignment_angles(network, Backprop(), parameters, DATA.train) == pytest.approx([0, 0], abs=1e-5)
    assert np.isnan(alignment_angles(network, FrozenHidden(), parameters, DATA.train)).all()
    turned = DFA((Digital(np.ones((5, 2))), Digital(-parameters[2]["weights"].T.astype(float))))
    # The last hidden layer gets exactly minus the gradient. Errors of two classes add up to zero, and with
    # them the product with a matrix of ones: no angle is left but that of rounding.
    assert alignment_angles(network, turned, parameters, DATA.train)[1] == pytest.approx(180, abs=1e-5)


def test_feedback_comes_into_line() -> None:
    rule = make_rule("dfa", NETWORK, [Digital(np.random.default_rng(1).uniform(-1, 1, (12, 2)))])
    angles = run(rule, epochs=20, alignment=100).angles[:, 0]
    assert angles[-1] < 60.0
    # Random feedback begins across the gradient (90 degrees) and is followed by the weights.
    assert abs(angles[0] - 90.0) < 20.0
    assert np.isnan(run(rule).angles).all()


def test_measuring_changes_nothing() -> None:
    network = dense_network((2, 12, 6, 2))
    rules = [make_rule("sign-symmetry-redrawn", network, rng=np.random.default_rng(3)) for _ in range(2)]
    plain, watched = (
        fit(network, rule, Adam(0.02), DATA, Schedule(3, alignment=size), STREAMS)
        for rule, size in zip(rules, (0, 50), strict=True)
    )
    np.testing.assert_array_equal(plain.parameters[0]["weights"], watched.parameters[0]["weights"])


def test_regression_follows_a_curve() -> None:
    rng = np.random.default_rng(4)
    x = rng.uniform(-2, 2, (300, 1))
    train, validation, test = (
        Samples(x[rows], np.sin(2 * x[rows])) for rows in (slice(200), slice(200, 250), slice(250, 300))
    )
    data = Dataset("curve", train, validation, test, 1)
    network = dense_network((1, 30, 1))
    rule = make_rule("dfa", network, [Digital(rng.uniform(-1, 1, (30, 1)))])
    history = fit(network, rule, Adam(0.02), data, Schedule(150), STREAMS, objective=REGRESSION)
    assert history.accuracy[-1] > 0.95

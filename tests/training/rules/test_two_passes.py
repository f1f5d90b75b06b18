"""Rules of two forward passes, against references of a few lines."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from photosim.errors import ParameterError, PhotosimWarning
from photosim.training.arrays import RealArray
from photosim.training.checkpoint import rule_state
from photosim.training.data.datasets import load
from photosim.training.devices import Digital, mesh_chip
from photosim.training.history import History
from photosim.training.layers import (
    Convolution,
    Dense,
    Network,
    Parameters,
    Windows,
    activation,
    dense_network,
)
from photosim.training.layers.mesh import Detection, MeshLayer
from photosim.training.losses import REGRESSION
from photosim.training.optimisers import SGD
from photosim.training.passes import ForwardPass, Updates, run
from photosim.training.rules import (
    Backprop,
    HebbianPepita,
    MirroredPepita,
    Need,
    Pepita,
    Rule,
    TwoPass,
    TwoPassGradient,
    make_rule,
)
from photosim.training.rules.catalogue import draw_feedback, rules_that_need
from photosim.training.trainer import Schedule, Streams, fit

RNG = np.random.default_rng(31)
X = RNG.normal(size=(9, 5))
Y = RNG.integers(0, 3, 9)
T = np.eye(3)[Y]
F = 0.3 * RNG.normal(size=(5, 3))
NETWORK = dense_network((5, 6, 4, 3), "tanh")
PARAMETERS = NETWORK.initial(np.random.default_rng(2))
Array = NDArray[np.float64]


def forward() -> ForwardPass:
    return run(NETWORK, PARAMETERS, X, Y)[0]


def activities(parameters: list[Parameters], x: RealArray) -> list[RealArray]:
    """x, the hidden layers, and probabilities."""
    h = [x]
    for own in parameters[:-1]:
        h.append(np.tanh(h[-1] @ own["weights"].T + own["bias"]))
    z = h[-1] @ parameters[-1]["weights"].T + parameters[-1]["bias"]
    return [*h, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)]


H = activities(PARAMETERS, X)
AGAIN = activities(PARAMETERS, X + (H[-1] - T) @ F.T)


def assert_updates(updates: Updates, posts: Sequence[RealArray], pres: Sequence[RealArray]) -> None:
    """Hold each layer's update against the batch mean of post pre^T, the bias seeing ones."""
    for update, post, pre in zip(updates, posts, pres, strict=True):
        assert update is not None
        np.testing.assert_allclose(update["weights"], post.T @ pre / len(X), atol=1e-14)
        np.testing.assert_allclose(update["bias"], post.mean(axis=0), atol=1e-14)


def test_the_papers_rule() -> None:
    posts = [H[1] - AGAIN[1], H[2] - AGAIN[2], H[3] - T]
    assert_updates(TwoPass((Digital(F),)).updates(forward()), posts, AGAIN[:-1])


def test_pepita() -> None:
    posts = [H[1] - AGAIN[1], H[2] - AGAIN[2], AGAIN[3] - T]
    assert_updates(Pepita((Digital(F),)).updates(forward()), posts, AGAIN[:-1])
    assert_updates(Pepita((Digital(F),), presynaptic="first").updates(forward()), posts, H[:-1])
    # The other sign is the other matrix.
    assert_updates(Pepita((Digital(-F),), sign=-1.0).updates(forward()), posts, AGAIN[:-1])


def test_hebbian_pepita() -> None:
    first, second = ([h.T @ p / len(X) for h, p in zip(post, pre, strict=True)] for post, pre in (
        ([H[1], H[2], H[3]], H[:-1]), ([AGAIN[1], AGAIN[2], T], AGAIN[:-1]),
    ))  # fmt: skip
    for update, one, other in zip(
        HebbianPepita((Digital(F),)).updates(forward()), first, second, strict=True
    ):
        assert update is not None
        np.testing.assert_allclose(update["weights"], one - other, atol=1e-14)


def test_a_hebbian_rule_without_modulation_is_the_delta_rule() -> None:
    updates = HebbianPepita((Digital(np.zeros((5, 3))),)).updates(forward())
    assert updates[0] is not None
    assert np.abs(updates[0]["weights"]).max() < 1e-15
    exact = Backprop().updates(forward())
    assert updates[-1] is not None
    assert exact[-1] is not None
    np.testing.assert_allclose(updates[-1]["weights"], exact[-1]["weights"], atol=1e-15)


def test_normalised_hebbian_products_have_activities_of_length_1() -> None:
    unit = [[h / np.linalg.norm(h, axis=1, keepdims=True) for h in own[1:3]] for own in (H, AGAIN)]
    updates = HebbianPepita((Digital(F),), normalised=True).updates(forward())
    pairs = [
        (unit[0][0], X, unit[1][0], AGAIN[0]),
        (unit[0][1], unit[0][0], unit[1][1], unit[1][0]),
        (H[3], unit[0][1], T, unit[1][1]),
    ]
    for update, (post, pre, post2, pre2) in zip(updates, pairs, strict=True):
        assert update is not None
        np.testing.assert_allclose(update["weights"], (post.T @ pre - post2.T @ pre2) / len(X), atol=1e-14)


def test_local_in_time_means_learning_between_the_passes() -> None:
    rate, samples = 0.2, len(X)
    moved = [
        {
            "weights": own["weights"] - rate * post.T @ pre / samples,
            "bias": own["bias"] - rate * post.mean(axis=0),
        }
        for own, post, pre in zip(PARAMETERS, H[1:], H[:-1], strict=True)
    ]
    late = activities(moved, X + (H[-1] - T) @ F.T)
    wanted = [
        own["weights"] + rate * post.T @ pre / samples
        for own, post, pre in zip(moved, [*late[1:3], T], late[:-1], strict=True)
    ]
    updates = HebbianPepita((Digital(F),), learning_rate=rate).updates(forward())
    optimiser = SGD(rate, momentum=0.0)
    for own, update, other in zip(PARAMETERS, updates, wanted, strict=True):
        assert update is not None
        found = {name: value.copy() for name, value in own.items()}
        optimiser.step(found, update, optimiser.start(found))
        np.testing.assert_allclose(found["weights"], other, atol=1e-14)


def moved_loss(parameters: list[Parameters], fixed: RealArray | None = None) -> float:
    """Mean cross-entropy of the public code's second pass; `fixed`: an error that does not depend on them."""
    error = T - activities(parameters, X)[-1] if fixed is None else fixed
    late = activities(parameters, X + error @ F.T)[-1]
    return float(-np.mean(np.log(late[np.arange(len(X)), Y])))


@pytest.mark.parametrize("through", [True, False])
def test_the_public_codes_rule_is_the_gradient_of_the_second_loss(through: bool) -> None:
    updates = TwoPassGradient((Digital(F),), through_error=through).updates(forward())
    fixed, step = None if through else T - H[-1], 1e-6
    parameters = [{name: value.copy() for name, value in own.items()} for own in PARAMETERS]
    for own, update in zip(parameters, updates, strict=True):
        assert update is not None
        for name, value in own.items():
            for place in np.ndindex(value.shape):
                kept, sides = value[place], []
                for side in (step, -step):
                    value[place] = kept + side
                    sides.append(moved_loss(parameters, fixed))
                value[place] = kept
                # Central differences: truncation and rounding near 1e-10.
                assert update[name][place] == pytest.approx((sides[0] - sides[1]) / (2 * step), abs=1e-8)


def test_the_public_codes_rule_in_regression_is_the_gradient_too() -> None:
    targets = RNG.normal(size=(9, 3))
    rule = TwoPassGradient((Digital(F),))

    def loss(parameters: list[Parameters]) -> float:
        out = NETWORK.predict(parameters, X)
        return REGRESSION.loss(NETWORK.predict(parameters, X + (targets - out) @ F.T), targets)[0]

    updates = rule.updates(run(NETWORK, PARAMETERS, X, targets, REGRESSION)[0])
    parameters = [{name: value.copy() for name, value in own.items()} for own in PARAMETERS]
    for index, place in ((0, (3, 2)), (1, (0, 5)), (2, (1, 1))):
        sides, value, update = [], parameters[index]["weights"], updates[index]
        kept = value[place]
        for side in (1e-6, -1e-6):
            value[place] = kept + side
            sides.append(loss(parameters))
        value[place] = kept
        assert update is not None
        assert update["weights"][place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=1e-8)


def test_without_feedback_the_public_codes_rule_is_backprop() -> None:
    updates = TwoPassGradient((Digital(np.zeros((5, 3))),)).updates(forward())
    for update, other in zip(updates, Backprop().updates(forward()), strict=True):
        assert update is not None
        assert other is not None
        np.testing.assert_array_equal(update["weights"], other["weights"])


@pytest.mark.parametrize("name", sorted(set(rules_that_need(Need.SECOND_FORWARD)) - {"two-pass-gradient"}))
def test_nothing_is_sent_back_and_no_derivative_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_args: object) -> NoReturn:
        raise AssertionError

    monkeypatch.setattr(Dense, "derivative", never)
    monkeypatch.setattr(Dense, "back", never)
    devices = [Digital(own) for own in draw_feedback(name, NETWORK, 1.0, RNG)]
    updates = make_rule(name, NETWORK, devices).updates(forward())
    assert all(update is not None for update in updates)


@pytest.mark.parametrize("name", rules_that_need(Need.INPUT_FEEDBACK))
def test_the_one_device_and_its_shape_are_checked(name: str) -> None:
    for devices, text in (((), "needs one feedback device"), ((Digital(F), Digital(F)), "inputs, got 2")):
        with pytest.raises(ParameterError, match=text):
            make_rule(name, NETWORK, devices).updates(forward())
    with pytest.raises(
        ParameterError, match=r"leads to 4 inputs, but the network has 5: .*\(inputs, outputs\)"
    ):
        make_rule(name, NETWORK, (Digital(F[:4]),)).updates(forward())


def test_dropout_leaves_out_the_same_units_in_both_passes() -> None:
    network = dense_network((5, 40, 3), "relu", dropout=0.5)
    parameters = network.initial(np.random.default_rng(0))
    first = run(network, parameters, X, Y, rng=np.random.default_rng(1))[0]
    kept = first.traces[1].memo
    assert kept is not None
    updates = Pepita((Digital(F),)).updates(first)
    again = first.again(X + (first.error @ F.T)).traces[1].outputs
    assert updates[0] is not None
    np.testing.assert_allclose(
        updates[0]["bias"], (first.traces[1].outputs - again).mean(axis=0), atol=1e-15
    )  # what is compared comes after the units left out, which never change
    assert np.all(again[kept == 0.0] == 0.0)


def test_momentum_is_the_authors() -> None:
    """The code has v <- 0.9 v + rate dW and W <- W + v, dW with its sign."""
    weights = {"weights": np.array([[1.0, -2.0]])}
    optimiser, velocity, own = SGD(0.1, momentum=0.9), np.zeros((1, 2)), weights["weights"].copy()
    memory = optimiser.start(weights)
    for _ in range(5):
        step = RNG.normal(size=(1, 2))
        velocity = 0.9 * velocity - 0.1 * step
        own += velocity
        optimiser.step(weights, {"weights": step}, memory)
    np.testing.assert_allclose(weights["weights"], own, atol=1e-15)


def test_mirrors_come_to_the_weights_transposed() -> None:
    rule = MirroredPepita.drawn(NETWORK, np.random.default_rng(3))
    rule = replace(rule, samples=200)
    rule.mirror(NETWORK, PARAMETERS, batches=1000)
    for index, own in enumerate(PARAMETERS):
        found = rule.memory[str(index)] * rule.decay / rule.learning_rate
        # 40,000 noises remembered: a standard error of 1/200 of the row's length, five of them and a start
        # forgotten to exp(-10).
        limit = 5 / 200 * np.linalg.norm(own["weights"], axis=1).max() + 1e-3
        np.testing.assert_allclose(found, own["weights"].T, atol=limit)
    product = PARAMETERS[0]["weights"].T @ PARAMETERS[1]["weights"].T @ PARAMETERS[2]["weights"].T
    cosine = np.sum(rule.matrix() * product) / np.linalg.norm(rule.matrix()) / np.linalg.norm(product)
    assert cosine > 0.99
    assert np.sqrt(np.mean(rule.matrix() ** 2)) == pytest.approx(0.05 * np.sqrt(2 / 5))


def digits(name: str, rule: Callable[[Network], Rule], rate: float, **schedule: int | Path) -> History:
    """A run of a rule on digits with hidden layers of rectifiers, or tanh where the name says so."""
    network = dense_network((64, 48, 48, 10), name)
    options: dict[str, int | Path] = {"epochs": 4, **schedule}
    return fit(network, rule(network), SGD(rate), load("digits"), Schedule(**options), Streams.tree(0, 1)[0])  # type: ignore[arg-type]


def test_mirrored_updates_point_downhill() -> None:
    found = digits(
        "tanh", lambda net: MirroredPepita.drawn(net, np.random.default_rng(1)), 0.01, alignment=200
    )
    # Measured 40 and 46 degrees after 8 epochs; fixed feedback stays near 90.
    assert found.angles[-1].max() < 60.0


def test_a_killed_run_keeps_its_mirrors(tmp_path: Path) -> None:
    def rule(net: Network) -> MirroredPepita:
        return MirroredPepita.drawn(net, np.random.default_rng(1))

    path = tmp_path / "run.npz"
    whole = digits("tanh", rule, 0.01, epochs=2)
    digits("tanh", rule, 0.01, epochs=1, checkpoint=path)
    again = rule(dense_network((64, 48, 48, 10)))
    found = digits("tanh", lambda _net: again, 0.01, epochs=2, checkpoint=path)
    np.testing.assert_array_equal(found.parameters[0]["weights"], whole.parameters[0]["weights"])
    assert np.abs(again.memory["0"]).sum() > 0.0
    kept = rule_state(again)
    again.mirror(dense_network((64, 48, 48, 10)), found.parameters)
    assert not np.array_equal(kept[0]["memory"]["0"], again.memory["0"])  # a copy was kept


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")  # once all is lost
def test_a_rate_that_ends_at_chance_warns_and_a_tenth_of_it_learns() -> None:
    matrix = draw_feedback("pepita", dense_network((64, 48, 48, 10)), 8.0, np.random.default_rng(0))[0]
    with pytest.warns(PhotosimWarning, match="PEPITA gives every sample of a batch the same answer"):
        fast = digits("relu", lambda _net: Pepita((Digital(matrix),)), 0.1, epochs=4)
    assert fast.accuracy[-1] < 0.15
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        slow = digits("relu", lambda _net: Pepita((Digital(matrix),)), 0.01, epochs=8)
    assert slow.accuracy[-1] > 0.8


@pytest.mark.parametrize("name", ["two-pass", "pepita", "pepita-hebbian"])
def test_an_exact_regression_is_left_alone(name: str) -> None:
    outputs = NETWORK.predict(PARAMETERS, X)
    rule = make_rule(name, NETWORK, (Digital(F),))
    for update in rule.updates(run(NETWORK, PARAMETERS, X, outputs, REGRESSION)[0]):
        assert update is not None
        np.testing.assert_allclose(update["weights"], 0.0, atol=1e-15)


def test_wrong_numbers_are_refused() -> None:
    with pytest.raises(
        ParameterError, match=r"presynaptic must be one of .*got 'frist'\. Did you mean 'first'"
    ):
        Pepita((Digital(F),), presynaptic="frist")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"learning_rate must be positive where .*, got 0\.0"):
        HebbianPepita((Digital(F),), learning_rate=0.0)
    with pytest.raises(ParameterError, match="positive learning rate, a decay between 0 and 1"):
        MirroredPepita({}, RNG, decay=1.0)
    windows = Convolution(Windows(1, 4, 4, 3), 2, activation("relu"))
    network = Network((windows, Dense(windows.outputs, 2, activation("linear"))))
    with pytest.raises(ParameterError, match="made for dense layers"):
        MirroredPepita.drawn(network, RNG)


@pytest.mark.parametrize("detection", ["power", "quadrature", "amplitude"])
def test_meshes_learn_from_changes_of_what_is_detected(detection: Detection) -> None:
    """The update of a mesh's phases is the gradient of <delta, detected outputs>, delta held."""
    chip = mesh_chip("clements_mesh", 4)
    network = Network(
        (MeshLayer.of(chip, detection=detection), MeshLayer.of(chip, outputs=2, detection="power"))
    )
    parameters = network.initial(np.random.default_rng(6))
    x, targets, matrix = RNG.normal(size=(5, 4)), RNG.uniform(size=(5, 2)), 0.2 * RNG.normal(size=(4, 2))
    forward = run(network, parameters, x, targets, REGRESSION)[0]
    updates = TwoPass((Digital(matrix),)).updates(forward)
    late = x + forward.error @ matrix.T
    again = network.forward(parameters, late)
    deltas = [forward.traces[0].outputs - again[0].outputs, forward.error]
    for index, inputs in enumerate((late, again[0].outputs)):
        layer, own, update = network.layers[index], parameters[index], updates[index]
        for name, place in (("theta", 2), ("phi", 0), ("end", 1)):
            kept, sides = own[name][place], []
            for side in (1e-6, -1e-6):
                own[name][place] = kept + side
                sides.append(np.sum(deltas[index] * layer.forward(own, inputs).outputs) / len(x))
            own[name][place] = kept
            assert update is not None
            # The sums are right to some roundings of their own size, which the small step divides.
            rounding = 1e-8 + 20 * np.finfo(float).eps * abs(sides[0]) / 2e-6
            assert update[name][place] == pytest.approx((sides[0] - sides[1]) / 2e-6, abs=rounding)

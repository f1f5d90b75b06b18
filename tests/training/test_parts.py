"""Layers, losses and optimisers against independent forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax

from photosim.errors import ParameterError
from photosim.training.layers import ACTIVATIONS, Parameters, activation, dense_network
from photosim.training.losses import softmax, softmax_cross_entropy
from photosim.training.optimisers import SGD, Adam, Constant, Noam, StepDecay

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_derivatives(name: str) -> None:
    form = activation(name)
    pre = RNG.normal(size=50)
    step = 1e-6
    central = (form.value(pre + step) - form.value(pre - step)) / (2 * step)
    np.testing.assert_allclose(form.derivative(pre, form.value(pre)), central, atol=1e-9)


def test_an_unknown_activation_names_the_nearest() -> None:
    with pytest.raises(ParameterError, match=r"no activation 'tahn'.*Did you mean 'tanh'"):
        activation("tahn")


def test_initial_parameters_stay_within_their_bound() -> None:
    first = dense_network((400, 300, 10)).initial(np.random.default_rng(0))[0]
    assert np.abs(first["weights"]).max() <= 1 / 20
    # Uniform in +-1/20: deviation 1/20/sqrt(3); 120,000 draws scatter it by 0.13 %.
    assert first["weights"].std() == pytest.approx(1 / 20 / np.sqrt(3), rel=0.01)


def test_cross_entropy_agrees_with_scipy_and_its_error_with_differences() -> None:
    logits, labels = 5 * RNG.normal(size=(6, 4)), RNG.integers(0, 4, 6)
    loss, error = softmax_cross_entropy(logits, labels)
    assert loss == pytest.approx(-log_softmax(logits, axis=1)[np.arange(6), labels].mean(), rel=1e-14)
    for place in np.ndindex(logits.shape):
        moved = logits.copy()
        moved[place] += 1e-6
        slope = (softmax_cross_entropy(moved, labels)[0] - loss) / 1e-6
        assert error[place] / 6 == pytest.approx(slope, abs=1e-6)


def test_softmax_survives_huge_logits() -> None:
    np.testing.assert_array_equal(softmax(np.array([[1e4, 0.0]])), [[1.0, 0.0]])
    loss, _ = softmax_cross_entropy(np.array([[1e4, 0.0]]), np.array([1]))
    assert np.isfinite(loss)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_errors_whose_products_would_be_subnormal_are_none(dtype: Any) -> None:
    found = np.finfo(dtype)
    floor = float(found.smallest_normal) / float(found.eps)
    least = np.log(floor)
    logits = np.array([[0.0, least - 1.0, least + 1.0, -5.0]], dtype)
    loss, error = softmax_cross_entropy(logits, np.array([3]))
    wanted = softmax(logits)[0]
    assert 0.0 < wanted[1] < floor
    assert error[0, 1] == 0.0
    np.testing.assert_array_equal(error[0, [0, 2]], wanted[[0, 2]])
    assert error[0, 3] == wanted[3] - dtype(1.0)
    assert loss == pytest.approx(-log_softmax(logits.astype(np.float64), axis=1)[0, 3], rel=1e-14)


def test_sgd_follows_its_recursion() -> None:
    gradients = RNG.normal(size=(5, 3))
    parameters: Parameters = {"w": np.zeros(3)}
    rule = SGD(learning_rate=0.1, momentum=0.7)
    memory = rule.start(parameters)
    for gradient in gradients:
        rule.step(parameters, {"w": gradient}, memory)
    # Unrolled: gradient k is applied at step k and, weakened by 0.7 each time, at every later one.
    unrolled = -0.1 * sum(g * sum(0.7**j for j in range(5 - k)) for k, g in enumerate(gradients))
    np.testing.assert_allclose(parameters["w"], unrolled, rtol=1e-13)


def test_adam_follows_its_unrolled_moments() -> None:
    gradients = RNG.normal(size=(6, 3))
    parameters: Parameters = {"w": np.zeros(3)}
    rule = Adam(learning_rate=0.01)
    memory = rule.start(parameters)
    for gradient in gradients:
        rule.step(parameters, {"w": gradient}, memory)
    expected = np.zeros(3)
    for t in range(1, 7):
        ages = np.arange(t)[::-1]
        mean = 0.1 * (0.9**ages) @ gradients[:t] / (1 - 0.9**t)
        square = 0.001 * (0.999**ages) @ gradients[:t] ** 2 / (1 - 0.999**t)
        expected -= 0.01 * mean / (np.sqrt(square) + 1e-8)
    np.testing.assert_allclose(parameters["w"], expected, rtol=1e-12)


def test_adam_keeps_single_precision() -> None:
    parameters: Parameters = {"w": np.zeros(3, dtype=np.float32)}
    memory = Adam().start(parameters)
    Adam().step(parameters, {"w": np.ones(3, dtype=np.float32)}, memory)
    assert parameters["w"].dtype == np.float32
    np.testing.assert_allclose(parameters["w"], -1e-3, rtol=1e-5)  # the first step is the rate itself


@pytest.mark.parametrize("make", [SGD, Adam])
def test_weight_decay_is_the_slope_of_half_the_squares(make: type[SGD | Adam]) -> None:
    start, gradient = RNG.normal(size=4), RNG.normal(size=4)
    one: Parameters = {"w": start.copy()}
    other: Parameters = {"w": start.copy()}
    with_decay, without = make(learning_rate=0.1, weight_decay=0.3), make(learning_rate=0.1)
    memory, plain = with_decay.start(one), without.start(other)
    for _ in range(3):
        with_decay.step(one, {"w": gradient}, memory)
        without.step(other, {"w": gradient + 0.3 * other["w"]}, plain)
    np.testing.assert_allclose(one["w"], other["w"], rtol=1e-13)


@pytest.mark.parametrize("make", [SGD, Adam])
def test_a_factor_is_a_smaller_rate(make: type[SGD | Adam]) -> None:
    gradient = RNG.normal(size=4)
    one: Parameters = {"w": np.zeros(4)}
    other: Parameters = {"w": np.zeros(4)}
    make(learning_rate=0.1).step(one, {"w": gradient}, make(learning_rate=0.1).start(one), 0.25)
    make(learning_rate=0.025).step(other, {"w": gradient}, make(learning_rate=0.025).start(other))
    np.testing.assert_allclose(one["w"], other["w"], rtol=1e-14)


def test_schedules_of_the_rate() -> None:
    assert Constant().factor(7, 3) == 1.0
    steps = StepDecay((3, 5), 0.1)
    assert [steps.factor(1, epoch) for epoch in range(1, 7)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    noam = Noam(width=512, warmup=100)
    factors = [noam.factor(step, 1) for step in (50, 100, 400)]
    # Half way up, the top at warmup (where both branches meet), and half the top at four times that.
    top = (512 * 100) ** -0.5
    assert factors == pytest.approx([top / 2, top, top / 2])
    with pytest.raises(ParameterError, match="warmup must be a positive number, got 0"):
        Noam(10, 0)


def test_the_trainer_follows_its_schedule() -> None:
    from photosim.training.data.datasets import Dataset, Samples
    from photosim.training.rules import Backprop
    from photosim.training.trainer import Schedule, Streams, fit

    x = RNG.normal(size=(6, 3))
    part = Samples(x, np.array([0, 1, 0, 1, 0, 1]))
    data = Dataset("few", part, part, part, 2)
    network, streams = dense_network((3, 4, 2)), Streams.tree(0, 1)[0]
    fading = SGD(0.1, schedule=StepDecay((3,), 1e-12))
    slow = fit(network, Backprop(), fading, data, Schedule(4, 2, np.float64), streams)
    short = fit(network, Backprop(), SGD(0.1), data, Schedule(2, 2, np.float64), streams)
    # From the third epoch on the steps are too small to see.
    np.testing.assert_allclose(slow.parameters[0]["weights"], short.parameters[0]["weights"], atol=1e-10)
    whole = fit(network, Backprop(), SGD(0.1), data, Schedule(2, None, np.float64), streams)
    by_size = fit(network, Backprop(), SGD(0.1), data, Schedule(2, 6, np.float64), streams)
    np.testing.assert_allclose(whole.parameters[0]["weights"], by_size.parameters[0]["weights"], atol=1e-14)

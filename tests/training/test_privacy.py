"""Privacy: the accountant beside exact formulas and a public one, bounds of the rule, noise of light."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import gammaln, logsumexp
from scipy.stats import norm

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.data.datasets import Dataset, Samples, load
from photosim.training.devices import Digital, Drift, Projection, ScatteringMedium, WeightBank
from photosim.training.layers import (
    Activation,
    Convolution,
    Dense,
    Network,
    Parameters,
    Windows,
    activation,
    dense_network,
)
from photosim.training.node_training import NODES
from photosim.training.optimisers import Adam
from photosim.training.passes import ForwardPass, Updates, run
from photosim.training.privacy import Accountant, photon_deviation
from photosim.training.rules.private_dfa import PrivateDFA, shrunk
from photosim.training.trainer import Schedule, Streams, fit


@pytest.mark.parametrize("order", [1.5, 2.0, 7.0])
def test_divergence_is_that_of_two_normal_laws(order: float) -> None:
    """1/(a - 1) log of the integral of p^a q^(1 - a), p and q apart by the sensitivity."""
    apart, deviation = 0.8, 1.3

    def density(x: float) -> float:
        moved, still = norm.logpdf(x, apart, deviation), norm.logpdf(x, 0.0, deviation)
        return float(np.exp(order * moved + (1.0 - order) * still))

    total, _ = quad(density, -30.0, 40.0, points=[0.0, order * apart])
    found = Accountant(apart, deviation).divergence(np.array([order]))[0]
    assert found == pytest.approx(np.log(total) / (order - 1.0), rel=1e-6)


@pytest.mark.parametrize(
    ("deviation", "batch", "expected"),
    [
        (0.01, 128, (29.7, 226.0, 1186.0)),
        (0.05, 128, (4.11, 21.1, 79.7)),
        (0.05, 256, (1.89, 8.88, 29.7)),
        (0.1, 1500, (0.15, 0.57, 1.59)),
        (0.2, 256, (0.42, 1.82, 5.30)),
    ],
)
def test_epsilon_has_known_values(deviation: float, batch: int, expected: tuple[float, ...]) -> None:
    """After 1, 15 and 100 epochs with a sensitivity of sqrt(2) 4 / batch: computed by hand elsewhere."""
    accountant = Accountant(np.sqrt(2.0) * 4.0 / batch, deviation)
    for releases, epsilon in zip((1, 15, 100), expected, strict=True):
        assert accountant.epsilon(releases) == pytest.approx(epsilon, rel=6e-3, abs=5e-3)
    assert accountant.epsilon(0) == 0.0
    spent = [accountant.epsilon(n) for n in (1, 10, 100, 1000)]
    assert spent == sorted(spent)


def exact_epsilon(deviation: float, delta: float) -> float:
    """Return epsilon of one Gaussian release of sensitivity 1: Balle and Wang, arXiv 1805.06530."""

    def excess(epsilon: float) -> float:
        half, ratio = 0.5 / deviation, epsilon * deviation
        # exp(epsilon) Phi(-half - ratio), without overflow
        second = np.exp(epsilon + norm.logcdf(-half - ratio))
        return float(norm.cdf(half - ratio) - second - delta)

    return float(brentq(excess, 0.0, 1e4)) if excess(0.0) > 0.0 else 0.0


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.0, 5.0, 20.0])
@pytest.mark.parametrize(("releases", "delta"), [(1, 1e-5), (10, 1e-5), (100, 1e-6), (1000, 1e-3)])
def test_epsilon_is_an_upper_bound_of_the_exact_one(deviation: float, releases: int, delta: float) -> None:
    """N releases of one deviation are one release of it over sqrt(n)."""
    exact = exact_epsilon(deviation / np.sqrt(releases), delta)
    found = Accountant(1.0, deviation).epsilon(releases, delta)
    assert exact <= found <= 1.12 * exact + 0.05


@pytest.mark.parametrize(
    ("deviation", "releases", "delta", "renyi", "loss"),
    [
        (1.0, 1, 1e-5, 4.728507, 4.377178),
        (2.0, 1, 1e-5, 2.165716, 1.993091),
        (4.0, 10, 1e-5, 3.617100, 3.341409),
        (2.0, 100, 1e-6, 37.429216, 35.566344),
        (20.0, 30, 1e-5, 1.118151, 1.023833),
    ],
)
def test_epsilon_is_that_of_a_public_accountant(
    deviation: float, releases: int, delta: float, renyi: float, loss: float
) -> None:
    """dp-accounting 0.6.0: its Renyi accountant, and its tight one of the privacy loss distribution."""
    found = Accountant(1.0, deviation).epsilon(releases, delta)
    assert found == pytest.approx(renyi, rel=0.01)
    assert found >= loss


@pytest.mark.parametrize("deviation", [0.7, 2.0])
def test_divergence_is_no_less_than_that_of_drawn_batches(deviation: float) -> None:
    """Mironov, Talwar and Zhang, arXiv 1908.10530, section 3.3: whole orders, samples drawn at a rate q."""
    accountant = Accountant(1.0, deviation)
    for order in (2, 5, 32):
        ours = accountant.divergence(np.array([float(order)]))[0]
        k = np.arange(order + 1)
        binomial = gammaln(order + 1) - gammaln(k + 1) - gammaln(order - k + 1)
        spent = []
        for q in (0.01, 0.3, 1.0):
            with np.errstate(divide="ignore", invalid="ignore"):
                drawn = np.where(k < order, (order - k) * np.log1p(-q), 0.0) + k * np.log(q)
            terms = binomial + drawn + (k**2 - k) / (2.0 * deviation**2)
            spent.append(float(logsumexp(terms)) / (order - 1.0))
        assert spent[0] < spent[1] < spent[2]
        assert spent[2] == pytest.approx(ours, rel=1e-9)  # all of them, every time


def test_epsilon_is_never_negative() -> None:
    assert Accountant(1e-9, 1.0).epsilon(1, delta=0.5) == 0.0
    assert all(
        Accountant(s, 1.0).epsilon(n, d) >= 0.0 for s in (1e-6, 1e-2) for n in (1, 9) for d in (0.1, 0.9)
    )


def test_nonsense_is_refused() -> None:
    with pytest.raises(ParameterError, match="without noise nothing is private"):
        Accountant(1.0, 0.0)
    with pytest.raises(ParameterError, match="delta lies between 0 and 1"):
        Accountant(1.0, 1.0).epsilon(1, delta=0.0)
    wrong: dict[str, Any] = {
        "activation": 0.0,
        "reach": np.inf,
        "noise_multiplier": -1.0,
        "threshold": np.nan,
    }
    for name, value in wrong.items():
        with pytest.raises(ParameterError, match=f"PrivateDFA: {name} must be"):
            replace(PrivateDFA(()), **{name: value})
    with pytest.raises(ParameterError, match="without noise nothing is private"):
        PrivateDFA(()).accountant()
    with pytest.raises(ParameterError, match="A batch has 1 sample or more, got 0"):
        PrivateDFA(()).sensitivity(dense_network((4, 2)), 0)


def test_what_has_no_bound_is_refused() -> None:
    """One sample must not change the products of others, nor pass through layers of unknown slope."""
    circuit = ps.load("opu")
    for how in (Projection(noise="measured"), Projection(drift=Drift(persistence=60.0))):
        with pytest.raises(ParameterError, match=r"treat every sample by itself.*got a ScatteringMedium"):
            PrivateDFA(ScatteringMedium.from_circuit(circuit, 10, [8], how))
    bank = WeightBank.from_circuit(ps.load("mrr_weight_bank_1x4"), "bank")
    with pytest.raises(ParameterError, match="got WeightBank"):
        PrivateDFA((bank,))
    steep = Activation("steep", lambda a: 9.0 * a, lambda a, _: np.full_like(a, 9.0))
    for hidden in (Dense(9, 4, steep), Convolution(Windows(1, 3, 3, 2), 1, activation("relu"))):
        network = Network((hidden, Dense(4, 2, activation("linear"))))
        with pytest.raises(ParameterError, match=f"layer 1 of the network is a {type(hidden).__name__}"):
            PrivateDFA(()).sensitivity(network, 8)


def passed(x: Any, y: Any, network: Any, parameters: Any, rng: Any = None) -> ForwardPass:
    return run(network, parameters, x, y, rng=rng)[0]


def apart(one: Updates, other: Updates) -> float:
    """Return the Euclidean distance of all updates, weights and biases."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return float(np.sqrt(sum(np.sum((a[key] - b[key]) ** 2) for a, b in pairs for key in a)))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_one_exchanged_sample_moves_the_updates_by_no_more_than_the_sensitivity(dropout: float) -> None:
    rng = np.random.default_rng(0)
    network = dense_network((20, 30, 25, 5), dropout=dropout)
    parameters = network.initial(rng)
    rule = PrivateDFA(tuple(Digital(rng.normal(size=(width, 5))) for width in (30, 25)), threshold=0.1)
    worst, bound = 0.0, rule.sensitivity(network, 8)
    for scale in (1e-3, 1.0, 1e3):
        x, y = scale * rng.normal(size=(8, 20)), rng.integers(0, 5, 8)
        before = rule.updates(passed(x, y, network, parameters, np.random.default_rng(1)))
        x[3], y[3] = -scale * rng.normal(size=20), (y[3] + 1) % 5
        after = rule.updates(passed(x, y, network, parameters, np.random.default_rng(1)))
        worst = max(worst, apart(before, after))
    assert 0.05 * bound < worst <= bound


@pytest.mark.parametrize("share", [0.0, 0.75])
@pytest.mark.parametrize("size", [0.1, 3.0])
def test_the_worst_sample_reaches_the_sensitivity(share: float, size: float) -> None:
    """Long inputs, an error along the matrix' strongest direction, its sign turned: 2 reach sqrt(a^2 + 1)."""
    network = dense_network((2, 1, 2), hidden="linear", dropout=share)
    hidden: Parameters = {"weights": np.full((1, 2), 50.0), "bias": np.zeros(1)}
    last: Parameters = {"weights": np.zeros((2, 1)), "bias": np.zeros(2)}
    parameters = [hidden, {}, last] if share else [hidden, last]
    rule = PrivateDFA((Digital(np.array([[2.0, -2.0]])),), activation=size, reach=0.5)
    seed = next(s for s in range(99) if np.random.default_rng(s).random(dtype=np.float32) >= share)

    def updates(label: int) -> Updates:
        x, y = np.full((1, 2), 10.0), np.array([label])
        return rule.updates(passed(x, y, network, parameters, np.random.default_rng(seed)))

    expected = 2 * 0.5 * np.sqrt(size**2 + 1) * np.sqrt(1 + 1 / (1 - share) ** 2)
    assert rule.sensitivity(network, 1) == pytest.approx(expected)
    assert apart(updates(0), updates(1)) == pytest.approx(expected, rel=1e-9)
    assert apart(updates(0), updates(1)) <= rule.sensitivity(network, 1)
    assert rule.sensitivity(network, 4) == pytest.approx(expected / 4)


def test_noise_of_the_device_is_clipped_too() -> None:
    """Light so weak that a product is mostly noise: each sample's share keeps its bound."""
    circuit = ps.load("opu")
    laser = {"power": 1e-3 * circuit.parameters["laser.power"]}
    how = Projection(noise="physical")
    devices = ScatteringMedium.from_circuit(circuit, 10, [30], how, laser=laser)
    rule, network = PrivateDFA(devices, threshold=0.05), dense_network((20, 30, 10), hidden="linear")
    rng = np.random.default_rng(0)
    found = rule.updates(passed(rng.normal(size=(1, 20)), np.array([3]), network, network.initial(rng)))
    assert found[0] is not None
    noisy = rule.gain(devices[0]) * np.linalg.norm(photon_deviation(devices[0], np.eye(10)[:1])) * np.sqrt(30)
    assert noisy > 3.0
    assert np.linalg.norm(found[0]["bias"]) <= rule.reach


@pytest.mark.parametrize("batch", [1, 10])
def test_noise_is_on_every_number_of_the_mean_update(batch: int) -> None:
    """Also where inputs, errors and derivatives are zero; a shorter batch gets more."""
    network = dense_network((60, 50, 4), hidden="relu")
    rule = PrivateDFA((Digital(np.eye(50, 4)),), noise_multiplier=1.5, threshold=0.9)
    parameters = [{k: np.zeros_like(v) for k, v in own.items()} for own in network.initial(rule.rng)]
    found = rule.updates(passed(np.zeros((batch, 60)), np.zeros(batch, int), network, parameters))
    assert found[0] is not None
    deviation = 1.5 * rule.sensitivity(network, batch)
    assert np.std(found[0]["weights"]) == pytest.approx(deviation, rel=0.05)
    assert np.std(found[0]["bias"]) == pytest.approx(deviation, rel=0.4)
    assert rule.accountant() == Accountant(1.0, 1.5)


def test_samples_without_a_target_are_refused() -> None:
    network = dense_network((3, 4, 2))
    forward, _ = run(
        network, network.initial(np.random.default_rng(0)), np.ones((2, 3)), np.array([1, -1]), NODES
    )
    with pytest.raises(ParameterError, match="a target for every sample: 1 of 2 have one"):
        PrivateDFA((Digital(np.ones((4, 2))),)).updates(forward)


def test_clips_shorten_and_never_lengthen() -> None:
    rows = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    np.testing.assert_allclose(shrunk(rows, 1.0), [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]])
    many = np.random.default_rng(0).normal(size=(5000, 7)).astype(np.float32)
    assert np.linalg.norm(shrunk(many, 0.3).astype(np.float64), axis=1).max() <= 0.3


@pytest.mark.parametrize("light", [0.1, 1.0, 10.0])
@pytest.mark.parametrize(("plus", "minus"), [(0, 1), (1, 1), (2, 1), (5, 5)])
def test_noise_follows_from_the_light(light: float, plus: int, minus: int) -> None:
    how = Projection(noise="physical")
    circuit = ps.load("opu")
    camera = {"full_well": 20_000.0 * max(light, 1.0), "bits": 12}
    laser = {"power": light * circuit.parameters["laser.power"]}
    device = ScatteringMedium.from_circuit(circuit, 10, [400], how, laser=laser, camera=camera)[0]
    x = np.zeros((40, 10))
    x[:, :plus], x[:, plus : plus + minus] = 1.0, -1.0
    errors = device.apply(x) - x @ device.matrix().T
    found = photon_deviation(device, x)
    assert found.shape == (40,)
    assert np.std(errors) == pytest.approx(found[0], rel=0.02)


def test_zero_errors_have_no_noise_of_light() -> None:
    device = ScatteringMedium.from_circuit(ps.load("opu"), 10, [50], Projection(noise="physical"))[0]
    x = np.zeros((3, 10))
    x[1, 4] = -1.0
    assert np.flatnonzero(photon_deviation(device, x)).tolist() == [1]
    assert not device.apply(x)[[0, 2]].any()
    with pytest.raises(ParameterError, match='noise="physical" and phase stepping'):
        photon_deviation(ScatteringMedium.from_circuit(ps.load("opu"), 10, [50])[0], x)


def test_private_training_still_learns() -> None:
    """Of 1,294 digits, so few that epsilon is large: what is shown is that noise costs, and how much."""
    data = load("digits")
    network = dense_network((64, 64, 10))
    streams = Streams.tree(0, 1)[0]
    devices = ScatteringMedium.from_circuit(
        ps.load("opu"), 10, (64,), Projection(noise="physical"), size=0.125
    )
    # Features of a norm near 1, so that clipping them keeps their proportions.
    unit = Samples(data.train.x / np.linalg.norm(data.train.x, axis=1, keepdims=True), data.train.y)
    judged = Samples(data.test.x / np.linalg.norm(data.test.x, axis=1, keepdims=True), data.test.y)
    data = Dataset("digits", unit, data.validation, judged, 10)
    found = []
    for noise in (0.0, 1.0, 30.0):
        rule = PrivateDFA(devices, threshold=0.25, noise_multiplier=noise)
        history = fit(network, rule, Adam(0.01), data, Schedule(epochs=20, batch_size=128), streams)
        found.append(history.accuracy[-1])
    assert found[0] > 0.8
    assert found[0] >= found[1] > 0.5 > found[2]  # one in ten by chance
    assert 10.0 < PrivateDFA(devices, noise_multiplier=1.0).accountant().epsilon(20) < 50.0

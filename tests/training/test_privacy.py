"""Privacy: the accountant against closed forms and known values, bounds of the rule, noise from light."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.data.datasets import load
from photosim.training.devices import Digital, Projection, ScatteringMedium
from photosim.training.layers import dense_network
from photosim.training.optimisers import Adam
from photosim.training.passes import ForwardPass, run
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


def test_epsilon_is_no_less_than_the_exact_one() -> None:
    """One release of a Gaussian mechanism has an exact delta for each epsilon: the bound must lie above."""
    accountant = Accountant(1.0, 2.0)
    epsilon = accountant.epsilon(1, delta=1e-5)
    half, ratio = 1.0 / (2 * 2.0), epsilon * 2.0
    exact = norm.cdf(half - ratio) - np.exp(epsilon) * norm.cdf(-half - ratio)
    assert exact < 1e-5
    assert accountant.epsilon(1, delta=1e-5) < 3.0  # and it is not empty: exact epsilon is about 1.9


def test_nonsense_is_refused() -> None:
    with pytest.raises(ParameterError, match="without noise nothing is private"):
        Accountant(1.0, 0.0)
    with pytest.raises(ParameterError, match="delta lies between 0 and 1"):
        Accountant(1.0, 1.0).epsilon(1, delta=0.0)
    with pytest.raises(ParameterError, match="clips above 0"):
        PrivateDFA((), activation=0.0)


def passed(x: Any, y: Any, network: Any, parameters: Any) -> ForwardPass:
    return run(network, parameters, x, y)[0]


def test_one_exchanged_sample_moves_the_updates_by_no_more_than_the_sensitivity() -> None:
    rng = np.random.default_rng(0)
    network = dense_network((20, 30, 25, 5))
    parameters = network.initial(rng)
    rule = PrivateDFA(tuple(Digital(rng.normal(size=(width, 5))) for width in (30, 25)), threshold=0.1)
    worst = 0.0
    for scale in (1.0, 1e3):
        x, y = scale * rng.normal(size=(8, 20)), rng.integers(0, 5, 8)
        before = rule.updates(passed(x, y, network, parameters))
        x[3], y[3] = -scale * rng.normal(size=20), (y[3] + 1) % 5
        after = rule.updates(passed(x, y, network, parameters))
        moved = [a["weights"] - b["weights"] for a, b in zip(after, before, strict=True) if a and b]
        worst = max(worst, float(np.sqrt(sum(np.sum(own**2) for own in moved))))
    assert 0.05 * rule.sensitivity(8) < worst <= rule.sensitivity(8)


def test_clips_shorten_and_never_lengthen() -> None:
    rows = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]])
    np.testing.assert_allclose(shrunk(rows, 1.0), [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]])


@pytest.mark.parametrize("light", [0.1, 1.0, 10.0])
def test_noise_follows_from_the_light(light: float) -> None:
    how = Projection(noise="physical")
    circuit = ps.load("opu")
    camera = {"full_well": 20_000.0 * max(light, 1.0), "bits": 12}
    laser = {"power": light * circuit.parameters["laser.power"]}
    device = ScatteringMedium.from_circuit(circuit, 10, [400], how, laser=laser, camera=camera)[0]
    # Half of the entries on in each picture, as the formula has it.
    x = np.sign(np.random.default_rng(0).normal(size=(40, 10)))
    errors = device.apply(x) - x @ device.matrix().T
    assert np.std(errors) == pytest.approx(photon_deviation(device), rel=0.1)


def test_photons_make_training_private_and_it_still_learns() -> None:
    data = load("digits")
    network = dense_network((64, 64, 64, 10))
    streams = Streams.tree(0, 1)[0]
    devices = ScatteringMedium.from_circuit(
        ps.load("opu"), 10, (64, 64), Projection(noise="physical"), size=0.125
    )
    rule = PrivateDFA(devices, threshold=0.25)
    history = fit(network, rule, Adam(0.003), data, Schedule(epochs=6, batch_size=32), streams)
    assert history.accuracy[-1] > 0.8  # one in ten by chance
    # Six releases of the mean feedback: what the light of this netlist buys.
    noise = photon_deviation(devices[0]) * rule.gain(devices[0]) * np.sqrt(64.0)
    epsilon = Accountant(2.0 * rule.reach, noise).epsilon(6)
    assert 0.0 < epsilon < np.inf

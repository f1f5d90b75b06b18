"""Gradients measured in situ against the engine's and backpropagation's; rules of forward passes alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices.mesh.circuit import mesh_chip
from photosim.training.layers import Network, dense_network
from photosim.training.layers.mesh import MeshLayer
from photosim.training.losses import CLASSIFICATION, REGRESSION
from photosim.training.passes import ForwardPass, run
from photosim.training.rules import (
    SPSA,
    Backprop,
    EvolutionStrategy,
    FiniteDifference,
    InSitu,
    InSituErrors,
)
from photosim.training.rules.in_situ import deviations

KINDS = ["clements_mesh", "reck_mesh", "butterfly_mesh"]


def passed(component: str, batch: int = 7, dtype: Any = np.float64, **settings: Any) -> ForwardPass:
    """A batch through two meshes with detection between them."""
    rng = np.random.default_rng(2)
    circuit = mesh_chip(component, 4, coupling=0.46, **settings)
    first = MeshLayer.of(circuit, inputs=3, detection="amplitude", gain=1.2)
    network = Network((first, MeshLayer.of(circuit, outputs=2, detection="power")))
    x = rng.standard_normal((batch, 3)) + 1j * rng.standard_normal((batch, 3))
    parameters = network.initial(rng, dtype)
    return run(network, parameters, x, rng.standard_normal((batch, 2)), REGRESSION)[0]


@pytest.mark.parametrize("batch", [1, 40])
@pytest.mark.parametrize("component", KINDS)
def test_measured_gradient_is_exact_without_loss_and_noise(component: str, batch: int) -> None:
    forward, rule = passed(component, batch), InSitu()
    measured, exact = rule.updates(forward), Backprop().updates(forward)
    for one, other in zip(measured, exact, strict=True):
        assert one is not None
        assert other is not None
        for name, value in other.items():
            np.testing.assert_allclose(one[name], value, atol=1e-10)
    taps = sum(value.size for own in forward.parameters for value in own.values())
    assert rule.counters == {"runs": 2 * 3 * batch, "readings": 3 * batch * taps}


def test_measured_gradient_is_that_of_the_engine() -> None:
    n, rng = 4, np.random.default_rng(0)
    circuit = mesh_chip("reck_mesh", n, coupling=0.45)
    layer = MeshLayer.of(circuit, detection="power")
    network = Network((layer,))
    parameters = network.initial(rng)
    x = rng.standard_normal((1, n)) + 1j * rng.standard_normal((1, n))
    target = rng.standard_normal((1, n))
    (found,) = InSitu().updates(run(network, parameters, x, target, REGRESSION)[0])
    assert found is not None
    outputs = [list(circuit.ports).index(f"out{k}") for k in range(n)]
    inputs = [list(circuit.ports).index(f"in{k}") for k in range(n)]

    def loss(s: ps.SMatrix) -> tuple[float, Any]:
        y = s.values[0][np.ix_(outputs, inputs)] @ x[0]
        error = np.abs(y) ** 2 - target[0]
        by_s = np.zeros_like(s.values)
        by_s[0][np.ix_(outputs, inputs)] = np.outer(2.0 * error * y, x[0].conj())
        return float(0.5 * error @ error), by_s

    phases: Any = layer.phases(parameters[0])
    names = [f"mesh.m{c}_{m}.inner.phase" for c, m in phases.places]
    settings = layer.hardware.settings(phases)
    _, exact = circuit.value_and_grad(loss, wl=1.55, parameters=names, **settings)
    np.testing.assert_allclose(found["theta"], [exact[name] for name in names], atol=1e-10)


def test_loss_biases_the_measurement_in_proportion_and_balance_helps() -> None:
    found = {}
    for loss in (0.0, 0.001, 0.01):
        forward = passed("clements_mesh", loss_dB=loss, loss_shifter_dB=loss)
        exact = Backprop().updates(forward)
        for balanced in (False, True):
            measured = InSitu(balanced=balanced).updates(forward)
            found[loss, balanced] = np.array([distance for distance, _ in deviations(measured, exact)])
    for balanced in (False, True):
        np.testing.assert_array_less(found[0.0, balanced], 1e-12)
        # Small losses act in proportion.
        np.testing.assert_allclose(found[0.01, balanced] / found[0.001, balanced], 10.0, rtol=0.1)
    np.testing.assert_array_less(found[0.01, True], 0.2 * found[0.01, False])


def test_noise_of_taps_has_the_stated_variance() -> None:
    forward = passed("clements_mesh", 5)
    exact, rule = InSitu().updates(forward), InSitu(InSituErrors(tap=0.01), rng=np.random.default_rng(3))
    last = len(forward.traces) - 1
    drawn = np.array([rule.updates(forward)[last]["theta"] for _ in range(400)])  # type: ignore[index]
    one = passed("clements_mesh", 5)
    # Sample by sample, as a chip reads them, with numbers drawn for each.
    alone = []
    for _ in range(400):
        total: Any = 0.0
        for k in range(5):
            single, _ = run(
                one.network, one.parameters, one.inputs[k : k + 1], one.targets[k : k + 1], REGRESSION
            )
            total = total + rule.updates(single)[last]["theta"] / 5  # type: ignore[index]
        alone.append(total)
    mean = exact[last]["theta"]  # type: ignore[index]
    # Ratios of two estimates of a deviation from 400 numbers each spread by 5 %: 4.5 of that is one
    # false alarm in 10^5 for each of the six.
    np.testing.assert_allclose(drawn.std(axis=0) / np.std(alone, axis=0), 1.0, atol=0.225)
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=float(5 * drawn.std() / 20))


@pytest.mark.parametrize("name", ["amplitude", "phase", "read_amplitude", "read_phase"])
def test_errors_of_generators_and_receivers_spread_the_gradient(name: str) -> None:
    forward = passed("reck_mesh")
    exact = InSitu().updates(forward)
    small, large = (
        deviations(InSitu(InSituErrors(**{name: size}), rng=np.random.default_rng(0)).updates(forward), exact)
        for size in (1e-5, 1e-3)
    )
    # Receivers at the first layer's inputs serve the interference of that layer too.
    for (near, _), (far, _) in zip(small, large, strict=True):
        assert 0.0 < near < 0.002
        assert far == pytest.approx(100.0 * near, rel=0.2)


def test_what_is_no_mesh_is_refused() -> None:
    x, y = np.zeros((1, 3)), np.zeros((1, 2))
    network = dense_network((3, 2))
    forward, _ = run(network, network.initial(np.random.default_rng(0)), x, y, REGRESSION)
    with pytest.raises(ParameterError, match="Layer 1 is not a single mesh"):
        InSitu().updates(forward)
    with pytest.raises(
        ParameterError, match=r"Layer 2 is not a single mesh.*a pair with attenuators loses light"
    ):
        InSitu().updates(passed("svd_mesh"))
    with pytest.raises(ParameterError, match="tap must be 0 or more"):
        InSituErrors(tap=-1.0)


def test_finite_differences_are_the_gradient_and_cost_a_pass_for_each_phase() -> None:
    forward, rule = passed("clements_mesh", 3), FiniteDifference(1e-6)
    for (distance, _), _layer in zip(
        deviations(rule.updates(forward), Backprop().updates(forward)), range(2), strict=True
    ):
        assert distance < 1e-4
    count = sum(value.size for own in forward.parameters for value in own.values())
    assert rule.counters == {"evaluations": 3 * (count + 1)}


@pytest.mark.parametrize(
    "rule", [SPSA(1e-4, repeats=4000), EvolutionStrategy(1e-4, repeats=4000)], ids=["spsa", "es"]
)
def test_random_directions_give_the_gradient_on_average(rule: Any) -> None:
    forward = passed("butterfly_mesh", 2)
    found = deviations(rule.updates(forward), Backprop().updates(forward))
    # P phases and M directions: a relative error of sqrt(P/M), about 0.08 here.
    assert all(distance < 0.2 for distance, _ in found)
    assert rule.counters == {"evaluations": 2 * 2 * 4000}


def test_a_step_must_move() -> None:
    for step in (0.0, np.inf, "small"):
        with pytest.raises(ParameterError, match="step must be a"):
            SPSA(step)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"repeats must be a whole number, got 0\.5"):
        EvolutionStrategy(repeats=0.5)  # type: ignore[arg-type]


def test_differences_of_too_many_parameters_are_refused_before_any_is_taken() -> None:
    network = dense_network((120, 100, 2))
    parameters = network.initial(np.random.default_rng(0))
    forward, _ = run(network, parameters, np.ones((2, 120)), np.array([0, 1]), CLASSIFICATION)
    rule = FiniteDifference()
    with pytest.raises(ParameterError, match=r"of 12,302 parameters would send every batch .* 12,303 times"):
        rule.updates(forward)
    assert not rule.counters

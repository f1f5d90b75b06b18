"""Exact gradients against central differences, through expressions, composites and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

WL = np.linspace(1.54, 1.56, 13)


def random_loss(ports: int, seed: int = 4) -> Callable[[Any], tuple[float, Any]]:
    """A smooth real function of every element of S, with its cotangent."""
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(len(WL), ports, ports))
    other = rng.normal(size=(len(WL), ports, ports)) + 1j * rng.normal(size=(len(WL), ports, ports))

    def loss(s: Any) -> tuple[float, Any]:
        value = np.sum(weight * np.abs(s.values) ** 2) + np.sum((np.conj(other) * s.values).real)
        return float(value), 2 * weight * s.values + other

    return loss


def differences(circuit: Any, loss: Any, name: str, step: float) -> float:
    """Central difference of the loss by one dotted setting."""
    start = circuit.parameters[name]

    def at(value: float) -> float:
        nested: Any = value
        for key in reversed(name.split(".")):
            nested = {key: nested}
        return float(loss(circuit(WL, **nested))[0])

    return (at(start + step) - at(start - step)) / (2 * step)


CIRCUIT: dict[str, Any] = {
    "settings": {"radius": 5.0, "gain": 1.5},
    "instances": {
        "ring": {
            "component": "ring_double",
            "settings": {"radius": "radius * gain", "coupling": 0.2, "loss_dB_cm": 3.0},
        },
        "mzi": {"component": "mzi", "settings": {"delta_length": 20.0}},
        "mirror": {"component": "reflector", "settings": {"reflection": 0.1}},
    },
    "connections": {"ring,o4": "mzi,o1", "mzi,o2": "mirror,o1"},
    "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "out": "mirror,o2"},
}


@pytest.mark.filterwarnings("ignore:The circuit's temperature is set, but")
@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("radius", 1e-6),
        ("gain", 1e-6),
        ("temperature", 1e-3),
        ("ring.coupling", 1e-5),
        ("ring.loss_dB_cm", 1e-3),
        ("mzi.delta_length", 1e-5),
        ("mirror.reflection", 1e-5),
    ],
)
def test_gradients_agree_with_central_differences(name: str, step: float) -> None:
    circuit = ps.Circuit(CIRCUIT)
    loss = random_loss(4)
    value, gradient = circuit.value_and_grad(loss, wl=WL, parameters=[name])
    assert value == pytest.approx(loss(circuit(WL))[0], rel=1e-12)
    # 2e-6: the error of the difference itself, curvature times step squared and rounding over step.
    assert gradient[name] == pytest.approx(differences(circuit, loss, name, step), rel=2e-6, abs=1e-6)


def test_all_gradients_at_once_equal_those_asked_for_alone() -> None:
    circuit = ps.Circuit(CIRCUIT)
    names = ["radius", "gain", "temperature", "ring.coupling", "mirror.reflection"]
    _, together = circuit.value_and_grad(random_loss(4), wl=WL, parameters=names)
    for name in names:
        _, alone = circuit.value_and_grad(random_loss(4), wl=WL, parameters=[name])
        assert together[name] == pytest.approx(alone[name], rel=1e-13)


def test_the_pullback_keeps_wavelengths_and_batches_apart() -> None:
    circuit = ps.Circuit(CIRCUIT)
    radii = np.array([4.9, 5.0, 5.1])
    values, pull = circuit.pullback(WL, ["drop", "out"], ["in"], ["radius"], radius=radii)
    assert values.shape == (3, len(WL), 2, 1)
    slope = pull(2 * values)["radius"]  # of the total power at both outputs, at each wavelength
    assert slope.shape == (3, len(WL))
    step = 1e-6
    ahead, behind = (circuit.transfer(WL, ["drop", "out"], ["in"], radius=radii + d) for d in (step, -step))
    expected = ((np.abs(ahead) ** 2).sum(axis=(-1, -2)) - (np.abs(behind) ** 2).sum(axis=(-1, -2))) / (
        2 * step
    )
    np.testing.assert_allclose(slope, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_a_setting_without_a_derivative_is_refused() -> None:
    circuit = ps.Circuit(CIRCUIT)
    with pytest.raises(ParameterError, match=r"has no setting 'radios'.*Did you mean 'radius'\?"):
        circuit.value_and_grad(random_loss(4), wl=WL, parameters=["radios"])
    with pytest.raises(ParameterError, match="a cotangent must be numbers of shape"):
        circuit.value_and_grad(lambda _: (0.0, np.zeros(3, dtype=complex)), wl=WL, parameters=["radius"])

"""Laws of training devices and learning rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Hardware, Learning


def _holds(subject: Any) -> bool:
    return isinstance(subject, Hardware)


def _batch(subject: Hardware, example: Example, rows: int = 6) -> Any:
    """Return inputs so small that no converter of a sum clips."""
    inputs = subject.device.matrix().shape[1]
    return np.random.default_rng(example.seed).uniform(-1.0, 1.0, (rows, inputs)) / inputs


def _rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@LAWS.declare(
    "matrix held",
    "A device without noise multiplies by the matrix that it reports",
    "|y - x M^T| << |y|",
    tolerance=0.2,
    why="the device's converters, which stay on: 20 % of the rms of small products",
    source="saleh2019",
    applies=lambda subject: _holds(subject) and _noiseless(subject),
    every=5,
)
def _held(subject: Hardware, example: Example) -> float:
    x, matrix = _batch(subject, example), subject.device.matrix()
    expected = x @ matrix.T
    return _rms(subject.device.apply(x) - expected) / max(_rms(expected), 1e-12)


@LAWS.declare(
    "gain of a device",
    "The output is proportional to the gain of the amplifiers behind the device",
    "y(g) = g y(1)",
    tolerance=0.2,
    why="the device's converters, which stay on: 20 % of the rms of small products",
    source="saleh2019",
    applies=lambda subject: _holds(subject) and _noiseless(subject),
    every=5,
)
def _gains(subject: Hardware, example: Example) -> float:
    x = _batch(subject, example)
    plain = subject.device.apply(x)
    gain = np.random.default_rng(example.seed + 1).uniform(-1.0, 1.0, plain.shape)
    return _rms(subject.device.apply(x, gain=gain) - gain * plain) / max(1e-12, _rms(plain))


@LAWS.declare(
    "noise around the product",
    "The mean of noisy outputs is the product without noise",
    "|mean(y) - x M^T| < 6 sigma / sqrt(N)",
    tolerance=6.0,
    why="six standard errors of the mean",
    source="saleh2019",
    applies=lambda subject: _holds(subject) and not _noiseless(subject),
    every=20,
)
def _unbiased(subject: Hardware, example: Example) -> float:
    x = np.repeat(_batch(subject, example, 1), 400, axis=0)
    y = subject.device.apply(x)
    spread = y.std(axis=0, ddof=1)
    off = np.abs(y.mean(axis=0) - x[0] @ subject.device.matrix().T)
    return float(np.max(off / np.maximum(spread / np.sqrt(len(x)), 1e-9)))


def _noiseless(subject: Hardware) -> bool:
    """Return whether two equal batches give equal products."""
    x = _batch(subject, Example(np.empty(0), {}))
    return bool(np.array_equal(subject.device.apply(x), subject.device.apply(x)))


def _network(example: Example) -> Any:
    """Return a small network with its parameters, a batch of inputs and labels."""
    from photosim.training.architecture import build_network

    rng = np.random.default_rng(example.seed)
    network = build_network([5, 4, 3, 3], "tanh", "the laws of learning")
    return network, network.initial(rng), rng.standard_normal((7, 5)), rng.integers(0, 3, 7)


def _updates(subject: Learning, example: Example) -> Any:
    from photosim.training.devices import Digital
    from photosim.training.passes import run
    from photosim.training.rules.catalogue import draw_feedback, make_rule

    network, parameters, x, labels = _network(example)
    forward, _ = run(network, parameters, x, labels)
    rule = subject.rule
    if isinstance(rule, str):
        rng = np.random.default_rng(example.seed + 1)
        held = [Digital(matrix) for matrix in draw_feedback(rule, network, 1.0, rng)]
        rule = make_rule(rule, network, held, rng)
    return rule.updates(forward), network, parameters, x, labels


def _difference(example: Example, layer: int, name: str, place: tuple[int, ...]) -> float:
    """Return the slope of the mean loss by one parameter, from a central difference."""
    from photosim.training.passes import run

    network, parameters, x, labels = _network(example)
    ends = []
    for sign in (1.0, -1.0):
        moved = [dict(own) for own in parameters]
        moved[layer][name] = moved[layer][name].copy()
        moved[layer][name][place] += sign * 1e-5
        ends.append(run(network, moved, x, labels)[1])
    return float((ends[0] - ends[1]) / 2e-5)


def _slopes_off(subject: Learning, example: Example, *, last_only: bool) -> float:
    updates, network, parameters, _, _ = _updates(subject, example)
    worst = 0.0
    for index in range(len(network.layers)):
        if updates[index] is None or (last_only and index < len(network.layers) - 1):
            continue
        for name, value in parameters[index].items():
            place = tuple(np.random.default_rng(example.seed).integers(0, n) for n in value.shape)
            worst = max(worst, abs(updates[index][name][place] - _difference(example, index, name, place)))
    return worst


def _needs(subject: Any) -> frozenset[str]:
    from photosim.training.rules.catalogue import needs

    rule = subject.rule
    found = needs(rule) if isinstance(rule, str) else rule.needs
    return frozenset(need.name for need in found)


@LAWS.declare(
    "exact gradient",
    "A learning rule that gets the weights of later layers, or a model of them, computes the exact gradient",
    "update = dL/dw",
    tolerance=1e-7,
    why="central differences with a step of 1e-5",
    source="rumelhart1986",
    applies=lambda subject: (
        isinstance(subject, Learning)
        and bool(_needs(subject) & {"TRANSPOSED_WEIGHTS", "MODEL"})
        and not _needs(subject) & {"SECOND_FORWARD", "MORE_FORWARDS"}
    ),
    every=10,
)
def _gradient(subject: Learning, example: Example) -> float:
    return _slopes_off(subject, example, last_only=False)


@LAWS.declare(
    "exact last layer",
    "A learning rule based on the output error computes the exact gradient of the last layer",
    "update of the last layer = dL/dw",
    tolerance=1e-7,
    why="central differences with a step of 1e-5",
    source="nokland2016",
    every=10,
    applies=lambda subject: (
        isinstance(subject, Learning)
        and not _needs(subject) & {"SECOND_FORWARD", "MORE_FORWARDS", "LIGHT_BACKWARDS"}
    ),
)
def _last_layer(subject: Learning, example: Example) -> float:
    return _slopes_off(subject, example, last_only=True)


@LAWS.declare(
    "finite updates",
    "Updates are finite numbers in the shape of their parameters",
    "|update| < inf",
    tolerance=0.0,
    why="exact: it counts updates that are not finite or have another shape",
    source="nokland2016",
    applies=lambda subject: isinstance(subject, Learning) and "LIGHT_BACKWARDS" not in _needs(subject),
    every=10,
)
def _finite(subject: Learning, example: Example) -> float:
    updates, network, parameters, _, _ = _updates(subject, example)
    wrong = int(len(updates) != len(network.layers))
    for own, update in zip(parameters, updates, strict=False):
        for name, value in (update or {}).items():
            wrong += int(np.shape(value) != own[name].shape or not np.isfinite(value).all())
    return float(wrong)

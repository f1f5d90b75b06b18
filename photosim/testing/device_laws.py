"""Laws of what training devices claim beyond their product: gradients by phases, and size of noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Hardware, Learning


def _sends(subject: Any) -> bool:
    """Return whether a subject is a device that sends fields through phases, and tells their gradient."""
    held = getattr(subject, "device", None)
    return isinstance(subject, Hardware) and hasattr(held, "send") and hasattr(held, "hardware")


@LAWS.declare(
    "gradient of a device",
    "The gradient of a mesh with respect to every phase is the limit of a finite difference",
    "dL/dphase = lim (L(phase + h) - L(phase - h)) / 2h",
    tolerance=1e-6,
    why="central differences with a step of 1e-5",
    source="hughes2018",
    applies=_sends,
    every=10,
)
def _device_gradient(subject: Hardware, example: Example) -> float:
    device, rng = subject.device, np.random.default_rng(example.seed)
    hardware, phases = device.hardware, device.programmed.phases
    x, g = (_fields(rng, hardware.guides) for _ in range(2))
    found = device.send(x).gradient(g)
    mesh = getattr(phases, "u", None)  # the second one of a pair
    own = found if mesh is None else found.u

    def loss(name: str, moved: Any) -> float:
        changed = replace(phases if mesh is None else mesh, **{name: moved})
        sent = hardware.send(changed if mesh is None else replace(phases, u=changed), x).outputs
        return float(np.sum(np.conj(g) * sent).real)

    worst = 0.0
    for name in ("theta", "phi", "end"):
        values = np.array(getattr(phases if mesh is None else mesh, name))
        if values.size == 0:
            continue
        step = np.zeros(values.shape)
        place = int(rng.integers(values.size))
        step[place] = 1e-5
        expected = (loss(name, values + step) - loss(name, values - step)) / 2e-5
        worst = max(worst, abs(float(getattr(own, name)[place]) - expected))
    return worst


def _fields(rng: np.random.Generator, guides: int, batch: int = 3) -> Any:
    return rng.standard_normal((batch, guides)) + 1j * rng.standard_normal((batch, guides))


READINGS = 2000


@LAWS.declare(
    "declared noise",
    "Outputs have the standard deviation that the device declares by `noise_deviation(x)`",
    "std(y) = noise_deviation(x)",
    tolerance=0.12,
    why="five standard errors of the standard deviation of 2000 readings, for the worst output",
    source="filipovich2022",
    applies=lambda subject: isinstance(subject, Hardware) and hasattr(subject.device, "noise_deviation"),
    every=20,
)
def _declared_noise(subject: Hardware, example: Example) -> float:
    inputs = subject.device.matrix().shape[1]
    one = np.random.default_rng(example.seed).uniform(-1.0, 1.0, (1, inputs)) / inputs
    found = subject.device.apply(np.repeat(one, READINGS, axis=0)).std(axis=0, ddof=1)
    declared = np.asarray(subject.device.noise_deviation(one))[0]
    quiet = 1e-9 * max(float(np.abs(one).max()), 1e-30)
    return float(np.max(np.abs(found - declared) / np.maximum(declared, quiet)))


@LAWS.declare(
    "gradient in situ",
    "Power readings inside lossless meshes give the exact gradient",
    "update = dL/dphase",
    tolerance=1e-6,
    why="readings without noise, compared with backpropagation of the same pass",
    source="hughes2018",
    applies=lambda subject: (
        isinstance(subject, Learning)
        and "LIGHT_BACKWARDS" in {need.name for need in getattr(subject.rule, "needs", ())}
    ),
    every=20,
)
def _in_situ(subject: Learning, example: Example) -> float:
    from photosim.training.devices import mesh_chip
    from photosim.training.layers import Network
    from photosim.training.layers.mesh import MeshLayer
    from photosim.training.losses import REGRESSION
    from photosim.training.passes import run
    from photosim.training.rules import Backprop

    rng = np.random.default_rng(example.seed)
    chip = mesh_chip("clements_mesh", 3)
    network = Network((MeshLayer.of(chip, detection="amplitude"), MeshLayer.of(chip, detection="power")))
    target = rng.standard_normal((4, 3))
    forward = run(network, network.initial(rng), _fields(rng, 3, 4), target, REGRESSION)[0]
    worst = 0.0
    for own, exact in zip(subject.rule.updates(forward), Backprop().updates(forward), strict=True):
        for name, value in (exact or {}).items():
            off = np.abs(np.asarray((own or {})[name]) - value).max()
            worst = max(worst, float(off) if np.isfinite(off) else np.inf)
    return worst

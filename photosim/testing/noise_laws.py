"""Laws of noise: the least that quantum mechanics allows, no negative power, samples of what is stated."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Formula, Light, Receiver, quiet_circuit


def _amplifies(subject: Any) -> bool:
    return isinstance(subject, Formula) and subject.model.emission_of is not None


@LAWS.declare(
    "quantum noise",
    "An amplifier adds at least the noise h f (G - 1)",
    "emission(out) >= h f (sum |S(out, in)|^2 - 1)",
    tolerance=1e-9,
    why="rounding errors",
    source="caves1982",
    applies=_amplifies,
)
def _quantum_noise(subject: Formula, example: Example) -> float:
    s, photon = subject.at(example), PLANCK_J_S * SPEED_OF_LIGHT_UM_S / example.wl
    emitted = subject.model.emission(example.wl, **example.settings)
    worst = 0.0
    for k, port in enumerate(subject.ports):
        needed = np.sum(np.abs(s[:, k]) ** 2, axis=-1) - 1.0
        worst = max(worst, float(np.max(needed - np.asarray(emitted.get(port, 0.0)) / photon)))
    return worst


def _makes_noise(subject: Any) -> bool:
    return isinstance(subject, Light | Receiver) or _amplifies(subject)


def _link(subject: Any, example: Example) -> tuple[Any, dict[str, Any]]:
    """Return a laser and a detector around a subject, or itself at its end, and its settings in a call.

    The light is faint enough that no detector saturates.
    """
    laser: dict[str, Any] = {"component": "laser", "settings": {"power": 1e-5}}
    parts: dict[str, Any] = {"laser": laser, "part": subject.model.name, "detector": "photodetector"}
    joined = {"laser,o1": "part,o1", "part,o2": "detector,o1"}
    settings = dict(example.settings)
    if isinstance(subject, Light):
        parts = {"part": subject.model.name, "detector": "photodetector"}
        joined = {"part,o1": "detector,o1"}
        settings |= {"power": 1e-5} if "power" in settings else {}
    elif isinstance(subject, Receiver):
        del parts["detector"]
        joined = {"laser,o1": f"part,{subject.model.ports[0]}"}
    open_ends = [f"part,{port}" for port in subject.model.ports if f"part,{port}" not in str(joined)]
    circuit = quiet_circuit({"instances": parts, "connections": joined, "terminate": open_ends})
    return circuit, {f"part.{name}": value for name, value in settings.items()}


def _stated(circuit: Any, settings: dict[str, Any]) -> dict[str, float]:
    """Return the variance in A^2 of the current of the only detector, noise by noise, as computed."""
    from photosim.analysis.link import link

    return dict(link(circuit, **settings).receptions[0].variances)


SAMPLES = 16_384


def _sampled(circuit: Any, settings: dict[str, Any], seed: int) -> float:
    """Return the variance in A^2 of samples of the current of the only detector."""
    from photosim.signals import sample

    return float(np.var(sample(circuit, SAMPLES, seed=seed, **settings).values[0], ddof=1))


@LAWS.declare(
    "variances of noise",
    "No variance and no power of noise is negative",
    "sigma^2 >= 0, emission >= 0",
    tolerance=0.0,
    why="exact: it counts noises that are negative or not finite",
    source="saleh2019",
    applies=_makes_noise,
    every=5,
)
def _variances(subject: Any, example: Example) -> float:
    found = list(_stated(*_link(subject, example)).values())
    if isinstance(subject, Formula):
        emitted = subject.model.emission(example.wl, **example.settings).values()
        found += [float(v) for density in emitted for v in np.ravel(density)]
    return float(sum(not (np.isfinite(v) and v >= 0.0) for v in found))


@LAWS.declare(
    "sampled noise",
    "Random samples of a current have the computed variance",
    "var(samples) = sum of the variances",
    tolerance=0.1,
    why="five standard errors of the variance of 16,384 samples, half of which are independent",
    source="saleh2019",
    applies=_makes_noise,
    every=50,
)
def _sampled_noise(subject: Any, example: Example) -> float:
    circuit, settings = _link(subject, example)
    stated = sum(_stated(circuit, settings).values())
    return abs(_sampled(circuit, settings, example.seed) / stated - 1.0)

"""Laws of light made and detected, and of parts that step in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import ELEMENTARY_CHARGE_C, PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Formula, Light, Receiver, Stepped


def _amplifies(subject: Any) -> bool:
    return isinstance(subject, Formula) and subject.model.emission_of is not None


@LAWS.declare(
    "quantum noise",
    "An amplifier adds at least the noise that quantum mechanics asks for",
    "emission(out) >= h f (sum |S(out, in)|^2 - 1)",
    tolerance=1e-9,
    why="roundings",
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


@LAWS.declare(
    "lines of a source",
    "A source sends out light of finite power at wavelengths that exist",
    "0 <= P < inf, 0 < wl < inf",
    tolerance=0.0,
    why="nothing: it counts lines that are impossible",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Light),
)
def _lines(subject: Light, example: Example) -> float:
    from photosim.errors import ParameterError

    try:
        wl, power = subject.model.lines(**example.settings)
    except ParameterError:
        return 0.0  # settings that do not go together, and are refused
    possible = np.isfinite(wl) & np.isfinite(power) & (power >= 0) & (wl > 0)
    return float(np.count_nonzero(~possible))


@LAWS.declare(
    "quantum limit",
    "A photon frees at most one electron: by default no current is above that",
    "R <= q wl / (h c)",
    tolerance=1e-9,
    why="roundings",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Receiver),
)
def _quantum_limit(subject: Receiver, example: Example) -> float:
    best = ELEMENTARY_CHARGE_C * example.wl / (PLANCK_J_S * SPEED_OF_LIGHT_UM_S)
    multiplication, _ = subject.model.multiplication()
    found = subject.model.responsivity(example.wl)
    return float(
        max((np.max(np.abs(value) / multiplication - best) for value in found.values()), default=0.0)
    )


@LAWS.declare(
    "linear detection",
    "Currents are in proportion to the responsivity that is set",
    "R(2 r) = 2 R(r)",
    tolerance=1e-12,
    why="roundings",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Receiver) and "responsivity" in subject.parameters,
)
def _linear_detection(subject: Receiver, example: Example) -> float:
    once = float(example.settings["responsivity"])
    one = subject.model.responsivity(example.wl, **example.settings)
    two = subject.model.responsivity(example.wl, **{**example.settings, "responsivity": 2 * once})
    return float(max(np.max(np.abs(two[p] - 2 * np.asarray(one[p]))) for p in one) / max(1.0, once))


STEPS = 40
STEP_S = 1e-13
FAINT_W = 1e-15


def _steps(subject: Any) -> bool:
    return isinstance(subject, Stepped)


@LAWS.declare(
    "finite steps",
    "A nonlinear part in faint light goes on with finite numbers",
    "|b| < inf",
    tolerance=0.0,
    why="nothing: it counts waves that are no numbers",
    source="higham2002",
    applies=_steps,
    every=5,
)
def _finite_steps(subject: Stepped, example: Example) -> float:
    return float(np.count_nonzero(~np.isfinite(_through(subject.model, example, np.sqrt(FAINT_W)))))


def _follows_light(subject: Any) -> bool:
    return isinstance(subject, Stepped) and bool(subject.model.paths) and not subject.model.emits


@LAWS.declare(
    "small signal",
    "Faint light goes through a nonlinear part as through a linear one",
    "b(2 a) = 2 b(a) for a -> 0",
    tolerance=1e-4,
    why="1e-15 W is faint, not nothing",
    source="saleh2019",
    applies=_follows_light,
    every=5,
)
def _small_signal(subject: Stepped, example: Example) -> float:
    faint, double = (_through(subject.model, example, factor * np.sqrt(FAINT_W)) for factor in (1.0, 2.0))
    if not np.isfinite(faint).all():
        return float("nan")
    return float(np.abs(double - 2 * faint).max() / max(np.abs(faint).max(), 1e-3 * np.sqrt(FAINT_W)))


@LAWS.declare(
    "darkness",
    "Without light and without light of its own a part sends nothing out",
    "b = 0 for a = 0",
    tolerance=0.0,
    why="nothing: the dark is exact",
    source="saleh2019",
    applies=_follows_light,
    every=5,
)
def _darkness(subject: Stepped, example: Example) -> float:
    return float(np.abs(_through(subject.model, example, 0.0)).max())


def _through(model: Any, example: Example, amplitude: float) -> Any:
    """Return what leaves all ports after some steps of constant light into the first path, from rest."""
    constants = model.constants(example.settings)[:, 0]
    carriers = np.array([SPEED_OF_LIGHT_UM_S / 1.55])
    state = model.start_state(constants, 1)
    wave = np.zeros((len(model.ports), 1), dtype=np.complex128)
    if model.paths:
        wave[model.ports.index(model.paths[0][0])] = amplitude
    out = np.zeros_like(wave)
    for _ in range(STEPS):
        model.step(state, wave, wave, out, np.tile(constants, 2), carriers, np.zeros(0), STEP_S)
    return out

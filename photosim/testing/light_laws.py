"""Laws of light made and detected."""

from __future__ import annotations

import numpy as np

from photosim.conventions import ELEMENTARY_CHARGE_C, PLANCK_J_S, SPEED_OF_LIGHT_UM_S
from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Light, Receiver


@LAWS.declare(
    "lines of a source",
    "The powers of a source's lines are finite and not negative, and their wavelengths positive and finite",
    "0 <= P < inf, 0 < wl < inf",
    tolerance=0.0,
    why="exact: it counts impossible lines",
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
    "A detector gives at most one electron per photon",
    "R <= q wl / (h c), at the defaults and wherever no responsivity is set by hand",
    tolerance=1e-9,
    why="rounding errors",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Receiver),
)
def _quantum_limit(subject: Receiver, example: Example) -> float:
    best = ELEMENTARY_CHARGE_C * example.wl / (PLANCK_J_S * SPEED_OF_LIGHT_UM_S)
    drawn = {} if "responsivity" in subject.parameters else example.settings
    worst = -np.inf
    for settings in ({}, drawn):
        multiplication, _ = subject.model.multiplication(**settings)
        found = subject.model.responsivity(example.wl, **settings)
        worst = max([worst, *(np.max(np.abs(value) / multiplication - best) for value in found.values())])
    return float(worst)


@LAWS.declare(
    "linear detection",
    "The current is proportional to the responsivity",
    "R(2 r) = 2 R(r)",
    tolerance=1e-12,
    why="rounding errors",
    source="saleh2019",
    applies=lambda subject: isinstance(subject, Receiver) and "responsivity" in subject.parameters,
)
def _linear_detection(subject: Receiver, example: Example) -> float:
    once = float(example.settings["responsivity"])
    one = subject.model.responsivity(example.wl, **example.settings)
    two = subject.model.responsivity(example.wl, **{**example.settings, "responsivity": 2 * once})
    return float(max(np.max(np.abs(two[p] - 2 * np.asarray(one[p]))) for p in one) / max(1.0, once))

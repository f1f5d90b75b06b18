"""Laws of everything with an S-matrix: what no setting and no wavelength may break."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import ROOM_TEMPERATURE_K, SPEED_OF_LIGHT_UM_S
from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Assembly, Formula, Linear, Table, Whole

_ROUNDINGS = "roundings of an S-matrix; beside resonances of a finesse up to 10,000"


def linear(subject: Any) -> bool:
    """Return whether a subject has an S-matrix."""
    return isinstance(subject, Linear)


def passive(subject: Any) -> bool:
    """Return whether a subject has an S-matrix and nothing in it amplifies."""
    return isinstance(subject, Linear) and not subject.active


def sealed(subject: Linear, example: Example) -> bool:
    """Return whether a resonator is so closed, neither coupled nor lossy, that its resonance is 0/0."""
    if not isinstance(subject, Formula):
        return False
    settings = example.settings
    if any(value == 1.0 for name, value in settings.items() if "reflection" in name):
        return not np.isfinite(subject.at(example)).all()
    lossy = "loss_dB" in settings or float(settings.get("radius", 1.0)) > 0
    leaving = [v for n, v in settings.items() if n.startswith("coupling") or (lossy and "loss_dB" in n)]
    return subject.name.startswith("ring_") and max(leaving, default=1) < 1e-15


def gain(s: Any) -> float:
    """Return the largest singular value of S-matrices (W, P, P); nan where one is not finite."""
    return float(np.linalg.norm(s, 2, axis=(-2, -1)).max()) if np.isfinite(s).all() else float("nan")


@LAWS.declare(
    "finiteness",
    "Every element is a number at all settings inside the bounds",
    "|S_ij| < inf",
    tolerance=0.0,
    why="nothing: it counts elements that are no numbers",
    source="haus1984",
    applies=linear,
)
def _finiteness(subject: Linear, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    return float(np.count_nonzero(~np.isfinite(subject.at(example))))


@LAWS.declare(
    "passivity",
    "Nothing without gain sends out more power than came in",
    "largest singular value of S - 1 <= 0",
    tolerance=1e-9,
    why=_ROUNDINGS,
    source="haus1984",
    applies=passive,
)
def _passivity(subject: Linear, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    found = gain(subject.at(example)) - 1.0
    return max(found, gain(subject.table.s) - 1.0) if isinstance(subject, Table) else found


@LAWS.declare(
    "reciprocity",
    "A path transmits the same in both directions",
    "S = S^T",
    tolerance=1e-11,
    why=_ROUNDINGS,
    source="haus1984",
    applies=lambda subject: linear(subject) and subject.reciprocal,
)
def _reciprocity(subject: Linear, example: Example) -> float:
    s = subject.at(example)
    return 0.0 if sealed(subject, example) else float(np.abs(s - np.swapaxes(s, -2, -1)).max())


@LAWS.declare(
    "losslessness",
    "What is declared lossless keeps all power",
    "S^H S = 1",
    tolerance=1e-9,
    why=_ROUNDINGS,
    source="haus1984",
    applies=lambda subject: linear(subject) and subject.lossless_when is not None,
)
def _losslessness(subject: Linear, example: Example) -> float:
    s = subject.at(example, **(subject.lossless_when or {}))
    if sealed(subject, Example(example.wl, {**example.settings, **(subject.lossless_when or {})})):
        return 0.0
    return float(np.abs(np.swapaxes(s, -2, -1).conj() @ s - np.eye(s.shape[-1])).max())


def _has_loss(subject: Any) -> bool:
    return isinstance(subject, Formula) and not subject.active and "loss_dB" in subject.parameters


@LAWS.declare(
    "energy balance",
    "A stated loss of 3.0103 dB leaves half of the power",
    "sum |S(3.0103 dB)|^2 = sum |S(0)|^2 / 2",
    tolerance=1e-6,
    why="3.0103 dB instead of 10 log10(2)",
    source="saleh2019",
    applies=_has_loss,
)
def _energy_balance(subject: Linear, example: Example) -> float:
    mirrors = {n: 0.0 for n in example.settings if "reflection" in n or "isolation" in n}
    full = np.sum(np.abs(subject.at(example, loss_dB=0.0, **mirrors)) ** 2, axis=(-2, -1))
    half = np.sum(np.abs(subject.at(example, loss_dB=3.0103, **mirrors)) ** 2, axis=(-2, -1))
    return float(np.abs(half - full / 2).max())


SWEEP = 0.08
"""Part of the carrier's frequency over which the impulse response is taken."""
POINTS = 1024
EARLY = 10
"""Points of the response, before time 0, that the window of the sweep spreads over."""


@LAWS.declare(
    "causality",
    "Nothing leaves before it has entered",
    "h(t) = 0 for t < 0",
    tolerance=1e-2,
    why="the window of a sweep over 8 % of the frequency, and models that hold in a band only",
    source="haus1984",
    applies=lambda subject: linear(subject) and not isinstance(subject, Table),
    every=10,
)
def _causality(subject: Linear, example: Example) -> float:
    centre = SPEED_OF_LIGHT_UM_S / float(example.wl[0])
    frequency = centre * (1.0 + SWEEP * (np.arange(POINTS) / POINTS - 0.5))
    # A phase that is set stands for a piece of guide: a negative one would be a negative length.
    settings = {n: abs(v) if n.startswith("phase") else v for n, v in example.settings.items()}
    # A slope in wavelength holds near wl0 only: over the sweep its amplitude alone would answer early.
    settings |= {n: 0.0 for n in settings if n.endswith("_slope")}
    s = subject.s(SPEED_OF_LIGHT_UM_S / frequency, settings)
    if not np.isfinite(s).all():
        return 0.0 if sealed(subject, example) else float("nan")
    # exp(-i omega t): a delay tau turns the phase by +omega tau, so time is the forward transform's index.
    window = np.blackman(POINTS)[:, None, None]
    response = np.abs(np.fft.fft(s * window, axis=0)) ** 2
    early = response[POINTS - POINTS // 4 : POINTS - EARLY].sum(axis=0)
    total = response.sum(axis=0)
    # What is later, or rings for longer, than the sweep can tell comes round: no statement about it.
    turns = np.abs(np.angle(s[1:] * s[:-1].conj()))
    strong = np.abs(s[1:]) > 1e-3
    told = np.max(np.where(strong, turns, 0.0), axis=0) < np.pi / 2
    late = response[POINTS // 2 : POINTS - POINTS // 4].sum(axis=0)
    clear = told & (total > 1e-12 * POINTS**2) & (late < 1e-6 * total)
    return float(np.max(np.where(clear, early / np.maximum(total, 1e-300), 0.0)))


def _settled(subject: Any) -> bool:
    return isinstance(subject, Formula | Assembly) and bool(subject.parameters)


def _moved(subject: Linear, example: Example, name: str, size: float) -> tuple[Any, Any]:
    """Return S at a setting, and at one that is moved by a part of its span, inside of it."""
    from photosim.testing.draws import span

    low, high = span(subject.parameters[name], getattr(subject, "model", None))
    step = size * (high - low)
    start = float(example.settings[name])
    moved = start + step if start + step <= high else start - step
    return subject.at(example), subject.at(example, **{name: moved})


@LAWS.declare(
    "continuity",
    "A small change of a setting makes a small change",
    "|S(p + h) - S(p)| -> 0 with h -> 0",
    tolerance=0.05,
    why="slopes: a step of 1e-13 of the span moves the steepest resonance by less",
    source="haus1984",
    applies=_settled,
    every=5,
)
def _continuity(subject: Linear, example: Example) -> float:
    names = [n for n, p in subject.parameters.items() if p.kind == "real" and not p.structural]
    if not names or sealed(subject, example):
        return 0.0
    name = names[example.seed % len(names)]
    here, near = _moved(subject, example, name, 1e-13)
    if not np.isfinite(here).all() or not np.isfinite(near).all():
        return 0.0
    return float(np.abs(near - here).max())


def is_guide(subject: Any) -> bool:
    """Return whether a subject is a guide: two matched ports, a length, an index and a group index."""
    if not isinstance(subject, Formula) or len(subject.ports) != 2 or subject.active:
        return False
    own = set(subject.parameters)
    extra = {
        "loss_dB",
        "phase",
        "power",
        "voltage",
        "resistance",
        "current",
        "reflection",
        "delay",
        "angle",
        "turns",
    }
    return {"length", "ng", "neff"} <= own and not own & extra


@LAWS.declare(
    "composition",
    "Two halves of a guide are the whole guide",
    "S21(L) = S21(L/2)^2",
    tolerance=1e-10,
    why="roundings of phases of thousands of radians",
    source="saleh2019",
    applies=is_guide,
)
def _composition(subject: Linear, example: Example) -> float:
    length = float(example.settings["length"])
    whole = subject.at(example)[:, 1, 0]
    half = subject.at(example, length=length / 2)[:, 1, 0]
    return float(np.abs(whole - half**2).max())


@LAWS.declare(
    "group delay",
    "Light travels along a guide with the group velocity",
    "tau = n_g L / c at the guide's own wavelength",
    tolerance=1e-5,
    why="central differences of the phase",
    source="saleh2019",
    applies=is_guide,
    every=2,
)
def _group_delay(subject: Linear, example: Example) -> float:
    wl0, length = float(example.settings.get("wl0", 1.55)), float(example.settings["length"])
    frequency = SPEED_OF_LIGHT_UM_S / wl0 * (1.0 + np.array([-1e-7, 1e-7]))
    sizes = ("delta_width", "delta_height", "width", "height")
    drawn = {name: subject.parameters[name].default for name in sizes if name in subject.parameters}
    s = subject.s(SPEED_OF_LIGHT_UM_S / frequency, {**example.settings, **drawn})[:, 1, 0]
    delay = np.angle(s[1] / s[0]) / (2 * np.pi * (frequency[1] - frequency[0]))
    ng = float(example.settings["ng"])
    warm = float(example.settings.get("temperature", 0.0)) != 0.0 and "dneff_dT" in example.settings
    if warm:
        ng += float(example.settings["dneff_dT"]) * (
            float(example.settings["temperature"]) - ROOM_TEMPERATURE_K
        )
    expected = ng * length / SPEED_OF_LIGHT_UM_S
    return float(abs(delay - expected) / max(10.0 / SPEED_OF_LIGHT_UM_S, expected))


@LAWS.declare(
    "composition of a circuit",
    "A circuit is what its parts' waves and connections say, solved densely",
    "b = S a, a = C b + e",
    tolerance=1e-9,
    why=_ROUNDINGS,
    source="haus1984",
    applies=lambda subject: isinstance(subject, Whole),
    every=20,
)
def _circuit(subject: Whole, example: Example) -> float:
    from photosim.testing.dense import dense

    return float(np.abs(dense(subject.circuit, example.wl) - subject.at(example)).max())

"""Laws of everything with an S-matrix: what no setting and no wavelength may break."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import ClosedForm
from photosim.testing.draws import span
from photosim.testing.law import LAWS, Example
from photosim.testing.subjects import Assembly, Formula, Linear, Table, Whole

_ROUNDINGS = "rounding errors of an S-matrix near resonances with a finesse of up to 10,000"


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
    around = float(settings.get("radius", 1.0))
    lost = [
        v * (min(around, 1.0) if n == "loss_dB_cm" else 1.0) for n, v in settings.items() if "loss_dB" in n
    ]
    leaving = [v for n, v in settings.items() if n.startswith("coupling")] + lost
    return subject.name.startswith("ring_") and max(leaving, default=1) < 1e-15


def gain(s: Any) -> float:
    """Return the largest singular value of S-matrices (W, P, P); nan where one is not finite."""
    return float(np.linalg.norm(s, 2, axis=(-2, -1)).max()) if np.isfinite(s).all() else float("nan")


@LAWS.declare(
    "finiteness",
    "Every S-matrix element is a finite number for all settings inside the bounds",
    "|S_ij| < inf",
    tolerance=0.0,
    why="exact: it counts elements that are not finite",
    source="haus1984",
    applies=linear,
)
def _finiteness(subject: Linear, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    return float(np.count_nonzero(~np.isfinite(subject.at(example))))


@LAWS.declare(
    "passivity",
    "A component without declared gain sends out at most as much power as enters it",
    "largest singular value of S - 1 <= 0",
    tolerance=1e-9,
    why=_ROUNDINGS,
    source="haus1984",
    applies=passive,
    refusal=True,
)
def _passivity(subject: Linear, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    found = gain(subject.at(example)) - 1.0
    return max(found, gain(subject.table.s) - 1.0) if isinstance(subject, Table) else found


@LAWS.declare(
    "reciprocity",
    "A reciprocal component transmits the same in both directions",
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
    "A component that `lossless_when` declares lossless keeps all power",
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


SWEEP = 0.08
"""Part of the carrier's frequency over which the impulse response is taken."""
POINTS = 1024
EARLY = 10
"""Points of the response, before time 0, that the window of the sweep spreads over."""


@LAWS.declare(
    "causality",
    "The impulse response, from a sweep over 8 % of the frequency, is zero before time 0",
    "h(t) = 0 for t < 0",
    tolerance=1e-2,
    why="the window of a sweep over 8 % of the frequency, and models that are valid only in a band",
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
    if "v_pi" in settings:  # beyond a turn the arms of a pair would be longer than the model, and one early
        most = float(settings["v_pi"])
        volts = [n for n in settings if subject.parameters[n].unit == "V" and n != "v_pi"]
        settings |= {n: float(np.clip(settings[n], -most, most)) for n in volts}
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
    strong = np.abs(s[1:]) > 1e-3 * np.abs(s).max(axis=0)
    told = np.max(np.where(strong, turns, 0.0), axis=0) < np.pi / 2
    told &= _resolved(subject, settings, frequency)
    late = response[POINTS // 2 : POINTS - POINTS // 4].sum(axis=0)
    clear = told & (total > 1e-12 * POINTS**2) & (late < 1e-6 * total)
    return float(np.max(np.where(clear, early / np.maximum(total, 1e-300), 0.0)))


FINER = 32
"""Steps within one of the sweep, by which a delay beyond its record, which comes round, is known."""


def _resolved(subject: Linear, settings: dict[str, Any], frequency: Any) -> Any:
    """Return which paths (P, P) turn by less than a quarter from one point of a sweep to the next."""
    places, step = frequency[::16], (frequency[1] - frequency[0]) / FINER
    here, near = (subject.s(SPEED_OF_LIGHT_UM_S / grid, settings) for grid in (places, places + step))
    turns = FINER * np.abs(np.angle(near * here.conj()))
    return np.max(np.where(np.abs(here) > 1e-3 * np.abs(here).max(axis=0), turns, 0.0), axis=0) < np.pi / 2


def _settled(subject: Any) -> bool:
    return isinstance(subject, Formula | Assembly) and bool(subject.parameters)


def _neighbour(subject: Linear, example: Example, name: str) -> Any:
    """Return S at a setting that is moved by 1e-13 of its span, inside of it."""
    low, high = span(subject.parameters[name], getattr(subject, "model", None))
    step, start = 1e-13 * (high - low), float(example.settings[name])
    return subject.at(example, **{name: start + step if start + step <= high else start - step})


def _open(subject: Linear, example: Example) -> Example:
    """Return an example a little inside all spans for a circuit, whose loops may be closed at an end: 0/0."""
    if not isinstance(subject, Assembly):
        return example
    settings = dict(example.settings)
    for name, parameter in subject.parameters.items():
        low, high = span(parameter, subject.model)
        settings[name] = float(np.clip(settings[name], low + 1e-3 * (high - low), high - 1e-3 * (high - low)))
    return Example(example.wl, settings, example.seed)


@LAWS.declare(
    "continuity",
    "A small change of any setting makes a small change of the S-matrix",
    "|S(p + h) - S(p)| -> 0 with h -> 0",
    tolerance=0.05,
    why="a step of 1e-13 of the span changes the steepest resonance by less",
    source="haus1984",
    applies=_settled,
    every=10,
)
def _continuity(subject: Linear, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    example, worst = _open(subject, example), 0.0
    here = subject.at(example)
    for name in (n for n, p in subject.parameters.items() if p.kind == "real" and not p.structural):
        near = _neighbour(subject, example, name)
        if np.isfinite(here).all() and np.isfinite(near).all():
            worst = max(worst, float(np.abs(near - here).max()))
    return worst


@LAWS.declare(
    "composition of a circuit",
    "The engine and a dense solution of a circuit agree",
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


def _derived(subject: Any) -> bool:
    return isinstance(subject, Whole) and bool(_numbers(subject.circuit))


def _numbers(circuit: Any) -> list[str]:
    """Return the settings of a circuit's closed forms that are real numbers: it has derivatives by these."""
    found = []
    for part in circuit.graph.parts:
        if isinstance(part.model, ClosedForm):
            real = [n for n, p in part.model.parameters.items() if p.kind == "real" and not p.structural]
            written = (f"{part.name}.{name}" for name in real if name in part.written)
            found += [name for name in written if isinstance(circuit.parameters.get(name), float)]
    return found


@LAWS.declare(
    "gradient of a circuit",
    "The derivative of a circuit's power with respect to every setting is the limit of a finite difference",
    "dL/dp = lim (L(p + h) - L(p - h)) / 2h",
    tolerance=1e-4,
    why="central differences with a step of 1e-6 near resonances",
    source="griewank2008",
    applies=_derived,
    every=10,
)
def _circuit_gradient(subject: Whole, example: Example) -> float:
    names = _numbers(subject.circuit)
    name = names[example.seed % len(names)]
    start = float(subject.circuit.parameters[name])
    # At an end of its bounds a setting has a slope on one side, and a root none at all.
    step = 1e-6 * max(abs(start), 1e-3)
    middle = start + (2 * step if start == 0.0 else 0.0)

    at: dict[str, Any] = {name: middle}

    def loss(s: Any) -> tuple[float, Any]:
        return float(np.sum(np.abs(s.values) ** 4)), 4.0 * np.abs(s.values) ** 2 * s.values

    try:
        _, slopes = subject.circuit.value_and_grad(loss, wl=example.wl, parameters=[name], **at)
        ends = [loss(subject.circuit(example.wl, **{**at, name: middle + h}))[0] for h in (step, -step)]
    except ParameterError:
        return 0.0  # another setting stands for it, or a bound is in the way
    expected = (ends[0] - ends[1]) / (2 * step)
    # A slope is felt where it moves the sum by more than its rounding.
    return float(abs(slopes[name] - expected) / (1.0 + abs(expected) + 1e-9 / step))

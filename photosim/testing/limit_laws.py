"""Laws at limits: no coupling and full coupling, a full turn, the ends of a window, sharp bends."""

from __future__ import annotations

from typing import Any

import numpy as np

from photosim.errors import PhotosimError
from photosim.model import Numerical
from photosim.model.windows import WAVELENGTH
from photosim.testing.draws import span
from photosim.testing.law import LAWS, Example
from photosim.testing.linear_laws import gain, sealed
from photosim.testing.subjects import Assembly, Formula, Linear, Table

FOUR = ("o1", "o2", "o3", "o4")


def _couples(subject: Any) -> bool:
    """Return whether a subject is a 2x2 part, bar o1 to o4, whose power of coupling is a setting."""
    return isinstance(subject, Formula) and subject.ports == FOUR and "coupling" in subject.parameters


def _quiet(subject: Linear, example: Example, **settings: Any) -> Any:
    """Return S at the wavelength of the settings, without reflections."""
    off = {n: 0.0 for n in subject.parameters if "reflection" in n}
    wl = np.array([float(example.settings.get("wl0", example.wl[0]))])
    return subject.s(wl, {**example.settings, **off, **settings})


@LAWS.declare(
    "coupling 0",
    "No light crosses a coupler of coupling 0",
    "S(o1 to o2) = S(o1 to o3) = 0 at a coupling of 0",
    tolerance=1e-12,
    why="rounding errors",
    source="yariv2000",
    applies=_couples,
)
def _no_coupling(subject: Linear, example: Example) -> float:
    off = {n: 0.0 for n in subject.parameters if n.startswith("coupling")}
    if sealed(subject, Example(example.wl, {**example.settings, **off})):
        return 0.0
    s = _quiet(subject, example, **off)
    return float(np.abs(s[:, [1, 2], 0]).max())


def _crosses(subject: Any) -> bool:
    return _couples(subject) and "coupling_drop" not in subject.parameters


@LAWS.declare(
    "coupling 1",
    "All light crosses a coupler of coupling 1",
    "S(o1 to o4) = 0 at a coupling of 1",
    tolerance=1e-7,
    why="the square root of the rounding error of 1 - 1",
    source="yariv2000",
    applies=_crosses,
)
def _full_coupling(subject: Linear, example: Example) -> float:
    return float(np.abs(_quiet(subject, example, coupling=1.0)[:, 3, 0]).max())


def _phases(subject: Any) -> list[str]:
    if not isinstance(subject, Formula | Assembly):
        return []
    found = subject.parameters.items()
    return [n for n, p in found if p.unit == "rad" and n.startswith("phase") and p.kind == "real"]


@LAWS.declare(
    "full turn",
    "A phase larger by 2 pi gives the same powers",
    "|S(phase + 2 pi)| = |S(phase)| at wl0",
    tolerance=1e-9,
    why="rounding errors of an S-matrix near resonances with a finesse of up to 10,000",
    source="saleh2019",
    applies=lambda subject: bool(_phases(subject)),
)
def _full_turn(subject: Linear, example: Example) -> float:
    worst = 0.0
    for name in _phases(subject):
        start = float(example.settings[name])
        turned = start + (2 * np.pi if start < 0 else -2 * np.pi)
        first, second = (_quiet(subject, example, **{name: value}) for value in (start, turned))
        if np.isfinite(first).all():
            worst = max(worst, float(np.abs(np.abs(first) - np.abs(second)).max()))
    return worst


def _windowed(subject: Any) -> bool:
    windows = getattr(getattr(subject, "model", None), "windows", ())
    own = any(window.of == WAVELENGTH for window in windows)
    return isinstance(subject, Table) or (isinstance(subject, Formula | Assembly) and own)


@LAWS.declare(
    "edges of the window",
    "A model is valid up to both ends of its wavelength window",
    "S(end) is finite, passive, and the limit of S inside",
    tolerance=1e-5,
    why="one rounding error of the wavelength changes the phase of a kilometre of fibre by this",
    source="higham2002",
    applies=_windowed,
    every=5,
)
def _edges(subject: Linear, example: Example) -> float:
    low, high = subject.band or (1.55, 1.55)
    ends = np.array([low, high])
    inside = np.nextafter(ends, ends[::-1])
    at_end, near = (subject.s(wl, example.settings) for wl in (ends, inside))
    if not np.isfinite(at_end).all():
        return 0.0 if sealed(subject, example) else float("nan")
    excess = 0.0 if subject.active or isinstance(subject, Table) else gain(at_end) - 1.0
    return max(excess, float(np.abs(at_end - near).max()))


ZOOMS = 8
FIRST, GRID = 65, 17


def _bends(subject: Any) -> bool:
    return isinstance(subject, Formula | Assembly) and bool(_smooth(subject))


def _smooth(subject: Linear) -> list[str]:
    """Return the settings that should act smoothly: not those that a converter holds in stated steps."""
    model = getattr(subject, "model", None)
    own = subject.parameters
    real = [
        n for n, p in own.items() if p.kind == "real" and not p.structural and np.ptp(span(p, model)) > 0.0
    ]
    return [n for n in real if f"{n}_step" not in own and not n.endswith("_step")]


@LAWS.declare(
    "smoothness",
    "The S-matrix has no kink over any setting",
    "S'(p + h) - S'(p) -> 0 with h -> 0",
    tolerance=0.1,
    why="the narrowest lines are 1e-7 of the span wide, and the last step is 1e-8 of it",
    source="higham2002",
    applies=_bends,
    every=50,
)
def _smoothness(subject: Linear, example: Example) -> float:
    if sealed(subject, example):
        return 0.0
    names = _smooth(subject)
    if not isinstance(subject, Formula):
        names = [names[example.seed % len(names)]]
    return max(_sharpest(subject, example, name) for name in names)


def _sharpest(subject: Linear, example: Example, name: str) -> float:
    """Return how much of the largest change of slope is left at the finest step: 1 at a bend, else 0."""
    low, high = span(subject.parameters[name], getattr(subject, "model", None))
    width, wl = high - low, example.wl[:1]
    if subject.parameters[name].unit == "rad":  # a driver holds a phase within a turn, which is none at wl0
        wl = np.array([float(example.settings.get("wl0", wl[0]))])
    first, last = 0.02, 0.98  # at its very ends a formula may have a slope on one side, as a root has
    largest = 1e-3
    change = moved = 0.0
    for zoom in range(ZOOMS):
        places = np.linspace(first, last, GRID if zoom else FIRST)
        s = _along(subject, wl, example, name, low + width * places)
        if s is None or not np.isfinite(s).all():
            return 0.0
        step = places[1] - places[0]
        second = np.abs(np.diff(s, 2, axis=0)).max(axis=(1, 2)) / step
        at = int(second.argmax())
        change = float(second[at])
        # A step of rounding is not a bend.
        largest = max(largest, change, 1e-11 / step)
        first, last = float(places[at]), float(places[at + 2])
        moved = float(np.abs(np.diff(s, axis=0)).max())
    return change / largest if moved < 0.5 else 0.0  # still steep at the finest step: nothing is known


def _along(subject: Linear, wl: Any, example: Example, name: str, values: Any) -> Any:
    """Return S (B, P, P) along a setting, None where it cannot be had."""
    try:
        if isinstance(getattr(subject, "model", None), Numerical):
            return np.array([subject.s(wl, {**example.settings, name: float(v)})[0] for v in values])
        s = subject.s(wl, {**example.settings, name: values})
        return s[:, 0] if s.ndim == 4 else None  # a setting that the S-matrix does not depend on
    except PhotosimError:
        return None

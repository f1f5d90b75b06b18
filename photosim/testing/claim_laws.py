"""Laws of what a declaration claims: a real response, ports that can be exchanged, Kramers and Kronig."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model.algebra import NUMPY
from photosim.testing.law import LAWS, Example
from photosim.testing.linear_laws import sealed
from photosim.testing.subjects import Formula, Linear, Table


def _claimed(subject: Any, claim: str) -> Any:
    """Return what the component behind a subject claims, None where it claims nothing."""
    return getattr(getattr(subject, "model", None), claim, None)


@LAWS.declare(
    "reality",
    "A component that `real_when` declares real answers a real signal with a real signal",
    "S(-f) = S*(f)",
    tolerance=1e-9,
    why="rounding errors of phases of thousands of radians",
    source="oppenheim2010",
    applies=lambda subject: isinstance(subject, Formula) and _claimed(subject, "real_when") is not None,
)
def _reality(subject: Formula, example: Example) -> float:
    settings = {**example.settings, **_claimed(subject, "real_when")}
    s = subject.at(example, **settings)
    mirrored = np.zeros_like(s)
    for (a, b), value in subject.model.entries(NUMPY, -example.wl, settings).items():
        mirrored[:, subject.ports.index(b), subject.ports.index(a)] = value
    return float(np.abs(mirrored - s.conj()).max())


@LAWS.declare(
    "exchange of ports",
    "The S-matrix stays the same under the exchange of ports that `symmetries` declares",
    "S = P S P^T",
    tolerance=1e-9,
    why="rounding errors of an S-matrix near resonances with a finesse of up to 10,000",
    source="pozar2012",
    applies=lambda subject: isinstance(subject, Linear) and bool(_claimed(subject, "symmetries")),
)
def _exchange(subject: Linear, example: Example) -> float:
    worst = 0.0
    for order, settings in _claimed(subject, "symmetries").items():
        at = Example(example.wl, {**example.settings, **settings})
        if sealed(subject, at):
            continue
        s, places = subject.at(at), [subject.ports.index(port) for port in order]
        off = np.abs(s - s[:, places][:, :, places]).max()
        worst = float(off) if np.isnan(off) else max(worst, float(off))
    return worst


SPANS = tuple(0.08 / 8**k for k in range(7))
"""Sweeps in parts of the carrier's frequency: a line of any width is resolved by one of them."""
POINTS = 1024
NEAR = 12
"""Points of the response around time 0 that the window of the sweep spreads over."""


@LAWS.declare(
    "Kramers-Kronig",
    "Absorption and phase fulfil the Kramers-Kronig relations where `kramers_kronig_when` declares it",
    "arg S(f) - 2 pi f tau = H[ln |S|](f)",
    tolerance=1e-2,
    why="the window of each sweep, and line shapes that are valid only near a resonance",
    source="saleh2019",
    applies=lambda subject: (
        isinstance(subject, Formula) and _claimed(subject, "kramers_kronig_when") is not None
    ),
    every=5,
)
def _kramers_kronig(subject: Formula, example: Example) -> float:
    """The transform to time of ln S, less a delay, is 0 before time 0: that is the relation, in time."""
    settings = {**example.settings, **_claimed(subject, "kramers_kronig_when")}
    centre = SPEED_OF_LIGHT_UM_S / float(settings.get("wl0", example.wl[0]))
    worst = 0.0
    for span in SPANS:
        steps = span * (np.arange(POINTS) / POINTS - 0.5)
        s = subject.s(SPEED_OF_LIGHT_UM_S / (centre * (1.0 + steps)), settings)
        if not np.isfinite(s).all():
            return 0.0 if sealed(subject, Example(example.wl, settings)) else float("nan")
        for path in np.argwhere(np.abs(s).min(axis=0) > 1e-9):
            worst = max(worst, _before_time_0(s[:, *path], steps))
    return worst


def _before_time_0(s: Any, steps: Any) -> float:
    """Return the part of ln S that comes before time 0, 0 where a sweep says nothing about it."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(np.abs(s)) + 1j * np.unwrap(np.angle(s))
    if np.abs(np.diff(logarithm)).max() > np.pi / 2:  # a delay or a line too sharp for this sweep
        return 0.0
    fit = np.polynomial.polynomial.polyfit(steps / steps[0], logarithm, 1)
    logarithm -= np.polynomial.polynomial.polyval(steps / steps[0], fit)
    response = np.abs(np.fft.fft(logarithm * np.blackman(POINTS))) ** 2
    half = POINTS // 2
    late, early = response[NEAR : half // 2].sum(), response[-half // 2 : -NEAR].sum()
    aliased, total = response[half // 2 : -half // 2].sum(), response.sum()
    seen = total > 1e-8 * POINTS**2 and late + early > 1e-2 * total
    sure = seen and aliased < 1e-4 * (late + early)
    return float(early / (late + early)) if sure else 0.0


@LAWS.declare(
    "ports of a table",
    "No two ports of a table are exchanged",
    "|S - S^T| is not mended by exchanging two rows of S",
    tolerance=0.1,
    why="differences between two runs of a field solver",
    source="pozar2012",
    applies=lambda subject: isinstance(subject, Table),
    every=20,
)
def _ports_of_table(subject: Table, example: Example) -> float:
    del example
    s = subject.table.s
    found = _asymmetry(s)
    for a, b in combinations(range(s.shape[-1]), 2):
        rows = list(range(s.shape[-1]))
        rows[a], rows[b] = b, a
        mended = s[:, rows]
        # Rows of an isolator exchanged are symmetric too, and reflect: that is not a mistake of its names.
        back = np.abs(np.diagonal(mended, axis1=1, axis2=2)).max()
        if (
            back <= max(0.3, np.abs(np.diagonal(s, axis1=1, axis2=2)).max())
            and _asymmetry(mended) < 0.1 * found
        ):
            return found
    return 0.0


def _asymmetry(s: Any) -> float:
    return float(np.abs(s - np.swapaxes(s, -2, -1)).max())

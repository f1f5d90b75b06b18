"""The steady state in which a run begins: light and settings at their first values, until nothing moves.

Before time 0 every signal had its first value for ever. What is stepped, a loop or a nonlinear part, finds
the state that belongs to it by relaxation from the dark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.timedomain.stepping import Begin, Stepper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]

STEADY = 1e-6
"""Change of waves and states over a stretch, relative to their size, below which they are steady."""
_FIRST, _LONGEST = 1 << 8, 1 << 22
"""Samples of the first stretch, each next one being twice as long, and of all together."""
_RISE = 8
"""Steps in which light is turned up from the dark, so that a bistable part stays on its lower branch."""
_APART = 1e-3
"""Difference of two steady states, relative to their size, from which they are two."""
_TELLING = 1 << 11
"""Samples from which on a stretch tells by itself that nothing changes; in a shorter one less may change."""
_PATIENCE = 10.0
"""Seconds of looking for a steady state before it is said how long that may take."""
_ALIKE, _SEEN = 1e-9, 1e-3
"""Angles in rad by which turns of light from sample to sample may differ, and by which a stretch turns."""
_LONGEST_DELAY = 1 << 12
"""Samples of a delay while a steady state is searched: what stands still does not know how long it is."""


@dataclass(frozen=True)
class Steady:
    """A steady state, or how far it was missed: `residual` is the change over the last stretch.

    begin: None where none was found.  bistable: whether falling light ends in another state.
    """

    begin: Begin | None
    residual: float
    bistable: bool = False
    dark: bool = False


def steady(stepper: Stepper, first: ComplexArray, *, nonlinear: bool) -> Steady:
    """Return the steady state for light (1, ins, carriers) that has been the same for ever.

    Linear loops have one; light into nonlinear parts is turned up in steps, and then also turned down from
    twice its amplitude, to see whether there is another state.
    """
    found = _found(stepper.shortened(_LONGEST_DELAY), first, nonlinear=nonlinear)
    return found if found.begin is None else replace(found, begin=stepper.lasting(found.begin))


def known(stepper: Stepper, first: ComplexArray, settled: Callable[..., Any]) -> Steady:
    """Return the steady state of one part that knows its own, for light (1, ins, carriers), without time.

    There is none where the light beats with its own. The residual is that of the waves that the steps then
    make.
    """
    states = settled(stepper.parts[0].constants[:, 0], first[0], stepper.clock.carriers)
    if not len(states):
        return Steady(None, np.inf)
    begin, nothing = replace(stepper.rest(), state=np.array(states[0])), np.zeros((1, 0))
    if np.array_equal(begin.state, stepper.rest().state):
        return Steady(begin, 0.0, dark=True)
    incoming = np.repeat(first, _FIRST, axis=0)
    left, _, after = stepper.advance(begin, incoming, stepper.first_constants(), nothing, record=False)
    residual = float(np.abs(left - left[-1]).max()) / max(float(np.abs(left).max()), 1e-300)
    return Steady(stepper.held(after), residual, bistable=len(states) > 1)


def _found(stepper: Stepper, first: ComplexArray, *, nonlinear: bool) -> Steady:
    """Return the steady state of a group whose delays are short."""
    begin = stepper.rest()
    nonlinear = nonlinear and bool(first.any())
    try:
        if nonlinear:
            begin = _turned(stepper, begin, first, np.arange(1, _RISE) / _RISE)
        found = _relaxed(stepper, begin, first, STEADY, _LONGEST)
        if found.begin is None or not nonlinear:
            return found
        above = _turned(stepper, found.begin, first, 1 + np.arange(1, 2 * _RISE)[::-1] / _RISE)
        other = _relaxed(stepper, above, first, STEADY, _LONGEST)
    except ParameterError:  # steps that do not stay finite: the run itself says so
        return Steady(None, np.inf)
    if other.begin is None:
        return found
    apart = _change(found.begin, other.begin, np.abs(found.begin.state)) > _APART
    return Steady(found.begin, found.residual, bistable=apart)


def _turned(stepper: Stepper, begin: Begin, first: ComplexArray, scales: NDArray[np.float64]) -> Begin:
    """Return the state after light of rising or falling amplitudes, each for long enough to follow."""
    for scale in scales:
        after = _relaxed(stepper, begin, first * scale, _APART, _LONGEST >> 4)
        begin = after.begin or begin
    return begin


def _relaxed(stepper: Stepper, begin: Begin, light: ComplexArray, tolerance: float, longest: int) -> Steady:
    """Return the state that constant light ends in; two stretches on end must change nothing.

    The memory of what is linear then follows from the waves, to the last bit of them. There is none where
    two stretches on end turn alike: a laser under its own light has a frequency of its own.
    """
    constants, silence = stepper.first_constants(), np.zeros((1, 0))
    largest = np.abs(begin.state)
    length, total, calm, residual = _FIRST, 0, 0, np.inf
    began, since = 0.0, 0
    turn: NDArray[np.float64] | None = None
    while total < longest:
        took = process_time() - began
        if since and took > _PATIENCE:
            ahead = took / (total - since) * (longest - total)
            stepper.pace.judge(took, ahead, "finding the first state takes up to")
        elif total and not since:  # the first stretch may have compiled the steps
            began, since = process_time(), total
        incoming = np.repeat(light, length, axis=0)
        left, _, after = stepper.advance(begin, incoming, constants, silence, record=False)
        largest = np.maximum(largest, np.abs(after.state))
        residual = _change(begin, after, largest)
        begin, total, length = after, total + length, min(2 * length, 1 << 17)
        calm = calm + 1 if residual <= tolerance * min(1.0, len(incoming) / _TELLING) else 0
        if calm == 2:
            return Steady(stepper.held(begin), residual)
        before, turn = turn, _turn(left) if len(left) >= _TELLING else None
        alike = before is not None and turn is not None and np.abs(turn - before).max() <= _ALIKE
        if alike and turn is not None and np.abs(turn).max() * len(left) > _SEEN:
            break
    return Steady(None, residual)


def _turn(waves: ComplexArray) -> NDArray[np.float64] | None:
    """Return the angles in rad (outs, carriers) by which waves of steady power turn from sample to sample.

    None where power or angle change within the later half of the stretch.
    """
    late = waves[len(waves) // 2 :]
    size = np.abs(late)
    largest = max(float(size.max()), 1e-300)
    turn = np.angle((late[1:] * late[:-1].conj()).sum(axis=0))
    changes = float((size.max(axis=0) - size.min(axis=0)).max()) > STEADY * largest
    strays = float(np.abs(late[1:] - late[:-1] * np.exp(1j * turn)).max()) > _ALIKE * largest
    return None if changes or strays else np.where(size[-1] > STEADY * largest, turn, 0.0)


def _change(before: Begin, after: Begin, largest: NDArray[np.float64]) -> float:
    """Return the largest difference of two states, relative to the waves and to the largest of each."""
    waves = max(float(np.abs(after.past).max()), float(np.abs(before.past).max()), 1e-300)
    # The waves before hold a stretch of their own: its spread is that of light which does not stand still.
    found = float(np.abs(after.past[-1] - before.past[-1]).max()) / waves
    found = max(found, float(np.abs(after.past - after.past[-1]).max()) / waves)
    if after.state.size:
        size = np.maximum(largest, max(1e-15 * float(largest.max()), 1e-300))
        found = max(found, float((np.abs(after.state - before.state) / size).max()))
    return found

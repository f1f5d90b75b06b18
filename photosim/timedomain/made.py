"""What parts make of light in each step: harmonics beyond the band are refused, in loops too.

A step knows its light at the samples only, and what it makes beyond half of the sample rate would be mirrored
into the band. So a part is stepped once more on a finer clock, by itself, with all light that reached it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.model import Nonlinear
from photosim.timedomain.beats import FINER, NARROW, check_driven, finer, finer_drives, worst_made
from photosim.timedomain.content import check_band, moves, within
from photosim.timedomain.stepping import Begin, Clock, Stepped, Stepper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.drives import Drives

    ComplexArray = NDArray[np.complex128]

_NEAR = 0.2
"""Part of the sample rate within which light makes no harmonics beyond the band that would not show there."""
_LEAST = 64
"""Samples below which nothing is known of frequencies."""


def check_made(
    drives: Drives, stepper: Stepper, incoming: ComplexArray, outgoing: ComplexArray, begin: Begin
) -> dict[str, float]:
    """Raise ParameterError where a part of a group has made light beyond the band.

    incoming: all that reached its parts (T, ins, carriers).  outgoing: what left them (T, outs, carriers).
    Returns the largest field beyond the band over the largest, by part.
    """
    first_in = first_out = state = 0
    worst: dict[str, float] = {}
    for part in stepper.parts:
        ins, outs = len(part.element.arrivals), len(part.element.departures)
        arrived = incoming[:, first_in : first_in + ins]
        left = outgoing[:, first_out : first_out + outs]
        own = begin.state[state : state + part.start.size]
        first_in, first_out, state = first_in + ins, first_out + outs, state + part.start.size
        what = f"the light out of {part.element.name!r}"
        if part.element.kind == "nonlinear":
            found = _check_nonlinear(drives, stepper.clock, part, arrived, left, own, what)
            worst[part.element.name] = found
        elif part.element.kind != "delay":
            for c, carrier in enumerate(stepper.clock.carriers.tolist()):
                light = {k: np.ascontiguousarray(arrived[:, k, c]) for k in range(ins)}
                found = check_driven(drives, part.element, carrier, light, what)
                worst[part.element.name] = max(found, worst.get(part.element.name, 0.0))
    return worst


def _check_nonlinear(
    drives: Drives,
    clock: Clock,
    part: Stepped,
    arrived: ComplexArray,
    left: ComplexArray,
    state: NDArray[np.float64],
    what: str,
) -> float:
    rows = _rows(left)
    for row in rows:
        check_band(row, clock.sample_rate, what)
    if all(_slow(row) for row in [*rows, *_rows(arrived)]):
        return 0.0
    fine = Clock(FINER * clock.samples, FINER * clock.sample_rate, clock.carriers, None)
    alone = Stepper([replace(part, constants=_constants(drives, part))], [], fine)
    begin = Begin(state, np.zeros(0, complex), np.zeros((1, left.shape[1], left.shape[2]), complex))
    light = np.ascontiguousarray(np.moveaxis(finer(np.moveaxis(arrived, 0, -1)), -1, 0))
    out, _, _ = alone.advance(begin, light, alone.constants(), np.zeros((1, 0)), record=False)
    return max((worst_made(row, clock.sample_rate, what) for row in _rows(out)), default=0.0)


def _rows(waves: ComplexArray) -> list[ComplexArray]:
    """Return waves (T, ports, carriers) one by one, each (T,)."""
    return [np.ascontiguousarray(row) for row in waves.reshape(len(waves), -1).T]


def _slow(wave: ComplexArray) -> bool:
    """Return whether a wave (T,) lies so near to its carrier that its harmonics would be seen in the band."""
    return wave.size < _LEAST or not moves(wave) or within(wave, _NEAR, NARROW)


def _constants(drives: Drives, part: Stepped) -> Any:
    """Return the constants of a nonlinear part on the finer clock."""
    if part.constants.shape[1] == 1:
        return part.constants
    fine = finer_drives(drives)
    own = fine.compiled.graph.part(part.element.name)
    assert isinstance(own.model, Nonlinear)  # noqa: S101 - of that kind
    return own.model.constants(fine.settings(own))

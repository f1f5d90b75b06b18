"""Electrical circuits over time, on a clock finer than the samples, whose error is found by halving it.

Linear circuits take steps that are exact for inputs on straight lines between the instants of the fine clock:
TR-BDF2 with 2**DOUBLINGS steps in one, by squaring. Junctions and heaters take one step of TR-BDF2 each.
Either way the charge that leaves an element is the charge that enters another, to rounding. What is handed
back is extrapolated from two clocks, and its error is how far it moved when both were halved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics.assembly import DENSE, System
from photosim.electronics.loops import Light, kinds, parts_of, stepping
from photosim.electronics.stationary import remedy, stationary
from photosim.errors import ParameterError
from photosim.memory import require_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

DOUBLINGS = 18
"""Squarings of the small step of linear circuits: as many powers of two shorter than the fine clock's."""
TOLERANCE = 1e-7
"""Error of a result, relative to the largest change of its unknown, at which the clock is fine enough."""
FINEST, COARSEST = 256, 4
"""Instants of the fine clock for each sample, at most and at least."""
MOST_STEPS = 1 << 25
WORST = 1e-3
"""Error above which a run is refused."""
_GAMMA = 2.0 - np.sqrt(2.0)
_D = 1.0 - 1.0 / np.sqrt(2.0)
_A = 1.0 / (_GAMMA * (2.0 - _GAMMA))
_B = (1.0 - _GAMMA) ** 2 / (_GAMMA * (2.0 - _GAMMA))

LOOP_TOLERANCE, LOOP_STEPS = 1e-4, 1 << 21
"""The same for circuits with light in their equations, and the most steps that they take to get there."""


Inputs = Callable[[int], "FloatArray"]
"""Inputs (K (T - 1) + 1, m) on a clock K times as fine as the samples."""


@dataclass(frozen=True)
class Solution:
    """Unknowns of a circuit at the samples: values (T, r), error of each relative to its largest change.

    finer: how many instants of the clock there are for each sample.
    """

    values: FloatArray
    error: float
    finer: int


def transient(  # noqa: PLR0913 - a circuit, its clock and what follows it
    system: System, inputs: Inputs, samples: int, sample_rate: float, rows: Sequence[int],
    *, tolerance: float = TOLERANCE, each: int = 1, light: Light | None = None,
    start: FloatArray | None = None,
) -> Solution:  # fmt: skip
    """Return unknowns `rows` at the samples, having been at rest under the first inputs before.

    each: how many samples there are for each one of the user's, for what an error says.  light: photocurrents
    that follow the unknowns.  start: unknowns (n,) to begin with instead of those at rest.

    Raises ParameterError for steps that do not converge, for lines whose delay the clock does not resolve,
    and for a result whose error stays above WORST.
    """
    if system.spice:
        from photosim.electronics import ngspice

        return Solution(*ngspice.transient(system, inputs, samples, sample_rate, rows, each=each))
    wanted = np.array(rows, dtype=np.int64)
    finer = _least(system, sample_rate) if light is None else _loop_least(system, sample_rate)
    order = 4 if system.linear and light is None else 3
    most = MOST_STEPS if light is None else LOOP_STEPS
    tolerance = tolerance if light is None else LOOP_TOLERANCE
    own = (samples, sample_rate, wanted, (light, start))
    one, two = (_run(system, inputs, *own, k) for k in (finer, 2 * finer))
    best, finer = (4 * two - one) / 3, 2 * finer
    while True:
        one, two = two, _run(system, inputs, *own, 2 * finer)
        before, best, finer = best, (4 * two - one) / 3, 2 * finer
        size = np.abs(best - best[:1]).max(axis=0, initial=0.0)
        largest = np.abs(best).max(axis=0, initial=0.0)
        still = largest * 1e-9
        if light is not None:  # what a loop holds hardly moves and counts less, and rounding not at all
            still = np.maximum(largest * 1e-2, largest.max(initial=0.0) * 1e-7)
        still = np.maximum(still, 1e-300)
        spread = np.abs(best - before).max(axis=0, initial=0.0) / (2**order - 1)
        errors = spread / np.maximum(size, still)
        error = float(errors.max(initial=0.0))
        if error <= tolerance or 2 * finer > FINEST or 2 * finer * samples > most:
            break
    if error > WORST:
        what = "electrical circuit" if light is None else f"control loop of {light.words}"
        worst = system.names[wanted[int(errors.argmax())]]
        also = "" if light is None else ", or lower the gain of the loop, which may oscillate"
        message = (
            f"The {what} is too fast for a sample rate of {sample_rate / each:g} Hz: with {finer * each} "
            f"steps for each sample {worst} is still wrong by {error:.2g} of its largest change; take a "
            f"higher sample rate{also}."
        )
        raise ParameterError(message)
    return Solution(best, error, finer)


def _least(system: System, sample_rate: float) -> int:
    """Return how fine a clock must be for the delays of lines; ParameterError where it would be too fine."""
    delays = system.lines[1][:, 1]
    if not delays.size:
        return COARSEST
    needed = 4.0 / (float(delays.min()) * sample_rate)
    if needed > FINEST / 2:
        shortest = [one.name for one in system.placed if one.element.kind == "line"][int(delays.argmin())]
        message = (
            f"Line {shortest!r} is only {delays.min():g} s long: at {sample_rate:g} Hz it needs "
            f"{needed:.3g} steps "
            f"for each sample, at most {FINEST // 2}. Take a higher sample rate, or a capacitor and an "
            "inductor."
        )
        raise ParameterError(message)
    return max(COARSEST, 1 << max(0, int(np.ceil(np.log2(needed)))))


def _loop_least(system: System, sample_rate: float) -> int:
    """Return how fine a clock a loop begins with: the samples', where no line needs a finer one."""
    return _least(system, sample_rate) if len(system.lines[0]) else 1


def _run(
    system: System, inputs: Inputs, samples: int, rate: float, rows: IntArray,
    how: tuple[Light | None, FloatArray | None], finer: int,
) -> FloatArray:  # fmt: skip
    light, start = how
    u = np.ascontiguousarray(inputs(finer))
    x = stationary(system, u[0] if u.size or len(u) else None) if start is None else start.copy()
    if system.size > DENSE:
        return _sparse(system, u, x, (rate * finer, rows, finer))
    from photosim.kernels import networks

    h = 1.0 / (rate * finer)
    numbers, values = system.lines
    count = len(numbers)
    require_memory(
        8.0 * len(u) * (u.shape[1] + 2 * count), "an electrical circuit in time", "make it shorter"
    )
    waves = np.zeros((len(u) if count else 1, 2 * count))
    lines = (numbers, np.ascontiguousarray(values[:, 0]), np.ascontiguousarray(values[:, 1]) / h, waves)
    out = np.zeros((samples, len(rows)))
    charge, conductance, drive = matrices(system)
    if system.linear and light is None:
        change, before, after = (
            np.ascontiguousarray(part.T) for part in exact_step(charge, conductance, drive, h)
        )
        networks.linear(change, before, after, u, x, lines, rows, finer, out)
        return out
    if light is not None:
        _loop(system, light, (charge, conductance, drive), u, x, (h, lines, rows, finer), out)
        return out
    step, unknown = networks.nonlinear(
        (charge, conductance, drive), parts_of(system), u, x, h, lines, rows, finer, out
    )
    if step >= 0:
        message = (
            f"The electrical circuit does not converge {step * h:.6g} s after its start: "
            f"{system.names[unknown]} finds no value in 100 steps of Newton's method; take a higher sample "
            f"rate, or {remedy(system)}."
        )
        raise ParameterError(message)
    return out


def _loop(
    system: System, light: Light, whole: tuple[FloatArray, FloatArray, FloatArray], u: FloatArray,
    x: FloatArray,
    clock: tuple[float, Any, IntArray, int], out: FloatArray,
) -> None:  # fmt: skip
    """Carry electronics and light that follow each other; the tables of the light grow where they must."""
    from photosim.kernels.networks import looped

    h, lines, rows, finer = clock
    while True:
        ahead, arrays = x.copy(), light.arrays(finer)
        step, failed = looped(
            stepping(system, arrays, whole, h), kinds(system, h), u, ahead, h, lines, rows, finer, out, arrays
        )
        if step < 0:
            return
        if failed >= 0:
            message = (
                f"The control loop of {light.words} does not converge {step * h:.6g} s after its start: a "
                f"step of {h:.3g} s finds no currents in Newton's method; take a higher sample rate, or a "
                "lower gain."
            )
            raise ParameterError(message)
        light.widen(-1 - failed, ahead)


def matrices(system: System) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return C, G and B with the lines' waves as further inputs: v - impedance i = what arrives."""
    charge, conductance = system.matrix(system.charge), system.matrix(system.conductance)
    m = len(system.inputs)
    drive = np.zeros((system.size, m + 2 * len(system.lines[0])))
    drive[:, :m] = system.matrix(system.drive, m)
    for k, (numbers, values) in enumerate(zip(*system.lines, strict=True)):
        for end in (0, 1):
            own = numbers[4 + end]
            conductance[own, own] -= values[0]
            drive[own, m + 2 * k + end] = 1.0
    return charge, conductance, drive


def exact_step(
    charge: FloatArray, conductance: FloatArray, drive: FloatArray, h: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (change, before, after) of a step of h s, exact for inputs on a straight line.

    x' = x + change x + before u + after u'. What changes is squared, not what stays: nothing is lost to
    rounding.
    """
    n, m = drive.shape
    small = _D * h / 2**DOUBLINGS
    matrix = charge + small * conductance
    scale = np.abs(matrix).max(axis=1, keepdims=True)
    right = np.concatenate([small * conductance, charge, small * drive], axis=1) / scale
    found = np.linalg.solve(matrix / scale, right)
    flow, from_charge, given = found[:, :n], found[:, n : 2 * n], found[:, 2 * n :]
    # z = (x, u, change of u in a small step): first the trapezoidal rule, then the backward difference.
    middle = np.concatenate([-2 * flow, 2 * given, _GAMMA * given], axis=1)
    change = np.zeros((n + 2 * m, n + 2 * m))
    change[:n] = _A * from_charge @ middle
    change[:n, :n] -= flow
    change[:n, n : n + m] += given
    change[:n, n + m :] += given
    change[n : n + m, n + m :] = np.eye(m)
    for _ in range(DOUBLINGS):
        change = 2 * change + change @ change
    slope = change[:n, n + m :] / 2**DOUBLINGS
    return (
        np.ascontiguousarray(change[:n, :n]),
        np.ascontiguousarray(change[:n, n : n + m] - slope),
        np.ascontiguousarray(slope),
    )


def _sparse(system: System, u: FloatArray, x: FloatArray, how: tuple[float, IntArray, int]) -> FloatArray:
    """Carry a large circuit by TR-BDF2, one factorisation for all steps."""
    from scipy.sparse.linalg import splu

    if not system.linear or len(system.lines[0]):
        message = (
            f"An electrical circuit of {system.size} unknowns with junctions, heaters or lines is too "
            f"large to simulate in time: at most {DENSE} unknowns, or R, L, C, sources and controlled "
            "sources alone."
        )
        raise ParameterError(message)
    rate, rows, every = how
    small = _D / rate
    charge, conductance = system.sparse(system.charge), system.sparse(system.conductance)
    given = small * (system.sparse(system.drive, len(system.inputs)) @ u.T).T
    solver: Any = splu((charge + small * conductance).tocsc())
    out = np.zeros((1 + (len(u) - 1) // every, len(rows)))
    out[0] = x[rows]
    before = given[0]
    for k in range(1, len(u)):
        after = given[k]
        held = charge @ x
        middle = solver.solve(
            held - small * (conductance @ x) + before + (before + _GAMMA * (after - before))
        )
        x = solver.solve(_A * (charge @ middle) - _B * held + after)
        before = after
        if k % every == 0:
            out[k // every] = x[rows]
    return out

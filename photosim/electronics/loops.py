"""Control loops: electrical equations whose inputs are photocurrents that follow them, solved together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from photosim.electronics.assembly import System
from photosim.electronics.response import slopes_at
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

_FIRST, _LAST = 1e-12, 1e4
"""Shortest and longest step in s on the way to rest."""
_MOST, _REPEATED = 1500, 4
_LOOKS, _BENT = 1025, 0.1
"""Points between two states at which the light is examined, and how much of it a step may leave out."""
_RELATIVE, _ROUNDED = 1e-9, 1e-12
_D = 1.0 - 1.0 / np.sqrt(2.0)
SECTIONS = 8
"""All-passes that stand for the delay of a line where a loop is linearised."""
_GROWS = 1e-6
"""Growth of a disturbance over its turn, in rad, that counts as growth."""


class Light(Protocol):
    """Photocurrents as functions of settings that follow the unknowns."""

    @property
    def words(self) -> str:
        """Words for the loop: its settings and detectors."""

    def arrays(self, finer: int | None) -> tuple[Any, ...]:
        """Return the arrays of the kernel on a clock so much finer than the samples; None is the start."""

    def widen(self, setting: int, x: FloatArray) -> None:
        """Extend the table of a setting towards where unknowns x leave it; ParameterError at its bounds."""


def parts_of(system: System) -> tuple[Any, ...]:
    """Return junctions, products and limits as the kernel has them."""
    return (*system.junctions, *system.products, *system.limited)


def settled(system: System, light: Light, inputs: FloatArray) -> FloatArray | None:
    """Return the unknowns (n,) at which electronics and light come to rest once they are switched on.

    Charges start from zero, and steps grow from `_FIRST` to `_LAST` s, so that the loop goes the way that it
    goes in time, roughly, and ends where it rests, be it stable or not. None where it finds no rest.
    """
    found = _settling(system, light, inputs, careful=True)
    return _settling(system, light, inputs, careful=False) if found is None else found


def _settling(system: System, light: Light, inputs: FloatArray, *, careful: bool) -> FloatArray | None:
    """Return where steps that grow lead; careful ones leap over nothing, and never end where all turns."""
    from photosim.kernels.networks import looped

    matrices = _resting(system)
    # Sources rise from zero in the first step, so that what has no charge is in balance where it begins.
    pair = np.array([np.zeros(len(inputs)), inputs], dtype=np.float64)
    lines = np.zeros((0, 6), dtype=np.int64), np.zeros(0), np.zeros(0), np.zeros((1, 0))
    rows, out = np.zeros(0, dtype=np.int64), np.zeros((2, 0))
    x, h, still = np.zeros(system.size), _FIRST, 0
    for _ in range(_MOST):
        ahead = x.copy()
        arrays = light.arrays(None)
        step, failed = looped(
            stepping(system, arrays, matrices, h),
            kinds(system, h),
            pair,
            ahead,
            h,
            lines,
            rows,
            1,
            out,
            arrays,
        )
        if step >= 0 and failed < 0:
            light.widen(-1 - failed, ahead)
            continue
        if step >= 0:
            h /= 8.0
            if h < _FIRST / 1e6:
                return None
            continue
        if careful and h > 1e-3 * _FIRST and _leaps(arrays, _settings(arrays, x), _settings(arrays, ahead)):
            h /= 4.0
            continue
        change = np.abs(ahead - x) - _RELATIVE * np.abs(ahead) - _ROUNDED * np.abs(ahead).max(initial=0.0)
        still = still + 1 if np.all(change <= 0.0) else 0
        x = ahead
        pair[0] = pair[1]
        if h >= _LAST and still >= _REPEATED:
            return x
        h = min(2.0 * h, 2.0 * _LAST)
    return None


def _settings(light: tuple[Any, ...], x: FloatArray) -> FloatArray:
    """Return the settings (m,) that light follows at unknowns x."""
    padded = np.append(x, 0.0)
    return np.asarray(padded[light[0][:, 0]] - padded[light[0][:, 1]])


def _leaps(light: tuple[Any, ...], before: FloatArray, after: FloatArray) -> bool:
    """Return whether a step leaps over light that a loop would have felt on the way, such as a resonance."""
    from photosim.kernels.networks import photocurrents_over

    if np.array_equal(before, after):
        return False
    way = np.linspace(before, after, _LOOKS)
    found = np.zeros((_LOOKS, len(light[11][3])))
    photocurrents_over(np.ascontiguousarray(way), light, 0.0, 0, found)
    straight = np.linspace(found[0], found[-1], _LOOKS)
    return bool(np.any(np.abs(found - straight) > _BENT * np.abs(found).max(axis=0) + 1e-300))


def kinds(system: System, h: float) -> tuple[Any, ...]:
    """Return the numbers of products, limits and junctions, and dh, as the kernel has them."""
    return system.products[1], system.limited[1], system.junctions[1], _D * h


def stepping(
    system: System, light: tuple[Any, ...], matrices: tuple[FloatArray, FloatArray, FloatArray], h: float
) -> tuple[FloatArray, ...]:
    """Return the matrices of a step of h s, as the kernel has them, from C, G and B.

    Raises ParameterError for equations that no step determines without what depends on their unknowns.
    """
    charge, conductance, drive = matrices
    n, small = system.size, _D * h
    matrix = charge + small * conductance
    scale = np.abs(matrix).max(axis=1, keepdims=True)
    zero = np.flatnonzero(scale == 0.0)
    if zero.size:
        message = (
            f"The electrical equations of a control loop do not determine {system.names[int(zero[0])]} by "
            "linear parts: put a resistor or a capacitor there."
        )
        raise ParameterError(message)
    ends = [
        *system.products[0][:, :2].tolist(),
        *system.limited[0][:, :2].tolist(),
        *system.junctions[0].tolist(),
    ]
    detectors = len(light[11][3])
    enter = np.zeros((n, detectors + len(ends)))
    for detector, column in light[1].tolist():
        enter[:, detector] += drive[:, column]
    for k, (a, b) in enumerate(ends):
        for node, sign in ((a, -1.0), (b, 1.0)):
            if node >= 0:
                enter[node, detectors + k] += sign
    pairs = [*light[0].tolist()]
    for row in system.products[0].tolist():
        pairs += [row[2:4], row[4:6]]
    pairs += [row[2:4] for row in system.limited[0].tolist()] + system.junctions[0].tolist()
    controls = np.zeros((len(pairs), n))
    for k, (plus, minus) in enumerate(pairs):
        for node, sign in ((plus, 1.0), (minus, -1.0)):
            if node >= 0:
                controls[k, node] += sign
    right = np.concatenate([charge, small * conductance, small * drive, small * enter], axis=1)
    found = np.linalg.solve(matrix / scale, right / scale)
    m = drive.shape[1]
    parts = found[:, :n], found[:, n : 2 * n], found[:, 2 * n : 2 * n + m], found[:, 2 * n + m :], controls
    return tuple(np.ascontiguousarray(part) for part in parts)


def _resting(system: System) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return C, G and B in which lines join their ends, as they do at rest."""
    charge, conductance = system.matrix(system.charge), system.matrix(system.conductance)
    for numbers in system.lines[0].tolist():
        _, _, c, d, first, second = numbers
        conductance[second] = 0.0
        for column, value in ((c, -1.0), (d, 1.0)):
            if column >= 0:
                conductance[first, column] += value
        conductance[second, [first, second]] = 1.0
    return charge, conductance, system.matrix(system.drive, len(system.inputs))


@dataclass(frozen=True)
class Linear:
    """A loop linearised about a point: C and G (n, n) with the light, G without it, currents' slopes.

    slopes: (D, m) A per unit of each setting.  reads: (m, n) settings per unknown.  drive: (n, D).
    """

    charge: FloatArray
    conductance: FloatArray
    alone: FloatArray
    slopes: FloatArray
    reads: FloatArray
    drive: FloatArray

    def growing(self) -> tuple[float, float] | None:
        """Return (rate in 1/s, frequency in Hz) of what grows fastest about the point; None if all decays."""
        from scipy.linalg import eigvals

        scale = np.abs(self.charge + self.conductance).max(axis=1, keepdims=True)
        scale[scale == 0.0] = 1.0
        upper, lower = eigvals(-self.conductance / scale, self.charge / scale, homogeneous_eigvals=True)
        finite = np.abs(lower) > 1e-14 * np.abs(upper)
        rates = upper[finite] / lower[finite]
        rates = rates[rates.real > _GROWS * np.abs(rates)]
        if not rates.size:
            return None
        worst = rates[rates.real.argmax()]
        return float(worst.real), float(abs(worst.imag) / (2 * np.pi))

    def gain(self, frequency: FloatArray) -> ComplexArray:
        """Return the open loop's gain (F,) at frequencies in Hz: the largest eigenvalue of what comes back.

        Time goes as exp(+j omega t); the sign is that of the loop, so that -1 is the limit of stability.
        """
        found = np.zeros(len(frequency), dtype=np.complex128)
        for k, f in enumerate(frequency):
            matrix = self.alone + 2j * np.pi * f * self.charge
            back = -self.slopes @ self.reads @ np.linalg.solve(matrix, self.drive)
            values = np.linalg.eigvals(back)
            found[k] = values[np.abs(values).argmax()]
        return found

    def unity(self) -> float:
        """Return the highest frequency in Hz at which the open loop's gain is 1; 0 where it never is."""
        from scipy.optimize import brentq

        grid = np.geomspace(1e-3, 1e13, 321)
        above = np.log(np.maximum(np.abs(self.gain(grid)), 1e-300))
        last = np.flatnonzero(above > 0.0)
        if not last.size or last[-1] + 1 == grid.size:
            return 0.0

        def level(exponent: float) -> float:
            return float(np.log(np.abs(self.gain(np.array([np.exp(exponent)])))[0]))

        low, high = np.log(grid[last[-1]]), np.log(grid[last[-1] + 1])
        return float(np.exp(brentq(level, low, high)))


def linear(system: System, light: Light, x: FloatArray, finer: int | None = None, step: int = 0) -> Linear:
    """Return a loop linearised about unknowns x (n,) at a step of a clock."""
    from photosim.kernels.networks import photocurrents

    arrays = light.arrays(finer)
    reads, targets = arrays[0], arrays[1]
    across = np.zeros((len(reads), system.size))
    for k, (plus, minus) in enumerate(reads.tolist()):
        if plus >= 0:
            across[k, plus] += 1.0
        if minus >= 0:
            across[k, minus] -= 1.0
    _, slopes = photocurrents(across @ x, arrays, 0.0, step)
    nothing = (np.zeros((0, 6), dtype=np.int64), np.zeros((0, 2)))
    conductance, charge = _with_lines(system, *slopes_at(replace(system, lines=nothing), x))
    more = len(conductance) - system.size
    across = np.pad(across, ((0, 0), (0, more)))
    drive = system.matrix(system.drive, len(system.inputs))
    into = np.zeros((len(conductance), len(slopes)))
    for detector, column in targets.tolist():
        into[: system.size, detector] += drive[:, column]
    return Linear(charge, conductance - into @ slopes @ across, conductance, slopes, across, into)


def _with_lines(system: System, conductance: FloatArray, charge: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return G and C with what travels on lines as further unknowns behind the others.

    A delay is SECTIONS all-passes one after the other, each (1 - z/2 + z^2/12)/(1 + z/2 + z^2/12), z = s T
    (Pade): waves keep their size, and their phase up to a few turns.
    """
    n, numbers = system.size, system.lines[0].tolist()
    size = n + 4 * SECTIONS * len(numbers)
    g, c = np.zeros((size, size)), np.zeros((size, size))
    g[:n, :n], c[:n, :n] = conductance, charge
    at = n
    for ends, (impedance, delay) in zip(numbers, system.lines[1].tolist(), strict=True):
        each = delay / SECTIONS
        for end in (0, 1):
            own, other = ends[4 + end], ends[5 - end]
            g[own, own] -= impedance
            # What leaves the other end, v + impedance i, and what each section adds to it.
            sent = [(ends[2 - 2 * end], 1.0), (ends[3 - 2 * end], -1.0), (other, impedance)]
            for _ in range(SECTIONS):
                q, p = at, at + 1
                c[q, q], g[q, p] = each, -1.0
                c[p, p], g[p, p], g[p, q] = each / 12.0, 0.5, 1.0
                for column, value in sent:
                    if column >= 0:
                        g[p, column] -= value
                sent.append((p, -1.0))
                at += 2
            for column, value in sent:
                if column >= 0:
                    g[own, column] -= value
    return g, c


def refuse_rest(words: str) -> ParameterError:
    """Return the error of a loop that comes to no rest."""
    return ParameterError(
        f"The control loop of {words} finds no state of rest from which to start, but turns about it: lower "
        "its gain, or widen the range of its output."
    )

"""The operating point at rest: Newton's method with limited junctions, then by gmin and source stepping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics.assembly import DENSE, System
from photosim.errors import NetlistError, ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_MOST = 200
_RELATIVE, _ABSOLUTE, _ROUNDED = 1e-10, 1e-13, 1e-12
_GMIN = 1e-2
_SETTLED = 50
"""Steps after which what moves by rounding alone counts as settled."""


def stationary(system: System, inputs: FloatArray | None = None) -> FloatArray:
    """Return the unknowns (n,) at rest, under inputs (m,), those of the netlist if left out.

    Raises NetlistError for equations that have no solution, ParameterError where Newton's method finds none.
    """
    if system.spice:
        from photosim.electronics import ngspice

        return ngspice.stationary(system, inputs)
    u = system.resting if inputs is None else np.asarray(inputs, dtype=np.float64)
    solver = _Rest(system, u)
    if system.linear:
        return solver.linear()
    found = solver.newton(np.zeros(system.size), 0.0, 1.0)
    if found is None:
        found = solver.by_conductance()
    if found is None:
        found = solver.by_sources()
    if found is None:
        message = (
            f"No operating point at rest was found: {solver.worst()} moves by {solver.step:.2g} after "
            f"{solver.steps} steps of Newton's method, with gmin and source stepping. Check the settings of "
            f"the parts there, or {remedy(system)}."
        )
        raise ParameterError(message)
    return found


def remedy(system: System) -> str:
    """Return words for what helps Newton's method in a circuit."""
    if len(system.junctions[0]):
        return "put a resistor in series with the junctions"
    return "put a capacitor or a low_pass_filter where the output of a part comes back to its input at once"


class _Rest:
    """Newton's method at rest."""

    def __init__(self, system: System, u: FloatArray) -> None:
        from scipy import sparse

        self.system = system
        rows, columns, values = (list(x) for x in system.conductance)
        for numbers, _ in zip(*system.lines, strict=True):
            _, _, c, d, first, second = numbers.tolist()
            # At rest: the same voltage at both ends, and the current that enters leaves.
            for column, value in ((c, -1.0), (d, 1.0)):
                if column >= 0:
                    rows.append(first)
                    columns.append(column)
                    values.append(value)
            _clear(rows, values, second)
            for column in (first, second):
                rows.append(second)
                columns.append(column)
                values.append(1.0)
        shape = (system.size, system.size)
        self.matrix = sparse.csc_array((values, (rows, columns)), shape=shape)
        self.given = system.sparse(system.drive, len(system.inputs)) @ u
        self.step, self.place, self.steps = 0.0, 0, 0

    def worst(self) -> str:
        """Return words for the unknown that moved most."""
        return self.system.names[self.place]

    def linear(self) -> FloatArray:
        """Return the solution of linear equations."""
        return self._solved(self.matrix, self.given)

    def _solved(self, matrix: Any, right: FloatArray) -> FloatArray:
        """Return the solution; NetlistError where the matrix is singular."""
        if not right.size:
            return np.zeros(0)
        if self.system.size <= DENSE:
            full = matrix.toarray()
            scale = np.abs(full).max(axis=1)
            zero = np.flatnonzero(scale == 0.0)
            if not zero.size:
                scaled = full / scale[:, np.newaxis]
                values, vectors = np.linalg.svd(scaled)[1:]
                if values[-1] > 1e-15 * values[0]:
                    return np.asarray(np.linalg.solve(scaled, right / scale))
                zero = np.abs(vectors[-1]).argmax(keepdims=True)
            self._refuse(int(zero[0]))
        from scipy.sparse.linalg import splu

        try:
            found = splu(matrix).solve(right)
        except RuntimeError:
            self._refuse(0)
        if not np.isfinite(found).all():
            self._refuse(int(np.flatnonzero(~np.isfinite(found))[0]))
        return np.asarray(found)

    def _refuse(self, unknown: int) -> Any:
        voltage = unknown < len(self.system.nodes)
        advice = "Connect it to gnd by a resistor" if voltage else "Put a resistor in series with it"
        message = (
            f"The electrical equations at rest do not determine {self.system.names[unknown]}. {advice}, or "
            "check the controlled sources that act on it."
        )
        raise NetlistError(message)

    def by_conductance(self) -> FloatArray | None:
        """Return the solution by conductances across all junctions that become smaller (gmin stepping)."""
        x: FloatArray | None = np.zeros(self.system.size)
        for exponent in np.arange(0.0, 11.0):
            x = self.newton(x, _GMIN * 10.0**-exponent, 1.0) if x is not None else None
        return None if x is None else self.newton(x, 0.0, 1.0)

    def by_sources(self) -> FloatArray | None:
        """Return the solution by sources that grow from zero."""
        x, reached, step = np.zeros(self.system.size), 0.0, 0.1
        while reached < 1.0:
            ahead = min(1.0, reached + step)
            found = self.newton(x, 0.0, ahead)
            if found is None:
                step /= 4
                if step < 1e-6:
                    return None
                continue
            x, reached, step = found, ahead, 2 * step
        return x

    def newton(self, start: FloatArray, conductance: float, share: float) -> FloatArray | None:
        """Return the solution from a start on, a conductance across junctions and part of the sources."""
        x = start.copy()
        ends, values = self.system.junctions
        limited = _across(x, ends)
        for k in range(_MOST):
            residual, slopes = self._linearised(x, limited, conductance)
            full = self.matrix + slopes
            self.steps = k + 1
            try:
                found = self._solved(full, share * self.given - residual)
            except NetlistError:
                if not (k or start.any()):
                    raise
                return None  # the equations are determined, but not where Newton's method has led
            change = np.abs(found - x)
            # The last bits of the largest unknown stand in all of them.
            rounded = _ROUNDED * np.abs(found).max(initial=0.0)
            far = change - _RELATIVE * np.abs(found) - _ABSOLUTE - rounded
            self.place = int(far.argmax())
            self.step = float(change[self.place])
            wanted = _across(found, ends)
            now = np.array([_limited(v, o, row) for v, o, row in zip(wanted, limited, values, strict=True)])
            held = bool(np.any(np.abs(now - wanted) > _RELATIVE * np.abs(wanted) + _ABSOLUTE + rounded))
            heats = len(self.system.products[0]) > 0
            if heats:
                found = x + np.clip(found - x, -1e6, 1e6)
            x, limited = found, now
            if far[self.place] <= 0.0 and not held:
                return x
            if k >= _SETTLED and self.step <= 10 * _RELATIVE * np.abs(x).max(initial=0.0):
                return x  # rounding alone moves it: the equations are that sensitive
        return None

    def _linearised(self, x: FloatArray, limited: FloatArray, conductance: float) -> tuple[FloatArray, Any]:
        """Return i(x) - i'(x) x of the nonlinear elements, (n,), and i'(x)."""
        from scipy import sparse

        system = self.system
        rows: list[int] = []
        columns: list[int] = []
        entries: list[float] = []
        rest = np.zeros(system.size)

        def add(row: int, column: int, value: float) -> None:
            if row >= 0 and column >= 0:
                rows.append(row)
                columns.append(column)
                entries.append(value)

        for (a, b), v, row in zip(system.junctions[0].tolist(), limited, system.junctions[1], strict=True):
            i, slope = junction_current(float(v), float(row[0]), float(row[1]))
            slope += conductance
            i += conductance * float(v)
            for node, sign in ((a, 1.0), (b, -1.0)):
                add(node, a, sign * slope)
                add(node, b, -sign * slope)
                if node >= 0:
                    rest[node] += sign * (i - slope * v)
        for current, nodes, slopes in controlled(system, x):
            held = sum(slope * (x[node] if node >= 0 else 0.0) for node, slope in slopes)
            for row, sign in zip(nodes, (1.0, -1.0), strict=True):
                for node, slope in slopes:
                    add(row, node, sign * slope)
                if row >= 0:
                    rest[row] += sign * (current - held)
        shape = (system.size, system.size)
        return rest, sparse.csc_array((entries, (rows, columns)), shape=shape)


Slopes = tuple[tuple[int, float], ...]


def controlled(system: System, x: FloatArray) -> list[tuple[float, tuple[int, int], Slopes]]:
    """Return of each product and limited source its current, the unknowns it leaves and enters, and slopes.

    The slopes are (unknown, ampere per volt); -1 is ground.
    """
    padded = np.append(x, 0.0)
    found: list[tuple[float, tuple[int, int], Slopes]] = []
    for (a, b, c, d, e, f), gain in zip(system.products[0].tolist(), system.products[1], strict=True):
        first, second = float(padded[c] - padded[d]), float(padded[e] - padded[f])
        slopes = ((c, gain * second), (d, -gain * second), (e, gain * first), (f, -gain * first))
        found.append((float(gain * first * second), (a, b), slopes))
    for (a, b, c, d), (siemens, ampere) in zip(system.limited[0].tolist(), system.limited[1], strict=True):
        share, bend = soft(float(siemens * (padded[c] - padded[d]) / ampere))
        found.append((float(ampere * share), (a, b), ((c, siemens * bend), (d, -siemens * bend))))
    return found


def soft(y: float) -> tuple[float, float]:
    """Return y up to 0.9, beyond it bent towards 1, and its slope: as the kernel has it."""
    over = abs(y) - 0.9
    if over <= 0.0:
        return y, 1.0
    bent = float(np.tanh(over / 0.1))
    return float(np.copysign(0.9 + 0.1 * bent, y)), 1.0 - bent * bent


def junction_current(v: float, saturation: float, thermal: float) -> tuple[float, float]:
    """Return the current of a junction in A and its slope; beyond 80 thermal voltages along the tangent."""
    y = v / thermal
    if y > 80.0:
        e = float(np.exp(80.0))
        return saturation * (e * (1.0 + y - 80.0) - 1.0), saturation * e / thermal
    e = float(np.exp(y))
    return saturation * np.expm1(y), saturation * e / thermal


def _clear(rows: list[int], values: list[float], row: int) -> None:
    for k, own in enumerate(rows):
        if own == row:
            values[k] = 0.0


def _across(x: FloatArray, ends: NDArray[np.int64]) -> FloatArray:
    padded = np.append(x, 0.0)
    return np.asarray(padded[ends[:, 0]] - padded[ends[:, 1]])


def _limited(new: float, old: float, row: FloatArray) -> float:
    """Return a junction's voltage no further than its exponential allows (SPICE's pnjlim, nagel1975)."""
    saturation, thermal = float(row[0]), float(row[1])
    critical = thermal * np.log(thermal / (np.sqrt(2.0) * saturation))
    if new <= critical or abs(new - old) <= 2 * thermal:
        return float(new)
    if old <= 0.0:
        return float(thermal * np.log(max(new / thermal, 1.0)))
    reach = 1.0 + (new - old) / thermal
    return float(old + thermal * np.log(reach)) if reach > 0.0 else float(critical)

"""Small signals about an operating point: the complex response at frequencies, and the noise of resistors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import BOLTZMANN_J_K, ELEMENTARY_CHARGE_C
from photosim.electronics.assembly import DENSE, System
from photosim.electronics.stationary import controlled, junction_current
from photosim.errors import NetlistError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]


def response(
    system: System, x: FloatArray, frequency: FloatArray, inputs: Sequence[int], rows: Sequence[int]
) -> ComplexArray:
    """Return unknowns `rows` per input, (F, rows, inputs), at frequencies (F,) in Hz, about unknowns x (n,).

    A circuit with SPICE subcircuits rests under its inputs `system.resting`.

    Time goes as exp(+j omega t), as everywhere in electronics.
    """
    if system.spice:
        from photosim.electronics import ngspice

        return ngspice.response(system, frequency, inputs, rows)
    drive = system.matrix(system.drive, len(system.inputs))[:, list(inputs)].astype(np.complex128)
    return np.array([_solved(system, x, f, drive)[list(rows)] for f in frequency]).reshape(
        len(frequency), len(rows), len(inputs)
    )


def noise_density(
    system: System, x: FloatArray, frequency: FloatArray, row: int, back: ComplexArray | None = None
) -> FloatArray:
    """Return the one-sided density of an unknown's noise at frequencies (F,) in Hz, in V^2/Hz or A^2/Hz.

    Resistors at a temperature have 4 k T/R, junctions 2 q i of their current; each passes to the unknown as
    the adjoint solution says (rohrer1971).  back: what comes back to the unknown per unit of every unknown,
    (F, n), through light that a control loop closes.
    """
    sources = [(*nodes, density) for _, nodes, density in noise_sources(system, x)]
    if system.spice:
        from photosim.electronics import ngspice

        own = ngspice.noise_density(system, frequency, row)
        passed = ngspice.injected(system, frequency, row, [(a, b) for a, b, _ in sources])
        return np.asarray(own + np.abs(passed) ** 2 @ np.array([density for *_, density in sources]))
    found = np.zeros(len(frequency))
    for k, f in enumerate(frequency):
        unit = (
            np.zeros((system.size, 1), dtype=np.complex128) if back is None else back[k][:, np.newaxis].copy()
        )
        unit[row] += 1.0
        across = np.append(_solved(system, x, f, unit, adjoint=True)[:, 0], 0.0)
        found[k] = sum(density * abs(across[a] - across[b]) ** 2 for a, b, density in sources)
    return found


def noise_sources(system: System, x: FloatArray) -> list[tuple[str, tuple[int, int], float]]:
    """Return name, numbers of the nodes and current density in A^2/Hz of each element that makes noise."""
    found = []
    for one in system.placed:
        element = one.element
        a, b = (system.nodes.get(name, -1) for name in one.nodes[:2]) if len(one.nodes) > 1 else (-1, -1)
        if element.kind == "resistance" and element.temperature > 0.0:
            found.append((one.name, (a, b), 4 * BOLTZMANN_J_K * element.temperature / element.values[0]))
        elif element.kind == "noise":
            found.append((one.name, (a, b), element.values[0] ** 2))
        elif element.kind == "junction" and not system.spice:  # ngspice has it with its own
            padded = np.append(x, 0.0)
            i, _ = junction_current(float(padded[a] - padded[b]), *element.values[:2])
            found.append(
                (one.name, (a, b), 2 * ELEMENTARY_CHARGE_C * (abs(i) + 2 * element.values[0] * (i < 0)))
            )
    return found


def _solved(
    system: System, x: FloatArray, frequency: float, right: ComplexArray, *, adjoint: bool = False
) -> ComplexArray:
    matrix = _matrix(system, x, frequency)
    if adjoint:
        matrix = matrix.T.tocsc()
    if system.size > DENSE:
        from scipy.sparse.linalg import splu

        return np.asarray(splu(matrix).solve(right))
    full = matrix.toarray()
    scale = np.abs(full).max(axis=1, keepdims=True)
    try:
        return np.asarray(np.linalg.solve(full / scale, right / scale))
    except np.linalg.LinAlgError:
        message = (
            f"The electrical equations have no solution at {frequency:g} Hz: a controlled source cancels one."
        )
        raise NetlistError(message) from None


def _matrix(system: System, x: FloatArray, frequency: float) -> Any:
    """Return G + i'(x) + j omega (C + q'(x)) with the lines, sparse."""
    from scipy.sparse import csc_array

    omega = 2 * np.pi * frequency
    rows, columns = (list(a) for a in system.conductance[:2])
    values: list[complex] = list(system.conductance[2].astype(np.complex128))
    rows += list(system.charge[0])
    columns += list(system.charge[1])
    values += list(1j * omega * system.charge[2])

    def add(row: int, column: int, value: complex) -> None:
        if row >= 0 and column >= 0:
            rows.append(row)
            columns.append(column)
            values.append(value)

    padded = np.append(x, 0.0)
    for (a, b), row in zip(system.junctions[0].tolist(), system.junctions[1], strict=True):
        v = float(padded[a] - padded[b])
        y = junction_current(v, *row[:2])[1]
        slope = y + 1j * omega * (depletion(v, row) + row[5] * y)
        for node, sign in ((a, 1.0), (b, -1.0)):
            add(node, a, sign * slope)
            add(node, b, -sign * slope)
    for _, nodes, slopes in controlled(system, x):
        for row, sign in zip(nodes, (1.0, -1.0), strict=True):
            for node, slope in slopes:
                add(row, node, sign * slope)
    for numbers, (impedance, delay) in zip(*system.lines, strict=True):
        turn = np.exp(-1j * omega * delay)
        for end in (0, 1):
            own, other = int(numbers[4 + end]), int(numbers[5 - end])
            add(own, own, -impedance)
            add(own, other, -impedance * turn)
            add(own, int(numbers[2 - 2 * end]), -turn)
            add(own, int(numbers[3 - 2 * end]), turn)
    return csc_array((values, (rows, columns)), shape=(system.size, system.size), dtype=np.complex128)


def slopes_at(system: System, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return G + i'(x) and C + q'(x), full, of a circuit without lines about unknowns x (n,)."""
    both = _matrix(system, x, 1.0 / (2 * np.pi)).toarray()
    return np.ascontiguousarray(both.real), np.ascontiguousarray(both.imag)


def depletion(v: float, row: FloatArray) -> float:
    """Return the depletion capacitance of a junction in F; above half its potential along the tangent."""
    at_zero, potential, grading = (float(value) for value in row[2:5])
    if v < potential / 2:
        return float(at_zero * (1.0 - v / potential) ** -grading)
    edge = at_zero * 0.5**-grading
    return float(edge + edge * grading / (potential / 2) * (v - potential / 2))

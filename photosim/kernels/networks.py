"""Electrical circuits in time: linear ones by their exact step, others by TR-BDF2 with Newton's method.

TR-BDF2 goes by the trapezoidal rule over gamma = 2 - sqrt(2) of a step, then by the second backward
difference; both have the matrix C + d h G with d = 1 - 1/sqrt(2) (bank1985).

In control loops the light that follows the electronics is found with them in every step. All linear parts are
solved once for a step's length. What is left of a step are the currents that depend on something: of the
light on each detector, of products, limits and junctions. They are found by Newton's method with exact
slopes, a few unknowns whatever the size of the circuit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

_MOST = 100
_SETTLED = 50
_GAMMA = 2.0 - math.sqrt(2.0)
_D = 1.0 - 1.0 / math.sqrt(2.0)
_A = 1.0 / (_GAMMA * (2.0 - _GAMMA))
_B = (1.0 - _GAMMA) ** 2 / (_GAMMA * (2.0 - _GAMMA))
_RELATIVE = 1e-10
_ABSOLUTE = 1e-13
_ROUNDED = 1e-12
_STRAIGHT = 0.9
# Of control loops, whose unknowns are few and whose currents of light are small.
_MOST_LOOPED = 60
_RELATIVE_LOOPED = 1e-11
_ABSOLUTE_LOOPED = 1e-16


@njit(cache=True, error_model="numpy", nogil=True)
def _arriving(waves: Any, k: int, port: int, step: int, delay: float) -> float:
    """Return the wave (steps, ports) of a port `delay` steps before step k, by a cubic through four steps.

    Before the first step it was what it is there.
    """
    at = k - delay
    if at <= 0.0:
        return float(waves[0, port])
    first = math.floor(at) - 1
    # At most what is known, up to the step before k.
    first = min(first, step - 3)
    if first < 0:
        low = min(math.floor(at), step - 1)
        part = at - low
        return float(waves[low, port] * (1.0 - part) + waves[low + 1, port] * part)
    t = at - first
    w0, w1, w2, w3 = (
        waves[first, port],
        waves[first + 1, port],
        waves[first + 2, port],
        waves[first + 3, port],
    )
    return float(
        -w0 * (t - 1.0) * (t - 2.0) * (t - 3.0) / 6.0
        + w1 * t * (t - 2.0) * (t - 3.0) / 2.0
        - w2 * t * (t - 1.0) * (t - 3.0) / 2.0
        + w3 * t * (t - 1.0) * (t - 2.0) / 6.0
    )


@njit(cache=True, error_model="numpy", nogil=True)
def _outgoing(x: Any, numbers: Any, impedances: Any, waves: Any, k: int) -> None:
    """Note the waves that leave the ports of all lines: voltage plus impedance times current that enters."""
    for line in range(numbers.shape[0]):
        for end in range(2):
            a, b = numbers[line, 2 * end], numbers[line, 2 * end + 1]
            v = (x[a] if a >= 0 else 0.0) - (x[b] if b >= 0 else 0.0)
            waves[k, 2 * line + end] = v + impedances[line] * x[numbers[line, 4 + end]]


@njit(cache=True, error_model="numpy", nogil=True)
def linear(  # noqa: C901, PLR0913 - one loop over steps, arrays in, arrays out
    change: Any, before: Any, after: Any, u: Any, x: Any, lines: Any, rows: Any, every: int, out: Any
) -> None:
    """Carry a linear circuit: x' = x + change x + before u + after u'.

    u are the inputs and what arrives on lines.  change: (n, n), before, after: (m + 2 L, n), transposed.
    u: (K + 1, m).  x: (n,) at step 0.  lines: numbers (L, 6), impedances (L,), delays (L,) in steps, waves
    (K + 1, 2 L) for the work.  rows: (r,) unknowns to record at each `every`-th step in out
    (1 + K // every, r).
    """
    numbers, impedances, delays, waves = lines
    n, m, count = x.shape[0], u.shape[1], numbers.shape[0]
    now, new = np.zeros(m + 2 * count), np.zeros(m + 2 * count)
    ahead = np.zeros(n)
    _outgoing(x, numbers, impedances, waves, 0)
    now[:m] = u[0]
    for line in range(count):
        now[m + 2 * line] = waves[0, 2 * line + 1]
        now[m + 2 * line + 1] = waves[0, 2 * line]
    for r in range(rows.shape[0]):
        out[0, r] = x[rows[r]]
    for k in range(1, u.shape[0]):
        new[:m] = u[k]
        for line in range(count):
            new[m + 2 * line] = _arriving(waves, k, 2 * line + 1, k - 1, delays[line])
            new[m + 2 * line + 1] = _arriving(waves, k, 2 * line, k - 1, delays[line])
        # Column by column: each sum in the order of its terms, and all of them side by side.
        ahead[:] = x
        for j in range(n):
            factor = x[j]
            for i in range(n):
                ahead[i] += change[j, i] * factor
        for j in range(m + 2 * count):
            first, second = now[j], new[j]
            for i in range(n):
                ahead[i] += before[j, i] * first + after[j, i] * second
        x[:] = ahead
        now[:] = new
        if count:
            _outgoing(x, numbers, impedances, waves, k)
        if k % every == 0:
            for r in range(rows.shape[0]):
                out[k // every, r] = x[rows[r]]


@njit(cache=True, error_model="numpy", nogil=True)
def _eliminated(a: Any, b: Any) -> bool:  # noqa: C901 - elimination, in one place
    """Solve a x = b in place, small and real; return whether there is a solution."""
    n = b.shape[0]
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[p, k]):
                p = i
        if not abs(a[p, k]) > 0.0:
            return False
        if p != k:
            for j in range(k, n):
                a[k, j], a[p, j] = a[p, j], a[k, j]
            b[k], b[p] = b[p], b[k]
        for i in range(k + 1, n):
            if a[i, k] != 0.0:
                factor = a[i, k] / a[k, k]
                for j in range(k + 1, n):
                    a[i, j] -= factor * a[k, j]
                b[i] -= factor * b[k]
    for i in range(n - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, n):
            total -= a[i, j] * b[j]
        b[i] = total / a[i, i]
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def _solve(a: Any, b: Any) -> bool:
    """Solve a x = b in place by elimination with scaled rows; return whether there is a solution."""
    n = b.shape[0]
    for i in range(n):
        largest = 0.0
        for j in range(n):
            largest = max(largest, abs(a[i, j]))
        if not largest > 0.0:
            return False
        for j in range(n):
            a[i, j] /= largest
        b[i] /= largest
    return _eliminated(a, b)


@njit(cache=True, error_model="numpy", nogil=True)
def _junction(v: float, row: Any) -> Any:
    """Return current, its slope, charge and capacitance of a junction."""
    saturation, thermal, at_zero, potential, grading, transit = row[0], row[1], row[2], row[3], row[4], row[5]
    y = v / thermal
    if y > 80.0:
        e = math.exp(80.0)
        i, slope = saturation * (e * (1.0 + y - 80.0) - 1.0), saturation * e / thermal
    else:
        i, slope = saturation * math.expm1(y), saturation * math.exp(y) / thermal
    half = 0.5
    if v < half * potential:
        rest = 1.0 - v / potential
        c = at_zero * rest**-grading
        if grading == 1.0:
            q = -at_zero * potential * math.log(rest)
        else:
            q = at_zero * potential * (1.0 - rest ** (1.0 - grading)) / (1.0 - grading)
    else:
        rest = 1.0 - half
        edge, c0 = half * potential, at_zero * rest**-grading
        rise = c0 * grading / (potential * rest)
        if grading == 1.0:
            q0 = -at_zero * potential * math.log(rest)
        else:
            q0 = at_zero * potential * (1.0 - rest ** (1.0 - grading)) / (1.0 - grading)
        c = c0 + rise * (v - edge)
        q = q0 + c0 * (v - edge) + 0.5 * rise * (v - edge) ** 2
    return i, slope, q + transit * i, c + transit * slope


@njit(cache=True, error_model="numpy", nogil=True)
def _product(matrix: Any, x: Any, out: Any) -> None:
    """Fill out with a matrix times x."""
    for i in range(matrix.shape[0]):
        total = 0.0
        for j in range(matrix.shape[1]):
            total += matrix[i, j] * x[j]
        out[i] = total


@njit(cache=True, error_model="numpy", nogil=True)
def _limited(new: float, old: float, row: Any) -> float:
    """Return a junction's voltage no further than its exponential allows (SPICE's pnjlim)."""
    saturation, thermal = row[0], row[1]
    critical = thermal * math.log(thermal / (math.sqrt(2.0) * saturation))
    if new <= critical or abs(new - old) <= 2.0 * thermal:
        return new
    if old <= 0.0:
        return float(thermal * math.log(max(new / thermal, 1.0)))
    reach = 1.0 + (new - old) / thermal
    return float(old + thermal * math.log(reach) if reach > 0.0 else critical)


@njit(cache=True, error_model="numpy", nogil=True)
def _soft(y: float) -> Any:
    """Return y up to a share of 1, beyond it bent towards 1 with two smooth slopes, and its slope."""
    over = abs(y) - _STRAIGHT
    if over <= 0.0:
        return y, 1.0
    room = 1.0 - _STRAIGHT
    bent = math.tanh(over / room)
    return math.copysign(_STRAIGHT + room * bent, y), 1.0 - bent * bent


@njit(cache=True, error_model="numpy", nogil=True)
def _between(x: Any, a: int, b: int) -> float:
    """Return the voltage between two unknowns, -1 being ground."""
    return float((x[a] if a >= 0 else 0.0) - (x[b] if b >= 0 else 0.0))


@njit(cache=True, error_model="numpy", nogil=True)
def _flow(  # noqa: C901 - one kind of part after the other
    x: Any, conductance: Any, given: Any, parts: Any, f: Any, q: Any
) -> None:
    """Fill f with G x + i(x) - B u and q with q(x), at limited junctions' own voltages."""
    ends, values, products, gains, limited, limits = parts
    n = x.shape[0]
    for i in range(n):
        total = -given[i]
        for j in range(n):
            total += conductance[i, j] * x[j]
        f[i] = total
        q[i] = 0.0
    for k in range(ends.shape[0]):
        a, b = ends[k, 0], ends[k, 1]
        v = (x[a] if a >= 0 else 0.0) - (x[b] if b >= 0 else 0.0)
        i, _, charge, _ = _junction(v, values[k])
        if a >= 0:
            f[a] += i
            q[a] += charge
        if b >= 0:
            f[b] -= i
            q[b] -= charge
    for k in range(products.shape[0]):
        a, b, c, d, e, g = products[k]
        i = gains[k] * _between(x, c, d) * _between(x, e, g)
        if a >= 0:
            f[a] += i
        if b >= 0:
            f[b] -= i
    for k in range(limited.shape[0]):
        a, b, c, d = limited[k]
        share, _ = _soft(limits[k, 0] * _between(x, c, d) / limits[k, 1])
        if a >= 0:
            f[a] += limits[k, 1] * share
        if b >= 0:
            f[b] -= limits[k, 1] * share


@njit(cache=True, error_model="numpy", nogil=True)
def _linearise(  # noqa: C901 - one kind of part after the other
    x: Any, parts: Any, dh: float, matrix: Any, right: Any
) -> None:
    """Add products and limited transconductances about x to the equations of a step of Newton's method."""
    _, _, products, gains, limited, limits = parts
    for k in range(products.shape[0]):
        a, b, c, d, e, g = products[k]
        first, second = _between(x, c, d), _between(x, e, g)
        for row, sign in ((a, dh), (b, -dh)):
            if row >= 0:
                right[row] += sign * gains[k] * first * second
                for column, slope in ((c, second), (d, -second), (e, first), (g, -first)):
                    if column >= 0:
                        matrix[row, column] += sign * gains[k] * slope
    for k in range(limited.shape[0]):
        a, b, c, d = limited[k]
        v = _between(x, c, d)
        share, bend = _soft(limits[k, 0] * v / limits[k, 1])
        slope = limits[k, 0] * bend
        for row, sign in ((a, dh), (b, -dh)):
            if row >= 0:
                right[row] -= sign * (limits[k, 1] * share - slope * v)
                if c >= 0:
                    matrix[row, c] += sign * slope
                if d >= 0:
                    matrix[row, d] -= sign * slope


@njit(cache=True, error_model="numpy", nogil=True)
def _newton(  # noqa: C901 - the inner loop of every step
    x: Any, charge: Any, conductance: Any, given: Any, parts: Any, want: Any, dh: float, work: Any
) -> int:
    """Solve C x + q(x) + dh F(x) = want from x on; return -1, or the unknown that moves most."""
    ends, values = parts[0], parts[1]
    matrix, right, held = work
    n, worst = x.shape[0], 0
    for k in range(ends.shape[0]):
        a, b = ends[k, 0], ends[k, 1]
        held[k] = (x[a] if a >= 0 else 0.0) - (x[b] if b >= 0 else 0.0)
    for turn in range(_MOST):
        for i in range(n):
            right[i] = want[i] + dh * given[i]
            for j in range(n):
                matrix[i, j] = charge[i, j] + dh * conductance[i, j]
        for k in range(ends.shape[0]):
            a, b = ends[k, 0], ends[k, 1]
            i, slope, q, c = _junction(held[k], values[k])
            both = c + dh * slope
            rest = q + dh * i - both * held[k]
            if a >= 0:
                right[a] -= rest
                matrix[a, a] += both
                if b >= 0:
                    matrix[a, b] -= both
            if b >= 0:
                right[b] += rest
                matrix[b, b] += both
                if a >= 0:
                    matrix[b, a] -= both
        _linearise(x, parts, dh, matrix, right)
        if not _solve(matrix, right):
            return 0
        worst, far, rounded = 0, 0.0, 0.0
        for i in range(n):
            rounded = max(rounded, _ROUNDED * abs(right[i]))  # last bits of the largest stand in all
        for i in range(n):
            beyond = abs(right[i] - x[i]) - _RELATIVE * abs(right[i]) - _ABSOLUTE - rounded
            if not beyond <= far:
                far, worst = beyond, i
            x[i] = right[i]
        done = not far > 0.0
        for k in range(ends.shape[0]):
            a, b = ends[k, 0], ends[k, 1]
            v = (x[a] if a >= 0 else 0.0) - (x[b] if b >= 0 else 0.0)
            now = _limited(v, held[k], values[k])
            if abs(now - v) > _RELATIVE * abs(v) + _ABSOLUTE + rounded:
                done = False
            held[k] = now
        # After many steps, rounding alone moves what is that sensitive.
        if done or (turn >= _SETTLED and far <= 1e3 * rounded):
            return -1
    return worst


@njit(cache=True, error_model="numpy", nogil=True)
def nonlinear(  # noqa: PLR0913 - one loop over steps, arrays in, arrays out
    matrices: Any, parts: Any, u: Any, x: Any, h: float, lines: Any, rows: Any, every: int, out: Any
) -> Any:
    """Carry junctions, products and limits by TR-BDF2; return (-1, 0), or (step, unknown) that failed.

    matrices: C and G (n, n), B (n, m + 2 L).  parts: junctions' nodes (J, 2) and numbers (J, 6); products'
    nodes (P, 6) and gains (P,); limited transconductances' nodes (Q, 4) and (siemens, ampere) (Q, 2).
    h: the step in s.  The rest as for `linear`.
    """
    charge, conductance, drive = matrices
    numbers, impedances, delays, waves = lines
    n, m, count = x.shape[0], u.shape[1], numbers.shape[0]
    work = (np.zeros((n, n)), np.zeros(n), np.zeros(parts[0].shape[0]))
    now, new = np.zeros(m + 2 * count), np.zeros(m + 2 * count)
    f, q, f_old, q_old = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    want, given = np.zeros(n), np.zeros(n)
    middle, first = np.zeros(n), np.zeros(n)
    _outgoing(x, numbers, impedances, waves, 0)
    now[:m] = u[0]
    for line in range(count):
        now[m + 2 * line] = waves[0, 2 * line + 1]
        now[m + 2 * line + 1] = waves[0, 2 * line]
    for r in range(rows.shape[0]):
        out[0, r] = x[rows[r]]
    dh = _D * h
    for k in range(1, u.shape[0]):
        new[:m] = u[k]
        for line in range(count):
            new[m + 2 * line] = _arriving(waves, k, 2 * line + 1, k - 1, delays[line])
            new[m + 2 * line + 1] = _arriving(waves, k, 2 * line, k - 1, delays[line])
        _product(drive, now, given)
        _flow(x, conductance, given, parts, f_old, q_old)
        _product(charge, x, first)
        first += q_old
        want[:] = first - dh * f_old
        _product(drive, now + _GAMMA * (new - now), given)
        middle[:] = x
        failed = _newton(middle, charge, conductance, given, parts, want, dh, work)
        if failed >= 0:
            return k, failed
        _flow(middle, conductance, given, parts, f, q)
        _product(charge, middle, want)
        want[:] = _A * (want + q) - _B * first
        _product(drive, new, given)
        x[:] = middle
        failed = _newton(x, charge, conductance, given, parts, want, dh, work)
        if failed >= 0:
            return k, failed
        now[:] = new
        if count:
            _outgoing(x, numbers, impedances, waves, k)
        if k % every == 0:
            for r in range(rows.shape[0]):
                out[k // every, r] = x[rows[r]]
    return -1, 0


@njit(cache=True, error_model="numpy", nogil=True)
def _inverted(a: Any, out: Any) -> None:  # noqa: C901 - elimination, in one place
    """Fill out with the inverse of a small complex matrix, which is changed."""
    n = a.shape[0]
    if n == 1:
        out[0, 0] = 1.0 / a[0, 0]
        return
    out[:] = 0.0
    for k in range(n):
        out[k, k] = 1.0
    for k in range(n):
        p = k
        for i in range(k + 1, n):
            if abs(a[i, k]) > abs(a[p, k]):
                p = i
        if p != k:
            for j in range(n):
                a[k, j], a[p, j] = a[p, j], a[k, j]
                out[k, j], out[p, j] = out[p, j], out[k, j]
        turn = 1.0 / a[k, k]
        for j in range(n):
            a[k, j] *= turn
            out[k, j] *= turn
        for i in range(n):
            if i != k and a[i, k] != 0.0:
                factor = a[i, k]
                for j in range(n):
                    a[i, j] -= factor * a[k, j]
                    out[i, j] -= factor * out[k, j]


@njit(cache=True, error_model="numpy", nogil=True)
def _lit(driven: Any, light: Any, when: Any, work: Any) -> None:  # noqa: C901, PLR0915 - one pass over the lines
    """Fill currents (D,) in A of detectors, and their slopes (D, m) by the settings `driven` (m, ...).

    light: see `looped`.  when: s since the start, values of settings of their own (q,), amplitudes (A,).
    Of each line: the waves a that arrive at driven parts obey a = inner D(s) a + source, and the light on
    detectors is outer D(s) a + direct.
    """
    reads, _, grids, entries, tables, inner, source, outer, direct, numbers, offsets, receivers = light[:12]
    owners, responsivity, saturation, dark = receivers
    time, own, scales = when
    values, currents, slopes, matrix, inverse, arriving, leaving, fields, moved = work
    m, count = reads.shape[0], grids.shape[0]
    for k in range(count):
        values[k] = driven[k] if k < m else own[k - m]
    fields[:] = 0.0
    moved[:] = 0.0
    ports, waves = direct.shape[1], source.shape[1]
    for line in range(tables.shape[0]):
        scale = complex(scales[numbers[line, 1]]) if numbers[line, 1] >= 0 else complex(1.0)
        group = numbers[line, 0]
        turn = complex(math.cos(offsets[line] * time), -math.sin(offsets[line] * time))
        for i in range(waves):
            for j in range(waves):
                matrix[i, j] = 1.0 if i == j else 0.0
        leaving[:] = 0.0
        for e in range(entries.shape[0]):
            k, to, start, first = entries[e]
            at = min(max((values[k] - grids[k, 0]) / grids[k, 1], 0.0), grids[k, 2])
            j = min(int(at), int(grids[k, 2]) - 1)
            t = at - j
            row, after = tables[line, first + j], tables[line, first + j + 1]
            # Cubic through values and slopes at both ends.
            rise = after[0] - row[0]
            bend, twist = 3.0 * rise - 2.0 * row[1] - after[1], row[1] + after[1] - 2.0 * rise
            leaving[e, 0] = row[0] + t * (row[1] + t * (bend + t * twist))
            leaving[e, 1] = (row[1] + t * (2.0 * bend + t * 3.0 * twist)) / grids[k, 1]
            for i in range(waves):
                matrix[i, start] -= inner[line, i, to] * leaving[e, 0]
        _inverted(matrix, inverse)
        for i in range(waves):
            total = complex(0.0)
            for j in range(waves):
                total += inverse[i, j] * source[line, j]
            arriving[i] = total * scale
        for f in range(ports):
            fields[group, f] += direct[line, f] * scale * turn
        for e in range(entries.shape[0]):
            k, to, start, _ = entries[e]
            for f in range(ports):
                fields[group, f] += outer[line, f, to] * leaving[e, 0] * arriving[start] * turn
            if k >= m:
                continue
            # A setting moves what leaves its part; that comes back through inner.
            made = leaving[e, 1] * arriving[start]
            for f in range(ports):
                moved[group, f, k] += outer[line, f, to] * made * turn
            for i in range(waves):
                back = complex(0.0)
                for j in range(waves):
                    back += inverse[i, j] * inner[line, j, to]
                back *= made
                if back != 0.0:
                    for g in range(entries.shape[0]):
                        if entries[g, 2] == i:
                            for f in range(ports):
                                moved[group, f, k] += (
                                    outer[line, f, entries[g, 1]] * leaving[g, 0] * back * turn
                                )
    currents[:] = dark
    slopes[:] = 0.0
    for f in range(ports):
        power = 0.0
        for g in range(fields.shape[0]):
            power += fields[g, f].real ** 2 + fields[g, f].imag ** 2
        over = power > saturation[f]
        share = saturation[f] / power if over else 1.0
        for g in range(fields.shape[0]):
            z = fields[g, f]
            currents[owners[f]] += responsivity[g, f] * share * (z.real * z.real + z.imag * z.imag)
            if not over:
                for k in range(m):
                    y = moved[g, f, k]
                    slopes[owners[f], k] += responsivity[g, f] * 2.0 * (z.real * y.real + z.imag * y.imag)


@njit(cache=True, error_model="numpy", nogil=True)
def light_work(light: Any) -> Any:
    """Return the arrays that `_lit` works in."""
    reads, _, grids, entries, _, _, source, _, direct, _, _, receivers = light[:12]
    m, waves, ports = reads.shape[0], source.shape[1], direct.shape[1]
    groups, detectors = receivers[1].shape[0], receivers[3].shape[0]
    return (
        np.zeros(grids.shape[0]),
        np.zeros(detectors),
        np.zeros((detectors, m)),
        np.zeros((waves, waves), dtype=np.complex128),
        np.zeros((waves, waves), dtype=np.complex128),
        np.zeros(waves, dtype=np.complex128),
        np.zeros((entries.shape[0], 2), dtype=np.complex128),
        np.zeros((groups, ports), dtype=np.complex128),
        np.zeros((groups, ports, m), dtype=np.complex128),
    )


@njit(cache=True, error_model="numpy", nogil=True)
def photocurrents(driven: Any, light: Any, time: float, step: int) -> Any:
    """Return the currents (D,) in A of detectors at settings (m,) at a step of a loop, and slopes (D, m)."""
    work = light_work(light)
    _lit(driven, light, (time, light[12][step], light[13][step]), work)
    return work[1], work[2]


@njit(cache=True, error_model="numpy", nogil=True)
def photocurrents_over(x: Any, light: Any, apart: float, every: int, out: Any) -> None:
    """Fill out (T, D) with the currents in A of detectors at samples, from settings x (T, m).

    apart: s between samples.  every: steps of the loop's clock in each.
    """
    work = light_work(light)
    for k in range(x.shape[0]):
        _lit(x[k], light, (k * apart, light[12][k * every], light[13][k * every]), work)
        out[k] = work[1]


@njit(cache=True, error_model="numpy", nogil=True)
def _currents(y: Any, held: Any, kinds: Any, light: Any, when: Any, work: Any, found: Any) -> None:
    """Fill currents i (p,), charges over dh (p,) and slopes (p, c) by controls y (c,) of all that depends.

    kinds: (gains (P,), limits (Q, 2), junctions (J, 6), dh).  Controls are the settings, two of each product,
    one of each limit, one of each junction, which counts at its own voltage `held` (J,).
    """
    current, stored, slope = found
    gains, limits, junctions, dh = kinds
    m, count = light[0].shape[0], light[11][3].shape[0]
    slope[:] = 0.0
    _lit(y, light, when, work)
    for d in range(count):
        current[d] = work[1][d]
        for k in range(m):
            slope[d, k] = work[2][d, k]
    at, row = m, count
    for k in range(gains.shape[0]):
        current[row] = gains[k] * y[at] * y[at + 1]
        slope[row, at] = gains[k] * y[at + 1]
        slope[row, at + 1] = gains[k] * y[at]
        at, row = at + 2, row + 1
    for k in range(limits.shape[0]):
        share, bend = _soft(limits[k, 0] * y[at] / limits[k, 1])
        current[row] = limits[k, 1] * share
        slope[row, at] = limits[k, 0] * bend
        at, row = at + 1, row + 1
    for k in range(junctions.shape[0]):
        i, conductance, charge, capacitance = _junction(held[k], junctions[k])
        both = conductance + capacitance / dh
        stored[row] = charge / dh
        current[row] = i
        # Along the tangent, from the voltage at which the junction counts.
        slope[row, at] = both
        at, row = at + 1, row + 1


@njit(cache=True, error_model="numpy", nogil=True)
def _stage(  # noqa: C901, PLR0913 - Newton's method on what depends
    alone: Any, through: Any, y: Any, held: Any, kinds: Any, light: Any, when: Any, work: Any, found: Any,
    room: Any,
) -> bool:  # fmt: skip
    """Find currents j (p,) with y = alone + through j, j = current + charge/dh at y; return whether it did.

    y (c,) and held (J,) are where it begins and what it finds; found: as `_currents` fills it.
    """
    current, stored, slope = found
    matrix, right, before = room
    junctions = kinds[2]
    c, p, count = y.shape[0], right.shape[0], junctions.shape[0]
    for _ in range(_MOST_LOOPED):
        _currents(y, held, kinds, light, when, work, found)
        # j = (j at y) + slope (alone + through j - y)
        for r in range(p):
            total = current[r] + stored[r]
            for k in range(c):
                if slope[r, k] != 0.0:
                    at = held[k - c + count] if k >= c - count else y[k]
                    total += slope[r, k] * (alone[k] - at)
            right[r] = total
            for s in range(p):
                by = 1.0 if r == s else 0.0
                for k in range(c):
                    if slope[r, k] != 0.0:
                        by -= slope[r, k] * through[k, s]
                matrix[r, s] = by
        if not _eliminated(matrix, right):
            return False
        done = True
        for k in range(c):
            total, size = alone[k], abs(alone[k])
            for r in range(p):
                total += through[k, r] * right[r]
                size = max(size, abs(through[k, r] * right[r]))
            before[k] = total
            if not abs(total - y[k]) <= _RELATIVE_LOOPED * size + _ABSOLUTE_LOOPED:
                done = False
            y[k] = total
        for k in range(count):
            v = y[c - count + k]
            now = _limited(v, held[k], junctions[k])
            if abs(now - v) > 1e-9 * abs(v) + 1e-12:
                done = False
            held[k] = now
        if done:
            _currents(y, held, kinds, light, when, work, found)
            return True
    return False


@njit(cache=True, error_model="numpy", nogil=True)
def _beyond(y: Any, light: Any) -> int:
    """Return the number of the first setting that has left its table, or -1."""
    grids = light[2]
    for k in range(light[0].shape[0]):
        if not grids[k, 0] <= y[k] <= grids[k, 0] + grids[k, 1] * grids[k, 2]:
            return k
    return -1


@njit(cache=True, error_model="numpy", nogil=True)
def looped(  # noqa: C901, PLR0913, PLR0915 - one loop over steps, arrays in, arrays out
    step: Any, kinds: Any, u: Any, x: Any, h: float, lines: Any, rows: Any, every: int, out: Any, light: Any
) -> Any:
    """Carry electronics and light; return (-1, 0), (step, 1) with no solution, (step, -1 - k) out of a table.

    step: matrices of a step, with A = C + dh G, dh = (1 - 1/sqrt(2)) h: keeps A^-1 C and dh A^-1 G (n, n),
    given dh A^-1 B (n, m + 2 L), made dh A^-1 E (n, p), E where currents enter, and controls V (c, n).
    kinds: as `_currents` has it.  The rest as for `networks.linear`.

    light: (reads (m, 2), unknowns between which settings stand; targets (T, 2), detector and column of B;
    grids (m + q, 3), lowest, step and intervals of each setting's table; entries (E, 4), setting, leaving
    wave, arriving wave, first row in tables; tables (lines, rows, 2), values and slopes times step; inner
    (lines, waves, leaving), source (lines, waves), outer (lines, ports, leaving), direct (lines, ports);
    numbers (lines, 2), group and amplitude or -1; offsets (lines,) in rad/s from the carrier; receivers:
    owners (ports,), responsivity (groups, ports), saturation (ports,), dark (D,); settings of their own
    (K + 1, q), amplitudes (K + 1, A)).
    """
    keeps, holds, given, made, controls = step
    numbers, impedances, delays, waves = lines
    n, m, count = x.shape[0], u.shape[1], numbers.shape[0]
    c, p, junctions = controls.shape[0], made.shape[1], kinds[2].shape[0]
    own, scales = light[12], light[13]
    through = np.zeros((c, p))
    for k in range(c):
        for r in range(p):
            for i in range(n):
                through[k, r] += controls[k, i] * made[i, r]
    work = light_work(light)
    found = (np.zeros(p), np.zeros(p), np.zeros((p, c)))
    room = (np.zeros((p, p)), np.zeros(p), np.zeros(c))
    y, held, alone = np.zeros(c), np.zeros(junctions), np.zeros(c)
    now, new, mid = np.zeros(m + 2 * count), np.zeros(m + 2 * count), np.zeros(m + 2 * count)
    i_old, q_old, middle, kept = np.zeros(p), np.zeros(p), np.zeros(n), np.zeros(n)
    free = np.zeros(n)
    _outgoing(x, numbers, impedances, waves, 0)
    now[:m] = u[0]
    for line in range(count):
        now[m + 2 * line] = waves[0, 2 * line + 1]
        now[m + 2 * line + 1] = waves[0, 2 * line]
    for r in range(rows.shape[0]):
        out[0, r] = x[rows[r]]
    for k in range(c):
        for i in range(n):
            y[k] += controls[k, i] * x[i]
    held[:] = y[c - junctions :]
    _currents(y, held, kinds, light, (0.0, own[0], scales[0]), work, found)
    for k in range(1, u.shape[0]):
        new[:m] = u[k]
        for line in range(count):
            new[m + 2 * line] = _arriving(waves, k, 2 * line + 1, k - 1, delays[line])
            new[m + 2 * line + 1] = _arriving(waves, k, 2 * line, k - 1, delays[line])
        i_old[:], q_old[:] = found[0], found[1]
        mid[:] = now + _GAMMA * (new - now)
        # The trapezoidal rule over gamma of the step.
        for i in range(n):
            total, stays = 0.0, 0.0
            for j in range(n):
                stays += keeps[i, j] * x[j]
                total -= holds[i, j] * x[j]
            kept[i] = stays
            total += stays
            for j in range(m + 2 * count):
                total += given[i, j] * (now[j] + mid[j])
            for r in range(p):
                total += made[i, r] * (i_old[r] - q_old[r])
            free[i] = total
        for r in range(c):
            total = 0.0
            for i in range(n):
                total += controls[r, i] * free[i]
            alone[r] = total
        when = (
            (k - 1 + _GAMMA) * h,
            own[k - 1] + _GAMMA * (own[k] - own[k - 1]),
            scales[k - 1] + _GAMMA * (scales[k] - scales[k - 1]),
        )
        if not _stage(alone, through, y, held, kinds, light, when, work, found, room):
            return k, 1
        for i in range(n):
            total = free[i]
            for r in range(p):
                total += made[i, r] * (found[0][r] + found[1][r])
            middle[i] = total
        # The second backward difference.
        for i in range(n):
            total = 0.0
            for j in range(n):
                total += keeps[i, j] * middle[j]
            total = _A * total - _B * kept[i]
            for j in range(m + 2 * count):
                total += given[i, j] * new[j]
            for r in range(p):
                total -= made[i, r] * (_A * found[1][r] - _B * q_old[r])
            free[i] = total
        for r in range(c):
            total = 0.0
            for i in range(n):
                total += controls[r, i] * free[i]
            alone[r] = total
        if not _stage(alone, through, y, held, kinds, light, (k * h, own[k], scales[k]), work, found, room):
            return k, 1
        left = _beyond(y, light)
        for i in range(n):
            total = free[i]
            for r in range(p):
                total += made[i, r] * (found[0][r] + found[1][r])
            x[i] = total
        if left >= 0:
            return k, -1 - left
        now[:] = new
        if count:
            _outgoing(x, numbers, impedances, waves, k)
        if k % every == 0:
            for r in range(rows.shape[0]):
                out[k // every, r] = x[rows[r]]
    return -1, 0

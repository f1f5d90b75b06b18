"""Kernels that read lines off sampled spectra: extremes, crossings and slopes between the points.

Between four neighbouring points the complex element S is taken as the rational function of type (2, 1) that
meets all four: (a0 + a1 x + a2 x**2)/(1 + b x), x counted in points. Its one pole is that of a resonance and
the numerator the smooth rest, so that a line is met between points that are about its own width apart, where
a polynomial would need five or more to a width. b makes the third divided difference of (1 + b x) S zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

PEAK, DIP = 1, -1
"""Directions of a line."""
AT, POWER, LOW, LOW_POWER, HIGH, HIGH_POWER = range(6)
"""Columns of a line: its extreme and the opposite ones below and above it, each as wavelength and power."""
HALF_LOW, HALF_HIGH, ONE_LOW, ONE_HIGH, THREE_LOW, THREE_HIGH = range(6, 12)
"""Columns of a line: where the power crosses half-way to the baseline, 1 dB and 3 dB."""
RIPPLE, DELAY, FLAGS, STEP = range(12, 16)
"""Columns of a line: lowest power in the 3 dB band over the highest, d arg S / d wl, marks, and the step."""
COLUMNS = 16
CUT_LOW, CUT_HIGH, DOUBLE, LONE = 1, 2, 4, 16
"""Marks: the sweep ends before the power turns, below and above; two lines in a width; no line of a comb."""
DENT = 0.1
"""Part of a line's height by which the power turns back inside its width where there are two lines."""

_ROUNDS = 60
_STRAIGHT, _MEETS, _NEAR, _FAR = 1e-13, 1e-3, 25.0, 1e4
"""Part of S that counts as none; parts of the spread by which the points beside a model may be off."""
_TURNS, _HALVINGS = 72, 12


@njit(cache=True, error_model="numpy", nogil=True)
def power_of(s: Any) -> Any:
    """Return |s|**2."""
    return s.real**2 + s.imag**2


@njit(cache=True, error_model="numpy", nogil=True)
def look(m: Any, at: float) -> tuple[Any, Any, Any]:
    """Return a model's power, its derivative by x, and the derivative of log S by wavelength."""
    x = (at - m[4].real) / m[5].real
    x0, x1 = m[6].real, m[7].real
    top = m[0] + (x - x0) * (m[1] + (x - x1) * m[2])
    slope = m[1] + (2.0 * x - x0 - x1) * m[2]
    below = 1.0 + m[3] * x
    value = top / below
    rate = (slope - value * m[3]) / below
    power = value.real**2 + value.imag**2
    change = 2.0 * (value.real * rate.real + value.imag * rate.imag)
    return power, change, (rate / value + 1j * m[7].imag) / m[5].real if power > 0.0 else 0j


@njit(cache=True, error_model="numpy", nogil=True)
def over(m: Any, at: float, level: float) -> Any:
    """Return a model's power less a level, or its derivative where the level is nan."""
    if level != level:  # noqa: PLR0124 - not a number
        return look(m, at)[1]
    x = (at - m[4].real) / m[5].real
    top = m[0] + (x - m[6].real) * (m[1] + (x - m[7].real) * m[2])
    below = 1.0 + m[3] * x
    return (top.real**2 + top.imag**2) / (below.real**2 + below.imag**2) - level


@njit(cache=True, error_model="numpy", nogil=True)
def fitted(wl: Any, s: Any, first: int, turn: float, out: Any) -> None:
    """Fill out (8,) complex: numerator in Newton's form, b, origin, scale, two nodes, phase out a step."""
    scale = wl[first + 2] - wl[first + 1]
    origin = wl[first + 1]
    x0, x1 = (wl[first] - origin) / scale, 0.0
    x2, x3 = (wl[first + 2] - origin) / scale, (wl[first + 3] - origin) / scale
    f0, f1, f2, f3 = s[first], s[first + 1], s[first + 2], s[first + 3]
    if turn != 0.0:
        back = complex(np.cos(turn), -np.sin(turn))
        f0, f2, f3 = f0 * back.conjugate(), f2 * back, f3 * back * back
    # Factors, since a complex number over a real one is compiled as one over a complex one.
    r01, r12, r02 = 1.0 / (x1 - x0), 1.0 / (x2 - x1), 1.0 / (x2 - x0)
    r23, r13, r03 = 1.0 / (x3 - x2), 1.0 / (x3 - x1), 1.0 / (x3 - x0)
    d01, d12, d23 = (f1 - f0) * r01, (f2 - f1) * r12, (f3 - f2) * r23
    d012, d123 = (d12 - d01) * r02, (d23 - d12) * r13
    third = (d123 - d012) * r03
    under = x3 * third + d012  # the third divided difference of x S
    size = power_of(f0) + power_of(f1) + power_of(f2) + power_of(f3)
    b = 0j if power_of(under) <= _STRAIGHT**2 * size else -third / under
    g0, g1, g2 = (1.0 + b * x0) * f0, (1.0 + b * x1) * f1, (1.0 + b * x2) * f2
    e01, e12 = (g1 - g0) * r01, (g2 - g1) * r12
    out[0], out[1], out[2], out[3] = g0, e01, (e12 - e01) * r02, b
    out[4], out[5], out[6], out[7] = origin, scale, x0, complex(x1, turn)


@njit(cache=True, error_model="numpy", nogil=True)
def miss(wl: Any, s: Any, first: int, m: Any) -> float:
    """Return how far a model's amplitudes are off, as a sum of squares, at the points next to its four."""
    total = 0.0
    for k in (first - 2, first - 1, first + 4, first + 5):
        if 0 <= k < wl.shape[0]:
            power = s[k].real ** 2 + s[k].imag ** 2
            x = (wl[k] - m[4].real) / m[5].real
            top = m[0] + (x - m[6].real) * (m[1] + (x - m[7].real) * m[2])
            below = 1.0 + m[3] * x
            ratio = (top.real**2 + top.imag**2) / (below.real**2 + below.imag**2)
            total += (np.sqrt(ratio) - np.sqrt(power)) ** 2
    return total


@njit(cache=True, error_model="numpy", nogil=True)
def spread(s: Any, first: int) -> Any:
    """Return highest less lowest amplitude at the points that `miss` sees and those of the model."""
    low, high = np.inf, 0.0
    for k in range(max(first - 2, 0), min(first + 6, s.shape[0])):
        power = s[k].real ** 2 + s[k].imag ** 2
        low, high = min(low, power), max(high, power)
    return np.sqrt(high) - np.sqrt(low)


@njit(cache=True, error_model="numpy", nogil=True)
def turned(wl: Any, s: Any, first: int, turn: float, least: float, out: Any, other: Any) -> float:
    """Leave the model with that turn in `out` if it misses by less than `least`; return the lesser miss.

    other (8,): room for the model that is tried.
    """
    fitted(wl, s, first, turn, other)
    off = miss(wl, s, first, other)
    if off < least:
        out[:] = other
        return off
    return least


@njit(cache=True, error_model="numpy", nogil=True)
def model(wl: Any, s: Any, first: int, out: Any) -> None:
    """Fill out (8,) complex with the model of four points, as `fitted` describes it.

    A guide turns the phase alike in all intervals and leaves the power. Where the points beside show that
    the model misses that, the turn that meets them best is taken out; the one in `out` is tried first.
    """
    before = out[7].imag
    fitted(wl, s, first, 0.0, out)
    least = miss(wl, s, first, out)
    enough = (_MEETS * spread(s, first)) ** 2
    other = np.empty(8, np.complex128)
    if least > enough and before != 0.0:
        least = turned(wl, s, first, before, least, out, other)
    if least <= _NEAR * enough:
        return
    # A pole among the points bends the model most between them, where nothing holds it.
    pole = -1.0 / out[3] if out[3] != 0.0 else complex(np.inf, 0.0)
    among = -1.5 < pole.real < 2.5 and abs(pole.imag) < 1.5
    if not among and least <= _FAR * enough:
        return
    step = 2.0 * np.pi / _TURNS
    for n in range(1, _TURNS):
        least = turned(wl, s, first, n * step, least, out, other)
    for _ in range(_HALVINGS):
        if least <= enough:
            return
        step *= 0.5
        middle = out[7].imag
        least = turned(wl, s, first, middle - step, least, out, other)
        least = turned(wl, s, first, middle + step, least, out, other)


@njit(cache=True, error_model="numpy", nogil=True)
def root(m: Any, low: float, high: float, level: float) -> Any:
    """Return where a model's power is `level` between two wavelengths, or has its extreme where level is nan.

    The rule of false position, the end that stays weighing half each time (Illinois).
    """
    a, b = low, high
    fa, fb = over(m, a, level), over(m, b, level)
    side = 0
    for _ in range(_ROUNDS):
        if fa == fb or abs(b - a) <= 4e-16 * abs(b):
            break
        c = (a * fb - b * fa) / (fb - fa)
        if not min(a, b) < c < max(a, b):
            c = 0.5 * (a + b)
        fc = over(m, c, level)
        if fc == 0.0:
            return c
        if fc * fb > 0.0:
            b, fb = c, fc
            if side == -1:
                fa *= 0.5
            side = -1
        else:
            a, fa = c, fc
            if side == 1:
                fb *= 0.5
            side = 1
    return a if abs(fa) < abs(fb) else b


@njit(cache=True, error_model="numpy", nogil=True)
def extreme(wl: Any, s: Any, k: int, m: Any) -> Any:
    """Return where the power has its extreme next to point k, and leave the model there in m."""
    points = wl.shape[0]
    if 0 < k < points - 1:
        for first in (k - 2, k - 1):  # the model of the side on which the extreme lies
            low, high = (wl[k - 1], wl[k]) if first == k - 2 else (wl[k], wl[k + 1])
            model(wl, s, min(max(first, 0), points - 4), m)
            start, end = look(m, low)[1], look(m, high)[1]
            if start * end <= 0.0 and (start != 0.0 or end != 0.0):
                return root(m, low, high, np.nan)
    model(wl, s, min(max(k - 1, 0), points - 4), m)
    return wl[k]


@njit(cache=True, error_model="numpy", nogil=True)
def crossing(  # noqa: PLR0913 - of a compiled kernel
    wl: Any, s: Any, p: Any, start: float, power: float, k: int, step: int, end: int, level: float, m: Any
) -> Any:
    """Return where the power, `power` at `start` beside point k, first crosses a level before point `end`."""
    above = power > level
    from_wl = start
    j = k if (wl[k] - start) * step > 0.0 else k + step
    while (end - j) * step >= 0:
        if (p[j] > level) != above:
            low = j - 1 if step > 0 else j
            model(wl, s, min(max(low - 1, 0), wl.shape[0] - 4), m)
            return root(m, from_wl, wl[j], level)
        from_wl = wl[j]
        j += step
    return np.nan


@njit(cache=True, error_model="numpy", nogil=True)
def turns(p: Any, threshold: float, places: Any, kinds: Any) -> int:
    """Find where the power turns round by more than a threshold; return how many extremes alternate.

    places, kinds (W,) take their points and directions; the ends of the sweep count where it starts or stops.
    """
    count = 0
    low = high = 0
    direction = 0
    for k in range(1, p.shape[0]):
        if p[k] > p[high]:
            high = k
        if p[k] < p[low]:
            low = k
        if direction >= 0 and p[k] < p[high] - threshold:
            places[count], kinds[count] = high, 1
            count += 1
            direction, low = -1, k
            high = k
        elif direction <= 0 and p[k] > p[low] + threshold:
            places[count], kinds[count] = low, -1
            count += 1
            direction, high = 1, k
            low = k
    if direction != 0:
        places[count] = high if direction > 0 else low
        kinds[count] = direction
        count += 1
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def ripple(p: Any, low: int, high: int) -> Any:
    """Return the lowest power between the outermost peaks of points low..high, over the highest."""
    first, last, best = -1, -1, p[low]
    for k in range(max(low, 1), min(high, p.shape[0] - 2) + 1):
        best = max(best, p[k])
        if p[k] >= p[k - 1] and p[k] > p[k + 1]:
            last = k
            if first < 0:
                first = k
    least = best
    for k in range(first, last + 1):
        if k >= 0:
            least = min(least, p[k])
    return least / best


@njit(cache=True, error_model="numpy", nogil=True)
def dented(wl: Any, p: Any, line: Any, k: int, kind: int, depth: float) -> bool:
    """Return whether the power turns back by `depth` inside the half width of a line around point k."""
    for step in (-1, 1):
        end = line[HALF_LOW] if step < 0 else line[HALF_HIGH]
        furthest = kind * p[k]
        j = k + step
        while 0 <= j < wl.shape[0] and (end - wl[j]) * step > 0.0:
            furthest = min(furthest, kind * p[j])
            if kind * p[j] > furthest + depth:
                return True
            j += step
    return False


@njit(cache=True, error_model="numpy", nogil=True)
def base_power(line: Any, kind: int) -> float:
    """Return the baseline of a line: the mean of both opposite extremes, or the one that the sweep holds.

    Where it holds neither, the end at which the power is further from the line's.
    """
    low, high = line[LOW_POWER], line[HIGH_POWER]
    cut = int(line[FLAGS]) & (CUT_LOW | CUT_HIGH)
    if cut == 0:
        return 0.5 * float(low + high)
    if cut == CUT_LOW:
        return float(high)
    return float(low) if cut == CUT_HIGH or kind * low < kind * high else float(high)


@njit(cache=True, error_model="numpy", nogil=True)
def one_line(wl: Any, s: Any, p: Any, around: Any, kind: int, m: Any, line: Any) -> None:
    """Fill one line from its point and the opposite extremes: around = (below, at, above), -1 for none."""
    points = wl.shape[0]
    k = around[1]
    line[AT] = extreme(wl, s, k, m)
    line[POWER], _, slope = look(m, line[AT])
    line[DELAY] = slope.imag
    flags = 0
    ends = np.empty(2, np.int64)
    for side in range(2):
        other = around[2 * side]
        if other < 0:
            other = 0 if side == 0 else points - 1
            flags |= CUT_LOW if side == 0 else CUT_HIGH
        ends[side] = other
        line[LOW + 2 * side] = extreme(wl, s, other, m)
        line[LOW_POWER + 2 * side] = look(m, line[LOW + 2 * side])[0]
    line[FLAGS] = flags
    base = base_power(line, kind)
    reference = line[POWER] if kind == 1 else max(line[LOW_POWER], line[HIGH_POWER])
    levels = (0.5 * (line[POWER] + base), reference * 10.0**-0.1, reference * 10.0**-0.3)
    for n in range(3):
        for side in range(2):
            step = 2 * side - 1
            line[HALF_LOW + 2 * n + side] = crossing(
                wl, s, p, line[AT], line[POWER], k, step, ends[side], levels[n], m
            )
    line[RIPPLE] = np.nan
    if kind == 1 and line[THREE_LOW] == line[THREE_LOW] and line[THREE_HIGH] == line[THREE_HIGH]:
        low = high = k
        while low > ends[0] and wl[low] > line[THREE_LOW]:
            low -= 1
        while high < ends[1] and wl[high] < line[THREE_HIGH]:
            high += 1
        line[RIPPLE] = ripple(p, low, high)
    if dented(wl, p, line, k, kind, DENT * abs(line[POWER] - base)):
        flags |= DOUBLE
    line[FLAGS] = flags
    line[STEP] = max(wl[k] - wl[k - 1], wl[k + 1] - wl[k])


@njit(cache=True, error_model="numpy", nogil=True)
def mark_lone(wl: Any, lines: Any, kind: int, first: int, found: int) -> None:
    """Mark those of lines (L, COLUMNS), number `first` and on of `found`, that are not one of a comb.

    The sweep goes on to where the next line of a comb would be, and has none; or a neighbour is less than
    half as high, as side lobes are.
    """
    kept = min(lines.shape[0], found - first)
    for n in range(kept):
        at, height = 1.0 / lines[n, AT], abs(lines[n, POWER] - base_power(lines[n], kind))
        lone = False
        for step in (-1, 1):
            one, other = n + step, n - step
            if not 0 <= one < kept:
                continue
            spacing = abs(1.0 / lines[one, AT] - at)
            lone |= abs(lines[one, POWER] - base_power(lines[one], kind)) < 0.5 * height
            if not 0 <= other + first < found:
                end = wl[0] if step > 0 else wl[wl.shape[0] - 1]
                lone |= abs(1.0 / end - at) > 1.5 * spacing
        if lone:
            lines[n, FLAGS] += LONE


@njit(cache=True, error_model="numpy", nogil=True)
def read_lines(  # noqa: C901 - loops over spectra, points and extremes, and nothing else
    wl: Any, s: Any, part: float, near: Any, lines: Any, counts: Any, summary: Any
) -> None:
    """Read the lines of spectra s (B, P, W) complex at rising wavelengths wl (1 or B, W).

    lines (B, P, L, COLUMNS) takes the lines in order of wavelength, the L next to `near` (1 or B,) where
    there are more; counts (B, P, 3) how many there are, their direction (0 for a dark or flat spectrum) and
    which of those kept is next to `near`; summary (B, P, 2) the highest and lowest power met at points. A
    line turns round by more than `part` of the range of the power.
    """
    points = wl.shape[1]
    p = np.empty(points)
    places, kinds = np.empty(points + 1, np.int64), np.empty(points + 1, np.int64)
    m = np.zeros(8, np.complex128)
    around = np.empty(3, np.int64)
    for b in range(s.shape[0]):
        grid = wl[b if wl.shape[0] > 1 else 0]
        centre = near[b if near.shape[0] > 1 else 0]
        for q in range(s.shape[1]):
            trace = s[b, q]
            m[:] = 0.0
            top, bottom, total = 0.0, np.inf, 0.0
            for k in range(points):
                power = trace[k].real ** 2 + trace[k].imag ** 2
                p[k] = power
                total += power
                top = max(top, power)
                bottom = min(bottom, power)
            summary[b, q, 0], summary[b, q, 1] = top, bottom
            counts[b, q, 0] = counts[b, q, 1] = counts[b, q, 2] = 0
            if points < 4 or not top > 1e-20 or not top - bottom > 1e-6 * top:
                continue
            middle = 0.5 * (top + bottom) + 0.02 * (top - bottom)
            kind = -1 if total / points > middle else 1
            count = turns(p, part * (top - bottom), places, kinds)
            found, next_to, distance = 0, 0, np.inf
            for n in range(count):
                if kinds[n] == kind and 0 < places[n] < points - 1:
                    if abs(grid[places[n]] - centre) < distance:
                        distance, next_to = abs(grid[places[n]] - centre), found
                    found += 1
            most = lines.shape[2]
            skip = min(max(next_to - most // 2, 0), max(found - most, 0))
            counts[b, q, 0], counts[b, q, 1], counts[b, q, 2] = found, kind, next_to - skip
            number = 0
            for n in range(count):
                if kinds[n] != kind or not 0 < places[n] < points - 1:
                    continue
                if skip <= number < skip + most:
                    around[0] = places[n - 1] if n > 0 and places[n - 1] > 0 else -1
                    around[1] = places[n]
                    around[2] = places[n + 1] if n + 1 < count and places[n + 1] < points - 1 else -1
                    one_line(grid, trace, p, around, kind, m, lines[b, q, number - skip])
                number += 1
            mark_lone(grid, lines[b, q], kind, skip, found)


@njit(cache=True, error_model="numpy", nogil=True)
def powers_at(wl: Any, s: Any, places: Any, out: Any) -> None:
    """Fill out (N, C) with the powers of spectra s (N, W) complex at `places` (C,) inside rising wl."""
    m = np.zeros(8, np.complex128)
    for n in range(s.shape[0]):
        m[:] = 0.0
        for c in range(places.shape[0]):
            k = min(max(int(np.searchsorted(wl, places[c])) - 2, 0), wl.shape[0] - 4)
            model(wl, s[n], k, m)
            out[n, c] = look(m, places[c])[0]


@njit(cache=True, error_model="numpy", nogil=True)
def window_ends(  # noqa: C901 - loops, no more; of a compiled kernel
    wl: Any, s: Any, low: float, high: float, wanted: tuple[bool, bool], out: Any
) -> None:
    """Fill out (B, P, 2) with the highest and lowest power in a window, between points where it is wanted.

    Spectra s (B, P, W) complex at rising wl (1 or B, W); nan where the window leaves the sweep.
    """
    m = np.zeros(8, np.complex128)
    points = wl.shape[1]
    for b in range(s.shape[0]):
        grid = wl[b if wl.shape[0] > 1 else 0]
        for q in range(s.shape[1]):
            out[b, q, :] = np.nan
            m[:] = 0.0
            if low < grid[0] or high > grid[points - 1]:
                continue
            top, bottom = -1.0, np.inf
            for end in (low, high):
                near = int(np.searchsorted(grid, end))
                if grid[near] == end:  # a point of the sweep, which every model meets
                    power = s[b, q, near].real ** 2 + s[b, q, near].imag ** 2
                else:
                    model(grid, s[b, q], min(max(near - 2, 0), points - 4), m)
                    power = look(m, end)[0]
                top, bottom = max(top, power), min(bottom, power)
            best, worst = -1, -1
            for k in range(points):
                if low < grid[k] < high:
                    power = s[b, q, k].real ** 2 + s[b, q, k].imag ** 2
                    if power > top:
                        top, best = power, k
                    if power < bottom:
                        bottom, worst = power, k
            if wanted[0] and best >= 0:
                at = extreme(grid, s[b, q], best, m)
                top = max(top, look(m, at)[0]) if low <= at <= high else top
            if wanted[1] and worst >= 0:
                at = extreme(grid, s[b, q], worst, m)
                bottom = min(bottom, look(m, at)[0]) if low <= at <= high else bottom
            out[b, q, 0], out[b, q, 1] = top, bottom

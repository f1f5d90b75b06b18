"""Waves of a circuit in which light runs two ways, by sweeps that repeat until nothing changes.

Waves stand in the order in which light that is not reflected meets them. A sweep gives every wave, in that
order, the sum over the waves that lead to it; what comes from a later wave is that of the sweep before. Where
reflections are weak each sweep leaves a small share of the error of the last one.

A wave holds COLUMNS numbers side by side, one for each of as many inputs: their real parts, then their
imaginary parts. A row of a sweep is (wave, first term, end of the terms from earlier waves, end of all). A
term is a wave and a complex coefficient, which all columns share. One wavelength is solved by itself, in
groups of columns that are always the same, so its bits depend on nothing around it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

COLUMNS = 8
"""Columns of a group: as many float64 as fill an AVX-512 register."""
PROBED = 3
"""Sweeps from which the rate of the others is told."""
WIDTH = 2 * COLUMNS

_INDEX = ir.IntType(64)
_LANE = ir.IntType(32)


class _Vectors:
    """Writes vector instructions on the arrays of one intrinsic."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.kind = ir.VectorType(ir.DoubleType(), COLUMNS)
        self.data = {}
        for position, kind in enumerate(signature.args):
            if isinstance(kind, types.Array):
                self.data[position] = context.make_array(kind)(context, builder, arguments[position]).data

    def at(self, array: int, number: Any) -> Any:
        return self.builder.gep(self.data[array], [number], inbounds=True)

    def _place(self, array: int, wave: Any, part: int) -> Any:
        b = self.builder
        first = b.add(b.mul(wave, ir.Constant(_INDEX, WIDTH)), ir.Constant(_INDEX, part * COLUMNS))
        return b.bitcast(self.at(array, first), self.kind.as_pointer())

    def load(self, array: int, wave: Any) -> tuple[Any, Any]:
        """Return the (real, imaginary) vectors of a wave."""
        re, im = (self.builder.load(self._place(array, wave, part), align=8) for part in (0, 1))
        return re, im

    def store(self, array: int, wave: Any, value: tuple[Any, Any]) -> None:
        for part in (0, 1):
            self.builder.store(value[part], self._place(array, wave, part), align=8)

    def spread(self, array: int, place: Any) -> Any:
        """Return a vector of one number of an array."""
        b = self.builder
        nothing = ir.Constant(self.kind, [0.0] * COLUMNS)
        first = b.insert_element(nothing, b.load(self.at(array, place)), ir.Constant(_LANE, 0))
        return b.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_LANE, COLUMNS), [0] * COLUMNS))

    def multiply_add(self, a: Any, c: Any, start: Any) -> Any:
        """Return start + a * c, fused where the processor can."""
        kind = ir.FunctionType(self.kind, [self.kind] * 3)
        insert: Any = cgutils.get_or_insert_function
        function = insert(self.builder.module, kind, f"llvm.fmuladd.v{COLUMNS}f64")
        return self.builder.call(function, (a, c, start))

    def total(self, vector: Any) -> Any:
        """Return the sum of a vector's numbers, halves added to halves."""
        b, size = self.builder, COLUMNS
        while size > 1:
            size //= 2
            low, high = (
                b.shuffle_vector(
                    vector, vector, ir.Constant(ir.VectorType(_LANE, size), list(range(k, k + size)))
                )
                for k in (0, size)
            )
            vector = b.fadd(low, high)
        return b.extract_element(vector, ir.Constant(_LANE, 0))


if getattr(config, "DISABLE_JIT", 0):

    def _wave(array: Any, wave: int) -> Any:
        part = array[WIDTH * wave : WIDTH * (wave + 1)]
        return part[:COLUMNS] + 1j * part[COLUMNS:]

    def gather(x: Any, coefficients: Any, sources: Any, change: Any, to: int, first: int, last: int) -> None:
        """x[to] = sum of coefficients times x[source] over terms; change += |new - old|^2, by column."""
        new = np.zeros(COLUMNS, dtype=np.complex128)
        for k in range(first, last):
            new += complex(coefficients[2 * k], coefficients[2 * k + 1]) * _wave(x, sources[k])
        change += np.abs(new - _wave(x, to)) ** 2
        x[WIDTH * to : WIDTH * to + COLUMNS] = new.real
        x[WIDTH * to + COLUMNS : WIDTH * (to + 1)] = new.imag

    def overlap(x: Any, y: Any, slopes: Any, source: int, target: int, term: int) -> None:
        """slopes[term] += sum over columns of y[target] times the conjugate of x[source]."""
        product = (_wave(y, target) * _wave(x, source).conj()).sum()
        slopes[2 * term] += product.real
        slopes[2 * term + 1] += product.imag

else:

    @intrinsic
    def gather(
        context: Any,
        x: Any,
        coefficients: Any,
        sources: Any,
        change: Any,
        to: Any,
        first: Any,
        last: Any,
    ) -> Any:
        """x[to] = sum of coefficients times x[source] over terms; change += |new - old|^2, by column."""
        del context, to, first, last

        def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            v = _Vectors(context, b, signature, arguments)
            wave, begin, end = arguments[4:7]
            zero = ir.Constant(v.kind, [0.0] * COLUMNS)
            # Four sums, so that no product waits for another one of its term.
            reserve: Any = cgutils.alloca_once_value
            sums = [reserve(b, zero) for _ in range(4)]
            for one in sums:
                b.store(zero, one)
            with cgutils.for_range_slice(b, begin, end, ir.Constant(_INDEX, 1), _INDEX) as (k, _):
                x = v.load(0, b.sext(b.load(v.at(2, k)), _INDEX))
                place = b.mul(k, ir.Constant(_INDEX, 2))
                c = v.spread(1, place), v.spread(1, b.add(place, ir.Constant(_INDEX, 1)))
                for one, (i, j) in zip(sums, ((0, 0), (1, 1), (0, 1), (1, 0)), strict=True):
                    b.store(v.multiply_add(x[i], c[j], b.load(one)), one)
            rr, ii, ri, ir_ = (b.load(one) for one in sums)
            new = b.fsub(rr, ii), b.fadd(ri, ir_)
            old = v.load(0, wave)
            place = b.bitcast(v.at(3, ir.Constant(_INDEX, 0)), v.kind.as_pointer())
            grown = b.load(place, align=8)
            for part in (0, 1):
                off = b.fsub(new[part], old[part])
                grown = v.multiply_add(off, off, grown)
            b.store(grown, place, align=8)
            v.store(0, wave, new)
            return context.get_dummy_value()

        return types.void(x, coefficients, sources, change, types.int64, types.int64, types.int64), emit

    @intrinsic
    def overlap(context: Any, x: Any, y: Any, slopes: Any, source: Any, target: Any, term: Any) -> Any:
        """slopes[term] += sum over columns of y[target] times the conjugate of x[source]."""
        del context, source, target, term

        def emit(context: Any, b: Any, signature: Any, arguments: Any) -> Any:
            v = _Vectors(context, b, signature, arguments)
            (xr, xi), (yr, yi) = v.load(0, arguments[3]), v.load(1, arguments[4])
            found = (
                v.multiply_add(yi, xi, b.fmul(yr, xr)),
                v.multiply_add(b.fneg(yr), xi, b.fmul(yi, xr)),
            )
            place = b.mul(arguments[5], ir.Constant(_INDEX, 2))
            for part in (0, 1):
                at = v.at(2, b.add(place, ir.Constant(_INDEX, part)))
                b.store(b.fadd(b.load(at), v.total(found[part])), at)
            return context.get_dummy_value()

        return types.void(x, y, slopes, types.int64, types.int64, types.int64), emit


@njit(cache=True, error_model="numpy", nogil=True)
def sweep(rows: Any, sources: Any, coefficients: Any, x: Any, change: Any, count: int) -> float:
    """Run sweep number `count`; return the largest sum of |change|^2 of a column."""
    change[:] = 0.0
    for r in range(rows.shape[0]):
        end = rows[r, 2] if count == 1 else rows[r, 3]
        gather(x, coefficients, sources, change, rows[r, 0], rows[r, 1], end)
    return float(change.max() + 0.0 * change.sum())


@njit(cache=True, error_model="numpy", nogil=True)
def settle(
    rows: Any, sources: Any, coefficients: Any, x: Any, change: Any, most: int, tolerance: float
) -> int:
    """Sweep until no column changes by more than the tolerance; return the sweeps, -1 for too many.

    x holds the waves that are given, and zeros. After a few sweeps, and from then on, the number that will be
    needed is told from the last two changes: more than `most` are not begun.
    """
    before = np.inf
    count = 0
    while True:
        count += 1
        largest = sweep(rows, sources, coefficients, x, change, count)
        if largest <= tolerance * tolerance:
            return count
        if not np.isfinite(largest):
            return -1
        if count >= PROBED and not promising(before, largest, count, most, tolerance):
            return -1
        before = largest


@njit(cache=True, error_model="numpy", nogil=True)
def promising(before: float, largest: float, count: int, most: int, tolerance: float) -> bool:
    """Return whether sums of |change|^2 of two sweeps, the last of number `count`, end within `most`."""
    if not largest < before:
        return False
    return bool(count + np.log(tolerance * tolerance / largest) / np.log(largest / before) <= most)


@njit(cache=True, error_model="numpy", nogil=True)
def begin(x: Any, inputs: Any, first: int, last: int, summed: bool) -> None:
    """Set all waves to zero and the inputs first..last to 1, one in each column, or added up in columns."""
    x[:] = 0.0
    for k in range(first, last):
        lane = k % COLUMNS if summed else k - first
        x[WIDTH * inputs[k] + lane] = 1.0


@njit(cache=True, error_model="numpy", nogil=True)
def taken(coefficients: Any, batch: int, wavelength: int, into: Any) -> None:
    """Copy the coefficients of one wavelength, coefficients (B, terms, W), side by side."""
    for k in range(coefficients.shape[1]):
        value = coefficients[batch, k, wavelength]
        into[2 * k], into[2 * k + 1] = value.real, value.imag


@njit(cache=True, error_model="numpy", nogil=True)
def probe(program: Any, coefficients: Any, work: Any, change: Any, most: int, tolerance: float) -> bool:
    """Return whether light from all inputs, added up in one group, seems to settle in `most` sweeps."""
    rows, sources, inputs = program[0], program[1], program[3]
    if inputs.shape[0] <= COLUMNS:
        return True
    begin(work, inputs, 0, inputs.shape[0], True)
    before, largest = np.inf, np.inf
    for count in range(1, PROBED + 1):
        before = largest
        largest = sweep(rows, sources, coefficients, work, change, count)
        if largest <= tolerance * tolerance:
            return True
    return np.isfinite(largest) and promising(before, largest, PROBED, most, tolerance)


@njit(cache=True, error_model="numpy", nogil=True)
def run_sweeps(
    program: Any, coefficients: Any, wanted: Any, out: Any, solved: Any, limits: Any, span: Any
) -> None:
    """Solve the points span[0]..span[1] of a batch and write the wanted elements.

    program = (rows, sources, rows of the outputs, inputs); coefficients (B, terms, W); wanted (n, 4): input's
    number, output's wave, place, mirror's place or -1, by rising input. out (B, places, W); solved (B, W)
    tells which points settled. limits = (most sweeps, tolerance).
    """
    rows, sources, ends, inputs = program
    waves = 1 + max(sources.max(), rows[:, 0].max(), ends[:, 0].max(), inputs.max())
    x, change = np.empty(WIDTH * waves), np.empty(COLUMNS)
    own = np.empty(2 * coefficients.shape[1])
    points = coefficients.shape[2]
    for index in range(span[0], span[1]):
        batch, w = index // points, index % points
        taken(coefficients, batch, w, own)
        solved[batch, w] = probe(program, own, x, change, int(limits[0]), limits[1])
        at = 0
        for first in range(0, inputs.shape[0], COLUMNS):
            if not solved[batch, w]:
                break
            last = min(first + COLUMNS, inputs.shape[0])
            begin(x, inputs, first, last, False)
            if settle(rows, sources, own, x, change, int(limits[0]), limits[1]) < 0:
                solved[batch, w] = False
                break
            for r in range(ends.shape[0]):
                gather(x, own, sources, change, ends[r, 0], ends[r, 1], ends[r, 3])
            while at < wanted.shape[0] and wanted[at, 0] < last:
                place = WIDTH * wanted[at, 1] + wanted[at, 0] - first
                value = complex(x[place], x[place + COLUMNS])
                out[batch, wanted[at, 2], w] = value
                if wanted[at, 3] >= 0:
                    out[batch, wanted[at, 3], w] = value
                at += 1


@njit(cache=True, error_model="numpy", nogil=True)
def run_sweeps_reverse(  # noqa: C901 - groups of columns at points, forwards and backwards
    programs: Any,
    coefficients: Any,
    wanted: Any,
    cotangent: Any,
    slopes: Any,
    solved: Any,
    limits: Any,
    span: Any,
) -> None:
    """Solve points forwards and transposed: from derivatives by the elements to those by the coefficients.

    programs = (program as in run_sweeps, back), back = (rows, sources, forward number of each term,
    (source, target) of each forward term) of the sweeps that run backwards. cotangent (B, places, W) holds
    dL/dRe + i dL/dIm of the elements, slopes (B, terms, W) receives that of the coefficients.
    """
    program, back = programs
    rows, sources, ends, inputs = program
    rows_back, sources_back, numbers, arcs = back
    waves = 1 + max(sources.max(), rows[:, 0].max(), ends[:, 0].max(), inputs.max())
    x, y, change = np.empty(WIDTH * waves), np.empty(WIDTH * waves), np.empty(COLUMNS)
    terms, points = coefficients.shape[1], coefficients.shape[2]
    own, turned, found = np.empty(2 * terms), np.empty(2 * numbers.shape[0]), np.empty(2 * terms)
    for index in range(span[0], span[1]):
        batch, w = index // points, index % points
        taken(coefficients, batch, w, own)
        for k in range(numbers.shape[0]):
            turned[2 * k], turned[2 * k + 1] = own[2 * numbers[k]], -own[2 * numbers[k] + 1]
        solved[batch, w] = probe(program, own, x, change, int(limits[0]), limits[1])
        found[:] = 0.0
        at = 0
        for first in range(0, inputs.shape[0], COLUMNS):
            if not solved[batch, w]:
                break
            last = min(first + COLUMNS, inputs.shape[0])
            begin(x, inputs, first, last, False)
            y[:] = 0.0
            size = 0.0
            while at < wanted.shape[0] and wanted[at, 0] < last:
                given = cotangent[batch, wanted[at, 2], w]
                if wanted[at, 3] >= 0:
                    given += cotangent[batch, wanted[at, 3], w]
                place = WIDTH * wanted[at, 1] + wanted[at, 0] - first
                y[place] += given.real
                y[place + COLUMNS] += given.imag
                size = max(size, abs(given))
                at += 1
            if size == 0.0:
                continue  # no loss depends on light from these inputs
            good = settle(rows, sources, own, x, change, int(limits[0]), limits[1]) >= 0
            good = good and (
                settle(rows_back, sources_back, turned, y, change, int(limits[0]), limits[1] * size) >= 0
            )
            if not good:
                solved[batch, w] = False
                break
            for k in range(terms):
                overlap(x, y, found, arcs[k, 0], arcs[k, 1], k)
        for k in range(terms):
            slopes[batch, k, w] = complex(found[2 * k], found[2 * k + 1])

"""The kernels that run an elimination plan, forwards and in reverse.

A plan is a list of steps in one array of integers. A step removes an inner
wave v of the signal-flow graph (or, in a reciprocal circuit, v together with
the wave v' that travels the same way back): it brings in the S-matrix elements
it needs, forms 1/(1 - K[v,v]), and adds every product K[j,v] K[v,i] to K[j,i].
Layout of a step, all int32, slots counted in numbers:

    n_loads, n_pivot, n_mixed, n_from, n_to,
    (slot, value) x n_loads, slot x n_pivot, (mark, slot, slot) x n_mixed,
    first target x n_from, slot x n_from, slot x n_to, mark x (targets of all sources)

A mark is 2 * slot + 1 where the product is the first that goes there and 2 *
slot where it is added. Source f meets the targets from `first target` on, in a
reciprocal circuit half of them: the others follow by symmetry. The pivot of
one wave has slots (K[v,v], inverse, guard); that of a pair (guard, m11, m12,
m21, K[v,v] or -1, K[v,v'] or -1, K[v',v] or -1) for the inverse
((m11, m12), (m21, m11)). `guard` keeps the smallest pivot. A value's address
is (offset, batch stride, block stride, lane stride, distance of the imaginary
part) in a flat array.

A slot holds LANES wavelengths side by side: LANES real parts followed by LANES
imaginary parts. numba's vectoriser must prove that slots do not overlap and
gives up on arrays this short, so the few operations a plan needs are written
as LLVM vector instructions. Every lane is computed alone and in the same order
whatever its neighbours hold: a wavelength gives the same bits in any sweep.
With the compiler off (NUMBA_DISABLE_JIT=1) the same operations run as numpy
slices. All of it is one file, because numba's cache sees edits in no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

LANES = 8
"""Wavelengths in a block. Eight float64 fill an AVX-512 register; wider ones waste work on one wavelength."""

WIDTH = 2 * LANES
"""Numbers in a slot."""

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INDEX = ir.IntType(64)


class _Lanes:
    """Writes vector instructions on float64 arrays inside one intrinsic."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self._arrays = {}
        for position, kind in enumerate(signature.args):
            if isinstance(kind, types.Array):
                made = context.make_array(kind)(context, builder, arguments[position])
                self._arrays[position] = made.data

    def constant(self, value: float) -> Any:
        return ir.Constant(_VECTOR, [value] * LANES)

    def _pointer(self, array: int, index: Any, part: int) -> Any:
        at = self.builder.add(index, ir.Constant(_INDEX, part * LANES))
        place = self.builder.gep(self._arrays[array], [at], inbounds=True)
        return self.builder.bitcast(place, _VECTOR.as_pointer())

    def load(self, array: int, index: Any) -> tuple[Any, Any]:
        """Return (real, imaginary) vectors of the slot that starts at index."""
        return tuple(self.builder.load(self._pointer(array, index, p), align=8) for p in (0, 1))

    def store(self, array: int, index: Any, value: tuple[Any, Any]) -> None:
        for part in (0, 1):
            self.builder.store(value[part], self._pointer(array, index, part), align=8)

    def call(self, name: str, *vectors: Any) -> Any:
        """Call an LLVM intrinsic on vectors, such as fmuladd: fused where the processor can."""
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(vectors))
        insert: Any = cgutils.get_or_insert_function
        function = insert(self.builder.module, kind, f"llvm.{name}.v{LANES}f64")
        return self.builder.call(function, vectors)

    def times(
        self, a: tuple[Any, Any], c: tuple[Any, Any], start: tuple[Any, Any] | None = None
    ) -> tuple[Any, Any]:
        """Return start + a * c."""
        negative = self.builder.fneg(a[1])
        if start is None:
            re = self.call("fmuladd", negative, c[1], self.builder.fmul(a[0], c[0]))
            im = self.call("fmuladd", a[1], c[0], self.builder.fmul(a[0], c[1]))
        else:
            re = self.call("fmuladd", negative, c[1], self.call("fmuladd", a[0], c[0], start[0]))
            im = self.call("fmuladd", a[1], c[0], self.call("fmuladd", a[0], c[1], start[1]))
        return re, im

    def conjugate(self, a: tuple[Any, Any]) -> tuple[Any, Any]:
        return a[0], self.builder.fneg(a[1])


def _operation(arrays: int, indices: int, body: Callable[[_Lanes, Any], None]) -> Any:
    """Return an intrinsic that takes float64 arrays and then indices, and runs `body`."""
    names = [f"a{k}" for k in range(arrays)] + [f"i{k}" for k in range(indices)]

    def typed(context: Any, *kinds: Any) -> Any:
        del context

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            body(_Lanes(context, builder, signature, arguments), arguments[arrays:])
            return context.get_dummy_value()

        return types.void(*kinds[:arrays], *([types.int64] * indices)), emit

    # numba reads the argument names of an intrinsic, so the function must spell them out.
    text = f"def named(context, {', '.join(names)}):\n    return typed(context, {', '.join(names)})\n"
    scope: dict[str, Any] = {"typed": typed, "__name__": __name__}
    exec(text, scope)  # noqa: S102 - text made of the constants above
    return intrinsic(scope["named"])


def _emit_multiply(lanes: _Lanes, at: Any) -> None:
    lanes.store(0, at[0], lanes.times(lanes.load(0, at[1]), lanes.load(0, at[2])))


def _emit_multiply_add(lanes: _Lanes, at: Any) -> None:
    lanes.store(0, at[0], lanes.times(lanes.load(0, at[1]), lanes.load(0, at[2]), lanes.load(0, at[0])))


def _emit_pivot(lanes: _Lanes, at: Any) -> None:
    """Store 1/(1 - K) and keep the smallest |1 - K|^2; where it is exactly 0 the inverse counts as 0."""
    b = lanes.builder
    re, im = lanes.load(0, at[1])
    left, right = b.fsub(lanes.constant(1.0), re), b.fneg(im)
    size = lanes.call("fmuladd", right, right, b.fmul(left, left))
    smallest, count = lanes.load(0, at[2])
    lanes.store(0, at[2], (lanes.call("minnum", smallest, size), count))
    zero = b.fcmp_ordered("==", size, lanes.constant(0.0))
    scale = b.select(zero, lanes.constant(0.0), b.fdiv(lanes.constant(1.0), size))
    lanes.store(0, at[0], (b.fmul(left, scale), b.fneg(b.fmul(right, scale))))


def _emit_copy(lanes: _Lanes, at: Any) -> None:
    """Copy LANES numbers from two places of the second array into a slot of the first."""
    b = lanes.builder
    re = b.load(lanes._pointer(1, at[1], 0), align=8)  # noqa: SLF001 - same module
    im = b.load(lanes._pointer(1, at[2], 0), align=8)  # noqa: SLF001 - same module
    lanes.store(0, at[0], (re, im))


def _emit_spread(lanes: _Lanes, at: Any) -> None:
    """Fill a slot of the first array with one complex number of the second, the same in all lanes."""
    b = lanes.builder
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    same = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    parts = []
    for index in at[1:]:
        one = b.load(b.gep(lanes._arrays[1], [index], inbounds=True))  # noqa: SLF001 - same module
        first = b.insert_element(nothing, one, ir.Constant(ir.IntType(32), 0))
        parts.append(b.shuffle_vector(first, nothing, same))
    lanes.store(0, at[0], (parts[0], parts[1]))


def _emit_leave(lanes: _Lanes, at: Any) -> None:
    """Write a slot as LANES complex numbers to the second array; one that is no number marks the guard."""
    b = lanes.builder
    re, im = lanes.load(0, at[0])
    _, watch = lanes.load(0, at[1])
    nothing = b.fmul(lanes.constant(0.0), b.fadd(re, im))
    b.store(b.fadd(watch, nothing), lanes._pointer(0, at[1], 1), align=8)  # noqa: SLF001 - same module
    for half in range(2):
        first = range(half * LANES // 2, (half + 1) * LANES // 2)
        order = [place for lane in first for place in (lane, LANES + lane)]
        mixed = b.shuffle_vector(re, im, ir.Constant(ir.VectorType(ir.IntType(32), LANES), order))
        b.store(mixed, lanes._pointer(1, at[2], half), align=8)  # noqa: SLF001 - same module


def _emit_add_product_conjugate(lanes: _Lanes, at: Any) -> None:
    """First array: adjoints; second: values. adjoint[i0] += adjoint[i1] * conj(value[i2])."""
    lanes.store(
        0,
        at[0],
        lanes.times(lanes.load(0, at[1]), lanes.conjugate(lanes.load(1, at[2])), lanes.load(0, at[0])),
    )


if getattr(config, "DISABLE_JIT", 0):

    def _slot(array: Any, at: int) -> Any:
        return array[at : at + LANES] + 1j * array[at + LANES : at + WIDTH]

    def _put(array: Any, at: int, value: Any) -> None:
        array[at : at + LANES], array[at + LANES : at + WIDTH] = value.real, value.imag

    def multiply(work: Any, to: int, a: int, c: int) -> None:
        """work[to] = work[a] * work[c], a slot each."""
        _put(work, to, _slot(work, a) * _slot(work, c))

    def multiply_add(work: Any, to: int, a: int, c: int) -> None:
        """work[to] += work[a] * work[c], a slot each."""
        _put(work, to, _slot(work, to) + _slot(work, a) * _slot(work, c))

    def pivot(work: Any, to: int, a: int, guard: int) -> None:
        """work[to] = 1 / (1 - work[a]), 0 where singular; work[guard] keeps the smallest |1 - K|^2."""
        left = 1.0 - _slot(work, a)
        size = np.abs(left) ** 2
        work[guard : guard + LANES] = np.fmin(work[guard : guard + LANES], size)
        with np.errstate(divide="ignore", invalid="ignore"):
            _put(work, to, np.where(size == 0.0, 0.0, 1.0 / left))

    def copy(work: Any, values: Any, to: int, re: int, im: int) -> None:
        """Copy LANES real and imaginary parts from values[re:], values[im:] into the slot work[to]."""
        work[to : to + LANES] = values[re : re + LANES]
        work[to + LANES : to + WIDTH] = values[im : im + LANES]

    def spread(work: Any, values: Any, to: int, re: int, im: int) -> None:
        """Fill all lanes of the slot work[to] with the number values[re] + i values[im]."""
        work[to : to + LANES], work[to + LANES : to + WIDTH] = values[re], values[im]

    def leave(work: Any, out: Any, slot: int, guard: int, to: int) -> None:
        """Write the slot to out[to:] as (real, imaginary) pairs; one that is no number marks the guard."""
        value = _slot(work, slot)
        work[guard + LANES : guard + WIDTH] += 0.0 * (value.real + value.imag)
        out[to : to + WIDTH : 2], out[to + 1 : to + WIDTH : 2] = value.real, value.imag

    def fetch(code: Any, index: int) -> int:
        """code[index] of a non-negative index."""
        return int(code[index])

    def add_product_conjugate(adjoint: Any, work: Any, to: int, a: int, c: int) -> None:
        """adjoint[to] += adjoint[a] * conj(work[c]), a slot each."""
        _put(adjoint, to, _slot(adjoint, to) + _slot(adjoint, a) * np.conj(_slot(work, c)))

else:
    multiply = _operation(1, 3, _emit_multiply)
    multiply_add = _operation(1, 3, _emit_multiply_add)
    pivot = _operation(1, 3, _emit_pivot)
    copy = _operation(2, 3, _emit_copy)
    spread = _operation(2, 3, _emit_spread)
    leave = _operation(2, 3, _emit_leave)

    @intrinsic
    def fetch(context: Any, code: Any, index: Any) -> Any:
        """code[index] of a non-negative index: numba would look for one counted from the end every time."""
        del context, index

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            return builder.sext(builder.load(builder.gep(data, [arguments[1]], inbounds=True)), _INDEX)

        return types.int64(code, types.int64), emit

    add_product_conjugate = _operation(2, 3, _emit_add_product_conjugate)


ONE_WAVE = 3
"""Slots in the pivot of a single wave; a pair has seven."""


@njit(cache=True, error_model="numpy", nogil=True)
def pair_pivot(work: Any, code: Any, pc: int) -> None:
    """Invert ((1 - s, -b), (-c, 1 - s)) lane by lane; a determinant of exactly 0 gives 0."""
    guard, m11, m12, m21 = code[pc], code[pc + 1], code[pc + 2], code[pc + 3]
    own, back, forth = code[pc + 4], code[pc + 5], code[pc + 6]
    for lane in range(LANES):
        s = complex(work[own + lane], work[own + LANES + lane]) if own >= 0 else 0j
        b = complex(work[back + lane], work[back + LANES + lane]) if back >= 0 else 0j
        c = complex(work[forth + lane], work[forth + LANES + lane]) if forth >= 0 else 0j
        left = 1.0 - s
        determinant = left * left - b * c
        size = abs(determinant)
        work[guard + lane] = min(work[guard + lane], size)
        scale = 1.0 / determinant if size > 0.0 else 0j
        for slot, value in ((m11, left * scale), (m12, b * scale), (m21, c * scale)):
            work[slot + lane] = value.real
            work[slot + LANES + lane] = value.imag


@njit(cache=True, error_model="numpy", nogil=True)
def pair_pivot_reverse(work: Any, adjoint: Any, code: Any, pc: int) -> None:
    """Add to the adjoints of s, b, c what follows from those of the inverse M: N = M^H M_adjoint M^H."""
    m11, m12, m21 = code[pc + 1], code[pc + 2], code[pc + 3]
    own, back, forth = code[pc + 4], code[pc + 5], code[pc + 6]
    for lane in range(LANES):
        a = complex(work[m11 + lane], -work[m11 + LANES + lane])
        b = complex(work[m12 + lane], -work[m12 + LANES + lane])
        c = complex(work[m21 + lane], -work[m21 + LANES + lane])
        a_bar = complex(adjoint[m11 + lane], adjoint[m11 + LANES + lane])
        b_bar = complex(adjoint[m12 + lane], adjoint[m12 + LANES + lane])
        c_bar = complex(adjoint[m21 + lane], adjoint[m21 + LANES + lane])
        # M^H = ((a, c), (b, a)) with the conjugates above; rows of M^H times ((a_bar, b_bar), (c_bar, 0)).
        x11, x12 = a * a_bar + c * c_bar, a * b_bar
        x21, x22 = b * a_bar + a * c_bar, b * b_bar
        for slot, value in (
            (own, x11 * a + x12 * b + x21 * c + x22 * a),
            (back, x11 * c + x12 * a),
            (forth, x21 * a + x22 * b),
        ):
            if slot >= 0:
                adjoint[slot + lane] += value.real
                adjoint[slot + LANES + lane] += value.imag


@njit(cache=True, error_model="numpy", nogil=True)
def multiply_series(work: Any, mark: int, a: int, c: int, order: int) -> None:
    """Put (odd mark) or add the product of two Taylor series, a slot a coefficient, lowest first.

    From the highest coefficient down, so that the result may take the place of a factor.
    """
    to = mark >> 1
    for k in range(order, -1, -1):
        if mark & 1:
            multiply(work, to + k * WIDTH, a + k * WIDTH, c)
        else:
            multiply_add(work, to + k * WIDTH, a + k * WIDTH, c)
        for i in range(k):
            multiply_add(work, to + k * WIDTH, a + i * WIDTH, c + (k - i) * WIDTH)


@njit(cache=True, error_model="numpy", nogil=True)
def pivot_series(work: Any, to: int, own: int, guard: int, order: int) -> None:
    """Invert 1 - K as a series: p_k = p_0 (K_1 p_(k-1) + ... + K_k p_0)."""
    pivot(work, to, own, guard)
    for k in range(1, order + 1):
        multiply(work, to + k * WIDTH, own + k * WIDTH, to)
        for i in range(1, k):
            multiply_add(work, to + k * WIDTH, own + i * WIDTH, to + (k - i) * WIDTH)
        multiply(work, to + k * WIDTH, to + k * WIDTH, to)


@njit(cache=True, error_model="numpy", nogil=True)
def pair_pivot_series(  # noqa: C901 - loops over lanes, places and coefficients, and nothing else
    work: Any, code: Any, pc: int, order: int
) -> None:
    """Complete the inverse of a pair to a series: from u^2 - b c and its inverse, lane by lane.

    The coefficients of the determinant d and of its inverse e follow from u =
    1 - s: e_k = -e_0 (d_1 e_(k-1) + ... + d_k e_0).
    """
    own, back, forth = code[pc + 4], code[pc + 5], code[pc + 6]
    size = order + 1
    for lane in range(LANES):
        u, b, c = np.zeros(size, np.complex128), np.zeros(size, np.complex128), np.zeros(size, np.complex128)
        for k in range(size):
            for slot, series in ((own, u), (back, b), (forth, c)):
                if slot >= 0:
                    at = slot + k * WIDTH + lane
                    series[k] = complex(work[at], work[at + LANES])
        u *= -1.0
        u[0] += 1.0
        d, e = np.zeros(size, np.complex128), np.zeros(size, np.complex128)
        for k in range(size):
            for i in range(k + 1):
                d[k] += u[i] * u[k - i] - b[i] * c[k - i]
        e[0] = 1.0 / d[0] if d[0] != 0.0 else 0.0
        for k in range(1, size):
            for i in range(1, k + 1):
                e[k] -= e[0] * d[i] * e[k - i]
        for place in range(1, 4):
            series = u if place == 1 else b if place == 2 else c
            for k in range(size):
                total = 0j
                for i in range(k + 1):
                    total += series[i] * e[k - i]
                at = code[pc + place] + k * WIDTH + lane
                work[at], work[at + LANES] = total.real, total.imag


@njit(cache=True, error_model="numpy", nogil=True)
def load_series(work: Any, to: int, values: Any, start: int, address: Any, v: int, order: int) -> None:
    """Bring the Taylor coefficients of one value into its slots; a constant has only the first."""
    re, im = start, start + address[v, 4]
    for lane in range(LANES):
        at = lane if address[v, 3] == 1 else 0
        work[to + lane] = values[re + at]
        work[to + LANES + lane] = values[im + at]
    for k in range(1, order + 1):
        if address[v, 3] == 1:
            at = start + k * address[v, 5]
            copy(work, values, to + k * WIDTH, at, at + address[v, 4])
        else:
            for lane in range(WIDTH):
                work[to + k * WIDTH + lane] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def forward_series(
    code: Any, address: Any, values: Any, work: Any, batch: int, block: int, order: int
) -> None:
    """Run all steps on Taylor series in wavelength; the plan leaves order + 1 slots for each of its own."""
    pc = 0
    while pc < code.shape[0]:
        n_loads, n_pivot, n_mixed, n_from, n_to = (
            fetch(code, pc),
            fetch(code, pc + 1),
            fetch(code, pc + 2),
            fetch(code, pc + 3),
            fetch(code, pc + 4),
        )
        pc += 5
        for k in range(n_loads):
            v = fetch(code, pc + 2 * k + 1)
            start = address[v, 0] + batch * address[v, 1] + block * address[v, 2]
            load_series(work, fetch(code, pc + 2 * k), values, start, address, v, order)
        pc += 2 * n_loads
        if n_pivot == ONE_WAVE:
            pivot_series(work, fetch(code, pc + 1), fetch(code, pc), fetch(code, pc + 2), order)
        elif n_pivot > 0:
            pair_pivot(work, code, pc)
            pair_pivot_series(work, code, pc, order)
        pc += n_pivot
        for k in range(n_mixed):
            multiply_series(
                work, fetch(code, pc + 3 * k), fetch(code, pc + 3 * k + 1), fetch(code, pc + 3 * k + 2), order
            )
        pc += 3 * n_mixed
        outs = pc + 2 * n_from
        target = outs + n_to
        for f in range(n_from):
            for t in range(fetch(code, pc + f), n_to):
                multiply_series(
                    work, fetch(code, target), fetch(code, pc + n_from + f), fetch(code, outs + t), order
                )
                target += 1
        pc = target


@njit(cache=True, error_model="numpy", nogil=True)
def forward(  # noqa: C901 - one step after the other, and a step has four parts
    code: Any, address: Any, values: Any, work: Any, batch: int, block: int
) -> None:
    """Run all steps of `code` on one block of one batch entry: fill `work` (slots x WIDTH) from `values`."""
    pc = 0
    size = code.shape[0]
    while pc < size:
        n_loads, n_pivot, n_mixed, n_from, n_to = (
            fetch(code, pc),
            fetch(code, pc + 1),
            fetch(code, pc + 2),
            fetch(code, pc + 3),
            fetch(code, pc + 4),
        )
        pc += 5
        for k in range(
            n_loads
        ):  # written out: as a function of its own it made the whole kernel three times slower
            to = fetch(code, pc + 2 * k)
            v = fetch(code, pc + 2 * k + 1)
            start = address[v, 0] + batch * address[v, 1] + block * address[v, 2]
            if address[v, 3] == 1:
                copy(work, values, to, start, start + address[v, 4])
            else:
                spread(work, values, to, start, start + address[v, 4])
        pc += 2 * n_loads
        if n_pivot == ONE_WAVE:
            pivot(work, fetch(code, pc + 1), fetch(code, pc), fetch(code, pc + 2))
        elif n_pivot > 0:
            pair_pivot(work, code, pc)
        pc += n_pivot
        for k in range(n_mixed):
            mark, a, c = fetch(code, pc + 3 * k), fetch(code, pc + 3 * k + 1), fetch(code, pc + 3 * k + 2)
            if mark & 1:
                multiply(work, mark >> 1, a, c)
            else:
                multiply_add(work, mark >> 1, a, c)
        pc += 3 * n_mixed
        outs = pc + 2 * n_from
        target = outs + n_to
        for f in range(n_from):
            a = fetch(code, pc + n_from + f)
            for t in range(fetch(code, pc + f), n_to):
                mark = fetch(code, target)
                target += 1
                if mark & 1:
                    multiply(work, mark >> 1, a, fetch(code, outs + t))
                else:
                    multiply_add(work, mark >> 1, a, fetch(code, outs + t))
        pc = target


@njit(cache=True, error_model="numpy", nogil=True)
def run(
    code: Any, address: Any, values: Any, exits: Any, out: Any, smallest: Any, work: Any, span: Any
) -> None:
    """Run a plan over the blocks first..last and write the wanted elements.

    exits (n, 3): slot, place in out, place of the mirrored element or -1.
    out (B, places, W) complex128; smallest (B, W) gets the smallest |1 - K|^2
    at each wavelength, not a number where a result is not. span = (first, last, blocks a batch entry, first
    wavelength, guard slot); the work array starts empty.
    """
    places, points = out.shape[1], out.shape[2]
    flat = out.reshape(out.size).view(np.float64)
    for index in range(span[0], span[1]):
        batch = index // span[2]
        block = index - batch * span[2]
        guard = span[4]
        for lane in range(LANES):
            work[guard + lane] = 1e300
            work[guard + LANES + lane] = 0.0
        forward(code, address, values, work, batch, block)
        start = span[3] + block * LANES
        lanes = min(LANES, out.shape[2] - start)
        if lanes == LANES:
            for k in range(exits.shape[0]):
                slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
                leave(work, flat, slot, guard, 2 * ((batch * places + place) * points + start))
                if mirror >= 0:
                    leave(work, flat, slot, guard, 2 * ((batch * places + mirror) * points + start))
        else:
            for k in range(exits.shape[0]):
                slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
                for lane in range(lanes):
                    value = complex(work[slot + lane], work[slot + LANES + lane])
                    work[guard + LANES + lane] += 0.0 * (
                        value.real + value.imag
                    )  # not a number where value is not
                    out[batch, place, start + lane] = value
                    if mirror >= 0:
                        out[batch, mirror, start + lane] = value
        for lane in range(lanes):
            smallest[batch, start + lane] = work[guard + lane] + work[guard + LANES + lane]


@njit(cache=True, error_model="numpy", nogil=True)
def run_series(code: Any, address: Any, values: Any, exits: Any, out: Any, work: Any, span: Any) -> None:
    """Run a plan on Taylor series over the blocks first..last.

    out (orders, B, places, W) complex128 takes the coefficients of the wanted
    elements. span = (first, last, blocks a batch entry, first wavelength,
    guard slot).
    """
    orders = out.shape[0]
    for index in range(span[0], span[1]):
        batch = index // span[2]
        block = index - batch * span[2]
        forward_series(code, address, values, work, batch, block, orders - 1)
        start = span[3] + block * LANES
        lanes = min(LANES, out.shape[3] - start)
        for k in range(exits.shape[0]):
            place, mirror = exits[k, 1], exits[k, 2]
            for order in range(orders):
                slot = exits[k, 0] + order * WIDTH
                for lane in range(lanes):
                    value = complex(work[slot + lane], work[slot + LANES + lane])
                    out[order, batch, place, start + lane] = value
                    if mirror >= 0:
                        out[order, batch, mirror, start + lane] = value


@njit(cache=True, error_model="numpy", nogil=True)
def reverse(code: Any, starts: Any, work: Any, adjoint: Any, spare: int, slopes: Any) -> None:
    """Run the steps backwards: from adjoints of the results to adjoints of the values.

    `work` holds one block of a plan that keeps all its slots, `adjoint` (same
    shape) the derivatives dL/dRe + i dL/dIm of the results, zero elsewhere.
    slopes (values, WIDTH) is filled where the plan loads a value.
    """
    for step in range(starts.shape[0] - 1, -1, -1):
        pc = starts[step]
        n_loads, n_pivot, n_mixed, n_from, n_to = (
            fetch(code, pc),
            fetch(code, pc + 1),
            fetch(code, pc + 2),
            fetch(code, pc + 3),
            fetch(code, pc + 4),
        )
        loads = pc + 5
        pivots = loads + 2 * n_loads
        mixed = pivots + n_pivot
        ins = mixed + 3 * n_mixed
        outs = ins + 2 * n_from
        target = outs + n_to
        for f in range(n_from):
            a = fetch(code, ins + n_from + f)
            for t in range(fetch(code, ins + f), n_to):
                to = fetch(code, target) >> 1
                target += 1
                add_product_conjugate(adjoint, work, a, to, fetch(code, outs + t))
                add_product_conjugate(adjoint, work, fetch(code, outs + t), to, a)
        for k in range(n_mixed - 1, -1, -1):
            to, a, c = (
                fetch(code, mixed + 3 * k) >> 1,
                fetch(code, mixed + 3 * k + 1),
                fetch(code, mixed + 3 * k + 2),
            )
            add_product_conjugate(adjoint, work, a, to, c)
            add_product_conjugate(adjoint, work, c, to, a)
        if n_pivot == ONE_WAVE:  # d(1/(1 - K)) = dK / (1 - K)^2
            own, inverse = fetch(code, pivots), fetch(code, pivots + 1)
            for lane in range(WIDTH):
                adjoint[spare + lane] = 0.0
            add_product_conjugate(adjoint, work, spare, inverse, inverse)
            add_product_conjugate(adjoint, work, own, spare, inverse)
        elif n_pivot > 0:
            pair_pivot_reverse(work, adjoint, code, pivots)
        for k in range(n_loads):
            slot, value = fetch(code, loads + 2 * k), fetch(code, loads + 2 * k + 1)
            for lane in range(WIDTH):
                slopes[value, lane] += adjoint[slot + lane]


@njit(cache=True, error_model="numpy", nogil=True)
def run_reverse(
    program: Any, address: Any, values: Any, cotangent: Any, work: Any, span: Any, slopes: Any
) -> None:
    """Run a plan forwards and backwards over the blocks first..last.

    program = (code, starts, exits) of a plan that keeps all its slots.
    cotangent (B, places, W) complex128 holds dL/dRe + i dL/dIm of every
    element; slopes (last - first, values, WIDTH) receives the same of every
    S-matrix value, a block at a time. work (2, slots x WIDTH): values and
    adjoints. span = (first, last, blocks a batch entry, first wavelength,
    guard slot, spare slot).
    """
    code, starts, exits = program
    for index in range(span[0], span[1]):
        batch = index // span[2]
        block = index - batch * span[2]
        forward(code, address, values, work[0], batch, block)
        adjoint = work[1]
        adjoint[:] = 0.0
        start = span[3] + block * LANES
        lanes = min(LANES, cotangent.shape[2] - start)
        for k in range(exits.shape[0]):
            slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
            for lane in range(lanes):
                c = cotangent[batch, place, start + lane]
                if mirror >= 0:
                    c += cotangent[batch, mirror, start + lane]
                adjoint[slot + lane] += c.real
                adjoint[slot + LANES + lane] += c.imag
        slopes[index - span[0]] = 0.0
        reverse(code, starts, work[0], adjoint, span[5], slopes[index - span[0]])

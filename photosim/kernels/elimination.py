"""The kernels that run an elimination plan, forwards and in reverse.

It stays one file, however long, because numba's cache watches one file: a
kernel that calls one of another file is not compiled again when that other
file changes, and goes on giving the old answer.

A plan is a list of steps in one array of integers. A step removes an inner
wave v of the signal-flow graph (or, in a reciprocal circuit, v together with
the wave v' that travels the same way back): it brings in the S-matrix elements
it needs, forms 1/(1 - K[v,v]), and adds every product K[j,v] K[v,i] to K[j,i].
Layout of a step, all int32:

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

A slot holds a block of wavelengths side by side, its lanes: their real parts
followed by their imaginary parts. The class of the `span` of blocks to run says
how many lanes there are, and each count is compiled apart: one for a single
wavelength, few where a plan has many slots, many where all its slots stay in
cache and much of the time would go into reading the plan. numba's
vectoriser must prove that slots do not overlap and gives up on arrays this
short, so the few operations a plan needs are written as LLVM vector
instructions. Every lane is computed alone and in the same order whatever its
neighbours hold: a wavelength gives the same bits in any sweep. With the
compiler off (NUMBA_DISABLE_JIT=1) the same operations run as numpy slices.
"""

from __future__ import annotations

from math import hypot
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable


class Blocks(NamedTuple):
    """The blocks first..last of a chunk, with `blocks` for each batch entry, from wavelength `start` on.

    Block k of batch entry b has number b * blocks + k. Where lanes lie across the batch, b counts blocks of
    its entries, of which there are `batch`, and a block has one wavelength.
    """

    first: int
    last: int
    blocks: int
    start: int
    batch: int = 1


class Span(Blocks):
    """Blocks of one kind: the class says how many lanes each has, and what lies side by side in them."""

    LANES: ClassVar[int]
    ACROSS: ClassVar[bool] = False


class OneLane(Span):
    """One lane, for a single wavelength, so that no padding is computed."""

    LANES = 1


class Narrow(Span):
    """Eight lanes: as many float64 fill an AVX-512 register."""

    LANES = 8


class Wide(Span):
    """Many lanes, for plans of few slots."""

    LANES = 32


class Across(Span):
    """Eight entries of a batch side by side, for few wavelengths."""

    LANES = 8
    ACROSS = True


GUARD_SLOT = 0
"""Slot that keeps the smallest |1 - K|^2 of each lane."""

_INDEX = ir.IntType(64)


class _Lanes:
    """Writes vector instructions on float64 arrays inside one intrinsic, whose last argument is a span."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.count = _lanes(signature.args[-1])
        self._vector = ir.VectorType(ir.DoubleType(), self.count)
        self._arrays = {}
        for position, kind in enumerate(signature.args):
            if isinstance(kind, types.Array):
                made = context.make_array(kind)(context, builder, arguments[position])
                self._arrays[position] = made.data

    def constant(self, value: float) -> Any:
        return ir.Constant(self._vector, [value] * self.count)

    def place(self, array: int, number: Any, kind: Any = None) -> Any:
        """Return the address of an array's element, as one of a vector or of another kind of value."""
        at = self.builder.gep(self._arrays[array], [number], inbounds=True)
        return self.builder.bitcast(at, (kind or self._vector).as_pointer())

    def _part(self, array: int, slot: Any, part: int) -> Any:
        first = self.builder.mul(slot, ir.Constant(_INDEX, 2 * self.count))
        return self.place(array, self.builder.add(first, ir.Constant(_INDEX, part * self.count)))

    def lane(self, array: int, slot: Any, part: int, lane: Any) -> Any:
        """Return the address of one lane of a slot's real (0) or imaginary (1) part."""
        first = self.builder.mul(slot, ir.Constant(_INDEX, 2 * self.count))
        at = self.builder.add(first, self.builder.add(lane, ir.Constant(_INDEX, part * self.count)))
        return self.place(array, at, ir.DoubleType())

    def vector(self, array: int, number: Any) -> Any:
        """Return the vector that starts at an array's element."""
        return self.builder.load(self.place(array, number), align=8)

    def load(self, array: int, slot: Any) -> tuple[Any, Any]:
        """Return (real, imaginary) vectors of a slot."""
        return tuple(self.builder.load(self._part(array, slot, p), align=8) for p in (0, 1))

    def store(self, array: int, slot: Any, value: tuple[Any, Any]) -> None:
        for part in (0, 1):
            self.builder.store(value[part], self._part(array, slot, part), align=8)

    def call(self, name: str, *vectors: Any) -> Any:
        """Call an LLVM intrinsic on vectors, such as fmuladd: fused where the processor can."""
        kind = ir.FunctionType(self._vector, [self._vector] * len(vectors))
        insert: Any = cgutils.get_or_insert_function
        function = insert(self.builder.module, kind, f"llvm.{name}.v{self.count}f64")
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


def _lanes(span: Any) -> int:
    """Return the lanes of a span's type."""
    count: int = span.instance_class.LANES
    return count


def _operation(arrays: int, indices: int, body: Callable[[_Lanes, Any], None]) -> Any:
    """Return an intrinsic that takes float64 arrays, indices and a span, and runs `body`."""
    names = [f"a{k}" for k in range(arrays)] + [f"i{k}" for k in range(indices)] + ["span"]

    def typed(context: Any, *kinds: Any) -> Any:
        del context

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            body(_Lanes(context, builder, signature, arguments), arguments[arrays:])
            return context.get_dummy_value()

        return types.void(*kinds[:arrays], *([types.int64] * indices), kinds[-1]), emit

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
    """Copy the numbers from two places of the second array into a slot of the first."""
    lanes.store(0, at[0], (lanes.vector(1, at[1]), lanes.vector(1, at[2])))


def _emit_spread(lanes: _Lanes, at: Any) -> None:
    """Fill a slot of the first array with one complex number of the second, the same in all lanes."""
    b = lanes.builder
    nothing = lanes.constant(0.0)
    same = ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
    parts = []
    for number in at[1:3]:
        one = b.load(lanes.place(1, number, ir.DoubleType()))
        first = b.insert_element(nothing, one, ir.Constant(ir.IntType(32), 0))
        parts.append(b.shuffle_vector(first, nothing, same))
    lanes.store(0, at[0], (parts[0], parts[1]))


def _emit_leave(lanes: _Lanes, at: Any) -> None:
    """Write a slot to the second array, of complex numbers; one that is not a number marks the guard."""
    b = lanes.builder
    re, im = lanes.load(0, at[0])
    smallest, watch = lanes.load(0, at[1])
    nothing = b.fmul(lanes.constant(0.0), b.fadd(re, im))
    lanes.store(0, at[1], (smallest, b.fadd(watch, nothing)))
    order = [place for lane in range(lanes.count) for place in (lane, lanes.count + lane)]
    kind = ir.VectorType(ir.IntType(32), 2 * lanes.count)
    mixed = b.shuffle_vector(re, im, ir.Constant(kind, order))
    b.store(mixed, lanes.place(1, at[2], mixed.type), align=8)


def _emit_start(lanes: _Lanes, at: Any) -> None:
    """Set all lanes of a guard to a number that every pivot is below."""
    lanes.store(0, at[0], (lanes.constant(1e300), lanes.constant(0.0)))


def _emit_product_reverse(lanes: _Lanes, at: Any) -> None:
    """Adjoints, values: what the adjoint of a product i0 = i1 * i2 adds to those of its factors."""
    given = lanes.load(0, at[0])
    for to, other in ((at[1], at[2]), (at[2], at[1])):
        lanes.store(0, to, lanes.times(given, lanes.conjugate(lanes.load(1, other)), lanes.load(0, to)))


if getattr(config, "DISABLE_JIT", 0):

    def lanes_of(span: Any) -> int:
        """Lanes of a block."""
        return int(span.LANES)

    def _slot(array: Any, at: int, span: Any) -> Any:
        n = span.LANES
        return array[2 * n * at : 2 * n * at + n] + 1j * array[2 * n * at + n : 2 * n * (at + 1)]

    def _put(array: Any, at: int, value: Any, span: Any) -> None:
        n = span.LANES
        array[2 * n * at : 2 * n * at + n], array[2 * n * at + n : 2 * n * (at + 1)] = value.real, value.imag

    def multiply(work: Any, to: int, a: int, c: int, span: Any) -> None:
        """work[to] = work[a] * work[c], a slot each."""
        _put(work, to, _slot(work, a, span) * _slot(work, c, span), span)

    def multiply_add(work: Any, to: int, a: int, c: int, span: Any) -> None:
        """work[to] += work[a] * work[c], a slot each."""
        _put(work, to, _slot(work, to, span) + _slot(work, a, span) * _slot(work, c, span), span)

    def pivot(work: Any, to: int, a: int, guard: int, span: Any) -> None:
        """work[to] = 1 / (1 - work[a]), 0 where singular; work[guard] keeps the smallest |1 - K|^2."""
        left = 1.0 - _slot(work, a, span)
        size = np.abs(left) ** 2
        kept = _slot(work, guard, span)
        _put(work, guard, np.fmin(kept.real, size) + 1j * kept.imag, span)
        with np.errstate(divide="ignore", invalid="ignore"):
            _put(work, to, np.where(size == 0.0, 0.0, 1.0 / left), span)

    def copy(work: Any, values: Any, to: int, re: int, im: int, span: Any) -> None:
        """Copy the real and imaginary parts from values[re:], values[im:] into the slot work[to]."""
        _put(work, to, values[re : re + span.LANES] + 1j * values[im : im + span.LANES], span)

    def spread(work: Any, values: Any, to: int, re: int, im: int, span: Any) -> None:
        """Fill all lanes of the slot work[to] with the number values[re] + i values[im]."""
        _put(work, to, np.full(span.LANES, complex(values[re], values[im])), span)

    def leave(work: Any, out: Any, slot: int, guard: int, to: int, span: Any) -> None:
        """Write the slot to the complex numbers out.flat[to:]; one that is not a number marks the guard."""
        value = _slot(work, slot, span)
        _put(work, guard, _slot(work, guard, span) + 0.0j * (value.real + value.imag), span)
        out.reshape(-1)[to : to + span.LANES] = value

    def start_guard(work: Any, slot: int, span: Any) -> None:
        """Set all lanes of the guard to a number that every pivot is below."""
        _put(work, slot, np.full(span.LANES, 1e300 + 0j), span)

    def get(work: Any, slot: int, lane: int, span: Any) -> complex:
        """One lane of a slot; 0 of a slot that is not there, -1."""
        at = 2 * span.LANES * slot + lane
        return complex(work[at], work[at + span.LANES]) if slot >= 0 else 0j

    def put(work: Any, slot: int, lane: int, value: complex, span: Any) -> None:
        """Set one lane of a slot."""
        at = 2 * span.LANES * slot + lane
        work[at], work[at + span.LANES] = value.real, value.imag

    def across(span: Any) -> bool:
        """Whether lanes are entries of a batch."""
        return bool(span.ACROSS)

    def fetch(code: Any, index: int) -> int:
        """code[index] of a non-negative index."""
        return int(code[index])

    def product_reverse(adjoint: Any, work: Any, to: int, a: int, c: int, span: Any) -> None:
        """Add what the adjoint of work[to] = work[a] * work[c] adds to those of its factors."""
        given = _slot(adjoint, to, span)
        for factor, other in ((a, c), (c, a)):
            product = given * np.conj(_slot(work, other, span))
            _put(adjoint, factor, _slot(adjoint, factor, span) + product, span)

else:
    multiply = _operation(1, 3, _emit_multiply)
    multiply_add = _operation(1, 3, _emit_multiply_add)
    pivot = _operation(1, 3, _emit_pivot)
    copy = _operation(2, 3, _emit_copy)
    spread = _operation(2, 3, _emit_spread)
    leave = _operation(2, 3, _emit_leave)
    start_guard = _operation(1, 1, _emit_start)

    # As functions of numba's these two would be compiled for each kind of integer.
    @intrinsic
    def get(context: Any, work: Any, slot: Any, lane: Any, span: Any) -> Any:
        """One lane of a slot; 0 of a slot that is not there, -1."""
        del context, slot, lane

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            lanes = _Lanes(context, builder, signature, arguments)
            nothing = ir.Constant(ir.DoubleType(), 0.0)
            there = builder.icmp_signed(">=", arguments[1], ir.Constant(_INDEX, 0))
            first = builder.select(there, arguments[1], ir.Constant(_INDEX, 0))
            value = context.make_complex(builder, types.complex128)
            parts = [builder.load(lanes.lane(0, first, part, arguments[2])) for part in (0, 1)]
            value.real, value.imag = (builder.select(there, part, nothing) for part in parts)
            return value._getvalue()  # noqa: SLF001 - numba's own way

        return types.complex128(work, types.int64, types.int64, span), emit

    @intrinsic
    def put(context: Any, work: Any, slot: Any, lane: Any, value: Any, span: Any) -> Any:
        """Set one lane of a slot."""
        del context, slot, lane, value

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            lanes = _Lanes(context, builder, signature, arguments)
            value = context.make_complex(builder, types.complex128, arguments[3])
            for part, number in enumerate((value.real, value.imag)):
                builder.store(number, lanes.lane(0, arguments[1], part, arguments[2]))
            return context.get_dummy_value()

        return types.void(work, types.int64, types.int64, types.complex128, span), emit

    @intrinsic
    def lanes_of(context: Any, span: Any) -> Any:
        """Lanes of a block, a constant for the compiler."""
        del context
        count = _lanes(span)
        return types.int64(span), lambda *_: ir.Constant(_INDEX, count)

    @intrinsic
    def across(context: Any, span: Any) -> Any:
        """Whether lanes are entries of a batch, a constant for the compiler."""
        del context
        answer = ir.Constant(ir.IntType(1), int(span.instance_class.ACROSS))
        return types.boolean(span), lambda *_: answer

    @intrinsic
    def fetch(context: Any, code: Any, index: Any) -> Any:
        """code[index] of a non-negative index: numba would look for one counted from the end every time."""
        del context, index

        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            return builder.sext(builder.load(builder.gep(data, [arguments[1]], inbounds=True)), _INDEX)

        return types.int64(code, types.int64), emit

    product_reverse = _operation(2, 3, _emit_product_reverse)


ONE_WAVE = 3
"""Slots in the pivot of a single wave; a pair has seven."""
DARK = 1e-15
"""|det| of a pair over the squares of its matrix, up to which one of its modes is dark, but for rounding."""


@njit(cache=True, error_model="numpy", nogil=True)
def pair_pivot(work: Any, code: Any, pc: int, span: Any) -> None:
    """Invert ((1 - s, -b), (-c, 1 - s)) lane by lane.

    Where only rounding is left of the determinant, one mode of the two waves is trapped without loss. In a
    passive circuit no light reaches it and it sends none out, since its matrix is a contraction: the inverse
    on the other mode, which light may reach, is the pseudo-inverse, and the limit of small loss.

    Real and imaginary parts are written out: numba compiles a product, a quotient and an absolute value of
    complex numbers as functions of their own, longer than this one.
    """
    guard, own, back, forth = fetch(code, pc), fetch(code, pc + 4), fetch(code, pc + 5), fetch(code, pc + 6)
    m11, m12, m21 = fetch(code, pc + 1), fetch(code, pc + 2), fetch(code, pc + 3)
    for lane in range(lanes_of(span)):
        s, b, c = get(work, own, lane, span), get(work, back, lane, span), get(work, forth, lane, span)
        kept = get(work, guard, lane, span)
        u, v = 1.0 - s.real, 0.0 - s.imag
        b_re, b_im, c_re, c_im = b.real, b.imag, c.real, c.imag
        re = (u * u - v * v) - (b_re * c_re - b_im * c_im)  # the determinant
        im = (u * v + v * u) - (b_re * c_im + b_im * c_re)
        size = hypot(re, im)
        squares = 2.0 * (u * u + v * v) + ((b_re * b_re + b_im * b_im) + (c_re * c_re + c_im * c_im))
        # The product of both singular values over the larger one, squared: |1 - K|^2 of the darker mode.
        darkest = size * size / squares if squares > 0.0 else squares
        least = darkest if darkest < kept.real else kept.real  # noqa: FURB136 - min would be compiled too
        put(work, guard, lane, complex(least, kept.imag), span)
        if size <= DARK * squares:
            x, y = 1.0 / squares if squares > DARK else 0.0, 0.0
            v, b_re, b_im, c_re, c_im = -v, -c_re, c_im, -b_re, b_im
        elif abs(re) >= abs(im):  # 1 over the determinant, x + iy, divided by its larger part to stay finite
            ratio = im / re
            denominator = re + im * ratio
            x, y = 1.0 / denominator, (0.0 - ratio) / denominator
        else:
            ratio = re / im
            denominator = re * ratio + im
            x, y = (ratio + 0.0) / denominator, -1.0 / denominator
        put(work, m11, lane, complex(u * x - v * y, u * y + v * x), span)
        put(work, m12, lane, complex(b_re * x - b_im * y, b_re * y + b_im * x), span)
        put(work, m21, lane, complex(c_re * x - c_im * y, c_re * y + c_im * x), span)


@njit(cache=True, error_model="numpy", nogil=True)
def pivot_reverse(work: Any, adjoint: Any, own: int, inverse: int, span: Any) -> None:
    """Add to the adjoint of K what follows from that of 1/(1 - K): d(1/(1 - K)) = dK / (1 - K)^2."""
    for lane in range(lanes_of(span)):
        slope = get(work, inverse, lane, span).conjugate()
        value = get(adjoint, inverse, lane, span) * slope * slope
        put(adjoint, own, lane, get(adjoint, own, lane, span) + value, span)


@njit(cache=True, error_model="numpy", nogil=True)
def pair_pivot_reverse(work: Any, adjoint: Any, code: Any, pc: int, span: Any) -> None:
    """Add to the adjoints of s, b, c what follows from those of the inverse M: N = M^H M_adjoint M^H."""
    m11, m12, m21 = code[pc + 1], code[pc + 2], code[pc + 3]
    own, back, forth = code[pc + 4], code[pc + 5], code[pc + 6]
    for lane in range(lanes_of(span)):
        a = get(work, m11, lane, span).conjugate()
        b = get(work, m12, lane, span).conjugate()
        c = get(work, m21, lane, span).conjugate()
        a_bar, b_bar = get(adjoint, m11, lane, span), get(adjoint, m12, lane, span)
        c_bar = get(adjoint, m21, lane, span)
        # M^H = ((a, c), (b, a)) with the conjugates above; rows of M^H times ((a_bar, b_bar), (c_bar, 0)).
        x11, x12 = a * a_bar + c * c_bar, a * b_bar
        x21, x22 = b * a_bar + a * c_bar, b * b_bar
        for slot, value in (
            (own, x11 * a + x12 * b + x21 * c + x22 * a),
            (back, x11 * c + x12 * a),
            (forth, x21 * a + x22 * b),
        ):
            if slot >= 0:
                put(adjoint, slot, lane, get(adjoint, slot, lane, span) + value, span)


@njit(cache=True, error_model="numpy", nogil=True)
def multiply_series(work: Any, mark: int, a: int, c: int, order: int, span: Any) -> None:
    """Put (odd mark) or add the product of two Taylor series, a slot a coefficient, lowest first.

    From the highest coefficient down, so that the result may take the place of a factor.
    """
    to, a, c = (mark >> 1) * (order + 1), a * (order + 1), c * (order + 1)
    for k in range(order, -1, -1):
        if mark & 1:
            multiply(work, to + k, a + k, c, span)
        else:
            multiply_add(work, to + k, a + k, c, span)
        for i in range(k):
            multiply_add(work, to + k, a + i, c + k - i, span)


@njit(cache=True, error_model="numpy", nogil=True)
def pivot_series(work: Any, to: int, own: int, guard: int, order: int, span: Any) -> None:
    """Invert 1 - K as a series: p_k = p_0 (K_1 p_(k-1) + ... + K_k p_0)."""
    to, own = to * (order + 1), own * (order + 1)
    pivot(work, to, own, guard * (order + 1), span)
    for k in range(1, order + 1):
        multiply(work, to + k, own + k, to, span)
        for i in range(1, k):
            multiply_add(work, to + k, own + i, to + k - i, span)
        multiply(work, to + k, to + k, to, span)


@njit(cache=True, error_model="numpy", nogil=True)
def dark_pair_series(work: Any, code: Any, pc: int, lane: int, loop: Any, span: Any) -> None:
    """Put the series of the inverse on the mode of a pair that is not dark; loop (3, orders): u, b, c."""
    size = loop.shape[1]
    u, b, c = loop[0], loop[1], loop[2]
    squares = 2.0 * abs(u[0]) ** 2 + abs(b[0]) ** 2 + abs(c[0]) ** 2
    scale = 1.0 / squares if squares > DARK else 0.0
    p = np.zeros((size, 2, 2), np.complex128)
    p[0, 0, 0] = p[0, 1, 1] = u[0].conjugate() * scale
    p[0, 0, 1], p[0, 1, 0] = -c[0].conjugate() * scale, -b[0].conjugate() * scale
    for k in range(1, size):
        for column in range(2):
            top, low = 0j, 0j
            for i in range(1, k + 1):
                top += u[i] * p[k - i, 0, column] - b[i] * p[k - i, 1, column]
                low += u[i] * p[k - i, 1, column] - c[i] * p[k - i, 0, column]
            p[k, 0, column] = -p[0, 0, 0] * top - p[0, 0, 1] * low
            p[k, 1, column] = -p[0, 1, 0] * top - p[0, 1, 1] * low
    for k in range(size):
        put(work, code[pc + 1] * size + k, lane, (p[k, 0, 0] + p[k, 1, 1]) / 2.0, span)
        put(work, code[pc + 2] * size + k, lane, p[k, 0, 1], span)
        put(work, code[pc + 3] * size + k, lane, p[k, 1, 0], span)


@njit(cache=True, error_model="numpy", nogil=True)
def pair_pivot_series(  # noqa: C901 - loops over lanes, places and coefficients, and nothing else
    work: Any, code: Any, pc: int, order: int, span: Any
) -> None:
    """Invert the matrix of a pair as a series: from u^2 - b c and its inverse, lane by lane.

    The coefficients of the determinant d and of its inverse e follow from u =
    1 - s: e_k = -e_0 (d_1 e_(k-1) + ... + d_k e_0). Where one mode is dark, as in
    pair_pivot, the inverse P on the other one has P_k = -P_0 (M_1 P_(k-1) + ... + M_k P_0).
    """
    size = order + 1
    for lane in range(lanes_of(span)):
        loop = np.zeros((3, size), np.complex128)  # u, b, c
        for k in range(size):
            for place in range(3):
                slot = code[pc + 4 + place]
                loop[place, k] = get(work, slot * size + k if slot >= 0 else -1, lane, span)
        u, b, c = loop[0], loop[1], loop[2]
        u *= -1.0
        u[0] += 1.0
        d, e = np.zeros(size, np.complex128), np.zeros(size, np.complex128)
        for k in range(size):
            for i in range(k + 1):
                d[k] += u[i] * u[k - i] - b[i] * c[k - i]
        squares = 2.0 * abs(u[0]) ** 2 + abs(b[0]) ** 2 + abs(c[0]) ** 2
        if abs(d[0]) <= DARK * squares:
            dark_pair_series(work, code, pc, lane, loop, span)
            continue
        e[0] = 1.0 / d[0]
        for k in range(1, size):
            for i in range(1, k + 1):
                e[k] -= e[0] * d[i] * e[k - i]
        for place in range(3):
            for k in range(size):
                total = 0j
                for i in range(k + 1):
                    total += loop[place, i] * e[k - i]
                put(work, code[pc + 1 + place] * size + k, lane, total, span)


@njit(cache=True, error_model="numpy", nogil=True)
def load_series(work: Any, to: int, values: Any, start: int, address: Any, order: int, span: Any) -> None:
    """Bring the Taylor coefficients of one value, whose address this is, into its slots."""
    to *= order + 1
    if address[3] == 1:
        for k in range(order + 1):
            at = start + k * address[5]
            copy(work, values, to + k, at, at + address[4], span)
        return
    spread(work, values, to, start, start + address[4], span)
    for k in range(1, order + 1):
        for lane in range(lanes_of(span)):
            put(work, to + k, lane, 0j, span)


@njit(cache=True, error_model="numpy", nogil=True)
def forward_series(
    code: Any, address: Any, values: Any, work: Any, batch: int, block: int, order: int, span: Any
) -> None:
    """Run all steps on Taylor series in wavelength: order + 1 slots for each of the plan."""
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
            load_series(work, fetch(code, pc + 2 * k), values, start, address[v], order, span)
        pc += 2 * n_loads
        if n_pivot == ONE_WAVE:
            pivot_series(work, fetch(code, pc + 1), fetch(code, pc), fetch(code, pc + 2), order, span)
        elif n_pivot > 0:
            pair_pivot_series(work, code, pc, order, span)
        pc += n_pivot
        for k in range(n_mixed):
            mark, a, c = fetch(code, pc + 3 * k), fetch(code, pc + 3 * k + 1), fetch(code, pc + 3 * k + 2)
            multiply_series(work, mark, a, c, order, span)
        pc += 3 * n_mixed
        outs = pc + 2 * n_from
        target = outs + n_to
        for f in range(n_from):
            for t in range(fetch(code, pc + f), n_to):
                mark, a, c = fetch(code, target), fetch(code, pc + n_from + f), fetch(code, outs + t)
                multiply_series(work, mark, a, c, order, span)
                target += 1
        pc = target


@njit(cache=True, error_model="numpy", nogil=True)
def forward(  # noqa: C901 - one step after the other, and a step has four parts
    code: Any, address: Any, values: Any, work: Any, batch: int, block: int, span: Any
) -> None:
    """Run all steps of `code` on one block of one batch entry: fill `work`, a slot after the other."""
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
            if across(span) and address[v, 1] != 0:
                for lane in range(lanes_of(span)):  # the last entry stands in for those that are not there
                    entry = min(batch * lanes_of(span) + lane, span.batch - 1)
                    start = address[v, 0] + entry * address[v, 1] + block * address[v, 2]
                    put(work, to, lane, complex(values[start], values[start + address[v, 4]]), span)
                continue
            start = address[v, 0] + batch * address[v, 1] + block * address[v, 2]
            if address[v, 3] == 1 and not across(span):
                copy(work, values, to, start, start + address[v, 4], span)
            else:
                spread(work, values, to, start, start + address[v, 4], span)
        pc += 2 * n_loads
        if n_pivot == ONE_WAVE:
            pivot(work, fetch(code, pc + 1), fetch(code, pc), fetch(code, pc + 2), span)
        elif n_pivot > 0:
            pair_pivot(work, code, pc, span)
        pc += n_pivot
        for k in range(n_mixed):
            mark, a, c = fetch(code, pc + 3 * k), fetch(code, pc + 3 * k + 1), fetch(code, pc + 3 * k + 2)
            if mark & 1:
                multiply(work, mark >> 1, a, c, span)
            else:
                multiply_add(work, mark >> 1, a, c, span)
        pc += 3 * n_mixed
        outs = pc + 2 * n_from
        target = outs + n_to
        for f in range(n_from):
            a = fetch(code, pc + n_from + f)
            for t in range(fetch(code, pc + f), n_to):
                mark = fetch(code, target)
                target += 1
                if mark & 1:
                    multiply(work, mark >> 1, a, fetch(code, outs + t), span)
                else:
                    multiply_add(work, mark >> 1, a, fetch(code, outs + t), span)
        pc = target


@njit(cache=True, error_model="numpy", nogil=True)
def run(
    code: Any, address: Any, values: Any, exits: Any, out: Any, smallest: Any, work: Any, span: Any
) -> None:
    """Run a plan over the blocks of a span and write the wanted elements.

    exits (n, 3): slot, place in out, place of the mirrored element or -1.
    out (B, places, W) complex128; smallest (B, W) gets the smallest |1 - K|^2
    at each wavelength, not a number where a result is not.
    """
    places, points = out.shape[1], out.shape[2]
    for index in range(span.first, span.last):
        batch = index // span.blocks
        block = index - batch * span.blocks
        start_guard(work, GUARD_SLOT, span)
        forward(code, address, values, work, batch, block, span)
        start = span.start + block * lanes_of(span)
        left = points - start
        lanes = left if left < lanes_of(span) else lanes_of(span)  # noqa: FURB136 - min would be compiled too
        for k in range(exits.shape[0]):
            slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
            if lanes == lanes_of(span):
                leave(work, out, slot, GUARD_SLOT, (batch * places + place) * points + start, span)
                if mirror >= 0:
                    leave(work, out, slot, GUARD_SLOT, (batch * places + mirror) * points + start, span)
                continue
            for lane in range(lanes):
                value = get(work, slot, lane, span)
                # Not a number where value is not.
                watch = get(work, GUARD_SLOT, lane, span)
                watch = complex(watch.real, watch.imag + 0.0 * (value.real + value.imag))
                put(work, GUARD_SLOT, lane, watch, span)
                out[batch, place, start + lane] = value
                if mirror >= 0:
                    out[batch, mirror, start + lane] = value
        for lane in range(lanes):
            watch = get(work, GUARD_SLOT, lane, span)
            smallest[batch, start + lane] = watch.real + watch.imag


@njit(cache=True, error_model="numpy", nogil=True)
def run_across(
    code: Any, address: Any, values: Any, exits: Any, out: Any, smallest: Any, work: Any, span: Any
) -> None:
    """Do what `run` does in blocks whose lanes are entries of a batch."""
    for index in range(span.first, span.last):
        batch = index // span.blocks
        block = index - batch * span.blocks
        start_guard(work, GUARD_SLOT, span)
        forward(code, address, values, work, batch, block, span)
        first, w = batch * lanes_of(span), span.start + block
        for lane in range(min(lanes_of(span), span.batch - first)):
            watch = get(work, GUARD_SLOT, lane, span)
            found = watch.real + watch.imag
            for k in range(exits.shape[0]):
                value = get(work, exits[k, 0], lane, span)
                found += 0.0 * (value.real + value.imag)  # not a number where value is not
                out[first + lane, exits[k, 1], w] = value
                if exits[k, 2] >= 0:
                    out[first + lane, exits[k, 2], w] = value
            smallest[first + lane, w] = found


@njit(cache=True, error_model="numpy", nogil=True)
def run_series(code: Any, address: Any, values: Any, exits: Any, out: Any, work: Any, span: Any) -> None:
    """Run a plan on Taylor series over the blocks of a span.

    out (orders, B, places, W) complex128 takes the coefficients of the wanted elements.
    """
    orders = out.shape[0]
    for index in range(span.first, span.last):
        batch = index // span.blocks
        block = index - batch * span.blocks
        forward_series(code, address, values, work, batch, block, orders - 1, span)
        start = span.start + block * lanes_of(span)
        lanes = min(lanes_of(span), out.shape[3] - start)
        for k in range(exits.shape[0]):
            slot, place, mirror = exits[k, 0] * orders, exits[k, 1], exits[k, 2]
            for order in range(orders):
                for lane in range(lanes):
                    value = get(work, slot + order, lane, span)
                    out[order, batch, place, start + lane] = value
                    if mirror >= 0:
                        out[order, batch, mirror, start + lane] = value


@njit(cache=True, error_model="numpy", nogil=True)
def reverse(code: Any, starts: Any, work: Any, adjoint: Any, slopes: Any, span: Any) -> None:
    """Run the steps backwards: from adjoints of the results to adjoints of the values.

    `work` holds one block of a plan that keeps all its slots, `adjoint` (same
    shape) the derivatives dL/dRe + i dL/dIm of the results, zero elsewhere.
    slopes (values, 2 * lanes) is filled where the plan loads a value.
    """
    width = 2 * lanes_of(span)
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
                product_reverse(adjoint, work, to, a, fetch(code, outs + t), span)
        for k in range(n_mixed - 1, -1, -1):
            to, a, c = (
                fetch(code, mixed + 3 * k) >> 1,
                fetch(code, mixed + 3 * k + 1),
                fetch(code, mixed + 3 * k + 2),
            )
            product_reverse(adjoint, work, to, a, c, span)
        if n_pivot == ONE_WAVE:
            pivot_reverse(work, adjoint, fetch(code, pivots), fetch(code, pivots + 1), span)
        elif n_pivot > 0:
            pair_pivot_reverse(work, adjoint, code, pivots, span)
        for k in range(n_loads):
            slot, value = fetch(code, loads + 2 * k), fetch(code, loads + 2 * k + 1)
            for number in range(width):
                slopes[value, number] += adjoint[slot * width + number]


@njit(cache=True, error_model="numpy", nogil=True)
def run_reverse(
    program: Any, address: Any, values: Any, cotangent: Any, smallest: Any, work: Any, slopes: Any, span: Any
) -> None:
    """Run a plan forwards and backwards over the blocks of a span.

    program = (code, starts, exits) of a plan that keeps all its slots.
    cotangent (B, places, W) complex128 holds dL/dRe + i dL/dIm of every
    element; slopes (last - first, values, 2 * lanes) receives the same of every
    S-matrix value, a block at a time. work (2, numbers): values and adjoints.
    smallest (B, W) gets the smallest |1 - K|^2 at each wavelength.
    """
    code, starts, exits = program
    for index in range(span.first, span.last):
        batch = index // span.blocks
        block = index - batch * span.blocks
        start_guard(work[0], GUARD_SLOT, span)
        forward(code, address, values, work[0], batch, block, span)
        adjoint = work[1]
        adjoint[:] = 0.0
        start = span.start + block * lanes_of(span)
        lanes = min(lanes_of(span), cotangent.shape[2] - start)
        for lane in range(lanes):
            smallest[batch, start + lane] = get(work[0], GUARD_SLOT, lane, span).real
        for k in range(exits.shape[0]):
            slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
            for lane in range(lanes):
                c = cotangent[batch, place, start + lane]
                if mirror >= 0:
                    c += cotangent[batch, mirror, start + lane]
                put(adjoint, slot, lane, get(adjoint, slot, lane, span) + c, span)
        slopes[index - span.first] = 0.0
        reverse(code, starts, work[0], adjoint, slopes[index - span.first], span)

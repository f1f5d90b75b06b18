"""Arithmetic on lanes: LANES wavelengths side by side, as one vector instruction each.

A slot of the work array is LANES real parts followed by LANES imaginary parts.
numba's vectoriser must prove that slots do not overlap and gives up on arrays
this short, so the few operations a plan needs are written as LLVM vector
instructions. Every lane is computed alone and in the same order whatever its
neighbours hold: a wavelength gives the same bits in any sweep. With the
compiler off (NUMBA_DISABLE_JIT=1) the same operations run as numpy slices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

LANES = 8
"""Wavelengths in a block. Eight float64 fill one AVX-512 register; wider blocks waste work on one wavelength."""

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
        return tuple(self.builder.load(self._pointer(array, index, p), align=8) for p in (0, 1))  # type: ignore[return-value]

    def store(self, array: int, index: Any, value: tuple[Any, Any]) -> None:
        for part in (0, 1):
            self.builder.store(value[part], self._pointer(array, index, part), align=8)

    def call(self, name: str, *vectors: Any) -> Any:
        """Call an LLVM intrinsic on vectors, such as fmuladd: fused where the processor can."""
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * len(vectors))
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.v{LANES}f64")
        return self.builder.call(function, vectors)

    def times(self, a: tuple[Any, Any], c: tuple[Any, Any], start: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
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


def _emit_add_product_conjugate(lanes: _Lanes, at: Any) -> None:
    """First array: adjoints; second: values. adjoint[i0] += adjoint[i1] * conj(value[i2])."""
    lanes.store(
        0, at[0], lanes.times(lanes.load(0, at[1]), lanes.conjugate(lanes.load(1, at[2])), lanes.load(0, at[0]))
    )


if config.DISABLE_JIT:

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
        """work[to] = 1 / (1 - work[a]), 0 where that is singular; work[guard] keeps the smallest |1 - K|^2."""
        left = 1.0 - _slot(work, a)
        size = np.abs(left) ** 2
        work[guard : guard + LANES] = np.fmin(work[guard : guard + LANES], size)
        with np.errstate(divide="ignore", invalid="ignore"):
            _put(work, to, np.where(size == 0.0, 0.0, 1.0 / left))

    def copy(work: Any, values: Any, to: int, re: int, im: int) -> None:
        """Copy LANES real and imaginary parts from values[re:], values[im:] into the slot work[to]."""
        work[to : to + LANES] = values[re : re + LANES]
        work[to + LANES : to + WIDTH] = values[im : im + LANES]

    def add_product_conjugate(adjoint: Any, work: Any, to: int, a: int, c: int) -> None:
        """adjoint[to] += adjoint[a] * conj(work[c]), a slot each."""
        _put(adjoint, to, _slot(adjoint, to) + _slot(adjoint, a) * np.conj(_slot(work, c)))

else:
    multiply = _operation(1, 3, _emit_multiply)
    multiply_add = _operation(1, 3, _emit_multiply_add)
    pivot = _operation(1, 3, _emit_pivot)
    copy = _operation(2, 3, _emit_copy)
    add_product_conjugate = _operation(2, 3, _emit_add_product_conjugate)

"""The kernels that run an elimination plan, forwards and in reverse.

A plan is a list of steps in one array of integers. A step removes an inner
wave v of the signal-flow graph: it brings in the S-matrix elements it needs,
divides the paths through v by 1 - K[v,v], and adds every product
K[j,v] K[v,i] to K[j,i]. Layout of a step, all int32, slots counted in numbers:

    n_loads, self, inverse, guard, n_scaled, n_from, n_to,
    (slot, value) x n_loads, (slot to, slot from) x n_scaled,
    slot x n_from, slot x n_to, (2 * slot + is_first) x (n_from * n_to)

`self` is the slot of K[v,v], or -1; `inverse` receives 1/(1 - K[v,v]) and
`guard` keeps the smallest pivot. A value's address is (offset, batch stride,
block stride, lane stride, distance of the imaginary part) in a flat array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

from photosim.kernels.lanes import LANES, WIDTH, add_product_conjugate, copy, multiply, multiply_add, pivot

if TYPE_CHECKING:
    from numpy.typing import NDArray

@njit(cache=True, error_model="numpy", nogil=True)
def forward(code: Any, address: Any, values: Any, work: Any, batch: int, block: int) -> None:
    """Run all steps of `code` on one block of one batch entry: fill `work` (slots x WIDTH) from `values`."""
    pc = 0
    size = code.shape[0]
    while pc < size:
        n_loads, own, inverse, guard = code[pc], code[pc + 1], code[pc + 2], code[pc + 3]
        n_scaled, n_from, n_to = code[pc + 4], code[pc + 5], code[pc + 6]
        pc += 7
        for k in range(n_loads):
            to = code[pc + 2 * k]
            v = code[pc + 2 * k + 1]
            start = address[v, 0] + batch * address[v, 1] + block * address[v, 2]
            if address[v, 3] == 1:
                copy(work, values, to, start, start + address[v, 4])
            else:
                re, im = values[start], values[start + address[v, 4]]
                for lane in range(LANES):
                    work[to + lane] = re
                    work[to + LANES + lane] = im
        pc += 2 * n_loads
        if own >= 0:
            pivot(work, inverse, own, guard)
        for k in range(n_scaled):
            multiply(work, code[pc + 2 * k], code[pc + 2 * k + 1], inverse)
        pc += 2 * n_scaled
        outs = pc + n_from
        target = outs + n_to
        for f in range(n_from):
            a = code[pc + f]
            for t in range(n_to):
                mark = code[target]
                target += 1
                if mark & 1:
                    multiply(work, mark >> 1, a, code[outs + t])
                else:
                    multiply_add(work, mark >> 1, a, code[outs + t])
        pc = target


@njit(cache=True, error_model="numpy", nogil=True)
def run(code: Any, address: Any, values: Any, exits: Any, out: Any, smallest: Any, work: Any, span: Any) -> None:
    """Run a plan over the blocks first..last and write the wanted elements.

    exits (n, 3): slot, place in out, place of the mirrored element or -1.
    out (B, places, W) complex128; smallest (B, W) gets the smallest |1 - K|^2
    at each wavelength. span = (first, last, blocks a batch entry, first
    wavelength, guard slot); the work array starts empty.
    """
    for index in range(span[0], span[1]):
        batch = index // span[2]
        block = index - batch * span[2]
        guard = span[4]
        for lane in range(LANES):
            work[guard + lane] = 1e300
        forward(code, address, values, work, batch, block)
        start = span[3] + block * LANES
        lanes = min(LANES, out.shape[2] - start)
        for k in range(exits.shape[0]):
            slot, place, mirror = exits[k, 0], exits[k, 1], exits[k, 2]
            for lane in range(lanes):
                value = complex(work[slot + lane], work[slot + LANES + lane])
                out[batch, place, start + lane] = value
                if mirror >= 0:
                    out[batch, mirror, start + lane] = value
        for lane in range(lanes):
            smallest[batch, start + lane] = work[guard + lane]


@njit(cache=True, error_model="numpy", nogil=True)
def reverse(code: Any, starts: Any, work: Any, adjoint: Any, spare: int, slopes: Any) -> None:
    """Run the steps backwards: from adjoints of the results to adjoints of the values.

    `work` holds one block of a plan that keeps all its slots, `adjoint` (same
    shape) the derivatives dL/dRe + i dL/dIm of the results, zero elsewhere.
    slopes (values, WIDTH) is filled where the plan loads a value.
    """
    for step in range(starts.shape[0] - 1, -1, -1):
        pc = starts[step]
        n_loads, own, inverse = code[pc], code[pc + 1], code[pc + 2]
        n_scaled, n_from, n_to = code[pc + 4], code[pc + 5], code[pc + 6]
        loads = pc + 7
        scaled = loads + 2 * n_loads
        ins = scaled + 2 * n_scaled
        outs = ins + n_from
        target = outs + n_to
        for f in range(n_from):
            a = code[ins + f]
            for t in range(n_to):
                to = code[target] >> 1
                target += 1
                add_product_conjugate(adjoint, work, a, to, code[outs + t])
                add_product_conjugate(adjoint, work, code[outs + t], to, a)
        for k in range(n_scaled):
            to, source = code[scaled + 2 * k], code[scaled + 2 * k + 1]
            add_product_conjugate(adjoint, work, source, to, inverse)
            add_product_conjugate(adjoint, work, inverse, to, source)
        if own >= 0:  # d(1/(1 - K)) = dK / (1 - K)^2
            for lane in range(WIDTH):
                adjoint[spare + lane] = 0.0
            add_product_conjugate(adjoint, work, spare, inverse, inverse)
            add_product_conjugate(adjoint, work, own, spare, inverse)
        for k in range(n_loads):
            slot, value = code[loads + 2 * k], code[loads + 2 * k + 1]
            for lane in range(WIDTH):
                slopes[value, lane] += adjoint[slot + lane]


@njit(cache=True, error_model="numpy", nogil=True)
def run_reverse(
    code: Any, starts: Any, address: Any, values: Any, exits: Any, cotangent: Any, work: Any, span: Any, slopes: Any
) -> None:
    """Run a plan forwards and backwards over the blocks first..last.

    cotangent (B, places, W) complex128 holds dL/dRe + i dL/dIm of every
    element; slopes (last - first, values, WIDTH) receives the same of every
    S-matrix value, a block at a time. work (2, slots x WIDTH): values and
    adjoints. span = (first, last, blocks a batch entry, first wavelength,
    guard slot, spare slot).
    """
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

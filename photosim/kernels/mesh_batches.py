"""Kernels that send a batch of fields through the columns of a mesh, and its gradient back.

A slice of the batch goes through all blocks while it lies in the cache, forwards and, for the gradient,
backwards again. What came into each block is kept on the way, or computed once more from fields kept now and
then, so that losses need no care. A block on guides a and b is

    passed [[tj, i kj], [i kj, tj]] diag(inner e^(i theta), 1)
           [[ts, i ks], [i ks, ts]] diag(outer e^(i phi), 1)

with row k of `parts` (ts, ks, tj, kj, passed, inner, outer) and row k of `entries` the four elements of that
matrix, the field at its inner shifter per (in a, in b), all as real and imaginary part, and passed tj, passed
kj. Complex arrays come as real ones with a last axis (real, imaginary); single or double precision, the same
in all arrays of a call. A cotangent of z is dL/dRe z + i dL/dIm z.

The way back is a few kernels called from outside rather than one: put into one function their loops are no
longer vectorised, which doubles the time. Work arrays are flat, rows of ROW_BYTES: numba's vectoriser sees at
once that parts of one array at constant distances do not overlap, and gives up on rows of two-dimensional
arrays this short.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

ROW_BYTES = 128
"""Samples of a slice, side by side: 32 in single precision, 16 in double."""


@njit(cache=True, error_model="numpy", nogil=True)
def fill_entries(cosines: Any, sines: Any, parts: Any, passed: Any, entries: Any, ends: Any) -> None:
    """Fill entries (K, 14) and ends (G, 2) from cosines and sines of angles.

    Those are of theta (K), phi (K) and end phases (G) in a row.  parts: (K, 7).  passed: amplitude of the
    output shifters (G,).
    """
    count = parts.shape[0]
    for k in range(count):
        ts, ks, tj, kj, both = parts[k, 0], parts[k, 1], parts[k, 2], parts[k, 3], parts[k, 4]
        inner = parts[k, 5] * complex(cosines[k], sines[k])
        outer = parts[k, 6] * complex(cosines[count + k], sines[count + k])
        first, second = inner * ts, complex(-inner.imag * ks, inner.real * ks)
        top = both * (tj * first - kj * ks) * outer
        across = both * (tj * second + complex(0.0, kj * ts))
        back = both * complex(-kj * first.imag, kj * first.real + tj * ks) * outer
        low = both * (complex(-kj * second.imag, kj * second.real) + tj * ts)
        first *= outer
        entries[k, 0], entries[k, 1] = top.real, top.imag
        entries[k, 2], entries[k, 3] = across.real, across.imag
        entries[k, 4], entries[k, 5] = back.real, back.imag
        entries[k, 6], entries[k, 7] = low.real, low.imag
        entries[k, 8], entries[k, 9] = first.real, first.imag
        entries[k, 10], entries[k, 11] = second.real, second.imag
        entries[k, 12], entries[k, 13] = both * tj, both * kj
    for m in range(passed.size):
        ends[m, 0] = passed[m] * cosines[2 * count + m]
        ends[m, 1] = passed[m] * sines[2 * count + m]


@njit(cache=True, error_model="numpy", nogil=True)
def load_slice(x: Any, low: int, work: Any, lit: Any) -> None:
    """Fill work with samples from `low` on of x (B, G, 2), then zeros; say which guides are lit."""
    lanes = ROW_BYTES // work.itemsize
    high = min(x.shape[0], low + lanes)
    for m in range(x.shape[1]):
        re, im = 2 * m * lanes, (2 * m + 1) * lanes
        lit[m] = False
        for j in range(low, high):
            work[re + j - low], work[im + j - low] = x[j, m, 0], x[j, m, 1]
            lit[m] = lit[m] or x[j, m, 0] != 0.0 or x[j, m, 1] != 0.0
        for j in range(high - low, lanes):
            work[re + j] = work[im + j] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def store_slice(work: Any, ends: Any, low: int, y: Any) -> None:
    """Store the samples in work, times ends, from `low` on in y (B, G, 2)."""
    lanes = ROW_BYTES // work.itemsize
    for m in range(y.shape[1]):
        c, s, re, im = ends[m, 0], ends[m, 1], 2 * m * lanes, (2 * m + 1) * lanes
        for j in range(low, min(y.shape[0], low + lanes)):
            y[j, m, 0] = c * work[re + j - low] - s * work[im + j - low]
            y[j, m, 1] = c * work[im + j - low] + s * work[re + j - low]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def _forth(work: Any, e: Any, a: Any, b: Any, kept: Any) -> None:
    """Send guides a and b through a block with entries e; kept gets what came in."""
    n = ROW_BYTES // work.itemsize
    n2, n3 = 2 * n, 3 * n
    t_re, t_im, x_re, x_im = e[0], e[1], e[2], e[3]
    k_re, k_im, l_re, l_im = e[4], e[5], e[6], e[7]
    above = work[a * np.uint64(n2) : a * np.uint64(n2) + np.uint64(n2)]
    below = work[b * np.uint64(n2) : b * np.uint64(n2) + np.uint64(n2)]
    for j in range(n):
        p, q, r, s = above[j], above[n + j], below[j], below[n + j]
        kept[j], kept[n + j], kept[n2 + j], kept[n3 + j] = p, q, r, s
        above[j] = t_re * p - t_im * q + x_re * r - x_im * s
        above[n + j] = t_re * q + t_im * p + x_re * s + x_im * r
        below[j] = k_re * p - k_im * q + l_re * r - l_im * s
        below[n + j] = k_re * q + k_im * p + l_re * s + l_im * r


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def _back(work: Any, e: Any, a: Any, b: Any, kept: Any, total: Any) -> None:
    """Send cotangents back through a block; total (2 rows) gets dL/dtheta and dL/dphi of each sample.

    With g the cotangent and z the field at a shifter the derivative by its phase is -Im(conj(g) z).
    """
    n = ROW_BYTES // work.itemsize
    n2, n3 = 2 * n, 3 * n
    t_re, t_im, x_re, x_im = e[0], e[1], e[2], e[3]
    k_re, k_im, l_re, l_im = e[4], e[5], e[6], e[7]
    f_re, f_im, s_re, s_im, keep, swap = e[8], e[9], e[10], e[11], e[12], e[13]
    above = work[a * np.uint64(n2) : a * np.uint64(n2) + np.uint64(n2)]
    below = work[b * np.uint64(n2) : b * np.uint64(n2) + np.uint64(n2)]
    for j in range(n):
        p, q, r, s = above[j], above[n + j], below[j], below[n + j]
        x, y, u, v = kept[j], kept[n + j], kept[n2 + j], kept[n3 + j]
        inner_re = f_re * x - f_im * y + s_re * u - s_im * v
        inner_im = f_re * y + f_im * x + s_re * v + s_im * u
        # conj(g) at the inner shifter: passed (tj conj(g_a) + i kj conj(g_b)).
        g_re, g_im = keep * p + swap * s, swap * r - keep * q
        out_re = t_re * p + t_im * q + k_re * r + k_im * s
        out_im = t_re * q - t_im * p + k_re * s - k_im * r
        above[j], above[n + j] = out_re, out_im
        below[j] = x_re * p + x_im * q + l_re * r + l_im * s
        below[n + j] = x_re * q - x_im * p + l_re * s - l_im * r
        total[j] = -(g_re * inner_im + g_im * inner_re)
        total[n + j] = out_im * x - out_re * y


@njit(cache=True, error_model="numpy", nogil=True)
def send_batch(entries: Any, pairs: Any, ends: Any, x: Any, y: Any) -> None:
    """Fill y (B, G, 2) with what blocks (K) on guides pairs (K, 2) and then ends make of x (B, G, 2).

    pairs: unsigned, so that no index is examined for being negative.
    """
    lanes = ROW_BYTES // entries.itemsize
    guides = x.shape[1]
    work, kept = np.empty(2 * guides * lanes, entries.dtype), np.empty(4 * lanes, entries.dtype)
    lit = np.empty(guides, np.bool_)
    for low in range(0, x.shape[0], lanes):
        load_slice(x, low, work, lit)
        for k in range(pairs.shape[0]):
            a, b = pairs[k, 0], pairs[k, 1]
            if lit[a] or lit[b]:  # columns of the unit matrix leave much of a mesh dark
                lit[a] = lit[b] = True
                _forth(work, entries[k], a, b, kept)
        store_slice(work, ends, low, y)


@njit(cache=True, error_model="numpy", nogil=True)
def drop_tiny(x: Any, least: float) -> None:
    """Put zeros in place of the numbers in x (N, M) that are smaller than `least`."""
    for i in range(x.shape[0]):
        row = x[i]
        for j in range(row.size):
            row[j] = 0.0 if abs(row[j]) < least else row[j]


@njit(cache=True, error_model="numpy", nogil=True)
def find_dark(pairs: Any, lit: Any, dark: Any) -> None:
    """Say which blocks light does not reach, and which guides it does."""
    for k in range(pairs.shape[0]):
        a, b = pairs[k, 0], pairs[k, 1]
        dark[k] = not (lit[a] or lit[b])
        if not dark[k]:
            lit[a] = lit[b] = True


@njit(cache=True, error_model="numpy", nogil=True)
def segment_forth(fields: Any, entries: Any, pairs: Any, dark: Any, kept: Any) -> None:
    """Send fields through blocks that are not dark, and keep what came into each."""
    size = 4 * (ROW_BYTES // fields.itemsize)
    for k in range(pairs.shape[0]):
        if not dark[k]:
            _forth(fields, entries[k], pairs[k, 0], pairs[k, 1], kept[k * size : (k + 1) * size])


@njit(cache=True, error_model="numpy", nogil=True)
def segment_back(work: Any, entries: Any, pairs: Any, dark: Any, kept: Any, rows: Any) -> None:
    """Send cotangents back through blocks; rows (K, 2 rows) get the derivatives of each sample, 0 if dark."""
    size = 4 * (ROW_BYTES // work.itemsize)
    for k in range(pairs.shape[0] - 1, -1, -1):
        if dark[k]:
            rows[k] = 0.0
        else:
            _back(work, entries[k], pairs[k, 0], pairs[k, 1], kept[k * size : (k + 1) * size], rows[k])


@njit(cache=True, error_model="numpy", nogil=True)
def turn_round(fields: Any, work: Any, ends: Any, low: int, cotangent: Any, total: Any) -> None:
    """Fill work with the cotangent ahead of the ends, where the fields are; add dL/dend to total (G,)."""
    lanes = ROW_BYTES // work.itemsize
    high = min(cotangent.shape[0], low + lanes)
    for m in range(cotangent.shape[1]):
        c, s, re, im = ends[m, 0], ends[m, 1], 2 * m * lanes, (2 * m + 1) * lanes
        for j in range(high - low):
            g_re, g_im = cotangent[low + j, m, 0], cotangent[low + j, m, 1]
            p, q = c * g_re + s * g_im, c * g_im - s * g_re
            total[m] += q * fields[re + j] - p * fields[im + j]
            work[re + j], work[im + j] = p, q
        for j in range(high - low, lanes):
            work[re + j] = work[im + j] = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def add_rows(rows: Any, totals: Any) -> None:
    """Add to totals (2 K,), float64, the sums over samples of theta and phi in rows (K, 2 rows)."""
    lanes = ROW_BYTES // rows.itemsize
    for k in range(rows.shape[0]):
        row = rows[k]
        theta, phi = row[0], row[lanes]
        for j in range(1, lanes):
            theta += row[j]
            phi += row[lanes + j]
        totals[2 * k] += theta
        totals[2 * k + 1] += phi


@njit(cache=True, error_model="numpy", nogil=True)
def segment_read(fields: Any, entries: Any, pairs: Any, forms: Any, rows: Any) -> None:
    """Send fields through blocks; rows (K, 2 rows) get the powers of two linear forms of what came into each.

    forms: (K, 2, 4), each f_a x_a + f_b x_b as (re f_a, im f_a, re f_b, im f_b).
    """
    n = ROW_BYTES // fields.itemsize
    kept = np.empty(4 * n, fields.dtype)
    for k in range(pairs.shape[0]):
        _forth(fields, entries[k], pairs[k, 0], pairs[k, 1], kept)
        for side in range(2):
            _power(kept, forms[k, side], rows[k, side * n : (side + 1) * n])


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def _power(own: Any, form: Any, row: Any) -> None:
    """Fill row with the power of a linear form of each sample of a block."""
    n = ROW_BYTES // own.itemsize
    n2, n3 = 2 * n, 3 * n
    a, b, c, d = form[0], form[1], form[2], form[3]
    for j in range(n):
        x, y, u, v = own[j], own[n + j], own[n2 + j], own[n3 + j]
        re, im = a * x - b * y + c * u - d * v, a * y + b * x + c * v + d * u
        row[j] = re * re + im * im


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def _one_forth(work: Any, e: Any, a: Any, b: Any) -> None:
    """Send one sample's guides a and b through a block."""
    p, q, r, s = work[a, 0], work[a, 1], work[b, 0], work[b, 1]
    work[a, 0] = e[0] * p - e[1] * q + e[2] * r - e[3] * s
    work[a, 1] = e[0] * q + e[1] * p + e[2] * s + e[3] * r
    work[b, 0] = e[4] * p - e[5] * q + e[6] * r - e[7] * s
    work[b, 1] = e[4] * q + e[5] * p + e[6] * s + e[7] * r


@njit(cache=True, error_model="numpy", nogil=True)
def send_few(entries: Any, pairs: Any, ends: Any, x: Any, y: Any) -> None:
    """As send_batch, one sample after the other: for fewer than are worth the lanes."""
    work = np.empty(x.shape[1:], entries.dtype)
    for sample in range(x.shape[0]):
        work[:] = x[sample]
        for k in range(pairs.shape[0]):
            _one_forth(work, entries[k], pairs[k, 0], pairs[k, 1])
        for m in range(x.shape[1]):
            y[sample, m, 0] = ends[m, 0] * work[m, 0] - ends[m, 1] * work[m, 1]
            y[sample, m, 1] = ends[m, 0] * work[m, 1] + ends[m, 1] * work[m, 0]


@njit(cache=True, error_model="numpy", nogil=True)
def back_few(entries: Any, pairs: Any, ends: Any, x: Any, cotangent: Any, inputs: Any, totals: Any) -> None:
    """Add the gradient of x with cotangent (B, G, 2) to totals (2 K + G,), one sample after the other.

    inputs (B, G, 2) gets the cotangent of x.
    """
    count, guides = pairs.shape[0], x.shape[1]
    work, kept = np.empty((guides, 2), entries.dtype), np.empty((count, 4), entries.dtype)
    for sample in range(x.shape[0]):
        work[:] = x[sample]
        for k in range(count):
            a, b = pairs[k, 0], pairs[k, 1]
            kept[k, 0], kept[k, 1], kept[k, 2], kept[k, 3] = work[a, 0], work[a, 1], work[b, 0], work[b, 1]
            _one_forth(work, entries[k], a, b)
        for m in range(guides):
            p, q = cotangent[sample, m, 0], cotangent[sample, m, 1]
            re, im = ends[m, 0] * p + ends[m, 1] * q, ends[m, 0] * q - ends[m, 1] * p
            totals[2 * count + m] += im * work[m, 0] - re * work[m, 1]
            work[m, 0], work[m, 1] = re, im
        for k in range(count - 1, -1, -1):
            _one_back(work, entries[k], pairs[k, 0], pairs[k, 1], kept[k], totals[2 * k : 2 * k + 2])
        inputs[sample] = work


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"contract", "nsz"})
def _one_back(work: Any, e: Any, a: Any, b: Any, kept: Any, total: Any) -> None:
    """Send one sample's cotangent back through a block; add dL/dtheta and dL/dphi to total (2,)."""
    p, q, r, s = work[a, 0], work[a, 1], work[b, 0], work[b, 1]
    x, y, u, v = kept[0], kept[1], kept[2], kept[3]
    inner_re = e[8] * x - e[9] * y + e[10] * u - e[11] * v
    inner_im = e[8] * y + e[9] * x + e[10] * v + e[11] * u
    g_re, g_im = e[12] * p + e[13] * s, e[13] * r - e[12] * q
    out_re = e[0] * p + e[1] * q + e[4] * r + e[5] * s
    out_im = e[0] * q - e[1] * p + e[4] * s - e[5] * r
    work[a, 0], work[a, 1] = out_re, out_im
    work[b, 0] = e[2] * p + e[3] * q + e[6] * r + e[7] * s
    work[b, 1] = e[2] * q - e[3] * p + e[6] * s - e[7] * r
    total[0] -= g_re * inner_im + g_im * inner_re
    total[1] += out_im * x - out_re * y

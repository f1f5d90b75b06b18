"""What taps at the phase shifters of a mesh read while light goes through it either way (pai2023).

A tap lies behind each shifter, seen from the inputs, and reads the power there without taking any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.training.arrays import FloatArray
from photosim.training.devices.mesh.paths import (
    SEGMENT,
    Fields,
    Passage,
    lanes_of,
    real_view,
    reversed_entries,
    widened,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_forwards(passage: Passage, x: Fields, weights: FloatArray) -> tuple[FloatArray, Fields]:
    """Send x (batch, n) in at the inputs of the mesh of a passage, phases as they were.

    Returns tap powers summed over the batch with weights (M, batch), shape (M, 2 K + n) in the order theta,
    phi, end; and the fields that leave the outputs.
    """
    from photosim.kernels.mesh_batches import send_batch

    mesh, entries = passage.mesh, passage.entries
    forms = np.zeros((len(entries), 2, 4), entries.dtype)
    forms[:, 0] = entries[:, 8:12]  # the field behind the inner shifter
    forms[:, 1, 0] = mesh.parts[:, 6]  # behind the outer one its phase does not count
    light = widened(np.ascontiguousarray(x), mesh.dark)
    blocks = _sums(light, entries, mesh.pairs, forms, weights)
    out = np.empty_like(light)
    send_batch(entries, mesh.pairs, passage.ends, real_view(light), real_view(out))
    leaving = out[:, mesh.dark :]
    return np.concatenate([blocks, weights @ _power(leaving)], axis=1), leaving


def read_backwards(passage: Passage, g: Fields, weights: FloatArray) -> tuple[FloatArray, Fields]:
    """Send conj(g) (batch, n) in at the outputs; return what taps read, as above, and what leaves the inputs.

    That is conj(M^H g), for a mesh is reciprocal.
    """
    mesh = passage.mesh
    entries, pairs = reversed_entries(passage)
    own = passage.entries[::-1]
    forms = np.zeros((len(entries), 2, 4), entries.dtype)
    forms[:, 0, 0], forms[:, 0, 3] = own[:, 12], -own[:, 13]  # conj(tj) g_a - i kj g_b, ahead of join
    forms[:, 1] = entries[:, [0, 1, 2, 3]] / mesh.parts[::-1, 6][:, np.newaxis]
    ends = passage.ends.view(g.dtype)[mesh.dark :, 0]
    light = widened(np.ascontiguousarray(g * ends.conj()), mesh.dark)
    count = len(entries)
    sums = _sums(light, entries, pairs, forms, weights).reshape(len(weights), 2, count)[:, :, ::-1]
    blocks = sums.reshape(len(weights), 2 * count)
    return np.concatenate([blocks, weights @ _power(g)], axis=1), passage.back(g).conj()


def _sums(
    light: Fields,
    entries: NDArray[np.floating],
    pairs: NDArray[np.uint64],
    forms: NDArray[np.floating],
    weights: FloatArray,
) -> FloatArray:
    """Return weighted sums (M, 2 K) of the forms' powers in all blocks that light meets."""
    from photosim.kernels.mesh_batches import fill_powers, load_slice, segment_forth

    lanes, count = lanes_of(light.dtype), len(entries)
    most = min(count, SEGMENT)
    sums = np.zeros((2 * count, len(weights)))
    fields = np.empty(2 * light.shape[1] * lanes, entries.dtype)
    kept, rows = np.empty(4 * most * lanes, entries.dtype), np.empty((most, 2 * lanes), entries.dtype)
    lit, dark = np.empty(light.shape[1], np.bool_), np.zeros(count, np.bool_)
    for low in range(0, len(light), lanes):
        load_slice(real_view(light), low, fields, lit)
        own = np.zeros((lanes, len(weights)))
        own[: len(light) - low] = weights[:, low : low + lanes].T
        for first in range(0, count, SEGMENT):
            part = slice(first, first + SEGMENT)
            segment_forth(fields, entries[part], pairs[part], dark[part], kept)
            fill_powers(kept, forms[part], rows)
            powers = rows[: len(forms[part])].reshape(-1, lanes)
            sums[2 * first : 2 * first + len(powers)] += powers @ own.astype(rows.dtype)
    return sums.reshape(count, 2, -1).transpose(2, 1, 0).reshape(len(weights), 2 * count)


def _power(fields: Fields) -> FloatArray:
    return np.asarray(fields.real**2 + fields.imag**2, dtype=np.float64)

"""Readings of power taps at the phase shifters of a mesh, for light in both directions (pai2023).

A tap is behind each shifter, seen from the inputs. It reads the power without loss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.training.arrays import FloatArray
from photosim.training.devices.mesh.paths import Passage, reversed_entries, widened
from photosim.training.devices.mesh.views import Fields, Reals, lanes_of, no_ends, real_view
from photosim.training.devices.mesh.way_back import SEGMENT

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_forwards(passage: Passage, x: Fields, weights: FloatArray) -> tuple[FloatArray, Fields]:
    """Send x (batch, n) into the inputs with the phases of a passage; return taps and output fields.

    The tap powers are sums over the batch with weights (M, batch), shape (M, 2 K + n) in the order theta,
    phi, end. The fields have shape (batch, n).
    """
    mesh, entries = passage.mesh, passage.entries
    forms = np.zeros((len(entries), 2, 4), entries.dtype)
    forms[:, 0] = entries[:, 8:12]  # the field behind the inner shifter
    forms[:, 1, 0] = mesh.parts[:, 6]  # behind the outer one its phase does not count
    light = widened(np.ascontiguousarray(x), mesh.dark)
    sums, out = _read(light, entries, mesh.pairs, passage.ends, forms, weights)
    leaving = out[:, mesh.dark :]
    return _in_order(sums, weights @ _power(leaving)), leaving


def read_backwards(passage: Passage, g: Fields, weights: FloatArray) -> tuple[FloatArray, Fields]:
    """Send conj(g) (batch, n) into the outputs of a mesh; return taps, and the fields that leave the inputs.

    The tap powers are those of `read_forwards`. The fields are conj(M^H g), because a mesh is reciprocal.
    """
    mesh = passage.mesh
    entries, pairs = reversed_entries(passage)
    own = passage.entries[::-1]
    forms = np.zeros((len(entries), 2, 4), entries.dtype)
    forms[:, 0, 0], forms[:, 0, 3] = own[:, 12], -own[:, 13]  # conj(tj) g_a - i kj g_b, ahead of join
    forms[:, 1] = entries[:, [0, 1, 2, 3]] / mesh.parts[::-1, 6][:, np.newaxis]
    ends = passage.ends.view(g.dtype)[mesh.dark :, 0]
    light = widened(np.ascontiguousarray(g * ends.conj()), mesh.dark)
    plain = no_ends(len(passage.ends), passage.ends.dtype)
    sums, out = _read(light, entries, pairs, plain, forms, weights)
    return _in_order(sums[::-1], weights @ _power(g)), out[:, mesh.dark :].conj()


def _read(
    light: Fields,
    entries: Reals,
    pairs: NDArray[np.uint64],
    ends: Reals,
    forms: Reals,
    weights: FloatArray,
) -> tuple[FloatArray, Fields]:
    """Return weighted sums (K, 2, M) of the forms' powers in all blocks, and the fields behind the ends."""
    from photosim.kernels.mesh_batches import load_slice, segment_read, store_slice

    lanes, count, kind = lanes_of(light.dtype), len(entries), entries.dtype
    sums, out = np.zeros((2 * count, len(weights))), np.empty_like(light)
    fields, lit = np.empty(2 * light.shape[1] * lanes, kind), np.empty(light.shape[1], np.bool_)
    rows = np.empty((min(count, SEGMENT), 2 * lanes), kind)
    own = np.zeros((lanes, len(weights)), kind)
    for low in range(0, len(light), lanes):
        own[: len(light) - low] = weights[:, low : low + lanes].T  # empty lanes are dark
        load_slice(real_view(light), low, fields, lit)
        for first in range(0, count, SEGMENT):
            part = slice(first, first + SEGMENT)
            segment_read(fields, entries[part], pairs[part], forms[part], rows)
            powers = rows[: len(forms[part])].reshape(-1, lanes)
            sums[2 * first : 2 * first + len(powers)] += powers @ own
        store_slice(fields, ends, low, real_view(out))
    return sums.reshape(count, 2, -1), out


def _in_order(sums: FloatArray, ends: FloatArray) -> FloatArray:
    """Return sums (K, 2, M) and those at the ends (M, n) in the order theta, phi, end: (M, 2 K + n)."""
    return np.concatenate([sums[:, 0].T, sums[:, 1].T, ends], axis=1)


def _power(fields: Fields) -> FloatArray:
    return np.asarray(fields.real**2 + fields.imag**2, dtype=np.float64)

"""Many normal numbers in single precision: those of NumPy's generators, in a third of the time."""

from __future__ import annotations

import math
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

MANY = 4096
"""Fewer numbers than this are drawn by NumPy itself, which needs no kernel."""
LAYERS, PLACES = 256, 2.0**23
"""Layers of the ziggurat, and places in each."""
TAIL = 3.6541528853610088
"""Where the tail begins: with it, 256 layers have equal areas."""


def normal_numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return the array that `rng.standard_normal(shape, dtype)` returns, and leave `rng` as that does."""
    size = math.prod(shape)
    if size < MANY or np.dtype(dtype) != np.float32:
        return np.asarray(rng.standard_normal(shape, dtype))  # type: ignore[arg-type]
    from photosim.kernels import normals

    places, widths, heights, tail = _tables()
    out = np.empty(size, np.float32)
    have, words = 0, _words(rng, size)
    while True:
        have, taken = normals.normal_numbers(words, places, widths, heights, tail, out, have)
        if have == size:
            return out.reshape(shape)
        # Every number that is missing takes one word or more: no word is drawn in vain.
        rest = words[taken:]
        words = np.concatenate([rest, _words(rng, max(size - have - rest.size, 1))])


def _words(rng: np.random.Generator, count: int) -> NDArray[np.uint32]:
    """Return the next words of 32 bits, as `rng` gives them to numbers of single precision."""
    whole = np.zeros(0, np.uint32)
    source: Any = rng.bit_generator
    # Half a word of 64 bits may be left from before; `integers` gives it first.
    if type(source) is np.random.PCG64 and sys.byteorder == "little" and not source.state["has_uint32"]:
        whole = source.random_raw(count // 2).view(np.uint32)
    if whole.size == count:
        return whole
    one_by_one = rng.integers(0, 2**32, count - whole.size, dtype=np.uint32)
    return np.concatenate([whole, one_by_one]) if whole.size else one_by_one


@cache
def _tables() -> tuple[NDArray[Any], ...]:
    """Return the tables of the kernel: places, widths and heights of the layers, and the tail."""
    right = np.zeros(LAYERS)  # ends of the layers on the right, the widest last
    right[-1] = TAIL
    area = TAIL * _curve(TAIL) + math.sqrt(math.pi / 2.0) * math.erfc(TAIL / math.sqrt(2.0))
    for layer in range(LAYERS - 2, 0, -1):
        above = area / right[layer + 1] + _curve(right[layer + 1])
        right[layer] = math.sqrt(-2.0 * math.log(above))
    base = area / _curve(TAIL)  # the lowest layer, as wide as if its tail were laid beside it
    inside = np.zeros(LAYERS)
    inside[0] = TAIL / base
    inside[2:] = right[1:-1] / right[2:]
    widths = np.concatenate([[base], right[1:]]) / PLACES
    heights = np.array([_curve(x) for x in right])
    return (
        np.tile(np.rint(inside * PLACES).astype(np.uint32), 2),
        np.concatenate([widths, -widths]).astype(np.float32),
        heights.astype(np.float32),
        np.array([TAIL, 1.0 / TAIL], np.float32),
    )


def _curve(x: float) -> float:
    return math.exp(-0.5 * x * x)

"""Kernels that walk a graph given as arrays of edges, from a[k] to b[k], between nodes 0 to size - 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy", nogil=True)
def components(a: Any, b: Any, size: int) -> Any:
    """Return a label for each node, (size,): the smallest node of all that edges join it to, either way."""
    label = np.arange(size)
    for k in range(a.shape[0]):
        x, y = a[k], b[k]
        while label[x] != x:  # up to the root, halving the path for those who come after
            label[x] = label[label[x]]
            x = label[x]
        while label[y] != y:
            label[y] = label[label[y]]
            y = label[y]
        label[max(x, y)] = min(x, y)
    for x in range(size):
        label[x] = label[label[x]]  # a node's root is smaller than it, and final already
    return label


@njit(cache=True, error_model="numpy", nogil=True)
def reach(a: Any, b: Any, starts: Any, size: int) -> Any:
    """Return for each node, (size,), whether a walk along the edges from one of the starts gets there."""
    first = np.zeros(size + 1, np.int64)
    for k in range(a.shape[0]):
        first[a[k] + 1] += 1
    for x in range(size):
        first[x + 1] += first[x]
    after, place = np.empty_like(b), first[:-1].copy()
    for k in range(a.shape[0]):
        after[place[a[k]]] = b[k]
        place[a[k]] += 1
    seen = np.zeros(size, np.bool_)
    waiting = np.empty(size, np.int64)
    count = 0
    for x in starts:
        if not seen[x]:
            seen[x] = True
            waiting[count] = x
            count += 1
    while count > 0:
        count -= 1
        x = waiting[count]
        for k in range(first[x], first[x + 1]):
            if not seen[after[k]]:
                seen[after[k]] = True
                waiting[count] = after[k]
                count += 1
    return seen

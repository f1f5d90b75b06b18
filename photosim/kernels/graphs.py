"""Walks over a graph given as arrays of edges, from a[k] to b[k], between nodes 0 to size - 1.

Large graphs are walked by kernels. Small ones are walked by the same functions in Python, on lists: that
takes less time than a kernel takes to load, and much less than one takes to compile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 5000
"""Nodes and edges of a graph that Python walks, in a millisecond."""


def components(a: NDArray[np.int64], b: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return a label for each node, (size,): the smallest node of all that edges join it to, either way."""
    if size + len(a) <= FEW:
        labels = list(range(size))
        _join(a.tolist(), b.tolist(), labels)
        return np.array(labels, dtype=np.int64)
    label = np.arange(size, dtype=np.int64)
    join(np.ascontiguousarray(a), np.ascontiguousarray(b), label)
    return label


def reach(
    a: NDArray[np.int64], b: NDArray[np.int64], starts: NDArray[np.int64], size: int
) -> NDArray[np.bool_]:
    """Return for each node, (size,), whether a walk along the edges from one of the starts gets there."""
    seen = np.zeros(size, dtype=np.bool_)
    seen[starts] = True
    waiting = np.flatnonzero(seen)
    if size + len(a) <= FEW:
        marks = seen.tolist()
        after, free = [0] * len(a), [0] * (size - len(waiting))
        _walk(a.tolist(), b.tolist(), [0] * (size + 2), after, marks, waiting.tolist() + free, len(waiting))
        return np.array(marks, dtype=np.bool_)
    queue = np.empty(size, dtype=np.int64)
    queue[: len(waiting)] = waiting
    first = np.zeros(size + 2, dtype=np.int64)
    a, b = np.ascontiguousarray(a), np.ascontiguousarray(b)
    walk(a, b, first, np.empty_like(b), seen, queue, len(waiting))
    return seen


def _join(a: Any, b: Any, label: Any) -> None:
    """Give each node of `label`, at first its own number, the smallest node that edges join it to."""
    for k in range(len(a)):
        x, y = a[k], b[k]
        while label[x] != x:  # up to the root, halving the path for those who come after
            label[x] = label[label[x]]
            x = label[x]
        while label[y] != y:
            label[y] = label[label[y]]
            y = label[y]
        if x < y:
            label[y] = x
        else:
            label[x] = y
    for x in range(len(label)):
        label[x] = label[label[x]]  # a node's root is smaller than it, and final already


def _walk(a: Any, b: Any, first: Any, after: Any, seen: Any, waiting: Any, count: int) -> None:
    """Mark all nodes that a walk gets to from the first `count` of `waiting`, which are marked already.

    Working space: `first` (size + 2) of zeros, `after` as many as edges, `waiting` (size).
    """
    for k in range(len(a)):
        first[a[k] + 2] += 1
    for x in range(len(seen)):
        first[x + 1] += first[x]
    # first[x + 1] is where the next node after x goes, and in the end where those after x + 1 begin.
    for k in range(len(a)):
        after[first[a[k] + 1]] = b[k]
        first[a[k] + 1] += 1
    while count > 0:
        count -= 1
        x = waiting[count]
        for k in range(first[x], first[x + 1]):
            y = after[k]
            if not seen[y]:
                seen[y] = True
                waiting[count] = y
                count += 1


join = njit(cache=True, error_model="numpy", nogil=True)(_join)
walk = njit(cache=True, error_model="numpy", nogil=True)(_walk)

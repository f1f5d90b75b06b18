"""What is checked around a solve: parts that create power, and loops that oscillate.

Passive parts of the library need no check: their formulas are bounded and
tested. Parts declared by others are examined, and parts declared active are
allowed to amplify, as long as no loop they sit in lases.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.values import group_parameters
from photosim.engine.waves import leaving, loops
from photosim.errors import ParameterError, PhotosimWarning, SingularCircuit, UnphysicalResult, listing
from photosim.model import Nonlinear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Graph
    from photosim.engine.parts import Group, Parts, Point

PASSIVE = 1.0 + 1e-9
"""Largest singular value of a passive part: 1, and a few hundred rounding steps."""
PASSIVE_FLOAT32 = 1.0 + 1e-6
"""The same for arrays that come from elsewhere, perhaps in single precision."""
LOOKS = 65
"""Wavelengths, spread over the sweep, at which a part declared outside the library is examined."""


def check_linear(
    graph: Graph, edges: Mapping[tuple[int, int], int], outputs: Sequence[int], inputs: Sequence[int]
) -> None:
    """Raise ParameterError, naming the part, where light on its way to `outputs` passes a nonlinear part.

    Waves on one side of such a part, on the way to it included, have an S-matrix as any others; so has what
    lies behind its own light.
    """
    nonlinear = [(part, part.model) for part in graph.parts if isinstance(part.model, Nonlinear)]
    if not nonlinear:
        return
    ahead: dict[int, list[int]] = {}
    for a, b in edges:
        ahead.setdefault(a, []).append(b)
    lit = reached(ahead, inputs)
    for part, model in nonlinear:
        ports = range(part.first_port, part.first_port + len(part.ports))
        if set(inputs).intersection(leaving(graph, port) for port in ports):
            continue  # its own light is the question: the island behind it, not what it does
        entered = model.line is not None or any(port in lit for port in ports)
        behind = reached(ahead, [leaving(graph, port) for port in ports]) if entered else set()
        if behind.intersection(outputs):
            message = (
                f"Instance {part.name!r} ({model.name}) is nonlinear and has no S-matrix: use "
                "ps.transient(circuit, ...), or replace it by a linear component with the response at its "
                f"operating point; waves up to {part.name},{part.ports[0]}:in have an S-matrix."
            )
            raise ParameterError(message)


def reached(ahead: Mapping[int, Sequence[int]], starts: Iterable[int]) -> set[int]:
    """Return the waves that light from the waves `starts` comes to, themselves included."""
    found = set(starts)
    queue = list(found)
    while queue:
        for wave in ahead.get(queue.pop(), ()):
            if wave not in found:
                found.add(wave)
                queue.append(wave)
    return found


def check_passive(parts: Parts, point: Point, wl: NDArray[np.float64]) -> None:
    """Raise UnphysicalResult, naming the instance, where a part that is not declared active creates power."""
    if not parts.foreign:
        return
    chosen = wl[np.unique(np.linspace(0, len(wl) - 1, min(LOOKS, len(wl))).astype(int))]
    for group in parts.groups:
        if group.model.active or group.model not in parts.foreign:
            continue
        matrices = group_matrices(group, point, chosen)
        if not np.isfinite(matrices).all():
            check_finite(parts, point, chosen)
        gain = np.linalg.norm(matrices, ord=2, axis=(-2, -1))
        if not (gain <= PASSIVE).all():
            row, _, at = np.unravel_index(int(np.argmax(gain)), gain.shape)
            message = (
                f"Instance {group.names[row]!r} ({group.model.name}) creates power: its largest singular "
                f"value is {gain.max():.6g} at {chosen[at]:.6g} um, and a passive part has at most 1. "
                "Declare the component active if it amplifies."
            )
            raise UnphysicalResult(message)
    for numerical_part in parts.numerical_parts:
        model: Any = numerical_part.part.model
        if model in parts.foreign:
            _check_numerical(
                numerical_part.part.name, model, parts.settings_of(numerical_part.part, point), chosen
            )


def check_finite(parts: Parts, point: Point, wl: NDArray[np.float64]) -> None:
    """Raise UnphysicalResult, naming the instance, where a part's own S-matrix is not a number at wl (W,)."""
    chosen = wl[:LOOKS]
    for group in parts.groups:
        good = np.isfinite(group_matrices(group, point, chosen)).all(axis=(1, 2, 3, 4))
        if not good.all():
            name = group.names[int(np.argmin(good))]
            message = (
                f"Instance {name!r} ({group.model.name}) has no S-matrix at {chosen[0]:.6g} um: its settings "
                "or the wavelength are too large or too small to compute with."
            )
            raise UnphysicalResult(message)


def _check_numerical(name: str, model: Any, settings: dict[str, Any], wl: NDArray[np.float64]) -> None:
    """Look at a numerical part at its first batch entry; arrays from elsewhere may be in single precision."""
    one = {k: v[0] if isinstance(v, np.ndarray) and v.ndim else v for k, v in settings.items()}
    gain = np.linalg.norm(model.s(wl, **one), ord=2, axis=(-2, -1))
    if not (gain <= PASSIVE_FLOAT32).all():
        at = int(np.argmax(np.nan_to_num(gain, nan=np.inf)))
        message = (
            f"Instance {name!r} ({model.name}) creates power: its largest singular value is {gain[at]:.6g} "
            f"at {wl[at]:.6g} um, and a passive part has at most 1."
        )
        raise UnphysicalResult(message)


def group_matrices(group: Group, point: Point, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return the S-matrices of all instances of a group, shape (rows, B, W, P, P), by its kernel."""
    kernel, ports = group.kernel, group.model.ports
    parameters = group_parameters(group, np.arange(len(group.parts)), point)
    values = np.empty((*parameters.shape[:2], kernel.values, 2, len(wl)))
    kernel.evaluate(wl[np.newaxis], parameters, values)
    s = np.zeros((*parameters.shape[:2], len(wl), len(ports), len(ports)), dtype=np.complex128)
    for (source, target), number in kernel.value_of.items():
        one = s[..., ports.index(target), ports.index(source)]
        one.real, one.imag = values[:, :, number, 0], values[:, :, number, 1]
    return s


# --- loops with gain ---------------------------------------------------------------------------------


def check_stable(
    graph: Graph, parts: Parts, edges: Mapping[tuple[int, int], int], point: Point, wl: Any
) -> None:
    """Raise SingularCircuit, naming the loop, where a loop with an active part oscillates by itself.

    Nyquist's criterion: with K the loop's matrix of one round, det(1 - K) must
    not wind round zero over the sweep. A winding seen only in part, or a
    single wavelength, cannot tell: there a mode that grows in one round is a
    PhotosimWarning.
    """
    if not parts.active:
        return
    names = {name for group in parts.active for name in group.rows}
    for loop in _loops(graph, edges, names, reciprocal=parts.reciprocal):
        for k in _round_trips(parts, edges, loop, point, wl):
            if not np.isfinite(k).all():
                check_finite(parts, point, wl)
            growth = np.abs(np.linalg.eigvals(k)).max(axis=-1)
            if growth.max() < 1.0:
                continue
            where = f"the loop through {listing(_instances(graph, loop), 6)}"
            phases = np.angle(np.linalg.slogdet(np.eye(k.shape[-1]) - k)[0])
            turns = np.abs(np.angle(np.exp(1j * np.diff(phases))).sum()) / (2.0 * np.pi)
            if turns > 0.5:
                message = (
                    f"Above threshold: {where} oscillates, so it has no S-matrix; light in it grows "
                    f"{growth.max():.4g} times from part to part at {wl[int(growth.argmax())]:.6g} um."
                )
                raise SingularCircuit(message)
            message = (
                f"Light in {where} grows {growth.max():.4g} times from part to part at "
                f"{wl[int(growth.argmax())]:.6g} um: it may be above threshold; sweep over a free spectral "
                "range to tell."
            )
            warnings.warn(message, PhotosimWarning, stacklevel=5)


def _loops(
    graph: Graph, edges: Mapping[tuple[int, int], int], active: set[str], *, reciprocal: bool
) -> list[list[int]]:
    """Return the sets of waves that light runs round in and that some active part takes part in."""
    found = [loop for loop in loops(edges) if any(graph.owners[w].name in active for w in loop)]
    # Both directions of travel round the same reciprocal parts grow alike: one stands for both.
    return (
        list({frozenset(_instances(graph, loop)): loop for loop in found}.values()) if reciprocal else found
    )


def _instances(graph: Graph, loop: Sequence[int]) -> list[str]:
    return list(dict.fromkeys(graph.owners[w].name for w in loop))


def _round_trips(
    parts: Parts, edges: Mapping[tuple[int, int], int], loop: list[int], point: Point, wl: Any
) -> Iterator[NDArray[np.complex128]]:
    """Yield the matrix of one step round a loop, (W, n, n) [to, from], for each batch entry."""
    values = all_values(parts, point, wl)
    number = {wave: k for k, wave in enumerate(loop)}
    inner = [(number[a], number[b], v) for (a, b), v in edges.items() if a in number and b in number]
    for batch in range(point.batch):
        k = np.zeros((len(wl), len(loop), len(loop)), dtype=np.complex128)
        for a, b, v in inner:
            k[:, b, a] = values[batch, v]
        yield k


def all_values(parts: Parts, point: Point, wl: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Return every S-matrix value of every part, shape (B, values, W); meant for small circuits."""
    return np.asarray(all_series(parts, point, wl, 1)[0])


def all_series(parts: Parts, point: Point, wl: NDArray[np.float64], orders: int) -> NDArray[np.complex128]:
    """Return Taylor coefficients in wavelength of every value of every part, shape (orders, B, values, W)."""
    with parts.values.at(point, 1, orders).tables(len(wl)).filled(0, 0, np.ascontiguousarray(wl)) as table:
        offset, stride, _, lanes, apart, onward = table.address.T
        at = (
            offset[np.newaxis, :, np.newaxis]
            + stride[:, np.newaxis] * np.arange(point.batch)[:, np.newaxis, np.newaxis]
        )
        at = at + lanes[:, np.newaxis] * np.arange(len(wl))
        found = np.zeros((orders, *at.shape), dtype=np.complex128)
        for order in range(orders):
            there = at + order * (onward * lanes)[:, np.newaxis]
            found[order] = table.values[there] + 1j * table.values[there + apart[:, np.newaxis]]
        if orders > 1:
            found[1:, :, lanes == 0] = 0.0  # a value that does not depend on wavelength has no further one
        return found

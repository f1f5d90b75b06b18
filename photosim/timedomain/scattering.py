"""S-matrix elements of driven parts at chosen instants and wavelengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.plan import Planned
from photosim.engine.plan_search import make_plan
from photosim.engine.waves import leaving, wave_request
from photosim.errors import ParameterError
from photosim.model import ClosedForm, Numerical
from photosim.model.algebra import NUMPY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Part
    from photosim.timedomain.cut import Element
    from photosim.timedomain.drives import Drives

    ComplexArray = NDArray[np.complex128]

_TABLE = 4097
"""Points of the table that stands for a part that is not a closed-form formula."""
_DIRECT = 300
"""Most settings at which such a part is asked itself."""
CHUNK = 1 << 13
"""Samples for which driven parts are evaluated at a time."""
_WEAK = 0.1
"""Part of its largest element below which the delay of an element of a part does not count."""

Pairs = Sequence[tuple[str, str]]


def scattering(
    drives: Drives, element: Element, at: NDArray[np.int64], frequencies: NDArray[np.float64]
) -> ComplexArray:
    """Return what each path of an element does at instants and frequencies in Hz, (N, W, paths).

    A "factor" is relative to the first sample.
    """
    wl = SPEED_OF_LIGHT_UM_S / np.atleast_1d(frequencies)
    if element.kind == "resonator":
        s = _solved(drives, element, wl, at)
        return np.stack([s[:, :, b, a] for a, b in element.paths], axis=-1)
    part = drives.compiled.graph.part(element.parts[0])
    pairs = port_pairs(drives, part, element.edges)
    found = part_entries(drives, part, at, wl)
    shape = (at.size, wl.size)
    values = np.stack([np.broadcast_to(found[pair], shape) for pair in pairs], axis=-1)
    if element.kind != "factor":
        return values
    first = part_entries(drives, part, np.zeros(1, np.int64), wl)
    return np.asarray(values / np.stack([np.broadcast_to(first[p], (1, wl.size)) for p in pairs], axis=-1))


def at_carriers(drives: Drives, element: Element, carriers: Sequence[float], samples: int) -> ComplexArray:
    """Return what an element does at each carrier alone, as matrices (C, T, departures, arrivals)."""
    shape = (len(carriers), samples, len(element.departures), len(element.arrivals))
    out = np.zeros(shape, dtype=np.complex128)
    for first in range(0, samples, CHUNK):
        at = np.arange(first, min(first + CHUNK, samples))
        found = scattering(drives, element, at, np.array(carriers))
        for k, (a, b) in enumerate(element.paths):
            out[:, at, b, a] += found[:, :, k].T
    return out


def part_entries(
    drives: Drives, part: Part, at: NDArray[np.int64], wl: NDArray[np.float64]
) -> Mapping[tuple[str, str], ComplexArray]:
    """Return the S-matrix elements of a part, by (from, to), that broadcast to (N, W)."""
    settings = drives.settings(part)
    model = part.model
    if isinstance(model, ClosedForm):
        columns = {k: np.asarray(v)[at, np.newaxis] if np.ndim(v) else v for k, v in settings.items()}
        found = model.entries(NUMPY, wl, columns)
        return {pair: np.atleast_2d(np.asarray(v, dtype=np.complex128)) for pair, v in found.items()}
    assert isinstance(model, Numerical)  # noqa: S101 - the only other kind with an S-matrix
    s = _tabulated(drives, part, model, settings, at, wl)
    return {(a, b): s[:, :, m, n] for n, a in enumerate(part.ports) for m, b in enumerate(part.ports)}


def round_delay(drives: Drives, element: Element, carrier: float, apart: float) -> float:
    """Return the time in s that light takes through all parts of a resonator, one after the other, at first.

    Of each part its longest way counts, as the slope of its phase over `apart` Hz.
    """
    wl = SPEED_OF_LIGHT_UM_S / (carrier + np.array([apart, 0.0]) - apart / 2)
    total = 0.0
    for name in element.parts:
        part = drives.compiled.graph.part(name)
        settings = drives.compiled.parts.settings_of(part, drives.base)
        if isinstance(part.model, ClosedForm):
            own = part.model.entries(NUMPY, wl, settings)
            s = np.stack([np.broadcast_to(np.asarray(v, dtype=np.complex128), 2) for v in own.values()], 1)
        else:
            assert isinstance(part.model, Numerical)  # noqa: S101 - the only other kind with an S-matrix
            s = np.asarray(part.model.s(wl, **settings)).reshape(2, -1)
        counts = np.abs(s[0]) > _WEAK * max(float(np.abs(s[0]).max()), 1e-300)
        turned = np.angle(s[0, counts] * np.conj(s[1, counts])) / (2 * np.pi * apart)
        total += max(0.0, float(turned.max(initial=0.0)))
    return total


def port_pairs(drives: Drives, part: Part, own: Mapping[tuple[int, int], int]) -> list[tuple[str, str]]:
    """Return the (from, to) ports of the edges of a part."""
    graph = drives.compiled.graph
    behind = {leaving(graph, part.first_port + k): port for k, port in enumerate(part.ports)}
    return [(part.ports[a - part.first_port], behind[b]) for a, b in own]


def _tabulated(
    drives: Drives,
    part: Part,
    model: Numerical,
    settings: Mapping[str, Any],
    at: NDArray[np.int64],
    wl: NDArray[np.float64],
) -> ComplexArray:
    """Return S (N, W, ports, ports) of a part that is not a formula, from a table over its setting."""
    from scipy.interpolate import CubicSpline

    moving = [name for name, value in settings.items() if np.ndim(value)]
    asked, back = np.unique(np.stack([settings[n][at] for n in moving]), axis=1, return_inverse=True)
    if asked.shape[1] <= _DIRECT:
        rows = [model.s(wl, **{**settings, **dict(zip(moving, map(float, v), strict=True))}) for v in asked.T]
        return np.asarray(np.array(rows)[back.reshape(-1)])
    if len(moving) > 1:
        message = (
            f"Instance {part.name!r} ({model.name}) is not a formula: one of its settings can be driven, "
            f"not {len(moving)}."
        )
        raise ParameterError(message)
    key = (part.name, wl.tobytes())
    if key not in drives.tables:
        values = settings[moving[0]]
        places = np.linspace(values.min(), values.max(), _TABLE)
        rows = [model.s(wl, **{**settings, moving[0]: float(v)}) for v in places]
        drives.tables[key] = CubicSpline(places, np.array(rows))
    return np.asarray(drives.tables[key](settings[moving[0]][at]))


def _solved(drives: Drives, element: Element, wl: NDArray[np.float64], at: NDArray[np.int64]) -> ComplexArray:
    """Return the matrix of a resonator (N, W, outs, ins) at instants, by its own plan."""
    key = (element.name, element.departures)
    if key not in drives.tables:
        request = wave_request(dict(element.edges), element.departures, element.arrivals)
        drives.tables[key] = Planned(request, lambda: make_plan(request.edges, request.wanted))
    changed = {name: value[at] for name, value in drives.moving.items()}
    kept = drives.base.settings.items()
    rest = {n: v for n, v in kept if n in drives.base.set_directly and n not in changed}
    point = drives.compiled.parts.point({**rest, **changed})
    shape = (len(element.departures), len(element.arrivals))
    pieces = []
    order = np.argsort(wl)
    for first in range(0, wl.size, 64):
        chosen = order[first : first + 64]
        pieces.append(
            drives.compiled.solve(drives.tables[key], point, np.ascontiguousarray(wl[chosen]), shape)
        )
    return np.asarray(np.concatenate(pieces, axis=1)[:, np.argsort(order)])

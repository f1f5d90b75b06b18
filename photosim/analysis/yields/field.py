"""Where parts lie, and how the local field of a process quantity is correlated between them.

The field has the correlation exp(-(d/l)**2) over distances d. A part's error is the mean of the field over
its drawn line, so a long straight guide averages it, and a guide coiled within l does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.bindings import steps
from photosim.errors import ParameterError, did_you_mean
from photosim.reals import NotReal, as_real, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.engine.graph import Part
    from photosim.model.netlist import Placement

    Line = NDArray[np.float64]

STEPS_A_LENGTH = 4
"""Intervals of a line in each correlation length; Gauss's rule of four points is then exact to 1e-9."""
MOST_POINTS = 500_000
"""Points of all lines together: some 30,000 correlation lengths."""
_CHUNK = 64
"""Neighbouring points of a line that are compared with others together."""
_FAR = 6.1
"""Correlation lengths over which the field's correlation falls below 1e-16."""
COIL_PITCH_UM = 3.0
"""Distance of neighbouring turns of a spiral whose line nobody gave."""
_CIRCLE = 48
_ARMS = {"top": 1.0, "bottom": -1.0}
"""Arms of an `mzi`: which way they go, across, along, and back."""
_KEPT = 1e-10
"""Variance of a part's error, of the field's, below which a direction of the correlated draws is left out."""


def lines_of(circuit: Circuit, parts: Sequence[Part], places: Mapping[str, Any]) -> list[Line]:
    """Return the drawn line (K, 2) in um of every part: a point is a line of one.

    From `places` by instance (a point, or corners), else from the netlist's placements: a ring lies on its
    circle, a straight guide along x, the arms of an `mzi` on either side, a spiral in a coil, all else at
    its origin. Raises ParameterError where a part has none.
    """
    known = {name: _line(name, value, circuit) for name, value in places.items()}
    lines = []
    for part in parts:
        path = steps(part.name)
        outer = [".".join(path[: k + 1]) for k in range(len(path))][::-1]
        name = next((name for name in outer if name in known), None)
        if name is None:
            lines.append(_drawn(circuit, part))
        elif name == part.name or len(known[name]) > 1:
            lines.append(known[name])
        else:
            lines.append(known[name] + _shaped(circuit, part, len(steps(name))))
    return lines


def at_one_point(parts: Sequence[Part], lines: Sequence[Line], places: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the instances whose inner parts lie at one point, since nothing says where, each once."""
    found: dict[tuple[str, bytes], set[str]] = {}
    for part, line in zip(parts, lines, strict=True):
        path = steps(part.name)
        given = any(".".join(path[: k + 1]) in places for k in range(1, len(path)))
        if len(path) > 1 and len(line) == 1 and not given:
            found.setdefault((path[0], line.tobytes()), set()).add(part.name)
    return tuple(dict.fromkeys(name for (name, _), inner in found.items() if len(inner) > 1))


def _drawn(circuit: Circuit, part: Part) -> Line:
    """Return the line of a part where placements put its instance, or the innermost netlist that has any.

    A netlist within a netlist is turned and moved with its instance.
    """
    netlist, visible = circuit.netlist, [circuit.netlist.components]
    path = steps(part.name)
    whole: list[Placement] = []
    while True:
        name = path[len(whole)]
        place = netlist.placements.get(name)
        if place is None:
            outer = ".".join(path[: len(whole) + 1])
            message = (
                f"A correlation length needs the place of every part, but instance {outer!r} has none: "
                f"give places: {{{outer}: [x, y]}} in um, or corners [[x, y], ...] of its line."
            )
            raise ParameterError(message)
        whole.append(place)
        component = netlist.instances[name].component
        inner = next((table[component] for table in visible if component in table), None)
        if inner is None or not inner.placements or len(whole) == len(path):
            break
        netlist, visible = inner, [inner.components, *visible]
    line = _shaped(circuit, part, len(whole))
    for place in reversed(whole):
        line = _moved(line, place)
    return line


def _moved(line: Line, place: Placement) -> Line:
    """Return a line (K, 2) mirrored at the x axis, turned and moved as a placement says."""
    angle = np.deg2rad(place.rotation)
    x, y = line[:, 0], -line[:, 1] if place.mirror else line[:, 1]
    turned = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    return np.column_stack([place.x + turned[0], place.y + turned[1]])


def _line(name: str, value: Any, circuit: Circuit) -> Line:
    top = {steps(part.name)[0] for part in circuit.graph.parts} | {part.name for part in circuit.graph.parts}
    if name not in top and not any(part.name.startswith(f"{name}.") for part in circuit.graph.parts):
        message = (
            f"The places name {name!r}, which is not an instance of the circuit.{did_you_mean(name, top)}"
        )
        raise ParameterError(message)
    try:
        found = np.atleast_2d(as_real(value))
    except NotReal as reason:
        message = f"The place of {name!r} must be [x, y] in um or a list of corners, {reason}."
        raise ParameterError(message) from None
    if found.ndim != 2 or found.shape[1] != 2 or not np.isfinite(found).all():
        message = f"The place of {name!r} must be [x, y] in um or a list of corners, got {shown(value)}."
        raise ParameterError(message)
    return found


def _shaped(circuit: Circuit, part: Part, level: int) -> Line:
    """Return the line of a part about the origin of the instance that placements know, so many names down."""
    own = circuit.graph.settings_of(part)
    path = steps(part.name)
    radius = circuit.parameters.get(f"{'.'.join(path[:level])}.radius")
    length = own.get("length")
    kind = part.model.name.partition(".")[0]
    if kind == "spiral" and length is not None:
        return coil(float(length), COIL_PITCH_UM)
    if len(path) > level and radius is not None and np.ndim(radius) == 0:
        turn = np.linspace(0.0, 2.0 * np.pi, _CIRCLE + 1)
        return np.asarray(float(radius) * np.column_stack([np.cos(turn), np.sin(turn)]))
    outer = ".".join(path[:level])
    model = circuit.graph.composites.get(outer)
    if len(path) == level + 1 and model is not None and model.name == "mzi":
        along = float(circuit.parameters[f"{outer}.length_x"])
        if path[-1] in _ARMS and length is not None and np.ndim(length) == 0:
            across = _ARMS[path[-1]] * 0.5 * (float(length) - along)
            return np.array([[0.0, 0.0], [0.0, across], [along, across], [along, 0.0]])
        return np.array([[0.0 if path[-1] == "split" else along, 0.0]])
    if kind.startswith("straight") and length is not None and np.ndim(length) == 0 and len(path) == level:
        return np.array([[0.0, 0.0], [float(length), 0.0]])
    return np.zeros((1, 2))


def coil(length: float, pitch: float) -> Line:
    """Return a spiral (K, 2) of that length about the origin, its turns a pitch apart."""
    end = np.sqrt(4.0 * np.pi * length / pitch)  # length = pitch/(4 pi) angle**2
    turn = np.linspace(0.0, end, max(16, int(end * 8)))
    radius = pitch * turn / (2.0 * np.pi)
    return np.column_stack([radius * np.cos(turn), radius * np.sin(turn)])


def sampled(line: Line, length: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return points (M, 2) along a line and their weights (M,), which add up to 1."""
    if len(line) < 2:
        return line, np.ones(1)
    sides = np.linalg.norm(np.diff(line, axis=0), axis=1)
    total = float(sides.sum())
    if total == 0.0:
        return line[:1], np.ones(1)
    nodes, weights = np.polynomial.legendre.leggauss(4)
    points, shares = [], []
    for k, side in enumerate(sides.tolist()):
        pieces = max(1, int(np.ceil(side / length * STEPS_A_LENGTH)))
        starts = np.arange(pieces) / pieces
        at = (starts[:, np.newaxis] + (nodes + 1.0) / (2.0 * pieces)).ravel()
        points.append(line[k] + at[:, np.newaxis] * (line[k + 1] - line[k]))
        shares.append(np.tile(weights / (2.0 * pieces), pieces) * side / total)
    return np.concatenate(points), np.concatenate(shares)


def correlation(lines: Sequence[Line], length: float) -> NDArray[np.float64]:
    """Return the covariance (n, n) of the means over lines of a field of variance 1, length in um.

    Points further apart than the field reaches are not compared: the time grows with the lines' length.
    Raises ParameterError for a length so short that the lines have more than MOST_POINTS points.
    """
    _check_points(lines, length)
    found = [sampled(line, length) for line in lines]
    cuts = [slice(k, k + _CHUNK) for points, _ in found for k in range(0, len(points), _CHUNK)]
    owner = np.repeat(np.arange(len(lines)), [-(-len(points) // _CHUNK) for points, _ in found])
    points = [found[line][0][cut] for line, cut in zip(owner, cuts, strict=True)]
    shares = [found[line][1][cut] for line, cut in zip(owner, cuts, strict=True)]
    low = np.array([part.min(axis=0) for part in points])
    high = np.array([part.max(axis=0) for part in points])
    out = np.zeros((len(lines), len(lines)))
    for i, (here, weights) in enumerate(zip(points, shares, strict=True)):
        gap = np.maximum(0.0, np.maximum(low[i:] - high[i], low[i] - high[i:]))
        near = np.flatnonzero((gap**2).sum(axis=1) <= (_FAR * length) ** 2) + i
        others = np.concatenate([points[j] for j in near])
        apart = ((here[:, np.newaxis] - others) ** 2).sum(axis=-1)
        alike = weights @ np.exp(-apart / length**2) * np.concatenate([shares[j] for j in near])
        starts = np.cumsum([0, *(len(points[j]) for j in near[:-1])])
        sums = np.add.reduceat(alike, starts)
        np.add.at(out[owner[i]], owner[near], np.where(near == i, 0.5, 1.0) * sums)
    return out + out.T


def _check_points(lines: Sequence[Line], length: float) -> None:
    total = sum(float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()) for line in lines)
    shortest = 4 * STEPS_A_LENGTH * total / MOST_POINTS
    if length < shortest:
        message = (
            f"A correlation length of {length:g} um is too short for lines of {total:g} um in all: give "
            f"{shortest:.2g} um or more, or leave it out, and the errors of parts are independent."
        )
        raise ParameterError(message)


def factor(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F (n, r), largest column first, with F F^T the covariance: errors are F times normals."""
    values, vectors = np.linalg.eigh(covariance)
    keep = np.flatnonzero(values > _KEPT)[::-1]
    chosen = vectors[:, keep]
    sign = np.sign(chosen[np.abs(chosen).argmax(axis=0), np.arange(len(keep))])
    return np.asarray(chosen * sign * np.sqrt(values[keep]))

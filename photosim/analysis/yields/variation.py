"""What varies from chip to chip: process quantities on three levels, and settings by distributions.

Everything is a function of independent standard normals z (N, d), so that plain draws, Sobol's points,
corners and derivatives share one description.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.sweeps.points import check_setting
from photosim.analysis.yields.distributions import LEVELS, QUANTITIES, Distribution, Variation
from photosim.analysis.yields.field import at_one_point, correlation, factor, lines_of
from photosim.engine.bindings import steps
from photosim.engine.exclusions import why_fixed
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.kernels.mixing import COUPLE_REACH, couple, mix
from photosim.model import ClosedForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit
    from photosim.engine.compiled import Compiled
    from photosim.engine.graph import Part
    from photosim.engine.parts import Point

    FloatArray = NDArray[np.float64]

COUPLING_DECAY_PER_UM = 9.06
"""Decay of the field coupling where no gap is given: that of `coupler` at a gap of 0.2 um, at 1.55 um."""
REACH = 6.0
"""Standard deviations up to which a distribution must stay inside the bounds of its setting."""
_ANGLE = "coupling"


@dataclass(frozen=True)
class Item:
    """One parameter of one part that a process quantity changes: how, and by which error."""

    part: str
    parameter: str
    quantity: str
    act: str


@dataclass(frozen=True)
class Source:
    """Some of the normals: what they stand for, which columns of z they are, and the items' errors for them.

    matrix (items, columns); None for a setting.
    """

    level: str
    quantity: str
    columns: slice
    matrix: FloatArray | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Draws:
    """A variation made ready for a circuit: normals (N, d) to points of settings."""

    compiled: Compiled
    constant: Mapping[str, Any]
    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    distributions: Mapping[str, Distribution]
    dimensions: int
    bases: Mapping[str, float]
    written: tuple[float, ...]

    @cached_property
    def mixing(self) -> FloatArray:
        """Errors of all items for unit normals, shape (items, d)."""
        whole = np.zeros((len(self.items), self.dimensions))
        for source in self.sources:
            if source.matrix is not None:
                whole[:, source.columns] += source.matrix
        return whole

    @property
    def drawn(self) -> tuple[Source, ...]:
        """The sources that are settings."""
        return tuple(source for source in self.sources if source.matrix is None)

    def errors(self, z: FloatArray) -> FloatArray:
        """Return the errors (items, N) that normals z (N, d) lead to."""
        out = np.empty((len(self.items), len(z)))
        mix(np.ascontiguousarray(z.T), self.mixing, out)
        return out

    def setting_normals(self, z: FloatArray) -> FloatArray:
        """Return the columns of z (N, d) that are settings, (sources, N)."""
        return np.ascontiguousarray(z[:, [source.columns.start for source in self.drawn]].T)

    def point(self, errors: FloatArray, normals: FloatArray, extra: Mapping[str, Any] | None = None) -> Point:
        """Return the point of N chips: errors (items, N), normals of settings (sources, N), more settings."""
        changes: dict[str, Any] = dict(self.constant)
        for source, values in zip(self.drawn, normals, strict=True):
            changes |= {n: self.distributions[n].at(values, self.bases[n]) for n in source.settings}
        changes |= extra or {}
        base = self.compiled.point(changes)
        for k, item in enumerate(self.items):
            own = base.of_part.get(item.part, {}).get(item.parameter, self.written[k])
            changes[f"{item.part}.{item.parameter}"] = acted(item.act, own, errors[k])
        return self.compiled.point(changes)


def acted(act: str, value: Any, error: FloatArray) -> Any:
    """Return a parameter (N,) that an error of its quantity changes: by adding it, or through a coupling."""
    if act == "add":
        return value + error
    if act == "beat":
        return value * np.exp(COUPLING_DECAY_PER_UM * error)
    angle = np.arcsin(np.sqrt(value))
    if np.ndim(angle) == 0 and np.abs(error).max(initial=0.0) < COUPLE_REACH / COUPLING_DECAY_PER_UM:
        found = np.empty_like(error)
        couple(float(angle), COUPLING_DECAY_PER_UM, np.ascontiguousarray(error), found)
        return found
    return np.sin(angle * np.exp(-COUPLING_DECAY_PER_UM * error)) ** 2


def prepare(circuit: Circuit, variation: Variation, constant: Mapping[str, Any]) -> Draws:
    """Return a variation made ready for a circuit with constant settings.

    Raises ParameterError where nothing varies, for a setting that cannot be drawn, and for a distribution
    that leaves the bounds of its setting.
    """
    compiled, _ = circuit.at(constant)
    items, parts = _items(circuit, variation)
    sources = _process_sources(circuit, variation, items, parts)
    bases = _settings(circuit, variation, constant)
    start = sources[-1].columns.stop if sources else 0
    shared: dict[str, list[str]] = {}
    for name, distribution in variation.settings.items():
        shared.setdefault(distribution.draw or name, []).append(name)
    for draw, names in shared.items():
        sources.append(Source("settings", draw, slice(start, start + 1), None, tuple(names)))
        start += 1
    if not start:
        message = "Nothing varies: give width, thickness, gap or temperature that parts have, or settings."
        raise ParameterError(message)
    written = _written(compiled, items, compiled.point(constant))
    draws = Draws(compiled, constant, items, tuple(sources), variation.settings, start, bases, written)
    _check_reach(draws)
    return draws


def _process_sources(
    circuit: Circuit, variation: Variation, items: tuple[Item, ...], parts: Mapping[str, Part]
) -> list[Source]:
    """Return the sources of the process quantities, level by level."""
    sources: list[Source] = []
    fields: dict[tuple[str, ...], FloatArray] = {}
    start = 0
    for level in LEVELS:
        for quantity in QUANTITIES:
            scales = _scales(variation, level, quantity, items)
            touched = np.flatnonzero(scales)
            if not len(touched):
                continue
            shape = _shape(circuit, level, [items[k] for k in touched], parts, variation, fields)
            matrix = np.zeros((len(items), shape.shape[1]))
            matrix[touched] = scales[touched, np.newaxis] * shape
            sources.append(Source(level, quantity, slice(start, start + shape.shape[1]), matrix))
            start += shape.shape[1]
    return sources


def _scales(variation: Variation, level: str, quantity: str, items: tuple[Item, ...]) -> FloatArray:
    """Return what a unit error of a quantity on a level does to each item, (items,)."""
    wide, gap = getattr(variation.width, level), getattr(variation.gap, level)
    sigma = getattr(variation.sigma(quantity), level)
    if quantity == "gap":  # beyond what the pitch of the mask ties to the width
        sigma = np.sqrt(max(0.0, gap**2 - wide**2))
    tied = -(min(wide, gap) if gap > 0.0 else wide)  # wider guides, a narrower gap
    found = [sigma if item.quantity == quantity else 0.0 for item in items]
    if quantity == "width":
        found = [tied if item.quantity == "gap" else x for item, x in zip(items, found, strict=True)]
    return np.array(found, dtype=np.float64)


def _written(compiled: Compiled, items: tuple[Item, ...], point: Point) -> tuple[float, ...]:
    """Return the values that the items have where nothing varies."""
    written = []
    for item in items:
        part = compiled.graph.parts[compiled.graph.index[item.part]]
        value = compiled.parts.settings_of(part, point)[item.parameter]
        if np.ndim(value):
            message = f"Setting {item.part + '.' + item.parameter!r} is a list: give one value to vary it."
            raise ParameterError(message)
        written.append(float(value))
    return tuple(written)


def _items(circuit: Circuit, variation: Variation) -> tuple[tuple[Item, ...], dict[str, Part]]:
    """Return the parameters that the varying quantities change, and their parts by name."""
    items: list[Item] = []
    parts: dict[str, Part] = {}
    for part in circuit.graph.parts:
        if not isinstance(part.model, ClosedForm):
            continue
        for item in _of_part(part):
            sigma = variation.sigma(item.quantity)
            tied = (
                item.quantity == "gap"
                and max(variation.width.wafer, variation.width.die, variation.width.local) > 0
            )
            if tied or max(sigma.wafer, sigma.die, sigma.local) > 0.0:
                items.append(item)
                parts[part.name] = part
    return tuple(items), parts


def _of_part(part: Part) -> list[Item]:
    """Return what the process quantities change in a part."""
    have, kind = part.model.parameters, part.model.name.partition(".")[0]
    found = []
    for quantity, parameter in (
        ("width", "delta_width"),
        ("thickness", "delta_height"),
        ("temperature", "temperature"),
    ):
        if parameter in have:
            found.append(Item(part.name, parameter, quantity, "add"))
    if "gap" in have:
        found.append(Item(part.name, "gap", "gap", "add"))
    elif "coupling" in have and kind != "adiabatic_coupler":
        names = [n for n in ("coupling", "coupling_drop") if n in have]
        found += [Item(part.name, n, "gap", _ANGLE) for n in names]
    elif "beat_length" in have:
        found.append(Item(part.name, "beat_length", "gap", "beat"))
    return found


def _shape(
    circuit: Circuit,
    level: str,
    items: list[Item],
    parts: Mapping[str, Part],
    variation: Variation,
    fields: dict[tuple[str, ...], FloatArray],
) -> FloatArray:
    """Return errors (items, columns) of a quantity with standard deviation 1 for unit normals."""
    if level != "local":
        return np.ones((len(items), 1))
    names = tuple(dict.fromkeys(item.part for item in items))
    if variation.correlation_length is None:
        whole = np.eye(len(names))
    else:
        if names not in fields:
            lines = lines_of(circuit, [parts[name] for name in names], variation.places)
            together = at_one_point([parts[name] for name in names], lines, variation.places)
            if together:
                inner = next(".".join(steps(n)[:2]) for n in names if n.startswith(f"{together[0]}."))
                message = (
                    f"Inner parts of {listing(together, 5)} lie at one point for the local field, so they "
                    f"have the same errors: give places: {{{inner}: [x, y], ...}} in um if they do not."
                )
                warnings.warn(message, PhotosimWarning, stacklevel=2)
            fields[names] = factor(correlation(lines, variation.correlation_length))
        whole = fields[names]
    return whole[[names.index(item.part) for item in items]]


def _settings(circuit: Circuit, variation: Variation, constant: Mapping[str, Any]) -> dict[str, float]:
    """Return the written values of the drawn settings; ParameterError for one that cannot be drawn."""
    bases = {}
    compiled, point = circuit.at(constant)
    for name, distribution in variation.settings.items():
        check_setting(circuit, name, ("width", "thickness", "gap", "temperature"))
        last = name.rpartition(".")[2]
        if last in ("coupling", "coupling_drop"):
            message = f"Couplings are not drawn, as {name!r} is: vary gap and width, and couplings follow."
            raise ParameterError(message)
        if name in constant:
            message = f"Setting {name!r} is drawn and fixed: give it once."
            raise ParameterError(message)
        if name not in compiled.continuous:
            message = f"Setting {name!r} cannot be drawn: it {why_fixed(compiled.graph, name)}."
            raise ParameterError(message)
        bases[name] = float({**compiled.parameters, **point.settings}[name])
        if distribution.distribution == "lognormal" and not (distribution.mean or bases[name]) > 0:
            message = f"A lognormal distribution of {name!r} needs a positive value, got {bases[name]:g}."
            raise ParameterError(message)
    return bases


def _check_reach(draws: Draws) -> None:
    """Raise ParameterError where a distribution leaves the bounds of its setting within six sigmas."""
    ends = np.array([-REACH, REACH])
    for name, distribution in draws.distributions.items():
        values = distribution.at(ends, draws.bases[name])
        try:
            draws.compiled.at({**draws.constant, name: values})
        except ParameterError as error:
            message = (
                f"The distribution of {name!r} reaches {values[0]:.6g} to {values[1]:.6g} and leaves its "
                f"bounds: {error} Use {{distribution: truncated, sigma, low, high}}."
            )
            raise ParameterError(message) from None
    total = np.sqrt((draws.mixing**2).sum(axis=1))
    graph = draws.compiled.graph
    for item, own, sigma in zip(draws.items, draws.written, total, strict=True):
        if item.act == "add" and sigma > 0.0:
            parameter = graph.parts[graph.index[item.part]].model.parameters[item.parameter]
            reach = own + REACH * sigma * np.array([-1.0, 1.0])
            parameter.check(reach, f"the variation of {item.quantity}, instance {item.part!r}")

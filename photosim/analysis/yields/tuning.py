"""Yield after tuning: heaters that bring a chip inside its specification, within a power budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from photosim.analysis.sweeps.points import check_setting
from photosim.analysis.varied import read_varied
from photosim.engine.exclusions import why_fixed
from photosim.errors import ParameterError
from photosim.netlist.forms import NameList, Positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.yields.judging import Judge
    from photosim.circuit import Circuit

    FloatArray = NDArray[np.float64]

FINER = (0, 0, 1, 2)
"""Passes over the heaters: twice over the whole range, for what one heater does depends on the others."""
_LOST = 1e3
"""Spreads of an entry that a value which is not a number falls short by."""


@dataclass(frozen=True)
class Tuning:
    """Heaters that tune a chip.

    heaters: phases by dotted name, in rad.  power_per_pi: electrical power in W for a phase of pi.  budget:
    power in W that all heaters of a chip may take together; without it, 2 pi each.  points: phases that are
    tried for a heater in a pass.
    """

    heaters: NameList
    power_per_pi: Positive = 0.02
    budget: Positive | None = None
    points: Annotated[int, Field(ge=3, le=1000)] = 25


def check_heaters(circuit: Circuit, tuning: Tuning) -> None:
    """Raise ParameterError for a heater that is not a setting of the circuit with a number in rad."""
    for name in tuning.heaters:
        check_setting(circuit, name)
        if name not in circuit.compiled.continuous:
            message = f"Setting {name!r} cannot be tuned: it {why_fixed(circuit.graph, name)}."
            raise ParameterError(message)
        (setting,) = read_varied(circuit, [name])
        if setting.unit not in ("rad", ""):
            message = f"A heater is a phase in rad, but {name!r} is in {setting.unit}."
            raise ParameterError(message)


def tune(judge: Judge, z: FloatArray, tuning: Tuning) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (values (entries, N), phases added (heaters, N) in rad, power (N,) in W) of tuned chips.

    Chips that pass stay cold. Of the others each heater in turn takes the phase of a grid at which the
    entries that fail fall short least, in all and in units of their spreads; of phases that pass the least.
    The sum counts and not the worst entry, which a heater of another line could not better.
    """
    errors, normals = judge.draws.errors(z), judge.draws.setting_normals(z)
    values = judge.at(errors, normals)
    phases = np.zeros((len(tuning.heaters), len(z)))
    scale = _scales(values)
    bad = np.flatnonzero(_short(judge, values, scale) < 0.0)
    written = judge.draws.compiled.parameters
    reach = 2.0 * np.pi
    most = np.inf if tuning.budget is None else tuning.budget / tuning.power_per_pi * np.pi
    span = np.full(len(tuning.heaters), min(reach, most))
    for number in FINER:
        for h in range(len(tuning.heaters)):
            if not len(bad):
                break
            tried = _tried(phases[h, bad], span[h], number, tuning.points)
            others = phases[:, bad].sum(axis=0) - phases[h, bad]
            room = np.maximum(most - others, 0.0)
            tried = np.clip(tried, 0.0, np.minimum(span[h], room)[:, np.newaxis])
            best, found = _best(
                judge, (errors[:, bad], normals[:, bad]), (phases[:, bad], h, tried), tuning, written, scale
            )
            phases[h, bad], values[:, bad] = best, found
    return values, phases, phases.sum(axis=0) / np.pi * tuning.power_per_pi


def _tried(now: FloatArray, span: float, number: int, points: int) -> FloatArray:
    """Return the phases (N, points) that a pass tries: the whole range, then closer about the best."""
    if number == 0:
        return np.broadcast_to(np.linspace(0.0, span, points), (len(now), points)).copy()
    width = span * (2.0 / (points - 1)) ** number
    return np.asarray(now[:, np.newaxis] + np.linspace(-width, width, points))


def _best(
    judge: Judge,
    chips: tuple[FloatArray, FloatArray],
    heat: tuple[FloatArray, int, FloatArray],
    tuning: Tuning,
    written: Mapping[str, Any],
    scale: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the best of the phases tried for a heater, (N,), and the values (entries, N) there."""
    (errors, normals), (phases, h, tried) = chips, heat
    count, points = tried.shape
    kept, best = tried[:, 0].copy(), np.full(count, -np.inf)
    values = np.full((len(judge.entries), count), np.nan)
    for k in range(points):
        now = phases.copy()
        now[h] = tried[:, k]
        extra = {name: written[name] + now[n] for n, name in enumerate(tuning.heaters)}
        found = judge.at(errors, normals, extra)
        short = _short(judge, found, scale)
        # A passing chip gains nothing by more power; phases rise, so the first that passes is the cheapest.
        better = (short > best) & ~(best >= 0.0)
        better |= (short >= 0.0) & (best >= 0.0) & (tried[:, k] < kept)
        kept[better], best[better] = tried[better, k], short[better]
        values[:, better] = found[:, better]
    return kept, values


def _short(judge: Judge, values: FloatArray, scale: FloatArray) -> FloatArray:
    """Return by how much each chip falls short, (N,), from 0 down, in units of the entries' spreads."""
    margins = [e.margin(v) / s for e, v, s in zip(judge.entries, values, scale, strict=True)]
    return np.asarray(np.clip(margins, -_LOST, 0.0).sum(axis=0))


def _scales(values: FloatArray) -> FloatArray:
    spreads = np.array([np.nanstd(v) if np.isfinite(v).any() else 0.0 for v in values])
    return np.where(spreads > 0.0, spreads, 1.0)

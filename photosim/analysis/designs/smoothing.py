"""The yield of a design, smoothed so that it has a slope: on the same chips for every design.

A chip passes by sigmoid(-worst violation/width): of many chips with common random numbers that is a smooth
function of the design, whose slope by the settings is exact where the entries have exact slopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.designs.aims import DARK, Aim, exact, scale_of
from photosim.analysis.yields.judging import Judge
from photosim.analysis.yields.variation import COUPLING_DECAY_PER_UM, Draws, prepare
from photosim.engine.bindings import owner
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.yields.distributions import Variation
    from photosim.engine.compiled import Compiled
    from photosim.engine.parts import Point

    FloatArray = NDArray[np.float64]

SLICE = 512
"""Chips whose slopes are found at once."""
STEP = 1e-5
"""Step in rad by which parts' settings that follow from varied ones are differentiated."""
_DB = 10.0 / np.log(10.0)


@dataclass(frozen=True)
class SmoothYield:
    """Share of chips that pass, smoothed: normals z (N, d) of the chips, and the width of the sigmoid."""

    aim: Aim
    variation: Variation
    z: FloatArray
    width: float

    def __call__(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Return minus the smoothed yield, and its slope by x (n,)."""
        if not all(exact(entry) for entry in self.aim.entries):
            return self._by_differences(x)
        draws = self.draws(x)
        total, slope = 0.0, np.zeros(len(x))
        for first in range(0, len(self.z), SLICE):
            value, own = self._slice(draws, x, self.z[first : first + SLICE])
            total, slope = total + value, slope + own
        return -total / len(self.z), -slope / len(self.z)

    def draws(self, x: FloatArray) -> Draws:
        """Return the variation about a design."""
        return prepare(self.aim.circuit, self.variation, {**self.aim.constant, **self.aim.space.settings(x)})

    def worst(self, x: FloatArray) -> FloatArray:
        """Return the worst violation of every chip, (N,)."""
        aim = self.aim
        values = Judge(self.draws(x), aim.entries, aim.wl, aim.near, aim.channels).values(self.z)
        found = [-e.margin(v) / scale_of(e) for e, v in zip(aim.entries, values, strict=True)]
        return np.asarray(np.max(found, axis=0))

    def _by_differences(self, x: FloatArray) -> tuple[float, FloatArray]:
        def smoothed(at: FloatArray) -> float:
            return float(_passed(self.worst(at), self.width).mean())

        step = 1e-3
        slope = [(smoothed(x + step * e) - smoothed(x - step * e)) / (2.0 * step) for e in np.eye(len(x))]
        return -smoothed(x), -np.array(slope)

    def _slice(self, draws: Draws, x: FloatArray, z: FloatArray) -> tuple[float, FloatArray]:
        """Return the sum of smoothed passes of some chips, and its slope by x."""
        aim, compiled = self.aim, draws.compiled
        errors, normals = draws.errors(z), draws.setting_normals(z)
        point = draws.point(errors, normals)
        if not point.leading:
            message = "Nothing of what varies reaches a part of the circuit: its settings are not used."
            raise ParameterError(message)
        starts, ends = aim.pairs
        waves = compiled.waves(ends, starts, point, aim.wl)
        worst, cotangent = self._worst(waves)
        passed = _passed(worst, self.width)
        weight = -passed * (1.0 - passed) / self.width
        follow = self._following(compiled, draws, x)
        chosen = [k for k, row in enumerate(follow) if row.any()]
        by_item = [f"{draws.items[k].part}.{draws.items[k].parameter}" for k in chosen]
        names = list(dict.fromkeys([*aim.space.names, *by_item]))
        plan = compiled.wave_plan(ends, starts, keep=True)
        target = compiled.target(names, point, len(aim.wl), summed=True)
        cotangent *= weight[:, np.newaxis, np.newaxis, np.newaxis]
        found = compiled.pull_back_sums(plan, target, point, aim.wl, cotangent)
        by = {name: np.broadcast_to(v, (len(z),)) for name, v in found.items()}
        slope = np.array([by[name].sum() for name in aim.space.names])
        for k, name in zip(chosen, by_item, strict=True):
            # A setting that is a part's own has its slope by the chips' values already, with a gain of 1.
            gain = _gain(draws, k, errors[k]) - (1.0 if name in aim.space.names else 0.0)
            slope += (by[name] * gain).sum() * follow[k]
        return float(passed.sum()), slope * aim.space.slopes(x)

    def _worst(self, waves: NDArray[np.complex128]) -> tuple[FloatArray, NDArray[np.complex128]]:
        """Return the worst violation of each chip, and its derivative by the waves (N, W, ends, starts)."""
        starts, ends = self.aim.pairs
        count = len(waves)
        best = np.full(count, -np.inf)
        cotangent = np.zeros(waves.shape, dtype=np.complex128)
        chip = np.arange(count)
        for entry in self.aim.entries:
            own = waves[:, self.aim.inside(entry), ends.index(entry.end), starts.index(entry.start)]
            level = _DB * np.log(np.maximum(np.abs(own) ** 2, DARK))
            top, bottom = level.argmax(axis=1), level.argmin(axis=1)
            low, high = entry.limits
            scale = scale_of(entry)
            if entry.quantity == "ripple_dB":
                terms = [(top, 1.0), (bottom, -1.0)]
                v = (level[chip, top] - level[chip, bottom] - high) / scale
            elif np.isfinite(low):
                terms, v = [(bottom, -1.0)], (low - level[chip, bottom]) / scale
            else:
                terms, v = [(top, 1.0)], (level[chip, top] - high) / scale
            worse = v > best
            best = np.where(worse, v, best)
            cotangent[worse] = 0.0
            for place, sign in terms:
                at = self.aim.inside(entry)[place]
                wave = own[chip, place]
                slope = sign / scale * _DB * 2.0 * wave / np.maximum(np.abs(wave) ** 2, DARK)
                ends_at, starts_at = ends.index(entry.end), starts.index(entry.start)
                cotangent[chip[worse], at[worse], ends_at, starts_at] += slope[worse]
        return best, cotangent

    def _following(self, compiled: Compiled, draws: Draws, x: FloatArray) -> FloatArray:
        """Return derivatives (items, n) of the parts' own settings by the varied ones."""
        space, items = self.aim.space, draws.items
        out = np.zeros((len(items), len(x)))
        own = {f"{item.part}.{item.parameter}": row for row, item in enumerate(items)}
        values = space.values(x)
        for n, name in enumerate(space.names):
            if name in own:
                out[own[name], n] = 1.0
            if compiled.graph.index.get(owner(name)[0]) is not None:
                continue  # a part's own setting: no other follows from it
            size = STEP * max(abs(float(space.slopes(x)[n])), 1e-12)
            above, below = (
                compiled.point({**self.aim.constant, **_named(space.names, values, n, sign * size)})
                for sign in (1.0, -1.0)
            )
            for row, item in enumerate(items):
                if f"{item.part}.{item.parameter}" not in space.names:
                    out[row, n] = (_own(above, compiled, item) - _own(below, compiled, item)) / (2.0 * size)
        return out


def _named(names: tuple[str, ...], values: FloatArray, n: int, step: float) -> dict[str, Any]:
    found: Mapping[str, float] = dict(zip(names, values.tolist(), strict=True))
    return {**found, names[n]: found[names[n]] + step}


def _own(point: Point, compiled: Compiled, item: Any) -> float:
    part = compiled.graph.parts[compiled.graph.index[item.part]]
    return float(compiled.parts.settings_of(part, point)[item.parameter])


def _gain(draws: Draws, k: int, error: FloatArray) -> FloatArray:
    """Return the derivative of a chip's setting by the nominal one, (N,)."""
    if draws.items[k].act == "add":
        return np.ones_like(error)
    if draws.items[k].act == "beat":
        return np.asarray(np.exp(COUPLING_DECAY_PER_UM * error))
    share = np.exp(-COUPLING_DECAY_PER_UM * error)
    angle = np.arcsin(np.sqrt(draws.written[k]))
    return np.asarray(np.sin(2.0 * angle * share) * share / max(float(np.sin(2.0 * angle)), 1e-9))


def _passed(worst: FloatArray, width: float) -> FloatArray:
    from scipy.special import expit

    return np.asarray(expit(-worst / width))

"""Values of a specification for many chips, judged slice by slice while their spectra are in cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.yields.specification import Entry, judge, pairs_of
from photosim.engine.batches import solve_slices
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.yields.variation import Draws

    FloatArray = NDArray[np.float64]

STEP = 0.02
"""Step of differences, in standard deviations."""
_FIRST = 1e-3
"""The same for the line that a window follows: it stays in the window of the nominal chip."""


@dataclass(frozen=True)
class Judge:
    """What a specification says of chips, given by errors and normals.

    wl: rising wavelengths (W,) in um, of the nominal chip where the window follows a line.  near: where the
    line that counts lies, in um.  slope: derivative of its wavelength by the errors and the settings'
    normals; None for a window that stays.  heat: the same by the phases of heaters, in um/rad.
    """

    draws: Draws
    entries: tuple[Entry, ...]
    wl: FloatArray
    near: float
    channels: tuple[float, ...] = ()
    slope: FloatArray | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    heat: Mapping[str, float] = field(default_factory=dict)

    def values(self, z: FloatArray, extra: Mapping[str, Any] | None = None) -> FloatArray:
        """Return the value (entries, N) of every entry for normals z (N, d)."""
        return self.at(self.draws.errors(z), self.draws.setting_normals(z), extra)

    def at(
        self, errors: FloatArray, normals: FloatArray, extra: Mapping[str, Any] | None = None
    ) -> FloatArray:
        """Return the values (entries, N) for errors (items, N) and settings' normals (sources, N)."""
        count = errors.shape[1] if len(errors) else normals.shape[1]
        point = self.draws.point(errors, normals, {**self.extra, **(extra or {})})
        if not point.leading:
            message = "Nothing of what varies reaches a part of the circuit: its settings are not used."
            raise ParameterError(message)
        starts, ends = pairs_of(self.entries)
        shift = self.shift(errors, normals, extra or {})
        wl = self.wl if shift is None else self.wl + shift[:, np.newaxis]
        near = np.array([self.near]) if shift is None else self.near + shift
        out = np.empty((len(self.entries), count))
        places = {(a, b): o * len(starts) + i for o, b in enumerate(ends) for i, a in enumerate(starts)}

        def take(first: int, last: int, s: NDArray[np.complex128]) -> None:
            grid = wl[np.newaxis] if shift is None else wl[first:last]
            centre = near if shift is None else near[first:last]
            out[:, first:last] = judge(self.entries, places, grid, s, centre, self.channels)

        compiled = self.draws.compiled
        planned = compiled.wave_plan(ends, starts)
        solve_slices(compiled, planned, point, wl, len(places), take)
        return out

    def shift(
        self, errors: FloatArray, normals: FloatArray, extra: Mapping[str, Any] | None = None
    ) -> FloatArray | None:
        """Return how far the line that the window follows moves, to first order, (N,) in um."""
        if self.slope is None:
            return None
        whole = np.concatenate([errors, normals])
        out = np.zeros(whole.shape[1])
        for weight, row in zip(self.slope, whole, strict=True):  # one after the other: the same bits anywhere
            out += weight * row
        for name, slope in self.heat.items():
            if extra and name in extra:
                out += slope * (extra[name] - self.draws.compiled.parameters[name])
        return out

    def nominal(self) -> FloatArray:
        """Return the value (entries,) of every entry for the nominal chip."""
        return self.at(np.zeros((len(self.draws.items), 1)), np.zeros((len(self.draws.drawn), 1)))[:, 0]

    def gradient(self, step: float = STEP) -> FloatArray:
        """Return derivatives (entries, items + settings) at the nominal chip, by differences of fourth order.

        By errors in their own unit, and by the normals of settings.
        """
        sigma = np.concatenate([np.sqrt((self.draws.mixing**2).sum(axis=1)), np.ones(len(self.draws.drawn))])
        live = np.flatnonzero(sigma > 0.0)
        steps = np.array([-2.0, -1.0, 1.0, 2.0]) * step
        whole = np.zeros((len(sigma), len(live) * 4))
        for k, number in enumerate(live.tolist()):
            whole[number, 4 * k : 4 * k + 4] = steps * sigma[number]
        items = len(self.draws.items)
        values = self.at(whole[:items], whole[items:]).reshape(len(self.entries), len(live), 4)
        slopes = (values[..., 0] - 8 * values[..., 1] + 8 * values[..., 2] - values[..., 3]) / (12.0 * step)
        out = np.zeros((len(self.entries), len(sigma)))
        out[:, live] = slopes / sigma[live]
        return out

    def following(self, pair: tuple[str, str], heaters: Sequence[str] = ()) -> Judge:
        """Return the same with a window that follows the line of a pair (from, to) next to `near`.

        It moves with the phases of heaters as well.
        """
        line = replace(self, entries=(Entry("resonance", *pair),), slope=None)
        at = float(line.nominal()[0])
        if not np.isfinite(at):
            message = (
                f"The nominal chip has no line from {pair[0]} to {pair[1]} that a window could follow "
                f"between {self.wl[0]:g} and {self.wl[-1]:g} um."
            )
            raise ParameterError(message)
        line = replace(line, near=at)
        slope = line.gradient(_FIRST)[0]
        heat = {name: line.by_heater(name) for name in heaters}
        if not np.isfinite([*slope, *heat.values()]).all():
            message = (
                f"The line from {pair[0]} to {pair[1]} leaves the sweep at its ends: centre the sweep on it."
            )
            raise ParameterError(message)
        return replace(self, near=at, slope=slope, heat=heat)

    def by_heater(self, name: str) -> float:
        """Return the derivative of the first entry by the phase of a heater, by differences."""
        steps = np.array([-1.0, 1.0]) * _FIRST
        none = np.zeros((len(self.draws.items), 2)), np.zeros((len(self.draws.drawn), 2))
        values = self.at(*none, {name: self.draws.compiled.parameters[name] + steps})[0]
        return float(values[1] - values[0]) / (2.0 * _FIRST)


def line_pair(entries: Sequence[Entry]) -> tuple[str, str]:
    """Return the ports of the first entry that is read off a line; ParameterError where there is none."""
    for entry in entries:
        if entry.of_line:
            return entry.start, entry.end
    message = "A window can follow a line only, but the specification has no entry that is read off one."
    raise ParameterError(message)

"""Light with feedback through electronics: solved together with it, at once; then held against exact light.

The loop is stepped with light that follows its settings at once, implicitly, so that no delay is added. The
light is then carried exactly under the settings that were found. What its currents are beyond those of the
loop (noise, photon lifetimes, delays) goes back into the loop, until both agree.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.electronics import linear, refuse_rest
from photosim.engine.looping import Loop, loop_of, unstable
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.model import Electronic, Network, Nonlinear, Source
from photosim.model.elements import RANGE
from photosim.timedomain import light

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.engine.following import Equations
    from photosim.timedomain.nets import Nets

    FloatArray = NDArray[np.float64]

AT_ONCE = 0.1
"""Part of a step below which light is late enough to follow at once."""
SLOWEST = 1.0 / 20.0
"""Part of the loop's time constant up to which light may be late."""
AGREED, APART = 1e-6, 1e-3
"""Difference of the currents of loop and light, over the largest, that is none, and that is corrected."""
BENT = 0.9
"""Part of a controller's range beyond which its output is not linear."""
_TURNS, _LOOKS = 40, 64


class Feedback:
    """A control loop in a run: solved by `solve`, held against the light by `compare`."""

    def __init__(self, nets: Nets) -> None:
        from photosim.timedomain.nets import OVER

        self.nets, self.over = nets, OVER
        drives, line = nets.drives, nets.line
        self.line, self.drives = line, drives
        lit = any(isinstance(part.model, Source) for part in drives.compiled.graph.parts)
        carriers = light.choose_carriers(drives, None, line.sample_rate, {}) if lit else np.zeros(0)
        self.moving = [
            f"{part.name}.{name}"
            for part in drives.driven()
            if not isinstance(part.model, Source | Network | Electronic | Nonlinear)
            for name, value in drives.settings(part).items()
            if np.ndim(value)
        ]
        self.loop: Loop = loop_of(
            drives.compiled.electrics, nets.settings_of, drives.compiled, drives.base,
            OVER * line.sample_rate, moving=self.moving, carriers=carriers.tolist(),
        )  # fmt: skip
        self._clocks: dict[int, tuple[FloatArray, FloatArray]] = {}
        self.loop.own = self._own
        self.corrections: Mapping[str, FloatArray] = {}
        self.model: dict[str, FloatArray] = {}
        self.apart, self.lifetime, self.late = 0.0, 0.0, False
        self.left: dict[str, FloatArray] = {}

    @property
    def equations(self) -> Equations:
        """The equations of all nets."""
        return self.loop.equations

    def _own(self, finer: int) -> tuple[FloatArray, FloatArray]:
        """Return settings of their own (K + 1, q) and amplitudes (K + 1, A) on a clock of the loop."""
        from photosim.timedomain.nets import upsampled

        if finer not in self._clocks:
            drives, line, fine = self.drives, self.line, self.over * finer
            count = (line.total - 1) * fine + 1

            def clocked(values: Any) -> FloatArray:
                return upsampled(np.asarray(values, dtype=np.float64), fine)

            graph = drives.compiled.graph
            rows = []
            for name in self.moving:
                instance, _, setting = name.rpartition(".")
                rows.append(clocked(drives.settings(graph.part(instance))[setting]))
            beams = [beam for beam in self.loop.optics.beams if beam.moves]
            scales = [
                np.sqrt(np.maximum(clocked(drives.settings(graph.part(beam.source))["power"]), 0.0))
                for beam in beams
            ]
            self._clocks[finer] = tuple(  # type: ignore[assignment]
                np.ascontiguousarray(np.array(own).T) if own else np.zeros((count, 0))
                for own in (rows, scales)
            )
        return self._clocks[finer]

    def solve(self, corrections: Mapping[str, FloatArray]) -> FloatArray:
        """Return the unknowns (n + 1, ...) of electronics and light, as `Nets.solved` does."""
        nets, loop = self.nets, self.loop
        self.corrections = corrections
        held = nets.inputs(self.equations, corrections)(1)[0]
        start = loop.rest(held)
        if start is None:
            raise refuse_rest(loop.words)
        growing = loop.about(start).growing()
        text = "" if growing is None else unstable(loop.words, *growing)
        try:
            fine = nets.solved(self.equations, corrections, loop, start)
        except ParameterError as error:
            if not text:
                raise
            message = (
                f"{text} Time steps cannot follow an oscillation that grows from zero; lower the gain of "
                "the loop."
            )
            raise ParameterError(message) from error
        if text:
            warnings.warn(
                f"{text} The simulation starts from this unstable state; lower the gain of the loop.",
                PhotosimWarning,
                stacklevel=8,
            )
        self._note(start, fine)
        return fine

    def _note(self, start: FloatArray, fine: FloatArray) -> None:
        """Keep the currents of the loop, look at how late its light is, and say so."""
        from photosim.kernels.networks import photocurrents_over

        loop, nets = self.loop, self.nets
        at = np.ascontiguousarray(fine[:-1, :: self.over].T)
        driven = np.ascontiguousarray(loop.settings(fine[:, :: self.over]).T)
        rate = self.line.sample_rate
        found = np.zeros((len(at), len(loop.optics.detectors)))
        photocurrents_over(driven, loop.arrays(1), 1 / rate, self.over, found)
        for k, part in enumerate(loop.optics.detectors):
            behind = loop.sensed.get(part.name)
            self.model[part.name] = found[:, k] if behind is None else at[:, behind]
        looks = np.unique(np.linspace(0, len(at) - 1, _LOOKS).astype(int))
        own = self._own(1)[0][looks * self.over]
        values = np.concatenate([driven[looks], own], axis=1)
        self.lifetime = loop.optics.lifetime(np.ascontiguousarray(values))
        unity = loop.about(start).unity()
        if unity == 0.0:  # where it starts nothing comes back, as in the dark
            unity = linear(self.equations.system, loop, at[-1], 1, (len(at) - 1) * self.over).unity()
        step = 1 / (rate * nets.steps)
        self.late = self.lifetime > AT_ONCE * step
        if self.late and unity > 0.0 and self.lifetime > SLOWEST / (2 * np.pi * unity):
            message = (
                f"The light of the control loop of {loop.words} is late by "
                f"{self.lifetime:.3g} s, more than 1/20 of the loop's time constant of "
                f"{1 / (2 * np.pi * unity):.3g} s (its gain is 1 at {unity:.3g} Hz): lower the gain, or "
                "shorten the path of the light."
            )
            raise ParameterError(message)
        error = max(table.error for table in loop.optics.tables)
        how = "corrected by exact light" if self.late else "followed at once"
        nets.notes.append(
            f"control loop of {loop.words}: gain 1 at {unity:.4g} Hz; its light is late by "
            f"{self.lifetime:.2g} s and {how}, a step is {step:.2g} s; tables of driven "
            f"parts err by {error:.2g}{self._ends(start, fine[:-1, -1])}"
        )

    def _ends(self, start: FloatArray, end: FloatArray) -> str:
        """Return words for the controllers whose output stands at an end of its range."""
        system, found = self.equations.system, []
        limited = [one for one in system.placed if one.element.kind == "limited"]
        for text, x in (("before time 0", start), ("at the end", end)):
            padded = np.append(x, 0.0)
            share = padded[system.limited[0][:, 2]] - padded[system.limited[0][:, 3]]
            share = np.abs(share * system.limited[1][:, 0] / system.limited[1][:, 1])
            names = [
                one.part
                for one, y in zip(limited, share, strict=True)
                if one.element.name == RANGE and y > BENT
            ]
            if names:
                found.append(f"{listing([repr(name) for name in names])} {text}")
        return f"; at an end of its output's range: {', '.join(found)}" if found else ""

    def compare(self, currents: Mapping[str, FloatArray]) -> None:
        """Hold the loop's currents against those of the exact light, (T,) each in A."""
        total, worst, largest = self.line.total, 0.0, 1e-300
        inside = self.line.kept
        for name, model in self.model.items():
            own = np.asarray(currents[name])
            own = np.concatenate([np.full(total - own.size, own[0]), own]) if own.size < total else own
            left = own[own.size - total :] - model
            before = self.corrections.get(name)
            self.left[name] = left
            worst = max(worst, float(np.abs(left - (0.0 if before is None else before))[inside].max()))
            largest = max(largest, float(np.abs(model).max()))
        self.apart = worst / largest


def consistent(
    carried: Callable[[Mapping[str, FloatArray]], tuple[xarray.Dataset, Nets]], *, noisy: bool
) -> xarray.Dataset:
    """Return a run in which control loops and light agree; runs without loops are carried once.

    carried: a run under corrections of the loop's currents. Raises ParameterError where they do not agree.
    """
    found, nets = carried({})
    loop = nets.feedback
    if loop is None or not (loop.late or noisy or loop.apart > APART):
        if loop is not None:
            found.attrs["electronics"] += (
                f"; exact light gives currents {loop.apart:.2g} of the largest apart"
            )
        return found
    before, best = np.inf, np.inf
    for turn in range(1, _TURNS + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)  # said in the first run
            found, nets = carried(loop.left)
        loop = nets.feedback
        assert loop is not None  # noqa: S101 - it is the same circuit
        best = min(best, loop.apart)
        if loop.apart <= AGREED or (loop.apart <= APART and loop.apart > 0.5 * before):
            found.attrs["electronics"] += (
                f"; exact light and loop agree to {loop.apart:.2g} of the largest current after {turn} "
                "corrections"
            )
            return found
        if turn > 12 and loop.apart > 10.0 * best:
            break
        before = loop.apart
    message = (
        f"The control loop of {loop.loop.words} does not converge: its currents without and with the delay "
        f"of the light, {loop.lifetime:.3g} s, differ by {loop.apart:.2g} of the largest one. Lower the "
        "gain of the loop, or take a higher sample rate."
    )
    raise ParameterError(message)

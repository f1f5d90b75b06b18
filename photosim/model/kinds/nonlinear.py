"""Nonlinear parts: step by step they turn the waves that arrive into those that leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.model.kinds.base import Model
from photosim.model.steady import NUMPY, slopes_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Step = Callable[..., None]
"""step(state, before, now, out, constants, carriers, noise, dt): see `photosim.model.nonlinear`."""


@dataclass(frozen=True)
class Memory:
    """What a nonlinear part remembers from one sample to the next, and what chance gives it.

    `states` numbers are kept for the part, `carrier_states` for each carrier,
    in this order in one array. `noises` and `carrier_noises` count the
    standard normal numbers of each step alike. With `parts` a step takes the
    `noises` at so many instants within it, one set after the other: those of
    noise that is white up to half the sample rate, with nothing beyond.
    `settled(constants, light, carriers)` are all stable states (K, S) under
    steady light (ports, carriers), first the one reached from the dark,
    where those are known without time. `modulation(constants, grid)` is how
    light of its own leaves the part with no light into it: its frequency in
    Hz, its wave in sqrt(W), and what a unit of the setting that `drives`
    names, moved at frequencies (F,) in Hz above 0, adds above and below it,
    (F,) each.
    """

    states: tuple[str, ...] = ()
    carrier_states: tuple[str, ...] = ()
    noises: int = 0
    carrier_noises: int = 0
    parts: int = 1
    settled: Callable[..., Any] | None = None
    modulation: Callable[..., Any] | None = None

    def size(self, carriers: int) -> int:
        """Return the length of the array of states."""
        return len(self.states) + len(self.carrier_states) * carriers

    def noise_size(self, carriers: int) -> int:
        """Return how many normal numbers a step takes."""
        return self.noises * self.parts + self.carrier_noises * carriers


@dataclass(frozen=True, eq=False)
class Nonlinear(Model):
    """A part without an S-matrix: it cuts the circuit into linear islands and needs the time domain.

    Its function turns the settings into the constants of its step. `paths`
    are the (from, to) ports that light takes through it, `emits` the ports
    that send out light of its own. `linear` is what it does to faint light,
    `steady` the factor on all paths for light that stays as it is.
    """

    step: Step = lambda *_: None
    paths: tuple[tuple[str, str], ...] = ()
    emits: tuple[str, ...] = ()
    memory: Memory = Memory()
    start: Callable[..., Any] | None = None
    line: Callable[..., float] | None = None
    linear: Callable[..., Mapping[tuple[str, str], Any]] | None = None
    steady: Callable[..., Any] | None = None

    kind = "nonlinear"

    def constants(self, settings: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return the constants of the step, shape (C, 1), or (C, T) where a setting is an array over time."""
        found = self.function(**self.full(settings))
        wide = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in found))
        return np.ascontiguousarray(np.array(wide))

    def start_state(self, constants: NDArray[np.float64], carriers: int) -> NDArray[np.float64]:
        """Return the states at rest, shape (S,), in the dark and for constants (C,)."""
        state = np.zeros(self.memory.size(carriers))
        if self.start is not None:
            known = np.asarray(self.start(*constants), dtype=np.float64)
            state[: known.size] = known
        return state

    def wavelength(self, settings: Mapping[str, Any]) -> float | None:
        """Return the wavelength in um of the part's own light, None where it has none."""
        return None if self.line is None else float(self.line(**self.full(settings)))

    def factor(self, power: Any, settings: Mapping[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
        """Return what steady light is multiplied by on every path, its derivative by power, and by settings.

        power: in W, of all light that arrives at the ports where paths begin; settings: all of them, numbers
        or arrays that broadcast with it.  Only for parts with `steady`.
        """
        if self.steady is None:
            raise AssertionError  # those that call look first
        names = tuple(settings)
        by_power, *slopes = slopes_of(self.steady, names)(power, *settings.values())
        return self.steady(NUMPY, power, **settings), by_power, dict(zip(names, slopes, strict=True))

"""Elements simulated step by step by the stepping kernel: one alone, or a loop with its feedback."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.timedomain.content import moves
from photosim.timedomain.pacing import Pace
from photosim.timedomain.rational import Fit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element

    ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class Stepped:
    """An element ready to be stepped: function, constants (C, 1) or (C, T), states at rest, noises a step.

    parts: instants within a step for which the noises are drawn.  settled: its states under steady light.
    """

    element: Element
    step: Callable[..., None]
    constants: NDArray[np.float64]
    start: NDArray[np.float64]
    state_names: tuple[str, ...] = ()
    noises: int = 0
    parts: int = 1
    settled: Callable[..., Any] | None = None


@dataclass(frozen=True)
class Path:
    """What is fed back: from a departure to an arrival, both waves, for one carrier.

    off: errors of the fit (W,) at the bins of an FFT.
    """

    to: int
    source: int
    carrier: int
    fit: Fit
    off: NDArray[np.float64]


@dataclass(frozen=True)
class Clock:
    """Sampling: number of samples, sample rate in Hz, carriers in Hz, seed of noise (None: none)."""

    samples: int
    sample_rate: float
    carriers: NDArray[np.float64]
    seed: int | None


def generator(seed: int, name: str) -> np.random.Generator:
    """Return the random numbers of one part: those of a seed and a name, whatever else there is."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def gates(matrix: ComplexArray) -> NDArray[np.float64]:
    """Return the constants of the kernel `gate` from matrices (C, T, outs, ins): (2 C outs ins, T)."""
    rows = np.moveaxis(matrix, 1, -1).reshape(-1, matrix.shape[1])
    return np.ascontiguousarray(np.stack([rows.real, rows.imag], axis=1).reshape(-1, matrix.shape[1]))


@dataclass(frozen=True)
class Begin:
    """How a stretch begins: states (S,), memory of fits (K,), waves that left before (P, outs, carriers)."""

    state: NDArray[np.float64]
    memory: ComplexArray
    past: ComplexArray


class Stepper:
    """A group of elements ready to be stepped over stretches of time."""

    def __init__(self, parts: Sequence[Stepped], paths: Sequence[Path], clock: Clock) -> None:
        self.parts = _in_order(parts, paths)
        self.clock = clock
        self.pace = Pace(", ".join(part.element.name for part in self.parts))
        self.ins = [wave for part in self.parts for wave in part.element.arrivals]
        self.outs = [wave for part in self.parts for wave in part.element.departures]
        functions = list(dict.fromkeys(part.step for part in self.parts))
        self._functions = tuple(compiled(f) for f in functions)
        self._layout, self._feedback = _layout(self.parts, paths, functions)
        self.longest = max((path.fit.delay for path in paths), default=0)
        self._paths = paths

    def shortened(self, most: int) -> Stepper:
        """Return the group with delays of at most so many samples: its steady states are the same."""
        paths = [replace(p, fit=replace(p.fit, delay=min(p.fit.delay, most))) for p in self._paths]
        return self if self.longest <= most else Stepper(self.parts, paths, self.clock)

    def lasting(self, begin: Begin) -> Begin:
        """Return a begin whose last waves had been the same for as long as any delay is."""
        return replace(begin, past=np.repeat(begin.past[-1:], max(2 * self.longest, 1), axis=0))

    def rest(self) -> Begin:
        """Return how a run begins in the dark: parts at rest, no light before."""
        past = np.zeros((max(2 * self.longest, 1), len(self.outs), len(self.clock.carriers)), dtype=complex)
        state = np.concatenate([np.zeros(0), *(part.start for part in self.parts)])
        return Begin(state, np.zeros(self._feedback[1].size, dtype=complex), past)

    def advance(
        self,
        begin: Begin,
        incoming: ComplexArray,
        constants: Any,
        noise: NDArray[np.float64],
        *,
        record: bool,
        known: int = 0,
    ) -> tuple[ComplexArray, NDArray[np.float64], Begin]:
        """Return the waves that leave (T, outs, carriers), states (T, S) or (0, S), and how to go on.

        incoming: what arrives from elsewhere (T, ins, carriers), changed in place.  known: samples in front
        that are over and stay 0.
        """
        from photosim.kernels.stepping import advance

        samples = len(incoming)
        state, memory = begin.state.copy(), begin.memory.copy()
        outgoing = np.zeros((samples, len(self.outs), len(self.clock.carriers)), dtype=np.complex128)
        kept = np.zeros((samples if record and state.size else 0, state.size))
        with warnings.catch_warnings():
            # numba calls functions as values experimental; the tests hold what is used of them here.
            warnings.simplefilter("ignore", _experimental())
            dt = 1 / self.clock.sample_rate
            for first, last in self.pace.stretches(samples - known):
                advance(
                    self._functions, self._layout, state, constants, (*self._feedback, memory, begin.past),
                    (incoming, outgoing, kept, noise), self.clock.carriers, (dt, first + known, last + known),
                )  # fmt: skip
        if not np.isfinite(outgoing[-1]).all() or not np.isfinite(state).all():
            message = f"The time steps of {self.pace.names} do not stay finite: take a higher sample rate."
            raise ParameterError(message)
        past = np.concatenate([begin.past, outgoing])[-len(begin.past) :]
        return outgoing, kept, Begin(state, memory, np.ascontiguousarray(past))

    def arriving(self, waves: Mapping[int, ComplexArray], samples: slice) -> ComplexArray:
        """Return what arrives from elsewhere at some of the samples, (T, ins, carriers)."""
        count = len(range(*samples.indices(self.clock.samples)))
        incoming = np.zeros((count, len(self.ins), len(self.clock.carriers)), dtype=np.complex128)
        for k, wave in enumerate(self.ins):
            if wave in waves:
                values = waves[wave]
                incoming[:, k] = (values if values.shape[1] == 1 else values[:, samples]).T
        return incoming

    def held(self, begin: Begin) -> Begin:
        """Return a begin whose last waves had been the same for ever."""
        entries, poles = self._feedback[0], self._feedback[1]
        past = np.repeat(begin.past[-1:], len(begin.past), axis=0)
        memory = np.zeros(poles.size, dtype=complex)
        for _, source, carrier, _, first, count in entries:
            own = slice(first, first + count)
            memory[own] = past[-1, source, carrier] / (1 - poles[own])
        return Begin(begin.state, memory, past)

    def turned(
        self, tones: Sequence[ComplexArray], turns: Sequence[NDArray[np.float64]]
    ) -> tuple[Begin, list[ComplexArray]]:
        """Return how a linear group begins in which tones have arrived for ever, and the tones that leave it.

        tones: for each carrier (ins, K).  turns: of each tone in a sample, (K,).  What leaves is (outs, K).
        """
        begin = self.rest()
        entries, poles = self._feedback[0], self._feedback[1]
        at = np.arange(-len(begin.past), 0)[:, np.newaxis]
        memory, past = begin.memory.copy(), begin.past.copy()
        left: list[ComplexArray] = []
        for c, (own, turn) in enumerate(zip(tones, turns, strict=True)):
            z = np.exp(-2j * np.pi * turn)
            shape = (turn.size, len(self.ins), len(self.outs))
            back, gate = np.zeros(shape, complex), np.zeros((len(self.outs), len(self.ins)), complex)
            for path in (path for path in self._paths if path.carrier == c):
                back[:, self.ins.index(path.to), self.outs.index(path.source)] += path.fit.at(z)
            row = column = 0
            for part in self.parts:
                outs, ins = len(part.element.departures), len(part.element.arrivals)
                values = part.constants[:, 0].reshape(-1, outs, ins, 2)[c]
                gate[row : row + outs, column : column + ins] = values[..., 0] + 1j * values[..., 1]
                row, column = row + outs, column + ins
            out = np.linalg.solve(np.eye(len(self.outs)) - gate @ back, (gate @ own).T[..., np.newaxis])
            left.append(np.asarray(out[..., 0].T, dtype=np.complex128))
            past[:, :, c] = np.exp(-2j * np.pi * ((turn * at) % 1.0)) @ left[-1].T
            for _, source, carrier, delay, first, count in entries:
                if carrier == c:
                    sent = left[-1][source] * z**-delay
                    memory[first : first + count] = (
                        sent / (z - poles[first : first + count, np.newaxis])
                    ).sum(axis=1)
        return Begin(begin.state, memory, past), left

    def first_constants(self) -> Any:
        """Return the constants of the kernel, held at the first sample."""
        fixed, column, _ = _constants(self.parts)
        return fixed, np.full_like(column, -1), np.zeros((1, 0))

    def constants(self) -> Any:
        """Return the constants of the kernel at every sample."""
        return _constants(self.parts)

    def run(
        self, incoming: ComplexArray, begin: Begin
    ) -> tuple[ComplexArray, dict[str, NDArray[np.float64]]]:
        """Return the waves that leave all parts (T, outs, carriers), and states, "name.state" to (T,).

        incoming: what arrives from elsewhere (T, ins, carriers); afterwards all that has arrived.
        """
        noise = _noise(self.parts, self.clock)
        outgoing, record, _ = self.advance(begin, incoming, self.constants(), noise, record=True)
        names = [f"{part.element.name}.{name}" for part in self.parts for name in part.state_names]
        return outgoing, {name: record[:, k] for k, name in enumerate(names)}


@cache
def compiled(step: Callable[..., None]) -> Callable[..., None]:
    """Return a step compiled to the kernel's type, and kept between sessions where it is our own."""
    import numba

    from photosim.caching import guard_kernel, writable_folder
    from photosim.kernels.stepping import SIGNATURE

    own = (step.__module__ or "").startswith("photosim.")
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = before or str(writable_folder())
    try:
        # The signature is compiled once the cache's files are guarded, not by the decorator.
        kernel = numba.njit(cache=own, error_model="numpy", nogil=True)(step)
        guard_kernel(kernel)
        kernel.compile(SIGNATURE)
        kernel.disable_compile()
        return kernel
    finally:
        config.CACHE_DIR = before


def _experimental() -> type[Warning]:
    from numba.core.errors import NumbaExperimentalFeatureWarning

    return NumbaExperimentalFeatureWarning


def _in_order(parts: Sequence[Stepped], paths: Sequence[Path]) -> list[Stepped]:
    """Return parts so that what lights another without delay comes first; there is no such circle."""
    from graphlib import TopologicalSorter

    owner_in = {wave: k for k, part in enumerate(parts) for wave in part.element.arrivals}
    owner_out = {wave: k for k, part in enumerate(parts) for wave in part.element.departures}
    waits: dict[int, set[int]] = {k: set() for k in range(len(parts))}
    for path in paths:
        if path.fit.delay == 0:
            waits[owner_in[path.to]].add(owner_out[path.source])
    return [parts[k] for k in TopologicalSorter(waits).static_order()]


def _layout(
    parts: Sequence[Stepped], paths: Sequence[Path], functions: Sequence[Any]
) -> tuple[NDArray[np.int64], tuple[Any, ...]]:
    """Return the tables of the kernel: where each part has its numbers, and the entries that it is fed."""
    layout = np.zeros((len(parts), 13), dtype=np.int64)
    entries: list[tuple[int, ...]] = []
    fits: list[Fit] = []
    state = constant = first_in = first_out = noise = pole = 0
    place = {wave: k for k, wave in enumerate(w for part in parts for w in part.element.arrivals)}
    place_out = {wave: k for k, wave in enumerate(w for part in parts for w in part.element.departures)}
    for k, part in enumerate(parts):
        ins, outs = len(part.element.arrivals), len(part.element.departures)
        own = [p for p in paths if p.to in part.element.arrivals]
        layout[k] = (
            functions.index(part.step), state, part.start.size, constant, len(part.constants), first_in, ins,
            first_out, outs, noise, part.noises, len(entries), len(own),
        )  # fmt: skip
        for path in own:
            one = path.fit
            entries.append(
                (place[path.to], place_out[path.source], path.carrier, one.delay, pole, one.poles.size)
            )
            fits.append(path.fit)
            pole += path.fit.poles.size
        state, constant, noise = state + part.start.size, constant + len(part.constants), noise + part.noises
        first_in, first_out = first_in + ins, first_out + outs
    feedback = (
        np.array(entries, dtype=np.int64).reshape(-1, 6),
        np.concatenate([np.zeros(0, complex), *(f.poles for f in fits)]),
        np.concatenate([np.zeros(0, complex), *(f.residues for f in fits)]),
        np.array([f.direct for f in fits], dtype=np.complex128),
    )
    return layout, feedback


def _constants(
    parts: Sequence[Stepped],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return (constants of the first sample, their columns or -1, values that change (T, V)) of all parts."""
    rows = [row for part in parts for row in part.constants]
    fixed = np.array([row[0] for row in rows], dtype=np.float64)
    moving = [k for k, row in enumerate(rows) if row.size > 1 and moves(row)]
    column = np.full(len(rows), -1, dtype=np.int64)
    column[moving] = np.arange(len(moving))
    values = np.ascontiguousarray(np.array([rows[k] for k in moving]).T) if moving else np.zeros((1, 0))
    return fixed, column, values


def _noise(parts: Sequence[Stepped], clock: Clock) -> NDArray[np.float64]:
    """Return the normal numbers of all parts (T, N), or (1, 0) without noise."""
    if clock.seed is None:
        return np.zeros((1, 0))
    drawn = [
        _drawn(part, generator(clock.seed, part.element.name), clock.samples) for part in parts if part.noises
    ]
    return np.ascontiguousarray(np.hstack(drawn)) if drawn else np.zeros((1, 0))


def _drawn(part: Stepped, random: np.random.Generator, samples: int) -> NDArray[np.float64]:
    """Return the normal numbers of a part (T, N): white, or band-limited noise at instants within each step.

    A force that is held between such instants loses a sinc over frequency, which is given back.
    """
    if part.parts == 1:
        return random.standard_normal((samples, part.noises))
    count = part.noises // part.parts
    spectrum = np.fft.rfft(random.standard_normal((samples, count)), axis=0)
    spectrum /= np.sinc(np.fft.rfftfreq(samples) / part.parts)[:, np.newaxis]
    fine = np.fft.irfft(spectrum, part.parts * samples, axis=0) * part.parts
    return np.asarray(fine.reshape(samples, part.noises))

"""Light before the first sample: lines that have turned beside their carrier for ever, each at one amplitude.

A line at its carrier was always the same; one beside it was never the same, and a delay of any length still
knows which phase it had. So light before the first sample is a sum of tones, and what is linear passes each
of them by what it does at that frequency.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import PhotosimWarning, listing
from photosim.timedomain.band import LEAD
from photosim.timedomain.spectral import first_passed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.band import Response
    from photosim.timedomain.cut import Element
    from photosim.timedomain.run import Run
    from photosim.timedomain.stepping import Begin, Stepper
    from photosim.timedomain.timeline import Timeline

    ComplexArray = NDArray[np.complex128]
    FloatArray = NDArray[np.float64]

ROUNDS = 16
"""Times that a guess goes round in a stepped loop before it no longer counts."""
MOVING = 1e-3
"""Change of a state over half of the time before 0, relative to its largest, that counts."""
Earlier = Callable[[int, int], "ComplexArray"]
"""Function (begin, count) to that many samples from `begin` on, counted from the first sample, below 0."""


@dataclass
class History:
    """Tones of all light before the first sample.

    offsets: for each carrier the distances in Hz of its lines, 0 first.  sent: by (wave, number of the
    carrier) the amplitude at the first sample of each tone, by its number.  arrived: (K,) of what has been
    found on other waves.  open_ones: waves whose light before the first sample is only a guess, and the
    sample from which it no longer counts.
    """

    sample_rate: float
    offsets: list[list[float]]
    sent: dict[tuple[int, int], dict[int, complex]] = field(default_factory=dict)
    arrived: dict[tuple[int, int], ComplexArray] = field(default_factory=dict)
    open_ones: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(sample_rate: float, carriers: int) -> History:
        """Return the history of light that has no line beside any of so many carriers."""
        return History(sample_rate, [[0.0] for _ in range(carriers)])

    def add(self, wave: int, carrier: int, offset: float, amplitude: complex) -> None:
        """Add a line `offset` Hz above a carrier, by its number, to a wave that is injected."""
        known = self.offsets[carrier]
        near = [k for k, f in enumerate(known) if abs(f - offset) <= 1e-9 * self.sample_rate]
        if not near:
            near = [len(known)]
            known.append(offset)
        own = self.sent.setdefault((wave, carrier), {})
        own[near[0]] = own.get(near[0], 0j) + amplitude

    @property
    def turning(self) -> bool:
        """Return whether some light is beside its carrier."""
        return any(len(own) > 1 for own in self.offsets)

    def turns(self, carrier: int) -> FloatArray | None:
        """Return the turns of each tone in a sample, (K,); None where all light is at its carrier."""
        return np.array(self.offsets[carrier]) / self.sample_rate if self.turning else None

    def tones(self, wave: int, carrier: int, first: complex) -> ComplexArray:
        """Return the amplitudes (K,) of an injected wave; one of which nothing is known was `first`."""
        found = np.zeros(len(self.offsets[carrier]), dtype=np.complex128)
        own = self.sent.get((wave, carrier))
        if own is None:
            found[0] = first
        else:
            found[list(own)] = list(own.values())
        return found

    def keep(self, wave: int, carrier: int, tones: ComplexArray) -> None:
        """Keep the amplitudes (K,) of what a part sends out."""
        self.sent[wave, carrier] = dict(enumerate(tones.tolist()))

    def arriving(self, wave: int, carrier: int) -> ComplexArray:
        """Return the amplitudes (K,) of what arrives at a wave."""
        dark = np.zeros(len(self.offsets[carrier]), dtype=np.complex128)
        return self.arrived.get((wave, carrier), dark)

    def earlier(self, wave: int, carrier: int, first: complex) -> Earlier | None:
        """Return the samples of an injected wave before the first one; None where that was always `first`."""
        turns = self.turns(carrier)
        return None if turns is None else earlier(self.tones(wave, carrier, first), turns)

    def arrived_earlier(self, wave: int, carrier: int) -> Earlier | None:
        """Return the samples that arrived at a wave before the first one; None where they were all alike."""
        turns = self.turns(carrier)
        return None if turns is None else earlier(self.arriving(wave, carrier), turns)

    def pass_on(
        self,
        response: Response,
        ends: Sequence[int],
        signals: Mapping[int, tuple[int, complex]],
        carrier: int,
    ) -> None:
        """Keep what arrives at the ends of an island. signals: number to (injected wave, its first value)."""
        turns = self.turns(carrier)
        if turns is None:
            return
        for o, end in enumerate(ends):
            total = np.zeros(turns.size, dtype=np.complex128)
            for i, (wave, first) in signals.items():
                total += passes(response, o, i, turns) * self.tones(wave, carrier, first)
                if wave in self.open_ones:
                    late = self.open_ones[wave] + int(response.delay[o, i]) + response.taps.shape[-1]
                    self.open_ones[end] = max(late, self.open_ones.get(end, 0))
            self.arrived[end, carrier] = total

    def through(self, run: Run, element: Element, carrier: int, lit: Collection[int]) -> None:
        """Keep what leaves a driven element that light passes once. lit: numbers of its arrivals."""
        turns = self.turns(carrier)
        if turns is None:
            return
        tones = {a: self.arriving(element.arrivals[a], carrier) for a in lit}
        at = float(run.clock.carriers[carrier])
        left = first_passed(run.drives, element, at, tones, turns * self.sample_rate)
        for k, one in left.items():
            self.keep(element.departures[k], carrier, one)
        self._open(element.arrivals, element.departures, 0)

    def begun(self, stepper: Stepper) -> Begin:
        """Return how a stepped linear group begins, and keep what leaves it."""
        count = len(self.offsets)
        turns = [np.array(own) / self.sample_rate for own in self.offsets]
        tones = [np.array([self.arriving(w, c) for w in stepper.ins]) for c in range(count)]
        begin, left = stepper.turned(tones, turns)
        for c, rows in enumerate(left):
            for wave, own in zip(stepper.outs, rows, strict=True):
                self.keep(wave, c, own)
        return begin

    def guess(self, stepper: Stepper) -> None:
        """Keep that the light out of nonlinear parts is a guess before the first sample."""
        if self.turning:
            unknown = any(part.element.kind == "nonlinear" for part in stepper.parts)
            self._open(stepper.ins, stepper.outs, 1 + ROUNDS * stepper.longest, always=unknown)

    def _open(self, ins: Iterable[int], outs: Iterable[int], lasting: int, *, always: bool = False) -> None:
        late = [self.open_ones[w] for w in ins if w in self.open_ones]
        if late or always:
            self.open_ones |= dict.fromkeys(outs, lasting + max(late, default=0))

    def warn(self, run: Run, line: Timeline, waves: Iterable[int]) -> None:
        """Warn where light before the first sample was a guess, and what is handed back still shows it.

        waves: those that are handed back.
        """
        late = max((self.open_ones.get(w, 0) for w in waves), default=0)
        rate = line.sample_rate
        moving = [] if run.noisy else [name for name, v in run.states.items() if _moves(v[: line.warm])]
        if self.turning and late > line.warm:
            what = f"delays behind it need the light of {late / rate:.2g} s before time 0"
        elif self.turning and moving:
            what, late = f"{listing([repr(name) for name in moving])} is still changing then", 8 * line.warm
        else:
            return
        message = (
            "Light at an offset from its carrier beats in a nonlinear part, which is simulated from "
            f"{line.warm / rate:.2g} s before time 0 on, but {what}: start the simulation earlier "
            f"with settle={late / rate:.2g}."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=4)


def _moves(values: FloatArray) -> bool:
    """Return whether the means of a state (T,) over two stretches differ; beats within them count little."""
    half = values.size // 2
    if half < 2:
        return False
    first, last = (
        np.average(v, weights=np.hanning(half)) for v in (values[half // 2 :][:half], values[-half:])
    )
    return bool(abs(last - first) > MOVING * np.abs(values).max())


def earlier(tones: ComplexArray, turns: FloatArray) -> Earlier:
    """Return a sum of tones (K,), of so many turns a sample, as a function of where it is wanted."""

    def samples(begin: int, count: int) -> ComplexArray:
        out = np.zeros(count, dtype=np.complex128)
        at = np.arange(begin, begin + count, dtype=np.float64)
        for amplitude, turn in zip(tones, turns, strict=True):
            if amplitude != 0:
                out += amplitude * np.exp(-2j * np.pi * ((turn * at) % 1.0))
        return out

    return samples


def passes(response: Response, out: int, into: int, turns: FloatArray) -> ComplexArray:
    """Return what a way does to tones of so many turns (K,) a sample; at the carrier it is the S-matrix."""
    taps, delay = response.taps[out, into], int(response.delay[out, into])
    found = taps_at(taps, delay, turns)
    return np.where(turns == 0, response.still[out, into], found)


def taps_at(taps: ComplexArray, delay: int, turns: FloatArray) -> ComplexArray:
    """Return the sum of taps (L,) for tones (K,), the first of them acting `delay` - LEAD samples later."""
    late = delay - LEAD + np.arange(taps.size, dtype=np.float64)
    return np.array([taps @ np.exp(2j * np.pi * ((turn * late) % 1.0)) for turn in turns.tolist()])


@dataclass(frozen=True)
class Beating:
    """A real signal that has beaten for ever: the sum of amplitude exp(-2 pi i frequency t), t from sample 0.

    frequencies: (N,) in turns a sample.
    """

    frequencies: FloatArray
    amplitudes: ComplexArray

    @staticmethod
    def of(parts: Iterable[tuple[float, ComplexArray, FloatArray]]) -> Beating:
        """Return the sum of weight times |tones|^2 over (weight, tones (K,), turns (K,))."""
        found: dict[float, complex] = {}  # beats of equally spaced lines are few
        for weight, tones, turns in parts:
            beats = weight * np.outer(tones, tones.conj())
            apart = turns[:, np.newaxis] - turns
            for f, a in zip(apart.ravel().round(12).tolist(), beats.ravel().tolist(), strict=True):
                found[f] = found.get(f, 0j) + a
        return Beating(np.array(list(found)), np.array(list(found.values()), dtype=np.complex128))

    def behind(self, response: Callable[[Any], Any]) -> Beating:
        """Return it behind a filter, by its response at turns a sample of exp(+i omega t)."""
        return Beating(self.frequencies, self.amplitudes * response(-self.frequencies))

    def samples(self, count: int) -> FloatArray:
        """Return the first samples."""
        return np.asarray(earlier(self.amplitudes, self.frequencies)(0, count).real)

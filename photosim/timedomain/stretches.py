"""A run computed for any stretch of its time: waves are computed where they are needed, and not stored.

Responses of islands and driven parts end, and light and noise can be computed at any sample, so that what
arrives in a stretch depends on a little more than that stretch of what was sent, late by the delays between.
Samples are counted from time 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import Detector
from photosim.timedomain import light
from photosim.timedomain.band import LEAD
from photosim.timedomain.beats import beats_beyond
from photosim.timedomain.convolution import delays, overlap_save
from photosim.timedomain.cut import detector_waves, source_waves
from photosim.timedomain.draws import Draws
from photosim.timedomain.receivers import received
from photosim.timedomain.remembered import EDGE, receiver_memory
from photosim.timedomain.result import SLOW, beating, lit_current, passes
from photosim.timedomain.spectral import behind, products, weighted
from photosim.timedomain.timeline import Timeline

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element
    from photosim.timedomain.run import Run
    from photosim.timedomain.spectral import Cross
    from photosim.timedomain.tape import Tape

    ComplexArray = NDArray[np.complex128]
    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]
    Known = dict[Any, list[tuple[int, int, ComplexArray]]]


@dataclass
class Stretches:
    """A carried run, to be computed again for any stretch.

    start, stop: first sample of the run, and the one behind its last.  ports(begin, end): waves (C, N) that
    enter at exposed ports, by wave.  beats: whether the light on a detector's wave beats beyond the band.
    """

    run: Run
    tape: Tape
    start: int
    stop: int
    ports: Callable[[int, int], Mapping[int, ComplexArray]]
    port_waves: frozenset[int] = frozenset()
    beats: dict[int, bool] = field(default_factory=dict)
    joined: dict[tuple[str, int, int], tuple[ComplexArray, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find who sends each wave, and what each receiver remembers."""
        run, graph = self.run, self.run.drives.compiled.graph
        self.sources = {wave: name for name, wave in source_waves(graph).items()}
        self.senders: dict[int, Element] = {}
        self.reach: dict[tuple[int, ...], list[tuple[list[int], list[int]]]] = {}
        known = [*self.sources, *self.port_waves]
        known = [wave for wave in run.injected if wave in set(known)]
        for members in run.cut.order:
            element = run.cut.elements[members[0]]
            if members[0] in run.cut.loops or element.kind not in {"matrix", "resonator"}:
                self._refuse(element)
            self.reach[element.arrivals] = run.groups(list(element.arrivals), known)
            sent = [wave for wave in element.departures if wave in run.cut.lit]
            self.senders |= dict.fromkeys(sent, element)
            known += sent
        self.detectors = [part for part in graph.parts if isinstance(part.model, Detector)]
        self.seen = [wave for waves in detector_waves(graph).values() for wave in waves]
        self.reach[tuple(self.seen)] = run.groups(self.seen, known)
        self.before, self.after = EDGE, EDGE
        for part in self.detectors:
            before, after = receiver_memory(run, part)
            self.before, self.after = max(self.before, before), max(self.after, after)

    def _refuse(self, element: Element) -> None:
        name = element.parts[0] if element.parts else element.name
        why = {
            "nonlinear": "is simulated step by step",
            "delay": "is a loop that keeps its light for longer than its response may last",
        }.get(element.kind, "lies in a loop that is stepped")
        message = f"A streamed run cannot have {name!r}, which {why}: use ps.transient for a shorter time."
        raise ParameterError(message)

    # --- waves ----------------------------------------------------------------------------------------

    def currents(self, begin: int, end: int) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
        """Return the currents (end - begin,) of all detectors in A, and at which samples they saturate."""
        low, high = max(self.start, begin - self.before), min(self.stop, end + self.after)
        run, rate = self.run, self.run.clock.sample_rate
        wl = SPEED_OF_LIGHT_UM_S / run.clock.carriers
        arrived = self.arriving(tuple(self.seen), low, high, {})
        line = Timeline(rate, high - low, begin=low)
        found, bright = {}, {}
        for part in self.detectors:
            assert isinstance(part.model, Detector)  # noqa: S101 - chosen so
            total, absolute, over = lit_current(run, part, wl, arrived, high - low, self.beats)
            draws = None if run.clock.seed is None else Draws(run.clock.seed, part.name, low)
            # What a slow receiver still feels of the time before the run.
            first = low == self.start and not over and min(passes(run, part)) < SLOW * rate
            per_watt = part.model.responsivity(wl, **run.drives.settings(part))
            before = beating(run, part, per_watt) if first else None
            current = received(run.drives, part, total, absolute, line, draws, before)
            found[part.name] = current[begin - low : end - low]
            every = np.zeros(high - low, dtype=bool)
            for one in over:
                every |= one
            bright[part.name] = every[begin - low : end - low]
        return found, bright

    def late(self) -> int:
        """Return by how many samples the light on detectors is late, at most."""
        return max(self._late(wave, tuple(self.seen)) for wave in self.seen)

    def _late(self, wave: int, asked: tuple[int, ...]) -> int:
        """Return by how many samples the light on an arriving wave is late."""
        most = 0
        for ends, starts in self.reach[asked]:
            if wave not in ends:
                continue
            for c, carrier in enumerate(self.run.clock.carriers.tolist()):
                own = self.run.response(tuple(ends), tuple(starts), c).delay[ends.index(wave)]
                for delay, start in zip(own.tolist(), starts, strict=True):
                    sender, before, inner = self.senders.get(start), 0, 0
                    if sender is not None:
                        _, _, inner = self._products(sender, carrier)
                        before = max(self._late(w, sender.arrivals) for w in sender.arrivals)
                    most = max(most, delay + inner + before)
        return most

    def judge(self, begin: int, end: int) -> None:
        """Find out whether the light on each detector beats beyond the band, over one stretch for all."""
        noisy = self.run.clock.seed is not None
        for wave, values in self.arriving(tuple(self.seen), begin, end, {}).items():
            self.beats[wave] = beats_beyond(values, noisy=noisy)

    def arriving(self, waves: tuple[int, ...], begin: int, end: int, known: Known) -> dict[int, ComplexArray]:
        """Return the light (C, end - begin) or (C, 1) that arrives at waves through linear islands."""
        run, found = self.run, {}
        for ends, starts in self.reach[waves]:
            carriers = range(len(run.clock.carriers))
            columns = [self._column(ends, starts, c, (begin, end), known) for c in carriers]
            for k, wave in enumerate(ends):
                rows = [column[k] for column in columns]
                found[wave] = rows[0][np.newaxis] if len(rows) == 1 else np.array(np.broadcast_arrays(*rows))
        return found

    def _column(
        self, ends: Sequence[int], starts: Sequence[int], c: int, span: tuple[int, int], known: Known
    ) -> list[ComplexArray]:
        """Return what arrives at the ends of an island on one carrier."""
        begin, end = span
        base, moving, windows = [0j] * len(ends), [], {}
        response = self.run.response(tuple(ends), tuple(starts), c)
        taps = response.taps.shape[-1]
        for k, wave in enumerate(starts):
            for least, most in _clusters(list(delays(response, k)), end - begin):
                first = begin - most + LEAD + 1 - taps
                sent = self.sent(wave, first, end - least + LEAD, known)[c]
                if sent.size == 1:
                    base = [b + response.still[o, k] * sent[0] for o, b in enumerate(base)]
                    break
                windows[k, first] = sent
            else:
                moving.append(k)
        if not moving:
            return [np.array([b]) for b in base]

        def window(number: int, at: int, length: int) -> ComplexArray:
            # Of the waves requested, the one that goes on longest behind this sample.
            first = max(f for n, f in windows if n == number and f <= begin + at)
            return _padded(windows[number, first][begin + at - first :][:length], length)

        return overlap_save(response, moving, base, end - begin, window)

    def sent(self, wave: int, begin: int, end: int, known: Known) -> ComplexArray:
        """Return the light (C, end - begin) or (C, 1) that a source, port or driven part sends out.

        Outside of the run its ends are held, or light before it was as its lines had it.
        """
        low = min(max(begin, self.start), self.stop - 1)
        high = max(min(end, self.stop), low + 1)
        inner = self._inside(wave, low, high, known)
        if inner.shape[1] == 1 or (low == begin and high == end):
            return inner
        out = np.empty((inner.shape[0], end - begin), dtype=np.complex128)
        ahead = min(max(low - begin, 0), end - begin)
        inside = max(min(high, end) - max(low, begin), 0)
        for c, row in enumerate(inner):
            tones = self.run.history.earlier(wave, c, complex(row[0])) if ahead else None
            out[c, :ahead] = row[0] if tones is None else tones(begin - self.start, ahead)
            out[c, ahead : ahead + inside] = row[max(begin - low, 0) :][:inside]
            out[c, ahead + inside :] = row[-1]
        return out

    def _inside(self, wave: int, begin: int, end: int, known: Known) -> ComplexArray:
        """Return what is sent within the run; what has been computed for this stretch already is taken."""
        sender = self.senders.get(wave)
        for a, b, values in known.get(wave, ()):
            if values.shape[1] == 1 or (a <= begin and end <= b):
                return values if values.shape[1] == 1 else values[:, begin - a : end - a]
        if sender is not None:
            found = self._passed(sender, begin, end, known)
        elif wave in self.sources:
            found = {wave: self._source(wave, begin, end)}
        else:
            found = dict(self.ports(begin, end))
        for other, values in found.items():
            known.setdefault(other, []).append((begin, end, values))
        return found[wave]

    def _source(self, wave: int, begin: int, end: int) -> ComplexArray:
        run = self.run
        time = np.arange(begin, max(end, begin + 2)) / run.clock.sample_rate
        part = run.drives.compiled.graph.part(self.sources[wave])
        driven = any(np.ndim(value) for value in run.drives.settings(part).values())
        later = self.tape.at(begin, begin + time.size) if driven else run.drives
        found = light.source_light(run.drives, part, run.clock, time, _forget, later)
        return found[:, : max(end - begin, 1)] if found.shape[1] > 1 else found

    def _passed(self, element: Element, begin: int, end: int, known: Known) -> dict[int, ComplexArray]:
        """Return what a driven part sends out within a stretch, by wave."""
        run, clock = self.run, self.run.clock
        rows: dict[int, list[ComplexArray]] = {wave: [] for wave in element.departures if wave in run.cut.lit}
        dark = np.zeros(1, dtype=np.complex128)
        for c, carrier in enumerate(clock.carriers.tolist()):
            found, taps, delay = self._products(element, carrier)
            first, last = begin + LEAD + 1 - taps.shape[1] - delay, end + LEAD - delay
            passed: dict[int, ComplexArray] = {}
            filtered: dict[int, list[ComplexArray]] = {}
            own: dict[int, ComplexArray] | None = None
            lit = {wave for ends, _ in self.reach[element.arrivals] for wave in ends}
            for k, (a, b) in enumerate(element.paths):
                if element.arrivals[a] not in lit:
                    continue
                if a not in filtered:
                    direct = self._direct(element, a, c, (begin, end, first, last), known)
                    if direct is not None:
                        filtered[a] = direct
                    else:
                        own = self._arrived(element, first, last, known) if own is None else own
                        x = own[a][c] if a in own else dark
                        filtered[a] = (
                            [x]
                            if x.size == 1
                            else behind(taps, delay, end - begin, _window(x, begin - first))
                        )
                light_in = filtered[a]
                if light_in[0].size == 1 and light_in[0][0] == 0:
                    continue
                cross = None if light_in[0].size == 1 else found
                gates = self.tape.gates(element, k, carrier, cross, begin, end)
                wave = weighted(gates, light_in)
                passed[b] = passed[b] + wave if b in passed else wave
            for b, departing in enumerate(element.departures):
                if departing in rows:
                    rows[departing].append(passed.get(b, dark))
        return {
            wave: own[0][np.newaxis] if len(own) == 1 else np.array(np.broadcast_arrays(*own))
            for wave, own in rows.items()
        }

    def _products(self, element: Element, carrier: float) -> tuple[Cross, ComplexArray, int]:
        return products(self.tape.telling, element, carrier, self.tape.telling.few())

    def _direct(
        self, element: Element, arrival: int, c: int, span: tuple[int, int, int, int], known: Known
    ) -> list[ComplexArray] | None:
        """Return one arrival behind the filters of a driven part, island and filters being one.

        That is so where one wave alone lights it, and far from the ends of the run; None otherwise. span:
        the stretch, and that of the arrival which it needs.
        """
        begin, end, first, last = span
        wave = element.arrivals[arrival]
        ends, starts = next((g for g in self.reach[element.arrivals] if wave in g[0]), ([], []))
        if len(starts) != 1 or first < self.start or last > self.stop:
            return None
        key = element.name, arrival, c
        if key not in self.joined:
            island = self.run.response(tuple(ends), tuple(starts), c)
            carrier = float(self.run.clock.carriers[c])
            _, taps, delay = self._products(element, carrier)
            one = island.taps[ends.index(wave), 0]
            both = np.array([np.convolve(own, one) for own in taps])
            self.joined[key] = both, delay + int(island.delay[ends.index(wave), 0]) - LEAD
        taps, delay = self.joined[key]
        low, high = begin + LEAD + 1 - taps.shape[1] - delay, end + LEAD - delay
        x = self.sent(starts[0], low, high, known)[c]
        return None if x.size == 1 else behind(taps, delay, end - begin, _window(x, begin - low))

    def _arrived(self, element: Element, begin: int, end: int, known: Known) -> dict[int, ComplexArray]:
        """Return what arrives at a driven part, by number of arrival: ends are held outside the run."""
        low = min(max(begin, self.start), self.stop - 1)
        high = max(min(end, self.stop), low + 1)
        found = {}
        for wave, values in self.arriving(element.arrivals, low, high, known).items():
            number, inner = element.arrivals.index(wave), values
            if inner.shape[1] > 1 and (low != begin or high != end):
                ahead = min(max(low - begin, 0), end - begin)
                inside = max(min(high, end) - max(low, begin), 0)
                inner = np.empty((values.shape[0], end - begin), dtype=np.complex128)
                for c, row in enumerate(values):
                    tones = self.run.history.arrived_earlier(wave, c) if ahead else None
                    inner[c, :ahead] = row[0] if tones is None else tones(begin - self.start, ahead)
                    inner[c, ahead : ahead + inside] = row[max(begin - low, 0) :][:inside]
                    inner[c, ahead + inside :] = row[-1]
            found[number] = inner
        return found


def _forget(_carrier: int, _offset: float, _amplitude: complex) -> None:
    """Take a line of a source that is known already."""


def _clusters(late: Sequence[int], span: int) -> list[tuple[int, int]]:
    """Return (least, most) of rising delays that are closer than a span: their windows are one request."""
    found: list[tuple[int, int]] = []
    for delay in late:
        if found and delay - found[-1][1] < span:
            found[-1] = found[-1][0], delay
        else:
            found.append((delay, delay))
    return found


def _window(x: ComplexArray, ahead: int) -> Callable[[int, int, int], ComplexArray]:
    """Return the window of a wave whose first sample lies `ahead` samples before the stretch."""
    return lambda _, begin, length: _padded(x[begin + ahead :][:length], length)


def _padded(own: ComplexArray, length: int) -> ComplexArray:
    """Return a wave with so many samples: those behind its end act on nothing that is kept."""
    if own.size == length:
        return own
    return np.concatenate([own, np.zeros(length - own.size, dtype=np.complex128)])

"""A run in time, stretch by stretch: each is computed, counted and forgotten."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.progress import Progress, silent
from photosim.analysis.streams import checkpoint as kept
from photosim.analysis.streams.counts import Decider, Histogram, merged, moments, sums
from photosim.analysis.streams.result import EyeHistogram, StreamResult
from photosim.analysis.symbols import checked
from photosim.arguments import public
from photosim.engine.solve import threads
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.files.atomic import check_writable
from photosim.jobs.fingerprint import fingerprint
from photosim.timedomain import light
from photosim.timedomain.inputs import Light
from photosim.timedomain.streamed import FIRST, ready
from photosim.timedomain.stretches import Stretches
from photosim.timedomain.waveform import Waveform
from photosim.timedomain.waveforms import as_waveform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

    FloatArray = NDArray[np.float64]
    Counted = dict[str, Any]

BLOCK = 1 << 17
"""Samples of a stretch."""
LEAST_BLOCK, MOST_BLOCK = 1 << 12, 1 << 22
EVERY_S = 10.0
"""Seconds between two writes of a checkpoint."""
_FIRST_SYMBOLS = 2048
"""Symbols over which instant, delay and thresholds are found, at least."""
_MOST_FIRST = 1 << 22
_MOST_SAMPLES = 10**11


@public
def stream(  # noqa: PLR0913 - keyword options of a question
    circuit: Circuit,
    duration: float,
    *,
    sample_rate: float,
    drive: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    wl: Any = None,
    noise: bool = True,
    seed: int = 0,
    quasi_static: bool | None = None,
    signal: str | None = None,
    symbol_rate: float | None = None,
    block: int = BLOCK,
    checkpoint: str | Path | None = None,
    progress: Progress = silent,
    name: str = "stream",
    **settings: Any,
) -> StreamResult:
    """Return error counts, an eye histogram and current statistics of a long run, without keeping samples.

    The run and its noise are those of `ps.transient` with the same arguments, within 1e-12 of the largest
    current. The memory does not depend on the duration. Sampling instant, delay and thresholds are found from
    the first symbols. Results do not depend on the number of threads.

    duration: in s.  sample_rate: in Hz.  drive, inputs, wl, quasi_static: as for `ps.transient`.  noise:
    whether noise is on.  seed: of all noise.  signal: detector whose symbols are compared with the sent ones,
    by default the first that follows a drive or input.  symbol_rate: in 1/s, if drives have several.  block:
    number of samples that are computed at a time.  checkpoint: file for the state of the run; the same call
    continues from it and gives the same bits.  progress: called as progress(name, done, total) after each
    step.  name: of the run, for progress.  settings: settings of the circuit, by instance or dotted name.

    Raises ParameterError for a circuit that needs all samples or whose state grows: nonlinear parts, control
    loops in steps, electrical nets, adaptive equalisers, recovered clocks, and drives that do not repeat.
    Raises DataError for a checkpoint of another run.
    """
    drive, inputs = dict(drive or {}), dict(inputs or {})
    samples = _samples(duration, sample_rate, block)
    lights = light.read_lights(inputs, circuit.ports)
    waves = _with_symbols(drive, lights, symbol_rate)
    asked = waves[0].symbols[0] if waves and waves[0].symbols is not None else None
    ratio = None if asked is None else checked(np.zeros(1), sample_rate, asked)[1]
    if signal is not None and signal not in circuit.detectors:
        known = listing(circuit.detectors)
        hint = did_you_mean(signal, circuit.detectors)
        message = f"The circuit has no detector {signal!r}. It has: {known}.{hint}"
        raise ParameterError(message)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None:
        check_writable(path)
    least = 0 if ratio is None else min(int(_FIRST_SYMBOLS * ratio), _MOST_FIRST)
    stretches = ready(
        circuit, samples, sample_rate=sample_rate, drive=drive, inputs=inputs, wl=wl, noise=noise, seed=seed,
        quasi_static=quasi_static, settings=settings, least=least,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to warn of has been said of the first stretch
        counter = _counter(stretches, samples, max(least, FIRST), waves, ratio, signal)
        key = fingerprint(
            circuit.netlist, sorted(settings.items()), sample_rate, samples, sorted(drive.items()),
            sorted(inputs.items()), wl, noise, seed, quasi_static, signal, symbol_rate, block,
        )  # fmt: skip
        counted = _counted(counter, samples, block, (path, key), lambda n: progress(name, n, samples))
    return counter.result(name, sample_rate, seed if noise else None, counted)


def _samples(duration: float, sample_rate: float, block: int) -> int:
    """Return the number of samples; ParameterError for numbers that no run can have."""
    for what, value in (("duration", duration), ("sample rate", sample_rate)):
        if not (np.isfinite(value) and value > 0):
            message = f"The {what} of a streamed run must be a positive number, got {value!r}."
            raise ParameterError(message)
    if not 64 <= duration * sample_rate <= _MOST_SAMPLES:
        message = (
            f"{duration:g} s at {sample_rate:g} Hz are {duration * sample_rate:g} samples: one has "
            f"64 to {_MOST_SAMPLES:g}."
        )
        raise ParameterError(message)
    if not LEAST_BLOCK <= block <= MOST_BLOCK:
        message = f"A block of a streamed run has {LEAST_BLOCK} to {MOST_BLOCK} samples, got {block!r}."
        raise ParameterError(message)
    return round(duration * sample_rate)


def _with_symbols(
    drive: Mapping[str, Any], lights: Mapping[str, tuple[Light, ...]], rate: float | None
) -> list[Waveform]:
    """Return the waveforms that have symbols, of one rate; ParameterError where they have several."""
    given = [as_waveform(value) for value in drive.values()]
    own = [one.field if one.power is None else one.power for light_in in lights.values() for one in light_in]
    waves = [w for w in (*given, *own) if isinstance(w, Waveform) and w.symbols is not None]
    rates = sorted({w.symbols[0] for w in waves if w.symbols is not None})
    if rate is None and len(rates) > 1:
        message = f"The drives have symbols at {listing([f'{r:g}' for r in rates])} per s: give symbol_rate."
        raise ParameterError(message)
    found = [w for w in waves if w.symbols is not None and (rate is None or np.isclose(w.symbols[0], rate))]
    if rate is not None and not found:
        known = listing([f"{r:g}" for r in rates]) if rates else "no symbols"
        message = f"No drive or input has {rate:g} symbols per s; they have {known}."
        raise ParameterError(message)
    return found


@dataclass(frozen=True)
class _Counter:
    """What is counted of every stretch. centres: about which powers of each current are summed, in A."""

    stretches: Stretches
    samples: int
    centres: Mapping[str, float]
    signal: str | None
    decider: Decider | None
    histogram: Histogram | None

    def count(self, begin: int, end: int) -> Counted:
        """Return what is counted of a stretch."""
        reach = 0 if self.decider is None else self.decider.reach
        low, high = max(0, begin - reach), min(self.samples, end + reach)
        currents, bright = self.stretches.currents(low, high)
        found: Counted = {}
        for name, values in currents.items():
            own = values[begin - low : end - low]
            found |= {f"{name}:{key}": value for key, value in sums(own, self.centres[name]).items()}
            found[f"{name}:saturated"] = np.array(bright[name][begin - low : end - low].sum())
            if name == self.signal and self.histogram is not None:
                found["eye"] = self.histogram.count(own, begin)
            if name == self.signal and self.decider is not None:
                found |= self.decider.count(values, begin, end, low)
        return found

    def result(self, name: str, rate: float, seed: int | None, counted: Counted) -> StreamResult:
        """Return what has been counted as the result of the run."""
        own = {
            detector: moments(
                counted[f"{detector}:powers"].tolist(), centre, float(counted[f"{detector}:least"]),
                float(counted[f"{detector}:most"]), float(counted[f"{detector}:saturated"]),
            )
            for detector, centre in self.centres.items()
        }  # fmt: skip
        notes = {"starts": "; ".join(f"{k}: {v}" for k, v in self.stretches.run.starts.items())}
        if self.decider is None or self.histogram is None:
            return StreamResult(name, self.samples, rate, seed, own, notes=notes)
        decider, offsets = self.decider, self.histogram.offsets
        eye = EyeHistogram(
            offsets / rate, self.histogram.edges, counted["eye"].reshape(offsets.size, -1).astype(np.int64)
        )
        count = decider.means.size
        confusion = counted["confusion"].reshape(count, count).astype(np.int64)
        each = np.maximum(confusion.sum(axis=1), 1)
        apart = counted["level_sum"] / each
        spread = np.sqrt(np.maximum(counted["level_square"] / each - apart**2, 0.0))
        return StreamResult(
            name, self.samples, rate, seed, own, self.signal, eye, confusion, decider.thresholds(),
            decider.means + apart, spread, decider.at, decider.delay, decider.inverted, notes,
        )  # fmt: skip


def _counter(
    stretches: Stretches, samples: int, first: int, waves: list[Waveform], ratio: float | None,
    signal: str | None,
) -> _Counter:  # fmt: skip
    """Return what is counted, from the first stretch in which light has arrived."""
    begin = stretches.late() if stretches.late() > first // 4 else 0
    end = min(samples, begin + first)
    if end - begin < min(samples, first) // 2:
        message = (
            f"Light arrives {begin:,} samples late, and the run has {samples:,}: simulate a longer time."
        )
        raise ParameterError(message)
    if begin:
        stretches.judge(begin, end)
    currents, _ = stretches.currents(begin, end)
    centres = {name: float(values.mean()) for name, values in currents.items()}
    if ratio is None:
        return _Counter(stretches, samples, centres, None, None, None)
    refused: list[ParameterError] = []
    for name in [signal] if signal is not None else currents:
        for wave in waves:
            assert wave.symbols is not None  # noqa: S101 - chosen so
            try:
                decider = Decider.of(currents[name], begin, samples, ratio, wave.symbols[1])
            except ParameterError as reason:
                refused.append(reason)
                continue
            return _Counter(stretches, samples, centres, name, decider, Histogram.of(currents[name], ratio))
    raise refused[0]


def _counted(
    counter: _Counter, samples: int, block: int, file: tuple[Path | None, str],
    told: Callable[[int], None],
) -> Counted:  # fmt: skip
    """Return what has been counted of all stretches, in their order whoever computed them."""
    path, key = file
    first, counted = (0, {}) if path is None else kept.load(path, key)
    spans = [(a, min(samples, a + block)) for a in range(0, samples, block)]
    told(spans[first][0] if first < len(spans) else samples)
    done, saved, when = first, first, time.monotonic()
    try:
        for number, found in _in_order(counter, spans, first):
            counted, done = merged(counted, found), number + 1
            told(spans[number][1])
            if path is not None and time.monotonic() - when > EVERY_S:
                kept.save(path, key, done, counted)
                saved, when = done, time.monotonic()
    finally:
        if path is not None and done > saved:
            kept.save(path, key, done, counted)
    return counted


def _in_order(counter: _Counter, spans: list[tuple[int, int]], first: int) -> Iterator[tuple[int, Counted]]:
    """Give what is counted of each stretch, in order; a few are computed at a time."""
    crew = max(1, min(threads(), len(spans) - first))
    if crew == 1:
        for number in range(first, len(spans)):
            yield number, counter.count(*spans[number])
        return
    waiting: deque[tuple[int, Future[Counted]]] = deque()
    with ThreadPoolExecutor(crew) as pool:
        try:
            for number in range(first, len(spans)):
                waiting.append((number, pool.submit(counter.count, *spans[number])))
                if len(waiting) > crew:
                    place, future = waiting.popleft()
                    yield place, future.result()
            while waiting:
                place, future = waiting.popleft()
                yield place, future.result()
        finally:
            for _, future in waiting:
                future.cancel()

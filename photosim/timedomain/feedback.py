"""What a loop that is stepped feeds back: the linear ways between its elements, fitted by recursions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from photosim.engine.guards import reached
from photosim.errors import ParameterError
from photosim.timedomain import band, stepping
from photosim.timedomain.content import occupied
from photosim.timedomain.rational import FITTED, Fit, checked, fit, passive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element
    from photosim.timedomain.run import Run

    ComplexArray = NDArray[np.complex128]

_FIT_SIZE = 512
"""Frequencies at which a loop's linear part is fitted."""
_ONSET, _BEFORE = 1e-2, 16
"""Part of its largest sample with which a response begins, and samples before that are fitted too."""
_FIT_ERROR = 1e-2
"""Largest error of a fit that is accepted."""
_LOOP_ERROR = 0.03
"""Largest error of the light in a loop, relative to its largest, that is accepted in a run."""
_LOOKS, _INSTANTS = 129, 9
"""Frequencies, and instants, at which the remaining amplitude of light after a round trip is computed."""
_FIT_GAIN = 1e-5
"""Largest gain, as an amplitude, of fits that stand for what does not amplify."""


def feedback(run: Run, group: Sequence[Element]) -> list[stepping.Path]:
    """Return the rational fits of all linear ways between the elements of a loop."""
    from threadpoolctl import threadpool_limits

    departures = [d for e in group for d in e.departures if d in run.cut.lit]
    arrivals = [a for e in group for a in e.arrivals]
    pairs = [
        (a, d)
        for d in departures
        for a in arrivals
        if a in reached(run.cut.ahead, [d]) and run.island[a] == run.island[d]
    ]
    found: list[stepping.Path] = []
    with threadpool_limits(1):  # matrices of 512 rows: more threads wait for each other, and round otherwise
        for c in range(len(run.clock.carriers)):
            asked = [_asked(run, a, d, c) for a, d in pairs]
            fits = [
                _fit(run, *pair, *one, alone=len(group) == 1) for pair, one in zip(pairs, asked, strict=True)
            ]
            largest = 1.0
            if not run.active():
                rows = {wave: k for k, wave in enumerate(dict.fromkeys(a for a, _ in pairs))}
                columns = {wave: k for k, wave in enumerate(dict.fromkeys(d for _, d in pairs))}
                bins = 2 * max((s.size for s, _ in asked), default=_FIT_SIZE)
                fits, largest = passive(fits, [(rows[a], columns[d]) for a, d in pairs], bins)
            for (a, d), one, (s, start) in zip(pairs, fits, asked, strict=True):
                left = checked(replace(one, delay=one.delay - start), s)
                _accept(run, a, d, left, largest)
                z = np.exp(2j * np.pi * np.arange(s.size) / s.size)
                found.append(stepping.Path(a, d, c, one, np.abs(left.at(z) - s)))
    _refuse_short(run, found, group)
    return found


def _asked(run: Run, arrival: int, departure: int, carrier: int) -> tuple[ComplexArray, int]:
    """Return S (W,) of one way of a loop at the bins of an FFT, and the delay in samples taken out of it.

    That delay is a buffer's, and exact; what is left is fitted.
    """
    one = run.response((arrival,), (departure,), carrier)  # causal, and not without end
    taps = np.abs(one.taps[0, 0])
    early = max(0, int(np.argmax(taps > _ONSET * taps.max())) - band.LEAD - _BEFORE)
    size, start = _FIT_SIZE, int(one.delay[0, 0]) + early
    while size < 4 * (taps.size - band.LEAD - early):
        size *= 2
    frequency, transfer = float(run.clock.carriers[carrier]), run.transfer((arrival,), (departure,))
    ask = band.Ask(transfer, frequency, run.clock.sample_rate)
    return ask.between(size, np.zeros(1, int), np.array([start]), 0.0)[:, 0], start


def _fit(run: Run, arrival: int, departure: int, s: ComplexArray, start: int, *, alone: bool) -> Fit:
    """Return the fit of one way of a loop; ParameterError where it takes less than a sample."""
    del arrival
    near = s.size // 8
    first = np.unwrap(np.angle(s[:near]))
    delay = start + max(0.0, float((first[0] - first[-1]) / (2 * np.pi * (near - 1) / s.size)))
    if alone and delay < 1:
        _refuse_loop(run, run.names.get(departure, "a part"), delay)
    found = fit(s, 1 if alone and not start else 0)
    return replace(found, delay=found.delay + start)


def _way(run: Run, arrival: int, departure: int) -> str:
    """Return words for a way of a loop."""
    return f"{run.names.get(departure, departure)} to {run.names.get(arrival, arrival)}"


def _accept(run: Run, arrival: int, departure: int, one: Fit, largest: float) -> None:
    """Keep the error of a fit that is used; raise ParameterError for one that misses its bound."""
    way = _way(run, arrival, departure)
    rate = run.clock.sample_rate
    if one.error > _FIT_ERROR or largest > 1 + _FIT_GAIN:
        why = (
            f"a fit is off by {one.error:.2g} within {FITTED * rate:g} Hz"
            if one.error > _FIT_ERROR
            else f"a fit amplifies by {largest - 1:.2g}"
        )
        message = (
            f"The linear part from {way} cannot be followed step by step at {rate:g} Hz ({why}): take "
            f"{4 * rate:g} Hz or more."
        )
        raise ParameterError(message)
    run.fits[way] = max(one.error, run.fits.get(way, 0.0))


def _refuse_loop(run: Run, name: str, delay: float) -> None:
    rate = run.clock.sample_rate
    wanted = f"{math.ceil(1.5 * rate / delay / 1e9) * 1e9:g} Hz" if delay > 1e-3 else "one without that path"
    message = (
        f"Light comes back to {name!r} after {delay / rate:.3g} s, less than a sample, {1 / rate:.3g} s: "
        f"take a sample rate of {wanted} or more, or quasi_static=True where its drive is slow enough."
    )
    raise ParameterError(message)


def _refuse_short(run: Run, paths: Sequence[stepping.Path], group: Sequence[Element]) -> None:
    """Raise ParameterError where a circle of ways takes no sample in all."""
    from graphlib import CycleError, TopologicalSorter

    waits: dict[str, set[str]] = {}
    into = {w: e.name for e in group for w in e.arrivals}
    out = {w: e.name for e in group for w in e.departures}
    for path in paths:
        if path.fit.delay == 0:
            waits.setdefault(into[path.to], set()).add(out[path.source])
    try:
        list(TopologicalSorter(waits).static_order())
    except CycleError as error:
        _refuse_loop(run, str(error.args[1][0]), 0.5)


def check_rounds(
    run: Run,
    stepper: stepping.Stepper,
    paths: Sequence[stepping.Path],
    waves: tuple[ComplexArray, ComplexArray],
) -> None:
    """Keep how wrong the light of a stepped loop is by its fits, and refuse a run in which that is too much.

    waves: what has reached the parts (T, ins, carriers), and what left them (T, outs, carriers). An error of
    one way comes back each round: where light keeps the part lambda of its amplitude in a round it counts
    1/(1 - lambda) times. Light that leaves a loop for good is at most what it was inside of it, and twice
    that is allowed for what it meets outside. Of a laser, which sends light out by itself, the error of one
    round is stated.
    """
    rate = run.clock.sample_rate
    for c in range(len(run.clock.carriers)):
        own = [path for path in paths if path.carrier == c]
        if not own or not np.any(waves[1][..., c]):
            continue
        kept = _kept(stepper, own, waves, c)
        if kept >= 1.0 or any(part.element.emits for part in stepper.parts):
            continue  # a laser: its own equations say what comes of an error
        gain = 2.0 / (1.0 - kept)
        low, high = occupied(list(waves[1][..., c].T), rate)
        band_hz = min(max(-low, high), FITTED * rate)
        largest, here = _off(own, FITTED), _off(own, band_hz / rate)
        names = ", ".join(part.element.name for part in stepper.parts)
        if gain * here > _LOOP_ERROR:
            message = (
                f"Light in the loop of {names} comes back so often that errors of {here:.2g} in a round make "
                f"it wrong by up to {gain * here:.2g} at {band_hz:g} Hz from its carrier: take a sample rate "
                f"of {2 * rate:g} Hz or more."
            )
            raise ParameterError(message)
        for path in own:
            way = _way(run, path.to, path.source)
            run.fits[way] = max(gain * largest, run.fits.get(way, 0.0))


def _off(paths: Sequence[stepping.Path], cutoff: float) -> float:
    """Return the error of all fits together, up to a part of the sample rate from the carrier."""
    total = 0.0
    for path in paths:
        frequency = np.abs(np.fft.fftfreq(path.off.size))
        total += float(path.off[frequency <= max(cutoff, 1.0 / path.off.size)].max()) ** 2
    return math.sqrt(total)


def _kept(
    stepper: stepping.Stepper,
    paths: Sequence[stepping.Path],
    waves: tuple[ComplexArray, ComplexArray],
    carrier: int,
) -> float:
    """Return the largest part of its amplitude that light keeps in a round, over the fitted band.

    Nonlinear parts keep what they did on average.
    """
    back = np.zeros((_LOOKS, len(stepper.ins), len(stepper.outs)), dtype=np.complex128)
    z = np.exp(2j * np.pi * np.linspace(-FITTED, FITTED, _LOOKS))
    for path in paths:
        back[:, stepper.ins.index(path.to), stepper.outs.index(path.source)] += path.fit.at(z)
    most, samples = 0.0, len(waves[0])
    for at in np.unique(np.linspace(0, samples - 1, _INSTANTS).astype(int)):
        gate = np.zeros((len(stepper.outs), len(stepper.ins)), dtype=np.complex128)
        row = column = 0
        for part in stepper.parts:
            outs, ins = len(part.element.departures), len(part.element.arrivals)
            place = np.s_[row : row + outs, column : column + ins]
            if part.element.kind == "nonlinear":
                power = [(np.abs(wave[..., carrier]) ** 2).mean(axis=0) for wave in waves]
                for a, b in part.element.paths:
                    passed = power[1][row + b] / max(power[0][column + a], 1e-300)
                    gate[row + b, column + a] = math.sqrt(passed) if power[0][column + a] > 0 else 1.0
            else:
                columns = part.constants[:, min(at, part.constants.shape[1] - 1)].reshape(-1, outs, ins, 2)
                gate[place] = columns[carrier, ..., 0] + 1j * columns[carrier, ..., 1]
            row, column = row + outs, column + ins
        most = max(most, float(np.abs(np.linalg.eigvals(gate @ back)).max()))
    return most

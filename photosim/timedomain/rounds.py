"""Linear loops of long delays, carried round by round: what comes back left long before.

An impulse response lasts as long as light runs round, which in a loop of a million samples is longer than any
stretch that could be transformed. So such a loop is cut where its long delays are. Between the cuts responses
are short, and a block of samples that is shorter than the delay follows from the blocks before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.engine.guards import reached
from photosim.engine.waves import loops
from photosim.errors import ParameterError
from photosim.signals.delays import mean_delay
from photosim.timedomain.band import LEAD, Response
from photosim.timedomain.content import moves
from photosim.timedomain.convolution import stretch
from photosim.timedomain.cut import Edges, Element
from photosim.timedomain.history import Earlier, earlier, taps_at
from photosim.timedomain.scattering import part_entries, port_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Part
    from photosim.timedomain.drives import Drives
    from photosim.timedomain.run import Run

    ComplexArray = NDArray[np.complex128]
    FloatArray = NDArray[np.float64]

LONG = 1 << 11
"""Samples of delay from which a way through a part of a loop is cut."""
_LOOKS = 65
_FINE = 2.0**-26
"""Part of the sample rate between two frequencies whose phases tell a delay of up to half its inverse."""


def cut_rounds(
    drives: Drives, edges: Edges, carriers: NDArray[np.float64]
) -> tuple[list[Element], dict[int, int]]:
    """Cut the loops of `edges` behind each long delay; return the cuts, and samples by new wave.

    The samples are those before which nothing arrives at the new wave, whatever it comes from.
    """
    graph = drives.compiled.graph
    turning = [set(waves) for waves in loops(edges)]
    fresh = 1 + max((max(pair) for pair in edges), default=0)
    found: list[Element] = []
    least: dict[int, int] = {}
    for part in graph.parts:
        ports = range(part.first_port, part.first_port + len(part.ports))
        own = {
            pair: edges[pair]
            for wave in ports
            for ring in turning
            if wave in ring
            for pair in [(wave, b) for b in ring]
            if pair in edges
        }
        if not own:
            continue
        for pair, samples in zip(own, _least(drives, part, own, carriers), strict=True):
            if samples >= LONG:
                edges[pair[0], fresh] = edges.pop(pair)
                found.append(Element(part.name, "delay", (fresh,), (pair[1],), ((0, 0),), (), (part.name,)))
                least[fresh] = samples
                fresh += 1
    return found, least


def _least(drives: Drives, part: Part, own: Edges, carriers: NDArray[np.float64]) -> list[int]:
    """Return the samples before which nothing leaves a part, for each of its ways; of all carriers."""
    pairs = port_pairs(drives, part, own)
    rate, first = drives.sample_rate, np.zeros(1, np.int64)

    def entries(frequency: NDArray[np.float64]) -> ComplexArray:
        s = part_entries(drives, part, first, SPEED_OF_LIGHT_UM_S / np.asarray(frequency))
        return np.stack([np.broadcast_to(s[pair][0], np.shape(frequency)) for pair in pairs], axis=-1)

    found = np.full(len(pairs), np.iinfo(np.int64).max)
    for carrier in carriers.tolist():
        low, high = entries(carrier + np.array([0.0, _FINE * rate]))
        if (np.angle(high * low.conj()) / (2 * np.pi * _FINE) < LONG / 2).all():
            return [0] * len(pairs)
        mean = mean_delay(entries, carrier, rate)
        at = carrier + np.linspace(-0.5, 0.5, _LOOKS) * rate
        apart = rate / (1 << 16)
        # The mean taken out, what is left is short enough for the slope of its phase.
        turn = np.exp(-2j * np.pi * ((apart * mean) % 1.0))
        beside = np.angle(entries(at + apart) * entries(at).conj() * turn) / (2 * np.pi * apart)
        earliest = np.floor((mean + beside.min(axis=0)) * rate).astype(np.int64) - LEAD
        found = np.minimum(found, np.maximum(earliest, 0))
    return [int(samples) for samples in found]


@dataclass(frozen=True)
class Way:
    """A way between cuts: taps (L,) of which the k-th acts delay + k - LEAD samples later; still: at rest."""

    taps: ComplexArray
    delay: int
    still: complex


def ways(found: Response, outs: Sequence[int], ins: Sequence[int]) -> dict[tuple[int, int], Way]:
    """Return the ways of one island that carry light, by cut where it ends and cut where it began."""
    lit = np.abs(found.taps).max(axis=-1) > 0
    return {
        (outs[o], ins[i]): Way(found.taps[o, i], int(found.delay[o, i]), complex(found.still[o, i]))
        for o, i in zip(*np.nonzero(lit), strict=True)
    }


def lasting(
    found: Mapping[tuple[int, int], Way], tones: ComplexArray, turns: FloatArray, where: str
) -> ComplexArray:
    """Return the tones (cuts, K) at the cuts of a loop where tones (cuts, K) have arrived for ever.

    turns: of each tone in a sample, (K,); the first is at the carrier.  Raises ParameterError for a loop that
    never loses its light.
    """
    cuts, start = len(tones), np.zeros(tones.shape, dtype=np.complex128)
    once = {pair: taps_at(way.taps, way.delay, turns) for pair, way in found.items()}
    for k in range(turns.size):
        back = np.zeros((cuts, cuts), dtype=np.complex128)
        for pair, way in found.items():
            back[pair] = way.still if turns[k] == 0 else once[pair][k]
        try:
            start[:, k] = np.linalg.solve(np.eye(cuts) - back, tones[:, k])
        except np.linalg.LinAlgError:
            message = f"Light in the loop of {where} never decays, so it has no steady state: give it a loss."
            raise ParameterError(message) from None
    return start


def carried_round(
    found: Mapping[tuple[int, int], Way],
    entering: ComplexArray,
    start: ComplexArray,
    turns: FloatArray,
    samples: int,
) -> ComplexArray:
    """Return the waves at the cuts of a loop (cuts, T) for what arrives there from outside.

    entering: (cuts, T), or (cuts, 1) where nothing changes.  start: tones (cuts, K) of so many turns (K,) a
    sample, which the waves at the cuts were made of before the first sample.
    """
    if entering.shape[1] == 1:
        return np.asarray(start[:, :1], dtype=np.complex128)
    before = [earlier(tones, turns) for tones in start]
    block = min((way.delay for way in found.values()), default=samples + LEAD) - LEAD
    out = np.array(entering)
    for first in range(0, samples, block):
        count = min(block, samples - first)
        for (o, i), way in found.items():
            out[o, first : first + count] += _back(out[i], before[i], way, first, count)
    return out


def _back(wave: ComplexArray, before: Earlier, way: Way, first: int, count: int) -> ComplexArray:
    """Return what a way adds to `count` samples from `first` on of a wave, known `before` its first one."""
    from scipy.signal import oaconvolve

    begin = first - way.delay + LEAD + 1 - way.taps.size
    window = stretch(wave, begin, count + way.taps.size - 1, before)
    return np.asarray(oaconvolve(window, way.taps, mode="valid"))


def refuse_growing(found: Mapping[tuple[int, int], Way], cuts: int, where: str) -> None:
    """Raise ParameterError where the sizes of S from cut to cut, in the band, do not shrink in a round."""
    length = max((way.taps.size for way in found.values()), default=1)
    size = np.zeros((length, cuts, cuts))
    for (o, i), way in found.items():
        size[:, o, i] = np.abs(np.fft.fft(way.taps, length))
    most = float(np.abs(np.linalg.eigvals(size)).max())
    if most >= 1:
        message = (
            f"Light in the loop of {where} may grow on its way round, by {most:.3g} as an amplitude: lower "
            "the gain below the loss, or take a dynamic_soa, which saturates."
        )
        raise ParameterError(message)


def _carried(
    run: Run,
    found: Mapping[tuple[int, int], Way],
    entering: ComplexArray,
    place: tuple[Sequence[int], Sequence[int], int],
    where: str,
) -> ComplexArray:
    """Return the waves behind the cuts, and keep their tones. place: cuts, waves behind them, carrier."""
    cuts, behind, c = place
    turns, tones = run.history.turns(c), entering[:, :1]
    if turns is not None:
        tones = np.array([run.history.arriving(w, c) for w in cuts])
    beating = np.zeros(1) if turns is None else turns
    start = lasting(found, tones, beating, where)
    if turns is not None:
        for wave, own in zip(behind, start, strict=True):
            run.history.keep(wave, c, own)
    late = [run.history.open_ones[w] for w in cuts if w in run.history.open_ones]
    if late:  # a guess goes round as long as any light does
        run.history.open_ones |= dict.fromkeys(behind, run.clock.samples)
    return carried_round(found, entering, start, beating, run.clock.samples)


def turning(
    run: Run, group: Sequence[Element], arriving: Mapping[int, ComplexArray]
) -> dict[int, ComplexArray]:
    """Return the waves behind the cuts of a linear loop, (C, T), for what arrives there from outside.

    Raises ParameterError where light grows on its way round, which only a loop with gain can.
    """
    cuts = tuple(w for e in group for w in e.arrivals)
    behind = tuple(w for e in group for w in e.departures)
    where, columns = ", ".join(dict.fromkeys(e.name for e in group)), []
    for c in range(len(run.clock.carriers)):
        own = [arriving[w][c] if w in arriving else np.zeros(1, dtype=np.complex128) for w in cuts]
        moving = any(moves(x) for x in own)
        entering = np.array(np.broadcast_arrays(*own) if moving else [x[:1] for x in own])
        if len(cuts) > 1 or cuts[0] in reached(run.cut.ahead, behind):
            found: dict[tuple[int, int], Way] = {}
            for ends, starts in run.groups(cuts, behind):
                one = run.response(tuple(ends), tuple(starts), c)
                found |= ways(one, [cuts.index(w) for w in ends], [behind.index(w) for w in starts])
            if run.active():
                refuse_growing(found, len(cuts), where)
            entering = _carried(run, found, entering, (cuts, behind, c), where)
        columns.append(entering)
    return {
        wave: np.array(np.broadcast_arrays(*(column[k] for column in columns)))
        for k, wave in enumerate(behind)
    }

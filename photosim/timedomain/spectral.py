"""Driven parts that act with their own spectrum: S(f) as it is at each instant, over the whole band.

S(f, t) is written as a sum of few products, g_m(t) S(f, t_m), by cross approximation: exact at the chosen
instants t_m for all frequencies, and at as many chosen frequencies for all times. Light passes the part as
it is at each t_m, and what leaves is weighted over time. The method is that of adaptive cross approximation
with full pivoting, bebendorf2000.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.timedomain.band import LEAD, PASS, Response, roll_off
from photosim.timedomain.convolution import Window, overlap_save, stretch
from photosim.timedomain.levels import over_time
from photosim.timedomain.scattering import CHUNK, round_delay, scattering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element
    from photosim.timedomain.drives import Drives
    from photosim.timedomain.history import Earlier

    ComplexArray = NDArray[np.complex128]
    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

EXACT = 1e-7
"""Error of S at which no more products are added, relative to the largest S."""
ALLOWED = 1e-4
"""Error of S that is accepted where no more products help."""
SMALL = 0.1
"""Weight of errors relative to what a drive changes."""
_PRODUCTS = 64
_ROUNDS = 6
_STEP_HZ = 1e7
"""Difference of frequency for slopes: narrow against any line, wide against rounding."""
_LONGEST = 1 << 20
_TAIL = 1e-8

Sample = Callable[["IntArray", "FloatArray"], "ComplexArray"]
"""Elements (N, W, paths) at instants and frequencies in Hz from the carrier."""


@dataclass(frozen=True)
class Cross:
    """A sum of products: frequencies (R,) from the carrier; instants and paths of the rows.

    chosen: elements (R, R) of the rows at the frequencies.
    """

    offsets: FloatArray
    instants: IntArray
    paths: IntArray
    chosen: ComplexArray
    error: float

    def rows(self, sample: Sample, offsets: FloatArray) -> ComplexArray:
        """Return the chosen elements at frequencies, (R, W)."""
        found = sample(self.instants, offsets)
        return np.asarray(found[np.arange(self.instants.size), :, self.paths])

    def weights(self, s: ComplexArray) -> ComplexArray:
        """Return the weights (R, N) of the products, from elements (N, R) at the frequencies.

        By elimination: the later products are small, and an inverse would make rounding as large as they are.
        """
        from scipy.linalg import lu_solve

        if self.chosen.size == 1:
            whole = self.chosen[0, 0]
            return np.asarray(s.T / whole if whole != 0 else np.zeros_like(s.T))
        return np.asarray(lu_solve(self._factors, s.T, check_finite=False))

    @cached_property
    def _factors(self) -> Any:
        from scipy.linalg import lu_factor

        return lu_factor(self.chosen.T)


def cross(sample: Sample, telling: IntArray, total: int, sample_rate: float) -> Cross:
    """Return the products for a band of the sample rate about the carrier.

    telling: instants at which the drives are well apart. The approximation is tried at other instants and
    frequencies, and what it misses is added.
    """
    random = np.random.default_rng(1)
    offsets = np.concatenate([[0.0], np.linspace(-0.4999, 0.4999, 129) * sample_rate])
    instants = telling
    for turn in range(_ROUNDS):
        a = sample(instants, offsets)
        found = _pivots(a, offsets, instants)
        beside = random.uniform(-0.5, 0.5, 192) * sample_rate
        later = np.unique(np.concatenate([random.integers(0, total, 24), random.choice(telling, 8)]))
        s = sample(later, beside)
        columns = sample(later, found.offsets)
        rows = found.rows(sample, beside)
        guess = np.stack([found.weights(own).T @ rows for own in np.moveaxis(columns, 2, 0)], axis=-1)
        wrong = np.abs(guess - s) / max(float(np.abs(a).max()), 1e-300)
        wrong *= roll_off(beside, sample_rate)[:, np.newaxis]
        error = max(found.error, float(wrong.max()))
        if error <= EXACT or (turn == _ROUNDS - 1 and error <= ALLOWED):
            return Cross(found.offsets, found.instants, found.paths, found.chosen, error)
        offsets = np.concatenate([offsets, beside])
        instants = np.unique(np.concatenate([instants, later]))
    message = (
        f"A driven part changes its spectrum too much within the band of {sample_rate:g} Hz to be followed "
        f"({_PRODUCTS} products are wrong by {error:.2g}): take a lower sample rate, or a smaller drive."
    )
    raise ParameterError(message)


def _pivots(a: ComplexArray, offsets: FloatArray, instants: IntArray) -> Cross:
    """Return the cross approximation of samples (N, W, paths); its first frequency is the carrier."""
    count = a.shape[2]
    rest = np.moveaxis(a, 1, 2).reshape(-1, offsets.size).copy()
    whole = rest.copy()
    peak = max(float(np.abs(rest).max()), 1e-300)
    rows: list[int] = []
    columns: list[int] = []
    while len(rows) < min(_PRODUCTS, *rest.shape):
        size = np.abs(rest) if rows else np.abs(rest[:, :1])
        row, column = np.unravel_index(int(np.argmax(size)), size.shape)
        if size[row, column] <= 0.1 * EXACT * peak:
            break
        rows.append(int(row))
        columns.append(int(column))
        rest = rest - np.outer(rest[:, column], rest[row] / rest[row, column])
    if not rows:
        rows, columns = [0], [0]
    place = np.array(rows)
    error = float(np.abs(rest).max()) / peak
    chosen = np.ascontiguousarray(whole[np.ix_(rows, columns)])
    return Cross(offsets[columns], instants[place // count], place % count, chosen, error)


def transport_delay(low: ComplexArray, high: ComplexArray, apart: float) -> float:
    """Return the delay in s that all elements share: the least group delay of those that matter.

    low, high: elements at two frequencies `apart` Hz from each other.
    """
    mean, slope = (low + high) / 2, (high - low) / (2 * np.pi * apart)
    counts = np.abs(mean) > 0.1 * max(float(np.abs(mean).max()), 1e-300)
    if not counts.any():
        return 0.0
    delays = np.imag(np.conj(mean) * slope)[counts] / np.abs(mean[counts]) ** 2
    return max(0.0, float(delays.min()))


def lag(drives: Drives, element: Element, carrier: float, offsets: FloatArray, telling: IntArray) -> float:
    """Return how wrong an element is that follows its drive at once.

    That is the first term that S(f, t) of the instant leaves out, d/dt dS/d omega; the largest at `offsets`
    in Hz from the carrier. Of one part the delay that all of its light has does not count, as its drive acts
    at its end. In a resonator, light of n rounds T meets the drive n(n - 1)/2 T to n(n + 1)/2 T before it
    leaves, where d/dt dS/d omega has n**2 T and dS/dt has n: T dS/dt is added, as d/dt dS/d omega alone
    vanishes midway between resonances. Where the drive changes little, a tenth of the error relative to that
    change counts.
    """
    at = np.unique(np.minimum(telling, drives.samples - 2))
    instants = np.concatenate([[0], at, at + 1])
    low = scattering(drives, element, instants, carrier + offsets - _STEP_HZ)
    high = scattering(drives, element, instants, carrier + offsets + _STEP_HZ)
    mean, slope = (low + high) / 2, (high - low) / (4 * np.pi * _STEP_HZ)
    change = float(np.abs(mean - mean[:1]).max())
    if change < EXACT:
        return 0.0
    resonant = element.kind == "resonator"
    delay = 0.0 if resonant else transport_delay(low, high, 2 * _STEP_HZ)
    round_trip = round_delay(drives, element, carrier, 2 * _STEP_HZ) if resonant else 0.0
    beyond = slope - 1j * delay * mean
    moved, turned = (x[1 + at.size :] - x[1 : 1 + at.size] for x in (mean, beyond))
    worst = float((np.abs(turned) + round_trip * np.abs(moved)).max()) * drives.sample_rate
    return max(worst, SMALL * worst / change)


def spread(drives: Drives, element: Element, carrier: float, offsets: FloatArray, telling: IntArray) -> float:
    """Return the largest difference of an element from itself at the carrier, at frequencies from there."""
    found = scattering(drives, element, telling, np.concatenate([[carrier], carrier + offsets]))
    return float(np.abs(found - found[:, :1]).max())


def passed(
    drives: Drives,
    element: Element,
    carrier: float,
    arriving: Mapping[int, ComplexArray],
    telling: IntArray,
    earlier: Mapping[int, Earlier | None],
) -> tuple[dict[int, ComplexArray], int, float]:
    """Return what leaves an element, by number of departure (T,), the number of products and their error.

    arriving: by number of arrival, (T,) or, where nothing changes, (1,).  earlier: by number of arrival its
    samples before the first one, or None where they were all the same.
    """
    still = {a: x[0] for a, x in arriving.items() if x.size == 1}
    moving = {a: x for a, x in arriving.items() if x.size > 1}
    offsets, error, light = np.zeros(1), 0.0, {}
    if moving:
        found, taps, delay = products(drives, element, carrier, telling)
        offsets, error = found.offsets, found.error
        light = {a: filtered(taps, delay, x, earlier.get(a)) for a, x in moving.items()}
    lit = [k for k, (a, _) in enumerate(element.paths) if a in still or a in light]
    out = {element.paths[k][1]: np.zeros(drives.samples, dtype=np.complex128) for k in lit}
    elements = over_time(drives, element, carrier + offsets, lit)
    for first in range(0, drives.samples, CHUNK):
        own = slice(first, min(first + CHUNK, drives.samples))
        s = elements(own.start, own.stop)
        for column, k in enumerate(lit):
            a, b = element.paths[k]
            if a in still:
                wave = s[:, 0, column] * still[a]
            else:
                wave = weighted(found.weights(s[:, :, column]), [product[own] for product in light[a]])
            out[b][own] += wave
    return out, offsets.size, error


def weighted(weight: ComplexArray, light: Sequence[ComplexArray]) -> ComplexArray:
    """Return the sum (N,) over products of weight (R, N) times light, (N,) each."""
    out = weight[0] * light[0]
    for own, wave in zip(weight[1:], light[1:], strict=True):
        out += own * wave
    return np.asarray(out)


def products(
    drives: Drives, element: Element, carrier: float, telling: IntArray
) -> tuple[Cross, ComplexArray, int]:
    """Return the products of an element about a carrier, their responses (R, K) and a delay before them.

    Responses begin LEAD samples ahead. They are kept with the drives.
    """
    key = ("products", element.name, carrier)
    if key not in drives.tables:

        def sample(at: IntArray, offsets: FloatArray) -> ComplexArray:
            return scattering(drives, element, at, carrier + offsets)

        found = cross(sample, telling, drives.samples, drives.sample_rate)
        drives.tables[key] = found, *_responses(found, sample, drives.sample_rate)
    kept: tuple[Cross, ComplexArray, int] = drives.tables[key]
    return kept


def _responses(found: Cross, sample: Sample, sample_rate: float) -> tuple[ComplexArray, int]:
    """Return the chosen responses (R, K) from LEAD samples ahead on, and a delay in samples before them."""
    places = np.linspace(-PASS, PASS, 65) * sample_rate
    low, high = (found.rows(sample, places + d) for d in (-_STEP_HZ, _STEP_HZ))
    delay = int(transport_delay(low, high, 2 * _STEP_HZ) * sample_rate)
    length = 1024
    while True:
        bins = np.asarray(np.fft.fftfreq(length, 1 / sample_rate), dtype=np.float64)
        turn = np.exp(2j * np.pi * ((bins / sample_rate * delay) % 1.0)) * roll_off(bins, sample_rate)
        taps = np.roll(np.fft.ifft(found.rows(sample, -bins) * turn, axis=-1), LEAD, axis=-1)
        size = np.sqrt((np.abs(taps) ** 2).sum(axis=0))
        whole = max(float(np.linalg.norm(size)), 1e-300)
        tail = float(np.linalg.norm(size[int(0.6 * length) :])) / whole
        if tail <= _TAIL or length >= _LONGEST:
            break
        length *= 2
    if tail > ALLOWED:
        message = (
            f"A driven part holds its light for longer than {0.6 * length / sample_rate:g} s: take a lower "
            "sample rate, or more loss."
        )
        raise ParameterError(message)
    kept = 1 + int(np.flatnonzero(size > 1e-2 * _TAIL * whole)[-1])
    return taps[:, : max(LEAD + 1, min(kept, int(0.6 * length)))], delay


def first_passed(
    drives: Drives, element: Element, carrier: float, tones: Mapping[int, ComplexArray], offsets: FloatArray
) -> dict[int, ComplexArray]:
    """Return the tones that leave an element as it is at first, by number of departure, (K,).

    tones: by number of arrival (K,), at offsets (K,) in Hz from the carrier.
    """
    s = scattering(drives, element, np.zeros(1, np.int64), carrier + offsets)[0]
    out: dict[int, ComplexArray] = {}
    for k, (a, b) in enumerate(element.paths):
        if a in tones:
            out[b] = out.get(b, np.zeros(offsets.size, dtype=np.complex128)) + s[:, k] * tones[a]
    return out


def filtered(taps: ComplexArray, delay: int, x: ComplexArray, earlier: Earlier | None) -> list[ComplexArray]:
    """Return a wave (T,) behind each of R filters, (T,) each, its ends held, or as it was `earlier`."""
    return behind(taps, delay, x.size, lambda _, begin, length: stretch(x, begin, length, earlier))


def behind(taps: ComplexArray, delay: int, samples: int, window: Window) -> list[ComplexArray]:
    """Return so many samples of a wave behind each filter (R, K), (samples,) each; window gives the wave."""
    count = taps.shape[0]
    one = Response(taps[:, np.newaxis], np.zeros((count, 1), complex), np.full((count, 1), delay))
    return overlap_save(one, [0], [0j] * count, samples, window)

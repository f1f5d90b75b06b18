"""Transmitter and dispersion eye closure for four levels (TDECQ): IEEE Std 802.3-2018, 121.8.5.3.

A trace passes a Bessel-Thomson receiver of half the symbol rate and an equaliser of taps one symbol apart
whose sum is 1. Gaussian noise is added in front of the equaliser until symbols err as often as those of an
ideal signal with Q_t: R is its rms, and TDECQ = 10 log10(OMA_outer/(6 Q_t R)) the power that the ideal signal
has to spare. Errors are those of two windows of the equalised eye, and the worse window counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.figures.record import finer, near
from photosim.errors import ParameterError
from photosim.smatrix import ByValue
from photosim.timedomain.low_pass import low_pass, response

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.analysis.figures.record import Record

    FloatArray = NDArray[np.float64]

Q_T = 3.414
"""Q of the ideal signal: symbols err at 4.8e-4."""
WINDOWS = (0.45, 0.55)
WIDTH = 0.04
"""Middles and width of the windows, in symbols from the mean crossing of the average."""
RECEIVER = 0.5
"""Half-power frequency of the receiver, a Bessel-Thomson low-pass of order 4, in symbol rates."""
ORDER = 4
ALLOWED = 4.8e-4
"""Rate of symbol errors of the ideal signal, rounded."""
MOST_SYMBOLS = 1 << 17
"""Most symbols of an analysis: the first ones of a longer trace."""
FEW = 1 << 13
"""Symbols of the first search."""
_POINTS, _COARSE, _SLICES, _BINS = 64, 4, 5, 512
"""Instants of a symbol; every how many-th tells the crossing; instants of a window; histogram bins."""
EDGE = 16
"""Symbols at the ends of a trace that the filters do not know."""
LEAST_SYMBOLS = 64
MOST_TRACES = 2048


@dataclass(frozen=True, eq=False)
class Tdecq(ByValue):
    """TDECQ and what it follows from, in the unit of the trace.

    value_dB: TDECQ.  oma_outer, average: behind the receiver.  added_noise: rms of the noise that can be
    added, R of the definition with that of the oscilloscope.  taps: of the equaliser; tap j weighs the signal
    j - main symbols earlier.  noise_gain: C_eq, rms of the noise behind the equaliser over that before it.
    wrong: share of the samples in the worse window that lie on the wrong side of a threshold by themselves:
    above ALLOWED the trace errs too often without any noise, and the definition says nothing.
    time: (n,) in symbols over two symbols from a crossing, and traces: (symbols, n) of the equalised eye.
    """

    value_dB: float
    oma_outer: float
    average: float
    added_noise: float
    taps: tuple[float, ...]
    main: int
    noise_gain: float
    symbols: int
    wrong: float
    time: FloatArray
    traces: FloatArray

    def numbers(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return {
            "tdecq_dB": self.value_dB,
            "oma_outer": self.oma_outer,
            "average": self.average,
            "added_noise": self.added_noise,
            "taps": list(self.taps),
            "main_tap": self.main,
            "noise_gain": self.noise_gain,
            "noise_enhancement_dB": 10 * float(np.log10(self.noise_gain)),
            "symbols": self.symbols,
            "wrong_share": self.wrong,
            "q_t": Q_T,
        }


@dataclass(frozen=True)
class _Search:
    """Samples behind the receiver, and what does not depend on the taps.

    rows: (_POINTS + 1, symbols), instants of a symbol, the last one being the next symbol's first.
    thresholds: (3,).  correlation: (taps, taps) of the receiver's noise.
    """

    rows: FloatArray
    average: float
    thresholds: FloatArray
    correlation: FloatArray

    def few(self, symbols: int) -> _Search:
        """Return the search over the first symbols only."""
        rows = np.ascontiguousarray(self.rows[:, :symbols])
        return _Search(rows, self.average, self.thresholds, self.correlation)

    def crossing(self, taps: FloatArray) -> float:
        """Return the mean time, a part of a symbol, at which the equalised trace crosses the average."""
        rows = equalised(self.rows[::_COARSE], taps) - self.average
        place, symbol = np.nonzero((rows[1:] > 0) != (rows[:-1] > 0))
        before, after = rows[place, symbol], rows[place + 1, symbol]
        times = (place - before / (after - before)) * (_COARSE / _POINTS)
        return near(times, 0.0) % 1.0

    def window(self, taps: FloatArray, middle: float) -> FloatArray:
        """Return the values of the equalised trace in a window about a time in symbols."""
        offsets = (np.arange(_SLICES) + 0.5) / _SLICES - 0.5
        place = (middle + WIDTH * offsets) % 1.0 * _POINTS
        index = np.minimum(place.astype(np.int64), _POINTS - 1)
        share = (place - index)[:, np.newaxis]
        seen = self.rows[index] * (1 - share) + self.rows[index + 1] * share
        return equalised(seen, taps).ravel()

    def noise(self, taps: FloatArray) -> float:
        """Return the rms of noise in front of the equaliser at which the worse window errs as allowed."""
        crossing = self.crossing(taps)
        left = min(largest_noise(self.window(taps, crossing + at), self.thresholds) for at in WINDOWS)
        return left / self.gain(taps)

    def gain(self, taps: FloatArray) -> float:
        """Return C_eq."""
        return float(np.sqrt(taps @ self.correlation @ taps))


def tdecq(record: Record, *, taps: int = 5, received: bool = False, scope_noise: float = 0.0) -> Tdecq:
    """Return the TDECQ of a record of four levels.

    received: the trace has passed the receiver already.  scope_noise: rms of noise in the trace that is not
    the transmitter's. Raises ParameterError for other numbers of levels, and for too few symbols.
    """
    if record.levels != 4:
        message = f"TDECQ is defined for four levels, got {record.levels}."
        raise ParameterError(message)
    if record.label.size < LEAST_SYMBOLS:
        message = f"TDECQ needs {LEAST_SYMBOLS} symbols or more, got {record.label.size}."
        raise ParameterError(message)
    seen = record
    if not received:
        values = low_pass(record.values, RECEIVER, record.ratio, order=ORDER)
        seen = record.moved(values, _delay())
    low, high = seen.outer()
    oma = high - low
    rows = _resampled(seen, _symbols(record, taps))
    symbols = rows.shape[1]
    average = float(rows[:-1, : symbols - taps + 1].mean())
    thresholds = average + oma / 3 * np.array([-1.0, 0.0, 1.0])
    search = _Search(rows, average, thresholds, _correlation(taps))
    label = seen.label[EDGE : EDGE + symbols]
    found = _best(search, np.asarray(low + oma / 3 * label, dtype=np.float64), oma)
    noise = search.noise(found)
    main = int(np.abs(found).argmax())
    time, traces = _eye(search, found)
    total = float(np.hypot(noise, scope_noise))
    return Tdecq(
        float(10 * np.log10(oma / (6 * Q_T * total))), oma, average, total,
        tuple(float(t) for t in found), main, search.gain(found), symbols,
        _wrong(search, found, label, main), time, traces,
    )  # fmt: skip


def largest_noise(values: FloatArray, thresholds: FloatArray) -> float:
    """Return the rms of Gaussian noise at which values (N,) err as often as an ideal signal with Q_t.

    Errors are the sum over thresholds of how likely noise is to carry a value across it, whichever side it
    lies on. Values are counted in bins, each shared by two neighbouring ones.
    """
    from scipy.optimize import brentq
    from scipy.special import erfc

    low, high = float(values.min()), float(values.max())
    step = max(high - low, 1e-12 * max(abs(low), abs(high))) / (_BINS - 2)
    place = (values - low) / step
    index = np.floor(place).astype(np.int64)
    share = place - index
    count = np.bincount(index, 1 - share, minlength=_BINS) + np.bincount(index + 1, share, minlength=_BINS)
    used = np.flatnonzero(count > 0)
    apart = np.abs((low + step * used)[:, np.newaxis] - thresholds) / np.sqrt(2)
    weight = count[used] / values.size
    allowed = 1.5 * float(erfc(Q_T / np.sqrt(2)) / 2)
    size = float(np.ptp(thresholds))

    def excess(log_noise: float) -> float:
        rate = float(weight @ (erfc(apart / np.exp(log_noise)) / 2).sum(axis=1))
        return float(np.log(max(rate, 1e-300) / allowed))

    ends = np.log(size * 1e-3), np.log(size)
    if excess(ends[0]) > 0:
        ends = np.log(size * 1e-12), ends[0]
    return float(np.exp(brentq(excess, *ends, xtol=1e-6)))


def equalised(rows: FloatArray, taps: FloatArray) -> FloatArray:
    """Return samples (n, symbols) behind taps one symbol apart, (n, symbols - taps + 1)."""
    count = rows.shape[1] - taps.size + 1
    found = taps[0] * rows[:, taps.size - 1 :]
    for k in range(1, taps.size):
        found += taps[k] * rows[:, taps.size - 1 - k : taps.size - 1 - k + count]
    return np.asarray(found)


def _symbols(record: Record, taps: int) -> int:
    """Return how many symbols are analysed: whole periods behind the equaliser where there are any."""
    most = min(record.label.size - 2 * EDGE, MOST_SYMBOLS)
    periods = 0 if record.period is None else (most - taps + 1) // record.period
    return periods * record.period + taps - 1 if periods and record.period else most


def _resampled(record: Record, symbols: int) -> FloatArray:
    """Return the record at instants of each symbol, (_POINTS + 1, symbols), its ends left out."""
    from scipy.interpolate import make_interp_spline

    values, ratio = finer(record.values, record.ratio)
    places = (record.start + EDGE + np.arange(symbols * _POINTS + 1) / _POINTS) * ratio
    first, last = math.floor(places[0]) - EDGE, math.ceil(places[-1]) + EDGE
    fine = make_interp_spline(np.arange(first, last), values[first:last])(places)
    rows = np.empty((_POINTS + 1, symbols))
    rows[:-1] = fine[:-1].reshape(symbols, _POINTS).T
    rows[-1] = fine[_POINTS::_POINTS]
    return rows


def _delay() -> float:
    """Return the delay of the receiver for slow signals, in symbols."""
    step = 1e-4
    turned = np.angle(response(np.array([step]), RECEIVER, order=ORDER)[0])
    return float(-turned / (2 * np.pi * step))


def _correlation(taps: int) -> FloatArray:
    """Return the correlation (taps, taps) of white noise behind the receiver at instants a symbol apart."""
    frequency = np.linspace(0.0, 8.0, 1 << 14)
    power = np.abs(response(frequency, RECEIVER, order=ORDER)) ** 2
    lags = np.arange(taps)
    found = np.trapezoid(power * np.cos(2 * np.pi * lags[:, np.newaxis] * frequency), frequency)
    apart = np.abs(lags[:, np.newaxis] - lags)
    return np.asarray((found / found[0])[apart])


def _best(search: _Search, wanted: FloatArray, oma: float) -> FloatArray:
    """Return the taps of sum 1 that leave room for the most noise.

    wanted: (symbols,) levels of the symbols. The search starts at the least squares for each main tap.
    """
    size, symbols = len(search.correlation), search.rows.shape[1]
    few = search.few(FEW) if symbols > FEW + FEW // 8 else search
    starts = [_least_squares(search, wanted, main, oma) for main in range(size)]
    found = _climbed(few.noise, max(starts, key=few.noise))
    return found if few is search else _climbed(search.noise, found, few=True)


def _least_squares(search: _Search, wanted: FloatArray, main: int, oma: float) -> FloatArray:
    """Return the taps of sum 1 whose error in the middle of symbols is least, noise at Q_t included."""
    size = len(search.correlation)
    crossing = search.crossing(np.eye(size)[main])
    middle = search.rows[round((crossing + 0.5) % 1.0 * _POINTS)]
    rows = np.lib.stride_tricks.sliding_window_view(middle, size)[:, ::-1]
    target = wanted[size - 1 - main : size - 1 - main + len(rows)]
    centred, aim = rows - search.average, target - search.average
    noise = (oma / (6 * Q_T)) ** 2 * search.correlation
    left = np.ones((size + 1, size + 1))
    left[:size, :size] = centred.T @ centred / len(rows) + noise
    left[size, size] = 0.0
    right = np.append(centred.T @ aim / len(rows), 1.0)
    return np.asarray(np.linalg.solve(left, right)[:size])


def _climbed(noise: Callable[[FloatArray], float], start: FloatArray, *, few: bool = False) -> FloatArray:
    """Return the taps of sum 1 near a start at which `noise` is largest; few: the start is close already."""
    from scipy.optimize import minimize

    size = start.size
    main = int(np.abs(start).argmax())
    others = np.delete(np.arange(size), main)

    def whole(free: FloatArray) -> FloatArray:
        taps = np.empty(size)
        taps[others], taps[main] = free, 1.0 - free.sum()
        return taps

    first = start[others]
    if not first.size:
        return start
    for reach in (0.003,) if few else (0.03, 0.006):
        simplex = np.vstack([first, first + reach * np.eye(first.size)])
        done = minimize(
            lambda free: -float(np.log(noise(whole(free)))), first, method="Nelder-Mead", tol=None,
            options={"initial_simplex": simplex, "xatol": 5e-4, "fatol": 2e-4, "maxfev": 250},
        )  # type: ignore[call-overload] # fmt: skip
        first = done.x
    return whole(first)


def _wrong(search: _Search, taps: FloatArray, label: NDArray[np.int64], main: int) -> float:
    """Return the share of samples on the wrong side of a threshold, in the worse window."""
    crossing, late = search.crossing(taps), taps.size - 1 - main
    own = label[late : late + search.rows.shape[1] - taps.size + 1]
    shares = []
    for at in WINDOWS:
        seen = search.window(taps, crossing + at).reshape(_SLICES, -1)[:, : own.size]
        shares.append(float(np.mean(np.searchsorted(search.thresholds, seen) != own)))
    return max(shares)


def _eye(search: _Search, taps: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return time (n,) in symbols and traces (symbols, n) of the equalised eye over two symbols."""
    series = equalised(search.rows[:-1], taps).T.ravel()
    first = round(search.crossing(taps) * _POINTS)
    rows = min((series.size - first) // _POINTS - 2, MOST_TRACES)
    over = np.arange(2 * _POINTS + 1)
    return over / _POINTS, series[first + np.arange(rows)[:, np.newaxis] * _POINTS + over]

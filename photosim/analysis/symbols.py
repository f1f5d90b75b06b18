"""Signals seen symbol by symbol: their values at an instant, and how they lie against the symbols sent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

POINTS = 64
"""Most sampling instants of a symbol; fewer where a symbol has fewer samples."""
FINE = 16
"""Samples a symbol from which on the nearest sample stands for an instant between two of them."""
TAPS = 64
"""Samples from which a value between two samples is interpolated: a sinc, so that noise keeps its power."""
MOST_LEVELS = 16
ENOUGH = 30
"""Errors from which a count is compared with the estimate."""
CLEAN = 1e3
"""Q of a symbol without noise: above it all instants are alike."""
_MOST_VALUES = 1 << 24
"""Values of a folded signal that are kept at a time."""
_COARSE = 8
"""Instants at which the delay is searched."""
_BEHIND = 4096
"""Symbols that may have been sent before a record begins, or four times its own number if that is more."""


def counted_over(errors: int | None, symbols: int, rate: float | None) -> float | None:
    """Return counted over estimated symbol errors; None where fewer than ENOUGH fell, or for no estimate."""
    return None if errors is None or errors < ENOUGH or not rate else errors / (symbols * rate)


@dataclass(frozen=True, eq=False)
class Alignment(ByValue):
    """How a signal lies against the symbols sent: symbol n is seen at (n + delay + at)/symbol_rate.

    at: part of a symbol.  delay: whole symbols, negative where the record begins later than the symbols.
    first: number of the first symbol of the record that counts, start-up being left out.  column: number of
    the instant.  label: level of each symbol of the record from `first` on, counted from the lowest sent.
    """

    at: float
    delay: int
    first: int
    column: int
    label: IntArray
    inverted: bool


def checked(signal: Any, sample_rate: float, symbol_rate: float) -> tuple[NDArray[Any], float]:
    """Return a signal (T,) as an array, and its samples per symbol; refuse one that has no eye."""
    values = np.asarray(signal)
    if values.ndim != 1 or not np.isfinite(values).all():
        message = f"A signal is one row of finite values, got the shape {values.shape}" + (
            "." if values.ndim != 1 else " with values that are not finite."
        )
        raise ParameterError(message)
    for name, rate in (("sample rate", sample_rate), ("symbol rate", symbol_rate)):
        if not (np.isfinite(rate) and rate > 0):
            message = f"The {name} of a signal must be a positive number in Hz, got {rate!r}."
            raise ParameterError(message)
    if sample_rate < 2 * symbol_rate:
        message = f"An eye needs 2 samples a symbol: {sample_rate:g} Hz are too few for {symbol_rate:g}/s."
        raise ParameterError(message)
    ratio = sample_rate / symbol_rate
    # A rate such as 64e9/1e9 is a whole number of samples, whatever the rounding of the two.
    return values, float(round(ratio)) if abs(ratio - round(ratio)) < 1e-9 * ratio else ratio


def refuse_constant(values: FloatArray, question: str) -> None:
    """Raise ParameterError for a signal that does not change."""
    spread = float(np.ptp(values)) if values.size else 0.0
    if spread <= 1e-9 * float(np.abs(values).max(initial=0.0)):
        level = f"{values[0]:g}" if values.size else "empty"
        message = f"The signal is constant ({level}), so it has no {question}: drive it with symbols."
        raise ParameterError(message)


def instants(ratio: float, most: int = POINTS) -> FloatArray:
    """Return the sampling instants of a symbol (E,), in samples: whole numbers where possible."""
    if ratio.is_integer():
        return np.unique(np.floor(np.linspace(0, ratio, min(most, int(ratio)), endpoint=False) + 1e-9))
    count = min(most, math.ceil(ratio))
    return np.asarray(np.arange(count) * (ratio / count), dtype=np.float64)


def values_at(values: NDArray[Any], places: FloatArray, ratio: float) -> NDArray[Any]:
    """Return a signal (T,) at places in samples, of any shape, without averaging its noise.

    Own samples are taken as they are. Between them the nearest one stands in where a symbol has FINE of them
    or more; else a sinc over TAPS samples interpolates, for signals that are band-limited.
    """
    near = np.rint(places)
    if ratio >= FINE or np.abs(places - near).max(initial=0.0) < 1e-6:
        return np.asarray(values[np.clip(near.astype(np.int64), 0, values.size - 1)])
    flat = places.ravel()
    index = np.floor(flat).astype(np.int64)
    return interpolated(values, index, flat - index).reshape(places.shape)


def interpolated(values: NDArray[Any], index: IntArray, part: FloatArray) -> NDArray[Any]:
    """Return a signal (T,) a part of a sample (N,) behind samples (N,), by a sinc over TAPS of them."""
    found = np.empty(index.size, dtype=np.result_type(values, np.float64))
    reach = np.arange(1 - TAPS // 2, TAPS // 2 + 1)
    chunk = max(1, (1 << 20) // TAPS)
    for start in range(0, index.size, chunk):
        own = index[start : start + chunk, np.newaxis] + reach
        apart = part[start : start + chunk, np.newaxis] - reach
        window = np.i0(8.0 * np.sqrt(np.maximum(1.0 - (apart / (TAPS / 2)) ** 2, 0.0)))
        weights = np.sinc(apart) * window
        weights /= weights.sum(axis=1, keepdims=True)
        found[start : start + chunk] = (values[np.clip(own, 0, values.size - 1)] * weights).sum(axis=1)
    return found


def folded(
    values: NDArray[Any], ratio: float, offsets: FloatArray, first: int = 0
) -> tuple[NDArray[Any], int]:
    """Return a signal (T,) at `offsets` (E,) samples from each symbol, (symbols, E), and their number.

    Symbols from `first` on, up to the last one whose instants all lie in the record.
    """
    last = math.floor((values.size - 1 - float(offsets[-1])) / ratio + 1e-9)
    numbers = np.arange(first, max(first, last + 1))
    return values_at(values, numbers[:, np.newaxis] * ratio + offsets, ratio), numbers.size


def align(
    values: FloatArray, ratio: float, sent: Any, *, skip: int = 0, at: float | None = None
) -> Alignment:
    """Return how a signal (T,) lies against the symbols sent (N,), which repeat from their first one on.

    Delay and sign are those of the largest covariance, over all instants and delays up to the whole record.
    Of delays that differ by periods of the symbols that one counts which explains the most symbols, so that
    what came before the first one does not; symbols after it that follow what was sent no better than chance
    are left out too. The instant is that of the largest Q of the symbols by what was sent. Raises
    ParameterError for symbols that are all alike, and for a signal that does not follow them.
    """
    heights, sequence = _levels(sent)
    count = max(2, math.floor(values.size / ratio))
    offsets = instants(ratio, int(np.clip(_MOST_VALUES // count, 4, POINTS)))
    matrix, rows = folded(values, ratio, offsets)
    if rows <= skip + 2 * heights.size:
        message = f"Symbols of {heights.size} levels need a record of {skip + 8 * heights.size}, got {rows}."
        raise ParameterError(message)
    refuse_constant(values[round(skip * ratio) :], "symbols")
    columns = np.arange(offsets.size)
    if at is not None:
        columns = np.array([np.abs(offsets / ratio - at % 1.0).argmin()])
    centred = matrix - matrix[skip:].mean(axis=0)
    centred[:skip] = 0.0
    column, delay = _coarse(centred, columns, heights[sequence])
    delay, first = _delay(matrix[:, column], sequence, heights.size, delay, skip)
    if at is None:
        shift = _best_instant(matrix, sequence, heights.size, column, delay, first)
        delay, column = delay + (column + shift) // offsets.size, (column + shift) % offsets.size
        first = max(first, delay)
    label = sequence[(np.arange(first, rows) - delay) % sequence.size]
    means, _ = levels_of(matrix[first:, column], label, heights.size)
    inverted = bool(means[-1] < means[0])
    return Alignment(float(offsets[column] / ratio), int(delay), int(first), int(column), label, inverted)


def levels_of(values: NDArray[Any], label: IntArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Return means and standard deviations (levels, ...) of values (symbols, ...) by their labels."""
    groups = [values[label == k] for k in range(count)]
    with np.errstate(invalid="ignore"):
        means = [g.mean(axis=0) if len(g) else np.full(values.shape[1:], np.nan) for g in groups]
        spreads = [g.std(axis=0) if len(g) else np.full(values.shape[1:], np.nan) for g in groups]
    return np.array(means, dtype=np.float64), np.array(spreads, dtype=np.float64)


def qualities(means: FloatArray, spreads: FloatArray) -> FloatArray:
    """Return the distances of neighbouring levels over the sum of their spreads, (levels - 1, ...)."""
    order = np.argsort(means, axis=0)
    means, spreads = np.take_along_axis(means, order, axis=0), np.take_along_axis(spreads, order, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(np.diff(means, axis=0) / (spreads[1:] + spreads[:-1]), nan=0.0, posinf=np.inf)


def decided(values: FloatArray, means: FloatArray, spreads: FloatArray | None = None) -> IntArray:
    """Return the level (symbols,) that each value is taken for, by thresholds between means (levels,).

    A threshold lies as many spreads from one level as from the other, where two Gaussians err about equally;
    in the middle without spreads.
    """
    order = np.argsort(means)
    low, high = means[order][:-1], means[order][1:]
    share = np.full(low.size, 0.5)
    if spreads is not None:
        left, both = spreads[order][:-1], spreads[order][1:] + spreads[order][:-1]
        # A level without spread must not lie on its own threshold.
        share = np.clip(np.divide(left, both, out=share, where=both > 0), 0.1, 0.9)
    return np.asarray(order[np.searchsorted(low + (high - low) * share, values)], dtype=np.int64)


def best_of(figures: FloatArray) -> int:
    """Return the number of the instant, of (E,) that come round, at which a figure is best.

    Figures are averaged over a sixteenth of them to either side: the best of many by chance is not the best.
    Of equal ones that counts which lies farthest from worse ones.
    """
    count = figures.size
    finite = np.clip(np.nan_to_num(figures, nan=-1e300, posinf=1e300, neginf=-1e300), -1e300, 1e300)
    reach = count // 16
    mean = np.mean([np.roll(finite / (2 * reach + 1), k) for k in range(-reach, reach + 1)], axis=0)
    best = mean >= mean.max() - 1e-6 * abs(mean.max())
    if best.all():
        return count // 2
    apart = np.abs(np.flatnonzero(best)[:, np.newaxis] - np.flatnonzero(~best))
    return int(np.flatnonzero(best)[np.minimum(apart, count - apart).min(axis=1).argmax()])


def _levels(sent: Any) -> tuple[FloatArray, IntArray]:
    """Return the levels of the symbols sent, rising, and the number of the level of each symbol (N,)."""
    symbols = np.asarray(sent, dtype=np.float64)
    if symbols.ndim != 1 or not np.isfinite(symbols).all():
        message = f"The symbols sent are one row of finite levels, got the shape {symbols.shape}."
        raise ParameterError(message)
    heights, sequence = np.unique(symbols, return_inverse=True)
    if not 2 <= heights.size <= MOST_LEVELS:
        message = f"The symbols sent must have 2 to {MOST_LEVELS} levels, got {heights.size}."
        raise ParameterError(message)
    return heights, sequence.astype(np.int64)


def _before(rows: int, symbols: int) -> int:
    """Return how many symbols may have been sent before a record of `rows` symbols begins."""
    return min(symbols - 1, max(4 * rows, _BEHIND))


def _correlate(signal: FloatArray, sequence: FloatArray, behind: int) -> FloatArray:
    """Return the sums over n of signal[n] sequence[n - d] for d from -behind to len(signal) - 1.

    The sequence repeats; nothing was sent before its first symbol.
    """
    from scipy import fft

    rows = signal.size
    whole = np.resize(sequence, rows + behind)
    size = fft.next_fast_len(2 * rows + behind, real=True)
    found = fft.irfft(fft.rfft(signal, size) * np.conj(fft.rfft(whole, size)), size)
    return np.asarray(np.concatenate([found[size - behind :], found[:rows]]))


def _coarse(centred: FloatArray, columns: IntArray, symbols: FloatArray) -> tuple[int, int]:
    """Return the instant and the delay in symbols of the largest covariance of signal and symbols."""
    behind = _before(len(centred), symbols.size)
    few = columns[np.unique(np.linspace(0, columns.size - 1, _COARSE).astype(int))]
    level = symbols - symbols.mean()
    found = np.array([np.abs(_correlate(centred[:, k], level, behind)) for k in few])
    place, lag = np.unravel_index(int(found.argmax()), found.shape)
    return int(few[place]), int(lag) - behind


def _delay(column: FloatArray, sequence: IntArray, levels: int, delay: int, skip: int) -> tuple[int, int]:
    """Return the delay in symbols, and the number of the first symbol of the record that counts.

    Both make the symbols' likelihood largest, those left out being decided by chance.
    """
    rows, behind = column.size, _before(column.size, sequence.size)
    start = max(delay, skip)
    label = sequence[(np.arange(start, rows) - delay) % sequence.size]
    means, _ = levels_of(column[start:], label, levels)
    if np.isnan(means).any():
        _refuse_unrelated(rows)
    taken = decided(column, means)  # spreads are those of start-up too, as yet
    counted = np.arange(rows) >= skip
    right = sum(
        _correlate((counted & (taken == k)).astype(float), (sequence == k).astype(float), behind)
        for k in range(levels)
    )
    delays = np.arange(-behind, rows)
    compared = rows - np.maximum(delays, skip)
    gains = _gain(compared - np.rint(right), compared, levels)
    # A record that begins before the symbols do is the rule: one cut from a longer one has to show it.
    gains[delays < 0] -= 10.0
    best = int(gains.argmax())
    if gains[best] < np.log(_COARSE * delays.size) + 7.0:
        _refuse_unrelated(rows)
    delay = int(delays[best])
    first = max(delay, skip)
    wrong = taken[first:] != sequence[(np.arange(first, rows) - delay) % sequence.size]
    left = np.cumsum(wrong[::-1])[::-1]
    tails = _gain(left, np.arange(left.size, 0, -1), levels)
    late = int(np.argmax(tails))
    return delay, first + (late if tails[late] - tails[0] > math.log(rows) + 5.0 else 0)


def _gain(wrong: Any, compared: Any, levels: int) -> FloatArray:
    """Return by how much the log-likelihood of symbols exceeds that of chance, with `wrong` of them wrong."""
    from scipy.special import xlog1py, xlogy

    n = np.maximum(np.asarray(compared, dtype=np.float64), 1e-9)
    p = np.clip(np.asarray(wrong, dtype=np.float64) / n, 0.0, 1.0 - 1.0 / levels)
    entropy = -xlogy(p, p) - xlog1py(1.0 - p, -p) + p * np.log(max(levels - 1, 1))
    return np.asarray(n * (np.log(levels) - entropy))


def _best_instant(
    matrix: FloatArray, sequence: IntArray, levels: int, column: int, delay: int, first: int
) -> int:
    """Return by how many instants the one of the largest Q lies after `column`, within a symbol."""
    points = int(matrix.shape[1])
    start = (first - 1) * points + column
    skipped = -(-max(0, -start) // points)
    flat = matrix.ravel()[start + skipped * points :]
    seen = np.lib.stride_tricks.sliding_window_view(flat, 2 * points)[::points]
    label = sequence[(np.arange(len(seen)) + first + skipped - delay) % sequence.size]
    quality = qualities(*levels_of(seen, label, levels)).min(axis=0)
    return best_of(np.minimum(quality, CLEAN)) - points


def _refuse_unrelated(rows: int) -> None:
    message = (
        f"The signal does not follow the symbols sent: at no delay within its {rows} symbols do they agree "
        "better than by chance. Check the symbol rate, and that these symbols drive this signal."
    )
    raise ParameterError(message)

"""Figures of complex traces: the error vector magnitude of the symbols of a constellation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.result import Table
from photosim.analysis.symbols import checked, folded, instants
from photosim.display import Tabled
from photosim.errors import ParameterError, listing
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    ComplexArray = NDArray[np.complex128]
    FloatArray = NDArray[np.float64]

SQUARES = (4, 16, 64, 256)
"""Numbers of points of the square constellations that are known without the symbols sent."""
_BLIND = (
    "The symbols sent are not given: each point is held against the nearest one of the constellation, so "
    "errors cannot be counted and a large error vector looks smaller than it is."
)
_INSTANTS = 32
_UNRELATED = 0.02
"""Squared correlation with the symbols sent below which a trace does not follow them."""


@dataclass(frozen=True, eq=False)
class ConstellationFigures(Tabled, ByValue):
    """Figures of a constellation; points over `gain` lie on `ideal`.

    evm: rms of points/gain - ideal over the rms of ideal.  evm_peak: the largest of these over the same.
    gain: complex factor of least squares from ideal to points.  points, ideal: (symbols,).  at: sampling
    instant as a part of a symbol.  delay: whole symbols of the trace against those sent, symbol_errors: how
    many points lie nearer to another symbol; both None where the symbols sent are not known.
    """

    evm: float
    evm_peak: float
    gain: complex
    points: ComplexArray
    ideal: ComplexArray
    at: float
    unit: str = ""
    delay: int | None = None
    symbol_errors: int | None = None

    @property
    def evm_dB(self) -> float:
        """20 log10 of the error vector magnitude."""
        return 20 * float(np.log10(self.evm)) if self.evm > 0 else -np.inf

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences about what limits the figures."""
        if self.delay is not None:
            return ()
        return (_BLIND,)

    def numbers(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return {
            "kind": "constellation",
            "symbols": int(self.points.size),
            "points": int(np.unique(np.round(self.ideal, 9)).size),
            "evm": self.evm,
            "evm_dB": self.evm_dB if np.isfinite(self.evm_dB) else None,
            "evm_peak": self.evm_peak,
            "gain": {"re": self.gain.real, "im": self.gain.imag},
            "at": self.at,
            "delay_symbols": self.delay,
            "symbol_errors": self.symbol_errors,
            "remarks": list(self.remarks),
        }

    def tables(self, title: str = "figures") -> tuple[Table, ...]:
        """Return the figures as people read them."""
        rows: list[tuple[Any, ...]] = [
            ("symbols", str(self.points.size)),
            ("error vector magnitude, rms (%)", f"{100 * self.evm:.4g}"),
            ("error vector magnitude, rms (dB)", f"{self.evm_dB:.4g}"),
            ("error vector magnitude, peak (%)", f"{100 * self.evm_peak:.4g}"),
        ]
        if self.symbol_errors is not None:
            rows.append(("symbol errors", str(self.symbol_errors)))
        return (Table(title, ("figure", "value"), tuple(rows)),)


def constellation_figures(
    trace: Any, sample_rate: float, symbol_rate: float, sent: Any, levels: int | None, skip: int, unit: str
) -> ConstellationFigures:
    """Return the figures of a complex trace (T,).

    sent: complex symbols (N,), which repeat.  levels: points of a square constellation where they are not
    known, 4 by default. Raises ParameterError for a trace too short or constant, or that does not follow the
    symbols sent.
    """
    values, ratio = checked(trace, sample_rate, symbol_rate)
    offsets = instants(ratio, _INSTANTS)
    matrix, rows = folded(values.astype(np.complex128), ratio, offsets, skip)
    if rows < 8:
        message = f"A constellation needs 8 symbols or more behind the {skip} skipped, got {rows}."
        raise ParameterError(message)
    if np.abs(matrix - matrix.mean()).max() <= 1e-9 * np.abs(matrix).max(initial=0.0):
        message = "The trace is constant, so it has no constellation: drive it with symbols."
        raise ParameterError(message)
    if sent is None:
        ideals, delay, errors = _nearest_all(matrix, 4 if levels is None else levels), None, None
        found = [_error(matrix[:, k], ideals[k]) for k in range(offsets.size)]
        best = int(np.argmin([rms for rms, _, _ in found]))
        ideal = ideals[best]
    else:
        symbols = _symbols(sent)
        delay = _delay(matrix, symbols)
        found, placed = [], []
        for turn in (-1, 0, 1):
            own = symbols[(np.arange(rows) - delay - turn) % symbols.size]
            found += [_error(matrix[:, k], own) for k in range(offsets.size)]
            placed += [(delay + turn, k, own) for k in range(offsets.size)]
        delay, best, ideal = placed[int(np.argmin([rms for rms, _, _ in found]))]
        found = [_error(matrix[:, k], ideal) for k in range(offsets.size)]
        errors = _count(matrix[:, best] / found[best][2], ideal, np.unique(symbols))
        delay += skip
    rms, peak, gain = found[best]
    return ConstellationFigures(
        rms, peak, gain, matrix[:, best], ideal, float(offsets[best] / ratio), unit,
        _least(delay, sent), errors,
    )  # fmt: skip


def _least(delay: int | None, sent: Any) -> int | None:
    """Return a delay as the one of its turns of the pattern that is not negative."""
    return None if delay is None else int(delay % np.asarray(sent).size)


def _symbols(sent: Any) -> ComplexArray:
    symbols = np.asarray(sent, dtype=np.complex128)
    if symbols.ndim != 1 or not symbols.size or not np.isfinite(symbols).all():
        message = (
            f"The sent symbols of a constellation are one row of finite complex numbers, got the shape "
            f"{symbols.shape}."
        )
        raise ParameterError(message)
    if np.ptp(symbols.real) == 0 and np.ptp(symbols.imag) == 0:
        message = f"The sent symbols are all {symbols[0]:g}, so they have no constellation."
        raise ParameterError(message)
    return symbols


def _error(points: ComplexArray, ideal: ComplexArray) -> tuple[float, float, complex]:
    """Return rms and largest error vector over the rms of the ideal points, and the gain of least squares."""
    power = float(np.mean(np.abs(ideal) ** 2))
    gain = complex(np.mean(points * ideal.conj()) / power)
    if gain == 0:
        return np.inf, np.inf, 1.0 + 0j
    apart = np.abs(points / gain - ideal) / np.sqrt(power)
    return float(np.sqrt(np.mean(apart**2))), float(apart.max()), gain


def _delay(matrix: ComplexArray, symbols: ComplexArray) -> int:
    """Return the delay in symbols of the largest correlation with the symbols sent."""
    from scipy import fft

    rows, period = len(matrix), symbols.size
    size = fft.next_fast_len(rows + 2 * period)
    turned = fft.fft(np.resize(symbols, rows + period).conj(), size)
    found = [
        # Sums over n of column[n] conj(symbols[(n + lag) % period]): a product with the column turned round.
        np.abs(fft.ifft(fft.fft(column[::-1], size) * turned)[rows - 1 : rows - 1 + period])
        for column in matrix.T
    ]
    best = np.array(found)
    place, lag = np.unravel_index(int(best.argmax()), best.shape)
    power = float((np.abs(matrix[:, place]) ** 2).sum() * (np.abs(symbols) ** 2).mean() * rows)
    if best.max() ** 2 < max(_UNRELATED, 30.0 / rows) * power and rows > 60:
        message = (
            f"The trace does not follow the symbols sent: at no delay do its {rows} symbols agree with them. "
            "Check the symbol rate, and that these symbols drive this trace."
        )
        raise ParameterError(message)
    return int(-lag % period)


def _count(points: ComplexArray, ideal: ComplexArray, known: ComplexArray) -> int:
    taken = known[np.abs(points[:, np.newaxis] - known).argmin(axis=1)]
    return int(np.count_nonzero(np.abs(taken - ideal) > 1e-9 * np.abs(known).max()))


def square(points: int) -> ComplexArray:
    """Return a square constellation (points,) of mean power 1; ParameterError for other numbers."""
    if points not in SQUARES:
        message = f"A constellation without the symbols sent has {listing(SQUARES)} points, got {points}."
        raise ParameterError(message)
    side = np.arange(1 - np.sqrt(points), np.sqrt(points), 2)
    found = (side[:, np.newaxis] + 1j * side).ravel()
    return np.asarray(found / np.sqrt(np.mean(np.abs(found) ** 2)))


def _nearest_all(matrix: ComplexArray, points: int) -> list[ComplexArray]:
    """Return the nearest points of a square constellation at each instant, (symbols,) each.

    Its size follows from the mean power, its angle from the fourth power of the points, and both from least
    squares; the constellation looks the same after a quarter turn.
    """
    known = square(points)
    found = []
    for column in matrix.T:
        size = float(np.sqrt(np.mean(np.abs(column) ** 2))) or 1.0
        gain = size * np.exp(0.25j * np.angle(-np.mean((column / size) ** 4)))
        nearest = known[:1].repeat(column.size)
        for _ in range(8):
            nearest = known[np.abs((column / gain)[:, np.newaxis] - known).argmin(axis=1)]
            gain = np.mean(column * nearest.conj()) / np.mean(np.abs(nearest) ** 2) or gain
        found.append(nearest)
    return found

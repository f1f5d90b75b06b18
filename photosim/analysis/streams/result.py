"""What a streamed run hands back: errors with their confidence interval, an eye histogram, moments."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.figures.patterns import different_bits
from photosim.analysis.result import UNKNOWN, Table
from photosim.analysis.symbols import counted_over, qualities
from photosim.arguments import public
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

CONFIDENCE = 0.95
"""Probability with which the interval holds the error ratio."""


@public
@dataclass(frozen=True)
class Moments:
    """Statistics of a current in A over all samples.

    least, most: smallest and largest value.  skewness, kurtosis: 0 and 3 for a Gaussian.  saturated: fraction
    of the samples with more light at a port than the detector's saturation power.
    """

    samples: int
    mean: float
    deviation: float
    skewness: float
    kurtosis: float
    least: float
    most: float
    saturated: float

    def numbers(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        return dict(vars(self))


@public
@dataclass(frozen=True, eq=False)
class EyeHistogram(ByValue):
    """Histogram of an eye: number of samples by instant within the symbol and by current, (instants, bins).

    time: (instants,) in s from the beginning of a symbol.  edges: (bins + 1,) in A; the first and the last
    bin also count the samples beyond them.
    """

    time: FloatArray
    edges: FloatArray
    counts: NDArray[np.int64]


@public
@dataclass(frozen=True, eq=False)
class StreamResult(ByValue):
    """Result of a streamed run: statistics of every photocurrent, and errors and eye of one signal.

    confusion: number of symbols by sent level and decided level, (levels, levels), both rising.  thresholds:
    of the decision in A, (levels - 1,), found from the first symbols.  levels, spreads: mean and standard
    deviation in A of the current at the sampling instant, for each sent level.  at, delay, inverted: sampling
    instant as a fraction of a symbol, delay in symbols, and sign, as in `traces.errors`.  All of these are
    None without symbols.
    """

    name: str
    samples: int
    sample_rate: float
    seed: int | None
    moments: Mapping[str, Moments]
    signal: str | None = None
    eye: EyeHistogram | None = None
    confusion: NDArray[np.int64] | None = None
    thresholds: FloatArray | None = None
    levels: FloatArray | None = None
    spreads: FloatArray | None = None
    at: float | None = None
    delay: int | None = None
    inverted: bool | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def symbols(self) -> int:
        """Number of compared symbols; 0 if no symbols were sent."""
        return 0 if self.confusion is None else int(self.confusion.sum())

    @property
    def errors(self) -> int | None:
        """Number of symbol errors; None if no symbols were sent."""
        return None if self.confusion is None else int(self.confusion.sum() - np.trace(self.confusion))

    @property
    def error_rate(self) -> float | None:
        """Symbol error rate, for two levels the bit error rate; None if no symbols were sent."""
        return None if self.errors is None else self.errors / self.symbols

    @property
    def bits(self) -> int | None:
        """Number of compared bits; None if no symbols were sent, or their levels are not 2, 4, 8, ..."""
        width = 0 if self.confusion is None else len(self.confusion).bit_length() - 1
        return (
            self.symbols * width if self.confusion is not None and len(self.confusion) == 2**width else None
        )

    @property
    def bit_errors(self) -> int | None:
        """Number of bit errors, levels in Gray's code; None where `bits` is."""
        if self.confusion is None or self.bits is None:
            return None
        level = np.arange(len(self.confusion))
        return int(np.sum(self.confusion * different_bits(level[:, np.newaxis], level)))

    @property
    def estimated_error_rate(self) -> float | None:
        """Symbol error rate by the tails of Gaussians about the levels; None if no symbols were sent."""
        if self.confusion is None or self.levels is None or self.spreads is None or self.thresholds is None:
            return None
        from scipy.special import ndtr

        order = np.argsort(self.levels)
        level, spread = self.levels[order], np.maximum(self.spreads[order], 1e-300)
        part = self.confusion.sum(axis=1)[order] / max(self.symbols, 1)
        above = ndtr((level[:-1] - self.thresholds) / spread[:-1])
        below = ndtr((self.thresholds - level[1:]) / spread[1:])
        return float(part[:-1] @ above + part[1:] @ below)

    @property
    def counted_over_estimated(self) -> float | None:
        """Counted over estimated symbol errors; None where too few fell to compare them."""
        return counted_over(self.errors, self.symbols, self.estimated_error_rate)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Confidence interval of the error rate, at the level CONFIDENCE (clopper1934)."""
        return None if self.errors is None else confidence(self.errors, self.symbols)

    @property
    def q(self) -> float | None:
        """Smallest Q factor: distance of two levels over the sum of their standard deviations."""
        if self.levels is None or self.spreads is None:
            return None
        return float(qualities(self.levels, self.spreads).min())

    def numbers(self) -> dict[str, Any]:
        """Return everything but the histogram as plain JSON types."""
        found: dict[str, Any] = {
            "kind": "transient",
            "name": self.name,
            "samples": self.samples,
            "sample_rate_Hz": self.sample_rate,
            "seed": self.seed,
            "signals": {name: one.numbers() for name, one in self.moments.items()},
        }
        if self.confusion is None:
            return found
        assert self.levels is not None and self.spreads is not None  # noqa: PT018, S101 - with symbols
        assert self.thresholds is not None and self.interval is not None  # noqa: PT018, S101 - with symbols
        q = self.q
        return {
            **found,
            "signal": self.signal,
            "symbols": self.symbols,
            "errors": self.errors,
            "bits": self.bits,
            "bit_errors": self.bit_errors,
            "error_rate": self.error_rate,
            "error_rate_low": self.interval[0],
            "error_rate_high": self.interval[1],
            "confidence": CONFIDENCE,
            "estimated_error_rate": self.estimated_error_rate,
            "counted_over_estimated": self.counted_over_estimated,
            "confusion": self.confusion.tolist(),
            "thresholds_A": self.thresholds.tolist(),
            "levels_A": self.levels.tolist(),
            "spreads_A": self.spreads.tolist(),
            "q": q if q is not None and math.isfinite(q) else None,
            "at": self.at,
            "delay_symbols": self.delay,
            "inverted": self.inverted,
        }

    def tables(self) -> tuple[Table, ...]:
        """Return the moments of every current, and the errors of the signal."""
        columns = ("signal", "mean (mA)", "deviation (mA)", "skewness", "kurtosis", "least (mA)", "most (mA)")
        rows = tuple(
            (
                name,
                f"{1e3 * m.mean:.6g}",
                f"{1e3 * m.deviation:.6g}",
                f"{m.skewness:.4g}",
                f"{m.kurtosis:.4g}",
                f"{1e3 * m.least:.6g}",
                f"{1e3 * m.most:.6g}",
            )
            for name, m in self.moments.items()
        )
        tables = [Table(f"{self.name}: currents over {self.samples:,} samples", columns, rows)]
        if self.confusion is not None and self.interval is not None and self.levels is not None:
            low, high = self.interval
            compared = self.counted_over_estimated
            figures = (
                ("symbols compared", f"{self.symbols:,}"),
                ("errors", f"{self.errors:,}"),
                ("bit errors", UNKNOWN if self.bits is None else f"{self.bit_errors:,} of {self.bits:,}"),
                ("symbol error ratio", f"{self.error_rate:.4g}"),
                (f"{100 * CONFIDENCE:g} % interval", f"{low:.4g} to {high:.4g}"),
                ("symbol error ratio estimated", f"{self.estimated_error_rate:.4g}"),
                ("errors counted over estimated", UNKNOWN if compared is None else f"{compared:.4g}"),
                ("levels (mA)", ", ".join(f"{1e3 * level:.6g}" for level in self.levels)),
                ("Q", f"{self.q:.4g}"),
            )
            tables.append(Table(f"{self.name}: errors of {self.signal}", ("figure", "value"), figures))
        return tuple(tables)


def confidence(errors: int, symbols: int) -> tuple[float, float]:
    """Return the bounds of an error ratio of which so many errors were counted: clopper1934."""
    from scipy.special import betaincinv

    rest = (1.0 - CONFIDENCE) / 2.0
    low = float(betaincinv(errors, symbols - errors + 1, rest)) if errors else 0.0
    high = float(betaincinv(errors + 1, symbols - errors, 1.0 - rest)) if errors < symbols else 1.0
    return low, high


@public
def write(path: Path, result: StreamResult) -> None:
    """Write the eye histogram as CSV: a row a bin, a column an instant; without one the moments."""
    from photosim.files.atomic import write_text

    if result.eye is None:
        write_text(path, result.tables()[0].csv())
        return
    eye = result.eye
    columns = ("current_A", *(f"count:{1e12 * t:.6g} ps" for t in eye.time))
    middle = (eye.edges[1:] + eye.edges[:-1]) / 2
    rows = tuple((float(m), *map(int, own)) for m, own in zip(middle, eye.counts.T, strict=True))
    write_text(path, Table("eye", columns, rows).csv())

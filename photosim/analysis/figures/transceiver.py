"""The figures of one trace: levels, edges, crossings, errors and TDECQ, or those of a constellation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.analysis.figures.constellations import ConstellationFigures, constellation_figures
from photosim.analysis.figures.edges import Jitter, edge_times, jitter
from photosim.analysis.figures.patterns import different_bits
from photosim.analysis.figures.record import Record, check_levels, read_record, samples_of
from photosim.analysis.figures.tdecq import ALLOWED, LEAST_SYMBOLS, Tdecq, tdecq
from photosim.analysis.result import UNKNOWN, Table
from photosim.analysis.symbols import counted_over, decided, values_at
from photosim.analysis.traces import Eye
from photosim.arguments import public
from photosim.display import Tabled
from photosim.errors import ParameterError
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

LEVELS = (2, 4, 8, 16)
"""Numbers of levels that a trace may have."""
_BLIND = (
    "The symbols sent are not given: symbols are decided from the trace itself, so errors are not counted, "
    "the pattern has no name, and jitter is not split by its causes."
)
PERCENTILE = 0.05
"""Per cent of the symbols of a level that may lie inside the eye opening of the vertical eye closure."""


@dataclass(frozen=True, eq=False)
class Figures(Tabled, ByValue):
    """Figures of a trace of two or more levels, in the unit of the trace, s and dB.

    pattern: name of what was sent; None where it is not known or has none.  oma_outer, low, high: outer
    modulation amplitude, and the levels it is the difference of.  extinction_dB: 10 log10(high/low); None
    where low is not positive.  rlm: level mismatch; None for two levels.  vecp_dB: vertical eye closure
    penalty of the worst eye; infinite where it is closed.  rise, fall: 20 to 80 % in s; None where no edge
    goes from end to end.  q: of the worst eye.  symbol_errors, bit_errors: counted in `symbols`; None where
    the symbols sent are not known.  error_rate: of symbols, estimated from the tails of Gaussian noise.
    counted_over_estimated: None if fewer than 30 errors fell.  tdecq: None unless there are four levels.
    """

    pattern: str | None
    symbols: int
    symbol_rate: float
    average: float
    low: float
    high: float
    rlm: float | None
    vecp_dB: float
    rise: float | None
    fall: float | None
    jitter: Jitter | None
    symbol_errors: int | None
    bit_errors: int | None
    tdecq: Tdecq | None
    eye: Eye
    unit: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def oma_outer(self) -> float:
        """The outer modulation amplitude, high less low."""
        return self.high - self.low

    @property
    def extinction_dB(self) -> float | None:
        """The outer extinction ratio in dB; None where the low level is not positive."""
        return 10 * math.log10(self.high / self.low) if self.low > 0 else None

    @property
    def levels(self) -> FloatArray:
        """Mean levels at the sampling instant, rising."""
        return self.eye.levels

    @property
    def q(self) -> float:
        """Distance of neighbouring mean levels over the sum of their spreads, of the worst eye."""
        return self.eye.q

    @property
    def error_rate(self) -> float:
        """Rate of symbol errors, estimated for Gaussian noise about each level."""
        return self.eye.error_rate

    @property
    def tdecq_dB(self) -> float | None:
        """TDECQ in dB; None unless there are four levels."""
        return None if self.tdecq is None else self.tdecq.value_dB

    @property
    def counted_over_estimated(self) -> float | None:
        """Counted over estimated symbol errors, where enough fell to compare them."""
        return counted_over(self.symbol_errors, self.symbols, self.error_rate)

    def jitter_s(self) -> dict[str, float | None]:
        """Return the jitter in s: rms, peak to peak, data dependent (peak to peak) and random (rms)."""
        names = ("rms", "peak_to_peak", "data_dependent", "random")
        found = [None if self.jitter is None else getattr(self.jitter, name) for name in names]
        return {
            name: None if value is None else value / self.symbol_rate
            for name, value in zip(names, found, strict=True)
        }

    def numbers(self) -> dict[str, Any]:
        """Return the figures as plain JSON types."""
        late = self.jitter_s()
        return {
            "kind": "levels",
            "pattern": self.pattern,
            "symbols": self.symbols,
            "symbol_rate": self.symbol_rate,
            "unit": self.unit,
            "average": self.average,
            "oma_outer": self.oma_outer,
            "low": self.low,
            "high": self.high,
            "extinction_dB": self.extinction_dB,
            "levels": self.levels.tolist(),
            "rlm": self.rlm,
            "vecp_dB": self.vecp_dB if math.isfinite(self.vecp_dB) else None,
            "rise_s": self.rise,
            "fall_s": self.fall,
            "jitter_rms_s": late["rms"],
            "jitter_peak_to_peak_s": late["peak_to_peak"],
            "jitter_data_dependent_s": late["data_dependent"],
            "jitter_random_s": late["random"],
            "q": self.q if math.isfinite(self.q) else None,
            "symbol_errors": self.symbol_errors,
            "bit_errors": self.bit_errors,
            "bits": self.symbols * self._width(),
            "symbol_error_rate": self.error_rate,
            "counted_over_estimated": self.counted_over_estimated,
            "tdecq": None if self.tdecq is None else self.tdecq.numbers(),
            "remarks": list(self.remarks),
        }

    def tables(self, title: str = "figures") -> tuple[Table, ...]:
        """Return the figures as people read them, and a table of remarks where there are any."""
        rows = tuple((name, _text(value)) for name, value in self._rows())
        found = [Table(title, ("figure", "value"), rows)]
        if self.remarks:
            found.append(Table(f"{title}: remarks", ("remark",), tuple((one,) for one in self.remarks)))
        return tuple(found)

    def _rows(self) -> list[tuple[str, Any]]:
        factor, unit = {"A": (1e3, " (mA)"), "W": (1e3, " (mW)"), "V": (1e3, " (mV)")}.get(
            self.unit, (1.0, "")
        )
        late = {name: None if v is None else 1e12 * v for name, v in self.jitter_s().items()}
        rows: list[tuple[str, Any]] = [
            ("pattern", self.pattern or "other"),
            ("symbols", str(self.symbols)),
            (f"average{unit}", factor * self.average),
            (f"outer modulation amplitude{unit}", factor * self.oma_outer),
            ("extinction ratio (dB)", self.extinction_dB),
            ("level mismatch, RLM", self.rlm),
            ("vertical eye closure penalty (dB)", self.vecp_dB),
            ("rise, 20 to 80 % (ps)", None if self.rise is None else 1e12 * self.rise),
            ("fall, 80 to 20 % (ps)", None if self.fall is None else 1e12 * self.fall),
            ("jitter, rms (ps)", late["rms"]),
            ("jitter, peak to peak (ps)", late["peak_to_peak"]),
            ("jitter by the data, peak to peak (ps)", late["data_dependent"]),
            ("random jitter, rms (ps)", late["random"]),
            ("Q", self.q),
            ("symbol errors counted", None if self.symbol_errors is None else str(self.symbol_errors)),
            ("bit errors counted", None if self.bit_errors is None else str(self.bit_errors)),
            ("symbol error rate estimated", f"{self.error_rate:.3g}"),
            ("errors counted over estimated", self.counted_over_estimated),
        ]
        if self.tdecq is not None:
            one = self.tdecq
            rows += [
                (f"TDECQ (dB), {self.pattern or 'other pattern'}", one.value_dB),
                ("noise enhancement of the equaliser (dB)", 10 * math.log10(one.noise_gain)),
                ("taps of the equaliser", ", ".join(f"{t:.4f}" for t in one.taps)),
            ]
        return rows

    def _width(self) -> int:
        """Return the bits of a symbol."""
        return max(1, int(self.eye.levels.size).bit_length() - 1)


def _text(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if value == math.inf:
        return "infinite"
    return value if isinstance(value, str) else f"{value:.5g}"


@public
def figures(  # noqa: PLR0913 - keyword options of a measurement
    trace: Any,
    sample_rate: float | None = None,
    symbol_rate: float | None = None,
    *,
    sent: Any = None,
    levels: int | None = None,
    skip: int = 4,
    received: bool = False,
    scope_noise: float = 0.0,
    taps: int = 5,
    unit: str = "",
) -> Figures | ConstellationFigures:
    """Return the figures of merit of a transmitter or receiver, from a trace (T,); see docs/figures.md.

    trace: a photocurrent, power or voltage (real), or a constellation (complex), whose symbols begin at time
    0. A DataArray over `time` has its own sample rate.  sample_rate: samples per s, for a trace without
    times. symbol_rate: symbols per s.  sent: the sent symbols (N,), real or complex, which repeat; without
    them, symbols are decided from the trace itself, and errors are not counted.  levels: 2, 4, 8 or 16, or
    the number of points of a square constellation; by default that of the sent symbols, else 2.  skip: number
    of symbols at the start to ignore.  received: the trace has already passed the reference receiver of
    TDECQ.  scope_noise: rms noise in the trace, in its unit, that does not come from the transmitter.  taps:
    number of taps of TDECQ's equaliser. unit: A, W or V, for tables.

    Raises ParameterError for a trace from which these figures cannot be computed.

    >>> import numpy as np
    >>> import photosim as ps
    >>> bits = np.array([0, 1, 1, 0, 1, 0, 0, 1] * 8)
    >>> trace = np.repeat(1e-3 * (1.0 + bits), 16)  # A, 16 samples a symbol
    >>> found = ps.figures(trace, 160e9, 10e9, sent=bits, unit="A")
    >>> round(found.extinction_dB, 2), round(1e3 * found.oma_outer, 3)  # dB, mA
    (3.01, 1.0)
    """
    values, rate = samples_of(trace, sample_rate)
    if symbol_rate is None:
        message = "figures needs symbol_rate, the number of symbols per s."
        raise ParameterError(message)
    if skip < 0 or taps < 1 or not (math.isfinite(scope_noise) and scope_noise >= 0.0):
        message = (
            f"figures: skip must be 0 or more, taps 1 or more and scope_noise 0 or more, got {skip}, {taps} "
            f"and {scope_noise:g}."
        )
        raise ParameterError(message)
    if np.iscomplexobj(values):
        return constellation_figures(values, rate, symbol_rate, sent, levels, skip, unit)
    check_levels(levels, LEVELS)
    record = read_record(values, rate, symbol_rate, sent, levels, skip)
    return _judged(record, symbol_rate, received=received, scope_noise=scope_noise, taps=taps, unit=unit)


def _judged(record: Record, symbol_rate: float, **options: Any) -> Figures:
    unit = options.pop("unit")
    low, high = record.outer()
    if not high > low:
        message = f"The outer levels of the trace are {low:g} and {high:g}: it follows no symbols."
        raise ParameterError(message)
    rise, fall = (None if t is None else t / symbol_rate for t in edge_times(record, low, high))
    symbol_errors = bit_errors = None
    at = record.eye.at * symbol_rate
    column = _column(record, at)
    label = record.label[: column.size]
    if record.period is not None:
        taken = decided(column, record.eye.levels, record.eye.spreads)
        symbol_errors = int(np.count_nonzero(taken != label))
        bit_errors = int(different_bits(taken, label).sum())
    enough = record.levels == 4 and record.label.size >= LEAST_SYMBOLS
    closure = tdecq(record, **options) if enough else None
    count = math.floor(record.label.size * record.ratio)
    first = max(0, round(record.start * record.ratio))
    return Figures(
        record.pattern, int(label.size), symbol_rate, float(record.values[first : first + count].mean()),
        low, high, level_mismatch(record.eye.levels), _closure(column, label, record.eye.levels), rise, fall,
        jitter(record, (low + high) / 2), symbol_errors, bit_errors, closure, record.eye, unit,
        _remarks(record, closure),
    )  # fmt: skip


def _column(record: Record, at: float) -> FloatArray:
    """Return the trace at the sampling instant of each symbol of the record, (symbols,)."""
    first = round(record.start + 0.5 - at)
    rows = min(record.label.size, math.floor((record.values.size - 1) / record.ratio - first - at) + 1)
    places = np.asarray((first + at + np.arange(rows)) * record.ratio, dtype=np.float64)
    return np.asarray(values_at(record.values, places, record.ratio), dtype=np.float64)


def level_mismatch(levels: FloatArray) -> float | None:
    """Return RLM of mean levels, rising: of four IEEE Std 802.3-2018, 120D.3.1.2; None for two.

    Of other numbers the least distance of neighbours over that of equal steps.
    """
    if levels.size == 2:
        return None
    if levels.size != 4:
        return float(np.diff(levels).min() * (levels.size - 1) / (levels[-1] - levels[0]))
    middle = (levels[0] + levels[3]) / 2
    low, high = (levels[1] - middle) / (levels[0] - middle), (levels[2] - middle) / (levels[3] - middle)
    return float(min(3 * low, 3 * high, 2 - 3 * low, 2 - 3 * high))


def _closure(column: FloatArray, label: NDArray[np.int64], levels: FloatArray) -> float:
    """Return the vertical eye closure penalty in dB of the worst eye; infinite where it is closed."""
    opening = np.inf
    for k in range(levels.size - 1):
        below, above = column[label == k], column[label == k + 1]
        if below.size and above.size:
            ends = np.percentile(below, 100 - PERCENTILE), np.percentile(above, PERCENTILE)
            opening = min(opening, float((ends[1] - ends[0]) / (levels[k + 1] - levels[k])))
    return -10 * math.log10(opening) if opening > 0 else math.inf


def _remarks(record: Record, closure: Tdecq | None) -> tuple[str, ...]:
    found: tuple[str, ...] = ()
    if closure is not None and closure.wrong > ALLOWED:
        part = f"TDECQ says nothing here: {closure.wrong:.2g} of the equalised samples"
        found = (f"{part} lie beyond a threshold already, more than the {ALLOWED:g} that it allows.",)
    if record.levels == 4 and record.label.size < LEAST_SYMBOLS:
        found = (
            *found,
            f"TDECQ needs {LEAST_SYMBOLS} symbols or more, got {record.label.size}: it is left out.",
        )
    if record.period is None:
        return (*found, _BLIND)
    if record.period > record.label.size:
        part = f"The trace holds {record.label.size} of the {record.period} symbols sent"
        return (*found, f"{part}: the longest runs and rarest edges may be missing.")
    return found

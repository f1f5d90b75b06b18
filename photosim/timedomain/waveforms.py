"""Waveforms over time: what drives a setting, or the power of light that enters a port.

    prbs(10e9, low=0.0, high=2.0, bandwidth=20e9)

A Waveform is a function of time and, where it passes electronics, their bandwidth.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from photosim.arguments import public
from photosim.errors import DataError, ParameterError, did_you_mean, listing
from photosim.files import read_columns
from photosim.reals import NotReal, as_real, shown
from photosim.timedomain.sequences import sequence, symbol_numbers
from photosim.timedomain.sequences import ssprq as stress_symbols
from photosim.timedomain.shapes import PULSES, edge_at, held, joined, level, pulse_of, sine_of, symbols_of
from photosim.timedomain.waveform import Waveform, require_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Waveform", "as_waveform", "constant", "file", "prbs", "prbs13q", "pulse", "read_waveform", "samples",
    "sine", "ssprq", "step", "wave_form",
]  # fmt: skip

MOST_LEVELS = 1 << 8
"""Levels of a sequence, at most."""
MAX_FILE_BYTES = 64 * 2**20
"""Size of a file of samples: a few million of them."""


@public
def constant(value: float) -> Waveform:
    """Return the waveform that is always `value`."""
    _finite(value=value)
    return Waveform(partial(level, value=float(value)), cycle=(0.0, 1.0, 0.0))


@public
def step(
    *, at: float, low: float = 0.0, high: float = 1.0, rise: float = 0.0, bandwidth: float | None = None
) -> Waveform:
    """Return a step from low to high, whose middle is at time `at` in s.

    rise: length of its edge in s.  bandwidth: of a low-pass behind it in Hz, None for none.

    >>> import numpy as np
    >>> import photosim as ps
    >>> edge = ps.waveforms.step(at=2e-10, high=2.0, rise=2e-10)
    >>> edge.sample(1e-10 * np.arange(5)).round(9).tolist()
    [0.0, 0.0, 1.0, 2.0, 2.0]
    """
    _finite(low=low, high=high, at=at, rise=rise)
    return Waveform(partial(edge_at, at=at, low=low, high=high, rise=rise), bandwidth)


@public
def pulse(
    *,
    at: float,
    width: float,
    low: float = 0.0,
    high: float = 1.0,
    shape: str = "gaussian",
    rise: float = 0.0,
    period: float | None = None,
    bandwidth: float | None = None,
) -> Waveform:
    """Return one pulse, or one every `period` in s.

    at: time of its centre in s.  width: full width at half maximum in s.  shape: gaussian, sech2 or square.
    rise: length of the edges of a square pulse in s.  low, high: value before and after the pulse, and at its
    top.  bandwidth: of a low-pass behind it in Hz, None for none.
    """
    if shape not in PULSES:
        message = f"There is no pulse of shape {shape!r}. There are: {listing(PULSES)}."
        message += did_you_mean(shape, PULSES)
        raise ParameterError(message)
    _finite(low=low, high=high, at=at, rise=rise)
    require_positive(width=width, **({} if period is None else {"period": period}))
    # Half of the spectrum of such a pulse lies below.
    highest = max(0.44 / width, 1 / (period or np.inf))
    values = partial(pulse_of, at=at, width=width, low=low, high=high, shape=shape, rise=rise, period=period)
    cycle = None if period is None else (period, 1.0, max(at, 0.0))
    return Waveform(values, bandwidth, frequency=highest, cycle=cycle)


@public
def sine(frequency: float, *, offset: float = 0.0, amplitude: float = 1.0, phase: float = 0.0) -> Waveform:
    """Return offset + amplitude sin(2 pi frequency t + phase)."""
    _finite(frequency=frequency, offset=offset, amplitude=amplitude, phase=phase)
    turning = abs(frequency) if amplitude else 0.0
    values = partial(sine_of, frequency=frequency, offset=offset, amplitude=amplitude, phase=phase)
    return Waveform(values, frequency=turning, cycle=(float(turning > 0), turning or 1.0, 0.0))


@public
def prbs(  # noqa: PLR0913 - keyword options of a signal
    rate: float,
    *,
    low: float = 0.0,
    high: float = 1.0,
    order: int = 7,
    levels: int = 2,
    rise: float | None = None,
    seed: int | None = None,
    bandwidth: float | None = None,
    filter_order: int = 1,
) -> Waveform:
    """Return symbols of a pseudo-random binary sequence of 2**order - 1 bits, at `rate` symbols per s.

    low, high: lowest and highest level.  levels: 2, 4, 8 ..., equally spaced, in Gray code.  rise: length of
    a raised-cosine edge in s, by default half a symbol.  seed: random symbols instead of the sequence.
    bandwidth: of a low-pass behind it in Hz, None for none.  filter_order: order of that low-pass.

    >>> import photosim as ps
    >>> bits = ps.waveforms.prbs(10e9, order=7)
    >>> len(bits.symbols[1]), bits.symbols[1][:6].tolist()
    (127, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    """
    if not 2 <= levels <= MOST_LEVELS or levels & (levels - 1):
        message = f"A sequence has 2, 4, 8 ... {MOST_LEVELS} levels, got {shown(levels)}."
        raise ParameterError(message)
    if seed is not None and seed < 0:
        message = f"The seed of a sequence must be 0 or more, got {shown(seed)}."
        raise ParameterError(message)
    bits = sequence(order) if seed is None else np.random.default_rng(seed).integers(0, 2, 1 << 20)
    numbers = symbol_numbers(bits, int(levels).bit_length() - 1)
    return _sequence(rate, low, high, numbers / (levels - 1), rise, bandwidth, filter_order)


@public
def prbs13q(
    rate: float,
    *,
    low: float = 0.0,
    high: float = 1.0,
    rise: float | None = None,
    bandwidth: float | None = None,
    filter_order: int = 1,
) -> Waveform:
    """Return the test pattern PRBS13Q, 8191 symbols of four levels at `rate` symbols per s, repeated.

    The symbols are pairs of bits of two periods of the sequence of 1 + x + x^2 + x^12 + x^13 in Gray code:
    IEEE Std 802.3-2018, 120.5.11.2.1.

    low, high: lowest and highest level.  rise: whole length of an edge in s.  bandwidth: of a low-pass behind
    it in Hz, None for none.  filter_order: order of that low-pass.
    """
    return _sequence(rate, low, high, symbol_numbers(sequence(13), 2) / 3, rise, bandwidth, filter_order)


@public
def ssprq(
    rate: float,
    *,
    low: float = 0.0,
    high: float = 1.0,
    rise: float | None = None,
    bandwidth: float | None = None,
    filter_order: int = 1,
) -> Waveform:
    """Return the test pattern SSPRQ, 65,535 symbols of four levels at `rate` symbols per s, repeated.

    IEEE Std 802.3-2018, 120.5.11.2.3. Options are those of `prbs`.

    low, high: lowest and highest level.  rise: whole length of an edge in s.  bandwidth: of a low-pass behind
    it in Hz, None for none.  filter_order: order of that low-pass.
    """
    return _sequence(rate, low, high, stress_symbols() / 3, rise, bandwidth, filter_order)


def _sequence(
    rate: float, low: float, high: float, parts: NDArray[np.float64], rise: float | None,
    bandwidth: float | None, filter_order: int,
) -> Waveform:  # fmt: skip
    """Return symbols at `rate`, each at a part (N,) of the way from low to high."""
    require_positive(rate=rate)
    _finite(low=low, high=high)
    edge = 0.5 / rate if rise is None else rise
    if not 0 <= edge <= 1 / rate:
        message = f"An edge takes from 0 to one symbol of {1 / rate:g} s, got a rise of {edge:g} s."
        raise ParameterError(message)
    heights = low + (high - low) * parts
    values = partial(symbols_of, rate=rate, heights=heights, edge=edge)
    # Symbols that alternate have half of their rate.
    cycle = (float(len(heights)), rate, 1 / rate)
    return Waveform(values, bandwidth, filter_order, (rate, heights), rate / 2, cycle=cycle)


@public
def samples(values: ArrayLike) -> Waveform:
    """Return the waveform of `values`, one for each sample of the run."""
    return Waveform(partial(held, numbers=np.array(values, dtype=np.float64)), listed=True)


@public
def file(path: str | Path, *, column: str | None = None, bandwidth: float | None = None) -> Waveform:
    """Return the waveform of a text file with two columns, time in s and value.

    Commas or spaces separate the columns. Values between the points are interpolated linearly. Before the
    first and after the last point the waveform is constant.

    path: of the text file.  column: name of the column, if a line of names stands above several.  bandwidth:
    of a low-pass behind it in Hz, None for none.

    Raises DataError for a file that is missing, larger than MAX_FILE_BYTES, a device or a pipe, or not in
    this form.
    """
    place = Path(path)
    try:
        state = place.stat()
        if not S_ISREG(state.st_mode):
            message = f"{path}: cannot read a waveform: it is not a regular file."
            raise DataError(message)
        if state.st_size > MAX_FILE_BYTES:
            message = (
                f"{path} has {state.st_size} bytes; a file of a waveform may have at most {MAX_FILE_BYTES}."
            )
            raise DataError(message)
        text = place.read_text(encoding="utf-8-sig")
        if text.startswith("time_s"):
            table = _named_column(place, column)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # numpy's, of an empty file: it is refused below
                table = np.loadtxt(text.replace(",", " ").splitlines(), ndmin=2)
            if column is not None:
                message = f"{path} has no column {column!r}: its columns have no names."
                raise DataError(message)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        message = f"{path}: cannot read a waveform: {reason}."
        raise DataError(message) from None
    if table.shape[1] != 2 or not np.isfinite(table).all() or (np.diff(table[:, 0]) <= 0).any():
        message = f"{path}: a waveform has two columns, rising times in s and finite values."
        raise DataError(message)
    return Waveform(partial(joined, table=table), bandwidth)


def _named_column(path: Path, column: str | None) -> NDArray[np.float64]:
    """Return time and one column, (T, 2), of a table with names."""
    columns = read_columns(path)
    names = [name for name in columns if name != "time_s"]
    if column is None and len(names) != 1:
        message = f"{path} has several columns: say which by `column`, one of {listing(names)}."
        raise DataError(message)
    chosen = names[0] if column is None else column
    if chosen not in names:
        message = f"{path} has no column {chosen!r}. It has: {listing(names)}.{did_you_mean(chosen, names)}"
        raise DataError(message)
    return np.column_stack([columns["time_s"], columns[chosen]])


SHAPES: Mapping[str, Callable[..., Waveform]] = {
    "constant": constant, "step": step, "pulse": pulse, "sine": sine, "prbs": prbs, "prbs13q": prbs13q,
    "ssprq": ssprq, "file": file,
}  # fmt: skip
"""What a waveform in a netlist file can be, by the name of its shape."""


@cache
def wave_form() -> Any:
    """Return the annotated type of waveforms in a mapping: a number, or {wave: prbs, rate: 1e10}."""
    from pydantic import BeforeValidator

    from photosim.netlist.forms import Choice, Words

    words = Words(f"a number or a mapping with wave: {listing(SHAPES)}")
    return Annotated[Any, Choice("wave", SHAPES), BeforeValidator(_constant), words]


@public
def read_waveform(value: Any) -> Waveform:
    """Return the waveform that a number or a mapping such as {wave: prbs, rate: 1e10} describes.

    Raises ParameterError for an unknown shape or option, or one that the waveform cannot have.

    value: number, or mapping of `wave` and its options.
    """
    from photosim.netlist.mappings import read

    found: Waveform = read(wave_form(), value, "the waveform")
    return found


def _constant(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"wave": "constant", "value": value} if number else value


@public
def as_waveform(value: Any) -> Waveform:
    """Return a Waveform as it is, a number as a constant one, an array as samples.

    value: Waveform, number, or array (T,).
    """
    if isinstance(value, Waveform):
        return value
    if isinstance(value, Mapping | str):
        return read_waveform(value)
    try:
        found = as_real(value)
    except NotReal as reason:
        message = f"A waveform is a Waveform, a number, an array of samples or a mapping, {reason}."
        raise ParameterError(message) from None
    return constant(found) if isinstance(found, float) else samples(found)


def _finite(**values: float) -> None:
    for name, value in values.items():
        if not np.isfinite(value):
            message = f"A waveform needs a finite {name}, got {value!r}."
            raise ParameterError(message)

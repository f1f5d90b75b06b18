"""The analysis of kind response: small signals from one electrical source to voltages and photocurrents."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from photosim.analysis.options import option, read_entry
from photosim.analysis.result import UNKNOWN, Cell, Table
from photosim.analysis.spectrum import check_settings
from photosim.arguments import public
from photosim.display import Tabled
from photosim.errors import ParameterError
from photosim.netlist.forms import Words
from photosim.signals.small_signal import response as small_signal
from photosim.smatrix import ByValue

if TYPE_CHECKING:
    import xarray
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

    FloatArray = NDArray[np.float64]

MOST = 1_000_000
"""Most frequencies of a response."""
_UNITS = {"": 1.0, "Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z]*)\s*")
_FORM = "write START:STOP:POINTS in Hz, as in 100MHz:100GHz:201, or one frequency"
Frequencies = Annotated[
    Any, Words("a range such as 100MHz:100GHz:201, a frequency in Hz, or a list of frequencies")
]


@public
@dataclass(frozen=True)
class ResponseOptions:
    """Options of a small-signal response: the arguments of `ps.response`.

    frequency: one frequency in Hz, a list, or a string "START:STOP:POINTS". The points of a string are
    equally spaced on a logarithmic scale, or on a linear one with ":linear" at its end or if START is 0.
    """

    name: str
    source: str
    frequency: Frequencies
    noise: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


@public
@dataclass(frozen=True, eq=False)
class ResponseResult(Tabled, ByValue):
    """A small-signal response: the Dataset of `ps.response`, and the bandwidths read off it."""

    name: str
    source: str
    data: xarray.Dataset

    def outputs(self) -> dict[str, tuple[str, NDArray[np.complex128]]]:
        """Return the unit (V or A) and the response (F,) of every net and detector by name."""
        found = {str(n): ("V", self.data.voltage.values[:, k]) for k, n in enumerate(self.data.net.values)}
        if "current" in self.data:
            found |= {
                str(n): ("A", self.data.current.values[:, k]) for k, n in enumerate(self.data.detector.values)
            }
        return found

    def numbers(self) -> dict[str, Any]:
        """Return everything but the curves as plain JSON types."""
        frequency = self.data.frequency.values
        outputs: dict[str, Any] = {}
        found = {
            "kind": "response", "name": self.name, "source": self.source, "points": int(frequency.size),
            "lowest_Hz": float(frequency[0]), "highest_Hz": float(frequency[-1]), "outputs": outputs,
        }  # fmt: skip
        for name, (unit, values) in self.outputs().items():
            own: dict[str, Any] = {
                "unit": unit,
                "lowest": values[0],
                "largest": float(np.abs(values).max()),
                "bandwidth_3dB_Hz": bandwidth(frequency, values),
                "bandwidth_6dB_Hz": bandwidth(frequency, values, 6.0),
            }
            if unit == "V" and "voltage_noise" in self.data:
                own["noise_V_rms"] = float(self._noise(name))
            outputs[name] = own
        return found

    def _noise(self, net: str) -> float:
        """Return the noise of a net in V rms over the frequencies of the response."""
        density = self.data.voltage_noise.sel(net=net).values
        return float(np.sqrt(np.trapezoid(density, self.data.frequency.values)))

    def tables(self) -> tuple[Table, ...]:
        """Return a row for every net and detector: the response at the lowest frequency, and bandwidths."""
        frequency = self.data.frequency.values
        noisy = "voltage_noise" in self.data
        heads = ["output", "unit", f"at {_shown(frequency[0])}", "largest", "3 dB below", "6 dB below"]
        rows: list[tuple[Cell, ...]] = []
        for name, (unit, values) in self.outputs().items():
            row: list[Cell] = [name, unit, f"{abs(values[0]):.5g}", f"{np.abs(values).max():.5g}"]
            row += [_shown(bandwidth(frequency, values, drop)) for drop in (3.0, 6.0)]
            if noisy:
                row.append(f"{self._noise(name):.4g}" if unit == "V" else UNKNOWN)
            rows.append(tuple(row))
        title = f"{self.name}: response to {self.source}"
        return (Table(title, (*heads, *(["noise (V rms)"] if noisy else [])), tuple(rows)),)


@public
def bandwidth(frequency: FloatArray, values: NDArray[np.complex128], drop_dB: float = 3.0) -> float | None:
    """Return the lowest frequency in Hz at which a response (F,) lies `drop_dB` below its first value.

    3 dB is half of the power, 6 dB a quarter. The response in dB is interpolated linearly between points. The
    result is None if the response does not fall so far, or if it is zero at the first frequency.

    frequency: in Hz, (F,), rising.  values: complex response (F,).  drop_dB: depth in dB.

    >>> import numpy as np
    >>> from photosim.analysis.response import bandwidth
    >>> frequency = np.linspace(0.0, 20e9, 2001)
    >>> low_pass = 1 / (1 - 1j * frequency / 5e9)
    >>> f"{bandwidth(frequency, low_pass):.2e} Hz"
    '5.00e+09 Hz'
    """
    size = np.abs(values)
    if not size[0] > 0.0:
        return None
    with np.errstate(divide="ignore"):
        level = 20.0 * np.log10(size / size[0]) + 10.0 * math.log10(2.0) * drop_dB / 3.0
    below = np.flatnonzero(level <= 0.0)
    if not below.size:
        return None
    k = int(below[0])
    low, high = level[k - 1], max(level[k], -1e3)
    return float(frequency[k - 1] + (frequency[k] - frequency[k - 1]) * low / (low - high))


def _shown(frequency: float | None) -> str:
    if frequency is None:
        return UNKNOWN
    factor, unit = next(
        ((f, u) for u, f in reversed(_UNITS.items()) if u and abs(frequency) >= f), (1.0, "Hz")
    )
    return f"{frequency / factor:.5g} {unit}"


@public
def frequencies(value: Any) -> FloatArray:
    """Return the frequencies (F,) in Hz of a number, a list or a string "START:STOP:POINTS".

    value: the number, list or string; ":linear" at the end of a string gives a linear scale.

    Raises ParameterError for another form, and for frequencies that are negative or do not rise.

    >>> from photosim.analysis.response import frequencies
    >>> frequencies("1e6:1e9:4").tolist()
    [1000000.0, 10000000.0, 100000000.0, 1000000000.0]
    """
    if isinstance(value, str):
        return _parsed(value)
    items = value if isinstance(value, list | tuple | np.ndarray) else [value]
    found = []
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int | float | np.number | str):
            message = f"Frequencies must be numbers in Hz, got {item!r}: {_FORM}."
            raise ParameterError(message)
        found.append(_with_unit(item) if isinstance(item, str) else float(item))
    return _checked(np.array(found, dtype=np.float64))


def _checked(grid: FloatArray) -> FloatArray:
    if not grid.size or not np.isfinite(grid).all() or (grid < 0.0).any() or (np.diff(grid) <= 0.0).any():
        message = f"Frequencies must be finite numbers of 0 Hz or more that rise, got {grid.tolist()[:4]}."
        raise ParameterError(message)
    return grid


def _with_unit(text: str) -> float:
    match = _NUMBER.fullmatch(text)
    if match is None or match[2] not in _UNITS:
        message = (
            f"{text.strip()!r} is not a frequency: write a number with Hz, kHz, MHz, GHz, THz or no unit."
        )
        raise ParameterError(message)
    return float(match[1]) * _UNITS[match[2]]


def _parsed(text: str) -> FloatArray:
    fields = text.split(":")
    if len(fields) == 1:
        return _checked(np.array([_with_unit(word) for word in text.split(",")]))
    scale = fields[3].strip() if len(fields) == 4 else ""
    if len(fields) not in {3, 4} or scale not in {"", "linear", "log"} or not fields[2].strip().isdecimal():
        message = f"Cannot read frequencies from {text!r}: {_FORM}; :linear behind it spaces them equally."
        raise ParameterError(message)
    start, stop = (_with_unit(word) for word in fields[:2])
    count = int(fields[2]) if len(fields[2]) < 10 else MOST + 1
    if not 2 <= count <= MOST:
        message = f"A range of frequencies needs 2 to {MOST} points, got {fields[2].strip()}."
        raise ParameterError(message)
    if not 0.0 <= start < stop < math.inf:
        message = (
            f"The frequencies run from {start:g} to {stop:g} Hz: a range starts at 0 Hz or more, and rises."
        )
        raise ParameterError(message)
    if start == 0.0 and scale == "log":
        message = "A logarithmic range of frequencies cannot start at 0 Hz: start above, or write :linear."
        raise ParameterError(message)
    return (
        np.linspace(start, stop, count)
        if start == 0.0 or scale == "linear"
        else np.geomspace(start, stop, count)
    )


@public
def read_options(entry: Mapping[str, Any], circuit: Circuit) -> ResponseOptions:
    """Return the options of an entry `{kind: response, name, source, frequency, noise, settings}`.

    Raises ParameterError for an unknown key or source, and for frequencies of another form.
    """
    options = read_entry(ResponseOptions, entry, "response")
    with option(options.name, "frequency"):
        grid = frequencies(options.frequency)
    with option(options.name, "settings"):
        check_settings(circuit, options.settings, "A response is that of")
    with option(options.name, "source"):
        small_signal(circuit, grid[:1], source=options.source, **options.settings)
    return replace(options, frequency=grid)


@public
def compute(circuit: Circuit, options: ResponseOptions) -> ResponseResult:
    """Return the small-signal response of a circuit with these options."""
    data = small_signal(
        circuit, options.frequency, source=options.source, noise=options.noise, **options.settings
    )
    return ResponseResult(options.name, options.source, data)

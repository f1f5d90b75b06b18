"""A specification: requirements on a circuit, as entries of a quantity, its ports, a window and a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from photosim.analysis.options import inside
from photosim.analysis.passivity import check_level
from photosim.analysis.spectrum import check_waves
from photosim.errors import NetlistError, ParameterError, did_you_mean, listing
from photosim.kernels import spectra as kernel
from photosim.metrics import UNITS, crosstalk_dB, numbers
from photosim.metrics.reading import read_flat
from photosim.netlist.form_errors import MappingError
from photosim.netlist.forms import LIST, Number, Words
from photosim.netlist.mappings import read
from photosim.units import check_wavelengths, power_dB

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.circuit import Circuit

Pair = Annotated[tuple[Number, Number], LIST, Words("a list of two numbers, low and high")]

IN_WINDOW = {
    "power_dB": ("dB", "transmission, everywhere in the window"),
    "ripple_dB": ("dB", "highest over lowest power in the window"),
}
"""Quantities of a window; without one, ripple_dB is that of the line's 3 dB band."""
FEWEST = 4
"""Wavelengths that a line needs, and power between the points of a sweep; fewer are judged as they are."""
_LARGEST = {"um": (1.0, "nm, pm or GHz"), "s": (1e-3, "ps or ns")}
"""Largest limit of a width, a spacing or a delay that is not a slip of its unit, and what it looks like."""
_LINES = 3
"""Lines kept of each spectrum: the one that counts and both neighbours."""


@dataclass(frozen=True)
class Entry:
    """One entry of a specification.

    quantity: a name of docs/metrics.md, or power_dB.  start, end: ports or waves, `from` and `to` in files.
    window: wavelengths in um within which power_dB and ripple_dB are judged; power_dB without one is that
    of the whole sweep.  near: wavelength in um next
    to which the line that counts lies.  at_least, at_most, within: the limit.
    """

    quantity: str
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    name: str = ""
    window: Pair | None = None
    near: Number | None = None
    at_least: Number | None = None
    at_most: Number | None = None
    within: Pair | None = None

    @property
    def label(self) -> str:
        """Name of the entry, or its quantity and ports."""
        return self.name or f"{self.quantity} {self.start} to {self.end}"

    @property
    def unit(self) -> str:
        """Unit of the quantity."""
        return {**UNITS, **IN_WINDOW, "crosstalk_dB": ("dB", "")}[self.quantity][0]

    @property
    def of_line(self) -> bool:
        """Whether the quantity is read off a line, next to `near`."""
        return self.window is None and self.quantity not in ("power_dB", "crosstalk_dB")

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value that meets the entry."""
        low, high = self.within or (self.at_least, self.at_most)
        return (-np.inf if low is None else low, np.inf if high is None else high)

    @property
    def words(self) -> str:
        """The limit in words."""
        low, high = self.limits
        if np.isfinite(low) and np.isfinite(high):
            return f"within {low:g} to {high:g} {self.unit}"
        return f"at least {low:g} {self.unit}" if np.isfinite(low) else f"at most {high:g} {self.unit}"

    def margin(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far values (N,) lie inside the limit, in the unit of the quantity; -inf for no value."""
        low, high = self.limits
        found = np.minimum(values - low, high - values)
        return np.where(np.isnan(values), -np.inf, found)


def read_specification(circuit: Circuit, entries: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Return the entries of a specification.

    Raises ParameterError for an unknown key, quantity or port, for an entry without a limit, and where two
    have one name.
    """
    found: list[Entry] = []
    written: Sequence[Any] = entries
    for number, raw in enumerate(written, 1):
        with _placed(circuit, entries, number - 1):
            found.append(_read(circuit, raw, number))
    for label in (_with_window, _with_limit):
        found = _told_apart(found, label)
    labels = [entry.label for entry in found]
    for number, name in enumerate(labels):
        if name in labels[:number]:
            with _placed(circuit, entries, number):
                message = (
                    f"specification, entry {found[number].name or number + 1}: two entries are called "
                    f"{name!r}: give each a different name."
                )
                raise ParameterError(message)
    return tuple(found)


@contextmanager
def _placed(circuit: Circuit, entries: Sequence[Mapping[str, Any]], position: int) -> Iterator[None]:
    """Let errors know their entry; those of the netlist's own specification, the place in the file."""
    own = entries is circuit.netlist.specification
    try:
        with inside("specification", position):
            yield
    except MappingError as error:
        mark = circuit.netlist.mark(*map(str, error.path)) if own else None
        if mark is None:
            raise
        raise NetlistError(str(error), mark) from None


def _read(circuit: Circuit, raw: Any, number: int) -> Entry:
    """Return one entry; ParameterError for what it cannot be."""
    if not isinstance(raw, Mapping):
        message = f"Entry {number} of the specification must be a mapping of quantity, from, to and a limit."
        raise ParameterError(message)
    where = f"specification, entry {raw.get('name') or number}"
    entry = read(Entry, raw, where)
    _check(circuit, entry, where)
    return entry


def _told_apart(entries: list[Entry], label: Callable[[Entry], str]) -> list[Entry]:
    """Return entries, those whose labels are alike named by `label` unless the user named them."""
    labels = [entry.label for entry in entries]
    plain = [replace(entry, name="") for entry in entries]
    own = [entry.name in ("", _with_window(bare)) for entry, bare in zip(entries, plain, strict=True)]
    return [
        replace(entry, name=label(bare)) if free and labels.count(name) > 1 else entry
        for entry, bare, name, free in zip(entries, plain, labels, own, strict=True)
    ]


def _with_window(entry: Entry) -> str:
    window = entry.window
    return entry.label if window is None else f"{entry.label}, {window[0]:.8g} to {window[1]:.8g} um"


def _with_limit(entry: Entry) -> str:
    return f"{_with_window(entry)}, {entry.words}"


def _check(circuit: Circuit, entry: Entry, where: str) -> None:
    known = [*UNITS, *IN_WINDOW, "crosstalk_dB"]
    if entry.quantity not in known:
        message = (
            f"{where}: There is no quantity {entry.quantity!r}. There are: {listing(known, 20)}."
            f"{did_you_mean(entry.quantity, known)}"
        )
        raise ParameterError(message)
    try:
        check_waves(circuit, [entry.start], [entry.end])
    except ParameterError as error:
        message = f"{where}: {error}"
        raise ParameterError(message) from None
    limits = [x for x in (entry.at_least, entry.at_most, entry.within) if x is not None]
    if not limits or (entry.within is not None and len(limits) > 1):
        message = f"{where}: give at_least, at_most, both, or within: [low, high]."
        raise ParameterError(message)
    if not entry.limits[0] < entry.limits[1]:
        message = f"{where}: the limit {entry.words} leaves no value."
        raise ParameterError(message)
    _check_scale(entry, where)
    lowest = {"power_dB": entry.limits[0], "insertion_loss_dB": -entry.limits[1]}.get(entry.quantity)
    if lowest is not None:
        check_level(circuit, lowest, entry.start, entry.end, where)
    if entry.window is not None and entry.quantity not in IN_WINDOW:
        message = f"{where}: {entry.quantity} is read off a line, not in a window: leave the window out."
        raise ParameterError(message)
    _check_wavelengths(where, near=None if entry.near is None else (entry.near,), window=entry.window)
    if entry.window is not None and not entry.window[0] <= entry.window[1]:
        message = f"{where}: the window must rise, got {list(entry.window)}."
        raise ParameterError(message)
    if entry.quantity == "power_dB" and np.isfinite(entry.limits).all():
        message = (
            f"{where}: power_dB in a window is at_least or at_most a value, not both: write two entries."
        )
        raise ParameterError(message)


def _check_wavelengths(where: str, **wavelengths: tuple[float, ...] | None) -> None:
    """Refuse what is not wavelengths in um, such as those in nm."""
    for name, values in wavelengths.items():
        try:
            check_wavelengths(values or ())
        except ParameterError as error:
            message = f"{where}: {name}: {error}"
            raise ParameterError(message) from None


def _check_scale(entry: Entry, where: str) -> None:
    """Refuse limits that no circuit comes near, since they were written in another unit."""
    if entry.quantity == "resonance":  # a wavelength, which the sweep must hold
        limits = tuple(x for x in entry.limits if np.isfinite(x) and x > 0.0)  # 0: no limit
        _check_wavelengths(where, limit=limits)
        return
    largest, other = _LARGEST.get(entry.unit, (np.inf, ""))
    far = [x for x in entry.limits if np.isfinite(x) and abs(x) > largest]
    if far:
        message = (
            f"{where}: {entry.quantity} is in {entry.unit}, but its limit is {far[0]:g} {entry.unit}: it "
            f"looks like {other}."
        )
        raise ParameterError(message)


def check_judged(entries: Sequence[Entry], wl: NDArray[np.float64], *, moves: bool = False) -> None:
    """Raise ParameterError for an entry that no wavelength of the sweep wl (W,) can judge.

    moves: whether the sweep moves with a line, so that a resonance may lie outside of it.
    """
    low, high = float(wl.min()), float(wl.max())
    for entry in entries:
        outside = entry.window is not None and (entry.window[0] < low or entry.window[1] > high)
        if entry.window is not None and len(wl) < FEWEST:
            outside = not ((wl >= entry.window[0]) & (wl <= entry.window[1])).any()
        lost = entry.near is not None and not low <= entry.near <= high
        away = (
            not moves and entry.quantity == "resonance" and (entry.limits[1] < low or entry.limits[0] > high)
        )
        if outside or lost or away:
            asked = f"its window {list(entry.window)} um" if entry.window else f"its limit {entry.words}"
            asked = f"a line near {entry.near:g} um" if lost else asked
            message = (
                f"No wavelength of the sweep, {low:g} to {high:g} um, can judge the specification "
                f"{entry.label!r}: {asked} {'lies outside' if lost or away else 'does not lie inside'}."
            )
            raise ParameterError(message)


def pairs_of(entries: Sequence[Entry]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the waves that entries start and end at, each once."""
    return tuple(dict.fromkeys(e.start for e in entries)), tuple(dict.fromkeys(e.end for e in entries))


def judge(
    entries: Sequence[Entry],
    places: Mapping[tuple[str, str], int],
    wl: NDArray[np.float64],
    s: NDArray[np.complex128],
    near: Any,
    channels: Sequence[float],
) -> NDArray[np.float64]:
    """Return the value (entries, N) of every entry for spectra s (N, P, W) at rising wl (1 or N, W).

    places: number P of each (start, end).  near: where the lines lie that count, (1,) or (N,), unless an
    entry says.
    """
    out = np.empty((len(entries), len(s)))
    readings: dict[Any, dict[str, Any]] = {}
    for k, entry in enumerate(entries):
        place = places[entry.start, entry.end]
        one = np.ascontiguousarray(s[:, place : place + 1])
        if entry.window is not None or entry.quantity == "power_dB":
            both, lowest = entry.quantity == "ripple_dB", bool(np.isfinite(entry.limits[0]))
            top, bottom = _ends(entry, wl, one, (both or not lowest, both or lowest))
            out[k] = top - bottom if both else bottom if lowest else top
        elif entry.quantity == "crosstalk_dB":
            out[k] = crosstalk_dB(wl[0], one[:, 0], channels)
        else:
            key = (place, entry.near)
            if key not in readings:
                centre = near if entry.near is None else np.array([entry.near])
                readings[key] = numbers(read_flat(wl, one, centre, most=_LINES))
            out[k] = readings[key][entry.quantity][:, 0]
    return out


def _ends(
    entry: Entry, wl: NDArray[np.float64], s: NDArray[np.complex128], wanted: tuple[bool, bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the highest and lowest power in dB, (N,), of s (N, 1, W) in the window of an entry.

    The one that is not `wanted` is that of the points alone.
    """
    points = wl.shape[1]
    if points >= FEWEST and entry.window is not None:
        ends = np.empty((len(s), 1, 2))
        kernel.window_ends(wl, s, *entry.window, wanted, ends)
        return power_dB(ends[:, 0, 0]), power_dB(ends[:, 0, 1])
    low, high = entry.window or (-np.inf, np.inf)
    inside = (wl[0] >= low) & (wl[0] <= high)
    power = s[:, 0, inside].real ** 2 + s[:, 0, inside].imag ** 2
    return power_dB(power.max(axis=1)), power_dB(power.min(axis=1))

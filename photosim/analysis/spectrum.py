"""The spectrum of a circuit: transmission between ports over the wavelength, with its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from photosim.analysis.channels import channels_of
from photosim.analysis.numbers import as_numbers, metrics_table
from photosim.analysis.options import option, read_entry
from photosim.analysis.resolution import Extreme, Resolution, check_resolution
from photosim.analysis.result import Table
from photosim.display import Tabled
from photosim.engine.bindings import flat_settings
from photosim.engine.grids import checked, resolve
from photosim.engine.waves import find_wave
from photosim.errors import ParameterError
from photosim.netlist.forms import LabelList, NameList, PositiveList, Words, Written
from photosim.smatrix import ByValue, SMatrix, Trace

if TYPE_CHECKING:
    from photosim.circuit import Circuit

FloatArray = NDArray[np.float64]
Pairs = tuple[tuple[str, str], ...]

_Range = Annotated[str | float, Words("a text such as 1.54:1.56:2001, or a number")]

DARK_dB = -200.0
"""Transmission below this is rounding: a path that light does not take."""


@dataclass(frozen=True, eq=False)
class Spectra(ByValue):
    """Transmission from some waves to others, where not all of them are exposed ports.

    wl: shape (W,), in um.  values: complex, shape (..., W, ends, starts).  Read it as an SMatrix:
    `spectra["in", "ring,o3"]`.
    """

    wl: FloatArray
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    values: NDArray[np.complex128]

    def __getitem__(self, pair: tuple[str, str]) -> Trace:
        """Return the trace from one wave to another."""
        start, end = pair
        return Trace(self.wl, self.values[..., self.ends.index(end), self.starts.index(start)], start, end)


@dataclass(frozen=True)
class SpectrumOptions:
    """What a spectrum analysis computes.

    wl: wavelengths in um, shape (W,); "1.54:1.56:auto" is refined for the circuit.  starts, ends: exposed
    ports, or inner waves as "instance,port"; None leaves the choice to `port_pairs`.  channels: wavelengths
    in um to mark; None asks `channels_of`.  labels: names of the curves for the reader, in the order of the
    pairs; empty names them "from to to".  metrics: also the numbers of docs/metrics.md.
    """

    name: str
    wl: Annotated[Any, Written(_Range, checked)]
    starts: Annotated[NameList | None, Field(alias="from")] = None
    ends: Annotated[NameList | None, Field(alias="to")] = None
    channels: PositiveList | None = None
    labels: LabelList = ()
    metrics: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SpectrumResult(Tabled, ByValue):
    """A computed spectrum: its values, the pairs of interest as (from, to), the channels in um.

    resolution: extremes between the points of the grid, and what the grid does not show.
    """

    name: str
    s: SMatrix | Spectra
    pairs: Pairs
    channels: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    resolution: Resolution = field(default_factory=Resolution)
    metrics: bool = False

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the grid of wavelengths does not show."""
        return self.resolution.remarks

    def summary(self, pair: tuple[str, str]) -> dict[str, float | None]:
        """Return extremes of a pair's transmission in dB, where they are in um, and its loss at the centre.

        Extremes are those between the points of the grid too. A transmission of zero is None: JSON has no
        infinity.
        """
        power, wl = self.s[pair].power_dB, self.s.wl
        found = {"max": int(np.argmax(power)), "min": int(np.argmin(power))}
        values = {side: Extreme(float(power[at]), float(wl[at])) for side, at in found.items()}
        if pair in self.resolution.extremes:
            values = dict(zip(values, self.resolution.extremes[pair], strict=True))
        loss = _finite(power[wl.size // 2])
        return {
            **{f"{side}_dB": _finite(extreme.power_dB) for side, extreme in values.items()},
            **{f"{side}_at_um": extreme.wl for side, extreme in values.items()},
            "centre_um": float(wl[wl.size // 2]),
            "centre_loss_dB": None if loss is None else 0.0 - loss,
        }

    def numbers(self) -> dict[str, Any]:
        """Everything but the curves as plain JSON types."""
        wl = self.s.wl
        return {
            "kind": "spectrum",
            "name": self.name,
            "wl_um": {"start": float(wl[0]), "stop": float(wl[-1]), "points": int(wl.size)},
            "channels_um": list(self.channels),
            "pairs": {f"{a} to {b}": self.summary((a, b)) for a, b in self.pairs},
            **({"metrics": self._metrics()} if self.metrics else {}),
            "remarks": list(self.remarks),
        }

    def tables(self) -> tuple[Table, ...]:
        """Extremes of every pair, between points too; then the transmission of each channel, and remarks."""
        tables = [self._pair_table()]
        if self.metrics:
            tables.append(metrics_table(f"{self.name}: metrics", self._metrics()))
        inside = [(k, c) for k, c in enumerate(self.channels) if self.s.wl[0] <= c <= self.s.wl[-1]]
        if inside and self.s.wl.size > 1:
            tables.append(self._channel_table(inside))
        if self.remarks:
            rows = tuple((text,) for text in self.remarks)
            tables.append(Table(f"{self.name}: the grid is too coarse", ("what it does not show",), rows))
        return tuple(tables)

    def _metrics(self) -> dict[str, dict[str, Any]]:
        """Return the numbers of every pair, and of each of its lines."""
        low, high = float(self.s.wl.min()), float(self.s.wl.max())
        channels = self.channels if sum(low <= c <= high for c in self.channels) > 1 else None
        return {f"{a} to {b}": as_numbers(self.s[a, b].metrics(channels=channels)) for a, b in self.pairs}

    def _pair_table(self) -> Table:
        rows = []
        for pair in self.pairs:
            found = self.summary(pair)
            extremes = (
                f"{_dB(found[f'{side}_dB'])} at {found[f'{side}_at_um']:.6g}" for side in ("max", "min")
            )
            rows.append((*pair, *extremes, _dB(found["centre_loss_dB"])))
        centre = float(self.s.wl[self.s.wl.size // 2])
        heads = ("from", "to", "highest (dB at um)", "lowest (dB at um)", f"loss at {centre:.6g} um (dB)")
        return Table(f"{self.name}: transmission", heads, tuple(rows))

    def _at(self, pair: tuple[str, str], wl: float) -> float | None:
        """Return the transmission of a pair in dB at a channel, else at the grid point next to it."""
        known = self.resolution.at.get((*pair, wl))
        return known if known is not None else _finite(self.s[pair].power_dB[np.abs(self.s.wl - wl).argmin()])

    def _channel_table(self, channels: Sequence[tuple[int, float]]) -> Table:
        rows = tuple(
            (str(k + 1), f"{channel:.6f}", *(_dB(self._at(pair, channel)) for pair in self.pairs))
            for k, channel in channels
        )
        names = self.labels or tuple(f"{a} to {b}" for a, b in self.pairs)
        heads = tuple(f"{name} (dB)" for name in names)
        return Table(f"{self.name}: channels", ("channel", "wavelength (um)", *heads), rows)


def read_options(entry: Mapping[str, Any], circuit: Circuit) -> SpectrumOptions:
    """Return the options of an entry `{kind: spectrum, name, wl, from, to, channels, labels, settings}`.

    Raises ParameterError for an unknown key, a port that the circuit does not have, or a bad wavelength
    range.
    """
    options = read_entry(SpectrumOptions, entry, "spectrum")
    with option(options.name, "from"):
        check_waves(circuit, starts=options.starts)
    with option(options.name, "to"):
        check_waves(circuit, ends=options.ends)
    with option(options.name, "settings"):
        check_settings(circuit, options.settings)
    pairs = len(options.starts or ()) * len(options.ends or ())
    if options.labels and len(options.labels) != pairs:
        with option(options.name, "labels"):
            count = len(options.labels)
            message = f"there are {count}, but there must be one for each pair of 'from' and 'to': give both."
            raise ParameterError(message)
    wl = resolve(circuit, options.wl, dict(options.settings), options.ends, options.starts)
    return replace(options, wl=wl)


def spectrum(circuit: Circuit, options: SpectrumOptions) -> SpectrumResult:
    """Return the spectrum of `circuit` over the wavelengths of the options."""
    channels = options.channels if options.channels is not None else channels_of(circuit, options.settings)
    named = {*(options.starts or ()), *(options.ends or ())}
    if named <= set(circuit.ports):
        s = circuit(options.wl, **options.settings)
        pairs = port_pairs(s, options.starts, options.ends)
        found = _resolution(circuit, options, s, pairs, channels)
        return SpectrumResult(
            options.name, s, pairs, channels, options.labels, found, metrics=options.metrics
        )
    starts = options.starts if options.starts is not None else default_inputs(circuit.ports)
    ends = options.ends if options.ends is not None else circuit.ports
    values = circuit.transfer(options.wl, ends, starts, **options.settings)
    pairs = tuple((a, b) for a in starts for b in ends)
    spectra = Spectra(options.wl, starts, ends, values)
    found = _resolution(circuit, options, spectra, pairs, channels)
    return SpectrumResult(
        options.name, spectra, pairs, channels, options.labels, found, metrics=options.metrics
    )


def _resolution(
    circuit: Circuit,
    options: SpectrumOptions,
    s: SMatrix | Spectra,
    pairs: Pairs,
    channels: Sequence[float],
) -> Resolution:
    """Return what lies between the points of the grid for the pairs of interest, by evaluating there."""
    starts, ends = (list(dict.fromkeys(names)) for names in zip(*pairs, strict=True))
    inside = options.wl.min(), options.wl.max()  # rounding must not leave the range of a table

    def evaluate(wl: FloatArray) -> FloatArray:
        waves = circuit.transfer(np.clip(wl, *inside), ends, starts, **options.settings)
        return np.array([np.abs(waves[:, ends.index(b), starts.index(a)]) ** 2 for a, b in pairs])

    power = np.array([s[pair].power for pair in pairs])
    return check_resolution(evaluate, options.wl, pairs, power, channels)


def check_waves(
    circuit: Circuit, starts: Sequence[str] | None = None, ends: Sequence[str] | None = None
) -> None:
    """Raise ParameterError unless every name is a wave of the circuit, each once; None passes.

    An instance that does not exist is a NetlistError.
    """
    for names, entering in ((starts, True), (ends, False)):
        for name in names or ():
            find_wave(circuit.graph, name, entering=entering)
        again = next((name for k, name in enumerate(names or ()) if name in (names or ())[:k]), None)
        if again is not None:
            message = f"{again!r} is asked for twice: name it once."
            raise ParameterError(message)


def check_settings(circuit: Circuit, settings: Mapping[str, Any], what: str = "A spectrum shows") -> None:
    """Raise ParameterError unless the circuit takes these settings and none of its settings is a list.

    A list stands for many circuits; a spectrum shows one.  what: begins the sentence of another question.
    """
    _, point = circuit.at(settings)
    if point.leading:
        lists = [name for name, value in {**circuit.parameters, **point.settings}.items() if np.ndim(value)]
        message = f"{what} one circuit, but {lists[0]!r} is a list of values: give one value."
        raise ParameterError(message)


def with_seed(circuit: Circuit, settings: Mapping[str, Any], seed: int | None) -> dict[str, Any]:
    """Return settings by dotted name, with `seed` in each setting called `seed` that they leave alone."""
    flat = flat_settings(settings)
    if seed is None:
        return flat
    names = (name for name in circuit.parameters if name.rpartition(".")[2] == "seed")
    return dict.fromkeys(names, seed) | flat


def port_pairs(s: SMatrix, starts: Sequence[str] | None = None, ends: Sequence[str] | None = None) -> Pairs:
    """Return the (from, to) pairs worth showing.

    Without `starts` the ports named in.. (else the first port); without `ends` every port that light from a
    start reaches. A pair that is named is shown even when dark.
    """
    first = tuple(starts) if starts is not None else default_inputs(s.ports)
    if ends is not None:
        return tuple((a, b) for a in first for b in ends)
    pairs = tuple(
        (a, b) for a in first for b in s.ports if np.max(s[a, b].power_dB, initial=-np.inf) > DARK_dB
    )
    return pairs or tuple((a, b) for a in first for b in s.ports)


def default_inputs(ports: Sequence[str]) -> tuple[str, ...]:
    """Return the ports called in.., else the first port."""
    return tuple(p for p in ports if p.startswith("in")) or tuple(ports[:1])


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _dB(value: float | None) -> str:
    # Adding zero turns -0.0, which is what a loss of nothing rounds to, into 0.0.
    return "dark" if value is None else f"{round(value, 3) + 0.0:.3f}"

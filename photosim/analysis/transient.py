"""The analysis of kind transient: a circuit in time, with the eyes of its signals."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from photosim.analysis.figures import ConstellationFigures, Figures, figures
from photosim.analysis.options import option, read_entry
from photosim.analysis.result import Table
from photosim.analysis.spectrum import check_settings, check_waves
from photosim.analysis.traces import Eye, eye
from photosim.arguments import public
from photosim.display import Tabled
from photosim.errors import NetlistError, ParameterError, did_you_mean, listing
from photosim.netlist.forms import RECORD, Count, NameList, NotNegative, NumberList, Positive, Written
from photosim.smatrix import ByValue
from photosim.timedomain import transient as simulate
from photosim.timedomain.inputs import as_lights
from photosim.timedomain.waveform import Waveform
from photosim.timedomain.waveforms import wave_form

if TYPE_CHECKING:
    import xarray

    from photosim.circuit import Circuit


@public
@dataclass(frozen=True)
class EyeOptions:
    """The eye to look at: of a detector or probe, by default the first; rate in symbols per s.

    Where a drive or an input has symbols at that rate which the signal follows, the eye is by those.
    """

    rate: Positive
    signal: str | None = None
    levels: Annotated[int, Field(ge=2)] = 2


@public
@dataclass(frozen=True)
class FiguresOptions:
    """The figures to read off a detector or probe, by default the first.

    rate: symbols per s, by default that of the first drive or input that has symbols.  quadrature: signal
    that is the imaginary part of a constellation.  levels: of the trace, or points of the constellation.
    received, scope_noise: see `ps.figures`.
    """

    signal: str | None = None
    rate: Positive | None = None
    quadrature: str | None = None
    levels: Annotated[int, Field(ge=2)] | None = None
    received: bool = False
    scope_noise: NotNegative = 0.0


_MOST_PERIOD = 1 << 20
"""Symbols of a constellation after which two sequences are taken to repeat together, at most."""
Waves = Annotated[Mapping[str, Waveform], Written(GenericAlias(dict, (str, wave_form())))]


@public
@dataclass(frozen=True)
class TransientOptions:
    """What an analysis in time computes: the arguments of `ps.transient`, and which eye to look at.

    stream: keep no samples, and count errors, as `ps.stream` does; the eye then says of which signal.
    """

    name: str
    duration: Positive
    sample_rate: Positive
    drive: Waves = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    wl: NumberList | None = None
    probes: NameList | None = None
    noise: bool = False
    seed: Count = 0
    settle: NotNegative = 0.0
    quasi_static: bool | None = None
    stream: bool = False
    eye: Annotated[EyeOptions, RECORD] | None = None
    figures: Annotated[FiguresOptions, RECORD] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@public
@dataclass(frozen=True, eq=False)
class TransientResult(Tabled, ByValue):
    """A simulation in time: the Dataset of `ps.transient`, with the eye and the figures of its signals."""

    name: str
    data: xarray.Dataset
    eyes: Mapping[str, Eye] = field(default_factory=dict)
    figures: Mapping[str, Figures | ConstellationFigures] = field(default_factory=dict)

    def signals(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return real signals over time by name: currents in A, voltages of nets in V, and powers in W."""
        found: dict[str, np.ndarray[Any, Any]] = {}
        if "current" in self.data:
            found |= dict(zip(self.data.detector.values.tolist(), self.data.current.values, strict=True))
        power = (np.abs(self.data.wave.values) ** 2).sum(axis=1)
        found |= dict(zip(self.data.probe.values.tolist(), power, strict=True))
        if "voltage" in self.data:
            found |= dict(zip(self.data.net.values.tolist(), self.data.voltage.values, strict=True))
        return found

    def numbers(self) -> dict[str, Any]:
        """Return everything but the traces as plain JSON types."""
        data = self.data
        return {
            "kind": "transient",
            "name": self.name,
            "samples": int(data.sizes["time"]),
            "sample_rate_Hz": float(data.attrs["sample_rate_Hz"]),
            "carriers_um": data.carrier.values.tolist(),
            "seed": None if data.attrs["seed"] < 0 else int(data.attrs["seed"]),
            "drives": data.attrs["drives"],
            "fits": data.attrs["fits"],
            "signals": {
                name: {"mean": float(v.mean()), "least": float(v.min()), "most": float(v.max())}
                for name, v in self.signals().items()
            },
            "saturated": self.saturated(),
            "eyes": {name: one.numbers() for name, one in self.eyes.items()},
            "figures": {name: one.numbers() for name, one in self.figures.items()},
        }

    def unit(self, name: str) -> str:
        """Return the unit of a signal: A of a detector, V of a net, W of a probe."""
        if "current" in self.data and name in self.data.detector.values:
            return "A"
        return "V" if "voltage" in self.data and name in self.data.net.values else "W"

    def saturated(self) -> dict[str, float]:
        """Return the share of the time in which each detector had more light than it can follow."""
        if "saturated" not in self.data:
            return {}
        return dict(zip(self.data.detector.values.tolist(), self.data.saturated.values.tolist(), strict=True))

    def tables(self) -> tuple[Table, ...]:
        """Return mean and extremes of every signal, and the figures of the eye."""
        rows = tuple(
            (
                name,
                f"m{self.unit(name)}",
                *(f"{1e3 * x:.6g}" for x in (v.mean(), v.min(), v.max())),
            )
            for name, v in self.signals().items()
        )
        tables = [Table(f"{self.name}: signals", ("signal", "unit", "mean", "least", "most"), rows)]
        for name, one in self.eyes.items():
            rows = (
                ("levels", ", ".join(f"{1e3 * level:.6g}" for level in one.levels)),
                ("height", f"{1e3 * one.height:.6g}"),
                ("width (ps)", f"{1e12 * one.width:.6g}"),
                ("Q", f"{one.q:.4g}"),
                ("symbol error rate", f"{one.error_rate:.3g}"),
            )
            unit = f"m{self.unit(name)}"
            tables.append(Table(f"{self.name}: eye of {name} ({unit})", ("figure", "value"), rows))
        for name, judged in self.figures.items():
            tables += judged.tables(f"{self.name}: figures of {name}")
        return tuple(tables)


@public
def located(entry: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return an entry of a netlist in `folder` with the places of the waveform files that it names.

    Raises ParameterError for a file outside that folder, as for tables of S-parameters.
    """
    from photosim.netlist.tables import locate

    def place(value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("wave") == "file" and isinstance(value.get("path"), str):
            try:
                return {**value, "path": str(locate(value["path"], folder))}
            except NetlistError as error:
                message = f"The analysis {entry.get('name', 'transient')!r}: {error}"
                raise ParameterError(message) from None
        if isinstance(value, Mapping):
            return {key: place(inner) for key, inner in value.items()}
        return [place(inner) for inner in value] if isinstance(value, list) else value

    named = {key: entry[key] for key in ("drive", "inputs") if isinstance(entry.get(key), Mapping)}
    return {
        **entry,
        **{key: {name: place(value) for name, value in table.items()} for key, table in named.items()},
    }


@public
def read_options(entry: Mapping[str, Any], circuit: Circuit) -> TransientOptions:
    """Return the options of an entry `{kind: transient, name, duration, sample_rate, drive, inputs, ...}`.

    Raises ParameterError for an unknown key, a setting, port or wave that the circuit does not have, or a
    waveform that cannot be made.
    """
    options = read_entry(TransientOptions, entry, "transient")
    for key, known, what in (("drive", circuit.parameters, "setting"), ("inputs", circuit.ports, "port")):
        with option(options.name, key):
            for name in getattr(options, key):
                if name not in known:
                    hint = did_you_mean(name, known)
                    message = f"the circuit has no {what} {name!r}. It has: {listing(known, 20)}.{hint}"
                    raise ParameterError(message)
    with option(options.name, "probes"):
        check_waves(circuit, ends=options.probes)
    with option(options.name, "settings"):
        check_settings(circuit, options.settings)
    lights = {}
    for port, value in options.inputs.items():
        with option(options.name, "inputs"):
            lights[port] = as_lights(value, port)
    options = replace(options, inputs=lights)
    with option(options.name, "stream"):
        kept = {"probes": options.probes, "settle": options.settle, "figures": options.figures}
        given = [key for key, value in kept.items() if value] if options.stream else []
        if given:
            message = f"a streamed run keeps no samples: leave out {listing(given)}."
            raise ParameterError(message)
    return replace(options, eye=_eye(options, circuit), figures=_figures(options, circuit))


@public
def transient(circuit: Circuit, options: TransientOptions, seed: int | None = None) -> TransientResult:
    """Return the simulation in time that the options ask for; `seed` replaces theirs."""
    data = simulate(
        circuit, options.duration, sample_rate=options.sample_rate, drive=options.drive,
        inputs=options.inputs, wl=options.wl, probes=options.probes, noise=options.noise,
        settle=options.settle,
        seed=options.seed if seed is None else seed, quasi_static=options.quasi_static, **options.settings,
    )  # fmt: skip
    signals = TransientResult(options.name, data).signals()
    eyes, judged = {}, {}
    if options.eye is not None:
        name = str(options.eye.signal)
        eyes[name] = _seen(signals[name], options, options.eye)
    if options.figures is not None:
        asked = options.figures
        unit = TransientResult(options.name, data).unit(str(asked.signal))
        judged[str(asked.signal)] = _judged(signals, options, asked, unit)
    return TransientResult(options.name, data, eyes, judged)


def _seen(signal: np.ndarray[Any, Any], options: TransientOptions, asked: EyeOptions) -> Eye:
    """Return the eye of a signal by the symbols of the drive or input that it follows, if it follows any."""
    for wave in (*options.drive.values(), *options.inputs.values()):
        if wave.symbols is None or not np.isclose(wave.symbols[0], asked.rate, rtol=1e-9):
            continue
        with suppress(ParameterError):
            return eye(signal, options.sample_rate, asked.rate, levels=asked.levels, sent=wave.symbols[1])
    return eye(signal, options.sample_rate, asked.rate, levels=asked.levels)


def _sent(options: TransientOptions, rate: float) -> list[np.ndarray[Any, Any]]:
    """Return the symbols of the drives and inputs that have any at this rate."""
    waves = [wave for wave in (*options.drive.values(), *options.inputs.values()) if wave.symbols is not None]
    return [wave.symbols[1] for wave in waves if np.isclose(wave.symbols[0], rate, rtol=1e-9)]


def _judged(
    signals: Mapping[str, Any], options: TransientOptions, asked: FiguresOptions, unit: str
) -> Figures | ConstellationFigures:
    """Return the figures of a signal by the symbols that it follows, if it follows any."""
    rate = float(asked.rate or 0.0)
    trace, sent = signals[str(asked.signal)], _sent(options, rate)
    if asked.quadrature is not None:
        trace = trace + 1j * signals[asked.quadrature]
        sent = [_complex(*sent[:2])] if len(sent) > 1 else []

    def found(symbols: Any, levels: int | None) -> Figures | ConstellationFigures:
        return figures(
            trace, options.sample_rate, rate, sent=symbols, levels=levels, received=asked.received,
            scope_noise=asked.scope_noise, unit=unit,
        )  # fmt: skip

    reasons = []
    for symbols in sent:
        try:
            return found(symbols, None if asked.quadrature is not None else asked.levels)
        except ParameterError as reason:
            reasons.append(reason)
    if reasons:
        raise reasons[0]
    return found(None, asked.levels)


def _complex(real: np.ndarray[Any, Any], imaginary: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the complex symbols of two sequences (N,) and (M,), each about the middle of its levels."""
    period = min(np.lcm(real.size, imaginary.size), _MOST_PERIOD)
    own = [np.resize(one - (one.max() + one.min()) / 2, period) for one in (real, imaginary)]
    return np.asarray(own[0] + 1j * own[1])


def _eye(options: TransientOptions, circuit: Circuit) -> EyeOptions | None:
    """Return the eye to look at, with the name of its signal."""
    if options.eye is None:
        return None
    return replace(options.eye, signal=_signal(options, circuit, "eye", options.eye.signal))


def _figures(options: TransientOptions, circuit: Circuit) -> FiguresOptions | None:
    """Return the figures to read, with the name of their signal and the symbol rate."""
    asked = options.figures
    if asked is None:
        return None
    signal = _signal(options, circuit, "figures", asked.signal)
    if asked.quadrature is not None:
        _signal(options, circuit, "figures", asked.quadrature)
    waves = (*options.drive.values(), *options.inputs.values())
    rates = [wave.symbols[0] for wave in waves if wave.symbols is not None]
    rate = asked.rate or next(iter(rates), None)
    with option(options.name, "figures", "rate"):
        if rate is None:
            message = "no drive or input has symbols, so the symbol rate is not known: give `rate`."
            raise ParameterError(message)
        if rates and not any(np.isclose(own, rate, rtol=1e-9) for own in rates):
            message = f"{rate:g} symbols per s do not fit: the drives and inputs have {listing(rates)}."
            raise ParameterError(message)
    return replace(asked, signal=signal, rate=float(rate))


def _signal(options: TransientOptions, circuit: Circuit, key: str, asked: str | None) -> str:
    """Return the name of the signal that an option asks for, by default the first."""
    probes = circuit.ports if options.probes is None else options.probes
    known = (*circuit.detectors, *probes, *circuit.compiled.electrics.nets)
    signal = asked or next(iter(known), None)
    if signal not in known:
        with option(options.name, key, "signal"):
            message = f"there is no signal {signal!r}. There are: {listing(known)}."
            raise ParameterError(message + did_you_mean(str(signal), known))
    return str(signal)

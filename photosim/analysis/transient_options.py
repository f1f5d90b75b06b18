"""Options of the analysis of kind transient: what is simulated in time, and what is read off its signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from photosim.analysis.options import beside, option, read_entry
from photosim.analysis.spectrum import check_settings, check_waves
from photosim.arguments import public
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model.elements import GROUND
from photosim.netlist.forms import RECORD, Count, NameList, NotNegative, NumberList, Positive, Written
from photosim.timedomain.inputs import as_lights
from photosim.timedomain.waveform import Waveform
from photosim.timedomain.waveforms import wave_form

if TYPE_CHECKING:
    from photosim.circuit import Circuit


@public
@dataclass(frozen=True)
class EyeOptions:
    """Options of the eye diagram of a detector or probe, by default the first one.

    rate: symbols per s, by default those of the first drive or input with symbols. If a drive has symbols at
    this rate and the signal follows it, the eye uses these symbols.  levels: by default those of the symbols.
    """

    rate: Positive | None = None
    signal: str | None = None
    levels: Annotated[int, Field(ge=2)] | None = None


@public
@dataclass(frozen=True)
class FiguresOptions:
    """Options of the figures of merit of a detector or probe, by default the first one.

    rate: symbols per s, by default those of the first drive or input with symbols.  quadrature: signal that
    is the imaginary part of a constellation.  levels: number of levels, or of points of the constellation.
    received, scope_noise: as for `ps.figures`.
    """

    signal: str | None = None
    rate: Positive | None = None
    quadrature: str | None = None
    levels: Annotated[int, Field(ge=2)] | None = None
    received: bool = False
    scope_noise: NotNegative = 0.0


Waves = Annotated[Mapping[str, Waveform], Written(GenericAlias(dict, (str, wave_form())))]


@public
@dataclass(frozen=True)
class TransientOptions:
    """Options of a time-domain simulation: the arguments of `ps.transient`, and those of eye and figures.

    stream: count errors and keep no samples, as `ps.stream` does; `eye` then names the signal.
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
def located(entry: Mapping[str, Any], folder: Path | None) -> dict[str, Any]:
    """Return an entry of a netlist in `folder` with the places of the waveform files that it names.

    Raises ParameterError for a file outside that folder, as for tables of S-parameters.
    """

    def place(value: Any) -> Any:
        if isinstance(value, Mapping) and value.get("wave") == "file" and isinstance(value.get("path"), str):
            return {**value, "path": beside(value["path"], folder, entry, "transient")}
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
        check_settings(circuit, options.settings, "A run in time follows")
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


def _symbols(options: TransientOptions) -> list[tuple[float, np.ndarray[Any, Any]]]:
    """Return symbol rate and symbols of the drives and inputs that have any."""
    waves = (*options.drive.values(), *options.inputs.values())
    return [wave.symbols for wave in waves if wave.symbols is not None]


def sent_at(options: TransientOptions, rate: float) -> list[np.ndarray[Any, Any]]:
    """Return the symbols of the drives and inputs that have any at this rate."""
    return [own for each, own in _symbols(options) if np.isclose(each, rate, rtol=1e-9)]


def _eye(options: TransientOptions, circuit: Circuit) -> EyeOptions | None:
    """Return the options of the eye, with the name of its signal and the symbol rate."""
    if options.eye is None:
        return None
    rate = _rate(options, "eye", options.eye.rate)
    return replace(options.eye, signal=_signal(options, circuit, "eye", options.eye.signal), rate=rate)


def _figures(options: TransientOptions, circuit: Circuit) -> FiguresOptions | None:
    """Return the figures to read, with the name of their signal and the symbol rate."""
    asked = options.figures
    if asked is None:
        return None
    signal = _signal(options, circuit, "figures", asked.signal)
    other = asked.quadrature
    if other is not None:
        other = _signal(options, circuit, "figures", other)
    rate = _rate(options, "figures", asked.rate)
    rates = [each for each, _ in _symbols(options)]
    with option(options.name, "figures", "rate"):
        if rates and not sent_at(options, rate):
            message = f"{rate:g} symbols per s do not fit: the drives and inputs have {listing(rates)}."
            raise ParameterError(message)
    return replace(asked, signal=signal, quadrature=other, rate=rate)


def _rate(options: TransientOptions, key: str, asked: float | None) -> float:
    """Return the symbol rate that an option has, by default that of the first drive or input with symbols."""
    rate = asked or next((each for each, _ in _symbols(options)), None)
    if rate is None:
        with option(options.name, key, "rate"):
            message = "no drive or input has symbols, so the symbol rate is not known: give `rate`."
            raise ParameterError(message)
    return float(rate)


def _net_of(circuit: Circuit, member: str) -> str:
    """Return the name of the net that a member such as "load,e1" stands in; empty for none."""
    node = circuit.compiled.electrics.node
    instance, _, port = member.rpartition(",")
    end = (instance.strip(), port.strip())
    # The pins of an instance with parts inside are known by those who share a net with them.
    written = (*circuit.netlist.nets, *circuit.netlist.connections)
    fellows = [end, *(other for net in written if end in net for other in net)]
    return next((node[own] for own in fellows if own in node), "")


def _signal(options: TransientOptions, circuit: Circuit, key: str, asked: str | None) -> str:
    """Return the name of the signal that an option asks for, by default the first."""
    probes = circuit.ports if options.probes is None else options.probes
    nets = [name for name in circuit.compiled.electrics.nets if name != GROUND]
    known = (*circuit.detectors, *probes, *nets)
    signal = asked or next(iter(known), None)
    if signal not in known:
        net = _net_of(circuit, str(signal))
        if net in nets:
            return net
        with option(options.name, key, "signal"):
            message = f"there is no signal {signal!r}. There are: {listing(known)}."
            raise ParameterError(message + did_you_mean(str(signal), known))
    return str(signal)

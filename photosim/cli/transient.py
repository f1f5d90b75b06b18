"""The command `transient`: a circuit in time, as table, picture and data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from photosim import __version__
from photosim.analysis.result import plain
from photosim.cli.common import Common
from photosim.cli.show import show_json, show_tables
from photosim.errors import ParameterError

if TYPE_CHECKING:
    from photosim.analysis.streams import StreamResult
    from photosim.analysis.transient import TransientResult
    from photosim.analysis.transient_options import TransientOptions
    from photosim.circuit import Circuit


@dataclass(frozen=True)
class Streaming:
    """Whether no samples are kept, their number as typed, and the file that keeps the state of the run."""

    wanted: bool = False
    samples: str | None = None
    checkpoint: Path | None = None


@dataclass(frozen=True)
class Request:
    """Options of `transient`; names and values are as typed."""

    common: Common
    duration: str | None
    rate: str | None
    drives: tuple[str, ...]
    noise: bool
    figures: bool = False
    eye: bool = False
    streaming: Streaming = Streaming()


def transient(request: Request) -> None:
    """Compute, write the requested files, and show the figures; everything is checked before computing."""
    from photosim.analysis.transient import transient as compute
    from photosim.timedomain.files import SUFFIXES

    common = request.common
    common.check_targets((".csv",) if request.streaming.wanted else SUFFIXES)
    circuit = common.circuit()
    options = _options(request, circuit)
    result: StreamResult | TransientResult
    if options.stream:
        result, written = _streamed(request, circuit, options)
    else:
        result = compute(circuit, options, common.seed)
        written = _write(request, result)
    if common.json:
        files = [str(path) for path in written]
        show_json({"photosim": __version__, **plain(result.numbers()), "files": files})
        return
    show_tables(result.tables())
    for path in written:
        typer.echo(f"Wrote {path}")


def _streamed(
    request: Request, circuit: Circuit, options: TransientOptions
) -> tuple[StreamResult, list[Path]]:
    """Return the streamed run, and the files that were written."""
    from photosim import plotting
    from photosim.analysis import streams
    from photosim.cli.progress import progress_bars
    from photosim.files.atomic import all_or_none

    common, file = request.common, request.streaming.checkpoint
    with progress_bars() as progress:
        result = streams.streamed(circuit, options, common.seed, checkpoint=file, progress=progress)
    pictures = list(plotting.for_stream(result).values())
    if common.plot is not None and not pictures:
        message = "There is nothing to draw: no symbols were sent, so there is no eye."
        raise ParameterError(message)
    written = [path for path in (common.out, common.plot) if path is not None]
    with all_or_none(written) as places:
        if common.out is not None:
            streams.write(places[0], result)
        if common.plot is not None:
            plotting.save(pictures[0](), places[-1])
    return result, written


def _options(request: Request, circuit: Circuit) -> TransientOptions:
    """Return the options of the netlist's own analysis in time, with what the command line says in front."""
    from photosim.analysis.transient_options import located, read_options

    entry: dict[str, Any] = located(request.common.entry(circuit, "transient"), circuit.netlist.folder)
    typed = {"duration": request.duration, "sample_rate": request.rate}
    entry |= {key: value for key, value in typed.items() if value is not None}
    streaming = request.streaming
    entry |= {"stream": True} if streaming.wanted else {}
    if streaming.checkpoint is not None and not entry.get("stream"):
        message = "--checkpoint keeps the state of a streamed run: give --stream too."
        raise ParameterError(message)
    if streaming.samples is not None:
        entry["duration"] = _duration(streaming.samples, request.duration, entry.get("sample_rate"))
    if "duration" not in entry or "sample_rate" not in entry:
        message = (
            f"{request.common.file} lists no analysis of kind transient: say how long with --duration "
            "SECONDS and how fine with --rate HZ."
        )
        raise ParameterError(message)
    entry["drive"] = {**entry.get("drive", {}), **dict(_drive(text) for text in request.drives)}
    if request.eye:
        entry["eye"] = entry.get("eye") or {}
    if request.figures:
        eye = entry.get("eye") or {}
        entry["figures"] = entry.get("figures") or {k: v for k, v in eye.items() if k != "levels"}
    options = read_options(entry, circuit)
    settings = {**options.settings, **request.common.settings(circuit)}
    return replace(options, settings=settings, noise=options.noise or request.noise)


def _duration(samples: str, duration: str | None, rate: Any) -> float:
    """Return the duration in s of so many samples; ParameterError for a number that is none."""
    if duration is not None:
        message = f"--samples {samples} and --duration {duration} both say how long: give one of them."
        raise ParameterError(message)
    try:
        count, per_s = float(samples), float(rate)
    except (TypeError, ValueError):
        count = per_s = float("nan")
    if not (count >= 1 and count == round(count) and per_s > 0):
        message = f"--samples must be a whole number such as 1e9, and --rate be given, got {samples!r}."
        raise ParameterError(message)
    return count / per_s


def _drive(text: str) -> tuple[str, Any]:
    """Return setting and waveform of `phase=prbs:rate=1e10,low=0,high=3.14` or `phase=1.5`."""
    name, equals, wave = text.partition("=")
    if not equals or not name.strip() or not wave.strip():
        message = f"Cannot read the drive {text!r}: write SETTING=WAVE:OPTION=VALUE (phase=prbs:rate=1e10)."
        raise ParameterError(message)
    kind, _, rest = wave.partition(":")
    try:
        return name.strip(), float(kind)
    except ValueError:
        pass
    options: dict[str, Any] = {"wave": kind.strip()}
    for option in rest.split(",") if rest else ():
        key, equals, value = option.partition("=")
        if not equals:
            message = f"Cannot read {option!r} in the drive {text!r}: write OPTION=VALUE."
            raise ParameterError(message)
        if key.strip() in options:
            message = f"The drive {text!r} gives the option {key.strip()!r} twice: give it once."
            raise ParameterError(message)
        options[key.strip()] = _value(value.strip())
    return name.strip(), options


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _write(request: Request, result: TransientResult) -> list[Path]:
    """Write picture and data: of the figures or the eye, else of the currents, else of the powers."""
    from photosim import plotting
    from photosim.files.atomic import all_or_none
    from photosim.timedomain import files

    plot, out = request.common.plot, request.common.out
    pictures: Sequence[Any] = list(plotting.for_transient(result).values())
    if plot is not None and not pictures:
        message = "There is nothing to draw: the circuit has no detector and exposes no port."
        raise ParameterError(message)
    figure = pictures[-1 if result.eyes or result.figures else 0]() if plot is not None else None
    written = [path for path in (out, plot) if path is not None]
    with all_or_none(written) as places:
        if out is not None:
            files.write(places[0], result.data)
        if plot is not None and figure is not None:
            plotting.save(figure, places[-1])
    return written

"""Detectors and the electronics behind them in time: low-passes, noise, jitter, steps of converters."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.converters import convert, converter_drives, out_of_range
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.model import Detector, Electronic, Nonlinear, Source, Stage
from photosim.signals.electronics import Chain, chain_behind
from photosim.signals.filters import MEMORY, ORDER, STOP, noise_bandwidth
from photosim.signals.filters import low_pass as passed
from photosim.signals.noise import shot_density, thermal_density
from photosim.timedomain.band import PASS
from photosim.timedomain.draws import Draws
from photosim.timedomain.low_pass import low_pass, response
from photosim.timedomain.symbolwise import worked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from photosim.engine.graph import Part
    from photosim.timedomain.drives import Drives
    from photosim.timedomain.history import Beating
    from photosim.timedomain.timeline import Timeline

    FloatArray = NDArray[np.float64]

QUIET_dB_Hz = -200.0
"""Relative intensity noise that is none: shot noise of a watt is above it."""
LEFT_OUT = 0.01
"""Part of the noise of lasers behind a receiver's low-passes that may lie beyond the band."""
MOST_PAST = 1 << 20
"""Samples before time 0 that a run with noise may begin, at most."""
_REACH = 64
"""Samples to either side that tell a slope."""
SHORTEST_NOISE, NOISE_PERIODS = 1 << 10, 8.0
"""Least samples of the filter that shapes white noise, and its length in periods of the slowest low-pass."""
MOST_FOLDS = 8
"""Sample rates to either side from which noise is folded back one by one; beyond, its spectrum is flat."""


def chain_of(drives: Drives, part: Part) -> Chain:
    """Return the stages behind a detector; ParameterError where a setting of one changes over time."""
    graph = drives.compiled.graph

    def stage_of(name: str) -> Stage:
        stage_part = graph.part(name)
        assert isinstance(stage_part.model, Electronic)  # noqa: S101 - chains are made of those
        settings = drives.settings(stage_part)
        moving = next((key for key, value in settings.items() if np.ndim(value)), None)
        if moving is not None:
            message = f"Setting '{name}.{moving}' is driven, but receivers keep theirs constant."
            raise ParameterError(message)
        return stage_part.model.stage(**settings)

    assert isinstance(part.model, Detector)  # noqa: S101 - the callers chose by kind
    return chain_behind(graph, (part.name, part.model.electrical[0]), stage_of, timed=True)


def refuse_jitter(drives: Drives) -> None:
    """Raise ParameterError for jitter of a converter that drives a waveform: it needs a clock of its own."""
    for drive in converter_drives(drives.compiled.graph, drives.settings):
        if np.ndim(drive.value) and drive.stage.jitter > 0.0 and np.any(drive.value != drive.value[0]):
            message = (
                f"The jitter of converter {drive.converter!r} ({drive.stage.jitter:g} s), which drives a "
                "waveform, is not simulated in time: use ps.link(tone=...) or "
                "photosim.signals.sample, or set "
                f"{drive.converter}.jitter to 0."
            )
            raise ParameterError(message)


def noise_before(drives: Drives, warm: int) -> int:
    """Return how many samples more than `warm` a run with noise begins before time 0.

    A low-pass would hold the first value of a noisy current for ever: noise has had a past as long as the
    slowest receiver remembers. Raises ParameterError for one that remembers too long.
    """
    needed = 0
    for part in drives.compiled.graph.parts:
        if not isinstance(part.model, Detector):
            continue
        own = drives.settings(part).get("bandwidth")
        bandwidths = [b for b in (own, *(stage.bandwidth for stage in chain_of(drives, part).stages)) if b]
        slowest = min(bandwidths, default=np.inf)
        past = MEMORY / slowest * drives.sample_rate
        if past > MOST_PAST:
            message = (
                f"The noise of detector {part.name!r} behind a low-pass of {slowest:g} Hz needs {past:.3g} "
                f"samples before time 0 at {drives.sample_rate:g} Hz, and at most {MOST_PAST:,} are "
                "possible. Use ps.link, a lower sample rate or noise=False."
            )
            raise ParameterError(message)
        needed = max(needed, int(np.ceil(past)))
    return max(needed - warm, 0)


def received(
    drives: Drives,
    part: Part,
    current: FloatArray,
    absolute: FloatArray,
    line: Timeline,
    draws: Draws | None,
    before: Beating | None = None,
) -> FloatArray:
    """Return the current (T,) of a detector behind all low-passes, referred to the detector.

    current: what light and dark current make, signed; absolute: of all ports added whatever their sign.
    before: beats that the current consisted of before its first sample, where it was not constant. With
    draws come shot and thermal noise, those of amplifiers, jitter and steps of converters: the noise of a
    link, each with the variance that it has there at any sample rate.
    """
    settings, rate = drives.settings(part), line.sample_rate
    chain, rest = chain_of(drives, part).split()
    own = float(settings.get("bandwidth") or np.inf)
    for bandwidth in (own, *(stage.bandwidth for stage in chain.stages)):
        if np.isfinite(bandwidth) and bandwidth > 0.0:
            beats = 0.0 if before is None else before.samples(current.size)
            current = low_pass(current - beats, bandwidth, rate, order=ORDER)
            if before is not None:
                before = before.behind(partial(response, bandwidth=bandwidth / rate, order=ORDER))
                current = current + before.samples(current.size)
    if draws is None:
        _warn_of_levels(chain, current[line.kept])
        return _symbol_by_symbol(drives, chain, rest, current, line, None)
    _warn_of_band(drives, part.name, (own, *(stage.bandwidth for stage in chain.stages)), rate)
    light = current
    passes = (own, *(stage.bandwidth for stage in chain.stages))
    loaded = any(name == part.name for name, _ in drives.compiled.electrics.node)
    density = _detection_density(part, settings, absolute, chain, loaded=loaded)
    current = current + shaped(draws, "detection", density, passes, rate)
    for k, own_density in enumerate(chain.amplifier_densities()):
        if own_density > 0.0:
            every = np.full(current.size, own_density)
            current = current + shaped(draws, f"amplifier {k}", every, passes[k + 1 :], rate)
    _warn_of_levels(chain, current[line.kept])
    current = _converted(chain, current, light, rate, draws)
    return _symbol_by_symbol(drives, chain, rest, current, line, draws)


def _symbol_by_symbol(
    drives: Drives, before: Chain, rest: Chain, current: FloatArray, line: Timeline,
    draws: Draws | None,
) -> FloatArray:  # fmt: skip
    """Return the current (T,) behind the stages from the first one on that works symbol by symbol.

    They act on the signal with all its noise, sample by sample; `draws` add that of their own.
    """
    rate, gain = line.sample_rate, before.gains()[-1]
    for name, stage in zip(rest.names, rest.stages, strict=True):
        if draws is not None and stage.noise_density > 0.0:
            white = draws.white(f"stage {name}", current.size) * stage.noise_density / gain
            current = current + white * np.sqrt(rate / 2)
        if np.isfinite(stage.bandwidth):
            current = low_pass(current, stage.bandwidth, rate, order=ORDER)
        if stage.work is not None:
            current, said = worked(name, current, stage.work, rate)
            if said:
                drives.tables["symbolwise", name] = said
        gain *= stage.gain
        one = Chain((name,), (replace(stage, gain=gain),))
        _warn_of_levels(one, current[line.kept])
        if draws is not None:
            current = _converted(one, current, current, rate, draws)
    return current


def _warn_of_band(drives: Drives, name: str, bandwidths: tuple[float, ...], rate: float) -> None:
    """Warn where a receiver passes noise of lasers from beyond the band, which is left out there."""
    graph, whole = drives.compiled.graph, noise_bandwidth(bandwidths)
    loud = [part.name for part in graph.parts if _noisy(drives, part)]
    if not loud or not np.isfinite(whole):
        return
    frequency = np.linspace(0.0, PASS * rate, 4097)
    inside = float(np.trapezoid(np.abs(passed(frequency, bandwidths)) ** 2, frequency))
    if 1.0 - inside / whole > LEFT_OUT:
        enough = 6.0 * min(bandwidths)
        message = (
            f"The noise of {listing([repr(one) for one in loud])} is simulated up to {PASS * rate:g} Hz, but "
            f"detector {name!r} passes more: {100 * (1.0 - inside / whole):.2g} % of white noise behind its "
            f"low-passes is left out. Take a sample rate of {enough:g} Hz or more."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=6)


def _noisy(drives: Drives, part: Part) -> bool:
    """Return whether a part sends out light with noise that a band cuts off."""
    if isinstance(part.model, Nonlinear):
        return part.model.memory.noise_size(1) > 0
    if not isinstance(part.model, Source):
        return False
    settings = drives.settings(part)
    return bool(settings.get("linewidth")) or bool(settings.get("rin_dB_Hz", -np.inf) > QUIET_dB_Hz)


def shaped(
    draws: Draws, what: str, density: FloatArray, bandwidths: Sequence[float], rate: float
) -> FloatArray:
    """Return noise of a one-sided density (T,) behind low-passes: samples of it at `rate`.

    What lies beyond half the rate is folded back, as in samples of the current that there is: the variance is
    density times noise bandwidth at any rate. Without a low-pass it is that up to half the rate.
    """
    from scipy.signal import oaconvolve

    band = noise_bandwidth(tuple(bandwidths))
    if not np.isfinite(band):
        return np.asarray(draws.white(what, density.size) * np.sqrt(density * (rate / 2)))
    if _folds(bandwidths, rate) > MOST_FOLDS:
        return np.asarray(draws.white(what, density.size) * np.sqrt(density * band))
    taps = noise_taps(tuple(bandwidths), rate)
    half = taps.size // 2
    later = taps.size - 1 - half
    white = draws.white(what, density.size + taps.size - 1, later)
    white *= np.sqrt(np.pad(density, (later, half), mode="edge"))
    return np.asarray(oaconvolve(white, taps, mode="valid"))


def _folds(bandwidths: Sequence[float], rate: float) -> int:
    """Return how many sample rates to either side noise is folded back from."""
    return int(np.ceil(STOP * min(bandwidths) / rate)) + 1


def noise_length(bandwidths: Sequence[float], rate: float) -> int:
    """Return the number of samples of the filter that shapes white noise; 1 where there is none."""
    lows = [b for b in bandwidths if np.isfinite(b)]
    if not lows or _folds(lows, rate) > MOST_FOLDS:
        return 1
    return max(SHORTEST_NOISE, 1 << int(np.ceil(np.log2(NOISE_PERIODS * rate / min(lows)))))


@lru_cache(maxsize=16)
def noise_taps(bandwidths: tuple[float, ...], rate: float) -> FloatArray:
    """Return the filter (noise_length,) that makes noise behind low-passes from white noise of variance 1.

    The sum of its squares is the noise bandwidth, what is folded back included, at any length.
    """
    size = noise_length(bandwidths, rate)
    frequency = np.fft.rfftfreq(size, 1 / rate)
    folds = _folds(bandwidths, rate)
    power = sum(np.abs(passed(frequency + m * rate, bandwidths)) ** 2 for m in range(-folds, folds + 1))
    # Noise is late by as much as the light it belongs to.
    late = np.exp(1j * np.angle(passed(frequency, bandwidths)))
    late[-1] = 1.0  # half the rate has no sign
    return np.roll(np.fft.irfft(late * np.sqrt(power * rate / 2), size), size // 2)


def _detection_density(
    part: Part, settings: Mapping[str, Any], absolute: FloatArray, chain: Chain, *, loaded: bool
) -> FloatArray:
    """Return the density (T,) in A^2/Hz of shot noise, and of the load where nothing stands for it.

    An amplifier does, and electrical nets (`loaded`), whose resistors have noise of their own.
    """
    assert isinstance(part.model, Detector)  # noqa: S101 - the callers chose by kind
    multiplication, excess = part.model.multiplication(**settings)
    dark = float(settings.get("dark_current") or 0.0) * len(part.ports) * multiplication
    density = np.asarray(shot_density(absolute + dark, multiplication, excess))
    if settings.get("load_resistance") and not (chain.virtual_ground or loaded):
        density = density + thermal_density(settings["temperature"], settings["load_resistance"])
    return density


def _converted(chain: Chain, current: FloatArray, light: FloatArray, rate: float, draws: Draws) -> FloatArray:
    """Return the current (T,) as read behind all stages; each sample is one conversion.

    light: the current without what detection and amplifiers add, at whose slopes errors of the instants act.
    """
    slope = slopes(light, rate) if chain.jitters() else np.zeros(1)
    for name, stage, gain in zip(chain.names, chain.stages, chain.gains()[1:], strict=True):
        if stage.jitter > 0.0:
            current = current + slope * stage.jitter * draws.white(f"jitter {name}", current.size)
        level = current * gain
        held, _ = convert(level, stage)
        current = held / gain
    return current


def slopes(values: FloatArray, rate: float) -> FloatArray:
    """Return the slopes per second of values (T,) at `rate` in Hz, to 1e-4 up to 0.4 of it; ends are held."""
    from scipy.signal import oaconvolve

    n = np.arange(1, _REACH + 1)
    window = np.kaiser(2 * _REACH + 1, 8.0)[_REACH + 1 :]
    half = (-1.0) ** n / n * window * rate
    padded = np.pad(values, _REACH, mode="edge")
    return np.asarray(oaconvolve(padded, np.concatenate([-half[::-1], [0.0], half]), mode="valid"))


def _warn_of_levels(chain: Chain, current: FloatArray) -> None:
    """Warn of stages that are to put out more than they can."""
    for name, stage, gain in zip(chain.names, chain.stages, chain.gains()[1:], strict=True):
        level = current * gain
        if level.min() < stage.low or level.max() > stage.high:
            worst = float(level[int(np.maximum(level - stage.high, stage.low - level).argmax())])
            text = out_of_range(name, worst, stage.low, stage.high)
            warnings.warn(text, PhotosimWarning, stacklevel=6)

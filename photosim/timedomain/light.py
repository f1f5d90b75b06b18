"""The light that enters a circuit in time: carriers, lines of sources on them, waveforms at exposed ports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import Nonlinear, Source
from photosim.timedomain.band import PASS, check_band
from photosim.timedomain.drives import Drives
from photosim.timedomain.stepping import generator
from photosim.timedomain.waveforms import as_waveform
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Part

    ComplexArray = NDArray[np.complex128]


def choose_carriers(drives: Drives, wl: Any, sample_rate: float, *, lit_ports: bool) -> NDArray[np.float64]:
    """Return the carriers in Hz: those given by wl in um, then those of sources, by rising frequency.

    Lines that fit into the pass band of one carrier ride on it together: the one in their middle. Raises
    ParameterError where light enters at a port and nothing says its wavelength, and where carriers are closer
    than the sample rate: their bands overlap.
    """
    chosen = [] if wl is None else [SPEED_OF_LIGHT_UM_S / w for w in as_wavelengths(wl)]
    found = list(chosen)
    free = [f for f in sorted(_lines(drives)) if all(abs(f - c) > PASS * sample_rate for c in chosen)]
    while free:
        near = [line for line in free if line - free[0] <= PASS * sample_rate]
        found.append(min(near, key=lambda line: abs(line - (near[0] + near[-1]) / 2)))
        free = free[len(near) :]
    if not found or (lit_ports and not chosen and len(found) != 1):
        message = (
            "Light enters the circuit at a port: say at which wavelength with wl, in um."
            if lit_ports
            else "The circuit has no light: give it a source, or inputs at its ports and their wl."
        )
        raise ParameterError(message)
    carriers = np.array(found, dtype=np.float64)
    gaps = np.diff(np.sort(carriers))
    if gaps.size and gaps.min() < sample_rate:
        message = (
            f"Two carriers are {gaps.min():.6g} Hz apart, closer than the sample rate of {sample_rate:g} Hz, "
            f"so their bands overlap: take at most {gaps.min():.6g} Hz, or one carrier and at least "
            f"{2.5 * gaps.min():.3g} Hz."
        )
        raise ParameterError(message)
    return carriers


def _lines(drives: Drives) -> list[float]:
    """Return the frequencies in Hz of all light that parts send out of their own."""
    found: list[float] = []
    for part in drives.compiled.graph.parts:
        if isinstance(part.model, Source):
            wl, _ = part.model.lines(**_first(drives.settings(part)))
            found += (SPEED_OF_LIGHT_UM_S / wl).tolist()
        elif isinstance(part.model, Nonlinear):
            own = part.model.wavelength(_first(drives.settings(part)))
            found += [] if own is None else [SPEED_OF_LIGHT_UM_S / own]
    return found


def _first(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as they are at the first sample."""
    return {k: float(np.asarray(v).flat[0]) if np.ndim(v) else v for k, v in settings.items()}


def source_light(
    drives: Drives, part: Part, carriers: NDArray[np.float64], time: NDArray[np.float64], seed: int | None
) -> ComplexArray:
    """Return the wave (C, T) or (C, 1) of a source; with noise its phases walk and its power fluctuates.

    A driven power follows its waveform; nothing else of a source can be driven.
    """
    settings = drives.settings(part)
    moving = [name for name, value in settings.items() if np.ndim(value)]
    if moving and moving != ["power"]:
        message = f"Of the source {part.name!r} only the power can be driven, not {listing(moving)}."
        raise ParameterError(message)
    assert isinstance(part.model, Source)  # noqa: S101 - the caller chose by kind
    rate = 1 / (time[1] - time[0])
    wl, powers = part.model.lines(**_first(settings))
    scale: Any = np.ones(1)
    if moving:
        wanted = np.asarray(settings["power"])
        if powers.sum() <= 0:  # dark at the first sample: the shares of the lines are those of any power
            wl, powers = part.model.lines(**{**_first(settings), "power": 1.0})
            scale = np.sqrt(wanted)
        else:
            scale = np.sqrt(wanted / wanted[0])
        check_band(scale, rate, f"the power of {part.name!r}")
    random = None if seed is None else generator(seed, part.name)
    out = np.zeros((len(carriers), 1), dtype=np.complex128)
    for line, power in zip(SPEED_OF_LIGHT_UM_S / wl, powers, strict=True):
        c = int(np.argmin(np.abs(carriers - line)))
        wave: Any = np.sqrt(power) * scale
        if abs(line - carriers[c]) > 1e-9 * rate:
            wave = wave * np.exp(-2j * np.pi * (line - carriers[c]) * time)
        if random is not None:
            wave = wave * _fluctuation(settings, random, time.size, rate)
        row = out[c] + wave
        if row.size > out.shape[1]:
            out = np.repeat(out, row.size, axis=1)
        out[c] = row
    return out


def _fluctuation(
    settings: Mapping[str, Any], random: np.random.Generator, samples: int, rate: float
) -> ComplexArray:
    """Return the factor (T,) that a line's noise is: a Lorentzian line's random walk of phase, white RIN."""
    phase = np.zeros(samples)
    width = float(settings.get("linewidth") or 0.0)
    if width > 0:
        phase = np.cumsum(random.standard_normal(samples)) * np.sqrt(2 * np.pi * width / rate)
    factor: ComplexArray = np.exp(1j * phase)
    density = settings.get("rin_dB_Hz")
    if density is not None:
        relative = random.standard_normal(samples) * np.sqrt(10 ** (float(density) / 10) * rate / 2)
        factor = factor * np.sqrt(np.maximum(1 + relative, 0.0))
    return factor


def port_light(
    inputs: Mapping[str, Any], ports: Sequence[str], carriers: int, time: NDArray[np.float64], warm: int
) -> dict[str, ComplexArray]:
    """Return the wave (C, T) that enters at each exposed port: a power in W over time, or a complex wave.

    A mapping from the number of a carrier to such a waveform lights several.
    """
    found: dict[str, ComplexArray] = {}
    rate = 1 / (time[1] - time[0])
    for port, light in inputs.items():
        if port not in ports:
            message = f"The circuit exposes no port {port!r}. It has: {listing(ports, 20)}."
            message += did_you_mean(port, ports)
            raise ParameterError(message)
        several = isinstance(light, Mapping) and all(isinstance(k, int) for k in light)
        table = light if several else {0: light}
        wave = np.zeros((carriers, time.size), dtype=np.complex128)
        for number, value in table.items():
            if not 0 <= number < carriers:
                message = f"Input {port!r} names carrier {number}, but there are {carriers}, numbered from 0."
                raise ParameterError(message)
            wave[number] = _wave(value, time, warm, port)
            check_band(wave[number], rate, f"the light into {port!r}")
        found[port] = wave
    return found


def _wave(value: Any, time: NDArray[np.float64], warm: int, port: str) -> ComplexArray:
    """Return one carrier's wave in sqrt(W) (T,) from a power in W, or from complex samples as they are."""
    if np.iscomplexobj(value):
        wave = np.asarray(value, dtype=np.complex128)
        if wave.shape != (time.size - warm,):
            message = f"The wave into {port!r} has shape {wave.shape}, not {(time.size - warm,)}."
            raise ParameterError(message)
        return np.concatenate([np.full(warm, wave[0]), wave])
    power = sampled(value, time, warm)
    if (power < 0).any():
        message = f"The power into {port!r} falls to {power.min():g} W: it must not be negative."
        raise ParameterError(message)
    return np.sqrt(power).astype(np.complex128)


def sampled(value: Any, time: NDArray[np.float64], warm: int) -> NDArray[np.float64]:
    """Return a waveform at all samples, held at its first value over the first `warm` of them."""
    values = as_waveform(value).sample(time[warm:])
    return np.concatenate([np.full(warm, values[0]), values])

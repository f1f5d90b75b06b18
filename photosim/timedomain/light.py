"""The light that enters a circuit in time: carriers, lines of sources on them, waveforms at exposed ports."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, PhotosimWarning, did_you_mean, listing
from photosim.model import Nonlinear, Source
from photosim.timedomain.band import PASS
from photosim.timedomain.content import bandwidth_of, check_band, check_frequency, occupied
from photosim.timedomain.draws import Draws
from photosim.timedomain.drives import Drives
from photosim.timedomain.inputs import Light, as_lights
from photosim.timedomain.stepping import Clock
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.graph import Part
    from photosim.timedomain.timeline import Timeline

    ComplexArray = NDArray[np.complex128]
    Add = Callable[[int, float, complex], None]


TURNED = 3.0
"""Deviation of the power that a detector without a low-pass shows, by linewidth over sample rate."""
SHOWN, WIDEST = 0.03, 0.1
"""Such noise that is warned of, and linewidth over sample rate that is refused."""


def choose_carriers(
    drives: Drives, wl: Any, sample_rate: float, inputs: Mapping[str, Sequence[Light]]
) -> NDArray[np.float64]:
    """Return the carriers in Hz: those given by wl in um, then those of sources and inputs, rising.

    Lines that fit into the pass band of one carrier ride on it together: the one in their middle. Raises
    ParameterError where light enters at a port and nothing says its wavelength, and where carriers are closer
    than the sample rate: their bands overlap.
    """
    chosen = [] if wl is None else [SPEED_OF_LIGHT_UM_S / w for w in as_wavelengths(wl)]
    found = list(chosen)
    own = [light.carrier for lights in inputs.values() for light in lights if light.carrier is not None]
    lines = sorted([*_lines(drives), *own])
    free = [f for f in lines if all(abs(f - c) > PASS * sample_rate for c in chosen)]
    while free:
        near = [line for line in free if line - free[0] <= PASS * sample_rate]
        found.append(min(near, key=lambda line: abs(line - (near[0] + near[-1]) / 2)))
        free = free[len(near) :]
    carriers = np.array(found, dtype=np.float64)
    _refuse_near(carriers, sample_rate)
    unsaid = [p for p, lights in inputs.items() if any(light.carrier is None for light in lights)]
    if not found:
        message = (
            f"Light enters at {unsaid[0]!r}: say at which wavelength with wl, in um, or with its carrier."
            if unsaid
            else "The circuit has no light: give it a source, or inputs at its ports and their wl."
        )
        raise ParameterError(message)
    if unsaid and len(chosen) != 1 and len(found) != 1:
        known = listing([f"{SPEED_OF_LIGHT_UM_S / f:.6g}" for f in found])
        message = (
            f"Light enters at {unsaid[0]!r}: say at which wavelength, as there are carriers at {known} um: "
            f"{{'power': ..., 'carrier': {SPEED_OF_LIGHT_UM_S / found[0]:.6g}}}."
        )
        raise ParameterError(message)
    return carriers


def _refuse_near(carriers: NDArray[np.float64], sample_rate: float) -> None:
    """Raise ParameterError for carriers (C,) in Hz closer than the sample rate, whose bands overlap."""
    ordered = np.sort(carriers)
    gaps = np.diff(ordered)
    if not gaps.size or gaps.min() >= sample_rate:
        return
    k = int(np.argmin(gaps))
    first, second = (f"{SPEED_OF_LIGHT_UM_S / f:.9g}" for f in ordered[k : k + 2][::-1])
    if gaps[k] < 1e-9 * sample_rate:
        message = f"The carrier of {first} um is given twice: give it once."
        raise ParameterError(message)
    start = (
        f"The carriers of {first} and {second} um are {gaps[k]:.6g} Hz apart, closer than the sample rate of "
        f"{sample_rate:g} Hz, so their bands overlap: take "
    )
    if gaps[k] > PASS * sample_rate:
        message = f"{start}at most {gaps[k]:.6g} Hz, or one carrier and at least {2.5 * gaps[k]:.3g} Hz."
    else:
        message = f"{start}only one of them as a carrier; it includes light at nearby wavelengths."
    raise ParameterError(message)


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
    drives: Drives, part: Part, clock: Clock, time: NDArray[np.float64], add: Add, later: Drives | None = None
) -> ComplexArray:
    """Return the wave (C, T) or (C, 1) of a source; with noise its phases walk and its power fluctuates.

    A driven power follows its waveform; nothing else of a source can be driven. add: keeps each line.
    later: driven settings at these instants, where they are not those of the run's first ones.
    """
    carriers, rate = clock.carriers, clock.sample_rate
    settings = drives.settings(part)
    moving = [name for name, value in settings.items() if np.ndim(value)]
    if moving and moving != ["power"]:
        message = f"Of the source {part.name!r} only the power can be driven, not {listing(moving)}."
        raise ParameterError(message)
    assert isinstance(part.model, Source)  # noqa: S101 - the caller chose by kind
    wl, powers = part.model.lines(**_first(settings))
    scale: Any = np.ones(1)
    if moving:
        start = np.asarray(settings["power"])[0]
        wanted = np.asarray((later or drives).settings(part)["power"])
        if powers.sum() <= 0:  # dark at the first sample: the shares of the lines are those of any power
            wl, powers = part.model.lines(**{**_first(settings), "power": 1.0})
            scale = np.sqrt(wanted)
        else:
            scale = np.sqrt(wanted / start)
        if later is None:
            check_band(scale, rate, f"the power of {part.name!r}")
    draws = None if clock.seed is None else Draws(clock.seed, part.name, round(time[0] * rate))
    if draws is not None:
        _check_linewidth(part.name, float(settings.get("linewidth") or 0.0), rate)
    out = np.zeros((len(carriers), 1), dtype=np.complex128)
    for number, (line, power) in enumerate(zip(SPEED_OF_LIGHT_UM_S / wl, powers, strict=True)):
        c = int(np.argmin(np.abs(carriers - line)))
        wave: Any = beside(np.sqrt(power) * scale, line - carriers[c], time, rate)
        if draws is not None:
            wave = wave * _fluctuation(settings, draws, number, time.size, rate)
        add(c, line - carriers[c], complex(wave[0]))
        row = out[c] + wave
        if row.size > out.shape[1]:
            out = np.repeat(out, row.size, axis=1)
        out[c] = row
    return out


def _check_linewidth(name: str, width: float, rate: float) -> None:
    """Warn of a line whose phase turns between samples, which shows as noise of power; refuse a wide one."""
    shown = TURNED * width / rate
    if shown <= SHOWN:
        return
    text = (
        f"The linewidth of {name!r}, {width:g} Hz, is wide for a sample rate of {rate:g} Hz: its phase turns "
        f"between samples, which shows as noise of {100 * shown:.2g} % of its power"
    )
    advice = (
        f"take at least {_round_up(TURNED * width / SHOWN):g} Hz, or linewidth=0 where phase does not count."
    )
    if width > WIDEST * rate:
        message = f"{text}; {advice}"
        raise ParameterError(message)
    warnings.warn(f"{text}: {advice}", PhotosimWarning, stacklevel=6)


def _round_up(value: float) -> float:
    """Return the next number of one digit."""
    digit = 10.0 ** np.floor(np.log10(value))
    return float(np.ceil(value / digit * (1 - 1e-9)) * digit)


def _fluctuation(
    settings: Mapping[str, Any], draws: Draws, line: int, samples: int, rate: float
) -> ComplexArray:
    """Return the factor (T,) or (1,) that a line's noise is: a Lorentzian line's walk of phase, white RIN."""
    factor = np.ones(1, dtype=np.complex128)
    width = float(settings.get("linewidth") or 0.0)
    if width > 0:
        phase = draws.walk(f"phase {line}", samples) * np.sqrt(2 * np.pi * width / rate)
        factor = np.empty(samples, dtype=np.complex128)
        np.cos(phase, out=factor.real)
        np.sin(phase, out=factor.imag)
    density = settings.get("rin_dB_Hz")
    if density is not None:
        relative = draws.white(f"rin {line}", samples) * np.sqrt(10 ** (float(density) / 10) * rate / 2)
        factor = factor * np.sqrt(np.maximum(1 + relative, 0.0))
    return factor


def turns(drives: Drives, carriers: NDArray[np.float64], inputs: Mapping[str, Sequence[Light]]) -> bool:
    """Return whether some line of a source or an input lies beside its carrier."""
    own = [light.carrier for lights in inputs.values() for light in lights if light.carrier is not None]
    return any(np.abs(carriers - f).min() > 1e-9 * drives.sample_rate for f in [*_lines(drives), *own])


def places(drives: Drives, clock: Clock, waves: Sequence[ComplexArray]) -> list[NDArray[np.float64]]:
    """Return for each carrier where its light lies, in Hz above it: its lines, and the band about them."""
    if not drives.moving:
        return [np.zeros(1) for _ in clock.carriers]
    rate = clock.sample_rate
    sides = bandwidth_of(list(drives.moving.values()), rate)
    found = []
    for c, carrier in enumerate(clock.carriers):
        beside = [f - carrier for f in _lines(drives) if np.argmin(np.abs(clock.carriers - f)) == c]
        low, high = occupied([wave[c] for wave in waves], rate)
        band = np.linspace(low - sides, high + sides, 17)
        found.append(np.unique(np.clip(np.concatenate([[0.0], beside, band]), -PASS * rate, PASS * rate)))
    return found


def port_light(
    inputs: Mapping[str, Sequence[Light]],
    carriers: NDArray[np.float64],
    line: Timeline,
    lines: dict[str, list[tuple[int, float, complex]]],
) -> dict[str, ComplexArray]:
    """Return the wave (C, T) that enters at each exposed port, each light on its own carrier.

    Light beside the carrier of its band turns against it. lines: filled with the lines of each port before
    the first sample: the number of their carrier, Hz above it, amplitude at the first sample.
    """
    found: dict[str, ComplexArray] = {}
    for port, lights in inputs.items():
        wave = np.zeros((len(carriers), line.total), dtype=np.complex128)
        for light in lights:
            own = carriers[0] if light.carrier is None else light.carrier
            row = int(np.argmin(np.abs(carriers - own)))
            offset = own - carriers[row]
            if light.carrier is not None:
                check_frequency(offset, line.sample_rate, f"the light into {port!r}")
            own_light = beside(light.wave(line, port), offset, line.time, line.sample_rate)
            lines.setdefault(port, []).append((row, offset, complex(own_light[0])))
            wave[row] += own_light
        for own_wave in wave:
            check_band(own_wave, line.sample_rate, f"the light into {port!r}")
        found[port] = wave
    return found


def beside(wave: ComplexArray, offset: float, time: NDArray[np.float64], rate: float) -> ComplexArray:
    """Return a wave (T,) or (1,) whose light lies `offset` Hz above its carrier."""
    if abs(offset) <= 1e-9 * rate:
        return wave
    return np.asarray(wave * np.exp(-2j * np.pi * offset * time))


def read_lights(inputs: Mapping[str, Any], ports: Sequence[str]) -> dict[str, tuple[Light, ...]]:
    """Return the light into each exposed port; ParameterError for a port that the circuit does not have."""
    for port in inputs:
        if port not in ports:
            message = f"The circuit exposes no port {port!r}. It has: {listing(ports, 20)}."
            message += did_you_mean(port, ports)
            raise ParameterError(message)
    return {port: as_lights(value, port) for port, value in inputs.items()}

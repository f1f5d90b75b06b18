"""What products of signals make beyond the band: harmonics of driven parts, beats in detectors.

A product of two signals has twice the band of each, which samples of it would mirror. It is formed on a
clock twice as fine; what lies beyond the band there is refused, or taken away before it is sampled.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError, PhotosimWarning
from photosim.signals.filters import ORDER
from photosim.signals.filters import low_pass as passed
from photosim.timedomain.band import MADE, MADE_FIELD, OUT_OF_BAND, PASS, SHOWN
from photosim.timedomain.content import (
    EDGE,
    WINDOW,
    check_band,
    moves,
    refuse_beyond,
    share_and_worst,
    within,
)  # fmt: skip
from photosim.timedomain.low_pass import low_pass
from photosim.timedomain.scattering import CHUNK, scattering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.cut import Element
    from photosim.timedomain.drives import Drives

    ComplexArray = NDArray[np.complex128]

FINER = 2
"""Instants for each sample on the finer clock."""
STARTING = 64
"""Samples in which light that was held begins to move: a kink that no band has."""
STILL = 1e-6
"""Part of the light that a slow receiver's current has to move by: below that it has no band to look at."""
HIDDEN, SMOOTH = 0.1, 0.5
"""Largest change of a part within half a sample, and part of SHOWN and MADE, for light that is smooth."""
NARROW, NOISY = 1e-6, 1e-2
"""Part of the power of light beyond a fifth of the sample rate up to which its beats stay in the band."""


def finer(values: NDArray[Any]) -> NDArray[Any]:
    """Return signals (..., T) on the finer clock (..., FINER T), their ends held."""
    from scipy import signal

    taps = FINER * _half_band()
    middle = taps.size // 2
    # Every second tap of a half-band filter is zero but the middle one: samples stay, others come between.
    between = taps[1 - middle % FINER :: FINER]
    reach = between.size // 2
    ends = [(0, 0)] * (values.ndim - 1)
    padded = np.pad(values, [*ends, (reach - 1, reach)], mode="edge")
    out = np.empty((*values.shape[:-1], FINER * values.shape[-1]), dtype=padded.dtype)
    out[..., ::FINER] = taps[middle] * values
    shape = (*(1,) * (values.ndim - 1), between.size)
    out[..., 1::FINER] = signal.oaconvolve(padded, between.reshape(shape), mode="valid", axes=-1)
    return out


def coarser(values: NDArray[Any]) -> NDArray[Any]:
    """Return signals (..., FINER T) on the clock (..., T), without what it cannot carry."""
    from scipy import signal

    resample: Any = signal.resample_poly  # complex signals too, which its types leave out
    return np.asarray(resample(values, 1, FINER, axis=-1, window=_half_band(), padtype="edge"))


def beats_beyond(wave: ComplexArray, *, noisy: bool) -> bool:
    """Return whether light (C, T) on a detector beats beyond the band, which its samples would mirror."""
    limit, bright = NOISY if noisy else NARROW, list(wave)
    if len(wave) > 1:
        whole = powers_of(wave).max(axis=1)
        bright = [row for row, most in zip(wave, whole, strict=True) if most > 1e-9 * whole.max()]
    return wave.shape[1] >= 64 and any(not within(row, 0.2, limit) for row in bright)


def powers_of(wave: ComplexArray) -> NDArray[np.float64]:
    """Return the power (C, T) of light (C, T)."""
    from photosim.kernels.waves import powers

    own = np.ascontiguousarray(wave, np.complex128)
    out = np.empty(own.shape)
    powers(own.view(np.float64).reshape(-1, 2), out.reshape(-1))
    return out


def detected(
    wave: ComplexArray, rate: float, bandwidths: Sequence[float], what: str, *, noisy: bool,
    beats: bool | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the power (C, T) of light on a detector, without beats that its samples would mirror.

    wave: (C, T) or (C, 1).  bandwidths: those in Hz of the low-passes behind.  beats: whether it beats beyond
    the band, where that is known. Raises ParameterError where such beats are left behind the low-passes,
    unless the light is noisy; `what` is the current.
    """
    power = powers_of(wave)
    if wave.shape[1] == 1 or not (beats_beyond(wave, noisy=noisy) if beats is None else beats):
        return power
    fine = finer(wave)
    found = fine.real**2 + fine.imag**2
    if not noisy:
        current = found.sum(axis=0)
        most = float(current.max())
        for bandwidth in bandwidths:
            if np.isfinite(bandwidth) and bandwidth > 0:
                current = low_pass(current, bandwidth, FINER * rate, order=ORDER)
        advice = "or a detector with a bandwidth"
        if np.ptp(current) > STILL * most:
            check_band(current, rate, what, finer=FINER, advice=advice)
    return np.asarray(np.maximum(coarser(found), 0.0))


def check_carriers(
    power: NDArray[np.float64], wl: NDArray[np.float64], bandwidths: Sequence[float], what: str
) -> None:
    """Raise ParameterError where the beat of two carriers, which is left out, would pass the low-passes.

    power: (C, T) of light on a detector, by carrier.  wl: carriers (C,) in um.  bandwidths: as `detected`.
    """
    mean = power.mean(axis=1)
    bright = np.flatnonzero(mean > 1e-9 * mean.max())
    lows = [b for b in bandwidths if np.isfinite(b) and b > 0]
    for place, i in enumerate(bright):
        for j in bright[place + 1 :]:
            apart = abs(SPEED_OF_LIGHT_UM_S / wl[i] - SPEED_OF_LIGHT_UM_S / wl[j])
            left = float(np.abs(passed(np.array([apart]), lows)[0]) ** 2) if lows else 1.0
            share = 2 * float((power[i] * power[j]).mean()) * left / float(power.sum(axis=0).mean()) ** 2
            if share > OUT_OF_BAND:
                message = (
                    f"The light of {wl[i]:.9g} and {wl[j]:.9g} um beats at {apart:.3g} Hz in {what}, which "
                    f"its low-passes let through ({100 * share:.3g} % of its power) and separate carriers "
                    f"leave out. Take a sample rate of {3 * apart:.3g} Hz or more, or a detector with less "
                    "bandwidth."
                )
                raise ParameterError(message)


def finer_drives(drives: Drives) -> Drives:
    """Return driven settings on the finer clock."""
    if "finer" not in drives.tables:
        values = {n: np.clip(finer(v), v.min(), v.max()) for n, v in drives.moving.items()}
        drives.tables["finer"] = drives.with_values(values, FINER * drives.sample_rate)
    found: Drives = drives.tables["finer"]
    return found


def check_driven(
    drives: Drives, element: Element, carrier: float, arriving: Mapping[int, ComplexArray], what: str,
    leaving: Mapping[int, ComplexArray] | None = None,
) -> float:  # fmt: skip
    """Raise ParameterError where a driven part makes light beyond the band, such as harmonics of its drive.

    arriving: by number of arrival, (T,) or (1,), without noise.  leaving: what it makes of it at the samples,
    by number of departure, if known. Returns `worst_made` of it; 0 where those samples are so smooth that it
    is less than is ever said.
    """
    if leaving is not None and _smooth(drives, element, carrier, leaving):
        return 0.0
    fine, size = finer_drives(drives), FINER * drives.samples
    pieces = [
        scattering(fine, element, np.arange(first, min(first + CHUNK, size)), np.array([carrier]))[:, 0]
        for first in range(0, size, CHUNK)
    ]
    s = np.concatenate([piece.T for piece in pieces], axis=1)
    light = {a: wave if wave.size == 1 else finer(wave) for a, wave in arriving.items()}
    made: dict[int, ComplexArray] = {}
    for k, (a, b) in enumerate(element.paths):
        if a in light:
            made[b] = made[b] + s[k] * light[a] if b in made else s[k] * light[a]
    return max((worst_made(wave, drives.sample_rate, what) for wave in made.values()), default=0.0)


def _smooth(drives: Drives, element: Element, carrier: float, leaving: Mapping[int, ComplexArray]) -> bool:
    """Return whether light out of a driven part is smooth: its samples alone tell that the band holds it.

    Where a part moves by little from one sample to the middle of the next, at any value of its drive, nothing
    that it makes hides between the samples; and what it makes beyond half of the band is in them.
    """
    if drives.samples < WINDOW:
        return False
    now, between = _steps(drives, element, carrier)
    least = HIDDEN * float(np.abs(now).max())
    return bool(np.abs(between - now).max() <= least) and all(map(_is_smooth, leaving.values()))


def _steps(drives: Drives, element: Element, carrier: float) -> tuple[ComplexArray, ComplexArray]:
    """Return an element where its drive passes each of its values fastest, and half a sample later."""
    at = np.minimum(drives.telling, drives.samples - 2)
    middle = {name: (value[at] + value[at + 1]) / 2 for name, value in drives.moving.items()}
    later = drives.with_values(middle, drives.sample_rate)
    frequency = np.array([carrier])
    return (
        scattering(drives, element, at, frequency),
        scattering(later, element, np.arange(at.size), frequency),
    )


def _is_smooth(wave: ComplexArray) -> bool:
    """Return whether a wave (T,) is smooth, but for the beginning and the end of a run."""
    from photosim.kernels.waves import roughness

    if not moves(wave):
        return True
    found = np.zeros(4)
    numbers = np.ascontiguousarray(wave).view(np.float64)
    roughness(numbers, max(int(np.argmax(wave != wave[0])), STARTING), wave.size - STARTING, found)
    rough, kinks, largest, whole = found
    dim = SMOOTH * MADE * whole / wave.size
    return bool(rough <= (SMOOTH * SHOWN) ** 2 * largest and rough <= dim and kinks <= dim * WINDOW / 8)


def worst_made(wave: ComplexArray, sample_rate: float, what: str) -> float:
    """Return the largest field of light beyond the band over its largest, where it is not only its start.

    wave: (FINER T,) that a part has made. Warns of more than MADE of its power there or MADE_FIELD of its
    field, and raises ParameterError for more than OUT_OF_BAND of its power.
    """
    share, worst = share_and_worst(wave, (PASS + EDGE) / FINER, FINER * WINDOW, skip=FINER * STARTING)
    refuse_beyond(share, sample_rate, what)
    if share > MADE or worst > MADE_FIELD:
        message = (
            f"The sample rate of {sample_rate:g} Hz is low for {what}: {100 * share:.2g} % of its power lies "
            f"more than {PASS * sample_rate:g} Hz from its carrier and is left out, which changes its field "
            f"by up to {100 * worst:.2g} % of the largest. Take {2 * sample_rate:g} Hz to have it right."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=2)
    return worst


@cache
def _half_band() -> NDArray[np.float64]:
    """Return a linear-phase filter (257,) that ends at half the coarser rate, 1e-5 beyond."""
    from scipy import signal

    return np.asarray(signal.firwin(257, 1 / FINER, window=("kaiser", 10.0)))

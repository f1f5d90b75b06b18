"""What lies outside the range in which a model holds: a sentence each, shown with every result."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from photosim.engine.converters import out_of_range
from photosim.signals.saturation import too_bright
from photosim.signals.two_photon import bright_silicon

if TYPE_CHECKING:
    from photosim.signals.contributions import Contributions
    from photosim.signals.operating import OperatingPoint

FAINT = 1e-6
"""Lines weaker than this part of the strongest one at a detector beat with nothing."""
MOST_CHANGE = 0.01
"""Largest change of a mean current by noise of its light, over it, that is not said."""
_CALMER = {
    "phase": "a narrower linewidth or a shorter difference of delays",
    "rin": "a laser with less relative intensity noise",
}


def violations(point: OperatingPoint) -> list[str]:
    """Return what is outside its range: saturated detectors and amplifiers, electronics, beats, silicon."""
    found: list[str] = []
    for number in range(len(point.receivers)):
        found += [*_saturated(point, number), *_levels(point, number), *_beats(point, number)]
    return [*found, *_amplifiers(point), *bright_silicon(point)]


def _saturated(point: OperatingPoint, number: int) -> list[str]:
    receiver = point.receivers[number]
    powers = point.arriving[:, point.columns(number)].sum(axis=0)
    texts = (
        too_bright(port, power, receiver.saturation)
        for port, power in zip(receiver.ports, powers, strict=True)
    )
    return [text for text in texts if text]


def _levels(point: OperatingPoint, number: int) -> list[str]:
    """Follow the mean level of a receiver through its stages."""
    chain, found = point.receivers[number].chain, []
    level = point.mean_current(number)
    for name, stage in zip(chain.names, chain.stages, strict=True):
        level *= stage.gain
        if not stage.low <= level <= stage.high:
            found.append(out_of_range(name, level, stage.low, stage.high))
        level = float(np.clip(level, stage.low, stage.high))
    return found


def _beats(point: OperatingPoint, number: int) -> list[str]:
    """Return a sentence where two lines that reach a receiver beat within its bandwidth."""
    receiver = point.receivers[number]
    lit = point.arriving[:, point.columns(number)].sum(axis=1)
    order = np.argsort([line.frequency for line in point.lines])
    bright = [point.lines[k] for k in order if lit[k] > FAINT * lit.max()]
    for one, other in pairwise(bright):
        apart = other.frequency - one.frequency
        if apart < receiver.bandwidth:
            words = (
                f"Lines of {one.source!r} and {other.source!r} reach {receiver.name!r} {apart:.4g} Hz apart, "
                f"within its bandwidth of {receiver.bandwidth:.4g} Hz: they add in power, and their beat is "
                "not counted; space them wider, or look at it in the time domain."
            )
            return [words]
    return []


def _amplifiers(point: OperatingPoint) -> list[str]:
    found: list[str] = []
    if not point.emitters:
        return found
    total = point.powers(tuple(emitter.port for emitter in point.emitters)).sum(axis=0)
    for emitter, out in zip(point.emitters, total, strict=True):
        if out > emitter.limit:
            found.append(
                f"{emitter.part!r} puts out {1e3 * out:.4g} mW at {emitter.port!r}, above its "
                f"saturation_power of {1e3 * emitter.limit:.4g} mW: its gain is that of small signals; "
                f"send in {10.0 * np.log10(out / emitter.limit):.3g} dB less light."
            )
    return found


def doubts(name: str, found: Contributions) -> list[str]:
    """Return a sentence where the noise at a receiver may be wrong: phases too large, spectra too fine."""
    words = [
        f"The noise {term!r} at {name!r} may be off by {100 * part:.2g} %: its spectrum is finer than the "
        "frequencies at which it can be computed; shorten the delays or widen the filters on the way."
        for term, part in found.unresolved.items()
        if not np.isnan(part)
    ]
    words += [
        f"The noise {term!r} at {name!r} counts the resonances at the sources' lines in full; others within "
        "the amplifier's band are too narrow to be found, and may count only in part. How much they add is "
        "not known; widen the resonances, or put a filter in front of the detector."
        for term, part in found.unresolved.items()
        if np.isnan(part)
    ]
    words += [
        f"The noise {term!r} at {name!r} is that of first order, which is wrong by up to "
        f"{100 * part:.2g} % here (and the mean current by up to {100 * found.second_order:.2g} %): use "
        f"photosim.signals.sample, which has all orders, or take {_CALMER[term]}."
        for term, part in found.higher.items()
    ]
    if not found.higher and found.second_order > MOST_CHANGE:
        words.append(
            f"Noise of the light at {name!r} changes its mean current by up to "
            f"{100 * found.second_order:.2g} %, which only photosim.signals.sample and ps.transient have: "
            "take a narrower linewidth, or a shorter difference of delays."
        )
    return words

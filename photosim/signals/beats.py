"""Beats of light on detectors for a setting of a part that moves a little."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import ClosedForm
from photosim.signals.lasers import SLOWEST, sidebands

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.engine.following import Read
    from photosim.engine.graph import Part
    from photosim.signals.operating import OperatingPoint

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

_STEP = 1e-3
_WEIGHTS = {
    0: ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12)),
    1: ((0, -25 / 12), (1, 4.0), (2, -3.0), (3, 4 / 3), (4, -1 / 4)),
    -1: ((0, 25 / 12), (-1, -4.0), (-2, 3.0), (-3, -4 / 3), (-4, 1 / 4)),
}
"""Differences of fourth order, in the middle and at a bound below or above."""


def beats(
    lit: OperatingPoint, part: Part, settings: Mapping[str, Any], read: Read, grid: FloatArray
) -> ComplexArray:
    """Return the photocurrents per unit of a part's setting, before low-passes, (detectors, F).

    settings: those of the part.  grid: frequencies (F,) in Hz.
    """
    model, own = part.model, dict(settings)
    if not isinstance(model, ClosedForm):
        return _of_laser(lit, part, settings, read, grid)
    own[read.setting] = float(lit.settings.get(read.name, own[read.setting]))
    slow = float(own.get("bandwidth") or 0.0)
    passed = 1.0 / (1.0 + 1j * grid / slow) if slow else np.ones(len(grid), dtype=np.complex128)
    arriving = tuple(f"{part.name},{port}:in" for port in part.ports)
    leaving = tuple(f"{part.name},{port}" for port in part.ports)
    found = np.zeros((len(lit.receivers), len(grid)), dtype=np.complex128)
    for number, line in enumerate(lit.lines):
        wl = np.array([SPEED_OF_LIGHT_UM_S / line.frequency])
        light = lit.transfer(wl, arriving, (line.port,))[0, :, 0] * np.sqrt(line.power)
        made = _slope(model, read.setting, own, wl) @ light
        found += _beat(lit, number, leaving, (made, made), grid)
    return found * passed


def _of_laser(
    lit: OperatingPoint, part: Part, settings: Mapping[str, Any], read: Read, grid: FloatArray
) -> ComplexArray:
    """Return the photocurrents per A of a laser with rate equations, whose light is a line of its own."""
    grid = np.maximum(grid, SLOWEST)  # of the sidebands and of their way alike
    above, below = sidebands(part, settings, read.setting, grid)
    (number,) = [k for k, line in enumerate(lit.lines) if line.source == part.name]
    made = above[:, np.newaxis], below[:, np.newaxis]
    return _beat(lit, number, (lit.lines[number].port,), made, grid)


def _beat(
    lit: OperatingPoint,
    number: int,
    leaving: tuple[str, ...],
    made: tuple[ComplexArray, ComplexArray],
    grid: FloatArray,
) -> ComplexArray:
    """Return the photocurrents (detectors, F) of sidebands beside a line, by its number.

    made: what leaves a part above and below the line, (ports,) or (F, ports) each.
    """
    line, held = lit.lines[number], lit.fields[number]
    above, below = (
        (
            lit.transfer(SPEED_OF_LIGHT_UM_S / (line.frequency + sign * grid), lit.ports, leaving)
            @ one[..., np.newaxis]
        )[..., 0]
        for sign, one in zip((1.0, -1.0), made, strict=True)
    )
    beat = held.conj() * below + held * above.conj()
    rows = [
        (beat[:, lit.columns(k)] * receiver.responsivity[:, number]).sum(axis=1)
        for k, receiver in enumerate(lit.receivers)
    ]
    return np.array(rows)


def _slope(model: ClosedForm, setting: str, own: Mapping[str, Any], wl: FloatArray) -> ComplexArray:
    """Return the derivative of a part's S-matrix by a setting, (P, P) [to, from], of fourth order."""
    at, parameter = float(own[setting]), model.parameters[setting]
    step = _STEP * max(1e-3 * abs(at), 1.0 if parameter.unit == "V" else 1e-3)
    side = 1 if at - 2 * step < parameter.low else -1 if at + 2 * step > parameter.high else 0
    rows = [w * model.s(wl, **{**own, setting: at + k * step})[0] for k, w in _WEIGHTS[side]]
    return np.asarray(np.sum(rows, axis=0) / step, dtype=np.complex128)

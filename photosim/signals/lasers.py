"""Lasers with rate equations at rest: their lines, and sidebands for a current that moves a little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.errors import ParameterError
from photosim.model import Nonlinear
from photosim.signals.operating import Line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from photosim.engine.electrics import SettingsOf
    from photosim.engine.graph import Graph, Part
    from photosim.signals.operating import OperatingPoint

    FloatArray = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

SLOWEST = 1e3
"""Frequency in Hz below which all are alike: light's frequency follows a current, its phase drifts at 0."""
_FAINT = 1e-12
"""Power into a laser, over its own, that changes nothing."""


def own_lines(graph: Graph, settings_of: SettingsOf) -> tuple[Line, ...]:
    """Return the lines of lasers whose light at rest is known without time; without noise."""
    found = []
    for part in graph.parts:
        if isinstance(part.model, Nonlinear) and part.model.memory.modulation:
            frequency, wave, _, _ = _modulation(part.model, settings_of(part), np.zeros(0))
            port = f"{part.name},{part.model.emits[0]}"
            wl = SPEED_OF_LIGHT_UM_S / frequency
            found.append(Line(part.name, port, wl, abs(wave) ** 2, 0.0, -np.inf))
    return tuple(found)


def refuse_light_back(lit: OperatingPoint, own: Sequence[Line]) -> None:
    """Raise ParameterError where light reaches one of these lasers, which would change its own."""
    for laser in own:
        wl = np.array([line.wl for line in lit.lines])
        starts = tuple(dict.fromkeys(line.port for line in lit.lines))
        passed = lit.transfer(wl, (f"{laser.port}:in",), starts)[:, 0]
        for k, line in enumerate(lit.lines):
            arriving = line.power * abs(passed[k, starts.index(line.port)]) ** 2
            if arriving > _FAINT * laser.power:
                where = "Light comes back to" if line == laser else f"Light of {line.source!r} comes to"
                message = (
                    f"{where} {laser.source!r}, whose small signals are those of a laser that no light "
                    "reaches: put an isolator behind it, or use ps.transient."
                )
                raise ParameterError(message)


def sidebands(
    part: Part, settings: Mapping[str, Any], setting: str, grid: FloatArray
) -> tuple[ComplexArray, ComplexArray]:
    """Return what a unit of a laser's current adds above and below its line, (F,) each in sqrt(W).

    grid: frequencies (F,) in Hz, above 0.  The line itself is of real amplitude.
    """
    model = part.model
    if not isinstance(model, Nonlinear) or not model.memory.modulation:
        message = (
            f"Setting '{part.name}.{setting}' belongs to a {model.name}, which has no formula to take a "
            "small signal of: use ps.transient."
        )
        raise ParameterError(message)
    if setting not in model.drives.values():
        known = ", ".join(f"'{part.name}.{name}'" for name in model.drives.values())
        message = (
            f"Setting '{part.name}.{setting}' of a {model.name} has no small signal: the source is {known}."
        )
        raise ParameterError(message)
    _, _, above, below = _modulation(model, settings, grid)
    return above, below


def _modulation(model: Nonlinear, settings: Mapping[str, Any], grid: FloatArray) -> Any:
    assert model.memory.modulation is not None  # noqa: S101 - the callers look first
    return model.memory.modulation(model.constants(settings)[:, 0], grid)

"""The wavelength channels of a circuit: where its light is, or where its parts expect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from photosim.model import Source, registry

if TYPE_CHECKING:
    from photosim.circuit import Circuit

_COMB = ("channels", "wl0", "spacing")


def channels_of(circuit: Circuit, settings: Mapping[str, Any] | None = None) -> tuple[float, ...]:
    """Return the channels of `circuit` in um, rising.

    The lines of its sources, if it has any; else the channels of the outermost parts that have the settings
    `channels`, `wl0` (um) and `spacing` (Hz), as weight banks do. `settings` are those of the call, nested.
    """
    compiled, point = circuit.driven_at(settings or {})
    lines: set[float] = set()
    for part in compiled.graph.parts:
        if isinstance(part.model, Source):
            lines |= {float(line) for line in part.model.lines(**compiled.parts.settings_of(part, point))[0]}
    if not lines:
        values = {**compiled.graph.structural, **compiled.parameters, **point.settings}
        for owner in _outermost_combs(values):
            lines |= _comb(*(values[f"{owner}{key}"] for key in _COMB))
    return tuple(sorted(lines))


def _outermost_combs(values: Mapping[str, Any]) -> list[str]:
    """Return the dotted prefixes that own all settings of a comb, without those inside another."""
    owners = sorted(
        {name.removesuffix("channels") for name in values if name.rpartition(".")[2] == "channels"}, key=len
    )
    chosen: list[str] = []
    for owner in owners:
        inside = any(owner.startswith(outer) for outer in chosen)
        if not inside and all(f"{owner}{key}" in values for key in _COMB):
            chosen.append(owner)
    return chosen


def _comb(count: int, wl0: float, spacing: float) -> set[float]:
    """Return `count` wavelengths in um, `spacing` Hz apart, about wl0: the lines of such a laser."""
    laser = cast("Source", registry.get("laser"))
    return {float(line) for line in laser.lines(wl=wl0, lines=count, spacing=spacing)[0]}

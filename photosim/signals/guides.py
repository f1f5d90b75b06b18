"""The power that guides of a circuit carry, under its own light or light sent in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.bounds import check_number
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.model import PortRef, Source
from photosim.signals.detection import spectra
from photosim.units import as_wavelengths

if TYPE_CHECKING:
    from photosim.circuit import Circuit

_SENT_W = 1e-3


def guide_powers(
    circuit: Circuit,
    ends: Sequence[Sequence[PortRef]],
    wl: float | None,
    inputs: Mapping[str, float] | None,
    settings: Mapping[str, Any],
) -> list[float]:
    """Return the power in W, both ways together, in the guide at each of `ends`: ports of parts, its modes.

    Light is the circuit's own, each source tuned to wl in um with its total power, or at its own lines
    without wl. `inputs` sends light of wl into exposed ports instead, in W each, coherent and in phase. A
    circuit without either is sent 1 mW into its first port, one that is named as an input if there is one.
    Raises ParameterError where wl is missing.
    """
    compiled, point = circuit.driven_at(settings) if circuit.detectors else circuit.at(settings)
    sources = [part for part in compiled.graph.parts if isinstance(part.model, Source)]
    sent = dict(inputs or {})
    for port, power in sent.items():
        if port not in circuit.ports:
            message = f"There is no port {port!r} to send light into; there are {listing(circuit.ports)}."
            raise ParameterError(message + did_you_mean(port, circuit.ports))
        check_number(f"input {port!r}", 0.0, power=power)
    if not sent and not sources:
        if not circuit.ports:
            message = (
                f"Circuit {circuit.name!r} has neither a light source nor a port: it has no power to show."
            )
            raise ParameterError(message)
        named = [port for port in circuit.ports if port.startswith("in")]
        sent = {(named or list(circuit.ports))[0]: _SENT_W}
    names = [[f"{part},{port}{side}" for part, port in ports for side in ("", ":in")] for ports in ends]
    flat = [name for group in names for name in group]
    if sent:
        if wl is None:
            message = "Light at an input port needs a wavelength: give wl in um (--wl 1.55)."
            raise ParameterError(message)
        grid = as_wavelengths(wl)
        waves = compiled.waves(flat, list(sent), point, grid) @ np.sqrt(np.array(list(sent.values())))
        power = np.abs(waves.reshape(-1, len(grid), len(flat))[0, 0]) ** 2
    else:
        values = {part.name: compiled.parts.settings_of(part, point) for part in sources}
        grid, light = spectra(sources, values, None if wl is None else as_wavelengths(wl))
        waves = compiled.waves(flat, [f"{part.name},{part.ports[0]}" for part in sources], point, grid)
        first = waves.reshape(-1, *waves.shape[-3:])[0]
        power = np.einsum("wos,sw->o", np.abs(first) ** 2, light)
    starts = np.cumsum([0, *(len(group) for group in names)])
    return [float(power[a:b].sum()) for a, b in pairwise(starts)]

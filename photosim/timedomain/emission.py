"""Spontaneous emission of linear amplifiers in time: its mean current; its noise is that of a link."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from photosim.engine.converters import converter_drives
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.signals.contributions import mean_emission_current
from photosim.signals.emitters import emits
from photosim.signals.operating import bare_point

if TYPE_CHECKING:
    from photosim.circuit import Circuit
    from photosim.timedomain.drives import Drives


def emission_currents(circuit: Circuit, drives: Drives, *, noise: bool) -> dict[str, float]:
    """Return the mean current in A that linear amplifiers' emission gives each detector, by name.

    It is that of the circuit at the first sample, and a PhotosimWarning says so where parts are driven.
    Raises ParameterError where its noise is wanted too: its spectrum is wider than any band.
    """
    names = [repr(part.name) for part in drives.compiled.graph.parts if emits(part)]
    if not names or not circuit.detectors:
        return {}
    if noise:
        message = (
            f"The spontaneous emission of {listing(names)} is wider than the band of a simulation in time, "
            "which leaves its noise out: use ps.link or photosim.signals.sample, take a dynamic_soa, whose "
            "emission is simulated in time, or noise=False."
        )
        raise ParameterError(message)
    base, graph = drives.base, drives.compiled.graph
    wired = {drive.name for drive in converter_drives(graph, drives.settings)}
    try:
        point = bare_point(circuit, {n: base.settings[n] for n in base.set_directly if n not in wired})
        found = {r.name: mean_emission_current(point, k) for k, r in enumerate(point.receivers)}
        left = "is computed at the first sample and kept" if drives.driven() else ""
    except ParameterError:  # a nonlinear part between amplifier and detector
        found, left = {}, "cannot be computed and is left out"
    if left:
        message = f"The mean current of the spontaneous emission of {listing(names)} {left}."
        warnings.warn(message, PhotosimWarning, stacklevel=3)
    return found

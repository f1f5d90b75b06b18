"""Electronics over time: DACs drive settings; all other electronic parts are ignored, with a warning."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import PhotosimWarning, listing
from photosim.model import Electronic
from photosim.signals.electronics import convert, drivers, out_of_range
from photosim.timedomain.waveforms import low_pass

if TYPE_CHECKING:
    from photosim.timedomain.drives import Drives


def wired(drives: Drives) -> dict[str, Any]:
    """Return the settings that converters drive, a number or (T,) each, by dotted name.

    A converter gives the nearest of its levels behind its bandwidth; what leaves its range is counted in a
    PhotosimWarning, and so are the electronic parts that time does not carry: what stands behind a detector,
    and amplifiers in front of a modulator.
    """
    graph = drives.compiled.graph
    found: dict[str, Any] = {}
    used: set[str] = set()
    for (name, port), (driver, _) in drivers(graph).items():
        setting = graph.part(name).model.drives.get(port)
        part = graph.part(driver)
        if setting is None or not isinstance(part.model, Electronic) or part.model.inputs:
            continue
        used.add(driver)
        own = drives.settings(part)
        wanted = np.atleast_1d(np.asarray(own["voltage"], dtype=np.float64))
        stage = part.model.stage(**{**own, "voltage": float(wanted[0])})
        levels, beyond = convert(wanted, stage)
        if beyond:
            worst = float(wanted[int(np.argmax(np.abs(wanted - levels)))])
            text = out_of_range(driver, f"is asked in {beyond} of {wanted.size} samples for", worst, stage)
            warnings.warn(text, PhotosimWarning, stacklevel=4)
        if levels.size > 1 and stage.bandwidth < 0.5 * drives.sample_rate:
            levels = low_pass(levels, stage.bandwidth, drives.sample_rate)
        found[f"{name}.{setting}"] = levels if levels.size > 1 else float(levels[0])
    rest = [part.name for part in graph.parts if isinstance(part.model, Electronic) and part.name not in used]
    if rest:
        message = (
            f"The electronic parts {listing(rest)} are not simulated in time: currents are those of the "
            "detectors, and a modulator follows a waveform or the converter wired to it."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=4)
    return found

"""Electronics over time: DACs drive settings, receivers read; all other parts are ignored with a warning."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.engine.converters import convert, converter_drives, out_of_range
from photosim.errors import ParameterError, PhotosimWarning, listing
from photosim.model import Detector, Electronic, Stage
from photosim.timedomain.low_pass import low_pass
from photosim.timedomain.receivers import chain_of
from photosim.timedomain.symbolwise import worked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from photosim.timedomain.drives import Drives


def wired(drives: Drives) -> dict[str, Any]:
    """Return the settings that converters drive, a number or (T,) each, by dotted name.

    A converter gives the nearest of its levels behind its bandwidth; what leaves its range is counted in a
    PhotosimWarning, and so are the electronic parts that time does not carry: amplifiers in front of a
    modulator. What stands behind a detector is carried with it.
    """
    graph = drives.compiled.graph
    found: dict[str, Any] = {}
    used: set[str] = set()
    for drive in converter_drives(graph, drives.settings):
        used.add(drive.converter)
        if drive.beyond:
            warnings.warn(drive.remark("samples"), PhotosimWarning, stacklevel=4)
        levels, bandwidth = drive.level, drive.stage.bandwidth
        used |= {name for name, _ in drive.emphasis}
        if not np.ndim(levels):
            levels = drive.value
        else:
            if np.isfinite(bandwidth):
                levels = low_pass(levels, bandwidth, drives.sample_rate)
            for name, stage in drive.emphasis:
                levels = _emphasised(name, levels, stage, drives.sample_rate)
        found[drive.name] = levels
    for part in graph.parts:
        if isinstance(part.model, Detector):
            used |= set(chain_of(drives, part).names)
    used |= {name for name, _ in drives.compiled.electrics.node}
    rest = [part.name for part in graph.parts if isinstance(part.model, Electronic) and part.name not in used]
    if rest:
        message = (
            f"The electronic parts {listing(rest)} are not simulated in time: a modulator follows a waveform "
            "or the converter wired to it."
        )
        warnings.warn(message, PhotosimWarning, stacklevel=4)
    return found


def _emphasised(name: str, levels: NDArray[np.float64], stage: Stage, rate: float) -> NDArray[np.float64]:
    """Return levels (T,) behind a fixed equaliser, within its range; a PhotosimWarning says where it ends."""
    assert stage.work is not None  # noqa: S101 - it is an equaliser
    whole, _ = worked(name, levels, stage.work, rate)
    held, beyond = convert(whole, stage)
    if beyond:
        worst = float(whole[int(np.abs(whole - held).argmax())])
        where = f" in {beyond} of {whole.size} samples"
        text = out_of_range(name, worst, stage.low, stage.high, where=where)
        warnings.warn(text, PhotosimWarning, stacklevel=5)
    return held


def electrical_inputs(drives: Drives, felt: Collection[str]) -> dict[str, NDArray[np.float64]]:
    """Return what electrical inputs feel, by dotted name, of settings that follow a drive by another name.

    That is a circuit's own setting, an outer instance's, or a converter; the bandwidth of a modulator lies
    behind all of them. `felt` names the inputs that have passed theirs.
    """
    found: dict[str, NDArray[np.float64]] = {}
    for part in drives.driven():
        settings = drives.settings(part)
        bandwidth = settings.get("bandwidth")
        for parameter in dict.fromkeys(part.model.drives.values()):
            name, value = f"{part.name}.{parameter}", settings[parameter]
            if not np.ndim(value) or name in felt or bandwidth is None:
                continue
            if np.ndim(bandwidth):
                message = f"The bandwidth of {part.name!r} ({part.model.name}) cannot be driven."
                raise ParameterError(message)
            if bandwidth > 0:
                found[name] = low_pass(np.asarray(value, dtype=np.float64), bandwidth, drives.sample_rate)
    return found

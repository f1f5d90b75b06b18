"""What a circuit does as a device, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.errors import listing
from photosim.training.devices.circuit.reading import ENCODINGS, READINGS

if TYPE_CHECKING:
    from photosim.training.devices.circuit.device import CircuitDevice


def explained(device: CircuitDevice) -> str:
    """Return sentences on sign, scale, matrix, gradient and noise of a device."""
    wiring, readout = device.wiring, device.readout
    outputs, inputs = device.tile
    light = listing([f"{wl:g} um" for wl in wiring.wl])
    parts = [
        f"{wiring.circuit.name}: {inputs} inputs, {outputs} outputs at {light}.",
        f"A number is {ENCODINGS[readout.encoding]}.",
        f"Read is {READINGS[readout.reading]}.",
    ]
    if wiring.stages:
        names = listing([f"{stage.part} ({stage.component})" for stage in wiring.stages], 3)
        parts.append(
            f"Nonlinear, each in the steady state that it comes to: {names}; a number of 1 is "
            f"{1e3 * device.power:g} mW. It has no matrix; its settings can be trained."
        )
    elif not device.linear:
        parts.append("It has no matrix: readings are not linear in the inputs; its settings can be trained.")
    elif readout.signed:
        parts.append("Entries of its matrix have either sign.")
    else:
        parts.append(
            "Entries of the circuit's own matrix are never negative: a programmed matrix has tiles for its "
            "positive and its negative entries, whose readings are subtracted."
        )
    if device.linear:
        parts.append(_scale(device))
    turned = len(device.parameters)
    parts.append(
        f"Gradients by its {turned} settings are exact, and pass converters of settings and readings as if "
        "they had no steps (straight through)."
        if turned
        else "It has no settings to turn."
        if wiring.stages
        else "It has no settings to turn, so that it holds the matrix it has."
    )
    noise = "none" if device.noise is None else "of the circuit's light and detectors"
    parts.append(f"Noise: {noise}.")
    return " ".join(parts)


def _scale(device: CircuitDevice) -> str:
    held = device.programmed
    if held is None:
        largest = float(np.linalg.norm(device.matrix(), 2))
        return (
            f"Loss scales the matrix, whose largest singular value is {largest:.3g}; a programmed matrix has "
            "a gain a tile behind the readings that makes up for it."
        )
    gains = np.abs(held.gains)
    return (
        f"{len(gains)} tiles hold a matrix of {held.target.shape[0]} x {held.target.shape[1]}, read times "
        f"gains of up to {gains.max():.3g}; the worst tile misses {100 * held.missed.max():.2g} %."
    )

"""SPICE subcircuits in electrical nets: ngspice solves the nets around them, in a process of its own."""

from photosim.electronics.ngspice.analyses import (
    complaint,
    injected,
    noise_density,
    response,
    stationary,
    transient,
)
from photosim.electronics.ngspice.library import PACKAGE, installed

__all__ = [
    "PACKAGE",
    "complaint",
    "injected",
    "installed",
    "noise_density",
    "response",
    "stationary",
    "transient",
]

"""Systems by name: each is a module of this package, loaded on first use."""

from __future__ import annotations

from importlib import import_module

from photosim.arguments import public
from photosim.errors import ParameterError, did_you_mean, listing
from photosim.systems.harness.system import System

_SYSTEMS = {
    "opu-dfa": "opu_dfa.system",
    "dfa-gnn": "dfa_gnn",
    "ngrc": "ngrc",
    "mrr-dfa": "mrr_dfa.system",
    "two-pass": "two_pass.system",
    "eo-activation": "eo_activation",
    "in-situ": "in_situ.system",
    "vowels": "vowels.system",
    "transformer-dfa": "transformer_dfa.system",
    "deep-dfa": "deep_dfa",
    "single-chip": "single_chip.system",
    "spectrum-slicing": "spectrum_slicing.system",
    "laser-reservoir": "laser_reservoir.system",
}
"""Name of each system, and the module whose SYSTEM it is."""


@public
def system_names() -> tuple[str, ...]:
    """Return the names of all systems."""
    return tuple(_SYSTEMS)


@public
def find_system(name: str) -> System:
    """Return the system called `name`; ParameterError with the nearest name if there is none."""
    if name not in _SYSTEMS:
        hint = did_you_mean(name, _SYSTEMS)
        message = f"There is no published system {name!r}. There are: {listing(_SYSTEMS)}.{hint}"
        raise ParameterError(message)
    system: System = import_module(f"photosim.systems.{_SYSTEMS[name]}").SYSTEM
    return system

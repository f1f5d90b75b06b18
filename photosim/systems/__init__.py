"""Published systems, a file or folder each: the hardware as a circuit, the recipe, and published figures."""

from photosim.systems.harness.catalogue import find_system, system_names
from photosim.systems.harness.reproduction import Reproduction, reproduce
from photosim.systems.harness.system import Case, Options, Outcome, Published, Row, System

__all__ = [
    "Case", "Options", "Outcome", "Published", "Reproduction", "Row", "System", "find_system", "reproduce",
    "system_names",
]  # fmt: skip

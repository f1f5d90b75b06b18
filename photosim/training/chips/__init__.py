"""Chips in the loop, with voltages in and powers out: calibration from readings, and programming."""

from photosim.training.chips.calibration import Calibration, calibrate
from photosim.training.chips.chip import Chip, open_chip
from photosim.training.chips.fidelity import fidelity
from photosim.training.chips.held import CalibratedChip, ChipDense
from photosim.training.chips.layer import ChipLayer
from photosim.training.chips.options import ChipOptions
from photosim.training.chips.simulated import SimulatedChip
from photosim.training.chips.tracking import Tracker

__all__ = [
    "CalibratedChip",
    "Calibration",
    "Chip",
    "ChipDense",
    "ChipLayer",
    "ChipOptions",
    "SimulatedChip",
    "Tracker",
    "calibrate",
    "fidelity",
    "open_chip",
]

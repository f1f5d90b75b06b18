"""Devices: matrices held by hardware, each built from a circuit."""

from photosim.training.devices.device import Device, Energy
from photosim.training.devices.digital import Digital
from photosim.training.devices.receiver import Converters, Receiver
from photosim.training.devices.weight_bank import Measured, WeightBank, effective_bits

__all__ = [
    "Converters",
    "Device",
    "Digital",
    "Energy",
    "Measured",
    "Receiver",
    "WeightBank",
    "effective_bits",
]

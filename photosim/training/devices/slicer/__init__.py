"""Spectrum slicers as devices: images become waveforms, and detectors behind filters read them."""

from photosim.training.devices.slicer.optics import SpectrumSlicer
from photosim.training.devices.slicer.receivers import Receivers
from photosim.training.devices.slicer.scan import Scan

__all__ = ["Receivers", "Scan", "SpectrumSlicer"]

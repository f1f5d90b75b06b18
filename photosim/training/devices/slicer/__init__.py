"""Spectrum slicers as devices: how images become waveforms, and what detectors behind filters make of them."""

from photosim.training.devices.slicer.optics import Receivers, SpectrumSlicer
from photosim.training.devices.slicer.scan import Scan

__all__ = ["Receivers", "Scan", "SpectrumSlicer"]

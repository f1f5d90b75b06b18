"""From waves to currents: light sources, detection."""

from photosim.signals.detection import photocurrents

__all__ = ["photocurrents"]

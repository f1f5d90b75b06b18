"""Widgets of notebooks: sliders of a circuit's settings beside its live spectrum."""

from photosim.widgets.sliders import Sliders
from photosim.widgets.widget import interact

__all__ = ["Sliders", "interact"]

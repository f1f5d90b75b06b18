"""Hardware of layers: which device a value means, what it can do for a rule, and networks that use it."""

from photosim.training.hardware.use import LayerUse, Uses, with_hardware

__all__ = ["LayerUse", "Uses", "with_hardware"]

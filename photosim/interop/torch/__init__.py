"""Circuits, devices and layers as modules of PyTorch; needs the extra `photosim[torch]`."""

from photosim.errors import ParameterError

try:
    import torch as _torch  # noqa: F401 - only whether it is there
except ImportError:
    _message = "Modules of PyTorch need PyTorch itself: pip install 'photosim[torch]'."
    raise ParameterError(_message) from None

from photosim.interop.torch.accelerated import ScreensProjection, SignProjection, TensorMesh
from photosim.interop.torch.circuits import CircuitModule
from photosim.interop.torch.feedback import DirectFeedback, Stages
from photosim.interop.torch.layers import (
    GRADIENTS,
    LayerModule,
    Projection,
    mesh,
    parameters_of,
    programmed,
    sequential,
)
from photosim.interop.torch.transformers import load_transformer, transformer, transformer_parameters

__all__ = [
    "GRADIENTS",
    "CircuitModule",
    "DirectFeedback",
    "LayerModule",
    "Projection",
    "ScreensProjection",
    "SignProjection",
    "Stages",
    "TensorMesh",
    "load_transformer",
    "mesh",
    "parameters_of",
    "programmed",
    "sequential",
    "transformer",
    "transformer_parameters",
]

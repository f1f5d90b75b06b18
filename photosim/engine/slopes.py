"""Complex derivatives of waves by settings, element by element."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.arguments import public
from photosim.memory import require_memory

if TYPE_CHECKING:
    from numpy.typing import NDArray


@public
def empty_slopes(names: Sequence[str], shape: tuple[int, ...]) -> dict[str, NDArray[np.complex128]]:
    """Return an empty complex array of the given shape for each name, for derivatives.

    Raises ParameterError if they need more memory than there is.
    """
    number = 16.0 * len(names) * float(np.prod(shape, dtype=np.float64))
    what = f"Derivatives of waves of shape {shape} by {len(names):,} parameters"
    require_memory(number, what, "ask for fewer wavelengths or waves at a time, or take value_and_grad")
    return {name: np.empty(shape, dtype=np.complex128) for name in names}


@public
def element_slopes(
    names: Sequence[str], shape: tuple[int, ...], pull: Callable[[Any], Mapping[str, Any]]
) -> dict[str, NDArray[np.complex128]]:
    """Return the complex derivatives of waves (..., W, n_out, n_in) by each parameter name.

    pull: function that turns a cotangent into real derivatives; it is called twice for each element.
    """
    slopes = empty_slopes(names, shape)
    for o, i in np.ndindex(*shape[-2:]):
        cotangent = np.zeros(shape, dtype=np.complex128)
        cotangent[..., o, i] = 1.0
        real, imaginary = pull(cotangent), pull(1j * cotangent)
        for name, slope in slopes.items():
            slope[..., o, i] = real[name] + 1j * imaginary[name]
    return slopes

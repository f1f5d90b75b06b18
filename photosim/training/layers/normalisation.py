"""Layer normalisation: every row gets one mean and one deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from photosim.training.arrays import RealArray
from photosim.training.layers.layer import Parameters

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

EPS = 1e-5
"""Added to a row's variance."""


def unit(width: int, dtype: DTypeLike) -> Parameters:
    """Return the parameters that a normalisation begins with: scale 1 and shift 0, shape (width,) each."""
    return {"scale": np.ones(width, dtype), "shift": np.zeros(width, dtype)}


def normalised(rows: RealArray, parameters: Parameters) -> tuple[RealArray, tuple[RealArray, RealArray]]:
    """Return rows of mean `shift` and deviation `scale`; and rows of mean 0, and 1 over their deviations."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    inverse = 1.0 / np.sqrt(np.einsum("ij,ij->i", centred, centred) / rows.shape[1] + EPS)
    inverse = inverse.astype(rows.dtype)[:, np.newaxis]
    centred *= inverse
    return centred * parameters["scale"] + parameters["shift"], (centred, inverse)


def normalised_back(
    delta: RealArray, parameters: Parameters, held: tuple[RealArray, RealArray], samples: int
) -> tuple[RealArray, Parameters]:
    """Return dL/drows from dL/d(normalised rows), and the derivatives by `scale` and `shift`."""
    even, inverse = held
    found = {"scale": np.einsum("ij,ij->j", delta, even) / samples, "shift": delta.sum(axis=0) / samples}
    inner = delta * parameters["scale"]
    along = np.einsum("ij,ij->i", inner, even)[:, np.newaxis] / even.shape[1]
    inner -= inner.mean(axis=1, keepdims=True)
    inner -= even * along
    inner *= inverse
    return inner, found

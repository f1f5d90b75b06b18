"""Array types shared by the training layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RealArray = NDArray[np.floating]
"""Real numbers in single or double precision; the parameters' dtype decides a run's precision."""
FloatArray = NDArray[np.float64]
"""Real numbers in double precision: circuits, devices and reported figures."""
LabelArray = NDArray[np.int64]
"""Class numbers, shape (samples,)."""
TargetArray = LabelArray | RealArray
"""What a network should say: class numbers (samples,), or real targets (samples, outputs)."""
BoolArray = NDArray[np.bool_]
"""Which of something."""
IndexArray = NDArray[np.int64]
"""Numbers of things."""
ComplexArray = NDArray[np.complex128]
"""Fields and transfer matrices of circuits, in double precision."""

"""Unitary matrices drawn at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from photosim.media.medium import ComplexArray


def haar(size: int, rng: np.random.Generator) -> ComplexArray:
    """Draw a unitary (size, size) evenly: QR of normal numbers, R's phases taken out (mezzadri2007)."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)) + 1j * rng.standard_normal((size, size)))
    diagonal = np.diagonal(r)
    return np.asarray(q * (diagonal / np.abs(diagonal)))

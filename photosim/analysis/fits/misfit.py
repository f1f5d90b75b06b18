"""Columns that a fit leaves undescribed: wrong columns, another circuit, or no minimum found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SHARE = 0.5
"""Residuals of at least so much of the data's own spread, which leave a quarter of its variance."""
_LEAST_dB = 0.5
_LIKE_NEIGHBOURS = 0.5
"""Correlation of neighbouring residuals above which they are not noise of single points."""
_DEGREE = 2
_FEWEST = 8


def misfits(
    names: Sequence[str],
    wl: NDArray[np.float64],
    measured_dB: NDArray[np.float64],
    residual_dB: NDArray[np.float64],
) -> list[str]:
    """Return a remark for each column, (columns, W), whose shape over wavelengths wl the fit does not have.

    The spread is that about a smooth envelope, which a fit with an envelope always describes.
    """
    found = []
    at = (wl - wl.mean()) / max(np.ptp(wl), 1e-300)
    for name, measured, left in zip(names, measured_dB, residual_dB, strict=True):
        known = np.isfinite(measured) & np.isfinite(left)
        if known.sum() < _FEWEST:
            continue
        y, r = measured[known], left[known]
        smooth = np.polyval(np.polyfit(at[known], y, _DEGREE), at[known])
        spread, rms = float((y - smooth).std()), float(np.sqrt(np.mean(r**2)))
        about = r - r.mean()
        alike = float(about[1:] @ about[:-1]) > _LIKE_NEIGHBOURS * float(about @ about)
        if rms > max(_SHARE * spread, _LEAST_dB) and (alike or abs(r.mean()) > _SHARE * rms):
            found.append(
                f"the fit does not describe {name!r} (rms residual {rms:.3g} dB, spread of the data "
                f"{spread:.3g} dB): check the columns, their ports and the circuit"
            )
    return found

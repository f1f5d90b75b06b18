"""Detectors with more light than they can follow: what share of it makes current, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def saturation_power(settings: Mapping[str, Any]) -> Any:
    """Return the saturation_power in W of a detector's settings, (B, 1) for a batch; infinite without one."""
    value = settings.get("saturation_power")
    value = np.asarray(np.inf if value is None else value, dtype=np.float64)
    return value[..., np.newaxis] if value.ndim else float(value)


def detected_share(power: Any, limit: Any) -> Any:
    """Return the share of the light at a port that makes current: 1 up to `limit`, limit/power above it.

    power: all light at the port in W, of any shape.  limit: saturation_power in W, which broadcasts to it.
    """
    power = np.asarray(power)
    return np.minimum(1.0, limit / np.maximum(power, np.finfo(power.dtype).tiny), dtype=power.dtype)


def too_bright(port: str, power: Any, limit: Any, each: str = "") -> str:
    """Return the sentence about a port of a detector that gets more light than saturates it, "" for none.

    each: what the elements of `power` are, "samples"; then the sentence says how many of them are above.
    """
    power, limit = np.broadcast_arrays(power, limit)
    above = power > limit
    if not above.any():
        return ""
    over = np.where(above, power, 0.0) / np.maximum(limit, np.finfo(np.float64).tiny)
    at = np.unravel_index(int(np.argmax(over)), power.shape)
    often = f" in {100.0 * np.mean(above):.3g} % of the {each}" if each else ""
    return (
        f"Detector port {port!r} receives {1e3 * float(power[at]):.4g} mW{often}, above its saturation_power "
        f"of {1e3 * float(limit[at]):.4g} mW: its current stays there; attenuate the light by "
        f"{10.0 * np.log10(float(over[at])):.3g} dB or choose a detector for more."
    )

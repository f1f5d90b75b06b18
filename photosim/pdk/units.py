"""Units that kits write, and what one of each is in a unit of this library."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

_TABLES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "length": {"m": 1e6, "cm": 1e4, "mm": 1e3, "um": 1.0, "nm": 1e-3, "km": 1e9},
        "loss": {"dB": 1.0},
        "loss per length": {"dB/m": 1e-2, "dB/cm": 1.0, "dB/mm": 10.0, "dB/um": 1e4, "dB/km": 1e-5},
        "angle": {"rad": 1.0, "deg": math.pi / 180},
        "frequency": {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9, "THz": 1e12},
        "time": {"s": 1.0, "ns": 1e-9, "ps": 1e-12, "fs": 1e-15},
        "power": {"W": 1.0, "mW": 1e-3, "uW": 1e-6},
        "voltage": {"V": 1.0, "mV": 1e-3},
        "current": {"A": 1.0, "mA": 1e-3, "uA": 1e-6},
        "resistance": {"ohm": 1.0, "kohm": 1e3},
        "temperature": {"K": 1.0},
        "per temperature": {"1/K": 1.0, "1/degC": 1.0},
        "per length": {"1/um": 1.0, "1/cm": 1e-4, "1/m": 1e-6, "1/nm": 1e3},
        "number": {"": 1.0, "1": 1.0, "-": 1.0, "%": 1e-2},
    }
)


def _dimension(unit: str) -> str | None:
    return next((name for name, table in _TABLES.items() if unit in table), None)


def comparable(unit: str, other: str) -> bool:
    """Whether two units measure the same thing."""
    return _dimension(unit) is not None and _dimension(unit) == _dimension(other)


def factor(unit: str, here: str) -> float | None:
    """Return what one `unit` is in the unit `here`; None where they measure different things."""
    if unit == here:
        return 1.0
    name = _dimension(unit)
    if name is None or name != _dimension(here):
        return None
    return _TABLES[name][unit] / _TABLES[name][here]

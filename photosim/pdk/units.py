"""Units that kits write, and what one of each is in a unit of this library."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

Unit: TypeAlias = tuple[float, dict[str, int]]
"""Size in base units, and the power of each base unit."""
_UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "": (1.0, {}),
        "1": (1.0, {}),
        "-": (1.0, {}),
        "%": (1e-2, {}),
        "m": (1.0, {"m": 1}),
        "s": (1.0, {"s": 1}),
        "Hz": (1.0, {"s": -1}),
        "K": (1.0, {"K": 1}),
        "degC": (1.0, {"K": 1}),  # as a difference; 25 degC is not 25 K
        "rad": (1.0, {"rad": 1}),
        "deg": (math.pi / 180, {"rad": 1}),
        "dB": (1.0, {"dB": 1}),
        "A": (1.0, {"A": 1}),
        "V": (1.0, {"V": 1}),
        "W": (1.0, {"V": 1, "A": 1}),
        "J": (1.0, {"V": 1, "A": 1, "s": 1}),
        "ohm": (1.0, {"V": 1, "A": -1}),
        "F": (1.0, {"A": 1, "s": 1, "V": -1}),
        "bit": (1.0, {"bit": 1}),
    }
)
_PREFIXES: Mapping[str, float] = MappingProxyType(
    {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3, "M": 1e6,
     "G": 1e9, "T": 1e12}
)  # fmt: skip
_WITHOUT_PREFIX = {"", "1", "-", "%", "K", "degC", "deg", "dB", "bit"}
_WORD = re.compile(r"(?P<unit>[A-Za-zµ%1-]*?)\^?(?P<power>[2-9]?)")


def _word(text: str) -> Unit | None:
    """Return one unit with its prefix and power, as um2."""
    found = _WORD.fullmatch(text)
    if found is None:
        return None
    unit, power = found["unit"], int(found["power"] or 1)
    size, dimension = _UNITS.get(unit, (0.0, {}))
    if unit not in _UNITS:
        prefix, base = unit[:1], unit[1:]
        if prefix not in _PREFIXES or base not in _UNITS or base in _WITHOUT_PREFIX:
            return None
        size, dimension = _PREFIXES[prefix] * _UNITS[base][0], _UNITS[base][1]
    return size**power, {base: power * n for base, n in dimension.items()}


def _parsed(text: str) -> Unit | None:
    """Return a unit, as A/W or ps/(nm km); None for one that is not known."""
    above, _, below = text.strip().partition("/")
    size, total = 1.0, Counter[str]()
    for part, sign in ((above, 1), (below.strip("()"), -1)):
        for word in part.split() or [""]:
            found = _word(word)
            if found is None:
                return None
            size *= found[0] ** sign
            for base, power in found[1].items():
                total[base] += sign * power
    return size, {base: power for base, power in total.items() if power}


def comparable(unit: str, other: str) -> bool:
    """Whether two units measure the same thing."""
    found, wanted = _parsed(unit), _parsed(other)
    return found is not None and wanted is not None and found[1] == wanted[1]


def factor(unit: str, here: str) -> float | None:
    """Return what one `unit` is in the unit `here`; None where they measure different things.

    A temperature in degC has no factor to K.
    """
    if unit == here:
        return 1.0
    found, wanted = _parsed(unit), _parsed(here)
    if found is None or wanted is None or found[1] != wanted[1] or "degC" in {unit, here}:
        return None
    return found[0] / wanted[0]

"""Colours: one for each domain, safe for the colour-blind beside each other, and a scale of power."""

from __future__ import annotations

import math

INK, QUIET, OPEN = "#1C2733", "#5C6773", "#C43C3C"
DOMAINS: dict[str, tuple[str, str]] = {
    "light": ("#1B66A8", "#E6F0FA"),
    "free space": ("#7A4FA0", "#F1EAF8"),
    "electricity": ("#B36200", "#FCF0DF"),
    "heat": ("#A02C4A", "#FAE8EC"),
}
"""Line and fill of each domain."""

_SCALE = ("#440154", "#414487", "#2A788E", "#22A884", "#7AD151", "#E8D222")  # viridis, its end darkened
RANGE_DB = 40.0
"""Powers further below the largest than this have the darkest colour."""


def power_colour(power: float, largest: float) -> str:
    """Return the colour of a power in W, by decibels below the largest."""
    if power <= 0.0 or largest <= 0.0:
        return "#B9C0C8"
    return scale_colour(1.0 + 10.0 * math.log10(power / largest) / RANGE_DB)


def scale_colour(share: float) -> str:
    """Return the colour at a share, 0 to 1, of the scale."""
    place = min(max(share, 0.0), 1.0) * (len(_SCALE) - 1)
    k = min(int(place), len(_SCALE) - 2)
    low, high = ([int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in _SCALE[k : k + 2])
    return "#" + "".join(f"{round(a + (b - a) * (place - k)):02X}" for a, b in zip(low, high, strict=True))

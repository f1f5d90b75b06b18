"""What colours mean, below a drawing."""

from __future__ import annotations

from photosim.drawing.palette import DOMAINS, QUIET, RANGE_DB, scale_colour
from photosim.drawing.scene import Group, Label, Mark, Shape, rectangle, text_width

_SIZE = 9.5
_BAR, _STEPS = 120.0, 30


def legend(domains: set[str], largest: float | None) -> tuple[tuple[Mark, ...], float]:
    """Return the marks about the origin, and their width: a line for each domain that is there.

    largest: in W, where colours say powers.
    """
    marks: list[Mark] = []
    x = 0.0
    for domain, (colour, _) in DOMAINS.items():
        if domain in domains:
            marks.append(
                Shape(
                    (("M", (x, -3.0)), ("L", (x + 20.0, -3.0))),
                    colour,
                    3.0 if domain == "free space" else 1.8,
                )
            )
            marks.append(Label(x + 25.0, 0.0, domain, _SIZE, QUIET))
            x += 25.0 + text_width(domain, _SIZE) + 18.0
    if largest is not None:
        low, high = f"{-RANGE_DB:.0f} dB", f"{_watts(largest)} in a guide"
        marks.append(Label(x, 0.0, low, _SIZE, QUIET))
        x += text_width(low, _SIZE) + 6.0
        step = _BAR / _STEPS
        marks += [
            Shape(rectangle(x + k * step, -8.0, step + 0.3, 8.0), fill=scale_colour(k / (_STEPS - 1)))
            for k in range(_STEPS)
        ]
        marks.append(Label(x + _BAR + 6.0, 0.0, high, _SIZE, QUIET))
        x += _BAR + 6.0 + text_width(high, _SIZE)
    return (Group(tuple(marks), {"class": "legend"}),), x


def _watts(power: float) -> str:
    for unit, scale in (("W", 1.0), ("mW", 1e-3), ("uW", 1e-6), ("nW", 1e-9)):
        if power >= 0.9995 * scale:
            return f"{power / scale:.3g} {unit}"
    return f"{power:.3g} W"

"""Windows: the values of wavelength and settings at which a fitted, tabulated or expanded model holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from photosim.model.parameters import Parameter

WAVELENGTH = "wl"
"""Name of the wavelength among the quantities that a window may be about."""


@dataclass(frozen=True)
class Window:
    """Values of one quantity at which a model holds; outside of them it computes, and a warning says so.

    of: "wl" (um) or a setting of the component. low, high: first and last value, both included. basis: what
    the window rests on, as "the couplers that the fit rests on". about: setting from which low and high
    count, as wl0. scale: setting that they are multiples of. zero: whether 0 lies inside besides. refuse:
    whether a kit states it: outside is an error then, unless a policy says otherwise. least: size below which
    a value other than 0 is taken for one in another unit.
    """

    of: str
    low: float = -inf
    high: float = inf
    basis: str = ""
    about: str = ""
    scale: str = ""
    zero: bool = False
    refuse: bool = False
    least: float = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the settings that it depends on."""
        named = () if self.of == WAVELENGTH else (self.of,)
        return (*named, *(name for name in (self.about, self.scale) if name))

    def span(self, settings: Mapping[str, Any]) -> tuple[float, float]:
        """Return the first and the last value at these settings; of arrays, what holds for all entries."""
        if not self.about and not self.scale:
            return self.low, self.high
        about = settings[self.about] if self.about else 0.0
        scale = settings[self.scale] if self.scale else 1.0
        if type(about) is float and type(scale) is float:
            return about + scale * self.low, about + scale * self.high
        about, scale = np.asarray(about, dtype=np.float64), np.asarray(scale, dtype=np.float64)
        return float(np.max(about + scale * self.low)), float(np.min(about + scale * self.high))

    def stated(self) -> str:
        """Return the window as a model states it, as "wl: wl0 - 0.1 to wl0 + 0.1"."""
        ends = []
        for end in (self.low, self.high):
            step = f"{abs(end):g}" + (f" {self.scale}" if self.scale else "")
            ends.append(f"{self.about} {'-' if end < 0 else '+'} {step}" if self.about else f"{end:g}")
        low, high = (
            text if np.isfinite(end) else "" for text, end in zip(ends, (self.low, self.high), strict=True)
        )
        if low and high:
            return f"{self.of}: {low} to {high}"
        return f"{self.of}: {low} or more" if low else f"{self.of}: {high} or less"

    def words(self, span: tuple[float, float]) -> str:
        """Return a span as people write it, as "0.05 to 0.4"."""
        low, high = (f"{end:.4g}" if np.isfinite(end) else "" for end in span)
        if low and high:
            return f"{low} to {high}"
        return f"{low} or more" if low else f"{high} or less"


def windows_of(
    function: Callable[..., Any], groups: Mapping[str, Any], own: tuple[Window, ...], known: Mapping[str, Any]
) -> tuple[Window, ...]:
    """Return the windows of a component: its own, and those of its groups for quantities that it leaves out.

    Raises ParameterError for a window about a setting that the component does not have.
    """
    found = {window.of: window for window in own}
    for group in groups.values():
        for window in _of_group(group):
            found.setdefault(window.of, window)
    for window in found.values():
        for name in window.names:
            if name not in known:
                message = (
                    f"Component {function.__name__!r} declares a window about {name!r}, which is not one of "
                    f"its settings.{did_you_mean(name, known)}"
                )
                raise ParameterError(message)
    return tuple(found.values())


def usual_windows(parameters: Mapping[str, Parameter], own: tuple[Window, ...]) -> tuple[Window, ...]:
    """Return windows for the range in which the quantities of parameters are used, so that units are seen.

    `own` are the windows of the component, which come first.
    """
    taken = {window.of for window in own}
    return tuple(
        Window(name, *p.usual, f"the usual values; is it in {p.unit}?", zero=True)
        for name, p in parameters.items()
        if name not in taken and p.usual != (-inf, inf)
    )


def _of_group(group: Any) -> Iterator[Window]:
    """Yield the windows of a group of settings; a class before those that it extends, inner groups last."""
    for cls in type(group).__mro__:
        yield from vars(cls).get("windows", ())
    for field in fields(group):
        value = getattr(group, field.name)
        if hasattr(value, "settings"):
            yield from _of_group(value)

"""Values to try settings at: inside bounds, windows, and what a designer would ever set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from photosim.errors import ParameterError
from photosim.model import Nonlinear

if TYPE_CHECKING:
    from hypothesis import strategies as st

    from photosim.model import Model, Parameter

# What stands for "any number" of a unit: beyond these a phase of 1e6 rad tests the sine, not the model.
_PRACTICAL = {
    "um": 200.0, "km": 1e-7, "rad": 20.0, "dB": 60.0, "dB/cm": 300.0, "K": 1000.0, "s": 1e-11, "W": 0.1,
    "1/cm3": 1e19, "A": 0.2, "Hz": 1e12, "V": 20.0,
}  # fmt: skip
_NARROW = {
    "wl0": (1.4, 1.7),
    "fwhm": (0.05, 1.0),
    "temperature": (200.0, 400.0),
    "dneff_dT": (-1e-3, 1e-3),
    "dispersion": (-2e-3, 2e-3),
    "neff": (1.4, 3.5),
    "ng": (1.4, 5.0),
    "kappa": (0.0, 0.1),
    "rin_dB_Hz": (-170.0, -120.0),
    "linewidth": (1e8, 1e12),
}
_FACTOR = 3.0
"""Settings of nonlinear parts are constants of nature: from a third of the default to three times it."""


def hypothesis() -> Any:
    """Return the module hypothesis; ParameterError with what to install where it is not there."""
    try:
        import hypothesis
    except ImportError:
        message = "Testing laws needs hypothesis, which is not installed: pip install 'photosim[testing]'."
        raise ParameterError(message) from None
    return hypothesis


def span(parameter: Parameter, model: Model | None = None) -> tuple[float, float]:
    """Return the lowest and highest value to try a real parameter at: inside its bounds and its window."""
    low, high = _NARROW.get(parameter.name, (-np.inf, np.inf))
    limit = _PRACTICAL.get(parameter.unit, 10.0)
    low, high = max(parameter.low, low, -limit), min(parameter.high, high, limit)
    if isinstance(model, Nonlinear) and parameter.default:
        ends = sorted((parameter.default / _FACTOR, parameter.default * _FACTOR))
        low, high = max(parameter.low, ends[0]), min(parameter.high, ends[1])
    for window in model.windows if model is not None else ():
        if (
            model is not None
            and window.of == parameter.name
            and all(model.defaults.get(n) is not None for n in window.names)
        ):
            first, last = window.span(model.defaults)
            # Fibres are tried at 0.1 mm, far below their usual lengths, where phases keep their digits.
            if max(low, first) <= min(high, last):
                low, high = max(low, first), min(high, last)
    return (low, high) if low <= high else (parameter.default, parameter.default)


def value_of(parameter: Parameter, model: Model | None = None) -> st.SearchStrategy[Any]:
    """Return a strategy of values of one setting, its edges and its default likely."""
    from hypothesis import strategies as st

    if parameter.kind == "choice":
        return st.sampled_from(parameter.choices)
    if parameter.kind == "flag":
        return st.booleans()
    if parameter.kind == "table":
        return st.just(parameter.default)
    low, high = span(parameter, model)
    if parameter.kind == "whole":
        return st.integers(int(low), int(min(high, low + 8)))
    edges = [low, high] + ([parameter.default] if parameter.default is not None else [])
    return st.one_of(st.floats(low, high), st.sampled_from(edges))


def settings_of(
    model: Model | None, parameters: Mapping[str, Parameter]
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of settings, one value for each parameter."""
    from hypothesis import strategies as st

    return st.fixed_dictionaries({name: value_of(p, model) for name, p in parameters.items()})


def wavelengths_in(band: tuple[float, float], count: int) -> st.SearchStrategy[np.ndarray[Any, Any]]:
    """Return a strategy of rising wavelengths in um inside a band, its ends likely."""
    from hypothesis import strategies as st

    low, high = band
    if high <= low:
        return st.just(np.full(count, low))
    place = st.one_of(st.floats(low, high), st.sampled_from([low, high]))
    return st.lists(place, min_size=count, max_size=count).map(lambda values: np.sort(np.array(values)))


__all__ = ["hypothesis", "settings_of", "span", "value_of", "wavelengths_in"]

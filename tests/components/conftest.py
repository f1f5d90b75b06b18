"""Values to test components at: within bounds, and within what a designer would ever set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from photosim.model import ClosedForm
from photosim.model.parameters import Parameter

# What stands for "any number" of a unit: beyond these a phase of 1e6 rad tests the sine, not the model.
_PRACTICAL = {
    "um": 200.0, "rad": 20.0, "dB": 60.0, "dB/cm": 300.0, "K": 1000.0, "s": 1e-11, "W": 0.1, "1/cm3": 1e19,
}  # fmt: skip
_NARROW = {"wl0": (1.2, 2.0), "fwhm": (0.05, 1.0), "temperature": (200.0, 400.0), "dneff_dT": (-1e-3, 1e-3)}

Draw = Callable[[ClosedForm, float], st.SearchStrategy[dict[str, Any]]]


def span(parameter: Parameter) -> tuple[float, float]:
    """Lowest and highest value to test a parameter at."""
    if parameter.name in _NARROW:
        return _NARROW[parameter.name]
    limit = _PRACTICAL.get(parameter.unit, 10.0)
    return max(parameter.low, -limit), min(parameter.high, limit)


@pytest.fixture(scope="session")
def settings_of() -> Draw:
    """Strategy of full settings of a model; `margin` keeps clear of both ends by that part of the span."""

    def strategy(model: ClosedForm, margin: float = 0.0) -> st.SearchStrategy[dict[str, Any]]:
        fields = {}
        for name, parameter in model.parameters.items():
            low, high = span(parameter)
            gap = margin * (high - low)
            fields[name] = st.floats(low + gap, high - gap)
        return st.fixed_dictionaries(fields)

    return strategy


@pytest.fixture(scope="session")
def width_of() -> Callable[[Parameter], float]:
    """Width of the span a parameter is tested over, at most 1 unless the span is far from 1."""

    def width(parameter: Parameter) -> float:
        low, high = span(parameter)
        return high - low if not 1e-3 < high - low < 1e6 else 1.0

    return width

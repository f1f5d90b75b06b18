"""Numbers of a medium's drift are held to bounds in Python."""

from __future__ import annotations

from typing import Any

import pytest

from photosim.errors import ParameterError
from photosim.training.devices.medium.drift import Drift


@pytest.mark.parametrize(
    "settings",
    [{"seed": -3}, {"seed": 1.5}, {"seed": float("nan")}, {"interval": 0.0}, {"interval": "x"},
     {"persistence": float("nan")}, {"persistence": 0.0}, {"wander": -1.0}, {"wander": float("inf")}],
)  # fmt: skip
def test_drift_out_of_bounds_is_one_sentence(settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(ParameterError, match=rf"^Drift: {name} must be"):
        Drift(**settings)

"""Sweeps are drawn as trends only where there is something to see."""

from __future__ import annotations

import numpy as np
import pytest

from photosim.systems import Outcome, find_system
from photosim.systems.harness.pictures import is_trend


def test_a_trend_needs_a_network_that_has_learnt_and_three_points() -> None:
    assert is_trend([10.0, 40.0, 60.0], 3)
    assert not is_trend([10.0, 40.0, 45.0], 3)
    assert not is_trend([95.0, 96.0], 2)
    assert not is_trend([], 3)
    assert is_trend([np.nan, 90.0, 80.0], 3)


@pytest.mark.parametrize(("accuracy", "drawn"), [(12.0, False), (90.0, True)])
def test_sweeps_of_untrained_networks_are_not_drawn(accuracy: float, drawn: bool) -> None:
    curve = [accuracy] * 5
    whole = {"accuracy": accuracy, "curve": curve, "sizes": curve[:4], "phases": curve, "noises": curve}
    two = find_system("two-pass").pictures(Outcome({"backprop": {0: whole}}))
    assert ({chart.name for chart in two} == {"epochs"}) is not drawn
    swept = {"accuracy": [accuracy] * 7, "minutes": [1.0] * 7}
    opu = find_system("opu-dfa").pictures(Outcome({"sweep light": {0: swept}, "sweep exact": {0: whole}}))
    assert bool(opu) is drawn

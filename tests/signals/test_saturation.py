"""Detectors with more light than they can take: the current stays, and a warning says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps


def lit(detector: dict[str, Any], **laser: Any) -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {"laser": {"component": "laser", "settings": laser}, "pd": detector},
            "connections": {"laser,o1": "pd,o1"},
        }
    )


PIN = {"component": "photodetector", "settings": {"responsivity": 0.5, "saturation_power": 4e-3}}


def test_current_stays_at_saturation_and_a_warning_says_what_to_do() -> None:
    circuit = lit(PIN, power=8e-3)
    message = (
        r"'pd,o1' receives 8 mW, above its saturation_power of 4 mW: its current stays there; "
        r"attenuate the light by 3.01 dB"
    )
    with pytest.warns(ps.PhotosimWarning, match=message):
        assert circuit.photocurrents().values.item() == pytest.approx(2e-3)
    assert circuit.photocurrents(laser={"power": 3.9e-3}).values.item() == pytest.approx(1.95e-3)


def test_lines_that_shine_together_saturate_together_and_tuned_ones_alone() -> None:
    circuit = lit(PIN, power=1e-3, lines=8)
    with pytest.warns(ps.PhotosimWarning, match="receives 8 mW"):
        currents = circuit.photocurrents().values
    np.testing.assert_allclose(currents[:, 0], 0.25e-3)
    with pytest.warns(ps.PhotosimWarning, match="receives 8 mW"):
        tuned = circuit.photocurrents(np.linspace(1.54, 1.56, 5)).values
    np.testing.assert_allclose(tuned, 2e-3)


def test_batch_saturates_row_by_row() -> None:
    circuit = lit(PIN, power=6e-3)
    with pytest.warns(ps.PhotosimWarning, match="above its saturation_power of 3 mW"):
        currents = circuit.photocurrents(pd={"saturation_power": np.array([3e-3, 9e-3])}).values
    np.testing.assert_allclose(currents[:, 0, 0], [1.5e-3, 3e-3])

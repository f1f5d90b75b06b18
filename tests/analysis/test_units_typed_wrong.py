"""Units typed wrong, and lists of settings, in sweeps, yields, specifications and fits: one sentence each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import DataError, ParameterError

BAND = {"quantity": "power_dB", "from": "in", "to": "drop", "at_least": -30.0}
WL = np.linspace(1.545, 1.555, 101)


def chips(variation: dict[str, Any], **limit: Any) -> Any:
    entry = {**BAND, **limit} if "quantity" not in limit else {"from": "in", "to": "drop", **limit}
    circuit = ps.load("add_drop_ring")
    return ps.montecarlo(circuit, variation, wl="1.548:1.555:101", specification=[entry], samples=4)


@pytest.mark.parametrize(
    ("variation", "looks"),
    [
        ({"gap": 5.0}, "gap must be .* got 5; it looks like nm: write 0.005"),
        ({"width": {"local": 2.0}}, "width must be .* got 2; it looks like nm: write 0.002"),
        ({"thickness": 1e-9}, "thickness must be .* got 1e-09; it looks like m: write 0.001"),
        ({"gap": {"wafer": 0.5}}, "gap must be 0 or 1e-07 to 0.3 um, got 0.5"),
    ],
)
def test_standard_deviations_in_other_units_are_refused(variation: dict[str, Any], looks: str) -> None:
    with pytest.raises(ParameterError, match=looks):
        chips(variation)


@pytest.mark.parametrize(
    ("quantity", "limit"),
    [
        ("bandwidth_3dB", {"at_most": 100.0}),
        ("fsr", {"at_least": 10.0}),
        ("fwhm", {"within": [2.0, 50.0]}),
        ("group_delay", {"at_most": 10.0}),
    ],
)
def test_limits_that_no_circuit_comes_near_are_refused(quantity: str, limit: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=f"{quantity} is in .* it looks like"):
        chips({"width": 1e-3}, quantity=quantity, **limit)


def test_losses_are_not_transmissions() -> None:
    ring = ps.load("add_drop_ring")
    losses = -ring(WL)["in", "through"].power_dB
    data = {"wavelength_um": WL, "through_db": losses}
    with pytest.raises(DataError, match="it looks like a loss"):
        ps.fit(ring, data, ["ring.radius"], columns={"through_db": "through"}, source="in", starts=1)


@pytest.mark.parametrize(
    "column", [np.full(101, -1.0 + 2.0j), np.ma.masked_less(np.linspace(-9.0, -1.0, 101), -5.0)]
)
def test_fits_take_real_numbers_that_are_known(column: Any) -> None:
    data = {"wavelength_um": WL, "through_db": column}
    with pytest.raises(DataError, match="'through_db' holds complex numbers or masked entries"):
        ps.fit(
            ps.load("add_drop_ring"), data, ["ring.radius"], columns={"through_db": "through"}, source="in"
        )


def of_two() -> ps.Circuit:
    """Return a ring whose netlist lists two couplings: two circuits."""
    return ps.Circuit(
        {
            "instances": {"r": {"component": "ring_single", "settings": {"coupling": "k"}}},
            "ports": {"in": "r,o1", "out": "r,o2"},
            "settings": {"k": [0.1, 0.2]},
        }
    )


@pytest.mark.filterwarnings("ignore:The grid undersamples")
def test_sweeps_and_fits_are_of_one_circuit() -> None:
    radii = [10.0, 10.1]
    for vary in ({"r.radius": radii}, {}):
        with pytest.raises(ParameterError, match="A sweep varies settings of one circuit, but 'k' is a list"):
            ps.sweep(of_two(), vary, wl=WL)
    swept = ps.sweep(of_two(), {"k": [0.1, 0.2, 0.3], "r.radius": radii}, wl=WL)
    assert swept.sizes["k"] == 3
    data = {"wavelength_um": WL, "out": np.linspace(-2.0, -1.0, 101)}
    with pytest.raises(ParameterError, match="A fit finds settings of one circuit, but 'k' is a list"):
        ps.fit(of_two(), data, ["r.radius"], columns={"out": "out"}, source="in", units={"out": "dB"})

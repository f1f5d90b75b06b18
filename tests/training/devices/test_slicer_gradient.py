"""Gradients through a slicer, against differences of its own averages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError
from photosim.training.devices.slicer import Scan, SpectrumSlicer
from photosim.training.devices.slicer.gradient import TrainableFilters

SCAN = Scan(patch=3, stride=3, pixel=50e-12, guard=40)
IMAGES = np.random.default_rng(2).uniform(0.0, 1.0, (3, 36)).astype(np.float32)
CIRCUIT = ps.Circuit(
    ps.Netlist(
        {
            "laser": ps.part("laser", power=0.05),
            "modulator": ps.part("mach_zehnder_modulator", bias=4.0, extinction_dB=30.0),
            "slicer": ps.part(
                "spectrum_slicer", nodes=2, coupling=0.2, spacing=3e9, tia_bandwidth=1.1e9, coupling_step=None
            ),
        },
        ((("laser", "o1"), ("modulator", "o1")), (("modulator", "o2"), ("slicer", "o1"))),
    )
)
HELD: dict[str, Any] = {
    "slicer.node0.coupling": 0.2, "slicer.node1.coupling": 0.3, "slicer.node0.detuning": -1.5e9,
    "slicer.node1.detuning": 1.2e9,
}  # fmt: skip


def test_gradients_are_those_of_differences() -> None:
    device = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, 6)
    filters = TrainableFilters(CIRCUIT, device, list(HELD))
    filters.hold(HELD)
    first = filters.averages(IMAGES)
    again = replace(SpectrumSlicer.from_circuit(CIRCUIT, SCAN, 6, **HELD), first=device.first)
    assert np.abs(first - again.averages(IMAGES)[0]).max() < 1e-3 * first.mean()
    cotangent = np.random.default_rng(3).standard_normal(first.shape) / first.mean()
    found = filters.gradient(IMAGES, cotangent)
    for name, value in HELD.items():
        step = 1e-3 if name.endswith("coupling") else 5e6
        both = []
        for sign in (1.0, -1.0):
            filters.hold({**HELD, name: value + sign * step})
            both.append(float(np.sum(filters.averages(IMAGES) * cotangent)))
        assert found[name] == pytest.approx((both[0] - both[1]) / (2 * step), rel=0.01)


def test_what_cannot_be_learnt_is_refused() -> None:
    exact = SpectrumSlicer.from_circuit(CIRCUIT, SCAN, 6, precision="double")
    with pytest.raises(ParameterError, match="single precision"):
        TrainableFilters(CIRCUIT, exact, list(HELD))

"""Yield after tuning: heaters that need each other, and windows that follow a line that heaters move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps


def ring(radius: float) -> dict[str, Any]:
    settings = {"radius": radius, "coupling": 0.03, "neff": 2.44553, "ng": 4.19088}
    return {"component": "ring_double", "settings": settings}


def demultiplexer() -> ps.Circuit:
    """Two rings on a bus, whose lines lie at 1.55123 and 1.55304 um."""
    return ps.Circuit(
        {
            "instances": {"a": ring(10.0), "b": ring(10.02)},
            "connections": {"a,through": "b,in"},
            "ports": {"in": "a,in", "da": "a,drop", "db": "b,drop"},
            "terminate": ["a,add", "b,add", "b,through"],
        }
    )


@pytest.mark.parametrize("heaters", [["a.phase", "b.phase"], ["b.phase", "a.phase"]])
def test_each_heater_brings_its_own_line_back(heaters: list[str]) -> None:
    """One heater cannot better the worst entry where that is the other ring's; both together meet all."""
    wanted = {"a": (1.5519, 1.5521), "b": (1.5539, 1.5541)}
    spec = [
        {"quantity": "resonance", "from": "in", "to": f"d{n}", "near": sum(w) / 2 + 5e-4, "within": list(w)}
        for n, w in wanted.items()
    ]
    ask: dict[str, Any] = {"wl": "1.5500:1.5560:301", "specification": spec, "samples": 4}
    tuning = {"heaters": heaters, "power_per_pi": 0.02}
    data = ps.montecarlo(demultiplexer(), {"width": {"local": 2e-4}}, tuning=tuning, **ask)
    assert float(data["yield"]) == 0.0
    assert float(data.tuned_yield) == 1.0
    # From 0.68 and 0.86 nm away to the near edge; a free spectral range of 8.8 nm is a phase of 2 pi: 40 mW.
    away = np.maximum(0.0, np.array([[1.5519], [1.5539]]) - data["value"].values)
    assert np.allclose(data.tuning_power, (away / 9.15e-3 * 40e-3).sum(axis=0), rtol=0.1)
    starved = ps.montecarlo(
        demultiplexer(), {"width": {"local": 2e-4}}, tuning={**tuning, "budget": 0.005}, **ask
    )
    assert float(starved.tuned_yield) == 0.0
    assert float(starved.tuning_power.max()) <= 0.005 + 1e-12


def test_a_window_follows_the_line_that_a_heater_moves() -> None:
    circuit = ps.load("add_drop_ring")
    found = []
    for follow, wl, more in (
        (False, "1.5460:1.5575:801", {"near": 1.5525}),
        (True, "1.55072:1.55172:101", {}),
    ):
        spec = [{"quantity": "resonance", "from": "in", "to": "drop", "within": [1.5524, 1.5526], **more}]
        found.append(
            ps.montecarlo(
                circuit, {"width": 5e-4}, wl=wl, specification=spec, samples=20, follow=follow,
                tuning={"heaters": ["ring.phase"]},
            )
        )  # fmt: skip
    assert [float(data.tuned_yield) for data in found] == [1.0, 1.0]
    assert np.allclose(found[0].tuned_value, found[1].tuned_value, atol=1e-7)
    assert np.array_equal(found[0].tuning_power, found[1].tuning_power)

"""Chains of rings, and the figures of a ring, against spectra that the engine computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis import rings
from photosim.errors import ParameterError
from photosim.model import registry

NEFF, NG = 2.44553, 4.19088
LENGTH = 2 * np.pi * 10.0
STRIP = {"neff": NEFF, "ng": NG}
WL = np.linspace(1.545, 1.555, 501)


def alone(component: str, **settings: Any) -> ps.Circuit:
    ports = {p: ("part", p) for p in registry.get(component).ports}
    return ps.Circuit(ps.Netlist({"part": ps.part(component, **settings)}, ports=ports))


def test_chain_of_one_ring_is_the_add_drop_ring() -> None:
    found = alone("crow", rings=1, coupling_end=0.2, loss_dB_cm=3.0)(WL).values
    np.testing.assert_allclose(
        found, alone("ring_double", coupling=0.2, loss_dB_cm=3.0)(WL).values, atol=1e-11
    )


def test_chain_of_five_is_the_gallerys() -> None:
    ours = alone("crow", rings=5, **STRIP)(WL)
    gallery = ps.load("crow")(WL)
    np.testing.assert_allclose(ours["o1", "o2"].values, gallery["in", "drop"].values, atol=1e-11)
    np.testing.assert_allclose(ours["o1", "o4"].values, gallery["in", "through"].values, atol=1e-11)


@pytest.mark.parametrize("coupling", [0.02, 0.2])
def test_long_chain_passes_the_band_of_theory(coupling: float) -> None:
    chain = alone("crow", rings=30, coupling=coupling, coupling_end=np.sqrt(coupling), **STRIP)
    span = rings.free_spectral_range(1.55, NG, LENGTH)
    wl = np.linspace(1.55 - span / 2, 1.55 + span / 2, 4001)
    inside = np.mean(chain(wl)["o1", "o2"].power > 0.1)
    assert inside == pytest.approx(2 / np.pi * np.arcsin(np.sqrt(coupling)), abs=0.01)


@pytest.mark.parametrize("coupling", [0.03, 0.1, 0.5])
def test_finesse_and_q_are_those_of_the_spectrum(coupling: float) -> None:
    # Constant group velocity in frequency: neff(wl) is linear in wl, so phase is linear in 1/wl exactly.
    ring = alone("ring_double", coupling=coupling, loss_dB_cm=2.5, **STRIP)
    kept = rings.kept_amplitude(coupling, coupling, loss_dB_cm=2.5, length=LENGTH)
    order = round((NEFF + (NG - NEFF)) * LENGTH / 1.55 - (NG - NEFF) * LENGTH / 1.55)
    centre = NG * LENGTH / (order + (NG - NEFF) * LENGTH / 1.55)
    width = 1 / rings.loaded_q(centre, NG, LENGTH, kept)
    # Half of the peak's power at half a width to either side, in frequency.
    wl = centre / (1 + np.array([-0.5, 0.0, 0.5]) * width)
    power = ring(wl)["o1", "o2"].power
    np.testing.assert_allclose(power[[0, 2]] / power[1], 0.5, rtol=1e-9)
    span = rings.free_spectral_range(centre, NG, LENGTH)
    assert rings.finesse(kept) * width * centre == pytest.approx(span, rel=1e-12)


def test_finesse_tends_to_the_reviews_and_is_one_percent_above_at_six() -> None:
    def review(x: float) -> float:
        return float(np.pi * np.sqrt(x) / (1 - x))

    assert rings.finesse(0.999) == pytest.approx(review(0.999), rel=1e-6)
    low = rings.finesse(0.6)
    assert review(0.6) / low == pytest.approx(1.0113, abs=1e-3)


@pytest.mark.parametrize("kept", [0.1, 1.0, float("nan")])
def test_finesse_without_a_width_is_refused(kept: float) -> None:
    with pytest.raises(ParameterError, match=r"kept amplitude of 0\.1716 to 1"):
        rings.finesse(kept)


def test_lifetime_is_q_over_angular_frequency() -> None:
    kept = 0.9999
    omega = 2 * np.pi * 299_792_458e6 / 1.55
    lifetime = rings.photon_lifetime(NG, LENGTH, kept)
    assert lifetime == pytest.approx(rings.loaded_q(1.55, NG, LENGTH, kept) / omega, rel=1e-6)

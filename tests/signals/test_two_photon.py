"""Two-photon absorption: against random phases, a decay integrated in time, and what a link says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.conventions import PLANCK_J_S, SPEED_OF_LIGHT_M_S
from photosim.model import ClosedForm, registry
from photosim.signals.two_photon import AREA_UM2, LIFETIME_S, TWO_PHOTON_M_W, two_photon_loss

DB = 10 / np.log(10)


def test_lines_lose_what_the_power_of_their_sum_does_on_average() -> None:
    # Independent lines: the field is a sum with random phases, and two-photon absorption goes as <P(t)**2>.
    powers = np.array([0.02, 0.01, 0.005, 0.03])
    phases = np.exp(2j * np.pi * np.random.default_rng(3).random((200_000, powers.size)))
    power = np.abs(phases @ np.sqrt(powers)) ** 2
    per_metre = TWO_PHOTON_M_W / (AREA_UM2 * 1e-12) * np.mean(power**2) / powers.sum()
    assert two_photon_loss(powers).two_photon_dB_cm == pytest.approx(per_metre / 100 * DB, rel=0.01)


def test_one_line_decays_as_its_equation_integrated() -> None:
    # dP/dz = -beta P**2/A has the solution P/(1 + beta P z/A).
    power, metre = 0.05, 1e-5
    after = power / (1 + TWO_PHOTON_M_W * power * metre / (AREA_UM2 * 1e-12))
    lost = -10 * np.log10(after / power) / (metre * 100)
    assert two_photon_loss([power]).two_photon_dB_cm == pytest.approx(lost, rel=1e-3)


def test_carriers_absorb_as_in_the_junction() -> None:
    # Each pair of photons frees one pair of carriers; the junction's formula says what they absorb.
    power, area = 0.4, AREA_UM2 * 1e-12
    photon = PLANCK_J_S * SPEED_OF_LIGHT_M_S / 1.55e-6
    density = TWO_PHOTON_M_W * (power / area) ** 2 / (2 * photon) * LIFETIME_S * 1e-6
    model = registry.get("pn_phase_shifter")
    assert isinstance(model, ClosedForm)

    def loss(doping: float) -> float:
        # A core so wide that little of it is depleted: one half holds electrons, the other one holes.
        s = model.s([1.55], acceptors=doping, donors=doping, length=1e4, loss_dB_cm=0.0, width=2.0)
        return float(-20 * np.log10(np.abs(s[0, 1, 0])))

    assert 2e17 < density < 1e19
    # Here both fill all of the guide.
    assert two_photon_loss([power]).carriers_dB_cm == pytest.approx(2 * loss(density), rel=0.06)


def test_budget_of_twenty_lines_of_20_mw() -> None:
    found = two_photon_loss(np.full(20, 0.02))
    # By hand: 7.9e-12 m/W * 39 * 20 mW / 0.1 um2 = 61.6 per m; 9.6e17 carriers per cm3 absorb 13.7 per cm.
    assert found.two_photon_dB_cm == pytest.approx(61.6 / 100 * DB, rel=1e-3)
    assert found.carriers_dB_cm == pytest.approx(13.7 * DB, rel=0.01)


def bus(power: float, lines: int, **guide: Any) -> dict[str, Any]:
    return {
        "instances": {
            "comb": {"component": "laser", "settings": {"lines": lines, "spacing": 2e11, "power": power}},
            "half": {"component": "attenuator", "settings": {"loss_dB": 3.0103}},
            "bus": {"component": "straight", "settings": {"length": 600.0, **guide}},
            "dim": {"component": "attenuator", "settings": {"loss_dB": 30.0}},
            "pd": "photodetector",
        },
        "connections": {"comb,o1": "half,o1", "half,o2": "bus,o1", "bus,o2": "dim,o1", "dim,o2": "pd,o1"},
    }


def test_a_link_speaks_of_it_where_the_light_is_strong() -> None:
    found = [text for text in ps.link(ps.Circuit(bus(0.04, 20))).remarks if "two-photon" in text]
    assert len(found) == 1
    assert found[0].startswith("Light of 400 mW enters guide 'bus'")
    assert "2.7 dB/cm more" in found[0]
    assert "60 dB/cm (lifetime 1 ns)" in found[0]


@pytest.mark.parametrize("net", [bus(1e-3, 4), bus(0.04, 20, ng=2.0, neff=1.8)], ids=["weak", "nitride"])
def test_a_link_is_silent_where_it_is_weak_or_not_silicon(net: dict[str, Any]) -> None:
    assert not [text for text in ps.link(ps.Circuit(net)).remarks if "two-photon" in text]

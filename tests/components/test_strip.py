"""The strip guide against the table it stands for, and guides drawn with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.model import ClosedForm, registry

C = 299_792_458.0
# Width and height in nm, then neff and ng of the TE mode at 1550 nm, as the SiEPIC library has them.
TABLE = [
    (480, 220, 2.41168, 4.22668),
    (500, 210, 2.40705, 4.17917),
    (500, 220, 2.44553, 4.19088),
    (500, 230, 2.48129, 4.19899),
    (520, 220, 2.47492, 4.15857),
]


def wave(component: str, wl: Any, **settings: Any) -> Any:
    model = registry.get(component)
    assert isinstance(model, ClosedForm)
    return model.s(wl, **settings)[:, 1, 0]


def trace(component: str, wl: Any, **settings: Any) -> Any:
    net = {"instances": {"x": {"component": component, "settings": settings}},
           "ports": {"in": "x,o1", "out": "x,o2"}}  # fmt: skip
    return ps.Circuit(net)(wl)["in", "out"]


@pytest.mark.parametrize(("width", "height", "neff", "ng"), TABLE)
def test_strip_is_the_table_to_first_order(width: int, height: int, neff: float, ng: float) -> None:
    shape = {"width": width * 1e-3, "height": height * 1e-3, "loss_dB_cm": 0.0}
    one = wave("straight_strip", [1.55], length=0.1, **shape)[0]
    found = np.angle(one) * 1.55 / (2 * np.pi * 0.1)
    assert found == pytest.approx(neff, abs=2.3e-3)
    delay = trace("straight_strip", [1.55], length=1000.0, **shape).group_delay[0]
    assert delay * C / 1e-3 == pytest.approx(ng, abs=1e-2)


def test_strip_of_500_by_220_is_the_published_expansion_exactly(siepic: Any) -> None:
    neff, ng, dispersion = np.loadtxt(siepic / "wg_w500_h220.txt").ravel()[[1, 3, 5]]
    wl = np.linspace(1.5, 1.6, 41)
    omega, middle = 2 * np.pi * C / (wl * 1e-6), 2 * np.pi * C / 1.55e-6
    beta = 2 * np.pi * neff / 1.55e-6 + ng / C * (omega - middle)
    beta -= dispersion * 1.55e-6**2 / (4 * np.pi * C) * (omega - middle) ** 2
    found = wave("straight_strip", wl, length=100.0, neff=neff, ng=ng, dispersion=dispersion, loss_dB_cm=0.0)
    np.testing.assert_allclose(found, np.exp(1j * beta * 1e-4), atol=1e-11)
    default = wave("straight_strip", wl, length=100.0, loss_dB_cm=0.0)
    np.testing.assert_allclose(np.angle(default / found), 0.0, atol=5e-3)  # the table rounds to five digits


def test_dispersion_is_the_slope_of_delay_with_wavelength() -> None:
    dispersion = trace("straight_strip", [1.55], length=1e4, loss_dB_cm=0.0).dispersion[0]
    # s per um of wavelength and 1e4 um of guide; D is in s per m and m.
    assert dispersion * 1e6 / 1e-2 == pytest.approx(3.54e-4, rel=1e-9)


def test_warm_strip_moves_as_its_slope_says() -> None:
    cold, warm = (wave("straight_strip", [1.55], length=1.0, temperature=t)[0] for t in (300.0, 350.0))
    assert np.angle(warm / cold) == pytest.approx(2 * np.pi / 1.55 * 2.00e-4 * 50, rel=1e-9)


def test_strip_without_dispersion_is_the_straight_guide() -> None:
    wl = np.linspace(1.5, 1.6, 11)
    strip = wave("straight_strip", wl, length=321.0, dispersion=0.0, loss_dB_cm=2.0)
    plain = wave("straight", wl, length=321.0, neff=2.44553, ng=4.19088, loss_dB_cm=2.0)
    np.testing.assert_allclose(strip, plain, atol=1e-11)


def test_delay_line_delays_by_what_it_says() -> None:
    delay = trace("delay_line", [1.55], delay=2e-11).group_delay[0]
    assert delay == pytest.approx(2e-11, rel=1e-12)


def test_spiral_adds_the_loss_of_guide_and_turns() -> None:
    power_dB = trace("spiral", [1.55], length=1e4, turns=5.5, turn_loss_dB=0.1, loss_dB_cm=2.0).power_dB[0]
    assert power_dB == pytest.approx(-2.55, abs=1e-12)


def test_taper_of_a_layout_runs() -> None:
    found = trace("taper", [1.55], length=20.0, width1=0.5, width2=10.0, cross_section="strip", loss_dB=0.2)
    assert found.power_dB[0] == pytest.approx(-0.2, abs=1e-12)

"""The fibre: delay, dispersion and slope against finite differences of other arithmetic, and its units."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import photosim as ps
from photosim.model import ClosedForm, registry

NET = {"instances": {"f": {"component": "fibre", "settings": {"length_km": 20.0}}},
       "ports": {"in": "f,o1", "out": "f,o2"}}  # fmt: skip
C = 299_792_458.0


def test_delay_and_dispersion_are_those_of_the_data_sheet() -> None:
    wl = np.array([1.54, 1.55, 1.56])
    s = ps.Circuit(NET)(wl)["in", "out"]
    x = (wl - 1.55) * 1e3  # nm
    delay = 20e3 * 1.4682 / C + 20.0 * (17.0 * x + 0.058 * x**2 / 2) * 1e-12
    np.testing.assert_allclose(s.group_delay, delay, rtol=1e-12)
    # s/um: ps/(nm km) times 1 m is 1e-15 s per 1e-3 um; a series of S keeps fewer digits of longer ones.
    short = ps.Circuit(NET)(wl, f={"length_km": 1e-3})["in", "out"]
    np.testing.assert_allclose(short.dispersion, 1e-3 * (17.0 + 0.058 * x) * 1e-9, rtol=1e-6)
    np.testing.assert_allclose(s.power, 10**-0.4, rtol=1e-12)


def test_phase_is_the_integral_of_the_delay() -> None:
    model = registry.get("fibre")
    assert isinstance(model, ClosedForm)
    s = model.s([1.53], length_km=1e-3)[0, 1, 0]  # a metre, where a double holds the phase

    def delay(w: mpmath.mpf) -> mpmath.mpf:
        x = (w - mpmath.mpf("1.55")) * 1000
        return mpmath.mpf("1.4682") / C + (17 * x + mpmath.mpf("0.058") * x**2 / 2) * mpmath.mpf("1e-15")

    with mpmath.workdps(30):
        area = mpmath.quad(lambda w: delay(w) / w**2, [mpmath.mpf("1.55"), mpmath.mpf("1.53")])
        start = 2 * mpmath.pi * mpmath.mpf("1.4468") / mpmath.mpf("1.55e-6")
        phase = start - 2 * mpmath.pi * C * area * mpmath.mpf("1e6")
        expected = mpmath.expj(phase)
    assert s == pytest.approx(complex(expected) * 10 ** (-0.2e-3 / 20), abs=1e-7)


def test_units_stand_in_the_names() -> None:
    units = {p.name: p.unit for p in registry.get("fibre").parameters.values()}
    assert units["length_km"] == "km"
    assert units["loss_dB_km"] == "dB/km"
    assert units["dispersion_ps_nm_km"] == "ps/(nm km)"
    assert units["slope_ps_nm2_km"] == "ps/(nm2 km)"

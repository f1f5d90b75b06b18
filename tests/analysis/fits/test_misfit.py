"""Fits of the wrong data say so, and those of noise or of a small ripple do not."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.fits.misfit import misfits
from photosim.errors import PhotosimError, PhotosimWarning

RING = {"radius": 10.0, "coupling": 0.05, "loss_dB_cm": 3.0}
WL = ps.wavelengths(1.545, 1.555, 401)


def ring(**settings: float) -> ps.Circuit:
    return ps.Circuit(
        {
            "instances": {"ring": {"component": "ring_double", "settings": {**RING, **settings}}},
            "ports": {p: f"ring,{p}" for p in ("in", "drop", "through")},
            "terminate": ["ring,add"],
        }
    )


def asked(columns: dict[str, str]) -> list[str]:
    """Return the warnings of a fit of drop and through, read in these columns."""
    s = ring(neff=2.4405)(WL)["in", "drop"].power_dB, ring(neff=2.4405)(WL)["in", "through"].power_dB
    data = {"wavelength_um": WL, "a_dB": s[0], "b_dB": s[1]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = ps.fit(
            ring(neff=2.44), data, ["ring.neff"], columns=columns, envelope="none", starts=1, bootstrap=50
        )
    said = [str(w.message) for w in told if issubclass(w.category, PhotosimWarning)]
    assert all(text[1:].rstrip(".") in found.attrs["remarks"] for text in said)
    return said


def test_swapped_columns_are_named() -> None:
    assert asked({"a_dB": "drop", "b_dB": "through"}) == []
    said = asked({"a_dB": "through", "b_dB": "drop"})
    assert any("does not describe 'a_dB'" in text and "check the columns" in text for text in said)
    assert any("does not describe 'b_dB'" in text for text in said)


def test_what_is_no_misfit() -> None:
    rng = np.random.default_rng(0)
    fringes = 5.0 * np.cos(np.linspace(0.0, 40.0, WL.size))
    noise, ripple = 2.0 * rng.normal(size=WL.size), 0.1 * np.cos(np.linspace(0.0, 300.0, WL.size))
    rows = np.array([noise, ripple, fringes, fringes, np.zeros(WL.size)])
    left = np.array([noise, ripple, 0.3 * fringes, 0.8 * fringes, 3.0 + 0.0 * WL])
    found = misfits("abcde", WL, rows, left)
    assert [text.partition("'")[2][0] for text in found] == ["d", "e"]
    rows[3, ::2] = np.nan
    assert len(misfits("abcde", WL, rows, left)) == 2


@pytest.mark.parametrize("name", ["ring.backscatter", "ring.coupling_drop", "ring.gap"])
def test_a_setting_that_the_netlist_does_not_give_has_no_start(name: str) -> None:
    data = {"wavelength_um": WL, "drop": -5.0 + 0.0 * WL}
    sentence = f"'{name}' has no derivative: it has no value to start from: write one in the netlist"
    with pytest.raises(PhotosimError, match=sentence):
        ps.fit(ring(), data, [name], source="in")


def test_other_settings_without_a_derivative_say_why() -> None:
    with pytest.raises(PhotosimError, match=r"'ring\.cb\.reflection' has no derivative: it is off: write a"):
        ps.fit(ring(), {"wavelength_um": WL, "drop": 0.0 * WL}, ["ring.cb.reflection"], source="in")
    line = [{"quantity": "power_dB", "from": "in", "to": "drop", "at_least": -30.0}]
    with pytest.raises(PhotosimError, match="cannot be drawn: it has no value to start from"):
        ps.montecarlo(ring(), {"settings": {"ring.backscatter": {"sigma": 1e-4}}}, specification=line, wl=WL)

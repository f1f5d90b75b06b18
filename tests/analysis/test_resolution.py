"""Grids that do not show a spectrum as it is are said to, and only those."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.spectrum import SpectrumOptions, spectrum


def remarks(circuit: ps.Circuit, wl: Any, **options: Any) -> tuple[str, ...]:
    return spectrum(circuit, SpectrumOptions("s", np.asarray(wl), **options)).remarks


def ring(coupling: float, loss: float = 2.5) -> ps.Circuit:
    part = ps.part("ring_double", radius=10.0, coupling=coupling, loss_dB_cm=loss)
    names = {"in": "o1", "drop": "o2", "add": "o3", "through": "o4"}
    return ps.Circuit(ps.Netlist({"r": part}, ports={name: ("r", port) for name, port in names.items()}))


def test_the_dip_that_a_grid_misses_is_named_with_its_true_depth() -> None:
    circuit = ps.load("add_drop_ring")
    wl = np.linspace(1.54, 1.56, 2002)
    found = remarks(circuit, wl, starts=("in",), ends=("through",))
    fine = np.linspace(1.54, 1.56, 400_001)
    power = circuit(fine)["in", "through"].power_dB
    (text,) = [one for one in found if "lowest" in one]
    assert f"the lowest power is {power.min():.2f} dB at 1.542136 um" in text
    assert f"the grid shows {circuit(wl)['in', 'through'].power_dB.min():.2f} dB" in text
    assert abs(fine[power.argmin()] - 1.542136) < 1e-6
    for points in (2001, 20_001):  # a tenth of a linewidth, with a point near the middle, shows the dip
        assert remarks(circuit, np.linspace(1.54, 1.56, points), starts=("in",), ends=("through",)) == ()


def test_lines_narrower_than_the_grid_are_said(tmp_path: Any) -> None:
    narrow = ring(2e-4, 0.05)
    wl = np.linspace(1.5, 1.6, 201)
    found = remarks(narrow, wl, starts=("in",), ends=("drop",))
    assert any("features are narrower than the grid's 500 pm" in text or "highest" in text for text in found)
    result = spectrum(narrow, SpectrumOptions("s", wl, ("in",), ("drop",)))
    assert result.numbers()["remarks"] == list(found)
    assert "too coarse" in result.tables()[-1].title
    del tmp_path


@pytest.mark.parametrize(
    ("circuit", "points"),
    [(ring(0.3), 2001), (ps.load("mzi_unbalanced"), 2001), (ps.load("bragg_filter"), 4001)],
)
def test_smooth_spectra_get_no_remarks_but_nulls(circuit: ps.Circuit, points: int) -> None:
    for text in remarks(circuit, np.linspace(1.54, 1.56, points)):
        assert "below -60 dB" in text


def test_single_wavelengths_and_inner_waves_pass() -> None:
    circuit = ring(0.1)
    assert remarks(circuit, [1.55]) == ()
    assert isinstance(remarks(circuit, np.linspace(1.54, 1.56, 101), ends=("r.cb,o4",)), tuple)

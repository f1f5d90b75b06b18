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
    assert f"show {circuit(wl)['in', 'through'].power_dB.min():.2f} dB" in text
    assert abs(fine[power.argmin()] - 1.542136) < 1e-6
    assert remarks(circuit, np.linspace(1.54, 1.56, 20_001), starts=("in",), ends=("through",)) == ()


@pytest.mark.parametrize("points", [301, 2001, 2002, 20_001])
def test_the_table_of_extremes_reaches_the_bottom_whatever_the_grid(points: int) -> None:
    # The README's spectrum, 2001 points, showed -24.87 dB.
    circuit = ps.load("add_drop_ring")
    options = SpectrumOptions("s", np.linspace(1.54, 1.56, points), ("in",), ("through", "drop"))
    result = spectrum(circuit, options)
    fine = circuit(np.linspace(1.54, 1.56, 400_001))
    for pair in (("in", "through"), ("in", "drop")):
        power, found = fine[pair].power_dB, result.numbers()["pairs"][" to ".join(pair)]
        assert found["max_dB"] == pytest.approx(power.max(), abs=1e-4)
        assert found["min_dB"] == pytest.approx(power.min(), abs=1e-3)
    assert "-25.030 at 1.5" in str(result.tables()[0].rows[0][3])
    told = any("show -24.87 dB" in text for text in result.remarks)
    assert told == (points == 2001)


def test_channels_are_shown_at_their_own_wavelengths_not_at_the_next_point() -> None:
    circuit = ps.load("add_drop_ring")
    channel = 1.5512213
    for points in (5, 301, 2001):
        options = SpectrumOptions("s", np.linspace(1.54, 1.56, points), ("in",), ("drop",), (channel,))
        table = spectrum(circuit, options).tables()[1]
        assert table.rows[0][2] == f"{circuit([channel])['in', 'drop'].power_dB[0]:.3f}"


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

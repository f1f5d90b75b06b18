"""Metrics of spectra against closed formulas of rings and interferometers, and their flags."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

import photosim as ps
from photosim.analysis.spectrum import read_options, spectrum
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.metrics import FLAGS

RING = {"radius": 10.0, "coupling": 0.03, "neff": 2.44553, "ng": 4.19088, "wl0": 1.55, "loss_dB_cm": 2.5}
BITS = {name: bit for bit, name in FLAGS.items()}


def airy(wl: Any, drop: bool = True) -> Any:
    """Power of the add-drop ring by the closed formula, bogaerts2012, eqs. 3 and 4."""
    r2, length = 1 - RING["coupling"], 2 * np.pi * RING["radius"]
    a = 10 ** (-RING["loss_dB_cm"] * length * 1e-4 / 20)
    index = RING["neff"] - (wl - RING["wl0"]) * (RING["ng"] - RING["neff"]) / RING["wl0"]
    phase = 2 * np.pi * index * length / wl
    below = 1 - 2 * r2 * a * np.cos(phase) + (r2 * a) ** 2
    if drop:
        return (1 - r2) ** 2 * a / below
    return r2 * (a**2 - 2 * a * np.cos(phase) + 1) / below


def order(m: int) -> float:
    """Wavelength of the resonance of order m."""
    length = 2 * np.pi * RING["radius"]

    def miss(wl: float) -> float:
        index = RING["neff"] - (wl - RING["wl0"]) * (RING["ng"] - RING["neff"]) / RING["wl0"]
        return float(index * length / wl - m)

    return float(brentq(miss, 1.4, 1.7, xtol=1e-15))


@pytest.mark.parametrize("points", [301, 2001])
@pytest.mark.parametrize("drop", [True, False])
def test_ring_against_the_closed_formula(points: int, drop: bool) -> None:
    s = ps.load("add_drop_ring")(ps.wavelengths(1.53, 1.57, points))
    found = s["in", "drop" if drop else "through"].metrics()
    at, low, high = (order(m) for m in (99, 100, 98))
    near = float(found.resonance)
    assert near == pytest.approx(at, abs=1e-13)
    length = 2 * np.pi * RING["radius"]
    between = [float(brentq(lambda wl, k=k: _phase(wl, length) - k, 1.5, 1.6)) for k in (99.5, 98.5)]
    base = np.mean([airy(np.array(wl), drop) for wl in between])
    half = 0.5 * (airy(np.array(at), drop) + base)

    def side(wl: float) -> float:
        return float(airy(np.array(wl), drop) - half)

    ends = brentq(side, at - 3e-4, at, xtol=1e-15), brentq(side, at, at + 3e-4, xtol=1e-15)
    assert float(found.fwhm) == pytest.approx(ends[1] - ends[0], rel=1e-7)
    c = SPEED_OF_LIGHT_UM_S
    assert float(found.q) == pytest.approx((c / at) / (c / ends[0] - c / ends[1]), rel=1e-7)
    down, up = (at - low) / (at * low), (high - at) / (at * high)
    assert float(found.fsr) == pytest.approx(0.5 * (down + up) * at**2, rel=1e-9)
    peak = airy(np.array(at), drop)
    assert float(found.insertion_loss_dB) == pytest.approx(-10 * np.log10(peak), abs=1e-9)
    others = [airy(np.array(wl), drop) for wl in between]
    expected = peak / min(others) if drop else max(others) / peak
    assert float(found.extinction_dB) == pytest.approx(10 * np.log10(expected), abs=1e-6)
    reference = peak if drop else max(others)
    for name, level in (("bandwidth_1dB", 1.0), ("bandwidth_3dB", 3.0)):

        def miss(wl: float, level: float = level) -> float:
            return float(airy(np.array(wl), drop) - reference * 10 ** (-level / 10))

        width = brentq(miss, at, at + 3e-4, xtol=1e-15) - brentq(miss, at - 3e-4, at, xtol=1e-15)
        assert float(found[name]) == pytest.approx(width, rel=1e-7)
    assert float(found.group_delay) == pytest.approx(_delay(s, near, drop), rel=1e-6)
    assert int(found.flags) & ~BITS["undersampled"] == 0
    assert int(found.lines) == 5
    assert int(found.direction) == (1 if drop else -1)


def _phase(wl: float, length: float) -> float:
    index = RING["neff"] - (wl - RING["wl0"]) * (RING["ng"] - RING["neff"]) / RING["wl0"]
    return float(index * length / wl)


def _delay(s: ps.SMatrix, wl: float, drop: bool) -> float:
    del s
    fine = ps.load("add_drop_ring")(np.array([wl]))
    return float(fine["in", "drop" if drop else "through"].group_delay[0])


def test_a_matrix_without_a_circuit_is_read_between_its_points() -> None:
    whole = ps.load("add_drop_ring")(ps.wavelengths(1.54, 1.56, 1001))
    read = ps.SMatrix(whole.wl, whole.ports, whole.values)  # 20 pm steps, width 94 pm
    exact, found = (x["in", "drop"].metrics() for x in (whole, read))
    assert abs(float(found.resonance - exact.resonance)) < 1e-4 * float(exact.fwhm)
    assert float(found.fwhm) == pytest.approx(float(exact.fwhm), rel=1e-5)
    assert float(found.q) == pytest.approx(float(exact.q), rel=1e-5)
    assert float(found.group_delay) == pytest.approx(float(exact.group_delay), rel=1e-3)


def test_order_of_wavelengths_does_not_matter() -> None:
    circuit, wl = ps.load("add_drop_ring"), ps.wavelengths(1.54, 1.56, 501)
    shuffled = np.random.default_rng(1).permutation(wl)
    a, b = (circuit(grid)["in", "through"].metrics() for grid in (wl, shuffled))
    assert float(a.q) == pytest.approx(float(b.q), rel=1e-12)


def test_a_batch_has_the_numbers_of_its_members() -> None:
    circuit, wl = ps.load("add_drop_ring"), ps.wavelengths(1.545, 1.555, 501)
    radii = np.array([9.98, 10.0, 10.03])
    found = circuit(wl, ring={"radius": radii})["in", "drop"].metrics()
    for k, radius in enumerate(radii):
        alone = circuit(wl, ring={"radius": radius})["in", "drop"].metrics()
        assert float(found.resonance[k]) == pytest.approx(float(alone.resonance), abs=1e-13)
        assert float(found.q[k]) == pytest.approx(float(alone.q), rel=1e-9)


def doublet(phase: float) -> ps.Circuit:
    """Two rings on one bus whose resonances lie a phase apart."""
    ring = {"radius": 10.0, "coupling": 0.03}
    return ps.Circuit(
        {
            "instances": {
                "a": {"component": "ring_double", "settings": ring},
                "b": {"component": "ring_double", "settings": {**ring, "phase": phase}},
            },
            "connections": {"a,through": "b,in"},
            "ports": {"in": "a,in", "out": "b,through"},
            "terminate": ["a,add", "b,add", "a,drop", "b,drop"],
        }
    )


def test_overlapping_lines_are_flagged_and_not_numbered() -> None:
    found = doublet(0.1)(ps.wavelengths(1.54, 1.56, 4001))["in", "out"].metrics()
    inside = (found.line_flags & (BITS["cut_below"] | BITS["cut_above"])) == 0
    marks = BITS["overlapping"] | BITS["asymmetric"]
    assert bool(((found.line_flags & marks) != 0)[inside].all())
    assert bool(np.isnan(found.line_fwhm[inside]).all())
    assert bool(np.isnan(found.line_q[inside]).all())


def test_lines_far_apart_have_widths_but_no_free_spectral_range() -> None:
    found = doublet(1.5)(ps.wavelengths(1.54, 1.56, 4001))["in", "out"].metrics()
    assert np.isfinite(float(found.fwhm))
    assert int(found.flags) & BITS["irregular_spacing"]
    assert np.isnan(float(found.fsr))


def test_fano_lines_are_asymmetric() -> None:
    wl = ps.wavelengths(1.549, 1.551, 2001)
    x = (wl - 1.55) / 5e-5
    values = np.asarray(0.6 * ((0.8 + x) / (1j + x)), dtype=np.complex128)  # q = 0.8: a peak beside a null
    found = ps.SMatrix(wl, ("a",), values[:, np.newaxis, np.newaxis])["a", "a"].metrics()
    assert int(found.flags) & BITS["asymmetric"]
    assert np.isnan(float(found.q))


def test_flat_and_dark_spectra_have_no_line() -> None:
    s = ps.load("mzi_balanced")(ps.wavelengths(1.54, 1.56, 101))
    found = s.metrics()
    assert set(np.unique(found.flags.values & BITS["no_line"])) == {BITS["no_line"]}
    assert np.isnan(found.resonance.values).all()


def test_interferometer() -> None:
    circuit = ps.load("mzi_unbalanced")
    port = next(p for p in circuit.ports if p != circuit.ports[0])
    found = circuit(ps.wavelengths(1.5, 1.6, 3001))[circuit.ports[0], port].metrics()
    # A cosine squared is half its height over half its period.
    assert float(found.fwhm) == pytest.approx(0.5 * float(found.fsr), rel=2e-3)


def test_crosstalk_of_channels() -> None:
    circuit = ps.load("add_drop_ring")
    at = [order(99), order(98)]
    channels = [at[0], at[0] + 8e-4, at[0] + 1.6e-3]
    found = circuit(ps.wavelengths(1.548, 1.556, 4001))["in", "drop"].metrics(channels=channels)
    powers = [float(airy(np.array(wl))) for wl in channels]
    expected = 10 * np.log10(sum(powers[1:]) / powers[0])
    assert float(found.crosstalk_dB) == pytest.approx(expected, abs=1e-3)


def test_ripple_of_a_passband() -> None:
    wl = ps.wavelengths(1.54, 1.56, 4001)
    x = (wl - 1.55) / 2e-3
    power = (1 - 0.02 * (1 - np.cos(2 * np.pi * x * 2)) / 2) / (1 + x**16)
    found = ps.SMatrix(wl, ("a",), np.sqrt(power).astype(np.complex128)[:, None, None])["a", "a"].metrics()
    assert float(found.ripple_dB) == pytest.approx(-10 * np.log10(0.98), abs=2e-3)
    assert int(found.flags) == BITS["cut_below"] | BITS["cut_above"]


@pytest.mark.parametrize(
    ("wl", "words"),
    [([1.55, 1.56], "4 wavelengths or more"), ([1.54, 1.55, 1.55, 1.56], "is given twice")],
)
def test_what_cannot_be_read_is_refused(wl: list[float], words: str) -> None:
    with pytest.raises(ps.ParameterError, match=words):
        ps.load("add_drop_ring")(wl)["in", "drop"].metrics()


def behind_a_guide(coupling: float, loss_dB_cm: float, bus: float) -> ps.Circuit:
    """An all-pass ring of 20 um behind a guide."""
    return ps.Circuit(
        {
            "instances": {
                "bus": {"component": "straight", "settings": {"length": bus}},
                "ring": {
                    "component": "ring_single",
                    "settings": {"radius": 20.0, "coupling": coupling, "loss_dB_cm": loss_dB_cm},
                },
            },
            "connections": {"bus,o2": "ring,in"},
            "ports": {"in": "bus,o1", "out": "ring,through"},
        }
    )


@pytest.mark.parametrize("coupling", [0.02, 0.1, 0.2, 0.4])
@pytest.mark.parametrize("bus", [1.0, 400.0])
def test_lines_of_over_coupled_rings_are_met_behind_any_guide(coupling: float, bus: float) -> None:
    chip = behind_a_guide(coupling, 3.0, bus)
    exact = chip(ps.wavelengths(1.54, 1.56, 20001))["in", "out"].metrics()
    width = float(exact.fwhm)
    for step in (0.37, 0.21):  # of a width
        wl = np.arange(1.54, 1.56, step * width)
        whole = chip(wl)
        bare = ps.SMatrix(whole.wl, whole.ports, whole.values)
        for s in (whole, bare):
            found = s["in", "out"].metrics(near=float(exact.resonance))
            assert abs(float(found.resonance - exact.resonance)) < 1e-3 * width
            assert float(found.fwhm) == pytest.approx(width, rel=2e-3)
            assert int(found.flags) == 0


def test_a_doublet_alone_and_the_band_of_a_grating_have_no_free_spectral_range() -> None:
    split = ps.Circuit(
        {
            "instances": {
                "ring": {
                    "component": "ring_single",
                    "settings": {"radius": 10.0, "coupling": 0.002, "backscatter": 1e-3},
                }
            },
            "ports": {"in": "ring,in", "out": "ring,through"},
        }
    )
    found = split(ps.wavelengths(1.546, 1.551, 8001))["in", "out"].metrics()
    assert int(found.lines) == 2
    assert int(found.flags) & BITS["irregular_spacing"]
    assert np.isnan(float(found.fsr))
    assert float(found.q) > 1e5
    band = ps.load("bragg_filter")(ps.wavelengths(1.53, 1.57, 801))["in", "drop"].metrics()
    assert int(band.lines) == 3
    assert np.isnan(float(band.fsr)), "side lobes are not a comb"


def test_a_line_that_both_ends_of_the_sweep_cut_is_as_wide_as_from_its_dark_end() -> None:
    circuit = ps.load("add_drop_ring")
    whole = circuit(ps.wavelengths(1.53, 1.57, 2001))["in", "drop"].metrics()
    at = float(whole.resonance)
    cut = circuit(np.linspace(at - 1e-3, at + 5e-5, 201))["in", "drop"].metrics()
    assert int(cut.flags) == BITS["cut_below"] | BITS["cut_above"]
    assert float(cut.fwhm) == pytest.approx(float(whole.fwhm), rel=0.02)


def test_the_phase_of_a_dark_dip_has_no_group_delay() -> None:
    s = ps.load("fabry_perot")(ps.wavelengths(1.54, 1.56, 1001))
    assert np.isnan(float(s["in", "in"].metrics().group_delay))
    assert float(s["in", "out"].metrics().group_delay) > 0.0


def test_a_spectrum_beside_its_channels_has_metrics_without_crosstalk() -> None:
    """The circuit's own channels are not the caller's: where the sweep misses them nothing is refused."""
    ring = {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.03}}
    sweep = {
        "kind": "spectrum",
        "name": "s",
        "wl": "1.546:1.552:601",
        "metrics": True,
        "channels": [1.5, 1.51],
    }
    circuit = ps.Circuit(
        {
            "instances": {"ring": ring},
            "ports": {p: f"ring,{p}" for p in ("in", "drop", "add", "through")},
        }
    )
    numbers = spectrum(circuit, read_options(sweep, circuit))._metrics()["in to drop"]
    assert numbers["q"] > 1e4
    assert "crosstalk_dB" not in numbers

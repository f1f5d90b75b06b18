"""Every netlist of the gallery against figures that follow from theory, as its comment announces them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis import transient, transient_options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FOLDER = Path(__file__).parents[2] / "netlists"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
NEFF, NG, WL0 = 2.44553, 4.19088, 1.55


def index(wl: Floats) -> Floats:
    """Effective index of the gallery's strip guide."""
    return NEFF - (wl - WL0) * (NG - NEFF) / WL0


def orders(length: float, low: float, high: float, offset: float = 0.0) -> Floats:
    """Wavelengths in um at which neff(wl) length / wl is a whole number plus offset, in closed form."""
    m = np.arange(1, 2000) + offset
    wl = NG * length / (m + (NG - NEFF) * length / WL0)
    return np.sort(wl[(wl > low) & (wl < high)])


def peaks(wl: Floats, power: Floats, above: float) -> Floats:
    """Wavelengths of the local maxima of a spectrum that exceed a level."""
    inner = power[1:-1]
    return wl[1:-1][(inner > power[:-2]) & (inner >= power[2:]) & (inner > above)]


def width(wl: Floats, power: Floats, centre: float, level: float) -> float:
    """Width in um of the peak at `centre`, between the crossings of a level, interpolated."""
    side = []
    for part in (wl <= centre, wl >= centre):
        order = np.argsort(power[part])
        near = np.abs(wl[part] - centre) < 0.002
        values, grid = power[part][near], wl[part][near]
        order = np.argsort(values)
        side.append(float(np.interp(level, values[order], grid[order])))
    return side[1] - side[0]


@pytest.mark.parametrize("name", NAMES)
def test_netlist_runs_and_conserves_or_loses_power(name: str) -> None:
    circuit = ps.load(FOLDER / f"{name}.yml", strict=True)
    if circuit.ports:
        middle = 1.31 if name == "mzi_te1310" else 1.55
        assert circuit(np.linspace(middle - 0.005, middle + 0.005, 7)).is_passive()
    if circuit.sources and circuit.detectors:
        assert np.isfinite(circuit.photocurrents().values).all()


@pytest.mark.parametrize("name", NAMES)
def test_netlist_says_what_to_expect(name: str) -> None:
    head = (FOLDER / f"{name}.yml").read_text(encoding="utf-8").partition("\ninstances:")[0]
    assert head.startswith("#")
    assert "Expected" in head


# --- rings -------------------------------------------------------------------------------------------


def test_add_drop_ring() -> None:
    wl = np.linspace(1.535, 1.565, 60001)
    s = ps.load("add_drop_ring")(wl)
    drop, through = s["in", "drop"].power, s["in", "through"].power
    length, k = 2 * np.pi * 10, 0.03
    a = 10 ** (-2.5 * length * 1e-4 / 20)
    x = (1 - k) * a
    found = peaks(wl, drop, 0.5)
    np.testing.assert_allclose(found, orders(length, 1.535, 1.565), atol=5e-7)
    np.testing.assert_allclose(np.diff(found), found[1:] * found[:-1] / (NG * length), rtol=2e-4)
    at = [int(np.argmin(np.abs(wl - p))) for p in found]
    np.testing.assert_allclose(drop[at], k**2 * a / (1 - x) ** 2, rtol=1e-4)
    np.testing.assert_allclose(through[at], (1 - k) * (1 - a) ** 2 / (1 - x) ** 2, rtol=0.02)
    fwhm = width(wl, drop, found[1], drop[at[1]] / 2)
    assert fwhm == pytest.approx((1 - x) * found[1] ** 2 / (np.pi * NG * length * np.sqrt(x)), rel=2e-3)
    # The figures in the file's comment and in reference 6.2.
    assert np.pi * np.sqrt(x) / (1 - x) == pytest.approx(97, abs=0.5)
    assert found[1] / fwhm == pytest.approx(1.64e4, rel=0.02)
    assert drop[at[1]] == pytest.approx(0.892, abs=1e-3)
    assert through[at[1]] == pytest.approx(0.0031, abs=1e-4)


def test_all_pass_ring() -> None:
    wl = np.linspace(1.545, 1.555, 100001)
    power = ps.load("all_pass_ring")(wl)["in", "through"].power
    length = 2 * np.pi * 10
    a2 = 10 ** (-10 * length * 1e-4 / 10)
    centre = orders(length, 1.545, 1.555)
    assert wl[power.argmin()] == pytest.approx(centre[0], abs=2e-7)
    assert power.min() < 1e-4
    # Half-way to the next resonance, a2 times r a: T = 4 x/(1 + x)**2 of a critically coupled ring.
    far = 4 * a2 / (1 + a2) ** 2
    between = orders(length, 1.53, 1.57, offset=0.5)
    ring = ps.load("all_pass_ring")
    np.testing.assert_allclose(ring(between)["in", "through"].power, far, rtol=1e-9)
    assert ring(centre)["in", "through"].power[0] < 1e-18
    fwhm = width(wl, 1 - power, centre[0], 0.5)
    assert fwhm == pytest.approx((1 - a2) * centre[0] ** 2 / (np.pi * NG * length * np.sqrt(a2)), rel=2e-3)


def test_all_pass_ring_stays_critical_when_the_radius_changes() -> None:
    ring = ps.load("all_pass_ring")
    for radius, loss in ((5.0, 20.0), (20.0, 5.0)):
        centre = orders(2 * np.pi * radius, 1.54, 1.56)
        assert ring(centre, radius=radius, loss_dB_cm=loss)["in", "through"].power.max() < 1e-16


def ring_powers(wl: Floats, radius: float, k: float, loss_dB_cm: float) -> tuple[Floats, Floats]:
    """Through and drop power of one add-drop ring (Bogaerts et al. 2012, eqs. 5 and 6)."""
    length = 2 * np.pi * radius
    a = 10 ** (-loss_dB_cm * length * 1e-4 / 20)
    r2, cos = 1 - k, np.cos(2 * np.pi * index(wl) * length / wl)
    below = 1 - 2 * r2 * a * cos + (r2 * a) ** 2
    return (r2 * a**2 - 2 * r2 * a * cos + r2) / below, k**2 * a / below


def test_wdm_rings() -> None:
    channels = np.array([1.5476, 1.5492, 1.5508, 1.5524])
    s = ps.load("wdm_rings")(channels)
    bus = 10 ** (-2.5 * 30e-4 / 10)
    passed = np.ones(4)
    found = np.array([s["in", f"drop{n}"].power for n in range(4)])
    for n, wl_n in enumerate(channels):
        radius = 60 * wl_n / (2 * np.pi * float(index(wl_n)))
        through, drop = ring_powers(channels, radius, 0.03, 2.5)
        np.testing.assert_allclose(found[n], passed * drop, rtol=1e-9)
        passed = passed * through * (bus if n < 3 else 1.0)
    np.testing.assert_allclose(s["in", "through"].power, passed, rtol=1e-8)
    own = np.diag(found)
    assert np.all((own > 0.915) & (own < 0.935))
    assert np.max(found - np.diag(own)) < 0.004
    assert passed.max() < 0.0013


def test_crow() -> None:
    circuit = ps.load("crow")
    length = 2 * np.pi * 10
    wl = np.linspace(1.54, 1.56, 20001)
    s = circuit(wl)
    # Light that a ring meets at the next coupler: the chain as a continued fraction, from its end.
    turn = np.exp(2j * np.pi * index(wl) * length / wl)
    r = np.sqrt(1 - np.array([0.3, 0.05, 0.05, 0.05, 0.05, 0.3]))
    through: NDArray[np.complex128] = np.full(wl.shape, r[5], dtype=complex)
    for coupler in r[4::-1]:
        through = (coupler - through * turn) / (1 - coupler * through * turn)
    np.testing.assert_allclose(s["in", "through"].power, np.abs(through) ** 2, atol=1e-10)
    np.testing.assert_allclose(s["in", "drop"].power + s["in", "through"].power, 1.0, atol=1e-11)
    assert circuit(orders(length, 1.5, 1.6))["in", "drop"].power == pytest.approx(1.0, abs=1e-11)
    between = circuit(orders(length, 1.5, 1.6, offset=0.5))["in", "drop"].power_dB
    assert between.max() < -70
    # Band edges of the endless chain: within, light gets through; outside it decays.
    edge = np.arcsin(np.sqrt(0.05)) / np.pi
    inside = circuit(orders(length, 1.5, 1.6, offset=0.8 * edge))["in", "drop"].power
    outside = circuit(orders(length, 1.5, 1.6, offset=1.6 * edge))["in", "drop"].power
    assert inside.min() > 0.4
    assert outside.max() < 0.02
    assert 2 * edge * 1.55**2 / (NG * length) == pytest.approx(1.31e-3, rel=0.01)


# --- interferometers -----------------------------------------------------------------------------------


def test_mzi_balanced() -> None:
    circuit = ps.load("mzi_balanced")
    wl = np.linspace(1.5, 1.6, 11)
    np.testing.assert_allclose(circuit(wl)["in", "out"].power, 1.0, atol=1e-13)
    for phase in (0.7, np.pi / 2, 2.5):
        expected = np.cos(phase * WL0 / wl / 2) ** 2
        np.testing.assert_allclose(circuit(wl, phase=phase)["in", "out"].power, expected, atol=1e-13)
    assert circuit(1.55, phase=np.pi)["in", "out"].power[0] < 1e-25


def test_mzi_unbalanced() -> None:
    circuit = ps.load("mzi_unbalanced")
    wl = np.linspace(1.54, 1.56, 2001)
    s = circuit(wl)
    phi = 2 * np.pi * index(wl) * 100 / wl
    np.testing.assert_allclose(s["in", "cross"].power, np.cos(phi / 2) ** 2, atol=1e-11)
    np.testing.assert_allclose(s["in", "bar"].power, np.sin(phi / 2) ** 2, atol=1e-11)
    fringes = orders(100.0, 1.54, 1.56)
    assert circuit(fringes)["in", "bar"].power.max() < 1e-22
    assert np.diff(fringes).mean() == pytest.approx(1.55**2 / (NG * 100), rel=0.01)


def test_mzi_lattice() -> None:
    circuit = ps.load("mzi_lattice")
    full, least = orders(50.0, 1.5, 1.6), orders(50.0, 1.5, 1.6, offset=0.5)
    np.testing.assert_allclose(circuit(full)["in0", "out1"].power, 1.0, atol=1e-11)
    np.testing.assert_allclose(circuit(least)["in0", "out1"].power, np.sin(np.pi / 22) ** 2, atol=1e-11)
    assert np.diff(full).mean() == pytest.approx(1.55**2 / (NG * 50), rel=0.02)
    wl = np.linspace(1.53, 1.57, 41)
    for k, x in enumerate(wl):
        angle = np.pi / 22
        block = np.array([[np.cos(angle), 1j * np.sin(angle)], [1j * np.sin(angle), np.cos(angle)]])
        beta = 2 * np.pi * float(index(x)) / x
        total = np.linalg.matrix_power(block @ np.diag(np.exp(1j * beta * np.array([100, 50]))), 10) @ block
        assert circuit(wl)["in0", "out0"].values[k] == pytest.approx(total[0, 0], abs=1e-11)


def test_fabry_perot() -> None:
    circuit = ps.load("fabry_perot")
    wl = np.linspace(1.54, 1.56, 40001)
    power = circuit(wl)["in", "out"].power
    phi = 2 * np.pi * index(wl) * 100 / wl
    np.testing.assert_allclose(power, 1 / (1 + 360 * np.sin(phi) ** 2), atol=1e-9)
    resonant = orders(200.0, 1.54, 1.56)
    np.testing.assert_allclose(circuit(resonant)["in", "out"].power, 1.0, atol=1e-9)
    anti = circuit(orders(200.0, 1.54, 1.56, offset=0.5))["in", "out"].power
    np.testing.assert_allclose(anti, (0.1 / 1.9) ** 2, rtol=1e-9)
    found = peaks(wl, power, 0.9)
    assert np.diff(found).mean() == pytest.approx(1.55**2 / (2 * NG * 100), rel=5e-3)
    finesse = np.diff(found)[0] / width(wl, power, found[0], 0.5)
    assert finesse == pytest.approx(np.pi * np.sqrt(0.9) / 0.1, rel=5e-3)


def test_clements_4x4() -> None:
    circuit = ps.load("clements_4x4")
    s = circuit(1.55)
    k = np.arange(4)
    wanted = np.exp(2j * np.pi * np.outer(k, k) / 4) / 2
    found = np.array([[s[f"in{i}", f"out{o}"].values[0] for i in range(4)] for o in range(4)])
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    crossed: dict[str, Any] = {
        key: {"phi": 0.0, "theta": 0.0} for key in ("b00", "b02", "b11", "b20", "b22", "b31")
    }
    swapped = circuit(1.55, **crossed)
    for i in range(4):
        assert swapped[f"in{i}", f"out{3 - i}"].power[0] == pytest.approx(1.0, abs=1e-12)


# --- polarisation --------------------------------------------------------------------------------------


def test_polarization_diversity() -> None:
    circuit = ps.load("polarization_diversity")
    assert circuit.ports == ("in@TE", "in@TM", "out@TE", "out@TM")
    wl = np.linspace(1.549, 1.551, 101)
    _, drop = ring_powers(wl, 10.0, 0.03, 2.5)
    for rotation in (0.0, 0.25, 0.8):
        s = circuit(wl, rotation=rotation)
        np.testing.assert_allclose(s["in@TE", "out@TE"].power, (1 - rotation) * drop, atol=1e-10)
        np.testing.assert_allclose(s["in@TE", "out@TM"].power, rotation * drop, atol=1e-10)
        np.testing.assert_allclose(s["in@TM", "out@TE"].power, rotation * drop, atol=1e-10)
    # Light of any polarisation loses the same: the Jones matrix has one singular value, twice.
    jones = circuit(wl).values[:, 2:, :2]
    both = np.linalg.svd(jones, compute_uv=False)
    np.testing.assert_allclose(both, np.sqrt(drop)[:, np.newaxis] * [1, 1], atol=1e-10)
    fine = circuit(np.linspace(1.5499, 1.5501, 5))
    expected = 500e-6 * (NG - 3.8) / 299_792_458
    assert expected == pytest.approx(0.652e-12, abs=5e-16)
    for out in ("out@TE", "out@TM"):
        lag = fine["in@TE", out].group_delay[2] - fine["in@TM", out].group_delay[2]
        assert lag == pytest.approx(expected, rel=1e-3)


def test_polarization_diversity_with_rings_that_differ() -> None:
    circuit = ps.load("polarization_diversity")
    centre = orders(2 * np.pi * 10, 1.545, 1.555)[0]
    wl = centre + np.linspace(-1e-3, 1e-3, 8001)
    s = circuit(wl, rotation=0.0, mismatch=1e-3)
    te, tm = (wl[s[f"in@{m}", f"out@{m}"].power.argmax()] for m in ("TE", "TM"))
    assert te == pytest.approx(centre, abs=3e-7)
    assert tm - te == pytest.approx(te * NEFF / NG * 1e-4, rel=0.01)
    shift = te * NEFF / NG * 1e-4
    assert shift == pytest.approx(0.09e-3, rel=0.02)


# --- light to current -------------------------------------------------------------------------------------


def bank_weights(circuit: ps.Circuit, **settings: object) -> Floats:
    """Weight of each line in each row, (rows, lines): drop minus through power, times the number of rows."""
    from photosim.components.lasers import channel_wavelength

    lines = np.array([channel_wavelength(1.55, 200e9, n, 4) for n in range(4)])
    diodes = [f"bank.row{m}.detector,o{p}" for m in range(4) for p in (1, 2)]
    power = np.abs(circuit.transfer(lines, diodes, ["laser,o1"], **settings)[..., 0]) ** 2
    return np.asarray(4 * (power[:, 0::2] - power[:, 1::2]).T)


def test_mrr_weight_bank() -> None:
    circuit = ps.load("mrr_weight_bank")
    radius = 60 * 1.55 / (2 * np.pi * NEFF)
    through, drop = ring_powers(np.array([1.55]), radius, 0.05, 2.5)
    assert drop[0] - through[0] == pytest.approx(0.958, abs=2e-3)
    cold = bank_weights(circuit)
    np.testing.assert_allclose(cold, drop[0] - through[0], atol=0.02)
    off = {f"row{m}": {f"ring{n}": {"phase": np.pi} for n in range(4)} for m in range(4)}
    hot = bank_weights(circuit, bank=off)
    assert np.all((hot > -1.0) & (hot < -0.96))
    one = bank_weights(circuit, bank={"row1": {"ring2": {"phase": np.pi}}})
    assert one[1, 2] < -0.9
    np.testing.assert_allclose(np.delete(one, 1, axis=0), np.delete(cold, 1, axis=0), atol=1e-13)
    np.testing.assert_allclose(np.delete(one[1], 2), np.delete(cold[1], 2), atol=0.05)


def test_mrr_weight_bank_currents_are_its_weights() -> None:
    circuit = ps.load("mrr_weight_bank")
    currents = circuit.photocurrents()
    assert currents.dims == ("wavelength", "detector")
    np.testing.assert_allclose(currents.values, bank_weights(circuit).T * 1e-3 / 4, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "low", "high", "reach"),
    [
        ("mrr_weight_bank", 0.117, 0.125, 4.0),
        ("mrr_weight_bank_1x4", 0.19, 0.23, 3.0),
        ("mrr_weight_bank_50x20", 0.072, 0.089, 2.8),
        ("mrr_dfa_digits", 0.026, 0.03125, 2.6),
    ],
)
def test_rows_of_banks_have_amplifiers_and_converters(
    name: str, low: float, high: float, reach: float
) -> None:
    circuit = ps.load(name)
    volts = circuit.photocurrents().values * float(circuit.parameters["bank.row0.tia.gain"])
    assert low <= volts.min() < volts.max() <= high
    end = float(circuit.parameters["bank.row0.adc.input_range"]) / 2.0
    assert end <= float(circuit.parameters["bank.row0.tia.output_range"]) / 2.0
    assert end / volts.mean() == pytest.approx(reach, abs=0.3)


def test_link() -> None:
    circuit = ps.load("link")
    full = 0.9 * 2e-3 * 10**-0.3
    assert full == pytest.approx(0.9021e-3, abs=1e-7)
    for phase in (0.0, 0.4, np.pi / 2, np.pi):
        current = circuit.photocurrents(phase=phase).values.item()
        assert current == pytest.approx(full * np.cos(phase / 2) ** 2 + 1e-10, abs=1e-15)


def test_speckle_projection() -> None:
    from photosim.components.media import gaussian_transmission

    circuit = ps.load("speckle_projection")
    rng = np.random.default_rng(0)
    matrix, _ = gaussian_transmission(4, 16, 1)
    phases = rng.uniform(0, 2 * np.pi, 4)
    named = {f"phase_{k}": float(phase) for k, phase in enumerate(phases)}
    expected = 1e-3 / 4 * 0.1 * np.abs(matrix @ np.exp(1j * phases)) ** 2 + 1e-10  # and dark current
    np.testing.assert_allclose(circuit.photocurrents(**named).values[0], expected, rtol=1e-10)
    assert circuit.photocurrents().values.sum() == pytest.approx(1e-4, rel=1.0)


def test_speckle_projections_are_speckle_over_many_media() -> None:
    circuit = ps.load("speckle_projection")
    currents = np.array([circuit.photocurrents(medium={"seed": seed}).values[0] for seed in range(60)])
    # 960 samples of an exponential law: mean to 3 %, standard deviation to 5 %; three deviations each.
    assert currents.sum(axis=1).mean() == pytest.approx(1e-4, rel=0.09)
    assert currents.std() / currents.mean() == pytest.approx(1.0, abs=0.15)


def test_bragg_filter() -> None:
    circuit = ps.load("bragg_filter")
    length = 300 * WL0 / (2 * NEFF)
    kappa = 3 / length
    grid = np.linspace(1.54, 1.56, 20001)
    s = circuit(grid)
    drop = s["in", "drop"].power
    middle = int(np.abs(grid - WL0).argmin())
    assert drop[middle] == pytest.approx(np.tanh(3) ** 2, abs=1e-4)
    assert s["in", "through"].power[middle] == pytest.approx(1 / np.cosh(3) ** 2, rel=2e-3)
    zeros = peaks(grid, 1 - drop, 0.999)
    nearest = np.sort(zeros[np.argsort(np.abs(zeros - WL0))[:2]])
    away = WL0**2 / (2 * np.pi * NG) * np.hypot(kappa, np.pi / length)
    assert away == pytest.approx(4.17e-3, abs=5e-6)
    # The theory has steps of kappa over the phase constant, 3e-3, left out: 0.03 nm here.
    np.testing.assert_allclose(nearest, [WL0 - away, WL0 + away], atol=3e-5)
    # At the edges of the stop band, delta = kappa, the drop is (kappa L)**2/(1 + (kappa L)**2).
    edge = WL0 + np.array([-1, 1]) * kappa * WL0**2 / (2 * np.pi * NG)
    assert edge[1] - edge[0] == pytest.approx(5.76e-3, abs=5e-6)
    np.testing.assert_allclose(circuit(edge)["in", "drop"].power, 0.9, atol=5e-3)


def test_ngrc() -> None:
    from photosim.media.readouts import intensity

    chain = ps.load("ngrc").chain()
    rng = np.random.default_rng(0)
    phases = rng.uniform(0.0, 2.0 * np.pi, (20, 129))
    power = np.abs(chain.fields(phases)) ** 2
    # 50,000 pixels of contrast 1, a medium of 129 columns known to 1 %.
    assert power.mean() == pytest.approx(9.33e-12, rel=0.03)
    electrons = power.mean() * chain.camera.electrons_per_watt(0.532)
    assert electrons == pytest.approx(6000, rel=0.03)
    assert chain.camera.full_well / electrons == pytest.approx(10.0, rel=0.03)
    assert np.hypot(np.sqrt(electrons), chain.camera.read_noise) / electrons == pytest.approx(0.017, rel=0.02)
    read = intensity(chain, phases, rng)
    assert read.saturated / power.size < 2e-4  # exp(-10) = 4.5e-5
    assert np.corrcoef(read.values.ravel(), power.ravel())[0, 1] > 0.995


def test_opu() -> None:
    from photosim.media import readouts

    chain = ps.load("opu").chain()
    per_pW = chain.camera.electrons_per_watt(0.532) * 1e-12
    assert per_pW == pytest.approx(643, abs=0.5)
    lit = chain.fields(np.ones((1, 1024)))
    power = np.abs(lit) ** 2
    # The sum of 1024 exponential powers is known to 1/32, and a single medium to as much.
    assert power.sum() == pytest.approx(0.693e-9, rel=4 / 32)
    assert power.std() / power.mean() == pytest.approx(1.0, abs=4 / 32)
    assert abs(chain.reference_at_pixel) ** 2 == pytest.approx(1.32e-12, rel=2e-3)
    rng = np.random.default_rng(0)
    patterns = rng.integers(0, 2, (20, 1024))
    fields = chain.fields(patterns)
    assert (np.abs(fields) ** 2).mean() * per_pW * 1e12 == pytest.approx(220, rel=0.1)
    read = readouts.phase_stepping(chain, patterns, rng)
    turned = fields * np.exp(-1j * np.angle(chain.reference))
    alike = np.vdot(read.values, turned).real / np.linalg.norm(read.values) / np.linalg.norm(turned)
    assert alike > 0.99
    assert read.frames == 60


@pytest.mark.parametrize(
    ("name", "rows", "low", "high"),
    [("mrr_weight_bank_1x4", 1, 0.90, 0.93), ("mrr_weight_bank_50x20", 50, 0.85, 0.89)],
)
def test_modulators_of_banks_open_and_close(name: str, rows: int, low: float, high: float) -> None:
    circuit = ps.load(name)
    currents = circuit.photocurrents()
    lines = currents.coords["wavelength"].values
    last = f"modulators.mod{len(lines) - 1},o2"
    opened = np.abs(circuit.transfer(lines, [last], ["comb,o1"])[:, 0, 0]) ** 2
    assert np.all((opened >= low) & (opened <= high))
    weights = currents.values * rows / (1e-3 * opened[:, np.newaxis])
    assert np.all((weights > 0.85) & (weights < 1.0))
    for n in (0, len(lines) - 1):
        drive = {f"modulators.mod{n}.voltage": 0.0}
        closed = np.abs(circuit.transfer(lines, [last], ["comb,o1"], **drive)[:, 0, 0]) ** 2
        assert closed[n] < 0.02
        # Its neighbours hardly notice: they gain or lose where its resonance was, beside them.
        np.testing.assert_allclose(np.delete(closed, n), np.delete(opened, n), rtol=0.02)


def test_wdm_link() -> None:
    circuit = ps.load("wdm_link")
    lines = 299_792_458.0 / (299_792_458.0 / 1.55 + (1.5 - np.arange(4)) * 200e9 * 1e-6)
    result = ps.link(circuit)
    np.testing.assert_allclose([line.wl for line in result.lines], lines, rtol=1e-12)
    turn = 79 * lines[1] / float(index(lines[1]))
    a, r = 10 ** (-10.7 * turn * 1e-4 / 20), np.sqrt(1 - 0.0331)

    def passed(volt: float, wl: float) -> float:
        x = a * np.exp(2j * np.pi * (float(index(np.array(wl))) + 3.6e-5 * volt) * turn / wl)
        return float(np.abs((r - x) / (1 - r * x)) ** 2)

    assert passed(4.0, lines[1]) == pytest.approx(0.70, abs=5e-3)
    assert passed(0.0, lines[1]) == pytest.approx(((r - a) / (1 - r * a)) ** 2)
    assert passed(0.0, lines[1]) == pytest.approx(0.215, abs=1e-3)
    modulator = result["pd1"].passages[1]
    assert modulator.element == "mod1"
    assert modulator.loss_dB == pytest.approx(-10 * np.log10(passed(4.0, lines[1])), abs=1e-6)
    off = ps.link(circuit, mod1={"voltage": 0.0})
    assert 10 * np.log10(result["pd1"].power / off["pd1"].power) == pytest.approx(5.1, abs=0.05)
    for n, reception in enumerate(result.receptions):
        assert reception.line == n
        assert 0.25e-3 < reception.power < 0.26e-3
        assert reception.crosstalk_dB < -24
        assert reception.variances["amplifier"] ** 0.5 == pytest.approx(1.345e-6, rel=5e-3)
        assert reception.variances["rin"] ** 0.5 < 0.011 * reception.current
        ratio = reception.variances["phase"] / reception.variances["rin"]
        assert 0.5 < ratio < 2.0


def test_modulator() -> None:
    circuit = ps.load("modulator")
    q2 = 10**-2.5
    for drive, level, power in ((0.0, 2 / 63, 0.974), (-2.0, -2.0, 1.990), (2.0, 2.0, 0.0063)):
        found = ps.link(circuit, drive=drive)
        angle = np.pi * (level + 2) / 4
        expected = 5e-3 * 10**-0.4 * (1 + q2 + (1 - q2) * np.cos(angle)) / 2
        assert found["pd"].power == pytest.approx(expected, rel=1e-9)
        assert expected == pytest.approx(1e-3 * power, abs=6e-7)
        assert found.remarks == ()
    assert ps.link(circuit)["pd"].current * 500 == pytest.approx(0.438, abs=1e-3)
    beyond = ps.link(circuit, drive=3.0)
    assert beyond["pd"].power == pytest.approx(0.0063e-3, rel=0.01)
    assert len(beyond.remarks) == 1


def test_direct_laser() -> None:
    laser = ps.load("direct_laser")
    gain, tau_p, tau_n, transparent, efficiency, output = 2e4, 2e-12, 1e-9, 4e7, 0.8, 0.3
    charge, quantum = 1.602176634e-19, 6.62607015e-34 * 299_792_458.0e6 / 1.55
    threshold = charge * (transparent + 1 / (gain * tau_p)) / (tau_n * efficiency)
    assert threshold == pytest.approx(13.02e-3, rel=1e-3)
    ends = [
        0.5 * efficiency * output * quantum / charge * (current - threshold) for current in (20e-3, 45e-3)
    ]
    np.testing.assert_allclose(ends, [0.670e-3, 3.07e-3], rtol=2e-3)
    step = ps.waveforms.step(at=1e-9, low=20e-3, high=45e-3, rise=20e-12)
    receiver = {"bandwidth": 0.0}
    out = ps.transient(
        laser, 5e-9, sample_rate=1e12, settle=5e-9, drive={"laser.current": step}, receiver=receiver
    )
    current = out.current.values[0]
    np.testing.assert_allclose([current[500], current[-1]], ends, rtol=0.02)
    photons = tau_p * efficiency * (45e-3 - threshold) / charge
    assert np.sqrt(gain * photons / tau_p) / (2 * np.pi) == pytest.approx(9.0e9, rel=0.01)
    # Damping, which compression adds to, makes the swing a few percent slower.
    swing = current[1200:1450] - ends[1]
    crossings = np.flatnonzero(np.diff(np.sign(swing)))
    assert 1e12 / (2 * np.diff(crossings)[:2].mean()) == pytest.approx(9.0e9, rel=0.1)


def test_direct_laser_has_an_open_eye() -> None:
    from photosim.analysis import transient, transient_options

    laser = ps.load("direct_laser")
    (entry,) = laser.netlist.analyses
    result = transient.transient(laser, transient_options.read_options({**entry, "duration": 30e-9}, laser))
    assert result.eyes["receiver"].height > 1.5e-3


@pytest.mark.parametrize(
    ("name", "receiver", "penalty"),
    [("pam4_transmitter", "receiver", 1.6), ("driven_transmitter", "receiver.junction", 1.1)],
)
def test_pam4_transmitter(name: str, receiver: str, penalty: float) -> None:
    circuit = ps.load(name)
    entry = next(one for one in circuit.netlist.analyses if one["kind"] == "transient")
    result = transient.transient(circuit, transient_options.read_options(entry, circuit))
    found = result.figures[receiver].numbers()
    assert found["pattern"] == "PRBS13Q"
    ceiling, floor, sine = 10 * 10**-0.4, 1e-3, math.sin(math.pi / 4)
    assert 1e3 * found["average"] == pytest.approx(ceiling * (1 + floor) / 2, rel=1e-3)
    high, low = (ceiling * (1 + floor + sign * (1 - floor) * sine) / 2 for sign in (1, -1))
    # The middle of six and seven symbols is settled to a few thousandths.
    assert found["extinction_dB"] == pytest.approx(10 * math.log10(high / low), abs=0.02)
    assert 1e3 * found["oma_outer"] == pytest.approx(high - low, rel=2e-3)
    assert found["tdecq"]["tdecq_dB"] == pytest.approx(penalty, abs=0.1)

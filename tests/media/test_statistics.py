"""The laws of speckle, for every medium that claims them: one list of media, one list of laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from photosim.errors import ParameterError
from photosim.media.cascade import BusSlice
from photosim.media.changing import Mixture, SlabMedium, drifted
from photosim.media.gaussian import StoredMedium
from photosim.media.medium import Medium
from photosim.media.procedural import ProceduralMedium
from photosim.media.screens import LensMedium, ScreensMedium, singular_values
from photosim.media.unitaries import haar
from photosim.media.waveguide import FibreMedium, WaveguideMedium, open_channels

RNG = np.random.default_rng
SIDE = 64
INPUTS = OUTPUTS = SIDE**2
"""4096 each: sampling errors of intensities are 1/64."""


def slab(make: Callable[[int], Medium]) -> SlabMedium:
    return SlabMedium(make, thickness=20.0, free_path=1.0, index=1.3, wl=0.532, slices=32)


SPECKLE: dict[str, tuple[Callable[[], Medium], float]] = {
    "stored": (lambda: StoredMedium(OUTPUTS, INPUTS, seed=1), 1.0),
    "procedural": (lambda: ProceduralMedium(OUTPUTS, INPUTS, seed=1), 1.0),
    "screens": (lambda: ScreensMedium(SIDE, distance=300.0, seed=1), 0.0),
    "gaussian screens": (lambda: ScreensMedium(SIDE, distance=300.0, law="gaussian", seed=1), 1.0),
    "waveguide screens": (lambda: ScreensMedium(SIDE, distance=300.0, law="waveguide", seed=1), 2.33),
    "part of a waveguide": (lambda: BusSlice(WaveguideMedium(600, seed=1), (0, 600), (0, 200)), 2.0),
    "fibre": (lambda: BusSlice(FibreMedium(600, seed=1), (0, 600), (0, 200)), 0.67),
    "slab": (
        lambda: slab(lambda k: ProceduralMedium(OUTPUTS, 256, k)).at(tilt=1e-3, detuning=1e11),
        1.0,
    ),
}
"""Media, and how alike their rows are: n times the mean squared overlap of two.

For a whole medium of eigenvalues tau it is <tau**2>/<tau>**2 - 1: 0 for a unitary matrix, 1 for a
Gaussian one, 2.33 for a waveguide of 5 free paths.
"""


@pytest.fixture(scope="module", params=SPECKLE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def medium(name: str) -> Medium:
    return SPECKLE[name][0]()


def lit(medium: Medium, seed: int, count: int = 16) -> Any:
    """Speckle of random binary patterns, (count, outputs), each of unit mean intensity."""
    x = RNG(seed).integers(0, 2, (count, medium.shape[1]))
    e = np.asarray(medium.project(x), dtype=np.complex128)
    return e / np.sqrt((np.abs(e) ** 2).mean(axis=1, keepdims=True))


def test_intensity_is_exponential_with_contrast_1(medium: Medium) -> None:
    power = np.abs(lit(medium, 0)[0]) ** 2
    # Kolmogorov-Smirnov at a false-alarm rate of 1e-3 a medium; the seed is fixed.
    assert stats.kstest(power, "expon").pvalue > 1e-3
    # The contrast of n exponential powers scatters by 1/sqrt(n): four of them.
    assert power.std() / power.mean() == pytest.approx(1.0, abs=4 / np.sqrt(power.size))


def test_fields_are_circular(medium: Medium, name: str) -> None:
    e = lit(medium, 1)
    # Of m circular fields the mean of E**2 scatters by sqrt(2/m), more where channels are few. Patterns share
    # their mean, so that they are one sample, not sixteen.
    assert abs((e**2).mean()) < 4 * np.sqrt(2 * (1 + SPECKLE[name][1]) / medium.shape[0])
    assert abs(e.mean()) < 4 * np.sqrt((1 + SPECKLE[name][1]) / medium.shape[0])


def test_overlaps_and_the_kernel_are_kept(medium: Medium, name: str) -> None:
    """Patterns of overlap 0.6: E |u|**2 |v|**2 = 1 + 0.6**2 = 1.36."""
    rng, n, c = RNG(2), medium.shape[1], 0.6
    products, overlaps = [], []
    for _ in range(6):
        x, y = np.linalg.qr(rng.standard_normal((n, 2)))[0].T
        u, v = np.asarray(medium.project(np.stack([x, c * x + np.sqrt(1 - c * c) * y])), dtype=complex)
        u, v = u / np.sqrt((np.abs(u) ** 2).mean()), v / np.sqrt((np.abs(v) ** 2).mean())
        products.append((np.abs(u) ** 2 * np.abs(v) ** 2).mean())
        overlaps.append(np.vdot(u, v) / len(u))
    # The product's standard deviation is sqrt(4 (1 + 4 c**2 + c**4) - 1.36**2) = 2.8, over sqrt(6 outputs).
    spread = np.sqrt((1 + SPECKLE[name][1]) / (6 * medium.shape[0]))
    assert np.mean(products) == pytest.approx(1.36, abs=4 * 2.8 * spread)
    assert np.mean(overlaps) == pytest.approx(c, abs=4 * spread)


def test_rows_are_no_more_alike_than_their_law_says(medium: Medium, name: str) -> None:
    rows = np.asarray(medium.rows(np.arange(0, medium.shape[0], medium.shape[0] // 24)), dtype=complex)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    off = np.abs(rows @ rows.conj().T)[~np.eye(len(rows), dtype=bool)] ** 2 * medium.shape[1]
    # 276 pairs or more, of exponential powers: the mean is known to 6 %, their largest is some ln(276) means.
    assert off.mean() == pytest.approx(SPECKLE[name][1], rel=0.3, abs=1e-6)
    assert off.max() < 13 * SPECKLE[name][1] + 1e-5


@pytest.mark.parametrize("kind", ["stored", "procedural"])
def test_few_lit_pixels_are_speckle_already(kind: str) -> None:
    medium = SPECKLE[kind][0]()
    x = np.zeros((40, INPUTS))
    for row, first in zip(x, range(0, 160, 4), strict=True):
        row[first : first + 4] = 1
    power = np.abs(medium.project(x)) ** 2
    assert power.std() / power.mean() == pytest.approx(
        1.0, abs=0.015
    )  # 163,840 powers: 0.25 %, and rows in common
    alone = np.abs(medium.project(np.eye(INPUTS)[:3] * 2)) ** 2
    assert stats.kstest(alone.ravel() / alone.mean(), "expon").pvalue > 1e-3


# --- singular values --------------------------------------------------------------------------------


@pytest.mark.parametrize(("outputs", "inputs"), [(1200, 600), (600, 1200), (1000, 250)])
@pytest.mark.parametrize("make", [StoredMedium, ProceduralMedium])
def test_singular_values_follow_marchenko_and_pastur(outputs: int, inputs: int, make: Any) -> None:
    matrix = make(outputs, inputs, seed=3).block()
    few, many = sorted((outputs, inputs))
    values = np.linalg.svd(matrix, compute_uv=False) ** 2 * outputs / many
    gamma = few / many
    low, high = (1 - np.sqrt(gamma)) ** 2, (1 + np.sqrt(gamma)) ** 2
    # Edges move by n**(-2/3), some 1.4 % of the width here: four of them.
    assert values.min() == pytest.approx(low, abs=0.05)
    assert values.max() == pytest.approx(high, abs=0.12)
    assert values.mean() == pytest.approx(1.0, rel=0.01)
    grid = np.linspace(low, high, 20001)
    law = np.sqrt(np.clip((high - grid) * (grid - low), 0, None)) / (2 * np.pi * gamma * grid)
    cdf = np.cumsum(law) * (grid[1] - grid[0])
    # Eigenvalues repel each other: their distribution is rigid, far closer than independent numbers.
    assert stats.kstest(values, lambda v: np.interp(v, grid, cdf)).statistic < 0.01


@pytest.mark.parametrize("thickness", [2.0, 5.0])
def test_waveguide_is_bimodal_with_its_mean(thickness: float) -> None:
    tau = np.linalg.svd(WaveguideMedium(400, thickness, 2).block(), compute_uv=False) ** 2
    assert tau.mean() == pytest.approx(np.tanh(thickness) / thickness, rel=1e-3)
    assert tau.max() <= 1 + 1e-5
    # P(tau > t) = arccosh(1/sqrt t)/s: evenly spaced in u, so known to one of 400.
    for level in (0.1, 0.5, 0.9):
        assert (tau > level).mean() == pytest.approx(np.arccosh(1 / np.sqrt(level)) / thickness, abs=1 / 400)
    if thickness > 4:
        counts, _ = np.histogram(tau, bins=10, range=(0, 1))
        assert counts[0] > 5 * counts[5]  # closed against neither
        assert counts[9] > 2 * counts[5]  # open against neither


def test_a_small_part_of_a_waveguide_is_gaussian() -> None:
    part = BusSlice(WaveguideMedium(800, 3.0, 4), (0, 40), (0, 40))
    values = np.linalg.svd(part.block(), compute_uv=False) ** 2
    values /= values.mean()
    # Quarter circle of a square Gaussian matrix: edge at 4, mean square 2; the waveguide itself: edge at 3.0.
    assert values.max() == pytest.approx(4.0, abs=0.7)
    assert (values**2).mean() == pytest.approx(2.0, abs=0.25)


@pytest.mark.parametrize("law", ["lossless", "gaussian", "waveguide"])
def test_screens_have_the_singular_values_of_their_law(law: Any) -> None:
    medium = ScreensMedium(18, distance=150.0, screens=3, law=law, transmission=0.2, thickness=3.0)
    values = np.sort(np.linalg.svd(medium.block(), compute_uv=False))
    expected = np.sort(singular_values(law, 324, 0.2, 3.0))
    np.testing.assert_allclose(values, expected, atol=2e-5)
    mean = {"lossless": 1.0, "gaussian": 0.2, "waveguide": np.tanh(3.0) / 3.0}[law]
    assert (values**2).mean() == pytest.approx(mean, rel=1e-3)


def test_quarter_circle_is_the_law_of_a_gaussian_matrix() -> None:
    drawn = np.sort(np.linalg.svd(StoredMedium(500, 500, 7).block(), compute_uv=False))
    np.testing.assert_allclose(drawn, np.sort(singular_values("gaussian", 500, 0.25, 1.0)) * 2, atol=0.02)


def test_unitary_parts_are_unitary() -> None:
    for medium in (FibreMedium(60), LensMedium(9), ScreensMedium(9, distance=70.0)):
        matrix = medium.block()
        np.testing.assert_allclose(matrix @ matrix.conj().T, np.eye(len(matrix)), atol=1e-5)
    u = haar(300, RNG(0))
    # Eigenphases of a uniform unitary matrix lie evenly: 300 of them deviate by far less than 1/sqrt(300).
    phases = np.sort(np.angle(np.linalg.eigvals(u))) / (2 * np.pi) + 0.5
    assert stats.kstest(phases, "uniform").statistic < 0.02


# --- angle, wavelength, time ------------------------------------------------------------------------


def alike(a: Any, b: Any) -> float:
    """Correlation of two speckle intensities by Siegert: that of the fields, squared."""
    return float(abs(np.vdot(a, b)) ** 2 / np.vdot(a, a).real / np.vdot(b, b).real)


def test_slab_decorrelates_with_tilt_as_the_memory_effect() -> None:
    medium = slab(lambda k: ProceduralMedium(OUTPUTS, 64, k))
    x = RNG(0).integers(0, 2, 64)
    still = medium.at().project(x)
    for q in (0.5, 1.4914, 2.5):
        moved = medium.at(tilt=q / 20.0 * 0.532 / (2 * np.pi)).project(x)
        assert alike(still, moved) == pytest.approx((q / np.sinh(q)) ** 2, abs=0.05)
    assert (1.4914 / np.sinh(1.4914)) ** 2 == pytest.approx(0.5, abs=1e-4)


def test_slab_decorrelates_with_frequency_as_diffusion_says() -> None:
    medium = slab(lambda k: ProceduralMedium(OUTPUTS, 64, k))
    x = RNG(0).integers(0, 2, 64)
    still = medium.at().project(x)
    unit = medium.diffusion / medium.thickness**2 / (2 * np.pi)
    for w in (3.0, 9.181, 20.0):
        z = np.sqrt(-1j * w)
        moved = medium.at(detuning=w * unit).project(x)
        assert alike(still, moved) == pytest.approx(abs(z / np.sinh(z)) ** 2, abs=0.05)
    # Mean delay of diffusing light: L**2/(6 D).
    assert medium.delays.mean() == pytest.approx(medium.thickness**2 / 6 / medium.diffusion, rel=0.02)


def test_more_slices_come_closer_to_the_laws() -> None:
    def error(slices: int) -> float:
        """Root mean square over seeds: a single one may be right by chance."""
        return float(np.sqrt(np.mean([off(slices, seed) ** 2 for seed in range(40)])))

    def off(slices: int, seed: int) -> float:
        medium = SlabMedium(lambda k: StoredMedium(1, 1, k), slices=slices, seed=seed)
        w = 12.0
        unit = medium.diffusion / medium.thickness**2 / (2 * np.pi)
        overlap = np.vdot(medium.at().weights, medium.at(detuning=w * unit).weights)
        z = np.sqrt(-1j * w)
        return float(abs(overlap - z / np.sinh(z)))

    assert error(256) < error(32) / 3 < error(8) / 6


def test_slab_stays_apart_far_out() -> None:
    """32 slices, 4000 settings far beyond the law: chance, of mean 1/32 and without a revival.

    Of M exponential numbers the largest is ln M means, here 0.26; equal slices came back to 0.43 and more.
    """
    for seed in range(4):
        medium = SlabMedium(lambda k: StoredMedium(1, 1, k), slices=32, seed=seed)
        assert medium.floor == 1 / 32
        unit = medium.wl / (2 * np.pi * medium.thickness)
        turn = medium.diffusion / medium.thickness**2 / (2 * np.pi)
        still = medium.at().weights
        for far in (
            [medium.at(tilt=q * unit).weights for q in np.linspace(12.0, 200.0, 4000)],
            [medium.at(detuning=w * turn).weights for w in np.linspace(200.0, 4000.0, 4000)],
        ):
            found = np.abs(np.asarray(far) @ still.conj()) ** 2
            assert found.mean() == pytest.approx(1 / 32, rel=0.35)
            assert found.max() < 0.4


def test_slices_follow_the_law_whatever_the_seed() -> None:
    """Random places within 32 slices cost 0.01 rms beside the middles' own error of 0.01: four of them."""
    for seed in range(100):
        medium = SlabMedium(lambda k: StoredMedium(1, 1, k), slices=32, seed=seed)
        still = medium.at().weights
        for q in (0.5, 1.4914, 2.5):
            moved = medium.at(tilt=q * medium.wl / (2 * np.pi * medium.thickness)).weights
            assert abs(np.vdot(still, moved)) ** 2 == pytest.approx((q / np.sinh(q)) ** 2, abs=0.05)
        for w in (3.0, 9.181, 20.0):
            moved = medium.at(detuning=w * medium.diffusion / medium.thickness**2 / (2 * np.pi)).weights
            z = np.sqrt(-1j * w)
            assert abs(np.vdot(still, moved)) ** 2 == pytest.approx(abs(z / np.sinh(z)) ** 2, abs=0.05)


def test_slab_at_another_wavelength_is_a_detuned_slab() -> None:
    medium = slab(lambda k: StoredMedium(40, 30, k))
    light = 299792458e6
    moved = medium.at(tilt=2e-3, detuning=5e10).at_wavelength(1 / (1 / 0.532 + 2e11 / light))
    np.testing.assert_allclose(moved.block(), medium.at(tilt=2e-3, detuning=2e11).block(), atol=1e-5)


@pytest.mark.parametrize("distance", [20.0, 60.0])
def test_screens_have_the_memory_effect_of_their_distance(distance: float) -> None:
    """A tilt by m cycles over the plane moves light by wl d m/width at the second screen."""
    side, wl = 64, 0.633
    x = np.exp(2j * np.pi * RNG(0).random((side, side)))
    medium = ScreensMedium(side, distance=distance, wl=wl, seed=3)
    still = medium.project(x.ravel()).reshape(side, side)
    for m in (1, 2, 4):
        tilt = np.exp(2j * np.pi * m * np.arange(side) / side)
        moved = medium.project((x * tilt).ravel()).reshape(side, side)
        found = alike(still, np.roll(moved, -m, axis=1))
        # Steeper than paraxial: the angular spectrum reaches sin = 0.32 each way, 5 to 10 % more path.
        assert found == pytest.approx(np.sinc(1.06 * wl * distance * m / side) ** 2, abs=0.06)


def test_one_screen_has_an_endless_memory_effect() -> None:
    medium, side = ScreensMedium(32, screens=1), 32
    tilt = np.exp(2j * np.pi * 5 * np.arange(side) / side)
    x = np.ones((side, side))
    still, moved = (medium.project(p.ravel()).reshape(side, side) for p in (x, x * tilt))
    assert alike(still, np.roll(moved, -5, axis=1)) == pytest.approx(1.0, abs=1e-5)


def test_screens_decorrelate_with_wavelength_as_their_depth_says() -> None:
    deep = ScreensMedium(64, distance=20.0, depth=50.0, screens=2, wl=0.6, seed=1)
    x = RNG(1).integers(0, 2, 64**2)
    still = deep.project(x)
    for inverse in (0.004, 0.008, 0.012):  # 1/um
        moved = deep.at_wavelength(1 / (1 / 0.6 + inverse)).project(x)
        assert alike(still, moved) == pytest.approx(np.sinc(50.0 * inverse) ** 4, abs=0.05)


def test_fibre_decorrelates_with_wavelength_as_its_modes_part() -> None:
    fibre = FibreMedium(400, length=1e5, wl=0.8, seed=1)
    x = RNG(1).standard_normal(400)
    still = fibre.project(x)
    for cycles in (0.3, 0.6):  # of the longest against the shortest path, 1e5 um x 0.22**2/(2 x 1.46)
        inverse = cycles / (1e5 * (1.46 - np.sqrt(1.46**2 - 0.22**2)))
        moved = fibre.at_wavelength(1 / (1 / 0.8 + inverse)).project(x)
        assert alike(still, moved) == pytest.approx(np.sinc(cycles) ** 2, abs=0.1)  # 400 modes: 5 %


@pytest.mark.parametrize("make", [StoredMedium, ProceduralMedium])
def test_drift_is_an_autoregressive_walk(make: Any) -> None:
    first = make(400, 300, seed=0)
    x = RNG(0).integers(0, 2, 300)
    now: Medium = first
    for step in range(1, 6):
        now = drifted(now, make(400, 300, seed=step), frames=10, persistence=40.0)
        here = np.vdot(first.block(), now.block()).real / np.vdot(first.block(), first.block()).real
        assert here == pytest.approx(np.exp(-step / 4), abs=4 / np.sqrt(2 * 400 * 300))
        assert (np.abs(now.block()) ** 2).mean() * 400 == pytest.approx(1.0, rel=0.02)
    np.testing.assert_allclose(now.project(x), x @ now.block().T, atol=1e-4)
    np.testing.assert_allclose(now.adjoint(np.ones(400)), np.ones(400) @ now.block().conj(), atol=1e-4)
    assert isinstance(now, Mixture if make is ProceduralMedium else StoredMedium)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: ScreensMedium(6, distance=50.0, depth=50.0, seed=seed),
        lambda seed: FibreMedium(36, length=1e5, seed=seed),
        lambda seed: slab(lambda k: StoredMedium(36, 36, k + seed)).at(tilt=1e-3),
        lambda seed: BusSlice(FibreMedium(40, seed=seed), (0, 36), (0, 36)),
    ],
)
def test_a_drifted_medium_meets_its_wavelength(make: Any) -> None:
    """Drift and wavelength act one after the other, in either order."""
    now, other = make(0), make(0).at_wavelength(0.5)
    for step in (1, 2):
        now = drifted(now, make(step), frames=1, persistence=3.0)
        other = drifted(other, make(step).at_wavelength(0.5), frames=1, persistence=3.0)
    np.testing.assert_allclose(now.at_wavelength(0.5).block(), other.block(), atol=1e-5)
    assert np.abs(now.block() - other.block()).max() > 0.01
    stored = drifted(StoredMedium(36, 36), make(1), frames=1, persistence=3.0)
    assert np.abs(stored.at_wavelength(0.5).block() - stored.block()).max() > 0.01


def test_lens_focuses_and_points() -> None:
    lens = LensMedium(8)
    flat = lens.project(np.ones(64)).reshape(8, 8)
    assert abs(flat[4, 4]) == pytest.approx(8.0)
    assert np.abs(flat).sum() == pytest.approx(8.0, abs=1e-4)
    y = RNG(0).standard_normal(64)
    np.testing.assert_allclose(lens.adjoint(y), y @ lens.block().conj(), atol=1e-5)


def test_media_refuse_what_cannot_be() -> None:
    with pytest.raises(ParameterError, match="'gaussian' needs 2 screens or more, got 1"):
        ScreensMedium(8, screens=1, law="gaussian")
    with pytest.raises(ParameterError, match=r"transmission 0\.3 creates power: a square Gaussian matrix"):
        singular_values("gaussian", 9, 0.3, 1.0)
    with pytest.raises(
        ParameterError, match="thickness over the mean free path is a positive number, got -1"
    ):
        open_channels(4, -1.0)
    with pytest.raises(ParameterError, match="numerical aperture of a fibre is above 0 and below its index"):
        FibreMedium(4, aperture=1.5)
    with pytest.raises(ParameterError, match="adds media of one size"):
        Mixture(np.ones(2, dtype=complex), (StoredMedium(2, 2), StoredMedium(2, 3)))
    with pytest.raises(ParameterError, match="0 frames or more and a positive persistence"):
        drifted(StoredMedium(2, 2), StoredMedium(2, 2), frames=-1, persistence=1.0)

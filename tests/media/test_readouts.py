"""Read-outs: exact without noise, frames counted, and as good as theory says with noise."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from photosim.errors import ParameterError
from photosim.media import readouts
from photosim.media.camera import Camera
from photosim.media.chain import OpticalChain
from photosim.media.gaussian import StoredMedium
from photosim.media.modulators import Dmd, Slm

RNG = np.random.default_rng
PHASE = 0.4
BATCH, INPUTS = 5, 30


def bench(outputs: int = 40, **changes: Any) -> OpticalChain:
    """A small chain without any fault, whose reference has a phase of its own."""
    parts = {
        "modulator": Dmd(pixels=INPUTS, contrast=100.0),
        "medium": StoredMedium(outputs, INPUTS, seed=1, dtype=np.dtype("complex128")),
        "camera": Camera.ideal(outputs),
        "wl": 0.532,
        "beam": 0.1,
        "reference": 0.3 * np.exp(1j * PHASE),
        **changes,
    }
    return OpticalChain(**parts)


@pytest.fixture(scope="module")
def patterns() -> Any:
    return RNG(0).integers(0, 2, (BATCH, INPUTS))


def test_fields_are_the_matrix_times_what_the_mirrors_show(patterns: Any) -> None:
    chain = bench()
    shown = np.where(patterns, 1.0, 0.1) * np.sqrt(0.7 / INPUTS)
    expected = 0.1 * shown @ chain.medium.block().T
    np.testing.assert_allclose(chain.fields(patterns), expected, rtol=1e-6)  # the mirrors show float32


def test_intensity_is_read_in_one_frame(patterns: Any) -> None:
    chain = bench()
    read = readouts.intensity(chain, patterns, RNG(0))
    np.testing.assert_allclose(read.values, np.abs(chain.fields(patterns)) ** 2, rtol=1e-12)
    assert read.frames == BATCH
    assert read.saturated == read.dark == 0


@pytest.mark.parametrize("steps", [3, 4, 7])
def test_phase_stepping_gives_the_field(patterns: Any, steps: int) -> None:
    chain = bench()
    read = readouts.phase_stepping(chain, patterns, RNG(0), steps=steps)
    np.testing.assert_allclose(read.values, chain.fields(patterns) * np.exp(-1j * PHASE), atol=1e-14)
    assert read.frames == BATCH * steps


def test_two_steps_give_the_real_part(patterns: Any) -> None:
    chain = bench()
    read = readouts.phase_stepping(chain, patterns, RNG(0), steps=2)
    np.testing.assert_allclose(read.values, (chain.fields(patterns) * np.exp(-1j * PHASE)).real, atol=1e-14)
    assert read.frames == BATCH * 2


@pytest.mark.parametrize("outputs", [40, 41])
def test_off_axis_holography_gives_the_field_in_one_frame(patterns: Any, outputs: int) -> None:
    chain = bench(outputs)
    read = readouts.off_axis(chain, patterns, RNG(0))
    np.testing.assert_allclose(read.values, chain.fields(patterns) * np.exp(-1j * PHASE), atol=1e-13)
    assert read.frames == BATCH


def test_off_axis_needs_its_oversampling(patterns: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readouts, "OVERSAMPLING", 3)  # the cut-out band then meets its own image
    chain = bench()
    read = readouts.off_axis(chain, patterns, RNG(0))
    off = read.values - chain.fields(patterns) * np.exp(-1j * PHASE)
    assert np.abs(off).max() > 0.1 * np.abs(chain.fields(patterns)).mean()


@pytest.mark.parametrize("contrast", [4.0, 1000.0, np.inf])
def test_anchor_gives_the_part_in_phase_with_the_anchor(patterns: Any, contrast: float) -> None:
    chain = bench(modulator=Dmd(pixels=INPUTS, contrast=contrast), reference=0.0)
    anchor = chain.fields(np.ones((1, INPUTS)))
    expected = (chain.fields(patterns) * np.exp(-1j * np.angle(anchor))).real
    read = readouts.anchored(chain)
    first, second = read(patterns, RNG(0)), read(patterns, RNG(0))
    # The mirrors' amplitudes are rounded to float32, so complements add up to 1e-7.
    np.testing.assert_allclose(first.values, expected, atol=1e-6 * np.abs(expected).max())
    assert (first.frames, second.frames) == (2 * BATCH + 1, 2 * BATCH)
    np.testing.assert_array_equal(first.values, second.values)


def test_anchored_matrix_has_the_statistics_of_its_derivation() -> None:
    """Entries Re(exp(-i arg Ta) T): half the variance of T, and a mean of sqrt(pi)/2 sigma/sqrt(n)."""
    n, m = 400, 2000
    matrix = StoredMedium(m, n, seed=3).block() * np.sqrt(m)
    along = (matrix * np.exp(-1j * np.angle(matrix.sum(axis=1, keepdims=True)))).real
    assert along.var() == pytest.approx(0.5, rel=0.01)  # 8e5 entries: 0.16 % standard deviation
    # The sum over a row is |Ta|, of a Rayleigh law, so the mean of 400 rows is known to 2.6 %.
    assert along.mean() == pytest.approx(np.sqrt(np.pi) / 2 / np.sqrt(n), rel=0.1)


def test_signs_are_two_patterns() -> None:
    chain = bench(modulator=Dmd(pixels=INPUTS, contrast=np.inf))
    signs = RNG(2).integers(-1, 2, (BATCH, INPUTS))
    read = readouts.signed(partial(readouts.phase_stepping, chain), signs, RNG(0))
    expected = 0.1 * np.sqrt(0.7 / INPUTS) * signs @ chain.medium.block().T * np.exp(-1j * PHASE)
    np.testing.assert_allclose(read.values, expected, atol=1e-8)
    assert read.frames == 6 * BATCH


@pytest.mark.parametrize("wrong", [0.5, -2, np.nan, np.inf, 1 + 1e-9])
def test_numbers_that_are_no_signs_are_refused(wrong: float) -> None:
    chain, signs = bench(), np.ones((BATCH, INPUTS))
    signs[2, 3] = wrong
    with pytest.raises(ParameterError, match="Signs are -1, 0 and 1, got"):
        readouts.signed(partial(readouts.phase_stepping, chain), signs, RNG(0))


def test_masked_signs_are_refused() -> None:
    signs = np.ma.array(np.ones((BATCH, INPUTS)), mask=np.eye(BATCH, INPUTS, dtype=bool))
    with pytest.raises(ParameterError, match="but some are masked"):
        readouts.signed(partial(readouts.phase_stepping, bench()), signs, RNG(0))


def test_two_step_noise_is_that_of_its_formula() -> None:
    """Var Re E = (2 (A**2 + |E|**2) + 2 read**2)/(16 A**2) in photo-electrons."""
    chain = bench()
    signal, ratio, read_noise = 200.0, 4.0, 5.0
    waves = chain.fields(RNG(1).integers(0, 2, (4000, INPUTS)))
    mean = float((np.abs(waves) ** 2).mean())
    camera = replace(chain.camera, shot=True, read_noise=read_noise).exposed_for(mean, chain.wl, signal)
    strong = np.sqrt(ratio * mean * camera.pixels)
    noisy = replace(chain, camera=camera, reference=strong)
    patterns = RNG(1).integers(0, 2, (4000, INPUTS))
    per_watt = camera.electrons_per_watt(chain.wl)
    read = readouts.phase_stepping(noisy, patterns, RNG(5), steps=2)
    found = (read.values - waves.real).var() * per_watt
    expected = (2 * (ratio + 1) * signal + 2 * read_noise**2) / (16 * ratio * signal)
    assert found == pytest.approx(expected, rel=0.015)  # 160,000 readings: 0.35 %, four of them


@pytest.mark.parametrize(
    ("electrons", "bits", "cosine"),
    [(2, 0, 0.80), (10, 0, 0.977), (50, 0, 0.9965), (200, 0, 0.9992), (2000, 8, 0.9999)],
)
def test_fidelity_of_a_noisy_projection(electrons: float, bits: int, cosine: float) -> None:
    """Cosine with the exact projection of sparse signs: two steps, a reference four times the signal."""
    found = fidelity(electrons, bits)
    # Theory: noise over signal is (10 S + 50)/(32 S**2) of the variance; the table has three digits or so.
    assert 1 - found == pytest.approx(1 - cosine, rel=0.12, abs=6e-5)


def test_fidelity_is_capped_by_the_bits() -> None:
    four, six = fidelity(2000, 4), fidelity(2000, 6)
    assert 0.97 < four < 0.995
    assert 0.9985 < six < 0.9997


def fidelity(electrons: float, bits: int) -> float:
    """Mean cosine between the two-step projection of 10-class sparse signs and the exact one."""
    classes, width, batch = 10, 1024, 200
    medium = StoredMedium(width, classes, seed=2)
    rng = RNG(7)
    signs = np.zeros((batch, classes))
    for row in signs:  # one class pulled up, one pushed down: what a ternary error mostly is
        up, down = rng.choice(classes, 2, replace=False)
        row[up], row[down] = 1, -1
    dmd = Dmd(pixels=classes, contrast=np.inf)
    chain = OpticalChain(modulator=dmd, medium=medium, camera=Camera.ideal(width), wl=0.532)
    mean = float((np.abs(chain.fields(np.eye(classes))) ** 2).mean())
    reference = np.sqrt(4 * mean * width)
    well = 30.0 * electrons  # bright grains of signal and reference stay below it, but for one in 1e4
    camera = replace(chain.camera, shot=True, read_noise=5.0, full_well=well, bits=bits)
    if not bits:
        camera = replace(camera, full_well=np.inf)
    camera = camera.exposed_for(mean, chain.wl, electrons)
    noisy = replace(chain, camera=camera, reference=reference)
    read = readouts.signed(partial(readouts.phase_stepping, noisy, steps=2), signs, rng)
    exact = (chain.fields(signs > 0) - chain.fields(signs < 0)).real
    top = (read.values * exact).sum(axis=1)
    return float((top / np.linalg.norm(read.values, axis=1) / np.linalg.norm(exact, axis=1)).mean())


def test_readouts_say_what_they_need(patterns: Any) -> None:
    with pytest.raises(ParameterError, match="no reference beam: light the camera's 'reference'"):
        readouts.phase_stepping(bench(reference=0.0), patterns, RNG(0))
    with pytest.raises(ParameterError, match="takes 2 frames for the real part or 3 and more"):
        readouts.phase_stepping(bench(), patterns, RNG(0), steps=1)
    with pytest.raises(ParameterError, match=r"or 3 and more for a field, got 2\.5"):
        readouts.phase_stepping(bench(), patterns, RNG(0), steps=2.5)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="needs a DMD as the modulator"):
        readouts.anchored(bench(modulator=Slm(pixels=INPUTS)))
    with pytest.raises(ParameterError, match="30 inputs and 40 outputs, but the modulator 30 pixels and the"):
        bench(camera=Camera.ideal(41))

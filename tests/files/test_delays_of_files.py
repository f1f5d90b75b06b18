"""Group delay of results read from files: any order of wavelengths, coarse points, points given twice."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from photosim import files
from photosim.circuit import Circuit
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import part
from photosim.smatrix import SMatrix

GUIDE = Circuit({
    "instances": {"g": part("straight", length=50.0, neff=2.44553, ng=4.19088)},
    "ports": {"o1": "g,o1", "o2": "g,o2"},
})  # fmt: skip
RING = Circuit({
    "instances": {"r": part("ring_single", radius=10.0, coupling=0.1, loss_dB_cm=20.0)},
    "ports": {"o1": "r,o1", "o2": "r,o2"},
})  # fmt: skip
TRUE = 50 * 4.19088 / 2.99792458e14


def stored(s: SMatrix, folder: Path, suffix: str = ".npz") -> SMatrix:
    """The result as a file gives it back: without a formula."""
    s.save(folder / f"s{suffix}")
    return files.read(folder / f"s{suffix}")


@pytest.mark.parametrize("suffix", [".npz", ".nc", ".csv", ".sparam"])
@pytest.mark.parametrize("step_nm", [1.0, 2.5])
def test_delay_of_a_file_is_that_of_the_circuit(tmp_path: Path, suffix: str, step_nm: float) -> None:
    wl = np.linspace(1.5, 1.6, round(100 / step_nm) + 1)
    read = stored(GUIDE(wl), tmp_path, suffix)["o1", "o2"]
    exact = GUIDE(wl)["o1", "o2"]
    assert read.group_delay == pytest.approx(exact.group_delay, rel=1e-5)
    # The linear index has a little dispersion of its own.
    assert read.dispersion == pytest.approx(exact.dispersion, abs=2e-2 * TRUE)


def test_coarse_points_warn_and_take_the_smallest_that_is_not_negative(tmp_path: Path) -> None:
    read = stored(GUIDE(np.linspace(1.5, 1.6, 11)), tmp_path)["o1", "o2"]
    with pytest.warns(PhotosimWarning, match=r"o1 to o2: .* the smallest of 7e-13, 1\.5e-12, .* is a guess"):
        delay = read.group_delay
    assert delay == pytest.approx(np.full(11, TRUE), rel=1e-3)


@pytest.mark.parametrize("circuit", [GUIDE, RING])
def test_order_and_repeats_do_not_matter(tmp_path: Path, circuit: Circuit) -> None:
    rng = np.random.default_rng(3)
    wl = np.linspace(1.545, 1.555, 401)
    plain = stored(circuit(wl), tmp_path)["o1", "o2"]
    order = rng.permutation(np.r_[np.arange(401), rng.integers(0, 401, 60)])
    for suffix in (".npz", ".csv"):
        mixed = stored(circuit(wl[order]), tmp_path, suffix)["o1", "o2"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_allclose(mixed.group_delay, plain.group_delay[order], rtol=1e-9)
            np.testing.assert_allclose(mixed.phase, plain.phase[order], atol=1e-9)
    np.testing.assert_allclose(circuit(wl[order]).phase[:, 1, 0], plain.phase[order], atol=1e-9)


def test_a_resonance_keeps_its_own_delay_negative_or_not(tmp_path: Path) -> None:
    wl = np.linspace(1.545, 1.555, 4001)
    exact = RING(wl)["o1", "o2"].group_delay
    read = stored(RING(wl), tmp_path)["o1", "o2"].group_delay
    assert exact.min() < -1e-12 or exact.max() > 1e-11
    np.testing.assert_allclose(read, exact, atol=1e-4 * np.abs(exact).max())


def test_what_cannot_have_a_delay(tmp_path: Path) -> None:
    wl = np.array([1.5, 1.55, 1.55])
    values: Any = np.ones((3, 1, 1), dtype=complex)
    values[2] = 0.5
    with pytest.raises(ParameterError, match=r"a to a: the wavelength 1\.55 um is given twice"):
        _ = SMatrix(wl, ("a",), values)["a", "a"].group_delay
    with pytest.raises(ParameterError, match="need 2 wavelengths or more, and it has 1"):
        _ = SMatrix(wl[1:], ("a",), values[[0, 0]])["a", "a"].group_delay
    s = GUIDE(np.linspace(1.54, 1.56, 21))
    files.write(tmp_path / "part.csv", s, [("o1", "o2")])
    read = files.read(tmp_path / "part.csv")
    assert np.isfinite(read["o1", "o2"].group_delay).all()
    assert np.isnan(read["o2", "o1"].group_delay).all()


def test_a_batch_has_its_own_delays() -> None:
    wl = np.linspace(1.54, 1.56, 41)
    s = GUIDE(wl, g={"length": np.array([10.0, 40.0])})
    read = SMatrix(s.wl, s.ports, s.values)["o1", "o2"].group_delay
    np.testing.assert_allclose(read, s["o1", "o2"].group_delay, rtol=1e-5)

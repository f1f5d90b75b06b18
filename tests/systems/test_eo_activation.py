"""The system `eo-activation` in small: its spectra, and that the activation is what learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from photosim.systems import Options, find_system, reproduce
from photosim.systems.eo_activation import COEFFICIENTS, spectra, unitary_layers
from photosim.training.data.datasets import load
from photosim.training.layers.electro_optic import ElectroOptic


def test_spectra_are_the_lowest_coefficients_with_a_watt_each() -> None:
    data, raw = spectra(Options("digits", None, 1)), load("digits", validation_fraction=0.0).train.x
    np.testing.assert_allclose(np.linalg.norm(data.train.x, axis=1), 1.0, rtol=1e-6)
    image = (raw[5] - raw.min()).reshape(8, 8)
    rows = np.arange(8)
    # A slow transform of the four lowest orders -2 to 1 in both directions.
    waves = np.exp(-2j * np.pi * np.outer(np.arange(-2, 2), rows) / 8)
    wanted = (waves @ image @ waves.T).ravel()
    np.testing.assert_allclose(data.train.x[5], wanted / np.linalg.norm(wanted), atol=1e-6)


def test_parameters_are_those_of_the_code() -> None:
    network = unitary_layers(16, 10, ElectroOptic(1.0))
    own = network.initial(np.random.default_rng(0))
    # Two meshes of 120 blocks of two phases, and output phases: the code counts 544 with two rows of these.
    assert sum(value.size for part in own for value in part.values()) == 2 * (240 + 16)


@pytest.mark.filterwarnings("error")
def test_the_activation_learns_more(tmp_path: Path) -> None:
    system = find_system("eo-activation")
    done = reproduce(system, system.options(quick=True, seeds=1), tmp_path)
    found = done.outcome
    assert found.values("with", "accuracy")[0] > found.values("without", "accuracy")[0] + 1.0
    assert found.values("xor with", "right")[0] == 100.0
    assert found.values("xor without", "error")[0] > 5 * found.values("xor with", "error")[0]
    assert len(done.charts()) == 1


def test_chosen_coefficients_hold_no_conjugates() -> None:
    for name, pairs in COEFFICIENTS.items():
        assert len(set(pairs)) == 16
        twins = [(y, x) for y, x in pairs if (y, x) != (0, 0) and (-y, -x) in pairs]
        assert len(twins) == (8 if name == "code" else 0)
    found = spectra(Options("digits", None, 1), "half plane").train.x
    np.testing.assert_allclose(np.sum(np.abs(found) ** 2, axis=1), 1.0, atol=1e-5)

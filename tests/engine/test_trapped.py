"""Lossless loops exactly on resonance: what light reaches of them is the limit of small loss."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import PhotosimWarning

SMALL_DB = 1e-6
PORTS = {"crossing": 4, "coupler": 4, "reflector": 2, "straight": 2, "mmi_nxn": 6, "circulator": 3}


def crossing_loop(crosstalk: float = 0.158, loss_dB: float = 0.0, length: float = 0.0) -> dict[str, Any]:
    """Return a crossing whose o2 is joined to o4, the loop of no length, behind a guide."""
    cross = {"component": "crossing", "settings": {"crosstalk": crosstalk, "loss_dB": loss_dB}}
    return {
        "instances": {"x": cross, "g": {"component": "straight", "settings": {"length": length}}},
        "connections": {"x,o2": "x,o4", "g,o2": "x,o1"},
        "ports": {"a": "g,o1", "b": "x,o3"},
    }


def settings_of(kind: str, rng: Any, loss_dB: float) -> dict[str, Any]:
    """Return settings at which modes of a part can meet without loss."""
    if kind == "crossing":
        return {"crosstalk": float(rng.choice([0.0, 0.05, 0.158, 0.25])), "loss_dB": loss_dB}
    if kind == "coupler":
        coupling, reflection = float(rng.choice([0.0, 0.25, 0.5, 1.0])), float(rng.choice([0.0, 0.0, 0.3]))
        return {"coupling": coupling, "reflection": reflection, "loss_dB": loss_dB}
    if kind == "reflector":
        return {"reflection": float(rng.choice([0.2, 0.9, 1.0]))}
    if kind == "circulator":
        return {"insertion_loss_dB": loss_dB, "isolation_dB": 400.0}
    if kind == "mmi_nxn":
        return {"ports": 3, "loss_dB": loss_dB}
    waves = int(rng.integers(1, 4))  # half waves
    return {"length": 1.55 / 4 * waves, "neff": 2.0, "ng": 2.0, "loss_dB_cm": loss_dB * 1e4}


def random_net(seed: int, loss_dB: float) -> dict[str, Any]:
    """Return lossless parts joined at random, a few ports exposed; every part loses loss_dB."""
    rng = np.random.default_rng(seed)
    kinds = ["crossing", "crossing", "coupler", "reflector", "straight", "mmi_nxn"]
    if seed % 3 == 0:
        kinds.append("circulator")  # not reciprocal: waves are eliminated one by one
    instances: dict[str, Any] = {}
    ports: list[str] = []
    for k in range(rng.integers(1, 5)):
        kind = str(rng.choice(kinds))
        instances[f"p{k}"] = {"component": kind, "settings": settings_of(kind, rng, loss_dB)}
        ports += [f"p{k},o{j + 1}" for j in range(PORTS[kind])]
    rng.shuffle(ports)
    shown = min(len(ports), int(rng.integers(2, 5)))
    shown += (len(ports) - shown) % 2
    return {
        "instances": instances,
        "ports": {f"x{i}": port for i, port in enumerate(ports[:shown])},
        "connections": dict(zip(ports[shown::2], ports[shown + 1 :: 2], strict=True)),
    }


def quiet(net: dict[str, Any], wl: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        return ps.Circuit(net)(wl)


def limit(net_of: Any, wl: Any) -> Any:
    """Return S without loss, extrapolated from a small one."""
    return 2 * quiet(net_of(SMALL_DB), wl).values - quiet(net_of(2 * SMALL_DB), wl).values


@pytest.mark.parametrize("crosstalk", [0.02, 0.1, 0.158, 0.24])
def test_crossing_whose_arm_is_closed_passes_all_light(crosstalk: float) -> None:
    with pytest.warns(PhotosimWarning, match="lossless loop on resonance"):
        s = ps.Circuit(crossing_loop(crosstalk))([1.55])
    np.testing.assert_allclose(np.abs(s.values[0]) ** 2, np.eye(2), atol=1e-13)  # a mirror: all comes back
    expected = limit(lambda loss: crossing_loop(crosstalk, loss), [1.55])
    np.testing.assert_allclose(s.values, expected, atol=1e-9)


@pytest.mark.parametrize("seed", range(0, 400, 4))
def test_any_lossless_circuit_is_the_limit_of_small_loss(seed: int) -> None:
    s = quiet(random_net(seed, 0.0), [1.55])
    np.testing.assert_allclose(s.values, limit(lambda loss: random_net(seed, loss), [1.55]), atol=1e-7)
    assert np.linalg.norm(s.values[0], 2) < 1 + 1e-9


def test_a_long_sweep_is_right_at_all_wavelengths() -> None:
    # Loops of no length are on resonance at every wavelength; only 1000 of them were solved again.
    wl = np.linspace(1.5, 1.6, 1500)
    net = crossing_loop(length=20.0)
    net["instances"]["x"]["settings"]["reflection"] = 0.1
    s = quiet(net, wl).values
    np.testing.assert_allclose(np.abs(s) ** 2 @ np.ones(2), 1.0, atol=1e-9)
    assert np.abs(np.diff(np.abs(s), axis=0)).max() < 1e-9


def test_gradient_and_group_delay_beside_a_trapped_mode_are_those_of_small_loss() -> None:
    wl = np.array([1.54, 1.55])
    nets = [crossing_loop(loss_dB=loss, length=20.0) for loss in (0.0, 1e-7)]
    delays, slopes = [], []
    for net in nets:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PhotosimWarning)
            circuit = ps.Circuit(net)
            delays.append(circuit(wl)["a", "a"].group_delay)
            _, found = circuit.jacobian(wl, ["a", "b"], ["a"], ["g.length"])
        slopes.append(found)
    np.testing.assert_allclose(delays[0], delays[1], rtol=1e-6)
    assert delays[0] == pytest.approx(2 * 20.0 * 3.4 / 299_792_458.0e6, rel=1e-9)
    for name in slopes[0]:
        np.testing.assert_allclose(slopes[0][name], slopes[1][name], rtol=1e-5, atol=1e-6)

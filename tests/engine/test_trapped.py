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


def smooth_settings(net: dict[str, Any]) -> dict[str, float]:
    """Return settings with a finite derivative by S, with what makes of each slope one of about 1."""
    found: dict[str, float] = {}
    for name, instance in net["instances"].items():
        if instance["component"] == "mmi_nxn":
            continue  # numerical, without derivatives
        for k, v in instance["settings"].items():
            if k.startswith(("loss_dB", "insertion")):
                found[f"{name}.{k}"] = 1e4 if k == "loss_dB_cm" else 1.0
            elif (k in {"coupling", "crosstalk"} and 0.0 < v < 1.0) or k == "length":
                found[f"{name}.{k}"] = 0.1
    return found


def slopes_of(net: dict[str, Any], names: list[str]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        circuit = ps.Circuit(net)
        _, slopes = circuit.jacobian([1.55], circuit.ports, circuit.ports, names)
    return np.array([slopes[name] for name in names])


@pytest.mark.parametrize("crosstalk", [0.05, 0.158])
@pytest.mark.parametrize("length", [0.0, 20.0])
def test_derivatives_by_the_loss_of_a_closed_crossing_are_those_of_small_loss(
    crosstalk: float, length: float
) -> None:
    # On resonance they were 1.67 to 2 times too large.
    names = ["x.loss_dB", "x.crosstalk", "g.length"]
    found = slopes_of(crossing_loop(crosstalk, 0.0, length), names)
    one, two = (slopes_of(crossing_loop(crosstalk, loss, length), names) for loss in (SMALL_DB, 2 * SMALL_DB))
    np.testing.assert_allclose(found, 2 * one - two, atol=1e-6)
    # The same by what the S-matrix does with a little loss.
    change = [quiet(crossing_loop(crosstalk, loss, length), [1.55]).values for loss in (0.0, 1e-4, 2e-4)]
    np.testing.assert_allclose(
        found[0], (4 * change[1] - change[2] - 3 * change[0]) / 2e-4, atol=1e-6, rtol=1e-5
    )


def test_losses_and_optimisers_see_the_same_derivative() -> None:
    net = crossing_loop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PhotosimWarning)
        circuit = ps.Circuit(net)
        loss = ps.losses.power([("a", "a"), ("a", "b")])
        _, slopes = circuit.value_and_grad(loss, wl=[1.55], parameters=["x.loss_dB"])
        _, near = circuit.value_and_grad(loss, wl=[1.55], parameters=["x.loss_dB"], x={"loss_dB": SMALL_DB})
    assert slopes["x.loss_dB"] == pytest.approx(near["x.loss_dB"], rel=1e-4)


@pytest.mark.parametrize("seed", range(1, 400, 7))
def test_derivatives_of_any_lossless_circuit_are_those_of_small_loss(seed: int) -> None:
    scales = smooth_settings(random_net(seed, 0.0))
    names, scale = list(scales), np.array(list(scales.values())).reshape(-1, 1, 1, 1)
    if not names:
        return  # nothing but numerical parts
    found = slopes_of(random_net(seed, 0.0), names)
    one, two = (slopes_of(random_net(seed, loss), names) for loss in (SMALL_DB, 2 * SMALL_DB))
    np.testing.assert_allclose(found * scale, (2 * one - two) * scale, atol=1e-4, rtol=1e-4)


def test_derivatives_by_wavelength_beside_a_trapped_mode_are_those_beside_the_resonance() -> None:
    net = crossing_loop(length=20.0)
    net["instances"]["x"]["settings"]["reflection"] = 0.1
    wl = np.array([1.55, 1.55 + 1e-7])
    s = quiet(net, wl)
    for pair in (("a", "a"), ("a", "b")):
        trace = s[pair]
        np.testing.assert_allclose(trace.group_delay[0], trace.group_delay[1], rtol=1e-5)
        np.testing.assert_allclose(trace.dispersion[0], trace.dispersion[1], atol=1e-23)


def test_a_dispersion_without_limit_is_not_a_number_with_a_warning() -> None:
    # Two couplers of 1/2 cross all light over, so that a loop between their crossed ends is dark on
    # resonance (the crossing adds pi/2, the loop takes it). Unequal arms let light in beside that.
    def guide(waves: float) -> dict[str, Any]:
        return {"component": "straight", "settings": {"neff": 2.0, "ng": 2.0, "length": waves * 1.55 / 2.0}}

    half = {"component": "coupler", "settings": {"coupling": 0.5}}
    arms = {"up": guide(6), "low": guide(2), "loop": guide(1.75)}
    net: dict[str, Any] = {
        "instances": {"c": half, "d": half, **arms},
        "connections": {
            "c,o4": "low,o1",
            "low,o2": "d,o1",
            "c,o3": "up,o1",
            "up,o2": "d,o2",
            "d,o3": "loop,o1",
            "loop,o2": "c,o1",
        },
        "ports": {"in": "c,o2", "out": "d,o4"},
    }
    s = quiet(net, [1.55])
    with pytest.warns(PhotosimWarning, match=r"traps light without loss at 1\.55 um.*are not finite"):
        delay = s["in", "out"].group_delay
    assert np.isnan(delay).all()
    net["instances"]["up"] = guide(2)  # equal arms: dark at all wavelengths, and no delay but the arms'
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        delay = quiet(net, [1.55])["in", "out"].group_delay
    assert delay == pytest.approx(2 * 1.55 / 299_792_458.0e6, rel=1e-9)

"""Ready-made losses: their values, and their gradients against central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError

WL = np.linspace(1.54, 1.56, 21)
NET = {"instances": {"ring": {"component": "ring_double", "settings": {"radius": 10.0, "coupling": 0.2}}},
       "ports": {"in": "ring,o1", "drop": "ring,o2", "add": "ring,o3", "through": "ring,o4"}}  # fmt: skip
LOSSES = {
    "power": ps.losses.power([("in", "drop"), ("add", "through")]),
    "target": ps.losses.target_spectrum(("in", "drop"), np.linspace(0.0, 1.0, 21)),
    "flat": ps.losses.flatness(("in", "through")),
    "masked": ps.losses.target_spectrum(
        ("in", "drop"), np.r_[np.nan, np.full(20, 0.5)], mask=np.arange(21) > 0
    ),
    "weighted": ps.losses.flatness(("in", "drop"), weights=np.linspace(0.0, 1.0, 21)),
    "band": ps.losses.power([("in", "drop")], band=(1.546, 1.553)),
    "dB": ps.losses.target_dB(("in", "drop"), -3.0, band=(1.546, 1.553), floor=-20.0),
    "matrix": ps.losses.target_matrix(
        ["drop", "through"], ["in"], np.array([[0.5j], [0.5]]), weights=np.arange(21)
    ),
    "total": ps.losses.total((0.3, ps.losses.flatness(("in", "drop"))), ps.losses.power([("in", "through")])),
}


LIST: list[Any] = [3.0]
PAIR = ("in", "drop")


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_of_ready_losses(name: str) -> None:
    circuit = ps.Circuit(NET)
    loss = LOSSES[name]
    _, gradient = circuit.value_and_grad(loss, wl=WL, parameters=["ring.coupling"])
    step = 1e-6
    ahead, behind = (loss(circuit(WL, ring={"coupling": 0.2 + d}))[0] for d in (step, -step))
    assert gradient["ring.coupling"] == pytest.approx((ahead - behind) / (2 * step), rel=1e-6)


def test_values_of_ready_losses() -> None:
    s = ps.Circuit(NET)(WL)
    drop = s["in", "drop"].power
    assert LOSSES["power"](s)[0] == pytest.approx(drop.mean() + s["add", "through"].power.mean())
    assert LOSSES["target"](s)[0] == pytest.approx(np.mean((drop - np.linspace(0.0, 1.0, 21)) ** 2))
    assert LOSSES["flat"](s)[0] == pytest.approx(np.var(s["in", "through"].power))


def test_a_target_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"has shape \(3,\), but the sweep has 21 wavelengths"):
        ps.losses.target_spectrum(("in", "drop"), [0.0, 0.5, 1.0])(ps.Circuit(NET)(WL))


def test_masks_weights_and_bands_are_means_over_what_counts() -> None:
    s = ps.Circuit(NET)(WL)
    drop, inside = s["in", "drop"].power, (WL >= 1.546) & (WL <= 1.553)
    assert LOSSES["band"](s)[0] == pytest.approx(drop[inside].mean())
    assert LOSSES["masked"](s)[0] == pytest.approx(np.mean((drop[1:] - 0.5) ** 2))
    weights = np.linspace(0.0, 1.0, 21)
    mean = np.average(drop, weights=weights)
    assert LOSSES["weighted"](s)[0] == pytest.approx(np.average((drop - mean) ** 2, weights=weights))
    level = 10.0 * np.log10(np.maximum(drop[inside], 0.01))
    assert LOSSES["dB"](s)[0] == pytest.approx(np.mean((level + 3.0) ** 2))
    batch = ps.Circuit(NET)(WL, ring={"coupling": np.array([0.1, 0.2])})
    for loss in LOSSES.values():
        value, cotangent = loss(batch)
        alone = [loss(ps.Circuit(NET)(WL, ring={"coupling": c}))[0] for c in (0.1, 0.2)]
        assert value == pytest.approx(np.mean(alone))
        assert cotangent.shape == batch.values.shape


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: ps.losses.target_spectrum(("in", "drop"), [0.0, np.nan]), "finite, but entry 1 is not"),
        (lambda: ps.losses.target_dB(("in", "drop"), np.inf), "wanted must be finite"),
        (lambda: ps.losses.target_matrix(["drop"], ["in"], [[np.nan]]), "wanted must be finite numbers"),
        (lambda: ps.losses.target_matrix(["drop"], ["in"], [1.0]), r"of shape \(1, 1\) or \(W, 1, 1\), got"),
        (lambda: ps.losses.power([("in", "drop")], mask=[1, 0]), "mask must be True or False for each"),
        (lambda: ps.losses.power([("in", "drop")], weights=[-1.0]), "weights must be finite numbers from 0"),
        (lambda: ps.losses.power([("in", "drop")], weights=[0.0]), "exclude every wavelength"),
        (lambda: ps.losses.power([("in", "drop")], band=(2, 1)), "band must be"),
        (lambda: ps.losses.total(*LIST), r"terms are losses or \(factor, loss\), .*got 3"),
        (lambda: ps.losses.total((np.nan, ps.losses.flatness(PAIR))), "factors finite, got"),
        (lambda: ps.losses.target_dB(PAIR, -3.0, floor=np.nan), "floor must be a finite number in dB"),
        (lambda: ps.losses.power([]), "at least one"),
        (
            lambda: ps.losses.target_matrix(["dropp"], ["in"], [[1.0]])(ps.Circuit(NET)(WL)),
            "no port 'dropp'.*Did you mean 'drop'",
        ),
        (
            lambda: ps.losses.flatness(("in", "drop"), band=(1.0, 1.1))(ps.Circuit(NET)(WL)),
            "no wavelength of",
        ),
        (
            lambda: ps.losses.flatness(("in", "drop"), mask=[True])(ps.Circuit(NET)(WL)),
            "have 1 wavelengths, but",
        ),
    ],
)
def test_wrong_losses_are_one_sentence(make: Any, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        make()


GOALS: dict[str, Any] = {
    "power": lambda **how: ps.losses.power([PAIR], **how),
    "target_spectrum": lambda **how: ps.losses.target_spectrum(PAIR, 0.5, **how),
    "target_dB": lambda **how: ps.losses.target_dB(PAIR, -3.0, **how),
    "target_matrix": lambda **how: ps.losses.target_matrix(["drop"], ["in"], [[0.5]], **how),
    "flatness": lambda **how: ps.losses.flatness(PAIR, **how),
}


@pytest.mark.parametrize("name", GOALS)
@pytest.mark.parametrize(
    "how",
    [
        {"mask": [True, np.nan]},
        {"mask": np.ma.masked_array([True, True], [False, True])},
        {"weights": [1.0, np.nan]},
        {"weights": [1.0, np.inf]},
        {"weights": np.ma.masked_array([1.0, 1.0], [False, True])},
        {"band": (np.nan, 1.55)},
        {"band": (1.5, np.nan)},
    ],
    ids=str,
)
def test_what_is_not_a_number_is_refused_wherever_a_loss_takes_one(name: str, how: Any) -> None:
    with pytest.raises(ParameterError, match=f"{name}: {next(iter(how))} must be"):
        GOALS[name](**how)


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf, np.ma.masked])
def test_targets_with_holes_are_refused_unless_masked(hole: Any) -> None:
    wanted = np.ma.array([0.5] * 21) if hole is np.ma.masked else np.full(21, 0.5)
    wanted[3] = hole
    for make in (ps.losses.target_spectrum, ps.losses.target_dB):
        with pytest.raises(ParameterError, match="wanted must be"):
            make(PAIR, wanted)
    matrices = wanted.reshape(21, 1, 1).astype(np.complex128)
    with pytest.raises(ParameterError, match="wanted must be"):
        ps.losses.target_matrix(["drop"], ["in"], matrices)
    if hole is not np.ma.masked:  # out of what counts a hole may stay
        mask = np.arange(21) != 3
        s = ps.Circuit(NET)(WL)
        losses = [make(PAIR, wanted, mask=mask) for make in (ps.losses.target_spectrum, ps.losses.target_dB)]
        losses.append(ps.losses.target_matrix(["drop"], ["in"], matrices, mask=mask))
        for loss in losses:
            value, cotangent = loss(s)
            assert np.isfinite(value)
            assert np.isfinite(cotangent).all()

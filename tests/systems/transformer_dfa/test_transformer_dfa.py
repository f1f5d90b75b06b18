"""A Transformer by optical feedback, in small: rules, worse optics, and the scaling against roots."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from photosim.systems import Options, reproduce
from photosim.systems.harness.system import Outcome
from photosim.systems.transformer_dfa import scaling
from photosim.systems.transformer_dfa.runs import RULES, SMALL, medium, train
from photosim.systems.transformer_dfa.system import SYSTEM, order
from photosim.training.devices import ScatteringMedium

MANUAL = Options("manual", None, 1, quick=True)
TINY = replace(SMALL, epochs=2, samples=384, judged=32, aligned=5)


def once(name: str, **settings: Any) -> dict[str, Any]:
    return train(MANUAL, TINY, name, 0, None, lambda _done, _total: None, **settings)


def test_the_netlist_has_the_light_that_it_states() -> None:
    device = medium(SMALL, 65, 1)
    chain = device.chain
    electrons = chain.camera.electrons_per_watt(chain.wl)
    assert electrons == pytest.approx(643e12, rel=0.01)
    alone = np.mean(np.abs(chain.fields(np.eye(65))) ** 2) * electrons
    assert alone == pytest.approx(13.4, rel=0.1)
    assert abs(chain.reference_at_pixel) ** 2 * electrons == pytest.approx(1694.0, rel=0.01)


def test_worse_optics_cost() -> None:
    """The product errs more with less light or fewer bits."""
    rng = np.random.default_rng(0)
    errors = np.zeros((400, 48))
    errors[np.arange(400), rng.integers(0, 48, 400)] = -1.0

    def cosine(device: ScatteringMedium) -> float:
        a, b = device.apply(errors).ravel(), (errors @ device.matrix().T).ravel()
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    dim, dark, coarse = {"laser": {"power": 2e-4}}, {"laser": {"power": 2e-5}}, {"camera": {"bits": 2}}
    settings: list[dict[str, Any]] = [{}, dim, dark, coarse]
    found = [cosine(medium(SMALL, 48, 1, **own)) for own in settings]
    assert 1.0 > found[0] > 0.95
    assert found[0] - 0.05 > found[1] > found[2] + 0.1
    assert found[3] < found[0] - 0.2


def test_noise_of_the_optics_costs(found: dict[str, dict[str, Any]]) -> None:
    """A thousandth of the light, on a fine converter: updates of feedback that is nearly all noise stray.

    The loss of so small a run tells it on one text and not on another, and each Python has its own manual.
    """
    noisy = once("optical", laser={"power": 2e-6}, camera={"bits": 14})
    assert np.mean(noisy["cosine"]) < np.mean(found["optical"]["cosine"]) - 0.1


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, Any]]:
    """One small run of the rules that differ most."""
    return {name: once(name) for name in ("backprop", "ternary", "optical")}


def test_the_medium_does_what_exact_products_do(found: dict[str, dict[str, Any]]) -> None:
    assert found["backprop"]["loss"] < found["ternary"]["loss"]
    assert found["optical"]["loss"] == pytest.approx(found["ternary"]["loss"], abs=0.1)
    assert found["optical"]["loss"] < np.log(40.0)
    for name in ("ternary", "optical"):
        assert np.mean(found[name]["cosine"]) > 0.05
        # In the mean of the blocks: the text is that of this Python, and a run this small scatters by 0.1.
        assert np.mean(found[name]["cosine"]) > np.mean(found[name]["redrawn"])


def test_the_work_of_the_optics_is_counted(found: dict[str, dict[str, Any]]) -> None:
    own = found["optical"]
    most = 4 * 2 * 384 * 32
    assert own["frames"] == pytest.approx(most * (1 - own["skipped"] / 100.0))
    assert own["minutes"] == pytest.approx(own["frames"] * 500e-6 / 60.0)
    assert own["light_J"] == pytest.approx(2e-3 * 0.99 * own["frames"] * 500e-6, rel=1e-2)
    assert own["tokens"] == 2 * 384 * 32
    assert len(own["text"]) == 200


def test_the_crossover_is_where_the_two_times_are_equal() -> None:
    for own in (
        scaling.BASE,
        scaling.OFFLOADED,
        replace(scaling.BASE, overlap=0.7),
        replace(scaling.OFFLOADED, tiles=3, projected=0.1, overlap=1.0, tokens=100.0),
    ):
        root = brentq(lambda p, own=own: own.backprop(p) - own.feedback(p), 1.0, 1e15, xtol=1.0, rtol=1e-12)
        assert own.crossover() == pytest.approx(root, rel=1e-9)
    # F frames / (2 f) where every token is projected: tokens cancel.
    assert scaling.BASE.crossover() == pytest.approx(1e14 * 4 / (2 * 2000.0))
    assert pytest.approx(650.0, rel=0.001) == scaling.IMPLIED
    assert len(scaling.table().rows) == 11


def test_the_order_is_told_only_beyond_two_standard_errors() -> None:
    def outcome(**losses: list[float]) -> Outcome:
        return Outcome({name: {k: {"loss": v} for k, v in enumerate(own)} for name, own in losses.items()})

    same = {"ternary": [2.5, 2.6, 2.4], "optical": [2.55, 2.6, 2.4]}
    table = order(outcome(backprop=[1.5, 1.6, 1.4], dfa=[2.0, 2.1, 2.2], frozen=[1.9, 1.9, 2.0], **same))
    assert table is not None
    assert [row[-1] for row in table.rows] == ["yes", "yes", "not distinguished", "reversed"]
    assert order(outcome(backprop=[1.5])) is None


def test_the_system_runs_in_small(tmp_path: Path) -> None:
    """All cases of one seed, no data folder; a second call computes nothing."""
    options = SYSTEM.options(quick=True, seeds=1)
    assert options.data == "manual"
    reproduction = reproduce(SYSTEM, options, tmp_path)
    rows = {row[0]: row for row in reproduction.table().rows}
    assert all(rows[f"held-out loss, {label}"][6] == 1 for label in RULES.values())
    assert rows["cross-over, no offloading"][2] == "not comparable"
    assert {table.title for table in reproduction.tables()} >= {"Alignment with the exact gradient"}
    seen: list[str] = []
    reproduce(SYSTEM, options, tmp_path, progress=lambda name, _done, _total: seen.append(name))
    assert not seen

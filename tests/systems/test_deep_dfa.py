"""Very deep dense networks: their start, feedback that reaches all layers, and what the netlist decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.systems import find_system
from photosim.systems.deep_dfa import SMALL, network_of, time_steps, train
from photosim.systems.harness.data import samples
from photosim.training.devices import Digital
from photosim.training.losses import CLASSIFICATION
from photosim.training.passes import run
from photosim.training.rules import DFA, SegmentedDFA

RECIPE = replace(SMALL, width=32, epochs=8)


def test_signals_reach_the_end_of_a_hundred_layers() -> None:
    network = network_of(20, 10, 100, 256)
    rng = np.random.default_rng(0)
    forward, _ = run(
        network, network.initial(rng), rng.standard_normal((8, 20)), np.zeros(8, int), CLASSIFICATION
    )
    sizes = [float(np.sqrt(np.mean(trace.outputs**2))) for trace in forward.traces[:-1]]
    # At criticality the size falls as 1/sqrt(2 depth), by no exponential (poole2016).
    assert sizes[-1] == pytest.approx(1 / np.sqrt(2 * 100), rel=0.3)


def test_one_product_reaches_every_layer() -> None:
    network = network_of(5, 3, 4, 6)
    rng = np.random.default_rng(1)
    parameters = network.initial(rng)
    device = Digital(rng.standard_normal((6, 3)))
    x, y = rng.standard_normal((7, 5)), rng.integers(3, size=7)
    forward, _ = run(network, parameters, x, y, CLASSIFICATION)
    one, other = SegmentedDFA((device,), (0, 1, 2, 3)).updates(forward), DFA((device,) * 4).updates(forward)
    for mine, wanted in zip(one, other, strict=True):
        assert mine is not None
        assert wanted is not None
        for name, values in mine.items():
            np.testing.assert_allclose(values, wanted[name], rtol=1e-12)


def trained(tmp_path: Path, netlist: str = "opu") -> dict[str, Any]:
    options = find_system("deep-dfa").options(quick=True, netlists=[netlist])
    file = tmp_path / f"{Path(netlist).stem}.npz"
    return train(options, RECIPE, 10, "optical", 0, file, lambda _done, _total: None)


def test_the_netlist_decides_the_result(tmp_path: Path) -> None:
    text = Path(ps.netlist.find("opu")).read_text(encoding="utf-8")
    dark = tmp_path / "dark.yml"
    dark.write_text(text.replace("power: 1.0e-3", "power: 1.0e-8"), encoding="utf-8")
    lit, found = trained(tmp_path), trained(tmp_path, str(dark))
    assert lit["accuracy"] > found["accuracy"] + 10.0
    assert lit["accuracy"] > 70.0
    data = samples(find_system("deep-dfa").options(quick=True)).train
    assert 0 < lit["frames"] <= 4 * RECIPE.epochs * len(data)


def test_both_rules_are_timed_in_turns(tmp_path: Path) -> None:
    options = find_system("deep-dfa").options(quick=True)
    found = time_steps(options, RECIPE, 10, 0, tmp_path / "none.npz", lambda _done, _total: None)
    assert min(found.values()) > 0.0
    assert 0.2 < found["ratio"] * found["fed_ms"] / found["exact_ms"] < 5.0

"""Yields against closed formulas: linear metrics, correlated fields, rings, rare failures, bad questions."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import qmc
from typer.testing import CliRunner

import photosim as ps
from photosim import runner
from photosim.analysis.yields import field, normals
from photosim.analysis.yields.run import make
from photosim.analysis.yields.specification import read_specification
from photosim.analysis.yields.tables import wilson
from photosim.cli.questions import app
from photosim.files import datasets

RING = {
    "component": "ring_double",
    "settings": {"radius": 10.0, "coupling": 0.03, "neff": 2.44553, "ng": 4.19088},
}
WL = "1.5495:1.5505:5"
LOSS = [{"quantity": "power_dB", "from": "in", "to": "out", "window": [1.5496, 1.5504], "at_least": -3.0}]


def chain(lengths: list[float]) -> ps.Circuit:
    """Guides in a row, whose loss in dB is linear in the loss of each."""
    names = [f"g{k}" for k in range(len(lengths))]
    return ps.Circuit(
        {
            "instances": {
                n: {"component": "straight", "settings": {"length": x, "loss_dB_cm": 2.0}}
                for n, x in zip(names, lengths, strict=True)
            },
            "connections": {f"{a},o2": f"{b},o1" for a, b in pairwise(names)},
            "ports": {"in": "g0,o1", "out": f"{names[-1]},o2"},
        }
    )


def test_a_linear_metric_is_attributed_to_rounding() -> None:
    sigmas = {"g0.loss_dB_cm": 0.1, "g1.loss_dB_cm": 0.3, "g2.loss_dB_cm": 0.05}
    circuit = chain([100.0, 50.0, 200.0])
    data = ps.montecarlo(
        circuit,
        {"settings": {n: {"sigma": s} for n, s in sigmas.items()}},
        wl=WL,
        specification=LOSS,
        samples=500,
    )
    shares = np.array([0.1 * 0.01, 0.3 * 0.005, 0.05 * 0.02]) ** 2
    assert data.variance_by_part.values[0] == pytest.approx(shares, rel=1e-6)
    assert float(data.variance_first_order[0]) == pytest.approx(shares.sum(), rel=1e-6)
    assert float(data.nominal[0]) == pytest.approx(-0.07, abs=1e-6)
    assert float(data.variance_rest[0]) == pytest.approx(float(data.variance[0]) - shares.sum(), abs=1e-15)


def test_a_shared_name_is_one_draw() -> None:
    circuit = chain([1e4, 1e4])
    each = {"sigma": 0.2}
    apart = {"settings": {"g0.loss_dB_cm": each, "g1.loss_dB_cm": each}}
    shared = {"settings": {n: {**each, "draw": "process"} for n in ("g0.loss_dB_cm", "g1.loss_dB_cm")}}
    found = [
        ps.montecarlo(circuit, v, wl=WL, specification=LOSS, samples=64, method="sobol")
        for v in (apart, shared)
    ]
    assert float(found[0].variance_first_order[0]) == pytest.approx(2 * 0.04, rel=1e-6)
    assert float(found[1].variance_first_order[0]) == pytest.approx(4 * 0.04, rel=1e-6)


def test_yield_of_a_linear_metric_and_its_interval() -> None:
    circuit = chain([1e4])
    limit = [{**LOSS[0], "at_least": -2.3}]
    variation = {"settings": {"g0.loss_dB_cm": {"sigma": 0.2}}}
    expected = float(ndtr(0.3 / 0.2))
    inside = 0
    for seed in range(40):
        data = ps.montecarlo(circuit, variation, wl=WL, specification=limit, samples=400, seed=seed)
        inside += float(data["yield_low"]) <= expected <= float(data["yield_high"])
    assert inside >= 34  # 95 % of 40 is 38
    exact = ps.montecarlo(circuit, variation, wl=WL, specification=limit, samples=4096, method="sobol")
    assert float(exact["yield"]) == pytest.approx(expected, abs=2e-3)


def test_wilson_has_published_values() -> None:
    # brown2001, "Interval estimation for a binomial proportion": score interval of 0 and 5 of 10.
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)


def test_distributions_have_their_moments() -> None:
    circuit = chain([1e4])
    for entry, mean, std in (
        ({"distribution": "uniform", "low": 1.0, "high": 3.0}, 2.0, 2 / np.sqrt(12)),
        (
            {"distribution": "lognormal", "sigma": 0.1},
            2 * np.exp(0.005),
            2 * np.exp(0.005) * np.sqrt(np.expm1(0.01)),
        ),
        ({"distribution": "truncated", "sigma": 1.0, "low": 1.0, "high": 3.0}, 2.0, np.sqrt(0.2911)),
        ({"mean": 3.0, "sigma": 0.1}, 3.0, 0.1),
    ):
        data = ps.montecarlo(
            circuit,
            {"settings": {"g0.loss_dB_cm": entry}},
            wl=WL,
            specification=LOSS,
            samples=4096,
            method="sobol",
        )
        assert -float(data["mean"][0]) == pytest.approx(mean, rel=2e-3)
        assert float(data["std"][0]) == pytest.approx(std, rel=5e-3)


# --- the local field -------------------------------------------------------------------------------------


def test_a_straight_guide_averages_the_field() -> None:
    line, length = np.array([[0.0, 0.0], [5000.0, 0.0]]), 100.0
    share = field.correlation([line], length)[0, 0]
    x = 5000.0 / length
    exact = np.sqrt(np.pi) / x - (1 - np.exp(-(x**2))) / x**2  # erf(50) is 1
    assert share == pytest.approx(exact, rel=1e-9)
    assert share == pytest.approx(np.sqrt(np.pi) * length / 5000.0, rel=0.02)


@pytest.mark.parametrize(("whole", "length"), [(5000.0, 1.0), (1e5, 10.0)])
def test_many_correlation_lengths_are_as_exact(whole: float, length: float) -> None:
    share = field.correlation([np.array([[0.0, 0.0], [whole, 0.0]])], length)[0, 0]
    x = whole / length
    assert share == pytest.approx(np.sqrt(np.pi) / x - 1 / x**2, rel=1e-9)


def test_lines_of_many_points_against_all_pairs() -> None:
    """Chunks that are far apart are left out, and those at the end of one line are shorter than others."""
    rng = np.random.default_rng(0)
    lines = [rng.uniform(0.0, 400.0, (corners, 2)) for corners in (2, 5, 1, 3)]
    length = 8.0
    samples = [field.sampled(line, length) for line in lines]
    expected = [
        [a @ np.exp(-((p[:, np.newaxis] - q) ** 2).sum(axis=-1) / length**2) @ b for q, b in samples]
        for p, a in samples
    ]
    assert max(len(points) for points, _ in samples) > 1000
    assert np.allclose(field.correlation(lines, length), expected, rtol=1e-12, atol=1e-15)


def test_a_correlation_length_too_short_for_the_lines_is_refused() -> None:
    variation = {"width": {"local": 1e-3}, "correlation_length": 1e-4, "places": {"g0": [[0, 0], [1000, 0]]}}
    with pytest.raises(ps.PhotosimError, match=r"lines of 1000 um in all: give 0\.032 um or more"):
        ps.montecarlo(chain([1000.0]), variation, wl=WL, specification=LOSS, samples=16)


def test_a_coiled_guide_does_not() -> None:
    coil = field.coil(5000.0, 3.0)
    assert np.linalg.norm(np.diff(coil, axis=0), axis=1).sum() == pytest.approx(5000.0, rel=0.01)
    assert np.ptp(coil, axis=0).max() < 200.0
    assert field.correlation([coil], 1000.0)[0, 0] > 0.9


def test_correlation_of_points_and_its_factor() -> None:
    points = [np.array([[x, 0.0]]) for x in (0.0, 0.0, 50.0, 1e5)]
    found = field.correlation(points, 100.0)
    expected = np.exp(-(np.subtract.outer([0, 0, 50, 1e5], [0, 0, 50, 1e5]) ** 2) / 1e4)
    assert np.allclose(found, expected)
    f = field.factor(found)
    assert f.shape[1] == 3  # two points coincide
    assert np.allclose(f @ f.T, expected, atol=1e-9)


@pytest.mark.parametrize(("distance", "factor"), [(0.0, 0.0), (1e5, np.sqrt(2))])
def test_two_rings(distance: float, factor: float) -> None:
    circuit = ps.Circuit(
        {
            "instances": {"a": RING, "b": RING},
            "ports": {"ia": "a,in", "da": "a,drop", "ib": "b,in", "db": "b,drop"},
            "terminate": ["a,add", "b,add", "a,through", "b,through"],
        }
    )
    spec = [
        {"quantity": "resonance", "from": f"i{n}", "to": f"d{n}", "within": [1.5, 1.6]} for n in ("a", "b")
    ]
    variation = {
        "width": {"local": 2e-4},
        "correlation_length": 1000.0,
        "places": {"a": [0, 0], "b": [distance, 0]},
    }
    data = ps.montecarlo(
        circuit, variation, wl="1.5502:1.5522:201", specification=spec, samples=1024, method="sobol"
    )
    a, b = data["value"].values
    assert np.std(a - b) == pytest.approx(factor * np.std(a), rel=0.03, abs=1e-12)
    # d lambda = lambda (dneff/dw) dw/ng, both halves of a ring at one place
    assert np.std(a) == pytest.approx(1.5512 * 1.581 * 2e-4 / 4.185, rel=0.02)


def test_gap_and_width_of_a_coupler_are_tied() -> None:
    circuit = ps.Circuit({"instances": {"r": RING}, "ports": {"in": "r,in", "drop": "r,drop"},
                          "terminate": ["r,add", "r,through"]})  # fmt: skip
    spec = [{"quantity": "bandwidth_3dB", "from": "in", "to": "drop", "at_most": 1.0}]
    made = make(
        circuit,
        {"width": {"local": 3e-3}, "gap": {"local": 5e-3}},
        spec,
        "1.5502:1.5522:201",
        False,
        None,
        {},
        None,
    )
    draws = made.judge.draws
    covariance = draws.mixing @ draws.mixing.T
    names = [(i.part, i.quantity) for i in draws.items]
    gap = names.index(("r.cb", "gap"))
    assert covariance[gap, gap] == pytest.approx(25e-6)
    tied = made.judge.draws.sources[0]
    assert tied.quantity == "width"
    assert tied.matrix is not None
    assert np.sort(tied.matrix[gap])[0] == pytest.approx(-3e-3)


# --- a ring filter ---------------------------------------------------------------------------------------

SPEC: list[dict[str, Any]] = [
    {"name": "centre", "quantity": "resonance", "from": "in", "to": "drop", "within": [1.5502, 1.5522]},
    {"name": "band", "quantity": "bandwidth_3dB", "from": "in", "to": "drop", "at_most": 1.0e-4},
    {"name": "loss", "quantity": "insertion_loss_dB", "from": "in", "to": "drop", "at_most": 0.6},
]
FOLLOWED: dict[str, Any] = {"wl": "1.55072:1.55172:101", "specification": SPEC, "follow": True}


def test_a_window_that_follows_says_what_a_wide_one_says() -> None:
    circuit, variation = ps.load("add_drop_ring"), {"width": 5e-4, "gap": 5e-3}
    wide = ps.montecarlo(circuit, variation, wl="1.5472:1.5552:2001", specification=SPEC, samples=64, seed=2)
    near = ps.montecarlo(circuit, variation, samples=64, seed=2, **FOLLOWED)
    assert np.abs(wide["value"][0] - near["value"][0]).max() < 1e-9
    assert np.allclose(wide["value"][2], near["value"][2], atol=1e-4)


def test_first_order_and_rest_make_the_variance() -> None:
    circuit, variation = ps.load("add_drop_ring"), {"width": {"die": 1e-3}, "gap": {"local": 5e-3}}
    data = ps.montecarlo(circuit, variation, samples=2**14, method="sobol", **FOLLOWED)
    other = ps.montecarlo(circuit, variation, samples=20_000, seed=99, **FOLLOWED)
    both = data.variance_first_order + data.variance_rest
    assert np.allclose(both, other.variance, rtol=0.03)
    assert np.allclose(data.variance_by_level.sum("level"), data.variance_first_order)
    assert np.allclose(data.variance_by_part.sum("part"), data.variance_first_order)
    indices = ps.montecarlo(circuit, variation, samples=64, sobol=1024, **FOLLOWED)
    share = data.variance_by_quantity / data.variance_first_order
    for group, quantity in (("die width", "width"), ("local gap", "gap")):
        assert np.allclose(indices.sobol_first.sel(group=group), share.sel(quantity=quantity), atol=0.05)


def test_couplings_stay_passive() -> None:
    circuit = ps.load("add_drop_ring")
    spec = [{"quantity": "insertion_loss_dB", "from": "in", "to": "drop", "at_most": 10.0}]
    data = ps.montecarlo(
        circuit, {"gap": 0.1}, samples=256, wl=FOLLOWED["wl"], specification=spec, follow=True
    )
    known = data["value"].values[np.isfinite(data["value"].values)]
    assert known.size > 200
    assert known.min() >= 0.0


def test_a_seed_means_the_same_bits_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("PHOTOSIM_THREADS", threads)
        circuit = ps.load("add_drop_ring")
        found.append(ps.montecarlo(circuit, {"width": 1e-3, "gap": 5e-3}, samples=10_000, seed=5, **FOLLOWED))
    assert all(found[0].equals(other) for other in found[1:])


def test_sobol_draws_have_less_variance() -> None:
    circuit = chain([1e4] * 8)
    variation = {"settings": {f"g{k}.loss_dB_cm": {"sigma": 0.1} for k in range(8)}}
    means = {}
    for method in ("random", "sobol"):
        means[method] = [
            float(
                ps.montecarlo(
                    circuit, variation, wl=WL, specification=LOSS, samples=512, method=method, seed=seed
                )["mean"][0]
            )
            for seed in range(12)
        ]
    assert np.var(means["sobol"]) * 20 < np.var(means["random"])


def test_chunks_are_one_sequence() -> None:
    whole = np.concatenate([z for _, z in normals.Normals(2 * normals.CHUNK + 100, 3, 7, "sobol").chunks()])
    engine = qmc.Sobol(3, scramble=True, seed=7)
    expected = engine.random_base2(15)[: len(whole)]
    assert np.allclose(ndtr(whole), expected, atol=1e-12)


def test_rare_failures_have_the_known_probability() -> None:
    circuit = chain([1e4, 1e4, 1e4])
    variation = {"settings": {f"g{k}.loss_dB_cm": {"sigma": 0.1} for k in range(3)}}
    limit = -6.0 - 0.1 * np.sqrt(3) * 4.2649  # one in 1e5
    spec = [{**LOSS[0], "at_least": limit}]
    estimates, inside = [], 0
    for seed in range(20):
        data = ps.montecarlo(
            circuit, variation, wl=WL, specification=spec, samples=2000, seed=seed, rare=True
        )
        estimates.append(float(data.failure))
        inside += float(data.failure_low) <= 1e-5 <= float(data.failure_high)
    assert np.mean(estimates) == pytest.approx(1e-5, rel=0.05)
    assert np.std(estimates) < 0.25e-5
    assert inside >= 17


def test_tuning_brings_rings_back() -> None:
    circuit = ps.load("add_drop_ring")
    spec = [
        {"quantity": "resonance", "from": "in", "to": "drop", "near": 1.5512, "within": [1.55115, 1.55129]}
    ]
    tuning = {"heaters": ["ring.phase"], "power_per_pi": 0.02, "points": 41}
    ask: dict[str, Any] = {"wl": "1.5460:1.5565:401", "specification": spec, "samples": 40}
    free = ps.montecarlo(circuit, {"width": 1e-3}, tuning=tuning, **ask)
    assert float(free["yield"]) < 0.3
    assert float(free.tuned_yield) > 0.9
    assert float(free.tuning_power.max()) <= 0.04 + 1e-12
    cold = free.passed.values
    assert np.array_equal(free.tuning_power.values[cold], np.zeros(cold.sum()))
    small = ps.montecarlo(circuit, {"width": 1e-3}, tuning={**tuning, "budget": 0.002}, **ask)
    assert float(small["yield"]) <= float(small.tuned_yield) < float(free.tuned_yield)
    assert float(small.tuning_power.max()) <= 0.002 + 1e-12


# --- questions that have no answer ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variation", "more", "words"),
    [
        ({}, {}, "Nothing varies"),
        ({"widht": 1e-3}, {}, "Did you mean 'width'"),
        ({"width": -1.0}, {}, "a number from 0 on"),
        ({"width": {"waver": 1e-3}}, {}, "Did you mean 'wafer'"),
        ({"width": 0.2}, {}, "the variation of width"),
        ({"settings": {"ring.radus": {"sigma": 0.1}}}, {}, "Did you mean 'ring.radius'"),
        ({"settings": {"ring.radius": {"sigma": 5.0}}}, {}, "leaves its bounds"),
        ({"settings": {"ring.coupling": {"sigma": 0.01}}}, {}, "vary gap and width"),
        ({"settings": {"ring.radius": {"distribution": "uniform", "low": 3.0}}}, {}, "needs low and high"),
        ({"width": {"local": 1e-3}, "correlation_length": 100.0}, {}, "needs the place of every part"),
        ({"width": {"local": 1e-3}, "correlation_length": 100.0, "places": {"rng": [0, 0]}}, {}, "'ring'"),
        ({"width": 1e-3}, {"specification": []}, "has no specification"),
        ({"width": 1e-3}, {"specification": [{**SPEC[1], "quantity": "bandwith_3dB"}]}, "bandwidth_3dB"),
        ({"width": 1e-3}, {"specification": [{**SPEC[1], "to": "dorp"}]}, "dorp"),
        ({"width": 1e-3}, {"specification": [{"quantity": "q", "from": "in", "to": "drop"}]}, "at_least"),
        (
            {"width": 1e-3},
            {"specification": [{**SPEC[0], "within": [1.3, 1.31]}]},
            "No wavelength of the sweep",
        ),
        ({"width": 1e-3}, {"specification": [SPEC[1], SPEC[1]]}, "two entries are called 'band'"),
        (
            {"width": 1e-3},
            {
                "specification": [
                    {
                        "quantity": "power_dB",
                        "from": "in",
                        "to": "drop",
                        "window": [1.3, 1.31],
                        "at_least": -3,
                    }
                ]
            },
            "No wavelength of the sweep",
        ),
        ({"width": 1e-3}, {"samples": 1}, "2 to"),
        ({"width": 1e-3}, {"method": "sobal"}, "'sobol'"),
        ({"width": 1e-3}, {"tuning": {"heaters": ["ring.phse"]}}, "Did you mean 'ring.phase'"),
    ],
)
def test_bad_questions_get_a_sentence(variation: Any, more: Any, words: str) -> None:
    ask = {"wl": "1.5502:1.5522:101", "specification": SPEC, "samples": 8, **more}
    with pytest.raises(ps.PhotosimError, match=words):
        ps.montecarlo(ps.load("add_drop_ring"), variation, **ask)


def test_command_kind_and_specification_block(tmp_path: Path) -> None:
    text = Path(ps.netlist.find("add_drop_ring")).read_text()
    file = tmp_path / "ring.yml"
    file.write_text(
        text
        + "specification:\n"
        + "  - {name: band, quantity: bandwidth_3dB, from: in, to: drop, at_most: 1.0e-4}\n"
        + "analyses:\n"
        + '  - {kind: yield, wl: "1.55072:1.55172:101", follow: true, samples: 64, '
        + "variation: {width: 1.0e-3, gap: {local: 5.0e-3}}}\n"
    )
    report = runner.run(file, out=tmp_path / "out", seed=3)
    assert {p.name for p in report.files} == {
        "yield_histograms.png", "yield_blame.png", "yield.csv", "results.json",
    }  # fmt: skip
    out = tmp_path / "y.nc"
    done = CliRunner().invoke(app, ["yield", str(file), "--json", "--seed", "3", "--out", str(out)])
    assert done.exit_code == 0, done.output
    numbers = json.loads(done.stdout)
    assert numbers["yield"] == report.numbers["analyses"][0]["yield"]
    assert numbers["specification"][0]["name"] == "band"
    back = datasets.read(out)
    assert float(back["yield"]) == numbers["yield"]
    assert (
        ps.netlist.read(file).specification
        == ps.netlist.read_text(ps.netlist.to_yaml(ps.netlist.read(file))).specification
    )
    done = CliRunner().invoke(
        app, ["yield", "add_drop_ring", "--vary", "width=0.001", "--wl", "1.5502:1.5522:101", "--samples",
              "32", "--spec", "insertion_loss_dB:in:drop:at_most=1", "--json"],
    )  # fmt: skip
    assert json.loads(done.stdout)["samples"] == 32


def test_limits_of_one_pair_are_told_apart_by_window_and_limit() -> None:
    """A demultiplexer has several windows between the same ports; nobody needs to name them."""
    bare = {"quantity": "power_dB", "from": "in", "to": "drop"}
    entries = [
        {**bare, "window": [1.5511, 1.5513], "at_least": -1.0},
        {**bare, "window": [1.5511, 1.5513], "at_most": -0.1},
        {**bare, "window": [1.553, 1.554], "at_most": -20.0},
        {**bare, "to": "through", "at_most": 0.0},
    ]
    found = [entry.label for entry in read_specification(ps.load("add_drop_ring"), entries)]
    assert found == [
        "power_dB in to drop, 1.5511 to 1.5513 um, at least -1 dB",
        "power_dB in to drop, 1.5511 to 1.5513 um, at most -0.1 dB",
        "power_dB in to drop, 1.553 to 1.554 um",
        "power_dB in to through",
    ]
    with pytest.raises(ps.PhotosimError, match="two entries are called"):
        read_specification(ps.load("add_drop_ring"), [entries[0], entries[0]])

"""Fits of synthetic and measured spectra: settings come back, and what the data cannot tell is named."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.analysis.fits.columns import spectra_of
from photosim.analysis.fits.parameters import read_parameters
from photosim.analysis.fits.problem import Powers, Problem
from photosim.analysis.fits.result import FitResult, write
from photosim.cli.questions import app
from photosim.errors import ParameterError, PhotosimError
from photosim.files.measured import measured_of

MZI = {"delta_length": 120.0, "neff": 2.40, "ng": 4.25, "first": 0.42, "second": 0.55}


def mzi(**settings: Any) -> ps.Circuit:
    """Return an interferometer of two couplers, named by what it may be off in."""
    values = {"delta_length": 120.0, "neff": 2.39, "ng": 4.2, "first": 0.5, "second": 0.5} | settings
    guide = {"neff": "neff", "ng": "ng", "loss_dB_cm": 0.0}
    return ps.Circuit(
        {
            "name": "chip",
            "settings": values,
            "instances": {
                "a": {"component": "coupler", "settings": {"coupling": "first"}},
                "b": {"component": "coupler", "settings": {"coupling": "second"}},
                "short": {"component": "straight", "settings": {"length": 5.0, **guide}},
                "long": {"component": "straight", "settings": {"length": "5.0 + delta_length", **guide}},
            },
            "connections": {
                "a,out0": "short,o1",
                "a,out1": "long,o1",
                "short,o2": "b,in0",
                "long,o2": "b,in1",
            },
            "ports": {"in": "a,in0", "bar": "b,out0", "cross": "b,out1"},
            "terminate": ["a,in1"],
        }
    )


def ring(kind: str, **settings: Any) -> ps.Circuit:
    """Return a ring with all its ports."""
    ports = ("in", "through") if kind == "ring_single" else ("in", "drop", "add", "through")
    return ps.Circuit(
        {
            "name": kind,
            "instances": {"ring": {"component": kind, "settings": settings}},
            "ports": {p: f"ring,{p}" for p in ports},
        }
    )


def spectra(
    circuit: ps.Circuit, wl: Any, outputs: dict[str, str], noise: float, seed: int = 1
) -> dict[str, Any]:
    """Return powers in dB below a parabola, with noise."""
    rng = np.random.default_rng(seed)
    s = circuit(wl)
    envelope = -9.0 - 2500.0 * (wl - wl.mean() - 0.003) ** 2
    found: dict[str, Any] = {"wavelength_um": wl}
    for name, port in outputs.items():
        found[name] = s["in", port].power_dB + envelope + noise * rng.normal(size=wl.size)
    return found


WL = ps.wavelengths(1.53, 1.57, 601)
BOTH = {"p_dbm": "bar", "q_dbm": "cross"}


def test_an_interferometer_comes_back_with_its_errors() -> None:
    """Settings within errors of the truth, the order named, the exchange of equal couplers too."""
    data = spectra(mzi(**MZI), WL, BOTH, 0.05)
    found = ps.fit(
        mzi(),
        data,
        {"neff": None, "ng": None, "first": {"start": 0.4}, "second": None},
        columns=BOTH,
        envelope="fit",
        starts=4,
        bootstrap=200,
    )
    value = dict(zip(found.parameter.values.tolist(), found.value.values.tolist(), strict=True))
    error = dict(zip(found.parameter.values.tolist(), found.standard_error.values.tolist(), strict=True))
    assert float(found.residual_rms_dB) == pytest.approx(0.05, rel=0.05)
    assert abs(value["ng"] - MZI["ng"]) < 4.0 * error["ng"] < 0.004
    # neff is known within an order: wl0 over the path difference.
    turns = (value["neff"] - MZI["neff"]) * 120.0 / 1.55
    assert abs(turns - round(turns)) < 4.0 * error["neff"] * 120.0 / 1.55
    orders = found.alternative_value.sel(parameter="neff").values[found.alternative_kind.values == "order"]
    steps = np.abs(orders - value["neff"]) * 120.0 / 1.55
    assert sorted(steps.round(2).tolist()) == [1.0, 1.0, 2.0, 2.0]
    assert sorted([value["first"], value["second"]]) == pytest.approx([0.42, 0.55], abs=0.004)
    either = [str(c) for c in found.combination.values if "first" in str(c)]
    assert len(either) == 1, "two couplers of unknown strength change places"
    # (0.42, 0.55) and (0.45, 0.58) are about as near to the guess: half of the way between them.
    assert 0.01 < error["first"] < 0.02
    assert not found.identified.sel(parameter="first")
    assert bool(found.identified.sel(parameter="ng"))


@pytest.mark.parametrize("guess", [(0.34, 0.63), (0.66, 0.37), (0.5, 0.5)])
def test_couplers_that_change_places_are_answered_next_to_the_guess(guess: tuple[float, float]) -> None:
    data = spectra(mzi(**MZI | {"first": 0.35, "second": 0.62}), WL, BOTH, 0.02)
    found = ps.fit(
        mzi(first=guess[0], second=guess[1], neff=2.4, ng=4.25),
        data,
        ["neff", "ng", "first", "second"],
        columns=BOTH,
        envelope="fit",
        starts=2,
        bootstrap=100,
    )
    value, error = (found[n].sel(parameter=["first", "second"]).values for n in ("value", "standard_error"))
    four = np.array([(0.35, 0.62), (0.62, 0.35), (0.38, 0.65), (0.65, 0.38)])
    away = np.abs(four - np.array(guess)).sum(axis=1)
    assert np.abs(four - value).max(axis=1).min() < 0.003
    if guess == (0.5, 0.5):  # which tells nothing
        assert error.min() > 0.1
    else:
        assert value == pytest.approx(four[int(np.argmin(away))], abs=0.003)
        assert error.max() < 0.003
    assert not found.identified.sel(parameter=["first", "second"]).any()
    either = [str(c) for c in found.combination.values if " or " in str(c)]
    assert len(either) == 1
    assert either[0].count(" or ") == 3


def test_group_index_and_path_difference_are_one_number() -> None:
    """Neither has an error; their product has, and is right."""
    data = spectra(mzi(**MZI), WL, BOTH, 0.05)
    found = ps.fit(
        mzi(),
        data,
        ["neff", "ng", "delta_length"],
        columns=BOTH,
        envelope="fit",
        starts=3,
        bootstrap=200,
        settings={"first": 0.42, "second": 0.55},
    )
    assert not found.identified.sel(parameter=["neff", "ng", "delta_length"]).any()
    assert np.isnan(found.standard_error.sel(parameter=["ng", "delta_length"])).all()
    one = found.sel(combination="ng*delta_length")
    assert float(one.combination_value) == pytest.approx(4.25 * 120.0, abs=4.0 * float(one.combination_error))
    assert 0.0 < float(one.combination_error) < 0.1
    assert float(one.combination_low) < float(one.combination_value) < float(one.combination_high)
    with_prior = ps.fit(
        mzi(),
        data,
        ["neff", "ng", "delta_length"],
        columns=BOTH,
        envelope="fit",
        starts=1,
        bootstrap=200,
        settings={"first": 0.42, "second": 0.55},
        priors={"ng": (4.25, 0.02)},
    )
    assert float(with_prior.standard_error.sel(parameter="ng")) == pytest.approx(0.02, rel=0.2)
    assert "ng*delta_length" in with_prior.combination.values


def test_guide_loss_and_envelope_are_named_together() -> None:
    """A loss that every path has cannot be told from the level of the envelope."""
    circuit = ps.Circuit(
        {
            "settings": {"coupling": 0.3, "loss": 2.0},
            "instances": {
                "bus": {"component": "straight", "settings": {"length": 5000.0, "loss_dB_cm": "loss"}},
                "ring": {"component": "ring_single", "settings": {"coupling": 0.05, "loss_dB_cm": 8.0}},
            },
            "connections": {"bus,o2": "ring,in"},
            "ports": {"in": "bus,o1", "out": "ring,through"},
        }
    )
    wl = ps.wavelengths(1.54, 1.56, 801)
    data = spectra(circuit, wl, {"p_dbm": "out"}, 0.02)
    found = ps.fit(
        circuit,
        data,
        ["loss", "ring.coupling"],
        columns={"p_dbm": "out"},
        envelope="fit",
        starts=1,
        bootstrap=100,
    )
    assert not bool(found.identified.sel(parameter="loss"))
    assert any("loss" in str(c) and "envelope" in str(c) for c in found.combination.values)
    assert bool(found.identified.sel(parameter="ring.coupling"))


def test_an_all_pass_ring_may_be_under_or_over_coupled() -> None:
    """Power alone does not tell coupling from loss: both answers are listed, neither has an error."""
    wl = ps.wavelengths(1.54, 1.56, 1501)
    truth = {"radius": 20.0, "coupling": 0.04, "neff": 2.44, "ng": 4.2, "loss_dB_cm": 5.0}
    data = spectra(ring("ring_single", **truth), wl, {"p_dbm": "through"}, 0.02)
    start = ring("ring_single", **{**truth, "coupling": 0.03, "loss_dB_cm": 3.0, "ng": 4.18})
    names = ["ring.coupling", "ring.loss_dB_cm", "ring.neff", "ring.ng"]
    found = ps.fit(start, data, names, columns={"p_dbm": "through"}, envelope="fit", starts=4, bootstrap=100)
    kinds = found.alternative_kind.values
    assert "exchange" in kinds
    k = int(np.flatnonzero(kinds == "exchange")[0])
    pairs = [found.value, found.alternative_value[k]]
    couplings = [float(p.sel(parameter="ring.coupling")) for p in pairs]
    losses = [float(p.sel(parameter="ring.loss_dB_cm")) for p in pairs]
    amplitude = 10.0 ** (-5.0 * 2.0 * np.pi * 20.0 * 1e-4 / 10.0)
    assert sorted(couplings) == pytest.approx(sorted([0.04, 1.0 - amplitude]), rel=0.02)
    for name, values in (("ring.coupling", couplings), ("ring.loss_dB_cm", losses)):
        assert float(found.standard_error.sel(parameter=name)) > 0.49 * abs(values[0] - values[1])
        assert (
            float(found.low.sel(parameter=name))
            < min(values)
            < max(values)
            < float(found.high.sel(parameter=name))
        )
    assert np.argmin(np.abs(np.array(couplings) - 0.04)) == np.argmin(np.abs(np.array(losses) - 5.0))


@pytest.mark.parametrize(
    ("coupling", "neff", "ng", "loss"), [(0.055, 2.4, 4.177, 16.3), (0.11, 2.39, 4.172, 13.2)]
)
def test_all_orders_are_listed_whatever_the_noise_of_the_points_searched(
    coupling: float, neff: float, ng: float, loss: float
) -> None:
    """The search takes every other point, whose residuals may be larger than those of all by chance."""
    wl = ps.wavelengths(1.54, 1.56, 1501)
    truth = {"radius": 10.0, "coupling": coupling, "neff": neff, "ng": ng, "loss_dB_cm": loss}
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(100, wl.size))
    noise = draws[np.argmax(np.std(draws[:, ::2], axis=1) > 1.02 * np.std(draws, axis=1))]
    power = ring("ring_single", **truth)(wl)["in", "through"].power_dB + 0.05 * noise
    start = ring("ring_single", **{**truth, "coupling": 0.1, "neff": 2.4, "ng": 4.2, "loss_dB_cm": 10.0})
    data = {"wavelength_um": wl, "p_db": power}
    names = ["ring.coupling", "ring.loss_dB_cm", "ring.neff", "ring.ng"]
    found = ps.fit(start, data, names, columns={"p_db": "through"}, envelope="none", bootstrap=50)
    assert sorted(found.alternative_kind.values) == ["exchange", *["order"] * 4]
    orders = found.alternative_value.sel(parameter="ring.neff")[found.alternative_kind.values == "order"]
    best = float(found.value.sel(parameter="ring.neff"))
    step = 1.55 / (2.0 * np.pi * 10.0)
    np.testing.assert_allclose(np.sort((orders - best) / step), [-2.0, -1.0, 1.0, 2.0], atol=0.05)


def test_rings_of_several_lines_give_all_their_settings() -> None:
    """Add-drop: couplings, loss, group index, dispersion, slope; Q of every line with its error."""
    wl = ps.wavelengths(1.53, 1.565, 2401)
    truth = {
        "radius": 10.0,
        "coupling": 0.06,
        "coupling_drop": 0.08,
        "coupling_slope": 4.0,
        "neff": 2.44,
        "ng": 4.21,
        "loss_dB_cm": 9.0,
        "dispersion": 3e-4,
        "wl0": 1.55,
    }
    chip = ring("ring_double", **truth)
    s = chip(wl)
    rng = np.random.default_rng(3)
    data = {"wavelength_nm": 1e3 * wl[::-1]}
    for port in ("through", "drop"):
        data[port] = (s["in", port].power_dB + 0.03 * rng.normal(size=wl.size))[::-1]
    guess = {
        **truth,
        "coupling": 0.04,
        "coupling_drop": 0.04,
        "coupling_slope": 0.0,
        "ng": 4.19,
        "loss_dB_cm": 4.0,
        "dispersion": 0.0,
        "neff": 2.4455,
    }
    names = [n for n in truth if n not in ("radius", "wl0")]
    found = ps.fit(
        ring("ring_double", **guess),
        data,
        [f"ring.{n}" for n in names],
        envelope="none",
        starts=4,
        bootstrap=200,
        units={"through": "dB", "drop": "dB"},
    )
    assert float(found.residual_rms_dB) == pytest.approx(0.03, rel=0.1)
    for name in ("coupling", "coupling_drop", "coupling_slope", "ng", "loss_dB_cm", "dispersion"):
        one = found.sel(parameter=f"ring.{name}")
        assert abs(float(one.value) - truth[name]) < 5.0 * float(one.standard_error), name
    # Few blocks draw few sums, which may be alike: never less than of independent residuals.
    assert (found.standard_error >= 0.999 * found.standard_error_independent).all()
    assert (found.high - found.low >= 3.0 * found.standard_error_independent).all()
    q = found.line_q.sel(column="drop").dropna("line")
    assert len(q) >= 3
    nominal = s["in", "drop"].metrics()
    away = np.abs(found.line_resonance.sel(column="drop").values - float(nominal.resonance))
    near = int(np.nanargmin(away))
    error = float(found.line_q_error.sel(column="drop")[near])
    off = abs(float(found.line_q.sel(column="drop")[near]) - float(nominal.q))
    assert off < max(5.0 * error, 0.002 * float(nominal.q))


def test_backscatter_splits_lines_and_is_fitted() -> None:
    """A ring that sends a power back splits its lines by FSR asin(sqrt(R))/pi; the fit finds R."""
    wl = ps.wavelengths(1.545, 1.555, 2001)
    truth = {
        "radius": 20.0,
        "coupling": 0.02,
        "neff": 2.44,
        "ng": 4.2,
        "loss_dB_cm": 2.0,
        "backscatter": 2e-3,
    }
    s = ring("ring_single", **truth)(wl)["in", "through"]
    power = s.power
    dips = (power[1:-1] < power[:-2]) & (power[1:-1] < power[2:]) & (power[1:-1] < 0.9)
    lines = wl[1:-1][dips]
    fsr = 1.55**2 / (4.2 * 2.0 * np.pi * 20.0)
    split = np.diff(lines).min()
    assert split == pytest.approx(fsr * np.arcsin(np.sqrt(2e-3)) / np.pi, rel=0.03)
    guess = ring("ring_single", **{**truth, "backscatter": 5e-4, "coupling": 0.03, "neff": 2.4403})
    data = {"wavelength_um": wl, "p_dB": s.power_dB + 0.05 * np.random.default_rng(0).normal(size=wl.size)}
    names = ["ring.backscatter", "ring.coupling", "ring.neff", "ring.ng", "ring.loss_dB_cm"]
    found = ps.fit(guess, data, names, columns={"p_dB": "through"}, envelope="none", starts=4, bootstrap=100)
    one = found.sel(parameter="ring.backscatter")
    assert abs(float(one.value) - 2e-3) < 5.0 * float(one.standard_error) < 2e-4


def test_jacobian_is_that_of_the_residuals() -> None:
    """Envelope, floor, priors, both scales, smoothed and divided: every column by differences."""
    data = measured_of(spectra(mzi(**MZI), WL[::10], BOTH, 0.05))
    circuit = mzi()
    parameters = read_parameters(circuit, ["neff", "ng", "first"], {}, {"ng": (4.2, 0.02)})
    measured = spectra_of(circuit, data, BOTH, None, None)
    powers = Powers(circuit, tuple(p.name for p in parameters), measured.pairs, {})
    floor = np.array([-45.0, -42.0])
    for options in (
        {"degree": 2, "floor": floor}, {"degree": 1, "divided": True}, {"linear": True, "degree": 0},
        {"smooth": 2.0, "degree": 1}, {},
    ):  # fmt: skip
        problem = Problem(powers, measured, parameters, **options)
        x = problem.whole(np.array([2.4, 4.23, 0.41]))
        exact = problem.jacobian(x)
        for k in range(len(x)):
            step = np.zeros(len(x))
            step[k] = 1e-5
            slope = (problem.residuals(x + step) - problem.residuals(x - step)) / 2e-5
            assert np.allclose(exact[:, k], slope, atol=2e-5 * np.abs(exact[:, k]).max() + 1e-9), (options, k)


def test_the_measured_chip_is_fitted_to_its_last_point(root: Path, tmp_path: Path) -> None:
    """The command on a real interferometer: rms, the product that the data tell, correlations, files."""
    file = root / "tests" / "data" / "measured" / "mzi_te1310.csv"
    out, plot = tmp_path / "fit.csv", tmp_path / "fit.png"
    line = ["fit", "mzi_te1310", str(file), "--json", "--starts", "2", "--out", str(out), "--plot", str(plot)]
    done = CliRunner().invoke(app, line, prog_name="photosim")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["points"] == 24_002
    assert found["residual_rms_dB"] < 0.34
    assert {"value", "standard_error", "unit"} <= set(found["parameters"]["ng"])
    one = next(c for c in found["combinations"] if c["name"] == "ng*delta_length")
    assert one["unit"] == "um"
    assert one["interval_95"][0] < 703.9 < one["interval_95"][1]
    assert one["interval_95"][1] - one["interval_95"][0] < 1.0
    assert one["standard_error"] > 3.0 * abs(found["parameters"]["centre"]["standard_error_independent"])
    assert abs(found["correlations"]["ng"]["delta_length"]) > 0.99
    assert any(a["of"] == ["neff"] for a in found["alternatives"])
    assert plot.stat().st_size > 0
    table = np.loadtxt(out, delimiter=",", skiprows=1)
    assert np.sqrt(np.mean(table[:, [3, 6]] ** 2)) == pytest.approx(found["residual_rms_dB"])


def test_an_analysis_of_a_netlist_is_run(tmp_path: Path) -> None:
    """`kind: fit` with its data beside the netlist; files and numbers."""
    from photosim import runner

    chip = ring("ring_single", radius=10.0, coupling=0.06, neff=2.44, ng=4.2, loss_dB_cm=8.0)
    wl = ps.wavelengths(1.545, 1.555, 301)
    power = chip(wl)["in", "through"].power
    rows = [f"{1e3 * w:.6f}\t{p:.9f}" for w, p in zip(wl, power, strict=True)]
    (tmp_path / "chip.txt").write_text("wavelength_nm\tthrough\n" + "\n".join(rows), encoding="utf-8")
    (tmp_path / "ring.yml").write_text(
        """
instances:
  ring:
    component: ring_single
    settings: {radius: 10.0, coupling: 0.05, neff: 2.44, ng: 4.2, loss_dB_cm: 8.0}
ports: {in: "ring,in", through: "ring,through"}
analyses:
  - kind: fit
    name: chip
    data: chip.txt
    parameters: [ring.coupling, ring.neff]
    envelope: none
    starts: 2
    bootstrap: 60
""",
        encoding="utf-8",
    )
    report = runner.run(tmp_path / "ring.yml", out=tmp_path / "out")
    found = report.numbers["analyses"][0]
    assert found["parameters"]["ring.coupling"]["value"] == pytest.approx(0.06, rel=1e-4)
    assert {p.name for p in report.files} >= {"chip.csv", "chip_fit.png", "chip_correlations.png"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": {"x": "bar"}}, "has no column 'x'"),
        ({"columns": {"p_dbm": "bra"}}, "exposes no port 'bra'.*[Dd]id you mean"),
        ({"columns": None}, "say which is which"),
        ({"columns": {"p_dbm": "bar", "q_dbm": "bar"}}, "two columns are the power from in to bar"),
        ({"bounds": {"ngg": (4, 5)}}, "'ngg' is not one of the fitted settings"),
        ({"bounds": {"ng": (5, 4)}}, "low below high"),
        ({"priors": {"ng": (4.2, -1.0)}}, "sigma positive"),
        ({"settings": {"ng": 4.2}}, "is fitted and fixed"),
        ({"window": (1.2, 1.3)}, "window must be two wavelengths"),
        ({"envelope": "spline"}, "envelope must be"),
        ({"derived": {"x": "ng*nothing"}}, "no setting 'nothing'"),
        ({"source": "inn"}, "exposes no port 'inn'"),
        ({"block": 5000}, "block must be"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(options: dict[str, Any], said: str) -> None:
    """Before anything is computed."""
    data = spectra(mzi(), WL[::20], BOTH, 0.0)
    with pytest.raises(PhotosimError, match=said):
        ps.fit(mzi(), data, ["ng"], **{"columns": BOTH, **options})


def test_settings_that_cannot_be_fitted_are_refused() -> None:
    """Unknown names, with the nearest; keys of a setting."""
    data = spectra(mzi(), WL[::20], BOTH, 0.0)
    with pytest.raises(ParameterError, match=r"has no setting 'nng'"):
        ps.fit(mzi(), data, ["nng"], columns=BOTH)
    with pytest.raises(ParameterError, match="has no key 'sart'"):
        ps.fit(mzi(), data, {"ng": {"sart": 1}}, columns=BOTH)


def test_results_are_filed_and_repeat_bit_for_bit(tmp_path: Path) -> None:
    """NetCDF comes back; one seed gives one result."""
    data = spectra(mzi(**MZI), WL[::3], BOTH, 0.05)
    options: dict[str, Any] = {
        "columns": BOTH,
        "envelope": "divide",
        "starts": 2,
        "bootstrap": 60,
        "seed": 3,
        "settings": {"first": 0.42, "second": 0.55},
    }
    one, two = (ps.fit(mzi(), data, ["neff", "ng"], **options) for _ in range(2))
    assert one.identical(two)
    write(tmp_path / "a.nc", FitResult("a", one))
    back = ps.files.datasets.read(tmp_path / "a.nc")
    assert np.array_equal(back.value.values, one.value.values)
    assert abs(float(one.value.sel(parameter="ng")) - 4.25) < 0.002


@pytest.mark.parametrize("kind", ["mzi", "ring"])
def test_errors_hold_the_truth_beside_a_ripple_that_the_model_lacks(kind: str, root: Path) -> None:
    """A few of the chips that docs/fit.md counts: the bootstrap is honest, the usual covariance is not."""
    script = runpy.run_path(str(root / "tests" / "benchmarks" / "run_coverage.py"))
    pairs = script["shares"](kind, 16, 1)["all"]
    within = [np.mean(pairs < bound, axis=0) for bound in (1.0, 3.0)]
    assert 0.5 < within[0][0] < 0.9
    assert within[1][0] >= 0.95
    assert within[1][1] < within[1][0]


def test_lines_of_a_millionth_of_their_wavelength_are_found_from_a_wrong_start() -> None:
    def ring(**settings: float) -> ps.Circuit:
        made = {"component": "ring_single", "settings": {"radius": 100.0, "ng": 4.19, **settings}}
        return ps.Circuit(
            {"instances": {"ring": made}, "ports": {"in": "ring,in", "through": "ring,through"}}
        )

    wl = np.linspace(1.5493, 1.5509, 1601)  # two lines of 1.5 pm
    power = ring(coupling=0.003, loss_dB_cm=0.5, neff=2.445)(wl)["in", "through"].power_dB
    noise = 0.03 * np.random.default_rng(5).normal(size=wl.size)
    found = ps.fit(
        ring(coupling=0.006, loss_dB_cm=1.0, neff=2.4455),
        {"wavelength_um": wl, "through_dbm": power - 8.0 + noise},
        ["ring.coupling", "ring.loss_dB_cm", "ring.neff"],
        columns={"through_dbm": "through"}, envelope="fit", degree=0, starts=2, bootstrap=50,
    )  # fmt: skip
    rms = float(found.residual_rms_dB)
    assert rms == pytest.approx(0.03, rel=0.1)
    # What is listed as fitting as well does so at all wavelengths: under- and over-coupled, and orders.
    np.testing.assert_allclose(found.alternative_rms_dB, rms, rtol=0.02)
    pairs = [(0.003, 0.5), (0.0072, 0.2076)]  # by 1 - (1 - coupling) = 1 - 10**(-loss L/10), exchanged
    value = found.value.sel(parameter=["ring.coupling", "ring.loss_dB_cm"]).values
    assert any(np.allclose(value, pair, rtol=0.05) for pair in pairs)
    assert not found.identified.sel(parameter="ring.loss_dB_cm")
    # Full width (1 - x) wl**2/(pi ng L sqrt(x)), x = sqrt((1 - coupling) 10**(-loss L/10)).
    length = 2.0 * np.pi * 100.0
    x = np.sqrt((1.0 - 0.003) * 10.0 ** (-0.05 * length * 1e-4))
    q = np.pi * 4.19 * length * np.sqrt(x) / ((1.0 - x) * 1.55)
    assert float(found.line_q[0, 0]) == pytest.approx(q, rel=0.03)

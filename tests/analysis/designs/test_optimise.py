"""Designs: slopes against differences, known optima, filters, meshes, yields, and files of what was found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.analysis.designs.aims import Aim
from photosim.analysis.designs.run import found_settings, make
from photosim.analysis.designs.smoothing import SmoothYield
from photosim.analysis.passivity import check_level, check_matrix, may_amplify
from photosim.analysis.yields.distributions import Variation
from photosim.cli.questions import app
from photosim.files import datasets
from photosim.netlist.mappings import read

LATTICE = ["coupler*.coupling", "delay*.phase"]
WL = "1.548397:1.551603:41"


@pytest.fixture(scope="module")
def lattice() -> ps.Circuit:
    return ps.load("lattice_filter")


def found_in(data: Any) -> dict[str, Any]:
    return dict(found_settings(data))


def aim_of(circuit: ps.Circuit, vary: Any, wl: Any, specification: Any = None, **more: Any) -> Aim:
    made = make(circuit, vary, wl, specification, None, None, "minimax", None, more.get("constraints", ()),
                None, None, None)  # fmt: skip
    assert isinstance(made.aim, Aim)
    return made.aim


def test_slopes_of_violations_are_those_of_differences(lattice: ps.Circuit) -> None:
    spec = [
        *lattice.netlist.specification,
        {"name": "flat", "quantity": "ripple_dB", "from": "in", "to": "out", "window": [1.5496, 1.5504],
         "at_most": 0.1},
    ]  # fmt: skip
    aim = aim_of(lattice, LATTICE, WL, spec)
    rng = np.random.default_rng(1)
    x, towards = aim.space.start(rng), rng.normal(size=len(aim.space.names))
    v, slopes = aim.violations(x)
    above, below = (aim.violations(x + s * 1e-6 * towards)[0] for s in (1.0, -1.0))
    assert len(v) > 30
    np.testing.assert_allclose(slopes @ towards, (above - below) / 2e-6, rtol=1e-4, atol=1e-4)


def test_slopes_of_numbers_read_off_lines() -> None:
    """A ring's resonance goes as its radius: d wl / d radius = wl neff / (radius ng)."""
    circuit = ps.load("add_drop_ring")
    spec = [{"quantity": "resonance", "from": "in", "to": "drop", "within": [1.5505, 1.5515]}]
    aim = aim_of(circuit, ["ring.radius"], "1.5465:1.5555:901", spec)
    x = aim.space.x0
    v, slopes = aim.violations(x)
    at = float(aim.values(x)[0])
    expected = at * 2.44553 / (10.0 * 4.19088) * aim.space.scales[0] / 0.5e-3
    assert slopes[1, 0] == pytest.approx(expected, rel=2e-3)
    assert v[0] == pytest.approx((1.5505 - at) / 0.5e-3, rel=1e-6)


def test_the_lattice_reaches_its_specification_from_equal_couplers(lattice: ps.Circuit) -> None:
    """0.2 dB over 0.35 of the free spectral range, -25 dB over 0.35 of it; on a finer grid."""
    data = ps.optimise(lattice, LATTICE, wl=WL)
    assert float(data.objective) < 0.0
    wl = ps.wavelengths(1.548397, 1.551603, 2001)
    level = lattice(wl, **found_in(data))["in", "out"].power_dB
    inside, below, above = (
        (wl >= low) & (wl <= high)
        for low, high in ((1.549439, 1.550561), (1.548397, 1.548958), (1.551042, 1.551603))
    )
    assert level[inside].min() > -0.2
    assert max(level[below].max(), level[above].max()) < -25.0
    free = ps.load("lattice_filter")(ps.wavelengths(1.5452, 1.5549, 4001), **found_in(data))
    peaks = free["in", "out"].power_dB > -0.25
    starts = free.wl[1:][peaks[1:] & ~peaks[:-1]]
    frequency = 299_792_458e-3 / starts  # GHz
    assert np.abs(np.diff(frequency)).max() == pytest.approx(400.0, rel=0.01)


def test_minimax_of_one_setting_is_where_two_violations_meet() -> None:
    """A coupler that shall pass at least 0.7 each way: half each is best, 1 dB beyond the limit."""
    circuit = ps.Circuit({
        "instances": {"c": {"component": "coupler", "settings": {"coupling": 0.1}}},
        "ports": {"in": "c,o1", "dark": "c,o2", "cross": "c,o3", "bar": "c,o4"},
    })  # fmt: skip
    spec = [{"quantity": "power_dB", "from": "in", "to": end, "at_least": -1.5} for end in ("cross", "bar")]
    data = ps.optimise(circuit, "c.coupling", wl="1.54:1.56:5", specification=spec)
    assert float(data.value[0]) == pytest.approx(0.5, abs=1e-6)
    assert float(data.objective) == pytest.approx((10 * np.log10(2) - 1.5) / 1.5, abs=1e-6)


def demultiplexer() -> ps.Circuit:
    """Return four channels 200 GHz apart: a Mach-Zehnder of 400 GHz, then one of 800 GHz in each arm."""
    delay = 299_792_458e6 / (4.19088 * 400e9)
    instances: dict[str, Any] = {}
    connections = {"m0b,o3": "m1a,o1", "m0b,o4": "m2a,o1"}
    for k, length in enumerate((delay, delay / 2, delay / 2)):
        for side in "ab":
            instances[f"m{k}{side}"] = {"component": "coupler", "settings": {"coupling": 0.35}}
        guide = {"length": length, "phase": 0.3, "neff": 2.44553, "ng": 4.19088}
        instances[f"m{k}long"] = {"component": "straight_heater", "settings": guide}
        connections |= {f"m{k}a,o4": f"m{k}long,o1", f"m{k}long,o2": f"m{k}b,o1", f"m{k}a,o3": f"m{k}b,o2"}
    ports = {"in": "m0a,o1", "ch0": "m1b,o3", "ch1": "m1b,o4", "ch2": "m2b,o3", "ch3": "m2b,o4"}
    dark = ["m0a,o2", "m1a,o2", "m2a,o2"]
    return ps.Circuit({"instances": instances, "connections": connections, "ports": ports, "terminate": dark})


def test_a_four_channel_demultiplexer() -> None:
    circuit = demultiplexer()
    centre = 299_792_458e6 / 1.55
    channels = [299_792_458e6 / (centre + (k - 1.5) * 200e9) for k in range(4)]
    order = {"ch0": 0, "ch1": 2, "ch2": 1, "ch3": 3}
    spec = []
    for port, own in order.items():
        for k, wl in enumerate(channels):
            limit = {"at_least": -0.5} if k == own else {"at_most": -20.0}
            window = [wl - 6e-5, wl + 6e-5]
            spec.append({"name": f"{port} {k}", "quantity": "power_dB", "from": "in", "to": port,
                         "window": window, **limit})  # fmt: skip
    grid = sorted(w + d for w in channels for d in (-6e-5, 0.0, 6e-5))
    data = ps.optimise(
        circuit, {"m*.coupling": (0.05, 0.95), "m*.phase": None}, wl=grid, specification=spec, starts=6
    )
    assert float(data.objective) < 0.0
    s = circuit(grid, **found_in(data))
    for port, own in order.items():
        near = np.abs(np.array(grid) - channels[own]) < 7e-5
        assert s["in", port].power_dB[near].min() > -0.5
        assert s["in", port].power_dB[~near].max() < -20.0


def test_phases_of_a_mesh_make_a_unitary() -> None:
    from scipy.stats import unitary_group

    circuit = ps.load("clements_4x4")
    wanted = unitary_group.rvs(4, random_state=5)
    data = ps.optimise(circuit, "*.phase", wl=1.55, target={"matrix": wanted}, starts=4)
    assert float(data.objective) < 1e-10
    ins, outs = [f"in{k}" for k in range(4)], [f"out{k}" for k in range(4)]
    found = circuit.transfer([1.55], outs, ins, **found_in(data))[0]
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    fourier = ps.optimise(circuit, "*.phase", wl=1.55, target={"matrix": "fourier"})
    assert float(fourier.objective_before) < 1e-10  # the gallery's mesh is that already


def test_lengths_are_scaled_to_phases() -> None:
    """Raw lengths stop a quasi-Newton at once; here one goes to the wavelength that is asked for."""
    circuit = ps.load("mzi_unbalanced")
    names = [n for n in circuit.parameters if n.endswith("length") and "delta" in n] or ["mzi.delta_length"]
    start, end = circuit.ports[0], circuit.ports[-1]
    aim = [{"quantity": "power_dB", "from": start, "to": end, "window": [1.5499, 1.5501], "at_least": -0.3}]
    written = float(circuit.parameters[names[0]])
    data = ps.optimise(circuit, {names[0]: (written - 2.0, written + 2.0)}, wl="1.5495:1.5505:11",
                       specification=aim, settings={}, starts=3)  # fmt: skip
    best = circuit([1.55], **found_in(data))[start, end].power_dB[0]
    assert best > -0.3
    assert abs(float(data.value[0]) - written) < 1.0


def test_linear_constraints_hold() -> None:
    circuit = ps.load("lattice_filter")
    names = [f"coupler<{k}.0>.coupling" for k in range(11)]
    limit = [{"sum": {"coupler*.coupling": 1.0}, "at_most": 4.0}, {"sum": {names[0]: 1.0, names[10]: -1.0},
              "at_least": 0.0, "at_most": 0.0}]  # fmt: skip
    data = ps.optimise(circuit, LATTICE, wl=WL, constraints=limit)
    found = found_settings(data)
    assert sum(found[n] for n in names) < 4.0 + 1e-3
    assert found[names[0]] == pytest.approx(found[names[10]], abs=1e-3)


ROBUST = {"width": {"die": 3e-3, "local": 0.5e-3}, "gap": {"die": 5e-3, "local": 0.5e-3}}


@pytest.mark.parametrize("bound", [False, True])
def test_slope_of_the_smoothed_yield_is_that_of_differences(lattice: ps.Circuit, *, bound: bool) -> None:
    """Exact slopes through the chips' own couplings, direct or as they follow from a setting above."""
    circuit, vary = lattice, LATTICE
    if bound:
        ring = {"component": "ring_double", "settings": {"radius": 10.0, "coupling": "k", "loss_dB_cm": 2.5}}
        circuit = ps.Circuit({
            "settings": {"k": 0.05}, "instances": {"ring": ring},
            "ports": {"in": "ring,o1", "drop": "ring,o2"}, "terminate": ["ring,o3", "ring,o4"],
        })  # fmt: skip
        vary = ["k", "ring.phase"]
        spec = [
            {"quantity": "power_dB", "from": "in", "to": "drop", "window": [1.551, 1.5512], "at_least": -8.0}
        ]
        aim = aim_of(circuit, vary, "1.5509:1.5513:9", spec)
    else:
        aim = aim_of(circuit, vary, "1.548397:1.551603:21")
    variation = read(Variation, ROBUST, "variation")
    dimensions = SmoothYield(aim, variation, np.zeros((1, 1)), 1.0).draws(aim.space.x0).dimensions
    z = np.random.default_rng(2).standard_normal((60, dimensions))
    x = aim.space.x0 + 0.02
    smooth = SmoothYield(aim, variation, z, 3.0)
    value, slope = smooth(x)
    assert -1.0 < value < 0.0
    towards = np.random.default_rng(4).normal(size=len(x))
    step = 1e-5
    difference = (smooth(x + step * towards)[0] - smooth(x - step * towards)[0]) / (2 * step)
    assert slope @ towards == pytest.approx(difference, rel=2e-3, abs=1e-6)


def test_a_design_for_yield_gains_on_fresh_chips() -> None:
    """A coupler whose power shall lie in an interval: minimax and most yield differ, and both are known."""
    circuit = ps.Circuit({
        "instances": {"c": {"component": "coupler", "settings": {"coupling": 0.3}}},
        "ports": {"in": "c,o1", "dark": "c,o2", "cross": "c,o3", "bar": "c,o4"},
    })  # fmt: skip
    # The limits: cross above -10 dB, bar above -0.4 dB: coupling 0.1 to 0.0880... of the angle's lognormal.
    spec = [
        {"name": "cross", "quantity": "power_dB", "from": "in", "to": "cross", "at_least": -12.0},
        {"name": "bar", "quantity": "power_dB", "from": "in", "to": "bar", "at_least": -0.45},
    ]
    sigma = 0.02
    data = ps.optimise(circuit, "c.coupling", wl="1.549:1.551:4", specification=spec, goal="yield",
                       variation={"gap": sigma}, chips=40_000)  # fmt: skip
    low, high = np.arcsin(np.sqrt(10**-1.2)), np.arccos(np.sqrt(10**-0.045))

    def known(coupling: float) -> float:
        from scipy.special import ndtr

        ends = np.log(np.array([low, high]) / np.arcsin(np.sqrt(coupling))) / (9.06 * sigma)
        return float(ndtr(ends[1]) - ndtr(ends[0]))

    best = np.sin(np.sqrt(low * high)) ** 2  # the middle on the logarithm
    assert float(data["yield"]) == pytest.approx(known(best), abs=0.01)
    assert float(data.nominal_yield) == pytest.approx(known(float(data.nominal[0])), abs=0.01)
    assert float(data.yield_gain_low) > 0.0


SQUARE = {"from": ["in", "unused"], "to": ["out", "rest"]}


def test_gain_may_be_asked_of_an_amplifier() -> None:
    """The same limits are refused in a passive circuit; see below."""
    part = {"component": "soa", "settings": {}}
    circuit = ps.Circuit({"instances": {"a": part}, "ports": {"in": "a,o1", "out": "a,o2"}})
    assert may_amplify(circuit)
    check_matrix(circuit, np.array([[2.0 + 0.0j]]), ["in"], ["out"], powers=False)
    check_level(circuit, 3.0, "in", "out", "entry")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vary": "coupler*.couplin"}, "coupling"),
        ({"vary": []}, "Nothing varies"),
        ({"goal": "minmax"}, "minimax"),
        ({"goal": "yield"}, "needs a variation"),
        ({"variation": {"gap": 0.01}}, "no other goal"),
        ({"starts": 0}, "starts"),
        ({"target": {"matrix": "fourier"}, "specification": []}, "one aim"),
        ({"target": {"matrix": [[1.0]]}}, "rows of"),
        ({"target": {"matrix": "nothing.npy"}}, "nothing.npy"),
        ({"target": {**SQUARE, "matrix": [[2.0, 0.0], [0.0, 2.0]]}}, "largest singular value of 2"),
        (
            {"target": {**SQUARE, "matrix": [[0.9, 0.9], [0.1, 0.1]], "powers": True}},
            "output 'out' add up to 1.8",
        ),
        (
            {"target": {**SQUARE, "matrix": [[0.9, 0.0], [0.2, 0.2]], "powers": True}},
            "input 'in' add up to 1.1",
        ),
        ({"target": {"matrix": [[1.0]], "from": ["in"], "to": ["unused"]}}, "no light comes from"),
        (
            {"specification": [{"quantity": "power_dB", "from": "in", "to": "out", "at_least": 3.0}]},
            "at most 0 dB is possible",
        ),
        ({"constraints": [{"sum": {"ring.radius": 1.0}, "at_most": 1.0}]}, "not one of the varied"),
        ({"constraints": [{"sum": {"delay*.phase": 1.0}}]}, "at_least"),
        ({"constraints": [{"sum": {"coupler<[01].0>.coupling": 1.0}, "at_least": 3.0}]}, "the sum is 0 to 2"),
        (
            {
                "constraints": [
                    {"sum": {"delay<0.0>.phase": 1.0}, "at_least": 0.6},
                    {"sum": {"delay<0.0>.phase": 2.0}, "at_most": 1.0},
                ]
            },
            "meet all 2 entries at once",
        ),
        (
            {"constraints": [{"sum": {"delay*.phase": "a"}, "at_most": 1.0}]},
            "number",
        ),
        (
            {"constraints": [{"sum": {"delay*.phase": 1.0}, "at_most": float("nan")}]},
            "at_most",
        ),
        ({"vary": {"delay*.phase": [3.0, 1.0]}}, "low"),
        ({"settings": {"delay<0.0>": {"phase": 1.0}}}, "varied and fixed"),
        ({"wl": "1.6:1.61:11"}, "can judge"),
    ],
)
def test_bad_input_is_one_sentence(lattice: ps.Circuit, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ps.PhotosimError, match=words):
        ps.optimise(lattice, **{"vary": LATTICE, "wl": WL, **options})


def test_found_settings_are_written_wherever_they_are(tmp_path: Path) -> None:
    """In arrays, of the circuit, inside sub-netlists, and inside components of the library."""
    sub = {"name": "stage", "settings": {"k": 0.4}, "instances": {
        "c": {"component": "coupler", "settings": {"coupling": "k"}},
        "h": {"component": "phase_shifter", "settings": {"phase": 0.1}}},
        "connections": {"c,o4": "h,o1"},
        "ports": {"o1": "c,o1", "o2": "c,o2", "o3": "c,o3", "o4": "h,o2"}}  # fmt: skip
    top = {"name": "top", "settings": {"length": 5.0}, "instances": {
        "a": {"component": "stage"}, "b": {"component": "stage", "settings": {"k": 0.2}},
        "ring": {"component": "ring_double", "settings": {"radius": 9.0}},
        "g": {"component": "straight", "settings": {"length": "length*2"}}},
        "connections": {"a,o3": "b,o2", "a,o4": "b,o1", "b,o4": "ring,o1", "ring,o2": "g,o1"},
        "ports": {"in": "a,o1", "x": "a,o2", "y": "b,o3", "out": "g,o2"},
        "terminate": ["ring,o3", "ring,o4"]}  # fmt: skip
    circuit = ps.Circuit({"top": top, "stage": sub})
    changes = {
        "length": 7.5,
        "a.h.phase": 0.9,
        "b.k": 0.6,
        "ring.coupling": 0.1,
        "ring.left.loss_dB_cm": 30.0,
    }
    wl = [1.549, 1.55, 1.551]
    wanted = circuit(wl, **dict[str, Any](changes))
    path = circuit.save(tmp_path / "found.yml", settings=changes)
    again = ps.load(path)
    np.testing.assert_allclose(again(wl).values, wanted.values, atol=1e-13)
    assert circuit.save(tmp_path / "same.yml").exists()
    np.testing.assert_allclose(ps.load(tmp_path / "same.yml")(wl).values, circuit(wl).values, atol=1e-15)
    for wrong, words in (({"a.h.phas": 1.0}, "phase"), ({"lenght": 1.0}, "length"),
                         ({"b.k": [1.0, 2.0]}, "one finite"),
                         ({"z.k": 1.0}, "no instance"), ({"ring": {"radius": -1.0}}, "radius")):  # fmt: skip
        with pytest.raises(ps.PhotosimError, match=words):
            circuit.save(tmp_path / "wrong.yml", settings=wrong)
    assert not (tmp_path / "wrong.yml").exists()


@pytest.mark.filterwarnings("ignore:The circuit's temperature is set, but")
def test_saved_design_holds_what_the_search_held(tmp_path: Path) -> None:
    """Those of the question and the circuit's temperature; inner ones keep the names of ports."""
    circuit = ps.load("add_drop_ring")
    held: dict[str, Any] = {"temperature": 310.0, "ring": {"neff": 2.447, "left": {"loss_dB_cm": 30.0}}}
    spec = [{"quantity": "power_dB", "from": "in", "to": "drop", "window": [1.551, 1.5511], "at_least": -5.0}]
    data = ps.optimise(
        circuit, {"ring.coupling": [0.01, 0.2]}, wl="1.551:1.5511:11", specification=spec, settings=held
    )
    wl = np.linspace(1.5505, 1.5515, 21)
    flat: dict[str, Any] = {"temperature": 310.0, "ring.neff": 2.447, "ring.left.loss_dB_cm": 30.0}
    wanted = circuit(wl, **flat | {"ring.coupling": float(data["value"][0])})
    again = ps.load(circuit.save(tmp_path / "found.yml", settings=data))
    np.testing.assert_allclose(again(wl).values, wanted.values, atol=1e-13)
    np.testing.assert_allclose(circuit(wl, **found_in(data)).values, wanted.values, atol=1e-13)
    assert abs(wanted.values - circuit(wl, ring={"coupling": float(data["value"][0])}).values).max() > 0.1
    # The copy of the ring keeps its settings by name, and radius moves all that it moved.
    far = circuit(wl, **found_in(data) | {"ring.radius": 9.5}).values
    np.testing.assert_allclose(again(wl, ring={"radius": 9.5}).values, far, atol=1e-13)
    kept = tmp_path / "read.nc"
    datasets.write(kept, data)
    again = ps.load(circuit.save(tmp_path / "read.yml", settings=datasets.read(kept)))
    np.testing.assert_allclose(again(wl).values, wanted.values, atol=1e-13)


def test_command_kind_and_file(tmp_path: Path, lattice: ps.Circuit) -> None:
    out, plot, kept = tmp_path / "d.nc", tmp_path / "d.png", tmp_path / "d.yml"
    typed = ["optimise", "lattice_filter", "--json", "--seed", "1", "--out", str(out), "--plot", str(plot)]
    done = CliRunner().invoke(app, [*typed, "--save", str(kept)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["kind"] == "optimise"
    assert found["met"]
    read_back = ps.files.datasets.read(out)
    np.testing.assert_allclose(read_back["value"].values, [s["value"] for s in found["settings"].values()])
    s, again = lattice([1.55], **found_in(read_back)), ps.load(kept)([1.55])
    np.testing.assert_allclose(again.values, s.values, atol=1e-12)
    assert plot.exists()
    assert (tmp_path / "d_search.png").exists()

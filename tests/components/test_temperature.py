"""Temperature: each resonance and phase moves by wl dneff_dT/ng per kelvin, and what does not is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.errors import ParameterError, PhotosimWarning
from photosim.model import Model, Nonlinear, registry

GUIDED = {"neff", "ng", "length", "radius", "periods", "delay"}
# A point with a length to couple over, free space, a table, a fibre beside the chip, an electrode; the table
# of indices has a test of its own.
NOT_GUIDED = {
    "coupler.gap", "multimode_fiber", "speckle_fiber", "sampled", "fibre", "straight_sampled",
    "travelling_wave_modulator",
}  # fmt: skip
BY_LENGTH = [
    n
    for n in registry.names()
    if GUIDED & registry.get(n).parameters.keys()
    and n not in NOT_GUIDED
    and registry.get(n).kind != "network"
]
# A gas, a slab, and chips whose heaters hold their phases: their circuits name them in a warning.
UNMOVED = {"gas_cell", "free_propagation_region", "hexagonal_mesh", "spectrum_slicer"}
STEADY = [n for n in BY_LENGTH if not isinstance(registry.get(n), Nonlinear) and n not in UNMOVED]
LOSSLESS = {"loss_dB_cm": 0.0, "loss_dB": 0.0}
# Sharp enough a comb that all of a shift shows; grating and rings by their own defaults would do as well.
SETTINGS: dict[str, dict[str, Any]] = {
    "weight_bank": {"rows": 1, "channels": 2}, "weight_bank_row": {"channels": 2},
    "straight_multimode": {"length": 40.0, "ng_2": 3.4, "neff_2": 1.8}, "delay_line": {"delay": 2e-12},
}  # fmt: skip


def waves(name: str, wl: Any, **settings: Any) -> Any:
    """Waves per wave into o1, (W, outputs): of ports, or of detectors where a bank ends in them."""
    model = registry.get(name)
    ports = model.ports_for(settings)
    variant = name.partition(".")[0]
    circuit = ps.Circuit(
        ps.Netlist({"it": ps.part(variant, **settings)}, ports={p: ("it", p) for p in ports})
    )
    detectors = [f"{d},{port}" for d in circuit.detectors for port in ("o1", "o2")]
    return circuit.transfer(wl, detectors or list(ports), ports[:1])[..., 0]


def given(name: str, model: Model) -> dict[str, Any]:
    settings = dict(SETTINGS.get(name, {}))
    settings |= {k: v for k, v in LOSSLESS.items() if k in model.parameters and "loss" in k}
    if "." in name:  # a variant, taken when its setting is given
        when = name.partition(".")[2]
        settings[when] = model.parameters[when].default
    return settings


@pytest.mark.parametrize("dneff_dT", [2.0e-4, 6.0e-4, -1.5e-4])
@pytest.mark.parametrize("name", sorted(STEADY))
def test_warm_part_is_the_cold_one_at_shifted_wavelengths(name: str, dneff_dT: float) -> None:
    # An index that is linear in wavelength is ng at wavelength 0, so a change d of it scales all wavelengths
    # by 1 + d/ng: S(wl (1 + d/ng), warm) = S(wl, cold), but for couplings, gains and steps that depend on
    # wavelength themselves. A part of which half does not move would leave about half of the change.
    model, rise = registry.get(name), 5.0
    settings = given(name, model)
    assert {"temperature", "dneff_dT"} <= model.parameters.keys()
    ng = settings.get("ng", model.parameters["ng"].default)
    wl = np.linspace(1.548, 1.552, 401)
    moved = wl * (1 + dneff_dT * rise / ng)
    cold = waves(name, wl, **settings)
    warm_settings = {**settings, "dneff_dT": dneff_dT, "temperature": 300.0 + rise}
    if "dneff_dT_2" in model.parameters:
        warm_settings["dneff_dT_2"] = dneff_dT
    warm = waves(name, wl, **warm_settings)
    shifted = waves(name, moved, **warm_settings)
    assert np.abs(shifted - cold).max() < 0.05 * np.abs(warm - cold).max()


@pytest.mark.parametrize("name", sorted(n for n in BY_LENGTH if n not in STEADY and n not in UNMOVED))
def test_resonance_of_a_part_in_time_moves_by_the_same_rule(name: str) -> None:
    model = registry.get(name)
    cold, warm = (
        model.function(**{**model.defaults, "temperature": t, "dneff_dT": 3e-4, "ng": 4.0})[0]
        for t in (300.0, 310.0)
    )
    assert cold / warm - 1 == pytest.approx(3e-3 / 4.0, rel=1e-9)


def test_guide_by_a_table_of_indices_gains_the_phase_of_its_slope(tmp_path: Path) -> None:
    wl = np.linspace(1.5, 1.6, 21)
    rows = "".join(f"{w!r},{2.4455 - 1.12 * (w - 1.55)!r}\n" for w in wl.tolist())
    (tmp_path / "strip.csv").write_text("wl_um,neff\n" + rows)
    (tmp_path / "net.yml").write_text(
        "instances:\n  g:\n    component: straight_sampled\n"
        "    settings: {file: strip.csv, length: 40, dneff_dT: 3e-4}\n"
        "ports: {in: 'g,o1', out: 'g,o2'}\n"
    )
    circuit = ps.load(tmp_path / "net.yml")
    cold, warm = (circuit(1.55, temperature=t)["in", "out"].values for t in (300.0, 310.0))
    assert np.angle(warm / cold) == pytest.approx(2 * np.pi * 40 * 3e-3 / 1.55, rel=1e-9)


def dip(net: dict[str, Any], to: str, wl: Any, temperature: float) -> float:
    power = ps.Circuit(net)(wl, temperature=temperature)["in", to].power
    return float(wl[power.argmin()])


@pytest.mark.parametrize("dneff_dT", [1.0e-4, 2.0e-4, 3.0e-4])
@pytest.mark.parametrize("component", ["racetrack", "ring_single", "bragg_grating"])
def test_dip_moves_by_wl_dneff_dT_over_ng(component: str, dneff_dT: float) -> None:
    settings: dict[str, Any] = {"dneff_dT": dneff_dT, "neff": 2.44553, "ng": 4.19088, "loss_dB_cm": 20.0}
    if component == "racetrack":
        settings |= {"gap": 0.25, "radius": 10.0}
    if component == "bragg_grating":
        settings |= {"periods": 800, "loss_dB_cm": 0.0}
    net = {"instances": {"r": {"component": component, "settings": settings}},
           "ports": {"in": "r,o1", "out": "r,o2"}}  # fmt: skip
    wide = np.linspace(1.545, 1.555, 4001)
    at = dip(net, "out", wide, 300.0)
    shift = at * dneff_dT * 10 / 4.19088
    warm = dip(net, "out", np.linspace(at + shift - 3e-4, at + shift + 3e-4, 1501), 310.0)
    cold = dip(net, "out", np.linspace(at - 3e-4, at + 3e-4, 1501), 300.0)
    assert warm - cold == pytest.approx(shift, rel=0.01)


def test_ring_of_a_layouts_parts_moves_as_a_whole() -> None:
    def loop(temperature: float) -> Any:
        bend = {"component": "bend_euler", "settings": {"radius": 10.0, "loss_dB_cm": 2.0}}
        net = {
            "instances": {"cb": {"component": "coupler_ring", "settings": {"radius": 10.0, "gap": 0.2}},
                          "bl": bend, "br": bend,
                          "st": {"component": "straight", "settings": {"length": 4.0}}},
            "connections": {"bl,o2": "cb,o2", "st,o2": "bl,o1", "br,o2": "st,o1", "br,o1": "cb,o3"},
            "ports": {"in": "cb,o1", "out": "cb,o4"},
        }  # fmt: skip
        wl = np.linspace(1.545, 1.556, 11001)
        delay = ps.Circuit(net)(wl, temperature=temperature)["in", "out"].group_delay
        return wl[delay.argmax()]

    assert loop(310.0) - loop(300.0) == pytest.approx(1.55 * 2e-3 / 3.4, rel=0.01)


# --- what has no temperature is named ---------------------------------------------------------------------

MIXED: dict[str, Any] = {
    "instances": {"split": "mmi1x2", "short": "straight",
                  "long": {"component": "straight", "settings": {"length": 30.0}}, "join": "mmi1x2",
                  "ring": "ring_single", "mesh": {"component": "clements_mesh", "settings": {"n": 4}},
                  "end": "terminator"},
    "connections": {"split,o2": "short,o1", "split,o3": "long,o1", "short,o2": "join,o3",
                    "long,o2": "join,o2",
                    "join,o1": "ring,o1", "ring,o2": "mesh,in0", "mesh,in1": "end,o1"},
    "ports": {"in": "split,o1", "out": "mesh,out0"},
    "terminate": ["mesh,in2", "mesh,in3", "mesh,out1", "mesh,out2", "mesh,out3"],
}  # fmt: skip
NAMED = r"split \(mmi1x2\), join \(mmi1x2\), mesh \(clements_mesh\) have no temperature and stay as at 300 K"


def test_parts_without_a_temperature_are_named_once_where_a_call_sets_it() -> None:
    circuit = ps.Circuit(MIXED)
    circuit(1.55)
    with pytest.warns(PhotosimWarning, match=NAMED) as found:
        circuit(1.55, temperature=320.0)
    circuit(1.55, temperature=[300.0, 330.0])  # any further warning is an error
    assert len(found) == 1


def test_parts_without_a_temperature_are_named_where_the_netlist_sets_it() -> None:
    with pytest.warns(PhotosimWarning, match=NAMED) as found:
        circuit = ps.Circuit({**MIXED, "settings": {"temperature": 320.0}})
    circuit(1.55, temperature=330.0)
    assert len(found) == 1
    assert re.search(NAMED, circuit.remarks[0])


def test_room_temperature_and_circuits_that_follow_are_silent() -> None:
    ps.Circuit({**MIXED, "settings": {"temperature": 300.0}})(1.55)
    ps.Circuit({"instances": {"r": "ring_double"}, "ports": {"in": "r,o1", "out": "r,o2"},
                "terminate": ["r,o3", "r,o4"]})(1.55, temperature=350.0)  # fmt: skip


def test_nested_netlist_with_a_temperature_of_its_own_is_named_by_its_parts() -> None:
    inner = {"instances": {"x": "crossing", "g": "straight"}, "connections": {"x,o3": "g,o1"},
             "ports": {"o1": "x,o1", "o2": "g,o2"}, "settings": {"temperature": 300.0},
             "terminate": ["x,o2", "x,o4"]}  # fmt: skip
    net = {"top": {"instances": {"a": "inner"}, "ports": {"o1": "a,o1", "o2": "a,o2"}}, "inner": inner}
    circuit = ps.Circuit(net)
    circuit(1.55, temperature=350.0)  # of the top; all parts are inside a, which has its own
    with pytest.warns(PhotosimWarning, match=r"a\.x \(crossing\) has no temperature and stays"):
        circuit(1.55, a={"temperature": 350.0})


def test_derivative_by_temperature_is_refused_where_a_grating_follows_it() -> None:
    net = {"instances": {"g": "bragg_grating"}, "ports": {"in": "g,o1", "out": "g,o2"}}
    with pytest.raises(ParameterError, match=r"temperature: instance 'g' \(bragg_grating\) follows it"):
        ps.Circuit(net).value_and_grad(
            ps.losses.power([("in", "out")]), wl=[1.55], parameters=["temperature"]
        )


def test_a_tooth_of_a_grating_moves_and_its_step_alone_is_named() -> None:
    net = {"instances": {"d": {"component": "dbr_cell", "settings": {"l1": 50.0, "l2": 50.0}}},
           "ports": {"o1": "d,o1", "o2": "d,o2"}}  # fmt: skip
    circuit = ps.Circuit(net)
    cold = circuit(1.55)["o1", "o2"].values
    with pytest.warns(PhotosimWarning, match=r"but d\.step \(width_step\) has no temperature and stays"):
        warm = circuit(1.55, temperature=320.0)["o1", "o2"].values
    # Both halves are strips of dneff_dT 2.00e-4, 100 um together; the step's small echoes change little.
    assert np.angle(warm / cold).item() == pytest.approx(2 * np.pi / 1.55 * 100.0 * 2.0e-4 * 20.0, abs=2e-3)


def test_a_nested_netlist_takes_no_flag_as_its_temperature() -> None:
    inner = {"instances": {"g": "straight"}, "ports": {"o1": "g,o1", "o2": "g,o2"},
             "settings": {"temperature": 300.0}}  # fmt: skip
    top = {"instances": {"a": "inner"}, "ports": {"o1": "a,o1"}, "terminate": ["a,o2"]}
    circuit = ps.Circuit({"top": top, "inner": inner})
    for flag in (True, np.True_):
        with pytest.raises(ParameterError, match=r"'a\.temperature' must be a number .* got True"):
            circuit(1.55, a={"temperature": flag})


def test_a_receiver_whose_loads_alone_have_a_temperature_is_named_by_its_hybrid() -> None:
    net = {"instances": {"rx": "coherent_receiver"}, "ports": {"signal": "rx,o1", "oscillator": "rx,o2"}}
    with pytest.warns(PhotosimWarning, match=r"but rx\.hybrid \(hybrid_90\) has no temperature and stays"):
        ps.Circuit(net)(1.55, temperature=350.0)

"""Windows of models: one warning outside, an error by policy, nothing inside."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.app import app
from photosim.errors import NetlistError, ParameterError, PhotosimWarning
from photosim.model import Algebra, Entries, Length, Window, component, registry
from photosim.smatrix import SMatrix

# bolla2017: strip of 500 x 220 nm in oxide (Malitson) with silicon of Salzberg and Villa, vector finite
# differences on a grid of 20 nm, second differences over 40 nm: D in ps/(nm km) at um.
SOLVED_D = [(1.31, -437.0), (1.53, 249.0), (1.57, 203.0)]

OUTSIDE = [
    ("straight_strip", {}, 0.5), ("straight_strip", {}, 8.0), ("straight_strip", {}, 1.31),
    ("spiral", {}, 1.31), ("delay_line", {}, 1.31), ("taper", {}, 1.31),
    ("straight", {}, 8.0), ("straight_heater", {}, 0.5), ("bend_euler", {}, 0.5), ("bragg_grating", {}, 0.5),
    ("contra_directional_coupler", {}, 0.5), ("grating_coupler", {}, 1.31), ("mmi1x2", {}, 1.31),
    ("mmi2x2", {}, 1.31), ("mmi_nxn", {}, 1.31), ("soa", {}, 1.31), ("coupler", {"gap": 0.2}, 1.31),
    ("coupler_straight", {}, 1.31), ("coupler90", {}, 1.31), ("coupler_ring", {}, 1.31),
    ("racetrack", {}, 1.31), ("ring_single", {"gap": 0.2}, 1.31), ("ring_double", {"gap": 0.2}, 1.31),
    ("directional_coupler", {}, 1.31), ("pn_phase_shifter", {}, 1.31), ("ring_modulator", {}, 8.0),
    ("thermo_optic_shifter", {}, 8.0),
]  # fmt: skip


def alone(name: str, **settings: Any) -> dict[str, Any]:
    """Return a netlist that exposes every port of one instance, called `it`."""
    ports = registry.get(name).ports_for(settings)
    written = {"component": name, "settings": settings}
    return {"instances": {"it": written}, "ports": {p: f"it,{p}" for p in ports}}


def said(circuit: Any, wl: Any, **settings: Any) -> list[str]:
    """Return the warnings of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        circuit(wl, **settings)
    assert all(w.category is PhotosimWarning for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize(("name", "settings", "wl"), OUTSIDE)
def test_wavelength_outside_is_said_once_and_refused_when_asked(
    name: str, settings: dict[str, Any], wl: float
) -> None:
    circuit = ps.Circuit(alone(name, **settings))
    assert said(circuit, [1.55]) == []
    first = said(circuit, [1.55, wl])
    assert first
    for text in first:
        assert "'it" in text
        assert f"{min(wl, 1.55):g} to {max(wl, 1.55):g} um" in text
        assert "outside the window of the model" in text
    assert said(circuit, [wl]) == []  # not again
    for refusing in (ps.Circuit(alone(name, **settings), windows="error"),
                     ps.Circuit(alone(name, **settings), strict=True)):  # fmt: skip
        assert isinstance(refusing([1.55]), SMatrix)
        for _ in range(2):
            with pytest.raises(ParameterError, match="outside the window"):
                refusing([1.55, wl])


@pytest.mark.parametrize(
    ("name", "settings", "change"),
    [
        ("coupler", {"gap": 0.2}, {"gap": 1.0}),
        ("coupler", {"gap": 0.2}, {"gap": np.array([0.2, 0.03])}),
        ("coupler", {"gap": 0.2}, {"radius": 1.0}),
        ("coupler_straight", {}, {"gap": 0.8}),
        ("coupler_ring", {}, {"gap": 0.8}),
        ("coupler90", {}, {"radius": 2.0}),
        ("racetrack", {}, {"gap": 0.6}),
        ("ring_single", {}, {"gap": 0.6}),
        ("ring_double", {"gap": 0.2}, {"gap_top": 0.6}),
        ("straight", {}, {"temperature": 700.0}),
        ("straight_strip", {}, {"temperature": 77.0}),
        ("straight_strip", {}, {"width": 0.7}),
        ("straight_strip", {}, {"height": 0.3}),
    ],
)
def test_setting_outside_is_said_when_written_and_when_given(
    name: str, settings: dict[str, Any], change: dict[str, Any]
) -> None:
    (setting,) = change
    circuit = ps.Circuit(alone(name, **settings))
    found = said(circuit, [1.55], it=change)
    assert len(found) == 1
    assert f"{setting.partition('_')[0]!r}"[:-1] in found[0]  # gap_top is the gap of a coupler inside
    assert "'it" in found[0]
    assert said(circuit, [1.55], it=change) == []
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in change.items()}
    with pytest.warns(PhotosimWarning, match="outside the window"):
        circuit = ps.Circuit(alone(name, **{**settings, **plain}))
    assert said(circuit, [1.55]) == []
    with pytest.raises(ParameterError, match="outside the window"):
        ps.Circuit(alone(name, **{**settings, **plain}), windows="error")
    with pytest.raises(ParameterError, match="outside the window"):
        ps.Circuit(alone(name, **settings), windows="error")([1.55], it=change)


def test_temperature_of_the_circuit_counts_where_a_part_has_none() -> None:
    net = alone("straight")
    with pytest.warns(PhotosimWarning, match=r"'it' \(straight\) is used at 'temperature' of 900 K"):
        ps.Circuit({**net, "settings": {"temperature": 900.0}})
    (text,) = said(ps.Circuit(net), [1.55], temperature=900.0)
    assert "900 K" in text
    assert said(ps.Circuit(alone("straight", temperature=310.0)), [1.55], temperature=900.0) == []


def several(component: str, *settings: dict[str, Any]) -> dict[str, Any]:
    """Return a netlist of instances it0, it1, and so on, every port of which is exposed."""
    ports = registry.get(component).ports_for({})
    names = [f"it{k}" for k in range(len(settings))]
    return {
        "instances": {
            n: {"component": component, "settings": s} for n, s in zip(names, settings, strict=True)
        },
        "ports": {f"{n}_{p}": f"{n},{p}" for n in names for p in ports},
        "settings": {"wide": 0.9},
    }


def test_of_parts_alike_those_outside_are_named_alone() -> None:
    net = several("coupler", {"gap": 0.2}, {"gap": 1}, {"gap": "wide"}, {"gap": 0.25})
    with pytest.warns(PhotosimWarning) as caught:
        ps.Circuit(net)
    (text,) = (str(w.message) for w in caught)
    assert text.startswith("Instances 'it1', 'it2' (coupler) are used at 'gap' of 0.9 to 1 um")


def test_parts_alike_with_a_temperature_of_their_own_do_not_follow_the_circuits() -> None:
    circuit = ps.Circuit(several("straight", {}, {"temperature": 310.0}, {}, {"temperature": 300.0}))
    (text,) = said(circuit, [1.55], temperature=900.0)
    assert text.startswith("Instances 'it0', 'it2' (straight) are used at 'temperature' of 900 K")


def test_window_follows_the_wavelength_at_which_a_model_is_given() -> None:
    strip = {"neff": 2.7165, "ng": 4.161, "dispersion": -4.18e-4, "wl0": 1.31}
    assert said(ps.Circuit(alone("straight_strip", **strip)), [1.29, 1.33]) == []
    circuit = ps.Circuit(alone("mmi1x2"))
    assert said(circuit, [1.31], it={"wl0": 1.31}) == []
    assert said(circuit, [1.31]) != []


def test_dispersion_is_wrong_only_outside_of_the_window() -> None:
    """The sign of D at 1.31 um, and its size about 1.55 um, by a mode solver."""
    circuit = ps.Circuit(alone("straight_strip", length=1e4, loss_dB_cm=0.0))
    for wl, solved in SOLVED_D:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            delay = circuit([wl - 1e-3, wl + 1e-3])["o1", "o2"].group_delay
        found = (delay[1] - delay[0]) / 2e-9 / 1e-2 * 1e6  # s per m per 0.01 m of guide, to ps/(nm km)
        assert (np.sign(found) == np.sign(solved) and abs(found - solved) < 160) == (not caught)


def test_instances_alike_share_one_warning() -> None:
    net: dict[str, Any] = {"instances": {f"m{k}": "mmi1x2" for k in range(7)}, "ports": {}}
    for k in range(7):
        net["ports"] |= {f"p{k}{p}": f"m{k},{p}" for p in ("o1", "o2", "o3")}
    (text,) = said(ps.Circuit(net), [1.31])
    assert text.startswith("Instances 'm0', 'm1', 'm2', 'm3' and 3 more (mmi1x2) are used at a wavelength of")


def test_structural_change_is_looked_at_and_remembers_what_was_said() -> None:
    circuit = ps.Circuit(alone("ring_single"))
    assert len(said(circuit, [1.55], it={"gap": 0.9})) == 1
    assert said(circuit, [1.55], it={"gap": 0.9}) == []


def test_policy_and_memory_cross_processes() -> None:
    circuit = pickle.loads(pickle.dumps(ps.Circuit(alone("mmi1x2"), windows="error")))  # noqa: S301
    with pytest.raises(ParameterError, match="outside the window"):
        circuit([1.2])
    warned = ps.Circuit(alone("mmi1x2"))
    assert said(warned, [1.2])
    compiled = pickle.loads(pickle.dumps(warned.compiled))  # noqa: S301
    assert compiled.windows.told.policy is None
    _, point = compiled.at({})
    compiled.windows.look(point, np.array([1.2]))  # said before: another warning would be an error here


@pytest.fixture
def kit(tmp_path: Path) -> Any:
    """A circuit of one guide, whose cell a map allows from 1.54 to 1.56 um and from 5 to 50 um of length."""
    (tmp_path / "a.yml").write_text(
        "instances: {a: {component: wire, settings: {length: 20.0}}}\nports: {in: 'a,o1', out: 'a,o2'}\n"
    )
    (tmp_path / "a.map.yml").write_text(
        "cells: {wire: {component: straight, windows: {wl: [1.54, 1.56], length: [5, 50]}}}\n"
    )

    def make(**options: Any) -> ps.Circuit:
        return ps.load(tmp_path / "a.yml", **options)

    return make


def test_windows_of_a_kit_refuse_and_those_of_the_library_warn(kit: Any) -> None:
    circuit = kit()
    assert said(circuit, [1.55]) == []
    for made in (circuit, pickle.loads(pickle.dumps(circuit))):  # noqa: S301
        with pytest.raises(
            ParameterError, match=r"'a' \(straight\) .* 1.57 um, outside the window of the kit"
        ):
            made([1.57])
        with pytest.raises(
            ParameterError, match=r"'length' of 60 um, outside the window of the kit, 5 to 50"
        ):
            made([1.55], a={"length": 60.0})


def test_a_policy_changes_both_kinds_for_every_later_call(kit: Any) -> None:
    ignored = kit(windows="ignore")
    assert [said(ignored, [wl]) for wl in (1.57, 2.5, 1.2)] == [[], [], []]
    warned = kit(windows="warn")
    assert any("window of the kit" in text for text in said(warned, [1.57]))
    assert said(warned, [1.57]) == []
    assert any("window of the model" in text for text in said(warned, [2.5]))
    with pytest.raises(ParameterError, match="window of the model"):
        ps.Circuit(alone("straight"), strict=True)([2.5])
    with pytest.raises(ParameterError, match="window of the kit"):
        kit(strict=True)([1.57])


def test_policy_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ParameterError, match="windows must be 'warn', 'error' or 'ignore', got 'loud'"):
        ps.Circuit(alone("straight"), windows="loud")  # type: ignore[arg-type]


def test_bounds_of_physics_refuse_always() -> None:
    for settings in ({"gap": -0.1}, {"gap": float("nan")}):
        with pytest.raises((ParameterError, NetlistError)):
            ps.Circuit(alone("coupler", **settings))
    with pytest.raises(NetlistError):
        ps.Circuit(alone("straight_strip", width=-0.5))


def test_commands_warn_and_refuse(tmp_path: Path) -> None:
    path = tmp_path / "net.yml"
    text = "instances:\n  it: {component: coupler, settings: {gap: 1.0}}\nports: "
    path.write_text(text + "{a: 'it,o1', b: 'it,o2', c: 'it,o3', d: 'it,o4'}\n")
    run = CliRunner()
    loose = run.invoke(app, ["check", str(path)])
    assert loose.exit_code == 0
    assert "'it' (coupler) is used at 'gap' of 1 um" in loose.output
    for command in (["check"], ["simulate", "--wl", "1.55"]):
        strict = run.invoke(app, [command[0], str(path), *command[1:], "--strict"])
        assert strict.exit_code != 0
        assert "outside the window" in str(strict.output) + str(strict.exception)


def test_window_about_an_unknown_setting_is_refused_at_its_declaration() -> None:
    with pytest.raises(ParameterError, match=r"declares a window about 'lenght', .*Did you mean 'length'"):

        @component(ports=("o1", "o2"), source="none", windows=(Window("lenght", 0.0, 1.0),))
        def windowed_part(m: Algebra, wl: Any, *, length: Length = 1.0) -> Entries:
            """Guide of the tests.

            Settings:
                length: length along the guide.
            """
            return {("o1", "o2"): m.cis(length / wl)}


@pytest.mark.parametrize(
    ("component", "settings", "says"),
    [
        ("straight", {"length": 1e-3}, r"'length' of 0\.001 um.*looks like m: write 1000"),
        ("spiral", {"length": 5e-3}, r"'length' of 0\.005 um.*looks like m: write 5000"),
        ("straight_strip", {"delta_width": 5e-9}, r"'delta_width' of 5e-09 um.*looks like m: write 0\.005"),
        ("pn_phase_shifter", {"delta_height": -2e-9}, r"'delta_height' of -2e-09 um.*looks like m"),
        ("fibre", {"length_km": 1e-4}, r"'length_km' of 0.0001 km.*is it in km"),
    ],
)
def test_lengths_that_are_too_small_or_large_to_be_meant_are_named(
    component: str, settings: dict[str, float], says: str
) -> None:
    net = {"instances": {"g": {"component": component, "settings": settings}},
           "ports": {"in": "g,o1", "out": "g,o2"}}  # fmt: skip
    with pytest.warns(PhotosimWarning, match=says):
        ps.Circuit(net)(1.55)
    plain = ps.Circuit({**net, "instances": {"g": component}})
    with pytest.warns(PhotosimWarning, match=says):
        plain(1.55, g=settings)
    with pytest.raises(ParameterError, match=says):
        ps.Circuit(net, windows="error")(1.55)


def test_lengths_as_layouts_and_drawn_chips_have_them_pass() -> None:
    net = {"instances": {"g": {"component": "straight", "settings": {"length": 0.01}}},
           "ports": {"in": "g,o1", "out": "g,o2"}}  # fmt: skip
    circuit = ps.Circuit(net)
    circuit(1.55, g={"delta_width": np.array([1e-9, 2e-3, -4e-3])})
    circuit(1.55, g={"delta_width": 0.0, "length": 0.0})


def test_parts_that_rest_on_a_table_name_their_wavelengths_and_ideal_ones_hold_at_all() -> None:
    for name, ports in (("adiabatic_coupler", 4), ("variable_attenuator", 2)):
        exposed = {f"p{k}": f"g,o{k}" for k in range(1, ports + 1)}
        circuit = ps.Circuit({"instances": {"g": name}, "ports": exposed})
        circuit([1.5, 1.6])
        with pytest.warns(PhotosimWarning, match=r"wavelength of 1\.2 um.*outside the window"):
            circuit(1.2)
    for name, ports in (("crossing", 4), ("phase_shifter", 2), ("edge_coupler", 2), ("hybrid_90", 6)):
        exposed = {f"p{k}": f"g,o{k}" for k in range(1, ports + 1)}
        ps.Circuit({"instances": {"g": name}, "ports": exposed})(1.2)
        assert "ideal part" in " ".join((registry.get(name).doc or "").split())

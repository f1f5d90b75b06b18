"""Free space in netlists: buses, their parts, and the chain from laser to camera."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import photosim as ps
from photosim.cli.app import app
from photosim.media.cascade import BusSlice, Cascade, Identity
from photosim.media.gaussian import StoredMedium

RNG = np.random.default_rng
PARTS = {
    "laser": {"component": "laser", "settings": {"wl": 0.633, "power": 2e-3}},
    "mirrors": {"component": "dmd", "settings": {"pixels": 10, "contrast": 100.0, "efficiency": 0.5}},
    "medium": {"component": "scattering_medium", "settings": {"inputs": 6, "outputs": 8, "seed": 4}},
    "camera": {"component": "camera", "settings": {"pixels": 4}},
}
WIRES = {"laser,o1": "mirrors,in", "mirrors,out[2:6]": "medium,in[1:5]", "medium,out[3:7]": "camera,in"}
OPEN = ["camera,reference"]


def circuit(wires: Any = None, parts: Any = None, **other: Any) -> ps.Circuit:
    """A chain in which parts of buses meet, or that chain with something changed."""
    netlist = {"instances": {**PARTS, **(parts or {})}, "connections": wires or WIRES, "terminate": OPEN}
    return ps.Circuit({**netlist, **other})


def test_parts_of_buses_meet_as_they_are_written() -> None:
    chain = circuit().chain()
    medium = StoredMedium(8, 6, seed=4, transmission=0.1).block()
    expected = np.zeros((4, 10), dtype=complex)
    expected[:, 2:6] = medium[3:7, 1:5]
    np.testing.assert_allclose(chain.medium.block(), expected)
    x = RNG(0).integers(0, 2, (3, 10))
    shown = np.where(x, 1.0, 0.1) * np.sqrt(0.5 / 10 * 2e-3)
    np.testing.assert_allclose(chain.fields(x), shown @ expected.T, rtol=1e-5)
    assert (chain.wl, chain.reference) == (0.633, 0.0)


def test_settings_of_a_call_reach_the_blocks() -> None:
    first = circuit().chain()
    other = circuit().chain(medium={"seed": 5}, mirrors={"contrast": 1e6}, laser={"power": 8e-3})
    assert np.abs(first.medium.block() - other.medium.block()).max() > 0.01
    assert other.modulator.modulate(np.zeros(10)).max() == pytest.approx(np.sqrt(0.5 / 10 / 1e6))
    assert other.beam == pytest.approx(2 * first.beam)
    assert circuit().chain("camera", camera={"bits": 3}).camera.bits == 3
    assert circuit().chain(wl=0.5).wl == 0.5


def test_single_waves_before_the_chain_are_solved_by_the_engine() -> None:
    chain = ps.load("opu").chain(tap={"coupling": 0.2}, grey_filter={"loss_dB": 20.0})
    assert abs(chain.beam) ** 2 == pytest.approx(0.8e-3)
    assert chain.reference == pytest.approx(1j * np.sqrt(0.2e-3 * 0.01))


def test_light_can_reach_the_camera_past_no_medium() -> None:
    wires = {"laser,o1": "mirrors,in", "mirrors,out[0:4]": "camera,in"}
    chain = circuit(wires, terminate=[*OPEN, "medium,in", "medium,out"]).chain()
    x = np.eye(10)[:6]
    expected = chain.beam * chain.modulator.modulate(x)[:, :4]
    np.testing.assert_allclose(chain.fields(x), expected, rtol=1e-6)


def test_media_follow_one_another() -> None:
    second = {"component": "scattering_medium", "settings": {"inputs": 8, "outputs": 4, "seed": 9}}
    wires = {
        "laser,o1": "mirrors,in",
        "mirrors,out[0:6]": "medium,in",
        "medium,out": "second,in",
        "second,out": "camera,in",
    }
    chain = circuit(wires, {"second": second}).chain()
    first, behind = StoredMedium(8, 6, 4, 0.1).block(), StoredMedium(4, 8, 9, 0.1).block()
    np.testing.assert_allclose(chain.medium.block()[:, :6], behind @ first, atol=1e-7)


@pytest.mark.parametrize("rows", [slice(None), [2]])
def test_cascade_gives_parts_of_its_product(rows: Any) -> None:
    stages = (BusSlice(Identity(7), (1, 6), (0, 7)), StoredMedium(4, 5, 1), StoredMedium(6, 4, 2))
    cascade = Cascade(stages)
    whole = stages[2].block() @ stages[1].block() @ stages[0].block()
    np.testing.assert_allclose(cascade.block(rows, [0, 3, 4]), whole[rows][:, [0, 3, 4]], atol=1e-6)
    y = RNG(0).standard_normal((2, 6))
    np.testing.assert_allclose(cascade.adjoint(y), y @ whole.conj(), atol=1e-6)
    np.testing.assert_allclose(cascade.as_linear_operator() @ np.eye(7), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("wires", "words"),
    [
        ({"mirrors,out[2:12]": "medium,in"}, "the bus of 10 waves at 'mirrors,o2' has no part [2:12]"),
        ({"mirrors,out[5:5]": "medium,in"}, "has no part [5:5]: give 0 to 10, rising"),
        ({"mirrors,out": "medium,in"}, "of 10 waves at 'mirrors,o2' cannot be joined to the bus of 6 waves"),
        ({"laser,o1": "medium,in"}, "the bus of 6 waves at 'medium,o1' cannot be joined to the single wave"),
        ({"laser,o1[0:1]": "medium,in"}, "instance 'laser' (laser) has no port 'o1[0:1]'"),
        ({"laser,o1": "mirrors,in[0:1]"}, "has no port 'in[0:1]'"),
        ({"medium,out[0:4]": "camera,in", "mirrors,out[0:4]": "medium,out[4:8]"}, "a port has one use"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*inner port:photosim.errors.PhotosimWarning")
def test_wires_that_do_not_fit_are_refused(wires: dict[str, str], words: str) -> None:
    with pytest.raises(ps.NetlistError, match=re.escape(words)):
        circuit(wires, terminate=[])


def test_chains_without_light_or_end_are_refused() -> None:
    dark = circuit(
        {k: v for k, v in WIRES.items() if "laser" not in k}, terminate=[*OPEN, "mirrors,in", "laser,o1"]
    )
    with pytest.raises(ps.ParameterError, match="No light of 'laser' reaches 'mirrors,in': connect a laser"):
        dark.chain()
    bare = circuit(
        {"medium,out[0:4]": "camera,in"},
        terminate=[*OPEN, "medium,in", "mirrors,in", "mirrors,out", "laser,o1"],
    )
    with pytest.raises(ps.ParameterError, match="has no modulator at its start: put a dmd or an slm there"):
        bare.chain()
    with pytest.raises(ps.ParameterError, match="has no camera to end a chain"):
        ps.load("link").chain()
    with pytest.raises(ps.ParameterError, match=r"has the cameras camera: there is no 'eye' among them"):
        circuit().chain("eye")
    with pytest.raises(ps.ParameterError, match="has 3 lines: choose one of them"):
        circuit().chain(laser={"lines": 3})
    with pytest.raises(ps.ParameterError, match=r"3 lines, none of them at wl=1\.53 um: choose one"):
        circuit().chain(wl=1.53, laser={"lines": 3})
    with pytest.raises(ps.ParameterError, match="positive numbers of um, got 0"):
        circuit().chain(wl=0.0)
    with pytest.raises(ps.ParameterError, match="setting 'contrast' takes one value"):
        circuit().chain(mirrors={"contrast": [10.0, 20.0]})
    with pytest.raises(ps.ParameterError, match=r"transmission 0\.9 creates power in 6 x 8 channels"):
        circuit().chain(medium={"transmission": 0.9})


def test_a_bus_is_no_single_wave() -> None:
    wires = {"laser,o1": "mirrors,in", "mirrors,out[2:6]": "medium,in[1:5]"}
    open_ended = circuit(wires, ports={"out": "medium,out"}, terminate=[*OPEN, "camera,in"])
    with pytest.raises(ps.ParameterError, match=r"'out' is the bus 'medium,o2' of free space, not a single"):
        open_ended([1.5])
    with pytest.raises(ps.ParameterError, match=r"circuit\.chain\(\) gives the blocks"):
        open_ended.transfer([1.5], ["medium,out"], ["laser,o1"])


def test_the_command_line_says_who_evaluates_buses() -> None:
    done = CliRunner().invoke(app, ["simulate", "opu"], prog_name="photosim")
    assert done.exit_code != 0
    assert "Compute its buses of free space in Python: circuit.chain()" in " ".join(done.output.split())


def test_bus_parts_survive_files(tmp_path: Path) -> None:
    place = tmp_path / "chain.yml"
    lines = [f"  {name}: {entry}" for name, entry in PARTS.items()]
    text = "instances:\n" + "\n".join(lines).replace("'", "") + "\nconnections:\n"
    text += "\n".join(f"  {a}: {b}" for a, b in WIRES.items()) + f"\nterminate: ['{OPEN[0]}']\n"
    place.write_text(text, encoding="utf-8")
    np.testing.assert_array_equal(
        ps.load(place, strict=True).chain().medium.block(), circuit().chain().medium.block()
    )


def test_every_medium_is_a_component_and_meets_the_lasers_wavelength() -> None:
    settings: dict[str, dict[str, Any]] = {
        "scattering_medium": {"inputs": 16, "outputs": 16, "matrix": "procedural"},
        "disordered_waveguide": {"channels": 16},
        "phase_screens": {"side": 4, "distance": 20.0, "depth": 50.0},
        "lens": {"side": 4},
        "multimode_fiber": {"modes": 16},
    }
    for component, given in settings.items():
        parts = {
            "medium": {"component": component, "settings": given},
            "mirrors": {"component": "slm", "settings": {"pixels": 16}},
            "camera": {"component": "camera", "settings": {"pixels": 16}},
        }
        wires = {"laser,o1": "mirrors,in", "mirrors,out": "medium,in", "medium,out": "camera,in"}
        one = circuit(wires, parts)
        red, blue = one.chain(), one.chain(laser={"wl": 0.45})
        moved = np.abs(red.medium.block() - blue.medium.block()).max()
        assert (moved > 0.01) == (component in {"phase_screens", "multimode_fiber"})
        field = red.fields(np.linspace(0, 6, 16))
        assert field.shape == (1, 16)
        assert 0 < (np.abs(field) ** 2).sum() <= 0.7 * 2e-3 * 1.0001


def test_one_of_several_lines_lights_a_chain_with_its_own_power() -> None:
    one = circuit()
    alone = one.chain(laser={"power": 2e-3})
    comb = one.chain(wl=alone.wl, laser={"power": 2e-3, "lines": 3})
    assert comb.wl == pytest.approx(alone.wl, rel=1e-12)
    assert comb.beam == pytest.approx(alone.beam, rel=1e-9)

"""The spectrum analysis: what it computes, the channels it finds, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import photosim as ps
from photosim.analysis.channels import channels_of
from photosim.analysis.spectrum import SpectrumResult, read_options, spectrum
from photosim.errors import ParameterError
from photosim.model import Netlist, links, part
from photosim.smatrix import SMatrix
from photosim.units import frequency_Hz

RING = Netlist(
    {"ring": part("ring_double", radius=10.0)},
    (),
    {"in": ("ring", "o1"), "drop": ("ring", "o2"), "add": ("ring", "o3"), "through": ("ring", "o4")},
)
BANK = Netlist(
    {
        "laser": part("laser", lines=3, spacing=200e9),
        "bank": part("weight_bank", rows=1, channels=3, spacing=200e9),
    },
    links("laser,o1:bank,o1"),
)


def run(netlist: Netlist, **entry: Any) -> SpectrumResult:
    circuit = ps.Circuit(netlist)
    return spectrum(circuit, read_options({"kind": "spectrum", "wl": "1.54:1.56:101", **entry}, circuit))


def test_a_spectrum_is_the_matrix_of_the_circuit() -> None:
    result = run(RING, name="r", **{"from": "in", "to": ["drop", "through"]})
    expected = ps.Circuit(RING)(ps.wavelengths(1.54, 1.56, 101))
    assert np.array_equal(result.s.values, expected.values)
    assert result.pairs == (("in", "drop"), ("in", "through"))
    assert result.name == "r"


def test_without_names_light_goes_from_the_inputs_to_where_it_arrives() -> None:
    # A ring without reflections sends nothing back to `in` and nothing on to `add`.
    assert run(RING).pairs == (("in", "drop"), ("in", "through"))


def test_settings_change_the_circuit() -> None:
    result = run(RING, settings={"ring": {"radius": 12.0}})
    expected = ps.Circuit(RING)(ps.wavelengths(1.54, 1.56, 101), ring={"radius": 12.0})
    assert np.array_equal(result.s.values, expected.values)


def test_inner_waves_are_reached_from_a_source() -> None:
    ends = ["bank.row0.detector,o1", "bank.row0.detector,o2"]
    result = run(BANK, labels=["drop", "through"], **{"from": "laser,o1", "to": ends})
    expected = ps.Circuit(BANK).transfer(result.s.wl, ends, ["laser,o1"])
    for k, pair in enumerate(result.pairs):
        assert np.array_equal(result.s[pair].values, expected[:, k, 0])
    _, channels, *_ = result.tables()
    assert channels.columns == ("channel", "wavelength (um)", "drop (dB)", "through (dB)")
    assert len(channels.rows) == 3


def test_channels_are_the_lines_of_the_sources() -> None:
    channels = channels_of(ps.Circuit(BANK))
    assert np.allclose(np.diff(frequency_Hz(channels)), -200e9, rtol=1e-9)
    assert channels[1] == pytest.approx(1.55, rel=1e-12)
    tuned = channels_of(ps.Circuit(BANK), {"laser": {"wl": 1.56}})
    assert tuned[1] == pytest.approx(1.56, rel=1e-12)


def test_without_sources_channels_are_those_a_bank_is_made_for() -> None:
    bank = Netlist({"bank": BANK.instances["bank"]}, (), {"in": ("bank", "o1")})
    assert channels_of(ps.Circuit(bank)) == pytest.approx(channels_of(ps.Circuit(BANK)), rel=1e-12)
    assert channels_of(ps.Circuit(RING)) == ()


def test_numbers_are_what_the_curves_show() -> None:
    result = run(RING)
    power = result.s["in", "drop"].power_dB
    found = result.numbers()["pairs"]["in to drop"]
    assert found["max_dB"] >= power.max()  # extremes are those between points too
    assert found["min_at_um"] == pytest.approx(result.s.wl[np.argmin(power)], abs=2e-4)
    assert found["centre_loss_dB"] == -power[50]
    assert result.numbers()["wl_um"] == {"start": 1.54, "stop": 1.56, "points": 101}


def test_darkness_is_said_and_is_no_infinity() -> None:
    s = SMatrix(np.array([1.5, 1.6]), ("a", "b"), np.zeros((2, 2, 2), dtype=complex))
    result = SpectrumResult("dark", s, (("a", "b"),))
    assert result.numbers()["pairs"]["a to b"]["max_dB"] is None
    assert result.tables()[0].rows[0][-1] == "dark"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"wll": 1}, r"has no option 'wll'\. It may have: .*Did you mean 'wl'\?"),
        ({"wl": None}, r"'wl' must be a text such as .*, but is empty"),
        ({"wl": [1.5, 1.6]}, r"'wl' must be a text such as 1.54:1.56:2001, or a number, but is a list"),
        ({"wl": "1.56:1.54:11"}, r"did you mean 1\.54:1\.56\?"),
        ({"from": "inn"}, r"'inn' names no port.*Did you mean 'in'\?"),
        ({"to": 3}, r"'to' must be a name or a list of names, but is the number 3"),
        ({"to": []}, r"'to' must be a name or a list of names, but is an empty list"),
        ({"name": 3}, r"'name' must be a text, but is the number 3"),
        ({"channels": ["red"]}, r"channels: entry 1 must be a positive number, but is the text 'red'"),
        ({"channels": True}, r"'channels' must be a list of positive numbers, but is the flag True"),
        ({"channels": [0]}, r"channels: entry 1 must be a positive number, but is the number 0"),
        ({"settings": 3}, r"'settings' must be a mapping of names to values, but is the number 3"),
        (
            {"labels": ["a"]},
            r"labels: there are 1, but .* one for each pair of 'from' and 'to': give both",
        ),
        (
            {"from": "in", "to": "drop", "labels": ["a", "b"]},
            r"labels: there are 2, but .*one for each",
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(entry: dict[str, Any], message: str) -> None:
    circuit = ps.Circuit(RING)
    with pytest.raises(ParameterError, match=message):
        read_options({"kind": "spectrum", "wl": "1.54:1.56:11", **entry}, circuit)

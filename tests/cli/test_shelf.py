"""Components found by the words of other tools, and commands in place of their instruments."""

from __future__ import annotations

import re

import pytest

from photosim.cli.shelf import components
from photosim.errors import ParameterError


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("y branch", "splitter"),
        ("ebeam_y_1550", "splitter"),
        ("ebeam_dc_halfring_straight", "coupler_ring"),
        ("ebeam_dc_te1550", "directional_coupler"),
        ("waveguide crossing", "crossing"),
        ("pd", "photodetector"),
        ("tia", "transimpedance_amplifier"),
        ("EOM", "mach_zehnder_modulator"),
        ("optical switch", "mzi"),
        ("arrayed waveguide grating", "free_propagation_region"),
        ("Bessel filter", "low_pass_filter"),
        ("optical n port", "sampled"),
        ("disk", "ring_double"),
        ("APD", "avalanche_photodetector"),
        ("optical fiber", "fibre"),
        ("polarisation rotator", "polarization_rotator"),
    ],
)
def test_a_component_is_found_by_the_word_of_another_tool(query: str, first: str) -> None:
    assert components(tuple(query.split()))[0].name == first


@pytest.mark.parametrize(
    ("query", "command"), [("ONA", "simulate"), ("prbs", "--drive"), ("eye diagram", "--eye")]
)
def test_an_instrument_gets_the_command_that_does_its_work(query: str, command: str) -> None:
    with pytest.raises(ParameterError, match=rf"is not a component: `photosim .*{command}"):
        components(tuple(query.split()))


@pytest.mark.parametrize("query", ["bondpad", "bond pad", "pad", "ebeam_BondPad", "via_stack", "wire_corner"])
def test_drawn_metal_is_said_to_be_no_component(query: str) -> None:
    with pytest.raises(ParameterError, match=r"is not a component: layouts draw it, .* bond_wire"):
        components(tuple(query.split()))


@pytest.mark.parametrize(
    ("query", "near"),
    [
        ("dbr_tapered", "`bragg_grating` is the nearest"),
        ("spiral_racetrack_heater", "The nearest is racetrack."),
        ("mzi1x2", "The nearest are mzi, mzi_block."),
        ("crossing45", "The nearest is crossing."),
        ("ebeam_y_adiabatic", "The nearest is adiabatic_coupler."),
    ],
)
def test_an_unknown_cell_gets_the_nearest_components(query: str, near: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(near)):
        components((query,))


def test_a_short_word_is_not_found_amid_others() -> None:
    with pytest.raises(ParameterError, match="No component has 'led'"):  # coupled, controlled, sampled
        components(("led",))

"""Components found by the words of other tools, and commands in place of their instruments."""

from __future__ import annotations

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

"""Cells of programmable meshes, their filters and mesh: against matrices, the data sheet, geometry."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import photosim as ps
from photosim.components.hexagonal_places import hexagonal_places
from photosim.conventions import SPEED_OF_LIGHT_UM_S
from photosim.model import registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

DELAY = 11.2513e-12
"""811.41 um with a group index of 4.157."""
CENTRE = SPEED_OF_LIGHT_UM_S / 1.55


def alone(component: str, **given_settings: Any) -> ps.Circuit:
    ports = {p: ("part", p) for p in registry.get(component).ports_for(given_settings)}
    return ps.Circuit(ps.Netlist({"part": ps.part(component, **given_settings)}, ports=ports))


def block(circuit: ps.Circuit, wl: float = 1.55, **of_part: Any) -> NDArray[np.complex128]:
    return np.asarray(circuit.transfer([wl], ["o4", "o3"], ["o1", "o2"], part=of_part)[0])


IDEAL = alone("tunable_coupler", loss_dB=0.0, extinction_dB=400.0)
CELL = alone("tunable_coupler")


@settings(max_examples=30)
@given(k=st.integers(0, 1000), phase=st.floats(-7.0, 7.0))
def test_a_cell_is_its_matrix(k: int, phase: float) -> None:
    held = k / 1000
    arm = 2 * np.pi * 2.44553 * 811.41 / 1.55
    bar, cross = np.sqrt(1 - held), np.sqrt(held)
    expected = 1j * np.exp(1j * (phase + arm)) * np.array([[bar, cross], [cross, -bar]])
    np.testing.assert_allclose(block(IDEAL, coupling=held, phase=phase), expected, atol=3e-8)


def test_a_cell_has_the_data_sheet_s_loss_extinction_and_delay() -> None:
    for k in (0.0, 1.0):
        power = np.abs(block(CELL, coupling=k)) ** 2
        assert -10 * np.log10(power[0].sum()) == pytest.approx(0.50, abs=1e-9)
        most, least = max(power[0]), min(power[0])
        assert 10 * np.log10(most / least) == pytest.approx(35.0, abs=1e-9)
    for path in (("o1", "o3"), ("o1", "o4"), ("o2", "o3")):
        assert float(np.squeeze(CELL(1.55)[path].group_delay)) == pytest.approx(DELAY, abs=6e-15)
    wl = np.linspace(1.55 - 2.75e-3, 1.55 + 2.75e-3, 21)
    power = np.abs(CELL.transfer(wl, ["o3", "o4"], ["o1"])[:, :, 0]) ** 2
    share = power[:, 0] / power.sum(axis=1)
    assert np.abs(share / 0.5 - 1).max() < 0.02
    assert np.abs(share / 0.5 - 1).max() > 1e-3  # heaters: their phase goes as wl0/wl
    wide = np.linspace(1.55 - 22.5e-3, 1.55 + 22.5e-3, 21)  # the data sheet has 30 dB over 45 nm
    for k, dark in ((0.0, "o3"), (1.0, "o4")):
        power = np.abs(CELL.transfer(wide, [dark], ["o1"], part={"coupling": k})) ** 2
        assert 10 * np.log10(power.max()) < -30.0


def test_a_cell_holds_steps_of_its_coupling_and_heats_half_a_turn() -> None:
    for k, held in ((0.30049, 0.3), (0.3006, 0.301), (0.9999, 1.0)):
        power = np.abs(block(IDEAL, coupling=k)) ** 2
        assert power[0, 1] == pytest.approx(held, abs=1e-12)
    free = alone("tunable_coupler", loss_dB=0.0, extinction_dB=400.0, coupling_step=None)
    assert free.parameters["part.coupling"] == 0.5
    for k in (0.0, 0.2, 0.5, 1.0):
        compiled, point = CELL.at({"part.coupling": k})
        heat = [
            compiled.parts.settings_of(part, point)["power"]
            for part in compiled.graph.parts
            if part.name in {"part.top", "part.bottom"}
        ]
        assert sum(heat) == pytest.approx(1.34e-3, rel=1e-9)
        assert abs(heat[0] - heat[1]) == pytest.approx(1.34e-3 * np.arccos(2 * k - 1) / np.pi, abs=2e-11)


@pytest.mark.parametrize(("k", "detuning"), [(0.1, 0.0), (0.5, 4e9), (0.3, -6e9)])
def test_a_ring_is_the_exact_sum_of_its_turns(k: float, detuning: float) -> None:
    ring = alone("mesh_filter", coupling=k, detuning=detuning, extinction_dB=400.0)
    offset = np.linspace(-20e9, 20e9, 401)
    found = np.abs(ring.transfer(SPEED_OF_LIGHT_UM_S / (CENTRE + offset), ["o2"], ["o1"])[:, 0, 0])
    loss = 10 ** (-0.5 / 20)
    turn = (1 - k) * loss**6 * np.exp(2j * np.pi * (offset - detuning) * 6 * DELAY)
    # Heaters' phases go as wl0/wl: six of half a turn are worth 2e-4 of the resonance's place.
    np.testing.assert_allclose(found, np.abs(k * loss**4 / (1 - turn)), rtol=4e-3)


@pytest.mark.parametrize(("k", "width"), [(0.1, 2.14e9), (0.5, 5.2e9)])
def test_a_ring_s_width_is_what_its_loss_allows(k: float, width: float) -> None:
    ring = alone("mesh_filter", coupling=k)
    offset = np.linspace(-7e9, 7e9, 14001)
    power = np.abs(ring.transfer(SPEED_OF_LIGHT_UM_S / (CENTRE + offset), ["o2"], ["o1"])[:, 0, 0]) ** 2
    own = np.count_nonzero(power > power.max() / 2) * 1e6
    assert own == pytest.approx(width, rel=0.05)  # the formula for narrow lines is 4 % low at 0.5


def test_an_interferometer_passes_half_of_its_period() -> None:
    own = alone("mesh_filter", shape="interferometer", coupling=0.443, detuning=5e9)
    offset = np.linspace(-40e9, 40e9, 8001)
    power = np.abs(own.transfer(SPEED_OF_LIGHT_UM_S / (CENTRE + offset), ["o2"], ["o1"])[:, 0, 0]) ** 2
    peaks = offset[1:-1][(power[1:-1] > power[2:]) & (power[1:-1] > power[:-2])]
    assert np.abs(peaks - 5e9).min() < 0.5e9
    assert np.diff(peaks)[0] == pytest.approx(44.44e9, rel=2e-3)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_hexagonal_mesh_joins_every_end_once(size: int) -> None:
    places = hexagonal_places(size)
    assert len(places.cells) == 9 * size**2 - 3 * size
    assert len(places.hexagons) == 3 * size * (size - 1) + 1
    used = Counter(end for pair in places.joins for end in pair) + Counter(places.ports.values())
    assert set(used) == {(cell, f"o{k}") for cell in places.cells for k in range(1, 5)}
    assert set(used.values()) == {1}
    assert len(places.ports) == 12 * size
    for hexagon in places.hexagons:  # in bar light runs round: six joins lead from cell to cell inside
        round_it = set(places.around(hexagon))
        inner = [pair for pair in places.joins if {places.ends[end][1] for end in pair} == {hexagon}]
        assert len(inner) == 6
        assert {cell for pair in inner for cell, _ in pair} == round_it


def test_a_hexagon_in_bar_is_a_ring_of_14_81_GHz() -> None:
    """Measured on the chip: 14.98 GHz, 1.1 % less delay than the data sheet's cells have."""
    places = hexagonal_places(1)
    mesh = ps.Circuit(
        ps.Netlist({"mesh": ps.part("hexagonal_mesh", size=1)}, ports={p: ("mesh", p) for p in places.ports})
    )
    first, last = places.around((0, 0))[0], places.around((0, 0))[3]
    outer = {end: port for port, end in places.ports.items()}

    def outside(cell: str) -> list[str]:
        return [outer[cell, f"o{k}"] for k in range(1, 5) if (cell, f"o{k}") in outer]

    offset = np.linspace(-16e9, 16e9, 1601)
    held = {first: {"coupling": 0.1}, last: {"coupling": 0.1}}
    found = mesh.transfer(
        SPEED_OF_LIGHT_UM_S / (CENTRE + offset), outside(last), outside(first)[:1], mesh=held
    )
    power = (np.abs(found[:, :, 0]) ** 2).max(axis=1)
    peaks = offset[1:-1][(power[1:-1] > power[2:]) & (power[1:-1] > power[:-2])]
    assert np.diff(peaks)[0] == pytest.approx(14.81e9, rel=2e-3)

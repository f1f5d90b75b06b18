"""Composite components: interferometers against their closed form, weight banks against the ring formula."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import photosim as ps
from photosim.components.lasers import channel_wavelength
from photosim.model import ClosedForm, registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEFF, NG = 2.44553, 4.19088
WL = np.linspace(1.54, 1.56, 101)


def alone(component: str, **settings: Any) -> ps.Circuit:
    """A circuit of one instance, `part`, with its optical ports exposed."""
    ports = {p: ("part", p) for p in registry.get(component).ports_for(settings)}
    return ps.Circuit(ps.Netlist({"part": ps.part(component, **settings)}, ports=ports))


def cross(delta: float, phase: float) -> NDArray[np.float64]:
    neff = 2.34 - (WL - 1.55) * (3.4 - 2.34) / 1.55
    return np.asarray(np.cos((2 * np.pi * neff * delta + phase * 1.55) / WL / 2) ** 2)


@pytest.mark.parametrize("splitter", ["splitter", "mmi1x2"])
def test_mzi_of_junctions(splitter: str) -> None:
    s = alone("mzi", delta_length=40.0, phase=0.6, splitter=splitter)(WL)
    whole = registry.get(splitter)
    assert isinstance(whole, ClosedForm)
    # Two passes of the junction: the power it passes at this wavelength, squared.
    passed = np.linalg.norm(whole.s(WL), 2, axis=(-2, -1)) ** 4
    np.testing.assert_allclose(s["o1", "o2"].power, passed * cross(40.0, 0.6), atol=1e-11)


@pytest.mark.parametrize("splitter", ["coupler", "mmi2x2"])
def test_mzi_of_two_by_two_couplers(splitter: str) -> None:
    s = alone("mzi", delta_length=40.0, phase=0.6, splitter=splitter)(WL)
    whole = registry.get(splitter)
    assert isinstance(whole, ClosedForm)
    passed = np.linalg.norm(whole.s(WL), 2, axis=(-2, -1)) ** 4
    for start, end in (("o1", "o3"), ("o2", "o4")):
        np.testing.assert_allclose(s[start, end].power, passed * cross(40.0, 0.6), atol=1e-11)
    np.testing.assert_allclose(s["o1", "o4"].power, passed * (1 - cross(40.0, 0.6)), atol=1e-11)


def currents(circuit: ps.Circuit, rows: int, wl: Any, **settings: Any) -> NDArray[np.float64]:
    """Drop and through power that reach the detector of each row, shape (W, rows, 2)."""
    names = [f"part.row{m}.detector,o{p}" for m in range(rows) for p in (1, 2)]
    waves = circuit.transfer(wl, names, ["o1"], part=settings)[..., 0]
    return (np.abs(waves) ** 2).reshape(len(waves), rows, 2)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_bank_of_one_channel_is_one_ring_a_row(rows: int) -> None:
    settings = {"rows": rows, "channels": 1, "coupling": 0.05, "order": 60}
    found = currents(alone("weight_bank", **settings), rows, WL)
    ring = registry.get("ring_double_ideal")
    assert isinstance(ring, ClosedForm)
    radius = 60 * 1.55 / (2 * np.pi * NEFF)
    s = ring.s(WL, radius=radius, coupling=0.05, coupling_drop=0.05, neff=NEFF, ng=NG, loss_dB_cm=2.5)
    for m in range(rows):
        np.testing.assert_allclose(rows * found[:, m, 0], np.abs(s[:, 1, 0]) ** 2, atol=1e-10)
        np.testing.assert_allclose(rows * found[:, m, 1], np.abs(s[:, 3, 0]) ** 2, atol=1e-10)


def test_each_ring_of_a_bank_resonates_at_its_channel() -> None:
    circuit = alone("weight_bank", rows=1, channels=3, coupling=0.01, loss_dB_cm=0.0)
    grid = np.linspace(1.54, 1.56, 40001)
    drop = currents(circuit, 1, grid)[:, 0, 0]
    inner = drop[1:-1]
    peaks = grid[1:-1][(inner > drop[:-2]) & (inner > drop[2:]) & (inner > 0.5)]
    channels = [channel_wavelength(1.55, 200e9, n, 3) for n in range(3)]
    np.testing.assert_allclose(peaks, channels, atol=1e-6)


def test_lossless_bank_detects_all_light() -> None:
    circuit = alone("weight_bank", rows=3, channels=4, loss_dB_cm=0.0)
    np.testing.assert_allclose(currents(circuit, 3, WL).sum(axis=(1, 2)), 1.0, atol=1e-10)


def test_warm_bank_moves_all_its_channels_together() -> None:
    circuit = alone("weight_bank", rows=1, channels=2, coupling=0.02)
    grid = np.linspace(1.545, 1.56, 30001)
    cold, warm = (currents(circuit, 1, grid, temperature=t)[:, 0, 0] for t in (300.0, 310.0))
    shift = grid[warm.argmax()] - grid[cold.argmax()]
    assert shift == pytest.approx(1.55 / NG * 2.00e-3, rel=0.02)


def test_currents_of_a_bank_are_its_responsivity_times_the_difference() -> None:
    net = ps.Netlist(
        {
            "laser": ps.part("laser", lines=2, spacing=200e9, power=1e-3),
            "bank": ps.part("weight_bank", rows=2, channels=2, responsivity=0.8),
        },
        connections=ps.links("laser,o1:bank,in"),
    )
    lines = [channel_wavelength(1.55, 200e9, n, 2) for n in range(2)]
    power = currents(alone("weight_bank", rows=2, channels=2), 2, lines)
    expected = 0.8e-3 * (power[..., 0] - power[..., 1])
    np.testing.assert_allclose(ps.Circuit(net).photocurrents().values, expected, rtol=1e-12)


def test_rows_have_the_parts_whose_settings_are_given() -> None:
    def parts(**settings: Any) -> dict[str, Any]:
        graph = alone("weight_bank", rows=2, channels=2, **settings).graph
        return {part.name: part.model.name for part in graph.parts if part.model.kind == "electronic"}

    amplifiers = {f"part.row{m}.tia": "transimpedance_amplifier" for m in range(2)}
    converters = {f"part.row{m}.adc": "adc" for m in range(2)}
    assert parts() == {}
    assert parts(tia_noise_density=1e-11) == amplifiers
    assert parts(adc_bits=6) == {**amplifiers, **converters}  # a converter reads voltages
    circuit = alone("weight_bank", rows=2, channels=2, tia_gain=700.0, adc_input_range=0.4)
    values = {
        key: circuit.parameters[f"part.row1.{key}"] for key in ("tia.gain", "adc.input_range", "adc.bits")
    }
    assert values == {"tia.gain": 700.0, "adc.input_range": 0.4, "adc.bits": 8}
    wires = {(left, right) for left, right in circuit.graph.wires if left[0].startswith("part.row1")}
    assert wires == {
        (("part.row1.detector", "e1"), ("part.row1.tia", "e1")),
        (("part.row1.tia", "e2"), ("part.row1.adc", "e1")),
    }
